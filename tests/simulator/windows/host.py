# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated Windows host with the POP3 services of Exchange: services, registry, WinRM, POP3 frontend and backend.

    host = WindowsHost("MBX01", directory, CertificateAuthority(folder))
    with host:
        host.inventory_vars()                      # for Ansible's winrm connection
        host.pop3_port, host.pop3s_port            # for poplib
        host.services["MSExchangePOP3"].restarts   # what happened
        host.module_calls                          # what Ansible asked for

A host is not started twice: make another one.
"""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.windows.addresses import LoopbackAddress
from simulator.windows.faults import ModuleFaults
from simulator.windows.files import Files
from simulator.windows.interpreter import Interpreter
from simulator.windows.modules import Machine, ModuleCall, Modules
from simulator.windows.pop3 import Backend, Directory, Frontend, Maildrops, PopServiceSettings
from simulator.windows.registry import Registry, RegistryType
from simulator.windows.remote_powershell import RunspacePools
from simulator.windows.remote_shell import RemoteShells
from simulator.windows.services import Service, ServiceControlManager, ServiceState, StartMode
from simulator.windows.winrm import WinRM
from simulator.wire.certificates import CertificateAuthority
from simulator.wire.negotiate import Account, Negotiate
from simulator.wire.wsman import MICROSOFT_POWERSHELL, WINDOWS_SHELL_CMD

FRONTEND_SERVICE = "MSExchangePOP3"
BACKEND_SERVICE = "MSExchangePOP3BE"
TOPOLOGY_SERVICE = "MSExchangeADTopology"
POP_PROXY = "PopProxy"
_BIN = "C:\\Program Files\\Microsoft\\Exchange Server\\V15"
_SETUP_KEY = "HKLM:\\SOFTWARE\\Microsoft\\ExchangeServer\\v15\\Setup"


@dataclass(frozen=True)
class HostPorts:
    """The ports of a host; 0 takes a free one."""

    winrm_http: int = 0
    winrm_https: int = 0
    pop3: int = 0
    pop3s: int = 0
    pop3_backend: int = 0


@dataclass(frozen=True)
class Pop3Services:
    """Which POP3 services a host has, and how they are when it comes up.

    Exchange 2013 has the frontend on Client Access servers and the backend on Mailbox servers; later versions have both
    on every Mailbox server.
    """

    frontend: bool = True
    backend: bool = True
    start_mode: StartMode = StartMode.AUTO
    state: ServiceState = ServiceState.RUNNING

    @classmethod
    def of_new_server(cls) -> Pop3Services:
        """As Exchange's setup leaves them: manual start, stopped."""
        return cls(start_mode=StartMode.MANUAL, state=ServiceState.STOPPED)


class _Accounts:
    """Who may log in to WinRM: ``Administrator`` with NTLM, and the domain's users of the group Administrators."""

    def __init__(self, host: WindowsHost) -> None:
        self._host = host

    def accounts(self) -> Iterator[Account]:
        """The account, in the forms that clients give it."""
        for domain in ("", ".", self._host.name):
            yield Account(domain, self._host.user, self._host.password)

    def user_of(self, principal: str) -> str | None:
        """The account that is meant."""
        if principal.casefold() in map(str.casefold, self._host.domain_administrators):
            return principal
        domain, _sep, name = principal.rpartition("\\")
        ours = domain.casefold() in ("", ".", self._host.name.casefold())
        return self._host.user if ours and name.casefold() == self._host.user.casefold() else None


