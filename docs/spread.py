"""How each installed strategy spreads 1,000 requests over four models, one of which has trouble for a while, as text.

A simulation: real routing, models in this process, a clock that only requests turn, and a fixed seed; so the pictures are
the same on every machine. ``generate.py`` puts them into ``reference/strategies.md``.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from attrs import define, field, frozen

from modelmesh import ModelMesh
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.rate_limits import RateLimit
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ModelMeshError, ProviderServerError, RateLimitError
from modelmesh.contracts import FailureClass

REQUESTS, COLUMN, SEED = 1000, 20, 20261121
SHADES = "·░▒▓█"
"""No request of the column, up to a quarter of them, up to a half, up to three quarters, more."""

TROUBLE = range(400, 600)
"""The requests during which one model has trouble."""

MESSAGES = [{"role": "user", "content": "Summarise this letter in two sentences. " * 20}]


@frozen
class Scenario:
    """What a strategy is shown with; four models and one request a second are always the same.

    Attributes:
        pool: The pool's settings beside the strategy.
        troubled: The model that has trouble.
        slow: It then answers after so many seconds; ``None``: with a 500, at once.
        strict: Whether vendors refuse what is over the limits they tell of.
    """

    pool: dict[str, Any] = field(factory=dict)
    troubled: str = "swift"
    slow: float | None = None
    strict: bool = False


SCENARIOS = {
    "cost-first": Scenario(troubled="thrifty"),
    "latency-first": Scenario(slow=4.0),
    "priority-selection": Scenario({"model_priority": ["steady", "thrifty"]}, troubled="steady"),
}
"""By short name; a strategy that is not here is shown with the first model of the pool failing."""


@define
class World:
    """The time, and who has trouble now."""

    now: float = 0.0
    request: int = 0

    def clock(self) -> float:
        """Return monotonic seconds."""
        return self.now

    def wait(self, seconds: float) -> None:
        """Let them pass."""
        self.now += seconds


@define
class Model:
    """An account with one model.

    Attributes:
        name: Of the model.
        price: USD for a million tokens of prompt and of answer, ``None`` when nobody says.
        seconds: Until it answers.
        a_minute: Requests that its vendor lets through in a minute and tells of, ``None`` when it does not tell.
        length: Tokens of its answers.
    """

    name: str
    price: tuple[float, float] | None
    seconds: float
    a_minute: int | None
    length: int = 120
    world: World = field(factory=World)
    scenario: Scenario = field(factory=Scenario)
    minute: tuple[float, int] = (0.0, 0)

    id = "docs.model.v1"

    def models(self) -> list[ModelInfo]:
        """Return its row."""
        pricing = ModelPricing(self.price[0] / 1000, self.price[1] / 1000) if self.price else None
        return [ModelInfo(self.name, capabilities=("chat-completion",), pricing=pricing)]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        """Answer, or have trouble."""
        troubled = self.name == self.scenario.troubled and self.world.request in TROUBLE
        if troubled and self.scenario.slow is None:
            raise ProviderServerError("down", failure=FailureClass.SERVER, status=500)
        self._count()
        self.world.wait(self.scenario.slow if troubled else self.seconds)
        message = {"role": "assistant", "content": "Yes."}
        usage = {"prompt_tokens": 200, "completion_tokens": self.length, "total_tokens": 200 + self.length}
        body = {"id": "docs", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
        return Answer(body, rate_limits=self._limits())

    def _count(self) -> None:
        minute, (before, used) = self.world.now // 60, self.minute
        used = used if minute == before else 0
        if self.scenario.strict and self.a_minute is not None and used >= self.a_minute:
            rest = 60 - self.world.now % 60
            raise RateLimitError("too many", failure=FailureClass.THROTTLE, status=429, upstream_delay_s=rest)
        self.minute = (minute, used + 1)

    def _limits(self) -> list[RateLimit]:
        if self.a_minute is None:
            return []
        left = max(self.a_minute - self.minute[1], 0)
        return [RateLimit("requests", self.a_minute, left, float(round(60 - self.world.now % 60)))]

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        """Answer, or have trouble."""
        return self.send(call, model, limits)

    def close(self) -> None:
        """Hold nothing."""

    async def aclose(self) -> None:
        """Hold nothing."""


def models(world: World, scenario: Scenario) -> list[Model]:
    """Return the four, in pool order."""
    return [
        Model("swift", (2.0, 8.0), 0.2, 40, world=world, scenario=scenario),
        Model("steady", (0.5, 1.5), 0.5, 60, world=world, scenario=scenario),
        Model("thrifty", (0.1, 0.4), 0.9, 20, world=world, scenario=scenario),
        Model("spare", None, 0.6, None, world=world, scenario=scenario),
    ]


def answered(strategy: str) -> list[str]:
    """Return who answered each of the requests."""
    scenario, world = SCENARIOS.get(short(strategy), Scenario()), World()
    mesh = ModelMesh(clock=world.clock, sleep=world.wait, wall=lambda: 0.0, rng=random.Random(SEED))
    accounts = {model.name: {"instance": model} for model in models(world, scenario)}
    mesh.initialize({"providers": accounts, "pools": {"chat-completion": {"strategy": strategy, **scenario.pool}}})
    found = []
    for number in range(REQUESTS):
        world.request, world.now = number, max(world.now, float(number))
        session = f"conversation {number // 50}-{number % 5}"  # five at a time, of ten requests each
        try:
            reply = mesh.client.chat.completions.create(model="chat-completion", messages=MESSAGES, session_id=session)
        except ModelMeshError:
            found.append("")
        else:
            found.append(reply.model)
    mesh.shutdown()
    return found


def picture(strategy: str) -> str:
    """Return the spread as text: a row for each model, a column for every twenty requests."""
    scenario, who = SCENARIOS.get(short(strategy), Scenario()), answered(strategy)
    names = [model.name for model in models(World(), scenario)]
    columns = [Counter(who[at : at + COLUMN]) for at in range(0, REQUESTS, COLUMN)]
    total, wide = Counter(who), max(map(len, names))
    rows = [f"{n.ljust(wide)}  {''.join(shade(column[n]) for column in columns)}  {total[n]:>5,}" for n in [*names, ""] if total[n] or n]
    mark = " " * (TROUBLE.start // COLUMN) + "^" * (len(TROUBLE) // COLUMN)
    trouble = "fails" if scenario.slow is None else f"takes {scenario.slow:g} s"
    return "\n".join([*rows, f"{' ' * wide}  {mark} {scenario.troubled} {trouble}"])


def shade(count: int) -> str:
    """Return the shade of a share of a column."""
    return SHADES[-(-count * 4 // COLUMN)]


def short(strategy: str) -> str:
    """Return ``cost-first`` of ``modelmesh.cost-first.v1``."""
    return strategy.split(".")[1]


def installed() -> list[str]:
    """Return the IDs of our strategies that are installed."""
    return sorted(point.name for point in entry_points(group="modelmesh.strategies") if point.name.startswith("modelmesh."))


def parts() -> dict[str, Callable[[str], str]]:
    """Return what makes each picture, by the name of its place in the page."""
    return {
        f"spread of {short(one).replace('-', '_')}": lambda _, one=one: f"\n```text\n{picture(one)}\n```\n\n" for one in installed()
    }
