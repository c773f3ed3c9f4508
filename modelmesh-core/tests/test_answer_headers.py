"""Headers of a vendor that reach the caller."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from modelmesh._engine.gateway.answer_responses import answer_headers
from modelmesh.contracts.provider import Answer

HOSTILE = {
    "access-control-allow-origin": "*",
    "access-control-allow-credentials": "true",
    "clear-site-data": '"*"',
    "content-security-policy": "default-src *",
    "cross-origin-opener-policy": "unsafe-none",
    "link": "<https://vendor.example>; rel=preload",
    "location": "https://vendor.example",
    "refresh": "0;url=https://vendor.example",
    "service-worker-allowed": "/",
    "set-cookie": "a=b",
    "www-authenticate": "Basic",
    "x-modelmesh-cost": "0.0",
    "x-modelmesh-model": "other",
}


def test_a_vendor_sets_no_header_about_the_address_of_the_mesh() -> None:
    vendor = {**HOSTILE, "x-ratelimit-remaining-requests": "5", "openai-processing-ms": "3"}
    candidate = SimpleNamespace(model_id="m", provider_id="acme")
    attempt = SimpleNamespace(cost=None, adapted=())
    served: Any = SimpleNamespace(outcome=Answer({}, headers=vendor), candidate=candidate, attempts=[attempt])
    found = answer_headers(served, "req_1")
    assert found == [
        ("x-ratelimit-remaining-requests", "5"),
        ("openai-processing-ms", "3"),
        ("x-request-id", "req_1"),
        ("x-modelmesh-model", "m"),
        ("x-modelmesh-provider", "acme"),
        ("x-modelmesh-attempts", "1"),
    ]
