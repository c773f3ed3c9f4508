"""The catalogue of connectors: facts from the packages, and the results of the conformance tests.

All facts come from the packages and from ``reference/conformance.json``. A fact without a source is "unknown".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connector_facts import Connector, connectors
from markdown import codes, table

from modelmesh.capabilities.nodes import standard_tree
from modelmesh.contracts import CHAT, EMBEDDINGS, OPERATIONS, Kind
from modelmesh.contracts.models import ModelInfo, ModelPricing, PriceBand
from modelmesh_cdk.testing.report import OUTCOMES

UNKNOWN = "unknown"
FEATURES = {
    "streaming": "streaming",
    "tool_calling": "tools",
    "vision": "images",
    "structured_output": "JSON schema",
    "json_mode": "JSON mode",
    "system_prompt": "system prompt",
}
"""Labels of the features in every provider's section. Other features appear where a model states them."""

# -- the parts of the page ------------------------------------------------------------------------------------------


def overview(_: str) -> str:
    """Return a line for each provider."""
    shown = ("streaming", "tool_calling", "vision", "structured_output")
    rows = []
    for one in _providers():
        able = " | ".join(_able(one.models, feature) for feature in shown)
        facts = f"{codes(one.detected_by) or 'none'} | {len(one.models) or 'all that it serves'} | {able}"
        last = f"{free_tier(one.facts, brief=True)} | {conformance(one)}"
        rows.append(f"| [{one.name}](#{_anchor(one.name)}) | `{one.id}` | {facts} | {last} |")
    head = ("provider", "ID", "variable", "models", *(FEATURES[feature] for feature in shown), "free tier", "conformance tests")
    return table(head, rows)


def providers(_: str) -> str:
    """Return a section for each provider."""
    return "\n".join(_section(one) for one in _providers())


def others(_: str) -> str:
    """Return a line for each connector of another kind, followed by the tests that they do not pass."""
    rows, gaps = [], []
    for one in connectors():
        if one.kind is not Kind.PROVIDER:
            also = codes([*filter(None, [one.short]), *one.aliases])
            rows.append(
                f"| {one.kind.label} | `{one.id}` | {also} | {_first_line(one.cls)} | `{one.package}` | {conformance(one)} |"
            )
            gaps += [f"- `{one.id}`: {line}\n" for line in _gaps(one)]
    written = table(("kind", "ID", "also written", "purpose", "package", "conformance tests"), rows)
    return "".join([written, *(["\n"] if gaps else []), *gaps])


def _providers() -> list[Connector]:
    return [one for one in connectors() if one.kind is Kind.PROVIDER]


def _section(one: Connector) -> str:
    facts = [
        ("ID", f"`{one.id}`" + (f", also {codes(one.aliases)}" if one.aliases else "")),
        ("short name", f"`{one.short}`"),
        ("package", f"`{one.package}`"),
        ("key", _key(one.cls)),
        ("address", _address(one.cls)),
        ("detected by", codes(one.detected_by) or "no variable"),
        ("serves", _serves(one)),
        ("features in chats", _abilities(one.models)),
        ("free tier", free_tier(one.facts)),
        ("conformance tests", conformance(one)),
    ]
    lines = [f"### {one.name}", "", _first_line(one.cls), "", table(("", ""), [f"| {name} | {fact} |" for name, fact in facts])]
    lines += [f"- {line}" for line in _gaps(one)] + [""] * bool(_gaps(one))
    return "\n".join([*lines, _models(one)])


def _models(one: Connector) -> str:
    source, day = str(one.facts.get("source", UNKNOWN)), one.facts.get("as_of", UNKNOWN)
    if not one.models:
        return f"No model is listed: {source.removeprefix('none: ')} ({day}).\n"
    head = ["model", "context window", "max output", "input", "cached input", "output", "price as of", "features"]
    notes = [_notes(info, one.facts) for info in one.models]
    rows = [
        f"| `{info.id}` | {_number(info.context_window)} | {_number(info.max_output_tokens)} | {_prices(info.pricing)} "
        f"| {_features(info)} |{f' {note} |' if any(notes) else ''}"
        for info, note in zip(one.models, notes, strict=True)
    ]
    count = f"{len(one.models)} model{'s' * (len(one.models) > 1)}"
    under = "\n\n".join([f"Models: {_source(source)}, {day}.", *_price_sources(one.models), *_tier_sources(one.models)])
    written = table([*head, *(["notes"] if any(notes) else [])], rows)
    return f"<details>\n<summary>{count}</summary>\n\n{written}\n{under}\n\n</details>\n"


# -- facts as text -------------------------------------------------------------------------------------------------


def _key(cls: Any) -> str:
    names = [name for name in (getattr(cls, "api_key_variable", None), *getattr(cls, "other_key_variables", ())) if name]
    if getattr(cls, "requires_key", False):
        return " or ".join(f"`{name}`" for name in names) or "`api_key`"
    return "optional" + (f" ({codes(names)} is sent if set)" if names else "")


