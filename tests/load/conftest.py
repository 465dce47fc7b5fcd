"""The tables that the tests of this folder write: two pages that fill every table."""

from datetime import date
from pathlib import Path

import pytest
from helpers import tables_of

from etl.load.sqlite import write_database
from schemas import Frames, PaperCandidates, PaperIdentifiers

ANN = """Ann Bell

CL
h-index3
3papers
9citations
Novelty50%
AI Score58

3 Papers

ROMar 14, 2025Code
On Bells

Ann Bell, Cy Dole et al. · mila, Tower Lab

Bells ring. See https://github.com/a/b and http://x.org/.

Advertisement
of a tower

CLApr 2
Naïve Chimes

Ève Fox, C. Dole, Ann Bell

"They" chime, 'softly', and
"""
EVE = """Eve Fox

ROMar 14, 2025
On Bells!

Ann Bell, Cy Dole, Eve Fox

Bells rang.
"""


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
