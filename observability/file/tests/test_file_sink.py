"""File sink: JSON lines, rotation and redaction."""

from __future__ import annotations

import json
import os
import stat
from importlib.metadata import entry_points
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelmesh_observability_file import FileObservability

from modelmesh.contracts.observability import AggregateStats, RequestLogEntry, RoutingEvent, TraceEntry
from modelmesh.errors import ConfigurationError

HELLO = [{"role": "user", "content": "Hello"}]
NOW = 1_763_700_000.0


def ask(client: Any, messages: Any = None) -> None:
    with client:
        client.chat.completions.create(model="chat-completion", messages=messages or HELLO)


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def to(path: Path, **more: Any) -> dict[str, Any]:
    return {"connector": "modelmesh.file.v1", "path": str(path), **more}


def event(**facts: Any) -> RoutingEvent:
    return RoutingEvent("model_rotated", NOW, "m", "p", "pool", facts)


def sink_of(client: Any) -> FileObservability:
    [sink] = client.mesh._running.emitter.sinks
    return sink.target


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mesh.log"


def test_id_is_the_name_of_the_entry_point() -> None:
    prefix = "modelmesh_observability_file:"
    [point] = [p for p in entry_points(group="modelmesh.observability") if p.value.startswith(prefix)]
    assert point.load() is FileObservability
    assert (point.name, FileObservability.id) == ("modelmesh.file.v1", "modelmesh.file.v1")


def test_failover_is_three_records(mesh: Any, path: Path) -> None:
    ask(mesh(to(path)))
    off, rotated, log = records(path)
    assert (off["type"], off["event_type"], off["model_id"], off["provider_id"]) == ("event", "model_deactivated", "model-a", "a")
    assert off["metadata"] == {"reason": "server"}
    assert (rotated["event_type"], rotated["model_id"], rotated["pool_id"]) == ("model_rotated", "model-b", "chat-completion")
    assert rotated["metadata"] == {"from": "a/model-a", "reason": "server", "status": 500, "operation": "chat.completions"}
    assert log["type"] == "log"
    assert (log["provider_id"], log["model_id"], log["status_code"]) == ("b", "model-b", 200)
    assert (log["tokens_in"], log["tokens_out"], log["total_tokens"], log["cost"]) == (3, 2, 5, pytest.approx(7e-6))
    assert [one["outcome"] for one in log["attempts"]] == ["failed", "answered"]
    assert all(record["timestamp"].endswith("Z") for record in (off, rotated, log))
    assert "error" not in log


def test_failed_request_leaves_unknown_fields_out(mesh: Any, path: Path) -> None:
    with pytest.raises(Exception, match="pool "):
        ask(mesh(to(path), second_down=True))
    log = records(path)[-1]
    assert (log["error"], log["status_code"]) == ("AllProvidersExhaustedError", 500)
    assert not {"model_id", "tokens_in", "cost"} & set(log), "unknown values are left out, not zero"


@pytest.mark.parametrize(
    "config",
    [
        {"connector": "modelmesh.file.v1", "config": {"path": "PATH"}},
        {"connector": "observability.modelmesh.file.v1", "config": {"file_path": "PATH"}},
        {"connector": "modelmesh.local-file.v1", "local-file": {"path": "PATH"}},
        {"logging": {"connector": "modelmesh.file.v1", "path": "PATH"}},
    ],
)
def test_configuration_forms(mesh: Any, path: Path, config: dict[str, Any]) -> None:
    ask(mesh(json.loads(json.dumps(config).replace("PATH", str(path)))))
    assert records(path)[-1]["type"] == "log"


