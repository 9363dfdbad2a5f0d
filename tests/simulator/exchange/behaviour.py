# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Behaviours on demand, and what things cost. All may be changed while the simulator runs.

Faults of the network are elsewhere: `simulator.wire.faults`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from simulator.exchange.errors import Failure


@dataclass(slots=True)
class CostModel:
    """How long things take, in seconds. What the simulator needs itself counts towards it and is not added, unless it
    needs more. Records are on their way as they come, not when their cmdlet has ended.

    Work of a pipeline adds up; pipelines of different sessions work side by side.
    """

    round_trip: float = 0.0
    """Every HTTP request, before the server looks at it."""
    per_cmdlet: float = 0.0
    """Every Exchange cmdlet of a pipeline, once, when the pipeline starts: not for each object that it gets."""
    per_identity_lookup: float = 0.0
    """Every identity that is looked up in the directory, by either cmdlet, found or not."""
    per_bulk_object: float = 0.0
    """Every object that a listing returns."""
    per_set: float = 0.0
    """Every write to the directory; none when there is nothing to change."""
    gather: float = 0.005
    """An answer to a Receive that has some output waits this long for more, or until the pipeline ends (inferred)."""

    @classmethod
    def of_benchmarks(cls) -> CostModel:
        """The costs that the benchmarks assume by default."""
        return cls(
            round_trip=0.020,
            per_cmdlet=0.030,
            per_identity_lookup=0.004,
            per_bulk_object=0.001,
            per_set=0.040,
            gather=0.1,
        )


@dataclass(slots=True)
class SessionDrop:
    """The shell vanishes before or after the `nth` invocation (per pipeline object) of a cmdlet from now."""

    cmdlet: str
    nth: int = 1
    when: Literal["before", "after"] = "before"
    seen: int = field(default=0, init=False)

    def strikes(self, cmdlet: str) -> bool:
        """Count an invocation; True when the shell goes now."""
        if cmdlet.lower() != self.cmdlet.lower():
            return False
        self.seen += 1
        return self.seen == self.nth


@dataclass(slots=True)
class ExchangeBehaviour:
    """How this Exchange differs from one where everything goes well."""

    costs: CostModel = field(default_factory=CostModel)

    # the endpoint
    select_object_visible: bool = False
    """Whether Select-Object may follow a cmdlet (documented for Exchange Online, inferred elsewhere)."""
    command_metadata: bool = True
    """Whether a session says which commands it shows, as Import-PSSession asks it to (documented for Exchange)."""
    language_mode: Literal["NoLanguage", "RestrictedLanguage", "FullLanguage"] = "NoLanguage"
    """NoLanguage since KB5001779, RestrictedLanguage before (reported); FullLanguage is what no Exchange has."""
    pipeline_input_binds: bool = True
    """Whether a string that a client sends as pipeline input binds to -Identity (inferred: both pages say that the
    parameter takes pipeline input). If not, each string is one `InputObjectNotBound`."""
    max_shells_per_user: int = 18
    """PowerShellMaxConcurrency (reported default)."""
    idle_timeout: float = 900.0
    """Seconds after which an unused shell is gone."""
    throttled_openings: int = 0
    """This many of the next openings are refused as if there were too many sessions."""
    refuse_opening: str | None = None
    """Every opening is refused with an access-denied fault of this text."""
    opening_delay: float = 0.0
    """Seconds that an opening takes."""
    domain_controller_per_cmdlet: bool = False
    """A session turns to another domain controller for each cmdlet, instead of keeping to one."""
    session_drops: list[SessionDrop] = field(default_factory=list)

    # the cmdlets; mailboxes are given in any form of identity
    ignored_writes: set[str] = field(default_factory=set)
    """Mailboxes where Set-CASMailbox succeeds and changes nothing."""
    failing_writes: dict[str, Failure] = field(default_factory=dict)
    """Mailboxes where Set-CASMailbox fails."""
    failing_writes_apply: bool = False
    """Whether a failing write takes effect all the same, as after a time-out of the directory."""
    failing_reads: dict[str, Failure] = field(default_factory=dict)
    """Mailboxes where Get-CASMailbox fails."""
    cmdlet_delays: dict[str, float] = field(default_factory=dict)
    """Cmdlet name -> seconds that each invocation takes longer."""
    extra_warnings: dict[str, list[str]] = field(default_factory=dict)
    """Cmdlet name -> warnings that it writes besides its own."""
    pop_enabled_form: Literal["boolean", "text", "missing"] = "boolean"
    """How the property PopEnabled of a record arrives."""
    identity_form: Literal["object", "text"] = "object"
    """How the property Identity of a record arrives."""
    mime_format_form: Literal["object", "text", "number"] = "object"
    """How the properties Pop/ImapMessagesRetrievalMimeFormat of a record arrive; an object has name and number."""

    # POP3 settings; servers are given by name
    ignored_pop_settings: set[str] = field(default_factory=set)
    """Servers where Set-PopSettings succeeds and changes nothing."""
    failing_pop_settings: dict[str, Failure] = field(default_factory=dict)
    """Servers where Set-PopSettings fails."""
    unreadable_pop_settings: dict[str, Failure] = field(default_factory=dict)
    """Servers where Get-PopSettings fails."""
    missing_pop_settings: set[str] = field(default_factory=set)
    """Properties that this version does not have."""
    pop_settings_form: Literal["object", "primitive", "text"] = "object"
    """How time spans, lists and enumerations of Get-PopSettings arrive: as Exchange's own objects, each with its text;
    as what PowerShell has for them (`<TS>`, strings, numbers); or as texts (inferred, all three)."""
