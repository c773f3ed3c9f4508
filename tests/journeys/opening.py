"""Creation of a client as users write it: a capability, the keys, and the addresses of the fake vendors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from fakevendors import CHAT, VENDORS, Account

import modelmesh
from modelmesh._engine.plugins.known_distributions import variables

MESSAGES = [{"role": "user", "content": "Say pong."}]


@frozen
class Opening:
    """Arguments of ``create()``, and the resulting pool."""

    names: tuple[str, ...]
    keywords: Mapping[str, Any]
    pool: str

    @classmethod
    def of(cls, *accounts: Account, **more: Any) -> Opening:
        """Return the arguments for some accounts, in this order.

        They contain only keys and addresses, unless the shipped models share no capability, as with Perplexity: then a pool
        names every shipped model that answers questions.

        Args:
            accounts: One for each vendor.
            more: Settings for each of them, and ``strategy``.
        """
        strategy = {"strategy": more.pop("strategy")} if "strategy" in more else {}
        settings = {one.vendor.name: {**one.settings, **more} for one in accounts}
        if settings.keys() <= set(CHAT):
            return cls(("chat-completion",), {"providers": settings, **strategy}, "chat-completion")
        entries = {name: {"connector": variables()[VENDORS[name].variable], **one} for name, one in settings.items()}
        pool = {"models": [f"{name}/{model}" for name in settings for model in _answering(name)], **strategy}
        return cls((), {"config": {"providers": entries, "pools": {"answers": pool}}}, "answers")

    def sync(self) -> modelmesh.MeshClient:
        return modelmesh.create(*self.names, **self.keywords)

    def aio(self) -> Any:
        return modelmesh.create_async(*self.names, **self.keywords)


def _answering(name: str) -> list[str]:
    ends = ("chat-completion", "grounded-generation")
    return [row["id"] for row in VENDORS[name].catalogue if any(one.endswith(ends) for one in row["capabilities"])]


def piece(chunk: Any) -> str:
    """Return the text of a chunk."""
    return (chunk.choices[0].delta.content or "") if chunk.choices else ""


def ask(client: Any, pool: str = "chat-completion", *, stream: bool = False, **more: Any) -> str:
    """Send a chat and return the text of the answer."""
    reply = client.chat.completions.create(**{"model": pool, "messages": MESSAGES, "stream": stream, **more})
    return "".join(map(piece, reply)) if stream else reply.choices[0].message.content


async def aask(client: Any, pool: str = "chat-completion", *, stream: bool = False, **more: Any) -> str:
    """Send a chat from a coroutine."""
    reply = await client.chat.completions.create(**{"model": pool, "messages": MESSAGES, "stream": stream, **more})
    return "".join([piece(chunk) async for chunk in reply]) if stream else reply.choices[0].message.content
