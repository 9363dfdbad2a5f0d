# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with Kerberos, with a real KDC: each error says what to do, and no password is tried twice."""

from __future__ import annotations

import base64
import importlib.util
import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simulator import MAIL_RECIPIENTS, Farm, Simulator
from support.controller import MODULE, ROOT, Controller
from support.kdc import REALM, Kdc
from support.pop3_tasks import PASSWORD, Pop3Tasks
from support.prerequisites import lacking, program
from support.servers import Servers

UPN = f"popadmin@{REALM}"
SECRET = "Other-Secret-1"


@dataclass(frozen=True)
class Case:
    """One mistake, and what the message says; `options` and `environment` are those of the task."""

    name: str
    says: list[str]
    options: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


def user(name: str, password: str = SECRET) -> dict[str, Any]:
    return {"username": name, "password": password}


TICKET = {"username": "", "password": ""}


def cases(kdc: Kdc, uri: str) -> list[Case]:
    short = kdc.kinit("popadmin", PASSWORD, "-l", "1s")
    good = kdc.kinit("popadmin", PASSWORD)
    for name, option in (("locked", "-allow_tix"), ("mustchange", "+needchange"), ("gone", "-expire yesterday")):
        kdc.principal(name, SECRET, option)
    unreachable = kdc.folder / "unreachable.conf"
    unreachable.write_text((kdc.folder / "krb5.conf").read_text().replace(f":{kdc.port}", ":1"))
    time.sleep(1.1)  # until the short ticket has ended
    return [
        Case("no ticket", ["no ticket for this user", "Run 'kinit name@REALM'", "KRB5CCNAME"], TICKET),
        Case("no ticket for this user", [f"Run 'kinit {UPN}'"], {"username": UPN, "password": ""}),
        Case("ticket of another user", ["no ticket"], {"username": f"ann@{REALM}", "password": ""}, cache(good)),
        Case("expired ticket", ["Ticket expired", "Run 'kinit name@REALM' again"], TICKET, cache(short)),
        Case("expired ticket of a user", [f"Run 'kinit {UPN}' again"], {**TICKET, "username": UPN}, cache(short)),
        Case(
            "service not found",
            [
                "Server http/mbx09.contoso.com@CONTOSO.COM not found",
                "no service http/mbx09.contoso.com",
                "spn_hostname",
            ],
            {**user(UPN, PASSWORD), "spn_hostname": "mbx09.contoso.com"},
        ),
        Case(
            "an address instead of a name",
            ["no service http/127.0.0.1", "an IP address, an alias or a load-balanced name"],
            {**user(UPN, PASSWORD), "connection_uri": uri.replace("localhost", "127.0.0.1")},
        ),
        Case(
            "service of another realm",
            ["krbtgt/FABRIKAM.COM@CONTOSO.COM not found", "[domain_realm]", "trust"],
            {**user(UPN, PASSWORD), "spn_hostname": "mbx.fabrikam.com"},
        ),
        Case(
            "realm in small letters",
            ['Cannot find KDC for realm "contoso.com"', "write 'popadmin@CONTOSO.COM'"],
            user("popadmin@contoso.com", PASSWORD),
        ),
        Case("unknown realm", ["FABRIKAM.COM", "krb5.conf has to know it"], user("popadmin@FABRIKAM.COM")),
        Case(
            "no krb5.conf",
            ["krb5.conf has to know it", "dns_lookup_kdc"],
            user(UPN, PASSWORD),
            {"KRB5_CONFIG": str(kdc.folder / "not-there.conf")},
        ),
        Case(
            "KDC unreachable",
            ["Cannot contact any KDC", "port 88"],
            user(UPN, PASSWORD),
            {"KRB5_CONFIG": str(unreachable)},
        ),
        Case("wrong password", ["Preauthentication failed", "password is wrong"], user(UPN, "wrong-secret")),
        Case("unknown user", ["not found in Kerberos database", "no such user"], user(f"nobody@{REALM}")),
        Case("user as DOMAIN\\name", ["Write name@REALM", "without DOMAIN\\"], user("CONTOSO\\popadmin")),
        Case("locked account", ["revoked", "locked, disabled"], user(f"locked@{REALM}")),
        Case("expired account", ["expired", "locked, disabled, has expired"], user(f"gone@{REALM}")),
        Case("expired password", ["Password has expired", "asks for a new one"], user(f"mustchange@{REALM}")),
    ]


