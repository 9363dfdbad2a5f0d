# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong on the way to Exchange: what was tried, what came back, what to check. Never a traceback."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator import Ending, Simulator
from simulator.wire import faults
from simulator.wire.certificates import CertificateFiles
from support.pop3_tasks import ADMIN, Pop3Tasks
from support.transports import HOST_SHELL, REMOTE_POWERSHELL


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def nobody_listens(_simulator: Simulator) -> dict[str, Any]:
    return {"connection_uri": f"https://localhost:{free_port()}/PowerShell/"}


def no_such_name(_simulator: Simulator) -> dict[str, Any]:
    return {"connection_uri": "https://mbx01.contoso.invalid/PowerShell/"}


def wrong_path(simulator: Simulator) -> dict[str, Any]:
    return {"connection_uri": simulator.exchange.https_uri.replace("/PowerShell/", "/wsman")}


def wrong_configuration(_simulator: Simulator) -> dict[str, Any]:
    return {"configuration_name": "Microsoft.PowerShell"}


def wrong_password(_simulator: Simulator) -> dict[str, Any]:
    return {"password": "wrong"}


def unknown_authority(_simulator: Simulator) -> dict[str, Any]:
    return {"ca_cert": None}


def serves(simulator: Simulator, certificate: CertificateFiles) -> dict[str, Any]:
    """The same Exchange, with another certificate."""
    assert simulator.exchange.https
    simulator.exchange.https.use_certificate(certificate.server_context())
    return {}


def wrong_name_in_certificate(simulator: Simulator) -> dict[str, Any]:
    return serves(simulator, simulator.authority.server(["mbx02.contoso.com"]))


def expired_certificate(simulator: Simulator) -> dict[str, Any]:
    return serves(simulator, simulator.authority.server(expired=True))


def self_signed_certificate(simulator: Simulator) -> dict[str, Any]:
    return serves(simulator, simulator.authority.self_signed())


def https_to_the_http_port(simulator: Simulator) -> dict[str, Any]:
    return {"connection_uri": simulator.exchange.uri.replace("http://", "https://")}


def http_to_the_https_port(simulator: Simulator) -> dict[str, Any]:
    uri = simulator.exchange.https_uri.replace("https://", "http://")
    return {"connection_uri": uri, "allow_unencrypted": True}


