"""Its place lets every test import `helpers`: pytest puts the folder of a conftest on the path."""

collect_ignore_glob = ["*conftest.py"]
"""Doctests are looked for everywhere but there: files of one name cannot both be imported."""
