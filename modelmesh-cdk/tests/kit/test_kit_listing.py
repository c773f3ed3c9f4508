"""Selection of the tests of model lists."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh_cdk import BaseProvider, HttpApiProvider, OpenAICompatibleProvider
from modelmesh_cdk.testing import ProviderConformance


class Foreign:
    """Provider without the kit's base class."""

    id = "acme.foreign.v1"


class Mute(BaseProvider):
    list_path = ""


@pytest.mark.parametrize("cls", [Foreign, Mute, HttpApiProvider])
def test_listing_tests_without_list_are_skipped(cls: Any) -> None:
    suite = type("TestMine", (ProviderConformance,), {"provider_class": cls})()
    assert not suite.lists_models
    with pytest.raises(pytest.skip.Exception, match="lists_models is False"):
        suite.test_list_error_has_its_class(None, None)


def test_listing_tests_run_unless_disabled() -> None:
    assert type("TestMine", (ProviderConformance,), {"provider_class": OpenAICompatibleProvider})().lists_models
    said = {"provider_class": OpenAICompatibleProvider, "lists_models": False}
    assert not type("TestMine", (ProviderConformance,), said)().lists_models
