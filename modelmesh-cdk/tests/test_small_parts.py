"""Caches, rolling windows, files, durations, merged configurations and shortened secrets."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh_cdk import (
    Cache,
    CacheStats,
    ConnectorId,
    RollingWindow,
    file_lock,
    format_duration,
    merge_configs,
    parse_duration,
    redact_secret,
    write_atomically,
)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


# -- cache


def test_cache_expires_values_and_counts() -> None:
    clock = Clock()
    cache = Cache(ttl=10, clock=clock)
    assert cache.get("a", "none") == "none"
    cache.set("a", None)
    cache.set("b", 2, ttl=1)
    assert cache.get("a", "none") is None
    clock.now += 5
    assert (cache.get("a", "none"), cache.get("b")) == (None, None)
    assert cache.stats == CacheStats(hits=2, misses=2, evictions=0, size=1)
    clock.now += 5
    assert cache.get("a", "none") == "none"
    cache.clear()
    assert cache.stats == CacheStats()


def test_cache_evicts_least_recently_used() -> None:
    cache = Cache(max_entries=2)
    cache.set("a", 1)
    cache.set("b", 2)
    cache.get("a")
    cache.set("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c"), cache.stats.evictions) == (1, None, 3, 1)
    assert (cache.invalidate("a"), cache.invalidate("a")) == (True, False)
    with pytest.raises(ValueError, match="keeps nothing"):
        Cache(max_entries=0)


def test_get_or_compute_with_error_caches_nothing() -> None:
    cache, asked = Cache(), []

    def compute() -> str:
        asked.append(1)
        if len(asked) == 1:
            raise RuntimeError
        return "test-value"

    with pytest.raises(RuntimeError):
        cache.get_or_compute("a", compute)
    assert [cache.get_or_compute("a", compute) for _ in range(3)] == ["test-value"] * 3
    assert len(asked) == 2
    assert "test-value" not in repr(cache)


# -- window


def test_rolling_window_drops_old_samples() -> None:
    clock = Clock()
    window = RollingWindow(size=3, seconds=10, clock=clock)
    assert (window.rate, window.average, window.smoothed, len(window)) == (None, None, None, 0)
    for value, success in ((100.0, False), (1.0, True), (2.0, True), (3.0, False)):
        window.record(value, success=success)
        clock.now += 1
    assert (window.rate, window.average) == (2 / 3, 2.0)
    assert window.smoothed == pytest.approx(1.0 + 0.3 * 1.0 + 0.3 * (3.0 - 1.3))
    clock.now += 8.5
    assert (len(window), window.rate) == (1, 0.0)
    clock.now += 1
    assert window.average is None


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30))
def test_rolling_window_average_is_within_samples(values: list[float]) -> None:
    window = RollingWindow(clock=Clock())
    for value in values:
        window.record(value)
    for found in (window.average, window.smoothed):
        assert found is not None
        assert min(values) - 1e-9 <= found <= max(values) + 1e-9


# -- files


def test_write_atomically_creates_private_file(tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.write_bytes(b"before")
    file.chmod(0o644)
    write_atomically(file, b"after")
    assert file.read_bytes() == b"after"
    assert os.name == "nt" or stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["state"]


@pytest.mark.parametrize("links", [True, False])
def test_write_atomically_keeps_previous_content(links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    if not links:
        monkeypatch.setattr(os, "link", none)
    file, before = tmp_path / "state", tmp_path / "state.bak"
    for text in (b"first", b"second", b"third"):
        write_atomically(file, text, previous=before)
        assert file.read_bytes() == text
    assert before.read_bytes() == b"second"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["state", "state.bak"]


def test_write_atomically_on_error_keeps_previous(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    file, before = tmp_path / "state", tmp_path / "state.bak"
    for text in (b"first", b"second"):
        write_atomically(file, text, previous=before)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(file, b"third", previous=before)
    assert (file.read_bytes(), before.read_bytes()) == (b"second", b"first")


HOLD = """
import sys
from modelmesh_cdk.storage.lock_owner import current_owner
print(current_owner(), flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.name == "nt", reason="unknown on Windows")
def test_has_exited_after_process_end_is_true() -> None:
    from modelmesh_cdk.storage.lock_owner import current_owner, has_exited

    process = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    owner = process.stdout.readline().strip()
    assert not has_exited(owner)
    assert not has_exited(current_owner())
    process.communicate()
    assert has_exited(owner)
    number, _, rest = owner.partition(" ")
    assert has_exited(f"{os.getpid()} {rest}") or "- " in rest, "another process has the number"
    for other in ("", "rubbish", f"{number} {rest} elsewhere", f"{'9' * 30} - x"):
        assert not has_exited(other), "unknown owner"


