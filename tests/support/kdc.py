# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kerberos realm of its own on loopback: MIT's KDC as an ordinary child process, which needs no root.

Everything is in one folder: database, keytabs, configuration, log. Clients are given `environment`; nothing is written
to this process's own environment, and nothing is left behind.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from support.prerequisites import lacking, program

REALM = "CONTOSO.COM"
SERVICES = ("http/localhost", "HTTP/localhost")
"""Active Directory does not mind the case of a service's name; MIT's KDC does, so it has both."""

_KDC_CONF = """\
[kdcdefaults]
    kdc_listen = 127.0.0.1:{port}
    kdc_tcp_listen = 127.0.0.1:{port}

[realms]
    {realm} = {{
        database_name = {folder}/principal
        key_stash_file = {folder}/stash
        acl_file = {folder}/kadm5.acl
        supported_enctypes = aes256-cts:normal
        max_life = 10h
        default_principal_flags = +preauth
    }}

[logging]
    kdc = FILE:{folder}/kdc.log
"""

_KRB5_CONF = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_realm = false
    dns_lookup_kdc = false
    dns_canonicalize_hostname = false
    rdns = false
    kdc_timesync = {timesync}

[realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}

[domain_realm]
    localhost = {realm}
    .contoso.com = {realm}
"""


class Kdc:
    """Use it as a context manager. `kinit` and `principal` work while it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def keytab(self) -> Path:
        """The key of the services."""
        return self.folder / "service.keytab"

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs in its environment; its ticket cache is one that does not exist."""
        return self.environment_of("krb5.conf")

    def environment_of(self, configuration: str) -> dict[str, str]:
        """The same with another of the configurations in the folder."""
        return {"KRB5_CONFIG": str(self.folder / configuration), "KRB5CCNAME": f"FILE:{self.folder}/no-ticket"}

    @property
    def log(self) -> str:
        """What the KDC was asked for, and what it answered."""
        return (self.folder / "kdc.log").read_text("utf-8", "replace")

    def __enter__(self) -> Kdc:
        self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.port = _free_port()
        self.configure("krb5.conf")
        (self.folder / "kdc.conf").write_text(_KDC_CONF.format(port=self.port, realm=REALM, folder=self.folder))
        _run([_sbin("kdb5_util"), "create", "-s", "-W", "-r", REALM, "-P", secrets.token_hex()], self._own_environment)
        self.administer(
            *(f"addprinc -randkey {service}" for service in SERVICES),
            *(f"ktadd -k {self.keytab} {service}" for service in SERVICES),
        )
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def configure(self, name: str, *, kdc_timesync: bool = True) -> None:
        """Write a client's configuration. Without `kdc_timesync`, a clock that is wrong is not made up for."""
        text = _KRB5_CONF.format(realm=REALM, port=self.port, timesync=int(kdc_timesync))
        (self.folder / name).write_text(text)

    def administer(self, *commands: str) -> None:
        """Run commands of kadmin, from its standard input: passwords are in no process list."""
        text = "".join(f"{command}\n" for command in commands)
        _run([_sbin("kadmin.local"), "-r", REALM], self._own_environment, text)

    def principal(self, name: str, password: str, *options: str) -> None:
        """Add a user, such as popadmin; kadmin asks for the password twice."""
        self.administer(" ".join(["addprinc", *options, name]) + f"\n{password}\n{password}")

    def kinit(self, name: str, password: str, *options: str) -> str:
        """Log a user in, and return the ticket cache."""
        cache = f"FILE:{self.folder}/cache-{secrets.token_hex(4)}"
        kinit = program("kinit", package="krb5-user")
        _run([kinit, "-c", cache, *options, f"{name}@{REALM}"], {**os.environ, **self.environment}, f"{password}\n")
        return cache

    @property
    def _own_environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment, "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf")}

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [_sbin("krb5kdc"), "-n", "-r", REALM, "-P", str(self.folder / "kdc.pid")],
            env=self._own_environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _attempt in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert self._process.poll() is None, f"the KDC did not start:\n{self.log}"
            time.sleep(0.05)
        raise AssertionError(f"the KDC does not listen:\n{self.log}")


def needs_kerberos() -> None:
    """Skip the test, loudly, where the KDC or the Python libraries are missing; in CI fail it."""
    for name, package in (("krb5kdc", "krb5-kdc"), ("kadmin.local", "krb5-admin-server"), ("kinit", "krb5-user")):
        _sbin(name, package)
    for library in ("gssapi", "krb5"):
        if importlib.util.find_spec(library) is None:
            lacking(
                f"The Python library {library} is not in .dev/, so Kerberos is not tested. On Debian: apt-get install "
                "libkrb5-dev gcc python3-dev, then: tools/add-kerberos"
            )


def _sbin(name: str, package: str = "krb5-kdc krb5-admin-server") -> str:
    """The programs of a KDC are where users do not look for programs."""
    return program(name, f"/usr/sbin/{name}", package=package)


def _run(command: Sequence[str], environment: dict[str, str], text: str = "") -> None:
    done = subprocess.run(command, env=environment, input=text, capture_output=True, text=True, check=False)
    # kadmin.local ends with 0 whatever became of a command, and says what went wrong on standard error.
    said = done.stderr.replace("No policy specified", "")
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
    assert "while" not in said.replace("Authenticating as principal", ""), f"{command[0]}: {done.stderr}"


def _free_port() -> int:
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        port = int(tcp.getsockname()[1])
        udp.bind(("127.0.0.1", port))
        return port
