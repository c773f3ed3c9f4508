"""Background writer: order, bounds, failures and the life of its thread."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Callable
from threading import Event, Thread, get_ident
from typing import Any

import pytest

from modelmesh_cdk.observability import background_writer
from modelmesh_cdk.observability.background_writer import BackgroundWriter

WAIT_S = 30.0


class Output:
    """An output whose first write waits for a gate."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.records: list[Any] = []
        self.threads: set[int] = set()
        self.ends = self.closed = 0
        self.entered, self.gate = Event(), Event()
        if is_open:
            self.gate.set()

    def write(self, record: Any) -> None:
        self.entered.set()
        assert self.gate.wait(WAIT_S)
        self.threads.add(get_ident())
        if isinstance(record, Exception):
            raise record
        self.records.append(record)

    def end_batch(self) -> None:
        self.ends += 1

    def close(self) -> None:
        self.closed += 1


class Pair:
    """A writer and its output."""

    def __init__(self, queue_size: int = 1000, *, is_open: bool = True) -> None:
        self.output = Output(is_open=is_open)
        self.writer = BackgroundWriter("test.sink.v1", queue_size)

    def put(self, *records: Any, chars: int = 0) -> None:
        for record in records:
            self.writer.put(self.output.write, record, self.output.end_batch, chars)


@pytest.fixture
def made() -> Any:
    pairs: list[Pair] = []

    def make(*args: Any, **options: Any) -> Pair:
        pairs.append(Pair(*args, **options))
        return pairs[-1]

    yield make
    for pair in pairs:
        pair.output.gate.set()
        pair.writer.close(pair.output.close)


Make = Callable[..., Pair]


def threads_of_writers() -> list[Thread]:
    return [one for one in threading.enumerate() if one.name == "modelmesh-test.sink.v1"]


def test_put_does_not_wait_for_the_output(made: Make) -> None:
    pair = made(is_open=False)
    pair.put(*range(100))  # returns, although the gate is closed
    assert pair.output.records == []
    pair.output.gate.set()
    assert pair.writer.flush(WAIT_S)
    assert pair.output.records == list(range(100))
    assert get_ident() not in pair.output.threads


def test_full_queue_drops_new_records_and_counts_them(made: Make, caplog: pytest.LogCaptureFixture) -> None:
    pair = made(3, is_open=False)
    pair.put(0)
    assert pair.output.entered.wait(WAIT_S)  # the thread has taken the first one
    with caplog.at_level(logging.WARNING):
        pair.put(*range(1, 10))
        assert pair.writer.dropped == 6
        pair.output.gate.set()
        assert pair.writer.flush(WAIT_S)
        pair.put(*range(10, 13))
        pair.writer.close(pair.output.close)
    assert pair.output.records == [0, 1, 2, 3, 10, 11, 12]
    assert pair.writer.dropped == 6
    [record] = caplog.records
    assert record.getMessage() == (
        "test.sink.v1 dropped records, because 3 were waiting for its output (queue_size); further drops are only counted"
    )


def test_payloads_in_the_queue_are_bounded(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_writer, "MAX_WAITING_CHARS", 100)
    pair = made(is_open=False)
    pair.put("first")
    assert pair.output.entered.wait(WAIT_S)
    pair.put("long", chars=500)  # accepted: no other record waits
    pair.put("dropped", chars=1)
    pair.output.gate.set()
    assert pair.writer.flush(WAIT_S)
    pair.put("next", chars=60)
    assert pair.writer.flush(WAIT_S)
    assert (pair.output.records, pair.writer.dropped) == (["first", "long", "next"], 1)


