"""Extract: files become pages, and pages are read by the grammar. Text in, records out."""
