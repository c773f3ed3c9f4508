"""Error responses of vendors: connector, status, body, failure class, and whether a larger window helps.

Public reports quote these bodies (see the tables of the connectors for the sources).
"""

from __future__ import annotations

import json
from typing import Any

from attrs import frozen


@frozen
class Known:
    """A known error response."""

    connector: str
    status: int
    body: Any
    failure: str
    too_long: bool = False

    @property
    def raw(self) -> bytes:
        """The body as bytes. Text is sent unchanged."""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


def openai(message: str, code: str | None = None, kind: str = "invalid_request_error", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}


def anthropic(message: str, kind: str = "invalid_request_error", **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message, **more}, "request_id": "req_test"}


def google(status: int, message: str, name: str = "INVALID_ARGUMENT", *details: Any) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": name, "details": list(details)}}


TOO_LONG = "This model's maximum context length is 128000 tokens. However, your messages resulted in 204308 tokens."
GONE = "The model `m` has been decommissioned and is no longer supported. Please refer to the deprecations."
TPM = "Request too large for model `m` in organization `o` service tier `on_demand` on tokens per minute (TPM): Limit 8000"
LIMITS = "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."
JINJA = "Trying to keep the first 10136 tokens when context the overflows. However, the model is loaded with 7866 tokens"

KNOWN = (
    # OpenAI
    Known("openai.llm.v1", 400, openai(TOO_LONG, "context_length_exceeded"), "capability", too_long=True),
    Known("openai.llm.v1", 400, openai("Your input exceeds the context window of this model."), "capability", too_long=True),
    Known("openai.llm.v1", 400, openai("Unsupported parameter: 'max_tokens'", "unsupported_parameter"), "capability"),
    Known("openai.llm.v1", 400, openai("Unsupported value: 'messages[0].role' does not support 'system'"), "capability"),
    Known("openai.llm.v1", 400, openai("max_tokens is too large: 5000. This model supports at most 4096 tokens"), "capability"),
    Known("openai.llm.v1", 404, openai("The model `m` does not exist or you do not have access to it."), "not-found"),
    Known("openai.llm.v1", 404, openai("This is not a chat model and thus not supported here"), "not-found"),
    Known("openai.llm.v1", 400, openai("The model `m` has been deprecated", "model_not_found"), "not-found"),
    Known("openai.llm.v1", 400, openai("Billing hard limit has been reached", "billing_hard_limit_reached"), "quota"),
    Known("openai.llm.v1", 403, openai("Your account was deactivated", "account_deactivated"), "credential"),
    # Anthropic
    Known("anthropic.claude.v1", 400, anthropic("prompt is too long: 219898 tokens > 200000 maximum"), "capability", too_long=True),
    Known(
        "anthropic.claude.v1",
        400,
        anthropic("input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000"),
        "capability",
        too_long=True,
    ),
    Known("anthropic.claude.v1", 400, anthropic(LIMITS), "quota"),
    Known("anthropic.claude.v1", 400, anthropic("Your credit balance is too low to access the Anthropic API."), "quota"),
    Known("anthropic.claude.v1", 400, anthropic("This organization has been disabled."), "credential"),
    Known("anthropic.claude.v1", 404, anthropic("model: claude-none", "not_found_error"), "not-found"),
    Known("anthropic.claude.v1", 400, anthropic("messages: text content blocks must be non-empty"), "capability"),
    Known("anthropic.claude.v1", 413, anthropic("Request exceeds the maximum size", "request_too_large"), "capability"),
    Known("anthropic.claude.v1", 400, anthropic("max_tokens: 128000 > 8192, the maximum allowed number of output tokens"), "capability"),
    # Gemini
    Known(
        "google.gemini.v1",
        400,
        google(400, "The input token count (81881) exceeds the maximum number of tokens allowed (65536)."),
        "capability",
        too_long=True,
    ),
    Known("google.gemini.v1", 400, google(400, "Function calling is not enabled for models/gemma-3-27b-it"), "capability"),
    Known("google.gemini.v1", 400, google(400, "Developer instruction is not enabled for models/gemma-3-27b-it"), "capability"),
    Known("google.gemini.v1", 400, [google(400, "Role 'function' is not supported. Please use a valid role")], "capability"),
    Known("google.gemini.v1", 404, google(404, "models/m is not found for API version v1beta", "NOT_FOUND"), "not-found"),
    Known("google.gemini.v1", 400, google(400, "API key not valid. Please pass a valid API key."), "credential"),
    Known("google.gemini.v1", 400, google(400, "User location is not supported for the API use."), "credential"),
    # Cohere
    Known("cohere.nlp.v1", 400, {"message": "too many tokens: total number of tokens cannot exceed 4081"}, "capability", too_long=True),
    Known("cohere.nlp.v1", 404, {"message": "model 'xlarge' not found, make sure the correct model ID was used"}, "not-found"),
    Known("cohere.nlp.v1", 422, {"message": "tools are not supported with this model"}, "capability"),
    Known("cohere.nlp.v1", 404, {"message": "model 'command-r' was removed on September 15 2025."}, "not-found"),
    # Groq
    Known("groq.api.v1", 413, openai(TPM, "rate_limit_exceeded", "tokens"), "throttle"),
    Known("groq.api.v1", 400, openai("Failed to call a function.", "tool_use_failed", failed_generation="<f>"), "capability"),
    Known("groq.api.v1", 400, openai("Failed to generate JSON.", "json_validate_failed", failed_generation=""), "capability"),
    Known("groq.api.v1", 400, openai(GONE, "model_decommissioned"), "not-found"),
    Known("groq.api.v1", 400, openai("Organization has been restricted.", "organization_restricted"), "credential"),
    Known("groq.api.v1", 400, openai("Please reduce the length of the messages or completion."), "capability", too_long=True),
    Known("groq.api.v1", 403, openai("The model is blocked at the organization level", "model_permission_blocked_org"), "permission"),
    Known("groq.api.v1", 400, openai("`max_tokens` must be less than or equal to `8192`"), "capability"),
    Known("groq.api.v1", 400, openai("property 'messages.0.metadata' is unsupported"), "capability"),
    # DeepSeek
    Known("deepseek.api.v1", 400, openai(TOO_LONG, "invalid_request_error"), "capability", too_long=True),
    Known("deepseek.api.v1", 400, openai("This response_format type is unavailable now", "invalid_request_error"), "capability"),
    Known("deepseek.api.v1", 400, openai("messages[0].role: unknown variant `developer`, expected one of `system`"), "capability"),
    Known("deepseek.api.v1", 400, openai("deepseek-reasoner does not support Function Calling"), "capability"),
    Known("deepseek.api.v1", 400, openai("Model Not Exist", "invalid_request_error"), "not-found"),
    Known("deepseek.api.v1", 400, openai("Insufficient Balance"), "quota"),
    Known("deepseek.api.v1", 400, openai("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"), "capability"),
    # Mistral
    Known(
        "mistral.api.v1",
        400,
        {"object": "error", "message": "Prompt contains 39921 tokens, too large for model with 32768 maximum context length",
         "type": "invalid_request_prompt", "param": None, "code": "3051"},
        "capability",
        too_long=True,
    ),
    Known(
        "mistral.api.v1",
        400,
        {"object": "error", "message": "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
         "type": "invalid_request_message_order", "param": None, "code": "3230"},
        "capability",
    ),
    Known("mistral.api.v1", 400, {"object": "error", "message": "Invalid model: m", "type": "invalid_model", "code": "1500"}, "not-found"),
    Known(
        "mistral.api.v1",
        422,
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "messages", 0, "id"], "msg": "Extra inputs are not permitted"}]},
        "capability",
    ),
    # Together
    Known("together.api.v1", 422, openai("`inputs` tokens + `max_new_tokens` must be <= 4097. Given: 4000"), "capability", too_long=True),
    Known("together.api.v1", 400, openai("Unable to access non-serverless model m.", "model_not_available"), "not-found"),
    Known("together.api.v1", 400, openai("Credit limit exceeded, please add credits: credits exhausted"), "quota"),
    # Fireworks
    Known("fireworks.api.v1", 400, {"error": {"message": "The prompt is too long: 131073, model maximum context length: 131072"}},
          "capability", too_long=True),
    Known("fireworks.api.v1", 404, {"error": {"message": "Model not found, inaccessible, and/or not deployed"}}, "not-found"),
    Known("fireworks.api.v1", 412, {"error": {"message": "Account x is suspended"}}, "quota"),
    # OpenRouter
    Known("openrouter.gateway.v1", 400, {"error": {"message": "This endpoint's maximum context length is 163840 tokens.", "code": 400}},
          "capability", too_long=True),
    Known("openrouter.gateway.v1", 404, {"error": {"message": "No endpoints found that support tool use.", "code": 404}}, "capability"),
    Known("openrouter.gateway.v1", 404, {"error": {"message": "No endpoints found for x/y.", "code": 404}}, "not-found"),
    Known("openrouter.gateway.v1", 400, {"error": {"message": "x/y is not a valid model ID", "code": 400}}, "not-found"),
    Known(
        "openrouter.gateway.v1",
        400,
        {"error": {"message": "Provider returned error", "code": 400,
                   "metadata": {"raw": json.dumps(openai(TOO_LONG, "context_length_exceeded")), "provider_name": "Test"}}},
        "capability",
        too_long=True,
    ),
    # xAI
    Known("xai.grok.v1", 400, {"code": "Client specified an invalid argument", "error": "This model's maximum prompt length is 131072"},
          "capability", too_long=True),
    Known("xai.grok.v1", 400, {"code": "Client specified an invalid argument", "error": "Model m does not support parameter stop."},
          "capability"),
    Known("xai.grok.v1", 404, {"code": "Some requested entity was not found", "error": "The model m does not exist"}, "not-found"),
    Known("xai.grok.v1", 403, {"code": "permission-denied", "error": "Your team has run out of credits"}, "quota"),
    # Hugging Face
    Known(
        "huggingface.inference.v1",
        422,
        {"error": {"message": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.", "http_status_code": 422}},
        "capability",
        too_long=True,
    ),
    Known("huggingface.inference.v1", 400, openai("The requested model 'm' is not supported by any provider you have enabled."), "not-found"),
    Known("huggingface.inference.v1", 422, {"error": "Input validation error: `inputs` must have less than 4096 tokens. Given: 4545"},
          "capability", too_long=True),
    Known("huggingface.inference.v1", 402, {"error": "You have exceeded your monthly included credits"}, "quota"),
    # Perplexity
    Known("perplexity.search.v1", 400, {"error": {"message": "no such model", "type": "invalid_model", "code": 400}}, "not-found"),
    Known("perplexity.search.v1", 400, {"error": {"message": 'json: unknown field "stop"', "type": "invalid_request", "code": 400}},
          "capability"),
    Known("perplexity.search.v1", 400, {"error": {"message": "After the system message(s), user and assistant roles should be alternating.",
          "type": "invalid_request", "code": 400}}, "capability"),
    Known("perplexity.search.v1", 400, {"error": {"message": "input is too long: context length exceeded", "code": 400}}, "capability", too_long=True),
    # Ollama
    Known("ollama.local.v1", 400, openai("registry.ollama.ai/library/gemma3:latest does not support tools", kind="api_error"), "capability"),
    Known("ollama.local.v1", 404, openai('model "m" not found, try pulling it first', kind="api_error"), "not-found"),
    Known("ollama.local.v1", 400, {"error": '"m" does not support thinking'}, "capability"),
    Known("ollama.local.v1", 500, {"error": {"message": "error parsing tool call: raw='{'", "type": "api_error"}}, "capability"),
    Known("ollama.local.v1", 429, {"error": "you have reached your weekly usage limit, upgrade for higher limits"}, "quota"),
    # vLLM
    Known("vllm.local.v1", 400, {"object": "error", "message": TOO_LONG, "type": "BadRequestError", "param": None, "code": 400},
          "capability", too_long=True),
    Known("vllm.local.v1", 400, {"object": "error", "message": '"auto" tool choice requires --enable-auto-tool-choice and '
          "--tool-call-parser to be set", "type": "BadRequestError", "code": 400}, "capability"),
    Known("vllm.local.v1", 404, {"error": {"message": "The model `m` does not exist.", "type": "NotFoundError", "code": 404}}, "not-found"),
    Known("vllm.local.v1", 400, {"error": {"message": "m is not a multimodal model", "type": "BadRequestError", "code": 400}}, "capability"),
    # LM Studio
    Known("lmstudio.local.v1", 400, {"error": "'response_format.type' must be 'json_schema' or 'text'"}, "capability"),
    Known("lmstudio.local.v1", 400, {"error": JINJA}, "capability", too_long=True),
    Known("lmstudio.local.v1", 400, {"error": "Context size has been exceeded."}, "capability", too_long=True),
    Known("lmstudio.local.v1", 404, {"error": {"message": "Model m not found", "code": "model_not_found"}}, "not-found"),
    # LocalAI
    Known(
        "localai.local.v1",
        500,
        {"error": {"code": 500, "message": "rpc error: code = Internal desc = request (20652 tokens) exceeds the available context size "
                   "(8192 tokens), try increasing it", "type": ""}},
        "capability",
        too_long=True,
    ),
    Known("localai.local.v1", 400, {"error": {"code": 400, "message": "request (44593 tokens) exceeds the available context size",
          "type": "exceed_context_size_error", "n_ctx": 4096}}, "capability", too_long=True),
    Known("localai.local.v1", 404, {"error": {"code": 404, "message": "model not found", "type": ""}}, "not-found"),
)  # fmt: skip

PAGE = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>blocked</body></html>"
CONNECTORS = tuple(dict.fromkeys(known.connector for known in KNOWN))
