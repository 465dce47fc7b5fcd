r"""Titles and abstracts as HTML. In: text as pages print it, with TeX. Out: safe HTML."""

from functools import lru_cache

from markupsafe import Markup, escape

from etl.export.plain_text import ADDRESS, TAGS, marked

_LINK = Markup('<a href="{0}" rel="nofollow noopener">{0}</a>')


@lru_cache(maxsize=4096)
def readable(text: str) -> Markup:
    r"""The text as HTML: TeX as text with its emphasis, addresses as links, invisible characters written out.

    >>> readable(r"$n \leq 32$ <b> at 15\% of \textit{almost} all")
    Markup('n ≤ 32 &lt;b&gt; at 15% of <em>almost</em> all')
    >>> readable("Costs {$5 and $10")
    Markup('Costs {$5 and $10')
    """
    read, addresses = marked(text)
    html = str(escape(read))
    for letter, tag in TAGS.items():
        html = html.replace(letter, tag)
    links = (str(_LINK.format(address)) for address in addresses)
    parts = zip(html.split(ADDRESS), [*links, ""], strict=True)
    return Markup("".join(part + link for part, link in parts))  # noqa: S704
