"""A release of the bundled page and the invented ones, and a Datasette over it, as `paperledger serve` sets it up."""

import asyncio
import json
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from datasette.app import Datasette
from rich.console import Console
from site_words import Fetch

from etl.load.layout import DATABASE_FILE, METADATA
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.site.served import SETTINGS

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real folder of a release."""
    out = tmp_path_factory.mktemp("site") / "build"
    pages = [str(files("etl").joinpath("sample")), str(DATA)]
    return build(Request(pages, out), Progress(Console(quiet=True))).release.path.resolve()


@pytest.fixture(scope="module")
def site(release: Path) -> Datasette:
    """A Datasette over the release, in this process."""
    metadata = json.loads((release / METADATA).read_text(encoding="utf-8"))
    return Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=metadata, settings=dict(SETTINGS))


@pytest.fixture(scope="module")
def fetch(site: Datasette) -> Fetch:
    """Ask the site for a path; keywords are httpx's (`params`, `headers`)."""

    def get(path: str, **asked: object) -> httpx.Response:
        return asyncio.run(site.client.get(path, **asked))

    return get
