# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated organisation of this scenario, from outside: its state file, and a client for its control."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from simulator.control import ControlClient


def read_state_file() -> dict[str, Any]:
    """Where everything is, as the simulator wrote it when it started."""
    path = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "simulator.json"
    state: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return state


def control(state_file: dict[str, Any]) -> ControlClient:
    """What is asked for the state and does the faults."""
    return ControlClient(state_file["control"]["uri"], state_file["control"]["token"])
