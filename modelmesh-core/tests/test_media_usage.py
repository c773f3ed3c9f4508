"""Usage and spending of operations that do not generate text."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest

from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.limits.consumption import consumption
from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh._engine.limits.counter import Limit, LimitCounter, Metric, Reserve
from modelmesh._engine.limits.media_usage import counted_units, expected_usage
from modelmesh._engine.limits.spending import plan_spending
from modelmesh._engine.limits.token_counts import prompt_size
from modelmesh._engine.limits.window import Period, Window
from modelmesh._engine.routing.reported_usage import in_chat_format
from modelmesh.contracts.call import Call
from modelmesh.contracts.files import FileUpload
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.operations import (
    DOCUMENTS,
    IMAGES,
    MESSAGES,
    RERANK,
    RESPONSES,
    SEARCH,
    SPEECH,
    TRANSCRIPTIONS,
    Operation,
)
from modelmesh.contracts.pricing import ModelPricing, UnitPrices


def audio(size: int, name: str = "a.mp3") -> FileUpload:
    return FileUpload(name, size, open=lambda: io.BytesIO(b""))


def model(pricing: ModelPricing | None) -> Any:
    info = ModelInfo("m", pricing=pricing)
    return SimpleNamespace(info=info, prompt_size=prompt_size, typical_output=None, recent_outputs=(), answers=0, answered_at=0.0)


def call(operation: Operation, **payload: Any) -> Call:
    return Call(operation, "pool", payload)


@pytest.mark.parametrize(
    ("operation", "reported", "expected"),
    [
        (RESPONSES, None, None),
        (RERANK, {"prompt_tokens": 1}, {"prompt_tokens": 1}),
        (
            RESPONSES,
            {"input_tokens": 3, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 1}},
            {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "prompt_tokens_details": {"cached_tokens": 1}},
        ),
        (
            MESSAGES,
            {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 10, "cache_creation_input_tokens": None},
            {"prompt_tokens": 13, "completion_tokens": 4, "total_tokens": 17, "prompt_tokens_details": {"cached_tokens": 10}},
        ),
        (
            TRANSCRIPTIONS,
            {
                "type": "tokens",
                "input_tokens": 9,
                "output_tokens": 2,
                "input_token_details": {"audio_tokens": 8, "text_tokens": 1},
            },
            {
                "prompt_tokens": 9,
                "completion_tokens": 2,
                "total_tokens": 11,
                "prompt_tokens_details": {"audio_tokens": 8, "text_tokens": 1},
            },
        ),
        (TRANSCRIPTIONS, {"type": "duration", "seconds": 2.5}, {"audio_seconds": 2.5}),
        (IMAGES, {"input_tokens": None, "output_tokens": 5}, {"completion_tokens": 5}),
    ],
)
def test_usage_of_every_operation_reads_as_usage_of_chat(operation: Operation, reported: Any, expected: Any) -> None:
    assert in_chat_format(operation, reported) == expected


@pytest.mark.parametrize(
    ("one", "body", "expected"),
    [
        (call(SPEECH, input="hello"), b"x", {"characters": 5}),
        (call(IMAGES, prompt="p", n=3), None, {"images": 3}),
        (call(IMAGES, prompt="p", n=3), {"data": [{}, {}]}, {"images": 2}),
        (call(SEARCH, query="q"), None, {"searches": 1}),
        (call(RERANK, query="q", documents=["d"] * 101), {"results": []}, {"searches": 2}),
        (call(RERANK, query="q", documents=["d"]), {"meta": {"billed_units": {"search_units": 4}}}, {"searches": 4}),
        (call(TRANSCRIPTIONS, file=audio(9)), {"text": "a", "duration": "1.5"}, {"audio_seconds": 1.5}),
        (call(TRANSCRIPTIONS, file=audio(9)), {"text": "a", "usage": {"type": "duration", "seconds": 2}}, {"audio_seconds": 2}),
        (call(TRANSCRIPTIONS, file=audio(9)), "only text", {}),
        (call(TRANSCRIPTIONS, file=audio(9)), {"text": "a", "duration": float("nan")}, {}),
        (call(DOCUMENTS, document={}), {"pages": [1, 2], "usage_info": {"pages_processed": 5}}, {"pages": 5}),
        (call(DOCUMENTS, document={}), {"pages": [1, 2]}, {"pages": 2}),
    ],
)
def test_units_that_a_request_or_an_answer_shows(one: Call, body: Any, expected: dict[str, float]) -> None:
    assert counted_units(one, body) == expected


def test_reported_usage_is_exact_and_a_missing_duration_is_an_estimate() -> None:
    by_minute = model(ModelPricing(units=UnitPrices(per_audio_minute=0.006)))
    request = call(TRANSCRIPTIONS, file=audio(40_000))
    exact = consumption(request, by_minute, {"audio_seconds": 3}, 0, {"text": "a"})
    assert (exact.usage, exact.estimated) == ({"audio_seconds": 3}, False)
    text_only = consumption(request, by_minute, None, 0, "text")
    assert (text_only.usage, text_only.estimated) == ({"audio_seconds": 10.0}, True)
    tokens = consumption(
        request, model(ModelPricing(0.001, 0.002)), {"prompt_tokens": 5, "completion_tokens": 6}, 0, {"text": "a"}
    )
    assert tokens.usage is not None
    assert (tokens.usage["prompt_tokens"], tokens.estimated) == (5, False)


def test_reported_tokens_without_details_are_of_the_medium_of_the_operation() -> None:
    pricing = ModelPricing(0.0025, 0.01, units=UnitPrices(audio_input_per_1k_tokens=0.006))
    found = consumption(
        call(TRANSCRIPTIONS, file=audio(1)), model(pricing), {"prompt_tokens": 100, "completion_tokens": 10}, 0, {}
    )
    assert (cost_nano_usd(pricing, found.usage), found.estimated) == (100 * 6_000 + 10 * 10_000, False)


def test_speech_priced_by_tokens_is_estimated_and_by_characters_is_exact() -> None:
    request = call(SPEECH, input="x" * 1000)
    by_tokens = model(ModelPricing(0.0006, units=UnitPrices(audio_output_per_1k_tokens=0.012)))
    estimated = consumption(request, by_tokens, None, 0, b"audio")
    assert estimated.estimated
    assert cost_nano_usd(by_tokens.info.pricing, estimated.usage) == 502 * 600 + 2500 * 12_000
    by_characters = model(ModelPricing(units=UnitPrices(per_1k_characters=0.015)))
    exact = consumption(request, by_characters, None, 0, b"audio")
    assert (exact.usage, exact.estimated) == ({"characters": 1000}, False)
    unpriced = consumption(request, model(None), None, 0, b"audio")
    assert (unpriced.usage, unpriced.estimated) == ({"characters": 1000}, False)


@pytest.mark.parametrize(
    ("request_", "pricing"),
    [
        (call(IMAGES, prompt="a cat", n=2, quality="high"), ModelPricing(units=UnitPrices(per_image=0.04))),
        (call(IMAGES, prompt="a cat"), ModelPricing(0.005, units=UnitPrices(image_output_per_1k_tokens=0.04))),
        (call(SPEECH, input="hello"), ModelPricing(units=UnitPrices(per_1k_characters=0.015))),
        (call(TRANSCRIPTIONS, file=audio(1_000_000)), ModelPricing(units=UnitPrices(per_audio_minute=0.006))),
        (call(RERANK, query="q", documents=["d"] * 250), ModelPricing(units=UnitPrices(per_search=0.002))),
        (call(DOCUMENTS, document={}), ModelPricing(units=UnitPrices(per_page=0.002))),
    ],
)
def test_a_budget_reserves_at_least_what_is_expected(request_: Call, pricing: ModelPricing) -> None:
    levels = [cost_nano_usd(pricing, usage) for usage in expected_usage(request_, prompt_size(request_))]
    assert None not in levels
    assert 0 < levels[0] <= levels[1] <= levels[2]  # type: ignore[operator]
    limit = Limit("l", Metric.COST, 10**12, Window(Period.DAY), SuspensionReason.BUDGET_EXCEEDED, reserve=Reserve.MAXIMUM)
    plan = plan_spending(model(pricing), request_, [LimitCounter(limit)], 0.0)
    assert (plan.needed(limit), plan.reserved_amount(limit), plan.limit) == (levels[2], levels[2], None)


def test_an_unknown_price_stays_unknown() -> None:
    limit = Limit("l", Metric.COST, 10**12, Window(Period.DAY), SuspensionReason.BUDGET_EXCEEDED)
    assert plan_spending(model(None), call(IMAGES, prompt="p"), [LimitCounter(limit)], 0.0).needed(limit) is None
