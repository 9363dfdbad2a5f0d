# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which answer of a pipeline is whose: accepted only where nothing contradicts it."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._gateway._cas_mailbox import _answers_are_for
from ansible_collections.mailops.exchange.plugins.module_utils._session._protocol import Answer, ErrorRecord


def record(name: str) -> dict[str, object]:
    return {"Guid": f"guid-of-{name}", "Name": name, "PrimarySmtpAddress": f"{name}@contoso.com"}


def missing(name: str) -> ErrorRecord:
    return ErrorRecord(
        f"The operation couldn't be performed because object '{name}' couldn't be found on 'DC01.contoso.com'."
    )


@pytest.mark.parametrize(
    ("identities", "answers", "certain"),
    [
        (["a", "b"], [record("a"), record("b")], True),
        (["a", "b"], [record("a")], False),
        (["a", "b"], [record("b"), record("a")], False),
        (["a@contoso.com", "b"], [record("a"), record("b")], True),
        (["b@contoso.com", "x"], [record("a"), record("b")], False),
        (["GUID-OF-A", "b"], [record("a"), record("b")], True),
        (["alias-of-a", "b"], [record("a"), record("b")], True),
        (["john", "john.smith"], [record("john"), missing("john.smith")], True),
        (["john", "john.smith"], [missing("john.smith"), record("john")], False),
        (["john", "john.smith"], [missing("john"), record("john.smith")], True),
        (["on", "b"], [missing("b"), record("b")], False),
        (["a", "b"], [missing("a"), missing("b")], True),
        (["a", "b"], [ErrorRecord("The directory is busy."), record("b")], False),
    ],
)
def test_answers_are_taken_only_where_nothing_contradicts(
    identities: list[str], answers: list[Answer], certain: bool
) -> None:
    assert _answers_are_for(identities, answers) is certain
