"""Build of the image and a run of its process, with buildah: no engine is needed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TAG = "localhost/modelmesh:test"
ENVIRONMENT = {**os.environ, "STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
START_S = 60.0


def check_image() -> Iterator[str]:
    """Yield the problems of the image and of its process."""
    if shutil.which("buildah") is None:
        yield "buildah is missing. Install it: apt-get install -y --no-install-recommends buildah"
        return
    build = _buildah("bud", "--pull=missing", "--format", "docker", "--tag", TAG, ".", capture=False)
    if build.returncode:
        yield (
            "the image was not built. Without access to an image registry, tag a Debian with Python as "
            "docker.io/library/python:3.13-slim: tests/image/base.sh"
        )
        return
    container = _buildah("from", "--pull=never", TAG).stdout.strip()
    try:
        yield from _check_process(container)
    finally:
        _buildah("rm", container)


def _check_process(container: str) -> Iterator[str]:
    user = _buildah("run", container, "--", "python3", "-c", "import os; print(os.getuid())").stdout.strip()
    if user != "10001":
        yield f"the process runs as user {user}, not 10001"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryFile("w+") as log:
        command = ["buildah", "run", "--env", "OPENAI_API_KEY=sk-test", container, "--", "modelmesh", "serve"]
        process = subprocess.Popen([*command, "--host", "0.0.0.0", "--port", str(port)], env=ENVIRONMENT, stdout=log, stderr=log)
        try:
            yield from _check_answers(port, process)
            yield from _check_end(process, port)
        finally:
            process.kill()
        if process.returncode:
            log.seek(0)
            sys.stderr.write(log.read()[-2000:])


def _check_answers(port: int, process: subprocess.Popen[bytes]) -> Iterator[str]:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if '"status":"ok"' in _get(port, "/health"):
                break
        except OSError:
            time.sleep(0.2)
    else:
        yield f"no answer of /health within {START_S:.0f} s"
        return
    if "text-generation" not in _get(port, "/v1/models"):
        yield "/v1/models does not contain text-generation"
    if "modelmesh_build_info" not in _get(port, "/metrics"):
        yield "/metrics does not contain modelmesh_build_info"
    checks = _health_check()
    print(f"      health check of the image: {checks}")


def _check_end(process: subprocess.Popen[bytes], port: int) -> Iterator[str]:
    """Yield a problem unless SIGTERM ends the server. buildah does not pass signals on, so its own process gets it."""
    for pid in _pids_of(port):
        os.kill(pid, signal.SIGTERM)
    try:
        process.wait(timeout=40)
    except subprocess.TimeoutExpired:
        yield "the process did not end within 40 s of SIGTERM"


def _pids_of(port: int) -> list[int]:
    """Return the processes of the server that listens on a port."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if str(port).encode() in words and any(word.endswith(b"/python3") for word in words[:1]):
            found.append(int(path.parent.name))
    return found


def _health_check() -> str:
    template = "{{.Docker.Config.Healthcheck}}"
    return _buildah("inspect", "--type", "image", "--format", template, TAG).stdout.strip()


def _get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def _buildah(*arguments: str, capture: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["buildah", *arguments], cwd=ROOT, env=ENVIRONMENT, check=False, text=True, capture_output=capture)