def _address(cls: Any) -> str:
    address, variable = getattr(cls, "default_base_url", ""), getattr(cls, "base_url_variable", None)
    if not address:
        return "none: runs in process" if not hasattr(cls, "default_base_url") else UNKNOWN
    return (f"`{variable}`, else " if variable else "") + f"`{address}`"


def _serves(one: Connector) -> str:
    """Return its capabilities, each with the operations that serve it.

    Embeddings are included if the conformance tests used them, even if no row of the catalogue states them.
    """
    tree = standard_tree()
    operations: dict[Any, list[str]] = {}
    for row in OPERATIONS.values():
        if row.capability and not row.translates:
            operations.setdefault(tree.get_node(row.capability), []).append(row.name)
    stated = [name for info in one.models for name in info.capabilities] or list(getattr(one.cls, "default_capabilities", ()))
    nodes = dict.fromkeys(tree.get_node(name) or name for name in stated)
    found = []
    for node in nodes:
        names = operations.get(node, [])
        found.append(f"{getattr(node, 'name', node)} ({codes(names) or 'no operation'})")
    embeds = tree.get_node(EMBEDDINGS.capability)
    result = one.results["checks"].get(EMBEDDINGS.name, {})
    if embeds not in nodes and result.get("passed") and "failed" not in result:
        found.append(f"{EMBEDDINGS.capability} (`{EMBEDDINGS.name}`) with a model from your configuration")
    return ", ".join(found) or UNKNOWN


def _features_of(info: ModelInfo) -> dict[str, bool]:
    """Return the features that a row states, streaming included."""
    delivery = {"streaming": info.delivery["streaming"]} if "streaming" in info.delivery else {}
    return {**delivery, **info.features}


def _abilities(models: Sequence[ModelInfo]) -> str:
    """Return the state of each feature, followed by the unknown features."""
    stated = sorted({name for info in models for name in _features_of(info)})
    found = {FEATURES.get(name, _plain(name)): _able(models, name) for name in dict.fromkeys([*FEATURES, *stated])}
    known = [f"{name}: {word}" for name, word in found.items() if word != UNKNOWN]
    unknown = [name for name, word in found.items() if word == UNKNOWN]
    return "<br>".join([" · ".join(known), *([f"{UNKNOWN}: {', '.join(unknown)}"] if unknown else [])]).removeprefix("<br>")


def _chat(models: Sequence[ModelInfo]) -> Sequence[ModelInfo]:
    """Return the chat models, or all models if there are none. Features describe chats."""
    tree = standard_tree()
    return [info for info in models if tree.get_node(CHAT.capability) in map(tree.get_node, info.capabilities)] or models


def _able(models: Sequence[ModelInfo], feature: str) -> str:
    """Return the state of one feature over all chat models, with counts if they differ."""
    stated = [_features_of(info).get(feature) for info in _chat(models)]
    words = {True: "yes", False: "no", None: UNKNOWN}
    counts = {word: stated.count(value) for value, word in words.items() if value in stated}
    if len(counts) <= 1:
        return next(iter(counts), UNKNOWN)
    return ", ".join(f"{word} ({n})" for word, n in counts.items())


def _features(info: ModelInfo) -> str:
    stated = _features_of(info)
    names = [*FEATURES, *sorted(set(stated) - set(FEATURES))]
    able = [FEATURES.get(name, _plain(name)) for name in names if stated.get(name)]
    unable = [f"no {FEATURES.get(name, _plain(name))}" for name in names if stated.get(name) is False]
    return ", ".join([*able, *unable]) or UNKNOWN


def _prices(price: ModelPricing | None) -> str:
    if price is None:
        return " | ".join([UNKNOWN] * 4)
    per_request = f" and {_dollars(price.per_request, 1)} a request" if price.per_request is not None else ""
    amounts = (price.input_per_1k_tokens, price.cached_input_per_1k_tokens, price.output_per_1k_tokens)
    first, *others = map(_dollars, amounts)
    return " | ".join([first + per_request, *others, price.as_of or UNKNOWN])


def _dollars(amount: float | None, times: int = 1000) -> str:
    return UNKNOWN if amount is None else f"${(Decimal(str(amount)) * times).normalize():f}"


def _price_sources(models: Sequence[ModelInfo]) -> list[str]:
    by_source: dict[str, list[str]] = {}
    for info in models:
        if info.pricing is not None:
            by_source.setdefault(f"{info.pricing.source or UNKNOWN}, {info.pricing.as_of or UNKNOWN}", []).append(info.id)
    several = len(by_source) > 1
    return [f"Prices{f' of {codes(ids)}' if several else ''}: {_text(source)}." for source, ids in by_source.items()]


def _notes(info: ModelInfo, facts: Mapping[str, Any]) -> str:
    """Return the facts of a row that have no column."""
    found = [f"upstream name `{info.upstream}`"] if info.upstream and info.upstream != info.id else []
    found += [_band(band) for band in info.pricing.bands] if info.pricing else []
    found += _unit_prices(info.pricing) if info.pricing else []
    for name, value in info.extra.items():
        if name == "free_tier":
            found += [f"free tier: {_limits(row)}" for row in _tiers(info)]
        elif value is not None and value != facts.get(name):
            words = ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
            found.append(f"{_plain(name)}: {_text(words)}")
    return "<br>".join(found)


