"""Datasette plugins: what makes the site of a release more than a table browser.

In: a release that Datasette serves. Out: pages, pictures and files. Each module is one plugin, named in pyproject.toml;
they read releases, and no stage that makes one knows of them. In a Datasette without a release they do nothing.

This one is the common look: the style sheet, the menu, and the words that Datasette's own pages lack.
"""

from functools import cache
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING

from datasette import hookimpl
from datasette.utils import tilde_encode
from jinja2 import Environment

from etl.printable import cut, visible
from etl.site.served import served
from etl.site.template_patches import TemplatePatches
from schemas.limits import PAPERS_A_PAGE

if TYPE_CHECKING:
    from datasette.app import Datasette

STYLE = "site.css"
MENU = {"Charts": "/-/charts", "Downloads": "/-/downloads", "Quality report": "/-/report"}
"""What the menu leads to."""


@hookimpl
def extra_css_urls(datasette: "Datasette") -> list[str]:
    """The style sheet, under an address that changes with it."""
    if served(datasette) is None:
        return []
    return [f"/-/static-plugins/paperledger/{STYLE}?{_style_hash()}"]  # Datasette puts the base URL before it.


@hookimpl
def menu_links(datasette: "Datasette") -> list[dict[str, str]]:
    """The pages that are no tables."""
    if served(datasette) is None:
        return []
    return [{"href": datasette.urls.path(path), "label": label} for label, path in MENU.items()]


@hookimpl
def prepare_jinja2_environment(env: Environment, datasette: "Datasette") -> None:
    """Filters for text from pages, the site's limit, and words for Datasette's templates."""
    env.filters |= {"visible": visible, "cut": cut, "tilde": tilde_encode}
    env.globals["papers_a_page"] = PAPERS_A_PAGE
    if served(datasette) is not None:
        env.add_extension(TemplatePatches)


@cache
def _style_hash() -> str:
    return sha256(resources.files("etl.site").joinpath("static", STYLE).read_bytes()).hexdigest()[:8]
