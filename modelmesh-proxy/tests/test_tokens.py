"""Records, registry and authenticator of tokens without a server."""

from __future__ import annotations

import ast
import logging
import pickle
import random
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import modelmesh_proxy
from modelmesh import ModelMesh
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.storage import StorageEntry
from modelmesh.errors import ConfigurationError
from modelmesh_proxy.settings import ProxySettings
from modelmesh_proxy.tokens.administration import registry_of
from modelmesh_proxy.tokens.authenticator import TokenAuthenticator
from modelmesh_proxy.tokens.records import TokenLimits, TokenRecord
from modelmesh_proxy.tokens.registry import TokenRegistry
from modelmesh_proxy.tokens.static_tokens import static_tokens
from modelmesh_proxy.tokens.token_checks import TokenError
from modelmesh_proxy.tokens.token_store import REVISION, TOKENS, TokenStore

SOURCE = Path(str(modelmesh_proxy.__file__)).parent


class Vendor:
    """Provider in process that no test sends a request to."""

    id = "test.vendor.v1"

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("one", capabilities=("generation.text-generation.chat-completion",))]

    def send(self, call: Any, model: str, limits: Any) -> Any: ...

    async def asend(self, call: Any, model: str, limits: Any) -> Any: ...


CONFIG: dict[str, Any] = {
    "providers": {"acme": {"instance": Vendor()}},
    "pools": {"chat": {"capability": "chat-completion"}},
    "storage": {"connector": "modelmesh.memory.v1"},
}


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A mesh with a store in memory, its registry and an authenticator."""

    def __init__(self, **sections: Any) -> None:
        self.clock = Clock()
        self.mesh = ModelMesh({**CONFIG, **sections})
        assert self.mesh.state is not None
        self.storage = self.mesh.state.storage
        self.tokens = TokenRegistry(TokenStore(self.storage), now=self.clock)
        self.authenticator = TokenAuthenticator(self.mesh, ProxySettings(self.mesh.proxy_section), now=self.clock)

    def name(self, text: str | None) -> str | None:
        self.authenticator.refresh()
        caller = self.authenticator.authenticate(text, "127.0.0.1")
        return None if caller is None else caller.name


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**sections: Any) -> Bench:
        made.append(Bench(**sections))
        return made[-1]

    yield make
    for one in made:
        one.authenticator.close()
        one.mesh.shutdown()


def test_token_is_valid_until_it_expires_is_rotated_or_revoked(bench: Callable[..., Bench]) -> None:
    here = bench()
    assert here.authenticator.has_tokens, "the store was not read yet"
    assert here.name(None) is None
    assert not here.authenticator.has_tokens
    first = here.tokens.create("shop", expires_in=100).text
    assert re.fullmatch(r"mm-[0-9a-f]{12}-[A-Za-z0-9_-]{43}", first)
    assert (here.name(first), here.name(first[:-1]), here.name(first + "x"), here.name(None)) == ("shop", None, None, None)
    second = here.tokens.rotate("shop", grace_s=10).text
    assert (here.name(first), here.name(second)) == ("shop", "shop")
    here.clock.now += 10
    assert (here.name(first), here.name(second)) == (None, "shop")
    here.clock.now += 90
    assert here.name(second) is None, "rotation does not extend the token"
    here.tokens.update("shop", expires_in=None)
    assert here.name(second) == "shop"
    here.tokens.revoke("shop")
    assert here.name(second) is None
    assert here.authenticator.has_tokens, "the end of the last token opens nothing"
    third = here.tokens.create("shop").text
    assert (here.name(second), here.name(third)) == (None, "shop")
    assert third[:15] != second[:15], "a token that is created again starts with new counts"


def test_caller_has_rights_and_counters_of_token_and_team(bench: Callable[..., Bench]) -> None:
    here = bench()
    here.tokens.set_team("apps", {"budget_monthly": 5})
    text = here.tokens.create("shop", pools=["chat"], team="apps", limits=TokenLimits(rpm=3)).text
    here.authenticator.refresh()
    caller = here.authenticator.authenticate(text, None)
    assert caller is not None
    assert (caller.name, caller.team, caller.pools, caller.is_admin) == ("shop", "apps", frozenset({"chat"}), False)
    assert [counter.limit.name.partition(":")[0] for counter in caller.limits] == ["token", "team"]
    here.tokens.update("shop", limits={"rpm": 9}, admin=True)
    here.authenticator.refresh()
    changed = here.authenticator.authenticate(text, None)
    assert changed is not None
    assert changed.is_admin
    assert changed.limits[0] is caller.limits[0], "the count of a changed limit goes on"
    assert changed.limits[0].limit.amount == 9


@pytest.mark.parametrize(
    ("action", "message", "code"),
    [
        (lambda tokens: tokens.create("shop"), "exists already", "exists"),
        (lambda tokens: tokens.create("shop2", admin=True, metrics=True), "'metrics' and no other right", "invalid"),
        (lambda tokens: tokens.create("a b"), "cannot be the name of a token", "invalid"),
        (lambda tokens: tokens.create("a", team="none"), "there is no team 'none'", "not_found"),
        (lambda tokens: tokens.create("a", limits=TokenLimits(rpm=-1)), "rpm is -1", "invalid"),
        (lambda tokens: tokens.create("a", pools=[]), "without a pool", "invalid"),
        (lambda tokens: tokens.create("a", expires_in=0), "cannot expire", "invalid"),
        (lambda tokens: tokens.rotate("shp"), "Did you mean 'shop'?", "not_found"),
        (lambda tokens: tokens.remove_team("apps"), "has the tokens shop", "exists"),
    ],
)
def test_refused_change_names_cause_and_remedy(
    bench: Callable[..., Bench], action: Callable[[TokenRegistry], object], message: str, code: str
) -> None:
    tokens = bench().tokens
    tokens.set_team("apps", {})
    tokens.create("shop", team="apps")
    with pytest.raises(TokenError, match=re.escape(message)) as caught:
        action(tokens)
    assert caught.value.code == code


def test_commands_at_once_lose_nothing(bench: Callable[..., Bench]) -> None:
    """Different tokens, the same name, and one token that all change."""
    tokens = bench().tokens

    def create(turn: int) -> bool:
        tokens.create(f"token-{turn}")
        try:
            tokens.create("shared")
        except TokenError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(create, range(16))).count(True) == 1
        list(threads.map(lambda turn: tokens.update("shared", metadata={str(turn): "x"}, limits={"rpm": turn}), range(16)))
    assert len(tokens.list_tokens()) == 17


def test_no_text_of_a_token_is_stored_or_shown(bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    here = bench(proxy={"auth": {"tokens": [{"name": "fixed", "token": "CANARY-test-text"}]}})
    new = here.tokens.create("shop", metadata={"owner": "ada"})
    secret = new.text.split("-", 2)[2][:20]  # which may itself contain hyphens
    here.authenticator.refresh()
    caller = here.authenticator.authenticate(new.text, None)
    stored = b"".join(entry.data for key in here.storage.list() if (entry := here.storage.load(key)) is not None).decode()
    shown = [repr(new), str(new), repr(new.info), str(new.info.as_dict()), repr(caller), repr(here.authenticator.records())]
    shown += [repr(here.mesh.proxy_section), stored, caplog.text, repr(vars(here.authenticator))]
    assert not any(text in one for one in shown for text in (secret, "CANARY"))
    assert "digest" not in str(new.info.as_dict())


def test_damaged_record_does_not_hide_the_others(bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture) -> None:
    here = bench()
    text = here.tokens.create("shop").text
    here.storage.save(f"{TOKENS}bad", StorageEntry("bad", b"{}"))
    here.storage.save(REVISION, StorageEntry(REVISION, b"other"))
    assert here.name(text) == "shop"
    assert "'modelmesh/tokens/bad'" in caplog.text


def test_store_that_ends_with_the_process_gets_no_tokens(bench: Callable[..., Bench]) -> None:
    services: Any = SimpleNamespace(mesh=bench().mesh)
    assert registry_of(services) is None


def test_record_of_a_later_version_is_read() -> None:
    record = TokenRecord(name="shop", id="1", digest="00", pools=("chat",), limits=TokenLimits(rpm=1))
    data = record.to_bytes().replace(b'"admin"', b'"colour":"blue","admin"').replace(b'"tpm"', b'"later":1,"tpm"')
    assert TokenRecord.from_bytes(data) == record
    assert "00" not in repr(record)
    assert pickle.loads(pickle.dumps(record)) == record


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("${env:NOT_SET_ANYWHERE}", "the reference ${env:NOT_SET_ANYWHERE} has no value"),
        ("", "it has no text"),
        ({"name": "a"}, "it has no text"),
        ({"token": "x", "rmp": 3}, "Did you mean 'rpm'?"),
        ({"token": "x", "rpm": "many"}, "'many' is not a number"),
        ({"token": "x", "budget_daily": float("inf")}, "inf is not a number"),
        ({"token": "x", "name": "a b"}, "a name has"),
        ({"token": "x", "pools": []}, "pools must be"),
    ],
)
def test_invalid_configured_token_names_its_place(row: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as caught:
        static_tokens(["first-test", row])
    assert str(caught.value.where).startswith("proxy.auth.tokens[1]")


def test_hostile_credentials_identify_nobody(bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture) -> None:
    """S6: 10,000 values raise nothing, match nothing, and are not logged."""
    here = bench()
    text = here.tokens.create("shop").text
    here.authenticator.refresh()
    caplog.set_level(logging.DEBUG)
    rng = random.Random(7)
    seeds = [
        "' OR 1=1 --",
        "shop",
        text[:15],
        text[:-1],
        text.upper(),
        "\x00",
        "\ud800",
        "é" * 50,
        "${env:HOME}",
        "*",
        "%",
        "mm-",
    ]
    for turn in range(10_000):
        value = "".join(rng.choice(seeds) for _ in range(rng.randrange(4))) + "".join(
            chr(rng.randrange(0x110000)) for _ in range(turn % 5)
        )
        assert here.authenticator.authenticate(value, None) is None
    assert not caplog.text
    assert here.authenticator.authenticate(text, None) is not None


def test_tokens_are_compared_in_constant_time() -> None:
    """S3: no ``==`` on a token or digest, and ``hmac.compare_digest`` over digests of equal length."""
    compared = re.compile(r"token|digest|credential|secret|text", re.IGNORECASE)
    found = []
    for file in [*(SOURCE / "tokens").glob("*.py"), SOURCE / "application" / "callers.py", SOURCE / "application" / "guard.py"]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and any(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops):
                names = [ast.unparse(one) for one in (node.left, *node.comparators)]
                found += [f"{file.name}: {ast.unparse(node)}" for name in names if compared.search(name.rpartition(".")[2])]
    assert found == []
    for place in ("tokens/token_index.py", "application/callers.py"):
        assert "compare_digest(" in (SOURCE / place).read_text(encoding="utf-8")
