"""Take the README's pictures of the site anew: `python tests/pictures.py`. Needs Chromium.

Builds the bundled page, serves it, and writes pictures of the home page, of search results, of an author, of the quality report and of
the network of co-authors into docs/.
"""

import shutil
import tempfile
from importlib.resources import files
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console
from serving import serving

from etl.pipeline import Request, build
from etl.progress import Progress

DOCS = Path(__file__).parents[1] / "docs"
OWNER = "/paperledger/authors/mehdi-rezagholizadeh"
PICTURES = {
    "home.png": ("/", None),
    "search.png": ("/-/search?q=low-rank+adaptation", None),
    "author.png": (OWNER, None),
    "report.png": ("/-/report", None),
    "network.png": ("/-/charts", "#network"),
}
"""The pictures, each with the address it shows and the part of the page; None for a whole window."""
WINDOW = {"width": 1100, "height": 820}


def main() -> None:
    """Build, serve, and take the pictures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        out = Path(folder) / "build"
        build(Request([str(files("etl").joinpath("sample"))], out), Progress(Console(quiet=True)))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with serving(out) as server:
            page = browser.new_page(base_url=server.address, viewport=WINDOW)  # type: ignore[arg-type]
            for name, (place, part) in PICTURES.items():
                page.goto(place)
                shown = page.locator(part).first if part else page
                shown.screenshot(path=DOCS / name)


if __name__ == "__main__":
    main()
