"""Router: requests that name a model."""

from __future__ import annotations

import sys
from threading import Barrier, Thread
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh._engine.routing.candidate_set import Candidates
from modelmesh.contracts.discovery import SyncResult
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import BadRequestError, CapabilityNotFoundError, ConfigurationError

CHAT = "generation.text-generation.chat-completion"
EMBEDDINGS = "representation.embeddings.text-embeddings"


def _mesh(providers: dict[str, Any], pools: dict[str, Any] | None = None, **sections: Any) -> ModelMesh:
    mesh = ModelMesh()
    entries = {key: {"instance": provider} for key, provider in providers.items()}
    mesh.initialize({"providers": entries, "pools": pools or {"chat-completion": {}}, **sections})
    return mesh


def _ask(mesh: ModelMesh, model: str) -> str:
    return str(mesh.client.chat.completions.create(model=model, messages=[]).choices[0].message.content)


# -- provider of a model ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sep", "./")
def test_router_provider_key_names_one_entry(scripted: Any, sep: str) -> None:
    work, own = scripted("m"), scripted("m")
    mesh = _mesh(
        {"work": work, "test": own},  # the key of one is the vendor name of both
        {"all": {"models": ["m"]}, "one": {"models": [f"test{sep}m"]}},
    )
    assert _ask(mesh, f"test{sep}m") == "answer of m"
    assert (len(work.calls), len(own.calls)) == (0, 1)
    members = {pool.name: [str(one) for one in pool.members] for pool in mesh.list_pools()}
    assert members == {"all": ["work/m", "test/m"], "one": ["test/m"]}
    everybody = mesh.get_router().get_pool("all")
    named = Candidates(everybody, everybody.available).named(f"test{sep}m")
    assert [str(one) for one in named] == ["test/m"], "strategies, too, know it by that name"
    assert [str(one) for one in mesh.get_router().resolve("test.scripted.v1/m").members] == ["work/m", "test/m"]


def test_router_vendor_name_may_be_the_key_of_another_entry(scripted: Any) -> None:
    mesh = _mesh(
        {"work": scripted("m"), "test": scripted("n")},
        models={"test.m": {"provider": "work", "quota": {"requests_per_day": 5}}},
    )
    assert [str(one) for one in mesh.list_models()] == ["work/m", "test/n"]
    assert [row["of"] for row in mesh.limits()] == ["model:work/m"]


# -- operations of a model ---------------------------------------------------------------------------------------------


def test_router_chat_model_by_name_rejects_embeddings(scripted: Any) -> None:
    vendor = scripted(ModelInfo("m", capabilities=(CHAT,)))
    mesh = _mesh({"a": vendor})
    for name in ("chat-completion", "m", "a/m"):
        with pytest.raises(BadRequestError, match=r"serves chat\.completions, not embeddings\. Nothing was sent"):
            mesh.client.embeddings.create(model=name, input="x")
    assert vendor.calls == []
    assert _ask(mesh, "m") == "answer of m"


def test_router_recommends_a_pool_of_the_operation(scripted: Any) -> None:
    vendor = scripted(ModelInfo("m", capabilities=(CHAT,)), ModelInfo("e", capabilities=(EMBEDDINGS,)))
    mesh = _mesh({"a": vendor}, pools={"chat-completion": {}, "text-embeddings": {}})
    with pytest.raises(BadRequestError, match=r"the model 'm' serves .*Use model='text-embeddings'\.$"):
        mesh.client.embeddings.create(model="m", input="x")
    with pytest.raises(BadRequestError, match=r"the pool 'chat-completion' serves .*Add a pool for 'text-to-speech'"):
        mesh.client.audio.speech.create(model="chat-completion", input="x", voice="v")
    with pytest.raises(CapabilityNotFoundError, match=r"for example model='text-embeddings'\."):
        mesh.client.embeddings.create(model="e-1", input="x")


