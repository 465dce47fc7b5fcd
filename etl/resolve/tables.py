"""From good blocks to the tables of papers, people and categories.

In: an `Intake` and the overrides. Out: a frame for each published table but the audit ones, sorted by key.
"""

from dataclasses import dataclass

import polars as pl

from etl.rebuild import merged_bylines
from etl.resolve.authors import resolve_authors
from etl.resolve.categories import resolve_categories
from etl.resolve.citekeys import citekeys
from etl.resolve.coauthors import Printed
from etl.resolve.dates import resolve_dates
from etl.resolve.folding import slug
from etl.resolve.links import find_links
from etl.resolve.overrides import Overrides
from etl.resolve.papers import find_variants, identify, merge
from etl.taxonomy import taxonomy
from schemas import TABLES, Categories, Frames, Institutions, Links, PaperInstitutions


@dataclass(frozen=True)
class Resolved:
    """The tables, and the listings they were made of: one row each, with the block's parts, category, date and paper."""

    tables: Frames
    listings: pl.DataFrame


def resolve(profiles: pl.DataFrame, blocks: pl.DataFrame, overrides: Overrides) -> Resolved:
    """Resolve who, what and when; every frame holds all columns of its table and is sorted by its key."""
    listings, fields = _interpret(profiles, blocks)
    merged = merge(listings)
    people = resolve_authors(_printed(listings), _spellings(listings, profiles), overrides)
    profiles = _complete_profiles(profiles, fields, people.author_names, listings)
    paper_authors = _paper_authors(merged, listings, profiles, people.author_names)
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
        "listings": listings,
        "institutions": institutions,
        "paper_institutions": paper_institutions,
        "links": _links(papers),
        "merge_candidates": _known(people.merge_candidates, referenced, "author_id", "other_id"),
    }
    tables["variants"] = find_variants(listings, papers, merged_bylines(tables))
    return Resolved({name: TABLES[name].sorted(frame) for name, frame in tables.items()}, listings)


def _known(frame: pl.DataFrame, ids: pl.Series, *columns: str) -> pl.DataFrame:
    """The rows about authors of papers and pages: one who stands only in a byline that lost to a newer one is left out."""
    return frame.filter(pl.col(column).is_in(ids.implode()) for column in columns)


def _interpret(profiles: pl.DataFrame, blocks: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Listings with category, date and paper, the winner of each paper first; and the category of each profile's field."""
    badges = blocks.select("profile_id", "code", pl.lit(1).alias("weight"))
    fields = profiles.drop_nulls("field").select("profile_id", pl.col("field").alias("code"), pl.lit(0).alias("weight"))
    categories = resolve_categories(pl.concat([badges, fields]))
    pages = profiles.select("profile_id", "observed_on", "source", pl.col("name").alias("owner"))
    dated = blocks.join(pages, on="profile_id", how="left", maintain_order="left").with_columns(
        pl.when("owned").then("owner").alias("owner")
    )
    listings = dated.join(categories, on=["profile_id", "code"], how="left", maintain_order="left").join(
        resolve_dates(dated), on=["profile_id", "position"], how="left", maintain_order="left"
    )
    return identify(listings), categories.rename({"code": "field"}).drop("category_resolution")


def _printed(listings: pl.DataFrame) -> list[Printed]:
    return [Printed(names, owner) for names, owner in listings.select("names", "owner").iter_rows()]


def _spellings(listings: pl.DataFrame, profiles: pl.DataFrame) -> pl.Series:
    return pl.concat([listings["names"].explode(), profiles["name"]]).drop_nulls().unique()


def _complete_profiles(
    profiles: pl.DataFrame, fields: pl.DataFrame, names: pl.DataFrame, listings: pl.DataFrame
) -> pl.DataFrame:
    listed = listings.group_by("profile_id").agg(pl.len().alias("listed_papers"))
    return (
        profiles.drop("author_id", "category_id", "listed_papers")
        .join(names.select("name", "author_id"), on="name", how="left")
        .join(fields, on=["profile_id", "field"], how="left")
        .join(listed, on="profile_id", how="left")
        .with_columns(pl.col("listed_papers").fill_null(0))
    )


def _paper_authors(
    papers: pl.DataFrame, listings: pl.DataFrame, profiles: pl.DataFrame, names: pl.DataFrame
) -> pl.DataFrame:
    """The winning bylines, each person at the first place; then the owners of all pages that list the paper."""
    ids = names.select("name", "author_id")
    printed = (
        papers.select("paper_id", pl.col("names").alias("name"))
        .explode("name")
        .with_columns(pl.int_range(1, pl.len() + 1).over("paper_id").alias("position"))
        .join(ids, on="name", how="left")
    )
    owners = (
        listings.filter("owned")
        .join(profiles.drop_nulls("author_id").select("profile_id", "author_id", "name"), on="profile_id")
        .select("paper_id", "name", pl.lit(None, dtype=pl.Int64).alias("position"), "author_id")
    )
    every = pl.concat([printed.select(owners.columns).with_columns(pl.col("position").cast(pl.Int64)), owners])
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
    listed = paper_authors.group_by("paper_id").agg(pl.col("position").count().alias("listed_author_count"))
    rows = papers.select("paper_id", pl.col("names").list.first(), pl.col("published").dt.year(), "title").iter_rows()
    return papers.join(listed, on="paper_id", how="left").with_columns(
        pl.col("truncated").alias("authors_truncated"),
        pl.col("flags").list.contains("Code").alias("has_code"),
        pl.col("paper_id").replace_strict(citekeys(list(rows)), return_dtype=pl.String).alias("citekey"),
    )


def _categories(papers: pl.DataFrame, profiles: pl.DataFrame) -> pl.DataFrame:
    used = pl.concat([papers["category_id"], profiles["category_id"]]).drop_nulls().unique()
    known = [taxonomy()[category_id] for category_id in used]
    return Categories.frame([{**vars(category), "badge_code": category.badge_code} for category in known])


def _links(papers: pl.DataFrame) -> pl.DataFrame:
    rows = papers.select("paper_id", "abstract").iter_rows()
    return Links.frame([(paper_id, *link) for paper_id, abstract in rows for link in find_links(abstract)])
