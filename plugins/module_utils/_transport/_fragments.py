# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the fragments of a Receive to messages: pypsrp's way, but objects that a cmdlet wrote stay the bytes they are.

They are by far the most, and ``_clixml`` reads them. Formats: [MS-PSRP] 2.2.1 (message) and 2.2.4 (fragment).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .._errors import UnexpectedReply
from ._libraries import Fragmenter, Message, MessageType
from ._limits import refuse_definitions

_HEADER = struct.Struct(">QQBI")
_START, _END = 1, 2
_KEPT_WITH_EACH = 300
"""Bytes of memory, about, that a piece takes beside what is in it."""

_MESSAGE_HEADER = 40
_BOM = b"\xef\xbb\xbf"
_LARGEST = 64 * 2**20
"""Bytes of all messages that are not whole yet, at most; a mailbox has some thousand."""


@dataclass(frozen=True, slots=True)
class RawOutput:
    """A message with one object that a cmdlet wrote; ``xml`` is its CLIXML in UTF-8."""

    xml: bytes
    message_type: int = MessageType.PIPELINE_OUTPUT


class RawFragmenter(Fragmenter):
    """pypsrp's fragmenter for what is sent, and our own reading of what is received."""

    _waiting = 0

    def defragment(self, data: bytes) -> list[Message | RawOutput]:  # type: ignore[override]
        """Return the messages that are whole now; what is not is kept for the next time."""
        messages = []
        offset = 0
        while offset < len(data):
            if offset + _HEADER.size > len(data):
                raise UnexpectedReply("Exchange sent a fragment that is cut off.")
            object_id, _number, flags, length = _HEADER.unpack_from(data, offset)
            offset += _HEADER.size
            piece = data[offset : offset + length]
            if len(piece) < length:
                raise UnexpectedReply("Exchange sent a fragment that is cut off.")
            offset += length
            whole = self._joined(object_id, flags, piece)
            if whole is not None:
                messages.append(self._message(whole))
        return messages

    def _joined(self, object_id: int, flags: int, piece: bytes) -> bytes | None:
        if flags & _START and flags & _END:
            return piece
        parts: list[bytes] = self.incoming_buffer.setdefault(object_id, {"parts": []})["parts"]
        if bool(flags & _START) == bool(parts):
            raise UnexpectedReply("Exchange sent fragments out of order.")
        parts.append(piece)
        self._waiting += len(piece) + _KEPT_WITH_EACH
        if self._waiting > _LARGEST:
            raise UnexpectedReply(f"Exchange sent an object of more than {_LARGEST} bytes.")
        if not flags & _END:
            return None
        del self.incoming_buffer[object_id]
        whole = b"".join(parts)
        self._waiting -= len(whole) + len(parts) * _KEPT_WITH_EACH
        return whole

    def _message(self, data: bytes) -> Message | RawOutput:
        if len(data) < _MESSAGE_HEADER:
            raise UnexpectedReply("Exchange sent a message that is cut off.")
        (message_type,) = struct.unpack_from("<I", data, 4)
        if message_type != MessageType.PIPELINE_OUTPUT:
            refuse_definitions(data[_MESSAGE_HEADER:])
            return Message.unpack(data, self.serializer)
        start = _MESSAGE_HEADER + len(_BOM) if data.startswith(_BOM, _MESSAGE_HEADER) else _MESSAGE_HEADER
        return RawOutput(data[start:])
