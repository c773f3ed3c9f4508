"""The OpenAPI document: everything that callers may use. Administration is not part of it."""

from __future__ import annotations

from functools import cache
from typing import Any

from modelmesh.contracts.operations import OPERATIONS
from modelmesh_proxy.openapi.operation_paths import path_item
from modelmesh_proxy.openapi.own_paths import own_paths
from modelmesh_proxy.openapi.parts import ERROR_SCHEMAS, KEYS


@cache
def openapi_document(version: str) -> dict[str, Any]:
    """Return the document. It must not be changed.

    Args:
        version: Version of the proxy.
    """
    paths: dict[str, Any] = {}
    for operation in OPERATIONS.values():
        paths.setdefault(f"/v1{operation.path}", {})[operation.method.lower()] = path_item(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ModelMesh proxy",
            "version": version,
            "description": "One endpoint for the models of many vendors, in the formats of OpenAI, Anthropic and Google. "
            "Every body may have further parameters, which reach the vendor.",
        },
        "servers": [{"url": "/"}],
        "paths": {**paths, **own_paths()},
        "components": {"schemas": ERROR_SCHEMAS, "securitySchemes": KEYS},
    }
