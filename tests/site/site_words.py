"""What tests need of a page: the answer, an element, its words, and its links."""

import asyncio
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import httpx
from datasette.app import Datasette

Fetch = Callable[..., httpx.Response]
"""How tests ask the site: a path, and httpx's keywords."""

BLOCKS = {"p", "li", "dt", "dd", "td", "th", "div", "span", "h1", "h2", "h3", "pre", "label"}


def ask(site: Datasette, path: str, method: str = "GET", **asked: Any) -> httpx.Response:
    """The answer of a site in this process; keywords are httpx's."""
    return asyncio.run(site.client.request(method, path, **asked))


def read(html: str) -> Element:
    """The tree of a page."""
    tree: Element = html5lib.parse(html, namespaceHTMLElements=False)
    return tree


def element(answer: httpx.Response, tag: str = "section") -> Element:
    """The first element with this tag; Datasette's table of all columns is left out."""
    found = read(answer.text).find(f".//{tag}")
    assert found is not None
    for parent in list(found.iter()):
        for details in parent.findall("details"):
            parent.remove(details)
    return found


def words(answer: httpx.Response) -> str:
    """The words of a page's content, each white space one blank."""
    content = element(answer)
    for part in content.iter():
        if part.tag in BLOCKS:
            part.tail = f" {part.tail or ''}"
    return " ".join("".join(content.itertext()).split())


def links(answer: httpx.Response) -> list[str]:
    """The targets of the links of a page's content, in order."""
    return [link.attrib["href"] for link in element(answer).iter("a")]
