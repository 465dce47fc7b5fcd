"""Facts about a release as a whole, for its descriptors: version, sources, and how to cite it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from etl.load.layout import ID_LENGTH
from etl.printable import count
from etl.version import __version__
from schemas import Frames
from schemas.limits import PAPERS_A_PAGE

TITLE = "paperledger"
SUBJECT = "Papers, authors and categories from researchers' profile pages"
DESCRIPTION = (
    f"{SUBJECT} that people saved. Every line of every page is in a row or in the quarantine. Pages list at most"
    f" {PAPERS_A_PAGE} papers and cut most bylines, so counts are lower bounds."
)
KEYWORDS = ("arXiv", "authors", "bibliography", "papers")


@dataclass(frozen=True)
class DatasetFacts:
    """A release: its logical hash, its numbers of papers and pages, the day of its newest page, and its provenance.

    `provenance` is as in the manifest: overrides, reference, skipped files, and the redaction of a redacted copy.
    """

    logical_hash: str
    papers: int
    pages: int
    saved: date | None
    provenance: Mapping[str, Any]
    tool: str = __version__

    @property
    def release_id(self) -> str:
        """The name of the release's folder."""
        return self.logical_hash[:ID_LENGTH]

    @property
    def version(self) -> str:
        """A semantic version: the tool's, with the release as build metadata."""
        return f"{self.tool}+{self.release_id}"

    @property
    def identifier(self) -> str:
        """The logical hash, by which equal releases are equal wherever they were built."""
        return f"sha256:{self.logical_hash}"

    @property
    def redaction(self) -> str:
        """What was removed from a redacted copy, in a sentence; empty for other releases."""
        return redaction_words(self.provenance)

    @property
    def description(self) -> str:
        """What the dataset is, and that it is redacted if it is."""
        return f"{DESCRIPTION} {self.redaction}".rstrip()

    @property
    def keywords(self) -> list[str]:
        """Keywords, with one for a redacted copy."""
        return [*KEYWORDS, *(["redacted"] if self.redaction else [])]

    @property
    def citation(self) -> str:
        """How to cite the release, in a line.

        >>> DatasetFacts("0a1b" * 16, 50, 1, date(2026, 6, 1), {}, "0.2.0").citation
        "paperledger: Papers, authors and categories from researchers' profile pages (dataset). Release 0a1b0a1b0a1b0a1b: 50 papers from 1 page, saved by 2026-06-01; made with paperledger 0.2.0."
        """
        saved = f", saved by {self.saved}" if self.saved else ""
        copy = " (redacted)" if self.redaction else ""
        contents = f"{count(self.papers, 'paper')} from {count(self.pages, 'page')}{saved}"
        return (
            f"{TITLE}: {SUBJECT} (dataset). Release {self.release_id}{copy}: {contents}; made with {TITLE} {self.tool}."
        )


def dataset_facts(tables: Frames, logical_hash: str, provenance: Mapping[str, Any]) -> DatasetFacts:
    """The facts of tables to publish.

    >>> from schemas import Papers, Profiles
    >>> dataset_facts({"papers": Papers.frame(), "profiles": Profiles.frame()}, "0a1b", {}).papers
    0
    """
    saved: date | None = tables["profiles"]["last_observed_on"].max()  # type: ignore[assignment]
    return DatasetFacts(logical_hash, tables["papers"].height, tables["profiles"].height, saved, provenance)


def published_facts(manifest: Mapping[str, Any], saved: date | None) -> DatasetFacts:
    """The facts of a published release, from its manifest and the day of its newest page.

    >>> files = {"papers.parquet": {"rows": 50}, "profiles.parquet": {"rows": 1}}
    >>> published_facts({"logical_hash": "0a1b" * 16, "files": files, "paperledger": "0.2.0"}, None).version
    '0.2.0+0a1b0a1b0a1b0a1b'
    """
    papers, pages = (manifest["files"][f"{table}.parquet"]["rows"] for table in ("papers", "profiles"))
    return DatasetFacts(manifest["logical_hash"], papers, pages, saved, manifest, manifest["paperledger"])


@dataclass(frozen=True)
class Source:
    """A source of a dataset; the version of a file is its hash."""

    title: str
    version: str | None = None


def sources(facts: DatasetFacts) -> Iterator[Source]:
    """The pages, the files of the reference, and the file of overrides.

    >>> list(sources(DatasetFacts("0a1b", 50, 1, None, {"overrides": {"source": "own.toml", "sha256": "0c"}})))[1]
    Source(title='own.toml, corrections of names, papers and categories', version='sha256:0c')
    """
    saved = f", the newest on {facts.saved}" if facts.saved else ""
    yield Source(f"{count(facts.pages, 'profile page')} saved by people{saved}; profiles has the SHA-256 of each")
    for file in facts.provenance.get("reference") or ():
        yield Source(
            f"{file['name']}, {count(file['records'], 'record')} of arXiv's metadata", f"sha256:{file['sha256']}"
        )
    if overrides := facts.provenance.get("overrides"):
        words = f"{overrides['source']}, corrections of names, papers and categories"
        yield Source(words, f"sha256:{overrides['sha256']}")


def redaction_words(provenance: Mapping[str, Any]) -> str:
    """What was removed from a redacted copy, in a sentence; empty for other releases.

    >>> redaction_words({"redacted": {"release": "0a1b" * 16, "abstracts": True, "erased_names": 2}})
    'This is a redacted copy of release 0a1b0a1b0a1b0a1b: without abstracts, and with 2 names erased; pages cannot be rebuilt from it.'
    >>> redaction_words({})
    ''
    """
    redacted = provenance.get("redacted")
    if not redacted:
        return ""
    removed = [f"with the papers only that meet {redacted['where']}"] if redacted.get("where") else []
    removed += ["without abstracts"] if redacted["abstracts"] else []
    removed += [f"with {count(redacted['erased_names'], 'name')} erased"] if redacted["erased_names"] else []
    original = f"release {redacted['release'][:ID_LENGTH]}"
    return f"This is a redacted copy of {original}: {', and '.join(removed)}; pages cannot be rebuilt from it."
