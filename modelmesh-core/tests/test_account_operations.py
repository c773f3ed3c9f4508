"""Operations of accounts: an ID names its account, creation fails over, lists go over every account."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh.contracts import OPERATIONS, RULES, FailureClass
from modelmesh.contracts.call import Call, CallOptions
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer
from modelmesh.errors import (
    AllProvidersExhaustedError,
    BadRequestError,
    CapabilityNotFoundError,
    ModelMeshError,
    NoActiveModelError,
    ProviderError,
)

ALL = frozenset(OPERATIONS)


async def asleep(seconds: float) -> None: ...


class Vendor:
    id = "test.vendor.v1"
    capabilities = ("chat-completion",)

    def __init__(self, answer: Callable[[Call], Any], operations: frozenset[str] = ALL) -> None:
        self._answer, self.native_operations = answer, operations
        self.calls: list[Call] = []

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("m")]

    def send(self, call: Call, model: str, limits: Any) -> Any:
        self.calls.append(call)
        found = self._answer(call)
        if isinstance(found, Exception):
            raise found
        return Answer(found)

    async def asend(self, call: Call, model: str, limits: Any) -> Any:
        return self.send(call, model, limits)

    def close(self) -> None: ...

    async def aclose(self) -> None: ...


def failed(kind: FailureClass, status: int | None = None) -> ProviderError:
    return RULES[kind].error(kind.value, failure=kind, status=status)


def file(call: Call) -> Any:
    return {"id": call.payload.get("file_id", "file-1"), "object": "file", "filename": "a@b.txt"}


class World:
    """A mesh of the accounts ``a``, ``b``, … with scripted answers."""

    def __init__(self, *answers: Any, operations: tuple[frozenset[str], ...] = (), sync: bool = True) -> None:
        chosen = [*operations, *[ALL] * (len(answers) - len(operations))]
        functions = [one if callable(one) else lambda call, one=one: one for one in answers]
        self.vendors = {
            "abc"[place]: Vendor(answer, native) for place, (answer, native) in enumerate(zip(functions, chosen, strict=True))
        }
        self.sync = sync
        self.mesh = ModelMesh(sleep=lambda seconds: None, asleep=asleep)
        self.mesh.initialize({"providers": {key: {"instance": vendor} for key, vendor in self.vendors.items()}})

    def ask(self, name: str, *, only: tuple[str, ...] = (), **payload: Any) -> Any:
        call = Call(OPERATIONS[name], name, payload, options=CallOptions(only_providers=frozenset(only)))
        with self.mesh:
            requests = self.mesh._requests
            served = requests.serve(call) if self.sync else asyncio.run(requests.aserve(call))
        return served.outcome.body

    @property
    def asked(self) -> list[tuple[str, dict[str, Any]]]:
        return [(key, call.payload) for key, vendor in self.vendors.items() for call in vendor.calls]


BOTH = pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])


@BOTH
def test_create_qualifies_the_id_with_the_account(sync: bool) -> None:
    world = World(file, file, sync=sync)
    assert world.ask("files.create", file=b"", purpose="batch") == {"id": "file-1@a", "object": "file", "filename": "a@b.txt"}


@BOTH
@pytest.mark.parametrize(
    "kind", [FailureClass.CONNECT, FailureClass.SERVER, FailureClass.CREDENTIAL, FailureClass.THROTTLE, FailureClass.PERMISSION]
)
def test_create_fails_over_to_the_next_account(sync: bool, kind: FailureClass) -> None:
    world = World(failed(kind), file, sync=sync)
    assert world.ask("files.create", purpose="batch")["id"] == "file-1@b"


@BOTH
@pytest.mark.parametrize(
    ("name", "payload", "sent"),
    [
        ("files.retrieve", {"file_id": "file-9@b"}, {"file_id": "file-9"}),
        ("batches.create", {"input_file_id": "f@b", "endpoint": "/v1/x@b"}, {"input_file_id": "f", "endpoint": "/v1/x@b"}),
        ("uploads.complete", {"upload_id": "u@b", "part_ids": ["p@b", "q@b"]}, {"upload_id": "u", "part_ids": ["p", "q"]}),
        ("files.list", {"after": "file-9@b"}, {"after": "file-9"}),
        (
            "responses.input_items.list",
            {"response_id": "resp_1@b", "after": "msg_1"},
            {"response_id": "resp_1", "after": "msg_1"},
        ),
        (
            "batches.create",
            {"input_file_id": "f@b", "metadata": {"mail": "me@b"}},
            {"input_file_id": "f", "metadata": {"mail": "me@b"}},
        ),
    ],
)
def test_qualified_id_pins_the_account(sync: bool, name: str, payload: Any, sent: Any) -> None:
    world = World(file, lambda call: {"id": "x", "data": []}, sync=sync)
    world.ask(name, **payload)
    assert world.asked == [("b", sent)]


def test_answer_qualifies_every_id_of_the_account() -> None:
    batch = {"id": "batch_1", "input_file_id": "f", "output_file_id": "g", "error_file_id": None, "metadata": {"id": "mine"}}
    assert World(batch).ask("batches.retrieve", batch_id="batch_1@a") == {
        "id": "batch_1@a", "input_file_id": "f@a", "output_file_id": "g@a", "error_file_id": None, "metadata": {"id": "mine"},
    }  # fmt: skip
    upload = {"id": "upload_1", "file": {"id": "file-1"}}
    assert World(upload).ask("uploads.complete", upload_id="upload_1@a", part_ids=[])["file"] == {"id": "file-1@a"}
    assert batch["id"] == "batch_1", "what a provider returned may be shared, and is not changed"


def test_unqualified_id_goes_to_the_only_account() -> None:
    world = World(file, file, operations=(frozenset(), ALL))
    assert world.ask("files.retrieve", file_id="file-9")["id"] == "file-9@b"
    world = World(file, file)
    assert world.ask("files.retrieve", file_id="file-9", only=("b",))["id"] == "file-9@b"


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"file_id": "file-9"}, ["'file-9'", "2 accounts", "a, b", "'file-9@a'"]),
        ({"file_id": "file-9@z"}, ["'z'", "not configured", "a, b, c"]),
        ({"file_id": "file-9@c"}, ["'c'", "does not serve", "a, b"]),
        ({"file_id": "file-9@a", "after": "file-8@b"}, ["several accounts: a, b"]),
    ],
)
def test_id_without_one_account_is_refused(payload: Any, words: list[str]) -> None:
    world = World(file, file, file, operations=(ALL, ALL, frozenset()))
    with pytest.raises(BadRequestError) as caught:
        world.ask("files.retrieve", **payload)
    assert all(word in caught.value.message for word in words), caught.value.message
    assert (world.asked, caught.value.status) == ([], 400)


def test_operation_that_no_account_serves() -> None:
    with pytest.raises(CapabilityNotFoundError, match=r"no account serves files.create. Configured: a"):
        World(file, operations=(frozenset(),)).ask("files.create")


@pytest.mark.parametrize("kind", [FailureClass.NOT_FOUND, FailureClass.REFUSED])
def test_missing_resource_does_not_affect_the_account(kind: FailureClass) -> None:
    answers: list[Any] = [failed(kind, 404), failed(kind, 404), {"id": "file-1"}]
    world = World(lambda call: answers.pop(0))
    mesh = world.mesh
    for _ in range(2):
        with pytest.raises(ProviderError) as caught:
            mesh._requests.serve(Call(OPERATIONS["files.retrieve"], "", {"file_id": "file-1@a"}))
        assert (caught.value.status, len(caught.value.attempts)) == (404, 1)
    assert world.ask("files.retrieve", file_id="file-1@a") == {"id": "file-1@a"}


def test_failures_open_the_circuit_of_the_account() -> None:
    world = World(failed(FailureClass.CREDENTIAL, 401), file)
    requests = world.mesh._requests
    for _ in range(2):
        requests.serve(Call(OPERATIONS["files.create"], "", {}))
    assert [len(vendor.calls) for vendor in world.vendors.values()] == [1, 2], "the rejected key is not tried again"
    with pytest.raises(ModelMeshError) as caught:
        world.ask("files.retrieve", file_id="file-1@a")
    assert "a" in caught.value.message
    assert len(world.vendors["a"].calls) == 1


def test_every_account_failed() -> None:
    with pytest.raises(AllProvidersExhaustedError) as caught:
        World(failed(FailureClass.CREDENTIAL, 401), failed(FailureClass.CREDENTIAL, 401)).ask("files.create")
    assert [attempt.provider_id for attempt in caught.value.attempts] == ["a", "b"]
    assert {attempt.model_id for attempt in caught.value.attempts} == {"files.create"}


def files(*names: str, more: bool = False) -> Callable[[Call], Any]:
    """Return a list that ends after a cursor."""

    def answer(call: Call) -> Any:
        rest = names[names.index(call.payload["after"]) + 1 :] if "after" in call.payload else names
        return {"object": "list", "data": [{"id": name} for name in rest[:2]], "has_more": len(rest) > 2}

    return answer


@BOTH
def test_list_goes_over_every_account(sync: bool) -> None:
    world = World(files("f1", "f2", "f3"), files(), files("f4"), sync=sync)
    world.mesh.shutdown = lambda: None  # type: ignore[method-assign]
    found, cursor = [], {}
    while True:
        page = world.ask("files.list", **cursor)
        found += [one["id"] for one in page["data"]]
        if not page["has_more"]:
            break
        cursor = {"after": found[-1]}
    assert found == ["f1@a", "f2@a", "f3@a", "f4@c"]
    assert [len(vendor.calls) for vendor in world.vendors.values()] == [2, 1, 1], "no account is asked for a page that it lacks"
    assert [one["id"] for one in world.ask("files.list", only=("c",))["data"]] == ["f4@c"]


def test_explain_of_an_account_operation() -> None:
    world = World(file, file)
    found = world.mesh.explain("files.create")
    assert (found.selected_provider, found.selected_model, len(found.candidates)) == ("a", "files.create", 2)
    found = world.mesh.explain("", Call(OPERATIONS["files.retrieve"], "", {"file_id": "f@b"}))
    assert found.selected_provider == "b"
    assert "an ID of the account 'b'" in found.candidates[0].reason


def test_account_operations_are_counted_without_cost() -> None:
    world = World(file)
    world.ask("files.create")
    usage = world.mesh.usage.total
    assert (usage.total_requests, usage.total_tokens, usage.total_cost) == (1, 0, 0.0)
    assert (usage.unknown_usage_requests, usage.unpriced_requests) == (0, 0)
    assert world.mesh.get_statistics().pool("files.create").requests_total == 1


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("files.list", {"object": "list", "data": None}),
        ("files.list", {"object": "list", "data": {"a": 1}, "has_more": True}),
        ("batches.list", {"object": "list", "data": ["batch_1"]}),
        ("files.create", {"status": "ok"}),
        ("files.delete", {"id": None, "deleted": True}),
    ],
)
def test_answer_that_is_no_resource_is_invalid(name: str, answer: dict[str, Any]) -> None:
    with pytest.raises(AllProvidersExhaustedError) as caught:
        World(answer).ask(name, file=b"", purpose="batch", file_id="file-1")
    assert [attempt.failure for attempt in caught.value.attempts] == ["protocol"]


def test_id_of_an_account_outside_the_pool_goes_to_no_other_account() -> None:
    vendors = {key: Vendor(file) for key in "ab"}
    mesh = ModelMesh(sleep=lambda seconds: None)
    pool = {"providers": ["a"], "capability": "chat-completion"}
    mesh.initialize({"providers": {key: {"instance": one} for key, one in vendors.items()}, "pools": {"pool": pool}})
    part = {"type": "file", "file": {"file_id": "file-1@b"}}
    call = Call(OPERATIONS["chat.completions"], "pool", {"messages": [{"role": "user", "content": [part]}]})
    with mesh, pytest.raises(NoActiveModelError, match="account 'b'"):
        mesh._requests.serve(call)
    assert not vendors["a"].calls
