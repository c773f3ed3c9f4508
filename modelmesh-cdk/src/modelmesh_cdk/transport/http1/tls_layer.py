"""TLS of one connection without I/O.

The event loop's own TLS hides the bytes that it has received and not yet decrypted. Such bytes after a response would be read as
the response to the next request, so the connection must see them. It also has a buffer of 256 KiB for each connection.
"""

from __future__ import annotations

import ssl

_READ = 65_536
_HEADER = 5  # bytes of the header of a record, of which the last two are the length of the rest


class TlsLayer:
    """Encrypts and decrypts the bytes of a connection.

    Attributes:
        is_established: Whether the handshake is complete.
        is_closed: Whether the server has ended TLS, or broken it.
        failure: The error that broke TLS after the handshake.
    """

    __slots__ = ("_incoming", "_missing", "_object", "_outgoing", "_partial", "failure", "is_closed", "is_established")

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        """Prepare a handshake.

        Args:
            context: Trust store and versions.
            host: Name or address of the server, which its certificate must contain.
        """
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._partial, self._missing = b"", 0
        self.is_established = self.is_closed = False
        self.failure: ssl.SSLError | None = None

    def shake_hands(self, data: bytes = b"") -> None:
        """Continue the handshake.

        Args:
            data: Bytes of the server.

        Raises:
            ssl.SSLError: The handshake failed.
        """
        if data:
            self._receive(data)
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return
        self.is_established = True

    def decrypt(self, data: bytes = b"") -> bytes:
        """Return the content of received bytes. A failure is stored, because the content before it is valid."""
        if data:
            self._receive(data)
        pieces: list[bytes] = []
        try:
            while piece := self._object.read(_READ):
                pieces.append(piece)
            self.is_closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.is_closed = True
        except ssl.SSLError as error:
            self.is_closed, self.failure = True, error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def encrypt(self, data: bytes | memoryview) -> bytes:
        """Return the bytes to send for this content."""
        view = memoryview(data)
        while view:
            view = view[self._object.write(view) :]
        return self._outgoing.read()

    def take_output(self) -> bytes:
        """Return the bytes to send for the protocol itself."""
        return self._outgoing.read() if self._outgoing.pending else b""

    @property
    def has_unread(self) -> bool:
        """Whether received bytes, encrypted or decrypted, are left. They include the beginning of a record."""
        return bool(self._missing or self._partial or self._incoming.pending or self._object.pending())

    def _receive(self, data: bytes) -> None:
        """Store received bytes, and follow the limits of records. OpenSSL hides a record that it has read in part."""
        self._incoming.write(data)
        data = self._partial + data if self._partial else data
        end, size = self._missing, len(data)
        while end + _HEADER <= size:
            end += _HEADER + int.from_bytes(data[end + 3 : end + _HEADER], "big")
        self._missing = max(end - size, 0)
        self._partial = data[end:]
