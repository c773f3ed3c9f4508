"""Rows of the start of a process, of idle clients, and of many models."""

from __future__ import annotations

from comparisons import alone, ratio
from row import KIB, MIB, MILLISECONDS, Row

from rows.group import Group

_START = (
    Row("import", "`import modelmesh` / `import httpx2`", ratio("start.import_modelmesh", "start.import_httpx2"), goal=0.15),
    Row("import_rss", "resident memory after `import modelmesh`", alone("start.import_modelmesh", MIB, "mib"), goal=11),
    Row("import_rss_python", "resident memory of Python alone", alone("start.nothing", MIB, "mib")),
    Row("import_create", "`from modelmesh import create` / `import httpx2`", ratio("start.import_create", "start.import_httpx2")),
    Row("create_one_key", "`create()` with one key, all packages", alone("start.create_one_key", MILLISECONDS), goal=60),
    Row(
        "create_twelve_keys",
        "`create()` with twelve keys, all packages",
        alone("start.create_twelve_keys", MILLISECONDS),
        goal=120,
    ),
    Row("create_rss", "resident memory after `create()` with one key", alone("start.create_one_key", MIB, "mib")),
)

START = (
    Group("start", _START),
    Group(
        "memory",
        (Row("idle_client", "memory of an idle client", alone("own_work.idle_client", KIB, "kib"), goal=80),),
        fresh=True,
    ),
    Group(
        "models",
        (
            Row(
                "models_linear",
                "`create()` with 2,000 models of a provider / with 1,000",
                ratio("model_count.create.2000", "model_count.create.1000"),
                goal=2.2,
            ),
            Row("models_2000", "`create()` with 2,000 models of a provider", alone("model_count.create.2000", MILLISECONDS)),
        ),
    ),
)
