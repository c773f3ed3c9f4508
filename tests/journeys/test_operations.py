"""``create("<capability>")`` with the keys of several vendors, for every operation that is no chat.

While one vendor is healthy, no request fails, and a file arrives there whole. Usage and cost are those of the catalogue's units.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from fakevendors import Account, Street
from operation_asks import ASKS, PNG
from operation_cells import (
    FAILURES,
    OperationCell,
    all_operation_cells,
    ask_once,
    covering_operation_cells,
    opening,
    run_operation,
)

import modelmesh

CELLS: dict[tuple[str, str], list[OperationCell]] = defaultdict(list)
for one in covering_operation_cells():
    CELLS[one.operation, one.way].append(one)

SINGLE = [(operation, vendor) for operation, ask in ASKS.items() for vendor in ask.vendors]
CHEAPEST = {
    "audio.speech": ("google", "gemini-3.8-flash-lite-tts"),
    "audio.transcriptions": ("groq", "whisper-large-v3-turbo"),
    "documents.parse": ("cohere", "parse-v5.0"),
    "moderations": ("openai", "omni-moderation-latest"),
    "rerank": ("cohere", "rerank-v5.0-fast"),
}
UNITS = {"per_image": ("images", 1), "per_audio_minute": ("audio_seconds", 60), "per_1k_characters": ("characters", 1000)}
UNITS |= {"per_page": ("pages", 1), "per_search": ("searches", 1), "per_request": ("requests", 1)}
TOKENS = {"input_per_1k_tokens": "prompt_tokens", "output_per_1k_tokens": "completion_tokens"}


@pytest.mark.parametrize(("operation", "way"), CELLS, ids=["-".join(key) for key in CELLS])
def test_pool_of_two_with_one_failing_answers_every_request(operation: str, way: str, street: Street) -> None:
    found = {cell: run_operation(cell, street) for cell in CELLS[operation, way]}
    bad = [f"{cell}: {one.why}, {one.billable} billable, {one.refused}" for cell, one in found.items() if not one.is_good]
    assert not bad, "\n".join(bad)


def test_covering_has_every_failure_and_vendor_of_each_operation() -> None:
    cells = list(covering_operation_cells())
    for operation, ask in ASKS.items():
        own = [cell for cell in cells if cell.operation == operation]
        if len(ask.vendors) < 2:
            assert not own
            continue
        assert {cell.way for cell in own} == set(FAILURES)
        assert {cell.first for cell in own} == {cell.second for cell in own} == set(ask.vendors)
        modes = {cell.mode for cell in all_operation_cells() if cell.operation == operation}
        assert {cell.mode for cell in own} == modes
        assert {cell.face for cell in own} == ({"client", "sdk"} if ask.in_sdk else {"client"})


def expected_cost(account: Account) -> float | None:
    """Return the vendor's bill at the catalogue's prices, ``None`` where the catalogue has no price."""
    result = account.results[-1]
    row = next(row for row in account.vendor.catalogue if row.get("upstream", row["id"]) == result.model)
    prices, units = row.get("pricing"), {"requests": 1, **result.units}
    if prices is None:
        return None
    total = sum(prices[name] * units[key] / per for name, (key, per) in UNITS.items() if name in prices)
    if any(name in prices for name in UNITS if name != "per_request"):
        return float(total)
    images = units.pop("image_completion_tokens", 0) if "image_output_per_1k_tokens" in prices else 0
    tokens = {**units, "completion_tokens": units.get("completion_tokens", 0) - images}
    total += sum(prices.get(name, 0) * tokens.get(key, 0) / 1000 for name, key in TOKENS.items())
    return float(total + images * prices.get("image_output_per_1k_tokens", 0) / 1000)


@pytest.mark.parametrize(("operation", "vendor"), SINGLE, ids=["-".join(key) for key in SINGLE])
def test_single_key_serves_the_operation_at_the_catalogues_price(operation: str, vendor: str, street: Street) -> None:
    account, ask = street.account(vendor), ASKS[operation]
    names, keywords = opening(ask, account)
    with modelmesh.create(*names, **keywords) as client:
        reply = ask_once(client, ask)
        assert ask.is_from(vendor, ask.read(reply))
        assert (len(account.calls), account.refused) == (1, [])
        if ask.owners:
            return
        expected, (attempt,) = expected_cost(account), reply.attempts
        if expected is not None and not attempt.estimated:
            assert client.usage.total_cost == pytest.approx(expected, rel=1e-5)
        for name, count in account.results[-1].units.items():
            if name in (attempt.usage or {}) and not attempt.estimated:
                assert attempt.usage[name] == count


@pytest.mark.parametrize("operation", CHEAPEST)
def test_cost_first_begins_with_the_cheapest_vendor(operation: str, street: Street) -> None:
    ask = ASKS[operation]
    accounts = {name: street.account(name) for name in ask.vendors}
    names, keywords = opening(ask, *accounts.values(), strategy="cost-first")
    with modelmesh.create(*names, **keywords) as client:
        reply = ask_once(client, ask)
    vendor, model = CHEAPEST[operation]
    assert ask.is_from(vendor, ask.read(reply))
    assert [name for name, one in accounts.items() if one.calls] == [vendor]
    assert accounts[vendor].results[-1].model == model


@pytest.mark.parametrize("form", ["path", "bytes", "file", "tuple"])
def test_document_is_any_form_of_a_file(form: str, street: Street, tmp_path: Any) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    ask, account = ASKS["documents.parse"], street.account("mistral")
    names, keywords = opening(ask, account)
    with modelmesh.create(*names, **keywords) as client, path.open("rb") as file:
        document = {"path": path, "bytes": PNG, "file": file, "tuple": ("b.png", PNG)}[form]
        reply = client.capability("document-parsing").call(document=document)
    assert ask.is_from("mistral", reply.pages[0].markdown)
