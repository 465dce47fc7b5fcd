"""Resolve: good blocks become papers, people and categories. Pure functions, frames in, frames out."""
