# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have the simulator do something: commands of tests/simulator/control.py with their fields, as JSON, one by one.

Usage: steer.py '[{"heal": {"host": "mbx02"}}, {"clear": {}}]'
"""

from __future__ import annotations

import json
import sys

from simulated import control, read_state_file

if __name__ == "__main__":
    client = control(read_state_file())
    for step in json.loads(sys.argv[1]):
        for command, fields in step.items():
            client.post(command, **fields)
