"""Papers in the formats of bibliographies, from a release: used by the command and the site."""
