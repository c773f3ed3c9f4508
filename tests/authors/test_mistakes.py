"""Plugin mistakes: every row of the docs page, reproduced by an installed third-party package."""

from __future__ import annotations

import inspect
import logging
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from modelmesh._engine.plugins import attribution
from modelmesh._engine.plugins.validation import MisspeltHookWarning
from modelmesh.errors import BrokenConnectorError, ConnectorError, ConnectorLoadError, ModelMeshError, UnknownConnectorError

PROVIDER = 'from modelmesh_cdk import BaseProvider\n\n\nclass Acme(BaseProvider):\n    id = "acme.llm.v1"\n'
GROUP, ACME = "modelmesh.providers", "acme_modelmesh:Acme"
ONE_MODEL = '{"source": "a test", "as_of": "2026-11-21", "models": [\n%s\n]}'


def with_hook(body: str, head: str = PROVIDER) -> str:
    return head + "\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n"


def decoder(body: str, rest: str = "done = False") -> str:
    inner = f"class Decoder:\n    {rest}\n\n    def decode(self, event):\n        {body}\n"
    return "def _stream_decoder(self, request):\n" + textwrap.indent(inner, "    ") + "    return Decoder()"


Points = dict[str, dict[str, str]] | None

REGISTERED: dict[str, tuple[str, Points, type[ModelMeshError]]] = {
    "the group of the entry point is wrong": (PROVIDER, {"modelmesh.provider": {"acme.llm.v1": ACME}}, UnknownConnectorError),
    "the connector is registered as another kind": (PROVIDER, {"modelmesh.strategies": {"acme.llm.v1": ACME}}, UnknownConnectorError),
    "the name of the entry point is no ID": (PROVIDER, {GROUP: {"Acme": ACME}}, UnknownConnectorError),
    "the class has no `id`": (PROVIDER.replace('id = "acme.llm.v1"', "pass"), None, ConnectorLoadError),
    "the class has another `id`": (PROVIDER.replace("acme.llm", "acme.chat"), None, ConnectorLoadError),
    "the entry point names a missing module": (PROVIDER, {GROUP: {"acme.llm.v1": "acme_modelmesh.provider:Acme"}}, ConnectorLoadError),
    "the entry point names a missing class": (PROVIDER, {GROUP: {"acme.llm.v1": "acme_modelmesh:Akme"}}, ConnectorLoadError),
    "the entry point names an object": (PROVIDER + "\n\nacme = Acme(api_key='test', base_url='http://127.0.0.1:9')\n", {GROUP: {"acme.llm.v1": "acme_modelmesh:acme"}}, ConnectorLoadError),
    "a dependency is missing": ("import leftpad_of_acme\n" + PROVIDER, None, ConnectorLoadError),
    "the module does not parse": (PROVIDER + "\ndef (:\n", None, ConnectorLoadError),
    "the module raises when it is imported": (PROVIDER + "\n\n1 / 0\n", None, ConnectorLoadError),
    "the module leaves the program when it is imported": (PROVIDER + "\n\nraise SystemExit(3)\n", None, ConnectorLoadError),
    "a method of the kind is missing": ("class Acme:\n    id = 'acme.llm.v1'\n\n    def models(self): ...\n\n    def send(self, call, model, limits): ...\n", None, ConnectorLoadError),
    "an abstract method is left unwritten": ("from abc import ABC, abstractmethod\n" + with_hook("@abstractmethod\ndef _sign(self): ...", PROVIDER.replace("(BaseProvider)", "(BaseProvider, ABC)")), None, ConnectorLoadError),
    "a method stands where a list is": (with_hook("models = ['acme-1']"), None, ConnectorLoadError),
    "a hook takes other parameters": (with_hook("def _parse_response(self): ..."), None, ConnectorLoadError),
    "a hook is async": (with_hook("async def _build_request_payload(self, request): ..."), None, ConnectorLoadError),
    "`send` is async": (with_hook("async def send(self, call, model, limits): ..."), None, ConnectorLoadError),
    "the class raises when it is made": (with_hook("def __init__(self, settings):\n    settings['region']"), None, ConnectorLoadError),
    "`models()` returns names": (with_hook("def models(self):\n    return ['acme-1']"), None, ConnectorLoadError),
    "`models()` returns nothing": (with_hook("def models(self):\n    pass"), None, ConnectorLoadError),
    "`models()` raises": (with_hook("def models(self):\n    raise KeyError('data')"), None, ConnectorLoadError),
}  # fmt: skip


