"""Export: papers of a release in formats of bibliographies, and as feeds."""

FORMATS = ("bibtex", "csl-json", "ris", "atom")
"""The names of the formats, in `formats.py`."""
