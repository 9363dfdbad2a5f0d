# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""exchange_pop3_greeting against services that greet, lie, drip, or are not there. Real sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._errors import OptionError
from ansible_collections.mailops.exchange.plugins.module_utils._module._definition import Say
from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_greeting import run


@contextlib.contextmanager
def service(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Listen, and treat every connection as ``serve`` does."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)

        def accept() -> None:
            while not stop.is_set():
                with contextlib.suppress(OSError):
                    connection, _address = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        stop.set()
        thread.join()


def look(**options: Any) -> dict[str, Any]:
    defaults = {
        "host": "127.0.0.1",
        "tls": False,
        "validate_certs": True,
        "ca_cert": None,
        "timeout": 1,
        "stable_for": 0,
    }
    return run({**defaults, **options}, check_mode=False, say=Say(lambda _text: None))


def test_a_service_that_greets() -> None:
    with service(lambda connection: connection.sendall(b"+OK ready.\r\n")) as port:
        got = look(port=port)
    assert got["greeting"] == "ready."
    assert "failed" not in got


@pytest.mark.parametrize(
    ("serve", "says"),
    [
        (lambda connection: connection.sendall(b"-ERR busy\r\n"), "answered '-ERR busy' instead of +OK"),
        (lambda connection: connection.close(), "closed the connection without a greeting"),
        (lambda connection: connection.sendall(b"x" * 5000), "instead of +OK"),
        (lambda _connection: time.sleep(1.5), "no greeting came in time. Does this port want TLS at once?"),
    ],
)
def test_a_service_that_does_not_greet(serve: Callable[[socket.socket], None], says: str) -> None:
    with service(serve) as port:
        got = look(port=port)
    assert got["failed"]
    assert says in got["msg"]


def test_a_service_that_drips_does_not_hold_the_task() -> None:
    def drip(connection: socket.socket) -> None:
        for letter in b"+OK this will take very long indeed":
            connection.sendall(bytes([letter]))
            time.sleep(0.2)

    with service(drip) as port:
        got = look(port=port)
    assert "no greeting came in time" in got["msg"]


def test_a_service_that_greets_once_is_not_stable() -> None:
    greeted: list[bool] = []

    def once(connection: socket.socket) -> None:
        connection.sendall(b"-ERR gone\r\n" if greeted else b"+OK ready.\r\n")
        greeted.append(True)

    with service(once) as port:
        got = look(port=port, stable_for=1)
    assert "greeted, and did not any more 1 seconds later" in got["msg"]


def test_nothing_listens_and_no_such_host() -> None:
    assert "nothing listens there" in look(port=9)["msg"]
    assert "is no host name" in look(host="a..b", port=9)["msg"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"host": None, "port": 995}, "host is needed"),
        ({"port": 0}, "port is a number from 1 to 65535"),
        ({"port": 995, "timeout": 0}, "timeout is a number of seconds"),
        ({"port": 995, "tls": True, "ca_cert": "/no/such.pem"}, "ca_cert: /no/such.pem cannot be used"),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        look(**options)
