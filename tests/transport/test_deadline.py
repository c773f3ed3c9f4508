"""How much time a finished stream has left."""

from __future__ import annotations

import time

from modelmesh_cdk.transport.port import Deadline


def test_content_lifts_the_limit_of_the_first_content_and_not_that_of_a_finished_stream() -> None:
    deadline = Deadline(connect=1, phase=10, total=1000, gap=60)
    deadline.commit()
    assert deadline.at == deadline.end_at
    deadline.expire_in(2)
    deadline.commit()
    assert deadline.at <= time.monotonic() + 2


def test_a_stream_that_goes_on_after_its_finish_reason_has_its_time_again() -> None:
    deadline = Deadline(connect=1, phase=10, total=1000, gap=60)
    deadline.expire_in(2)
    deadline.resume()
    assert deadline.at == deadline.end_at
