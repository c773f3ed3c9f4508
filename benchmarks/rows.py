"""All rows, in groups. The subjects of a group are measured in the same rounds."""

from __future__ import annotations

from dataclasses import dataclass

from comparisons import extra, ratio, throughput
from row import Row, at_least, at_most
from selection_rows import FIRST_CHOICE, ROUTING, SELECTION


@dataclass(frozen=True)
class Group:
    """Rows whose subjects are interleaved.

    Attributes:
        id: A name that does not change.
        rows: The rows.
        fresh: Whether each round has new processes.
        longer: Factor of the length of a turn. Short bursts of many calls would mostly measure opening and closing connections.
    """

    id: str
    rows: tuple[Row, ...]
    fresh: bool = False
    longer: float = 1.0


GROUPS = (
    Group(
        "sync",
        (
            Row("sync_call", "sync call: mesh with `fast` / raw httpx2", ratio("mesh.call", "raw_httpx2.call"), at_most(0.6)),
            Row("sync_call_httpx2", "the same with `transport: httpx2`", ratio("mesh.call_httpx2", "raw_httpx2.call")),
            Row(
                "sync_call_plain",
                "sync call without `fast` / raw httpx2",
                ratio("plain:mesh.call", "plain:raw_httpx2.call"),
                at_most(1.1),
            ),
            Row("sync_call_openai", "sync call: mesh / openai SDK", ratio("mesh.call", "openai_sdk.call")),
            Row("sync_call_litellm", "sync call: mesh / `litellm.completion`", ratio("mesh.call", "litellm:litellm_router.call")),
            Row(
                "failover",
                "failover after an instant 500, in healthy calls",
                extra("mesh.call_failover", "mesh.call"),
                at_most(1),
            ),
        ),
    ),
    Group(
        "async",
        (
            Row("async_call", "async call: mesh / raw httpx2", ratio("mesh.acall", "raw_httpx2.acall")),
            Row("async_call_openai", "async call: mesh / openai SDK", ratio("mesh.acall", "openai_sdk.acall")),
        ),
    ),
    Group(
        "in_flight",
        (
            Row(
                "in_flight_openai",
                "64 async calls in flight: throughput of the mesh / openai SDK",
                throughput("mesh.acall_in_flight", "openai_sdk.acall_in_flight"),
                at_least(10),
            ),
            Row(
                "in_flight_litellm",
                "64 async calls in flight: throughput of the mesh / litellm Router",
                throughput("mesh.acall_in_flight", "litellm:litellm_router.router_acall_in_flight"),
                at_least(25),
            ),
            Row(
                "in_flight_aiohttp",
                "64 async calls in flight: CPU of the mesh / raw aiohttp",
                ratio("mesh.acall_in_flight", "raw_aiohttp.acall_in_flight"),
            ),
            Row(
                "in_flight_httpx2",
                "64 async calls in flight: throughput of `transport: httpx2` / openai SDK",
                throughput("mesh.acall_in_flight_httpx2", "openai_sdk.acall_in_flight"),
            ),
        ),
        longer=8,
    ),
    Group(
        "threads",
        (
            Row(
                "threads_openai",
                "16 threads: throughput of the mesh / openai SDK",
                throughput("mesh.call_threads", "openai_sdk.call_threads"),
                at_least(8),
            ),
            Row(
                "threads_httpx2",
                "16 threads: throughput of the mesh / raw httpx2",
                throughput("mesh.call_threads", "raw_httpx2.call_threads"),
            ),
        ),
        longer=8,
    ),
    Group(
        "chunks",
        (
            Row("chunk", "chunk of a sync stream: mesh / openai SDK", ratio("mesh.stream", "openai_sdk.stream"), at_most(0.1)),
            Row(
                "achunk", "chunk of an async stream: mesh / openai SDK", ratio("mesh.astream", "openai_sdk.astream"), at_most(0.1)
            ),
            Row(
                "chunk_httpx2", "chunk of a sync stream: mesh / raw httpx2, bytes only", ratio("mesh.stream", "raw_httpx2.stream")
            ),
            Row(
                "chunk_plain",
                "chunk of a sync stream without `fast` / openai SDK",
                ratio("plain:mesh.stream", "openai_sdk.stream"),
            ),
        ),
    ),
    Group(
        "streams",
        (
            Row(
                "thousand_streams",
                "1,000 concurrent streams: time of the mesh / raw aiohttp",
                ratio("mesh.slow_streams", "raw_aiohttp.slow_streams", "wall"),
                at_most(1.3),
            ),
            Row(
                "thousand_streams_cpu",
                "1,000 concurrent streams: CPU of the mesh / raw aiohttp",
                ratio("mesh.slow_streams", "raw_aiohttp.slow_streams"),
            ),
        ),
    ),
    Group("routing", ROUTING),
    Group("selection", SELECTION, longer=0.25),
    Group("first_choice", FIRST_CHOICE),
)
