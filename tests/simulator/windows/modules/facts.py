# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that look at the host as a whole: win_ping and setup."""

from __future__ import annotations

from typing import Any

from simulator.windows.modules.arguments import Option, OptionType, arguments
from simulator.windows.modules.call import Machine, ModuleCall, ModuleFailure

_SETUP = {
    "fact_path": Option(),
    "gather_subset": Option(OptionType.LIST, default=["all"]),
    "gather_timeout": Option(OptionType.INT, default=10),
    "filter": Option(OptionType.RAW),
}


def win_ping(call: ModuleCall, _unused: Machine) -> dict[str, Any]:
    """Answer that the host can run modules."""
    data = arguments({"data": Option(default="pong")}, call)["data"]
    if data == "crash":
        raise ModuleFailure("Unhandled exception while executing module: boom")
    return {"ping": data}


def setup(call: ModuleCall, machine: Machine) -> dict[str, Any]:
    """Return the facts of a Windows Server that tasks for Exchange ask for; far fewer than a real host has."""
    arguments(_SETUP, call)
    facts = {
        "architecture": "64-bit",
        "architecture2": "x86_64",
        "distribution": "Microsoft Windows Server 2022 Standard",
        "distribution_major_version": "10",
        "distribution_version": "10.0.20348.0",
        "domain": machine.domain,
        "env": {"COMPUTERNAME": machine.name, "SystemRoot": "C:\\Windows", "USERDOMAIN": _netbios(machine.domain)},
        "fqdn": machine.fqdn,
        "hostname": machine.name,
        "ip_addresses": [machine.address],
        "netbios_name": machine.name.upper(),
        "nodename": machine.fqdn,
        "os_family": "Windows",
        "os_installation_type": "Server",
        "os_name": "Microsoft Windows Server 2022 Standard",
        "os_product_type": "server",
        "powershell_version": 5,
        "reboot_pending": False,
        "system": "Win32NT",
        "user_id": "Administrator",
        "windows_domain": machine.domain,
        "windows_domain_member": True,
        "windows_domain_role": "Member server",
    }
    return {"ansible_facts": {f"ansible_{name}": value for name, value in facts.items()}}


def _netbios(domain: str) -> str:
    return domain.partition(".")[0].upper()
