# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error records: those of PowerShell itself, and Exchange's with their `[Server=…] [FailureCategory=…]` ids."""

from __future__ import annotations

import datetime
import uuid
import zlib
from dataclasses import dataclass

TASKS = "Microsoft.Exchange.Configuration.Tasks"
DIRECTORY = "Microsoft.Exchange.Data.Directory"


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """All that the wire format of an error record needs."""

    message: str
    exception_type: str
    error_id: str
    category: str = "NotSpecified"
    """A name of System.Management.Automation.ErrorCategory."""
    activity: str = ""
    target: str | None = None
    target_type: str = ""

    @property
    def reason(self) -> str:
        """The short name of the exception's type."""
        return self.exception_type.rpartition(".")[2]


class TerminatingError(Exception):
    """An error that ends the whole pipeline."""

    def __init__(self, record: ErrorRecord) -> None:
        super().__init__(record.message)
        self.record = record


@dataclass(frozen=True, slots=True)
class Failure:
    """What goes wrong inside an Exchange cmdlet; `exchange_error` makes the error record of it.

    Behaviours on demand take it as well: `Failure("…", "Microsoft.Exchange.Data.Directory.ADTransientException")`.
    """

    message: str
    exception_type: str = "System.InvalidOperationException"
    category: str = "NotSpecified"
    failure_category: str | None = None
    """Default: `Cmdlet-` and the short name of the exception's type."""


def exchange_error(failure: Failure, *, server: str, cmdlet: str, task_class: str) -> ErrorRecord:
    """The error record that Exchange writes; its target is empty (reported)."""
    short = failure.exception_type.rpartition(".")[2]
    category = failure.failure_category or f"Cmdlet-{short}"
    now = datetime.datetime.now(datetime.UTC)
    stamp = f"{now.month}/{now.day}/{now.year} {now.strftime('%I').lstrip('0')}:{now.strftime('%M:%S %p')}"
    code = f"{zlib.crc32(failure.message.encode('utf-8', 'replace')):X}"
    return ErrorRecord(
        message=failure.message,
        exception_type=failure.exception_type,
        error_id=(
            f"[Server={server},RequestId={uuid.uuid4()},TimeStamp={stamp}] [FailureCategory={category}] "
            f"{code},{task_class}"
        ),
        category=failure.category,
        activity=cmdlet,
    )


def not_found(message: str) -> Failure:
    """No such object (reported)."""
    return Failure(message, f"{TASKS}.ManagementObjectNotFoundException")


def ambiguous(message: str) -> Failure:
    """Several such objects (reported)."""
    return Failure(message, f"{TASKS}.ManagementObjectAmbiguousException")


def access_denied(message: str) -> Failure:
    """The role that the cmdlet needs is missing (reported)."""
    return Failure(
        f"[FailureCategory=AuthZ-CmdletAccessDeniedException] {message}",
        "Microsoft.Exchange.Configuration.Authorization.CmdletAccessDeniedException",
        "PermissionDenied",
        "AuthZ-CmdletAccessDeniedException",
    )


def out_of_scope(message: str) -> Failure:
    """Outside the write scope of the role assignment (message reported; the exception's type inferred)."""
    return Failure(message, f"{DIRECTORY}.ADScopeException", "InvalidOperation")


def domain_controller_down(message: str) -> Failure:
    """The domain controller that was asked for does not answer (reported)."""
    return Failure(message, f"{DIRECTORY}.SuitabilityDirectoryException")


# --- PowerShell's own -------------------------------------------------------------------------------------------------

_AUTOMATION = "System.Management.Automation"


def command_not_found(name: str) -> ErrorRecord:
    """A cmdlet that does not exist, or that RBAC hides: the two look the same."""
    return ErrorRecord(
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program. "
        "Check the spelling of the name, or if a path was included, verify that the path is correct and try again.",
        f"{_AUTOMATION}.CommandNotFoundException",
        "CommandNotFoundException",
        "ObjectNotFound",
        target=name,
        target_type="String",
    )


def scripts_not_allowed(script: str) -> ErrorRecord:
    """A script in a runspace in no-language mode (Microsoft docs: about_Language_Modes)."""
    return ErrorRecord(
        "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
        f"{_AUTOMATION}.ParseException",
        "ScriptsNotAllowed",
        "ParserError",
        target=script,
        target_type="String",
    )


def not_in_restricted_language(script: str) -> ErrorRecord:
    """A property in restricted language mode (PowerShell's source: the checker of the restricted language)."""
    return ErrorRecord(
        "Property references are not allowed in restricted language mode or a Data section.",
        f"{_AUTOMATION}.ParseException",
        "PropertyReferenceNotSupportedInDataSection",
        "ParserError",
        target=script,
        target_type="String",
    )


def binding_error(
    message: str,
    error_id: str,
    *,
    cmdlet: str,
    task_class: str,
    category: str = "InvalidArgument",
    exception: str = "ParameterBindingException",
    target: str | None = None,
) -> ErrorRecord:
    """Parameters that cannot be bound; for pipeline input the target is the object (PowerShell's source:
    CommandProcessor, which writes such an error and goes on)."""
    return ErrorRecord(
        message,
        f"{_AUTOMATION}.{exception}",
        f"{error_id},{task_class}",
        category,
        activity=cmdlet,
        target=target,
        target_type="" if target is None else "String",
    )


def filter_not_bound(message: str, *, cmdlet: str, task_class: str) -> ErrorRecord:
    """A -Filter that Exchange does not take, which shows while the parameter is set (category and id reported)."""
    return binding_error(message, "ParameterBindingFailed", cmdlet=cmdlet, task_class=task_class, category="WriteError")


def empty_argument(parameter: str, *, cmdlet: str, task_class: str) -> ErrorRecord:
    """Nothing, or no text, for a parameter that needs some."""
    return binding_error(
        f"Cannot validate argument on parameter '{parameter}'. The argument is null or empty. Provide an argument that "
        "is not null or empty, and then try the command again.",
        "ParameterArgumentValidationError",
        cmdlet=cmdlet,
        task_class=task_class,
        category="InvalidData",
        exception="ParameterBindingValidationException",
    )
