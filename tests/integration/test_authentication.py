# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every method of authentication, over http and https, through both faces: who logs in, how, and what can be read on
the way. What comes out is the table in docs/authentication.md."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from simulator import Simulator
from simulator.wire import faults
from simulator.wire.certificates import CertificateAuthority, CertificateFiles, mapped_user
from simulator.wire.negotiate import Binding, Login, Negotiate
from support import matrix
from support.controller import MODULE, Run
from support.kdc import REALM, Kdc
from support.pop3_tasks import ADMIN, PASSWORD, Pop3Tasks

UPN = f"popadmin@{REALM}"
LOGIN = {"username": UPN, "password": PASSWORD}
NO_LOGIN = {"username": "", "password": ""}

WORKS, ENCRYPTED, REFUSED = "works", "encrypted", "refused"


@dataclass(frozen=True)
class Method:
    """A row of the matrix: options and environment of its task, and what has to come out."""

    name: str
    options: dict[str, Any]
    environment: dict[str, str] = field(default_factory=dict)
    over_http: str = ENCRYPTED
    login: str | None = None
    """The mechanism that the server has to see; None: it sees no Negotiate."""


def methods(simulator: Simulator, kdc: Kdc) -> list[Method]:
    certificate = simulator.authority.client(ADMIN)
    ticket = kdc.kinit("popadmin", PASSWORD, "-f")
    return [
        Method("kerberos, password", {"authentication": "kerberos", **LOGIN}, login="kerberos"),
        Method(
            "kerberos, ticket from kinit",
            {"authentication": "kerberos", **NO_LOGIN},
            {"KRB5CCNAME": ticket},
            login="kerberos",
        ),
        Method("negotiate, Kerberos at hand", {"authentication": "negotiate", **LOGIN}, login="kerberos"),
        Method(
            "negotiate, no KDC known",
            {"authentication": "negotiate", **LOGIN},
            {"KRB5_CONFIG": "/nonexistent"},
            login="ntlm",
        ),
        Method("ntlm, name@domain", {"authentication": "ntlm", "username": ADMIN, "password": PASSWORD}, login="ntlm"),
        Method(
            "ntlm, DOMAIN\\name",
            {"authentication": "ntlm", "username": "CONTOSO\\popadmin", "password": PASSWORD},
            login="ntlm",
        ),
        Method(
            "basic",
            {"authentication": "basic", "username": ADMIN, "password": PASSWORD},
            over_http=REFUSED,
        ),
        Method(
            "certificate",
            {
                "authentication": "certificate",
                "client_cert": str(certificate.certificate),
                "client_key": str(certificate.key),
                **NO_LOGIN,
            },
            over_http=REFUSED,
        ),
    ]


@pytest.fixture
def logins(simulator: Simulator, kdc: Kdc) -> Negotiate:
    """Everything is on, and over TLS a login has to be bound to the certificate."""
    on = simulator.accept_logins(keytab=kdc.keytab, ntlm=True, basic=True, certificates=True)
    on.binding = Binding.STRICT
    return on


@pytest.fixture
def ntlm(simulator: Simulator) -> Negotiate:
    """NTLM alone, which needs no KDC."""
    return simulator.accept_logins(ntlm=True)


def test_every_method_over_http_and_https_through_both_faces(pop3: Pop3Tasks, logins: Negotiate, kdc: Kdc) -> None:
    exchange = pop3.simulator.exchange
    exchange.http.recording = wire = []
    rows = [(m, uri) for m in methods(pop3.simulator, kdc) for uri in (exchange.uri, exchange.https_uri)]
    run = play(pop3, kdc, rows)
    assert len(run.results) == len(rows), run.output

    seen = iter(logins.logins)
    cells = [
        cell(pop3, method, uri, result, seen if method.login else None)
        for (method, uri), result in zip(rows, run.results, strict=True)
    ]
    matrix.record(cells)
    assert [(c.method, c.scheme, c.result) for c in cells] == [
        (m.name, scheme, m.over_http if scheme == "http" else WORKS)
        for m in methods(pop3.simulator, kdc)
        for scheme in ("http", "https")
    ]
    assert list(seen) == []
    assert_nothing_readable(b"".join(wire))
    assert PASSWORD not in run.output


