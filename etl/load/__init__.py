"""Load: checked tables become a release of files. It knows tables, and no pages."""
