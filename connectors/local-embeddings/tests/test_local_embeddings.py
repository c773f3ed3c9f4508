"""The real model: vectors, usage, long texts, refusals, threads and tasks."""

from __future__ import annotations

import asyncio
import base64
import math
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from modelmesh_connector_local_embeddings import LocalEmbeddingsProvider
from modelmesh_connector_local_embeddings import model as native
from modelmesh_connector_local_embeddings.config import LocalEmbeddingsConfig

import modelmesh
from modelmesh.contracts import CHAT, EMBEDDINGS, Answer, FailureClass, Provider
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import BadRequestError, ConfigurationError, ModelNotFoundError, ProviderTimeoutError

NAME = "multilingual-e5-small-q4"
QUESTION = "What is the capital of France?"
ANSWERS = ("Paris is the capital of France.", "Cats like to drink milk.", "The stock market fell today.")
LIMITS = Limits(answer=120, total=120)

Embed = Callable[..., Answer]


@pytest.fixture(scope="module")
def model() -> Iterator[LocalEmbeddingsProvider]:
    provider = LocalEmbeddingsProvider()
    yield provider
    provider.close()


@pytest.fixture
def embed(model: LocalEmbeddingsProvider) -> Embed:
    return lambda text, **payload: model.send(call_of(text, **payload), NAME, LIMITS)


def call_of(text: Any, **payload: Any) -> Call:
    return Call(EMBEDDINGS, "text-embeddings", {"input": text, **payload})


def vectors(answer: Answer) -> list[list[float]]:
    return [row["embedding"] for row in answer.body["data"]]


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_embed_question_is_nearest_to_its_answer(embed: Embed) -> None:
    (question,) = vectors(embed(QUESTION, input_type="query"))
    near, *others = (cosine(question, vector) for vector in vectors(embed(list(ANSWERS), input_type="passage")))
    assert near > max(others) + 0.05
    assert near < cosine(question, question)


def test_embed_answer_has_openai_shape_and_usage(embed: Embed) -> None:
    answer = embed(list(ANSWERS))
    body = answer.body
    assert (body["object"], body["model"], answer.adapted) == ("list", NAME, [])
    assert [row["index"] for row in body["data"]] == [0, 1, 2]
    assert {len(vector) for vector in vectors(answer)} == {384}
    assert all(math.isclose(cosine(vector, vector), 1, abs_tol=1e-5) for vector in vectors(answer))
    assert body["usage"]["prompt_tokens"] == body["usage"]["total_tokens"] > 20
    assert answer.vectors_checked


def test_embed_batch_equals_single_texts(embed: Embed) -> None:
    for text, vector in zip(ANSWERS, vectors(embed(list(ANSWERS))), strict=True):
        assert cosine(vectors(embed(text))[0], vector) > 0.9999


def test_embed_base64_has_the_same_numbers(embed: Embed) -> None:
    (row,) = embed(QUESTION, encoding_format="base64").body["data"]
    assert list(struct.unpack("<384f", base64.b64decode(row["embedding"]))) == pytest.approx(vectors(embed(QUESTION))[0])


def test_embed_long_text_is_averaged_over_its_parts(embed: Embed, monkeypatch: pytest.MonkeyPatch) -> None:
    (apart,) = vectors(embed(" ".join(ANSWERS[:1] * 9)))
    monkeypatch.setattr(native, "WINDOW", 16)
    answer = embed(" ".join(ANSWERS[:1] * 9))
    (whole,), (short,) = vectors(answer), vectors(embed(ANSWERS[0]))
    assert answer.body["usage"]["prompt_tokens"] > 64
    assert cosine(whole, whole) == pytest.approx(1, abs=1e-5)
    assert 0.8 < cosine(whole, short) < 0.9999
    assert whole != apart


def test_embed_word_without_spaces_is_divided(embed: Embed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "WINDOW", 16)
    assert len(vectors(embed("supercalifragilistic" * 9))[0]) == 384


def test_embed_unicode_and_null_characters_are_read(embed: Embed) -> None:
    answer = embed(["naïve 你好 🌍", "a\0b"], user="test")
    assert len(vectors(answer)) == 2
    assert [line.split()[0] for line in answer.adapted] == ["user", "null"]


