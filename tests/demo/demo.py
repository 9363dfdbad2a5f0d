# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: POP3 access declared, rehearsed, changed and proven, a mistake explained; then the restart, and a login.

Real ``ansible-playbook`` and the real collection talk to a simulated Exchange organisation with two servers. Every
claim that is printed with a tick was checked against what those servers really received and really have. Exits 1 if a
step surprises.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from simulator import Farm
from support.controller import Controller, Run
from support.servers import Servers

ACCESS = Path(__file__).with_name("pop3_access.yml")
RESTART = Path(__file__).with_name("pop3_restart.yml")
COLOUR = sys.stdout.isatty()
JOHN, PATRICK = "jsmith@contoso.com", "pcolon@contoso.com"


@dataclass
class Demo:
    """The stage: an Exchange organisation and a controller, and the score so far."""

    farm: Farm
    servers: Servers
    surprises: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        print(textwrap.indent(text, "  "), flush=True)

    def title(self, text: str) -> None:
        print(f"\n{bold(text)}", flush=True)

    def check(self, claim: str, holds: bool) -> None:
        """Print a claim, with a tick if it holds."""
        self.say(f"{green('✓') if holds else red('✗')} {claim}")
        if not holds:
            self.surprises.append(claim)

    def show(self, playbook: Path) -> None:
        """Print a playbook without its licence."""
        self.say(dim("\n".join(playbook.read_text("utf-8").splitlines()[4:])))

    def play(self, playbook: Path, *arguments: str) -> Run:
        """Run a playbook and show what the user would see, without empty lines and the names of included files."""
        self.say(dim(f"$ ansible-playbook -i inventory {playbook.name} {shlex.join(arguments)}".rstrip()))
        run = self.servers.controller.play(playbook.read_text("utf-8"), *arguments, json_output=False)
        lines = (line.rstrip() for line in run.output.splitlines())
        self.say("\n".join(line for line in lines if line and not line.startswith("included: ")))
        return run

    def has_pop3(self, identity: str) -> bool:
        return self.farm.may_use_pop3(identity)

    def cmdlets_since(self, start: int) -> list[str]:
        return [call.name for call in self.farm.exchange.calls[start:]]

    def logs_in(self, user: str) -> list[bool]:
        """Whether a mail client gets in, on each server."""
        return [self.servers.may_log_in(server, user) for server in self.farm.hosts]


def before(demo: Demo) -> None:
    """Before: what Exchange has"""
    for name in ("John Smith", "Patrick Colon", "Ümit Öztürk", "Ann Example", "Support 😀"):
        mailbox = demo.farm.organisation.mailbox(name)
        state = "on" if demo.has_pop3(mailbox.name) else "off"
        demo.say(f"{mailbox.name:<16}{mailbox.primary_smtp_address:<28}POP3 {state}")
    demo.say("\nThe playbook:")
    demo.show(ACCESS)


def dry_run(demo: Demo) -> None:
    """Dry run: what would change? Nothing is changed"""
    run = demo.play(ACCESS, "--check", "--diff")
    gained = re.findall(r"^\+(?!\+)(.*?) <", run.stdout, re.MULTILINE)
    demo.check("the diff shows John Smith, and only him", gained == ["John Smith"])
    demo.check("Exchange was only asked", set(demo.cmdlets_since(0)) == {"Get-CASMailbox"})
    demo.check("John Smith still has no POP3", not demo.has_pop3("John Smith"))


def real_run(demo: Demo) -> None:
    """Real run: POP3 is switched on, and read back"""
    start = len(demo.farm.exchange.calls)
    run = demo.play(ACCESS, "--diff")
    cmdlets = demo.cmdlets_since(start)
    demo.check("the task reports a change", run.returncode == 0 and "changed=1" in run.stdout)
    demo.check(
        f"one Set-CASMailbox, then a look to prove it: {', '.join(cmdlets)}",
        cmdlets == ["Get-CASMailbox"] * 2 + ["Set-CASMailbox", "Get-CASMailbox"],
    )
    demo.check("John Smith has POP3", demo.has_pop3("John Smith"))


def second_run(demo: Demo) -> None:
    """Second run: nothing to do"""
    start = len(demo.farm.exchange.calls)
    run = demo.play(ACCESS)
    demo.check("the task reports no change", run.returncode == 0 and "changed=0" in run.stdout)
    demo.check("Exchange was only asked", set(demo.cmdlets_since(start)) == {"Get-CASMailbox"})


