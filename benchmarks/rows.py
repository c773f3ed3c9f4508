"""All rows, in groups. The subjects of a group are measured in the same rounds."""

from __future__ import annotations

from dataclasses import dataclass

from comparisons import added, alone, extra, ratio, throughput
from row import KIB, MIB, MILLISECONDS, Row, at_least, at_most
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


SDKS = {"anthropic": "anthropic_sdk", "google": "google_sdk"}


def _dialect(vendor: str, sdk: str) -> tuple[Row, ...]:
    kinds = {
        "call": ("sync call", 0.4),
        "acall": ("async call", 0.4),
        "stream": ("chunk, sync", 0.3),
        "astream": ("chunk, async", 0.3),
    }
    return tuple(
        Row(f"{vendor}_{kind}", f"{vendor}, {text}: mesh / SDK", ratio(f"mesh.{kind}.{vendor}", f"{sdk}.{kind}"), at_most(goal))
        for kind, (text, goal) in kinds.items()
    )


DIALECTS = tuple(row for vendor, sdk in SDKS.items() for row in _dialect(vendor, sdk))

START = (
    Row("import", "`import modelmesh` / `import httpx2`", ratio("start.import_modelmesh", "start.import_httpx2"), at_most(0.15)),
    Row("import_rss", "resident memory after `import modelmesh`", alone("start.import_modelmesh", MIB, "mib"), at_most(11)),
    Row("import_rss_python", "the same of Python alone", alone("start.nothing", MIB, "mib")),
    Row("import_create", "`from modelmesh import create` / `import httpx2`", ratio("start.import_create", "start.import_httpx2")),
    Row("create_one_key", "`create()` with one key, all packages", alone("start.create_one_key", MILLISECONDS), at_most(60)),
    Row(
        "create_twelve_keys",
        "`create()` with twelve keys, all packages",
        alone("start.create_twelve_keys", MILLISECONDS),
        at_most(120),
    ),
    Row("create_rss", "resident memory after `create()` with one key", alone("start.create_one_key", MIB, "mib")),
)

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
    Group(
        "stream_memory",
        (
            Row("stream_memory", "memory of each of 1,000 streams", alone("mesh.slow_streams_memory", KIB, "kib"), at_most(60)),
            Row("stream_memory_aiohttp", "the same with raw aiohttp", alone("raw_aiohttp.slow_streams_memory", KIB, "kib")),
        ),
        fresh=True,
    ),
    Group("dialects", DIALECTS),
    Group(
        "own_work",
        (
            Row("own_work", "mesh's own work for a call, hot loop", alone("own_work.call"), at_most(80)),
            Row(
                "own_work_among_real",
                "mesh's own work for a call, among real calls",
                alone("own_work.call_among_real"),
                at_most(130),
            ),
            Row("own_chunk", "mesh's own work for a chunk, hot loop", alone("own_work.chunk")),
        ),
    ),
    Group(
        "features",
        (
            Row(
                "features",
                "budget, quota and file sink together: added to a call",
                added("own_work.call_with_all", "own_work.call_settled"),
                at_most(120),
            ),
            Row("feature_budget", "budget: added to a call", added("own_work.call_with_budget", "own_work.call_settled")),
            Row("feature_quota", "quota: added to a call", added("own_work.call_with_quota", "own_work.call_settled")),
            Row(
                "feature_file_sink",
                "file sink: added to a call, on the caller's thread",
                added("own_work.call_with_file_sink", "own_work.call_settled", "thread"),
                at_most(60),
            ),
            Row(
                "feature_file_sink_all",
                "file sink: added to a call, with its own thread",
                added("own_work.call_with_file_sink", "own_work.call_settled"),
            ),
        ),
    ),
    Group(
        "memory",
        (Row("idle_client", "memory of an idle client", alone("own_work.idle_client", KIB, "kib"), at_most(80)),),
        fresh=True,
    ),
    Group("start", START),
    Group(
        "models",
        (
            Row(
                "models_linear",
                "`create()` with 2,000 models of a provider / with 1,000",
                ratio("model_count.create.2000", "model_count.create.1000"),
                at_most(2.2),
            ),
            Row("models_2000", "`create()` with 2,000 models of a provider", alone("model_count.create.2000", MILLISECONDS)),
        ),
    ),
    Group(
        "embeddings",
        (
            Row(
                "embeddings",
                "2,048 embeddings of 3,072 dimensions: mesh / openai SDK",
                ratio("embeddings.mesh", "embeddings.openai_sdk"),
                at_most(1),
            ),
        ),
    ),
    Group("routing", ROUTING),
    Group("selection", SELECTION, longer=0.25),
    Group("first_choice", FIRST_CHOICE),
)
