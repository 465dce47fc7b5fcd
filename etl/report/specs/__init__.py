"""Vega specifications as JSON, one a kind of picture. They are complete but for the data, the height and a domain.

Every place in them is a number: no text is measured, so that the fonts of a machine change nothing.
"""
