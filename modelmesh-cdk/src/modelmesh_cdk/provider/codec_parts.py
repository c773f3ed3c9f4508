"""Parameters that a vendor lacks, and parts that every reply of an operation has: building blocks of codecs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from modelmesh_cdk.wire.request import WireRequest

T = TypeVar("T")


def drop_parameters(
    request: WireRequest, payload: dict[str, Any], names: Iterable[str], vendor: str, *, harmless: Collection[Any] = ()
) -> None:
    """Remove parameters that a vendor lacks. The reply's metadata lists each removed parameter.

    Args:
        request: The request. Its ``adapted`` receives the lines.
        payload: The body. It is changed.
        names: Names of the parameters.
        vendor: Name of the vendor for the lines.
        harmless: Values that the vendor applies anyway. Their removal is not listed, nor is that of ``None``.
    """
    for name in names:
        value = payload.pop(name, None)
        if value is not None and value not in harmless:
            request.adapted.append(f"{name} dropped: {vendor} has no such parameter")


def required_part(data: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """Return a part of a reply.

    Args:
        data: The decoded reply.
        name: Name of the part.
        kind: Type of the part.

    Raises:
        ValueError: The part is missing, or has another type.
    """
    found = data.get(name)
    if not isinstance(found, kind):
        message = f"its body has no {name!r}"
        raise ValueError(message)  # noqa: TRY004 - of the vendor's data
    return found
