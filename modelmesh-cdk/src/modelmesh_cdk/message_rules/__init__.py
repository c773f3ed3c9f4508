"""Vendor rules for conversations: stated as data, applied to requests, and checked on the wire.

=========================  =====================================================================================
:class:`MessageRules`      what a vendor accepts, each rule with its :class:`Source`
:func:`adapt`              returns a request that obeys the rules, and notes on the changes
:func:`find_violations`    returns the rules that a request breaks, independent of :func:`adapt`
=========================  =====================================================================================

:data:`TEMPLATED` and :data:`SELF_HOSTED` are base rules for servers that render conversations with a chat template.

``rules`` defines the rules. ``shapes`` and ``blocks`` read messages of other formats. ``fields``, ``content``, ``media``,
``calls``, ``pairing``, ``order`` and ``parameters`` each adapt one part of a request. ``adaptation`` calls them in order,
unless ``fast_path`` recognizes a conversation that no rule changes.
"""

from modelmesh_cdk.message_rules.adaptation import AdaptedRequest, adapt
from modelmesh_cdk.message_rules.parameters import is_neutral
from modelmesh_cdk.message_rules.rules import (
    Arguments,
    Blank,
    CallIds,
    ContentWithCalls,
    LastAssistant,
    MessageRules,
    Source,
    SystemPlace,
)
from modelmesh_cdk.message_rules.templates import SELF_HOSTED, TEMPLATED
from modelmesh_cdk.message_rules.violations import find_violations

__all__ = [
    "SELF_HOSTED",
    "TEMPLATED",
    "AdaptedRequest",
    "Arguments",
    "Blank",
    "CallIds",
    "ContentWithCalls",
    "LastAssistant",
    "MessageRules",
    "Source",
    "SystemPlace",
    "adapt",
    "find_violations",
    "is_neutral",
]
