"""Replacement of the model in JSON that is otherwise passed on as the vendor sent it."""

from __future__ import annotations

import re

from modelmesh._engine.gateway import json_codec

_KEY = b'"model"'
"""Text that contains these bytes has a backslash before each quotation mark, so they are a key where they occur."""


class ModelName:
    """The real model, in place of the name that a vendor uses for it."""

    __slots__ = ("_new", "_old", "_own", "name")

    def __init__(self, name: str) -> None:
        """Store the name.

        Args:
            name: The real model.
        """
        self.name, self._own = name, ""
        self._old = self._new = b""

    def put(self, data: bytes, own: str) -> bytes | None:
        """Return JSON with the real model, every other byte unchanged. ``None`` where the name stands in several places.

        Args:
            data: One JSON object.
            own: The value of its key ``model``.
        """
        if own == self.name:
            return data
        if own != self._own:
            self._learn(data, own)
        if data.count(_KEY) != 1 or data.count(self._old) != 1:
            return None
        return data.replace(self._old, self._new)

    def _learn(self, data: bytes, own: str) -> None:
        """Store how a vendor writes its name of the model, with its spaces."""
        self._own, name = own, json_codec.encode(own)
        found = re.search(_KEY + rb"[ \t\r\n]*:[ \t\r\n]*" + re.escape(name), data)
        self._old = _KEY + b":" + name if found is None else found[0]
        self._new = self._old.removesuffix(name) + json_codec.encode(self.name)
