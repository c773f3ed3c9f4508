"""The administration interface over a real socket: what it returns, and whom it refuses."""

import http.client
import json
import time
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from sample_config import CONFIG, PROVIDERS

from modelmesh_cdk import QuickProvider
from modelmesh_cdk.testing import Script, Upstream, completion
from modelmesh_proxy import ProxyServer
from modelmesh_proxy.admin.page_files import PAGE_FILES
from modelmesh_proxy.admin.request_checks import CONTENT_POLICY

MESSAGES = [{"role": "user", "content": "PROMPT-CANARY"}]
KEY = "sk-test-CANARY-1234567890"
JSON = {"content-type": "application/json"}


class Proxy:
    def __init__(self, port: int) -> None:
        self.port = port

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if method != "GET":
            named = {**JSON, **named}
        connection.request(method, path, None if body is None else json.dumps(body), named)
        reply = connection.getresponse()
        found = reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        connection.close()
        return found

    def json(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        status, _, content = self.send(method, path, body, **headers)
        assert status == 200, content
        return json.loads(content)


def reply(request: Any) -> Script:
    if "north" in str(request.headers.get("authorization")):
        return Script(429, b'{"error":{"message":"later"}}', {"retry-after": "600"})
    return Script(200, json.dumps(completion("Hello!")).encode())


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with Upstream() as upstream:
        upstream.always(reply)
        providers = {
            name: {"instance": QuickProvider(base_url=upstream.url, api_key=f"{KEY}-{name}", models=[f"{name}-large"])}
            for name in ("north", "south")
        }
        providers["north"]["quota"] = {"requests_per_day": 1000}
        config = {"providers": providers, "pools": {"chat": {"capability": "chat-completion"}}}
        server = ProxyServer(config, port=0)
        server.start(block=False)
        try:
            yield Proxy(server.get_status().port)
        finally:
            server.stop()


def test_admin_views_show_the_mesh(proxy: Proxy) -> None:
    proxy.json("POST", "/v1/chat/completions", {"model": "chat", "messages": MESSAGES})

    status = proxy.json("GET", "/admin/status")
    assert (status["pools"], status["models"], status["today"]["requests"]) == (1, 2, 1)
    assert status["providers"] == ["north", "south"]

    (pool,) = proxy.json("GET", "/admin/pools")["pools"]
    states = {row["provider"]: row for row in pool["candidates"]}
    assert (pool["name"], pool["selected_provider"], pool["strategy"]) == ("chat", "south", "stick-until-failure")
    assert states["north"]["status"] == "standby"
    assert states["north"]["reason"]
    assert states["north"]["until"] > time.time() + 300
    assert states["south"]["until"] is None

    limits = proxy.json("GET", "/admin/limits")
    row = next(row for row in limits["limits"] if row["of"].endswith("north"))
    assert (row["metric"], row["limit"], row["resets_at"] > limits["now"]) == ("requests", 1000, True)
    assert [entry["name"] for entry in limits["by_provider"]] == ["south"]

    explained = proxy.json("POST", "/admin/explain", {"model": "chat", "messages": MESSAGES, "stream": True})
    assert (explained["selected_model"], len(explained["candidates"])) == ("south-large", 2)


def test_pools_are_rotated_and_recovered(proxy: Proxy) -> None:
    proxy.json("POST", "/admin/pools/chat/recover", {})
    rotated = proxy.json("POST", "/admin/pools/chat/rotate")
    (pool,) = proxy.json("GET", "/admin/pools")["pools"]
    assert pool["selected_model"] == rotated["model"]
    (standby,) = (row["provider"] for row in pool["candidates"] if row["status"] == "standby")
    assert proxy.json("POST", "/admin/pools/chat/recover", {"model": f"{standby}-large"})["models"] == [
        f"{standby}/{standby}-large"
    ]

    status, _, content = proxy.send("POST", "/admin/pools/none/rotate")
    assert status == 404
    assert "none" in json.loads(content)["error"]["message"]


def test_configuration_has_no_secret(proxy: Proxy) -> None:
    config = proxy.json("GET", "/admin/config")
    assert "chat-completion" in config["text"]
    assert proxy.json("POST", "/admin/config/check")["ok"] is True
    for path in ("status", "pools", "limits", "config"):
        assert b"CANARY" not in proxy.send("GET", f"/admin/{path}")[2], path


def test_live_attempts_are_sent_without_prompts(proxy: Proxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)
    connection.request("GET", "/admin/attempts")
    stream = connection.getresponse()
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.readline() == b"event: counts\n"
    proxy.json("POST", "/admin/pools/chat/recover", {})
    proxy.json("POST", "/v1/chat/completions", {"model": "chat", "messages": MESSAGES})
    found: dict[str, list[Any]] = {"attempt": [], "event": [], "counts": []}
    kind = "counts"
    while kind != "request":
        line = stream.readline()
        assert b"CANARY" not in line
        if line.startswith(b"event: "):
            kind = line[7:].strip().decode()
        elif line.startswith(b"data: ") and kind != "request":
            found[kind].append(json.loads(line[6:]))
    request = json.loads(stream.readline()[6:])
    connection.close()
    assert (request["pool_id"], request["status_code"], request["provider_id"]) == ("chat", 200, "south")
    outcomes = [(row["provider"], row["outcome"]) for row in found["attempt"]]
    assert outcomes[0] == (request["attempts"][0]["provider_id"], "pending")
    assert outcomes[-1] == ("south", "answered")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/admin/status", {"origin": "https://evil.example"}, 403),
        ("GET", "/admin/status", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "cors"}, 403),
        ("GET", "/admin/status", {"host": "evil.example:80"}, 403),
        ("GET", "/admin/attempts", {"origin": "null"}, 403),
        ("POST", "/admin/pools/chat/rotate", {"content_type": "text/plain"}, 415),
        ("POST", "/admin/pools/chat/rotate", {"origin": "http://127.0.0.1:1"}, 403),
        ("DELETE", "/admin/tokens/x", {"content_type": "application/x-www-form-urlencoded"}, 415),
        ("PUT", "/admin/status", {}, 405),
        ("POST", "/admin/explain", {}, 400),
        ("GET", "/admin/nothing", {}, 404),
        ("GET", "/ui/../api.py", {}, 404),
        ("GET", "/ui/%2e%2e/api.py", {}, 404),
    ],
)
def test_request_is_refused(proxy: Proxy, method: str, path: str, headers: dict[str, str], status: int) -> None:
    found, replied, content = proxy.send(method, path, **headers)
    assert found == status, content
    assert json.loads(content)["error"]["message"]
    assert "access-control-allow-origin" not in replied
    assert replied["x-content-type-options"] == "nosniff"


