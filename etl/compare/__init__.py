"""Two releases held against each other: what was added, removed and changed, and whether that is worse.

In: the folders of two releases. Out: a `Difference`, and its text for people or programs.
"""

from etl.compare.difference import Difference
from etl.compare.releases import compare
from etl.compare.text import render_json, render_text

__all__ = ["Difference", "compare", "render_json", "render_text"]
