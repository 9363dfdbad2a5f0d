# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m simulator`: a small Exchange organisation to try the collection on, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading

from simulator import ADMINISTRATOR, Simulator
from simulator.exchange.cmdlets import CmdletCall

PASSWORD_VARIABLE = "SIMULATOR_PASSWORD"

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


def main(arguments: list[str] | None = None) -> int:
    """Run until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of the HTTP endpoint (default: a free one)")
    parser.add_argument("--https-port", type=int, default=0, help="port of the HTTPS endpoint (default: a free one)")
    parser.add_argument("--user", default=ADMINISTRATOR, help="name of the administrator (default: %(default)s)")
    parser.add_argument(
        "--password",
        default=os.environ.get(PASSWORD_VARIABLE),
        help=f"the administrator's password (default: ${PASSWORD_VARIABLE}, or a new one)",
    )
    parser.add_argument("--language", choices=("en", "fr"), default="en", help="language of Exchange's messages")
    options = parser.parse_args(arguments)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    simulator = Simulator(
        administrator=options.user, password=options.password, port=options.port, https_port=options.https_port
    )
    simulator.organisation.language = options.language
    simulator.exchange.on_call = _show
    try:
        simulator.start()
        _introduce(simulator)
        done.wait()
        _take_leave(simulator)
    finally:
        simulator.stop()
    return 0


def _introduce(simulator: Simulator) -> None:
    exchange = simulator.exchange
    say(f"HTTP      {exchange.uri}")
    say(f"HTTPS     {exchange.https_uri}")
    say(f"CA file   {simulator.ca_file}")
    say(f"user      {simulator.administrator.name}")
    say(f"password  {simulator.password}")
    say()
    say("Mailboxes:")
    for mailbox in simulator.organisation.mailboxes():
        access = "on" if simulator.organisation.settings(mailbox).pop_enabled else "off"
        say(f"  POP3 {access:3}  {mailbox.name}  <{mailbox.primary_smtp_address}>  {mailbox.canonical_name}")
    say()
    say(f"A playbook to start with; put the password into ${PASSWORD_VARIABLE} first:")
    say()
    say(
        EXAMPLE.format(
            uri=exchange.https_uri,
            user=simulator.administrator.name,
            ca_file=simulator.ca_file,
            variable=PASSWORD_VARIABLE,
        )
    )
    say("Cmdlets that arrive (Ctrl-C ends):")


def _show(call: CmdletCall) -> None:
    parameters = " ".join(f"-{name} {value!r}" for name, value in call.parameters.items())
    say(f"  {call.user}  {call.name} {parameters}".rstrip())


def _take_leave(simulator: Simulator) -> None:
    left = simulator.exchange.open_shells
    say()
    say(f"{len(simulator.exchange.shells)} sessions, {len(left)} of them left open.")
    for shell in left:
        say(f"  {shell.shell_id} of {shell.user}")


def say(text: str = "") -> None:
    """A line for whoever watches, at once even through a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
