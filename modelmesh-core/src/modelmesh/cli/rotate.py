"""``modelmesh rotate``: put the current model of a pool in standby, or make one active again, in what is stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from modelmesh.cli.failures import show_note
from modelmesh.cli.stored import HOW_TO_KEEP, Stored, config_option, stored
from modelmesh.cli.terminal import carries, clean

if TYPE_CHECKING:
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.routing.pool import Pool

EPILOG = """\b
Examples:
  modelmesh rotate chat-completion --config modelmesh.yaml
  modelmesh rotate chat-completion --recover groq/llama-3.3-70b-versatile --config modelmesh.yaml
"""


@click.command("rotate", epilog=EPILOG, short_help="Put a pool's current model in standby, or one back.")
@click.argument("pool")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print what changed as JSON.")
@click.option("--recover", metavar="MODEL", help="Make this model of the pool active again instead.")
def command(pool: str, config: str | None, recover: str | None, *, as_json: bool) -> None:
    """Put the current model of POOL in standby, until it is recovered by hand, and say which one is current then.

    It is written into the 'storage' of the configuration, for processes that start from now on. One that is running
    has its own picture, and saves that over this one.
    """
    from modelmesh.cli.plugins import without_log  # noqa: PLC0415 - not for --help
    from modelmesh.errors import ModelMeshError  # noqa: PLC0415 - the engine

    with stored(config, locked=True) as found:
        if found.why_nothing:
            message = (
                f"nothing was changed: {found.why_nothing}, and no other process can reach in there. In that process: "
                f"client.mesh.rotate({pool!r}). {HOW_TO_KEEP}"
            )
            raise ModelMeshError(message)
        state = found.mesh.state
        assert state is not None
        of = found.pool(pool)
        before = found.mesh.current(of)
        said = _recover(found, of, recover) if recover is not None else _rotate(found, of)
        with without_log("modelmesh.state"):
            saved = state.sync()
        if not saved:
            message = f"nothing was changed: {state.storage.id} failed to save: {_shown(state.get_sync_status().error)}"
            raise ModelMeshError(message)
        if as_json:
            after = found.mesh.current(of)
            facts = {"pool": of.name, "before": before and str(before), "current": after and str(after), "recovered": recover}
            click.echo(json.dumps(facts, ensure_ascii=False))
        else:
            click.echo(clean(said))
        show_note("a process that is running goes on as before, and saves its own picture over this one; restart it.")


def _shown(error: str | None) -> str:
    """Our own errors are written to be shown; another's text may hold an address with a password."""
    kind, _, said = (error or "").partition(": ")
    return said if kind.startswith("Storage") else kind


def _rotate(found: Stored, pool: Pool) -> str:
    from modelmesh.errors import NoActiveModelError  # noqa: PLC0415 - the engine, not for --help

    before = found.mesh.current(pool)
    try:
        found.mesh.rotate(pool.name)
    except NoActiveModelError as error:
        error.add_note(f"On the command line: modelmesh pools {pool.name} --config {found.file}")
        raise
    return f"{pool.name}: {before} {_arrow()} {found.mesh.current(pool)}. {before} is in standby until it is recovered by hand."


def _recover(found: Stored, pool: Pool, name: str) -> str:
    model = _named(pool, name)
    before = found.mesh.current(pool)
    pool.recover(model)
    why = pool.standby_reason(model, found.mesh.clock())
    state = f"{model} stays in standby: {why}" if why else f"{model} is active"
    return f"{pool.name}: {before or 'none'} {_arrow()} {found.mesh.current(pool) or 'none'}. {state}."


def _arrow() -> str:
    return "→" if carries("→") else "->"


def _named(pool: Pool, name: str) -> Candidate:
    from modelmesh._engine.routing.candidate_set import Candidates  # noqa: PLC0415 - the engine, not for --help

    meant = list(Candidates(pool, pool.mask_of_model(name)))
    if len(meant) == 1:
        return meant[0]
    if meant:
        message = f"{name!r} means {len(meant)} models of {pool.name}. Name one: {', '.join(map(str, meant))}"
    else:
        from modelmesh._engine.foundation.suggestions import did_you_mean  # noqa: PLC0415 - only when there is something to say

        names = [str(member) for member in pool.members]
        hint = did_you_mean(name, [*names, *(member.model_id for member in pool.members)])
        message = f"{pool.name} has no model {name!r}.{hint} It has: {', '.join(names)}"
    raise click.BadParameter(message, param_hint="--recover")
