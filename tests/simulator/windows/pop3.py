# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two POP3 services of an Exchange server: the frontend, to which clients connect, and the backend behind it.

The frontend proxies a session to the backend over TCP; without a backend nobody can log on. Each of the two remembers,
from its own start, who may use POP3, so a change is felt only after both were restarted. That is this simulator's
reading of Microsoft's instruction to restart MSExchangePOP3 and MSExchangePOP3BE after ``Set-CASMailbox -POPEnabled``;
Microsoft gives no reason for it (inferred). Passwords are always those of now, as they are Active Directory's business,
and a mailbox that neither service has met is looked up at its first login.

Texts as users report them: the greeting and the failed logon in published test suites and logs, ``STLS`` and ``CAPA``
in jstedfast/MailKit issue 119, ``Command is not valid in this state.`` for a login without TLS in node-pop3 issue 33,
``Server Unavailable. 21`` in https://jaapwesselius.com/2012/03/. A real backend is told by the frontend who logs on
(XPROXY); here the frontend repeats USER and PASS, on loopback.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from simulator.windows.listener import Listener
from simulator.windows.maildrop import Maildrop, MaildropSession, NoSuchMessage

GREETING = "The Microsoft Exchange POP3 service is ready."
LOGON_FAILURE = "-ERR Logon failure: unknown user name or bad password."
SERVER_UNAVAILABLE = "-ERR Server Unavailable. 21"
INVALID_STATE = "-ERR Command is not valid in this state."
PROTOCOL_ERROR = "-ERR Protocol error. 14"
SIGNING_OFF = "+OK Microsoft Exchange Server 2016 POP3 server signing off."
_LOGGED_ON = "+OK User successfully logged on."
_BACKEND_TIMEOUT = 10.0


@dataclass(frozen=True)
class Logon:
    """What the directory knows of one user: the password, and whether the mailbox may be read over POP3 now."""

    password: str = field(repr=False)
    allowed: bool = True
    mailbox: str = ""
    """Names the mailbox where several user names lead to the same one; empty: the user name does."""


class Directory(Protocol):
    """Where the services learn who may log on."""

    def pop3_logons(self) -> Mapping[str, Logon]:
        """All logons by user name, in every form that a client may give."""


class LoginType(IntEnum):
    """``Set-PopSettings -LoginType``."""

    PLAIN_TEXT_LOGIN = 1
    PLAIN_TEXT_AUTHENTICATION = 2
    SECURE_LOGIN = 3


@dataclass
class PopServiceSettings:
    """The part of ``Get-PopSettings`` that the two services follow; they read it when they start.

    What the ports of the bindings are does not count, because the hosts of a farm share one loopback: each has its own
    ports for what is 110 and 995 elsewhere. Whether there is any binding of a kind counts.
    """

    login_type: LoginType = LoginType.SECURE_LOGIN
    banner: str = GREETING
    max_command_size: int = 512
    unencrypted_or_tls: bool = True
    """Whether UnencryptedOrTLSBindings has any."""
    ssl: bool = True
    """Whether SSLBindings has any."""


class Maildrops:
    """The mailboxes of an organisation as POP3 sees them; each has one welcome message until a test says otherwise."""

    def __init__(self) -> None:
        """Begin without any; they come into being when somebody logs on."""
        self._maildrops: dict[str, Maildrop] = {}
        self._lock = threading.Lock()

    def __getitem__(self, mailbox: str) -> Maildrop:
        """The maildrop of a mailbox."""
        with self._lock:
            return self._maildrops.setdefault(mailbox.casefold(), Maildrop())


class AccessList:
    """Who may use POP3, as one service learned it when it started."""

    def __init__(self, directory: Directory) -> None:
        """Know nothing until ``learn``."""
        self._directory = directory
        self._allowed: dict[str, bool] = {}

    def learn(self) -> None:
        """Read the directory: the service starts."""
        self._allowed = {user.casefold(): logon.allowed for user, logon in self._directory.pop3_logons().items()}

    def logon(self, user: str, password: str) -> str | None:
        """The name of the mailbox, or None where the logon is refused."""
        current = _by_user(self._directory.pop3_logons(), user)
        if current is None or current.password != password:
            return None
        if not self._allowed.setdefault(user.casefold(), current.allowed):
            return None
        return current.mailbox or user


def _by_user(logons: Mapping[str, Logon], user: str) -> Logon | None:
    if user in logons:
        return logons[user]
    wanted = user.casefold()
    return next((logon for name, logon in logons.items() if name.casefold() == wanted), None)


