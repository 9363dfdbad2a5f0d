# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pypsrp leaves open where the messages themselves are encrypted, with the key of the login: over http://."""

from __future__ import annotations

from typing import Any

from .._errors import UnexpectedReply
from ._libraries import AuthenticationError, HTTPNegotiateAuth, WSMan, requests


class _LoginGone(AuthenticationError):
    """The server wants a login in place of a message: it has not read it."""

    def __init__(self) -> None:
        super().__init__(
            "the server forgot the login from one message to the next, as behind a load balancer that does not keep a "
            "connection with one server"
        )


def guard(wsman: WSMan, session: requests.Session) -> None:
    """Refuse answers that are readable, and log in anew where the connection that was logged in is gone.

    A login and its key belong to one TCP connection. Where the server has closed it between two messages, requests
    opens another one without a word; pypsrp would then log in with the old message, which the new key does not open.
    """
    if not isinstance(session.auth, HTTPNegotiateAuth):
        return
    auth: Any = session.auth
    transport: Any = wsman.transport
    log_in, send = auth.handle_401, transport.send

    def handle_401(response: requests.Response, **kwargs: Any) -> Any:
        if response.request.body:
            raise _LoginGone
        return log_in(response, **kwargs)

    def send_again(message: bytes, **kwargs: Any) -> Any:
        try:
            return send(message, **kwargs)
        except _LoginGone:
            transport.encryption = None
            return send(message, **kwargs)

    auth.handle_401, transport.send = handle_401, send_again
    session.hooks["response"].append(_refuse_what_is_readable)


def _refuse_what_is_readable(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
    """pypsrp would take an answer that is not encrypted, and anybody on the network can write such a one."""
    kind = response.headers.get("content-type", "")
    if kind.startswith(("multipart/encrypted", "multipart/x-multi-encrypted")) or not response.content:
        return
    if not response.ok and "soap" in kind:
        response._content = b""  # the status is told; what anybody may have written as the server's words is not
    if response.ok:
        raise UnexpectedReply("An answer came that is not encrypted, although the session is. It was not used.")