PARTS = {
    "input_per_1k_tokens": "in",
    "cached_input_per_1k_tokens": "cached",
    "cache_write_per_1k_tokens": "into the cache",
    "output_per_1k_tokens": "out",
}


UNITS = {
    "per_image": (1, "an image"),
    "per_audio_minute": (1, "a minute of audio"),
    "per_1k_characters": (1000, "1M characters"),
    "per_page": (1, "a page"),
    "per_search": (1, "a search"),
    "audio_input_per_1k_tokens": (1000, "1M tokens of audio in"),
    "audio_output_per_1k_tokens": (1000, "1M tokens of audio out"),
    "image_input_per_1k_tokens": (1000, "1M tokens of images in"),
    "image_output_per_1k_tokens": (1000, "1M tokens of images out"),
}


def _unit_prices(price: ModelPricing) -> list[str]:
    """Return the prices of units that have no column."""
    stated = {name: getattr(price.units, name) for name in UNITS} if price.units else {}
    return [f"{_dollars(amount, UNITS[name][0])} {UNITS[name][1]}" for name, amount in stated.items() if amount is not None]


def _band(band: PriceBand) -> str:
    """Return the condition and the prices of a price band."""
    when = [f"from {band.since}"] if band.since else []
    when += [f"above {_number(band.above_prompt_tokens)} prompt tokens"] if band.above_prompt_tokens is not None else []
    when += [f"{' and '.join(band.hours)} UTC"] if band.hours else []
    when += [", ".join(band.days)] if band.days else []
    prices = [f"{_dollars(getattr(band, name))} {words}" for name, words in PARTS.items() if getattr(band, name) is not None]
    prices += [f"{_dollars(band.per_request, 1)} a request"] if band.per_request is not None else []
    return f"{' '.join(when)}: {', '.join(prices)}"


def _limits(row: Mapping[str, Any]) -> str:
    """Return the limits of a free tier as text."""
    limits = [(name.partition("_per_"), value) for name, value in row.items() if "_per_" in name]
    stated = [f"{_number(value)} {what} a {window}" for (what, _, window), value in limits]
    shared = f", shared ({row['shared']})" if row.get("shared") else ""
    zone = f", days of {row['reset_zone']}" if row.get("reset_zone") else ""
    return f"{', '.join(stated)}{shared}{zone}"


def _tiers(info: ModelInfo) -> Sequence[Mapping[str, Any]]:
    rows = info.extra.get("free_tier") or ()
    return [rows] if isinstance(rows, Mapping) else rows


def _tier_sources(models: Sequence[ModelInfo]) -> list[str]:
    rows = [row for info in models for row in _tiers(info)]
    stated = dict.fromkeys(f"{_source(row.get('source', UNKNOWN))}, {row.get('as_of', UNKNOWN)}" for row in rows)
    return [f"Free tiers: {source}." for source in stated]


def free_tier(facts: Mapping[str, Any], *, brief: bool = False) -> str:
    """Return ``free_tier`` of a ``models.json`` as text: ``{"available": …, "what": …, "source": …, "as_of": …}``, or unknown."""
    tier = facts.get("free_tier")
    if not isinstance(tier, Mapping) or not isinstance(tier.get("available"), bool):
        return UNKNOWN
    word = "yes" if tier["available"] else "no"
    if brief:
        return word
    what = f": {_source(tier['what'])}" if tier.get("what") else ""
    return f"{word}{what} ({_text(tier.get('source', f'source {UNKNOWN}'))}, {tier.get('as_of', f'day {UNKNOWN}')})"


# -- conformance ----------------------------------------------------------------------------------------------------


def conformance(one: Connector) -> str:
    """Return the outcomes of its conformance tests, counted."""
    found = one.results
    if not found["checks"]:
        return "not run"
    counts: dict[str, int] = {}
    for row in found["checks"].values():
        for outcome, n in row.items():
            counts[outcome] = counts.get(outcome, 0) + n
    return ", ".join(f"{counts[outcome]} {_outcome(outcome)}" for outcome in reversed(OUTCOMES) if outcome in counts)


def _gaps(one: Connector) -> list[str]:
    return [f"{_outcome(note['outcome'])}: {_text(note['reason'])} ({codes(note['tests'])})" for note in one.results["notes"]]


def _outcome(word: str) -> str:
    return "expected to fail" if word == "xfailed" else word


# -- writing --------------------------------------------------------------------------------------------------------


def _number(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _text(text: str) -> str:
    return " ".join(str(text).split()).replace("|", r"\|").replace("<", "&lt;")


def _source(text: str) -> str:
    return _text(text).replace("; ", " · ")


def _first_line(cls: Any) -> str:
    return _text((cls.__doc__ or UNKNOWN).partition("\n\n")[0]).replace("``", "`")


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
