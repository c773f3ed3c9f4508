"""How much time a finished stream has left."""

from __future__ import annotations

import time

from modelmesh_cdk.transport.interfaces import Deadline


def test_commit_keeps_the_limit_of_a_finished_stream() -> None:
    deadline = Deadline(connect=1, phase=10, total=1000, gap=60)
    deadline.commit()
    assert deadline.at == deadline.end_at
    deadline.expire_in(2)
    deadline.commit()
    assert deadline.at <= time.monotonic() + 2


def test_stream_after_finish_reason_regains_its_limit() -> None:
    deadline = Deadline(connect=1, phase=10, total=1000, gap=60)
    deadline.expire_in(2)
    deadline.resume()
    assert deadline.at == deadline.end_at
