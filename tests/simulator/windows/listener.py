# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP listener that a service can open and close: one thread a connection, and none left after ``close``.

The port is chosen at the first opening and kept, so a service that restarts comes back at the same place. While it is
closed the port stays bound but refuses connections: nobody else on the machine can take it, and clients see what they
would see of a stopped service.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
from collections.abc import Callable


class Listener:
    """One listening port. ``serve`` gets each connection in a thread of its own."""

    def __init__(self, serve: Callable[[socket.socket], None], address: str, port: int = 0) -> None:
        """Reserve the port; a port of 0 takes a free one."""
        self._serve = serve
        self.address = address
        self._socket = self._bound(port)
        self.port: int = self._socket.getsockname()[1]
        self._lock = threading.Lock()
        self._wake: tuple[socket.socket, socket.socket] | None = None
        self._accepting: threading.Thread | None = None
        self._connections: dict[threading.Thread, socket.socket] = {}

    @property
    def is_open(self) -> bool:
        """Whether connections are accepted."""
        return self._accepting is not None

    def open(self) -> None:
        """Accept connections."""
        if self._accepting is not None:
            return
        self._socket.listen(64)
        self._wake = socket.socketpair()
        self._accepting = threading.Thread(
            target=self._accept, args=(self._socket, self._wake[1]), name=f"accept-{self.port}", daemon=True
        )
        self._accepting.start()

    def close(self) -> None:
        """Refuse connections and drop those that are open; the port stays reserved."""
        if self._accepting is None or self._wake is None:
            return
        self._wake[0].send(b"x")
        self._accepting.join()
        for end in self._wake:
            end.close()
        self._accepting, self._wake = None, None
        self._socket.close()
        self._drop_connections()
        self._socket = self._bound(self.port)

    def release(self) -> None:
        """Close for good and give the port back."""
        self.close()
        self._socket.close()

    def secure(self, sock: socket.socket, tls: ssl.SSLContext) -> ssl.SSLSocket:
        """Go on over TLS. The handshake comes second, so that ``close`` can end it: wrapping empties the old socket."""
        secure = tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._connections[threading.current_thread()] = secure
        if not self.is_open:
            _hang_up(secure)
        secure.do_handshake()
        return secure

    def _bound(self, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self.address, port))
        except OSError:
            sock.close()
            raise
        return sock

    def _accept(self, listening: socket.socket, wake: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(listening, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            while True:
                if wake in {key.fileobj for key, _unused in selector.select()}:
                    return
                with contextlib.suppress(OSError):
                    self._welcome(listening.accept()[0])

    def _welcome(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(target=self._converse, args=(sock,), name=f"serve-{self.port}", daemon=True)
        with self._lock:
            self._connections[thread] = sock
        thread.start()

    def _converse(self, sock: socket.socket) -> None:
        try:
            self._serve(sock)
        except OSError:
            pass  # the client hung up, or close() hung up on it
        finally:
            with self._lock:
                current = self._connections.pop(threading.current_thread(), sock)
            current.close()

    def _drop_connections(self) -> None:
        with self._lock:
            connections = dict(self._connections)
        for sock in connections.values():
            _hang_up(sock)
        for thread in connections:
            thread.join()


def _hang_up(sock: socket.socket) -> None:
    """Wake the thread that reads. The plain socket's method: the one of TLS sockets is not safe beside that thread."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
