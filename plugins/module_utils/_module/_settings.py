# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options for a mailbox's POP3 settings, and what of them contradicts what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core._mailbox import MimeFormat, WantedSettings
from .._errors import OptionError

SETTINGS_ARGUMENTS: dict[str, dict[str, Any]] = {
    "use_protocol_defaults": {"type": "bool"},
    "messages_retrieval_mime_format": {"type": "str", "choices": [member.value for member in MimeFormat]},
    "enable_exact_rfc822_size": {"type": "bool"},
    "suppress_read_receipt": {"type": "bool"},
    "force_ical_for_calendar_retrieval_option": {"type": "bool"},
}

_OWN = tuple(name for name in SETTINGS_ARGUMENTS if name != "use_protocol_defaults")
"""The settings of the mailbox's own, which the server's stand in for while use_protocol_defaults is true."""


def wanted_from(params: Mapping[str, Any]) -> WantedSettings:
    """Return what is declared. Raises OptionError for settings that Exchange would take and not use.

    While POP3 access is off, "the other POP3 settings are ignored", and while the protocol's defaults are used, the
    mailbox's own do not apply (Microsoft's page on Set-CASMailbox).
    """
    given = [name for name in SETTINGS_ARGUMENTS if params[name] is not None]
    own = [name for name in given if name in _OWN]
    if given and params["state"] != "enabled":
        raise OptionError(f"{', '.join(given)}: Exchange ignores these while POP3 access is off. Use state: enabled.")
    if own and params["use_protocol_defaults"] is not False:
        raise OptionError(f"{', '.join(own)}: these apply only together with use_protocol_defaults: false.")
    mime_format = params["messages_retrieval_mime_format"]
    return WantedSettings(
        pop_enabled=params["state"] == "enabled",
        pop_use_protocol_defaults=params["use_protocol_defaults"],
        pop_messages_retrieval_mime_format=None if mime_format is None else MimeFormat(mime_format),
        pop_enable_exact_rfc822_size=params["enable_exact_rfc822_size"],
        pop_suppress_read_receipt=params["suppress_read_receipt"],
        pop_force_ical_for_calendar_retrieval_option=params["force_ical_for_calendar_retrieval_option"],
    )
