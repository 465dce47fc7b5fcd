"""From valid blocks to the tables of papers, authors and categories.

In: profiles and blocks as parsed, the overrides, and the records of a reference. Out: a frame for each published table except
the audit ones, sorted by key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from etl.extract.records import Reference
from etl.extract.taxonomy import taxonomy
from etl.on_disk import in_order, on_disk
from etl.resolve.authors import People, resolve_authors
from etl.resolve.categories import resolve_categories, resolve_fields
from etl.resolve.dates import resolve_dates
from etl.resolve.folding import slug
from etl.resolve.links import find_links
from etl.resolve.name_blocks import Shuffle, in_one_place
from etl.resolve.name_keys import key_names
from etl.resolve.names import forget_names
from etl.resolve.overrides import Overrides
from etl.resolve.papers import (
    ABSTRACT_CODE,
    IN_FILE,
    citekeys,
    find_candidates,
    find_variants,
    identify,
    merge,
    paper_by_any_id,
)
from etl.resolve.reference import Completed, Match, complete, nearest_day
from etl.resolve.rendering import merged_bylines
from schemas import (
    TABLES,
    Categories,
    Frames,
    Institutions,
    Links,
    PaperAuthors,
    PaperCategories,
    PaperIdentifiers,
    PaperInstitutions,
)
from schemas.limits import ROWS_PER_BATCH, URL_LETTERS


@dataclass(frozen=True)
class Resolved:
    """The tables, and the listings from which they were made: one row a block, with the parts, category and paper that rules need.

    `author_ids` of a listing are the authors of its `names`, in order. For `uncompared` see `People`. `completed` is what the
    records of `reference` complete and contradict.
    """

    tables: Frames
    listings: pl.DataFrame
    uncompared: pl.DataFrame
    reference: Reference
    completed: Completed


def list_papers(profiles: pl.DataFrame, blocks: pl.DataFrame, overrides: Overrides) -> pl.DataFrame:
    """The blocks, in the order of their pages, as listings: with the facts of their page, category, date, paper and winner."""
    return identify(_interpret(profiles, blocks), overrides)


@dataclass(frozen=True)
class Settled:
    """Papers before their people are known: the listings, a row a paper from its winning listing, and what records complete."""

    listings: pl.DataFrame
    papers: pl.DataFrame
    reference: Reference
    completed: Completed

    @property
    def listings_table(self) -> pl.DataFrame:
        """The table of listings, which is complete."""
        return TABLES["listings"].sorted(self.listings)


def settle(listings: pl.DataFrame, overrides: Overrides, reference: Reference | None = None) -> Settled:
    """Complete papers by the records of a reference and by overrides, and merge their listings, which are sorted by key."""
    reference = reference or Reference()
    completed = complete(listings, reference.records)
    listings = _correct(_with_facts(completed), overrides)
    completed = replace(completed, listings=completed.listings.clear())  # None of these frames is in memory twice.
    papers = merge(listings.select(_MERGED), _corrected_days(listings, overrides))
    return Settled(listings, papers.with_columns(in_order(papers["abstract"])), reference, completed)


def resolve(
    profiles: pl.DataFrame, settled: Settled, overrides: Overrides, shuffle: Shuffle = in_one_place
) -> Resolved:
    """Resolve authors, and make all tables; every frame has all columns of its table and is sorted by key.

    `shuffle` is who compares names.
    """
    listings, people, owner_keys = _with_people(settled.listings, profiles, overrides, shuffle)
    profiles = _complete_profiles(profiles, listings, people, owner_keys)
    people = replace(people, author_of=people.author_of.clear())  # As large as the names: its memory is used again.
    winners = listings.select("paper_id", "is_winner", "all_author_ids").filter("is_winner").sort("paper_id")
    papers = settled.papers.with_columns(winners["all_author_ids"])
    listings = listings.drop("all_names", "all_author_ids", "is_cut")
    tables = _of_papers(papers, listings, profiles, settled.completed.of_paper)
    referenced = pl.concat([tables["paper_authors"]["author_id"], profiles["author_id"].drop_nulls()]).unique()
    tables |= {
        "authors": _table("authors", _known(people.authors, referenced, "author_id")),
        "author_names": _table("author_names", _known(people.author_names, referenced, "author_id")),
        "merge_candidates": _table(
            "merge_candidates", _known(people.merge_candidates, referenced, "author_id", "other_id")
        ),
        "variants": _table("variants", find_variants(listings, papers, merged_bylines(tables))),
    }
    uncompared = _known(people.uncompared, referenced, "author_id")
    tables = {name: tables[name] for name in TABLES if name in tables}
    return Resolved(tables, listings.drop(_IN_TABLES), uncompared, settled.reference, settled.completed)


def _with_people(
    listings: pl.DataFrame, profiles: pl.DataFrame, overrides: Overrides, shuffle: Shuffle
) -> tuple[pl.DataFrame, People, dict[str, str]]:
    """The listings with their authors, all authors, and the key of each page's owner."""
    mentions = key_names(_as_completed(listings), profiles, overrides)
    people = resolve_authors(mentions.listings, mentions.keys, overrides, mentions.known, shuffle)
    forget_names()
    return _with_authors(listings, mentions.listings["name_keys"], people), people, mentions.owner_keys


