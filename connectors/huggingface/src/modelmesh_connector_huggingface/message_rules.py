"""Hugging Face's rules for conversations.

The router passes a request on to one of many providers, most of which render it with the model's chat template.
"""

from __future__ import annotations

from attrs import evolve

from modelmesh_cdk.message_rules import TEMPLATED

RULES = evolve(TEMPLATED, vendor="Hugging Face")
