"""Logs of a proxy on standard error, as text or as one JSON object on each line.

No value can end a line or move the cursor of a terminal: control characters are escaped. Records contain no prompt and no key.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import warnings
from typing import Any

from modelmesh_proxy.application.request_log import FIELDS

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PLAIN = re.compile(r"[\w.,:/@+*()\-]+")


def configure_logs(level: str = "INFO", *, as_json: bool = False) -> None:
    """Send the records of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    root = logging.getLogger()
    for earlier in list(root.handlers):
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)  # other libraries: their INFO contains URLs and headers
    logging.getLogger("modelmesh").setLevel(level)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    warnings.showwarning = _log_warning


def _log_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Log a warning without its place in the code, which is of no use to an operator."""
    logging.getLogger("modelmesh.proxy").warning("%s", message)


class TextFormatter(logging.Formatter):
    """Time, level and message, with the fields of the record as ``name=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and the lines of a traceback."""
        fields = getattr(record, FIELDS, {})
        text = " ".join(
            [record.getMessage(), *(f"{name}={_value(value)}" for name, value in fields.items() if value is not None)]
        )
        line = f"{_time(record)} {record.levelname} {escape(text)}"
        if record.exc_info and record.exc_info[0] is not None:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        row: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            row["exception"] = self.formatException(record.exc_info)
        return json.dumps(row, default=str)  # ASCII, so that no character ends the line


def escape(text: str) -> str:
    """Return a text with its control characters escaped."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _value(value: Any) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
