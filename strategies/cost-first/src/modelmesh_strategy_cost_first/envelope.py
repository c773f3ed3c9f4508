"""Search for the cheapest model of any set, for a request of any size, in logarithmic time.

A price is a point: the cost of a prompt token and the cost of an output token. For a request of any size, the cheapest of some
points lies on their lower convex hull, where a binary search finds it. The prices form a tree, and each node has the hull of its
subtree. The root contains the cheapest price of all. A search descends only past prices without a model in the requested set, and
skips every branch that cannot be cheaper.

Only the root is built at once. A search builds the nodes that it visits, and they are kept: the first choice among very many
models reads each price once, and most of them never get a node.

Costs are integers, so equal costs compare equal. Prices are compared as floats only to leave out those that cannot be cheapest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from attrs import field, frozen

from modelmesh_cdk.strategy import mask_of
from modelmesh_strategy_cost_first.price_table import SAME_USD, PriceTable
from modelmesh_strategy_cost_first.spent import Spent

FREE_STEPS = 8
"""Steps of a search that do not count towards another tree."""

STEPS_PER_PRICE = 0.125
"""Number of search steps that cost about as much as one price of a new tree."""

MAX_SUBSETS = 4
"""Sets of models with trees of their own that are kept at the same time."""

LEAF = 16
"""Models of a node that a search compares one by one."""

CHEAP_PART = 4
"""The cheaper part of a node has one in so many of its models, because searches mostly descend there."""


class Price(NamedTuple):
    """One price, in femto-dollars.

    Attributes:
        prompt: Cost of a prompt token.
        answer: Cost of an output token.
        positions: Mask of the models with this price.
    """

    prompt: int
    answer: int
    positions: int


class Node:
    """Models with the same cost of a request. Hull, mask and subtrees are built when a search asks for them first.

    Attributes:
        request: Cost of a request, independent of its size, in femto-dollars.
        floor: Lower bound of the cost of a prompt token and an output token together, in femto-dollars.
    """

    __slots__ = ("_first", "_hull", "_members", "_parts", "_positions", "_prices", "_table", "floor", "request")

    def __init__(self, table: PriceTable, members: Sequence[int]) -> None:
        """Create a node.

        Args:
            table: Prices of all models.
            members: Positions of the models.
        """
        self._table, self._members = table, members
        self._first = min(members, key=table.sums.__getitem__)
        prompt, answer, self.request = table.femto(self._first)
        self.floor = max(prompt + answer - 3, 0)  # each of two costs, and their sum, is rounded
        self._positions: int | None = None
        self._hull: list[Price] | None = None
        self._prices: list[Price] | None = None
        self._parts: tuple[Node, ...] | None = None

    @property
    def positions(self) -> int:
        """Mask of the models."""
        if self._positions is None:
            self._positions = mask_of(self._members)
        return self._positions

    @property
    def hull(self) -> list[Price]:
        """The prices that are cheapest for some size of request, by ascending cost of a prompt token."""
        if self._hull is None:
            table, first = self._table, self._first
            prompts, answers, sums = table.prompts, table.answers, table.sums
            prompt, answer, most = prompts[first], answers[first], sums[first] + SAME_USD
            # A price above the first one in both costs is more expensive for every request.
            kept = [at for at in self._members if prompts[at] < prompt or answers[at] < answer or sums[at] <= most]
            self._hull = _hull(table.prices(kept))
        return self._hull

    @property
    def prices(self) -> list[Price]:
        """All prices of a small node, empty for one with subtrees."""
        if self._prices is None:
            few = len(self._members) <= LEAF
            self._prices = [Price(*row) for row in self._table.prices(self._members)] if few else []
        return self._prices

    @property
    def parts(self) -> tuple[Node, ...]:
        """The two subtrees, empty for a small node."""
        if self._parts is None:
            table, number = self._table, len(self._members)
            if number <= LEAF:
                self._parts = ()
            else:
                members, cheap = sorted(self._members, key=table.sums.__getitem__), max(number // CHEAP_PART, LEAF)
                self._parts = Node(table, members[:cheap]), Node(table, members[cheap:])
        return self._parts

    def within(self, mask: int) -> Node | None:
        """Return a node with those of the models that are in a set, ``None`` without any."""
        bits = f"{mask:0{len(self._table.prompts)}b}"[::-1]
        members = [at for at in self._members if bits[at] == "1"]
        return Node(self._table, members) if members else None

    def bound(self, prompt: int, answer: int) -> int:
        """Return a lower bound of the cost of a request, without a search in the hull."""
        return self.floor * (min(prompt, answer) or prompt) + self.request

    def branches(self, mask: int, prompt: int, answer: int) -> Iterator[tuple[int, int | None, Node | None]]:
        """Yield what a search compares after the cheapest models: cost, models and node of a :data:`Step`."""
        for price in self.prices:
            if price.positions & mask:
                yield prompt * price.prompt + answer * price.answer + self.request, price.positions, None
        for part in self.parts:
            if part.positions & mask:
                yield part.bound(prompt, answer), None, part

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
        cost, positions = prompt * price.prompt + answer * price.answer, price.positions
        while low + 1 < len(hull):
            low += 1
            price = hull[low]
            if prompt * price.prompt + answer * price.answer != cost:
                break
            positions |= price.positions
        return cost + self.request, positions


Step = tuple[int, int, int | None, Node | None]
"""A branch of the search: its least cost, a sequence number, the mask of the models with that cost, and its node.

