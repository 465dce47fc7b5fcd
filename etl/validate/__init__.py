"""Validate: blocks before they shape anything, tables before they are published. Frames in, verdicts out."""
