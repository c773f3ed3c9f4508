"""``/openapi.json`` describes what the proxy does: any request by it gets a documented answer, and no failure is without a type."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from modelmesh.contracts.operations import OPERATIONS
from modelmesh_cdk.testing import Upstream
from modelmesh_proxy.application.routes import ROUTES
from modelmesh_proxy.openapi.document import openapi_document

DOCUMENT = openapi_document("0.1.0")
ENTRIES = [(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item]
CAPABILITIES = sorted({row.capability for row in OPERATIONS.values() if row.capability})
ROWS = {(row.method, f"/v1{row.path}"): row for row in OPERATIONS.values()}
EXAMPLES = int(os.environ.get("MODELMESH_OPENAPI_EXAMPLES", "3"))
"""Requests for each operation. A run by hand may raise the number."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from proxy_process import proxy as started

    folder = tmp_path_factory.mktemp("proxy")
    with Upstream() as vendor:
        config = {
            "providers": {"openai": {"connector": "openai.llm.v1", "api_key": "sk-test", "base_url": vendor.url}},
            "models": {f"m-{name}": {"provider": "openai", "capabilities": [name]} for name in CAPABILITIES},
            "pools": {name: {} for name in CAPABILITIES},
        }
        (folder / "modelmesh.yaml").write_text(json.dumps(config), "utf-8")
        with started(folder, "--config", "modelmesh.yaml", HOME=str(folder)) as running:
            yield f"http://127.0.0.1:{running.port}"


def test_document_names_every_operation_and_no_administration(url: str) -> None:
    served = httpx.get(f"{url}/openapi.json")
    assert served.headers["content-type"] == "application/json"
    assert served.json()["paths"] == json.loads(json.dumps(DOCUMENT["paths"]))
    assert {(row.method, f"/v1{row.path}") for row in OPERATIONS.values()} <= set(ENTRIES)
    open_to_callers = tuple(route.path for route in ROUTES if not route.access.is_internal)
    assert all(path.startswith(open_to_callers) for _, path in ENTRIES)
    assert not any(path.startswith(("/admin", "/ui", "/metrics")) for _, path in ENTRIES)
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_reference_names_every_path() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/http.md").read_text("utf-8")
    assert [path for path in DOCUMENT["paths"] if path not in page] == []


SCHEMA = schemathesis.openapi.from_dict(json.loads(json.dumps(DOCUMENT)))
for phase in (SCHEMA.config.phases.coverage, SCHEMA.config.phases.examples):
    phase.enabled = False
CHECKS = [content_type_conformance, response_schema_conformance, status_code_conformance]


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_any_request_gets_a_documented_answer(case: schemathesis.Case, url: str) -> None:
    row = ROWS.get((case.operation.method.upper(), case.operation.path))
    if isinstance(case.body, dict) and len(case.body) % 2:  # the others name a model that does not exist
        case.body["model"] = row.capability if row is not None else "chat-completion"
    response = case.call(base_url=url, timeout=30)
    assert response.status_code != 500, response.text
    if row is not None and response.status_code == 200:
        assert {"x-modelmesh-model", "x-modelmesh-provider", "x-modelmesh-attempts", "x-request-id"} <= response.headers.keys()
    case.validate_response(response, checks=CHECKS)
