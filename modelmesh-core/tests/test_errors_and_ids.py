"""Error tree, pickled errors, the grammar of connector IDs, and secrets."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh import errors, exceptions
from modelmesh._engine.foundation.attempts import Attempt, AttemptOutcome
from modelmesh._engine.foundation.ids import without_kind_prefix
from modelmesh.contracts import Billed, ConnectorId, FailureClass, Kind, Secret
from modelmesh.errors import ModelMeshError, combined_error_class

TREE = {
    "ConfigurationError": ("ModelMeshError", ValueError),
    "NoProvidersError": ("ConfigurationError", RuntimeError),
    "SecretNotFoundError": ("ConfigurationError", KeyError),
    "ConnectorError": ("ModelMeshError",),
    "UnknownConnectorError": ("ConnectorError", errors.ConfigurationError),
    "DuplicateConnectorError": ("ConnectorError",),
    "ConnectorLoadError": ("ConnectorError",),
    "RoutingError": ("ModelMeshError",),
    "NoActiveModelError": ("RoutingError",),
    "SessionModelUnavailableError": ("RoutingError",),
    "CapabilityNotFoundError": ("RoutingError", KeyError),
    "ModelNotAllowedError": ("RoutingError",),
    "AllProvidersExhaustedError": ("RoutingError",),
    "ProviderError": ("ModelMeshError",),
    "AuthenticationError": ("ProviderError",),
    "RateLimitError": ("ProviderError",),
    "QuotaExceededError": ("RateLimitError",),
    "ProviderTimeoutError": ("ProviderError",),
    "ProviderConnectionError": ("ProviderError",),
    "BadRequestError": ("ProviderError",),
    "ModelNotFoundError": ("ProviderError",),
    "ProviderServerError": ("ProviderError",),
    "BadUpstreamResponseError": ("ProviderError",),
    "ResponseTooLargeError": ("BadUpstreamResponseError",),
    "StreamInterruptedError": ("ProviderError",),
    "ProviderInitError": ("ProviderError",),
    "StorageError": ("ModelMeshError",),
    "StoreUnavailableError": ("StorageError",),
    "StorageConflictError": ("StorageError",),
    "StorageLockError": ("StorageError", TimeoutError),
    "BrokenConnectorError": ("ProviderError", errors.ConnectorError),
    "BudgetExceededError": ("ModelMeshError",),
    "CallerRateLimitError": ("ModelMeshError",),
}
CLASSES = [getattr(errors, name) for name in TREE]
RETRYABLE = {
    "NoActiveModelError", "SessionModelUnavailableError", "RateLimitError", "ProviderTimeoutError", "ProviderConnectionError",
    "ProviderServerError",
    "BadUpstreamResponseError", "StreamInterruptedError", "StorageConflictError", "StorageLockError",
    "CallerRateLimitError",
    "StoreUnavailableError",
}  # fmt: skip


@pytest.mark.parametrize("name", TREE)
def test_error_tree_bases(name: str) -> None:
    cls = getattr(errors, name)
    parent, *kinds = TREE[name]
    assert issubclass(cls, getattr(errors, parent))
    assert all(issubclass(cls, kind) for kind in kinds)
    assert getattr(exceptions, name) is cls
    assert cls("x").retryable is (name in RETRYABLE)
    assert name in (errors.__doc__ or "")


def test_error_tree_is_complete() -> None:
    found = {cls.__name__ for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, ModelMeshError)}
    assert {name for name in found if not name.startswith("NoAvailable")} == {*TREE, "ModelMeshError"}
    assert exceptions.NoAvailableModelError is errors.NoActiveModelError


@pytest.mark.parametrize("cls", CLASSES)
def test_error_has_message_and_facts(cls: type[ModelMeshError]) -> None:
    error = cls("what, where, why; do this", details={"a": 1}, provider_id="p", retry_after=5.0)
    assert str(error) == error.message == "what, where, why; do this"
    assert (error.details, error.provider_id, error.retry_after) == ({"a": 1}, "p", 5.0)
    assert cls("x").details == {}


@pytest.mark.parametrize(
    "cls",
    [
        *CLASSES,
        combined_error_class(errors.AllProvidersExhaustedError, errors.RateLimitError),
        combined_error_class(errors.CapabilityNotFoundError, errors.ConfigurationError),
    ],
)
def test_error_pickle_round_trip(cls: Any) -> None:
    last = errors.RateLimitError("slow", failure=FailureClass.THROTTLE, status=429)
    error = cls("x", details={"a": [1]}, attempts=(Attempt(1, "p", "m", failure="throttle"),), last_error=last, status=429)
    error.add_note("a note")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is cls
        assert (again.message, again.details, again.status, again.__notes__) == ("x", {"a": [1]}, 429, ["a note"])
        assert again.attempts[0].model_id == "m"
        assert (type(again.last_error), again.last_error.failure) == (errors.RateLimitError, FailureClass.THROTTLE)


def test_also_combines_two_types() -> None:
    both = combined_error_class(errors.AllProvidersExhaustedError, errors.RateLimitError)
    assert both is combined_error_class(errors.AllProvidersExhaustedError, errors.RateLimitError)
    assert issubclass(both, errors.AllProvidersExhaustedError)
    assert issubclass(both, errors.RateLimitError)
    assert both.__name__ == "AllProvidersExhaustedError"
    assert both("x").retryable is True
    assert combined_error_class(errors.QuotaExceededError, errors.RateLimitError) is errors.QuotaExceededError


def test_also_of_three_types_pickle_round_trip() -> None:
    three = combined_error_class(
        combined_error_class(errors.AllProvidersExhaustedError, errors.RateLimitError), errors.BudgetExceededError
    )
    again = pickle.loads(pickle.dumps(three("x", status=1)))
    assert type(again) is three
    assert isinstance(again, errors.BudgetExceededError)
    assert again.status == 1


@pytest.mark.parametrize("cls", CLASSES)
def test_error_without_fact_has_no_attribute(cls: Any) -> None:
    assert not hasattr(cls("x"), "retry_after")  # so that getattr(error, "retry_after", 5) returns 5
    assert getattr(cls("x"), "status", None) is None


# -- IDs ---------------------------------------------------------------------------------------------------------------

SEGMENT = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)


@given(st.lists(SEGMENT, min_size=2, max_size=4), st.integers(0, 10**6))
def test_connector_id_parse_round_trip(segments: list[str], version: int) -> None:
    text = f"{'.'.join(segments)}.v{version}"
    parsed = ConnectorId.parse(text)
    assert str(parsed) == text
    assert (parsed.stem, parsed.version, parsed.publisher) == (".".join(segments), version, segments[0])
    assert ConnectorId.parse(text) == parsed
    for kind in Kind:
        if segments[0] != kind.prefix:
            assert without_kind_prefix(f"{kind.prefix}.{text}", kind) == without_kind_prefix(text, kind) == text


@given(st.text(max_size=20))
def test_connector_id_parse_of_any_text_never_crashes(text: str) -> None:
    try:
        parsed = ConnectorId.parse(text)
    except ValueError as error:
        assert "is not a connector ID" in str(error)
    else:
        assert str(parsed) == text or text.rpartition(".v")[2].startswith("0")


@pytest.mark.parametrize(
    "text",
    ["", "openai", "openai.v1", "openai.llm", "openai.llm.v", "openai.llm.1", "OpenAI.llm.v1", "openai..v1", ".llm.v1", "-a.b.v1", "a-.b.v1", "a_b.c.v1", "a.b.v1 ", "a.b.v1\n", "a.b.v-1", "a.b.v١", "a/b.c.v1"],
)  # fmt: skip
def test_connector_id_parse_rejects_invalid(text: str) -> None:
    with pytest.raises(ValueError, match="is not a connector ID"):
        ConnectorId.parse(text)


def test_connector_ids_sort_by_name_and_version_number() -> None:
    ids = [ConnectorId.parse(text) for text in ("b.a.v1", "a.b.v10", "a.b.v9", "a.b-c.v1")]
    assert [str(one) for one in sorted(ids)] == ["a.b.v9", "a.b.v10", "a.b-c.v1", "b.a.v1"]


@pytest.mark.parametrize(
    ("text", "name"), [("openai.llm.v1", "openai"), ("modelmesh.local.v1", "local"), ("modelmesh.a.b.v1", "a.b")]
)
def test_connector_id_provider_name(text: str, name: str) -> None:
    assert ConnectorId.parse(text).provider_name == name


def test_kind_labels_and_groups() -> None:
    assert {kind.group for kind in Kind} == {
        f"modelmesh.{name}" for name in ("providers", "strategies", "secret_stores", "observability", "storage", "discovery")
    }
    assert Kind.SECRET_STORE.label == "secret store"
    assert Kind.STRATEGY.prefix == "rotation"


# -- secrets -----------------------------------------------------------------------------------------------------------


def _shown(secret: Secret) -> list[str]:
    return [repr(secret), str(secret), f"{secret}", f"{secret:>9}", f"{secret!r}", repr([secret]), repr({"k": secret})]


@given(st.text(max_size=40))
def test_secret_is_shown_by_reveal_only(text: str) -> None:
    secret = Secret(text)
    assert secret.reveal() == text
    assert _shown(secret) == _shown(Secret("another"))  # the shown text does not depend on the secret
    assert secret == Secret(text)
    assert hash(secret) == hash(Secret(text))
    assert secret != Secret(text + "x")
    assert secret != text
    assert copy.copy(secret) is copy.deepcopy(secret) is secret
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(secret, protocol)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert not hasattr(secret, "__dict__")


def test_secret_scrub_redacts() -> None:
    assert Secret("sk-test").scrub("a sk-test b sk-test") == "a … b …"
    assert Secret("a").scrub("banana") == "banana"  # too short to be redacted


def test_secret_empty_is_false() -> None:
    assert not Secret("")
    assert Secret("x")


def test_secret_with_surrogates_can_be_compared() -> None:
    assert Secret("\udcff") == Secret("\udcff")
    assert Secret("\udcff") != Secret("x")


def test_attempt_repr_and_as_dict_show_plain_text() -> None:
    attempt = Attempt(1, "openai", "gpt", outcome=AttemptOutcome.FAILED, billed=Billed.NO)
    assert "outcome='failed'" in repr([attempt])
    assert "billed='no'" in repr([attempt])
    assert "Enum" not in repr(attempt)
    assert [type(attempt.as_dict()[name]) for name in ("outcome", "billed")] == [str, str]