def test_path_accepts_a_reference(mesh: Any, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_LOGS", str(path.parent))
    ask(mesh(to(Path("${env:MESH_LOGS}/mesh.log"))))
    assert records(path)


def test_append_option(mesh: Any, path: Path) -> None:
    ask(mesh(to(path), first_down=False))
    ask(mesh(to(path), first_down=False))
    assert len(records(path)) == 2
    client = mesh(to(path, append=False), first_down=False)
    client.chat.completions.create(model="chat-completion", messages=HELLO)
    ask(client)
    assert len(records(path)) == 2


def test_closed_sink_opens_again(path: Path) -> None:
    sink = FileObservability({"path": str(path), "append": False})
    sink.emit(event(n=1))
    sink.close()
    sink.close()
    sink.emit(event(n=2))
    sink.close()
    assert [record["metadata"]["n"] for record in records(path)] == [1, 2]


def test_file_is_created_with_the_first_line(path: Path) -> None:
    FileObservability({"path": str(path)}).close()
    assert not path.exists()


def test_flush_each_line_false_buffers_lines(mesh: Any, path: Path) -> None:
    client = mesh(to(path, flush_each_line=False))
    client.chat.completions.create(model="chat-completion", messages=HELLO)
    assert sink_of(client).drain(30)
    assert path.read_bytes() == b""
    client.close()
    assert len(records(path)) == 3


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX file modes")
def test_files_are_readable_by_their_owner_only(path: Path) -> None:
    deep = path.parent / "logs" / path.name
    before = os.umask(0)
    try:
        sink = FileObservability({"path": str(deep), "max_size": 1, "max_files": 3})
        for n in range(3):
            sink.emit(event(n=n))
        sink.close()
    finally:
        os.umask(before)
    assert sorted(one.name for one in deep.parent.iterdir()) == ["mesh.log", "mesh.log.1", "mesh.log.2"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in deep.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(deep.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("files", [1, 2, 5])
def test_rotation_keeps_the_latest_lines(path: Path, files: int) -> None:
    sink = FileObservability({"path": str(path), "max_size": "1KB", "max_files": files})
    for n in range(200):
        sink.emit(event(n=n))
    sink.close()
    names = [path, *(path.with_name(f"mesh.log.{number}") for number in range(1, files))]
    assert sorted(path.parent.iterdir()) == sorted(names)
    assert all(0 < name.stat().st_size <= 1024 for name in names)
    kept = [record["metadata"]["n"] for name in reversed(names) for record in records(name)]
    assert kept == list(range(200 - len(kept), 200)), "the latest lines, in order, none twice and none lost"


def test_rotation_counts_the_size_of_an_existing_file(path: Path) -> None:
    path.write_text("x" * 1000 + "\n", encoding="utf-8")
    sink = FileObservability({"path": str(path), "max_file_size_bytes": 1024})
    sink.emit(event(n=1))
    sink.close()
    assert [record["metadata"]["n"] for record in records(path)] == [1]
    assert path.with_name("mesh.log.1").stat().st_size == 1001


def test_line_longer_than_max_size_is_written_whole(path: Path) -> None:
    sink = FileObservability({"path": str(path), "max_size": 10})
    sink.emit(event(note="x" * 100))
    sink.close()
    assert records(path)[0]["metadata"]["note"] == "x" * 100


def test_no_rotation_without_max_size(path: Path) -> None:
    sink = FileObservability({"path": str(path)})
    for n in range(500):
        sink.emit(event(n=n))
    sink.close()
    assert [one.name for one in path.parent.iterdir()] == ["mesh.log"]
    assert len(records(path)) == 500


@pytest.mark.parametrize(
    "config", [{"max_size": "many"}, {"max_size": -1}, {"max_files": 0}, {"max_files": "5"}, {"max_files": True}]
)
def test_invalid_numbers_are_errors(mesh: Any, path: Path, config: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=rf"'{next(iter(config))}' of modelmesh\.file\.v1"):
        mesh(to(path, **config))


def test_threads_do_not_mix_lines(path: Path) -> None:
    sink = FileObservability({"path": str(path), "max_size": "4KB", "max_files": 100})
    threads = [
        Thread(target=lambda thread=thread: [sink.emit(event(thread=thread, n=n)) for n in range(50)]) for thread in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sink.close()
    seen = [(r["metadata"]["thread"], r["metadata"]["n"]) for one in path.parent.iterdir() for r in records(one)]
    assert sorted(seen) == [(thread, n) for thread in range(8) for n in range(50)]


def test_unwritable_path_fails_no_request(mesh: Any, path: Path) -> None:
    path.mkdir()
    client = mesh(to(path))
    ask(client)
    assert client.mesh._running.emitter.failures == {"modelmesh.file.v1": 3}


def test_broken_sink_does_not_affect_other_sinks(mesh: Any, path: Path) -> None:
    class Broken:
        id = "test.broken.v1"

        def emit(self, value: Any) -> None:
            raise RuntimeError

        log = flush = trace = emit

    client = mesh({"instance": Broken(), "logging": {"connector": "modelmesh.file.v1", "path": str(path)}})
    ask(client)
    assert [record["type"] for record in records(path)] == ["log"]
    assert client.mesh._running.emitter.failures == {"test.broken.v1": 2}


# -- content ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31mred", 'quote"\\', "模型-größe-🚀", "\u2028", "\ud800"])
def test_any_name_is_one_line_and_reads_back(mesh: Any, path: Path, name: str) -> None:
    ask(mesh(to(path), second=name))
    assert path.read_bytes().count(b"\n") == 3
    assert [json.loads(line) for line in path.read_bytes().splitlines()][-1]["model_id"] == name


@pytest.mark.parametrize(
    ("level", "request_payload", "response_has"),
    [
        ("metadata", None, None),
        ("summary", '{"messages":[{"ro…', 18),
        ("full", {"messages": [{"role": "user", "content": "Hello"}]}, "choices"),
    ],
)
def test_payloads_are_written_by_level(mesh: Any, path: Path, level: str, request_payload: Any, response_has: Any) -> None:
    ask(mesh(to(path, logging={"level": level, "max_payload_size": 17})))
    log = records(path)[-1]
    assert log.get("request_payload") == request_payload
    response = log.get("response_payload")
    if level == "summary":
        assert len(response) == response_has
    else:
        assert response == response_has or response_has in response


def test_summary_payload_is_json(mesh: Any, path: Path) -> None:
    ask(mesh(to(path, logging={"level": "summary", "max_payload_size": 120})), [{"role": "user", "content": "Hello " * 100}])
    (message,) = records(path)[-1]["request_payload"]["messages"]
    assert (message["role"], message["content"][:6], message["content"][-1]) == ("user", "Hello ", "…")


KEYS = ["sk-abcdefghijklmnop1234567890abcdef", "sk-ant-api03-abcdefghijkl0", "gsk_abcdefghijkl1", "xai-abcdefghijkl1", "hf_abcdefghijkl1", "AIzaSyabcdefghijkl1"]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_key_in_a_prompt_is_redacted(mesh: Any, path: Path, key: str) -> None:
    ask(mesh(to(path, logging={"level": "full"})), [{"role": "user", "content": f"my key is {key}, keep it"}])
    assert key not in path.read_text("utf-8")
    assert records(path)[-1]["request_payload"]["messages"][0]["content"] == "my key is ***REDACTED***, keep it"


def test_hyphenated_words_are_not_redacted(mesh: Any, path: Path) -> None:
    said = "sk-learn-is-a-library, hf_transformers_library too"
    ask(mesh(to(path, logging={"level": "full"})), [{"role": "user", "content": said}])
    assert records(path)[-1]["request_payload"]["messages"][0]["content"] == said


def test_payloads_are_not_written_by_default(mesh: Any, path: Path) -> None:
    ask(mesh(to(path), text="ANSWER-CANARY"), [{"role": "user", "content": "PROMPT-CANARY"}])
    assert b"CANARY" not in path.read_bytes()


def test_secrets_in_payloads_are_redacted(mesh: Any, path: Path) -> None:
    said = 'send {"api_key": "sk-test-1"} with Authorization: Bearer test-token-2, please'
    tool = {
        "name": "pay",
        "arguments": {"password": "test-3", "token": None, "max_tokens": 5, "nested": [{"client-secret": ["test-4"]}]},
    }
    ask(mesh(to(path, logging={"level": "full"})), [{"role": "user", "content": said, "tool": tool}])
    raw = path.read_text("utf-8")
    assert not [secret for secret in ("sk-test-1", "test-token-2", "test-3", "test-4") if secret in raw]
    message = records(path)[-1]["request_payload"]["messages"][0]
    assert message["content"] == 'send {"api_key": "***REDACTED***"} with Authorization: Bearer ***REDACTED***, please'
    hidden = "***REDACTED***"
    assert message["tool"]["arguments"] == {
        "password": hidden,
        "token": None,
        "max_tokens": 5,
        "nested": [{"client-secret": hidden}],
    }


def test_redaction_can_be_switched_off(mesh: Any, path: Path) -> None:
    ask(mesh(to(path, logging={"level": "full", "redact": False})), [{"role": "user", "content": "x", "api_key": "sk-test-1"}])
    assert "sk-test-1" in path.read_text("utf-8")


texts = st.text(st.sampled_from("ab'\"\\:=,{} \n") | st.characters(), max_size=25) | st.sampled_from(
    ["token=", "it's a secret: '", 'password="', "Authorization: Bearer ", "api_key"]
)


@given(
    facts=st.dictionaries(
        texts,
        st.recursive(texts | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3), max_leaves=6),
        max_size=5,
    )
)
def test_every_record_is_one_json_object(facts: dict[str, Any]) -> None:
    written: list[str] = []
    sink = FileObservability({"path": "unused"})
    sink._write = written.append  # type: ignore[method-assign]
    sink.emit(event(note=facts))
    sink.trace(TraceEntry("error", NOW, "router", "said", facts, "why"))
    sink.flush({"pool:p": AggregateStats(requests_total=1)})
    log = RequestLogEntry("r", NOW, "m", "p", "pool", "c", "streaming", 200, 1.5, request_payload=facts)
    sink.log(log)
    sink.close()
    assert [json.loads(line)["type"] for line in written] == ["event", "trace", "stats", "log"]
    assert not any("\n" in line for line in written)
    assert set(json.loads(written[0])["metadata"]["note"]) == set(facts)
    assert json.loads(written[3])["latency_ms"] == 1.5
