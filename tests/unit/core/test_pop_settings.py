# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of servers: every documented parameter, what has to change, and a result that loses nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.module_utils._core import _outcome
from ansible_collections.mailops.exchange.plugins.module_utils._core._mailbox import Failure, Reason
from ansible_collections.mailops.exchange.plugins.module_utils._core._pop_report import report
from ansible_collections.mailops.exchange.plugins.module_utils._core._pop_settings import (
    SETTINGS,
    PopServer,
    PopSettings,
    plan,
    settings_of,
    told_and_not_served,
    wanted_from,
)
from ansible_collections.mailops.exchange.plugins.module_utils._core._pop_values import BadValue, Unreadable

# Microsoft's page on Set-PopSettings, without Confirm, DomainController, Server and WhatIf, which are no settings.
DOCUMENTED = """
AuthenticatedConnectionTimeout Banner CalendarItemRetrievalOption EnableExactRFC822Size EnableGSSAPIAndNTLMAuth
EnforceCertificateErrors ExtendedProtectionPolicy ExternalConnectionSettings InternalConnectionSettings LogFileLocation
LogFileRollOverSettings LoginType LogPerFileSizeQuota MaxCommandSize MaxConnectionFromSingleIP MaxConnections
MaxConnectionsPerUser MessageRetrievalMimeFormat MessageRetrievalSortOrder OwaServerUrl
PreAuthenticatedConnectionTimeout ProtocolLogEnabled ProxyTargetPort SSLBindings SuppressReadReceipt
UnencryptedOrTLSBindings X509CertificateName
"""
SHOWN: dict[str, object] = {
    "Banner": "The Microsoft Exchange POP3 service is ready.",
    "LoginType": "SecureLogin",
    "MaxCommandSize": 512,
    "SSLBindings": ["[::]:995", "0.0.0.0:995"],
    "UnencryptedOrTLSBindings": ["[::]:110", "0.0.0.0:110"],
    "ExternalConnectionSettings": [],
    "OwaServerUrl": None,
    "CalendarItemRetrievalOption": 0,
    "AuthenticatedConnectionTimeout": "PT30M",
}
FOUND = settings_of(SHOWN)


def server(number: int = 1, settings: PopSettings = FOUND) -> PopServer:
    return PopServer(UUID(int=number), f"MBX{number:02}", settings)


def test_every_documented_parameter_is_there() -> None:
    assert sorted(setting.exchange_name for setting in SETTINGS.values()) == sorted(DOCUMENTED.split())


@pytest.mark.parametrize("name", SETTINGS)
def test_an_option_has_the_name_of_its_parameter_in_snake_case(name: str) -> None:
    assert name.replace("_", "") == SETTINGS[name].exchange_name.lower()


def test_what_is_as_declared_in_other_words_is_not_changed() -> None:
    wanted = wanted_from(
        {
            "login_type": "3",
            "ssl_bindings": ["0.0.0.0:995", "[0:0:0:0:0:0:0:0]:995"],
            "external_connection_settings": [],
            "authenticated_connection_timeout": "1800",
        }
    )
    assert plan([("mbx01", server())], wanted).changes == ()


def test_only_what_differs_is_sent() -> None:
    wanted = wanted_from({"login_type": "SecureLogin", "max_command_size": 256})
    (change,) = plan([("mbx01", server()), ("MBX01", server())], wanted).changes
    assert change.before.lacks(change.wanted) == {"max_command_size": 256}


def test_a_bad_value_names_its_option() -> None:
    with pytest.raises(BadValue, match=re.escape("login_type is 'Open': expected one of PlainTextLogin (1)")):
        wanted_from({"login_type": "Open"})


def test_what_is_not_understood_hides_nothing_and_is_not_what_is_declared() -> None:
    settings = settings_of({**SHOWN, "SSLBindings": ["everywhere"], "LoginType": "Telepathy"})
    assert settings.values["login_type"] == Unreadable("Telepathy")
    assert settings.plain()["max_command_size"] == 512
    assert settings.lacks(wanted_from({"login_type": "3", "banner": SHOWN["Banner"]})) == {"login_type": "SecureLogin"}


def test_the_case_of_a_property_does_not_matter() -> None:
    assert settings_of({"LogFileRolloverSettings": "2"}).plain() == {"log_file_rollover_settings": "Daily"}


