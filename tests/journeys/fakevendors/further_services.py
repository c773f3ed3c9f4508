"""Reranking, search, parsing of documents, moderation, embeddings and files."""

from __future__ import annotations

import base64
from typing import Any

from fakevendors.requests import expect, only
from fakevendors.services import File, Result, Work

CATEGORIES = ("hate", "violence", "sexual")


def rerank(work: Work, vendor: str) -> Result:
    """Fireworks and OpenRouter."""
    only(work.fields, "model query documents top_n return_documents", "body")
    body = _ranked(work, vendor)
    if vendor == "fireworks":
        expect(all(isinstance(one, str) for one in work.fields["documents"]), "documents: must be strings")
        body = {"object": "list", "model": work.fields["model"], "data": body["results"], "id": body["id"]}
    tokens = 11
    return Result(
        work.fields["model"],
        {**body, "usage": {"prompt_tokens": tokens, "total_tokens": tokens, "completion_tokens": 0}},
        units={"prompt_tokens": tokens},
    )


def cohere_rerank(work: Work, vendor: str) -> Result:
    only(work.fields, "model query documents top_n max_tokens_per_doc priority", "unknown field: parameter", 422)
    expect(all(isinstance(one, str) for one in work.fields["documents"]), "invalid type: documents", 422)
    model = work.fields["model"]
    billed: dict[str, float] = {"input_tokens": 11} if "v5" in model else {"search_units": 1}
    units: dict[str, float] = {"prompt_tokens": 11} if "v5" in model else {"searches": 1}
    return Result(model, {**_ranked(work, vendor), "meta": {"billed_units": billed}}, units=units)


def _ranked(work: Work, vendor: str) -> dict[str, Any]:
    documents = work.fields["documents"]
    count = work.fields.get("top_n") or len(documents)
    rows = [{"index": place, "relevance_score": 0.9 - place / 10} for place in range(len(documents))][:count]
    return {"id": f"{vendor}-1", "object": "rerank", "results": rows}


def search(work: Work, vendor: str) -> Result:
    """Perplexity."""
    known = "query max_results max_tokens max_tokens_per_page search_domain_filter country search_mode"
    only(work.fields, known, "body")
    row = {"title": "T", "url": "https://example.org", "snippet": "S", "date": None, "last_updated": None}
    return Result("search", {"id": f"{vendor}-1", "results": [row]}, units={"requests": 1})


def mistral_ocr(work: Work, vendor: str) -> Result:
    document = work.fields["document"]
    url = document.get("image_url") or document.get("document_url")
    url = url["url"] if isinstance(url, dict) else url
    page = {"index": 0, "markdown": f"{vendor} read {_mark(url)}", "images": [], "dimensions": None}
    body = {"pages": [page], "model": work.fields["model"], "usage_info": {"pages_processed": 1, "doc_size_bytes": 9}}
    return Result(work.fields["model"], body, units={"pages": 1})


def cohere_parse(work: Work, vendor: str) -> Result:
    page = {"index": 0, "markdown": {"content": f"{vendor} read {_mark(work.fields['document']['image_url'])}"}}
    body = {"id": "p", "pages": [page], "meta": {"billed_units": {"pages": 1}}}
    return Result(work.fields["model"], body, units={"pages": 1})


def _mark(url: str) -> str:
    expect(url.startswith("data:"), "the document could not be fetched", 422)
    return File("", "", base64.b64decode(url.partition(",")[2])).mark


def moderations(work: Work, vendor: str) -> Result:
    """OpenAI and Mistral, which has no ``flagged``."""
    only(work.fields, "model input", "body")
    row: dict[str, Any] = {"categories": dict.fromkeys(CATEGORIES, False), "category_scores": dict.fromkeys(CATEGORIES, 0.1)}
    if vendor == "openai":
        row |= {"flagged": False, "category_applied_input_types": {name: ["text"] for name in CATEGORIES}}
    return Result(
        work.fields["model"], {"id": f"{vendor}-1", "model": work.fields["model"], "results": [row]}, units={"requests": 1}
    )


def embeddings(work: Work, vendor: str) -> Result:
    """Vendors with OpenAI's embeddings."""
    given = work.fields["input"]
    texts = [given] if isinstance(given, str) else given
    vector: Any = [0.25, 0.5]
    if work.fields.get("encoding_format") == "base64":
        vector = base64.b64encode(b"\0\0\x80>\0\0\0?").decode()
    rows = [{"object": "embedding", "index": place, "embedding": vector} for place in range(len(texts))]
    tokens = len(texts) * 3
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    body = {"object": "list", "data": rows, "model": work.fields["model"], "usage": usage}
    return Result(work.fields["model"], body, units={"prompt_tokens": tokens})


def files(work: Work, vendor: str) -> Result:
    """OpenAI, Groq, Mistral and xAI."""
    only(work.fields, "purpose expires_after[anchor] expires_after[seconds]", "body")
    file = work.only_file()
    body = {"id": f"file-{vendor}-{file.mark}", "object": "file", "bytes": len(file.content), "created_at": 1}
    return Result("", {**body, "filename": file.name, "purpose": work.fields["purpose"], "status": "processed"})


def cohere_embed(work: Work, vendor: str) -> Result:
    expect(work.fields.get("input_type"), "invalid request: input_type is required", 400)
    texts, billed = work.fields["texts"], {"input_tokens": 3}
    body = {"id": "e", "embeddings": {"float": [[0.25, 0.5] for _ in texts]}, "texts": texts, "meta": {"billed_units": billed}}
    return Result(work.fields["model"], {**body, "response_type": "embeddings_by_type"}, units={"prompt_tokens": 3})


def google_embed(work: Work, vendor: str) -> Result:
    asked = work.fields["requests"]
    return Result(asked[0]["model"].removeprefix("models/"), {"embeddings": [{"values": [0.25, 0.5]} for _ in asked]})


def huggingface_embed(work: Work, vendor: str) -> Result:
    only(work.fields, "inputs normalize prompt_name truncate truncation_direction dimensions", "body")
    model = work.path.partition("/models/")[2].removesuffix("/pipeline/feature-extraction")
    return Result(model, [[0.25, 0.5] for _ in work.fields["inputs"]])


def perplexity_embed(work: Work, vendor: str) -> Result:
    expect(work.fields.get("encoding_format", "base64_int8") in ("base64_int8", "base64_binary"), "encoding_format", 422)
    row = {"object": "embedding", "index": 0, "embedding": base64.b64encode(b"\x10\x20").decode()}
    body = {"object": "list", "data": [row], "model": work.fields["model"], "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    return Result(work.fields["model"], body, units={"prompt_tokens": 3})
