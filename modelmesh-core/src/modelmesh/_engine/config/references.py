"""Resolution of references: ``${secrets:NAME}``, ``${env:NAME}``, ``${NAME}``, anywhere in a string, a list or a map.

OmegaConf and string.Template are not used: they know no secret store, no :class:`Secret` and no position for errors.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from modelmesh._engine.config.problems import Problems, UncheckableError
from modelmesh._engine.config.secret_masking import MASKED
from modelmesh._engine.config.source_map import KeyPath, SourceMap
from modelmesh._engine.foundation.secret import Secret
from modelmesh._engine.plugins import attribution
from modelmesh.contracts.secret_store import SecretStore, variable_names
from modelmesh.errors import ConfigurationError, ConnectorError, ModelMeshError, SecretNotFoundError

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<body>[^{}]*)\}|(?P<open>\$\{)")


PLACEHOLDER = "unresolved"
"""Replaces a missing value while problems are collected. It is never sent."""

_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class ReferredText(str):
    """Text from a reference. A key of another type converts it to a number or a truth value."""

    __slots__ = ()


def literal(value: Any) -> Any:
    """Convert the text of a reference to a number or a truth value if it is one. Other values stay unchanged."""
    if not isinstance(value, ReferredText):
        return value
    if value in _WORDS:
        return _WORDS[value]
    for kind in (int, float):
        with suppress(ValueError):
            return kind(value)
    return str(value)


def literals(value: Any) -> Any:
    """Apply :func:`literal` to every value of a map or a list, for settings with types that only a connector knows."""
    if isinstance(value, Mapping):
        return {key: literals(item) for key, item in value.items()}
    return [literals(item) for item in value] if isinstance(value, list) else literal(value)


def has_reference(value: Any) -> bool:
    """Return whether a value is a string with a reference."""
    return isinstance(value, str) and "${" in value


class References:
    """Resolver of references, with one store. Errors state the position of the reference."""

    def __init__(
        self, store: SecretStore | None, source_map: SourceMap, problems: Problems | None = None, *, known: bool = True
    ) -> None:
        """Store the inputs.

        Args:
            store: Resolves ``${secrets:NAME}``. ``None`` within the ``secrets`` section, where no store exists yet.
            source_map: Positions for messages.
            problems: Collects references without a value. A placeholder replaces each, so that the rest can be checked.
            known: ``False`` if the store could not be built, so that its names are unknown.
        """
        self._store = store
        self._source_map = source_map
        self._problems = problems
        self._known = known
        self.unresolved = 0

    def where(self, path: KeyPath) -> str:
        """Return the position of a value, for messages."""
        return self._source_map.where(path)

    def resolve(self, value: Any, path: KeyPath = ()) -> Any:
        """Return a copy with every reference resolved. A string with a reference becomes a :class:`Secret`.

        A text that the configuration itself masked, because it looks like a key, becomes plain text again.

        Raises:
            SecretNotFoundError: The store has no such name.
            ConfigurationError: The reference is malformed (also ``ValueError``).
        """
        if isinstance(value, str):
            return self._text(value, path) if "${" in value else value
        if isinstance(value, Secret):
            return value.reveal() if value.source == MASKED else value
        if isinstance(value, Mapping):
            return {key: self.resolve(item, (*path, str(key))) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, (*path, place)) for place, item in enumerate(value)]
        return value

    def resolve_known(self, value: Any, path: KeyPath = ()) -> Any:
        """Return a copy as :meth:`resolve` does, with references that have no value unchanged.

        For keys that most processes with this configuration do not need.
        """
        if isinstance(value, Mapping):
            return {key: self.resolve_known(item, (*path, str(key))) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve_known(item, (*path, place)) for place, item in enumerate(value)]
        problems, self._problems = self._problems, None
        try:
            return self.resolve(value, path)
        except (SecretNotFoundError, UncheckableError):
            return value
        finally:
            self._problems = problems

    def plain(self, value: Any, path: KeyPath = ()) -> Any:
        """Return a copy with every reference replaced by its text, as :class:`ReferredText`, for values that are not secret."""
        if isinstance(value, Mapping):
            return {key: self.plain(item, (*path, str(key))) for key, item in value.items()}
        if isinstance(value, list):
            return [self.plain(item, (*path, place)) for place, item in enumerate(value)]
        found = self.resolve(value, path)
        return ReferredText(found.reveal()) if isinstance(found, Secret) else found

    def _text(self, text: str, path: KeyPath) -> Any:
        found: list[str] = []

        def replace(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            found.append("" if match["open"] else match["body"])
            try:
                if match["open"]:
                    raise self._malformed(text, path, "is not closed. Write ${secrets:NAME}")
                return self._look_up(match["body"], path)
            except ModelMeshError as error:
                if self._problems is None:
                    raise
                self._problems.add_error(error)
                self.unresolved += 1
                return PLACEHOLDER

        plain = _REFERENCE.sub(replace, text)
        return Secret(plain, source=self._source(found[0], path)) if found else plain

    def _source(self, body: str, path: KeyPath) -> str:
        """Return the variable or reference to correct if the value is rejected."""
        scheme, colon, name = body.partition(":")
        if not colon or scheme == "env":
            return name if colon else scheme
        tried: Callable[[str], list[str]] | None = getattr(self._store, "tried", None)
        if tried is not None:
            return next((one for one in tried(name) if os.environ.get(one)), name)
        return f"${{{body}}} ({self._source_map.where(path)})"

    def _look_up(self, body: str, path: KeyPath) -> str:
        scheme, colon, name = body.partition(":")
        if not colon:
            scheme, name = "env", scheme
        if not name.strip():
            raise self._malformed("${" + body + "}", path, "has no name. Write ${secrets:NAME}")
        if scheme == "env":
            value = os.environ.get(name)
            if not value:
                raise self._missing(body, path, "the environment", [name], f"export {name}=…")
            return value
        if scheme != "secrets":
            raise self._malformed("${" + body + "}", path, f"has the unknown scheme {scheme!r}. Use secrets: or env:")
        if not self._known:
            raise UncheckableError(body)
        if self._store is None:
            raise self._malformed("${" + body + "}", path, "is inside 'secrets', where no store exists yet. Use ${env:NAME}")
        return self._look_up_in_store(self._store, name, body, path)

    def _look_up_in_store(self, store: SecretStore, name: str, body: str, path: KeyPath) -> str:
        try:
            value: Any = store.get(name)
        except KeyError as error:
            if not _is_about(error, name):
                problem = f"raised KeyError({error.args[0]!r}), which does not name the secret"
                raise self._broken(body, path, problem, attribution.locate_exception(error, store)) from error.with_traceback(
                    None
                )
            tried: Callable[[str], list[str]] | None = getattr(store, "tried", None)
            if tried is None:
                raise self._missing(body, path, store.id, [name], "") from None
            names = tried(name)
            variable = next((one for one in reversed(names) if one.isidentifier()), variable_names(name)[-1])
            raise self._missing(body, path, store.id, names, f"export {variable}=…") from None
        except ModelMeshError:
            raise
        except Exception as error:  # noqa: BLE001 - a store may raise anything; the error names it
            problem = f"raised {type(error).__name__} (its text may contain a secret and is not shown)"
            raise self._broken(body, path, problem, attribution.locate_exception(error, store)) from error.with_traceback(None)
        if isinstance(value, Secret):
            return value.reveal()
        if isinstance(value, str):
            return value
        if inspect.iscoroutine(value):
            value.close()
        problem = f"returned {'None' if value is None else f'a value of type {type(value).__name__}'}"
        raise self._broken(body, path, problem, attribution.locate_method(store, "get"))

    def _broken(self, body: str, path: KeyPath, problem: str, place: str | None) -> ConnectorError:
        where, (connector_id, distribution) = self._source_map.where(path), attribution.identify(self._store)
        at = f" ({place})" if place else ""
        message = (
            f"{where}: cannot resolve ${{{body}}}: the {attribution.describe(self._store)} {problem}{at}. get(name) must return "
            "the value as a str, or raise KeyError(name) if there is none. Name another store under 'secrets', or use ${env:NAME}"
        )
        return ConnectorError(message, connector_id=connector_id, distribution=distribution)

    def _missing(self, body: str, path: KeyPath, store: str, tried: list[str], command: str) -> SecretNotFoundError:
        where = self._source_map.where(path)
        elsewhere = f"Add it to that store, write ${{env:{_variable(body)}}} and set that variable,"
        step = f"Set it, e.g. {command} -" if command else elsewhere
        message = (
            f"{where}: ${{{body}}} has no value in {store} (searched for: {', '.join(tried)}). {step} "
            "or name another store under 'secrets'."
        )
        return SecretNotFoundError(message, where=where)

    def _malformed(self, reference: str, path: KeyPath, why: str) -> ConfigurationError:
        where = self._source_map.where(path)
        shown = reference if len(reference) < 60 else reference[:20] + "…"  # noqa: PLR2004 - it may hold a key
        return ConfigurationError(f"{where}: the reference {shown!r} {why}.", where=where)


def _is_about(error: KeyError, name: str) -> bool:
    """Return whether a ``KeyError`` means a missing secret. Any other is a bug of the store."""
    text = str(error.args[0]) if error.args else ""
    return not text or " " in text or _variable(name) in _variable(text)


def _variable(name: str) -> str:
    return variable_names(name.partition(":")[2] or name)[-1]