def cache(name: str) -> dict[str, str]:
    return {"KRB5CCNAME": name}


@pytest.fixture
def own_kdc(tmp_path: Path, kdc: Kdc) -> Any:  # noqa: ARG001 - `kdc` skips where there is no Kerberos
    """A realm for one test, that may change it and read all of its log."""
    with Kdc(tmp_path / "own-kdc") as running:
        running.principal("popadmin", PASSWORD)
        yield running


def test_each_error_says_what_to_do(pop3: Pop3Tasks, own_kdc: Kdc) -> None:
    pop3.simulator.accept_logins(keytab=own_kdc.keytab)
    uri = pop3.simulator.exchange.uri
    mistakes = cases(own_kdc, uri)
    if pop3.delegate_to:  # that it is the same there, two can tell
        mistakes = [case for case in mistakes if case.name in ("expired ticket", "wrong password")]
    tasks = [
        {
            "name": case.name,
            MODULE: {"connection_uri": uri, "identity": "John Smith", "state": "enabled", **case.options},
            "environment": case.environment,
            "ignore_errors": True,
            **({"delegate_to": pop3.delegate_to} if pop3.delegate_to else {}),
        }
        for case in mistakes
    ]
    run = pop3.controller.play(
        [{"name": "P", "hosts": "localhost", "gather_facts": False, "environment": own_kdc.environment, "tasks": tasks}]
    )
    assert len(run.results) == len(mistakes), run.output
    for case, result in zip(mistakes, run.results, strict=True):
        message = result["msg"]
        assert message.startswith("No session with Exchange at "), (case.name, message)
        assert "Kerberos says: " in message, (case.name, message)
        for words in case.says:
            assert words in message, (case.name, message)
        assert "Major (" not in message
        assert "-17653" not in message
    assert "wrong-secret" not in run.output + own_kdc.log
    assert SECRET not in run.output
    assert "Traceback" not in run.output
    tries = [line for line in own_kdc.log.splitlines() if "PREAUTH_FAILED" in line]
    assert len(tries) == 1, "a wrong password was tried more than once: enough of that locks the account"


# --- clocks -----------------------------------------------------------------------------------------------------------


def a_login(kdc: Kdc) -> dict[str, Any]:
    return {"environment": kdc.environment_of("strict.conf"), "options": user(UPN, PASSWORD)}


def a_ticket(kdc: Kdc) -> dict[str, Any]:
    ticket = kdc.kinit("popadmin", PASSWORD)
    return {"environment": {**kdc.environment_of("strict.conf"), "KRB5CCNAME": ticket}, "options": TICKET}


@pytest.mark.parametrize(
    ("clock", "arrange", "says"),
    [
        ("+1h", a_login, "Clock skew too great"),
        ("+1h", a_ticket, "Clock skew too great"),
        ("-1h", a_ticket, "Clock skew too great"),
    ],
    ids=["login", "ticket, clock ahead", "ticket, clock behind"],
)
def test_clocks_that_differ(
    here: Pop3Tasks, kdc: Kdc, clock: str, arrange: Callable[[Kdc], dict[str, Any]], says: str
) -> None:
    """The controller's clock is wrong (libfaketime), and Kerberos is not told to make up for it."""
    kdc.configure("strict.conf", kdc_timesync=False)
    here.simulator.accept_logins(keytab=kdc.keytab)
    arranged = arrange(kdc)
    here.controller.environment.update(wrong_clock(clock))
    run = here(
        identity="John Smith",
        connection_uri=here.simulator.exchange.uri,
        authentication="kerberos",
        **arranged["options"],
        keywords={"environment": arranged["environment"]},
    )
    message = run.result["msg"]
    assert f"Kerberos says: {says}." in message
    assert "five minutes" in message
    assert "same time server" in message


def wrong_clock(offset: str) -> dict[str, str]:
    program("faketime", package="faketime")
    libraries = [*Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), Path("/usr/lib/faketime/libfaketime.so.1")]
    return {"LD_PRELOAD": str(libraries[0]), "FAKETIME": offset}


