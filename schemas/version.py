"""The version of the schema: the number that says whether a release can be read by this program."""

SCHEMA_VERSION = 2
"""What every release bears: its database (`PRAGMA user_version`), Parquet files, manifest and results.

Raise it by one with any change after which a program that was written for the releases before would read another one
wrongly or not at all: a table, view or column that goes, is renamed, or means something else, another key, another type,
another way of making an identifier. A table or column more, or other words, is no reason where nothing here needs it.
Releases without a version are version 1.
"""