def test_a_setting_that_this_version_does_not_have_is_an_error_before_anything_is_changed() -> None:
    planned = plan(
        [("mbx01", server())], wanted_from({"extended_protection_policy": "Require", "max_command_size": 40})
    )
    ((_name, finding),) = planned.findings
    assert planned.changes == ()
    assert isinstance(finding, Failure)
    assert "MBX01 shows no ExtendedProtectionPolicy" in finding.msg


@pytest.mark.parametrize(("url", "fits"), [(None, False), ("https://mail.contoso.com/owa", True)])
def test_custom_calendar_items_need_an_address(url: str | None, fits: bool) -> None:
    planned = plan(
        [("mbx01", server())], wanted_from({"calendar_item_retrieval_option": "Custom", "owa_server_url": url})
    )
    assert (len(planned.changes) == 1) == fits


@pytest.mark.parametrize(
    ("told", "warned"),
    [
        (["mail.contoso.com:995:SSL", "mail.contoso.com:110:TLS", "mail.contoso.com:110"], []),
        (["mail.contoso.com:110:SSL"], ["mail.contoso.com:110:SSL in external_connection_settings"]),
        (["mail.contoso.com:995:TLS"], ["mail.contoso.com:995:TLS in external_connection_settings"]),
    ],
)
def test_what_clients_are_told_should_be_served(told: list[str], warned: list[str]) -> None:
    wanted = wanted_from({"external_connection_settings": told})
    assert told_and_not_served(FOUND.with_(wanted), wanted) == warned


# --- the report -------------------------------------------------------------------------------------------------------

BANNER = wanted_from({"banner": "Contoso", "authenticated_connection_timeout": "00:30:00"})
CHANGED = FOUND.with_(BANNER)


def test_the_diff_has_only_what_differs() -> None:
    planned = plan([("mbx01", server()), ("mbx02", server(2, CHANGED))], BANNER)
    (change,) = planned.changes
    (diff,) = report(planned, {change.server.guid: _outcome.read_back(change, CHANGED)})["diff"]
    assert diff["before"] == "banner: The Microsoft Exchange POP3 service is ready.\n"
    assert diff["after"] == "banner: Contoso\n"


def test_the_diff_obeys_no_control_characters() -> None:
    found = settings_of({**SHOWN, "Banner": "\x1b[2JContoso\nPOP3"})
    planned = plan([("mbx01", server(settings=found))], wanted_from({"banner": "Contoso"}))
    (change,) = planned.changes
    (diff,) = report(planned, {change.server.guid: _outcome.would_change(change)})["diff"]
    assert diff["before"] == "banner: \\x1b[2JContoso\\nPOP3\n"


findings = st.builds(server, st.integers(1, 5), st.sampled_from([FOUND, CHANGED])) | st.builds(
    Failure, st.sampled_from(Reason), st.just("because")
)


@given(st.lists(st.tuples(st.text(max_size=5), findings), max_size=12), st.data())
def test_every_server_is_in_the_result_once_and_no_restart_is_lost(
    asked: list[tuple[str, object]], data: st.DataObject
) -> None:
    planned = plan(asked, BANNER)  # type: ignore[arg-type]
    ends = [_outcome.not_read_back("x", "server"), _outcome.unanswered(), None]
    outcomes: Mapping[UUID, object] = {
        change.server.guid: outcome
        for change in planned.changes
        for outcome in [
            data.draw(
                st.sampled_from(
                    [*ends, _outcome.read_back(change, CHANGED), _outcome.refused(change, Failure(Reason.ERROR, "no"))]
                )
            )
        ]
        if outcome is not None
    }
    result = report(planned, outcomes)  # type: ignore[arg-type]
    assert [line["server"] for line in result["servers"]] == [name for name, _finding in asked]
    counts = result["counts"]
    assert counts["total"] == len(asked) == counts["changed"] + counts["unchanged"] + counts["failed"]
    assert len(result["failures"]) == counts["failed"]
    assert result["restart_required"] == any(outcome.may_have_changed for outcome in outcomes.values())  # type: ignore[attr-defined]
    for line in result["servers"]:
        assert line["restart_required"] >= line["changed"]


def test_the_role_knows_all_settings() -> None:
    role = Path(__file__).parents[3] / "roles" / "pop3_services"
    assert yaml.safe_load((role / "vars" / "main.yml").read_text("utf-8"))["__pop3_services_setting_names"] == list(
        SETTINGS
    )
    tasks = (role / "tasks" / "server.yml").read_text("utf-8")
    assert all(f'{name}: "{{{{ __pop3_services_declared.{name} | default(omit) }}}}"' in tasks for name in SETTINGS)
