"""What Datasette 0.65's own pages lack for people who cannot see them, put into its templates as they are read.

In: a template's source. Out: the same with its language, labels and landmarks. A test sees that every place is still there.
"""

from jinja2.ext import Extension

_SCROLLED = ('<div class="table-wrapper">', '<div class="table-wrapper" tabindex="0" role="region" aria-label="Rows">')
_EDITOR = ('<textarea id="sql-editor"', '<textarea id="sql-editor" aria-label="SQL"')
_HEADINGS = (("<h3>", '<h2 class="header3">'), ("</h3>", "</h2>"))
_FIELDS = {
    "_filter_column_{{ loop.index }}": "Column of filter {{ loop.index }}",
    "_filter_op_{{ loop.index }}": "Comparison of filter {{ loop.index }}",
    "_filter_value_{{ loop.index }}": "Value of filter {{ loop.index }}",
    "_filter_column": "Column of a new filter",
    "_filter_op": "Comparison of a new filter",
    "_filter_value": "Value of a new filter",
    "_sort": "Sort by",
}
PATCHES: dict[str, tuple[tuple[str, str], ...]] = {
    "base.html": (
        ("<html>", '<html lang="en">'),
        ('<section class="content">', '<section class="content" role="main">'),
    ),
    "table.html": (
        *_HEADINGS,
        *((f'name="{name}"', f'name="{name}" aria-label="{label}"') for name, label in _FIELDS.items()),
    ),
    "query.html": (
        *_HEADINGS,
        _SCROLLED,
        _EDITOR,
        (": {{ query.sql }}{% endif %}{% endblock %}", ": {{ metadata.title or query.sql }}{% endif %}{% endblock %}"),
    ),
    "database.html": (
        ("<h3>Custom SQL query</h3>", '<h2 class="header3">Custom SQL query</h2>'),
        _EDITOR,
    ),
    "_table.html": (_SCROLLED,),
    "_facet_results.html": (('class="cross"', 'class="cross" aria-label="Remove"'),),
    "_codemirror_foot.html": (
        ("</script>", "</script><script src=\"{{ urls.static_plugins('paperledger', 'sql-label.js') }}\"></script>"),
    ),
}
"""Places in Datasette's templates, and what stands there instead."""


class TemplatePatches(Extension):
    """Puts the patches into a template's source."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        """The source with its patches; `default:` before a name means Datasette's own template."""
        for place, mended in PATCHES.get((name or "").removeprefix("default:"), ()):
            source = source.replace(place, mended)
        return source
