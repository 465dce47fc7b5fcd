"""Validate blocks before tables are made from them, and tables before they are published. Frames in, results out."""
