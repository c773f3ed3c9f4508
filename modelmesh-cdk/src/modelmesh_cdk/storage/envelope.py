"""Stored form of an entry: one blob with the data, the metadata and the version."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from io import StringIO
from typing import Any, Final

from attrs import frozen

from modelmesh.contracts.storage import StorageEntry
from modelmesh.errors import ConfigurationError

FORMATS: Final = ("json", "yaml", "msgpack")
_GZIP = b"\x1f\x8b"


@frozen
class Stored:
    """An entry in its stored form.

    Attributes:
        entry: The entry, with its version.
        saved_at: Time of the save in Unix seconds.
    """

    entry: StorageEntry
    saved_at: float


def packed(stored: Stored, style: str = "json", *, compressed: bool = False) -> bytes:
    """Return the blob of an entry.

    Args:
        stored: The entry with its version.
        style: One of :data:`FORMATS`. JSON and YAML keep text data readable.
        compressed: Whether to compress the blob with gzip.

    Raises:
        TypeError: The metadata is not plain data.
        ConfigurationError: The format is unknown, or its library is not installed.
    """
    entry = stored.entry
    record: dict[str, Any] = {"version": entry.version, "key": entry.key, "saved_at": stored.saved_at}
    record["metadata"] = _plain(entry.metadata, entry.key)
    if style == "msgpack":
        blob = _msgpack().encode({**record, "data": entry.data})
    else:
        text = _text_of(entry.data)
        record |= {"base64": base64.b64encode(entry.data).decode()} if text is None else {"text": text}
        blob = _written(record, style)
    return gzip.compress(blob, mtime=0) if compressed else blob


def unpacked(blob: bytes) -> Stored:
    """Read a blob in any of the formats, compressed or not.

    Raises:
        ValueError: The blob is not an entry, or is truncated.
        ConfigurationError: The library of its format is not installed.
    """
    try:
        if blob.startswith(_GZIP):
            blob = gzip.decompress(blob)
        record = _read(blob)
        if "data" not in record:
            whole = "base64" in record
            record["data"] = base64.b64decode(record["base64"], validate=True) if whole else record["text"].encode()
        entry = StorageEntry(record["key"], record["data"], record["metadata"], record["version"])
        return Stored(entry, float(record["saved_at"]))
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - each reader raises its own exceptions
        message = f"it is no stored entry, or was cut: {type(error).__name__}"  # not its text, which may show the data
        raise ValueError(message) from None


def _plain(metadata: Mapping[str, Any], key: str) -> Any:
    try:
        return json.loads(json.dumps(dict(metadata), allow_nan=False))
    except (TypeError, ValueError) as error:
        message = f"the metadata of {key!r} is no plain data: {error}; keep such a value in the data"
        raise TypeError(message) from None


def _text_of(data: bytes) -> str | None:
    """Return data as text if every format preserves that text, else ``None``."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if text.replace("\n", " ").isprintable() else None


def _written(record: Mapping[str, Any], style: str) -> bytes:
    plain = json.dumps(record, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
    if style == "json":
        return plain
    if style == "yaml":
        target = StringIO()
        _yaml().dump(record, target)
        try:
            blob = target.getvalue().encode()
            kept = _yaml().load(blob.decode()) == record
        except Exception:  # noqa: BLE001 - the writer of YAML gets some line breaks and controls wrong
            kept = False
        return blob if kept else plain  # JSON is YAML too
    message = f"there is no format {style!r}; the formats are {', '.join(FORMATS)}. Set storage.persistence.format to one of them"
    raise ConfigurationError(message)


def _read(blob: bytes) -> dict[str, Any]:
    first = blob[:1]
    if first == b"{":
        return dict(json.loads(blob.decode("utf-8", "surrogatepass")))
    if first >= b"\x80":  # the type byte of a map, with which no text in UTF-8 begins
        return dict(_msgpack().decode(blob))
    return dict(_yaml().load(blob.decode("utf-8", "surrogatepass")))


def _yaml() -> Any:
    from ruamel.yaml import YAML  # noqa: PLC0415 - only for stores that are configured so

    made = YAML(typ="safe", pure=True)
    made.default_flow_style = False
    made.allow_unicode = True
    made.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    return made


def _msgpack() -> Any:
    try:
        from msgspec import msgpack  # noqa: PLC0415 - an optional dependency
    except ModuleNotFoundError as error:
        message = "the format msgpack needs msgspec: pip install 'modelmesh-cdk[fast]'"
        raise ConfigurationError(message) from error
    return msgpack
