"""Selection of the operations that a provider serves, for the parameters of their tests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pytest

from modelmesh.contracts import OPERATIONS
from modelmesh.contracts.operations import MESSAGES, BodyKind, OperationScope
from modelmesh.errors import ConnectorLoadError
from modelmesh_cdk.provider.catalogue import load_catalogue
from modelmesh_cdk.provider.openai_compatible import OpenAICompatibleProvider
from modelmesh_cdk.provider.operation_codec import OperationCodec, UnservedOperation
from modelmesh_cdk.testing.dialects.operation_samples import OPERATION_SAMPLES

NONE = "operations: the connector serves chat completions and embeddings only"
TESTED_FAILURES = frozenset({"files.create", "files.content", "batches.retrieve"})
"""The operations of an account whose failures are tested. The others differ from them only in their path."""


def operations_of(cls: Any) -> frozenset[str]:
    """Return the operations of a connector class: those of its model catalogue, and its native operations.

    The catalogue counts for OpenAI's format and for operations with a codec.
    """
    try:
        models = load_catalogue(cls.__module__.partition(".")[0], cls)
    except ConnectorLoadError:
        models = ()
    capabilities = {path.rpartition(".")[2] for info in models for path in info.capabilities}
    rows = OPERATIONS.values()
    served = {
        row.name for row in rows if row.scope is OperationScope.MODEL and not row.translates and row.capability in capabilities
    }
    codecs = getattr(cls, "operation_codecs", {})
    served -= {name for name, codec in codecs.items() if isinstance(codec, UnservedOperation)}
    if not issubclass(cls, OpenAICompatibleProvider):
        served &= set(codecs)
    return frozenset(served | set(getattr(cls, "native_operations", ())))


def keeps_format(name: str, codec: OperationCodec | None) -> bool:
    """Return whether a codec keeps the format of an operation. ``messages`` has one format at all vendors."""
    changes = ("method", "body", "reply", "endpoint", "build_payload", "parse_response", "stream_decoder")
    kind = type(codec)
    return codec is None or name == MESSAGES.name or all(getattr(kind, one) == getattr(OperationCodec, one) for one in changes)


def parametrize_operations(metafunc: pytest.Metafunc, served: Sequence[str], in_format: Sequence[str]) -> None:
    """Parametrize a test with the operations that its fixture names.

    Args:
        metafunc: The test.
        served: The operations that the connector serves.
        in_format: The operations whose format the dialect reads and writes.
    """
    rows = {
        "operation": in_format,
        "streamed_operation": [name for name in in_format if OPERATION_SAMPLES[name].events],
        "upload_operation": [name for name in in_format if OPERATIONS[name].body is BodyKind.MULTIPART],
        "counted_operation": [name for name in in_format if _has_usage(OPERATION_SAMPLES[name].answer)],
        "any_operation": _with_failures(served),
        "any_streamed_operation": [name for name in _with_failures(served) if OPERATION_SAMPLES[name].events],
    }
    for fixture, names in rows.items():
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, names or [pytest.param("", marks=pytest.mark.skip(reason=NONE))])


def _with_failures(served: Collection[str]) -> list[str]:
    return [name for name in served if OPERATIONS[name].scope is OperationScope.MODEL or name in TESTED_FAILURES]


def _has_usage(answer: Any) -> bool:
    return isinstance(answer, dict) and bool(answer.get("usage"))
