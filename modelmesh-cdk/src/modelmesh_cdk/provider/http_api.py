"""Provider of a JSON API that two mappings describe."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from attrs import evolve, field, frozen

from modelmesh_cdk.provider.base import BaseProvider
from modelmesh_cdk.provider.config import BaseProviderConfig
from modelmesh_cdk.provider.mapping import RequestMapping, ResponseMapping
from modelmesh_cdk.wire import json_codec
from modelmesh_cdk.wire.request import WireRequest

_STREAMED = "chat.completions"


@frozen(kw_only=True)
class HttpApiProviderConfig(BaseProviderConfig):
    """Settings of an :class:`HttpApiProvider`. ``None`` keeps the attribute of the class.

    Attributes:
        completion_endpoint: Path of chat completions after the base URL. ``{model}`` stands for the model.
        request_mapping: A :class:`RequestMapping`, or a map of its fields.
        response_mapping: A :class:`ResponseMapping`, or a map of its fields.
        stream_mapping: A :class:`ResponseMapping` of one stream event, or a map of its fields.
    """

    completion_endpoint: str | None = None
    request_mapping: Any = field(default=None)
    response_mapping: Any = field(default=None)
    stream_mapping: Any = field(default=None)


class HttpApiProvider(BaseProvider):
    """A connector made of an address and two mappings. The hooks of ``BaseProvider`` cover what mappings cannot express.

    The answer has OpenAI's format and keeps every further field of the vendor. Parameters outside the mapping keep the caller's
    names. Streams are server-sent events with one chunk each, ended by ``[DONE]`` or by a finish reason. The mappings apply to
    chat completions only.

    Example:
        ::

            class Acme(HttpApiProvider):
                id = "acme.text.v1"
                default_base_url = "https://api.acme.example"
                api_key_variable = "ACME_API_KEY"
                completion_endpoint = "/generate/{model}"
                request_mapping = RequestMapping(model_field="", max_tokens_field="limits.output")
                response_mapping = ResponseMapping(choices_field="outputs", content_field="text")

    Attributes:
        completion_endpoint: Path of chat completions after the base URL. ``{model}`` stands for the model.
        request_mapping: Positions of the parameters.
        response_mapping: Positions of the parts of an answer.
        stream_mapping: Positions of the parts of a stream event. ``None`` for those of an answer, with ``delta.content`` in place
            of ``message.content``.
        key_header: Header of the key.
        key_scheme: Text before the key in that header.
    """

    id: ClassVar[str] = "modelmesh.http-api.v1"
    api_version: ClassVar[str] = ""
    list_path: ClassVar[str] = ""  # the mappings do not describe a model list
    config_class: ClassVar[type[BaseProviderConfig]] = HttpApiProviderConfig
    completion_endpoint: str = "/v1/chat/completions"
    request_mapping: RequestMapping = RequestMapping()
    response_mapping: ResponseMapping = ResponseMapping()
    stream_mapping: ResponseMapping | None = None
    key_header: ClassVar[str] = "Authorization"
    key_scheme: ClassVar[str] = "Bearer"

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        settings_read: Any = self.config
        self.completion_endpoint = settings_read.completion_endpoint or self.completion_endpoint
        self.request_mapping = RequestMapping.of(settings_read.request_mapping or self.request_mapping)
        self.response_mapping = ResponseMapping.of(settings_read.response_mapping or self.response_mapping)
        streamed = settings_read.stream_mapping or self.stream_mapping
        self._events = ResponseMapping.of(streamed) if streamed else _in_deltas(self.response_mapping)

    def _build_headers(self) -> dict[str, str]:
        """Return the headers of every request, with the key in the vendor's header."""
        headers = super()._build_headers()
        key = headers.pop("Authorization", None)
        if key is not None and self.api_key is not None:
            headers[self.key_header] = f"{self.key_scheme} {self.api_key.reveal()}".strip()
        return headers

    def _get_completion_endpoint(self) -> str:
        """Return the address of chat completions with the placeholder ``{model}``."""
        path = self.completion_endpoint
        version = path.split("/", 2)[1] if path.startswith("/v") else ""
        root = self.api_root.removesuffix(f"/{version}") if version else self.api_root  # however the base URL was written
        return f"{root}/{path.lstrip('/')}"

    def _endpoint(self, request: WireRequest) -> str:
        """Return the address of a request."""
        return super()._endpoint(request).replace("{model}", quote(request.model, safe=""))

    def _build_request_payload(self, request: WireRequest) -> dict[str, Any]:
        """Return the body of a chat according to the mapping."""
        if request.call.operation.name != _STREAMED:
            return super()._build_request_payload(request)
        return self.request_mapping.body(request.model, request.payload, stream=request.stream)

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the answer in a body according to the mapping."""
        return self.response_mapping.answer(data)

    def _parse_sse_chunk(self, data: str) -> dict[str, Any] | None:
        """Return the chunk in an event according to the mapping."""
        event = json_codec.decode(data.encode())
        if not isinstance(event, dict):
            return None
        return event if event.get("error") else self._events.answer(event, "delta")


def _in_deltas(mapping: ResponseMapping) -> ResponseMapping:
    return evolve(mapping, content_field="delta.content") if mapping.content_field == "message.content" else mapping
