"""The request log: one line for each request, without prompts and keys, that no value can forge."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from proxy_process import proxy
from slow_vendor import SlowVendor

from modelmesh_proxy.application.request_log import FIELDS
from modelmesh_proxy.server.logs import JsonFormatter, TextFormatter

CHAT = {"model": "chat", "messages": [{"role": "user", "content": "PROMPT-CANARY"}]}
TOKEN = "test-token-of-the-flag"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with SlowVendor() as vendor:
        vendor.release()
        (tmp_path / "modelmesh.json").write_text(json.dumps(vendor.config()))
        yield tmp_path


def test_requests_are_logged_as_json_without_prompt_and_key(folder: Path) -> None:
    with proxy(folder, "--access-log", "--json", "--token", TOKEN, "--log-level", "DEBUG") as one:
        headers = {"authorization": f"Bearer {TOKEN}", "x-request-id": "req-7"}
        assert one.post("/v1/chat/completions", CHAT, **headers)[0] == 200
        assert one.post("/v1/chat/completions", CHAT | {"stream": True}, **headers)[0] == 200
        assert one.post("/v1/chat/completions?key=KEY-CANARY", CHAT, authorization="Bearer KEY-CANARY")[0] == 401
        assert one.post("/v1/chat/completions", CHAT | {"model": "a\nERROR forged\x1b[31m"}, **headers)[0] == 404
        assert one.stop() == 0
        text = one.text()
    rows = [row for row in map(json.loads, text.splitlines()) if row["logger"] == "modelmesh.proxy.access"]
    assert [row["status"] for row in rows] == [200, 200, 401, 404]
    common = {"method": "POST", "path": "/v1/chat/completions", "pool": "chat", "model": "gpt-4o-mini", "provider": "slow"}
    expected = common | {"attempts": 1, "input_tokens": 3, "output_tokens": 2, "request_id": "req-7"}
    for row in rows[:2]:
        assert expected.items() <= row.items()
        assert row["ms"] > 0
        assert row["cost"] > 0
    assert "pool" not in rows[2]
    assert not [word for word in ("CANARY", TOKEN, "Hello!", "\x1b") if word in text]


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_no_value_ends_a_line(formatter: logging.Formatter) -> None:
    bad = "a\nERROR forged\x1b[31m\r\u2028\x85"
    record = logging.LogRecord("modelmesh", logging.INFO, "", 0, "%s", (bad,), None)
    setattr(record, FIELDS, {"path": bad, "status": 200})
    line = formatter.format(record)
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    if isinstance(formatter, JsonFormatter):
        row: dict[str, Any] = json.loads(line)
        assert (row["path"], row["message"], row["status"]) == (bad, bad, 200)
