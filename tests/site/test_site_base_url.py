"""A site under a path: every link of every page has the prefix once, and leads somewhere."""

import asyncio
import json
import re
from html import unescape
from pathlib import Path

import httpx
from datasette.app import Datasette

from etl.load.layout import DATABASE_FILE, METADATA

LINK = re.compile(r'(?:href|src|action)="(/[^"#]*)')
FIRST = ["/data/", "/data/paperledger", "/data/paperledger/papers", "/data/-/charts", "/data/-/downloads"]
MOST = 120


async def walk(site: Datasette) -> dict[str, httpx.Response]:
    """The answers of so many pages, found link by link."""
    transport = httpx.ASGITransport(site.app())
    answers: dict[str, httpx.Response] = {}
    waiting = list(FIRST)
    async with httpx.AsyncClient(transport=transport, base_url="http://here", follow_redirects=True) as client:
        while waiting and len(answers) < MOST:
            place = waiting.pop(0)
            answers[place] = await client.get(place)
            if answers[place].headers["content-type"].startswith("text/html"):
                found = [unescape(link) for link in LINK.findall(answers[place].text)]
                waiting += [link for link in dict.fromkeys(found) if link not in answers and link not in waiting]
    return answers


def test_every_link_has_the_prefix_once_and_leads_somewhere(release: Path) -> None:
    metadata = json.loads((release / METADATA).read_text(encoding="utf-8"))
    settings = {"base_url": "/data/"}
    site = Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=metadata, settings=settings)
    answers = asyncio.run(walk(site))
    assert len(answers) == MOST
    assert [place for place in answers if not place.startswith("/data/") or place.startswith("/data/data/")] == []
    assert {place: answer.status_code for place, answer in answers.items() if answer.status_code != 200} == {}
