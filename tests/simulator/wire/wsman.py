# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WSMan (WS-Management over SOAP 1.2): reading a client's envelopes and composing a server's answers.

A request is parsed into a `Message`; the `…Request` classes read the bodies of the shell actions. Answers are composed
as bytes. A refusal is a `WSManFault`, raised anywhere and turned into an envelope by `fault()`.

Source of the shapes: [MS-WSMV] and [MS-PSRP]; the fault texts are those that users report.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

CONTENT_TYPE: Final = "application/soap+xml;charset=UTF-8"

SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
TRANSFER: Final = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
SHELL: Final = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
POWERSHELL: Final = "http://schemas.microsoft.com/powershell"
FAULT: Final = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
ANONYMOUS: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"

MICROSOFT_POWERSHELL: Final = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"
WINDOWS_SHELL_CMD: Final = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd"

_XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_ACTION: Final = re.compile(rb"<(?:[\w.-]+:)?Action\b[^>]*>\s*([^<\s]+)\s*<")
_DURATION: Final = re.compile(r"^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$")


class Action(StrEnum):
    """The actions that a shell knows, by their URIs."""

    GET = TRANSFER + "/Get"
    CREATE = TRANSFER + "/Create"
    DELETE = TRANSFER + "/Delete"
    COMMAND = SHELL + "/Command"
    SEND = SHELL + "/Send"
    RECEIVE = SHELL + "/Receive"
    SIGNAL = SHELL + "/Signal"
    CONNECT = SHELL + "/Connect"
    DISCONNECT = SHELL + "/Disconnect"
    RECONNECT = SHELL + "/Reconnect"


class CommandState(StrEnum):
    """How far a command has come, as a Receive reports it."""

    DONE = SHELL + "/CommandState/Done"
    PENDING = SHELL + "/CommandState/Pending"
    RUNNING = SHELL + "/CommandState/Running"


class SignalCode(StrEnum):
    """The codes of a Signal."""

    CTRL_C = SHELL + "/signal/ctrl_c"
    CTRL_BREAK = SHELL + "/signal/ctrl_break"
    TERMINATE = SHELL + "/signal/Terminate"
    POWERSHELL_CTRL_C = "powershell/signal/ctrl_c"


class MalformedMessage(ValueError):
    """The body of a request is not a WSMan envelope; IIS and WinRM answer HTTP 400."""