@pytest.mark.parametrize("mistake", REGISTERED)
def test_registration_mistake_is_explained(mistake: str, third_party: Any, upstream: Any, promised: Callable[..., None]) -> None:
    source, points, kind = REGISTERED[mistake]
    third_party.install(source, points)
    with pytest.raises(kind) as caught:
        third_party.ask(third_party.config(upstream.url))
    assert isinstance(caught.value, ConnectorError)
    promised(mistake, str(caught.value))
    assert upstream.received == []


CATALOGUES: dict[str, str | None] = {
    "`models.json` is not JSON": '{"models": [',
    "`models.json` is undated": '{"source": "a test", "models": [{"id": "acme-1"}]}',
    "`models.json` names an unknown capability": ONE_MODEL % '{"id": "acme-1", "capabilities": ["chat-completoin"]}',
    "`models.json` misspells a path of the tree": ONE_MODEL % '{"id": "acme-1", "capabilities": ["generation.text-generation.chat-completions"]}',
    "`models.json` has no list": '{"source": "a test", "as_of": "2026-11-21"}',
    "`models.json` has a row without an `id`": ONE_MODEL % '"acme-1"',
    "`models.json` has a row twice": ONE_MODEL % '{"id": "acme-1"},\n{"id": "acme-1"}',
    "`models.json` has a word for a list": ONE_MODEL % '{"id": "acme-1", "capabilities": "chat-completion"}',
    "`models.json` has an unknown price": ONE_MODEL % '{"id": "acme-1", "pricing": {"input": 1}}',
    "`models.json` is not in the wheel": None,
}  # fmt: skip


@pytest.mark.parametrize("mistake", CATALOGUES)
def test_model_list_mistake_is_explained(mistake: str, third_party: Any, upstream: Any, promised: Callable[..., None]) -> None:
    third_party.install(PROVIDER, catalogue=CATALOGUES[mistake])
    with pytest.raises(ConnectorLoadError) as caught:
        third_party.ask(third_party.config(upstream.url))
    assert (caught.value.connector_id, caught.value.distribution) == ("acme.llm.v1", "acme-modelmesh 0.1.0")
    promised(mistake, str(caught.value))
    promised(mistake, third_party.listed())


