# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: POP3 access declared, rehearsed, changed, proven, and a mistake explained. Exits 1 if a step surprises.

Real ``ansible-playbook`` and the real collection talk to a simulated Exchange on loopback; every claim that is printed
with a tick was checked against what that Exchange really received and really has.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from support.controller import Controller, Run

from simulator import Simulator

PLAYBOOK = Path(__file__).with_name("pop3_access.yml")
COLOUR = sys.stdout.isatty()


@dataclass
class Demo:
    """The stage: an Exchange organisation and a controller, and the score so far."""

    simulator: Simulator
    controller: Controller
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

    def play(self, *arguments: str) -> Run:
        """Run the playbook and show what the user would see."""
        self.say(dim(f"$ ansible-playbook pop3_access.yml {' '.join(arguments)}".rstrip()))
        run = self.controller.play(PLAYBOOK.read_text("utf-8"), *arguments, json_output=False)
        self.say("\n".join(line for line in run.output.splitlines() if line.strip()))
        return run

    def has_pop3(self, identity: str) -> bool:
        organisation = self.simulator.organisation
        return organisation.settings(organisation.mailbox(identity)).pop_enabled

    def cmdlets_since(self, start: int) -> list[str]:
        return [call.name for call in self.simulator.exchange.calls[start:]]


def before(demo: Demo) -> None:
    """Before: what Exchange has."""
    for mailbox in list(demo.simulator.organisation.mailboxes())[:4]:
        demo.say(
            f"{mailbox.name:<16}{mailbox.primary_smtp_address:<28}POP3 {'on' if demo.has_pop3(mailbox.name) else 'off'}"
        )
    demo.say("\nThe playbook:")
    demo.say(dim("".join(PLAYBOOK.read_text("utf-8").splitlines(keepends=True)[4:])))


def dry_run(demo: Demo) -> None:
    """Dry run: what would change? Nothing is changed."""
    run = demo.play("--check", "--diff")
    gained = re.findall(r"^\+(?!\+)(.*?) <", run.stdout, re.MULTILINE)
    demo.check("the diff shows John Smith, and only him", gained == ["John Smith"])
    demo.check("Exchange was only asked", set(demo.cmdlets_since(0)) == {"Get-CASMailbox"})
    demo.check("John Smith still has no POP3", not demo.has_pop3("John Smith"))


def real_run(demo: Demo) -> None:
    """Real run: POP3 is switched on, and read back."""
    start = len(demo.simulator.exchange.calls)
    run = demo.play("--diff")
    cmdlets = demo.cmdlets_since(start)
    demo.check("the task reports a change", run.returncode == 0 and "changed=1" in run.stdout)
    demo.check(
        f"one Set-CASMailbox, then a look to prove it: {', '.join(cmdlets)}",
        cmdlets == ["Get-CASMailbox"] * 2 + ["Set-CASMailbox", "Get-CASMailbox"],
    )
    demo.check("John Smith has POP3", demo.has_pop3("John Smith"))


def second_run(demo: Demo) -> None:
    """Second run: nothing to do."""
    start = len(demo.simulator.exchange.calls)
    run = demo.play()
    demo.check("the task reports no change", run.returncode == 0 and "changed=0" in run.stdout)
    demo.check("Exchange was only asked", set(demo.cmdlets_since(start)) == {"Get-CASMailbox"})


def typo(demo: Demo) -> None:
    """A typo in one name: it is explained, and the others are done all the same."""
    run = demo.play("-e", '{"mailboxes": ["Jon Smith", "Support 😀"]}')
    demo.check("the task fails, and says which name and why", run.returncode == 2 and "'Jon Smith'" in run.output)
    demo.check("the mailbox after it was changed all the same", demo.has_pop3("Support 😀"))


def tidy(demo: Demo) -> None:
    """Afterwards."""
    exchange = demo.simulator.exchange
    endings = [shell.ending.value if shell.ending else "still open" for shell in exchange.shells]
    demo.check(
        f"one session for each run, all closed by the client: {len(endings)}",
        endings == ["closed by client"] * 4 and not exchange.open_shells,
    )


STEPS: tuple[Callable[[Demo], None], ...] = (before, dry_run, real_run, second_run, typo, tidy)


def main() -> int:
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="mailops-exchange-demo-"))
    try:
        with Simulator() as simulator:
            demo = Demo(simulator, controller(simulator, folder))
            print(bold("POP3 access on Exchange, declared: a demo"))
            demo.say(f"A simulated Exchange organisation answers at {simulator.exchange.https_uri}")
            demo.say("(real TLS, WSMan and PSRP; no Exchange Server is involved).")
            for number, step in enumerate(STEPS, start=1):
                demo.title(f"{number}. {(step.__doc__ or '').strip()}")
                step(demo)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return verdict(demo.surprises, time.monotonic() - started)


def controller(simulator: Simulator, folder: Path) -> Controller:
    environment = {
        "EXCHANGE_CONNECTION_URI": simulator.exchange.https_uri,
        "EXCHANGE_USERNAME": simulator.administrator.name,
        "EXCHANGE_PASSWORD": simulator.password,
        "EXCHANGE_CA": str(simulator.ca_file),
        "ANSIBLE_NOCOLOR": str(not COLOUR),
        "ANSIBLE_FORCE_COLOR": str(COLOUR),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
    }
    return Controller(folder, environment=environment)


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
