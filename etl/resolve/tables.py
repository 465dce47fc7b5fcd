"""From valid blocks to the tables of papers, authors and categories.

In: profiles and blocks as parsed, and the overrides. Out: a frame for each published table except the audit ones, sorted by
key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from etl.extract.taxonomy import taxonomy
from etl.resolve.authors import People, resolve_authors
from etl.resolve.candidate_pairs import BylineEvidence
from etl.resolve.categories import resolve_categories, resolve_fields
from etl.resolve.dates import resolve_dates
from etl.resolve.folding import slug
from etl.resolve.links import find_links
from etl.resolve.name_keys import key_names
from etl.resolve.overrides import Overrides
from etl.resolve.papers import citekeys, find_candidates, find_variants, identify, merge, paper_by_any_id
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
from schemas.limits import URL_LETTERS


@dataclass(frozen=True)
class Resolved:
    """The tables, and the listings from which they were made: one row a block, with its parts, category, date and paper.

    `author_ids` of a listing are the authors of its `names`, in order. For `uncompared` see `People`.
    """

    tables: Frames
    listings: pl.DataFrame
    uncompared: pl.DataFrame


def resolve(profiles: pl.DataFrame, blocks: pl.DataFrame, overrides: Overrides) -> Resolved:
    """Resolve categories, dates, papers and authors; every frame has all columns of its table and is sorted by key."""
    listings = _correct(identify(_interpret(profiles, blocks), overrides), overrides)
    mentions = key_names(listings, profiles, overrides)
    evidence = [
        BylineEvidence(names, owner) for names, owner in mentions.listings.select("name_keys", "owner_key").iter_rows()
    ]
    people = resolve_authors(evidence, mentions.keys, overrides, mentions.known)
    listings = _with_authors(mentions.listings, people)
    merged = merge(listings, _corrected_days(listings, overrides))
    profiles = _complete_profiles(profiles, listings, people, mentions.owner_keys)
    paper_authors = _paper_authors(merged, listings, profiles)
    institutions, paper_institutions = _institutions(merged)
    papers = _complete_papers(merged, paper_authors)
    referenced = pl.concat([paper_authors["author_id"], profiles["author_id"].drop_nulls()]).unique()
    tables = {
        "categories": _categories(papers, profiles),
        "authors": _known(people.authors, referenced, "author_id"),
        "author_names": _known(people.author_names, referenced, "author_id"),
        "profiles": profiles,
        "papers": papers,
        "paper_authors": paper_authors,
        "paper_categories": _paper_categories(papers),
        "paper_identifiers": PaperIdentifiers.frame(),
        "listings": listings,
        "institutions": institutions,
        "paper_institutions": paper_institutions,
        "links": _links(papers),
        "merge_candidates": _known(people.merge_candidates, referenced, "author_id", "other_id"),
        "paper_candidates": find_candidates(merged),
    }
    tables["variants"] = find_variants(listings, papers, merged_bylines(tables))
    return Resolved(
        {name: TABLES[name].sorted(frame) for name, frame in tables.items()},
        listings,
        _known(people.uncompared, referenced, "author_id"),
    )


def _known(frame: pl.DataFrame, ids: pl.Series, *columns: str) -> pl.DataFrame:
    """The rows whose `columns` are all in `ids`; authors only of bylines that are not in a merged row are left out."""
    return frame.filter(pl.col(column).is_in(ids.implode()) for column in columns)


def _interpret(profiles: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    """Listings with the facts of their page, date and category."""
    pages = profiles.select("profile_id", "observed_on", "last_observed_on", "source", pl.col("name").alias("owner"))
    of_pages = blocks.join(pages, on="profile_id", how="left", maintain_order="left").with_columns(
        pl.when("owned").then("owner").alias("owner")
    )
    key = ["profile_id", "position"]
    dated = of_pages.join(resolve_dates(of_pages), on=key, how="left", maintain_order="left")
    return dated.join(resolve_categories(dated), on=key, how="left", maintain_order="left")


def _correct(listings: pl.DataFrame, overrides: Overrides) -> pl.DataFrame:
    """Listings with the categories from overrides."""
    given = {entry.paper_id: entry.category_id for entry in overrides.papers if entry.paper_id and entry.category_id}
    if not given:
        return listings
    decided = _by_paper(given, listings, pl.String)
    return listings.with_columns(
        decided.fill_null(pl.col("category_id")).alias("category_id"),
        pl.when(decided.is_null())
        .then("category_resolution")
        .otherwise(pl.lit("override"))
        .alias("category_resolution"),
        pl.when(decided.is_null()).then("category_confidence").alias("category_confidence"),
    )


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


def _with_authors(listings: pl.DataFrame, people: People) -> pl.DataFrame:
    found = pl.element().replace_strict(people.author_of, return_dtype=pl.String)
    return listings.with_columns(pl.col("name_keys").list.eval(found).alias("author_ids"))


def _complete_profiles(
    profiles: pl.DataFrame, listings: pl.DataFrame, people: People, owner_keys: Mapping[str, str]
) -> pl.DataFrame:
    listed = listings.group_by("profile_id").agg(pl.len().cast(pl.Int64).alias("listed_papers"))
    authors = {profile_id: people.author_of[key] for profile_id, key in owner_keys.items()}
    fields = resolve_fields(profiles, listings)
    by_page = pl.col("profile_id")
    return (
        profiles.drop("author_id", "category_id", "listed_papers")
        .with_columns(
            by_page.replace_strict(authors, default=None, return_dtype=pl.String).alias("author_id"),
            by_page.replace_strict(fields, default=None, return_dtype=pl.String).alias("category_id"),
        )
        .join(listed, on="profile_id", how="left")
        .with_columns(pl.col("listed_papers").fill_null(0))
    )


def _paper_authors(papers: pl.DataFrame, listings: pl.DataFrame, profiles: pl.DataFrame) -> pl.DataFrame:
    """The winning bylines, each author at the first position; then the owners of all pages that list the paper."""
    printed = (
        papers.select("paper_id", pl.col("author_ids").alias("author_id"), pl.col("names").alias("name"))
        .explode("author_id", "name")
        .with_columns(
            pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("paper_id").alias("position"),
            pl.lit("byline").alias("source"),
        )
    )
    owners = (
        listings.filter("owned")
        .join(profiles.drop_nulls("author_id").select("profile_id", "author_id", "name"), on="profile_id")
        .with_columns(pl.lit(None, dtype=pl.Int64).alias("position"), pl.lit("owner").alias("source"))
    )
    every = pl.concat([PaperAuthors.select(printed), PaperAuthors.select(owners)])
    return every.sort("paper_id", "author_id", "position", "name", nulls_last=True).unique(
        ["paper_id", "author_id"], keep="first", maintain_order=True
    )


def _institutions(papers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    tags = papers.select("paper_id", pl.col("tags").alias("name")).explode("name").drop_nulls()
    slugs = {name: slug(name) for name in tags["name"].unique()}
    tagged = tags.with_columns(pl.col("name").replace_strict(slugs, return_dtype=pl.String).alias("institution_id"))
    names = tagged.group_by("institution_id").agg(pl.col("name").min())
    return Institutions.select(names), PaperInstitutions.select(tagged.unique(["paper_id", "institution_id"]))


def _complete_papers(papers: pl.DataFrame, paper_authors: pl.DataFrame) -> pl.DataFrame:
    in_byline = paper_authors.filter(source="byline")
    listed = in_byline.group_by("paper_id").agg(pl.len().cast(pl.Int64).alias("listed_author_count"))
    rows = papers.select("paper_id", pl.col("names").list.first(), "published", "title").iter_rows()
    return papers.join(listed, on="paper_id", how="left").with_columns(
        pl.when(~pl.col("truncated")).then("listed_author_count").alias("author_count"),
        pl.col("truncated").alias("authors_truncated"),
        pl.col("flags").list.contains("Code").alias("has_code"),
        pl.col("paper_id").replace_strict(citekeys(list(rows)), return_dtype=pl.String).alias("citekey"),
    )


def _categories(papers: pl.DataFrame, profiles: pl.DataFrame) -> pl.DataFrame:
    used = pl.concat([papers["category_id"], profiles["category_id"]]).drop_nulls().unique()
    known = [taxonomy()[category_id] for category_id in used]
    return Categories.frame([{**vars(category), "badge_code": category.badge_code} for category in known])


def _paper_categories(papers: pl.DataFrame) -> pl.DataFrame:
    return PaperCategories.select(
        papers.drop_nulls("category_id").with_columns(pl.lit(True).alias("is_primary"), pl.lit("badge").alias("source"))
    )


def _links(papers: pl.DataFrame) -> pl.DataFrame:
    return Links.frame(list(_link_rows(papers)))


def _link_rows(papers: pl.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    """The addresses in the abstracts, except those that are too long."""
    for paper_id, abstract in papers.select("paper_id", "abstract").iter_rows():
        yield from ((paper_id, *link) for link in find_links(abstract) if len(link[0]) <= URL_LETTERS)
