"""A vendor on loopback that bills like real ones: every written token, even after the caller closed the stream."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

from attrs import define

from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh_cdk.testing import Upstream
from modelmesh_cdk.testing.dialects import DIALECTS
from modelmesh_cdk.testing.upstream import Received, Script, chunk

CONNECTORS = {
    "openai": "openai.llm.v1",
    "anthropic": "anthropic.claude.v1",
    "gemini": "google.gemini.v1",
    "cohere": "cohere.nlp.v1",
}
LIMITS = ("max_completion_tokens", "max_tokens")


@define
class Bill:
    """One request as the vendor counts it."""

    model: str
    prompt: int
    limit: int | None
    output: int = 0


class Pieces(list[bytes]):
    """The events of a stream, each billed when it is written."""

    def __init__(self, pieces: list[bytes], bill: Bill, words: int, pause: float) -> None:
        super().__init__(pieces)
        self._bill, self._words, self._pause = bill, words, pause

    def __iter__(self) -> Iterator[bytes]:
        before = len(self) - self._words
        for place, piece in enumerate(super().__iter__()):
            if self._pause:
                time.sleep(self._pause)
            if before <= 0 or b"word" in piece:
                self._bill.output = min(self._bill.output + 1, self._words)
            yield piece
            del place


class BillingVendor(Upstream):
    """A vendor with scripted answer lengths, one token per word, within the limit of the request.

    Attributes:
        bills: One for each request, in order.
    """

    def __init__(
        self,
        dialect: str = "openai",
        words: Callable[[int], int] = lambda _: 50,
        *,
        pause: float = 0.0,
        reports: bool = True,
        delay: float = 0.0,
        obeys: bool = True,
    ) -> None:
        """Prepare.

        Args:
            dialect: Wire format.
            words: Number of words of the n-th answer, counted from 0.
            pause: Seconds between the events of a stream.
            reports: Whether it reports usage.
            delay: Seconds before an answer.
            obeys: Whether it respects the limit of a request.
        """
        super().__init__()
        self.connector = CONNECTORS[dialect]
        self.bills: list[Bill] = []
        self._dialect, self._words, self._pause, self._reports, self._delay = DIALECTS[dialect], words, pause, reports, delay
        self._names, self._counting, self._obeys = dialect, Lock(), obeys
        self.always(self._served)

    def _served(self, received: Received) -> Script:
        asked = received.json
        model = asked.get("model") or received.path.rpartition("/")[2].partition(":")[0]
        limit = self._dialect.read_chat(received)
        stated = [limit[name] for name in LIMITS if limit.get(name) is not None]
        text = json.dumps(limit.get("messages") or "")
        bill = Bill(model, 4 + len(text.split()), min(stated, default=None))
        with self._counting:
            number = len(self.bills)
            self.bills.append(bill)
        wanted = self._words(number)
        words = wanted if bill.limit is None or not self._obeys else min(wanted, bill.limit)
        usage = {"prompt_tokens": bill.prompt, "completion_tokens": words, "total_tokens": bill.prompt + words}
        finish = "stop" if words == wanted else "length"
        streams = bool(asked.get("stream")) or "streamGenerateContent" in received.path
        if not streams:
            bill.output = words
            message = {"role": "assistant", "content": "word " * words}
            body: dict[str, Any] = {"id": "test", "object": "chat.completion", "created": 1, "model": model}
            body["choices"] = [{"index": 0, "message": message, "finish_reason": finish}]
            return Script(
                body=self._dialect.write_response(body | ({"usage": usage} if self._reports else {})), delay=self._delay
            )
        chunks = [chunk({"role": "assistant", "content": "word "})] + [chunk({"content": "word "}) for _ in range(words - 1)]
        last = chunk({}, finish=finish)
        apart = self._names == "openai"
        asked_usage = not apart or (asked.get("stream_options") or {}).get("include_usage")
        reported = {"usage": usage} if self._reports and asked_usage else {}
        ending = [last, {**last, "choices": [], **reported}] if apart and reported else [{**last, **reported}]
        pieces = self._dialect.write_stream([*chunks, *ending])
        return Script(body=Pieces(pieces, bill, words, self._pause), content_type="text/event-stream", delay=self._delay)

    def billed(self, mesh: Any) -> float:
        """Return the vendor's charge for all requests in USD, by the prices of the mesh's catalogue."""
        pricing = {candidate.upstream: candidate.info.pricing for candidate in mesh.list_models()}
        total = 0
        for bill in self.bills:
            usage = {"prompt_tokens": bill.prompt, "completion_tokens": bill.output}
            total += cost_nano_usd(pricing[bill.model], usage, mesh._core.unix_now()) or 0
        return total / NANO
