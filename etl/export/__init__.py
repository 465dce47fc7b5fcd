"""Export: papers of a release in formats of bibliographies."""
