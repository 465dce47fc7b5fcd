"""Places for the points of a network: forces push all points apart and pull joined ones together, until they rest.

In: the number of points, and pairs of them. Out: a place for each. The forces are those of
[d3-force](https://d3js.org/d3-force), between all points. Only sums, products, quotients and square roots of single numbers are
computed, which IEEE 754 defines to the last bit: equal networks have equal places on every machine.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

_ROUNDS = 300
_COOLING = 0.977
"""What a round leaves of the strength of the forces: of all rounds, a thousandth."""
_FRICTION = 0.6
"""What a round leaves of a point's speed."""
_APART, _NEAR = 124.0, 140.0
"""The least distance of two points, and the distance of joined ones."""
_REPULSION, _FAR = 60.0, 600.0
"""The force between two points at distance 1, and the distance beyond which there is none."""
_TO_MIDDLE_X, _TO_MIDDLE_Y = 0.1, 0.02
"""The force towards the middle for each unit of distance, across and down: pictures are wider than high."""
_TURN = (-0.7373688780783197, 0.6754902942615238)
"""Cosine and sine of the golden angle, between one point and the next at the start."""


@dataclass
class _Points:
    """Coordinates and speeds of points."""

    x: list[float]
    y: list[float]
    dx: list[float]
    dy: list[float]

    def move(self) -> None:
        """Move each point by its speed, which friction lessens."""
        for place, speed in ((self.x, self.dx), (self.y, self.dy)):
            speed[:] = [one * _FRICTION for one in speed]
            place[:] = [one + by for one, by in zip(place, speed, strict=True)]

    def shift(self, one: int, two: int, x: float, y: float, share: float) -> None:
        """Change the speeds of two points in opposite directions, the second's by this share."""
        self.dx[one] += x * (1 - share)
        self.dy[one] += y * (1 - share)
        self.dx[two] -= x * share
        self.dy[two] -= y * share


def force_layout(points: int, pairs: Sequence[tuple[int, int]]) -> list[tuple[float, float]]:
    """The places of so many points, of which some pairs are joined.

    >>> (x, y), (other_x, other_y) = force_layout(2, [(0, 1)])
    >>> 120 < sqrt((x - other_x) ** 2 + (y - other_y) ** 2) < 140
    True
    """
    state = _spiral(points)
    ties = Counter(point for pair in pairs for point in pair)
    strength = 1.0
    for _ in range(_ROUNDS):
        strength *= _COOLING
        _keep_apart(state)
        _repel(state, strength)
        _attract(state, pairs, ties, strength)
        _to_middle(state, strength)
        state.move()
    return list(zip(state.x, state.y, strict=True))


def _spiral(points: int) -> _Points:
    """Points on a spiral, the first in its middle, at rest."""
    x, y, (cosine, sine) = [], [], _TURN
    along, across = 1.0, 0.0
    for number in range(points):
        radius = 10 * sqrt(0.5 + number)
        x.append(radius * along)
        y.append(radius * across)
        along, across = along * cosine - across * sine, along * sine + across * cosine
    return _Points(x, y, [0.0] * points, [0.0] * points)


def _keep_apart(points: _Points) -> None:
    """Push points apart that would be nearer than `_APART`."""
    for _ in range(3):
        x = [place + speed for place, speed in zip(points.x, points.dx, strict=True)]
        y = [place + speed for place, speed in zip(points.y, points.dy, strict=True)]
        for one, two in combinations(range(len(x)), 2):
            across, down = x[one] - x[two], y[one] - y[two]
            if (squared := across * across + down * down) < _APART * _APART:
                distance = sqrt(squared) or 1.0
                push = (_APART - distance) / distance
                points.shift(one, two, across * push, down * push, 0.5)


def _repel(points: _Points, strength: float) -> None:
    x, y = points.x, points.y
    for one, two in combinations(range(len(x)), 2):
        across, down = x[one] - x[two], y[one] - y[two]
        if (squared := across * across + down * down) < _FAR * _FAR:
            push = 2 * _REPULSION * strength / max(squared, 1.0)
            points.shift(one, two, across * push, down * push, 0.5)


def _attract(points: _Points, pairs: Sequence[tuple[int, int]], ties: Counter[int], strength: float) -> None:
    """Pull joined points to a distance of `_NEAR`, the one with fewer pairs by more."""
    for one, two in pairs:
        across = points.x[two] + points.dx[two] - points.x[one] - points.dx[one]
        down = points.y[two] + points.dy[two] - points.y[one] - points.dy[one]
        distance = sqrt(across * across + down * down) or 1.0
        pull = (distance - _NEAR) / distance * strength / min(ties[one], ties[two])
        points.shift(one, two, across * pull, down * pull, ties[one] / (ties[one] + ties[two]))


def _to_middle(points: _Points, strength: float) -> None:
    points.dx[:] = [speed - place * _TO_MIDDLE_X * strength for speed, place in zip(points.dx, points.x, strict=True)]
    points.dy[:] = [speed - place * _TO_MIDDLE_Y * strength for speed, place in zip(points.dy, points.y, strict=True)]