def play(pop3: Pop3Tasks, kdc: Kdc, rows: list[tuple[Method, str]]) -> Run:
    """One play with a task for each row; each switches what the one before switched."""
    tasks = []
    states = ["enabled", "disabled"] * len(rows)
    for method, uri in rows:
        refused = uri.startswith("http:") and method.over_http == REFUSED
        options = {
            "connection_uri": uri,
            "ca_cert": str(pop3.simulator.ca_file),
            "identity": "John Smith",
            "state": states[0] if refused else states.pop(0),
            **method.options,
        }
        task = {"name": method.name, MODULE: options, "environment": method.environment, "ignore_errors": True}
        tasks.append(task | ({"delegate_to": pop3.delegate_to} if pop3.delegate_to else {}))
    return pop3.controller.play(
        [{"name": "P", "hosts": "localhost", "gather_facts": False, "environment": kdc.environment, "tasks": tasks}]
    )


def cell(pop3: Pop3Tasks, method: Method, uri: str, result: dict[str, Any], seen: Any) -> matrix.Found:
    """What came out, from the result of the task and from what the server saw."""
    scheme = uri.partition(":")[0]
    face = "jump host" if pop3.delegate_to else "controller"
    if result.get("failed"):
        early = "Refused before anything was sent" in result["msg"] or "works over TLS only" in result["msg"]
        return matrix.found(method.name, scheme, face, REFUSED if early else f"failed: {result['msg']}")
    assert result["changed"], result
    if seen is not None:
        bound = scheme == "https"
        assert next(seen) == Login(ADMIN, method.login or "", "Negotiate", scheme, bound=bound, delegated=False)
    return matrix.found(method.name, scheme, face, ENCRYPTED if scheme == "http" else WORKS)


def assert_nothing_readable(wire: bytes) -> None:
    """Neither a message nor a password, in any of the usual encodings."""
    assert b"multipart/encrypted" in wire
    for text in ("Envelope", "John Smith", "Set-CASMailbox", PASSWORD, "PopEnabled"):
        for encoded in (text.encode(), text.encode("utf-16-le"), base64.b64encode(text.encode())):
            assert encoded not in wire, text


def test_the_page_says_what_came_out_here() -> None:
    """The table is not typed: what it says of this ansible-core and this Python is what was recorded last."""
    here = matrix.found("", "", "", "")
    page = set(matrix.written(matrix.PAGE.read_text("utf-8")))
    assert {cell.ansible_core for cell in page} >= {"2.19", "2.20", "2.21"}
    recorded = {cell for cell in matrix.recorded() if cell.version == here.version}
    assert recorded <= page or here.version not in {cell.version for cell in page}, "run: make auth-matrix"


@pytest.mark.parametrize("header", ["Negotiate", "Kerberos"])
def test_kerberos_as_exchange_offers_it(here: Pop3Tasks, logins: Negotiate, kdc: Kdc, header: str) -> None:
    """Exchange's own module takes bare Kerberos; IIS takes SPNEGO. Messages are encrypted either way."""
    logins.headers = (header,)
    run = here(identity="John Smith", **kerberos(here, kdc), keywords={"environment": kdc.environment})
    assert run.result["changed"], run.output
    assert [login.header for login in logins.logins] == [header]


def kerberos(tasks: Pop3Tasks, _kdc: Kdc) -> dict[str, Any]:
    return {"connection_uri": tasks.simulator.exchange.uri, "authentication": "kerberos", **LOGIN}


def test_a_large_listing_is_encrypted_in_both_directions(here: Pop3Tasks, logins: Negotiate, kdc: Kdc) -> None:
    organisation = here.simulator.organisation
    names = [organisation.add_mailbox(f"User {number:04}", pop_enabled=False).name for number in range(400)]
    here.simulator.exchange.http.recording = wire = []
    run = here(
        identities=names,
        identity=None,
        parallel_sessions=1,
        **kerberos(here, kdc),
        keywords={"environment": kdc.environment},
    )
    assert run.result["counts"]["changed"] == 400
    assert len(b"".join(wire)) > 500_000
    assert_nothing_readable(b"".join(wire).replace(b"User 0", b""))
    assert b"User 00" not in b"".join(wire)
    assert len(logins.logins) == 1


def test_the_users_own_ticket_is_not_handed_on(here: Pop3Tasks, logins: Negotiate, kdc: Kdc) -> None:
    """Not even to a service that the domain trusts with it, and with a ticket that could be."""
    kdc.administer("modprinc +ok_as_delegate http/localhost")
    ticket = kdc.kinit("popadmin", PASSWORD, "-f")
    run = here(
        identity="John Smith",
        **kerberos(here, kdc) | NO_LOGIN,
        keywords={"environment": {**kdc.environment, "KRB5CCNAME": ticket}},
    )
    assert run.result["changed"], run.output
    assert [login.delegated for login in logins.logins] == [False]


