"""The cheapest of any set of models for a request of any size, without looking at all of them.

A price is a point: what a token of the prompt costs and what a token of the answer costs. For requests of all sizes the
cheapest of some points lies on their lower hull, in whose middle a few steps find it. Over all prices stands a tree, each
node with the hull of what is below it. The root knows the cheapest of all; a search goes further down only past prices
whose models are not among those asked for, and leaves out every branch that cannot be cheaper.

All numbers are whole, so that what is equal is equal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush

from attrs import define, evolve, field, frozen

from modelmesh_strategy_cost_first.spent import Spent

FEW_STEPS = 8
"""Steps of a search that are no reason to do anything about it."""

WORTH_IT = 8
"""So many steps are about as much work as sorting one price."""

MOST_PARTS = 4
"""Sets of models that have a forest of their own at the same time."""


@frozen
class Price:
    """What models of one price cost, in whole femto-dollars.

    Attributes:
        prompt: Of a token of the prompt.
        answer: Of a token of the answer.
        request: Of a request, whatever its size.
        places: The models that have it, a bit for each place in the pool.
    """

    prompt: int
    answer: int
    request: int
    places: int


@define(eq=False)
class Node:
    """Some prices that differ in what a token costs, but not in what a request costs.

    Attributes:
        places: Models of all of them.
        hull: Those that are cheapest for some size of request, by rising price of the prompt.
        parts: Two halves, none when it is one price.
    """

    places: int
    hull: Sequence[Price]
    parts: tuple[Node, ...] = ()

    def least(self, prompt: int, answer: int) -> tuple[int, int]:
        """Return the least cost of a request, and the models that have it."""
        hull, low, high = self.hull, 0, len(self.hull) - 1
        while low < high:
            middle = (low + high) // 2
            here, after = hull[middle], hull[middle + 1]
            if prompt * (after.prompt - here.prompt) + answer * (after.answer - here.answer) < 0:
                low = middle + 1
            else:
                high = middle
        price = hull[low]
        cost, places = prompt * price.prompt + answer * price.answer + price.request, price.places
        while low + 1 < len(hull):
            low += 1
            price = hull[low]
            if prompt * price.prompt + answer * price.answer + price.request != cost:
                break
            places |= price.places
        return cost, places


Step = tuple[int, int, int, tuple[Node, ...]]
"""A branch that may be searched: its least cost, a number, who has it, and its parts."""


def forest(prices: Iterable[Price]) -> tuple[Node, ...]:
    """Return a tree for each price of a request as such; there are few of those."""
    alike: dict[int, list[Price]] = {}
    for price in prices:
        alike.setdefault(price.request, []).append(price)
    return tuple(_tree(sorted(group, key=lambda price: price.prompt + price.answer)) for group in alike.values())


def _tree(prices: Sequence[Price]) -> Node:
    if len(prices) == 1:
        return Node(prices[0].places, prices)
    half = len(prices) // 2
    parts = _tree(prices[:half]), _tree(prices[half:])
    return Node(parts[0].places | parts[1].places, _hull([*parts[0].hull, *parts[1].hull]), parts)


def _hull(prices: list[Price]) -> list[Price]:
    """Return what is cheapest for some size of request, prices on a straight line between two others included."""
    found: list[Price] = []
    for price in sorted(prices, key=lambda price: (price.prompt, price.answer)):
        if found and price.answer >= found[-1].answer:
            continue  # dearer in both
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

    A search among models of which the cheap ones are missing has to pass those. When searches have passed more prices than
    it takes to sort them anew, a forest of what is not missing is grown beside the first, and used for all its subsets.
    """

    def __init__(self, prices: Iterable[Price]) -> None:
        self._prices = tuple(prices)
        self._whole = forest(self._prices)
        self._parts: deque[tuple[int, tuple[Node, ...]]] = deque(maxlen=MOST_PARTS)
        self._passed = 0

    def trees(self, mask: int) -> tuple[Node, ...]:
        """Return a forest in which at least these models are."""
        return next((trees for within, trees in self._parts if not mask & ~within), self._whole)

    def searched(self, mask: int, steps: int) -> None:
        """Hear how many steps a search among these models took."""
        self._passed += max(steps - FEW_STEPS, 0)
        if self._passed > WORTH_IT * len(self._prices):
            self._passed = 0
            left = (evolve(price, places=price.places & mask) for price in self._prices if price.places & mask)
            self._parts.appendleft((mask, forest(left)))


@frozen
class Cheapest:
    """The order of all models by what one request costs at them; of equals, by what they have cost so far.

    Attributes:
        envelope: Prices that are the same for every token.
        others: What the request costs at models whose price has to be worked out, and which they are.
        prompt: Tokens of the prompt, at least 1.
        answer: Tokens of the answer; without any, the envelope holds no prices of answers.
        spent: What they have cost so far.
    """

    envelope: Envelope
    others: Sequence[tuple[int, int]]
    prompt: int
    answer: int
    spent: Spent = field(factory=Spent)

    def first(self, mask: int) -> int | None:
        """Return the place of the cheapest of a set, ``None`` when no price is known of any."""
        search: list[Step] = [(cost, at, places, ()) for at, (cost, places) in enumerate(self.others)]
        for tree in self.envelope.trees(mask):
            cost, places = tree.least(self.prompt, self.answer)
            search.append((cost, len(search), places, tree.parts))
        heapify(search)
        found, best, steps = 0, 0, len(search)
        while search:
            cost, _, places, parts = heappop(search)
            if found and cost > best:
                break
            places &= mask
            if places:
                found, best = found | places, cost
                continue
            for part in parts:
                if part.places & mask:
                    cost, places = part.least(self.prompt, self.answer)
                    steps += 1
                    heappush(search, (cost, steps, places, part.parts))
        if steps > FEW_STEPS:
            self.envelope.searched(mask, steps)
        return self.spent.least(found) if found else None
