# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_powershell, for one script: the one of ``transport: host_shell``, known by its digest.

There is no PowerShell here. What the script says that it does is done in Python, over a PSRP session of its own with
the Exchange that is asked for: its login, its roles, its errors. So this shows that the product and the contract of the
script fit together, and not that the script keeps the contract. Whoever changes the script reads this file beside it,
and then writes the new digest down here. How Windows' own client words a failed opening is reported; its codes are
those that PowerShell's source has.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests
from pypsrp.complex_objects import GenericComplexObject, PSInvocationState
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import Serializer
from pypsrp.wsman import WSMan

from simulator.windows.modules.arguments import NOT_SIMULATED, Option, OptionType, arguments
from simulator.windows.modules.call import Machine, ModuleCall, ModuleFailure

SCRIPT_DIGEST = "ecc85e2a58af47cae3792ed2b5227b5bd53fffa06a8a41a6da1d10b3e065dfd2"
"""SHA-256 of the script whose contract this file carries out."""

_OPTIONS = {
    "script": Option(required=True),
    "parameters": Option(OptionType.RAW, default={}),
    "sensitive_parameters": Option(OptionType.LIST, default=[]),
    "depth": Option(OptionType.INT, default=2),
    "error_action": Option(default="continue", choices=("silently_continue", "continue", "stop")),
    **dict.fromkeys(("arguments", "chdir", "creates", "executable", "path", "remote_src", "removes"), NOT_SIMULATED),
}
_NAMES = frozenset(
    {
        "ConnectionUri",
        "ConfigurationName",
        "Authentication",
        "Credential",
        "ValidateCerts",
        "OpenSeconds",
        "CallSeconds",
        "Cmdlet",
        "Parameters",
        "Values",
        "Property",
    }
)
_ACCESS_DENIED = 5
_NO_LOGON_SESSION = 1312
_LOGON_FAILURE = 1326
_CANNOT_CONNECT = -2144108526
_TIMED_OUT = -2144108250
_NOT_TRUSTED = 12175
_NO_SUCH_PAGE = -2144108269
_HTTP_ERROR = -2144108176
_NAMED = {
    _ACCESS_DENIED: "AccessDenied",
    _LOGON_FAILURE: "LogonFailure",
    _CANNOT_CONNECT: "CannotConnect",
    _TIMED_OUT: "WinRMOperationTimeout",
    _HTTP_ERROR: "WinRMHttpError",
}
_LOST = (WinRMError, requests.RequestException, OSError)


