"""Construction of plain data from the events of the YAML reader, with positions and limits.

YAML libraries have no limit on the values that aliases expand to, and report no positions in plain data. Therefore this module
builds the data from the events of ruamel.yaml. Scalars follow YAML 1.2: ``no`` is a string.
"""

from __future__ import annotations

import math
import re
from typing import Any

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from modelmesh._engine.config.secret_masking import MAX_DEPTH
from modelmesh._engine.config.source_map import KeyPath
from modelmesh.errors import ConfigurationError

MAX_NODES = 25_000
"""Maximum number of values, aliases expanded, so that an exponential file is rejected before it is built."""

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_FLOAT_WORDS = {".inf": math.inf, "-.inf": -math.inf, "+.inf": math.inf, ".nan": math.nan}
_PLAIN_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


class _Open:
    """A collection under construction."""

    __slots__ = ("anchor", "first_mark", "key", "merged", "path", "size", "value")

    def __init__(self, value: Any, path: KeyPath, anchor: str | None) -> None:
        self.value = value
        self.path = path
        self.anchor = anchor
        self.key: Any = _NO_KEY
        self.merged: list[Any] = []
        self.size = 1
        self.first_mark = 0


_NO_KEY = object()
_MERGE = object()


class DocumentBuilder:
    """Builds a document from its events, and enforces the limits."""

    def __init__(self, name: str) -> None:
        self.positions: dict[KeyPath, tuple[int, int]] = {}
        self._order: list[KeyPath] = []  # paths in document order, so that those below an anchor are adjacent
        self._spans: dict[str, tuple[KeyPath, int, int]] = {}
        self.result: Any = None
        self._name = name
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._documents = 0

    def add_event(self, event: Any) -> None:  # noqa: C901 - one branch for each kind of event
        mark = event.start_mark
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._error(
                    mark, "the file contains more than one document. Keep the first, and remove the rest from '---' on"
                )
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._check_tag(event)
            if len(self._stack) >= MAX_DEPTH:
                raise self._error(mark, f"nested more than {MAX_DEPTH} deep")
            path = self._place(mark)
            opened = _Open({} if isinstance(event, MappingStartEvent) else [], path, event.anchor)
            opened.first_mark = len(self._order)
            self._stack.append(opened)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            done = self._stack.pop()
            value = _merged(done.value, done.merged) if isinstance(done.value, dict) else done.value
            if done.anchor:
                self._anchors[done.anchor] = (value, done.size)
                self._spans[done.anchor] = (done.path, done.first_mark, len(self._order))
            self._add(value, done.size, mark)
        elif isinstance(event, ScalarEvent):
            self._check_tag(event)
            value = _MERGE if self._is_key() and event.value == "<<" and event.implicit[0] else _scalar(event)
            if event.anchor:
                self._anchors[event.anchor] = (value, 1)
            if not self._is_key():
                self._place(mark)
            self._add(value, 1, mark)
        elif isinstance(event, AliasEvent):
            if event.anchor not in self._anchors:
                raise self._error(mark, f"the alias *{event.anchor} has no anchor before it")
            if not self._is_key():
                self._mark_alias(event.anchor, self._place_of_alias(mark))
            self._add(*self._anchors[event.anchor], mark)

    def _place_of_alias(self, mark: Any) -> KeyPath:
        """Return the path of an alias's value. A merged value gets the path of the map that it is merged into."""
        merging = [open_ for open_ in self._stack[-2:] if open_.key is _MERGE]
        return merging[0].path if merging else self._place(mark)

    def _is_key(self) -> bool:
        top = self._stack[-1] if self._stack else None
        return top is not None and isinstance(top.value, dict) and top.key is _NO_KEY

    def _place(self, mark: Any) -> KeyPath:
        """Return the path of the value that begins here, and record its position unless its key has one."""
        if not self._stack:
            path: KeyPath = ()
        else:
            top = self._stack[-1]
            path = (*top.path, len(top.value) if isinstance(top.value, list) else top.key)
        self._mark(path, mark)
        return path

    def _mark(self, path: KeyPath, mark: Any) -> None:
        if path not in self.positions:
            self.positions[path] = (mark.line + 1, mark.column + 1)
            self._order.append(path)

    def _mark_alias(self, anchor: str, path: KeyPath) -> None:
        """Copy the positions below an anchor to the paths below its alias."""
        if anchor in self._spans:
            start, first, end = self._spans[anchor]
            for there in self._order[first:end]:
                here = (*path, *there[len(start) :])
                if here not in self.positions:
                    self.positions[here] = self.positions[there]
                    self._order.append(here)

    def _add(self, value: Any, size: int, mark: Any) -> None:
        if not self._stack:
            self.result = value
            return
        top = self._stack[-1]
        top.size += size
        if sum(open_.size for open_ in self._stack) > MAX_NODES:
            raise self._error(mark, f"more than {MAX_NODES:,} values with aliases expanded")
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is _NO_KEY:
            self._take_key(top, value, mark)
        else:
            if top.key is _MERGE:
                self._merge(top, value, mark)
            else:
                top.value[top.key] = value
            top.key = _NO_KEY

    def _merge(self, top: _Open, value: Any, mark: Any) -> None:
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            raise self._error(mark, "'<<' merges maps. Write *an-alias of a map, or a list of aliases")
        top.merged += sources

    def _take_key(self, top: _Open, key: Any, mark: Any) -> None:
        if key is _MERGE:
            top.key = key
            return
        if not isinstance(key, str | int | float | bool) and key is not None:
            raise self._error(mark, "a key must be a name, not a list or a map")
        key = key if isinstance(key, str) else _written(key)
        if key in top.value:
            raise self._error(mark, f"the key {key!r} occurs twice in the same map. Remove one")
        top.key = key
        path = (*top.path, key)
        if path not in self.positions:
            self._order.append(path)
        self.positions[path] = (mark.line + 1, mark.column + 1)

    def _check_tag(self, event: Any) -> None:
        tag = str(event.tag) if event.tag is not None else None
        if tag not in _PLAIN_TAGS and not str(tag).startswith("tag:yaml.org,2002:"):
            raise self._error(event.start_mark, f"the tag {tag!r} is not allowed: a configuration is plain data")
        if tag and "python" in tag:
            raise self._error(event.start_mark, f"the tag {tag!r} is not allowed: a configuration is plain data")

    def _error(self, mark: Any, why: str) -> ConfigurationError:
        where = f"{self._name}:{mark.line + 1}:{mark.column + 1}"
        return ConfigurationError(f"{where}: {why}.", where=where)


def _written(key: Any) -> str:
    if key is None:
        return "null"
    return str(key).lower() if isinstance(key, bool) else str(key)


def _merged(value: dict[str, Any], sources: list[dict[str, Any]]) -> dict[str, Any]:
    """Apply ``<<: *defaults``. Keys of the map itself win, then those of the earlier source."""
    merged: dict[str, Any] = {}
    for source in reversed(sources):
        merged |= source
    return merged | value


def _scalar(event: Any) -> Any:
    text: str = event.value
    if event.style is not None or not event.implicit[0]:
        try:
            text.encode()
        except UnicodeEncodeError:  # JSON writes astral characters as two surrogates, and a single surrogate is not text
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text) if len(text) < 100 else float(text)  # noqa: PLR2004
    if _FLOAT.fullmatch(text):
        return float(text)
    return _FLOAT_WORDS.get(text.lower(), text)
