"""Faulty providers, each with one fault, and the standard test that detects it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # a file that is loaded by its path finds its neighbours

from provider_fakes import (
    answers,
    conversations,
    dialects,
    embeddings,
    failures,
    identity,
    listing,
    operations,
    requests,
    secrecy,
    streams,
    tool_calls,
)
from provider_fakes.honest import Honest

from modelmesh_cdk.testing import ProviderConformance

KIT = ProviderConformance
FAKES: list[tuple[type, str]] = [
    *requests.FAKES,
    *conversations.FAKES,
    *dialects.FAKES,
    *secrecy.FAKES,
    *answers.FAKES,
    *streams.FAKES,
    *tool_calls.FAKES,
    *embeddings.FAKES,
    *operations.FAKES,
    *failures.FAKES,
    *listing.FAKES,
    *identity.FAKES,
]


class TestHonest(ProviderConformance):
    provider_class = Honest
    supports_embeddings = True
    operations = operations.SERVED


for fake, _ in FAKES:
    name = f"Test{fake.__name__}"
    fields = {"provider_class": fake, "supports_embeddings": True, "__module__": __name__, **getattr(fake, "kit", {})}
    globals()[name] = type(name, (KIT,), fields)
