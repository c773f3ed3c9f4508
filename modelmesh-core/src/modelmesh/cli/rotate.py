"""``modelmesh rotate``: put the current model of a pool in standby, or recover a model, in the stored state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from modelmesh._engine.foundation.encodable import is_encodable
from modelmesh.cli.failures import show_note
from modelmesh.cli.stored_mesh import HOW_TO_STORE, StoredMesh, config_option, stored_mesh
from modelmesh.cli.terminal import clean

if TYPE_CHECKING:
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.routing.pool import Pool

EPILOG = """\b
Examples:
  modelmesh rotate chat-completion --config modelmesh.yaml
  modelmesh rotate chat-completion --recover groq/llama-3.3-70b-versatile --config modelmesh.yaml
"""


@click.command("rotate", epilog=EPILOG, short_help="Put a pool's current model in standby, or recover one.")
@click.argument("pool")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the change as JSON.")
@click.option("--recover", metavar="MODEL", help="Make this model of the pool active again instead.")
def command(pool: str, config: str | None, recover: str | None, *, as_json: bool) -> None:
    """Put the current model of POOL in standby until it is recovered by hand, and show the next current model.

    The change is written to the 'storage' of the configuration, for processes that start later. Running processes keep
    their own state and will overwrite this change.
    """
    from modelmesh.cli.plugins import without_log  # noqa: PLC0415 - not for --help
    from modelmesh.errors import ModelMeshError  # noqa: PLC0415 - the engine

    with stored_mesh(config, locked=True) as found:
        if found.storage_problem:
            message = (
                f"nothing was changed: {found.storage_problem}, and this command cannot access it. In the process itself: "
                f"client.mesh.rotate({pool!r}). {HOW_TO_STORE}"
            )
            raise ModelMeshError(message)
        state = found.mesh.state
        assert state is not None
        selected = found.pool(pool)
        before = found.mesh.current(selected)
        text = _recover(found, selected, recover) if recover is not None else _rotate(found, selected)
        with without_log("modelmesh.state"):
            saved = state.sync()
        if not saved:
            message = f"nothing was changed: {state.storage.id} failed to save: {_safe_text(state.get_sync_status().error)}"
            raise ModelMeshError(message)
        if as_json:
            after = found.mesh.current(selected)
            facts = {
                "pool": selected.name,
                "before": before and str(before),
                "current": after and str(after),
                "recovered": recover,
            }
            click.echo(json.dumps(facts, ensure_ascii=False))
        else:
            click.echo(clean(text))
        show_note("running processes keep their own state and will overwrite this change. Restart them.")


def _safe_text(error: str | None) -> str:
    """Return the text of a ModelMesh error, else only the type: another text may contain an address with a password."""
    kind, _, text = (error or "").partition(": ")
    return text if kind.startswith("Storage") else kind


def _rotate(found: StoredMesh, pool: Pool) -> str:
    from modelmesh.errors import NoActiveModelError  # noqa: PLC0415 - the engine, not for --help

    before = found.mesh.current(pool)
    try:
        found.mesh.rotate(pool.name)
    except NoActiveModelError as error:
        error.add_note(f"On the command line: modelmesh pools {pool.name} --config {found.file}")
        raise
    return f"{pool.name}: {before} {_arrow()} {found.mesh.current(pool)}. {before} is in standby until it is recovered by hand."


def _recover(found: StoredMesh, pool: Pool, name: str) -> str:
    model = _find_model(pool, name)
    before = found.mesh.current(pool)
    pool.recover(model)
    availability = pool.availability(model, found.mesh.clock())
    state = f"{model} is active" if availability.ok else f"{model} stays in standby: {availability.text}"
    return f"{pool.name}: {before or 'none'} {_arrow()} {found.mesh.current(pool) or 'none'}. {state}."


def _arrow() -> str:
    return "→" if is_encodable("→") else "->"


def _find_model(pool: Pool, name: str) -> Candidate:
    from modelmesh._engine.routing.candidate_set import Candidates  # noqa: PLC0415 - the engine, not for --help

    matches = list(Candidates(pool, pool.mask_of_model(name)))
    if len(matches) == 1:
        return matches[0]
    if matches:
        message = f"{name!r} matches {len(matches)} models of {pool.name}. Use one of: {', '.join(map(str, matches))}"
    else:
        from modelmesh._engine.foundation.suggestions import did_you_mean  # noqa: PLC0415 - only when needed

        names = [str(member) for member in pool.members]
        hint = did_you_mean(name, [*names, *(member.model_id for member in pool.members)])
        message = f"{pool.name} has no model {name!r}.{hint} It has: {', '.join(names)}"
    raise click.BadParameter(message, param_hint="--recover")
