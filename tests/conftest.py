"""Its place lets every test import `helpers`: pytest puts the folder of a conftest on the path.

The fixtures are two pages that fill every table, and what is made of them.
"""

import os
import signal
from datetime import date
from pathlib import Path

import pytest
from helpers import tables_of, write_database
from hypothesis import settings
from two_pages import ANN, EVE

from schemas import Frames, PaperCandidates, PaperIdentifiers

settings.register_profile("any machine", deadline=None)  # no test depends on a time
settings.load_profile("any machine")

collect_ignore_glob = ["*conftest.py"]
"""Doctests are looked for everywhere but there: files of one name cannot both be imported."""

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell starts what runs in the background deaf to Ctrl-C, and the commands under test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def without_pandas(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Commands in processes of their own start as in a plain installation.

    pandera imports pandas wherever it is installed, as it is for other tests; each command would take twice the time.
    """
    folder = tmp_path_factory.mktemp("without")
    (folder / "pandas.py").write_text("raise ImportError(\"No module named 'pandas'\")\n", encoding="utf-8")
    os.environ["PYTHONPATH"] = str(folder)


@pytest.fixture(scope="session")
def texts() -> tuple[str, str]:
    return ANN, EVE


@pytest.fixture(scope="session")
def tables() -> Frames:
    frames = tables_of(ANN, EVE, observed_on=(date(2026, 6, 1), None))
    first, second = frames["papers"]["paper_id"]
    values = [("arxiv", "2404.00002"), ("doi", "10.1000/b"), ("doi", "10.1000/a")]
    told = [(first, scheme, value, f"https://x.org/{value}", "abstract", "line 1") for scheme, value in values]
    frames["paper_identifiers"] = PaperIdentifiers.sorted(PaperIdentifiers.frame(told))
    frames["paper_candidates"] = PaperCandidates.frame([(first, second, "other_date", "On Bells")])
    assert [name for name, frame in frames.items() if frame.is_empty()] == []
    return frames


@pytest.fixture(scope="session")
def database(tables: Frames, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("database") / "paperledger.db"
    write_database(path, tables)
    return path
