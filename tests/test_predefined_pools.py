"""Predefined pools with the shipped catalogues: each has models, and both ways to a capability select the same ones."""

from __future__ import annotations

import pytest

pytest.importorskip("modelmesh_connector_openai")
import modelmesh
from modelmesh.capabilities import PREDEFINED_POOLS, operation_of

KEYS = {"openai": "test"}


def models(client: modelmesh.MeshClient, name: str) -> list[str]:
    return [candidate.model_id for candidate in client.mesh.get_router().resolve(name).members]


@pytest.mark.parametrize("pool", PREDEFINED_POOLS)
def test_predefined_pool_has_models(pool: str) -> None:
    with modelmesh.create(pool=pool, api_keys=KEYS) as client:
        assert models(client, pool)
        served = client.mesh.get_router().resolve(pool).operations
        assert operation_of(pool).name in served


def test_pool_accepts_a_capability() -> None:
    with modelmesh.create(pool="code-generation", api_keys=KEYS) as client:
        assert models(client, "code-generation")


@pytest.mark.parametrize(
    ("name", "above"),
    [
        ("code-generation", "text-generation"),
        ("json-generation", "structured-generation"),
        ("image-captioning", "vision-understanding"),
        ("text-to-image", "image-generation"),
        ("image-to-image", "image-generation"),
    ],
)
def test_capability_has_the_same_models_below_a_pool(name: str, above: str) -> None:
    with modelmesh.create(name, api_keys=KEYS) as own, modelmesh.create(pool=above, api_keys=KEYS) as whole:
        assert models(own, name) == models(whole, name) != []


def test_pool_of_features_has_only_models_that_state_them() -> None:
    with modelmesh.create(pool="vision-understanding", api_keys=KEYS) as client:
        found = client.mesh.get_router().resolve("vision-understanding").members
        assert all(candidate.info.features.get("vision") for candidate in found)
