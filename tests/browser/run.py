"""Driver of the browser tests: vendors on loopback, two ``modelmesh serve``, and Node's test runner with Chromium.

Usage: python tests/browser/run.py FOLDER [NODE ARGUMENT …]

FOLDER receives the npm packages and the screenshots, so that the checkout stays clean. The exit code is that of Node's runner, and
1 with one line on standard error when something is missing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from modelmesh_cdk.testing import Received, Script, Upstream, chunk, completion, event

HERE = Path(__file__).parent
TOKEN = "test-admin-token-CANARY"
KEY = "sk-test-CANARY-0123456789"
LIMIT_S = 60.0
WORDS = ("Hello", " from", " a", " model", " on", " loopback", ".")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def vendor(request: Received) -> Script:
    """Answer as a vendor. A model's name states how it behaves."""
    if request.path.endswith("/embeddings"):
        data = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]
        return _json({"object": "list", "data": data, "model": "test", "usage": {"prompt_tokens": 3, "total_tokens": 3}})
    asked = request.json
    model = asked["model"]
    if model.startswith("limited"):
        error = {"error": {"message": "Rate limit reached.", "type": "requests", "code": "rate_limit_exceeded"}}
        return Script(429, json.dumps(error).encode(), {"retry-after": "900"})
    delay = 2.5 if model.startswith("slow") else 0.0
    if any("<b>" in str(message.get("content")) for message in asked["messages"]):
        return _json(completion("<img src=x onerror=alert(1)> is text", model=model))
    if not asked.get("stream"):
        return _json(completion("".join(WORDS), model=model), delay)
    pieces = [event(chunk({"role": "assistant", "content": ""}, model=model))]
    pieces += [event(chunk({"content": word}, model=model)) for word in WORDS]
    pieces.append(event(chunk({}, finish="stop", model=model)))
    usage = {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}
    pieces.append(event({**chunk({}, model=model), "choices": [], "usage": usage}))
    return Script(body=[*pieces, event("[DONE]")], content_type="text/event-stream", delay=delay)


def _json(data: object, delay: float = 0.0) -> Script:
    return Script(body=json.dumps(data).encode(), delay=delay)


def configuration(url: str) -> dict[str, object]:
    """Return a configuration with a limited, a steady and a slow model, budgets and quotas."""
    chat = {"capabilities": ["chat-completion"], "constraints": {"context_window": 128_000}}
    price = {"pricing": {"input_per_1k_tokens": 0.0025, "output_per_1k_tokens": 0.01}}
    return {
        "providers": {
            "north": {"connector": "openai.llm.v1", "base_url": url, "api_key": f"{KEY}-north"},
            "south": {
                "connector": "openai.llm.v1",
                "base_url": url,
                "api_key": f"{KEY}-south",
                "budget": {"daily_limit": 5.0},
                "quota": {"requests_per_minute": 500, "tokens_per_day": 200_000},
            },
        },
        "models": {
            "limited-large": {"provider": "north", **chat, **price},
            "steady-large": {"provider": "south", **chat, **price},
            "steady-mini": {
                "provider": "south",
                **chat,
                "pricing": {"input_per_1k_tokens": 0.0002, "output_per_1k_tokens": 0.0008},
            },
            "slow-large": {"provider": "south", **chat, **price},
            "steady-embed": {"provider": "south", "capabilities": ["text-embeddings"]},
        },
        "pools": {
            "text-generation": {
                "capability": "chat-completion",
                "models": ["limited-large", "steady-large", "steady-mini"],
                "aliases": ["gpt-4o", "gpt-4o-mini"],
            },
            "patient": {"capability": "chat-completion", "models": ["slow-large"]},
            "text-embeddings": {},
        },
    }


@contextmanager
def proxy(folder: Path, name: str, *arguments: str) -> Iterator[str]:
    """Run ``modelmesh serve`` on a free port. Yields its URL."""
    log = folder / f"{name}.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "modelmesh.cli", "serve", "--port", "0", *arguments]
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")}
        process = subprocess.Popen(command, cwd=folder, env=kept, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        end = time.monotonic() + LIMIT_S
        while not (found := re.search(r"serves (https?://[^ /]+)", log.read_text())):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"modelmesh serve did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield found[1]
    finally:
        process.terminate()
        try:
            process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()


def packages(folder: Path) -> None:
    """Install the npm packages of ``package.json``, unless an earlier run did."""
    wanted, present = (HERE / "package.json").read_text(), folder / "package.json"
    if present.is_file() and present.read_text() == wanted and (folder / "node_modules").is_dir():
        return
    present.write_text(wanted)
    quiet = ("--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts")
    if subprocess.run(["npm", "install", *quiet], cwd=folder, check=False).returncode:
        present.unlink()
        raise SystemExit(
            "npm could not install the packages of tests/browser/package.json. Check the connection to its registry."
        )


def main() -> int:
    """Run the tests."""
    if len(sys.argv) < 2:
        raise SystemExit("usage: python tests/browser/run.py FOLDER [NODE ARGUMENT …]")
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit("Chromium is missing. Install it: apt-get install chromium")
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise SystemExit("Node.js is missing. Install it: apt-get install nodejs npm")
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    packages(folder)
    for file in HERE.glob("*.mjs"):  # Node looks for packages in the folders above a file
        shutil.copy(file, folder)
    with ExitStack() as stack:
        upstream = stack.enter_context(Upstream())
        upstream.always(vendor)
        config = folder / "modelmesh.json"
        config.write_text(json.dumps(configuration(upstream.url), indent=2))
        stored = folder / "stored.json"
        storage = {"connector": "modelmesh.sqlite.v1", "path": str(folder / "state.db")}
        (folder / "state.db").unlink(missing_ok=True)
        stored.write_text(json.dumps({**configuration(upstream.url), "storage": storage}, indent=2))
        environment = {
            **os.environ,
            "CHROMIUM": browser,
            "OPEN_PROXY": stack.enter_context(proxy(folder, "open", "--config", str(config))),
            "CLOSED_PROXY": stack.enter_context(proxy(folder, "closed", "--config", str(stored), "--token", TOKEN)),
            "TOKEN": TOKEN,
            "SCREENSHOTS": str(folder / "screenshots"),
        }
        (folder / "screenshots").mkdir(exist_ok=True)
        names = os.environ.get("ONLY", "").split() or [
            file.name for file in sorted(folder.glob("*.test.mjs")) if (HERE / file.name).exists()
        ]
        options = ["--test", "--test-concurrency=2", "--test-reporter=spec", *sys.argv[2:]]
        return subprocess.run(["node", *options, *names], cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
