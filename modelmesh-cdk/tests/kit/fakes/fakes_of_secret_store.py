"""Faulty secret stores, each with one fault, and the standard test that detects it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from modelmesh_cdk import BaseSecretStore
from modelmesh_cdk.testing import SecretStoreConformance


class Honest(BaseSecretStore):
    id = "acme.honest.v1"

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.held = dict(self.config.options["held"])

    def _resolve(self, name: str) -> str | None:
        return self.held.get(name)

    def set(self, name: str, value: str) -> None:
        self.held[name] = value
        self.clear_cache()

    def list(self) -> Any:
        return sorted(self.held)

    def delete(self, name: str) -> None:
        del self.held[name]
        self.clear_cache()


class CutsAtTheHash(Honest):
    def _resolve(self, name):
        value = super()._resolve(name)
        return value and value.partition(" #")[0]


class GivesOnce(Honest):
    given: frozenset = frozenset()

    def get(self, name):
        value = super().get(name)
        if name in self.given:
            return ""
        self.given |= {name}
        return value


class GivesBytes(Honest):
    def get(self, name):
        return super().get(name).encode()


class MissesQuietly(Honest):
    def get(self, name):
        return super().get(name) if name in self.held else ""


class ShowsValues(Honest):
    def __repr__(self) -> str:
        return f"ShowsValues({self.held})"


class TellsWhatItHas(Honest):
    def get(self, name):
        if name not in self.held:
            message = f"{name} is none of {self.held}"
            raise KeyError(message)
        return super().get(name)


class KeepsTheNameOnItself(Honest):
    def get(self, name):
        self.name = name
        time.sleep(0.0005)
        return super().get(self.name)


class RemembersTheOldOne(Honest):
    def set(self, name, value):
        self.held[name] = value


class ListsValues(Honest):
    def list(self):
        return [*self.held, *self.held.values()]


class DeletesQuietly(Honest):
    def delete(self, name):
        self.held.pop(name, None)
        self.clear_cache()


class HasNoVersion(Honest):
    id = "acme.honest"


class HasAnotherId(Honest):
    id = "acme.another.v1"


class ImportsAPrivateName(Honest):
    __module__ = "imports_a_private_name"


FAKES: list[tuple[type, str]] = [
    (CutsAtTheHash, "test_get_returns_the_value"),
    (GivesOnce, "test_get_repeated_returns_the_value"),
    (GivesBytes, "test_get_returns_text"),
    (MissesQuietly, "test_get_missing_name_raises_key_error"),
    (ShowsValues, "test_value_is_in_no_repr"),
    (TellsWhatItHas, "test_value_is_in_no_error"),
    (KeepsTheNameOnItself, "test_get_in_threads_returns_own_value"),
    (RemembersTheOldOne, "test_set_value_is_readable"),
    (ListsValues, "test_list_has_names_and_no_values"),
    (DeletesQuietly, "test_delete_makes_get_raise_key_error"),
    (HasNoVersion, "test_id_follows_the_grammar"),
    (HasAnotherId, "test_id_equals_entry_point_name"),
    (ImportsAPrivateName, "test_package_imports_only_public_names"),
]
KIT = SecretStoreConformance


class Holding(SecretStoreConformance):
    @pytest.fixture
    def store(self) -> Any:
        return self.make(held=self.secrets)


class TestHonest(Holding):
    store_class = Honest


for fake, _ in FAKES:
    name = f"Test{fake.__name__}"
    globals()[name] = type(name, (Holding,), {"store_class": fake, "__module__": __name__})
