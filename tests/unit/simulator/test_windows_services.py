# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service control manager: states, restarts, and the failures that Windows has."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

import pytest

from simulator.windows.services import (
    Service,
    ServiceControlManager,
    ServiceError,
    ServiceEventKind,
    ServiceState,
    StartFailure,
    StartMode,
    Win32Error,
)


def _manager(*services: Service) -> ServiceControlManager:
    manager = ServiceControlManager()
    for service in services:
        manager.install(service)
    return manager


def _running(**settings: object) -> Service:
    service = Service("Pop", "Display Pop", state=ServiceState.RUNNING)
    for attribute, value in settings.items():
        setattr(service, attribute, value)
    return service


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_restart_is_a_start_right_after_a_stop() -> None:
    manager = _manager(_running())
    manager.restart("POP")
    manager.stop("Pop")
    manager.start("Pop")
    service = manager["pop"]
    assert (service.restarts, service.starts, service.stops) == (2, 2, 2)


def test_restarting_a_stopped_service_starts_it_and_counts_as_a_start_only() -> None:
    manager = _manager(Service("Pop", "Display Pop"))
    manager.restart("Pop")
    assert (manager["Pop"].restarts, manager["Pop"].starts) == (0, 1)
    assert manager["Pop"].state is ServiceState.RUNNING


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (
            {"start_mode": StartMode.DISABLED},
            Win32Error.SERVICE_DISABLED,
            "Service 'Display Pop (Pop)' cannot be started due to the following error: Cannot start service Pop on "
            "computer '.'.",
        ),
        (
            {"always_fails": StartFailure(Win32Error.SERVICE_REQUEST_TIMEOUT)},
            Win32Error.SERVICE_REQUEST_TIMEOUT,
            "Service 'Display Pop (Pop)' cannot be started due to the following error: Cannot start service Pop on "
            "computer '.'.",
        ),
        (
            {"always_fails": StartFailure(Win32Error.PROCESS_ABORTED)},
            Win32Error.PROCESS_ABORTED,
            "Failed to start service 'Display Pop (Pop)'.",
        ),
    ],
)
def test_a_failing_start_says_what_windows_says(settings: dict[str, object], error: Win32Error, message: str) -> None:
    manager = _manager(_running(**settings))
    with pytest.raises(ServiceError) as failure:
        manager.restart("Pop")
    assert str(failure.value) == message
    assert failure.value.error is error
    assert manager["Pop"].state is ServiceState.STOPPED
    assert manager["Pop"].win32_exit_code == error
    assert manager["Pop"].failed_starts == 1


def test_only_the_next_starts_fail() -> None:
    manager = _manager(_running())
    manager["Pop"].fail_next_start(times=2)
    for _turn in range(2):
        with pytest.raises(ServiceError):
            manager.restart("Pop")
    manager.restart("Pop")
    assert manager["Pop"].state is ServiceState.RUNNING


def test_a_service_starts_what_it_depends_on_and_is_stopped_with_it_only_by_force() -> None:
    manager = _manager(Service("Topology", "Topology"), Service("Pop", "Pop", dependencies=("TOPOLOGY",)))
    manager.start("Pop")
    assert manager["Topology"].state is ServiceState.RUNNING
    with pytest.raises(ServiceError, match="has dependent services"):
        manager.stop("Topology")
    manager.stop("Topology", force=True)
    assert manager["Pop"].state is ServiceState.STOPPED


def test_a_dependency_that_cannot_start_fails_the_start() -> None:
    manager = _manager(
        Service("Topology", "Topology", start_mode=StartMode.DISABLED),
        Service("Pop", "Pop", dependencies=("Topology",)),
    )
    with pytest.raises(ServiceError) as failure:
        manager.start("Pop")
    assert failure.value.error is Win32Error.SERVICE_DEPENDENCY_FAIL


def test_a_slow_start_can_be_seen_as_pending() -> None:
    manager = _manager(_running(start_delay=0.2))
    thread = threading.Thread(target=manager.restart, args=["Pop"])
    thread.start()
    _until(lambda: manager["Pop"].state is ServiceState.START_PENDING)
    thread.join()
    assert manager["Pop"].state is ServiceState.RUNNING


def test_a_crash_leaves_the_service_stopped_with_its_exit_code() -> None:
    manager = _manager(_running())
    manager["Pop"].crash_after = 0.02
    manager.restart("Pop")
    _until(lambda: manager["Pop"].state is ServiceState.STOPPED)
    assert manager["Pop"].win32_exit_code == Win32Error.PROCESS_ABORTED
    assert manager["Pop"].history[-1].kind is ServiceEventKind.CRASH


def test_a_service_that_does_not_stay_up_stops_itself_without_an_error() -> None:
    manager = _manager(_running(stays_up=lambda: False))
    manager.restart("Pop")
    assert manager["Pop"].state is ServiceState.STOPPED
    assert manager["Pop"].win32_exit_code == Win32Error.NO_ERROR


def test_closing_ends_a_start_that_is_pending() -> None:
    manager = _manager(Service("Pop", "Pop", start_delay=60))

    def start() -> None:
        with contextlib.suppress(ServiceError):
            manager.start("Pop")

    thread = threading.Thread(target=start)
    thread.start()
    _until(lambda: manager["Pop"].state is ServiceState.START_PENDING)
    manager.close()
    thread.join(5)
    assert not thread.is_alive()
    assert manager["Pop"].state is ServiceState.STOPPED
