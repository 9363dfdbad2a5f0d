# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""exchange_endpoint_info: which step fails, what to do, and that no credentials go where they would be wasted.

Over host_shell nothing is looked at from here, so the steps are others: they have tests of their own at the end.
"""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from simulator import MAIL_RECIPIENTS, VIEW_ONLY_RECIPIENTS, Simulator
from simulator.wire import faults
from simulator.wire.certificates import CertificateFiles
from support.controller import Controller, Run
from support.pop3_tasks import ADMIN, PASSWORD
from support.transports import BOTH, HOST_SHELL, REMOTE_POWERSHELL, Modules

MODULE = "mailops.exchange.exchange_endpoint_info"
STEPS = ["name", "port", "tls", "path", "authentication", "session", "rights"]


@dataclass
class Looks:
    """Runs the module with the options that work, and others instead of some of them."""

    simulator: Simulator
    modules: Modules

    def __call__(self, *, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        given = {name: value for name, value in {**self.connection, **options}.items() if value is not None}
        return self.modules("exchange_endpoint_info", given, check_mode=check_mode)

    @property
    def connection(self) -> dict[str, Any]:
        return {
            "connection_uri": self.simulator.exchange.https_uri,
            "ca_cert": str(self.simulator.ca_file),
            "authentication": "basic",
            "username": ADMIN,
            "password": PASSWORD,
        }

    @property
    def logins(self) -> int:
        """How many requests had credentials."""
        return len([sent for sent in self.simulator.exchange.authorizations if sent])


@pytest.fixture
def look(simulator: Simulator, modules: Modules, monkeypatch: pytest.MonkeyPatch) -> Looks:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return Looks(simulator, modules)


def states(result: dict[str, Any]) -> dict[str, str]:
    return {step["step"]: step["state"] for step in result["steps"]}


def failing(result: dict[str, Any]) -> dict[str, Any]:
    (step,) = [step for step in result["steps"] if step["state"] == "failed"]
    return dict(step)


# --- it works ---------------------------------------------------------------------------------------------------------


def test_where_everything_works_every_step_says_what_it_saw(look: Looks) -> None:
    found = look()
    assert not found["changed"]
    assert found["reachable"]
    assert states(found) == dict.fromkeys(STEPS, "ok")
    assert all(step["msg"] and step["check"] == "" for step in found["steps"])
    assert found["endpoint"]["addresses"] == ["127.0.0.1"]
    assert found["endpoint"]["encrypted_by"] == "tls"
    assert found["endpoint"]["http_status"] == 401
    assert found["endpoint"]["offers"] == ["Basic"]
    tls = found["endpoint"]["tls"]
    assert tls["version"] == "TLSv1.3"
    assert tls["trusted"]
    assert "localhost" in tls["certificate"]["names"]
    assert tls["certificate"]["days_left"] > 0
    assert found["session"] == {
        "user": ADMIN,
        "server": "MBX01",
        "configuration_name": "Microsoft.Exchange",
        "powershell_version": "5.1.20348.2849",
        "protocol_version": "2.3",
        "language_mode": "NoLanguage",
    }
    assert [command["name"] for command in found["commands"]] == ["Get-CASMailbox", "Set-CASMailbox"]
    assert found["rights"] == {"read": True, "change": True, "missing": []}


def test_it_reads_no_mailbox_and_changes_nothing(look: Looks) -> None:
    """One lookup of an identity that nobody has, and one constant script, which the session refuses."""
    assert look() | {"steps": []} == look(check_mode=True) | {"steps": []}
    calls = look.simulator.exchange.calls
    assert [call.name for call in calls if not call.is_script] == ["Get-CASMailbox"] * 2
    assert [call.name for call in calls if call.is_script] == ["$ExecutionContext.SessionState.LanguageMode"] * 2
    assert {name for call in calls for name in call.parameters} == {"Identity"}


def test_over_http_it_says_that_nothing_is_encrypted(look: Looks) -> None:
    found = look(connection_uri=look.simulator.exchange.uri, allow_unencrypted=True)
    assert states(found)["tls"] == "not_needed"
    assert found["endpoint"]["encrypted_by"] == "nothing"
    assert "anybody on the network can read the password" in found["steps"][2]["msg"]


def test_over_http_the_login_of_ntlm_encrypts(look: Looks) -> None:
    """As Exchange has Kerberos by default: no TLS, and nothing readable."""
    look.simulator.accept_logins(ntlm=True)
    found = look(connection_uri=look.simulator.exchange.uri, authentication="ntlm", ca_cert=None)
    assert found["reachable"], found["msg"]
    assert found["endpoint"]["encrypted_by"] == "ntlm"
    assert "Negotiate" in found["endpoint"]["offers"]
    assert found["rights"]["change"]


def test_a_wrong_password_of_ntlm(look: Looks) -> None:
    logins = look.simulator.accept_logins(ntlm=True)
    found = look(connection_uri=look.simulator.exchange.uri, authentication="ntlm", password="wrong")
    assert failing(found)["step"] == "authentication"
    assert logins.logins == []


@pytest.mark.parametrize("mode", ["NoLanguage", "RestrictedLanguage", "FullLanguage"])
def test_the_language_of_the_session_is_said(look: Looks, mode: Any) -> None:
    look.simulator.exchange.behaviour.language_mode = mode
    assert look()["session"]["language_mode"] == mode


def test_a_certificate_that_ends_soon_is_worth_a_word(look: Looks) -> None:
    """The one of the tests is good for 30 days."""
    assert "days: renew it." in look()["steps"][2]["msg"]


def test_without_a_check_of_the_certificate_that_is_said(look: Looks) -> None:
    found = look(validate_certs=False, ca_cert=None)
    assert states(found)["tls"] == "ok"
    assert not found["endpoint"]["tls"]["trusted"]
    assert "was not checked" in found["steps"][2]["msg"]


def test_a_session_that_does_not_say_what_it_shows(look: Looks) -> None:
    """Reading is tried; whether changing is allowed could only be tried by a change, so it is not known."""
    look.simulator.exchange.behaviour.command_metadata = False
    found = look()
    assert states(found)["rights"] == "ok"
    assert found["commands"] is None
    assert found["rights"] == {"read": True, "change": None, "missing": []}
    assert "is not known" in found["steps"][-1]["msg"]


# --- each step that can fail ------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serves(simulator: Simulator, certificate: CertificateFiles) -> dict[str, Any]:
    assert simulator.exchange.https
    simulator.exchange.https.use_certificate(certificate.server_context())
    return {}


def no_such_name(_simulator: Simulator) -> dict[str, Any]:
    return {"connection_uri": "https://mbx01.contoso.invalid/PowerShell/"}


def no_name_at_all(_simulator: Simulator) -> dict[str, Any]:
    return {"connection_uri": f"https://{'a' * 64}.contoso.com/PowerShell/"}


def closed_port(_simulator: Simulator) -> dict[str, Any]:
    return {"connection_uri": f"https://localhost:{free_port()}/PowerShell/"}


def unknown_authority(_simulator: Simulator) -> dict[str, Any]:
    return {"ca_cert": None}


def wrong_name(simulator: Simulator) -> dict[str, Any]:
    return serves(simulator, simulator.authority.server(["mbx02.contoso.com"]))


def expired(simulator: Simulator) -> dict[str, Any]:
    return serves(simulator, simulator.authority.server(expired=True))


def https_to_a_plain_port(simulator: Simulator) -> dict[str, Any]:
    return {"connection_uri": simulator.exchange.uri.replace("http://", "https://")}


def http_to_a_tls_port(simulator: Simulator) -> dict[str, Any]:
    return {"connection_uri": simulator.exchange.https_uri.replace("https://", "http://"), "allow_unencrypted": True}


def wrong_path(simulator: Simulator) -> dict[str, Any]:
    return {"connection_uri": simulator.exchange.https_uri.replace("/PowerShell/", "/wsman")}


def redirected(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.faults.add(faults.Redirect("https://evil.example/PowerShell/"))
    return {}


def application_pool_down(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.faults.add(faults.Status(503))
    return {}


def method_not_offered(_simulator: Simulator) -> dict[str, Any]:
    return {"authentication": "ntlm"}


def kerberos_not_offered(_simulator: Simulator) -> dict[str, Any]:
    return {"authentication": "kerberos"}


def wrong_password(_simulator: Simulator) -> dict[str, Any]:
    return {"password": "wrong"}


def wrong_configuration(_simulator: Simulator) -> dict[str, Any]:
    return {"configuration_name": "Microsoft.PowerShell"}


def too_many_sessions(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.behaviour.throttled_openings = 1
    return {}


def remote_powershell_forbidden(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.behaviour.refuse_opening = "Access is denied."
    return {}


def viewer(simulator: Simulator) -> dict[str, Any]:
    simulator.users.add("viewer@contoso.com", PASSWORD, VIEW_ONLY_RECIPIENTS)
    return {"username": "viewer@contoso.com"}


def nobody(simulator: Simulator) -> dict[str, Any]:
    simulator.users.add("nobody@contoso.com", PASSWORD)
    return {"username": "nobody@contoso.com"}


def denied(simulator: Simulator) -> dict[str, Any]:
    simulator.users[ADMIN].denied_cmdlets.add("Get-CASMailbox")
    return {}


def no_such_domain_controller(_simulator: Simulator) -> dict[str, Any]:
    return {"domain_controller": "dc99.contoso.com"}


Arrange = Callable[[Simulator], dict[str, Any]]

CASES: list[tuple[Arrange, str, list[str], int]] = [
    (no_such_name, "name", ["mbx01.contoso.invalid cannot be resolved", "DNS"], 0),
    (no_name_at_all, "name", ["is no host name", "connection_uri"], 0),
    (closed_port, "port", ["Nothing listens at localhost:", "IIS"], 0),
    (unknown_authority, "tls", ["is not trusted: ", "issued by CN=", "ca_cert"], 0),
    (wrong_name, "tls", ["Hostname mismatch", "It is for mbx02.contoso.com", "the name in the certificate"], 0),
    (expired, "tls", ["certificate has expired", "valid from", "ca_cert"], 0),
    (https_to_a_plain_port, "tls", ["No TLS connection", "https and not http"], 0),
    (http_to_a_tls_port, "path", ["speaks TLS", "Use https://"], 0),
    (wrong_path, "path", ["HTTP status 404", "'/PowerShell/'"], 0),
    (redirected, "path", ["redirects to https://evil.example/PowerShell/", "not followed"], 0),
    (application_pool_down, "path", ["HTTP status 503", "application pool"], 0),
    (method_not_offered, "authentication", ["does not offer", "it offers: Basic", "No credentials were sent"], 0),
    (kerberos_not_offered, "authentication", ["'authentication: kerberos' needs; it offers: Basic"], 0),
    (wrong_password, "authentication", ["The login was not accepted", "Check username and password"], 1),
    (wrong_configuration, "session", ["2150858811", "'Microsoft.PowerShell'", "port 80"], 1),
    (too_many_sessions, "session", ["PowerShellMaxConcurrency"], 1),
    (remote_powershell_forbidden, "session", ["WSMan fault 5", "RemotePowerShellEnabled"], 1),
    (viewer, "rights", ["may not change", "It lacks: Set-CASMailbox", "least-privilege"], 9),
    (nobody, "rights", ["may not read", "It lacks: Get-CASMailbox, Set-CASMailbox", "least-privilege"], 9),
    (denied, "rights", ["may not read", "isn't assigned to any management roles"], 9),
    (no_such_domain_controller, "rights", ["does not work", "dc99.contoso.com", "domain_controller"], 9),
]


@pytest.mark.parametrize(
    ("arrange", "step", "says", "logins"), CASES, ids=[arrange.__name__ for arrange, *_expected in CASES]
)
def test_the_step_that_fails(look: Looks, arrange: Arrange, step: str, says: list[str], logins: int) -> None:
    """``logins``: requests with credentials, and 9 is any number of them: a session was open."""
    options = arrange(look.simulator)
    found = look(**options)
    assert found["failed"]
    failed = failing(found)
    assert failed["step"] == step
    assert failed["msg"] in found["msg"]
    assert failed["check"] in found["msg"]
    assert found["msg"].startswith(f"Step {STEPS.index(step) + 1} of 7, {step}, failed. ")
    for words in says:
        assert words in found["msg"]
    reached = states(found)
    assert [reached[name] for name in STEPS[STEPS.index(step) + 1 :]] == ["not_tried"] * (6 - STEPS.index(step))
    assert {reached[name] for name in STEPS[: STEPS.index(step)]} <= {"ok", "not_needed"}
    assert found["reachable"] == (step == "rights")
    assert look.logins > 1 if logins == 9 else look.logins == logins
    assert PASSWORD not in str(found)


def test_a_wrong_password_is_sent_once(look: Looks) -> None:
    """Several would lock the account."""
    look(password="wrong")
    sent = [header for header in look.simulator.exchange.authorizations if header]
    assert [base64.b64decode(header.removeprefix("Basic ")) for header in sent] == [f"{ADMIN}:wrong".encode()]


@BOTH
def test_a_viewer_is_enough_where_only_reading_is_needed(look: Looks, transport: str) -> None:
    found = look(**viewer(look.simulator), needed_rights="read")
    assert "failed" not in found
    if transport == REMOTE_POWERSHELL:
        assert found["rights"] == {"read": True, "change": False, "missing": ["Set-CASMailbox"]}
        assert "and not change it" in found["steps"][-1]["msg"]
    else:
        assert found["rights"] == {"read": True, "change": None, "missing": []}
        assert "is not known" in found["steps"][-1]["msg"]


def test_a_session_that_breaks_while_it_is_looked_at(look: Looks) -> None:
    look.simulator.exchange.faults.add(faults.ResetBeforeProcessing(), action="Command", times=None)
    found = look()
    assert failing(found)["step"] == "rights"
    assert "broke while it was looked at" in found["msg"]
    assert found["reachable"]


@contextmanager
def speaking(words: bytes) -> Iterator[int]:
    """A server that says the same to everybody, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _address = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(words)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.mark.parametrize(
    "words",
    [
        b"+OK The Microsoft Exchange POP3 service is ready.\r\n",
        b"",
        b"\x00\xff\xfe" * 500,
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 5000,
        b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\x1b[31m\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Nothing\r\nContent-Length: 99999999\r\n\r\n<title>" + b"\x1b[31m" * 9999,
        b"HTTP/1.1 abc\r\n\r\n",
    ],
)
def test_whatever_listens_there_gets_no_credentials_and_no_traceback(look: Looks, words: bytes) -> None:
    with speaking(words) as port:
        found = look(connection_uri=f"http://127.0.0.1:{port}/PowerShell/", allow_unencrypted=True)
    assert failing(found)["step"] == "path"
    assert found["msg"].isprintable()
    assert len(found["msg"]) < 1000


def test_a_server_that_asks_nobody_to_log_in_is_said_to_do_so(look: Looks) -> None:
    with speaking(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as port:
        found = look(connection_uri=f"http://127.0.0.1:{port}/PowerShell/", allow_unencrypted=True)
    assert "without asking for a login: HTTP status 200" in found["steps"][3]["msg"]
    assert found["failed"]


def test_a_proxy_is_what_can_be_looked_at(look: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:proxy-secret@127.0.0.1:{free_port()}")
    found = look()
    assert failing(found)["step"] == "port"
    assert "The proxy of this environment" in found["msg"]
    assert "proxy-secret" not in str(found)


def test_a_host_without_proxy_is_gone_to_directly(look: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert look()["reachable"]


# --- as a host sees it ------------------------------------------------------------------------------------------------


ON_A_HOST = pytest.mark.parametrize("transport", [HOST_SHELL], indirect=True)
OF_A_HOST = ["name", "port", "tls", "path"]
"""What the host does in one go, when it opens the session."""


@ON_A_HOST
def test_where_everything_works_a_host_says_less(look: Looks) -> None:
    """Check mode is the same; nobody is looked up, and nothing is run but what the guide grants."""
    found = look()
    assert look(check_mode=True) | {"steps": []} == found | {"steps": []}
    assert found["reachable"]
    assert states(found) == dict.fromkeys(OF_A_HOST, "not_needed") | dict.fromkeys(STEPS[4:], "ok")
    assert found["endpoint"]["encrypted_by"] == "tls"
    assert found["session"]["server"] == "MBX01"
    assert found["rights"] == {"read": True, "change": None, "missing": []}
    assert {(call.name, *call.parameters) for call in look.simulator.exchange.calls} == {("Get-CASMailbox", "Identity")}


_NOT_KNOWN = {"authentication": "not_tried"}
HOSTS_CASES: list[tuple[Arrange, dict[str, str], list[str]]] = [
    (no_such_name, _NOT_KNOWN, ["cannot connect to the destination", "connection_uri"]),
    (closed_port, _NOT_KNOWN, ["cannot connect to the destination", "connection_uri"]),
    (wrong_name, _NOT_KNOWN, ["server certificate", "the name in connection_uri is in it"]),
    (wrong_path, _NOT_KNOWN, ["the requested HTTP URL was not available", "Exchange's path is /PowerShell/"]),
    (application_pool_down, _NOT_KNOWN, ["HTTP status 503", "IIS"]),
    (wrong_configuration, _NOT_KNOWN, ["configuration_name"]),
    # With basic, Windows says no more than that.
    (wrong_password, _NOT_KNOWN, ["Access is denied", "Check username and password"]),
    (remote_powershell_forbidden, _NOT_KNOWN, ["Access is denied", "RemotePowerShellEnabled"]),
    (too_many_sessions, {"authentication": "ok"}, ["PowerShellMaxConcurrency"]),
    (nobody, {"session": "ok"}, ["may not read", "It lacks: Get-CASMailbox", "least-privilege"]),
    (denied, {"session": "ok"}, ["may not read", "isn't assigned to any management roles"]),
    (no_such_domain_controller, {"session": "ok"}, ["does not work", "dc99.contoso.com", "domain_controller"]),
]


@ON_A_HOST
@pytest.mark.parametrize(
    ("arrange", "before", "says"), HOSTS_CASES, ids=[arrange.__name__ for arrange, *_expected in HOSTS_CASES]
)
def test_the_step_that_fails_on_a_host(look: Looks, arrange: Arrange, before: dict[str, str], says: list[str]) -> None:
    found = look(**arrange(look.simulator))
    step = "rights" if "session" in before else "session"
    assert failing(found)["step"] == step
    assert states(found).items() >= before.items()
    assert found["msg"].startswith(f"Step {STEPS.index(step) + 1} of 7, {step}, failed. ")
    for words in says:
        assert words in found["msg"]
    assert found["reachable"] == (step == "rights")
    assert PASSWORD not in str(found)


@ON_A_HOST
def test_a_login_that_windows_calls_refused(look: Looks) -> None:
    logins = look.simulator.accept_logins(ntlm=True)
    found = look(authentication="ntlm", password="wrong")
    assert failing(found)["step"] == "authentication"
    assert "Check username and password" in found["msg"]
    assert logins.logins == []


# --- through Ansible itself -------------------------------------------------------------------------------------------


@pytest.fixture(params=[None, "jump"], ids=["controller", "jump host"])
def play(request: pytest.FixtureRequest, look: Looks, controller: Controller) -> Callable[..., Run]:
    """A task of the module through either face."""

    def run(*arguments: str, **options: Any) -> Run:
        given = {name: value for name, value in {**look.connection, **options}.items() if value is not None}
        task = {"name": "Look", MODULE: given, **({"delegate_to": request.param} if request.param else {})}
        return controller.play(
            [{"name": "P", "hosts": "localhost", "gather_facts": False, "tasks": [task]}], *arguments
        )

    return run


def test_both_faces_say_the_same_where_it_works(look: Looks, play: Callable[..., Run]) -> None:
    run = play("--check")
    assert run.returncode == 0, run.output
    here = look()
    for name in ("reachable", "endpoint", "session", "commands", "rights"):
        assert run.result[name] == here[name]
    assert [step["msg"] for step in run.result["steps"]] == [step["msg"] for step in here["steps"]]


@pytest.mark.parametrize("arrange", [wrong_name, wrong_password, viewer])
def test_both_faces_say_the_same_where_it_fails(look: Looks, play: Callable[..., Run], arrange: Arrange) -> None:
    options = arrange(look.simulator)
    run = play("-vvv", **options)
    assert run.returncode == 2
    assert run.result["msg"] == look(**options)["msg"]
    assert "Traceback" not in run.output
    assert PASSWORD not in run.output


def test_the_action_group_gives_it_its_connection(look: Looks, controller: Controller) -> None:
    play = {
        "name": "Does it work from here?",
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {"group/mailops.exchange.exchange": look.connection},
        "tasks": [{"name": "Look", MODULE: None}],
    }
    assert controller.play([play]).result["reachable"]


def test_a_role_with_no_more_than_needed_is_seen_as_that(look: Looks) -> None:
    narrow = look.simulator.users.add("narrow@contoso.com", PASSWORD, MAIL_RECIPIENTS)
    narrow.entries = {
        "Get-CASMailbox": frozenset({"Identity", "ResultSize"}),
        "Set-CASMailbox": frozenset({"Identity", "PopEnabled"}),
    }
    found = look(username="narrow@contoso.com")
    assert "failed" not in found
    assert found["rights"]["change"]
    assert "Set-CASMailbox -PopSuppressReadReceipt" in found["rights"]["missing"]
    assert "Get-CASMailbox -Identity" not in found["rights"]["missing"]
