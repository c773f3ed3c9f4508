"""Text charts of how each installed strategy spreads 1,000 requests over four models, one of which fails for a while.

The simulation uses the real router, models in this process, a simulated clock and a fixed seed, so the charts are the same on
every machine. ``generate.py`` writes them into ``reference/strategies.md``.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from importlib.metadata import entry_points
from typing import Any

from attrs import define, field, frozen

from modelmesh import ModelMesh
from modelmesh.contracts import FailureClass
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.rate_limits import RateLimit
from modelmesh.errors import ModelMeshError, ProviderServerError, RateLimitError

REQUESTS, COLUMN, SEED = 1000, 20, 20261121
SHADES = "·░▒▓█"
"""No request of the column, up to a quarter of them, up to a half, up to three quarters, more."""

TROUBLE = range(400, 600)
"""The requests during which one model fails."""

MESSAGES = [{"role": "user", "content": "Summarise this letter in two sentences. " * 20}]


@frozen
class Scenario:
    """Conditions of one simulation. Four models and one request a second are common to all.

    Attributes:
        pool: Pool settings besides the strategy.
        troubled: The model that fails.
        slow: Seconds until it then answers, or ``None`` to fail immediately with a 500.
        strict: Whether vendors enforce the rate limits that they report.
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
"""By short name. For any other strategy the first model of the pool fails."""


@define
class World:
    """The simulated time and the number of the current request."""

    now: float = 0.0
    request: int = 0

    def clock(self) -> float:
        """Return monotonic seconds."""
        return self.now

    def wait(self, seconds: float) -> None:
        """Advance the clock."""
        self.now += seconds


@define
class Model:
    """An account with one model.

    Attributes:
        name: Of the model.
        price: USD per million tokens of input and of output, ``None`` when unknown.
        seconds: Latency of an answer.
        a_minute: Rate limit that the vendor enforces and reports, ``None`` when it reports none.
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
        return [ModelInfo(self.name, capabilities=("chat-completion",), pricing=pricing)]  # type: ignore[arg-type]  # an attrs converter

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        """Answer or fail."""
        troubled = self.name == self.scenario.troubled and self.world.request in TROUBLE
        if troubled and self.scenario.slow is None:
            raise ProviderServerError("down", failure=FailureClass.SERVER, status=500)
        self._count()
        self.world.wait(self.scenario.slow if troubled and self.scenario.slow is not None else self.seconds)
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
        """Answer or fail."""
        return self.send(call, model, limits)

    def close(self) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Do nothing."""


def models(world: World, scenario: Scenario) -> list[Model]:
    """Return the four models in pool order."""
    return [
        Model("swift", (2.0, 8.0), 0.2, 40, world=world, scenario=scenario),
        Model("steady", (0.5, 1.5), 0.5, 60, world=world, scenario=scenario),
        Model("thrifty", (0.1, 0.4), 0.9, 20, world=world, scenario=scenario),
        Model("spare", None, 0.6, None, world=world, scenario=scenario),
    ]


def answered(strategy: str) -> list[str]:
    """Return the model that answered each request, or an empty text for a failed request."""
    scenario, world = SCENARIOS.get(short(strategy), Scenario()), World()
    mesh = ModelMesh(clock=world.clock, sleep=world.wait, wall=lambda: 0.0, rng=random.Random(SEED))  # noqa: S311 - a simulation
    accounts = {model.name: {"instance": model} for model in models(world, scenario)}
    mesh.initialize({"providers": accounts, "pools": {"chat-completion": {"strategy": strategy, **scenario.pool}}})
    found = []
    for number in range(REQUESTS):
        world.request, world.now = number, max(world.now, float(number))
        session = f"conversation {number // 50}-{number % 5}"  # five at a time, ten requests each
        try:
            reply = mesh.client.chat.completions.create(model="chat-completion", messages=MESSAGES, session_id=session)
        except ModelMeshError:
            found.append("")
        else:
            found.append(reply.model)
    mesh.shutdown()
    return found


def picture(strategy: str) -> str:
    """Return the chart of a strategy: a row for each model, a column for every twenty requests."""
    scenario, served = SCENARIOS.get(short(strategy), Scenario()), answered(strategy)
    names = [model.name for model in models(World(), scenario)]
    columns = [Counter(served[at : at + COLUMN]) for at in range(0, REQUESTS, COLUMN)]
    total, wide = Counter(served), max(map(len, names))
    rows = [
        f"{n.ljust(wide)}  {''.join(shade(column[n]) for column in columns)}  {total[n]:>5,}"
        for n in [*names, ""]
        if total[n] or n
    ]
    mark = " " * (TROUBLE.start // COLUMN) + "^" * (len(TROUBLE) // COLUMN)
    trouble = "fails" if scenario.slow is None else f"takes {scenario.slow:g} s"
    return "\n".join([*rows, f"{' ' * wide}  {mark} {scenario.troubled} {trouble}"])


def shade(count: int) -> str:
    """Return the character for a share of a column."""
    return SHADES[-(-count * 4 // COLUMN)]


def short(strategy: str) -> str:
    """Return ``cost-first`` of ``modelmesh.cost-first.v1``."""
    return strategy.split(".")[1]


def installed() -> list[str]:
    """Return the IDs of our strategies that are installed."""
    return sorted(point.name for point in entry_points(group="modelmesh.strategies") if point.name.startswith("modelmesh."))


def parts() -> dict[str, Callable[[str], str]]:
    """Return the generator of each chart, by the name of its part of the page."""
    return {f"spread of {short(one).replace('-', '_')}": partial(_block, one) for one in installed()}


def _block(strategy: str, _: str) -> str:
    return f"\n```text\n{picture(strategy)}\n```\n\n"
