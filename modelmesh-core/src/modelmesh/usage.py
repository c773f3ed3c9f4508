"""What was used and what it cost. Money is whole nano-dollars inside, so that sums are exact."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

from attrs import define, field

from modelmesh.contracts.models import ModelPricing

NANO = 1_000_000_000


def cost_nano_usd(pricing: ModelPricing | None, usage: Mapping[str, Any] | None) -> int | None:
    """Price one answer.

    Args:
        pricing: The model's list price.
        usage: What the vendor reported.

    Returns:
        Nano-dollars, ``None`` when the price or the usage is unknown.
    """
    if pricing is None:
        return None
    total = 0.0
    for price, key in ((pricing.input_per_1k_tokens, "prompt_tokens"), (pricing.output_per_1k_tokens, "completion_tokens")):
        tokens = (usage or {}).get(key)
        if price is None:
            if tokens and pricing.per_request is None:
                return None  # there were such tokens, and what they cost nobody said
        elif isinstance(tokens, int):
            total += tokens * price / 1000
        elif price:
            return None
    return round((total + (pricing.per_request or 0.0)) * NANO)


@define
class UsageEntry:
    """Totals of one model, one provider, or everything.

    Attributes:
        total_requests: Requests answered.
        prompt_tokens: As the vendors reported them.
        completion_tokens: As the vendors reported them.
        unpriced_requests: Requests whose cost is unknown; ``total_cost`` leaves them out.
    """

    total_requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    unpriced_requests: int = 0
    _nano_usd: int = field(default=0, alias="nano_usd")

    @property
    def total_tokens(self) -> int:
        """Prompt and completion tokens."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def total_cost(self) -> float:
        """USD, of the requests whose price is known."""
        return self._nano_usd / NANO

    def add(self, usage: Mapping[str, Any] | None, nano_usd: int | None) -> None:
        """Count one answered request."""
        self.total_requests += 1
        for name in ("prompt_tokens", "completion_tokens"):
            tokens = (usage or {}).get(name)
            if isinstance(tokens, int):
                setattr(self, name, getattr(self, name) + tokens)
        if nano_usd is None:
            self.unpriced_requests += 1
        else:
            self._nano_usd += nano_usd


class UsageTracker:
    """Counts what a mesh answered since it was made or :meth:`reset`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._total = UsageEntry()
        self._models: dict[str, UsageEntry] = {}
        self._providers: dict[str, UsageEntry] = {}

    def add(self, model: str, provider: str, usage: Mapping[str, Any] | None, nano_usd: int | None) -> None:
        """Count one answered request."""
        with self._lock:
            self._total.add(usage, nano_usd)
            self._models.setdefault(model, UsageEntry()).add(usage, nano_usd)
            self._providers.setdefault(provider, UsageEntry()).add(usage, nano_usd)

    @property
    def total_requests(self) -> int:
        """Requests answered."""
        return self._total.total_requests

    @property
    def total_tokens(self) -> int:
        """Tokens, as the vendors reported them."""
        return self._total.total_tokens

    @property
    def total_cost(self) -> float:
        """USD, of the requests whose price is known; ``unpriced_requests`` says how many are not."""
        return self._total.total_cost

    @property
    def unpriced_requests(self) -> int:
        """Requests whose cost is unknown."""
        return self._total.unpriced_requests

    @property
    def by_model(self) -> dict[str, UsageEntry]:
        """Totals by model ID."""
        return dict(self._models)

    @property
    def by_provider(self) -> dict[str, UsageEntry]:
        """Totals by provider key."""
        return dict(self._providers)

    @property
    def budget_status(self) -> None:
        """``None``: no budget is kept."""
        return

    def reset(self) -> None:
        """Begin again at nothing."""
        with self._lock:
            self._total = UsageEntry()
            self._models.clear()
            self._providers.clear()

    def summary(self) -> str:
        """Return the totals as text, a line for each model."""
        lines = [_line("total", self._total), *(_line(f"  {model}", entry) for model, entry in self._models.items())]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<UsageTracker {_line('total', self._total)}>"


def _line(name: str, entry: UsageEntry) -> str:
    unknown = f" and {_count(entry.unpriced_requests)} of unknown price" if entry.unpriced_requests else ""
    return f"{name}: {_count(entry.total_requests)}, {entry.total_tokens} tokens, ${entry.total_cost:.6f}{unknown}"


def _count(requests: int) -> str:
    return "1 request" if requests == 1 else f"{requests} requests"
