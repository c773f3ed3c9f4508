"""Images of seven vendors. An edited image states the size and the checksum of the file that arrived."""

from __future__ import annotations

import base64
from typing import Any

from fakevendors.requests import expect, only
from fakevendors.services import File, Result, Work, events

OPENAI = (
    "model prompt n size quality background moderation output_format output_compression partial_images stream user input_fidelity"
)


def image_of(vendor: str, given: File | None = None) -> bytes:
    """Return the image of a vendor."""
    return b"\x89PNG " + f"{vendor} drew {given.mark if given else ''}".encode()


def _encoded(vendor: str, given: File | None = None) -> str:
    return base64.b64encode(image_of(vendor, given)).decode()


def _of_data_url(url: str) -> File:
    expect(url.startswith("data:image/"), "image_url: not a data URL")
    head, _, data = url.partition(",")
    return File("", head[5:].partition(";")[0], base64.b64decode(data))


def openai(work: Work, vendor: str) -> Result:
    """Generation as JSON, editing as a form."""
    body, is_edit = work.fields, work.path.endswith("/edits")
    only(body, OPENAI, "Unknown parameter")
    given = work.only_file("image") if is_edit else None
    count = int(body.get("n") or 1)
    usage = {"input_tokens": 12, "output_tokens": 272 * count, "total_tokens": 12 + 272 * count}
    usage_details = {"input_tokens_details": {"text_tokens": 12, "image_tokens": 0}}
    units = {"images": count, "prompt_tokens": 12, "completion_tokens": 272 * count}
    if body.get("stream") in (True, "true"):
        kind = f"image_{'edit' if is_edit else 'generation'}"
        facts = {"created_at": 1, "background": "opaque", "output_format": "png", "quality": "low", "size": "1024x1024"}
        done = {"type": f"{kind}.completed", "b64_json": _encoded(vendor, given), **facts}
        part = {"type": f"{kind}.partial_image", "partial_image_index": 0, "b64_json": "AAAA", **facts}
        found = events(part, {**done, "usage": {**usage, **usage_details}}, named=True)
        return Result(body["model"], found, "text/event-stream", units, is_stream=True)
    data = [{"b64_json": _encoded(vendor, given)} for _ in range(count)]
    return Result(body["model"], {"created": 1, "data": data, "usage": {**usage, **usage_details}}, units=units)


def together(work: Work, vendor: str) -> Result:
    body = work.fields
    known = "model prompt n width height steps seed negative_prompt response_format output_format guidance_scale image_url"
    only(body, known, "body")
    expect(body.get("response_format", "url") in ("url", "base64"), "response_format: must be url or base64")
    row: dict[str, Any] = {"index": 0, "type": "url", "url": "https://example.org/i.png"}
    if body.get("response_format") == "base64":
        row = {"index": 0, "type": "b64_json", "b64_json": _encoded(vendor)}
    return Result(body["model"], {"id": "i", "object": "list", "model": body["model"], "data": [row]}, units={"images": 1})


def fireworks(work: Work, vendor: str) -> Result:
    only(work.fields, "prompt aspect_ratio guidance_scale num_inference_steps seed", "body")
    expect("application/json" in work.headers.get("accept", "image/png"), "Accept: without JSON the answer is an image", 406)
    model = work.path.partition("/workflows/")[2].removesuffix("/text_to_image")
    return Result(model, {"id": "i", "base64": [_encoded(vendor)], "finishReason": "SUCCESS", "seed": 1}, units={"images": 1})


def xai(work: Work, vendor: str) -> Result:
    body, is_edit = work.fields, work.path.endswith("/edits")
    only(body, f"model prompt n aspect_ratio resolution quality response_format{' image' if is_edit else ''}", "body")
    given = _of_data_url(body["image"]["url"]) if is_edit else None
    row = {"url": "https://example.org/i.jpg"}  # the default
    if body.get("response_format") == "b64_json":
        row = {"b64_json": _encoded(vendor, given)}
    rows = [{**row, "revised_prompt": ""} for _ in range(int(body.get("n") or 1))]
    return Result(body["model"], {"data": rows}, units={"images": len(rows)})


def huggingface(work: Work, vendor: str) -> Result:
    only(work.fields, "inputs parameters", "body")
    return Result(work.path.rpartition("/hf-inference/models/")[2], image_of(vendor), "image/png", {"images": 1})


def openrouter(work: Work, vendor: str) -> Result:
    body = work.fields
    only(body, "model prompt n size quality background output_format output_compression input_references seed user", "body")
    references = body.get("input_references")
    given = _of_data_url(references[0]["image_url"]["url"]) if references else None
    usage = {"prompt_tokens": 12, "completion_tokens": 1290, "total_tokens": 1302, "cost": 0.04}
    return Result(body["model"], {"created": 1, "data": [{"b64_json": _encoded(vendor, given)}], "usage": usage})


def google(work: Work, vendor: str) -> Result:
    model = work.path.rpartition("/models/")[2].partition(":")[0]
    only(work.fields, "contents generationConfig safetySettings", "Invalid JSON payload received. Unknown name")
    parts = work.fields["contents"][0]["parts"]
    blobs = [part["inlineData"] for part in parts if "inlineData" in part]
    given = File("", blobs[0]["mimeType"], base64.b64decode(blobs[0]["data"])) if blobs else None
    made = {"inlineData": {"mimeType": "image/png", "data": _encoded(vendor, given)}}
    counts = {
        "promptTokenCount": 8,
        "candidatesTokenCount": 1290,
        "totalTokenCount": 1298,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
    }
    candidate = {"content": {"role": "model", "parts": [made]}, "finishReason": "STOP", "index": 0}
    units = {"prompt_tokens": 8, "completion_tokens": 1290, "image_completion_tokens": 1290}
    return Result(model, {"candidates": [candidate], "usageMetadata": counts, "modelVersion": model}, units=units)