def test_a_service_principal_name_of_another_host_and_service(here: Pop3Tasks, kdc: Kdc) -> None:
    """As behind a load balancer: the address has no name in the domain, the server has."""
    kdc.administer("addprinc -randkey exchange/mbx01.contoso.com", f"ktadd -k {kdc.keytab} exchange/mbx01.contoso.com")
    here.simulator.accept_logins(keytab=kdc.keytab)
    options = kerberos(here, kdc) | {"spn_service": "exchange", "spn_hostname": "mbx01.contoso.com"}
    run = here(identity="John Smith", **options, keywords={"environment": kdc.environment})
    assert run.result["changed"], run.output
    assert "exchange/mbx01.contoso.com@CONTOSO.COM" in kdc.log


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["kerberos", "ntlm"])
def test_a_proxy_that_opens_tls_breaks_the_login(here: Pop3Tasks, logins: Negotiate, kdc: Kdc, method: str) -> None:
    """The client saw another certificate than the one that the server has: channel binding."""
    other = here.simulator.authority.server().server_context()
    logins.certificate = other.certificate
    run = here(
        identity="John Smith",
        **LOGIN,
        connection_uri=here.simulator.exchange.https_uri,
        authentication=method,
        keywords={"environment": kdc.environment},
    )
    message = run.result["msg"]
    assert "The login was not accepted" in message
    assert "bound to the server's certificate" in message
    assert logins.logins == []


@pytest.mark.parametrize("username", [ADMIN, "CONTOSO\\popadmin", "nobody@contoso.com"])
def test_ntlm_with_a_wrong_password(here: Pop3Tasks, ntlm: Negotiate, username: str) -> None:
    run = here(
        identity="John Smith",
        connection_uri=here.simulator.exchange.uri,
        authentication="ntlm",
        username=username,
        password="wrong-secret",
    )
    message = run.result["msg"]
    assert "The login was not accepted: HTTP status 401." in message
    assert "allow NTLM" in message
    assert "wrong-secret" not in run.output
    answers = [header for header in here.simulator.exchange.authorizations if header]
    assert len(answers) == 2, "one attempt: more of them lock the account"
    assert ntlm.logins == []


def test_ntlm_where_only_kerberos_is_offered(here: Pop3Tasks, ntlm: Negotiate) -> None:
    ntlm.headers = ("Kerberos",)
    run = here(
        identity="John Smith",
        connection_uri=here.simulator.exchange.uri,
        authentication="ntlm",
        username=ADMIN,
        password=PASSWORD,
    )
    assert "does not offer the method that 'authentication: ntlm' needs" in run.result["msg"]


def of_nobody(authority: CertificateAuthority) -> CertificateFiles:
    return authority.client("nobody@contoso.com")


def of_a_server(authority: CertificateAuthority) -> CertificateFiles:
    return authority.server()


def expired(authority: CertificateAuthority) -> CertificateFiles:
    return authority.client(ADMIN, expired=True)


def of_an_unknown_authority(authority: CertificateAuthority) -> CertificateFiles:
    elsewhere = authority.folder / "elsewhere"
    elsewhere.mkdir()
    return CertificateAuthority(elsewhere, "Another CA").client(ADMIN)


@pytest.mark.parametrize("made", [of_nobody, of_a_server, expired, of_an_unknown_authority])
def test_a_client_certificate_that_is_refused(
    here: Pop3Tasks, made: Callable[[CertificateAuthority], CertificateFiles]
) -> None:
    here.simulator.accept_logins(certificates=True)
    certificate = made(here.simulator.authority)
    run = here(
        identity="John Smith",
        authentication="certificate",
        client_cert=str(certificate.certificate),
        client_key=str(certificate.key),
        **NO_LOGIN,
    )
    assert "mapped to a user, that the server trusts the authority" in run.result["msg"]


def test_an_answer_that_is_not_encrypted_is_not_used(here: Pop3Tasks, logins: Negotiate, kdc: Kdc) -> None:
    """Over http anybody on the way can write one; the library that carries the messages would take it."""
    here.simulator.exchange.faults.add(faults.Garbage(b"<s:Envelope/>", "application/soap+xml"), nth=3)
    run = here(identity="John Smith", **kerberos(here, kdc), keywords={"environment": kdc.environment})
    assert "not encrypted" in run.result["msg"]
    assert len(logins.logins) >= 1


def test_the_certificates_of_clients_name_a_user(simulator: Simulator) -> None:
    """The helper that the tests above stand on."""
    files = simulator.authority.client("long-" * 40 + "@contoso.com")
    der = ssl.PEM_cert_to_DER_cert(files.certificate.read_text())
    assert mapped_user(der) == "long-" * 40 + "@contoso.com"
