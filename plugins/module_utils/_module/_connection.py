# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options that every module of this collection has; documented in doc_fragments/connection.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._errors import OptionError
from .._transport._endpoint import Authentication, ConnectionUri, Endpoint
from ._definition import HostConnection, Params

_URI_ENVIRONMENT = "EXCHANGE_CONNECTION_URI"
_USERNAME_ENVIRONMENT = "EXCHANGE_USERNAME"
_PASSWORD_ENVIRONMENT = "EXCHANGE_PASSWORD"

CONNECTION_ARGUMENTS: dict[str, dict[str, Any]] = {
    "connection_uri": {"type": "str"},
    "authentication": {
        "type": "str",
        "default": Authentication.KERBEROS.value,
        "choices": [method.value for method in Authentication],
    },
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "default": True},
    "ca_cert": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "client_key_password": {"type": "str", "no_log": True},
    "allow_unencrypted": {"type": "bool", "default": False},
    "configuration_name": {"type": "str", "default": "Microsoft.Exchange"},
    "spn_service": {"type": "str", "default": "http"},
    "domain_controller": {"type": "str"},
    "connection_timeout": {"type": "int", "default": 30},
    "operation_timeout": {"type": "int", "default": 180},
}


def connection_defaults(params: Params, host: HostConnection, environment: Mapping[str, str]) -> Params:
    """Fill in the address, the user and the password: first from the host's own connection, then the environment."""
    uri = params["connection_uri"] or (host.address and f"http://{_bracketed(host.address)}/PowerShell/")
    username = params["username"] or host.username or environment.get(_USERNAME_ENVIRONMENT)
    # The host's password belongs to the host's user: with another user it would be a wrong password, and enough wrong
    # passwords lock an account.
    of_host = host.password if username == host.username else None
    return {
        **params,
        "connection_uri": uri or environment.get(_URI_ENVIRONMENT),
        "username": username,
        "password": params["password"] or of_host or environment.get(_PASSWORD_ENVIRONMENT),
    }


def endpoint_from(params: Mapping[str, Any]) -> Endpoint:
    """Return where and how to connect. Raises OptionError for what is missing or does not fit together."""
    uri = text_or_none(params["connection_uri"])
    if uri is None:
        raise OptionError(
            "connection_uri is needed: neither the task, module_defaults, the host's own connection nor the "
            f"environment variable {_URI_ENVIRONMENT} gives it. Expected something like "
            "http://mbx01.contoso.com/PowerShell/"
        )
    return Endpoint(
        uri=ConnectionUri.parse(uri),
        authentication=Authentication(params["authentication"]),
        username=text_or_none(params["username"]),
        password=text_or_none(params["password"]),
        validate_certs=bool(params["validate_certs"]),
        ca_cert=text_or_none(params["ca_cert"]),
        client_cert=text_or_none(params["client_cert"]),
        client_key=text_or_none(params["client_key"]),
        client_key_password=text_or_none(params["client_key_password"]),
        allow_unencrypted=bool(params["allow_unencrypted"]),
        configuration_name=plain_text(params["configuration_name"]),
        spn_service=plain_text(params["spn_service"]),
        connection_timeout=int(params["connection_timeout"]),
        operation_timeout=int(params["operation_timeout"]),
    )


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address and not address.startswith("[") else address


def plain_text(value: str) -> str:
    """Return a plain ``str``: Ansible's own strings carry tags, and what reaches the wire must be just text."""
    return "".join(value)


def text_or_none(value: str | None) -> str | None:
    """An option that is empty counts as not given: ``"{{ variable | default('') }}"``."""
    return plain_text(value) if value else None
