# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""closing_on_signals: a signal lets the session close first, and then does what it would have done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._session import _interrupt
from ansible_collections.mailops.exchange.plugins.module_utils._session._interrupt import (
    Interrupted,
    closing_on_signals,
)

COLLECTIONS = Path(_interrupt.__file__).parents[6]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_process_closes_first_and_then_dies_of_the_signal(signum: signal.Signals) -> None:
    script = textwrap.dedent("""
        import signal, time
        from ansible_collections.mailops.exchange.plugins.module_utils._session._interrupt import closing_on_signals
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        with closing_on_signals():
            try:
                print("open", flush=True)
                time.sleep(30)
            finally:
                print("closed", flush=True)
        print("never reached", flush=True)
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(COLLECTIONS)}
    )
    with process:
        assert process.stdout
        assert process.stdout.readline() == "open\n"
        process.send_signal(signum)
        assert process.stdout.read() == "closed\n"
    assert process.returncode == -signum


def test_the_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)]
    with closing_on_signals():
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_handler_that_stood_before_gets_the_signal_after_closing() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda signum, _frame: heard.append(signum))
    try:
        with pytest.raises(Interrupted), closing_on_signals():
            os.kill(os.getpid(), signal.SIGTERM)
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_more_signals_wait_until_the_session_is_closed() -> None:
    """After a Ctrl-C, Ansible sends a SIGTERM to its workers at once; the session still gets closed."""
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda signum, _frame: heard.append(signum))
    closed = False
    try:
        with pytest.raises(Interrupted), closing_on_signals():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)
                assert heard == []
                closed = True
        assert closed
        assert heard == [signal.SIGTERM, signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_in_another_thread_signals_are_left_alone() -> None:
    done: list[bool] = []

    def work() -> None:
        with closing_on_signals():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
