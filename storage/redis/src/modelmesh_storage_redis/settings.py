"""Settings of the Redis store, and the clients made from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit

import redis
from attrs import evolve, field, frozen
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry
from redis.sentinel import Sentinel

from modelmesh.contracts import Secret, parse_duration
from modelmesh.errors import ConfigurationError
from modelmesh_cdk import BaseStorageConfig
from modelmesh_storage_redis.addresses import CLUSTER, SENTINEL, ServerGroup

SCHEMES = ("redis", "rediss", "unix", *CLUSTER, *SENTINEL)
UNLIMITED = 2**31
"""Limit of connections. There are never more than threads that call the store at the same time."""


def _sealed(value: Any) -> Secret | None:
    if value is None or isinstance(value, Secret):
        return value
    return Secret(str(value))


def _plain(value: Any) -> Any:
    """Return the text of a setting that is not secret but contains a reference."""
    return value.reveal() if isinstance(value, Secret) else value


def _whole(value: Any) -> int:
    return int(_plain(value))


def _span(value: Any) -> float | None:
    return None if value is None else parse_duration(value)


@frozen(kw_only=True)
class RedisStorageConfig(BaseStorageConfig):
    """Settings of a :class:`~modelmesh_storage_redis.RedisStorage`.

    Attributes:
        url: ``redis://``, ``rediss://`` (TLS) or ``unix://`` address in place of host, port and db. May contain a password.
            ``redis+cluster://`` and ``redis+sentinel://`` are the addresses of :mod:`.addresses`.
        host: Name or address of the server.
        port: Port of the server.
        db: Number of the database.
        username: User of an access control list, ``None`` for the default user.
        password: Password of that user.
        sentinel_username: User of the Sentinels, ``None`` for the default user.
        sentinel_password: Password of that user.
        ssl: Whether the connection is encrypted. The certificate is always verified.
        ssl_ca_certs: File of trusted certificates, in place of the system's.
        key_prefix: Prefix of every key. Meshes that share a server but no state need different prefixes.
        ttl: Seconds until an entry expires that is not saved again, ``None`` for never.
        connect_timeout: Seconds to wait for a connection.
        timeout: Seconds to wait for each reply. A request of the mesh waits at most for one connection and one reply.
    """

    url: Secret | None = field(default=None, converter=_sealed, repr=False)
    host: str = field(default="localhost", converter=_plain)
    port: int = field(default=6379, converter=_whole)
    db: int = field(default=0, converter=_whole)
    username: str | None = field(default=None, converter=_plain)
    password: Secret | None = field(default=None, converter=_sealed, repr=False)
    sentinel_username: str | None = field(default=None, converter=_plain)
    sentinel_password: Secret | None = field(default=None, converter=_sealed, repr=False)
    ssl: bool = False
    ssl_ca_certs: str | None = field(default=None, converter=_plain)
    key_prefix: str = field(default="modelmesh:", converter=_plain)
    ttl: float | None = field(default=None, converter=_span)
    connect_timeout: float = field(default=0.5, converter=parse_duration)
    timeout: float = field(default=0.5, converter=parse_duration)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Create the settings from a mapping. ``prefix`` is an alias of ``key_prefix``.

        Raises:
            ConfigurationError: The URL is not that of a Redis server.
        """
        found = super().of({("key_prefix" if name == "prefix" else name): value for name, value in settings.items()})
        if found.url is None:
            return found
        parts = urlsplit(found.url.reveal())
        if parts.scheme in (*CLUSTER, *SENTINEL):
            ServerGroup.of(found.url.reveal())
            return found
        if parts.scheme not in SCHEMES:
            shown = ", ".join(f"{scheme}://" for scheme in SCHEMES)
            message = f"storage.url must begin with one of {shown}. Example: redis://localhost:6379/0"
            raise ConfigurationError(message, where="storage.url")
        return evolve(found, host=parts.hostname or parts.path or found.host)

    @property
    def address(self) -> str:
        """Address of the server, for messages."""
        if self.url is None:
            return f"{self.host}:{self.port}/{self.db}"
        if self.group is not None:
            return str(self.group)
        parts = urlsplit(self.url.reveal())
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def group(self) -> ServerGroup | None:
        """Address of a cluster or of Sentinels, ``None`` for a single server."""
        if self.url is None or urlsplit(self.url.reveal()).scheme not in (*CLUSTER, *SENTINEL):
            return None
        return ServerGroup.of(self.url.reveal())

    @property
    def prefix(self) -> str:
        """Prefix of the keys. In a cluster it is a hash tag, so that all keys are on one node and change together."""
        is_cluster = self.group is not None and self.group.is_cluster
        return f"{{{self.key_prefix}}}" if is_cluster and "{" not in self.key_prefix else self.key_prefix

    def client(self) -> redis.Redis | RedisCluster:
        """Create a client with short timeouts and without retries: the mesh decides when to retry.

        Raises:
            RedisError: No node of a cluster replies. Other clients connect later.
        """
        common = self._common()
        group = self.group
        if group is None:
            return self._single(common)
        if group.username is not None:
            common["username"] = group.username
        if group.password is not None:
            common["password"] = group.password
        if group.is_cluster:
            node: Any = ClusterNode  # without annotations in redis 8.1
            nodes = [node(host, port) for host, port in group.nodes]
            return RedisCluster(startup_nodes=nodes, ssl=group.is_encrypted, **common)
        own: dict[str, Any] = {name: common[name] for name in ("socket_connect_timeout", "socket_timeout", "protocol", "retry")}
        own |= {name: common[name] for name in ("ssl_cert_reqs", "ssl_ca_certs") if name in common}
        if self.sentinel_username is not None:
            own["username"] = self.sentinel_username
        if self.sentinel_password is not None:
            own["password"] = self.sentinel_password.reveal()
        encryption = {"ssl": True} if group.is_encrypted else {}
        sentinel_class: Any = Sentinel  # as above
        sentinel = sentinel_class(list(group.nodes), sentinel_kwargs=own | encryption)
        master: redis.Redis = sentinel.master_for(group.service, db=group.db, **common, **encryption)
        return master

    def _common(self) -> dict[str, Any]:
        common: dict[str, Any] = {
            "socket_connect_timeout": self.connect_timeout,
            "socket_timeout": self.timeout,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,  # every server and proxy supports RESP2, which has no push messages
            "max_connections": UNLIMITED,
        }
        if self.password is not None:
            common["password"] = self.password.reveal()
        if self.username is not None:
            common["username"] = self.username
        encrypted = self.ssl if self.url is None else urlsplit(self.url.reveal()).scheme.startswith("rediss")
        if encrypted:
            common |= {"ssl_cert_reqs": "required", "ssl_ca_certs": self.ssl_ca_certs}
        return common

    def _single(self, common: dict[str, Any]) -> redis.Redis:
        if self.url is not None:
            return redis.Redis(connection_pool=redis.ConnectionPool.from_url(self.url.reveal(), **common))
        return redis.Redis(host=self.host, port=self.port, db=self.db, ssl=self.ssl, **common)
