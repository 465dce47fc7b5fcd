"""Reports of a run: results in one record, rendered for people, CI servers and code hosts; charts and their pictures."""