SENT: dict[str, str] = {
    "an exception while a request is written": "def _build_request_payload(self, request):\n    return request.payload['nope']",
    "a `ValueError` while a request is written": "def _build_request_payload(self, request):\n    return int('nope')",
    "`_build_request_payload` returns nothing": "def _build_request_payload(self, request):\n    request.payload.get('x')",
    "an exception in `_encode_request`": "def _encode_request(self, request):\n    raise KeyError('messages')",
    "`_encode_request` returns another shape": "def _encode_request(self, request):\n    return self._endpoint(request), {}, '{}'",
    "`_build_headers` returns what is no text": "def _build_headers(self):\n    return {'X-Key': self.api_key}",
    "the address is half an address": "def _get_completion_endpoint(self):\n    return '/chat'",
    "an exception with the key in it": "def _build_headers(self):\n    raise RuntimeError('with ' + self.api_key.reveal())",
    "an exception while an answer is read": "def _parse_response(self, data):\n    return data['output']",
    "a `ValueError` while an answer is read": "def _parse_response(self, data):\n    return int('nope')",
    "`_parse_response` returns nothing": "def _parse_response(self, data):\n    data['x'] = 1",
    "`send` returns a dict": "def send(self, call, model, limits):\n    return {}",
    "a `ProviderError` without a class of failure": "def send(self, call, model, limits):\n    from modelmesh.errors import ProviderError\n\n    raise ProviderError('no')",
}  # fmt: skip
STREAMED: dict[str, str] = {
    "`_stream_decoder` returns nothing": "def _stream_decoder(self, request):\n    pass",
    "`decode` returns nothing": decoder("pass"),
    "`decode` returns one chunk": decoder("return {'choices': []}"),
    "`decode` raises": decoder("return event.nope"),
    "the decoder has no flag `done`": decoder("return []", "over = False"),
    "`_parse_sse_chunk` returns a list": "def _parse_sse_chunk(self, data):\n    return [1]",
    "`send` returns a list for a stream": "def send(self, call, model, limits):\n    return [{}]",
}
REFUSED: dict[str, str] = {
    "`_classify` returns a word": "def _classify(self, status, code, headers, body):\n    return 'nonsense'",
    "`_error_code` raises": "def _error_code(self, body):\n    return body['fault']['code']",
    "`_error_code` returns a number": "def _error_code(self, body):\n    return 7",
    "`_error_text` returns nothing": "def _error_text(self, body):\n    pass",
}


@pytest.mark.parametrize("mistake", [*SENT, *STREAMED, *REFUSED])
def test_request_mistake_is_explained(
    mistake: str, third_party: Any, upstream: Any, promised: Callable[..., None], caplog: Any
) -> None:
    third_party.install(with_hook({**SENT, **STREAMED, **REFUSED}[mistake]))
    if mistake in REFUSED:
        upstream.fail(400, code="x")
    with pytest.raises(ModelMeshError) as caught:
        third_party.ask(third_party.config(upstream.url), stream=mistake in STREAMED)
    error: Any = caught.value
    promised(mistake, str(error))
    assert str(third_party.site) in str(error)
    if "ValueError` while an answer" in mistake:  # the kit reports it as an unreadable response
        return
    assert isinstance(error, BrokenConnectorError)
    assert (error.connector_id, error.distribution) == ("acme.llm.v1", "acme-modelmesh 0.1.0")
    assert error.attempts[0].place == error.place
    assert error.place.startswith(str(third_party.site))
    assert [record.levelno for record in caplog.records if record.name == "modelmesh.connectors"] == [logging.WARNING]


def test_mistake_is_logged_despite_failover(third_party: Any, upstream: Any, caplog: Any) -> None:
    """The request fails over and the mistake is logged. A bug before sending does not count as a failure of the model."""
    third_party.install(with_hook(SENT["an exception while a request is written"]))
    config = third_party.config(upstream.url)
    config["providers"]["other"] = {"connector": "openai.llm.v1", "api_key": "sk-test", "base_url": upstream.url, "models": ["m"]}
    for _ in range(8):
        reply = third_party.ask(config)
        assert reply.model == "m"
        assert [attempt.failure for attempt in reply.attempts] == ["connector-bug-unsent", None]
        assert reply.attempts[0].billed == "no"
        assert reply.attempts[0].place.endswith("__init__.py:8")
    assert len(upstream.received) == 8
    assert caplog.text.count("raised KeyError: 'nope'") == 1


