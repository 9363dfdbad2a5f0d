# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what exchange_pop3_access_info returned to a report: each mailbox once, with its verdict.

A mailbox is known by its GUID and never by its name: which mailbox a declared identity means is for Exchange to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from ._model import About, Report, ReportError, Row, Settings, Unresolved, Verdict
from ._plain import mapping, sequence, text, truth

_UNRESOLVED_REASONS = frozenset({"not_found", "ambiguous"})


def build(
    mailboxes: object,
    about: About,
    *,
    declared: object = None,
    declared_mailboxes: object = (),
    failures: object = (),
) -> Report:
    """Return the report.

    ``mailboxes`` are those of the scope. ``declared`` are the identities that are meant to have POP3, or ``None`` where
    nobody said so; ``declared_mailboxes`` and ``failures`` are what Exchange answered when it was asked for them.

    Raises ReportError where an answer is missing: a mailbox that could not be read must not be taken for one that is
    not declared.
    """
    rows = _by_guid(mailboxes)
    if declared is None:
        return Report(about, tuple(rows.values()))
    identities = sequence(declared, "declared")
    found = sequence(declared_mailboxes, "declared_mailboxes")
    unresolved = tuple(_unresolved(item) for item in sequence(failures, "failures"))
    _check_answers(identities, found, unresolved)
    declared_rows = _by_guid(found)
    for guid, names in _names_of(found).items():
        row = rows.get(guid) or replace(declared_rows[guid], in_scope=False)
        rows[guid] = replace(row, declared_as=names)
    judged = tuple(replace(row, verdict=_verdict(row)) for row in rows.values())
    return Report(about, judged, len(identities), unresolved)


def _verdict(row: Row) -> Verdict:
    if row.pop_enabled == bool(row.declared_as):
        return Verdict.AS_DECLARED
    return Verdict.UNEXPECTED if row.pop_enabled else Verdict.MISSING


def _by_guid(mailboxes: object) -> dict[str, Row]:
    rows = (row_from(mapping(item, "a mailbox")) for item in sequence(mailboxes, "mailboxes"))
    return {row.guid: row for row in rows}


def _names_of(found: Sequence[object]) -> dict[str, tuple[str, ...]]:
    """Return under which names each mailbox is declared: two names for one mailbox are one row."""
    names: dict[str, tuple[str, ...]] = {}
    for item in found:
        mailbox = mapping(item, "a declared mailbox")
        guid, identity = text(mailbox, "guid"), text(mailbox, "identity")
        known = names.get(guid, ())
        names[guid] = known if identity in known else (*known, identity)
    return names


def _check_answers(identities: Sequence[object], found: Sequence[object], unresolved: Iterable[Unresolved]) -> None:
    unread = [item for item in unresolved if item.reason not in _UNRESOLVED_REASONS]
    if unread:
        raise ReportError(
            f"'{unread[0].identity}' is declared and could not be read, so no report can be made: {unread[0].msg}"
        )
    answers = len(found) + len(list(unresolved))
    if answers != len(identities):
        raise ReportError(
            f"{len(identities)} identities are declared and Exchange answered for {answers} of them, so no report can "
            "be made. Ask for all of them with exchange_pop3_access_info and give its mailboxes and its failures."
        )


def row_from(mailbox: Mapping[str, Any]) -> Row:
    """Read a mailbox; what a list says of it comes later. Raises ReportError."""
    return Row(
        guid=text(mailbox, "guid"),
        name=text(mailbox, "name"),
        primary_smtp_address=text(mailbox, "primary_smtp_address"),
        server=text(mailbox, "server"),
        organizational_unit=text(mailbox, "organizational_unit"),
        pop_enabled=truth(mailbox, "pop_enabled"),
        settings=settings_from(mailbox),
    )


def settings_from(mailbox: Mapping[str, Any]) -> Settings:
    """Read the settings of a mailbox; those that are absent are ``None``."""
    given = {field.name: mailbox.get(field.name) for field in fields(Settings)}
    mime_format = given.pop("pop_messages_retrieval_mime_format")
    return Settings(
        pop_messages_retrieval_mime_format=None if mime_format is None else "".join(mime_format),
        **{name: None if value is None else bool(value) for name, value in given.items()},
    )


def _unresolved(item: object) -> Unresolved:
    failure = mapping(item, "a failure")
    return Unresolved(text(failure, "identity"), text(failure, "reason"), text(failure, "msg"))
