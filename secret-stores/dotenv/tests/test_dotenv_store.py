"""Secrets from a ``.env`` file: parsing, precedence, and secrecy."""

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
    """Provider that records its configuration, so that a test sees the secret."""

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


def test_id_is_the_name_of_the_entry_point() -> None:
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
def test_get_parses_lines(file: Path, line: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NAME", raising=False)
    assert store(file, line).get("NAME") == value


@pytest.mark.parametrize("line", ["NAME=", "NAME", "OTHER=1", "", "#NAME=x"])
def test_empty_value_counts_as_missing(file: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NAME", raising=False)
    with pytest.raises(KeyError, match="Secret not found: NAME"):
        store(file, line).get("NAME")
    assert store(file, line, fail_on_missing=False).get("NAME") == ""


@given(value=st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="'\\"), min_size=1, max_size=40))
def test_single_quoted_text_is_the_value(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    path = tmp_path_factory.mktemp("dotenv") / ".env"
    path.touch(mode=0o600)
    assert store(path, f"MODELMESH_TEST_ANY='{value}'\n").get("MODELMESH_TEST_ANY") == value


def test_configuration_reference_is_resolved(file: Path) -> None:
    file.write_text(f"THE_KEY={CANARY}\n", encoding="utf-8")
    assert create(file) == CANARY
    assert create(file, "${secrets:THE_KEY}") == CANARY
    assert create(file, "Bearer ${secrets:the.key}") == f"Bearer {CANARY}"


def test_exact_name_takes_precedence_over_upper_case(file: Path) -> None:
    assert store(file, "the-key=exact\nTHE_KEY=upper\n").get("the-key") == "exact"


def test_environment_takes_precedence_without_override(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", "of-the-environment")
    text = "THE_KEY=of-the-file\nthe-key=of-the-file\n"
    assert store(file, text).get("the-key") == "of-the-environment"
    assert store(file, override=True).get("the-key") == "of-the-file"
    assert store(file, override_env=True).get("THE_KEY") == "of-the-file"
    assert create(file, override=True) == "of-the-file"
    monkeypatch.setenv("THE_KEY", "")
    assert store(file).get("the-key") == "of-the-file"


def test_get_does_not_change_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THE_KEY", raising=False)
    before = dict(os.environ)
    store(file, "THE_KEY=x\n", override=True).get("THE_KEY")
    assert dict(os.environ) == before


def test_get_reads_the_file_each_time_without_cache(file: Path) -> None:
    here = store(file, "A=1\n", cache_enabled=False)
    assert here.get("A") == "1"
    file.write_text("A=2\n", encoding="utf-8")
    assert here.get("A") == "2"


def test_cached_value_lasts_until_clear_cache(file: Path) -> None:
    here = store(file, "A=1\n", cache_ttl="1h")
    assert here.get("A") == "1"
    file.write_text("A=2\n", encoding="utf-8")
    assert here.get("A") == "1"
    here.clear_cache()
    assert here.get("A") == "2"


def test_default_path_is_in_the_working_directory(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("THE_KEY=here\n", encoding="utf-8")
    monkeypatch.chdir(file.parent)
    assert DotenvStore().get("THE_KEY") == "here"


def test_path_accepts_reference_and_home_folder(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("THE_KEY=here\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(file.parent))
    monkeypatch.setenv("WHERE", str(file.parent))
    assert store(Path("~/.env")).get("THE_KEY") == "here"
    assert create(Path("${env:WHERE}/.env")) == "here"
    assert DotenvStore({"file_path": str(file)}).get("THE_KEY") == "here"


def test_error_of_a_missing_secret_names_all_sources(file: Path) -> None:
    with pytest.raises(SecretNotFoundError) as caught:
        create(file)
    said = str(caught.value)
    assert f"in modelmesh.dotenv.v1 (searched for: the-key, THE_KEY, the file {file})." in said
    assert "api_key" in said
    assert "export THE_KEY=" in said
    assert isinstance(caught.value, KeyError)


def test_error_names_a_missing_file(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SecretNotFoundError, match=r"no-such\.env \(which does not exist\)"):
            create(tmp_path / "no-such.env")


def test_tried_names_the_file_first_with_override(file: Path) -> None:
    assert store(file, override=True).tried("a-b") == [f"the file {file}", "a-b", "A_B"]


def test_error_of_invalid_utf8_does_not_contain_bytes(file: Path) -> None:
    file.write_bytes(f"THE_KEY={CANARY}\xff\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"is not UTF-8.*grep -naxv") as caught:
        create(file)
    error: BaseException | None = caught.value
    while error is not None:
        assert CANARY not in f"{error!r} {vars(error)}"
        assert CANARY.encode() not in getattr(error, "object", b"")
        error = error.__cause__ or error.__context__


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a file that its owner may not read")
def test_unreadable_file_is_an_error(file: Path) -> None:
    file.chmod(0)
    with pytest.raises(ConfigurationError, match=r"cannot be read: PermissionError.*ls -l"):
        create(file)


def test_invalid_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be read: OSError.*ls -l"):
        create(tmp_path / ("x" * 300))


@pytest.mark.skipif(os.name != "posix", reason="modes")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_file_readable_by_others_causes_a_warning(file: Path, mode: int) -> None:
    file.write_text(f"THE_KEY={CANARY}\n", encoding="utf-8")
    file.chmod(mode)
    with pytest.warns(UserWarning, match=r"can be read by users other than its owner. Restrict it: chmod 600") as caught:
        assert create(file) == CANARY
    assert CANARY not in " ".join(str(one.message) for one in caught)


def test_private_file_causes_no_warning(file: Path) -> None:
    file.write_text("THE_KEY=x\n", encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert create(file) == "x"


@pytest.mark.parametrize("value", ["false", 0, None])
def test_override_must_be_a_boolean(file: Path, value: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be true or false"):
        store(file, override=value)


def test_values_appear_in_no_repr_and_no_traceback(file: Path) -> None:
    here = store(file, f"THE_KEY={CANARY}\nBROKEN LINE {CANARY}\n")
    assert here.get("THE_KEY") == CANARY
    assert CANARY not in f"{here!r} {here.config!r} {here.tried('THE_KEY')}"
    with pytest.raises(SecretNotFoundError) as caught:
        create(file, "${secrets:missing}")
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert CANARY not in shown


def test_invalid_line_is_logged_without_its_text(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    store(file, f"BROKEN LINE {CANARY}\nA=1\n").get("A")
    assert "line 1" in caplog.text
    assert CANARY not in caplog.text
