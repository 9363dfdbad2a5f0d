# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ordinary face: a module in a process of its own, where ``delegate_to`` sends it.

Modules import this file first, and it keeps to what an old Python understands: a jump host's Python may be one.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from ansible.module_utils.basic import AnsibleModule

from .._errors import ExchangeError

if TYPE_CHECKING:
    from ._definition import ModuleDefinition

if sys.version_info < (3, 11):  # noqa: UP036  (the Python of the jump host, not ours)
    found = ".".join(map(str, sys.version_info[:3]))
    msg = (
        f"Python 3.11 or later is needed where this module runs, and {sys.executable} is {found}. Set "
        "ansible_python_interpreter for that host, or leave out delegate_to: the controller's own Python is then used."
    )
    print(json.dumps({"failed": True, "changed": False, "msg": msg}))  # pylint: disable=ansible-bad-function
    sys.exit(1)  # pylint: disable=ansible-bad-function


def run_as_module(definition: ModuleDefinition) -> None:
    """Run as an Ansible module: options from Ansible, the result back to it."""
    module = AnsibleModule(
        argument_spec=dict(definition.argument_spec),
        mutually_exclusive=list(definition.mutually_exclusive),
        required_one_of=list(definition.required_one_of),
        supports_check_mode=True,
    )
    from ._definition import Say  # only now: it needs Python 3.11
    from ._secrets import discreet, secrets_in, without
    from ._text import for_people

    secrets = secrets_in(definition, module.params)
    try:
        result = definition.run(module.params, check_mode=module.check_mode, say=discreet(Say(module.warn), secrets))
    except ExchangeError as exc:
        result = {"failed": True, "msg": str(exc)}
    result = for_people(without(result, secrets))
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)
