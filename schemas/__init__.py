"""The tables of the dataset: their pandera models are the one definition of each.

`TABLES` are the published ones, each after the tables that it references; `Blocks` is internal.
"""

# ruff: noqa: E402  pandera is imported first, with care

import os
import warnings

_SPARK_ADDRESS = os.environ.get("SPARK_LOCAL_IP")
with warnings.catch_warnings():
    # Where pyspark is installed, pandera imports it, and pyspark warns of pandas 3.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    import pandera.polars as _  # noqa: F401
if _SPARK_ADDRESS is None:
    # pandera sets it to 127.0.0.1, where no other machine of a cluster would reach the driver.
    os.environ.pop("SPARK_LOCAL_IP", None)

from schemas.authors import AuthorNames, Authors, MergeCandidates
from schemas.blocks import Blocks
from schemas.papers import (
    Categories,
    Institutions,
    Links,
    PaperAuthors,
    PaperCandidates,
    PaperCategories,
    PaperIdentifiers,
    PaperInstitutions,
    PaperList,
    Papers,
)
from schemas.profiles import Listings, Profiles, Variants
from schemas.quality import Findings, Quarantine, Rules
from schemas.questions import QUESTIONS, Question
from schemas.rules import RULES, Rule
from schemas.table import SCHEMA_VERSION, Column, Definition, Frames, Reference, Search, Table
from schemas.views import VIEWS, View

TABLES: dict[str, type[Table]] = {
    model.definition().name: model
    for model in (
        Categories,
        Authors,
        AuthorNames,
        Profiles,
        Papers,
        PaperAuthors,
        PaperCategories,
        PaperIdentifiers,
        Listings,
        Variants,
        Institutions,
        PaperInstitutions,
        Links,
        Quarantine,
        Rules,
        Findings,
        MergeCandidates,
        PaperCandidates,
    )
}
"""The published tables by name, in the order of their foreign keys."""
JUDGING_TABLES = ("quarantine", "rules", "findings", "merge_candidates", "paper_candidates")
"""Tables whose rows are faults or doubts about other rows: a release with fewer of them has lost no data."""

RESULT_TABLES = ("rules", "findings")
"""Tables of what the checks of all others found, so that their rows are known last."""

__all__ = [
    "JUDGING_TABLES",
    "QUESTIONS",
    "RESULT_TABLES",
    "RULES",
    "SCHEMA_VERSION",
    "TABLES",
    "VIEWS",
    "AuthorNames",
    "Authors",
    "Blocks",
    "Categories",
    "Column",
    "Definition",
    "Findings",
    "Frames",
    "Institutions",
    "Links",
    "Listings",
    "MergeCandidates",
    "PaperAuthors",
    "PaperCandidates",
    "PaperCategories",
    "PaperIdentifiers",
    "PaperInstitutions",
    "PaperList",
    "Papers",
    "Profiles",
    "Quarantine",
    "Question",
    "Reference",
    "Rule",
    "Rules",
    "Search",
    "Table",
    "Variants",
    "View",
]
