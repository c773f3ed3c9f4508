"""Start of a process: imports and ``create()``, each in a new interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from tempfile import TemporaryDirectory

import subjects.process_memory
from subjects.setting import Runner, Setting

KEYS = (
    "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GROQ_API_KEY", "MISTRAL_API_KEY", "CO_API_KEY",
    "DEEPSEEK_API_KEY", "TOGETHER_API_KEY", "FIREWORKS_API_KEY", "OPENROUTER_API_KEY", "XAI_API_KEY", "PERPLEXITY_API_KEY",
)  # fmt: skip
"""Environment variables of twelve vendors."""

SCRIPT = """
import os, sys, time
{before}
began = time.process_time()
{statement}
took = time.process_time() - began
with open("/proc/self/statm") as file:
    mib = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
print(took, mib)
"""

CREATE = 'create("chat-completion")'


def _started(statement: str, before: str = "", keys: int = 0) -> Runner:
    subjects.process_memory.resident_kib()  # reports a system without /proc

    def run(_times: int) -> dict[str, float]:
        with TemporaryDirectory() as home:
            variables = {name: os.environ[name] for name in ("PATH", "VIRTUAL_ENV", "SYSTEMROOT") if name in os.environ}
            variables |= {"HOME": home, **dict.fromkeys(KEYS[:keys], "test")}
            command = [sys.executable, "-c", SCRIPT.format(statement=statement, before=before)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables, cwd=home)
        cpu, mib = done.stdout.split()
        return {"cpu": float(cpu), "mib": float(mib)}

    run(1)  # compiles the files
    return run


def nothing(_setting: Setting) -> Runner:
    return _started("pass")


def import_httpx2(_setting: Setting) -> Runner:
    return _started("import httpx2")


def import_modelmesh(_setting: Setting) -> Runner:
    """Import the package, which must not import an HTTP client."""
    return _started("import modelmesh\nassert 'httpx2' not in sys.modules")


def import_create(_setting: Setting) -> Runner:
    return _started("from modelmesh import create")


def create_one_key(_setting: Setting) -> Runner:
    return _started(CREATE, "from modelmesh import create", 1)


def create_twelve_keys(_setting: Setting) -> Runner:
    return _started(CREATE, "from modelmesh import create", len(KEYS))
