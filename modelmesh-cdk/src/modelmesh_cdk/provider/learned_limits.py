"""Limits that the refusals of a server showed."""

from __future__ import annotations

from attrs import define, field


@define
class LearnedLimits:
    """What refusals of one server showed.

    Attributes:
        refuses_stream_usage: Whether the server rejects requests for the usage of a stream.
        batch_sizes: Inputs of one request for embeddings, by model.
    """

    refuses_stream_usage: bool = False
    batch_sizes: dict[str, int] = field(factory=dict)
