"""Requests of the cohere package for reranking, parsing of documents and transcriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cohere
from modelmesh_connector_cohere import CohereProvider

from modelmesh_cdk.testing.dialects.operation_samples import AUDIO, FILENAME, upload
from sdk_cases.operation_case import MODEL, OperationCase, script_of
from sdk_cases.vendor import KEY

RANKED = {"id": "r", "results": [{"index": 1, "relevance_score": 0.5}], "meta": {"billed_units": {"search_units": 1.0}}}
PARSED = {"id": "p", "pages": [{"type": "markdown", "index": 0, "markdown": {"content": "Hi"}}], "finish_reason": "COMPLETE"}
PICTURE = "https://test.example/a.png"


def _case(operation: str, payload: Any, call: Callable[[Any], Any], answer: Any, read: Callable[[Any], Any]) -> OperationCase:
    def sdk(url: str) -> Any:
        with cohere.ClientV2(api_key=KEY, base_url=url) as client:
            return call(client)

    return OperationCase("cohere", CohereProvider, operation, payload, sdk, script_of(operation, answer), read=read)


COHERE_CASES = (
    _case(
        "rerank",
        {"query": "Who?", "documents": ["a", "b"], "top_n": 1},
        lambda client: [
            (row.index, row.relevance_score)
            for row in client.rerank(model=MODEL, query="Who?", documents=["a", "b"], top_n=1).results
        ],
        RANKED,
        lambda body: [(row["index"], row["relevance_score"]) for row in body["results"]],
    ),
    _case(
        "documents.parse",
        {"document": {"type": "image_url", "image_url": PICTURE}, "output_format": "markdown"},
        lambda client: (
            client.parse(model=MODEL, document=cohere.ParseDocument(image_url=PICTURE), output_format="markdown")
            .pages[0]
            .markdown.content
        ),
        PARSED,
        lambda body: body["pages"][0]["markdown"],
    ),
    _case(
        "audio.transcriptions",
        {"file": upload(), "language": "de", "temperature": 0.5},
        lambda client: (
            client.audio.transcriptions.create(
                model=MODEL, file=(FILENAME, AUDIO, "audio/wav"), language="de", temperature=0.5
            ).text
        ),
        {"text": "Hi"},
        lambda body: body["text"],
    ),
)
