"""Datasette plugins for the site of a release.

In: a release that Datasette serves. Out: pages, pictures and files. The plugins are listed in pyproject.toml; they read releases,
and no stage that makes one imports them. In a Datasette without a release they do nothing.

This one is the common look: the style sheet, the menu, and patches of Datasette 0.65's templates that add what screen readers
need (language, labels, landmarks).
"""

from functools import cache
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING

from datasette import hookimpl
from datasette.utils import tilde_encode
from jinja2 import Environment
from jinja2.ext import Extension

from etl.printable import cut, visible
from etl.site.served import served
from schemas.limits import PAPERS_A_PAGE

if TYPE_CHECKING:
    from datasette.app import Datasette

STYLE, COPY_SCRIPT = "site.css", "copy.js"
SEARCH, CHANGES, REPORT = "/-/search", "/-/changes", "/-/report"
MENU = {
    "Search": SEARCH,
    "Changes": CHANGES,
    "Charts": "/-/charts",
    "Downloads": "/-/downloads",
    "Quality report": REPORT,
}
"""Addresses of the menu's entries by label."""
_SCROLLED = ('<div class="table-wrapper">', '<div class="table-wrapper" tabindex="0" role="region" aria-label="Rows">')
_EDITOR = ('<textarea id="sql-editor"', '<textarea id="sql-editor" aria-label="SQL"')
_FIND = (
    '{% block find %}<form class="pl-find" role="search" action="{{ urls.path("/-/search") }}" method="get">'
    '<input type="search" name="q" aria-label="Search people and papers" placeholder="People and papers">'
    '<input type="submit" value="Search"></form>{% endblock %}'
)
_FOLD = '<details class="pl-fold"'
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
_FOLDS = (
    (
        '<dl class="column-descriptions">',
        f'{_FOLD}><summary>What the columns mean</summary><dl class="column-descriptions">',
    ),
    ("</dl>", "</dl></details>"),
    ('value="{{ search }}"></div>', 'value="{{ search }}"> <input type="submit" value="Search"></div>'),
    (
        "    {% for column, lookup, value in filters.selections() %}",
        f"{_FOLD}{{% if filters.has_selections() %}} open{{% endif %}}><summary>Filter and sort</summary>"
        "{% for column, lookup, value in filters.selections() %}",
    ),
    ('<input type="submit" value="Apply">\n    </div>', '<input type="submit" value="Apply">\n    </div></details>'),
)
"""What a page of a table folds away, so that its rows come first."""
_FACETS = '{{ sorted_facet_results | map(attribute="name") | join(", ") }}'
_CHOSEN = (
    '{% if request.args.get("_facet") or sorted_facet_results | map(attribute="results") | sum(start=[])'
    ' | selectattr("selected") | list %} open{% endif %}'
)
_LABEL = "facet_value.label | yes_or_no(facet_info.name)"
PATCHES: dict[str, tuple[tuple[str, str], ...]] = {
    "base.html": (
        ("<html>", '<html lang="en">'),
        ("{% set links = menu_links() %}", _FIND + "{% set links = menu_links() %}"),
        ('<section class="content">', '<section class="content" role="main">'),
    ),
    "table.html": (
        *_HEADINGS,
        *_FOLDS,
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
    "_facet_results.html": (
        ('class="cross"', 'class="cross" aria-label="Remove"'),
        (
            '<div class="facet-results">',
            f'{_FOLD}{_CHOSEN}><summary>Facets: {_FACETS}</summary><div class="facet-results">',
        ),
        ("    {% endfor %}\n</div>", "    {% endfor %}\n</div></details>"),
        ('(facet_value.label | string()) or "-"', f'({_LABEL} | string()) or "-"'),
        ('facet_value.label or "-"', f'({_LABEL} | string()) or "-"'),
    ),
    "_codemirror_foot.html": (
        ("</script>", "</script><script src=\"{{ urls.static_plugins('paperledger', 'sql-label.js') }}\"></script>"),
    ),
}
"""Replacements in Datasette's templates, by template: the old text and the new."""


@hookimpl
def extra_css_urls(datasette: "Datasette") -> list[str]:
    """The style sheet."""
    if served(datasette) is None:
        return []
    return [_static(STYLE)]


@hookimpl
def extra_js_urls(datasette: "Datasette") -> list[dict[str, str | bool]]:
    """The script of buttons that copy, a module, which runs once the page is there."""
    return [{"url": _static(COPY_SCRIPT), "module": True}] if served(datasette) else []


@hookimpl
def menu_links(datasette: "Datasette") -> list[dict[str, str]]:
    """Menu entries for the pages that are not tables."""
    if served(datasette) is None:
        return []
    return [{"href": datasette.urls.path(path), "label": label} for label, path in MENU.items()]


@hookimpl
def prepare_jinja2_environment(env: Environment, datasette: "Datasette") -> None:
    """Add filters for text from pages, the limit of papers a page, and the patches of Datasette's templates."""
    env.filters |= {"visible": visible, "cut": cut, "tilde": tilde_encode}
    env.globals["papers_a_page"] = PAPERS_A_PAGE
    if served(datasette) is not None:
        env.add_extension(TemplatePatches)


@cache
def _static(name: str) -> str:
    """The address of a file, to which Datasette adds the base URL; with a hash of its content, since browsers keep it."""
    content = resources.files("etl.site").joinpath("static", name).read_bytes()
    return f"/-/static-plugins/paperledger/{name}?{sha256(content).hexdigest()[:8]}"


class TemplatePatches(Extension):
    """Applies `PATCHES` to the source of templates."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        """The patched source; `default:` before a name means Datasette's own template."""
        for old, new in PATCHES.get((name or "").removeprefix("default:"), ()):
            source = source.replace(old, new)
        return source
