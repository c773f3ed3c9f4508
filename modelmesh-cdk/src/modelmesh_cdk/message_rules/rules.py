"""Message rules: what a vendor's API accepts as a conversation.

A connector states one :class:`MessageRules` value with a source and a date for each rule. The kit adapts every request
(:func:`modelmesh_cdk.message_rules.adapt`), and the conformance kit checks the request on the wire
(:func:`modelmesh_cdk.message_rules.find_violations`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum

from attrs import field, fields, frozen


class Blank(Enum):
    """Handling of text that is empty or white space."""

    KEEP = "keep"
    LEAVE_OUT = "leave out"
    STAND_IN = "stand in"


class SystemPlace(Enum):
    """Allowed places of system messages."""

    ANYWHERE = "anywhere"
    FIRST = "first"
    ONE_FIRST = "one, first"


class LastAssistant(Enum):
    """Handling of a last message of the assistant."""

    KEEP = "keep"
    PREFIX = "prefix"
    ASK_TO_CONTINUE = "ask to continue"


class Arguments(Enum):
    """Required form of the arguments of a tool call, which are always text."""

    TEXT = "text"
    JSON_OBJECT = "a JSON object"


class ContentWithCalls(Enum):
    """Value of ``content`` in an assistant message with tool calls and without text."""

    KEEP = "keep"
    NULL = "null"
    EMPTY = "empty text"


@frozen
class Source:
    """Source of a rule.

    Attributes:
        text: Page, package or issue.
        read: Date on which it was read, ``YYYY-MM-DD``.
    """

    text: str
    read: str


@frozen
class CallIds:
    """Spelling of tool-call IDs.

    Attributes:
        pattern: Regular expression for a whole ID.
        length: Number of letters and digits of a replacement.
        prefix: Text in front of a replacement.
        note: Note of an attempt with a replaced ID.
    """

    pattern: str
    length: int
    prefix: str = ""
    note: str = "IDs of tool calls rewrite_tool_ids"


@frozen(kw_only=True)
class MessageRules:
    """Rules of one vendor. The defaults accept OpenAI's format and more.

    Attributes:
        vendor: Name of the vendor in notes.
        roles: Accepted roles. ``None`` passes unknown roles to the vendor.
        replaced_roles: Roles that are sent under another name, such as ``developer`` as ``system``.
        functions: Whether ``function_call`` and the role ``function``, the predecessors of tools, are accepted.
        custom_calls: Whether calls of custom tools with free-text input are accepted. Else they are sent as function calls
            with the argument ``input``.
        refusals: Whether ``refusal`` and ``audio`` of assistant messages are accepted. Else their text is sent as content.
        keys: Accepted keys of a message by role. ``None`` passes unknown keys to the vendor.
        call_keys: Accepted keys of a tool call. ``None`` accepts any.
        parts: Accepted part types by role. A role without an entry accepts any.
        refused_parts: Part types of other vendors that are rejected in each role.
        part_keys: Accepted keys of a content part by its type. A type without an entry accepts any.
        untyped_parts: Keys that identify a content part without a type, as in the vendor's own format.
        text_only_roles: Roles whose content is one text and never a list of parts. Their parts have the type ``text`` only.
        joined_text_roles: Further roles in which a list of text parts is sent as one text.
        blank: Handling of blank text by role. ``part`` is a blank text part next to other parts.
        placeholder: Text that replaces a blank one.
        content_with_calls: Content next to tool calls in a message without text.
        null_content: Whether ``content: null`` without tool calls is accepted.
        trims_last_assistant: Whether a last assistant message must not end in white space.
        system: Allowed places of system messages.
        system_alone: Whether a list of only system messages is accepted.
        alternating: Whether user and assistant messages must alternate.
        opening: Text of a user message in front of a conversation that begins with the assistant. ``None`` accepts it as is.
        bridge: Text of an assistant message between a tool result and a user message. ``None`` adds no message.
        last_assistant: Handling of a last message of the assistant.
        continuation: Text of the user message that follows it, for ``ASK_TO_CONTINUE``.
        paired: Whether each tool call requires its result directly after it, and each result its call.
        missing_result: Text of the result of a call without one.
        arguments: Required form of the arguments of tool calls.
        call_ids: Spelling of tool-call IDs. ``None`` accepts any.
        names: Regular expression of accepted characters in ``name``. ``None`` accepts any.
        images: Accepted media types of images in data URLs. ``None`` accepts any.
        remote_images: Whether the vendor downloads images from URLs.
        tools: Whether tool calls and results are accepted in a conversation. Else they are sent as text.
        reasoning_field: Field that each assistant message must carry with text, such as ``reasoning_content``.
        reasoning_placeholder: Text of that field in a message without one.
        accepts_blank_stops: Whether blank stop sequences are accepted.
        max_stop_sequences: Largest number of stop sequences.
        ranges: Smallest and largest value of parameters. A value outside is moved to the nearer limit.
        unsupported: Parameters that the vendor rejects, which are dropped.
        single_choice: Whether ``n`` above 1 is rejected.
        sources: Source of each rule that differs from the default, by its name here.
    """

    vendor: str
    roles: Collection[str] | None = None
    replaced_roles: Mapping[str, str] = field(factory=dict)
    functions: bool = True
    custom_calls: bool = False
    refusals: bool = False
    keys: Mapping[str, Collection[str]] | None = None
    call_keys: Collection[str] | None = None
    parts: Mapping[str, Collection[str]] = field(factory=dict)
    refused_parts: Collection[str] = ()
    part_keys: Mapping[str, Collection[str]] = field(factory=dict)
    untyped_parts: Collection[str] = ()
    text_only_roles: Collection[str] = ()
    joined_text_roles: Collection[str] = ()
    blank: Mapping[str, Blank] = field(factory=dict)
    placeholder: str = "(empty)"
    content_with_calls: ContentWithCalls = ContentWithCalls.KEEP
    null_content: bool = False
    trims_last_assistant: bool = False
    system: SystemPlace = SystemPlace.ANYWHERE
    system_alone: bool = True
    alternating: bool = False
    opening: str | None = None
    bridge: str | None = None
    last_assistant: LastAssistant = LastAssistant.KEEP
    continuation: str = "Continue."
    paired: bool = True
    missing_result: str = "(no result)"
    arguments: Arguments = Arguments.TEXT
    call_ids: CallIds | None = None
    names: str | None = None
    images: Collection[str] | None = None
    remote_images: bool = True
    tools: bool = True
    reasoning_field: str | None = None
    reasoning_placeholder: str = ""
    accepts_blank_stops: bool = True
    max_stop_sequences: int | None = None
    ranges: Mapping[str, tuple[float | None, float | None]] = field(factory=dict)
    unsupported: Collection[str] = ()
    single_choice: bool = False
    sources: Mapping[str, Source] = field(factory=dict)

    def explicit_rules(self) -> dict[str, object]:
        """Return the rules that differ from the defaults, by name."""
        plain = MessageRules(vendor=self.vendor)
        names = [one.name for one in fields(MessageRules) if one.name not in _TEXTS]
        return {name: getattr(self, name) for name in names if getattr(self, name) != getattr(plain, name)}

    def accepted_parts(self, role: str) -> Collection[str] | None:
        """Return the accepted part types of a role. ``None`` accepts any."""
        return self.parts.get(role, ("text",) if role in self.text_only_roles else None)

    def rules_without_source(self) -> list[str]:
        """Return the explicit rules that have no source."""
        return [name for name in self.explicit_rules() if name not in self.sources]


_TEXTS = ("vendor", "sources", "placeholder", "continuation", "missing_result", "reasoning_placeholder")
"""Fields that are wording of the kit rather than rules of a vendor."""
