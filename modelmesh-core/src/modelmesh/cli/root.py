"""``modelmesh``: the group of commands, and the handling of their errors."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import modelmesh
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh.cli.failures import show_error, show_line, show_warning
from modelmesh.errors import ModelMeshError

BUILT_IN = ("chat", "demo", "describe", "explain", "pools", "usage", "rotate", "connectors", "capabilities", "check", "local")
"""Built-in commands. Each is the attribute ``command`` of the module of that name in this package, imported on use."""

PACKAGE_COMMANDS = {"new": "modelmesh-cdk", "serve": "modelmesh-proxy", "tokens": "modelmesh-proxy"}
"""Commands of other packages of ModelMesh, by the package to install."""

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT."""


class Commands(click.Group):
    """Group of built-in and plugin commands. A command is imported on use, all commands are imported for ``--help``."""

    _added: dict[str, click.Command] | None = None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, built-in ones first."""
        _ = ctx
        return [*BUILT_IN, *sorted(self._plugins())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command. Plugins are loaded only for a name that is not built in."""
        _ = ctx
        if cmd_name in BUILT_IN:
            found: click.Command = importlib.import_module(f"modelmesh.cli.{cmd_name}").command
            return found
        return self._plugins().get(cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command. If a known package would add it, the error contains the command that installs the package."""
        if args and args[0] in PACKAGE_COMMANDS and self.get_command(ctx, args[0]) is None:
            package = PACKAGE_COMMANDS[args[0]]
            ctx.fail(f"'modelmesh {args[0]}' is in {package}, which is not installed: pip install {package}")
        if args and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"there is no command {args[0]!r}.{did_you_mean(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def _plugins(self) -> dict[str, click.Command]:
        if self._added is None:
            from modelmesh.cli.plugins import plugin_commands  # noqa: PLC0415 - reads metadata; not for our own commands

            self._added = plugin_commands(taken=BUILT_IN)
        return self._added

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. A ``ModelMeshError`` becomes a message and an exit code."""
        with warnings.catch_warnings():
            warnings.showwarning = show_warning
            try:
                result = super().invoke(ctx)
                sys.stdout.flush()  # here, where a closed pipe can be handled
            except ModelMeshError as error:
                if ctx.params.get("debug"):
                    click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
                else:
                    show_error(error)
                ctx.exit(1)
            except KeyboardInterrupt:
                click.echo(err=True)
                ctx.exit(INTERRUPTED)
            except BrokenPipeError:
                discard_output()
                ctx.exit(1)
            return result

    def main(self, *arguments: Any, standalone_mode: bool = True, **options: Any) -> Any:
        """Run the command line. Usage errors are shown like all other errors."""
        start: Any = super().main
        if not standalone_mode:
            return start(*arguments, standalone_mode=False, **options)
        try:
            code = start(*arguments, standalone_mode=False, **options)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(error.exit_code)
        except click.UsageError as error:
            if error.ctx is not None:
                click.echo(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n", err=True)
            show_line(error.format_message())
            sys.exit(error.exit_code)
        except click.ClickException as error:
            show_line(error.format_message())
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            click.echo(err=True)
            sys.exit(INTERRUPTED)
        sys.exit(code if isinstance(code, int) else 0)


def discard_output() -> None:
    """Discard the buffered output, which the interpreter would otherwise fail to flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


EPILOG = """\b
Examples:
  modelmesh demo
  modelmesh chat "What is the capital of France?"
  modelmesh check modelmesh.yaml
"""


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(modelmesh.__version__, "-V", "--version", prog_name="modelmesh", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error instead of its message alone.")
def root(*, debug: bool) -> None:
    """Send requests for a capability to the best available AI model.

    Providers are detected by their API keys in the environment (OPENAI_API_KEY, GROQ_API_KEY …), or read from the file
    of --config. Commands exit with 0 on success, 1 on an error, 2 on invalid usage and 130 after Ctrl-C.
    """
    _ = debug  # read from the context when an error is handled


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process.

    Raises:
        SystemExit: Always.
    """
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    if sys.stdout is None:
        click.echo("error: standard output is closed. Open it, e.g. > output.txt", err=True)
        sys.exit(1)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")  # a character that the terminal cannot show must not end the program
    try:
        root.main(args=None if arguments is None else list(arguments), prog_name="modelmesh")
    except OSError as error:
        if error.filename is not None:
            raise
        discard_output()
        show_line(f"standard output cannot be written: {error.strerror or error}. Free disk space, or redirect the output.")
        sys.exit(1)
