# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a plan and its outcomes to the result of a task: every identity asked for is in it, in the order asked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from ._mailbox import Failure, Mailbox, MimeFormat, Pop3Settings
from ._outcome import Outcome, not_tried, would_change
from ._plan import Change, Observation, Plan
from ._visible import visible
from ._words import in_words

_SETTINGS = tuple(field.name for field in fields(Pop3Settings))


@dataclass(frozen=True, slots=True)
class _Line:
    """What the result says of one identity asked for."""

    identity: str
    mailbox: Mailbox | None
    after: Pop3Settings | None
    changed: bool
    failure: Failure | None

    def as_dict(self) -> dict[str, Any]:
        mailbox = self.mailbox
        return {
            "identity": self.identity,
            **(mailbox_dict(mailbox) if mailbox else _NO_MAILBOX),
            "changed": self.changed,
            "before": mailbox and settings_dict(mailbox.settings),
            "after": self.after and settings_dict(self.after),
        }

    def as_plan(self) -> dict[str, Any]:
        """Who would change, and only what would differ."""
        whole = self.as_dict()
        before, after = whole.pop("before"), whole.pop("after")
        del whole["changed"]
        differing = [name for name in before if before[name] != after[name]]
        return {
            **whole,
            "before": {name: before[name] for name in differing},
            "after": {name: after[name] for name in differing},
        }


_NO_MAILBOX = dict.fromkeys(("name", "guid", "primary_smtp_address", "server"))


def mailbox_dict(mailbox: Mailbox) -> dict[str, str | None]:
    """Return who a mailbox is, as Ansible can send it."""
    return {
        "name": mailbox.name,
        "guid": str(mailbox.guid),
        "primary_smtp_address": mailbox.primary_smtp_address,
        "server": mailbox.server,
    }


def failure_dict(identity: str, failure: Failure) -> dict[str, str]:
    """Return why an identity failed, as Ansible can send it."""
    return {"identity": identity, "reason": failure.reason.value, "msg": failure.msg}


def settings_dict(settings: Pop3Settings) -> dict[str, bool | str | None]:
    """Return settings as Ansible can send them: plain values under their own names."""
    values = ((name, getattr(settings, name)) for name in _SETTINGS)
    return {name: str(value.value) if isinstance(value, MimeFormat) else value for name, value in values}


def report(
    plan: Plan, outcomes: Mapping[UUID, Outcome[Pop3Settings]], stopped: str | None = None, *, foreseen: bool = False
) -> dict[str, Any]:
    """Return the result of a task in Ansible's form.

    ``outcomes`` has what became of the changes that were tried, by the mailbox's GUID. ``stopped`` says in a sentence
    why the run ended early, if it did: a planned change without an outcome is then reported as not tried. ``foreseen``:
    nothing was sent, and the words say what would be.
    """
    settled = {c.mailbox.guid: (c, outcomes.get(c.mailbox.guid) or not_tried(c)) for c in plan.changes}
    lines = [_line(observation, settled) for observation in plan.observations]
    failures = [(line, line.failure) for line in lines if line.failure]
    counts = _counts(lines)
    result: dict[str, Any] = {
        "changed": any(line.changed for line in lines),
        "restart_required": any(outcome.may_have_changed for _change, outcome in settled.values()),
        "mailboxes": [line.as_dict() for line in lines],
        "failures": [failure_dict(line.identity, failure) for line, failure in failures],
        "counts": counts,
        "diff": _diff(settled.values()),
    }
    if failures or stopped:
        result |= {"failed": True, "msg": _msg(counts, failures, stopped, foreseen)}
    return result


