"""Rows of whole calls: one after another, in flight together, and in threads."""

from __future__ import annotations

from comparisons import extra, ratio, throughput
from row import Row

from rows.group import Group

CALLS = (
    Group(
        "sync",
        (
            Row("sync_call", "sync call: mesh with `fast` / raw httpx2", ratio("mesh.call", "raw_httpx2.call"), goal=0.6),
            Row(
                "sync_call_httpx2",
                "sync call: mesh with `transport: httpx2` / raw httpx2",
                ratio("mesh.call_httpx2", "raw_httpx2.call"),
            ),
            Row(
                "sync_call_plain",
                "sync call without `fast` / raw httpx2",
                ratio("plain:mesh.call", "plain:raw_httpx2.call"),
                goal=1.1,
            ),
            Row("sync_call_openai", "sync call: mesh / openai SDK", ratio("mesh.call", "openai_sdk.call")),
            Row("sync_call_litellm", "sync call: mesh / `litellm.completion`", ratio("mesh.call", "litellm:litellm_router.call")),
            Row(
                "failover",
                "failover after an instant 500, in healthy calls",
                extra("mesh.call_failover", "mesh.call"),
                goal=1,
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
        "bridge",
        (
            Row(
                "bridge_call",
                "sync call: openai SDK over the mesh in the process / openai SDK",
                ratio("bridge.call", "openai_sdk.call"),
                goal=1,
            ),
            Row(
                "bridge_acall",
                "async call: openai SDK over the mesh in the process / openai SDK",
                ratio("bridge.acall", "openai_sdk.acall"),
                goal=1,
            ),
        ),
    ),
    Group(
        "in_flight",
        (
            Row(
                "in_flight_openai",
                "64 async calls in flight: throughput of the mesh / openai SDK",
                throughput("mesh.acall_in_flight", "openai_sdk.acall_in_flight"),
                goal=10,
            ),
            Row(
                "in_flight_litellm",
                "64 async calls in flight: throughput of the mesh / litellm Router",
                throughput("mesh.acall_in_flight", "litellm:litellm_router.router_acall_in_flight"),
                goal=25,
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
                goal=8,
            ),
            Row(
                "threads_httpx2",
                "16 threads: throughput of the mesh / raw httpx2",
                throughput("mesh.call_threads", "raw_httpx2.call_threads"),
            ),
        ),
        longer=8,
    ),
)
