"""Addresses of a Redis Cluster and of a master that Sentinels watch.

``redis+cluster://host:port,host:port`` lists nodes of a cluster, of which one has to reply.
``redis+sentinel://host:port,host:port/service/db`` lists Sentinels, and names the service with the master to use. With ``rediss``
in place of ``redis``, connections are encrypted.
"""

from __future__ import annotations

from typing import Self
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from modelmesh.errors import ConfigurationError

CLUSTER = ("redis+cluster", "rediss+cluster")
SENTINEL = ("redis+sentinel", "rediss+sentinel")
PORTS = {**dict.fromkeys(CLUSTER, 6379), **dict.fromkeys(SENTINEL, 26379)}
HIGHEST_PORT = 65535


@frozen
class ServerGroup:
    """Address of several servers.

    Attributes:
        scheme: One of :data:`CLUSTER` and :data:`SENTINEL`.
        nodes: Host and port of each.
        service: Name of the service that Sentinels watch, empty for a cluster.
        db: Number of the database, always 0 in a cluster.
        username: User of the Redis servers, ``None`` for the default user.
        password: Its password.
    """

    scheme: str
    nodes: tuple[tuple[str, int], ...]
    service: str = ""
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def is_cluster(self) -> bool:
        """Whether the servers are nodes of a cluster."""
        return self.scheme in CLUSTER

    @property
    def is_encrypted(self) -> bool:
        """Whether connections are encrypted."""
        return self.scheme.startswith("rediss")

    def __str__(self) -> str:
        nodes = ",".join(f"{f'[{host}]' if ':' in host else host}:{port}" for host, port in self.nodes)
        return f"{self.scheme}://{nodes}" + (f"/{self.service}/{self.db}" if self.service else "")

    @classmethod
    def of(cls, url: str) -> Self:
        """Read a URL.

        Raises:
            ConfigurationError: The URL is incomplete or invalid. The message does not repeat it, because it may have a password.
        """
        parts = urlsplit(url)
        credentials, _, hosts = parts.netloc.rpartition("@")
        username, _, password = credentials.partition(":")
        path = [unquote(part) for part in parts.path.split("/") if part]
        nodes = tuple(_node(host, PORTS[parts.scheme]) for host in hosts.split(","))
        service = ""
        if parts.scheme in SENTINEL:
            if not path:
                raise _invalid("needs the name of the service. Example: redis+sentinel://host1:26379,host2:26379/mymaster")
            service = path.pop(0)
        db = path.pop(0) if path else "0"
        if path or parts.query or not db.isdecimal():
            raise _invalid("may end with the number of a database and nothing else")
        if parts.scheme in CLUSTER and db != "0":
            raise _invalid("names a database, and a cluster has only database 0. Set key_prefix to keep meshes apart")
        return cls(parts.scheme, nodes, service, int(db), unquote(username) or None, unquote(password) or None)


def _node(text: str, default: int) -> tuple[str, int]:
    """Return host and port of one server."""
    host, colon, port = text.rpartition(":")
    if text.endswith("]") or not colon:
        host, port = text, str(default)
    if not host.strip("[]") or not port.isdecimal() or not 0 < int(port) <= HIGHEST_PORT:
        raise _invalid("needs a host, and optionally a port, for each server. Example: redis+cluster://host1:6379,host2:6379")
    return host.strip("[]"), int(port)


def _invalid(why: str) -> ConfigurationError:
    return ConfigurationError(f"storage.url {why}", where="storage.url")
