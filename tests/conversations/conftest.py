"""Scripted vendors, one of each format, which enforce the rules of the real vendors."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode leaves it out

from scripted import Vendor
from scripted_anthropic import Anthropic
from scripted_cohere import Cohere
from scripted_dialect import DIALECTS
from scripted_gemini import Gemini
from scripted_mistral import Mistral
from scripted_openai import OpenAI

KINDS: dict[str, type[Vendor]] = {kind.name: kind for kind in (OpenAI, Anthropic, Gemini, Cohere, Mistral, *DIALECTS)}


@pytest.fixture
def vendor() -> Iterator[Callable[[str], Any]]:
    """Start a vendor by name."""
    with ExitStack() as running:
        yield lambda name: running.enter_context(KINDS[name]())
