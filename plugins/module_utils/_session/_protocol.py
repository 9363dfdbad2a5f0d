# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session with Exchange as everything above it sees it: cmdlets in, records and errors out.

How a cmdlet travels is the transport's business alone: whoever implements ``Session`` can replace
``remote_powershell`` without a change above.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, TypeAlias, runtime_checkable

Value: TypeAlias = "bool | int | str | tuple[str, ...]"
"""What a cmdlet's parameter may be given: typed values, never script text."""

Record = Mapping[str, object]
"""One object that a cmdlet wrote: its properties by Exchange's names; values are plain Python (str, bool, int, UUID,
list, None; a complex .NET object is its text)."""

_FAILURE_CATEGORY = re.compile(r"\[FailureCategory=([^\]]+)\]")
_SERVER = re.compile(r"\[Server=([^,\]]+)")


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """One cmdlet call: its name and its parameters."""

    name: str
    parameters: Mapping[str, Value]

    def __post_init__(self) -> None:
        for name, value in self.parameters.items():
            # `Get-CASMailbox -Identity $null` returns every mailbox of the organisation (Microsoft's page on the
            # cmdlet): an absent value must never become $null on its way.
            if type(value) not in (bool, int, str, tuple):
                raise TypeError(f"{self.name} -{name}: expected bool, int, str or tuple, got {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Cmdlets of which each feeds the next, as in ``Get-CASMailbox | Select-Object``.

    ``values`` are streamed into the first one, an object each; ``None`` is a pipeline without input, which is something
    else than one with no objects: ``Get-CASMailbox`` without input returns every mailbox.
    """

    cmdlets: tuple[Cmdlet, ...]
    values: tuple[str, ...] | None = None
    most: int | None = None
    """Answers at most; whoever sends more is not understood. None where any number is right."""

    def __post_init__(self) -> None:
        if not self.cmdlets:
            raise ValueError("a pipeline needs a cmdlet")
        if self.values is not None and not (self.values and all(type(value) is str for value in self.values)):  # pylint: disable=unidiomatic-typecheck
            raise TypeError("the input of a pipeline is text, and at least one")

    @property
    def name(self) -> str:
        """What runs, for messages."""
        return self.cmdlets[0].name

    @property
    def only_reads(self) -> bool:
        """Whether it may be run once more without a second thought, by PowerShell's own approved verbs."""
        return all(cmdlet.name.partition("-")[0] in ("Get", "Select") for cmdlet in self.cmdlets)


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """One PowerShell error record. ``message`` is localized: people read it, code looks at the other fields."""

    message: str
    fully_qualified_error_id: str = ""

    @property
    def failure_category(self) -> str:
        """Exchange's own class of the error, such as ``Cmdlet-ManagementObjectNotFoundException``, or ``""``."""
        found = _FAILURE_CATEGORY.search(self.fully_qualified_error_id)
        return found.group(1) if found else ""

    @property
    def server(self) -> str | None:
        """The Exchange server that wrote the error, as it calls itself."""
        found = _SERVER.search(self.fully_qualified_error_id)
        return found.group(1) if found else None

    @property
    def is_command_not_found(self) -> bool:
        """PowerShell knows no such command: in an Exchange session, RBAC hides it from this user."""
        return self.fully_qualified_error_id.startswith("CommandNotFoundException")

    @property
    def is_parameter_not_found(self) -> bool:
        """The command has no such parameter: in an Exchange session, RBAC may hide it. Nothing was run."""
        return self.fully_qualified_error_id.startswith("NamedParameterNotFound")


Answer: TypeAlias = "Record | ErrorRecord"
"""What a pipeline gave for one of its objects."""


@dataclass(frozen=True, slots=True)
class Reply:
    """All that one pipeline gave; ``answers`` are in the order in which they came, which is that of its input."""

    answers: tuple[Answer, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def records(self) -> tuple[Record, ...]:
        return tuple(answer for answer in self.answers if not isinstance(answer, ErrorRecord))

    @property
    def errors(self) -> tuple[ErrorRecord, ...]:
        return tuple(answer for answer in self.answers if isinstance(answer, ErrorRecord))


class Session(Protocol):
    """An open session; the context manager opens it, and closes it on every way out."""

    def __enter__(self) -> Session:
        """Open the session. Raises ConnectionFailed or DependencyError."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the session; an error in closing is not raised."""

    def invoke(
        self,
        pipeline: Pipeline,
        take: Callable[[Record], None] | None = None,
        again: Callable[[], None] | None = None,
    ) -> Reply:
        """Run a pipeline and wait for all that it gives. Raises SessionLost or UnexpectedReply.

        SessionLost leaves open whether it was carried out. NotRun, which is one, and ConnectionFailed, where the
        session had to be opened anew, say that it was not.
        ``take`` gets each record as it arrives, and the reply then has none: for what would be too much at once.
        ``again`` is called where all of them come once more, because the session broke in the middle of them.
        """

    @property
    def openings(self) -> int:
        """How many times it was opened, so far as that matters: opened anew, it may have another domain controller."""

    def abort(self) -> None:
        """End the session from another thread: what it waits for there ends with SessionLost."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command that the session shows to its user, with the parameters that it shows."""

    name: str
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a session says of itself; ``None`` where it does not say."""

    user: str | None = None
    """The user, as the server calls them."""
    powershell_version: str | None = None
    protocol_version: str | None = None
    language_mode: str | None = None


@runtime_checkable
class SelfDescribing(Protocol):
    """What a session may be able to do beside its work; not every transport can."""

    def commands(self, patterns: tuple[str, ...]) -> tuple[Command, ...] | None:
        """Return the visible commands with such names (``*`` stands for anything); ``None`` where it does not say.

        Raises SessionLost or UnexpectedReply.
        """

    def facts(self) -> SessionFacts:
        """Return what the session says of itself. Asking changes nothing; what cannot be asked is ``None``."""
