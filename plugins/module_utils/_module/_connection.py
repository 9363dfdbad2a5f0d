# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options that every module of this collection has; documented in doc_fragments/connection.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .._errors import OptionError
from .._transport._endpoint import Authentication, ConnectionUri, Endpoint
from .._transport._host_endpoint import HostEndpoint
from .._transport._open import Transport
from ._definition import HostConnection, Params
from ._text import text_option

_NAME = re.compile(r"[\w.-]+")

_URI_ENVIRONMENT = "EXCHANGE_CONNECTION_URI"
_USERNAME_ENVIRONMENT = "EXCHANGE_USERNAME"
_PASSWORD_ENVIRONMENT = "EXCHANGE_PASSWORD"

CONNECTION_ENVIRONMENT = (_URI_ENVIRONMENT, _USERNAME_ENVIRONMENT, _PASSWORD_ENVIRONMENT)

CONNECTION_ARGUMENTS: dict[str, dict[str, Any]] = {
    "transport": {
        "type": "str",
        "default": Transport.REMOTE_POWERSHELL.value,
        "choices": [transport.value for transport in Transport],
    },
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
    "spn_hostname": {"type": "str"},
    "domain_controller": {"type": "str"},
    "connection_timeout": {"type": "int", "default": 30},
    "operation_timeout": {"type": "int", "default": 180},
    "parallel_sessions": {"type": "int"},
}


def connection_defaults(params: Params, host: Callable[[], HostConnection], environment: Mapping[str, str]) -> Params:
    """Fill in the address, the user and the password: first from the host's own connection, then the environment.

    A password belongs to the user that it comes with: with another user it would be a wrong password, and enough wrong
    passwords lock an account.
    """
    if params["connection_uri"] and params["username"] and params["password"]:
        return params
    own = host()
    if params["transport"] == Transport.HOST_SHELL:
        own = _seen_from_itself(own)
    uri = params["connection_uri"] or (own.address and f"http://{_bracketed(own.address)}/PowerShell/")
    its_user = environment.get(_USERNAME_ENVIRONMENT)
    username = params["username"] or own.username or its_user
    of_host = own.password if username == own.username else None
    of_environment = environment.get(_PASSWORD_ENVIRONMENT) if its_user in (None, "", username) else None
    return {
        **params,
        "connection_uri": uri or environment.get(_URI_ENVIRONMENT),
        "username": username,
        "password": params["password"] or of_host or of_environment,
    }


def _seen_from_itself(own: HostConnection) -> HostConnection:
    """A host that asks its own Exchange knows its name better than the inventory; and where it becomes somebody else,
    it asks as that user, and not as the one that Ansible logs in with."""
    known = None not in (own.username, own.password) and not own.becomes
    return HostConnection(username=own.username if known else None, password=own.password if known else None)


def endpoint_from(params: Mapping[str, Any]) -> Endpoint | HostEndpoint:
    """Return where and how to connect. Raises OptionError for what is missing or does not fit together."""
    if params["transport"] == Transport.HOST_SHELL:
        return _host_endpoint_from(params)
    return _endpoint_from(params)


def _host_endpoint_from(params: Mapping[str, Any]) -> HostEndpoint:
    uri = text_option(params, "connection_uri")
    return HostEndpoint(
        uri=None if uri is None else ConnectionUri.parse(uri),
        authentication=Authentication(params["authentication"]),
        username=text_option(params, "username"),
        password=text_option(params, "password"),
        validate_certs=bool(params["validate_certs"]),
        allow_unencrypted=bool(params["allow_unencrypted"]),
        configuration_name=text_option(params, "configuration_name") or "",
        spn_service=text_option(params, "spn_service") or "",
        spn_hostname=text_option(params, "spn_hostname"),
        connection_timeout=int(params["connection_timeout"]),
        operation_timeout=int(params["operation_timeout"]),
    )


def _endpoint_from(params: Mapping[str, Any]) -> Endpoint:
    uri = text_option(params, "connection_uri")
    if uri is None:
        raise OptionError(
            "connection_uri is needed: neither the task, module_defaults, the host's own connection nor the "
            f"environment variable {_URI_ENVIRONMENT} gives it. Expected something like "
            "http://mbx01.contoso.com/PowerShell/"
        )
    return Endpoint(
        uri=ConnectionUri.parse(uri),
        authentication=Authentication(params["authentication"]),
        username=text_option(params, "username"),
        password=text_option(params, "password"),
        validate_certs=bool(params["validate_certs"]),
        ca_cert=text_option(params, "ca_cert"),
        client_cert=text_option(params, "client_cert"),
        client_key=text_option(params, "client_key"),
        client_key_password=text_option(params, "client_key_password"),
        allow_unencrypted=bool(params["allow_unencrypted"]),
        configuration_name=text_option(params, "configuration_name") or "",
        spn_service=text_option(params, "spn_service") or "",
        spn_hostname=text_option(params, "spn_hostname"),
        connection_timeout=int(params["connection_timeout"]),
        operation_timeout=int(params["operation_timeout"]),
    )


def domain_controller_from(params: Mapping[str, Any]) -> str | None:
    """Return the domain controller that every cmdlet is to use, if one is named."""
    name = text_option(params, "domain_controller")
    if name is not None and not _NAME.fullmatch(name):
        raise OptionError(f"domain_controller: {name!r} is not the name of a server.")
    return name


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address and not address.startswith("[") else address
