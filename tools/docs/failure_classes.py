"""The table of failure classes, from the rules that the engine applies."""

from __future__ import annotations

from typing import Any

from markdown import table

from modelmesh.contracts import RULES, Effect, RetrySame, Scope

RETRIES = {
    RetrySame.NEVER: "no",
    RetrySame.IMMEDIATELY_ONCE: "once, immediately",
    RetrySame.IF_ONLY_TARGET: "if no other is ready",
    RetrySame.IF_ONLY_TARGET_ONCE: "once, if no other is ready",
}


def failure_classes(_: str) -> str:
    """Return the table of failure classes."""
    rows = [
        f"| `{kind}` | {rule.meaning} | {'yes' if rule.rotate else '**no**'} | {RETRIES[rule.retry_same]} "
        f"| {_effect(rule)} | {rule.billed} | `{rule.error.__name__}` |"
        for kind, rule in RULES.items()
    ]
    return table(("class", "cause", "failover", "retry of the same model", "health", "billed", "error"), rows)


def _effect(rule: Any) -> str:
    if rule.effect is Effect.NONE or rule.scope is Scope.NONE:
        return "no effect"
    if rule.effect is Effect.COUNT_FAILURE:
        return f"{rule.scope}: counts as a failure"
    longest = f", doubling to {_span(rule.cooldown_cap_s)}" if rule.cooldown_cap_s > rule.cooldown_s else ""
    return f"{rule.scope}: cooldown of {_span(rule.cooldown_s)}{longest}"


def _span(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
