"""Rules about links: schemes that are not the web's, hosts that are no domain."""

import polars as pl

from etl.validate.outcomes import Outcome, at_line, outcome
from etl.validate.subject import Subject

WEB = r"(?i)^https?://"
DOMAIN = r"^(?:[^.\s:/\[\]]{1,63}\.){1,10}[^.\s:/0-9\[\]]{2,63}$"
_KEY = ("paper_id", "url")


def scheme_is_the_webs(subject: Subject) -> Outcome:
    """LNK-001: a scheme other than http and https."""
    other = _links(subject).filter(~pl.col("url").str.contains(WEB))
    return outcome(
        "LNK-001",
        subject.tables["links"].height,
        at_line(other, "line_end"),
        _KEY,
        value="url",
        message=pl.format(
            "the address {} begins with neither http nor https, so that it is shown as text; see whether it was meant",
            "url",
        ),
    )


def host_is_a_domain(subject: Subject) -> Outcome:
    """LNK-002: a host that is no domain name."""
    other = _links(subject).filter(~pl.col("host").str.contains(DOMAIN))
    return outcome(
        "LNK-002",
        subject.tables["links"].height,
        at_line(other, "line_end"),
        _KEY,
        value="url",
        message=pl.format(
            "the address {} leads nowhere: {} is no domain name; see what the abstract's source prints", "url", "host"
        ),
    )


def _links(subject: Subject) -> pl.DataFrame:
    places = subject.papers.select("paper_id", "profile_id", "source", "line_start", "line_end")
    return subject.tables["links"].join(places, on="paper_id", how="left")


RULES = (scheme_is_the_webs, host_is_a_domain)
