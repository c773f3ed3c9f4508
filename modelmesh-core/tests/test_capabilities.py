"""Capability tree, its aliases, and lookups."""

from __future__ import annotations

import pytest

import modelmesh
from modelmesh import capabilities
from modelmesh.capabilities import PREDEFINED_POOLS, NodeType, operation_of, standard_tree
from modelmesh.capabilities.nodes import mesh_tree
from modelmesh.contracts import OPERATIONS
from modelmesh.errors import ConfigurationError
from modelmesh.testing import MockProvider

CHAT = "generation.text-generation.chat-completion"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("chat-completion", CHAT), ("chat", CHAT), ("generation.chat-completion", CHAT), (CHAT, CHAT),
        ("text-generation", "generation.text-generation"), ("text-to-speech", "generation.audio.text-to-speech"),
        ("tts", "generation.audio.text-to-speech"), ("stt", "understanding.audio.speech-to-text"),
        ("generation.audio-generation.text-to-speech", "generation.audio.text-to-speech"),
        ("generation.image-generation.text-to-image", "generation.image.text-to-image"),
        ("image-generation", "generation.image"), ("embeddings", "representation.embeddings"),
        ("understanding.audio-understanding.speech-to-text", "understanding.audio.speech-to-text"),
        ("representation.audio.speech-to-text", "understanding.audio.speech-to-text"),
        ("generation.video.text-to-video", "generation.video-generation.text-to-video"),
        ("understanding.vision.ocr", "understanding.vision-understanding.ocr"),
        ("document-understanding.document-parsing", "understanding.document-understanding.document-parsing"),
        ("retrieval.semantic-search.web-search", "retrieval.search.web-search"),
        ("retrieval.grounded-generation.web-search", "retrieval.search.web-search"),
        ("moderation", "evaluation.content-moderation"), ("image-to-text", "representation.image.image-to-text"),
        ("content-extraction", "understanding.document-understanding.content-extraction"),
        ("audio", None), ("image", None), ("video", None), ("nonsense", None), ("understanding.text-generation", None),
    ],
)  # fmt: skip
def test_get_node_accepts_every_spelling(name: str, path: str | None) -> None:
    node = standard_tree().get_node(name)
    assert (node.path if node else None) == path


def test_standard_tree_has_seven_categories() -> None:
    tree = standard_tree()
    assert len(tree.list_categories()) == 7
    leaves = [leaf for category in tree.list_categories() for leaf in tree.get_leaves(category)]
    assert len(leaves) == 61
    assert all(tree.get_node(leaf.name) is leaf and leaf.type is NodeType.LEAF for leaf in leaves)


def test_lookup_functions_answer() -> None:
    assert capabilities.resolve("chat-completion") == CHAT
    assert capabilities.resolve("no-such-thing") == "no-such-thing"
    assert capabilities.resolve("generation.chat-completion") == "generation.chat-completion"
    assert capabilities.search("TEXT")[:2] == ["text-completion", "text-embeddings"]
    names = capabilities.list_all()
    assert names == sorted(names)
    assert {"chat-completion", "text-embeddings", "text-to-image", "reranking"} <= set(names)
    assert capabilities.tree()["generation"]["text-generation"]["chat-completion"] == {}


def test_tree_grows_by_ensure_and_add_node() -> None:
    tree = standard_tree()
    leaf = tree.get_node("chat-completion")
    assert leaf is not None
    assert leaf.is_leaf
    child = tree.add_node("chat-completion", "role-play")
    assert not leaf.is_leaf
    assert tree.get_ancestors(child)[0] is leaf
    assert tree.ensure("acme.games.chess").path == "acme.games.chess"
    assert tree.is_ancestor_of(leaf, child)
    assert not tree.is_ancestor_of(child, child)
    with pytest.raises(KeyError):
        tree.add_node("nowhere", "x")
    assert standard_tree().get_node("acme.games.chess") is None


def test_vision_pool_accepts_image_to_text() -> None:
    tree = standard_tree()
    wanted, offered = tree.get_node("vision-understanding"), tree.get_node("image-to-text")
    assert wanted is not None
    assert offered is not None
    assert tree.covers(wanted, offered)
    assert not tree.covers(offered, wanted)


@pytest.mark.parametrize("pool", PREDEFINED_POOLS)
def test_predefined_pools_are_nodes(pool: str) -> None:
    node = standard_tree().get_node(pool)
    assert node is not None
    assert node.path == PREDEFINED_POOLS[pool]


def test_mesh_tree_shares_nodes_until_one_is_added() -> None:
    first, second = mesh_tree(), mesh_tree()
    leaf = first.get_node("chat-completion")
    assert leaf is not None
    assert leaf is second.get_node("chat-completion")
    child = first.ensure(f"{leaf.path}.role-play")
    assert first.covers(leaf, child)
    assert first.is_ancestor_of(leaf, child)
    assert first.get_node("chat-completion") is child.parent
    assert second.get_node("role-play") is None
    assert leaf.is_leaf
    assert leaf is mesh_tree().get_node("chat-completion")


class Player(MockProvider):
    """A provider with a capability of its own."""

    capabilities = ("acme.games.chess",)


def test_mesh_tree_of_clients_shares_no_custom_capability() -> None:
    providers = {"a": {"instance": Player(["hello"])}}
    with modelmesh.create(config={"providers": providers, "pools": {"p": {"capability": "acme.games.chess"}}}) as client:
        assert [pool.capability for pool in client.mesh.list_pools()] == ["acme.games.chess"]
    plain = {"providers": {"a": {"instance": MockProvider(["hello"])}}, "pools": {"chess": {}}}
    with pytest.raises(ConfigurationError, match="'chess' is not a capability"):
        modelmesh.create(config=plain)
    assert mesh_tree().get_node("acme.games.chess") is None


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("chat", "chat.completions"),
        ("chat-completion", "chat.completions"),
        ("text-generation", "chat.completions"),
        ("code-generation", "chat.completions"),
        ("structured-generation", "chat.completions"),
        ("vision-understanding", "chat.completions"),
        ("text-embeddings", "embeddings"),
        ("embeddings", "embeddings"),
        ("tts", "audio.speech"),
        ("generation.audio.text-to-speech", "audio.speech"),
        ("stt", "audio.transcriptions"),
        ("image-generation", "images.generate"),
        ("image-to-image", "images.edit"),
        ("moderation", "moderations"),
        ("reranking", "rerank"),
        ("web-search", "search"),
        ("document-parsing", "documents.parse"),
        ("document.parse", "documents.parse"),
        ("translation", "transformation.translation"),
        ("translation.text", "transformation.translation"),
        ("acme.own", "acme.own"),
    ],
)
def test_operation_of_every_name(name: str, operation: str) -> None:
    assert operation_of(name).name == operation


@pytest.mark.parametrize("pool", PREDEFINED_POOLS)
def test_every_predefined_pool_has_an_operation(pool: str) -> None:
    assert operation_of(pool).name in OPERATIONS
