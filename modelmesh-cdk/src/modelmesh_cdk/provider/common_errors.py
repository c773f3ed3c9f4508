"""Error mappings that apply to every vendor, after the connector's own.

Codes are those of the openai package 3.52.0 (read 2026-11-21) and of the servers that copy its format. Messages are those of
public issues, cited per row. Specific rows come before general rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from modelmesh._engine.foundation.failure_rules import CAPABILITY_CODES, MODEL_CODES, POLICY_CODES, QUOTA_CODES
from modelmesh.contracts import FailureClass
from modelmesh_cdk.provider.error_bodies import read_error
from modelmesh_cdk.provider.error_mapping import (
    AMBIGUOUS_STATUSES,
    ANY_STATUS,
    UNSUPPORTED,
    ErrorMapping,
    error_mapping,
    find_mapping,
)

_F = FailureClass
_PARAMETER = r"(?P<parameter>[A-Za-z][A-Za-z0-9_]{2,40})"
_FIELD = "(parameter|argument|field|keyword)"
_OFF = "restricted|disabled|suspended|deactivated|blocked|archived|on hold"
_TOO_LONG = "too (long|large|big)"
_HAS = "(is |was |are |has been |have been )?"
_OVER = r"(too large|exceed|less than|at most|<=|> \d|valid range)"
_NO_LONGER = "no longer (supported|available|active|served|hosted)"
_GONE = rf"(decommissioned|retired|{_NO_LONGER}|is deprecated|sunset|been (deprecated|removed|discontinued))"
_OTHER = r"tools?|functions?|calls?|files?|images?|fields?|param(eter)?s?|propert\w+|messages?|threads?|conversations?"
_MODEL = rf"\bmodels?\b(?:(?!\b({_OTHER})\b).){{0,160}}?\b"

BY_CODE: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.QUOTA,
        *QUOTA_CODES,
        "insufficient_balance",
        "insufficient_credits",
        "insufficient_funds",
        "payment_required",
        "quota_exceeded",
        "usage_limit_reached",
        "exceeded_current_quota_error",
        "credits_exhausted",
        statuses=ANY_STATUS - {401},
    ),
    error_mapping(
        _F.POLICY,
        *POLICY_CODES,
        "responsibleaipolicyviolation",
        "data_inspection_failed",
        statuses=ANY_STATUS - {401, 429},
    ),
    error_mapping(
        _F.CAPABILITY,
        "context_length_exceeded",
        "context_window_exceeded",
        "exceed_context_size_error",
        "model_max_prompt_tokens_exceeded",
        "tokens_limit_reached",
        "string_above_max_length",
        statuses=ANY_STATUS - {401, 403, 429},
        too_long=True,
        source="ggml-org/llama.cpp#15780: exceed_context_size_error came with status 500; read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY, *UNSUPPORTED, *(CAPABILITY_CODES - {"context_length_exceeded"}), statuses=ANY_STATUS - {401, 403, 429}
    ),
    error_mapping(
        _F.NOT_FOUND,
        *MODEL_CODES,
        "model_deprecated",
        "model_retired",
        "model_not_available",
        "model_not_supported",
        "invalid_model",
        "unknown_model",
        "deploymentnotfound",
    ),
    error_mapping(
        _F.CAPABILITY,
        "invalid_request_message_order",
        "tool_use_failed",
        "json_validate_failed",
        "output_parse_failed",
        statuses=AMBIGUOUS_STATUSES | {500},
    ),
    error_mapping(_F.THROTTLE, "rate_limit_exceeded", "rate_limit_error", "rate_limit_reached", "too_many_requests"),
    error_mapping(
        _F.CREDENTIAL,
        "invalid_api_key",
        "api_key_expired",
        "organization_restricted",
        "organization_disabled",
        "organization_suspended",
        "account_deactivated",
        "account_suspended",
        "account_disabled",
        "project_archived",
        statuses=AMBIGUOUS_STATUSES | {403},
    ),
)

BY_WORDS: tuple[ErrorMapping, ...] = (
    error_mapping(
        _F.POLICY,
        statuses={400, 422, 451},
        words=(
            r"content (management )?(policy|filter)(ing)?\b",
            r"flagged (as|by|for)\b",
            r"content exists risk",
            r"violat\w+\b.{0,60}\b(polic(y|ies)|guidelines)",
            r"safety (system|filter|policy)",
            r"blocked (input|output)\b",
        ),
    ),
    error_mapping(
        _F.CREDENTIAL,
        statuses=AMBIGUOUS_STATUSES | {403},
        words=(
            r"(invalid|incorrect|missing|expired|malformed|revoked) (or \w+ )?api[ _-]?key",
            r"api[ _-]?key (is |was )?(not valid|invalid|expired|not found|missing|revoked|incorrect)",
            rf"(organi[sz]ation|account|project|workspace) (\S+ )?(has been|is|was) (currently )?({_OFF})",
        ),
    ),
    error_mapping(
        _F.PERMISSION,
        statuses=AMBIGUOUS_STATUSES,
        words=(r"organi[sz]ation must be verified", r"blocked at the (organi[sz]ation|project) level"),
    ),
    error_mapping(
        _F.QUOTA,
        statuses=AMBIGUOUS_STATUSES | {403},
        words=(
            r"usage limits?\b",
            r"credit balance is too low",
            r"insufficient (account )?(balance|credits?|quota|funds)",
            r"exceeded your (current|monthly|daily|included) (\w+ )?(quota|limit|usage|budget|spend|credits)",
            r"out of credits",
            r"spend(ing)? limit",
            r"(monthly|included) (included )?credits",
            r"billing (hard )?limit",
            r"requires more credits",
            r"(quota|credits?|balance) (has been |have been |is |are )?(exceeded|exhausted|used up|depleted)",
            r"payment (method|required)",
        ),
        source="laravel/ai#864, anthropics/claude-code#38035 (usage limits), anomalyco/opencode#12219 (credits); read 2026-11-30",
    ),
    error_mapping(
        _F.QUOTA,
        "freeusagelimiterror",
        statuses={429},
        words=(r"usage limits?\b", r"(weekly|monthly) (\w+ )?(limit|quota)", r"insufficient (account )?(balance|credits?|funds)"),
        source="perminder-klair/subwave#438 (Ollama Cloud), duolahypercho/codex-router#311; read 2026-11-30",
    ),
    error_mapping(
        _F.THROTTLE,
        statuses=AMBIGUOUS_STATUSES - {404, 405},
        words=(
            r"\b(tpm|rpm|tpd|rpd)\b",
            r"(tokens|requests) per (min|minute|day|hour|second)\b",
            r"rate[ -]?limit",
            r"(service )?tier\b.{0,80}\b(limit|too large|maximum)",
            r"too large for (the|your) (service )?(tier|plan)",
            r"too many requests",
        ),
        source="openclaw/openclaw#147644, tinyhumansai/openhuman#4404 (413 of Groq's tiers); read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses=ANY_STATUS - {401, 402, 403, 429},
        too_long=True,
        keywords=("context", "prompt", "token", "input", "message", "max", "exceed", "longer", "large", "reduce"),
        words=(
            r"max(imum)? (allowed )?(context|prompt|sequence|model|input|token)[ _]?(length|len|window|limit|tokens|size)",
            rf"(context|prompt|input|messages?)( length| window| size| limit)? {_HAS}(exceeded|overflow|{_TOO_LONG})",
            r"exceed\w*\b.{0,80}\b(context|maximum number of (input )?tokens|(token|input|prompt) (limit|length))",
            r"\b(context|prompt)\b.{0,60}\b(exceeds?|longer than|larger than|too (small|long)|not enough)\b",
            r"longer than the (maximum |models? )*(context|length|model)",
            r"too many (input |prompt |total )?tokens",
            r"too large for model with \d+",
            r"tokens \+ max_(new_)?tokens",
            r"must have less than \d+ tokens",
            r"reduce (the length of|your prompt|the prompt)",
            r"context (size|length|window)\b.{0,60}\b(of only|exceed|increas)",
            r"tokens to keep from the initial prompt",
            r"keep the first \d+ tokens",
            r"input (token|length|text)s?( count)?\b.{0,40}(exceed|too (long|large)|greater than|larger than)",
        ),
        source="cline/cline#3120 (xAI), stanford-crfm/helm#2079 (Together), huggingface/huggingface_hub#2763, "
        "lmstudio-ai/lmstudio-bug-tracker#546, openakita/openakita#459 (llama.cpp), docker/docker-agent#569 (Anthropic), "
        "google-gemini/gemini-cli#27197; read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses=AMBIGUOUS_STATUSES,
        words=(
            rf"\bmax(imum)?[_ ]?(completion_|new_|output_)?(tokens|output)\b.{{0,60}}{_OVER}",
            r"maximum (allowed )?(number of )?(output|completion) tokens",
            r"supports at most \d+ (completion|output) tokens",
        ),
        source="skapadia3214/groq-moa#8, pollinations/pollinations#1291, DaviRain-Su/hyper-grok-build#44; read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses=AMBIGUOUS_STATUSES,
        words=r"(request|payload|body|entity|image|file)( entity| body| payload| size)? (is )?(too large|exceeds)",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses=AMBIGUOUS_STATUSES | {500},
        keywords=("failed", "pars", "model"),
        words=(
            r"failed to (call a function|generate json|validate json|parse (the )?(tool|function|json))",
            r"failed_generation",
            r"tool call validation failed",
            r"(error|failed) parsing (the )?(tool|function) call",
            r"model (generated|produced|returned) (an? )?(invalid|malformed|output that could not be parsed)",
            r"output could not be parsed",
        ),
        source="tashfeenahmed/freellmapi#168, zeroclaw-labs/zeroclaw#3757; read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses=AMBIGUOUS_STATUSES,
        feature="tools",
        words=(
            r"(not|nt) support (the )?(tools?|functions?)\b(?! (choice|result|message|with))",
            r"(tool|function)[ _-]?(use|calling|calls) (is |are )?(not (currently )?supported|unsupported|not enabled)",
            r"found that support tool use",
            r"auto tool choice requires --",
        ),
        source="ollama/ollama#6027, BerriAI/litellm#10313 (Gemma at Gemini), vllm-project/vllm#9986; read 2026-11-30",
    ),
    error_mapping(
        _F.NOT_FOUND,
        statuses=AMBIGUOUS_STATUSES - {413},
        words=(
            _MODEL + _GONE,
            _MODEL + r"(does not|doesnt|do not|not) exist",
            _MODEL + r"not[ _](be )?found\b",
            r"\b(unknown|invalid|no such|not a valid|unsupported) model\b(?! (parameter|version|output|response|generat))",
            r"not a chat model",
            r"(unable to|cannot|could not|no) (access|find|load|locate)( to)?( the)? model",
            _MODEL + r"not available\b",
            r"not supported by any provider",
            r"no endpoints found for",
            r"not supported for generatecontent",
        ),
        source="ItzCrazyKns/Vane#771, atiilla/sqlmap-ai#3, janhq/jan#6595; read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses=AMBIGUOUS_STATUSES,
        words=(
            r"(should|must) (be )?(strictly )?alternat",
            r"successive (user|assistant)",
            r"expected last role",
            r"unexpected role",
            r"last message (must|should|cannot)",
            r"(unknown|invalid) role\b",
            r"role \w+ (is not|must)",
            r"role must be",
            r"unknown variant",
            r"reasoning_content",
            r"thought_signature",
            r"batch size",
            r"too many (inputs|texts|items)",
            r"\bat most \d+ (requests|inputs|texts)",
        ),
        source="charmbracelet/mods#448 (Perplexity), CherryHQ/cherry-studio#2795 (DeepSeek), BerriAI/litellm#17761 (Mistral), "
        "langchain-ai/langchain#39370, losesky/ai-auto-trading#14, StarTrail-org/LEANN#214; read 2026-11-30",
    ),
    error_mapping(
        _F.CAPABILITY,
        statuses=AMBIGUOUS_STATUSES,
        words=(
            rf"not support (the )?parameters? {_PARAMETER}",
            rf"argument not supported on this model: {_PARAMETER}",
            rf"(unsupported|unknown|unrecognized|unexpected) (request )?{_FIELD}s?( supplied)?:? {_PARAMETER}",
            rf"{_PARAMETER} (is|are) (not supported|unsupported|not allowed|not permitted|unavailable)",
            r"(do|does|did) ?(not|nt) (currently |yet )?support",
            r"not (currently |yet |fully )?supported",
            r"unsupported",
            r"(unavailable|not available) (now|at|for|on|in)\b",
            r"not enabled for",
            r"not compatible|incompatible with",
            r"requires --",
            r"extra (inputs|fields|parameters) (are )?not (permitted|allowed)",
            r"additional propert",
            r"unknown (field|name|key|parameter|argument)",
            r"unrecognized (request )?(argument|parameter|field)",
            r"cannot find field",
            r"must be json_schema or text",
            r"cannot (both )?be (used|specified|combined|set) (with|together|for|at the same time)\b",
            r"only supported (by|on|for|with|in)",
            r"no endpoints found that",
        ),
        source="miaoxworld/NativeTavern#83, BerriAI/litellm#11563 (xAI), BerriAI/litellm#31466 (DeepSeek), "
        "lmstudio-ai/lmstudio-bug-tracker#189, memex-lab/dart_agent_core#34 (Gemini); read 2026-11-30",
    ),
)

COMMON: tuple[ErrorMapping, ...] = BY_CODE + BY_WORDS


def find_explanation(status: int, code: str | None, body: Any, own: Sequence[ErrorMapping]) -> ErrorMapping | None:
    """Return the row that explains a refusal, ``None`` when no row does.

    Args:
        status: HTTP status.
        code: The vendor's code.
        body: The decoded error body.
        own: The connector's rows, which apply before the common rows.
    """
    return find_mapping(status, code, read_error(body), (*own, *_common_rows(status)))


@cache
def _common_rows(status: int) -> tuple[ErrorMapping, ...]:
    return tuple(row for row in COMMON if status in row.statuses)
