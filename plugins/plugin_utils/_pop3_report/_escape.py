# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that came from Exchange, made safe for where it goes: HTML, the page's JSON block, a cell of a spreadsheet."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re

from ._model import ReportError

_IN_JSON_BLOCK = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
# At the beginning of a cell, also of one that only a spreadsheet sees which separates with semicolons or tabs, as many
# do outside of English. The last four are the wide forms of the first.
_RUN_BY_SPREADSHEETS = re.compile('((?:^|[;\t\r\n])"*)(?=[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-])')


def readable(value: str) -> str:
    """Return text that can be written as UTF-8: halves of surrogate pairs cannot, and NUL ends HTML's patience."""
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" or char == "\0" else char for char in value)


def escaped(value: str) -> str:
    """Return text for HTML, between tags and in attributes."""
    return html.escape(readable(value), quote=True)


def isolated(value: str) -> str:
    """Return text for HTML whose direction of writing does not spill over: names may be written from right to left."""
    return f"<bdi>{escaped(value)}</bdi>"


def breakable(value: str) -> str:
    """Return an address or a path for HTML: a long one is broken after a slash rather than anywhere."""
    return isolated(value).replace("</bdi>", "").replace("/", "/<wbr>") + "</bdi>"


def json_block(value: object) -> str:
    """Return JSON that can stand in a script element: nothing in it can end the element or begin a comment."""
    return readable(json.dumps(value, ensure_ascii=False, separators=(",", ":"))).translate(_IN_JSON_BLOCK)


def csv_cell(value: str) -> str:
    """Return a cell that no spreadsheet runs as a formula: an apostrophe comes before what would begin as one."""
    return _RUN_BY_SPREADSHEETS.sub(r"\1'", readable(value))


def raw_text(name: str, content: str) -> str:
    """Return CSS or JavaScript for a style or script element. Its line ends are those that browsers hash."""
    content = "".join(content).replace("\r\n", "\n").replace("\r", "\n")
    if "</" + name in content.lower() or "<!--" in content:
        raise ReportError(f"The {name} of the page holds '</{name}' or '<!--', which would end it early.")
    return content


def csp_hash(content: str) -> str:
    """Return the source expression by which a Content-Security-Policy allows exactly this content."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
