"""The thirteen vendors with a key: the variable of the key, the dialect, and the rules within a dialect.

The rules are those that the connectors state, and the refusals quoted in public issue threads.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from importlib import resources
from typing import Any

from attrs import field, frozen

OPENAI_KEYS = {
    "developer": "role content name",
    "system": "role content name",
    "user": "role content name",
    "assistant": "role content name refusal audio function_call tool_calls annotations",
    "tool": "role content tool_call_id",
}
WITHOUT_DEVELOPER = {role: keys for role, keys in OPENAI_KEYS.items() if role != "developer"}
PLAIN_KEYS = {**WITHOUT_DEVELOPER, "assistant": "role content name tool_calls", "tool": "role content tool_call_id name"}


@frozen
class Rules:
    """The rules of one vendor of the OpenAI dialect.

    Attributes:
        keys: Permitted keys of a message by role, or ``None`` if the vendor ignores unknown keys.
        roles: The permitted roles.
        call_id: Pattern of the ID of a tool call.
        tool_then_user: Whether a user's message may follow a tool's result directly.
        last: Permitted roles of the last message. Empty permits any.
        usage: ``asked`` if a stream reports usage only with ``stream_options.include_usage``, else ``always``.
        empty_assistant: Whether an assistant's message may have neither content nor calls.
    """

    keys: dict[str, str] | None = None
    roles: tuple[str, ...] = ("system", "user", "assistant", "tool")
    call_id: str = r".{1,64}"
    tool_then_user: bool = True
    last: tuple[str, ...] = ()
    usage: str = "asked"
    empty_assistant: bool = False


@frozen(slots=False)
class Vendor:
    """One vendor.

    Attributes:
        name: Its provider name.
        variable: Environment variable of the key.
        dialect: ``openai``, ``anthropic``, ``gemini``, ``cohere`` or ``agent``.
        rules: For the OpenAI dialect.
        further: Last parts of the paths of further dialects.
    """

    name: str
    variable: str
    dialect: str = "openai"
    rules: Rules = field(factory=Rules)
    further: tuple[str, ...] = ()

    @cached_property
    def catalogue(self) -> list[dict[str, Any]]:
        """The rows of the shipped catalogue."""
        text = resources.files(f"modelmesh_connector_{self.name}").joinpath("models.json").read_text("utf-8")
        rows: list[dict[str, Any]] = json.loads(text)["models"]
        return rows

    @cached_property
    def models(self) -> frozenset[str]:
        """Names by which the vendor knows its models."""
        return frozenset(row.get("upstream", row["id"]) for row in self.catalogue)


_EVERY_ROLE = ("system", "developer", "user", "assistant", "tool")
_ANY = r"[\w.:-]{1,64}"

VENDORS = {
    one.name: one
    for one in (
        Vendor("openai", "OPENAI_API_KEY", rules=Rules(OPENAI_KEYS, _EVERY_ROLE, r".{1,40}"), further=("responses",)),
        Vendor("anthropic", "ANTHROPIC_API_KEY", "anthropic"),
        Vendor("google", "GOOGLE_API_KEY", "gemini"),
        Vendor(
            "groq",
            "GROQ_API_KEY",
            rules=Rules({**PLAIN_KEYS, "assistant": "role content name tool_calls reasoning"}),
            further=("responses",),
        ),
        Vendor(
            "mistral",
            "MISTRAL_API_KEY",
            rules=Rules(
                {**PLAIN_KEYS, "user": "role content", "system": "role content", "assistant": "role content tool_calls prefix"},
                call_id=r"[a-zA-Z0-9]{9}",
                tool_then_user=False,
                last=("user", "tool"),
                usage="always",
            ),
        ),
        Vendor("deepseek", "DEEPSEEK_API_KEY"),
        Vendor("together", "TOGETHER_API_KEY"),
        Vendor("fireworks", "FIREWORKS_API_KEY", further=("responses", "messages")),
        Vendor("openrouter", "OPENROUTER_API_KEY", rules=Rules(roles=_EVERY_ROLE), further=("responses", "messages")),
        Vendor("xai", "XAI_API_KEY", rules=Rules(roles=_EVERY_ROLE), further=("responses",)),
        Vendor("cohere", "COHERE_API_KEY", "cohere"),
        Vendor("huggingface", "HF_TOKEN"),
        Vendor("perplexity", "PERPLEXITY_API_KEY", "agent"),
    )
}
"""Vendors by name, in the order of mentions in issue trackers."""

CHAT = tuple(name for name in VENDORS if name != "perplexity")
"""Vendors with shipped models for ``chat-completion``. Perplexity's serve ``grounded-generation`` and ``web-search``."""

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
