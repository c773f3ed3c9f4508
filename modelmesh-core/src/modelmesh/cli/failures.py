"""Errors, warnings and notes on a terminal."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

import click

from modelmesh.cli.terminal import clean

if TYPE_CHECKING:
    from modelmesh._engine.foundation.attempts import Attempt
    from modelmesh.errors import ModelMeshError

_shown_by_python = warnings.showwarning


def show_error(error: ModelMeshError) -> None:
    """Write an error to stderr: its message, its notes, and attempts that the message does not contain."""
    first, *rest = clean(error.message).splitlines() or [type(error).__name__]
    show_line(first)
    for line in [*rest, *_notes(error), *_hints(error), *_attempts(error)]:
        click.echo(line, err=True)


def show_line(text: str) -> None:
    """Write the first line of an error to stderr."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {clean(text)}", err=True)


def show_note(text: str) -> None:
    """Write a note to stderr."""
    click.echo(f"{click.style('note:', fg='yellow')} {clean(text)}", err=True)


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Replacement for ``warnings.showwarning`` that shows warnings about a configuration as notes, without a source line."""
    from modelmesh._engine.config.mesh_config import NotEnforcedWarning  # noqa: PLC0415 - only when needed
    from modelmesh._engine.plugins.validation import MisspeltHookWarning  # noqa: PLC0415

    if issubclass(category, (NotEnforcedWarning, MisspeltHookWarning)):
        show_note(str(message))
    else:
        _shown_by_python(message, category, filename, lineno, file, line)


def _notes(error: BaseException) -> list[str]:
    return [line for note in getattr(error, "__notes__", ()) for line in clean(note).splitlines()]


def _hints(error: ModelMeshError) -> list[str]:
    from modelmesh.errors import CapabilityNotFoundError  # noqa: PLC0415 - only when needed

    if isinstance(error, CapabilityNotFoundError):
        return ["On the command line: --capability NAME. 'modelmesh capabilities' lists the names."]
    return []


def _attempts(error: Any) -> list[str]:
    from modelmesh.errors import AllProvidersExhaustedError  # noqa: PLC0415 - only when needed

    attempts: Sequence[Attempt] = getattr(error, "attempts", None) or ()
    if isinstance(error, AllProvidersExhaustedError) or (len(attempts) == 1 and attempts[0].provider_id in error.message):
        return []  # the message has a line for each account
    return ["Tried:", *(f"  {clean(str(attempt))}" for attempt in attempts)] if attempts else []
