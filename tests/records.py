"""Invented records in the shape of arXiv's metadata."""

import json
from typing import Any


def record(arxiv_id: str = "2405.00001", title: str = "On Bells", **changes: Any) -> dict[str, Any]:
    """A record; its authors are Ann Bell, Cy Dole, Eve Fox and Gus Hill, its day is 1 May 2024."""
    people = [["Bell", "Ann", ""], ["Dole", "Cy", ""], ["Fox", "Eve", ""], ["Hill", "Gus", ""]]
    return {
        "id": arxiv_id,
        "submitter": "Ann Bell",
        "authors": "Ann Bell, Cy Dole, Eve Fox and Gus Hill",
        "title": title,
        "comments": None,
        "doi": None,
        "categories": "cs.CL cs.LG",
        "abstract": "  They ring.\n",
        "versions": [{"version": "v1", "created": "Wed, 1 May 2024 19:18:42 GMT"}],
        "update_date": "2024-05-02",
        "authors_parsed": people,
    } | changes


def dated(created: str) -> dict[str, Any]:
    """The change of a record's day."""
    return {"versions": [{"version": "v1", "created": created}]}


def lines(*records: dict[str, Any]) -> bytes:
    """Records as JSON Lines."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)
