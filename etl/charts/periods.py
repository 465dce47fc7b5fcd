"""The time axis of a picture. In: months as YYYY-MM or years as YYYY. Out: those that the axis shows, and its labels."""

from collections.abc import Iterable, Sequence

LONGEST_AXIS = 60
"""Periods of the longest axis that shows those without papers too."""
LETTER_WIDTH, GAP = 8, 12


def without_gaps(present: Iterable[str]) -> list[str]:
    """The periods in order, with those between them that have no papers; a word such as "earlier" comes first.

    >>> without_gaps(["2024-02", "2023-12", "earlier"])
    ['earlier', '2023-12', '2024-01', '2024-02']
    """
    words = {period for period in present if not period[0].isdigit()}
    dated = sorted(set(present) - words)
    if not dated:
        return sorted(words)
    first, last = _number(dated[0]), _number(dated[-1])
    if last - first < LONGEST_AXIS:
        dated = [_period(number, dated[0]) for number in range(first, last + 1)]
    return [*sorted(words), *dated]


def axis_labels(periods: Sequence[str], width: int) -> list[str]:
    """As many of the periods as have room beside each other, at equal distances.

    >>> axis_labels(["2021", "2022", "2023", "2024"], 100)
    ['2021', '2023']
    """
    needed = len(periods) * (max(map(len, periods)) * LETTER_WIDTH + GAP)
    return list(periods[:: -(-needed // width)])


def _number(period: str) -> int:
    year, _, month = period.partition("-")
    return int(year) * 12 + int(month) - 1 if month else int(year)


def _period(number: int, like: str) -> str:
    return f"{number // 12:04}-{number % 12 + 1:02}" if "-" in like else f"{number:04}"
