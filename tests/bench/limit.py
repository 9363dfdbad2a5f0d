# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The least time that a task can take: arithmetic on the cost model, for a client that needs no time of its own.

What no client can avoid:

- A session: one round trip to open it and one to learn that it is open, before which nothing may be sent ([MS-PSRP]:
  a pipeline needs an opened pool); one to close it. Sessions are opened and closed side by side.
- A pipeline: one round trip starts it, a second one brings its output. The second waits at the server while the cmdlet
  works, so of the two, work and way, only the longer one counts. Further answers, and input that follows, travel while
  the cmdlet works: they cost nothing.
- Looking: every mailbox is looked up by its identity, or the whole organisation is listed, whichever is cheaper.
  Lookups are shared between the sessions; a listing is one cmdlet in one session. (Filters could split it, and would
  have Exchange search the directory several times: what that costs is not in the model.)
- Changing: a write and the lookup before it, shared between the sessions. It begins when all looking has ended: the
  plan has to be known as a whole before the first change (`max_changes`, `exclusive`).
- Proving: each changed mailbox is looked at once more, in the cheaper of the two ways.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulator.exchange.behaviour import CostModel


@dataclass(frozen=True, slots=True)
class Work:
    """What a task is about: how many mailboxes there are, are listed, and have to be changed."""

    organisation: int
    listed: int
    changes: int = 0
    sessions: int = 1


@dataclass(frozen=True, slots=True)
class Limit:
    """The least time, of what it is made, and how the mailboxes are read best."""

    seconds: float
    round_trips: int
    """Those that follow each other and wait for nothing else."""
    looking: float
    changing: float
    proving: float
    reading: str
    """`lookups` or `listing`."""


def limit(work: Work, costs: CostModel) -> Limit:
    """See the top of this file."""
    lookups = _shared(work.listed, work.sessions) * costs.per_identity_lookup
    listing = work.organisation * costs.per_bulk_object
    again = min(_shared(work.changes, work.sessions) * costs.per_identity_lookup, listing)
    writes = _shared(work.changes, work.sessions) * (costs.per_identity_lookup + costs.per_set)
    looking = costs.per_cmdlet + min(lookups, listing)
    changing = costs.per_cmdlet + writes if work.changes else 0.0
    proving = costs.per_cmdlet + again if work.changes else 0.0
    phases = [looking, changing, proving] if work.changes else [looking]
    opening, closing = 2, 1
    # Where the work is shorter than the way of the answer, it is the way that counts.
    waits = sum(max(seconds, costs.round_trip) for seconds in phases)
    round_trips = opening + len(phases) + closing
    return Limit(
        seconds=round_trips * costs.round_trip + waits,
        round_trips=round_trips,
        looking=looking,
        changing=changing,
        proving=proving,
        reading="listing" if listing < lookups else "lookups",
    )


def _shared(number: int, sessions: int) -> int:
    """How many of them the busiest session has."""
    return math.ceil(number / sessions)
