# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mailbox as POP3 sees it (RFC 1939): the messages at the time of the login, and the marks of one session."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

SAMPLE_MESSAGE = (
    b"From: Administrator <administrator@contoso.com>\r\n"
    b"Subject: Welcome\r\n"
    b"Message-ID: <welcome@contoso.com>\r\n"
    b"\r\n"
    b"POP3 works.\r\n"
    b".A line that begins with a full stop.\r\n"
)


@dataclass
class Maildrop:
    """The messages of one mailbox, in their order. QUIT removes what a session deleted."""

    messages: list[bytes] = field(default_factory=lambda: [SAMPLE_MESSAGE])


class NoSuchMessage(Exception):
    """The number is not one of a message of this session."""


class MaildropSession:
    """The transaction state of one POP3 session. Every method gives the text after ``+OK`` or raises NoSuchMessage."""

    def __init__(self, maildrop: Maildrop) -> None:
        """Look at the messages as they are now; later ones are for the next session."""
        self._maildrop = maildrop
        self._messages = list(maildrop.messages)
        self._deleted: set[int] = set()

    def stat(self) -> str:
        """Count and size of all messages."""
        kept = self._kept()
        return f" {len(kept)} {sum(len(message) for _unused, message in kept)}"

    def listing(self, number: str | None) -> str:
        """Sizes: of one message, or of all in several lines."""
        if number is not None:
            return f" {number} {len(self._message(number))}"
        return self._lines(f" {self.stat()[1:]}", [f"{index} {len(message)}" for index, message in self._kept()])

    def uidl(self, number: str | None) -> str:
        """Unique ids: of one message, or of all in several lines."""
        if number is not None:
            return f" {number} {_unique_id(self._message(number))}"
        return self._lines("", [f"{index} {_unique_id(message)}" for index, message in self._kept()])

    def retr(self, number: str) -> str:
        """One message."""
        return self._lines("", _text_lines(self._message(number)))

    def top(self, number: str, count: str) -> str:
        """The header and the first lines of one message."""
        lines = _text_lines(self._message(number))
        end = lines.index("") + 1 if "" in lines else len(lines)
        return self._lines("", lines[: end + int(count)])

    def dele(self, number: str) -> str:
        """Mark one message as deleted."""
        self._message(number)
        self._deleted.add(int(number))
        return ""

    def rset(self) -> str:
        """Take all marks back."""
        self._deleted.clear()
        return ""

    def commit(self) -> None:
        """Remove what is marked: the update state."""
        for number in self._deleted:
            message = self._messages[number - 1]
            if message in self._maildrop.messages:
                self._maildrop.messages.remove(message)

    def _kept(self) -> list[tuple[int, bytes]]:
        return [(index, one) for index, one in enumerate(self._messages, 1) if index not in self._deleted]

    def _message(self, number: str) -> bytes:
        if not number.isdigit() or not 0 < int(number) <= len(self._messages) or int(number) in self._deleted:
            raise NoSuchMessage
        return self._messages[int(number) - 1]

    @staticmethod
    def _lines(first: str, lines: list[str]) -> str:
        stuffed = [f".{line}" if line.startswith(".") else line for line in lines]
        return "\r\n".join([first, *stuffed, "."])


def _text_lines(message: bytes) -> list[str]:
    return message.decode("latin-1").removesuffix("\r\n").split("\r\n")


def _unique_id(message: bytes) -> str:
    return f"{zlib.crc32(message):08x}"
