"""The configuration for the administration interface, with secrets masked, and the result of ``modelmesh check``.

The check runs in a process of its own, because it refuses every connection while it assembles a second mesh.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelmesh._engine.config.mesh_config import masked_sections
from modelmesh._engine.config.problems import Problems
from modelmesh._engine.foundation.secret import Secret

if TYPE_CHECKING:
    from modelmesh import ModelMesh

MASK = "********"
CHECK_SECONDS = 60.0
"""Longest duration of a check. Connectors may look up secrets."""


def view(mesh: ModelMesh) -> dict[str, Any]:
    """Return the configuration as YAML and the keys without effect."""
    config = mesh.config
    problems = Problems(config.source_map)
    config.read(problems)
    notes = [f"{config.source_map.where(path)}: {what}" for path, what in problems.notes]
    return {"file": config.source_map.file, "text": _yaml(masked(masked_sections(config))), "notes": notes}


async def check(mesh: ModelMesh) -> dict[str, Any]:
    """Return whether the configuration has problems, and the lines that ``modelmesh check`` prints."""
    config = mesh.config
    if config.source_map.file is None:
        messages = await asyncio.to_thread(config.validate)
        lines = messages or ["The configuration comes from the environment or from code. Only its form was checked."]
        return {"command": None, "ok": not messages, "problems": messages, "output": "\n".join(lines)}
    command = ("-m", "modelmesh.cli", "check", config.source_map.file)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            out, found = await process.communicate()
    except TimeoutError:
        out, found = b"", f"The check did not end within {CHECK_SECONDS:.0f} s. Run it on the command line.".encode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    problems = found.decode(errors="replace").strip().splitlines()
    return {
        "command": f"modelmesh check {config.source_map.file}",
        "ok": process.returncode == 0,
        "problems": problems,
        "output": out.decode(errors="replace").strip(),
    }


def masked(value: Any) -> Any:
    """Return plain data in which a mask stands for each secret, and the name of its class for each object."""
    if isinstance(value, Mapping):
        return {str(key): masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    if isinstance(value, Secret):
        return MASK
    return value if isinstance(value, str | int | float | bool | None) else f"<{type(value).__name__}>"


def _yaml(data: Any) -> str:
    from ruamel.yaml import YAML  # noqa: PLC0415 - only for this view

    writer: Any = YAML(typ="safe", pure=True)  # its attributes are typed as None
    writer.default_flow_style, writer.sort_base_mapping_type_on_output, writer.width = False, False, 100
    text = io.StringIO()
    writer.dump(data, text)
    return text.getvalue()
