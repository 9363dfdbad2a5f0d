# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of exchange_pop3_access_info: look, and say who may read mail over POP3 and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._core._mailbox import Failure, Mailbox
from .._core._report import settings_dict
from .._errors import ExchangeError, OptionError
from .._gateway._cas_mailbox import CasMailboxes
from .._session._interrupt import TimedOut, closing_on_signals
from .._transport._open import open_session
from ._connection import (
    CONNECTION_ARGUMENTS,
    CONNECTION_ENVIRONMENT,
    connection_defaults,
    domain_controller_from,
    endpoint_from,
)
from ._definition import ModuleDefinition, Result, Warn
from ._identities import check_identities, identities_from
from ._targets import Selection, is_listed, selection_from
from ._warnings import once_each


def run(params: Mapping[str, Any], *, check_mode: bool, warn: Warn) -> Result:
    """Read the mailboxes. Nothing is changed, so check mode is the same."""
    del check_mode
    identities, selection = _what(params)
    endpoint = endpoint_from(params)
    domain_controller = domain_controller_from(params)
    found: list[tuple[str | None, Mailbox]] = []
    failures: list[dict[str, str]] = []
    try:
        with closing_on_signals(), open_session(endpoint) as session:
            mailboxes = CasMailboxes(session, domain_controller, once_each(warn))
            if selection is not None:
                found += [
                    (None, mailbox) for mailbox in mailboxes.select(selection.filter, selection.organizational_unit)
                ]
            for identity in identities:
                finding = mailboxes.find(identity)
                if isinstance(finding, Failure):
                    failures.append({"identity": identity, "reason": finding.reason.value, "msg": finding.msg})
                else:
                    found.append((identity, finding))
    except (ExchangeError, TimedOut) as exc:
        return _result(found, failures, params["state"]) | {"failed": True, "msg": str(exc)}
    result = _result(found, failures, params["state"])
    if failures:
        number = f"{len(failures)} of {len(identities)} mailboxes could not be read."
        result |= {"failed": True, "msg": " ".join([number, *(failure["msg"] for failure in failures[:3])])}
    return result


def _what(params: Mapping[str, Any]) -> tuple[list[str], Selection | None]:
    selection = selection_from(params)
    if not is_listed(params):
        return [], selection
    if selection.filter or selection.organizational_unit:
        raise OptionError("filter and organizational_unit select mailboxes instead of identity and identities.")
    return identities_from(params), None


def _result(found: Sequence[tuple[str | None, Mailbox]], failures: list[dict[str, str]], state: str) -> Result:
    lines = [_line(identity, mailbox) for identity, mailbox in found]
    enabled = sum(1 for line in lines if line["pop_enabled"])
    return {
        "changed": False,
        "mailboxes": [line for line in lines if state == "any" or line["pop_enabled"] == (state == "enabled")],
        "failures": failures,
        "counts": {"total": len(lines), "enabled": enabled, "disabled": len(lines) - enabled},
    }


def _line(identity: str | None, mailbox: Mailbox) -> dict[str, Any]:
    return {
        "identity": identity or mailbox.primary_smtp_address or str(mailbox.guid),
        "name": mailbox.name,
        "guid": str(mailbox.guid),
        "primary_smtp_address": mailbox.primary_smtp_address,
        "server": mailbox.server,
        "organizational_unit": mailbox.organizational_unit,
        **settings_dict(mailbox.settings),
    }


def _check_params(params: Mapping[str, Any]) -> None:
    _what(params)
    endpoint_from(params)
    domain_controller_from(params)


POP3_ACCESS_INFO = ModuleDefinition(
    argument_spec={
        "identity": {"type": "str"},
        "identities": {"type": "list", "elements": "str"},
        "filter": {"type": "str"},
        "organizational_unit": {"type": "str"},
        "state": {"type": "str", "default": "any", "choices": ["enabled", "disabled", "any"]},
        **CONNECTION_ARGUMENTS,
    },
    mutually_exclusive=[("identity", "identities")],
    check_arguments=check_identities,
    check_params=_check_params,
    defaults=connection_defaults,
    environment=CONNECTION_ENVIRONMENT,
    run=run,
)
