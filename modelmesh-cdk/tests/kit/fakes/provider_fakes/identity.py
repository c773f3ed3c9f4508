"""Providers with faulty IDs, hooks or catalogues."""

from __future__ import annotations

from provider_fakes.honest import ROW, Honest


class HasNoVersion(Honest):
    id = "acme.honest"


class HasAnotherId(Honest):
    id = "acme.another.v1"


class ImportsAPrivateName(Honest):
    __module__ = "imports_a_private_name"


class MisspellsAHook(Honest):
    def _pars_response(self, data):
        return data


class OverridesAPrivateName(Honest):
    def _configured_models(self):
        return super()._configured_models()


class IsUndated(Honest):
    facts = {"source": "the price list of Acme", "as_of": "lately"}


class HasTwins(Honest):
    rows = [ROW, ROW]


class InventsACapability(Honest):
    rows = [{**ROW, "capabilities": ["mind-reading"]}]


class ClosesOnce(Honest):
    closed = False

    def close(self) -> None:
        if self.closed:
            message = "closed already"
            raise RuntimeError(message)
        self.closed = True
        super().close()


FAKES: list[tuple[type, str]] = [
    (HasNoVersion, "test_id_follows_the_grammar"),
    (HasAnotherId, "test_id_equals_entry_point_name"),
    (ImportsAPrivateName, "test_package_imports_only_public_names"),
    (MisspellsAHook, "test_hooks_are_not_misspelt"),
    (OverridesAPrivateName, "test_only_hooks_are_overridden"),
    (IsUndated, "test_models_have_source_and_date"),
    (HasTwins, "test_models_have_unique_ids"),
    (InventsACapability, "test_models_have_known_capabilities"),
    (ClosesOnce, "test_close_may_be_repeated"),
]
