"""``modelmesh usage``, ``pools`` and ``rotate``: what is stored, looked at and, by one of them, changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

pytest.importorskip("click")
pytest.importorskip("rich")

import modelmesh
from modelmesh._engine.state import SystemState
from modelmesh.cli.limits import BAR, bar

ACME = '''
import json
from pathlib import Path

from modelmesh.contracts import Answer, ModelInfo, ModelPricing
from modelmesh.contracts.storage import EntryMetadata, LockHandle, StorageEntry

CALLS = []


class Provider:
    id = "acme.llm.v1"

    def __init__(self, config):
        self.name = config["called"]

    def models(self):
        pricing = ModelPricing(10.0, 10.0) if self.name == "paid" else None
        return [ModelInfo(f"{self.name}-model", capabilities=("generation.text-generation.chat-completion",), pricing=pricing)]

    def send(self, call, model, limits):
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hello!"}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}
        return Answer({"id": "test", "object": "chat.completion", "created": 1, "choices": [choice], "usage": usage})

    async def asend(self, call, model, limits):
        return self.send(call, model, limits)


class Files:
    """Entries, locks and counters in one folder."""

    id = "acme.files.v1"

    def __init__(self, config):
        self.folder = Path(config["path"])

    def _file(self, key):
        return self.folder / key.replace("/", "~")

    def load(self, key):
        CALLS.append("load")
        if self._file("fails").exists():
            raise RuntimeError(self._file("fails").read_text())
        return StorageEntry(key, self._file(key).read_bytes()) if self._file(key).exists() else None

    def save(self, key, entry):
        CALLS.append("save")
        if self._file("full").exists():
            raise RuntimeError(self._file("full").read_text())
        self._file(key).write_bytes(entry.data)

    def list(self, prefix=None):
        return sorted(file.name.replace("~", "/") for file in self.folder.iterdir())

    def delete(self, key):
        CALLS.append("delete")
        self._file(key).unlink()
        return True

    def stat(self, key):
        return EntryMetadata(key, self._file(key).stat().st_size, 0.0)

    def exists(self, key):
        return self._file(key).exists()

    def acquire(self, key, timeout=None, *, expires_s=None):
        CALLS.append("acquire")
        return LockHandle(key, "test", 0.0, 0.0)

    def release(self, lock):
        CALLS.append("release")
        return True

    def is_locked(self, key):
        return False

    def increment(self, key, amount=1, expires_s=None):
        value = int(self._file(key).read_text()) if self._file(key).exists() else 0
        if amount:
            self._file(key).write_text(str(value + amount))
        return value + amount


class Sink:
    id = "acme.sink.v1"

    def __init__(self, config):
        raise RuntimeError("a read-only command opened a sink")
'''
POINTS = {
    "modelmesh.providers": {"acme.llm.v1": "acme_kept:Provider"},
    "modelmesh.storage": {"acme.files.v1": "acme_kept:Files"},
    "modelmesh.observability": {"acme.sink.v1": "acme_kept:Sink"},
}


@frozen
class Place:
    """Configuration and its stored state."""

    file: Path
    folder: Path

    def write(self, **sections: Any) -> None:
        providers = {
            "free": {"connector": "acme.llm.v1", "called": "free", "quota": {"requests_per_day": 3}},
            "paid": {"connector": "acme.llm.v1", "called": "paid", "budget": {"daily_limit": 4.0, "monthly_limit": 20.0}},
        }
        storage = {"connector": "acme.files.v1", "path": str(self.folder)}
        config = {"providers": providers, "pools": {"chat": {"capability": "chat-completion"}}, "storage": storage, **sections}
        self.file.write_text(json.dumps({name: part for name, part in config.items() if part is not None}))

    def ask(self, times: int = 1) -> str:
        """Send requests with a new client and return the provider of the last answer."""
        with modelmesh.create(config=str(self.file)) as client:
            return [client.chat.completions.create(model="chat", messages=[]).provider for _ in range(times)][-1]

    def stored(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in self.folder.iterdir()}


@pytest.fixture
def place(site: Any, tmp_path: Path) -> Place:
    site.install("acme-kept", "acme_kept", ACME, POINTS)
    (tmp_path / "kept").mkdir()
    made = Place(tmp_path / "mesh.json", tmp_path / "kept")
    made.write()
    return made


@pytest.fixture
def show(invoke: Callable[..., Any], place: Place) -> Callable[..., Any]:
    return lambda command, *arguments: invoke(command, *arguments, "-c", str(place.file))


def fields(text: str, first: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.split()[: len(first.split())] == first.split())


def test_usage_without_stored_state_is_unknown(show):
    result = show("usage")
    assert result.exit_code == 0
    assert result.stdout.startswith("No state is stored in acme.files.v1 yet\n")
    assert "$" not in result.stdout
    data = json.loads(show("usage", "--json").stdout)
    assert (data["stored_at"], data["total"], data["today"], data["by_model"]) == (None, None, None, {})


def test_usage_as_tables(show, place):
    place.ask(5)
    result = show("usage")
    assert result.exit_code == 0
    assert result.stdout.startswith("Stored in acme.files.v1, 20")
    assert fields(result.stdout, "today") == ["today", "5", "50", "$0.200000", "3"]
    assert fields(result.stdout, "total") == ["total", "5", "50", "$0.200000", "3"]
    assert fields(result.stdout, "free") == ["free", "3", "30", "$0.000000", "3"]
    assert fields(result.stdout, "paid-model") == ["paid-model", "2", "20", "$0.200000", "0"]
    row = fields(result.stdout, "provider paid USD day")
    assert row[4:8] == ["$0.20", "$3.80", "$4.00", "█" + "░" * 19]


def test_usage_as_json(show, place):
    place.ask(5)
    data = json.loads(show("usage", "--json").stdout)
    assert data["storage"] == "acme.files.v1"
    assert data["total"] == data["today"] == data["this_month"]
    assert data["total"]["total_requests"] == 5
    assert data["by_provider"]["paid"]["total_cost"] == pytest.approx(0.2)
    assert data["by_model"]["free-model"]["unpriced_requests"] == 3
    budgets = {row["window"]: (row["used"], row["left"], row["limit"]) for row in data["budgets"]}
    assert budgets == {"day": pytest.approx((0.2, 3.8, 4.0)), "month": pytest.approx((0.2, 19.8, 20.0))}


def test_usage_without_a_budget(show, place):
    place.write(providers={"free": {"connector": "acme.llm.v1", "called": "free"}})
    place.ask()
    assert "No budget is set." in show("usage").stdout


def test_pools_show_standby_with_its_reason(show, place):
    place.ask(4)
    result = show("pools")
    assert result.exit_code == 0
    assert "Pool chat (generation.text-generation.chat-completion), strategy stick-until-failure: 1 of 2 active" in result.stdout
    assert "The next request would go to paid/paid-model: " in result.stdout
    line = next(line for line in result.stdout.splitlines() if line.split()[:2] == ["free", "free-model"])
    assert line.split()[2] == "standby"
    assert line.endswith("quota exhausted (3 requests a day)")
    assert fields(result.stdout, "* paid")[3] == "active"
    assert fields(result.stdout, "provider free")[2:8] == ["requests", "day", "3", "0", "3", "█" * 20]


def test_pools_as_json(show, place):
    place.ask(4)
    data = json.loads(show("pools", "chat", "--json").stdout)
    (pool,) = data["pools"]
    assert (pool["name"], pool["active"], pool["standby"], pool["current_provider"]) == ("chat", 1, 1, "paid")
    assert [(row["provider"], row["status"], row["selected"]) for row in pool["models"]] == [
        ("free", "standby", False),
        ("paid", "active", True),
    ]
    assert [row["left"] for row in pool["left"]] == pytest.approx([0, 3.9, 19.9])


@pytest.mark.parametrize("command", [("usage",), ("usage", "--json"), ("pools",), ("pools", "--json")])
def test_pools_and_usage_do_not_change_the_state(show, place, command):
    place.ask()
    import acme_kept

    before = place.stored()
    acme_kept.CALLS.clear()
    assert show(*command).exit_code == 0
    assert place.stored() == before
    assert set(acme_kept.CALLS) == {"load"}


def test_read_only_commands_store_nothing(show, invoke, place):
    assert show("describe").exit_code == show("explain").exit_code == 0
    assert invoke("check", str(place.file)).exit_code == 0
    assert place.stored() == {}
    place.ask(4)
    before = place.stored()
    assert "would go to paid/paid-model" in show("explain").stdout
    assert "the call allows only free" in show("explain", "-p", "free").stdout
    assert "free-model [acme.llm.v1] (standby)" in show("describe").stdout
    place.write(pools={"chat": {"capability": "chat-completion"}, "other": {"capability": "chat-completion", "strategy": "no"}})
    assert invoke("check", str(place.file)).exit_code == 1, "each pool is checked separately"
    assert place.stored() == before


def test_provider_option_is_not_stored(show, place):
    assert show("chat", "-p", "paid", "--no-stream", "--capability", "chat", "Hello").stdout == "Hello!\n"
    assert json.loads(show("usage", "--json").stdout)["by_provider"].keys() == {"paid"}
    assert place.ask() == "free"


@pytest.mark.parametrize("command", [("usage",), ("pools",), ("rotate", "chat")])
@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (b"{", "cannot be used"),
        (b'{"format": 99}', "a later version"),
        (None, "acme.files.v1 failed to read the state (RuntimeError)"),
    ],
)
def test_unreadable_state_is_an_error_and_unchanged(show, place, command, stored, text):
    if stored is None:
        (place.folder / "fails").write_text("redis://mesh:test-password@db.example")
    else:
        (place.folder / "modelmesh~state").write_bytes(stored)
    before = place.stored()
    result = show(*command)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert text in result.stderr
    assert "Traceback" not in result.stderr
    assert "password" not in result.output
    assert place.stored() == before


def test_pools_show_shared_counts_of_a_running_process(show, place):
    storage = {"connector": "acme.files.v1", "path": str(place.folder), "sync_policy": "immediate"}
    place.write(storage=storage)
    with modelmesh.create(config=str(place.file)) as client:
        for _ in range(3):
            client.chat.completions.create(model="chat", messages=[])
        before = place.stored()
        assert fields(show("pools").stdout, "provider free")[4:6] == ["3", "0"]
        assert {name for name in before if "@" in name} <= set(place.stored())


@pytest.mark.parametrize(
    ("storage", "why"),
    [
        (None, "has no section 'storage'"),
        ({"connector": "modelmesh.memory.v1"}, "modelmesh.memory.v1, which"),
        ({"connector": "acme.files.v1", "path": ".", "sync_policy": "in-memory"}, "'sync_policy: in-memory'"),
    ],
)
def test_commands_without_storage_show_the_cause(show, place, storage, why):
    place.write(storage=storage)
    usage, rotate, pools = show("usage"), show("rotate", "chat"), show("pools")
    assert (usage.exit_code, rotate.exit_code, pools.exit_code) == (1, 1, 0)
    for result in (usage, rotate, pools):
        assert why in result.stderr
    assert "connector: modelmesh.local-file.v1" in usage.stderr
    assert "client.mesh.rotate('chat')" in rotate.stderr
    assert "2 of 2 active" in pools.stdout
    assert json.loads(show("pools", "--json").stdout)["storage"] is None


def test_usage_without_configuration_shows_the_cause(invoke, place):
    result = invoke("usage")
    assert result.exit_code == 1
    assert "there is no configuration" in result.stderr or "API_KEY" in result.stderr


def test_read_only_commands_open_no_sink(show, place):
    place.write(observability={"connector": "acme.sink.v1"})
    assert show("pools").exit_code == 0
    assert show("usage").exit_code == 0


def test_rotate_and_recover_are_stored(show, place):
    assert place.ask() == "free"
    result = show("rotate", "chat")
    assert result.exit_code == 0
    assert result.stdout == (
        "chat: free/free-model → paid/paid-model. free/free-model is in standby until it is recovered by hand.\n"
    )
    assert "running processes keep their own state" in result.stderr
    assert "put in standby by hand" in show("pools").stdout
    assert place.ask() == "paid"
    assert json.loads(show("usage", "--json").stdout)["total"]["total_requests"] == 2, "earlier counts are still there"
    result = show("rotate", "chat", "--recover", "free-model")
    assert result.exit_code == 0
    assert result.stdout == "chat: paid/paid-model → free/free-model. free/free-model is active.\n"
    assert place.ask() == "free"


def test_recover_shows_why_a_model_stays_in_standby(show, place):
    place.ask(4)
    result = show("rotate", "chat", "--recover", "free/free-model")
    assert result.exit_code == 0
    assert "free/free-model stays in standby: " in result.stdout
    assert "3 requests a day" in result.stdout


def test_recover_resets_an_exhausted_cap(show, place):
    chat = {"capability": "chat-completion", "deactivation": {"request_limit": 2}, "recovery": {"on_quota_reset": False}}
    storage = {"connector": "acme.files.v1", "path": str(place.folder), "sync_policy": "immediate"}
    place.write(providers={"a": {"connector": "acme.llm.v1", "called": "free"}}, pools={"chat": chat}, storage=storage)
    place.ask(2)
    assert "2 requests in all" in show("pools").stdout
    assert "free-model is active" in show("rotate", "chat", "--recover", "free-model").stdout
    assert place.ask(2) == "a"
    with pytest.raises(modelmesh.NoActiveModelError):
        place.ask()


def test_rotate_without_another_model_changes_nothing(show, place):
    show("rotate", "chat")
    before = place.stored()
    result = show("rotate", "chat")
    assert result.exit_code == 1
    assert "no other active model" in result.stderr
    assert f"modelmesh pools chat --config {place.file}" in result.stderr
    assert place.stored() == before


def test_rotate_holds_the_lock_from_load_to_save(show, place):
    place.ask()
    import acme_kept

    acme_kept.CALLS.clear()
    assert show("rotate", "chat").exit_code == 0
    assert acme_kept.CALLS == ["acquire", "load", "save", "release"]


def test_rotate_with_a_failed_save_is_an_error(show, place, run):
    (place.folder / "full").write_text("redis://mesh:test-password@db.example")
    done = run("rotate", "chat", "-c", str(place.file))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "error: nothing was changed: acme.files.v1 failed to save: RuntimeError\n"


def test_unknown_names_get_suggestions(show):
    for arguments, message in (
        (("pools", "chatt"), "has no pool 'chatt'. Did you mean 'chat'? It has: chat."),
        (("rotate", "chatt"), "has no pool 'chatt'. Did you mean 'chat'? It has: chat."),
        (("rotate", "chat", "--recover", "pay-model"), "'pay-model'. Did you mean 'paid-model'? It has: free/"),
        (("rotate", "chat", "--recover", "dear"), "chat has no model 'dear'. It has: free/free-model, paid/paid-model"),
    ):
        result = show(*arguments)
        assert result.exit_code == 2
        assert message in result.stderr


def test_ambiguous_model_needs_its_provider(show, place):
    twins = {name: {"connector": "acme.llm.v1", "called": "free"} for name in ("east", "west")}
    place.write(providers=twins)
    result = show("rotate", "chat", "--recover", "free-model")
    assert result.exit_code == 2
    assert "matches 2 models of chat. Use one of: east/free-model, west/free-model" in result.stderr
    assert show("rotate", "chat", "--recover", "west/free-model").exit_code == 0


def test_rotate_writes_the_state_format(show, place):
    show("rotate", "chat")
    state = SystemState.from_bytes((place.folder / "modelmesh~state").read_bytes())
    assert state.pools["chat"]["standby"] == ["free/free-model"]


def test_bar_is_full_only_at_the_limit():
    widths = {share: bar(share, 1.0).count("█") for share in (0.0, 0.001, 0.5, 0.999, 1.0, 1.5)}
    assert widths == {0.0: 0, 0.001: 1, 0.5: BAR // 2, 0.999: BAR - 1, 1.0: BAR, 1.5: BAR}
    assert bar(0, 0).count("█") == BAR, "a limit of 0 is exhausted"


@pytest.mark.parametrize("command", ["usage", "pools", "rotate"])
def test_stored_commands_have_help(run, command):
    done = run(command, "--help")
    assert done.returncode == 0
    assert f"modelmesh {command} " in done.stdout
    assert "Examples:" in done.stdout
