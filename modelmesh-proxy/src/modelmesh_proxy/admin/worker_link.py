"""Link between the workers of one machine, so that the administration shows and changes all of them.

Each worker listens on a Unix socket in the folder of its supervisor, which only their user can open. A request is one line of
JSON, and an answer one line, or a line for each message of the live feed. A worker without an
open page imports only this module.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelmesh_proxy.services import ProxyServices

ANSWER_S = 3.0
"""Longest wait for the answer of another worker. One that is busy for longer is left out."""
SCAN_S = 1.0
"""Seconds between two searches for workers that were started again."""
MAX_LINE = 16 * 1024 * 1024

_log = logging.getLogger("modelmesh.proxy")


class WorkerLink:
    """The link of one worker to the others."""

    def __init__(self, services: ProxyServices, folder: Path, number: int) -> None:
        """Initialize the link.

        Args:
            services: The proxy of this worker.
            folder: Folder that all workers of one supervisor share.
            number: Number of this worker.
        """
        from modelmesh_proxy.admin.usage_views import UsageBaseline  # noqa: PLC0415 - only with workers

        self._services, self._folder = services, folder
        self._own = folder / f"admin-{number}.sock"
        self.baseline = UsageBaseline(services.mesh)

    async def serve(self) -> None:
        """Answer the other workers until the task is cancelled."""
        self._own.unlink(missing_ok=True)
        try:
            server = await asyncio.start_unix_server(self._answer, self._own, limit=MAX_LINE)
        except OSError as error:
            _log.warning("the administration cannot reach this worker: %s", error)
            return
        try:
            await asyncio.Event().wait()
        finally:
            server.close()  # without a wait for the workers that follow this one

    async def ask(self, what: str, **arguments: Any) -> list[Any]:
        """Return the answers of the other workers. One that does not answer is left out."""
        request = {"do": what, **arguments}
        found = await asyncio.gather(*(self._ask_one(path, request) for path in self._others()), return_exceptions=True)
        return [answer for answer in found if not isinstance(answer, BaseException)]

    async def follow(self, on_message: Callable[[str, dict[str, Any]], None]) -> None:
        """Pass the live messages of the other workers on, until the task is cancelled."""
        tasks: dict[Path, asyncio.Task[None]] = {}
        try:
            while True:
                for path in self._others():
                    if path not in tasks or tasks[path].done():
                        tasks[path] = asyncio.ensure_future(self._follow_one(path, on_message))
                await asyncio.sleep(SCAN_S)
        finally:
            for task in tasks.values():
                task.cancel()

    def _others(self) -> list[Path]:
        return [path for path in sorted(self._folder.glob("admin-*.sock")) if path != self._own]

    async def _ask_one(self, path: Path, request: dict[str, Any]) -> Any:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_unix_connection(path, limit=MAX_LINE)
            try:
                writer.write(encode_line(request))
                return json.loads(await reader.readline())
            finally:
                writer.close()

    async def _follow_one(self, path: Path, on_message: Callable[[str, dict[str, Any]], None]) -> None:
        with suppress(OSError, ValueError):  # the worker has ended
            reader, writer = await asyncio.open_unix_connection(path, limit=MAX_LINE)
            try:
                writer.write(encode_line({"do": "follow"}))
                while line := await reader.readline():
                    on_message(*json.loads(line))
            finally:
                writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from modelmesh_proxy.admin import worker_answers  # noqa: PLC0415 - only when a page is open

        try:
            request = json.loads(await reader.readline())
            what = request.pop("do")
            if what == "follow":
                await worker_answers.send_feed(self._services, reader, writer)
            else:
                found = await asyncio.to_thread(worker_answers.answer, self._services, what, request)
                writer.write(encode_line(found))
                await writer.drain()
        except (OSError, ValueError):
            pass  # the other worker has ended
        finally:
            writer.close()


def encode_line(value: Any) -> bytes:
    """Return a value as one line of JSON."""
    return json.dumps(value, separators=(",", ":"), default=str).encode() + b"\n"
