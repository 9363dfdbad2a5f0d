# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host's own connection already says: its address, user and password, as defaults for the session.

Read from the connection plugin's options, which are templated and need no connection to be made. So a play on the
Exchange servers of an inventory needs no connection options at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.constants import config
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader

from ansible_collections.mailops.exchange.plugins.module_utils._module._definition import HostConnection

_WINDOWS_TRANSPORTS = frozenset({"winrm", "psrp"})
_WINDOWS_SHELLS = frozenset({"powershell", "cmd"})

# The names of one option in the connection plugins winrm and psrp, and in ssh.
_ADDRESS = ("remote_addr", "host")
_USERNAME = ("remote_user",)
_PASSWORD = ("remote_password", "password")


def runs_elsewhere(action: ActionBase) -> bool:
    """The task is delegated to a host that is neither the controller nor a Windows host: a jump host."""
    connection = action._connection
    return bool(action._task.delegate_to) and connection.transport != "local" and not is_windows(connection)


def host_connection(action: ActionBase, task_vars: Mapping[str, Any]) -> HostConnection:
    """Return what the connection of the task's host says.

    A task that is delegated to the controller or to a jump host still is about its own host, so that host's
    connection counts; one that is delegated to a Windows host is about that one.
    """
    connection = action._connection
    if action._task.delegate_to and not is_windows(connection):
        connection = _own_connection(action, task_vars)
    if connection is None or not is_windows(connection):
        return HostConnection()
    return HostConnection(
        address=_option(connection, _ADDRESS),
        username=_option(connection, _USERNAME),
        password=_option(connection, _PASSWORD),
        becomes=connection.become is not None,
    )


def is_windows(connection: Any) -> bool:
    """Whether what runs over this connection runs on Windows."""
    if connection.transport in _WINDOWS_TRANSPORTS:
        return True
    return getattr(connection._shell, "SHELL_FAMILY", "") in _WINDOWS_SHELLS


def _own_connection(action: ActionBase, task_vars: Mapping[str, Any]) -> Any:
    """Load the plugin that Ansible would use for the task's own host if the task were not delegated."""
    transport = _resolved(action, task_vars, "ansible_connection") or action._task.connection
    if not transport or transport in ("local", "smart"):
        return None
    play_context = action._play_context.copy()
    play_context.shell = _resolved(action, task_vars, "ansible_shell_type")
    connection = connection_loader.get(transport, play_context, new_stdin=None)
    if connection is None:
        return None
    names = config.get_plugin_vars("connection", connection._load_name)
    resolved = {name: _resolved(action, task_vars, name) for name in names if name in task_vars}
    keywords = {**action._task.dump_attrs(), "password": play_context.password}  # as given by --ask-pass
    connection.set_options(
        task_keys={name: value for name, value in keywords.items() if value is not None and name != "retries"},
        var_options={name: value for name, value in resolved.items() if value is not None},
    )
    return connection


def _resolved(action: ActionBase, task_vars: Mapping[str, Any], name: str) -> Any:
    """Return a variable of the task's own host. One that cannot be resolved here counts as not set: Ansible itself
    would say so if the task used it, and a later source may have what is needed."""
    try:
        return action._templar.template(task_vars.get(name))
    except AnsibleError:
        return None


def _option(connection: Any, names: tuple[str, ...]) -> str | None:
    for name in names:
        try:
            value = connection.get_option(name)
        except KeyError:
            continue
        return str(value) if value else None
    return None
