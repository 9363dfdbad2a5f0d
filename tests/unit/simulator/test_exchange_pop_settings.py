# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-PopSettings and Set-PopSettings of the simulator: values as Exchange has them, who may, and when it is felt."""

from __future__ import annotations

import datetime
import poplib
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest

from simulator import MAIL_RECIPIENTS, VIEW_ONLY_CONFIGURATION, Farm, Organisation
from simulator.exchange.clixml import serialize
from simulator.exchange.errors import TerminatingError
from simulator.exchange.pop_cmdlets import POP_CMDLETS
from simulator.exchange.rbac import POP3_AND_IMAP4_PROTOCOLS
from simulator.exchange.values import Complex, EnumValue, ObjectList, Record
from support.cmdlet_shell import CmdletShell


@dataclass
class Shell(CmdletShell):
    """Runs one cmdlet about the settings of servers."""

    cmdlets = POP_CMDLETS

    organisation: Organisation = field(default_factory=lambda: Organisation(servers=("MBX01", "MBX02")))
    roles: frozenset[str] = frozenset({POP3_AND_IMAP4_PROTOCOLS})

    def get(self, **parameters: object) -> Record:
        (record,) = self.run("Get-PopSettings", **parameters).records
        return record


def test_values_have_exchanges_types_and_texts() -> None:
    record = Shell().get(Server="mbx02.contoso.com")
    assert record.get("Server") == "MBX02"
    assert record.get("LoginType") == EnumValue(
        "Microsoft.Exchange.Data.Directory.SystemConfiguration.LoginOptions", "SecureLogin", 3
    )
    assert record.get("SSLBindings") == ObjectList("Microsoft.Exchange.Data.IPBinding", ("[::]:995", "0.0.0.0:995"))
    span = record.get("AuthenticatedConnectionTimeout")
    assert isinstance(span, Complex)
    assert span.text == "00:30:00"
    quota = record.get("LogPerFileSizeQuota")
    assert isinstance(quota, Complex)
    assert quota.text == "0 B (0 bytes)"


@pytest.mark.parametrize(
    ("span", "written"),
    [
        (datetime.timedelta(minutes=30), "PT30M"),
        (datetime.timedelta(days=1, hours=2, seconds=3), "P1DT2H3S"),
        (datetime.timedelta(days=1), "P1D"),
        (datetime.timedelta(0), "PT0S"),
    ],
)
def test_a_time_span_of_powershells_own_is_a_duration(span: datetime.timedelta, written: str) -> None:
    assert f'<TS N="Span">{written}</TS>'.encode() in serialize(Record(("X",), [("Span", span)]))


def test_without_a_server_it_is_the_local_one() -> None:
    shell = Shell()
    assert shell.get().get("Server") == "MBX01"
    shell.run("Set-PopSettings", Banner="Hello")
    assert shell.get(Server="MBX01").get("Banner") == "Hello"
    assert shell.get(Server="MBX02").get("Banner") != "Hello"


@pytest.mark.parametrize(
    ("name", "sent", "shown"),
    [
        ("LoginType", 1, "PlainTextLogin"),
        ("LoginType", "plaintextlogin", "PlainTextLogin"),
        ("AuthenticatedConnectionTimeout", "00:45:00", "00:45:00"),
        ("LogPerFileSizeQuota", "2000000B", "1.907 MB (2,000,000 bytes)"),
        ("LogPerFileSizeQuota", "unlimited", "Unlimited"),
        ("OwaServerUrl", "https://Mail.contoso.com", "https://mail.contoso.com/"),
    ],
)
def test_a_value_is_converted(name: str, sent: object, shown: str) -> None:
    shell = Shell()
    done = shell.run("Set-PopSettings", Server="MBX01", **{name: sent})
    assert done.warnings == [
        "Changes to POP3 settings will only take effect after all Microsoft Exchange POP3 services are restarted on "
        "server MBX01."
    ]
    shell.behaviour.pop_settings_form = "text"
    assert shell.get().get(name) == shown
    assert "no settings of 'MBX01\\1' have been modified" in shell.run("Set-PopSettings", **{name: sent}).warnings[0]


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("LoginType", "Open"),
        ("MaxCommandSize", "many"),
        ("MaxCommandSize", 39),
        ("AuthenticatedConnectionTimeout", "2:00:00"),
        ("AuthenticatedConnectionTimeout", "soon"),
        ("SSLBindings", ["everywhere"]),
        ("SSLBindings", ["0.0.0.0:0"]),
        ("ExternalConnectionSettings", ["mail:995:STARTTLS"]),
        ("LogPerFileSizeQuota", "much"),
        ("EnforceCertificateErrors", "True"),
        ("OwaServerUrl", "mail"),
    ],
)
def test_a_wrong_value_is_refused(name: str, sent: object) -> None:
    with pytest.raises(TerminatingError):
        Shell().run("Set-PopSettings", Server="MBX01", **{name: sent})


@pytest.mark.parametrize(
    ("roles", "may_read", "may_write"),
    [
        ({MAIL_RECIPIENTS}, False, False),
        ({VIEW_ONLY_CONFIGURATION}, True, False),
        ({POP3_AND_IMAP4_PROTOCOLS}, True, True),
    ],
)
def test_the_role_decides(roles: set[str], may_read: bool, may_write: bool) -> None:
    shell = Shell(roles=frozenset(roles))
    for allowed, cmdlet, parameters in (
        (may_read, "Get-PopSettings", {}),
        (may_write, "Set-PopSettings", {"Banner": "x"}),
    ):
        if allowed:
            assert shell.run(cmdlet, **parameters).errors == []
            continue
        with pytest.raises(TerminatingError) as caught:
            shell.run(cmdlet, **parameters)
        assert caught.value.record.error_id == "CommandNotFoundException"


def test_a_server_that_there_is_not() -> None:
    (error,) = Shell().run("Get-PopSettings", Server="MBX09").errors
    assert "[FailureCategory=Cmdlet-ManagementObjectNotFoundException]" in error.error_id


def test_a_service_follows_what_it_read_when_it_started() -> None:
    with Farm(("MBX01",)) as farm:
        host = farm.hosts["MBX01"]

        def greeting() -> Any:
            client = poplib.POP3(host.address, host.pop3_port, timeout=5)
            client.close()
            return client.getwelcome()

        before = greeting()
        farm.organisation.change_pop_settings("MBX01", Banner="Hello", SSLBindings=())
        assert greeting() == before
        socket.create_connection((host.address, host.pop3s_port), 5).close()
        host.services.restart("MSExchangePOP3")
        assert greeting() == b"+OK Hello"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host.address, host.pop3s_port), 5)
