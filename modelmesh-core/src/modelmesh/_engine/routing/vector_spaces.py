"""Vector spaces: members of a pool with comparable embeddings.

Embeddings of different models cannot be compared, and an answer does not show that they were mixed. A pool therefore serves
embeddings with one model, that of its first member, unless the configuration lists several models. Accounts with the same model
share its space: by model ID, by the vendor's name of the model, or by ``equivalent`` in a catalogue row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelmesh.contracts.operations import EMBEDDINGS

if TYPE_CHECKING:
    from modelmesh._engine.routing.candidates import Candidate

_FAMILY = "embeddings"


def names_of_space(candidate: Candidate) -> frozenset[str]:
    """Return the names that identify the vector space of a model, in lower case."""
    info = candidate.info
    given = (candidate.model_id, candidate.upstream, info.id, info.upstream, info.extra.get("equivalent"))
    return frozenset(name.lower() for name in given if isinstance(name, str) and name)


def is_embedding_model(candidate: Candidate) -> bool:
    """Return whether a model may serve embeddings. It states the capability, or no capability at all."""
    stated = candidate.info.capabilities
    return not stated or any(_FAMILY in name.split(".") or name == EMBEDDINGS.capability for name in stated)


class VectorSpace:
    """The vector space that a pool serves embeddings in.

    Attributes:
        anchor: Member that defines the space, ``None`` while the pool has no model for embeddings.
        others: Members of other spaces, as a mask.
    """

    __slots__ = ("anchor", "others")

    def __init__(self, members: Sequence[Candidate]) -> None:
        """Determine the space of the first member that serves embeddings, and the members outside of it."""
        serving = [(position, one) for position, one in enumerate(members) if is_embedding_model(one)]
        self.anchor = serving[0][1] if serving else None
        self.others = 0
        if self.anchor is None:
            return
        names = set(names_of_space(self.anchor))
        for position, one in serving:
            theirs = names_of_space(one)
            if names & theirs:
                names |= theirs
            else:
                self.others |= 1 << position

    def reason(self, pool: str) -> str:
        """Return why a member of another space is not eligible, and how to make it so."""
        return (
            f"its vectors cannot be compared with those of {self.anchor.model_id if self.anchor else 'the first model'}, "
            f"the model of this pool; to allow several, list them under pools.{pool}.models"
        )
