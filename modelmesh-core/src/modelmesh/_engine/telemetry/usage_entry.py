"""Usage totals: requests, tokens and cost of one model, one provider, or everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from modelmesh._engine.foundation.units import NANO
from modelmesh.contracts.usage import MAX_TOKENS_PER_REQUEST, reported_tokens


@define
class UsageEntry:
    """Totals of one model, one provider, or everything.

    Tokens and costs include answers, streams that broke or were abandoned, and failed attempts with reported usage. Money is
    counted in whole nano-dollars, so that sums are exact.

    Attributes:
        total_requests: Requests answered, in whole or in part.
        prompt_tokens: Prompt tokens, as reported by the vendors or else estimated.
        completion_tokens: Completion tokens, as reported by the vendors or else estimated.
        estimated_requests: Requests with estimated tokens and cost, in part or as a whole.
        estimated_tokens: Tokens of those requests.
        unknown_usage_requests: Requests with neither a report nor an estimate. The totals do not contain them.
        unpriced_requests: Requests with known tokens and an unknown price. ``total_cost`` does not contain them.
        unknown_cost_attempts: Attempts without an answer that the vendor may charge for, at an unknown amount.
    """

    total_requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated_requests: int = 0
    estimated_tokens: int = 0
    unknown_usage_requests: int = 0
    unpriced_requests: int = 0
    unknown_cost_attempts: int = 0
    _nano_usd: int = field(default=0, alias="nano_usd")

    @property
    def total_tokens(self) -> int:
        """Prompt and completion tokens."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def total_cost(self) -> float:
        """USD, of the requests with a known price."""
        return self._nano_usd / NANO

    def add(self, tokens: tuple[int, int] | None, nano_usd: int | None, *, estimated: bool = False) -> None:
        """Count one answered request.

        Args:
            tokens: Its prompt and completion tokens, ``None`` when unknown.
            nano_usd: Its cost, ``None`` when unknown.
            estimated: Whether the tokens are an estimate.
        """
        self.total_requests += 1
        if nano_usd is None:
            if tokens is None:
                self.unknown_usage_requests += 1
            else:
                self.unpriced_requests += 1
        if tokens is not None:
            self.prompt_tokens += tokens[0]
            self.completion_tokens += tokens[1]
        if nano_usd:
            self._nano_usd += nano_usd
        if estimated:
            self.estimated_requests += 1
            self.estimated_tokens += 0 if tokens is None else tokens[0] + tokens[1]

    def charge(self, tokens: tuple[int, int], nano_usd: int) -> None:
        """Count the tokens and cost of an attempt, without counting a request."""
        self.prompt_tokens += tokens[0]
        self.completion_tokens += tokens[1]
        self._nano_usd += nano_usd

    def merge(self, other: UsageEntry) -> None:
        """Add the totals of another entry."""
        for name in _STORED_AS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def saved(self) -> dict[str, int]:
        """Return the totals as plain data for the stored state."""
        return {key: getattr(self, name) for name, key in _STORED_AS.items()}

    @classmethod
    def restored(cls, saved: Mapping[str, Any]) -> UsageEntry:
        """Return the totals of an earlier run. Invalid values count as 0."""
        counts = {name.lstrip("_"): saved.get(key) for name, key in _STORED_AS.items()}
        return cls(**{name: count for name, count in counts.items() if isinstance(count, int) and count >= 0})

    def summary(self, name: str) -> str:
        """Return the totals as one line of text that begins with a name."""
        estimated = f" ({self.estimated_tokens} estimated)" if self.estimated_tokens else ""
        rest = [(self.unpriced_requests, "of unknown price"), (self.unknown_usage_requests, "of unknown usage")]
        unknown = "".join(f" and {_requests(count)} {what}" for count, what in rest if count)
        return f"{name}: {_requests(self.total_requests)}, {self.total_tokens} tokens{estimated}, ${self.total_cost:.6f}{unknown}"


_STORED_AS = {attribute.name: attribute.name.lstrip("_") for attribute in UsageEntry.__attrs_attrs__} | {
    "unknown_cost_attempts": "unsettled_attempts"
}
"""Key of each attribute in the stored state. A key never changes, so that older state stays readable."""


def count_tokens(usage: Mapping[str, Any]) -> tuple[int, int]:
    """Return the prompt and completion tokens of a usage report. A missing or invalid count is 0."""
    prompt, output = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if (
        prompt.__class__ is int
        and output.__class__ is int
        and prompt >= 0 <= output
        and prompt + output <= MAX_TOKENS_PER_REQUEST
    ):
        return prompt, output  # the usual report needs no call
    return reported_tokens(prompt) or 0, reported_tokens(output) or 0


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count} requests"
