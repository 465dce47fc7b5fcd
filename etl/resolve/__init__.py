"""Resolve: good blocks become papers, people and categories.

Frames in, frames out; only `read_overrides` reads a file of the user's.
"""
