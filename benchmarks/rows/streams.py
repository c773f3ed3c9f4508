"""Rows of streams."""

from __future__ import annotations

from comparisons import alone, ratio
from row import KIB, Row

from rows.group import Group

STREAMS = (
    Group(
        "chunks",
        (
            Row("chunk", "chunk of a sync stream: mesh / openai SDK", ratio("mesh.stream", "openai_sdk.stream"), goal=0.1),
            Row("achunk", "chunk of an async stream: mesh / openai SDK", ratio("mesh.astream", "openai_sdk.astream"), goal=0.1),
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
        "bridge_chunks",
        (
            Row(
                "bridge_chunk",
                "chunk of a sync stream: openai SDK over the mesh in the process / openai SDK",
                ratio("bridge.stream", "openai_sdk.stream"),
                goal=1,
            ),
            Row(
                "bridge_achunk",
                "chunk of an async stream: openai SDK over the mesh in the process / openai SDK",
                ratio("bridge.astream", "openai_sdk.astream"),
                goal=1,
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
                goal=1.3,
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
            Row("stream_memory", "memory of each of 1,000 streams", alone("mesh.slow_streams_memory", KIB, "kib"), goal=60),
            Row(
                "stream_memory_aiohttp",
                "memory of each of 1,000 streams of raw aiohttp",
                alone("raw_aiohttp.slow_streams_memory", KIB, "kib"),
            ),
        ),
        fresh=True,
    ),
)