def test_write_atomically_on_error_leaves_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "state"
    file.write_bytes(b"before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(file, b"after")
    assert file.read_bytes() == b"before"
    assert [one.name for one in tmp_path.iterdir()] == ["state"]


def test_write_atomically_readers_see_whole_files(tmp_path: Path) -> None:
    file, sizes = tmp_path / "state", range(1, 60)
    write_atomically(file, b"\x01" * 5000)
    with ThreadPoolExecutor(4) as threads:
        writes = [threads.submit(write_atomically, file, bytes([n]) * 5000) for n in sizes]
        reads = [threads.submit(file.read_bytes) for _ in range(100)]
    assert [one.exception() for one in writes] == [None] * len(writes)
    assert {(len(one.result()), len(set(one.result()))) for one in reads} == {(5000, 1)}


ADD = """
import sys
from pathlib import Path
from modelmesh_cdk import file_lock
file = Path(sys.argv[1])
for _ in range(50):
    with file_lock(file.with_suffix(".lock")):
        file.write_text(str(int(file.read_text()) + 1))
"""


def test_file_lock_serializes_processes(tmp_path: Path) -> None:
    file = tmp_path / "sum"
    file.write_text("0")
    running = [subprocess.Popen([sys.executable, "-c", ADD, str(file)]) for _ in range(3)]
    assert [one.wait(60) for one in running] == [0, 0, 0]
    assert file.read_text() == "150"
    with file_lock(tmp_path / "sum.lock"):
        pass


# -- words and numbers


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.5, "500ms"),
        (1.5, "1500ms"),
        (90, "90s"),
        (300, "5m"),
        (3600, "1h"),
        (5400, "90m"),
        (86_400, "1d"),
        (90_000, "25h"),
    ],
)
def test_format_duration_uses_largest_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.floats(0, 1e18, allow_subnormal=False) | st.integers(0, 10**9) | st.sampled_from([0.001, 0.0001, 1e-7]))
def test_parse_duration_inverts_format_duration(seconds: float) -> None:
    text = format_duration(seconds)
    assert parse_duration(text) == pytest.approx(seconds, rel=1e-12, abs=0)


def test_parse_duration_invalid_raises() -> None:
    with pytest.raises(ValueError, match="not a duration"):
        format_duration(-1)
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration("soon")


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("", "***"),
        ("abcde", "***"),
        ("sk-test-1234567", "sk-***"),
        ("test_123456789", "test_***"),
        ("abcdefgh", "abcd***"),
        ("abcdefg", "***"),
        ("test-1", "***"),
        ("-bcdefghij", "-bcd***"),
    ],
)
def test_redact_secret_shows_a_prefix(secret: str, shown: str) -> None:
    assert redact_secret(secret) == shown


@given(st.text(max_size=40))
def test_redact_secret_shows_at_most_half(secret: str) -> None:
    shown = redact_secret(secret).removesuffix("***")
    assert len(shown) <= len(secret) / 2
    assert secret.startswith(shown)


PLAIN = st.recursive(
    st.integers(), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner), max_leaves=6
)


@given(st.dictionaries(st.sampled_from("abc"), PLAIN), st.dictionaries(st.sampled_from("abc"), PLAIN))
def test_merge_configs_prefers_the_later(base: dict[str, Any], over: dict[str, Any]) -> None:
    before = deepcopy((base, over))
    merged = merge_configs(base, over)
    assert set(merged) == {*base, *over}
    for key, value in over.items():
        if not isinstance(value, dict) or not isinstance(base.get(key), dict):
            assert merged[key] == value
    assert merge_configs(merged, over) == merged
    merged.clear()
    assert (base, over) == before


def test_merge_configs_copies_lists() -> None:
    live = object()
    base = {"a": {"list": [1], "kept": live}}
    merged = merge_configs(base, {"a": {"more": [2]}})
    merged["a"]["list"].append(3)
    assert base == {"a": {"list": [1], "kept": live}}
    assert merged["a"]["kept"] is live


def test_connector_id_parse_reads_version() -> None:
    assert ConnectorId.parse("acme.llm.v1").version == 1
    with pytest.raises(ValueError, match="not a connector ID"):
        ConnectorId.parse("Acme.LLM")