Without a mask, the node was not searched yet, and the cost is a lower bound.
"""


def forest(table: PriceTable, positions: Iterable[int]) -> tuple[Node, ...]:
    """Return one tree for each cost of a request. There are few of them."""
    alike: dict[float, list[int]] = {}
    if any(table.requests):
        for at in positions:
            alike.setdefault(table.requests[at], []).append(at)
    else:
        alike[0.0] = list(positions)
    return tuple(Node(table, group) for group in alike.values() if group)


def _hull(rows: Iterable[tuple[int, int, int]]) -> list[Price]:
    """Return the lower convex hull, with the prices on a straight line between two others."""
    found: list[Price] = []
    for row in sorted(rows):
        price = Price(*row)
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

    def __init__(self, table: PriceTable, positions: Sequence[int]) -> None:
        """Build the trees.

        Args:
            table: Prices of all models.
            positions: The models with a constant cost of tokens.
        """
        self._size = len(positions)
        self._whole = forest(table, positions)
        self._parts: deque[tuple[int, tuple[Node, ...]]] = deque(maxlen=MAX_SUBSETS)
        self._passed = 0

    def trees(self, mask: int) -> tuple[Node, ...]:
        """Return trees that contain at least these models."""
        return next((trees for within, trees in self._parts if not mask & ~within), self._whole)

    def record_search(self, mask: int, steps: int) -> None:
        """Count the steps of a search in a set, and build trees for it when they pay off."""
        self._passed += max(steps - FREE_STEPS, 0)
        if self._passed > STEPS_PER_PRICE * self._size:
            self._passed = 0
            parts = (tree.within(mask) for tree in self._whole)
            self._parts.appendleft((mask, tuple(part for part in parts if part is not None)))


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
        prompt, answer = self.prompt, self.answer
        search: list[Step] = [(cost, at, positions, None) for at, (cost, positions) in enumerate(self.others)]
        for tree in self.envelope.trees(mask):
            cost, models = tree.least(prompt, answer)
            search.append((cost, len(search), models, tree))
        heapify(search)
        found, best, steps = 0, 0, len(search)
        while search:
            cost, _, positions, node = heappop(search)
            if found and cost > best:
                break
            if positions is None and node is not None:
                cost, models = node.least(prompt, answer)
                steps += 1
                heappush(search, (cost, steps, models, node))
                continue
            available = (positions or 0) & mask
            if available:
                found, best = found | available, cost
            elif node is not None:
                for branch in node.branches(mask, prompt, answer):
                    steps += 1
                    heappush(search, (branch[0], steps, branch[1], branch[2]))
        if steps > FREE_STEPS:
            self.envelope.record_search(mask, steps)
        return self.spent.least(found) if found else None
