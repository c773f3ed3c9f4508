"""Secrets from a ``.env`` file: how it is read, what goes first, and what is never shown."""

from __future__ import annotations

import os
import traceback
import warnings
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelmesh_secret_store_dotenv import DotenvStore

import modelmesh
from modelmesh._engine.plugins.in_process import CONNECTOR_REGISTRY
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ConfigurationError, SecretNotFoundError

CANARY = "sk-test-canary-value"


class Provider:
    """Takes its configuration, so that a test sees which secret reached it."""

    id = "test.dotenv.v1"
    settings: dict[str, Any]

    def __init__(self, config: dict[str, Any]) -> None:
        type(self).settings = config

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("m", capabilities=("chat-completion",))]

    def send(self, call: Any, model: str, limits: Any) -> Any:
        raise NotImplementedError

    async def asend(self, call: Any, model: str, limits: Any) -> Any:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def _registered() -> Any:
    CONNECTOR_REGISTRY[Provider.id] = Provider
    yield
    del CONNECTOR_REGISTRY[Provider.id]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / ".env"
    path.touch(mode=0o600)
    return path


def store(path: Path, text: str | bytes | None = None, **options: Any) -> DotenvStore:
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return DotenvStore({"path": str(path), **options})


def create(path: Path, reference: str = "${secrets:the-key}", **secrets: Any) -> str:
    config = {
        "secrets": {"store": "modelmesh.dotenv.v1", "path": str(path), **secrets},
        "providers": {Provider.id: {"api_key": reference}},
        "pools": {"chat-completion": {}},
    }
    with modelmesh.create(config=config):
        return Provider.settings["api_key"].reveal()  # type: ignore[no-any-return]


