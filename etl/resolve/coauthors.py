"""Who is named beside whom: a shared co-author is evidence that two names are one person, one byline with both that they are two."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

import polars as pl

LONGEST_EVIDENCE = 100
"""Names of the longest byline that is evidence: all members of a collaboration share all co-authors."""
_PAIRS = 20_000
"""Pairs whose co-authors are looked up at once, so that memory is bounded."""


class Coauthors:
    """Who is named beside whom, for people by their root spellings.

    In: `bylines`, a row a listing, with `name_keys` and `owner_key`, the owner of its page, who is an author too (or null);
    `names`, a row a `key`, with its `root` and whether it `is_group`: sharing a collaboration is no evidence.

    >>> bylines = pl.DataFrame({"name_keys": [["Ann Bell", "Cy Dole"], ["A. Bell"]], "owner_key": [None, "Cy Dole"]})
    >>> names = pl.DataFrame({"key": ["A. Bell", "Ann Bell", "Cy Dole"]})
    >>> coauthors = Coauthors(bylines, names.with_columns(pl.col("key").alias("root"), pl.lit(False).alias("is_group")))
    >>> coauthors.shared([("A. Bell", "Ann Bell")])
    {('A. Bell', 'Ann Bell'): 'Cy Dole'}
    >>> coauthors.printed(pl.Series(["Ann Bell"])).rows()
    [('Ann Bell', [0])]
    """

    def __init__(self, bylines: pl.DataFrame, names: pl.DataFrame) -> None:
        # In the order of spellings: of several shared co-authors the first is named.
        self._people = names.select(pl.col("root").unique().sort()).with_row_index("person")
        known = names.join(self._people, on="root").select("key", "person", "is_group")
        is_evidence = pl.col("name_keys").list.len() <= LONGEST_EVIDENCE
        listings = bylines.select("name_keys", "owner_key", is_evidence.alias("is_evidence")).with_row_index("listing")
        printed = listings.drop("owner_key").explode("name_keys").join(known, left_on="name_keys", right_on="key")
        owners = listings.drop("name_keys").join(known, left_on="owner_key", right_on="key")
        columns = ("listing", "person", "is_group")
        self._beside = pl.concat([one.filter("is_evidence").select(columns) for one in (printed, owners)])
        self._printed = printed.select("listing", "person")

    def shared(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The first co-author, in order, that two people share, for each pair that shares one."""
        coded = self._coded(pl.DataFrame(pairs, {"one": pl.String, "other": pl.String}, orient="row"))
        found = [self._shared(some) for some in coded.iter_slices(_PAIRS)]
        roots = self._people["root"]
        return {
            (roots[one], roots[other]): roots[shared]
            for one, other, shared in chain.from_iterable(frame.iter_rows() for frame in found)
        }

    def printed(self, roots: pl.Series) -> pl.DataFrame:
        """The `listings` whose bylines name each of `roots`, as `Together` takes them."""
        people = self._people.filter(pl.col("root").is_in(roots.implode()))
        of_people = self._printed.join(people, on="person").group_by("root").agg(pl.col("listing").alias("listings"))
        return of_people.select("root", "listings")

    def _coded(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """The pairs by the numbers of their people."""
        numbers = dict(
            self._people.filter(pl.col("root").is_in(pl.concat(pairs).implode())).select("root", "person").iter_rows()
        )
        return pairs.select(pl.all().replace_strict(numbers, return_dtype=pl.UInt32))

    def _shared(self, pairs: pl.DataFrame) -> pl.DataFrame:
        compared = pl.concat([pairs["one"], pairs["other"]]).implode()
        others = self._beside.filter(~pl.col("is_group")).select("listing", pl.col("person").alias("shared"))
        beside = (
            self._beside.filter(pl.col("person").is_in(compared))
            .join(others, on="listing")
            .filter(pl.col("person") != pl.col("shared"))
            .select("person", "shared")
            .unique()
        )
        ones = pairs.join(beside, left_on="one", right_on="person")
        both = ones.join(beside, left_on=["other", "shared"], right_on=["person", "shared"])
        return both.group_by("one", "other").agg(pl.col("shared").min())


class Together:
    """Which people one byline names, so that they are two; of people by their root spellings, as `Coauthors.printed` finds them.

    >>> together = Together(pl.DataFrame({"root": ["Ann Bell", "Cy Dole", "Eve Fox"], "listings": [[0], [0, 1], [1]]}))
    >>> together("Ann Bell", "Cy Dole"), together("Ann Bell", "Eve Fox"), together("Ann Bell", "Ann Bell")
    (True, False, False)
    """

    def __init__(self, printed: pl.DataFrame) -> None:
        named = printed.drop_nulls("listings")
        self._row = {root: row for row, root in enumerate(named["root"])}
        self._rows = named["listings"]
        self._listings = lru_cache(maxsize=1 << 14)(self._read_listings)

    def __call__(self, name: str, other: str) -> bool:
        """Whether one byline contains both people; a person is not beside itself."""
        return name != other and not self._listings(name).isdisjoint(self._listings(other))

    def _read_listings(self, name: str) -> frozenset[int]:
        row = self._row.get(name)
        return frozenset(() if row is None else self._rows[row])
