"""Assembly of many models: the work grows with the number of models, not with its square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import modelmesh
from modelmesh.contracts.models import ModelInfo

CHAT = "generation.text-generation.chat-completion"


class CountedName(str):
    """A name that counts its comparisons."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        CountedName.comparisons += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


class Vendor:
    """A provider that builds its list at each call."""

    id = "acme.llm.v1"

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.lists = 0

    def models(self) -> list[ModelInfo]:
        self.lists += 1
        return [ModelInfo(CountedName(name), CountedName(f"acme-{name}"), capabilities=(CHAT,)) for name in self.names]

    def send(self, call: Any) -> Any:
        raise NotImplementedError

    async def asend(self, call: Any) -> Any:
        raise NotImplementedError


def names(count: int) -> list[str]:
    return [f"m-{number}" for number in range(count)]


def listed_by_provider(vendor: Vendor) -> dict[str, Any]:
    return {"providers": {"a": {"instance": vendor, "models": list(vendor.names)}}, "pools": {"chat": {"capability": CHAT}}}


def listed_by_pool(vendor: Vendor) -> dict[str, Any]:
    return {"providers": {"a": {"instance": vendor}}, "pools": {"chat": {"capability": CHAT, "models": list(vendor.names)}}}


def listed_with_provider(vendor: Vendor) -> dict[str, Any]:
    listed = [f"a.{name}" for name in vendor.names]
    return {"providers": {"a": {"instance": vendor}}, "pools": {"chat": {"capability": CHAT, "models": listed}}}


def with_quotas(vendor: Vendor) -> dict[str, Any]:
    models = {name: {"provider": "a", "quota": {"requests_per_minute": 5}} for name in vendor.names}
    return {"providers": {"a": {"instance": vendor}}, "models": models, "pools": {"chat": {"capability": CHAT}}}


def with_priorities(vendor: Vendor) -> dict[str, Any]:
    return {
        "providers": {"a": {"instance": vendor}},
        "pools": {"chat": {"capability": CHAT, "model_priority": list(vendor.names)}},
    }


def one_pool_for_each(vendor: Vendor) -> dict[str, Any]:
    return {"providers": {"a": {"instance": vendor}}, "pools": {f"p-{name}": {"models": [name]} for name in vendor.names}}


FORMS = (listed_by_provider, listed_by_pool, listed_with_provider, with_quotas, with_priorities, one_pool_for_each)


@pytest.mark.filterwarnings("ignore:.*does not read 'model_priority'")
@pytest.mark.parametrize("form", FORMS)
def test_comparisons_of_names_grow_with_the_number_of_models(form: Any) -> None:
    counted = []
    for count in (100, 200):
        vendor = Vendor(names(count))
        CountedName.comparisons = 0
        with modelmesh.create(config=form(vendor)) as client:
            assert {model.id for model in client.models.list()} >= set(vendor.names)
        counted.append(CountedName.comparisons)
    assert counted[1] <= 2.5 * counted[0], counted


@pytest.mark.filterwarnings("ignore:.*does not read 'model_priority'")
@pytest.mark.parametrize("form", FORMS)
def test_the_list_of_a_provider_is_read_once(form: Any) -> None:
    vendor = Vendor(names(50))
    modelmesh.create(config=form(vendor)).close()
    assert vendor.lists == 1


def test_a_listed_name_gets_the_row_of_the_provider() -> None:
    vendor = Vendor(names(3))
    with modelmesh.create(
        config={
            "providers": {"a": {"instance": vendor, "models": ["m-2", "acme-m-0", "new"]}},
            "pools": {"mine": {"providers": ["a"]}},
        }
    ) as client:
        assert {model.id for model in client.models.list()} >= {"m-2", "m-0", "new"}
