"""Batches of embeddings: a request with more inputs than a vendor accepts becomes several requests and one answer.

The parts are sent in sequence, within the limits of one attempt. The first part that fails ends the attempt. Vectors of two
attempts are never combined.
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
"""Bytes of text that count as one token. English has about four, so batches are rather too small than too large."""

_TOO_MANY = re.compile(
    r"batch size|too many (inputs|texts)|split into more batches|\bat most \d+ (requests|inputs|texts)|number of (inputs|texts)",
    re.IGNORECASE,
)
"""Wordings of a refused batch, read 2026-11-30: text-embeddings-inference ("batch size 64 > maximum allowed batch size 32",
huggingface/text-embeddings-inference#378), Mistral ("Too many inputs in request, split into more batches",
raphaelmansuy/edgequake-llm#74), Gemini ("at most 100 requests can be in one batch", lancedb/lancedb#3618), Cohere ("total
number of texts must be at most 96")."""

_NUMBER = re.compile(r"\d{1,9}")
_REFUSED = frozenset({400, 413, 422})


@frozen
class EmbeddingLimit:
    """Limits of one request for embeddings at a vendor.

    Attributes:
        inputs: Texts of one request, ``None`` where the vendor states no limit.
        tokens: Tokens of all texts together, ``None`` where the vendor states no limit.
        source: Source of the limit.
        as_of: Date of the source.
    """

    inputs: int | None = None
    tokens: int | None = None
    source: str = ""
    as_of: str = ""


class Batches:
    """One request for embeddings in parts.

    Attributes:
        learned: Inputs of one request by model, as refusals stated them. All requests of a provider share it.
    """

    def __init__(self, call: Call, model: str, limit: EmbeddingLimit | None, learned: dict[str, int]) -> None:
        self._call, self._model, self.learned = call, model, learned
        self._inputs: list[Any] = _inputs_of(call)
        self._declared = limit
        self._answers: list[Answer] = []
        self._done = 0

    @property
    def is_splittable(self) -> bool:
        """Return whether the request has several inputs."""
        return len(self._inputs) > 1

    def pending_parts(self) -> Iterator[Call]:
        """Yield the remaining parts. Call :meth:`add` with the answer of each part before the next."""
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
        """Add the answer of a part.

        Raises:
            ProviderError: The answer does not contain one vector for each input.
        """
        if part is not self._call:
            why = reject_vectors(part.payload, answer.body.get("data"), checked=answer.vectors_checked)
            if why is not None:
                message = f"the provider answered, but {why}"
                raise provider_error(FailureClass.PROTOCOL, message, headers=answer.headers)
        self._answers.append(answer)
        self._done += len(_inputs_of(part))

    def reduce_size(self, part: Call, error: ProviderError) -> bool:
        """Reduce the batch size after a refusal of too many inputs. Return whether the refusal was one."""
        sent = len(_inputs_of(part))
        text = str(error.body if error.body is not None else error.message)
        if error.status not in _REFUSED or sent <= 1 or not _TOO_MANY.search(text):
            return False
        stated = [int(number) for number in _NUMBER.findall(text)]
        self.learned[self._model] = max((number for number in stated if 1 <= number < sent), default=sent // 2)
        return True

    def attach_usage(self, error: ProviderError) -> ProviderError:
        """Return the error of a part as the error of the attempt, with the token usage of the answered parts."""
        if self._answers:
            error.billed = Billed.YES if error.billed == Billed.NO else error.billed
            error.usage = error.usage or _summed([answer.body.get("usage") for answer in self._answers])
            error.adapted = [*error.adapted, self._note(f"failed at part {len(self._answers) + 1}")]
        return error

    def _note(self, more: str) -> str:
        return f"{len(self._inputs)} inputs sent in parts: {more}"

    def join(self) -> Answer:
        """Return the combined answer of all parts."""
        if len(self._answers) == 1:
            return self._answers[0]
        rows = [row for answer in self._answers for row in answer.body["data"]]
        first, last = self._answers[0], self._answers[-1]
        usage = _summed([answer.body.get("usage") for answer in self._answers])
        body = {**first.body, "data": [{**row, "index": place} for place, row in enumerate(rows)], "usage": usage}
        notes = dict.fromkeys(note for answer in self._answers for note in answer.adapted)
        joined = self._note(f"{len(self._answers)} requests, their answers joined")
        checked = all(answer.vectors_checked for answer in self._answers)
        return Answer(body, last.headers, [*notes, joined], last.rate_limits, vectors_checked=checked)


def _inputs_of(call: Call) -> list[Any]:
    """Return the inputs that can be sent separately: texts or lists of tokens. A single input is not split."""
    given = call.payload.get("input") if call.operation.name == EMBEDDINGS.name else None
    apart = isinstance(given, list) and all(isinstance(one, str | list) for one in given)
    return list(given) if apart and given else [given]


def _tokens(text: Any) -> int:
    return len(text) if isinstance(text, list) else len(str(text).encode("utf-8", "replace")) // BYTES_PER_TOKEN + 1


def _summed(parts: Sequence[Any]) -> dict[str, Any] | None:
    """Return the summed usage of the parts. A count that one part does not report is unknown for all."""
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
    """Return the limits of a part that begins now, in an attempt that began at ``since`` (``time.monotonic()``).

    Raises:
        ProviderError: The time limit of the attempt has passed.
    """
    left = min(limits.total, limits.answer) - (time.monotonic() - since)
    if left <= 0:
        message = "the parts of the request took longer than one answer may take. Raise the limit, or send fewer inputs."
        raise provider_error(FailureClass.TIMEOUT, message)
    return limits.within(left)
