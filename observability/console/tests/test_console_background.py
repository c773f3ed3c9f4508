"""Console sink: a program needs no call for its last line, and a terminal that does not respond blocks no request."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stderr

import pytest
from modelmesh_observability_console import ConsoleObservability

from modelmesh.contracts.observability import RoutingEvent

HEAD = """
import sys
import modelmesh
from modelmesh_cdk.testing import InProcessAccount

def client(**settings):
    return modelmesh.create(config={
        "providers": {"a": {"instance": InProcessAccount("model-a")}},
        "pools": {"chat-completion": {}},
        "observability": {"connector": "modelmesh.console.v1", **settings},
    })

def ask(client, times=1):
    for _ in range(times):
        client.chat.completions.create(model="chat-completion", messages=[])
"""


def start(script: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", f"{HEAD}\n{script}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("end", ["", "raise ValueError('not handled')", "sys.exit(3)"])
def test_script_without_close_shows_every_line(end: str) -> None:
    with start(f"mesh = client()\nask(mesh, 20)\n{end}") as program:
        _, err = program.communicate(timeout=120)
    assert err.count(" 200 a/model-a ") == 20


def test_pipe_that_is_not_read_blocks_no_request() -> None:
    with start("mesh = client()\nask(mesh, 3000)\nprint('served', flush=True)") as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "served\n"  # the lines of 3,000 requests do not fit into the pipe
        _, err = program.communicate(timeout=120)
    assert err.count(" 200 a/model-a ") == 3000


def test_closed_pipe_fails_no_request() -> None:
    script = "mesh = client(stream='stdout')\nask(mesh, 20)\nmesh.close()\nprint(mesh.mesh.sink_failures, file=sys.stderr)"
    with start(script) as program:
        assert program.stdout is not None
        program.stdout.close()
        assert program.stderr is not None
        err = program.stderr.read()
    assert err.count("further failures are only counted") == 1
    assert "{'modelmesh.console.v1': 20}" in err.replace("Counter(", "")


def test_line_is_written_to_the_stream_at_the_time_of_its_call() -> None:
    sink = ConsoleObservability({"show_timestamp": False})
    streams = [io.StringIO(), io.StringIO()]
    for number, stream in enumerate(streams):
        with redirect_stderr(stream):
            sink.emit(RoutingEvent("model_rotated", 0.0, metadata={"n": number}))
    sink.close()
    assert [stream.getvalue() for stream in streams] == [f"[ModelMesh] model_rotated n={number}\n" for number in (0, 1)]
