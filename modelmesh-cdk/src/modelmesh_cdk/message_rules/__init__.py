"""Vendor rules for conversations: stated as data, applied to requests, and checked on the wire.

=========================  =====================================================================================
:class:`MessageRules`      what a vendor accepts, each rule with its :class:`Source`
:func:`adapt`              returns a request that obeys the rules, and notes on the changes
:func:`find_violations`    returns the rules that a request breaks, independent of :func:`adapt`
=========================  =====================================================================================

:data:`TEMPLATED` and :data:`SELF_HOSTED` are base rules for servers that render conversations with a chat template.

``rules`` defines the rules. ``shapes`` and ``blocks`` read messages of other formats. ``fields``, ``content``, ``media``,
``calls``, ``pairing``, ``order`` and ``parameters`` each adapt one part of a request. ``adaptation`` calls them in order,
unless ``fast_path`` recognizes a conversation that no rule changes. Names are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.foundation.lazy_import import lazy_names

if TYPE_CHECKING:
    from modelmesh_cdk.message_rules.adaptation import AdaptedRequest as AdaptedRequest
    from modelmesh_cdk.message_rules.adaptation import adapt as adapt
    from modelmesh_cdk.message_rules.parameters import is_neutral as is_neutral
    from modelmesh_cdk.message_rules.rules import Arguments as Arguments
    from modelmesh_cdk.message_rules.rules import Blank as Blank
    from modelmesh_cdk.message_rules.rules import CallIds as CallIds
    from modelmesh_cdk.message_rules.rules import ContentWithCalls as ContentWithCalls
    from modelmesh_cdk.message_rules.rules import LastAssistant as LastAssistant
    from modelmesh_cdk.message_rules.rules import MessageRules as MessageRules
    from modelmesh_cdk.message_rules.rules import Source as Source
    from modelmesh_cdk.message_rules.rules import SystemPlace as SystemPlace
    from modelmesh_cdk.message_rules.templates import SELF_HOSTED as SELF_HOSTED
    from modelmesh_cdk.message_rules.templates import TEMPLATED as TEMPLATED
    from modelmesh_cdk.message_rules.violations import find_violations as find_violations

_HOMES = {
    "AdaptedRequest": "modelmesh_cdk.message_rules.adaptation",
    "Arguments": "modelmesh_cdk.message_rules.rules",
    "Blank": "modelmesh_cdk.message_rules.rules",
    "CallIds": "modelmesh_cdk.message_rules.rules",
    "ContentWithCalls": "modelmesh_cdk.message_rules.rules",
    "LastAssistant": "modelmesh_cdk.message_rules.rules",
    "MessageRules": "modelmesh_cdk.message_rules.rules",
    "SELF_HOSTED": "modelmesh_cdk.message_rules.templates",
    "Source": "modelmesh_cdk.message_rules.rules",
    "SystemPlace": "modelmesh_cdk.message_rules.rules",
    "TEMPLATED": "modelmesh_cdk.message_rules.templates",
    "adapt": "modelmesh_cdk.message_rules.adaptation",
    "find_violations": "modelmesh_cdk.message_rules.violations",
    "is_neutral": "modelmesh_cdk.message_rules.parameters",
}

__all__ = [*_HOMES]

__getattr__ = lazy_names(globals(), _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
