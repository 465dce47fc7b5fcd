"""Row pages that read well: a paper with its authors and raw lines, an author with papers and spellings."""
