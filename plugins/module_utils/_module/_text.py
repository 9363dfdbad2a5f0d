# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that are text: plain ``str`` without Ansible's tags, and nothing that could not be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core._visible import visible
from .._errors import OptionError


def plain_text(value: str) -> str:
    """Return a plain ``str``: Ansible's own strings carry tags, and pypsrp looks at the type of what it sends."""
    return "".join(value)


def sendable(text: str) -> bool:
    """Control characters travel escaped (MS-PSRP 2.2.5.3.2); halves of surrogate pairs and non-characters cannot."""
    return not any("\ud800" <= ch <= "\udfff" or ch in "\ufffe\uffff" for ch in text)


def for_people(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result whose ``msg`` can be printed as it is, which Ansible does; the data in it stays as it came."""
    msg = result.get("msg")
    return {**result, "msg": visible(msg)} if isinstance(msg, str) else result


def text_option(params: Mapping[str, Any], name: str) -> str | None:
    """Return a text option. An empty one counts as not given: ``"{{ variable | default('') }}"``."""
    value = params[name]
    if not value:
        return None
    text = plain_text(value)
    if not sendable(text):
        # Not quoted: it may be a password.
        raise OptionError(f"{name} has a character that cannot be sent. Is it text in another encoding than UTF-8?")
    return text
