# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer may be at most, before anything reads it: its size, and no XML that defines things.

Whoever answers on the way to Exchange is not always Exchange, and not always well.
"""

from __future__ import annotations

from typing import Any

import requests

from .._errors import UnexpectedReply

LARGEST_ANSWER = 16 * 2**20
"""Bytes of one HTTP answer, unpacked. WSMan answers keep to the MaxEnvelopeSize of the request, 150 KiB here."""

_PIECE = 64 * 2**10


class AnswerTooLarge(requests.RequestException):
    """The server sent more than any answer has."""


def read_within_limits(response: requests.Response, *_arguments: Any, **_more: Any) -> requests.Response:
    """Read an answer, up to what one may have. A hook of requests: it runs before anything else reads the answer."""
    pieces, size = [], 0
    for piece in response.iter_content(_PIECE):
        size += len(piece)
        if size > LARGEST_ANSWER:
            response.close()
            raise AnswerTooLarge(f"the server's answer has more than {LARGEST_ANSWER // 2**20} MiB", response=response)
        pieces.append(piece)
    response._content = b"".join(pieces)
    response.encoding = response.encoding or "utf-8"  # or requests would guess, which takes long
    return response


def refuse_definitions(xml: bytes) -> bytes:
    """Return XML that defines nothing. Raises UnexpectedReply for a document type, in which entities could be defined,
    and for what is not UTF-8 and could hide one. Neither SOAP nor CLIXML ever has any."""
    if b"<!" in xml or b"\x00" in xml:
        raise UnexpectedReply("The server sent XML with a declaration or in another encoding; it was not read.")
    return xml
