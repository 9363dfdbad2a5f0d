# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options: what is refused before a byte is sent, and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.module_utils._errors import OptionError
from ansible_collections.mailops.exchange.plugins.module_utils._transport._endpoint import (
    Authentication,
    ConnectionUri,
    Endpoint,
)

HTTP = ConnectionUri.parse("http://mbx01.contoso.com/PowerShell/")
HTTPS = ConnectionUri.parse("https://mbx01.contoso.com/PowerShell/")


@pytest.mark.parametrize(
    ("text", "parts", "shown"),
    [
        ("http://mbx01/PowerShell/", ("http", "mbx01", 80, "PowerShell/"), "http://mbx01/PowerShell/"),
        ("HTTPS://MBX01:8443/powershell", ("https", "mbx01", 8443, "powershell"), "https://mbx01:8443/powershell"),
        ("http://mbx01", ("http", "mbx01", 80, "PowerShell/"), "http://mbx01/PowerShell/"),
        ("http://[::1]:81/PowerShell/", ("http", "::1", 81, "PowerShell/"), "http://[::1]:81/PowerShell/"),
        (
            "http://mbx01/PowerShell/?serializationLevel=Full",
            ("http", "mbx01", 80, "PowerShell/?serializationLevel=Full"),
            "http://mbx01/PowerShell/?serializationLevel=Full",
        ),
    ],
)
def test_a_uri_in_its_parts(text: str, parts: tuple[str, str, int, str], shown: str) -> None:
    uri = ConnectionUri.parse(text)
    assert (uri.scheme, uri.host, uri.port, uri.path) == parts
    assert str(uri) == shown


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mbx01.contoso.com", "has to start with http:// or https://"),
        ("ftp://mbx01/", "has to start with http:// or https://"),
        ("http://", "no host name"),
        ("http:///PowerShell/", "no host name"),
        ("http://mbx01:port/", "port is not a number"),
        ("http://mbx01:99999/", "port is not a number"),
        ("http://mbx01:0/", "port is not a number"),
        ("http://[::1/", "host name is not written rightly"),
        ("http://mbx 01/", "white space"),
        ("http://mbx01/\r\nHost: evil", "white space or control characters"),
        ("http://mbx01/#x", "fragment"),
    ],
)
def test_a_broken_uri_is_refused(text: str, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        ConnectionUri.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://admin:Pa$$w0rd@mbx01/",
        "http://admin:Pa$$@w0rd@mbx01:x/",
        "http://admin:Pa$$/w0rd@mbx01/",
        "http://admin:1/Pa$$w0rd@mbx01/",
    ],
)
def test_a_password_in_a_uri_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(OptionError, match="user name or password") as caught:
        ConnectionUri.parse(text)
    assert "Pa$$" not in str(caught.value)
    assert "w0rd" not in str(caught.value)


@given(st.text())
def test_any_text_is_a_uri_or_an_option_error(text: str) -> None:
    try:
        uri = ConnectionUri.parse(text)
    except OptionError:
        return
    assert uri.scheme in ("http", "https")
    assert uri.host
    assert 0 < uri.port < 65536


@pytest.mark.parametrize("method", list(Authentication))
def test_what_would_be_readable_is_refused_over_http(method: Authentication) -> None:
    options: dict[str, Any] = {"authentication": method, "username": "u", "password": "p", "client_cert": __file__}
    Endpoint(HTTPS, **options)
    if method in (Authentication.BASIC, Authentication.CERTIFICATE):
        with pytest.raises(OptionError, match=r"readable over the network|over TLS only"):
            Endpoint(HTTP, **options)
    else:
        assert Endpoint(HTTP, **options).encrypts_messages


def test_allow_unencrypted_lifts_the_refusal_for_basic_only() -> None:
    assert not Endpoint(
        HTTP, Authentication.BASIC, username="u", password="p", allow_unencrypted=True
    ).encrypts_messages
    assert Endpoint(HTTP, Authentication.KERBEROS, allow_unencrypted=True).encrypts_messages
    with pytest.raises(OptionError, match="over TLS only"):
        Endpoint(HTTP, Authentication.CERTIFICATE, client_cert=__file__, allow_unencrypted=True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"authentication": Authentication.BASIC, "username": "u"}, "needs a username and a password"),
        ({"authentication": Authentication.NTLM, "password": "p"}, "needs a username and a password"),
        ({"authentication": Authentication.CERTIFICATE}, "needs client_cert"),
        ({"connection_timeout": 0}, "from 1 to 86400"),
        ({"operation_timeout": 10**12}, "from 1 to 86400"),
        ({"configuration_name": "a<b"}, "is not a name"),
        ({"spn_service": ""}, "is not a name"),
        ({"spn_hostname": "http/mbx01"}, "is not the name of a server"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        Endpoint(HTTPS, **options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ca_cert": "/no/such/ca.pem"}, "ca_cert: the file does not exist"),
        ({"ca_cert": "a\0b"}, "ca_cert: the file does not exist or cannot be read"),
        ({"ca_cert": "/tmp"}, "ca_cert: the file does not exist or cannot be read"),
        ({"ca_cert": __file__}, "ca_cert: these PEM files cannot be used"),
        ({"client_cert": __file__}, "client_cert, client_key: these PEM files cannot be used"),
    ],
)
def test_files_that_cannot_be_used_are_named(options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        Endpoint(HTTPS, **options).check_files()


def test_an_endpoint_does_not_show_its_secrets() -> None:
    endpoint = Endpoint(HTTPS, username="u", password="hunter2", client_key_password="hunter3")
    assert "hunter" not in repr(endpoint)
    assert "hunter" not in endpoint.described
