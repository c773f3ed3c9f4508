"""Declared hooks of provider connectors: the methods and attributes that a subclass of ``BaseProvider`` may override.

A leading underscore marks a hook that the kit calls and that nothing else should call. Public methods of ``BaseProvider`` may be
overridden as well. Every other name with an underscore is private: it changes without notice, and the conformance kit rejects
a connector that overrides one.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from modelmesh._engine.plugins.attribution import locate_definition

GROUPS: dict[str, tuple[str, ...]] = {
    "Facts of the vendor": (
        "id", "default_base_url", "base_url_variable", "api_version", "api_key_variable", "other_key_variables", "requires_key",
        "config_class", "options", "default_capabilities", "missing_is_model", "error_mappings", "rate_limit_headers",
        "message_rules", "requests_stream_usage", "output_limit_parameter", "embedding_limit", "requests_base64_embeddings",
        "native_operations", "probe_path", "list_path",
    ),
    "Address and headers": (
        "_resolve_base_url", "_api_version", "_resolve_api_root", "_get_completion_endpoint", "_endpoint", "_build_headers",
    ),
    "Requests": ("_message_rules", "_own_messages", "_build_request_payload", "_encode_request", "operation_codecs"),
    "Responses": ("_parse_response", "_decode_response", "_parse_sse_chunk", "_stream_decoder"),
    "Errors": (
        "_error_code", "_error_text", "_stated_delay", "_classify", "_map_error_response", "_map_embedded_error",
    ),
    "Model catalogue and model list": (
        "models", "shipped_models", "_get_list_endpoint", "_parse_model_list", "_parse_model_row", "_next_model_page",
        "_unlisted_models", "probe",
    ),
}  # fmt: skip
"""Names of the hooks by subject, in the order of the documentation."""

HOOKS = frozenset(name for group in GROUPS.values() for name in group)

_KIT = "modelmesh_cdk"
_ENTRY = re.compile(r"^ {8}(\w+): (.+(?:\n {12}.+)*)", re.MULTILINE)


@frozen
class Hook:
    """A hook as the documentation shows it.

    Attributes:
        name: The method or class attribute.
        signature: Parameters and result of a method, type and default of an attribute.
        purpose: First sentence of its documentation.
    """

    name: str
    signature: str
    purpose: str


@frozen
class PrivateOverride:
    """A private name of the kit that a connector overrides.

    Attributes:
        name: The method or attribute.
        owner: Class of the kit that defines it.
        place: ``file:line`` of the override.
    """

    name: str
    owner: str
    place: str

    def __str__(self) -> str:
        return f"{self.place}: {self.name} is a private name of {self.owner}, not a hook; see docs/reference/connector-hooks.md"


def private_overrides(cls: type[Any]) -> Iterator[PrivateOverride]:
    """Yield the private names of the kit that a connector class or one of its bases overrides."""
    kit = [base for base in cls.__mro__ if _is_of_the_kit(base)]
    for base in cls.__mro__:
        if base in kit or base is object:
            continue
        for name, value in vars(base).items():
            if not name.startswith("_") or name.startswith("__") or name in HOOKS:
                continue
            owner = next((one for one in kit if name in vars(one)), None)
            if owner is not None:
                code = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
                yield PrivateOverride(name, owner.__name__, locate_definition(code if callable(code) else base))


def describe_hooks(cls: type[Any]) -> Iterator[tuple[str, list[Hook]]]:
    """Yield each subject and its hooks as a class of the kit defines them.

    Args:
        cls: ``BaseProvider`` or a subclass.
    """
    purposes = _purposes_of_attributes(cls)
    for subject, names in GROUPS.items():
        yield subject, [_describe(cls, name, purposes) for name in names]


def _describe(cls: type[Any], name: str, purposes: dict[str, str]) -> Hook:
    value = inspect.getattr_static(cls, name)
    if inspect.isfunction(value):
        return Hook(name, _signature(value), _first_sentence(inspect.getdoc(value) or ""))
    kind = next(vars(base).get("__annotations__", {}).get(name) for base in cls.__mro__ if name in vars(base))
    return Hook(name, str(kind).removeprefix("ClassVar[").removesuffix("]"), _first_sentence(purposes.get(name, "")))


def _signature(method: Any) -> str:
    parameters = list(inspect.signature(method).parameters.values())[1:]
    typed = ", ".join(f"{one.name}: {one.annotation}" for one in parameters)
    return f"({typed}) -> {inspect.signature(method).return_annotation}"


def _purposes_of_attributes(cls: type[Any]) -> dict[str, str]:
    """Return the entries of the ``Attributes`` sections of a class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        doc = vars(base).get("__doc__") or ""
        found |= {name: " ".join(words.split()) for name, words in _ENTRY.findall(doc.partition("Attributes:\n")[2])}
    return found


def _first_sentence(text: str) -> str:
    first = " ".join(text.partition("\n\n")[0].split())
    return re.sub(r":\w+:`~?([\w.]+)`", r"``\1``", first)


def _is_of_the_kit(cls: type[Any]) -> bool:
    return cls.__module__.partition(".")[0] == _KIT
