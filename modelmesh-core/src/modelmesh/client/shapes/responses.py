"""Types of OpenAI's Responses API, as of the openai package 3.52.0 (read 2026-11-30).

One class stands for all kinds of output items, and one for all kinds of events. ``type`` states the kind.
"""

from __future__ import annotations

from typing import Any

from modelmesh.client.attribute_dict import AttributeDict
from modelmesh.client.replies import Reply


class ResponseContent(AttributeDict):
    """One part of a message: ``output_text``, ``refusal`` or ``reasoning_text``."""

    __slots__ = ()

    type: str
    text: str | None
    refusal: str | None
    annotations: list[AttributeDict] | None
    logprobs: list[AttributeDict] | None
    parsed: Any


class ResponseItem(AttributeDict, nested={"content": ResponseContent, "summary": ResponseContent}):
    """One item of the output: a ``message``, a ``function_call``, ``reasoning``, or the call of a tool of the vendor."""

    __slots__ = ()

    type: str
    id: str | None
    status: str | None
    role: str | None
    content: list[ResponseContent] | None
    phase: str | None
    name: str | None
    arguments: str | None
    call_id: str | None
    namespace: str | None
    input: str | None
    output: Any
    summary: list[ResponseContent] | None
    encrypted_content: str | None
    action: AttributeDict | None
    code: str | None
    queries: list[str] | None
    results: Any
    result: Any
    error: Any
    server_label: str | None
    parsed_arguments: Any


class InputTokensDetails(AttributeDict):
    """Parts of the input tokens."""

    __slots__ = ()

    cached_tokens: int
    cache_write_tokens: int | None


class OutputTokensDetails(AttributeDict):
    """Parts of the output tokens."""

    __slots__ = ()

    reasoning_tokens: int


class ResponseUsage(
    AttributeDict, nested={"input_tokens_details": InputTokensDetails, "output_tokens_details": OutputTokensDetails}
):
    """Tokens, as the vendor reported them."""

    __slots__ = ()

    input_tokens: int
    input_tokens_details: InputTokensDetails
    output_tokens: int
    output_tokens_details: OutputTokensDetails
    total_tokens: int


class IncompleteDetails(AttributeDict):
    """Why a response is incomplete."""

    __slots__ = ()

    reason: str | None


class ResponseError(AttributeDict):
    """Why a response failed."""

    __slots__ = ()

    code: str
    message: str


class ResponseBody(
    AttributeDict,
    nested={"output": ResponseItem, "usage": ResponseUsage, "incomplete_details": IncompleteDetails, "error": ResponseError},
):
    """Fields of a response, complete or in an event."""

    __slots__ = ()

    id: str
    object: str
    created_at: float
    completed_at: float | None
    status: str | None
    model: str
    output: list[ResponseItem]
    usage: ResponseUsage | None
    error: ResponseError | None
    incomplete_details: IncompleteDetails | None
    access_programs: Any
    background: bool | None
    conversation: Any
    image: Any
    input_transformations: Any
    instructions: Any
    max_output_tokens: int | None
    max_tool_calls: int | None
    moderation: Any
    parallel_tool_calls: bool
    previous_response_id: str | None
    prompt: Any
    prompt_cache_diagnostics: Any
    prompt_cache_key: str | None
    prompt_cache_options: Any
    prompt_cache_retention: str | None
    reasoning: AttributeDict | None
    safety_identifier: str | None
    service_tier: str | None
    temperature: float | None
    text: Any
    tool_choice: Any
    tool_usage: Any
    tools: list[AttributeDict]
    top_logprobs: int | None
    top_p: float | None
    truncation: str | None
    user: str | None

    @property
    def output_text(self) -> str:
        """All text of all messages."""
        return "".join(
            part.text or ""
            for item in self.output or ()
            if item.type == "message"
            for part in item.content or ()
            if part.type == "output_text"
        )

    @property
    def output_parsed(self) -> Any:
        """The parsed object of :meth:`parse`, ``None`` without one."""
        parts = (part for item in self.output or () if item.type == "message" for part in item.content or ())
        return next((part.parsed for part in parts if part.parsed is not None), None)


class Response(Reply, ResponseBody):
    """A response of a model."""

    __slots__ = ()


class ResponseEvent(AttributeDict, nested={"response": ResponseBody, "item": ResponseItem, "part": ResponseContent}):
    """One event of a streamed response, such as ``response.output_text.delta``."""

    __slots__ = ()

    type: str
    sequence_number: int
    response: ResponseBody | None
    item: ResponseItem | None
    item_id: str | None
    output_index: int | None
    content_index: int | None
    summary_index: int | None
    part: ResponseContent | None
    delta: str
    text: str | None
    refusal: str | None
    arguments: str | None
    annotation: AttributeDict | None
    annotation_index: int | None
    logprobs: Any
    code: str | None
    message: str | None
    param: str | None
    input: str | None
    status: Any
    partial_image_b64: str | None
    partial_image_index: int | None
    obfuscation: str | None
