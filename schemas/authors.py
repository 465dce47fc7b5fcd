"""Authors (people and groups), their spellings, and pairs that may be one person."""

from pandera.polars import Field

from schemas.limits import SLUG
from schemas.table import Table

AUTHOR_KINDS = ["person", "group"]
NAME_JOINS = ["exact", "fuller_name", "moved_border", "override"]
CANDIDATE_REASONS = ["fuller_name", "several_fuller_forms", "moved_border", "initial"]


class Authors(Table):
    """People and groups, a row each: all spellings that evidence shows to be one author are one row."""

    author_id: str = Field(
        str_matches=SLUG,
        title="Author",
        description="The fullest spelling in lower case, with hyphens; several authors of one such spelling have a hash behind it.",
    )
    name: str = Field(title="Name", description="The author's fullest spelling; of several, the one with diacritics.")
    kind: str = Field(
        isin=AUTHOR_KINDS,
        title="Kind",
        description=(
            "person, or group: a collaboration, team or company, known by a word such as Collaboration or by the colon that a"
            " page prints behind it."
        ),
        metadata={"facet": True},
    )
    given: str = Field(
        nullable=True,
        title="Given names",
        description="The given names in the name; null where the name is one word, and for groups.",
    )
    family: str = Field(
        title="Family name",
        description="The family name in the name, with particles and suffix; a group's whole name.",
    )
    spelling_count: int = Field(
        ge=1,
        title="Spellings",
        description="Number of spellings that are this author.",
        metadata={"unit": "spellings"},
    )

    class Config:
        name = "authors"
        title = "Authors"
        metadata = {
            "primary_key": ["author_id"],
            "label": "name",
            "search": {"tokenizer": "unicode61 remove_diacritics 2", "names": "author_names.name"},
            "sort": "name",
        }


class AuthorNames(Table):
    """Every spelling of a name on pages, and the author that it belongs to.

    A spelling belongs to several authors only where an overrides file separates them, or where the owner of a page has it
    and is another author than in bylines. Names that only an older byline has, which a newer one replaced, are in variants.
    """

    name: str = Field(title="Spelling", description="The name as pages print it.")
    author_id: str = Field(title="Author", description="The author.")
    matched_by: str = Field(
        isin=NAME_JOINS,
        title="Joined by",
        description=(
            "Why this spelling is that author: exact (equal but for case, diacritics and punctuation), fuller_name (a middle name or"
            " a space more or less, and a co-author in common, or the owner of the page), moved_border (the family name begins"
            " elsewhere, and a co-author in common), override (an overrides file says so)."
        ),
        metadata={"facet": True},
    )
    evidence: str = Field(
        nullable=True,
        title="Evidence",
        description="The other spelling and the co-author that both have; null where none was needed.",
        metadata={"sortable": False},
    )

    class Config:
        name = "author_names"
        title = "Spellings of names"
        metadata = {
            "primary_key": ["name", "author_id"],
            "references": {"author_id": "authors"},
            "label": "name",
        }


class MergeCandidates(Table):
    """Pairs of authors who may be one person but were not joined; an overrides file decides them."""

    author_id: str = Field(title="Author", description="The author whose identifier sorts first.")
    other_id: str = Field(title="Other author", description="The author who may be the same person.")
    matched_by: str = Field(
        isin=CANDIDATE_REASONS,
        title="Alike by",
        description=(
            "What makes them alike: fuller_name (no shared co-author found), several_fuller_forms (more than one fuller name fits),"
            " moved_border (the family name begins elsewhere), initial (an initial against a given name)."
        ),
        metadata={"facet": True},
    )
    evidence: str = Field(
        title="Evidence",
        description="The two spellings, and a shared co-author where there is one.",
        metadata={"sortable": False},
    )

    class Config:
        name = "merge_candidates"
        title = "Merge candidates"
        metadata = {
            "primary_key": ["author_id", "other_id"],
            "references": {"author_id": "authors", "other_id": "authors(author_id)"},
            "short_rows": True,
            "group": "audit",
        }
