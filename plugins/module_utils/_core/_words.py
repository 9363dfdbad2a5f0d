# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run went in a sentence or two: how many of how many failed and why, and what became of the others. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ._mailbox import Failure, Reason

_REASONS = {
    Reason.NOT_FOUND: "not found",
    Reason.AMBIGUOUS: "ambiguous",
    Reason.ACCESS_DENIED: "access denied",
    Reason.NOT_KEPT: "change not kept",
    Reason.UNCONFIRMED: "change not confirmed",
    Reason.ERROR: "error",
}

_SHOWN = 3
"""How many failures are quoted in full; the rest is in ``failures``."""


def in_words(
    nouns: tuple[str, str],
    counts: Mapping[str, int],
    failures: Sequence[Failure],
    stopped: str | None,
    *,
    foreseen: bool,
) -> str:
    """Return the sentences; ``nouns`` are those for one and for several, ``stopped`` says why the run ended early."""
    if not failures:
        return stopped or ""
    reasons = Counter(failure.reason for failure in failures)
    why = ", ".join(f"{number} {_REASONS[reason]}" for reason, number in reasons.items())
    noun = nouns[0] if counts["total"] == 1 else nouns[1]
    sentences = [f"{counts['failed']} of {counts['total']} {noun} failed: {why}."]
    if counts["changed"] or counts["unchanged"]:
        changed = "would change" if foreseen else "changed"
        sentences.append(f"Of the others, {counts['changed']} {changed} and {counts['unchanged']} were as declared.")
    if stopped:
        return " ".join([stopped, *sentences])
    sentences += [failure.msg for failure in failures[:_SHOWN]]
    if len(failures) > _SHOWN:
        sentences.append(f"The other {len(failures) - _SHOWN}: see 'failures' in the result.")
    return " ".join(sentences)
