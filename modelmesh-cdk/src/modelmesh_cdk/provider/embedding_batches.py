"""Batches of embeddings: a request with more inputs than a vendor takes is sent as several, and the answers become one.

The parts are sent one after the other, within the limits of the one attempt that they make. The first part that fails is the
failure of the attempt: vectors of two attempts are never put together.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from modelmesh._engine.routing.vector_check import reject_vectors
from modelmesh.contracts import EMBEDDINGS, Billed, FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderError
from modelmesh_cdk.provider.provider_errors import provider_error

BYTES_PER_TOKEN = 3
"""Bytes of text that are counted as one token. English has about four, so batches come out small rather than too large."""

_TOO_MANY = re.compile(
    r"batch size|too many (inputs|texts)|split into more batches|\bat most \d+ (requests|inputs|texts)|number of (inputs|texts)",
    re.IGNORECASE,
)
"""Wordings of a refused batch: text-embeddings-inference ("batch size 64 > maximum allowed batch size 32",
huggingface/text-embeddings-inference#378), Mistral ("Too many inputs in request, split into more batches",
raphaelmansuy/edgequake-llm#74), Gemini ("at most 100 requests can be in one batch", lancedb/lancedb#3618), Cohere ("total
number of texts must be at most 96"); read 2026-11-30."""

_NUMBER = re.compile(r"\d{1,9}")
_REFUSED = frozenset({400, 413, 422})


@frozen
class EmbeddingLimit:
    """What one request for embeddings may hold at a vendor.

    Attributes:
        inputs: Texts of one request; ``None`` where the vendor states no limit.
        tokens: Tokens of all texts together; ``None`` where the vendor states no limit.
        source: Where the limit was read.
        as_of: The day it was read.
    """

    inputs: int | None = None
    tokens: int | None = None
    source: str = ""
    as_of: str = ""


class Batches:
    """One request for embeddings in parts.

    Attributes:
        learned: Inputs of one request by model, as refusals stated them; shared by the requests of a provider.
    """

    def __init__(self, call: Call, model: str, limit: EmbeddingLimit | None, learned: dict[str, int]) -> None:
        self._call, self._model, self.learned = call, model, learned
        self._inputs: list[Any] = _inputs_of(call)
        self._declared = limit
        self._answers: list[Answer] = []
        self._done = 0

    @property
    def is_splittable(self) -> bool:
        """Whether there is anything that could be split."""
        return len(self._inputs) > 1

    def pending_parts(self) -> Iterator[Call]:
        """Yield the parts that are left, each one after the answer to the one before was kept with :meth:`add`."""
        while self._done < len(self._inputs):
            size = self._next_size()
            whole = size == len(self._inputs)
            texts = self._inputs[self._done : self._done + size]
            yield self._call if whole else evolve(self._call, payload={**self._call.payload, "input": texts})

    def _next_size(self) -> int:
        declared = self._declared
        most = [limit for limit in (self.learned.get(self._model), declared and declared.inputs) if limit]
        size = min([len(self._inputs) - self._done, *most])
        if declared is None or declared.tokens is None:
            return size
        tokens = 0
        for place, text in enumerate(self._inputs[self._done : self._done + size]):
            tokens += _tokens(text)
            if tokens > declared.tokens:
                return max(place, 1)
        return size

    def add(self, part: Call, answer: Answer) -> None:
        """Keep the answer to a part.

        Raises:
            ProviderError: It does not hold one vector for each input.
        """
        if part is not self._call:
            why = reject_vectors(part.payload, answer.body.get("data"))
            if why is not None:
                message = f"the provider answered, but {why}"
                raise provider_error(FailureClass.PROTOCOL, message, headers=answer.headers)
        self._answers.append(answer)
        self._done += len(_inputs_of(part))

    def reduce_size(self, part: Call, error: ProviderError) -> bool:
        """Return whether a refusal means that the part held too many inputs; later parts of the model are smaller."""
        sent = len(_inputs_of(part))
        text = str(error.body if error.body is not None else error.message)
        if error.status not in _REFUSED or sent <= 1 or not _TOO_MANY.search(text):
            return False
        stated = [int(number) for number in _NUMBER.findall(text)]
        self.learned[self._model] = max((number for number in stated if 1 <= number < sent), default=sent // 2)
        return True

    def attach_usage(self, error: ProviderError) -> ProviderError:
        """Return the failure of a part as that of the attempt, with what the answered parts took."""
        if self._answers:
            error.billed = Billed.YES if error.billed == Billed.NO else error.billed
            error.usage = error.usage or _summed([answer.body.get("usage") for answer in self._answers])
            error.adapted = [*error.adapted, self._note(f"failed at part {len(self._answers) + 1}")]
        return error

    def _note(self, more: str) -> str:
        return f"{len(self._inputs)} inputs sent in parts: {more}"

    def join(self) -> Answer:
        """Return the answers of all parts as one."""
        if len(self._answers) == 1:
            return self._answers[0]
        rows = [row for answer in self._answers for row in answer.body["data"]]
        first, last = self._answers[0], self._answers[-1]
        usage = _summed([answer.body.get("usage") for answer in self._answers])
        body = {**first.body, "data": [{**row, "index": place} for place, row in enumerate(rows)], "usage": usage}
        notes = dict.fromkeys(note for answer in self._answers for note in answer.adapted)
        joined = self._note(f"{len(self._answers)} requests, their answers joined")
        return Answer(body, last.headers, [*notes, joined], last.rate_limits)


def _inputs_of(call: Call) -> list[Any]:
    """Return the inputs that could be sent apart: texts or lists of tokens; a single input is not split."""
    given = call.payload.get("input") if call.operation.name == EMBEDDINGS.name else None
    apart = isinstance(given, list) and all(isinstance(one, str | list) for one in given)
    return list(given) if apart and given else [given]


def _tokens(text: Any) -> int:
    return len(text) if isinstance(text, list) else len(str(text).encode("utf-8", "replace")) // BYTES_PER_TOKEN + 1


def _summed(parts: Sequence[Any]) -> dict[str, Any] | None:
    """Return the sum of what the parts took; a count that one of them does not state is unknown for all."""
    if not all(isinstance(usage, Mapping) for usage in parts):
        return None
    found: dict[str, Any] = {}
    for name in parts[0]:
        values = [usage.get(name) for usage in parts]
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            found[name] = sum(values)
        elif all(isinstance(value, Mapping) for value in values):
            found[name] = _summed(values)
    return found or None


def remaining(limits: Limits, since: float) -> Limits:
    """Return the limits of a part that begins now, of an attempt that began at ``since`` (``time.monotonic()``).

    Raises:
        ProviderError: The attempt's time is over.
    """
    left = min(limits.total, limits.answer) - (time.monotonic() - since)
    if left <= 0:
        message = "the parts of the request took longer than one answer may take; raise the limit, or send fewer inputs"
        raise provider_error(FailureClass.TIMEOUT, message)
    return limits.within(left)