class _Lines:
    """Reads and writes the lines of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._buffer = b""

    def read(self, limit: int = 1_000_000) -> str | None:
        """The next line without its end, or None at the end of the connection."""
        while b"\n" not in self._buffer:
            part = self.socket.recv(8192)
            if not part or len(self._buffer) > limit:
                return None
            self._buffer += part
        line, _sep, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "surrogateescape")

    def write(self, text: str) -> None:
        self.socket.sendall(text.encode("utf-8", "surrogateescape") + b"\r\n")


def _command(line: str) -> tuple[str, list[str]]:
    verb, _sep, rest = line.strip().partition(" ")
    return verb.upper(), [rest] if verb.upper() in ("USER", "PASS") else rest.split()


class Backend:
    """MSExchangePOP3BE: checks the logon and serves the mailbox. Listens on TCP 1995 on a real server."""

    def __init__(
        self,
        directory: Directory,
        maildrops: Maildrops,
        address: str,
        port: int = 0,
        *,
        read_settings: Callable[[], PopServiceSettings] = PopServiceSettings,
    ) -> None:
        """Reserve the port; ``start`` opens it."""
        self.access = AccessList(directory)
        self.settings = PopServiceSettings()
        self._read_settings = read_settings
        self._maildrops = maildrops
        self._listener = Listener(self._serve, address, port)
        self.port = self._listener.port

    def start(self) -> None:
        """Learn who may log on and how, and listen."""
        self.access.learn()
        self.settings = self._read_settings()
        self._listener.open()

    def stop(self) -> None:
        """Refuse connections and drop those that are open."""
        self._listener.close()

    def release(self) -> None:
        """Stop for good."""
        self._listener.release()

    def _serve(self, sock: socket.socket) -> None:
        lines = _Lines(sock)
        lines.write(f"+OK {GREETING}")
        user, session = "", None
        while (line := lines.read(self.settings.max_command_size)) is not None:
            verb, arguments = _command(line)
            if verb == "QUIT":
                if session is not None:
                    session.commit()
                lines.write(SIGNING_OFF)
                return
            if session is not None:
                lines.write(_transaction(session, verb, arguments))
            elif verb == "USER":
                user = arguments[0]
                lines.write("+OK")
            elif verb == "PASS":
                mailbox = self.access.logon(user, arguments[0])
                session = None if mailbox is None else MaildropSession(self._maildrops[mailbox])
                lines.write(LOGON_FAILURE if session is None else _LOGGED_ON)
            else:
                lines.write(INVALID_STATE)


def _transaction(session: MaildropSession, verb: str, arguments: list[str]) -> str:
    """The answer to a command of somebody who has logged on."""
    first = arguments[0] if arguments else None
    try:
        match verb, arguments:
            case "STAT", []:
                return "+OK" + session.stat()
            case "LIST", [] | [_]:
                return "+OK" + session.listing(first)
            case "UIDL", [] | [_]:
                return "+OK" + session.uidl(first)
            case "RETR", [number]:
                return "+OK" + session.retr(number)
            case "TOP", [number, count] if count.isdigit():
                return "+OK" + session.top(number, count)
            case "DELE", [number]:
                return "+OK" + session.dele(number)
            case "RSET", []:
                return "+OK" + session.rset()
            case "NOOP", []:
                return "+OK"
            case (("USER" | "PASS" | "STLS"), _):
                return INVALID_STATE
            case _:
                return PROTOCOL_ERROR
    except NoSuchMessage:
        return "-ERR The specified message does not exist."


class Frontend:
    """MSExchangePOP3: greets clients, secures the connection, and proxies who logs on to a backend.

    Listens on TCP 110 (plain, with STLS) and 995 (TLS) on a real server.
    """

    def __init__(
        self,
        directory: Directory,
        tls: ssl.SSLContext,
        backend_for: Callable[[str], tuple[str, int] | None],
        address: str,
        *,
        port: int = 0,
        tls_port: int = 0,
        read_settings: Callable[[], PopServiceSettings] = PopServiceSettings,
    ) -> None:
        """Reserve the ports; ``start`` opens them."""
        self.access = AccessList(directory)
        self.settings = PopServiceSettings()
        """As the service read them when it started."""
        self._read_settings = read_settings
        self.greetings = 0
        """How many clients were greeted."""
        self._tls = tls
        self._backend_for = backend_for
        self._plain = Listener(self._serve_plain, address, port)
        try:
            self._secure = Listener(self._serve_tls, address, tls_port)
        except OSError:
            self._plain.release()
            raise
        self.port = self._plain.port
        self.tls_port = self._secure.port

    def start(self) -> None:
        """Learn who may log on and how, and listen."""
        self.access.learn()
        self.settings = self._read_settings()
        if self.settings.unencrypted_or_tls:
            self._plain.open()
        if self.settings.ssl:
            self._secure.open()

    def stop(self) -> None:
        """Refuse connections and drop those that are open."""
        self._plain.close()
        self._secure.close()

    def release(self) -> None:
        """Stop for good."""
        self._plain.release()
        self._secure.release()

    def _serve_plain(self, sock: socket.socket) -> None:
        _FrontendSession(self, self._plain, sock, secure=False).run()

    def _serve_tls(self, sock: socket.socket) -> None:
        _FrontendSession(self, self._secure, self._secure.secure(sock, self._tls), secure=True).run()

    def secured(self, listener: Listener, sock: socket.socket) -> socket.socket:
        """The connection after STLS."""
        return listener.secure(sock, self._tls)

    def backend_for(self, user: str) -> tuple[str, int] | None:
        """Where the backend of a user's mailbox listens."""
        return self._backend_for(user)