class _NotOpened(Exception):
    """New-PSSession failed, with this code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class _Login:
    user: str
    password: str


def win_powershell(call: ModuleCall, machine: Machine) -> dict[str, Any]:
    """Run the one script that is known; any other is refused."""
    given = arguments(_OPTIONS, call)
    if hashlib.sha256(given["script"].encode()).hexdigest() != SCRIPT_DIGEST:
        raise ModuleFailure(
            "The simulated Windows host has no PowerShell. It knows what the script of transport: host_shell does, as "
            "it was when tests/simulator/windows/modules/host_shell.py was written, and this is another one"
        )
    parameters = dict(given["parameters"])
    login = None
    for one in given["sensitive_parameters"]:
        if one["name"] != "Credential":
            raise ModuleFailure(f"A parameter cannot be found that matches parameter name '{one['name']}'.")
        login = _Login(one["username"], one["password"])
    unknown = parameters.keys() - _NAMES
    if unknown:
        raise ModuleFailure(f"A parameter cannot be found that matches parameter name '{min(unknown)}'.")
    if call.check_mode and parameters.get("Cmdlet") and not parameters["Cmdlet"].startswith("Get-"):
        raise ModuleFailure("In check mode nothing is run but what only looks.")
    result = _run(parameters, login or _own_login(call, machine), machine)
    empty: dict[str, Any] = {name: [] for name in ("error", "warning", "verbose", "debug", "information")}
    # As PowerShell has it when the script says nothing else.
    return {**empty, "changed": True, "output": [json.dumps(result)], "result": {}, "host_out": "", "host_err": ""}


def _own_login(call: ModuleCall, machine: Machine) -> _Login | None:
    """What the user of this process can show to another server: nothing after a login over the network (the double
    hop), unless they became somebody with a password of their own."""
    known = machine.domain_logons.get((call.become_user or "").casefold())
    return None if known is None else _Login(*known)


def _run(parameters: Mapping[str, Any], login: _Login | None, machine: Machine) -> dict[str, Any]:
    result: dict[str, Any] = {"failure": None, "answers": []}
    with contextlib.ExitStack() as stack:
        try:
            pool = stack.enter_context(_opened(parameters, login, machine))
        except _NotOpened as failed:
            result["failure"] = _failure(failed, parameters)
            return result
        if not parameters.get("Cmdlet"):
            return result
        inputs = [[value] for value in parameters["Values"]] if "Values" in parameters else [None]
        for one in inputs:
            answer = _answer(pool, parameters, one)
            result["answers"].append(answer)
            if answer["ended"] or answer["silent"] or answer["lost"]:
                break
    return result


@contextlib.contextmanager
def _opened(parameters: Mapping[str, Any], login: _Login | None, machine: Machine) -> Iterator[RunspacePool]:
    uri = parameters.get("ConnectionUri") or machine.exchange_uri
    if login is None:
        raise _NotOpened(_NO_LOGON_SESSION, "A specified logon session does not exist. It may already have been ended.")
    if not uri:
        raise _NotOpened(_CANNOT_CONNECT, "The client cannot connect to the destination specified in the request.")
    wsman = _wsman(requests.utils.urlparse(uri), parameters, login, machine)  # type: ignore[attr-defined]
    pool = RunspacePool(wsman, configuration_name=parameters["ConfigurationName"])
    pool._serializer = pool._fragmenter.serializer = _ValuesAsPowerShellHasThem()
    try:
        _open(pool, parameters)
        wsman.transport.read_timeout = parameters["OpenSeconds"] + 20  # from now on, CallSeconds count
        yield pool
    finally:
        with contextlib.suppress(Exception):
            pool.close()
        wsman.close()


def _wsman(uri: Any, parameters: Mapping[str, Any], login: _Login, machine: Machine) -> WSMan:
    # Kerberos needs a realm, which there is not: Exchange asks its table of users either way.
    method = {"Kerberos": "basic", "Basic": "basic", "Negotiate": "negotiate"}[parameters["Authentication"]]
    trust: Any = {"cert_validation": str(machine.ca_file) if parameters["ValidateCerts"] else False}
    basic: Any = {"username": login.user.encode(), "password": login.password.encode()}
    plain: Any = {"username": login.user, "password": login.password}
    return WSMan(
        uri.hostname,
        port=uri.port or (443 if uri.scheme == "https" else 80),
        ssl=uri.scheme == "https",
        path=uri.path.lstrip("/"),
        auth=method,
        encryption="never" if method == "basic" else "auto",
        connection_timeout=parameters["OpenSeconds"],
        read_timeout=parameters["OpenSeconds"],
        operation_timeout=20,
        **trust,
        **(basic if method == "basic" else plain),
    )


def _open(pool: RunspacePool, parameters: Mapping[str, Any]) -> None:
    try:
        pool.open()
    except AuthenticationError as exc:
        if parameters["Authentication"] == "Basic":
            raise _NotOpened(_ACCESS_DENIED, "Access is denied.") from exc
        raise _NotOpened(_LOGON_FAILURE, "The user name or password is incorrect.") from exc
    except WSManFaultError as exc:
        if exc.code is None or exc.code == HTTPStatus.NOT_FOUND:  # a page, and no fault
            words = (
                "The WinRM client sent a request to an HTTP server and got a response saying the requested HTTP URL was"
            )
            raise _NotOpened(_NO_SUCH_PAGE, f"{words} not available.") from exc
        code = exc.code
        raise _NotOpened(code - 2**32 if code >= 2**31 else code, str(exc.reason)) from exc
    except WinRMTransportError as exc:
        raise _NotOpened(_HTTP_ERROR, f"The server returned the HTTP status {exc.code}.") from exc
    except requests.exceptions.SSLError as exc:
        raise _NotOpened(_NOT_TRUSTED, "The server certificate on the destination computer has errors.") from exc
    except requests.exceptions.Timeout as exc:
        raise _NotOpened(_TIMED_OUT, "WinRM cannot complete the operation within the time specified.") from exc
    except Exception as exc:  # reset, half an answer, garbage: Windows' client has no other word for it
        raise _NotOpened(_CANNOT_CONNECT, "The client cannot connect to the destination specified.") from exc


def _failure(failed: _NotOpened, parameters: Mapping[str, Any]) -> dict[str, Any]:
    where = parameters.get("ConnectionUri") or "localhost"
    return {
        "message": f"Connecting to remote server {where} failed with the following error message : {failed} For more "
        "information, see the about_Remote_Troubleshooting Help topic.",
        "id": f"{_NAMED.get(failed.code, failed.code)},PSSessionOpenFailed",
        "code": failed.code,
    }


def _answer(pool: RunspacePool, parameters: Mapping[str, Any], values: list[Any] | None) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "records": [],
        "errors": [],
        "warnings": [],
        "domain_controller": None,
        "ended": False,
        "silent": False,
        "lost": None,
    }
    remote = PowerShell(pool).add_cmdlet(parameters["Cmdlet"])
    for name, value in parameters["Parameters"].items():
        remote.add_parameter(name, value)
    try:
        if not _finished(remote, values, parameters["CallSeconds"]):
            answer["silent"] = True
            return answer
    except _LOST as exc:
        answer["lost"] = f"Processing data from remote server failed with the following error message: {exc}"
        return answer
    except Exception as exc:  # what cannot be read as PSRP
        answer["lost"] = f"The data that the remote server sent is not valid: {exc}"
        return answer
    answer["ended"] = remote.state == PSInvocationState.FAILED
    output = [_properties(one) for one in remote.output]
    answer["domain_controller"] = next(
        (str(one["OriginatingServer"]) for one in output if "OriginatingServer" in one), None
    )
    answer["records"] = [_plain_record(one, parameters.get("Property")) for one in output]
    answer["errors"] = [_plain_error(error) for error in remote.streams.error]
    answer["warnings"] = [str(warning.message) for warning in remote.streams.warning]
    return answer


def _finished(remote: PowerShell, values: list[Any] | None, seconds: float) -> bool:
    """Run to the end; False when nothing came for so long, and then it was told to stop."""
    deadline, heard = time.monotonic() + seconds, 0
    remote.begin_invoke(None if values is None else (chunk for chunk in [values]), remote_stream_options=0)
    while remote.state == PSInvocationState.RUNNING:
        written = len(remote.output) + len(remote.streams.error) + len(remote.streams.warning)
        if written != heard:
            deadline, heard = time.monotonic() + seconds, written
        left = deadline - time.monotonic()
        if left <= 0:
            with contextlib.suppress(Exception):
                remote.stop()
            return False
        remote.poll_invoke(timeout=max(1, min(20, round(left))))
    with contextlib.suppress(Exception):
        remote.close()
    return True


class _ValuesAsPowerShellHasThem(Serializer):
    """PowerShell makes an ArrayList of every list from another session; pypsrp of those whose type it knows. And an
    address that comes as an object has a text there, which is what the script takes."""

    def deserialize(self, element: Any, *args: Any, **kwargs: Any) -> Any:
        """See pypsrp."""
        if isinstance(element, str):
            element = _OF_EXCHANGE.sub("<T>System.Collections.ArrayList</T>", element)
            element = element.replace("<T>System.Uri</T>", "")
        return super().deserialize(element, *args, **kwargs)


_OF_EXCHANGE = re.compile(r"<T>Microsoft\.Exchange\.Data\.MultiValuedProperty[^<]*</T>")


def _properties(record: Any) -> dict[str, Any]:
    if not isinstance(record, GenericComplexObject):
        return {"Value": record}
    return {**record.adapted_properties, **record.extended_properties}


def _plain_record(record: dict[str, Any], wanted: list[str] | None) -> dict[str, Any]:
    names = wanted or list(record)
    return {name: _plain(record.get(name)) for name in names}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, (list, tuple)):
        return [str(one) for one in value]
    if isinstance(value, uuid.UUID):
        return str(value)
    return str(value)


def _plain_error(error: Any) -> dict[str, Any]:
    exception = error.exception
    properties = _properties(exception) if isinstance(exception, GenericComplexObject) else {}
    return {
        "message": error.details_message or properties.get("Message") or str(error),
        "id": error.fq_error or "",
        "code": 0,
    }