@pytest.mark.parametrize(
    ("text", "payload", "failure"),
    [
        (QUESTION, {"dimensions": 128}, FailureClass.CAPABILITY),
        ([1, 2, 3], {}, FailureClass.CAPABILITY),
        ([[1, 2], [3]], {}, FailureClass.CAPABILITY),
        (QUESTION, {"input_type": "clustering"}, FailureClass.CAPABILITY),
        ("", {}, FailureClass.CALLER),
        ([], {}, FailureClass.CALLER),
        (["a", ""], {}, FailureClass.CALLER),
        (["a", 1], {}, FailureClass.CALLER),
        ("\ud800", {}, FailureClass.CALLER),
        (None, {}, FailureClass.CALLER),
        (QUESTION, {"encoding_format": "int8"}, FailureClass.CALLER),
    ],
)
def test_embed_invalid_request_is_typed(text: Any, payload: dict[str, Any], failure: FailureClass, embed: Embed) -> None:
    with pytest.raises(BadRequestError) as caught:
        embed(text, **payload)
    assert caught.value.failure is failure


def test_embed_own_dimensions_are_accepted(embed: Embed) -> None:
    assert len(vectors(embed(QUESTION, dimensions=384))[0]) == 384


def test_model_other_name_and_operation_are_refused(model: LocalEmbeddingsProvider) -> None:
    with pytest.raises(ModelNotFoundError):
        model.send(call_of(QUESTION), "another", LIMITS)
    with pytest.raises(BadRequestError):
        model.send(Call(CHAT, "chat-completion", {"messages": []}), NAME, LIMITS)


def test_model_strict_call_is_not_adapted(model: LocalEmbeddingsProvider) -> None:
    call = call_of(QUESTION, user="test")
    call.strict = True
    with pytest.raises(BadRequestError, match="user"):
        model.send(call, NAME, LIMITS)


def test_model_threads_and_tasks_share_it(model: LocalEmbeddingsProvider) -> None:
    async def tasks() -> list[Any]:
        return await asyncio.gather(*(model.asend(call_of(text), NAME, LIMITS) for text in ANSWERS))

    with ThreadPoolExecutor(4) as pool:
        threads = [pool.submit(model.send, call_of(text), NAME, LIMITS) for text in ANSWERS]
        from_tasks = asyncio.run(tasks())
    for one, other in zip(threads, from_tasks, strict=True):
        assert vectors(one.result()) == vectors(other)


def test_model_limit_and_cancellation_free_it(model: LocalEmbeddingsProvider, embed: Embed) -> None:
    long = call_of(["word and thing " * 100] * 50)
    with pytest.raises(ProviderTimeoutError):
        model.send(long, NAME, Limits(answer=0.05, total=0.05))

    async def cancel() -> None:
        task = asyncio.create_task(model.asend(long, NAME, LIMITS))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert embed(QUESTION).body["data"]


def test_model_row_is_free_and_dated(model: LocalEmbeddingsProvider) -> None:
    (info,) = model.models()
    assert isinstance(model, Provider)
    assert info.pricing is not None
    assert (info.id, info.pricing.input_per_1k_tokens, info.pricing.per_request) == (NAME, 0, 0)
    assert info.extra["dimensions"] == 384
    assert info.extra["as_of"]


def test_model_variant_has_own_name() -> None:
    assert [one.id for one in LocalEmbeddingsProvider(variant="enpt").models()] == ["portuguese-multilingual-e5-small-q4"]
    assert LocalEmbeddingsProvider(model_id="mine").name == "mine"


@pytest.mark.parametrize(("name", "value"), [("variant", "large"), ("input_type", "x"), ("threads", 0), ("model_id", 5)])
def test_config_invalid_value_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"local-embeddings.v1 got {name}"):
        LocalEmbeddingsConfig.of({name: value})


def test_create_without_key_embeds(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.endswith(("_KEY", "_TOKEN", "_HOST"))]:
        monkeypatch.delenv(variable)
    with modelmesh.create("text-embeddings") as client:
        reply = client.embeddings.create(model="text-embeddings", input=list(ANSWERS))
    assert (reply.model, len(reply.data)) == (NAME, 3)


CHILD = """
import os, sys
from modelmesh.contracts import EMBEDDINGS
from modelmesh.contracts.call import Call, Limits
from modelmesh_connector_local_embeddings import LocalEmbeddingsProvider
from modelmesh_connector_local_embeddings import model as native
model = LocalEmbeddingsProvider(threads=2)
call = Call(EMBEDDINGS, "text-embeddings", {"input": ["one", "two"]})
model.send(call, model.name, Limits())
assert "OMP_NUM_THREADS" not in os.environ
child = os.fork()
if not child:
    model.after_fork()
    model.send(call, model.name, Limits())
    sys.exit(7)
model.send(call, model.name, Limits())
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="requires fork")
def test_model_forked_child_loads_its_own() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, done.stderr
