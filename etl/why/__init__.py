"""Why a row is what it is: the raw lines it came from, the joins that made it, the rules that looked at it.

In: the database of a release, a table and a row's key. Out: `Reasons`, and their text for people.
"""

from etl.why.answer import why
from etl.why.reasons import Join, Look, Place, Reasons
from etl.why.text import render_text

__all__ = ["Join", "Look", "Place", "Reasons", "render_text", "why"]