def test_the_id_is_the_entry_points_name() -> None:
    [point] = [p for p in entry_points(group="modelmesh.secret_stores") if p.value.startswith("modelmesh_secret_store_dotenv:")]
    assert point.load() is DotenvStore
    assert (point.name, DotenvStore.id) == ("modelmesh.dotenv.v1", "modelmesh.dotenv.v1")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=plain", "plain"),
        ("NAME = spaced ", "spaced"),
        ("export NAME=exported", "exported"),
        ("NAME='single # quoted'", "single # quoted"),
        ('NAME="double # quoted"', "double # quoted"),
        ('NAME="line\\nfeed"', "line\nfeed"),
        ('NAME="over\ntwo lines"', "over\ntwo lines"),
        ("NAME=value # a comment", "value"),
        ("NAME=va#lue", "va#lue"),
        ("NAME=a=b==", "a=b=="),
        ("NAME=with$dollar${BRACES}", "with$dollar${BRACES}"),
        ("# NAME=commented\n\n  NAME=after", "after"),
        ("NAME=first\nNAME=last", "last"),
        ("\ufeffNAME=marked", "marked"),
        ("NAME=über-ключ-鍵", "über-ключ-鍵"),
        ("OTHER=1\r\nNAME=crlf\r\n", "crlf"),
        ("this line is none\nNAME=still", "still"),
    ],
)
def test_how_a_line_is_read(file: Path, line: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NAME", raising=False)
    assert store(file, line).get("NAME") == value


@pytest.mark.parametrize("line", ["NAME=", "NAME", "OTHER=1", "", "#NAME=x"])
def test_an_empty_value_is_none(file: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NAME", raising=False)
    with pytest.raises(KeyError, match="Secret not found: NAME"):
        store(file, line).get("NAME")
    assert store(file, line, fail_on_missing=False).get("NAME") == ""


@given(value=st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="'\\"), min_size=1, max_size=40))
def test_what_stands_in_single_quotes_is_the_value(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    path = tmp_path_factory.mktemp("dotenv") / ".env"
    path.touch(mode=0o600)
    assert store(path, f"MODELMESH_TEST_ANY='{value}'\n").get("MODELMESH_TEST_ANY") == value


def test_a_reference_in_the_configuration_is_answered(file: Path) -> None:
    file.write_text(f"THE_KEY={CANARY}\n", encoding="utf-8")
    assert create(file) == CANARY
    assert create(file, "${secrets:THE_KEY}") == CANARY
    assert create(file, "Bearer ${secrets:the.key}") == f"Bearer {CANARY}"


def test_the_exact_name_goes_before_the_shouted_one(file: Path) -> None:
    assert store(file, "the-key=exact\nTHE_KEY=shouted\n").get("the-key") == "exact"


def test_the_environment_goes_first_unless_the_file_overrides_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", "of-the-environment")
    text = "THE_KEY=of-the-file\nthe-key=of-the-file\n"
    assert store(file, text).get("the-key") == "of-the-environment"
    assert store(file, override=True).get("the-key") == "of-the-file"
    assert store(file, override_env=True).get("THE_KEY") == "of-the-file"
    assert create(file, override=True) == "of-the-file"
    monkeypatch.setenv("THE_KEY", "")
    assert store(file).get("the-key") == "of-the-file"


def test_the_environment_itself_is_not_changed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THE_KEY", raising=False)
    before = dict(os.environ)
    store(file, "THE_KEY=x\n", override=True).get("THE_KEY")
    assert dict(os.environ) == before


def test_the_file_is_read_when_a_secret_is_asked_for(file: Path) -> None:
    here = store(file, "A=1\n", cache_enabled=False)
    assert here.get("A") == "1"
    file.write_text("A=2\n", encoding="utf-8")
    assert here.get("A") == "2"


def test_what_was_read_is_kept_until_the_cache_is_cleared(file: Path) -> None:
    here = store(file, "A=1\n", cache_ttl="1h")
    assert here.get("A") == "1"
    file.write_text("A=2\n", encoding="utf-8")
    assert here.get("A") == "1"
    here.clear_cache()
    assert here.get("A") == "2"


def test_the_default_is_the_working_directory(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("THE_KEY=here\n", encoding="utf-8")
    monkeypatch.chdir(file.parent)
    assert DotenvStore().get("THE_KEY") == "here"


def test_the_path_may_hold_a_reference_and_a_tilde(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("THE_KEY=here\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(file.parent))
    monkeypatch.setenv("WHERE", str(file.parent))
    assert store(Path("~/.env")).get("THE_KEY") == "here"
    assert create(Path("${env:WHERE}/.env")) == "here"
    assert DotenvStore({"file_path": str(file)}).get("THE_KEY") == "here"


def test_a_missing_secret_names_everything_that_was_tried(file: Path) -> None:
    with pytest.raises(SecretNotFoundError) as caught:
        create(file)
    said = str(caught.value)
    assert f"modelmesh.dotenv.v1 was asked for the-key, THE_KEY, the file {file}." in said
    assert "api_key" in said
    assert "export THE_KEY=" in said
    assert isinstance(caught.value, KeyError)


def test_a_missing_file_is_empty_and_the_error_says_that_it_is_not_there(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SecretNotFoundError, match=r"no-such\.env \(which is not there\)"):
            create(tmp_path / "no-such.env")


def test_with_override_the_file_is_named_first(file: Path) -> None:
    assert store(file, override=True).tried("a-b") == [f"the file {file}", "a-b", "A_B"]


def test_bytes_that_are_not_utf_8_are_an_error_without_the_bytes(file: Path) -> None:
    file.write_bytes(f"THE_KEY={CANARY}\xff\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"is not UTF-8.*grep -naxv") as caught:
        create(file)
    error: BaseException | None = caught.value
    while error is not None:
        assert CANARY not in f"{error!r} {vars(error)}"
        assert CANARY.encode() not in getattr(error, "object", b"")
        error = error.__cause__ or error.__context__


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a file that its owner may not read")
def test_a_file_that_may_not_be_read_is_an_error(file: Path) -> None:
    file.chmod(0)
    with pytest.raises(ConfigurationError, match=r"cannot be read: PermissionError.*ls -l"):
        create(file)


def test_a_path_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be read: OSError.*ls -l"):
        create(tmp_path / ("x" * 300))


@pytest.mark.skipif(os.name != "posix", reason="modes")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_file_that_others_may_read_is_warned_of(file: Path, mode: int) -> None:
    file.write_text(f"THE_KEY={CANARY}\n", encoding="utf-8")
    file.chmod(mode)
    with pytest.warns(UserWarning, match=r"can be read by others than its owner; close it: chmod 600") as said:
        assert create(file) == CANARY
    assert CANARY not in " ".join(str(one.message) for one in said)


def test_a_file_that_is_closed_is_not_warned_of(file: Path) -> None:
    file.write_text("THE_KEY=x\n", encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert create(file) == "x"


@pytest.mark.parametrize("value", ["false", 0, None])
def test_override_is_yes_or_no(file: Path, value: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be true or false"):
        store(file, override=value)


def test_values_are_in_no_repr_and_in_no_traceback(file: Path) -> None:
    here = store(file, f"THE_KEY={CANARY}\nBROKEN LINE {CANARY}\n")
    assert here.get("THE_KEY") == CANARY
    assert CANARY not in f"{here!r} {here.config!r} {here.tried('THE_KEY')}"
    with pytest.raises(SecretNotFoundError) as caught:
        create(file, "${secrets:nobody}")
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert CANARY not in shown


def test_a_line_that_cannot_be_read_is_logged_without_its_text(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    store(file, f"BROKEN LINE {CANARY}\nA=1\n").get("A")
    assert "line 1" in caplog.text
    assert CANARY not in caplog.text