def typo(demo: Demo) -> None:
    """A typo in one name: it is explained, and the others are done all the same"""
    run = demo.play(ACCESS, "-e", '{"mailboxes": ["Jon Smith", "Ann Example"]}')
    demo.check("the task fails, and says which name and why", run.returncode == 2 and "'Jon Smith'" in run.output)
    demo.check("the mailbox after it was changed all the same", demo.has_pop3("Ann Example"))


def without_restart(demo: Demo) -> None:
    """Changed, and yet: without a restart of the POP3 services nothing takes effect"""
    demo.check("John Smith has POP3 in Exchange since step 3", demo.has_pop3("John Smith"))
    demo.check("his mail client is refused all the same, on both servers", demo.logs_in(JOHN) == [False, False])
    demo.say("\nSo the role declares both, and restarts the services of every server where that is due:")
    demo.show(RESTART)


def with_restart(demo: Demo) -> None:
    """The whole procedure: change, restart server by server, prove"""
    run = demo.play(RESTART)
    demo.check("the play went well", run.returncode == 0)
    restarts = demo.servers.restarts()
    demo.check(f"each service was restarted once on each server: {restarts}", restarts == ONCE)
    demo.check("John Smith's mail client gets in, on both servers", demo.logs_in(JOHN) == [True, True])
    demo.check("Patrick Colon cannot any more", demo.logs_in(PATRICK) == [False, False])


def silence(demo: Demo) -> None:
    """Once more: nothing changed, nothing restarted"""
    run = demo.play(RESTART)
    demo.check("no server reports a change", run.returncode == 0 and run.stdout.count("changed=0") == len(ONCE))
    demo.check("nothing was restarted", demo.servers.restarts() == ONCE)


def tidy(demo: Demo) -> None:
    """Afterwards"""
    exchange = demo.farm.exchange
    left = {shell.ending.value if shell.ending else "still open" for shell in exchange.shells}
    demo.check(f"all {len(exchange.shells)} sessions were closed by the client", left == {"closed by client"})


ONCE = {"mbx01": [1, 1], "mbx02": [1, 1]}
STEPS: tuple[Callable[[Demo], None], ...] = (
    before,
    dry_run,
    real_run,
    second_run,
    typo,
    without_restart,
    with_restart,
    silence,
    tidy,
)


def main() -> int:
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="mailops-exchange-demo-"))
    try:
        with Farm(("MBX01", "MBX02")) as farm:
            farm.organisation.add_mailbox("Ann Example", alias="ann", pop_enabled=False)
            demo = Demo(farm, Servers(farm, controller(farm, folder)))
            print(bold("POP3 access on Exchange, declared: a demo"))
            demo.say(f"A simulated Exchange organisation answers at {farm.exchange.https_uri}")
            demo.say(f"and its servers at {', '.join(host.address for host in farm.hosts.values())}")
            demo.say("(real TLS, WSMan, PSRP, WinRM and POP3; no Exchange Server is involved).")
            for number, step in enumerate(STEPS, start=1):
                demo.title(f"{number}. {(step.__doc__ or '').strip()}")
                step(demo)
            demo.servers.controller.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return verdict(demo.surprises, time.monotonic() - started)


def controller(farm: Farm, folder: Path) -> Controller:
    """Where Exchange is and who asks comes from the environment; how the servers are reached from the inventory."""
    environment = {
        "EXCHANGE_CONNECTION_URI": farm.exchange.https_uri,
        "EXCHANGE_USERNAME": farm.administrator.name,
        "EXCHANGE_PASSWORD": farm.password,
        "EXCHANGE_CA": str(farm.ca_file),
        "ANSIBLE_NOCOLOR": str(not COLOUR),
        "ANSIBLE_FORCE_COLOR": str(COLOUR),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "False",
    }
    return Controller(folder, farm.inventory(), environment)


def verdict(surprises: list[str], seconds: float) -> int:
    if surprises:
        print(red(f"\nNot as expected: {'; '.join(surprises)}"))
        return 1
    print(green(f"\nAll {len(STEPS)} steps went as expected, in {seconds:.0f} seconds."))
    return 0


def paint(code: int, text: str) -> str:
    return re.sub(r"^(.*)$", rf"\033[{code}m\1\033[0m", text, flags=re.MULTILINE) if COLOUR else text


def bold(text: str) -> str:
    return paint(1, text)


def dim(text: str) -> str:
    return paint(2, text)


def green(text: str) -> str:
    return paint(32, text)


def red(text: str) -> str:
    return paint(31, text)


if __name__ == "__main__":
    sys.exit(main())
