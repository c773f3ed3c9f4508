"""LocalAI's message rules. Unknown keys and part types are sent unchanged."""

from __future__ import annotations

from attrs import evolve

from modelmesh_cdk.message_rules import SELF_HOSTED

RULES = evolve(SELF_HOSTED, vendor="LocalAI")
