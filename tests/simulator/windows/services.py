# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Windows service control manager: services with states, start modes, dependencies, faults and a history.

A service does nothing of itself; whoever owns it gives it hooks that run when it starts and stops. Names, codes and
texts are those of Windows: https://learn.microsoft.com/windows/win32/debug/system-error-codes--1000-1299-.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class ServiceState(StrEnum):
    """The current states of the Service Control Manager."""

    STOPPED = "stopped"
    START_PENDING = "start_pending"
    STOP_PENDING = "stop_pending"
    RUNNING = "running"


class StartMode(StrEnum):
    """When Windows starts a service, in the words of ``ansible.windows.win_service``."""

    AUTO = "auto"
    DELAYED = "delayed"
    MANUAL = "manual"
    DISABLED = "disabled"


class Win32Error(IntEnum):
    """The system error codes that starting and stopping services can meet."""

    NO_ERROR = 0
    DEPENDENT_SERVICES_RUNNING = 1051
    SERVICE_REQUEST_TIMEOUT = 1053
    SERVICE_DISABLED = 1058
    SERVICE_DOES_NOT_EXIST = 1060
    SERVICE_SPECIFIC_ERROR = 1066
    PROCESS_ABORTED = 1067
    SERVICE_DEPENDENCY_FAIL = 1068
    SERVICE_LOGON_FAILED = 1069
    SERVICE_NEVER_STARTED = 1077

    @property
    def text(self) -> str:
        """The English text that Windows shows for this code."""
        return _WIN32_TEXTS[self]


_WIN32_TEXTS = {
    Win32Error.NO_ERROR: "The operation completed successfully",
    Win32Error.DEPENDENT_SERVICES_RUNNING: (
        "A stop control has been sent to a service that other running services are dependent on"
    ),
    Win32Error.SERVICE_REQUEST_TIMEOUT: (
        "The service did not respond to the start or control request in a timely fashion"
    ),
    Win32Error.SERVICE_DISABLED: (
        "The service cannot be started, either because it is disabled or because it has no enabled devices "
        "associated with it"
    ),
    Win32Error.SERVICE_DOES_NOT_EXIST: "The specified service does not exist as an installed service",
    Win32Error.SERVICE_SPECIFIC_ERROR: "The service has returned a service-specific error code",
    Win32Error.PROCESS_ABORTED: "The process terminated unexpectedly",
    Win32Error.SERVICE_DEPENDENCY_FAIL: "The dependency service or group failed to start",
    Win32Error.SERVICE_LOGON_FAILED: "The service did not start due to a logon failure",
    Win32Error.SERVICE_NEVER_STARTED: "No attempts to start the service have been made since the last boot",
}

# Errors that the process itself causes after the Service Control Manager had accepted the start.
_AFTER_ACCEPTANCE = frozenset({Win32Error.PROCESS_ABORTED, Win32Error.SERVICE_SPECIFIC_ERROR})


class ServiceError(Exception):
    """The Service Control Manager refused, or the service did not get where it was asked to go."""

    def __init__(self, service: Service, error: Win32Error, message: str) -> None:
        """Keep the code next to the text, which alone does not tell it."""
        super().__init__(message)
        self.service = service
        self.error = error


class ServiceEventKind(StrEnum):
    """What can happen to a service."""

    START = "start"
    STOP = "stop"
    START_FAILED = "start_failed"
    CRASH = "crash"
    SELF_STOP = "self_stop"


@dataclass(frozen=True)
class ServiceEvent:
    """One thing that happened to a service, and when (seconds since the epoch)."""

    kind: ServiceEventKind
    at: float
    error: Win32Error = Win32Error.NO_ERROR


@dataclass(frozen=True)
class StartFailure:
    """How one start of a service shall fail."""

    error: Win32Error = Win32Error.SERVICE_REQUEST_TIMEOUT
    after: float = 0.0
    """Seconds in START_PENDING before it fails."""