BASES = {
    "modelmesh.strategies": "BaseStrategy",
    "modelmesh.secret_stores": "BaseSecretStore",
    "modelmesh.observability": "BaseObservability",
}
STRATEGIES, STORES, SINKS = BASES
OTHERS: dict[str, tuple[str, str]] = {
    "a strategy selects an unknown candidate": (STRATEGIES, "def select(self, candidates, request):\n    return 'me'"),
    "a strategy raises": (STRATEGIES, "def select(self, candidates, request):\n    return candidates[99]"),
    "a strategy is async": (STRATEGIES, "async def select(self, candidates, request):\n    return candidates.first()"),
    "`score` returns nothing": (STRATEGIES, "def score(self, candidate, request):\n    pass"),
    "a strategy raises in a notification": (STRATEGIES, "def picked(self, candidate, request):\n    1 / 0"),
    "a secret store returns nothing": (STORES, "def get(self, name):\n    pass"),
    "a secret store returns bytes": (STORES, "def _resolve(self, name):\n    return b'sk-test-of-acme'"),
    "a secret store raises": (STORES, "def _resolve(self, name):\n    raise OSError('sealed: sk-test-of-acme')"),
    "a sink is async": (SINKS, "async def log(self, entry):\n    pass"),
}


def other(third_party: Any, upstream: Any, group: str, body: str) -> dict[str, Any]:
    base = BASES[group]
    third_party.install(
        with_hook(body, f'from modelmesh_cdk import {base}\n\n\nclass Acme({base}):\n    id = "acme.x.v1"\n'),
        {group: {"acme.x.v1": ACME}},
    )
    provider = {"connector": "openai.llm.v1", "api_key": "sk-test", "base_url": upstream.url}
    config: dict[str, Any] = {"providers": {"openai": provider}, "pools": {"chat-completion": {}}}
    if group == STRATEGIES:
        config["pools"]["chat-completion"]["strategy"] = "acme.x.v1"
    elif group == STORES:
        config["secrets"] = {"store": "acme.x.v1"}
        provider["api_key"] = "${secrets:key}"
    else:
        config["observability"] = {"connector": "acme.x.v1"}
    return config


@pytest.mark.parametrize("mistake", OTHERS)
def test_mistake_in_other_kinds_is_explained(
    mistake: str, third_party: Any, upstream: Any, promised: Callable[..., None]
) -> None:
    config = other(third_party, upstream, *OTHERS[mistake])
    with pytest.raises(ConnectorError) as caught:
        third_party.ask(config)
    assert (caught.value.connector_id, caught.value.distribution) == ("acme.x.v1", "acme-modelmesh 0.1.0")
    promised(mistake, str(caught.value))


def test_sink_exception_is_explained(third_party: Any, upstream: Any, promised: Callable[..., None], caplog: Any) -> None:
    config = other(third_party, upstream, SINKS, "def _write(self, line):\n    raise OSError('disk full')")
    for _ in range(2):
        assert third_party.ask(config).choices[0].message.content == "Hello!"
    promised("a sink raises", caplog.text)


SLIPS: dict[str, tuple[str, str]] = {
    "a hook is misspelt": (GROUP, "def _pars_response(self, data):\n    return data"),
    "an attribute is misspelt": (GROUP, "api_key_varable = 'ACME_API_KEY'"),
    "a notice is misspelt": (STRATEGIES, "def succeded(self, candidate, request, outcome):\n    pass"),
    "a hook of a store is misspelt": (
        STORES,
        "def get(self, name):\n    return 'x'\n\ndef _reslove(self, name):\n    return 'x'",
    ),
    "a hook of a sink is misspelt": (SINKS, "def _wirte(self, line):\n    pass"),
}


@pytest.mark.parametrize("mistake", SLIPS)
def test_misspelt_hook_warns(mistake: str, third_party: Any, upstream: Any, promised: Callable[..., None]) -> None:
    group, body = SLIPS[mistake]
    if group == GROUP:
        third_party.install(with_hook(body))
        config = third_party.config(upstream.url)
    else:
        config = other(third_party, upstream, group, body)
    with pytest.warns(MisspeltHookWarning) as caught_warnings:
        third_party.ask(config)
    (warning,) = caught_warnings
    assert warning.filename.startswith(str(third_party.site))
    promised(mistake, str(warning.message))
    promised(mistake, third_party.listed())


