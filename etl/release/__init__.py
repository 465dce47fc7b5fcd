"""Release: read, compare, explain, review and verify published releases."""
