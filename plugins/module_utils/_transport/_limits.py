# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer may be at most, before anything reads it: its size, and no XML that defines things.

Whoever answers on the way to Exchange is not always Exchange, and not always well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from http.client import UNAUTHORIZED
from typing import Any

from .._errors import UnexpectedReply
from ._endpoint import Login
from ._libraries import AuthenticationError, requests, spnego, urllib3

LARGEST_ANSWER = 16 * 2**20
"""Bytes of one HTTP answer, unpacked. WSMan answers keep to the MaxEnvelopeSize of the request, 150 KiB here."""

_PIECE = 64 * 2**10


class AnswerTooLarge(requests.RequestException):
    """The server sent more than any answer has."""


class Guard:
    """Stands between pypsrp and the wire: what goes out is allowed to, and what comes in is bounded.

    ``every_request_logs_in``: there is no login that lasts, as there is none with Basic.
    ``deadline`` is a time of ``time.monotonic()`` after which nothing is sent any more: pypsrp would go on asking for
    as long as a server that opens a session goes on answering with nothing.
    """

    def __init__(self, login: Login, longest: float, *, every_request_logs_in: bool) -> None:
        self._login = login
        self._longest = longest
        self._every_request_logs_in = every_request_logs_in
        self._is_in = False
        """This very connection has logged in, so that what is sent over it does not log in once more."""
        self.deadline: float | None = None

    def around(self, send: Callable[..., bytes]) -> Callable[..., bytes]:
        """Return pypsrp's ``send`` with what has to be looked at before and after."""

        def guarded(*args: Any, **more: Any) -> bytes:
            if self._login.refused and not self._is_in:
                raise AuthenticationError("this login was refused before, and is not tried again")
            if self.deadline is not None and time.monotonic() > self.deadline:
                raise TimeoutError("the session was not open in time")
            try:
                return refuse_definitions(send(*args, **more))
            except (AuthenticationError, spnego.exceptions.SpnegoError):
                self._login.refused = True
                self._is_in = False
                raise

        return guarded

    def read(self, response: requests.Response, *_arguments: Any, **_more: Any) -> requests.Response:
        """Read an answer, up to what one may have. A hook of requests: it runs before anything else reads it."""
        if response.status_code != UNAUTHORIZED:
            self._login.accepted = True
            self._is_in = not self._every_request_logs_in
        if "," in response.headers.get("Content-Encoding", ""):
            raise AnswerTooLarge("the server's answer is compressed more than once", response=response)
        pieces, size, end = [], 0, time.monotonic() + self._longest
        for piece in _pieces(response):
            size += len(piece)
            if time.monotonic() > end:
                response.close()
                raise requests.ReadTimeout(f"the answer took longer than {self._longest:g} seconds to arrive")
            if size > LARGEST_ANSWER:
                response.close()
                raise AnswerTooLarge(
                    f"the server's answer has more than {LARGEST_ANSWER // 2**20} MiB", response=response
                )
            pieces.append(piece)
        response._content = b"".join(pieces)
        response.encoding = response.encoding or "utf-8"  # or requests would guess, which takes long
        return response


def _pieces(response: requests.Response) -> Iterator[bytes]:
    """Hand over an answer as it arrives, so that somebody can look at the clock: a byte now and then is no silence."""
    read = getattr(response.raw, "read1", None)
    if read is None:  # an older urllib3 waits until it has a whole piece
        yield from response.iter_content(_PIECE)
        return
    try:
        while piece := read(_PIECE, decode_content=True):
            yield piece
    except urllib3.exceptions.HTTPError as exc:  # as requests itself would say it
        raise requests.ConnectionError(exc) from exc


def refuse_definitions(xml: bytes) -> bytes:
    """Return XML that defines nothing. Raises UnexpectedReply for a document type, in which entities could be defined,
    and for what is not UTF-8 and could hide one. Neither SOAP nor CLIXML ever has any."""
    if b"<!" in xml or b"\x00" in xml:
        raise UnexpectedReply("The server sent XML with a declaration or in another encoding; it was not read.")
    return xml
