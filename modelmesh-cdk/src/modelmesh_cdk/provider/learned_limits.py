"""Limits that the refusals of a server showed."""

from __future__ import annotations

from attrs import define, field


@define
class LearnedLimits:
    """What refusals of one server showed.

    Attributes:
        refuses_stream_usage: Whether the server rejects requests for the usage of a stream.
        refuses_base64: Whether the server cannot return embeddings as base64.
        reads_base64: Whether the server answered a request for base64.
        batch_sizes: Inputs of one request for embeddings, by model.
    """

    refuses_stream_usage: bool = False
    refuses_base64: bool = False
    reads_base64: bool = False
    batch_sizes: dict[str, int] = field(factory=dict)