@dataclass
class Service:
    """One installed service. Change ``state`` only through the manager; the rest is free to set."""

    name: str
    display_name: str
    description: str = ""
    start_mode: StartMode = StartMode.MANUAL
    state: ServiceState = ServiceState.STOPPED
    dependencies: tuple[str, ...] = ()
    path: str = ""
    username: str = "NT AUTHORITY\\SYSTEM"
    on_start: Callable[[], None] | None = None
    on_stop: Callable[[], None] | None = None
    stays_up: Callable[[], bool] | None = None
    """Asked after each start: False lets the service stop itself, without an error."""
    start_delay: float = 0.0
    stop_delay: float = 0.0
    crash_after: float | None = None
    """Seconds after each start at which the process terminates unexpectedly."""
    start_failures: deque[StartFailure] = field(default_factory=deque)
    """One start after another takes its fate from here, while there are any left."""
    always_fails: StartFailure | None = None
    process_id: int = 0
    win32_exit_code: int = Win32Error.SERVICE_NEVER_STARTED
    history: list[ServiceEvent] = field(default_factory=list)

    def __str__(self) -> str:
        """The service in the form of PowerShell's messages: display name, then name."""
        return f"{self.display_name} ({self.name})"

    def fail_next_start(self, error: Win32Error = Win32Error.SERVICE_REQUEST_TIMEOUT, *, times: int = 1) -> None:
        """Let the next start, or the next few, fail."""
        self.start_failures.extend(StartFailure(error) for _turn in range(times))

    @property
    def is_up(self) -> bool:
        """Whether there is anything to stop."""
        return self.state is not ServiceState.STOPPED

    def count(self, kind: ServiceEventKind) -> int:
        """How often something happened since the history began."""
        return sum(event.kind is kind for event in self.history)

    @property
    def starts(self) -> int:
        """How often the service came up."""
        return self.count(ServiceEventKind.START)

    @property
    def stops(self) -> int:
        """How often the service was asked to stop, and did."""
        return self.count(ServiceEventKind.STOP)

    @property
    def failed_starts(self) -> int:
        """How often a start did not succeed."""
        return self.count(ServiceEventKind.START_FAILED)

    @property
    def restarts(self) -> int:
        """How often the service came up right after it had been stopped: a restart is no operation of its own."""
        return sum(
            before.kind is ServiceEventKind.STOP and after.kind is ServiceEventKind.START
            for before, after in itertools.pairwise(self.history)
        )