class _FrontendSession:
    """One client of the frontend, up to its login; after that the backend answers."""

    def __init__(self, frontend: Frontend, listener: Listener, sock: socket.socket, *, secure: bool) -> None:
        self._frontend = frontend
        self._listener = listener
        self._lines = _Lines(sock)
        self._secure = secure
        self._user: str | None = None

    def run(self) -> None:
        self._frontend.greetings += 1
        self._lines.write(f"+OK {self._frontend.settings.banner}")
        while (line := self._lines.read(self._frontend.settings.max_command_size)) is not None:
            verb, arguments = _command(line)
            if verb == "QUIT":
                self._lines.write(SIGNING_OFF)
                return
            if verb == "STLS" and not self._secure:
                self._lines.write("+OK Begin TLS negotiation.")
                self._lines = _Lines(self._frontend.secured(self._listener, self._lines.socket))
                self._secure, self._user = True, None
            elif verb == "PASS" and self._user is not None:
                if self._log_on(self._user, arguments[0]):
                    return
                self._user = None
            else:
                self._lines.write(self._answer(verb, arguments))

    def _answer(self, verb: str, arguments: list[str]) -> str:
        if verb == "CAPA":
            return "\r\n".join(["+OK", *self._capabilities(), "."])
        if verb == "USER":
            if not self._may_log_on():
                return INVALID_STATE
            self._user = arguments[0]
            return "+OK"
        known = ("PASS", "STLS", "STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "NOOP", "RSET")
        return INVALID_STATE if verb in known else PROTOCOL_ERROR

    def _capabilities(self) -> list[str]:
        user = ["USER"] if self._may_log_on() else []
        return ["TOP", "UIDL", *user, *([] if self._secure else ["STLS"])]

    def _may_log_on(self) -> bool:
        return self._secure or self._frontend.settings.login_type is LoginType.PLAIN_TEXT_LOGIN

    def _log_on(self, user: str, password: str) -> bool:
        """Log on and, where that works, proxy until the session ends."""
        if self._frontend.access.logon(user, password) is None:
            self._lines.write(LOGON_FAILURE)
            return False
        target = self._frontend.backend_for(user)
        if target is None:
            self._lines.write(SERVER_UNAVAILABLE)
            return False
        try:
            backend = socket.create_connection(target, _BACKEND_TIMEOUT)
        except OSError:
            self._lines.write(SERVER_UNAVAILABLE)
            return False
        with contextlib.closing(backend):
            return self._proxy(_Lines(backend), user, password)

    def _proxy(self, backend: _Lines, user: str, password: str) -> bool:
        backend.read()
        backend.write(f"USER {user}")
        backend.read()
        backend.write(f"PASS {password}")
        answer = backend.read() or SERVER_UNAVAILABLE
        self._lines.write(answer)
        if not answer.startswith("+OK"):
            return False
        while (line := self._lines.read(self._frontend.settings.max_command_size)) is not None:
            verb, arguments = _command(line)
            if verb == "CAPA":
                self._lines.write(self._answer(verb, arguments))
                continue
            backend.write(line)
            if not self._relay(backend, several=_has_several_lines(verb, arguments)) or verb == "QUIT":
                break
        return True

    def _relay(self, backend: _Lines, *, several: bool) -> bool:
        """Pass one answer on; False when the backend went away, as it does when its service stops."""
        line = backend.read()
        if line is None:
            return False
        self._lines.write(line)
        while several and line is not None and not line.startswith("-ERR") and line != ".":
            line = backend.read()
            if line is None:
                return False
            self._lines.write(line)
        return True


def _has_several_lines(verb: str, arguments: list[str]) -> bool:
    return verb in ("RETR", "TOP") or (verb in ("LIST", "UIDL") and not arguments)
