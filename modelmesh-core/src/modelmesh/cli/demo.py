"""``modelmesh demo``: show failover between two failing providers. Needs no key."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from modelmesh._engine.foundation.attempts import AttemptOutcome
from modelmesh.cli.terminal import clean, console

if TYPE_CHECKING:
    from modelmesh._engine.foundation.attempts import Attempt
    from modelmesh.client import MeshClient

QUESTION = "What is the capital of France?"
POOL = "chat-completion"
LOCAL = "modelmesh.local.v1"
INSTALL = "modelmesh local install"
OPENAI = "openai.llm.v1"

EPILOG = """\b
Examples:
  modelmesh demo
  modelmesh demo "Name three colours"
  modelmesh demo --echo
"""


@click.command("demo", epilog=EPILOG, short_help="Show failover between failing providers.")
@click.argument("question", default=QUESTION)
@click.option("--echo", is_flag=True, help="Use a built-in echo instead of the local model.")
@click.pass_context
def command(ctx: click.Context, question: str, *, echo: bool) -> None:
    """Show failover between failing providers. Needs no API key and sends nothing to other machines.

    Two providers are started on the loopback address: one answers 429, the other opens a stream and disconnects. The
    third member of the pool is the local model. QUESTION is the prompt.
    """
    from modelmesh import create  # noqa: PLC0415 - the engine, not for --help
    from modelmesh.cli.demo_providers import Busy, Echo, Fragile, serving  # noqa: PLC0415 - a server, not for --help

    missing = None if echo else local_problem()
    echoes = echo or missing is not None
    handlers = (Busy, Fragile, Echo) if echoes else (Busy, Fragile)
    with serving(*handlers) as addresses, _no_proxy():
        _introduce(addresses, missing, question, echoes=echoes)
        with create(config=configuration(addresses, echoes=echoes)) as client:
            attempts = _ask(client, question)
            _show(client, attempts, last="a built-in echo" if echoes else "the local model")
    if not any(attempt.outcome is AttemptOutcome.ANSWERED for attempt in attempts):
        ctx.exit(1)


def local_problem() -> str | None:
    """Return why the local model cannot answer, with the command that installs it, ``None`` when it can answer."""
    from modelmesh._engine.plugins.resolver import Resolver, build  # noqa: PLC0415
    from modelmesh.contracts import Kind  # noqa: PLC0415
    from modelmesh.errors import ModelMeshError  # noqa: PLC0415 - the engine, not for --help

    resolver = Resolver()
    if resolver.catalog.find(Kind.PROVIDER, LOCAL) is None:
        return "its connector is not installed.\nTo set it up: pip install modelmesh-connector-local && " + INSTALL
    try:
        provider = build(resolver.resolve(Kind.PROVIDER, LOCAL), {}, LOCAL)
        try:
            has_models = bool(provider.models())
        finally:
            provider.close()
    except ModelMeshError as error:
        return error.message if INSTALL in error.message else f"{error.message}\nTo set it up: {INSTALL}"
    return None if has_models else "it has no weights.\nTo set it up: " + INSTALL


def configuration(addresses: Sequence[str], *, echoes: bool) -> dict[str, Any]:
    """Return the configuration of the demonstration: three providers in one pool, tried in this order.

    Args:
        addresses: Addresses of the loopback providers.
        echoes: Whether the third provider is a loopback provider too.
    """
    names = ("busy", "fragile", "echo") if echoes else ("busy", "fragile")
    providers = {name: _loopback(name, address) for name, address in zip(names, addresses, strict=True)}
    if not echoes:
        providers["local"] = {"connector": LOCAL}
    return {"providers": providers, "pools": {POOL: {"providers": list(providers)}}}


def _loopback(name: str, address: str) -> dict[str, Any]:
    from modelmesh._engine.plugins.catalog import Catalog  # noqa: PLC0415
    from modelmesh.contracts import Kind  # noqa: PLC0415
    from modelmesh.errors import ConfigurationError  # noqa: PLC0415 - the engine, not for --help

    settings: dict[str, Any] = {"base_url": address, "api_key": "test", "models": [f"{name}-model"]}
    if Catalog.scan().find(Kind.PROVIDER, OPENAI) is not None:
        return {"connector": OPENAI, **settings}
    try:
        from modelmesh.cdk import QuickProvider  # noqa: PLC0415 - when no connector for OpenAI's format is installed
    except ModuleNotFoundError:
        message = "the demonstration needs a connector with HTTP: pip install modelmesh-connector-openai"
        raise ConfigurationError(message) from None
    return {"instance": QuickProvider(**settings)}


@contextmanager
def _no_proxy() -> Iterator[None]:
    """Connect to the loopback address without the proxies of the environment."""
    before = os.environ.get("no_proxy")
    named = before or os.environ.get("NO_PROXY") or ""
    os.environ["no_proxy"] = f"{named},127.0.0.1".lstrip(",")
    try:
        yield
    finally:
        if before is None:
            del os.environ["no_proxy"]
        else:
            os.environ["no_proxy"] = before


def _introduce(addresses: Sequence[str], missing: str | None, question: str, *, echoes: bool) -> None:
    click.echo("One pool, three providers, tried in this order:")
    click.echo(f"  1. busy     {addresses[0]}  answers 429 Too Many Requests")
    click.echo(f"  2. fragile  {addresses[1]}  opens a stream and disconnects before the first word")
    if echoes:
        click.echo(f"  3. echo     {addresses[2]}  works, an echo instead of a model")
    else:
        click.echo("  3. local    in this process         works, a small model")
    if missing is not None:
        click.echo(clean(f"\nThe local model is not available, so a built-in echo replaces it: {missing}"))
    click.echo(clean(f"\nQuestion: {question}"))


def _ask(client: MeshClient, question: str) -> list[Attempt]:
    """Stream the answer, or show the error, and return the attempts."""
    from modelmesh.cli.failures import show_error  # noqa: PLC0415 - the engine, not for --help
    from modelmesh.errors import ModelMeshError  # noqa: PLC0415

    attempts: list[Attempt] = []
    messages = [{"role": "user", "content": question}]
    try:
        with client.chat.completions.create(model=POOL, messages=messages, max_tokens=200, stream=True) as stream:
            attempts = stream.attempts
            click.echo("Answer:   ", nl=False)
            try:
                for chunk in stream:
                    for choice in chunk.choices or ():
                        click.echo(clean((choice.delta and choice.delta.content) or ""), nl=False)
            finally:
                click.echo()
    except ModelMeshError as error:
        show_error(error)
        attempts = attempts or list(getattr(error, "attempts", ()))
    return attempts


def _show(client: MeshClient, attempts: Sequence[Attempt], last: str) -> None:
    from modelmesh.cli.rendering import attempts_table, health_table, show  # noqa: PLC0415 - rich, for tables only

    screen = console()
    click.echo("\nAttempts of the request:")
    show(screen, attempts_table(screen, attempts))
    click.echo(f"\n{clean(_sentence(attempts, last))}")
    pool, status = client.mesh.get_router().get_pool(POOL), client.pool_status(POOL)[POOL]
    click.echo(f"\nThe pool after the request: {status.active} of {status.total} models active, {status.standby} in standby.")
    show(screen, health_table(screen, pool, client.mesh.clock()))
    if status.current_provider:
        click.echo(f"The next request would go to {status.current_provider}.")


def _sentence(attempts: Sequence[Attempt], last: str) -> str:
    from modelmesh.cli.rendering import failure_text  # noqa: PLC0415 - rich, for tables only

    failed = " and ".join(
        f"{attempt.provider_id} {failure_text(attempt.failure)}{f' ({attempt.status})' if attempt.status else ''}"
        for attempt in attempts
        if attempt.failure
    )
    if not attempts or attempts[-1].outcome is not AttemptOutcome.ANSWERED:
        return f"There is no answer: {failed or 'no provider was available'}."
    if not failed:
        return f"The answer came from {attempts[-1].provider_id} ({last}), which was tried first."
    return (
        f"The answer came from {attempts[-1].provider_id} ({last}), because {failed}. "
        "No part of an answer had been shown, so the mesh failed over."
    )