@pytest.mark.parametrize(
    ("stated", "pools"),
    [
        ((CHAT, EMBEDDINGS), {"chat-completion": {}}),
        ((CHAT,), {"any": {"models": ["m"]}}),
        ((CHAT, EMBEDDINGS), {"chat-completion": {}, "text-embeddings": {}}),
    ],
    ids=["it states both", "its pool is for anything", "pools of both"],
)
def test_router_model_by_name_has_operations_of_its_pools(scripted: Any, stated: Any, pools: Any) -> None:
    answer_body = {"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
    vendor = scripted(ModelInfo("m", capabilities=stated), answer=lambda *_: answer_body)
    mesh = _mesh({"a": vendor}, pools)
    assert mesh.client.embeddings.create(model="m", input="x", encoding_format="float").data[0].embedding == [0.5]


# -- concurrent changes -------------------------------------------------------------------------------------------


def test_router_threads_naming_models_keep_every_listener(scripted: Any) -> None:
    names = [f"m-{number}" for number in range(60)]
    mesh = _mesh({"a": scripted(*names)})
    together, found = Barrier(8), {}

    def name_them(turn: int) -> None:
        together.wait()
        for name in (*names[turn:], *names[:turn]):
            found[turn, name] = mesh.get_router().resolve(name)

    pause = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [Thread(target=name_them, args=(turn,)) for turn in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(pause)
    listening = {id(pool) for pool, _ in mesh.list_models()[0].account.listeners}
    assert {id(pool) for pool in found.values()} <= listening, "the other pools miss the notifications of the account"
    assert len({id(pool) for pool in found.values()}) == len(names)


class Finder:
    """Finds a model on request of the test."""

    id = "test.finder.v1"
    new: tuple[str, ...] = ()

    def sync(self, providers: Any = None) -> SyncResult:
        return SyncResult(self.new)

    def probe(self, provider_id: str) -> Any: ...


def test_router_model_joining_another_pool_is_separate(scripted: Any) -> None:
    finder = Finder()
    pools = {"one": {"capability": CHAT, "providers": ["a"]}, "two": {"capability": CHAT, "providers": ["b"]}}
    mesh = _mesh({"a": scripted("m"), "b": scripted("z")}, pools, discovery={"instance": finder, "sync": {}})
    before = mesh.get_router().resolve("a/m"), mesh.get_router().resolve("m")
    finder.new = ("b/m",)
    mesh.discovery.sync()
    assert [str(one) for one in mesh.list_pools()[1].members] == ["b/z", "b/m"]
    assert [[str(one) for one in pool.members] for pool in before] == [["a/m"], ["a/m"]]
    mesh.shutdown()


# -- aliases ------------------------------------------------------------------------------------------------------------------


def test_router_alias_names_pool_before_model(scripted: Any) -> None:
    mesh = _mesh({"work": scripted("m"), "own": scripted("n")}, {"all": {"models": ["n", "m"], "aliases": ["m", "gpt-4o"]}})
    router = mesh.get_router()
    assert router.resolve("m") is router.resolve("gpt-4o") is router.get_pool("gpt-4o") is router.get_pool("all")
    assert [_ask(mesh, name) for name in ("m", "gpt-4o", "work/m")] == ["answer of n", "answer of n", "answer of m"]
    assert "aliases: m, gpt-4o" in mesh.client.describe()
    explanation = mesh.client.explain(model="gpt-4o")
    assert (explanation.pool_name, explanation.aliases) == ("all", ("m", "gpt-4o"))
    assert "aliases: m, gpt-4o" in str(explanation)


def test_router_misspelt_alias_is_suggested(scripted: Any) -> None:
    mesh = _mesh({"work": scripted("m")}, {"all": {"models": ["m"], "aliases": ["gpt-4o-mini"]}})
    with pytest.raises(CapabilityNotFoundError, match="gpt-4o-mini"):
        mesh.get_router().resolve("gpt-4o-mimi")


@pytest.mark.parametrize(
    ("alias", "reason"),
    [("all", "name of a pool"), ("text-embeddings", "capability"), (" ", "empty"), ("x", "alias of the pool")],
)
def test_router_alias_with_another_meaning_is_an_error(scripted: Any, alias: str, reason: str) -> None:
    pools = {"all": {"models": ["m"], "aliases": ["x"]}, "more": {"models": ["m"], "aliases": [alias]}}
    with pytest.raises(ConfigurationError, match=reason):
        _mesh({"work": scripted("m")}, pools)
