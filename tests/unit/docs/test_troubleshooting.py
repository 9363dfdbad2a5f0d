# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page that is sorted by the texts of errors: the code says these texts, and no others are promised."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypsrp.exceptions import WinRMTransportError, WSManFaultError

from ansible_collections.mailops.exchange.plugins.module_utils._transport._diagnosis import diagnose
from ansible_collections.mailops.exchange.plugins.module_utils._transport._endpoint import ConnectionUri, Endpoint

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
SHIPPED = ("plugins", "roles", "playbooks")
ENDPOINT = Endpoint(ConnectionUri.parse("http://mbx01.contoso.com/PowerShell/"))


def texts_of_python(path: Path) -> Iterator[str]:
    """Every text in a file as one line, with … where a value is put in."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def texts() -> list[str]:
    """What the product can say, as far as it is written in one place."""
    found: list[str] = []
    for folder in SHIPPED:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix == ".py":
                found += texts_of_python(path)
            elif path.suffix in (".yml", ".j2"):
                found.append(re.sub(r"\{\{.*?\}\}", "…", path.read_text("utf-8"), flags=re.DOTALL))
    return [" ".join(text.split()) for text in found if " " in text]


TEXTS = texts()


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def rows(title: str) -> list[str]:
    """The first column of a section's table, below its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    return [re.split(r"(?<!\\\\) \| ", line.removeprefix("| "))[0] for line in lines[1:]]


QUOTED = sorted(
    {
        quote
        for title in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
        if title not in ("Kerberos", "No error, and yet")
        for row in rows(title)
        for quote in re.findall(r"`([^`]+)`", row)
    }
    | set(re.findall(r"`([A-Z…][^`]+ [^`]+[.…])`", PAGE))
)


@pytest.mark.parametrize("quote", QUOTED)
def test_the_product_says_what_is_quoted(quote: str) -> None:
    """Word for word, in one text of the source, a value at each …; more may stand before and behind."""
    parts = [re.escape(part.strip()) for part in quote.strip("…").split("…")]
    pattern = re.compile(r"\W*…\W*".join(parts))
    assert any(pattern.search(text) for text in TEXTS)


def test_enough_is_quoted() -> None:
    assert len(QUOTED) > 50


@pytest.mark.parametrize("title", re.findall(r"^## (.+)$", PAGE, re.MULTILINE))
def test_every_row_has_a_text_to_look_for(title: str) -> None:
    assert rows(title)
    if title not in ("Kerberos", "No error, and yet"):
        assert [row for row in rows(title) if "`" not in row] == []


class Krb5Error(Exception):
    """What the library krb5 raises; its codes begin at ERROR_TABLE_BASE_krb5."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(f"Major (851968): Unspecified GSS failure., Minor ({code}): {text}")
        self.err_code = code - 1765328384


# What a row is about, by the code of RFC 4120 or MIT's library; the first words of the row.
KERBEROS = {
    "No Kerberos credentials available": 195,
    "Ticket expired": 32,
    "Clock skew too great": 37,
    "Server http/": 7,
    "Server krbtgt/": 7,
    'Cannot find KDC for realm "contoso.com"': 154,
    'Cannot find KDC for realm "CONTOSO.COM"': 154,
    "Cannot contact any KDC": 156,
    "Preauthentication failed": 24,
    "Client …": 6,
    "Client's credentials": 18,
    "Password has expired": 23,
}


@pytest.mark.parametrize(("words", "code"), KERBEROS.items())
def test_a_row_of_kerberos_advises_what_the_message_advises(words: str, code: int) -> None:
    (line,) = [line for line in section("Kerberos").splitlines() if line.startswith(f"| {words}")]
    said, _why, advised = re.split(r"\s*\|\s*", line)[1:4]
    user = "popadmin@contoso.com" if "contoso.com" in words else "popadmin@CONTOSO.COM"
    endpoint = Endpoint(ConnectionUri.parse("http://mbx01.contoso.com/PowerShell/"), username=user)
    message = str(diagnose(Krb5Error(said.split("; ")[0], code), endpoint))
    assert message.startswith("Kerberos says: ")
    assert [code for code in re.findall(r"`([^`]+)`", advised) if code not in message] == []


def test_every_row_of_kerberos_is_tried() -> None:
    assert len(rows("Kerberos")) == len(KERBEROS)


@pytest.mark.parametrize(
    ("error", "quote"),
    [
        (WinRMTransportError("http", code, ""), f"The server answered with HTTP status` {code}")
        for code in (400, 403, 404, 503)
    ]
    + [
        (WSManFaultError(code, "mbx01", "Denied.", "", "", ""), f"The server answered with WSMan fault` {code} ")
        for code in (5, 2150858811)
    ],
)
def test_a_number_in_a_row_has_words_of_its_own(error: Exception, quote: str) -> None:
    """The number is in the message, and behind it stands what to do: for another number, other words."""
    (row,) = [line for line in section("The way to Exchange").splitlines() if quote in line + " "]
    diagnosis = diagnose(error, ENDPOINT)
    assert quote.replace("`", "").strip() in diagnosis.came_back
    assert diagnosis.check
    assert row
