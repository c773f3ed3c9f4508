"""Options of ``modelmesh tokens`` for limits and rights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from modelmesh._engine.config import MeshConfig

Function = TypeVar("Function", bound=Callable[..., Any])


class _Amount(click.ParamType[Any]):
    """A number, or ``none`` to remove a limit."""

    def __init__(self, kind: type[int | float]) -> None:
        self._kind = kind
        self.name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, int | float):
            return value
        if str(value).lower() == "none":
            return "none"
        unit = "dollars" if self._kind is float else "requests or tokens"
        try:
            amount = self._kind(str(value).removeprefix("$").replace("_", ""))
        except ValueError:
            self.fail(f"{value!r} is not a number of {unit}.", param, ctx)
        if not amount >= 0:
            self.fail(f"{value!r} is not 0 or more {unit}.", param, ctx)
        return amount


def limit_options(function: Function) -> Function:
    """Add the options of limits."""
    for name, kind, text in (
        ("--tpm", int, "Tokens of prompts and answers in any 60 seconds."),
        ("--rpm", int, "Requests in any 60 seconds."),
        ("--budget-total", float, "Dollars in all."),
        ("--budget-monthly", float, "Dollars in a month (UTC)."),
        ("--budget-daily", float, "Dollars in a day (UTC)."),
    ):
        function = click.option(name, type=_Amount(kind), metavar="NUMBER", help=text)(function)
    return function


def right_options(function: Function) -> Function:
    """Add the options of rights and notes."""
    for names, options in (
        (("--metadata",), {"multiple": True, "metavar": "KEY=VALUE", "help": "A note. May be repeated."}),
        (("--team",), {"metavar": "TEAM", "help": "Team with limits over all of its tokens together, or 'none'."}),
        (("--expires",), {"metavar": "DURATION", "help": "Expire after this time, for example 30d or 12h, or 'never'."}),
        (("--pools",), {"metavar": "A,B", "help": "Allow only these pools, or 'all'.  [default for a new token: all]"}),
    ):
        function = click.option(*names, **options)(function)
    return function


def stated_limits(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits that the options state, ``None`` for one to remove."""
    names = ("budget_daily", "budget_monthly", "budget_total", "rpm", "tpm")
    given = {name: options[name] for name in names if options.get(name) is not None}
    return {name: None if value == "none" else value for name, value in given.items()}


def stated_rights(options: Mapping[str, Any], settings: MeshConfig) -> dict[str, Any]:
    """Return the rights and notes that the options state.

    Raises:
        click.BadParameter: A value is invalid, or there is no such pool.
    """
    found: dict[str, Any] = {}
    if options["pools"] is not None:
        found["pools"] = None if options["pools"] == "all" else _pools(options["pools"], settings)
    if options["expires"] is not None:
        found["expires_in"] = None if options["expires"] == "never" else duration(options["expires"], "--expires")
    if options["team"] is not None:
        found["team"] = None if options["team"] == "none" else options["team"]
    if options["metadata"]:
        pairs = [text.partition("=") for text in options["metadata"]]
        for key, sign, _ in pairs:
            if not key or not sign:
                message = "write KEY=VALUE, for example --metadata owner=ada@example.com."
                raise click.BadParameter(message, param_hint="--metadata")
        found["metadata"] = {key.strip(): value for key, _, value in pairs}
    return found


def _pools(text: str, settings: MeshConfig) -> list[str]:
    from modelmesh._engine.assembly.storage_only import read_sections  # noqa: PLC0415 - the engine, not for --help
    from modelmesh._engine.foundation.suggestions import did_you_mean  # noqa: PLC0415

    names = [part.strip() for part in text.split(",") if part.strip()]
    known = read_sections(settings).pools
    for name in names if known else ():  # without configured pools, the providers decide which exist
        if name not in known:
            message = f"the configuration has no pool {name!r}.{did_you_mean(name, known)} It has: {', '.join(known)}."
            raise click.BadParameter(message, param_hint="--pools")
    return names


def duration(text: str | None, option: str) -> float | None:
    """Return the seconds of a duration, ``None`` without one.

    Raises:
        click.BadParameter: It is not a duration.
    """
    from modelmesh._engine.foundation.units import parse_duration  # noqa: PLC0415 - the engine, not for --help

    if text is None:
        return None
    try:
        return float(parse_duration(text))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None
