"""What a vendor's API accepts as a conversation, as data.

A connector states one :class:`MessageRules` value with a source and a date for each rule. The kit makes every request
obey it (:func:`modelmesh_cdk.message_rules.adapt`), and the conformance kit checks the request on the wire against it
(:func:`modelmesh_cdk.message_rules.violations`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum

from attrs import field, fields, frozen


class Blank(Enum):
    """What to do with text that is empty or white space."""

    KEEP = "keep"
    LEAVE_OUT = "leave out"
    STAND_IN = "stand in"


class SystemPlace(Enum):
    """Where system messages may stand."""

    ANYWHERE = "anywhere"
    FIRST = "first"
    ONE_FIRST = "one, first"


class LastAssistant(Enum):
    """What to do when the last message is an assistant's."""

    KEEP = "keep"
    PREFIX = "prefix"
    ASK_TO_CONTINUE = "ask to continue"


class Arguments(Enum):
    """What the arguments of a tool call must be; they are always text."""

    TEXT = "text"
    JSON_OBJECT = "a JSON object"


class ContentWithCalls(Enum):
    """What ``content`` is in an assistant message that calls tools and has no text."""

    KEEP = "keep"
    NULL = "null"
    EMPTY = "empty text"


@frozen
class Source:
    """Where a rule comes from.

    Attributes:
        text: The page, package or issue.
        read: The day on which it was read, ``YYYY-MM-DD``.
    """

    text: str
    read: str


@frozen
class CallIds:
    """The spelling of tool-call IDs.

    Attributes:
        pattern: Regular expression that a whole ID matches.
        length: Letters and digits of a replacement.
        prefix: Text before those letters.
        note: What the attempt notes when an ID was rewrite_tool_ids.
    """

    pattern: str
    length: int
    prefix: str = ""
    note: str = "IDs of tool calls rewrite_tool_ids"


@frozen(kw_only=True)
class MessageRules:
    """Rules of one vendor; the defaults accept what OpenAI's format accepts, and more.

    Attributes:
        vendor: Name of the vendor in notes.
        roles: Accepted roles; ``None`` leaves unknown roles to the vendor.
        replaced_roles: Roles that are sent under another name, such as ``developer`` as ``system``.
        functions: Whether ``function_call`` and the role ``function``, which came before tools, are accepted.
        custom_calls: Whether calls of custom tools, whose input is free text, are accepted; else they are sent as calls of
            functions with the argument ``input``.
        refusals: Whether ``refusal`` and ``audio`` of assistant messages are understood; else their text is sent as content.
        keys: Accepted keys of a message by role; ``None`` is an open schema, where unknown keys travel.
        call_keys: Accepted keys of a tool call; ``None`` is an open schema.
        parts: Accepted types of content parts by role; a role without an entry takes any.
        refused_parts: Types of content parts of other vendors, refused in each role.
        part_keys: Accepted keys of a content part by its type; a type without an entry is open.
        untyped_parts: Keys that make a content part without a type, as the vendor's own parts are.
        text_only_roles: Roles whose content is one text and never a list of parts; their parts are of type ``text`` only.
        joined_text_roles: Further roles in which a list of only text parts is sent as one text.
        blank: What happens to blank text, by role; ``part`` is a blank text part next to other parts.
        placeholder: Text in place of a blank one.
        content_with_calls: Content next to tool calls when the message has no text.
        null_content: Whether ``content: null`` without tool calls is accepted.
        trims_last_assistant: Whether a last assistant message must not end in white space.
        system: Where system messages may stand.
        system_alone: Whether a list with only system messages is accepted.
        alternating: Whether user and assistant messages must alternate.
        opening: Text of a user message before a conversation that an assistant begins; ``None`` accepts such a one.
        bridge: Text of an assistant message between a tool result and a user message; ``None`` needs none.
        last_assistant: What happens to a last assistant message.
        continuation: Text of the user message that follows it, for ``ASK_TO_CONTINUE``.
        paired: Whether each tool call needs its result right after it, and each result its call.
        missing_result: Text of the result of a call that has none.
        arguments: What arguments of tool calls must be.
        call_ids: Spelling of tool-call IDs; ``None`` accepts any.
        names: Regular expression of accepted characters in ``name``; ``None`` accepts any.
        images: Accepted media types of images in data URLs; ``None`` accepts any.
        remote_images: Whether an image may be an address that the vendor downloads.
        tools: Whether tool calls and their results are accepted in a conversation; else they are written as text.
        reasoning_field: Field that each assistant message must carry with text, such as ``reasoning_content``.
        reasoning_placeholder: That text, when the message has none.
        accepts_blank_stops: Whether blank stop sequences are accepted.
        max_stop_sequences: Largest number of stop sequences.
        ranges: Smallest and largest value of parameters; a value outside is moved to the nearer end.
        unsupported: Parameters that the vendor refuses; they are left out.
        single_choice: Whether ``n`` above 1 is refused.
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
        """Return the types of content parts that a role may hold; ``None`` is any."""
        return self.parts.get(role, ("text",) if role in self.text_only_roles else None)

    def rules_without_source(self) -> list[str]:
        """Return the explicit rules that have no source."""
        return [name for name in self.explicit_rules() if name not in self.sources]


_TEXTS = ("vendor", "sources", "placeholder", "continuation", "missing_result", "reasoning_placeholder")
"""Fields that are wording of the kit rather than rules of a vendor."""