class ServiceControlManager:
    """The services of one host. Names are not case-sensitive."""

    def __init__(self) -> None:
        """Begin without any service."""
        self._services: dict[str, Service] = {}
        self._lock = threading.RLock()
        self._operations: dict[str, threading.Lock] = {}
        self._closing = threading.Event()
        self._crashes: dict[str, threading.Timer] = {}
        self._process_ids = itertools.count(4120, 4)

    def __iter__(self) -> Iterator[Service]:
        """All services in the order of their names, as ``Get-Service`` lists them."""
        return iter(sorted(self._services.values(), key=lambda service: service.name.casefold()))

    def __getitem__(self, name: str) -> Service:
        """The service of this name; KeyError when it is not installed."""
        return self._services[name.casefold()]

    def install(self, service: Service) -> Service:
        """Add a service. One that is given as running comes up now, without an entry in its history."""
        running = service.state is ServiceState.RUNNING
        service.state = ServiceState.STOPPED
        self._services[service.name.casefold()] = service
        self._operations[service.name.casefold()] = threading.Lock()
        if running:
            self._bring_up(service)
        return service

    def remove(self, name: str) -> None:
        """Stop a service and take it out."""
        service = self[name]
        self.stop(service.name, force=True)
        del self._services[name.casefold()]

    def find(self, name: str) -> Service | None:
        """The service with this name or display name, as ``win_service`` looks it up."""
        wanted = name.casefold()
        for service in self:
            if wanted in (service.name.casefold(), service.display_name.casefold()):
                return service
        return None

    def dependents(self, name: str) -> list[Service]:
        """The services that directly depend on this one."""
        wanted = name.casefold()
        return [one for one in self if any(needed.casefold() == wanted for needed in one.dependencies)]

    def clear_history(self) -> None:
        """Begin all counters anew: for tests that look at one run only."""
        for service in self:
            service.history.clear()

    def start(self, name: str) -> None:
        """Start a service and what it depends on, and wait until it runs (``Start-Service``)."""
        service = self[name]
        with self._operations[service.name.casefold()]:
            if service.state is ServiceState.RUNNING:
                return
            self._start(service)

    def stop(self, name: str, *, force: bool = False) -> None:
        """Stop a service and wait until it is down (``Stop-Service``); dependents only by force."""
        service = self[name]
        if not service.is_up:
            return
        running = [one for one in self.dependents(service.name) if one.is_up]
        if running and not force:
            raise ServiceError(
                service,
                Win32Error.DEPENDENT_SERVICES_RUNNING,
                f"Cannot stop service '{service}' because it has dependent services. It can only be stopped if the "
                "Force flag is set.",
            )
        for one in running:
            self.stop(one.name, force=True)
        with self._operations[service.name.casefold()]:
            if not service.is_up:  # it crashed in the meantime
                return
            service.state = ServiceState.STOP_PENDING
            self._closing.wait(service.stop_delay)
            self._bring_down(service, Win32Error.NO_ERROR)
            self._note(service, ServiceEventKind.STOP)

    def restart(self, name: str, *, force: bool = False) -> None:
        """Stop a service if it runs, and start it in any case (``Restart-Service``)."""
        self.stop(name, force=force)
        self.start(name)

    def crash(self, name: str) -> None:
        """Let the process of a running service terminate unexpectedly."""
        service = self[name]
        with self._lock:
            if service.state is not ServiceState.RUNNING:
                return
            self._bring_down(service, Win32Error.PROCESS_ABORTED)
            self._note(service, ServiceEventKind.CRASH, Win32Error.PROCESS_ABORTED)

    def stop_what_does_not_stay_up(self) -> None:
        """Let the running services whose ``stays_up`` says no stop themselves, as after any start."""
        for service in self:
            with self._lock:
                if service.state is not ServiceState.RUNNING or service.stays_up is None or service.stays_up():
                    continue
                self._bring_down(service, Win32Error.NO_ERROR)
                self._note(service, ServiceEventKind.SELF_STOP)

    def close(self) -> None:
        """Bring everything down, whatever depends on it, without a trace in the history; nothing starts any more."""
        self._closing.set()
        timers = list(self._crashes.values())
        for service in self:
            if service.is_up:
                self._bring_down(service, Win32Error.NO_ERROR)
        for timer in timers:
            timer.join()

    def _start(self, service: Service) -> None:
        if service.start_mode is StartMode.DISABLED:
            raise self._start_failed(service, Win32Error.SERVICE_DISABLED)
        for needed in service.dependencies:
            try:
                self.start(needed)
            except (KeyError, ServiceError):
                raise self._start_failed(service, Win32Error.SERVICE_DEPENDENCY_FAIL) from None
        service.state = ServiceState.START_PENDING
        failure = service.start_failures.popleft() if service.start_failures else service.always_fails
        self._closing.wait(service.start_delay if failure is None else failure.after)
        if failure is not None:
            service.state = ServiceState.STOPPED
            raise self._start_failed(service, failure.error)
        try:
            self._bring_up(service)
        except OSError:  # e.g. the port is taken: the process ends, and Windows only sees that it ended
            self._bring_down(service, Win32Error.PROCESS_ABORTED)
            raise self._start_failed(service, Win32Error.PROCESS_ABORTED) from None
        self._note(service, ServiceEventKind.START)
        self.stop_what_does_not_stay_up()

    def _bring_up(self, service: Service) -> None:
        with self._lock:
            if self._closing.is_set():
                raise OSError("the host shuts down")
            if service.on_start is not None:
                service.on_start()
            service.state = ServiceState.RUNNING
            service.process_id = next(self._process_ids)
            service.win32_exit_code = Win32Error.NO_ERROR
            if service.crash_after is not None:
                timer = threading.Timer(service.crash_after, self.crash, [service.name])
                timer.daemon = True
                self._crashes[service.name] = timer
                timer.start()

    def _bring_down(self, service: Service, error: Win32Error) -> None:
        with self._lock:
            timer = self._crashes.pop(service.name, None)
            if timer is not None:
                timer.cancel()
            if service.on_stop is not None:
                service.on_stop()
            service.state = ServiceState.STOPPED
            service.process_id = 0
            service.win32_exit_code = error

    def _start_failed(self, service: Service, error: Win32Error) -> ServiceError:
        service.win32_exit_code = error
        self._note(service, ServiceEventKind.START_FAILED, error)
        # Two texts of Start-Service: the first when the start was refused, the second when the service did not reach
        # Running. Neither carries the text of the Win32 error, which stays in an inner exception.
        if error in _AFTER_ACCEPTANCE:
            return ServiceError(service, error, f"Failed to start service '{service}'.")
        return ServiceError(
            service,
            error,
            f"Service '{service}' cannot be started due to the following error: Cannot start service {service.name} "
            "on computer '.'.",
        )

    @staticmethod
    def _note(service: Service, kind: ServiceEventKind, error: Win32Error = Win32Error.NO_ERROR) -> None:
        service.history.append(ServiceEvent(kind, time.time(), error))
