# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user can write wrong: one clear sentence, and not one byte to Exchange."""

from __future__ import annotations

import os
from typing import Any

import pytest

from support.pop3_tasks import Pop3Tasks
from support.transports import HOST_SHELL, REMOTE_POWERSHELL

CASES: list[tuple[dict[str, Any], str]] = [
    ({}, "one of the following is required: identity, identities"),
    ({"identity": ""}, "identity is blank"),
    ({"identity": "  \t "}, "identity is blank"),
    ({"identity": 12345}, "identity has to be text, and this is the number 12345. Write it in quotes."),
    ({"identity": ["John Smith"]}, "Use identities for a list."),
    ({"identities": []}, "identities is an empty list"),
    ({"identities": "Smith, John"}, "text is never split"),
    ({"identities": ["John Smith", ""]}, "identities[1] is blank"),
    ({"identities": ["John Smith", None]}, "identities[1] has to be text"),
    ({"identities": ["John Smith", 7]}, "identities[1] has to be text, and this is the number 7"),
    ({"identity": "a", "identities": ["b"]}, "parameters are mutually exclusive: identity|identities"),
    ({"identity": "a", "state": "on"}, "value of state must be one of: enabled, disabled, got: on"),
    ({"identity": "a", "state": None}, "missing required arguments: state"),
    ({"identity": "a", "stat": "enabled"}, "Unsupported parameters"),
    ({"identity": "a", "connection_uri": "mbx01.contoso.com"}, "has to start with http:// or https://"),
    ({"identity": "a", "connection_uri": "http://user:secret@mbx01/"}, "it has a user name or password in it"),
    ({"identity": "a", "authentication": "digest"}, "value of authentication must be one of"),
    ({"identity": "a", "authentication": "certificate"}, "needs client_cert"),
    ({"identity": "a", "ca_cert": "/no/such/file.pem"}, "ca_cert: the file does not exist"),
    ({"identity": "a", "domain_controller": "  "}, "is not the name of a server"),
    ({"identity": "a", "connection_timeout": float("inf")}, "connection_timeout has to be a whole number"),
    ({"identity": "a", "username": ""}, "needs a username and a password"),
    ({"identity": "a", "operation_timeout": 0}, "operation_timeout is a number of seconds, from 1 to 86400"),
]


HOSTS: dict[str, str | None] = {
    "needs client_cert": "does not work with transport: host_shell",
    "ca_cert: the file does not exist": None,  # it is not used there
    "needs a username and a password": "username and password belong together",
    "Unsupported parameters": "Supported parameters include",  # before which Ansible itself puts some words
}
"""What is said over host_shell instead of something; None where that is no mistake there."""

EVERY_CASE = [
    *((REMOTE_POWERSHELL, options, says) for options, says in CASES),
    *((HOST_SHELL, options, said) for options, says in CASES if (said := HOSTS.get(says, says))),  # pylint: disable=used-before-assignment
]


@pytest.mark.parametrize(
    ("transport", "options", "says"),
    EVERY_CASE,
    indirect=["transport"],
    ids=[f"{transport}-{says}" for transport, _options, says in EVERY_CASE],
)
def test_bad_input_is_explained_and_sends_nothing(here: Pop3Tasks, options: dict[str, Any], says: str) -> None:
    run = here(**options)
    assert run.returncode == 2
    assert says in run.result["msg"]
    assert "Traceback" not in run.output
    assert "secret" not in run.output
    assert here.simulator.exchange.http_requests == 0


def test_basic_over_http_is_refused_before_a_byte_is_sent(pop3: Pop3Tasks) -> None:
    run = pop3(identity="John Smith", connection_uri=pop3.simulator.exchange.uri)
    assert "Refused before anything was sent" in run.result["msg"]
    assert "allow_unencrypted" in run.result["msg"]
    assert pop3.simulator.exchange.http_requests == 0


def test_basic_over_http_works_where_it_is_allowed(pop3: Pop3Tasks) -> None:
    run = pop3(identity="John Smith", connection_uri=pop3.simulator.exchange.uri, allow_unencrypted=True)
    assert run.result["changed"]


def test_a_password_in_another_encoding_is_refused(here: Pop3Tasks) -> None:
    here.controller.environment |= {"EXCHANGE_USERNAME": "u", "EXCHANGE_PASSWORD": os.fsdecode(b"p\xff")}
    run = here(identity="John Smith", username=None, password=None)
    assert "password has a character that cannot be sent" in run.result["msg"]
    assert here.simulator.exchange.http_requests == 0


def test_without_an_address_the_task_says_where_it_looked(here: Pop3Tasks) -> None:
    run = here(identity="John Smith", connection_uri=None)
    assert "connection_uri is needed" in run.result["msg"]
    assert "EXCHANGE_CONNECTION_URI" in run.result["msg"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"identities": "Smith, John"}, "text is never split"),
        ({"identity": "a", "connection_uri": "http://user:secret@mbx01/"}, "it has a user name or password in it"),
        ({"identity": "a", "connection_uri": "http://user:sec/secret@mbx01/"}, "it has a user name or password in it"),
    ],
)
def test_bad_input_is_refused_on_the_controller_also_for_a_jump_host(
    pop3: Pop3Tasks, options: dict[str, Any], says: str
) -> None:
    run = pop3("-vvv", **options)
    assert says in run.result["msg"]
    assert "secret" not in run.output
    assert pop3.simulator.exchange.http_requests == 0