def test_order_of_each_thread_is_kept(made: Make) -> None:
    pair = made(100_000)
    threads = [Thread(target=lambda name=name: pair.put(*((name, n) for n in range(500)))) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pair.writer.flush(WAIT_S)
    assert len(pair.output.records) == 4000
    for name in range(8):
        assert [n for who, n in pair.output.records if who == name] == list(range(500))


def test_flush_returns_false_while_the_output_does_not_respond(made: Make) -> None:
    pair = made(is_open=False)
    pair.put(1)
    assert not pair.writer.flush(0.01)
    pair.output.gate.set()
    assert pair.writer.flush(WAIT_S)


def test_flush_without_records_returns_at_once(made: Make) -> None:
    assert made().writer.flush(0)
    assert not threads_of_writers()


def test_batch_ends_after_its_last_record(made: Make) -> None:
    pair = made(is_open=False)
    pair.put(*range(50))
    pair.output.gate.set()
    assert pair.writer.flush(WAIT_S)
    assert 1 <= pair.output.ends <= 2


def test_failures_are_counted_and_logged_once(made: Make, caplog: pytest.LogCaptureFixture) -> None:
    pair = made()
    with caplog.at_level(logging.WARNING):
        pair.put(OSError("disk full"), 1, ValueError("closed"), 2)
        assert pair.writer.flush(WAIT_S)
    assert (pair.output.records, pair.writer.failed) == ([1, 2], 2)
    [record] = caplog.records
    assert f"test.sink.v1 ({__file__}:" in record.getMessage()
    assert record.getMessage().endswith("raised OSError: disk full; further failures are only counted")


def test_failure_at_the_end_of_a_batch_counts_its_records(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = made(is_open=False)

    def fail() -> None:
        raise OSError

    monkeypatch.setattr(pair.output, "end_batch", fail)
    pair.put(*range(3))
    pair.output.gate.set()
    assert pair.writer.flush(WAIT_S)
    assert pair.writer.failed == 3
    monkeypatch.undo()
    pair.put(4)
    assert pair.writer.flush(WAIT_S)
    assert (pair.writer.failed, pair.output.records[-1]) == (3, 4)


def test_close_ends_the_thread_and_a_later_record_starts_one(made: Make) -> None:
    pair = made()
    for number in range(3):
        pair.put(number)
        assert pair.writer.close(pair.output.close)
        assert not threads_of_writers()
    assert (pair.output.records, pair.output.closed) == ([0, 1, 2], 3)


def test_failure_of_close_is_counted(made: Make, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        message = "disk full"
        raise OSError(message)

    pair = made()
    pair.put(1)
    assert pair.writer.close(fail)
    assert pair.writer.failed == 1
    assert "raised OSError: disk full" in caplog.text


def test_close_gives_up_when_the_output_stalls(
    made: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background_writer, "STALLED_S", 0.01)
    pair = made(is_open=False)
    pair.put(1)
    assert pair.output.entered.wait(WAIT_S)
    pair.put(2, 3)
    assert not pair.writer.close(pair.output.close)
    assert "test.sink.v1: 2 records are not written, because the output does not accept them" in caplog.text
    pair.output.gate.set()
    assert pair.writer.flush(WAIT_S)
    assert pair.output.records == [1, 2, 3]


def test_record_of_the_writing_thread_is_written(made: Make) -> None:
    pair = made()

    def write(record: int) -> None:
        pair.output.write(record)
        if record < 3:
            pair.writer.put(write, record + 1, pair.output.end_batch)

    pair.writer.put(write, 0, pair.output.end_batch)
    while len(pair.output.records) < 4:
        assert pair.writer.flush(WAIT_S)
    assert pair.output.records == [0, 1, 2, 3]


def test_put_may_interrupt_a_put_of_its_thread(made: Make) -> None:
    pair = made()
    with pair.writer._lock:  # as when the garbage collector ends a stream in the middle of another put
        pair.put(1)
    assert pair.writer.flush(WAIT_S)
    assert pair.output.records == [1]


def test_idle_thread_keeps_no_record_alive(made: Make) -> None:
    class Record:
        pass

    pair = made()
    alive = Event()
    record = Record()
    weakref.finalize(record, alive.set)
    pair.writer.put(lambda _: None, record, pair.output.end_batch)
    assert pair.writer.flush(WAIT_S)
    del record
    gc.collect()
    assert alive.is_set()


def test_inline_writer_writes_in_the_thread_of_the_caller(made: Make) -> None:
    pair = made()
    pair.writer.write_inline()
    pair.put(1, 2)
    assert pair.output.records == [1, 2]
    assert pair.output.threads == {get_ident()}


def test_platform_without_threads_writes_inline(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    monkeypatch.setattr(Thread, "start", refuse)
    pair = made()
    pair.put(1, 2)
    assert pair.output.records == [1, 2]
    assert pair.writer.close(pair.output.close)


def test_inline_write_that_is_interrupted_by_a_record_is_finished_first(made: Make) -> None:
    pair = made()
    pair.writer.write_inline()
    steps: list[str] = []

    def write(record: str) -> None:
        steps.append(f"begin {record}")
        if record == "outer":
            pair.writer.put(write, "inner", pair.output.end_batch)
        steps.append(f"end {record}")

    pair.writer.put(write, "outer", pair.output.end_batch)
    assert steps == ["begin outer", "end outer", "begin inner", "end inner"]
