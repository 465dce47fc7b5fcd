"""Load: write checked tables as a release of files. It depends on tables, not on pages."""