# --- the server's side, and libraries ---------------------------------------------------------------------------------


def test_a_server_with_another_key(here: Pop3Tasks, own_kdc: Kdc) -> None:
    """The service principal name belongs to another account than the one that answers."""
    here.simulator.accept_logins(keytab=own_kdc.keytab)
    own_kdc.administer("cpw -randkey http/localhost")
    run = here(
        identity="John Smith",
        connection_uri=here.simulator.exchange.uri,
        authentication="kerberos",
        **user(UPN, PASSWORD),
        keywords={"environment": own_kdc.environment},
    )
    message = run.result["msg"]
    assert "http/localhost" in message
    assert "setspn -Q" in message


def test_a_user_whom_exchange_does_not_know(here: Pop3Tasks, kdc: Kdc) -> None:
    kdc.principal("ticketonly", SECRET)
    here.simulator.accept_logins(keytab=kdc.keytab)
    run = here(
        identity="John Smith",
        connection_uri=here.simulator.exchange.uri,
        authentication="kerberos",
        **user(f"ticketonly@{REALM}"),
        keywords={"environment": kdc.environment},
    )
    assert "issued a ticket for http/localhost, and the server refused it" in run.result["msg"]


@pytest.mark.parametrize("library", ["gssapi", "krb5"])
def test_a_missing_library_is_named_before_anything_is_sent(
    pop3: Pop3Tasks, simulator: Simulator, tmp_path: Path, library: str
) -> None:
    hidden = tmp_path / "hidden"
    (hidden / library).mkdir(parents=True)
    (hidden / library / "__init__.py").write_text(f"raise ImportError('no module named {library} here')\n")
    other = {"gssapi": "krb5", "krb5": "gssapi"}[library]
    if importlib.util.find_spec(other) is None:  # a machine without Kerberos: then it is this one alone that is missing
        (hidden / f"{other}.py").touch()
    pop3.controller.environment["PYTHONPATH"] = str(hidden)
    message = pop3(
        identity="John Smith", connection_uri=simulator.exchange.uri, authentication="kerberos", **user(UPN)
    ).result["msg"]
    assert "authentication: kerberos needs the Python libraries gssapi and krb5 on " in message
    assert f"no module named {library} here" in message
    assert "-m pip install 'pypsrp[kerberos]'" in message
    assert "libkrb5-dev" in message
    assert simulator.exchange.http_requests == 0


# --- nothing but Kerberos ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_the_role_with_nothing_but_kerberos_over_http(kdc: Kdc, controller: Controller, connection: str) -> None:
    """As sites have it: one domain user for Exchange and for its servers, and no certificate anywhere."""
    if connection == "winrm" and importlib.util.find_spec("kerberos") is None:
        lacking("pywinrm[kerberos] is not in .dev/: tools/add-kerberos")
    controller.environment.update(kdc.environment)
    with Farm(("MBX01",)) as farm:
        farm.users.add("popadmin@contoso.com", PASSWORD, MAIL_RECIPIENTS)
        exchange = farm.accept_logins(keytab=kdc.keytab)
        host = farm.hosts["MBX01"]
        host.negotiate.accept_tickets(kdc.keytab)
        host.domain_administrators.add(UPN)
        farm.exchange.http.recording = host.winrm.http.recording = wire = []
        controller.inventory = farm.inventory(connection=connection, method="kerberos")
        variables = controller.inventory["all"]["children"]["exchange"]["hosts"]["mbx01"]
        variables |= {"ansible_user": UPN, "ansible_password": PASSWORD, **AT_LOCALHOST[connection]}
        play = Servers(farm, controller).play(
            pop3_access_enabled=["John Smith"],
            pop3_access_connection_uri=farm.exchange.uri,
            pop3_access_authentication="kerberos",
            pop3_access_username=UPN,
            pop3_access_password=PASSWORD,
        )
        run = controller.play([play])
        assert run.returncode == 0, run.output
        assert Servers(farm, controller).restarts() == {"mbx01": [1, 1]}
        assert {login.method for login in (*exchange.logins, *host.negotiate.logins)} == {"kerberos"}
        assert not any(login.delegated for login in (*exchange.logins, *host.negotiate.logins))
    assert wire
    assert b"Envelope" not in b"".join(wire)


