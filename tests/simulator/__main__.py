# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m simulator`: a small Exchange organisation to try the collection on, until Ctrl-C or SIGTERM.

With --servers or --farm there are Windows hosts too, which serve the mailboxes over POP3. With --state-file and
--detach it runs in the background, where a test scenario finds and steers it, until --stop.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from simulator.control import Control, ControlClient, ControlError
from simulator.exchange.behaviour import CostModel, ExchangeBehaviour
from simulator.exchange.cmdlets import CmdletCall
from simulator.exchange.organisation import Organisation, large_organisation
from simulator.farm import ADMINISTRATOR, FOLDER_PREFIX, Farm, ServerSetup, servers_from_json

PASSWORD_VARIABLE = "SIMULATOR_PASSWORD"
PATIENCE = 20.0
"""Seconds that a process gets to end after each way of asking it."""

EXAMPLE = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - name: John Smith may read his mail over POP3
      mailops.exchange.exchange_pop3_access:
        identity: John Smith
        state: enabled
        connection_uri: {uri}
        authentication: basic
        username: {user}
        password: "{{{{ lookup('ansible.builtin.env', '{variable}') }}}}"
        ca_cert: {ca_file}
        validate_certs: true
"""


class CannotRun(Exception):
    """What was asked for is not possible; the text says why."""


@dataclass
class Options:
    """The command line, read and checked."""

    servers: tuple[ServerSetup, ...]
    port: int
    https_port: int
    user: str
    password: str | None
    language: str
    state_file: Path | None
    inventory: Path | None
    detach: bool
    detached_log: Path | None
    stop: Path | None
    mailboxes: int | None
    pop_enabled: float
    costs: CostModel
    select_object: bool
    max_sessions: int
    quiet: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop, or start or stop such a run in the background."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = read_options(arguments)
    try:
        if options.stop is not None:
            return stop(options.stop)
        if options.detach and options.state_file is not None:
            return detach(arguments, options.state_file)
        return run(options)
    except (CannotRun, OSError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 1


def read_options(arguments: Sequence[str]) -> Options:
    """Read the command line; exits with 2 and a message where it makes no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=int, default=0, help="port of the HTTP endpoint (default: a free one)")
    parser.add_argument("--https-port", type=int, default=0, help="port of the HTTPS endpoint (default: a free one)")
    parser.add_argument("--user", default=ADMINISTRATOR, help="name of the administrator (default: %(default)s)")
    parser.add_argument(
        "--password",
        default=os.environ.get(PASSWORD_VARIABLE),
        help=f"the administrator's password (default: ${PASSWORD_VARIABLE}, or a new one)",
    )
    parser.add_argument("--language", choices=("en", "fr"), default="en", help="language of Exchange's messages")
    hosts = parser.add_mutually_exclusive_group()
    hosts.add_argument("--servers", type=int, default=0, metavar="N", help="Windows hosts with POP3: MBX01, MBX02, …")
    hosts.add_argument(
        "--farm",
        type=Path,
        metavar="FILE",
        help='the Windows hosts as JSON: {"servers": [{"name": "MBX01", "frontend": true, "backend": true, '
        '"state": "running", "start_mode": "auto"}]}; all but the name may be left out',
    )
    parser.add_argument(
        "--state-file",
        type=Path,
        metavar="FILE",
        help="say here, as JSON, where everything is, once everything listens",
    )
    parser.add_argument(
        "--inventory", type=Path, metavar="FILE", help="write an Ansible inventory: FILE ends in .json, .yml or .yaml"
    )
    parser.add_argument("--detach", action="store_true", help="run in the background; needs --state-file")
    parser.add_argument("--detached-log", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--stop", type=Path, metavar="STATE_FILE", help="end the run that wrote this state file")
    _add_exchange_options(parser)
    read = parser.parse_args(arguments)
    if read.detach and read.state_file is None:
        parser.error("--detach needs --state-file")
    if read.inventory is not None and read.inventory.suffix not in (".json", ".yml", ".yaml"):
        parser.error("Ansible reads an --inventory only if its name ends in .json, .yml or .yaml")
    if not 0 <= read.servers <= 99:
        parser.error("--servers: 0 to 99")
    try:
        servers = _servers(read.servers, read.farm)
    except (OSError, ValueError) as error:
        parser.error(f"--farm: {error}")
    return Options(
        servers,
        read.port,
        read.https_port,
        read.user,
        read.password,
        read.language,
        read.state_file,
        read.inventory,
        read.detach,
        read.detached_log,
        read.stop,
        read.mailboxes,
        read.pop_enabled,
        replace(CostModel.of_benchmarks() if read.benchmark_costs else CostModel(), **dict(read.cost)),
        read.select_object,
        read.max_sessions,
        read.quiet,
    )


def _add_exchange_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("Exchange")
    group.add_argument(
        "--mailboxes", type=_count, metavar="N", help="an organisation of N made-up mailboxes (default: a small one)"
    )
    group.add_argument(
        "--pop-enabled", type=_share, default=0.5, metavar="SHARE", help="how many of them have POP3 on: 0 to 1"
    )
    group.add_argument("--benchmark-costs", action="store_true", help="take the time that the benchmarks assume")
    group.add_argument(
        "--cost",
        type=_cost,
        action="append",
        default=[],
        metavar="NAME=SECONDS",
        help=f"take simulated time; NAME is one of {', '.join(entry.name for entry in fields(CostModel))}",
    )
    group.add_argument("--select-object", action="store_true", help="let Select-Object follow a cmdlet")
    group.add_argument("--max-sessions", type=_count, default=18, metavar="N", help="sessions that a user may have")
    group.add_argument("--quiet", action="store_true", help="do not show the mailboxes and the cmdlets that arrive")


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1_000_000:
        raise ValueError(text)
    return number


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise ValueError(text)
    return share


def _cost(text: str) -> tuple[str, float]:
    name, _sep, seconds = text.partition("=")
    if name not in {entry.name for entry in fields(CostModel)} or not 0 <= float(seconds) <= 3600:
        raise ValueError(text)
    return name, float(seconds)


def _servers(count: int, farm_file: Path | None) -> tuple[ServerSetup, ...]:
    if farm_file is None:
        return tuple(ServerSetup(f"MBX{number:02}") for number in range(1, count + 1))
    return servers_from_json(json.loads(farm_file.read_text("utf-8")))


# --- the run ----------------------------------------------------------------------------------------------------------


def run(options: Options) -> int:
    """Run here until told to stop."""
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with contextlib.ExitStack() as undo:
        state_file = None if options.state_file is None else StateFile(options.state_file)
        if state_file is not None:
            undo.callback(state_file.remove)  # last of all: while it is there, something may be
        farm = Farm(
            options.servers,
            _organisation(options),
            administrator=options.user,
            password=options.password,
            port=options.port,
            https_port=options.https_port,
        )
        undo.callback(farm.stop)
        farm.organisation.language = options.language
        farm.exchange.behaviour = ExchangeBehaviour(
            costs=options.costs,
            select_object_visible=options.select_object,
            max_shells_per_user=options.max_sessions,
        )
        if not options.quiet:
            farm.exchange.on_call = _show
        farm.start()
        _introduce(farm, options.inventory, show_mailboxes=not options.quiet)
        if options.inventory is not None:
            write_private(options.inventory, farm.inventory())
            undo.callback(options.inventory.unlink, missing_ok=True)
        if state_file is not None:
            control = undo.enter_context(Control(farm, on_stop=done.set))
            state_file.write(_state(farm, control, options.inventory))
        done.wait()
        _take_leave(farm)
    if options.detached_log is not None:
        options.detached_log.unlink(missing_ok=True)
    return 0


def _organisation(options: Options) -> Organisation | None:
    if options.mailboxes is None:
        return None
    organisation = large_organisation(options.mailboxes, pop_enabled=options.pop_enabled)
    # It stays until the end, and looking through all of it for garbage again and again takes long.
    gc.collect()
    gc.freeze()
    return organisation


def _introduce(farm: Farm, inventory: Path | None, *, show_mailboxes: bool) -> None:
    exchange = farm.exchange
    say(f"HTTP      {exchange.uri}")
    say(f"HTTPS     {exchange.https_uri}")
    say(f"CA file   {farm.ca_file}")
    say(f"user      {farm.administrator.name}")
    say(f"password  {farm.password}")
    say()
    say(f"Mailboxes: {len(farm.organisation)}")
    for mailbox in farm.organisation.mailboxes() if show_mailboxes else ():
        access = "on" if farm.organisation.settings(mailbox).pop_enabled else "off"
        say(f"  POP3 {access:3}  {mailbox.name}  <{mailbox.primary_smtp_address}>  {mailbox.canonical_name}")
    say()
    if farm.hosts:
        _introduce_hosts(farm, inventory)
    say(f"A playbook to start with; put the password into ${PASSWORD_VARIABLE} first:")
    say()
    say(
        EXAMPLE.format(
            uri=exchange.https_uri,
            user=farm.administrator.name,
            ca_file=farm.ca_file,
            variable=PASSWORD_VARIABLE,
        )
    )
    say("Cmdlets that arrive (Ctrl-C ends):")


def _introduce_hosts(farm: Farm, inventory: Path | None) -> None:
    say("Windows hosts (user Administrator, the same password):")
    for host in farm.hosts.values():
        say(f"  {host.name}  {host.address}  WinRM {host.winrm.http.port} (HTTP), {host.winrm.https.port} (HTTPS)")
        say(f"    POP3 {host.pop3_port} (STLS), {host.pop3s_port} (TLS), backend {host.pop3_backend_port}")
        services = ", ".join(f"{one.name} {one.state}" for one in host.services if "POP3" in one.name)
        say(f"    {services or 'no POP3 services'}")
    say()
    if inventory is not None:
        say(f"Ansible:  ansible-playbook -i {inventory} …")
        say()
    host, mailbox = next(iter(farm.hosts.values())), next(farm.organisation.mailboxes())
    user, password = mailbox.primary_smtp_address, farm.pop3_password
    say(f"Every mailbox's POP3 password is {password}. Without access a login is refused, and a change of access is")
    say("felt only after MSExchangePOP3 and MSExchangePOP3BE were restarted:")
    say(f"  curl --cacert {farm.ca_file} --user '{user}:{password}' pop3s://{host.address}:{host.pop3s_port}/1")
    say()


def _show(call: CmdletCall) -> None:
    parameters = " ".join(f"-{name} {value!r}" for name, value in call.parameters.items())
    say(f"  {call.user}  {call.name} {parameters}".rstrip())


def _take_leave(farm: Farm) -> None:
    left = farm.exchange.open_shells
    say()
    say(f"{len(farm.exchange.shells)} sessions, {len(left)} of them left open.")
    for shell in left:
        say(f"  {shell.shell_id} of {shell.user}")


def say(text: str = "") -> None:
    """A line for whoever watches, at once even through a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


# --- the state file ---------------------------------------------------------------------------------------------------


def _state(farm: Farm, control: Control, inventory: Path | None) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "exchange": {"uri": farm.exchange.uri, "https_uri": farm.exchange.https_uri},
        "ca_file": str(farm.ca_file),
        "administrator": farm.administrator.name,
        "password": farm.password,
        "pop3_password": farm.pop3_password,
        "hosts": {
            setup.inventory_name: {
                "name": setup.name,
                "address": farm.hosts[setup.name].address,
                "winrm_http_port": farm.hosts[setup.name].winrm.http.port,
                "winrm_https_port": farm.hosts[setup.name].winrm.https.port,
                "pop3_port": farm.hosts[setup.name].pop3_port,
                "pop3s_port": farm.hosts[setup.name].pop3s_port,
                "pop3_backend_port": farm.hosts[setup.name].pop3_backend_port,
            }
            for setup in farm.setups
        },
        "control": {"uri": control.uri, "token": control.token},
        "inventory": farm.inventory(),
        "inventory_file": None if inventory is None else str(inventory.absolute()),
    }


class StateFile:
    """Where a run says where everything is. The run holds a lock on the file, so the kernel knows whether it lives.

    A process id alone could be somebody else's by now.
    """

    def __init__(self, path: Path) -> None:
        """Refuse the file of a run that lives; nothing is written before `write`."""
        self._path = path
        self._inode = 0
        refuse_if_running(path)

    def write(self, state: dict[str, Any]) -> None:
        """Write it and hold the lock until this process ends."""
        refuse_if_running(self._path)
        self._inode = write_private(self._path, state, keep_locked=True)

    def remove(self) -> None:
        """Remove it, unless it is another's by now. The lock stays: this process is not gone yet."""
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()


def write_private(path: Path, document: object, *, keep_locked: bool = False) -> int:
    """Write JSON that only this user can read; others see all of it or nothing. Returns the inode."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        os.write(descriptor, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())
        if keep_locked:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        temporary.replace(path)
        return os.fstat(descriptor).st_ino
    finally:
        temporary.unlink(missing_ok=True)
        if not keep_locked:
            os.close(descriptor)


class RunningProcess:
    """The run behind a state file, from the outside."""

    def __init__(self, descriptor: int, state: dict[str, Any]) -> None:
        """`of` makes one."""
        self.pid = int(state["pid"])
        self.control = ControlClient(state["control"]["uri"], state["control"]["token"])
        self._descriptor = descriptor

    @classmethod
    def of(cls, path: Path) -> RunningProcess | None:
        """The run that wrote this file, or None when there is none, or it has ended."""
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        if _is_unlocked(descriptor):
            os.close(descriptor)
            return None
        try:
            with os.fdopen(os.dup(descriptor), encoding="utf-8") as file:
                return cls(descriptor, json.load(file))
        except (ValueError, KeyError, TypeError) as error:
            raise CannotRun(f"{path} is no state file of a simulator: {error}") from error

    def stop(self) -> None:
        """Ask the process to end, ever more firmly, and wait until it has."""
        for ask in (self._ask_control, self._ask_politely, self._kill):
            if ask() and self._has_ended(PATIENCE):
                return
        raise CannotRun(f"process {self.pid} does not end")

    def close(self) -> None:
        """Forget about it."""
        os.close(self._descriptor)

    def _ask_control(self) -> bool:
        """Whether the control will see to it."""
        try:
            self.control.post("stop")
        except (OSError, ControlError):
            return False
        return True

    def _ask_politely(self) -> bool:
        return self._signal(signal.SIGTERM)

    def _kill(self) -> bool:
        return self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> bool:
        # Not to somebody else: as long as the lock is held, the process id is that of the run.
        if not _is_unlocked(self._descriptor):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
        return True

    def _has_ended(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not _is_unlocked(self._descriptor):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True


def refuse_if_running(path: Path) -> None:
    """A state file belongs to one run."""
    process = RunningProcess.of(path)
    if process is not None:
        process.close()
        raise CannotRun(f"process {process.pid} runs already, says {path}; --stop {path} ends it")


def _is_unlocked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


# --- in the background ------------------------------------------------------------------------------------------------


def detach(arguments: Sequence[str], state_file: Path) -> int:
    """Start a run in the background and wait until everything listens; its output is then in `<state file>.log`."""
    refuse_if_running(state_file)
    state_file.unlink(missing_ok=True)
    log = _log_of(state_file)
    log.unlink(missing_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    command = [sys.executable, "-m", "simulator", *(one for one in arguments if one != "--detach")]
    try:
        child = subprocess.Popen(
            [*command, "--detached-log", str(log)],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    try:
        while _pid_in(state_file) != child.pid:
            if child.poll() is not None:
                raise CannotRun(f"the simulator did not start:\n{_read_and_remove(log)}")
            time.sleep(0.02)
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        raise
    say(str(child.pid))
    return 0


def _pid_in(state_file: Path) -> int | None:
    try:
        return int(json.loads(state_file.read_text("utf-8"))["pid"])
    except FileNotFoundError:
        return None


def _environment() -> dict[str, str]:
    """The same packages for the child, wherever it starts."""
    paths = (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", ""))
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONIOENCODING": "utf-8",
    }


def _log_of(state_file: Path) -> Path:
    return state_file.with_name(f"{state_file.name}.log")


def _read_and_remove(log: Path) -> str:
    text = log.read_text("utf-8", "replace") if log.exists() else ""
    log.unlink(missing_ok=True)
    return text


def stop(path: Path) -> int:
    """End the run behind a state file and remove what it left; without one there is nothing to do."""
    process = RunningProcess.of(path)
    if process is not None:
        process.stop()
        process.close()
        say(f"{process.pid} has ended")
    if path.exists() and RunningProcess.of(path) is None:  # it was killed, and could not tidy up
        _remove_leftovers(path)
    return 0


def _remove_leftovers(path: Path) -> None:
    try:
        state = json.loads(path.read_text("utf-8"))
        inventory = state["inventory_file"]
        folder = Path(state["ca_file"]).parent
    except (ValueError, KeyError, TypeError) as error:
        raise CannotRun(f"{path} is no state file of a simulator: {error}") from error
    if inventory is not None:
        Path(inventory).unlink(missing_ok=True)
    # A simulator that was killed could not remove its folder, which holds private keys.
    if folder.name.startswith(FOLDER_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
    _log_of(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
