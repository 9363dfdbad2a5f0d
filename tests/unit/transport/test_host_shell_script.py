# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PowerShell of host_shell is never run here; so it is read: it parses, and there is no text in it that would be
read as PowerShell."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from ansible_collections.mailops.exchange.plugins.module_utils._transport._host_shell import SCRIPT
from simulator.windows.modules import host_shell

TEXT = SCRIPT.read_text("utf-8")
PARSER = Parser(Language(tree_sitter_powershell.language()))

# What PowerShell 7 has and Windows PowerShell 5.1 cannot even parse, and cmdlets that take text for code.
NEWER = {"ternary": r"\s\?\s.*\s:\s", "null-coalescing": r"\?\?", "null-conditional": r"\?\.", "chains": r"&&|\|\|"}
TEXT_AS_CODE = ("invoke-expression", "iex", "addscript", "scriptblock", "add-pssnapin", "import-pssession", "add-type")


def nodes(text: str) -> Iterator[Node]:
    waiting = [PARSER.parse(text.encode()).root_node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.children


def code(text: str) -> str:
    """Without comments and without texts in single quotes."""
    return re.sub(r"'[^']*'", "''", re.sub(r"(?m)#.*$", "", text))


def test_it_parses() -> None:
    wrong = [(node.start_point.row + 1, node.type) for node in nodes(TEXT) if node.is_error or node.is_missing]
    assert wrong == []


@pytest.mark.parametrize("broken", ["function {", "if ($true) { 'never closed'", "param ( [string $x )"])
def test_what_does_not_parse_would_be_seen(broken: str) -> None:
    assert any(node.is_error or node.is_missing for node in nodes(broken))


def test_no_text_is_code() -> None:
    """No string in which something is expanded, and nothing that would read a text as PowerShell."""
    kinds = Counter(node.type for node in nodes(TEXT))
    assert not [kind for kind in kinds if "expandable" in kind]
    assert not [word for word in TEXT_AS_CODE if word in code(TEXT).lower()]
    assert '"' not in code(TEXT)
    assert "& $" not in code(TEXT)


@pytest.mark.parametrize("name", sorted(NEWER))
def test_windows_powershell_can_read_it(name: str) -> None:
    assert not re.search(NEWER[name], code(TEXT))
    assert TEXT.isascii()  # 5.1 takes a file without a mark for the ANSI code page


def test_what_kind_of_failure_it_was_is_asked_of_the_exception_itself() -> None:
    """An ErrorRecord that an exception carries has a stand-in for it (PowerShell: ParentContainsErrorRecordException),
    which is of none of these types; so a broken connection would pass for an answer of Exchange."""
    asked = re.findall(r"(\$\w+) -is \[System\.Management\.Automation\.Remoting\.PSRemoting", TEXT)
    assert len(asked) == 3
    assert set(asked) == {"$cause", "$Exception"}


def test_check_mode_runs_it() -> None:
    """win_powershell skips a script in check mode unless it says this."""
    assert "[CmdletBinding(SupportsShouldProcess)]" in TEXT


def test_its_parameters_are_those_of_the_contract() -> None:
    block = TEXT[TEXT.index("param (") : TEXT.index("Set-StrictMode")]
    assert set(re.findall(r"\] \$(\w+)", block)) == host_shell._NAMES


def test_the_contract_was_read_beside_this_script() -> None:
    """If this fails: read what tests/simulator/windows/modules/host_shell.py does in its place, and note the digest."""
    assert hashlib.sha256(TEXT.encode()).hexdigest() == host_shell.SCRIPT_DIGEST