AT_LOCALHOST = {
    "winrm": {"ansible_winrm_kerberos_hostname_override": "localhost", "ansible_winrm_kinit_env_vars": ["KRB5_CONFIG"]},
    "psrp": {"ansible_psrp_negotiate_hostname_override": "localhost", "ansible_psrp_negotiate_service": "http"},
}


def test_the_example_of_the_guide(here: Pop3Tasks, kdc: Kdc) -> None:
    """Its krb5.conf, its way to make a keytab, and its playbook, with the addresses that there are here."""
    guide = (ROOT / "docs" / "kerberos.md").read_text("utf-8")
    (configuration,) = re.findall(r"```ini\n(.*?)```", guide, re.DOTALL)
    (playbook,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    (making,) = re.findall(r"^ktutil .*?^chmod", guide, re.DOTALL | re.MULTILINE)
    folder = here.controller.folder
    (folder / "krb5.conf").write_text(configuration.replace("dc01.contoso.com", f"127.0.0.1:{kdc.port}"))
    environment = {"KRB5_CONFIG": str(folder / "krb5.conf")}

    entry, *rest = [line.strip() for line in making.splitlines()[1:-1]]
    subprocess.run(
        [program("ktutil", package="krb5-user")],
        input="\n".join([entry, PASSWORD, *rest]) + "\n",
        cwd=folder,
        env={**os.environ, **environment},
        check=True,
        text=True,
        capture_output=True,
    )
    here.simulator.accept_logins(keytab=kdc.keytab)
    here.controller.environment |= {**environment, "KRB5_CLIENT_KTNAME": "popadmin.keytab"}
    run = here.controller.play(playbook.replace("http://mbx01.contoso.com/PowerShell/", here.simulator.exchange.uri))
    assert run.result["changed"], run.output
    assert here.pop_enabled("John Smith")


# --- tickets ----------------------------------------------------------------------------------------------------------


def spellings_of(cache: str) -> list[bytes]:
    """Pieces of a ticket cache that only tickets and their keys have, as they are, in base64 and in hexadecimal."""
    content = Path(cache.removeprefix("FILE:")).read_bytes()
    pieces = [content[at : at + 24] for at in range(0, len(content) - 24, 24)]
    secret = [piece for piece in pieces if sum(byte < 32 or byte > 126 for byte in piece) > 12 and len(set(piece)) > 12]
    assert len(secret) > 10, "no tickets in it"
    encoded = [base64.b64encode(piece[skip:])[2:-4] for piece in secret for skip in range(3)]
    return [*secret, *encoded, *(piece.hex().encode() for piece in secret)]


@pytest.mark.parametrize("login", ["password", "ticket"])
def test_a_ticket_is_left_nowhere(pop3: Pop3Tasks, own_kdc: Kdc, login: str, tmp_path_factory: Any) -> None:
    """Not in what a run shows at -vvvv, nor in a file of its home or its temporary folder."""
    pop3.simulator.accept_logins(keytab=own_kdc.keytab)
    controller = Controller(tmp_path_factory.mktemp("looked-at"), pop3.controller.inventory)
    controller.environment["ANSIBLE_LOG_PATH"] = str(controller.folder / "ansible.log")
    ticket = own_kdc.kinit("popadmin", PASSWORD)
    tasks = Pop3Tasks(pop3.simulator, controller, pop3.delegate_to)
    options = user(UPN, PASSWORD) if login == "password" else TICKET
    environment = own_kdc.environment if login == "password" else {**own_kdc.environment, "KRB5CCNAME": ticket}
    run = tasks(
        "-vvvv",
        identity="John Smith",
        authentication="kerberos",
        connection_uri=pop3.simulator.exchange.uri,
        ca_cert=None,
        **options,
        keywords={"environment": environment},
    )
    controller.close()
    assert run.result["changed"], run.output
    left = [path.read_bytes() for path in controller.folder.rglob("*") if path.is_file()]
    everything = b"\0".join([run.output.encode(), *left])
    assert [piece for piece in spellings_of(ticket) if piece in everything] == []
    assert [content for content in left if content.startswith(b"\x05\x04")] == [], "a ticket cache was left behind"