def test_own_page_is_not_refused(proxy: Proxy) -> None:
    origin = f"http://127.0.0.1:{proxy.port}"
    assert proxy.send("GET", "/admin/status", origin=origin, sec_fetch_site="same-origin")[0] == 200
    assert proxy.send("GET", "/admin/status", host="localhost:1", sec_fetch_site="none")[0] == 200
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert proxy.send("GET", "/ui", **link)[0] == 200
    assert proxy.send("GET", "/ui", **{**link, "sec_fetch_dest": "iframe"})[0] == 403
    assert proxy.send("GET", "/admin/config", **link)[0] == 403


def test_page_has_a_strict_policy_and_etags(proxy: Proxy) -> None:
    status, headers, content = proxy.send("GET", "/ui")
    assert (status, headers["content-security-policy"]) == (200, CONTENT_POLICY)
    assert headers["content-type"] == "text/html; charset=utf-8"
    for inline in (b"<style", b"style=", b"onclick", b"://"):
        assert inline not in content
    for path in ("/ui", "/ui/app.js", "/ui/style.css", "/ui/favicon.svg"):
        status, headers, content = proxy.send("GET", path)
        assert (status, headers["cache-control"]) == (200, "no-cache"), path
        assert content
        status, _, content = proxy.send("GET", path, if_none_match=headers["etag"])
        assert (status, content) == (304, b""), path
    assert proxy.send("GET", "/ui/")[1]["location"] == "../ui"


def test_browser_without_a_token_gets_the_sign_in() -> None:
    config = CONFIG
    with ProxyServer(config, port=0, token="test-admin") as server:
        closed = Proxy(server.get_status().port)
        status, headers, content = closed.send("GET", "/ui", accept="text/html", if_none_match='"x"')
        assert (status, headers["www-authenticate"], headers["cache-control"]) == (401, "Bearer", "no-store")
        assert headers["content-security-policy"] == CONTENT_POLICY
        assert b"ui/app.js" in content
        assert closed.send("GET", "/ui/app.js")[0] == 200
        assert closed.send("GET", "/ui/none.js")[0] == 401
        for path in ("status", "pools", "limits", "attempts", "config", "tokens"):
            assert closed.send("GET", f"/admin/{path}", accept="text/html")[0] == 401, path
        assert closed.send("GET", "/ui", accept="text/html", authorization="Bearer test-admin")[0] == 200
        tokens = closed.json("GET", "/admin/tokens", authorization="Bearer test-admin")
        assert (tokens["has_flag_token"], tokens["has_store"], tokens["tokens"]) == (True, False, [])
        status, _, content = closed.send("POST", "/admin/tokens", {"name": "shop"}, authorization="Bearer test-admin")
        assert (status, json.loads(content)["error"]["code"]) == (409, "no_token_store")


def test_every_file_of_the_page_is_open() -> None:
    folder = files("modelmesh_proxy.admin") / "static"
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {*PAGE_FILES, "index.html"}


def test_page_is_turned_off() -> None:
    config = {"providers": PROVIDERS, "proxy": {"ui": False}}
    with ProxyServer(config, port=0) as server:
        plain = Proxy(server.get_status().port)
        assert [plain.send("GET", path)[0] for path in ("/ui", "/ui/app.js", "/admin/status")] == [404, 404, 200]
