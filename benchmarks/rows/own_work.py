"""Rows of the mesh's own work, of features, of embeddings, and of large bodies."""

from __future__ import annotations

from comparisons import added, alone, ratio
from row import Row

from rows.group import Group

OWN_WORK = (
    Group(
        "own_work",
        (
            Row("own_work", "mesh's own work for a call, hot loop", alone("own_work.call"), goal=80),
            Row(
                "own_work_among_real",
                "mesh's own work for a call, among real calls",
                alone("own_work.call_among_real"),
                goal=130,
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
                goal=120,
            ),
            Row("feature_budget", "budget: added to a call", added("own_work.call_with_budget", "own_work.call_settled")),
            Row("feature_quota", "quota: added to a call", added("own_work.call_with_quota", "own_work.call_settled")),
            Row(
                "feature_file_sink",
                "file sink: added to a call, on the caller's thread",
                added("own_work.call_with_file_sink", "own_work.call_settled", "thread"),
                goal=60,
            ),
            Row(
                "feature_file_sink_all",
                "file sink: added to a call, with its own thread",
                added("own_work.call_with_file_sink", "own_work.call_settled"),
            ),
        ),
    ),
    Group(
        "embeddings",
        (
            Row(
                "embeddings",
                "2,048 embeddings of 3,072 dimensions: mesh / openai SDK",
                ratio("embeddings.mesh", "embeddings.openai_sdk"),
                goal=1,
            ),
        ),
    ),
    Group(
        "bridge_media",
        tuple(
            Row(
                f"bridge_{prefix}{name}",
                f"{title}, {how}: openai SDK over the mesh in the process / openai SDK",
                ratio(f"media.{prefix}bridge.{name}", f"media.{prefix}openai_sdk.{name}"),
                goal=1,
            )
            for name, title in (
                ("embed", "2,048 embeddings of 3,072 dimensions"),
                ("upload", "transcription of 10 MB"),
                ("download", "speech of 10 MB"),
            )
            for prefix, how in (("", "sync"), ("a", "async"))
        ),
    ),
)