def report_held_back(plan: Plan, why: str) -> dict[str, Any]:
    """Return the result where nothing was changed because the plan is too large.

    Each mailbox is in it once: in ``plan``, with what would differ, or in ``mailboxes``, where nothing would. They can
    be thousands, and the whole is shown on a terminal.
    """
    would = {change.mailbox.guid: (change, would_change(change)) for change in plan.changes}
    lines = [_line(observation, would) for observation in plan.observations]
    held = [line for line in lines if line.changed]
    others = [line for line in lines if not line.changed]
    failures = [(line, line.failure) for line in others if line.failure]
    return {
        "changed": False,
        "restart_required": False,
        "mailboxes": [line.as_dict() for line in others],
        "failures": [failure_dict(line.identity, failure) for line, failure in failures],
        "counts": {
            "total": len(lines),
            "changed": 0,
            "unchanged": len(others) - len(failures),
            "failed": len(held) + len(failures),
        },
        "plan": [line.as_plan() for line in held],
        "failed": True,
        "msg": f"Nothing was changed. {why} {gains_and_losses(plan)}",
    }


def gains_and_losses(plan: Plan) -> str:
    """Say in a sentence how many would gain access and how many would lose it."""
    gain = sum(1 for c in plan.changes if c.after.pop_enabled and not c.mailbox.settings.pop_enabled)
    lose = sum(1 for c in plan.changes if not c.after.pop_enabled)
    return f"{gain} would gain POP3 access, and {lose} would lose it."


def _line(observation: Observation, settled: Mapping[UUID, tuple[Change, Outcome[Pop3Settings]]]) -> _Line:
    finding = observation.finding
    if isinstance(finding, Failure):
        return _Line(observation.identity, None, None, changed=False, failure=finding)
    if finding.guid not in settled:
        return _Line(observation.identity, finding, finding.settings, changed=False, failure=None)
    change, outcome = settled[finding.guid]
    return _Line(observation.identity, change.mailbox, outcome.after, outcome.changed, outcome.failure)


def _counts(lines: Sequence[_Line]) -> dict[str, int]:
    """Every identity is counted once: a failed one as failed, whatever else happened to it."""
    failed = sum(1 for line in lines if line.failure)
    changed = sum(1 for line in lines if line.changed and not line.failure)
    return {"total": len(lines), "changed": changed, "unchanged": len(lines) - changed - failed, "failed": failed}


def _diff(settled: Iterable[tuple[Change, Outcome[Pop3Settings]]]) -> dict[str, str]:
    """Only the mailboxes that changed (or would), each once; two texts that Ansible compares line by line.

    A side has a mailbox only if it can be read over POP3 there: whoever is on the second side alone gains access, and
    whoever is on the first side alone loses it. While access is off, the other settings mean nothing.
    """
    before: list[str] = []
    after: list[str] = []
    for change, outcome in settled:
        if not outcome.changed:
            continue
        old, new = settings_dict(change.mailbox.settings), settings_dict(outcome.after or change.after)
        differing = [name for name in old if old[name] != new[name]]
        for side, settings in ((before, old), (after, new)):
            if settings["pop_enabled"]:
                side.append(_settings_text(change.mailbox, {name: settings[name] for name in differing}))
    return {
        "before_header": "POP3 access before",
        "after_header": "POP3 access after",
        "before": "".join(before),
        "after": "".join(after),
    }


def _settings_text(mailbox: Mailbox, settings: Mapping[str, object]) -> str:
    fields = ", ".join(f"{name}: {_text(value)}" for name, value in settings.items())
    who = visible(f"{mailbox.name} <{mailbox.primary_smtp_address}>")  # Ansible prints a diff as it is
    return f"{who}: {fields}\n"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _msg(
    counts: Mapping[str, int], failures: Sequence[tuple[_Line, Failure]], stopped: str | None, foreseen: bool
) -> str:
    if stopped and len(failures) == counts["total"] and all(line.mailbox is None for line, _failure in failures):
        return f"{stopped} No mailbox was changed." if failures else stopped
    told = [failure for _line, failure in failures]
    return in_words(("mailbox", "mailboxes"), counts, told, stopped, foreseen=foreseen)