def test_private_methods_are_not_misspelt_hooks(third_party: Any, upstream: Any) -> None:
    """A name that the class uses, or that exists in addition to the similar hook, is intended."""
    third_party.install(
        with_hook("""
        def _build_headers(self):
            return {**super()._build_headers(), **self._build_header()}

        def _build_header(self):
            return {"X-Acme": "1"}

        def _parse_responses(self, data):
            return data

        def _parse_response(self, data):
            return data

        def _tidy(self):
            return None
        """)
    )
    assert third_party.ask(third_party.config(upstream.url)).choices[0].message.content == "Hello!"
    assert third_party.listed().split()[-1] == "loaded"


def test_connectors_lists_misspelt_groups(third_party: Any, promised: Callable[..., None]) -> None:
    third_party.install(PROVIDER, {"modelmesh.provider": {"acme.llm.v1": ACME}})
    assert "misplaced: its group 'modelmesh.provider' does not exist. It must be 'modelmesh.providers'" in third_party.listed()


def test_orphan_variable_is_explained(third_party: Any, monkeypatch: pytest.MonkeyPatch, promised: Callable[..., None]) -> None:
    import modelmesh
    from modelmesh._engine.plugins import Catalog

    third_party.install(PROVIDER, {GROUP: {"acme.llm.v1": ACME}, "modelmesh.autodetect": {"ACME_API_KEY": "acme_modelmesh:Akme"}})
    monkeypatch.setenv("ACME_API_KEY", "sk-test-of-acme")
    monkeypatch.setattr(Catalog, "embedded", lambda _: [])
    with pytest.raises(modelmesh.NoProvidersError) as caught:
        modelmesh.create("chat-completion")
    promised("a variable is registered for a class that is no connector", str(caught.value))
    assert "misplaced: no entry point in 'modelmesh.providers' names 'acme_modelmesh:Akme'" in third_party.listed()


@pytest.mark.parametrize("group", ["modelmesh-providers", "modelmesh_providers", "model_mesh.providers", "modelmesh.Providers", "modelmesh.secretstores", "modelmesh.strategy"])  # fmt: skip
def test_near_miss_groups_are_explained(group: str, third_party: Any) -> None:
    from modelmesh._engine.plugins import Catalog

    third_party.install(PROVIDER, {group: {"acme.llm.v1": ACME}})
    assert [one.name for one, _ in Catalog.scan().near_miss_groups()] == ["acme.llm.v1"]


def test_command_line_shows_no_traceback(third_party: Any, upstream: Any, tmp_path: Any) -> None:
    import json

    third_party.install("import leftpad_of_acme\n" + PROVIDER)
    path = tmp_path / "mesh.json"
    path.write_text(json.dumps(third_party.config(upstream.url)))
    for command in (("check", str(path)), ("chat", "--config", str(path), "hello")):
        done = third_party.invoke(*command)
        assert done.exit_code == 1
        assert "acme_modelmesh/__init__.py:1): it imports 'leftpad_of_acme', which is not installed" in done.output
        assert "sk-test-of-acme" not in done.output


def test_every_row_of_the_docs_page_is_tested(page: dict[str, str]) -> None:
    made = {*REGISTERED, *CATALOGUES, *SENT, *STREAMED, *REFUSED, *OTHERS, *SLIPS}
    assert set(page) == made | {"a sink raises", "a variable is registered for a class that is no connector"}


def test_locate_definition_of_unparsable_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """CPython 3.11 raises SystemError if many threads parse at once. The request must still fail over."""

    class Acme:
        id = "acme.llm.v1"

        def send(self, call: Any, model: str, limits: Any) -> Any:
            raise AssertionError

    def confused(thing: Any) -> Any:
        raise SystemError("AST constructor recursion depth mismatch")

    monkeypatch.setattr(inspect, "findsource", confused)
    error = attribution.unexpected_exception(Acme(), RuntimeError("boom"))
    assert f"{__file__}:{Acme.send.__code__.co_firstlineno}" in error.message
