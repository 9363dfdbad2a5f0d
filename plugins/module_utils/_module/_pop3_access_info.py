# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of exchange_pop3_access_info: look, and say who may read mail over POP3 and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._core._mailbox import Failure, Finding, Mailbox, Reason
from .._core._report import failure_dict, mailbox_dict, settings_dict
from .._errors import ExchangeError, OptionError
from .._session._host import HostShell
from .._session._interrupt import TimedOut
from ._changing import ENDED
from ._definition import Result, Say
from ._exchange import Exchange, connection_from, exchange_module
from ._identities import check_identities, identities_from
from ._targets import Selection, is_listed, selection_from


def run(params: Mapping[str, Any], *, check_mode: bool, say: Say, host: HostShell | None = None) -> Result:
    """Read the mailboxes. Nothing is changed, so check mode is the same."""
    del check_mode
    identities, selection = _what(params)
    connection = connection_from(params, host)
    uri = connection.endpoint.uri
    look = _Look(identities, params["state"], None if uri is None else str(uri))
    try:
        with connection.open(say) as exchange:
            look.at(exchange, selection)
    except (ExchangeError, TimedOut) as exc:
        return look.result() | {"failed": True, "msg": str(exc)}
    return look.result()


class _Look:
    """What was found so far, so that an error loses nothing."""

    def __init__(self, identities: list[str], state: str, asked: str | None) -> None:
        self._asked = asked
        self._identities = identities
        self._state = state
        self._findings: dict[str, Finding] = {}
        self._selected: list[Mailbox] = []

    def at(self, exchange: Exchange, selection: Selection | None) -> None:
        """Read what is listed, or what is selected."""
        if selection is None:
            exchange.progress.begin("looked up", len(self._identities))
            exchange.reading.find(self._identities, self._findings, settled=lambda _mailbox: True)
            return
        exchange.progress.begin("read", None)

        def take(mailbox: Mailbox) -> None:
            self._selected.append(mailbox)
            exchange.progress.advance()

        exchange.mailboxes.select(selection.filter, selection.organizational_unit, take, self._selected.clear)

    def result(self) -> Result:
        """Return the result in Ansible's form. Each identity is in it, as a mailbox or as a failure."""
        unseen = Failure(Reason.ERROR, f"Not looked at: {ENDED}")
        findings = [(identity, self._findings.get(identity, unseen)) for identity in self._identities]
        found = [(identity, finding) for identity, finding in findings if isinstance(finding, Mailbox)]
        failures = [(identity, finding) for identity, finding in findings if isinstance(finding, Failure)]
        result = self._mailboxes([*found, *((m.primary_smtp_address or str(m.guid), m) for m in self._selected)])
        result["failures"] = [failure_dict(identity, failure) for identity, failure in failures]
        if failures:
            number = f"{len(failures)} of {len(findings)} mailboxes could not be read."
            result |= {"failed": True, "msg": " ".join([number, *(failure.msg for _identity, failure in failures[:3])])}
        return result

    def _mailboxes(self, found: Iterable[tuple[str, Mailbox]]) -> Result:
        counts = {"total": 0, "enabled": 0, "disabled": 0}
        lines = []
        for identity, mailbox in found:
            state = "enabled" if mailbox.settings.pop_enabled else "disabled"
            counts["total"] += 1
            counts[state] += 1
            if self._state in ("any", state):
                lines.append(line_of(identity, mailbox))
        return {"changed": False, "connection_uri": self._asked, "mailboxes": lines, "counts": counts}


def line_of(identity: str, mailbox: Mailbox) -> dict[str, Any]:
    """Return what the result says of a mailbox."""
    return {
        "identity": identity,
        **mailbox_dict(mailbox),
        "organizational_unit": mailbox.organizational_unit,
        **settings_dict(mailbox.settings),
    }


def _what(params: Mapping[str, Any]) -> tuple[list[str], Selection | None]:
    selection = selection_from(params)
    if not is_listed(params):
        return [], selection
    if selection.filter or selection.organizational_unit:
        raise OptionError("filter and organizational_unit select mailboxes instead of identity and identities.")
    return identities_from(params), None


def _check_params(params: Mapping[str, Any]) -> None:
    _what(params)


POP3_ACCESS_INFO = exchange_module(
    {
        "identity": {"type": "str"},
        "identities": {"type": "list", "elements": "str"},
        "filter": {"type": "str"},
        "organizational_unit": {"type": "str"},
        "state": {"type": "str", "default": "any", "choices": ["enabled", "disabled", "any"]},
    },
    run,
    _check_params,
    check_arguments=check_identities,
    mutually_exclusive=[("identity", "identities")],
)