def _table(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """A table with the columns of its model, sorted by key, in a file: what is made later needs the memory."""
    return on_disk(TABLES[name].sorted(frame), IN_FILE)


def _of_papers(
    merged: pl.DataFrame, listings: pl.DataFrame, profiles: pl.DataFrame, of_paper: Mapping[str, Match]
) -> dict[str, pl.DataFrame]:
    """The tables of papers and what belongs to them; `merged` has a row a paper, from its winning listing."""
    paper_authors = _table("paper_authors", _paper_authors(merged, listings, profiles))
    papers = _table("papers", _complete_papers(merged, paper_authors))
    paper_categories = _paper_categories(merged, of_paper)
    paper_identifiers = _paper_identifiers(of_paper)
    institutions, paper_institutions = _institutions(merged)
    small = {
        "categories": _categories(paper_categories, profiles),
        "profiles": profiles,
        "listings": listings,
        "paper_categories": paper_categories,
        "paper_identifiers": paper_identifiers,
        "institutions": institutions,
        "paper_institutions": paper_institutions,
        "links": _links(papers),
        "paper_candidates": find_candidates(merged, paper_identifiers),
    }
    return {"papers": papers, "paper_authors": paper_authors} | {name: _table(name, small[name]) for name in small}


_MERGED = (
    "paper_id",
    "place",
    "is_winner",
    "work",
    "title",
    "abstract",
    ABSTRACT_CODE,
    "names",
    "all_names",
    "truncated",
    "is_cut",
    "tags",
    "flags",
    "category_id",
    "category_resolution",
    "category_confidence",
    "published",
    "year_inferred",
)
"""The columns of listings from which rows of papers are made."""
_IN_TABLES = ("own_id", "month", "day", "year", "tags", "abstract_line", "last_observed_on", "category_confidence")
"""The columns of listings that no rule looks at."""


def _known(frame: pl.DataFrame, ids: pl.Series, *columns: str) -> pl.DataFrame:
    """The rows whose `columns` are all in `ids`; authors only of bylines that are not in a merged row are left out."""
    return frame.filter(pl.col(column).is_in(ids.implode()) for column in columns)


def _interpret(profiles: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    """Listings with the facts of their page, date and category."""
    pages = profiles.select("profile_id", "observed_on", "last_observed_on", "source", pl.col("name").alias("owner"))
    of_pages = blocks.join(pages, on="profile_id", how="left", maintain_order="left").with_columns(
        pl.when("owned").then("owner").alias("owner")
    )
    return resolve_categories(resolve_dates(of_pages))


def _with_facts(completed: Completed) -> pl.DataFrame:
    """The listings with the categories of their records, and with the years where the page prints none."""
    if not completed.of_paper:
        return completed.listings
    found = [(key, one.record.arxiv_id, one.record.primary, one.record.day) for key, one in completed.of_paper.items()]
    schema = {"paper_id": pl.String, "arxiv_id": pl.String, "recorded": pl.String, "first_day": pl.Date}
    records = pl.DataFrame(found, schema, orient="row")
    listings = completed.listings.join(records, on="paper_id", how="left", maintain_order="left")
    is_undated = listings.select(pl.col("first_day").is_not_null() & pl.col("year").is_null()).to_series()
    rows = listings.filter(is_undated).select("first_day", "month", "day").iter_rows()
    dated = pl.repeat(None, listings.height, dtype=pl.Date, eager=True).scatter(
        is_undated.arg_true(), pl.Series([nearest_day(*row) for row in rows], dtype=pl.Date)
    )
    return (
        listings.with_columns(dated.alias("dated"))
        .with_columns(
            pl.coalesce("dated", "published").alias("published"),
            pl.col("year_inferred") & pl.col("dated").is_null(),
            *_decided(pl.col("recorded"), "reference"),
        )
        .drop("dated", "recorded", "first_day")
    )


def _decided(category_id: pl.Expr | pl.Series, how: str) -> list[pl.Expr]:
    """The columns of a listing's category where one is given; else as they are."""
    given = pl.lit(category_id) if isinstance(category_id, pl.Series) else category_id
    return [
        given.fill_null(pl.col("category_id")).alias("category_id"),
        pl.when(given.is_null()).then("category_resolution").otherwise(pl.lit(how)).alias("category_resolution"),
        pl.when(given.is_null()).then("category_confidence").alias("category_confidence"),
    ]


def _as_completed(listings: pl.DataFrame) -> pl.DataFrame:
    """The listings with all names that are known, in place of those that the byline shows."""
    return listings.with_columns(pl.col("all_names").alias("names"), pl.col("is_cut").alias("truncated"))


def _correct(listings: pl.DataFrame, overrides: Overrides) -> pl.DataFrame:
    """Listings with the categories from overrides."""
    given = {entry.paper_id: entry.category_id for entry in overrides.papers if entry.paper_id and entry.category_id}
    if not given:
        return listings
    return listings.with_columns(_decided(_by_paper(given, listings, pl.String), "override"))


def _corrected_days(listings: pl.DataFrame, overrides: Overrides) -> dict[str, date]:
    """The days from overrides, by paper."""
    given = {entry.paper_id: entry.published for entry in overrides.papers if entry.paper_id and entry.published}
    if not given:
        return {}
    days = listings.select("paper_id", _by_paper(given, listings, pl.Date).alias("day")).drop_nulls()
    return dict(days.unique(maintain_order=True).iter_rows())


def _by_paper(given: Mapping[str, object], listings: pl.DataFrame, dtype: type[pl.DataType]) -> pl.Expr:
    """The value given for each listing's paper, under its `paper_id` or its `alias_id`."""
    meant = paper_by_any_id(listings)
    of_papers = {meant[written]: value for written, value in sorted(given.items()) if written in meant}
    return pl.col("paper_id").replace_strict(of_papers, default=None, return_dtype=dtype)


def _with_authors(listings: pl.DataFrame, name_keys: pl.Series, people: People) -> pl.DataFrame:
    found = pl.element().replace_strict(*people.author_of, return_dtype=pl.String)
    every = listings.with_columns(name_keys.list.eval(found).alias("all_author_ids"))
    return every.with_columns(pl.col("all_author_ids").list.head(pl.col("names").list.len()).alias("author_ids"))


def _complete_profiles(
    profiles: pl.DataFrame, listings: pl.DataFrame, people: People, owner_keys: Mapping[str, str]
) -> pl.DataFrame:
    listed = listings.group_by("profile_id").agg(pl.len().cast(pl.Int64).alias("listed_papers"))
    owners = pl.DataFrame(list(owner_keys.items()), {"profile_id": pl.String, "key": pl.String}, orient="row")
    fields = resolve_fields(profiles, listings)
    field = pl.col("profile_id").replace_strict(fields, default=None, return_dtype=pl.String)
    return (
        profiles.drop("author_id", "category_id", "listed_papers")
        .with_columns(field.alias("category_id"))
        .join(owners.join(people.author_of, on="key").drop("key"), on="profile_id", how="left")
        .join(listed, on="profile_id", how="left")
        .with_columns(pl.col("listed_papers").fill_null(0))
    )


def _paper_authors(papers: pl.DataFrame, listings: pl.DataFrame, profiles: pl.DataFrame) -> pl.DataFrame:
    """The winning bylines as completed, each author at the first position; then further owners of pages that list the paper.

    So many papers are looked at at once that memory is bounded; these are sorted, and so are the rows.
    """
    owners = _owners(listings, profiles)
    return pl.concat(_authors_of(part, owners) for part in (papers.clear(), *papers.iter_slices(ROWS_PER_BATCH)))


def _authors_of(papers: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    key = ["paper_id", "author_id"]
    named = _named_authors(papers).unique(key, keep="first", maintain_order=True)
    further = owners.join(papers, on="paper_id", how="semi").join(named, on=key, how="anti").sort("name")
    return PaperAuthors.sorted(pl.concat([named, further.unique(key, keep="first", maintain_order=True)]))


def _named_authors(papers: pl.DataFrame) -> pl.DataFrame:
    """The authors of the winning bylines, those behind "et al." from the reference."""
    printed = papers.select(
        "paper_id",
        pl.col("names").list.len().alias("shown"),
        pl.int_ranges(1, pl.col("all_names").list.len() + 1, dtype=pl.Int64).alias("position"),
        pl.col("all_author_ids").alias("author_id"),
        pl.col("all_names").alias("name"),
    ).explode("position", "author_id", "name")
    is_hidden = pl.col("position") > pl.col("shown")
    source = pl.when(is_hidden).then(pl.lit("reference")).otherwise(pl.lit("byline"))
    return PaperAuthors.select(printed.with_columns(source.alias("source")))


def _owners(listings: pl.DataFrame, profiles: pl.DataFrame) -> pl.DataFrame:
    """The owners of pages as authors, without a position, of the papers that their pages list."""
    owners = profiles.drop_nulls("author_id").select("profile_id", "author_id", "name")
    owned = listings.lazy().filter("owned").select("profile_id", "paper_id").collect().join(owners, on="profile_id")
    return PaperAuthors.select(
        owned.with_columns(pl.lit(None, dtype=pl.Int64).alias("position"), pl.lit("owner").alias("source"))
    )


def _institutions(papers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    tags = papers.select("paper_id", pl.col("tags").alias("name")).explode("name").drop_nulls()
    slugs = {name: slug(name) for name in tags["name"].unique()}
    tagged = tags.with_columns(pl.col("name").replace_strict(slugs, return_dtype=pl.String).alias("institution_id"))
    names = tagged.group_by("institution_id").agg(pl.col("name").min())
    return Institutions.select(names), PaperInstitutions.select(tagged.unique(["paper_id", "institution_id"]))


def _complete_papers(papers: pl.DataFrame, paper_authors: pl.DataFrame) -> pl.DataFrame:
    in_byline = pl.col("source") == "byline"
    listed = (
        paper_authors.drop_nulls("position")
        .group_by("paper_id")
        .agg(
            in_byline.sum().cast(pl.Int64).alias("listed_author_count"),
            pl.len().cast(pl.Int64).alias("author_count"),
        )
    )
    rows = papers.select("paper_id", pl.col("names").list.first(), "published", "title").iter_rows()
    return papers.join(listed, on="paper_id", how="left").with_columns(
        pl.when(~pl.col("is_cut")).then("author_count").alias("author_count"),
        pl.col("truncated").alias("authors_truncated"),
        pl.col("flags").list.contains("Code").alias("has_code"),
        pl.col("paper_id").replace_strict(citekeys(list(rows)), return_dtype=pl.String).alias("citekey"),
    )


def _categories(paper_categories: pl.DataFrame, profiles: pl.DataFrame) -> pl.DataFrame:
    used = pl.concat([paper_categories["category_id"], profiles["category_id"]]).drop_nulls().unique()
    known = [taxonomy()[category_id] for category_id in used]
    return Categories.frame([{**vars(category), "badge_code": category.badge_code} for category in known])


def _paper_categories(papers: pl.DataFrame, of_paper: Mapping[str, Match]) -> pl.DataFrame:
    """The primary categories, and the further ones of records."""
    is_recorded = pl.col("category_resolution") == "reference"
    primary = papers.drop_nulls("category_id").with_columns(
        pl.lit(True).alias("is_primary"),
        pl.when(is_recorded).then(pl.lit("reference")).otherwise(pl.lit("badge")).alias("source"),
    )
    others = [
        (paper, one, False, "reference") for paper, found in of_paper.items() for one in found.record.known_categories
    ]
    every = pl.concat([PaperCategories.select(primary), PaperCategories.frame(others)])
    return every.unique(["paper_id", "category_id"], keep="first", maintain_order=True)


def _paper_identifiers(of_paper: Mapping[str, Match]) -> pl.DataFrame:
    return PaperIdentifiers.frame(
        [
            (paper, scheme, value, f"{_ADDRESSES[scheme]}{value}", found.matched_by, found.evidence)
            for paper, found in of_paper.items()
            for scheme, values in (("arxiv", (found.record.arxiv_id,)), ("doi", found.record.dois))
            for value in values
        ]
    )


_ADDRESSES = {"arxiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}


def _links(papers: pl.DataFrame) -> pl.DataFrame:
    """The addresses in the abstracts, except those that are too long."""
    linking = papers.select("paper_id", "abstract").filter(pl.col("abstract").str.contains("://", literal=True))
    rows = ((paper_id, *link) for paper_id, abstract in linking.iter_rows() for link in find_links(abstract))
    return Links.frame([row for row in rows if len(row[1]) <= URL_LETTERS])