class WindowsHost:
    """See the top of this file."""

    def __init__(
        self,
        name: str,
        directory: Directory,
        certificates: CertificateAuthority,
        *,
        address: str | None = None,
        ports: HostPorts | None = None,
        pop3: Pop3Services | None = None,
        maildrops: Maildrops | None = None,
        backend_for: Callable[[str], tuple[str, int] | None] | None = None,
        pop_settings: Callable[[], PopServiceSettings] = PopServiceSettings,
        domain: str = "contoso.com",
        user: str = "Administrator",
        password: str = "P@ssw0rd!",
    ) -> None:
        """Reserve the address and the POP3 ports; nothing listens before ``start``.

        ``backend_for`` tells the frontend where the backend of a user's mailbox listens; without it, it is this host's
        own. ``maildrops`` is shared by the hosts of one organisation. ``pop_settings`` is what the services read when
        they start.
        """
        ports, self._pop3 = ports or HostPorts(), pop3 or Pop3Services()
        self._claimed = LoopbackAddress() if address is None else None
        self.name, self.domain, self.user, self.password = name, domain, user, password
        self.address = self._claimed.address if self._claimed is not None else address or ""
        self.ca_file = certificates.ca_file
        self.services, self.registry, self.files = ServiceControlManager(), Registry(), Files()
        self.maildrops = maildrops if maildrops is not None else Maildrops()
        self.backend_for = backend_for or self._own_backend
        self.module_faults = ModuleFaults()
        self._inactive_components: set[str] = set()

        tls = certificates.server([f"{name}.{domain}".lower(), name.lower(), self.address]).server_context()
        self.machine = Machine(name, domain, self.address, self.services, self.registry, self.files, self._local_ports)
        self.machine.ca_file = certificates.ca_file
        self.modules = Modules(self.machine, self.module_faults, lambda: self.winrm.drop_connections())  # pylint: disable=unnecessary-lambda
        run = Interpreter(self.modules).run
        self.domain_administrators: set[str] = set()
        """Kerberos principals that may log in, once ``negotiate.accept_tickets`` has turned Kerberos on."""
        self.negotiate = Negotiate(_Accounts(self), ntlm=True, headers=("Negotiate", "Kerberos"))
        """Who logged in to WinRM with NTLM, and how."""
        self.winrm = WinRM(
            {WINDOWS_SHELL_CMD: RemoteShells(run), MICROSOFT_POWERSHELL: RunspacePools(run)},
            self._check_logon,
            self.negotiate,
            address=self.address,
            machine=self.fqdn,
            tls=tls,
            http_port=ports.winrm_http,
            https_port=ports.winrm_https,
        )
        self.faults = self.winrm.faults
        with contextlib.ExitStack() as undo:
            if self._claimed is not None:
                undo.callback(self._claimed.release)
            self.backend = Backend(
                directory, self.maildrops, self.address, ports.pop3_backend, read_settings=pop_settings
            )
            undo.callback(self.backend.release)
            self.frontend = Frontend(
                directory,
                tls,
                self.backend_for,
                self.address,
                port=ports.pop3,
                tls_port=ports.pop3s,
                read_settings=pop_settings,
            )
            undo.pop_all()
        self._install_exchange()

    def __enter__(self) -> WindowsHost:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    @property
    def fqdn(self) -> str:
        """The name with its domain."""
        return self.machine.fqdn

    @property
    def pop_settings(self) -> PopServiceSettings:
        """What the frontend follows now."""
        return self.frontend.settings

    @property
    def pop3_port(self) -> int:
        """Where the frontend listens for plain connections (110 on a real server)."""
        return self.frontend.port

    @property
    def pop3s_port(self) -> int:
        """Where the frontend listens for TLS connections (995 on a real server)."""
        return self.frontend.tls_port

    @property
    def pop3_backend_port(self) -> int:
        """Where the backend listens (1995 on a real server)."""
        return self.backend.port

    @property
    def module_calls(self) -> list[ModuleCall]:
        """The module calls as received, the latest last."""
        return self.modules.calls

    def start(self) -> None:
        """Boot: bring up WinRM and the services that run. OSError, and nothing left behind, when a port is taken."""
        try:
            self.winrm.start()
            self._install_pop3()
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut down; leaves no thread, socket or claim behind. Safe to call twice."""
        self.machine.stopping.set()
        self.services.close()
        self.winrm.stop()
        self.frontend.release()
        self.backend.release()
        if self._claimed is not None:
            self._claimed.release()

    def go_down(self) -> None:
        """Make WinRM unreachable, as if the host were down: connections are refused. POP3 goes on."""
        self.winrm.refuse_connections()

    def come_up(self) -> None:
        """Undo ``go_down``."""
        self.winrm.accept_connections()

    def set_component(self, component: str, *, active: bool) -> None:
        """Set a server component's state. While PopProxy is inactive the POP3 services stop themselves, by design."""
        (self._inactive_components.discard if active else self._inactive_components.add)(component)
        self.services.stop_what_does_not_stay_up()

    def component_active(self, component: str) -> bool:
        """Whether a server component is active."""
        return component not in self._inactive_components

    def clear_records(self) -> None:
        """Forget what happened so far: for tests that look at one run only."""
        self.services.clear_history()
        self.registry.clear_writes()
        self.modules.calls.clear()

    def inventory_vars(self, scheme: str = "http", connection: str = "winrm", method: str = "basic") -> dict[str, Any]:
        """The variables for Ansible's winrm or psrp connection. ``method``: basic, which is not encrypted, or ntlm."""
        port = self.winrm.http.port if scheme == "http" else self.winrm.https.port
        common = {
            "ansible_host": self.address,
            "ansible_connection": connection,
            "ansible_port": port,
            "ansible_user": self.user,
            "ansible_password": self.password,
        }
        if connection == "psrp":
            return common | {
                "ansible_psrp_protocol": scheme,
                "ansible_psrp_auth": method,
                "ansible_psrp_message_encryption": "never" if (scheme, method) == ("http", "basic") else "auto",
                "ansible_psrp_ca_cert": str(self.ca_file),
            }
        trust = {"ansible_winrm_ca_trust_path": str(self.ca_file)} if scheme == "https" else {}
        return common | {"ansible_winrm_scheme": scheme, "ansible_winrm_transport": method} | trust

    def _check_logon(self, user: str, password: str) -> bool:
        return user.casefold() == self.user.casefold() and hmac.compare_digest(
            password.encode(), self.password.encode()
        )

    def _own_backend(self, _unused: str) -> tuple[str, int] | None:
        return (self.address, self.backend.port) if self._pop3.backend else None

    def _local_ports(self) -> Mapping[int, int]:
        return {110: self.frontend.port, 995: self.frontend.tls_port, 1995: self.backend.port}

    def _install_exchange(self) -> None:
        self.registry.set_value(_SETUP_KEY, "MsiInstallPath", f"{_BIN}\\")
        for name, number in (("MsiProductMajor", 15), ("MsiProductMinor", 2), ("MsiBuildMajor", 1544)):
            self.registry.set_value(_SETUP_KEY, name, number, RegistryType.DWORD)
        self.registry.clear_writes()
        self.services.install(
            Service(
                TOPOLOGY_SERVICE,
                "Microsoft Exchange Active Directory Topology",
                start_mode=StartMode.AUTO,
                state=ServiceState.RUNNING,
                path=f'"{_BIN}\\Bin\\MSExchangeADTopologyService.exe"',
            )
        )

    def _install_pop3(self) -> None:
        if self._pop3.backend:
            self.services.install(
                Service(
                    BACKEND_SERVICE,
                    "Microsoft Exchange POP3 Backend",
                    start_mode=self._pop3.start_mode,
                    state=self._pop3.state,
                    dependencies=(TOPOLOGY_SERVICE,),
                    path=f'"{_BIN}\\ClientAccess\\PopImap\\Microsoft.Exchange.Pop3Service.exe" -be',
                    on_start=self.backend.start,
                    on_stop=self.backend.stop,
                    stays_up=lambda: self.component_active(POP_PROXY),
                )
            )
        if self._pop3.frontend:
            self.services.install(
                Service(
                    FRONTEND_SERVICE,
                    "Microsoft Exchange POP3",
                    start_mode=self._pop3.start_mode,
                    state=self._pop3.state,
                    dependencies=(TOPOLOGY_SERVICE,),
                    username="NT AUTHORITY\\NetworkService",
                    path=f'"{_BIN}\\FrontEnd\\PopImap\\Microsoft.Exchange.Pop3Service.exe"',
                    on_start=self.frontend.start,
                    on_stop=self.frontend.stop,
                    stays_up=lambda: self.component_active(POP_PROXY),
                )
            )
