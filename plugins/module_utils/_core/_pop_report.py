# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a plan for servers and its outcomes to the result of a task: every server is in it, in the order asked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ._mailbox import Failure
from ._outcome import Outcome, not_tried
from ._pop_settings import PopChange, PopFinding, PopPlan, PopServer, PopSettings
from ._pop_values import Plain
from ._visible import visible
from ._words import in_words

PopOutcome = Outcome[PopSettings]


@dataclass(frozen=True, slots=True)
class _Line:
    """What the result says of one server asked for."""

    asked: str
    server: PopServer | None
    after: PopSettings | None
    changed: bool
    restart: bool
    failure: Failure | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "server": self.asked,
            "name": self.server and self.server.name,
            "changed": self.changed,
            "restart_required": self.restart,
            "before": self.server and self.server.settings.plain(),
            "after": self.after and self.after.plain(),
        }


def report(
    plan: PopPlan, outcomes: Mapping[UUID, PopOutcome], stopped: str | None = None, *, foreseen: bool = False
) -> dict[str, Any]:
    """Return the result of a task in Ansible's form.

    ``outcomes`` has what became of the changes that were tried. ``stopped`` says in a sentence why the run ended early,
    if it did. ``foreseen``: nothing was sent, and the words say what would be.
    """
    settled = {c.server.guid: (c, outcomes.get(c.server.guid) or not_tried(c)) for c in plan.changes}
    lines = [_line(asked, finding, settled) for asked, finding in plan.findings]
    failures = [(line.asked, line.failure) for line in lines if line.failure]
    counts = _counts(lines)
    result: dict[str, Any] = {
        "changed": any(line.changed for line in lines),
        "restart_required": any(line.restart for line in lines),
        "servers": [line.as_dict() for line in lines],
        "failures": [failure_dict(asked, failure) for asked, failure in failures],
        "counts": counts,
        "diff": [_diff(change, outcome) for change, outcome in settled.values() if outcome.changed],
    }
    if failures or stopped:
        told = [failure for _asked, failure in failures]
        result |= {"failed": True, "msg": in_words(("server", "servers"), counts, told, stopped, foreseen=foreseen)}
    return result


def failure_dict(asked: str, failure: Failure) -> dict[str, str]:
    """Return why a server failed, as Ansible can send it."""
    return {"server": asked, "reason": failure.reason.value, "msg": failure.msg}


def _line(asked: str, finding: PopFinding, settled: Mapping[UUID, tuple[PopChange, PopOutcome]]) -> _Line:
    if isinstance(finding, Failure):
        return _Line(asked, None, None, changed=False, restart=False, failure=finding)
    if finding.guid not in settled:
        return _Line(asked, finding, finding.settings, changed=False, restart=False, failure=None)
    change, outcome = settled[finding.guid]
    return _Line(asked, change.server, outcome.after, outcome.changed, outcome.may_have_changed, outcome.failure)


def _counts(lines: Sequence[_Line]) -> dict[str, int]:
    """Every server is counted once: a failed one as failed, whatever else happened to it."""
    failed = sum(1 for line in lines if line.failure)
    changed = sum(1 for line in lines if line.changed and not line.failure)
    return {"total": len(lines), "changed": changed, "unchanged": len(lines) - changed - failed, "failed": failed}


def _diff(change: PopChange, outcome: PopOutcome) -> dict[str, str]:
    """Only what differs by its meaning; one pair of texts for each server, that Ansible compares line by line."""
    before, after = change.before, outcome.after or change.after
    differing = [name for name, value in after.values.items() if before.values.get(name) != value]
    old, new = before.plain(), after.plain()
    header = f"POP3 settings of {change.server.name}"
    return {
        "before_header": header,
        "after_header": header,
        "before": "".join(_setting_lines((name, old.get(name)) for name in differing)),
        "after": "".join(_setting_lines((name, new[name]) for name in differing)),
    }


def _setting_lines(settings: Iterable[tuple[str, Plain]]) -> Iterable[str]:
    return (f"{name}: {_text(value)}\n" for name, value in settings)


def _text(value: Plain) -> str:
    if value is None:
        return "(not set)"
    if isinstance(value, list):
        return ", ".join(value) or "(none)"
    if isinstance(value, bool):
        return str(value).lower()
    return visible(str(value))