def remote_powershell_forbidden(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.behaviour.refuse_opening = "Access is denied."
    return {}


def too_many_sessions(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.behaviour.throttled_openings = 99
    return {}


def application_pool_down(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.faults.add(faults.Status(503), times=None)
    return {}


def forbidden(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.faults.add(faults.Status(403))
    return {}


def bad_request(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.faults.add(faults.Status(400))
    return {}


def redirected(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.faults.add(faults.Redirect("https://evil.example/PowerShell/"))
    return {}


def not_wsman(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.faults.add(faults.Garbage())
    return {}


def cut_off(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.faults.add(faults.ResetBeforeProcessing(), times=None)
    return {}


def no_answer(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.faults.add(faults.Delay(4.0))
    return {"operation_timeout": 1, "connection_timeout": 1}


def a_method_that_is_not_offered(_simulator: Simulator) -> dict[str, Any]:
    return {"authentication": "ntlm"}


Arrange = Callable[[Simulator], dict[str, Any]]

CASES: list[tuple[Arrange, list[str]]] = [
    (nobody_listens, ["Nothing listens at localhost:", "IIS"]),
    (no_such_name, ["The name mbx01.contoso.invalid cannot be resolved", "DNS"]),
    (wrong_path, ["HTTP status 404", "'/PowerShell/'"]),
    (wrong_configuration, ["WSMan fault 2150858811", "'Microsoft.PowerShell'", "port 80"]),
    (wrong_password, ["The login was not accepted", "Check username and password"]),
    (unknown_authority, ["The certificate of localhost:", "is not trusted", "ca_cert"]),
    (wrong_name_in_certificate, ["The certificate of localhost:", "is not trusted: Hostname mismatch", "the name"]),
    (expired_certificate, ["is not trusted: certificate has expired"]),
    (self_signed_certificate, ["is not trusted: self-signed certificate"]),
    (https_to_the_http_port, ["No TLS connection could be made", "https and not http"]),
    (http_to_the_https_port, ["http or https in connection_uri fits the port"]),
    (remote_powershell_forbidden, ["WSMan fault 5", "RemotePowerShellEnabled"]),
    (too_many_sessions, ["PowerShellMaxConcurrency", "18"]),
    (application_pool_down, ["HTTP status 503", "application pool"]),
    (forbidden, ["HTTP status 403", "forbids"]),
    (bad_request, ["HTTP status 400", "MaxTokenSize"]),
    (redirected, ["redirects to https://evil.example/PowerShell/", "not followed"]),
    (not_wsman, ["answer was not understood", "Exchange server"]),
    (cut_off, ["closed the connection without a whole answer"]),
    (no_answer, ["did not answer in time", "operation_timeout"]),
    (a_method_that_is_not_offered, ["does not offer the method that 'authentication: ntlm' needs"]),
]


CANNOT = "PowerShell says: Connecting to remote server"
# Over host_shell the words are those of Windows, which says less of the way than can be seen from here; the advice is
# ours. What is left out comes out like one that is there, passes, or is none: the host has its own certificates.
HOSTS_CASES: list[tuple[Arrange, list[str]]] = [
    (nobody_listens, [CANNOT, "CannotConnect", "IIS"]),
    (wrong_path, [CANNOT, "Check connection_uri"]),
    (wrong_configuration, [CANNOT, "configuration_name"]),
    (wrong_password, ["Access is denied", "Check username and password"]),
    (wrong_name_in_certificate, ["12175", "the host itself trusts", "ca_cert does not", "the name in connection_uri"]),
    (remote_powershell_forbidden, ["Access is denied", "RemotePowerShellEnabled"]),
    (too_many_sessions, ["PowerShellMaxConcurrency", "18"]),
    (application_pool_down, ["HTTP status 503", "IIS serves Exchange"]),
    (cut_off, ["CannotConnect", "Check connection_uri"]),
    (no_answer, ["WinRMOperationTimeout", "connection_timeout"]),
    (a_method_that_is_not_offered, ["LogonFailure", "Check username and password"]),
]
EVERY_CASE = [
    pytest.param(transport, arrange, says, id=f"{transport}-{arrange.__name__}")
    for transport, cases in ((REMOTE_POWERSHELL, CASES), (HOST_SHELL, HOSTS_CASES))
    for arrange, says in cases
]


@pytest.mark.parametrize(("transport", "arrange", "says"), EVERY_CASE, indirect=["transport"])
def test_one_clear_message(here: Pop3Tasks, arrange: Arrange, says: list[str]) -> None:
    options = arrange(here.simulator)
    run = here(identities=["John Smith", "Patrick Colon"], **options)
    message = run.result["msg"]
    assert run.returncode == 2
    assert message.startswith("No session with Exchange at ")
    assert (options.get("connection_uri") or here.simulator.exchange.https_uri) in message
    assert options.get("authentication", "basic") in message
    for words in says:
        assert words in message
    assert [f["identity"] for f in run.result["failures"]] == ["John Smith", "Patrick Colon"]
    assert run.result["counts"] == {"total": 2, "changed": 0, "unchanged": 0, "failed": 2}
    assert not run.result["changed"]
    assert "Traceback" not in run.output
    assert "errantly" not in run.output


def test_the_user_is_named(here: Pop3Tasks) -> None:
    assert f"as {ADMIN}" in here(identity="John Smith", password="wrong").result["msg"]


@pytest.mark.ansible
@pytest.mark.parametrize("transport", [HOST_SHELL], indirect=True)
def test_a_missing_pypsrp_is_not_missed_over_host_shell(here: Pop3Tasks, tmp_path: Path) -> None:
    """Nothing is needed beside ansible.windows, as docs/connection.md says."""
    hide_pypsrp(here, tmp_path)
    run = here(identity="John Smith")
    assert run.result["changed"], run.output


def test_a_missing_pypsrp_is_named_with_the_place_to_install_it(pop3: Pop3Tasks, tmp_path: Path) -> None:
    """A Python that has Ansible and not pypsrp, on the controller or on the jump host."""
    hide_pypsrp(pop3, tmp_path)
    message = pop3(identity="John Smith").result["msg"]
    assert "The Python library pypsrp, version 0.9.0 or later, is needed on" in message
    assert "-m pip install 'pypsrp>=0.9.0'" in message
    assert sys.executable in message


def hide_pypsrp(pop3: Pop3Tasks, folder: Path) -> None:
    hidden = folder / "without-pypsrp"
    (hidden / "pypsrp").mkdir(parents=True)
    (hidden / "pypsrp" / "__init__.py").write_text("raise ImportError('no module named pypsrp here')\n")
    pop3.controller.environment["PYTHONPATH"] = str(hidden)


def test_without_pypsrp_the_way_there_is_not_looked_at_and_the_same_is_said(here: Pop3Tasks, tmp_path: Path) -> None:
    """The probes need requests, which comes with pypsrp: a machine with nothing but Ansible has neither."""
    for library in ("pypsrp", "requests"):
        (tmp_path / library).mkdir()
        (tmp_path / library / "__init__.py").write_text(f"raise ImportError('no module named {library} here')\n")
    here.controller.environment["PYTHONPATH"] = str(tmp_path)
    connection = {name: value for name, value in here.connection.items() if name != "state"}
    task = {"name": "Look", "mailops.exchange.exchange_endpoint_info": connection}
    run = here.controller.play([{"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": [task]}])
    assert "The Python library pypsrp, version 0.9.0 or later, is needed on" in run.result["msg"]


def test_a_pypsrp_that_is_too_old_is_named_with_its_version(here: Pop3Tasks, tmp_path: Path) -> None:
    old = tmp_path / "old"
    (old / "pypsrp").mkdir(parents=True)
    (old / "pypsrp" / "__init__.py").write_text("")
    (old / "pypsrp-0.5.0.dist-info").mkdir()
    (old / "pypsrp-0.5.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: pypsrp\nVersion: 0.5.0\n")
    here.controller.environment["PYTHONPATH"] = str(old)
    message = here(identity="John Smith").result["msg"]
    assert "version 0.5.0 was found in" in message
    assert "pypsrp>=0.9.0" in message


def test_an_opening_whose_answer_was_cut_leaves_no_session(here: Pop3Tasks) -> None:
    """The server made the session, and half of its answer came: it is closed by the identifier that we gave it."""
    here.simulator.exchange.faults.add(faults.HalfResponse(), action="Create")
    assert here(identity="John Smith").result["changed"]
    assert [shell.ending for shell in here.simulator.exchange.shells] == [Ending.CLOSED, Ending.CLOSED]


def test_closing_is_tried_again(here: Pop3Tasks) -> None:
    here.simulator.exchange.faults.add(faults.ResetBeforeProcessing(), action="Delete")
    assert here(identity="John Smith").result["changed"]
    assert [shell.ending for shell in here.simulator.exchange.shells] == [Ending.CLOSED]


def test_netrc_is_not_sent_with_a_client_certificate(here: Pop3Tasks) -> None:
    """requests would take a login for this host from ~/.netrc, which nobody asked it to."""
    netrc = here.controller.home / ".netrc"
    netrc.write_text("machine localhost login webuser password netrc-secret\n")
    netrc.chmod(0o600)
    certificate = here.simulator.authority.client("popadmin@contoso.com")
    here(
        identity="John Smith",
        authentication="certificate",
        client_cert=str(certificate.certificate),
        client_key=str(certificate.key),
        username="",
        password="",
    )
    sent = here.simulator.exchange.authorizations
    assert sent
    assert [header for header in sent if header.startswith("Basic")] == []
