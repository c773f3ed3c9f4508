"""Search for the cheapest model of any set, for a request of any size, in logarithmic time.

A price is a point: the cost of a prompt token and the cost of an output token. For a request of any size, the cheapest of some
points lies on their lower convex hull, where a binary search finds it. The prices form a tree, and each node stores the hull
of its subtree. The root contains the cheapest price of all. A search descends only past prices without a model in the
requested set, and skips every branch that cannot be cheaper.

All numbers are integers, so equal costs compare equal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush

from attrs import define, evolve, field, frozen

from modelmesh_strategy_cost_first.spent import Spent

FREE_STEPS = 8
"""Steps of a search that do not count towards another tree."""

STEPS_PER_PRICE = 8
"""Number of search steps that cost about as much as sorting one price."""

MAX_SUBSETS = 4
"""Sets of models with trees of their own that are kept at the same time."""


@frozen
class Price:
    """One price, in femto-dollars.

    Attributes:
        prompt: Cost of a prompt token.
        answer: Cost of an output token.
        request: Cost of a request, independent of its size.
        positions: Mask of the models with this price.
    """

    prompt: int
    answer: int
    request: int
    positions: int


@define(eq=False)
class Node:
    """Prices with different costs of tokens and the same cost of a request.

    Attributes:
        positions: Mask of the models with any of them.
        hull: The prices that are cheapest for some size of request, by ascending cost of a prompt token.
        parts: The two subtrees, empty for a single price.
    """

    positions: int
    hull: Sequence[Price]
    parts: tuple[Node, ...] = ()

    def least(self, prompt: int, answer: int) -> tuple[int, int]:
        """Return the least cost of a request, and the mask of the models with it."""
        hull, low, high = self.hull, 0, len(self.hull) - 1
        while low < high:
            middle = (low + high) // 2
            here, after = hull[middle], hull[middle + 1]
            if prompt * (after.prompt - here.prompt) + answer * (after.answer - here.answer) < 0:
                low = middle + 1
            else:
                high = middle
        price = hull[low]
        cost, positions = prompt * price.prompt + answer * price.answer + price.request, price.positions
        while low + 1 < len(hull):
            low += 1
            price = hull[low]
            if prompt * price.prompt + answer * price.answer + price.request != cost:
                break
            positions |= price.positions
        return cost, positions


Step = tuple[int, int, int, tuple[Node, ...]]
"""A branch of the search: its least cost, a sequence number, the mask of the models with that cost, and the subtrees."""


def forest(prices: Iterable[Price]) -> tuple[Node, ...]:
    """Return one tree for each cost of a request. There are few of them."""
    alike: dict[int, list[Price]] = {}
    for price in prices:
        alike.setdefault(price.request, []).append(price)
    return tuple(_tree(sorted(group, key=lambda price: price.prompt + price.answer)) for group in alike.values())


def _tree(prices: Sequence[Price]) -> Node:
    if len(prices) == 1:
        return Node(prices[0].positions, prices)
    half = len(prices) // 2
    parts = _tree(prices[:half]), _tree(prices[half:])
    return Node(parts[0].positions | parts[1].positions, _hull([*parts[0].hull, *parts[1].hull]), parts)


def _hull(prices: list[Price]) -> list[Price]:
    """Return the lower convex hull, with the prices on a straight line between two others."""
    found: list[Price] = []
    for price in sorted(prices, key=lambda price: (price.prompt, price.answer)):
        if found and price.answer >= found[-1].answer:
            continue  # more expensive for both kinds of tokens
        while len(found) > 1 and _is_above(found[-2], found[-1], price):
            found.pop()
        found.append(price)
    return found


def _is_above(left: Price, middle: Price, right: Price) -> bool:
    return (middle.prompt - left.prompt) * (right.answer - left.answer) < (middle.answer - left.answer) * (
        right.prompt - left.prompt
    )


class Envelope:
    """All prices of a pool.

    A search in a set without the cheap models must pass their prices. When searches took more steps than sorting the prices
    of that set would take, another group of trees is built for the set, and used for all its subsets.
    """

    def __init__(self, prices: Iterable[Price]) -> None:
        self._prices = tuple(prices)
        self._whole = forest(self._prices)
        self._parts: deque[tuple[int, tuple[Node, ...]]] = deque(maxlen=MAX_SUBSETS)
        self._passed = 0

    def trees(self, mask: int) -> tuple[Node, ...]:
        """Return trees that contain at least these models."""
        return next((trees for within, trees in self._parts if not mask & ~within), self._whole)

    def record_search(self, mask: int, steps: int) -> None:
        """Count the steps of a search in a set, and build trees for it when they pay off."""
        self._passed += max(steps - FREE_STEPS, 0)
        if self._passed > STEPS_PER_PRICE * len(self._prices):
            self._passed = 0
            left = (evolve(price, positions=price.positions & mask) for price in self._prices if price.positions & mask)
            self._parts.appendleft((mask, forest(left)))


@frozen
class Cheapest:
    """Order of all models by the cost of one request, and by their total cost so far for equal costs.

    Attributes:
        envelope: Prices with a constant cost of tokens.
        others: Costs of the request under prices with bands, each with the mask of its models.
        prompt: Tokens of the prompt, at least 1.
        answer: Tokens of the output. Without any, the envelope contains no costs of output tokens.
        spent: Total cost of each model so far.
    """

    envelope: Envelope
    others: Sequence[tuple[int, int]]
    prompt: int
    answer: int
    spent: Spent = field(factory=Spent)

    def first(self, mask: int) -> int | None:
        """Return the position of the cheapest model of a set, ``None`` when no price is known."""
        search: list[Step] = [(cost, at, positions, ()) for at, (cost, positions) in enumerate(self.others)]
        for tree in self.envelope.trees(mask):
            cost, positions = tree.least(self.prompt, self.answer)
            search.append((cost, len(search), positions, tree.parts))
        heapify(search)
        found, best, steps = 0, 0, len(search)
        while search:
            cost, _, positions, parts = heappop(search)
            if found and cost > best:
                break
            positions &= mask
            if positions:
                found, best = found | positions, cost
                continue
            for part in parts:
                if part.positions & mask:
                    cost, positions = part.least(self.prompt, self.answer)
                    steps += 1
                    heappush(search, (cost, steps, positions, part.parts))
        if steps > FREE_STEPS:
            self.envelope.record_search(mask, steps)
        return self.spent.least(found) if found else None
