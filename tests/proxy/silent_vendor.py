"""A vendor on a raw socket that answers nothing, or part of an answer, and notices when its client leaves."""

from __future__ import annotations

import socket
import threading
from typing import Self

from attrs import define, field


@define
class Connection:
    """One request as the vendor saw it.

    Attributes:
        head: Its head.
        left: Set when the client closed the connection.
    """

    head: bytes
    left: threading.Event = field(factory=threading.Event)


class SilentVendor:
    """Sends :attr:`answer` and then nothing more. A context manager.

    Attributes:
        answer: Bytes after the whole request, empty for none.
        cut: Whether the vendor closes the connection after the answer.
        connections: Requests so far.
    """

    def __init__(self) -> None:
        self.answer, self.cut = b"", False
        self.connections: list[Connection] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            received = b""
            while b"\r\n\r\n" not in received:
                piece = sock.recv(65536)
                if not piece:
                    return
                received += piece
            connection = Connection(received.partition(b"\r\n\r\n")[0])
            self.connections.append(connection)
            if self.answer:
                sock.sendall(self.answer)
            if self.cut:
                return
            try:
                while sock.recv(65536):
                    pass
            except OSError:
                pass
            connection.left.set()