class WSManFault(Exception):
    """A request that the service understood and refused."""

    def __init__(self, code: int, message: str, *, subcode: str = "w:InternalError", sender: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.subcode = subcode
        self.sender = sender

    @classmethod
    def resource_uri_not_found(cls, resource_uri: str) -> WSManFault:
        """The wrong configuration name or a wrong resource URI."""
        return cls(
            2150858811,
            "The WS-Management service cannot process the request. The resource URI "
            f"({resource_uri}) was not found in the WS-Management catalog. The catalog contains the metadata that "
            "describes resources, or logical endpoints.",
            subcode="wsa:DestinationUnreachable",
            sender=True,
        )

    @classmethod
    def shell_not_found(cls, shell_id: str) -> WSManFault:
        """The shell never existed, was closed or expired, or belongs to another user."""
        return cls(
            2150858843,
            f"The request for the Windows Remote Shell with ShellId {shell_id} failed because the shell was not found "
            "on the server. Possible causes are: the specified ShellId is incorrect or the shell no longer exists on "
            "the server. Provide the correct ShellId or create a new shell and retry the operation.",
            subcode="w:InvalidSelectors",
            sender=True,
        )

    @classmethod
    def operation_timed_out(cls) -> WSManFault:
        """Nothing to report within the client's operation timeout; a client simply asks again."""
        return cls(
            2150858793,
            "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.",
            subcode="w:TimedOut",
        )

    @classmethod
    def access_denied(cls, message: str = "Access is denied. ") -> WSManFault:
        """Authenticated, but not allowed."""
        return cls(5, message, subcode="w:AccessDenied", sender=True)

    @classmethod
    def operation_aborted(cls) -> WSManFault:
        """The shell or the command went away while a request for it was waiting."""
        return cls(
            995,
            "The I/O operation has been aborted because of either a thread exit or an application request.",
        )

    @classmethod
    def action_not_supported(cls, action: str) -> WSManFault:
        """An action that this service does not offer."""
        return cls(
            2150858817,
            f"The WS-Management service cannot process the request. The action {action} is not supported by the "
            "service.",
            subcode="wsa:ActionNotSupported",
            sender=True,
        )

    @classmethod
    def invalid_selectors(cls) -> WSManFault:
        """A shell action without a usable ShellId or CommandId."""
        return cls(
            2150858843,
            "The WS-Management service cannot process the request because the request contained invalid selectors for "
            "the resource.",
            subcode="w:InvalidSelectors",
            sender=True,
        )


@dataclass(frozen=True, slots=True)
class Message:
    """One request envelope. `body` is the first element inside the SOAP body."""

    action: str
    message_id: str
    resource_uri: str
    to: str
    selectors: Mapping[str, str]
    options: Mapping[str, str]
    operation_timeout: float | None
    max_envelope_size: int | None
    locale: str | None
    body: ElementTree.Element | None

    @property
    def kind(self) -> str:
        """The short name of the action: Create, Command, Receive, …"""
        return self.action.rpartition("/")[2]

    @property
    def shell_id(self) -> str:
        """The ShellId selector, in capitals as Windows shows it; "" when there is none."""
        return self.selectors.get("ShellId", "").upper()


class _NoDoctype(ElementTree.TreeBuilder):
    """A SOAP message has no document type (SOAP 1.2, part 1, 5): refusing it shuts out every entity trick."""

    def doctype(self, *_: str | None) -> None:
        """Refuse."""
        raise MalformedMessage("a SOAP message must not have a document type declaration")


def parse_xml(text: bytes) -> ElementTree.Element:
    """Parse untrusted XML; raises `MalformedMessage`."""
    parser = ElementTree.XMLParser(target=_NoDoctype())
    try:
        parser.feed(text)
        root = parser.close()
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise MalformedMessage(str(error)) from error
    if not isinstance(root, ElementTree.Element):
        raise MalformedMessage("no element found")
    return root


def action_kind(body: bytes) -> str | None:
    """The short name of the action in a request body, found without parsing it; None when it is no WSMan request."""
    match = _ACTION.search(body, 0, 8192)
    if match is None:
        return None
    return match.group(1).decode("utf-8", "replace").rpartition("/")[2]


def parse(text: bytes) -> Message:
    """Read a request envelope; raises `MalformedMessage`."""
    envelope = parse_xml(text)
    if envelope.tag != f"{{{SOAP}}}Envelope":
        raise MalformedMessage("not a SOAP 1.2 envelope")
    header = envelope.find(f"{{{SOAP}}}Header")
    body = envelope.find(f"{{{SOAP}}}Body")
    if header is None or body is None:
        raise MalformedMessage("an envelope needs a header and a body")

    def text_of(tag: str) -> str:
        return (header.findtext(tag) or "").strip()

    action = text_of(f"{{{ADDRESSING}}}Action")
    if not action:
        raise MalformedMessage("an envelope needs an action")
    locale = header.find(f"{{{WSMAN}}}Locale")
    size = text_of(f"{{{WSMAN}}}MaxEnvelopeSize")
    return Message(
        action=action,
        message_id=text_of(f"{{{ADDRESSING}}}MessageID"),
        resource_uri=text_of(f"{{{WSMAN}}}ResourceURI"),
        to=text_of(f"{{{ADDRESSING}}}To"),
        selectors=_named(header.find(f"{{{WSMAN}}}SelectorSet")),
        options=_named(header.find(f"{{{WSMAN}}}OptionSet")),
        operation_timeout=duration_seconds(text_of(f"{{{WSMAN}}}OperationTimeout")),
        max_envelope_size=int(size) if size.isdigit() else None,
        locale=None if locale is None else locale.get(_XML_LANG),
        body=next(iter(body), None),
    )


def _named(parent: ElementTree.Element | None) -> dict[str, str]:
    if parent is None:
        return {}
    return {child.get("Name", ""): child.text or "" for child in parent}


def duration_seconds(text: str | None) -> float | None:
    """`PT1H2M3.5S` as seconds; None when missing or not such a duration."""
    match = _DURATION.match(text or "")
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    return float(hours or 0) * 3600 + float(minutes or 0) * 60 + float(seconds or 0)


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """Open a shell. `creation_xml` holds the first PSRP fragments of a runspace pool."""

    shell_id: str | None
    name: str | None
    input_streams: str
    output_streams: str
    idle_timeout: float | None
    working_directory: str | None
    environment: Mapping[str, str]
    creation_xml: bytes

    @classmethod
    def of(cls, message: Message) -> CreateRequest:
        """Read the body of a Create."""
        shell = _body(message, "Shell")
        variables = shell.find(f"{{{SHELL}}}Environment")
        shell_id = shell.get("ShellId")
        return cls(
            shell_id=shell_id.upper() if shell_id else None,
            name=shell.get("Name") or shell.findtext(f"{{{SHELL}}}Name"),
            input_streams=shell.findtext(f"{{{SHELL}}}InputStreams") or "stdin",
            output_streams=shell.findtext(f"{{{SHELL}}}OutputStreams") or "stdout stderr",
            idle_timeout=duration_seconds(shell.findtext(f"{{{SHELL}}}IdleTimeOut")),
            working_directory=shell.findtext(f"{{{SHELL}}}WorkingDirectory"),
            environment=_named(variables),
            creation_xml=_decode(shell.findtext(f"{{{POWERSHELL}}}creationXml")),
        )


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """Start a command in a shell. For PSRP, `arguments[0]` is base64 of the first fragments of the pipeline."""

    command_id: str
    command: str
    arguments: tuple[str, ...]

    @classmethod
    def of(cls, message: Message) -> CommandRequest:
        """Read the body of a Command."""
        line = _body(message, "CommandLine")
        return cls(
            command_id=(line.get("CommandId") or str(uuid.uuid4())).upper(),
            command=line.findtext(f"{{{SHELL}}}Command") or "",
            arguments=tuple(argument.text or "" for argument in line.findall(f"{{{SHELL}}}Arguments")),
        )

    def first_argument_bytes(self) -> bytes:
        """The PSRP fragments of the first argument."""
        return _decode(self.arguments[0]) if self.arguments else b""


@dataclass(frozen=True, slots=True)
class StreamData:
    """A piece of one stream, in a Send (client to server) or in the answer to a Receive."""

    name: str
    data: bytes
    command_id: str | None = None
    end: bool = False


@dataclass(frozen=True, slots=True)
class SendRequest:
    """Input for a command or, without a command id, for the shell."""

    streams: tuple[StreamData, ...]

    @classmethod
    def of(cls, message: Message) -> SendRequest:
        """Read the body of a Send."""
        return cls(
            tuple(
                StreamData(
                    name=stream.get("Name", "stdin"),
                    data=_decode(stream.text),
                    command_id=_upper(stream.get("CommandId")),
                    end=stream.get("End", "").lower() == "true",
                )
                for stream in _body(message, "Send").findall(f"{{{SHELL}}}Stream")
            )
        )


@dataclass(frozen=True, slots=True)
class ReceiveRequest:
    """Ask for output of a command or, without a command id, of the shell."""

    command_id: str | None
    streams: tuple[str, ...]

    @classmethod
    def of(cls, message: Message) -> ReceiveRequest:
        """Read the body of a Receive."""
        desired = _body(message, "Receive").find(f"{{{SHELL}}}DesiredStream")
        if desired is None:
            raise MalformedMessage("a Receive needs a DesiredStream")
        return cls(_upper(desired.get("CommandId")), tuple((desired.text or "").split()))


@dataclass(frozen=True, slots=True)
class SignalRequest:
    """Stop or forget a command."""

    command_id: str
    code: str

    @classmethod
    def of(cls, message: Message) -> SignalRequest:
        """Read the body of a Signal."""
        signal = _body(message, "Signal")
        return cls((signal.get("CommandId") or "").upper(), (signal.findtext(f"{{{SHELL}}}Code") or "").strip())


def _body(message: Message, name: str) -> ElementTree.Element:
    if message.body is None or message.body.tag != f"{{{SHELL}}}{name}":
        raise MalformedMessage(f"the body of a {message.kind} must be a {name}")
    return message.body


def _upper(text: str | None) -> str | None:
    return text.upper() if text else None


def _decode(text: str | None) -> bytes:
    try:
        return base64.b64decode((text or "").encode("ascii"))
    except ValueError as error:
        raise MalformedMessage("a stream must be base64") from error


# --- answers ----------------------------------------------------------------------------------------------------------


def response(message: Message | None, action: str, body: str) -> bytes:
    """An envelope that answers `message`; `body` is XML and may use the prefixes s, a, w, x, p, rsp and f."""
    relates_to = escape(message.message_id) if message is not None else ""
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:x="{TRANSFER}" '
        f'xmlns:w="{WSMAN}" xmlns:rsp="{SHELL}" xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd" '
        f'xmlns:f="{FAULT}"><s:Header><a:Action>{escape(action)}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID><a:To>{ANONYMOUS}</a:To>"
        f"<a:RelatesTo>{relates_to}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def create_response(message: Message, shell_id: str, *, owner: str = "", idle_timeout: float = 900.0) -> bytes:
    """The answer to a Create: which shell there is now."""
    uri = escape(message.resource_uri)
    body = (
        f"<x:ResourceCreated><a:Address>{escape(message.to)}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{uri}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{escape(shell_id)}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        f"</x:ResourceCreated><rsp:Shell><rsp:ShellId>{escape(shell_id)}</rsp:ShellId>"
        f"<rsp:ResourceUri>{uri}</rsp:ResourceUri><rsp:Owner>{escape(owner)}</rsp:Owner>"
        f"<rsp:ClientIP>127.0.0.1</rsp:ClientIP><rsp:IdleTimeOut>PT{idle_timeout:.3f}S</rsp:IdleTimeOut>"
        "<rsp:InputStreams>stdin pr</rsp:InputStreams><rsp:OutputStreams>stdout</rsp:OutputStreams></rsp:Shell>"
    )
    return response(message, TRANSFER + "/CreateResponse", body)


def command_response(message: Message, command_id: str) -> bytes:
    """The answer to a Command: the command was started."""
    body = f"<rsp:CommandResponse><rsp:CommandId>{escape(command_id)}</rsp:CommandId></rsp:CommandResponse>"
    return response(message, SHELL + "/CommandResponse", body)


def send_response(message: Message) -> bytes:
    """The answer to a Send."""
    return response(message, SHELL + "/SendResponse", "<rsp:SendResponse/>")


def receive_response(
    message: Message,
    streams: Iterable[StreamData],
    *,
    command_id: str | None = None,
    state: CommandState | None = None,
    exit_code: int | None = None,
) -> bytes:
    """The answer to a Receive: output, and how far the command has come."""
    parts: list[str] = ["<rsp:ReceiveResponse>"]
    heads: dict[tuple[str, str | None, bool], str] = {}  # nearly always the same: thousands of records, one stream
    for stream in streams:
        kind = (stream.name, stream.command_id, stream.end)
        if kind not in heads:
            command = f' CommandId="{stream.command_id}"' if stream.command_id else ""
            end = ' End="true"' if stream.end else ""
            heads[kind] = f"<rsp:Stream Name={quoteattr(stream.name)}{command}{end}>"
        data = binascii.b2a_base64(stream.data, newline=False).decode("ascii")
        parts.append(f"{heads[kind]}{data}</rsp:Stream>")
    if state is not None:
        command = f' CommandId="{command_id}"' if command_id else ""
        code = "" if exit_code is None else f"<rsp:ExitCode>{exit_code}</rsp:ExitCode>"
        parts.append(f'<rsp:CommandState{command} State="{state}">{code}</rsp:CommandState>')
    parts.append("</rsp:ReceiveResponse>")
    return response(message, SHELL + "/ReceiveResponse", "".join(parts))


def signal_response(message: Message) -> bytes:
    """The answer to a Signal."""
    return response(message, SHELL + "/SignalResponse", "<rsp:SignalResponse/>")


def delete_response(message: Message) -> bytes:
    """The answer to a Delete."""
    return response(message, TRANSFER + "/DeleteResponse", "")


def fault(message: Message | None, error: WSManFault, *, machine: str = "localhost") -> bytes:
    """The SOAP fault for a refusal; it travels with HTTP 500."""
    code = "s:Sender" if error.sender else "s:Receiver"
    subcode = error.subcode.replace("wsa:", "a:", 1)
    text = escape(error.message)
    body = (
        f"<s:Fault><s:Code><s:Value>{code}</s:Value><s:Subcode><s:Value>{escape(subcode)}</s:Value></s:Subcode>"
        f'</s:Code><s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason><s:Detail>'
        f'<f:WSManFault Code="{error.code}" Machine={quoteattr(machine)}><f:Message>{text}</f:Message></f:WSManFault>'
        "</s:Detail></s:Fault>"
    )
    return response(message, "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault", body)


def streams_of(name: str, chunks: Sequence[bytes], command_id: str | None = None) -> tuple[StreamData, ...]:
    """Several pieces of one stream."""
    return tuple(StreamData(name, chunk, command_id) for chunk in chunks)
