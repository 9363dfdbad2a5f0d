# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-CASMailbox and Set-CASMailbox as Python calls over one session: identities in, mailboxes or failures out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from .._core._mailbox import Failure, Finding, Mailbox, MimeFormat, Pop3Settings, Reason
from .._core._plan import Change
from .._errors import SelectionFailed, UnexpectedReply
from .._session._protocol import Answer, Cmdlet, ErrorRecord, Pipeline, Record, Reply, Session, Value
from . import _properties, _reasons

GET = "Get-CASMailbox"
SET = "Set-CASMailbox"

_PROPERTIES = {
    "pop_enabled": "PopEnabled",
    "pop_use_protocol_defaults": "PopUseProtocolDefaults",
    "pop_messages_retrieval_mime_format": "PopMessagesRetrievalMimeFormat",
    "pop_enable_exact_rfc822_size": "PopEnableExactRFC822Size",
    "pop_suppress_read_receipt": "PopSuppressReadReceipt",
    "pop_force_ical_for_calendar_retrieval_option": "PopForceICalForCalendarRetrievalOption",
}
"""Our fields and Exchange's properties, which are the parameters of Set-CASMailbox too (Microsoft's page on it)."""


NEEDED = ("Guid", "Name", "PrimarySmtpAddress", "ServerName", "Identity", *_PROPERTIES.values())
"""What of a CAS mailbox's some sixty properties this collection looks at; a listing looks at some more."""

UNLIMITED = "Unlimited"
"""-ResultSize for all mailboxes; the default cuts after 1000 (Microsoft's page on Get-CASMailbox)."""


_NAMED_BY_ONE = 100
"""Answers about one identity at most. It should be one; what Exchange makes of an ambiguous name is its own affair."""

_WORTH_A_PROBE = 50
"""From so many mailboxes on, having Exchange send a part of each is worth a try: three round trips."""


@dataclass(slots=True)
class Abilities:
    """What this Exchange turned out to be able to do for this user. All sessions of a run share what one found out.

    ``None``: not tried yet. That Select-Object may follow a cmdlet is documented for Exchange Online, and that a text
    in the pipeline binds to -Identity is inferred; so both are tried, and done without where they fail.
    """

    select_object: bool | None = None
    pipeline_input: bool = True
    calls_are_dear: bool = False
    """Whether a call takes so long that even two mailboxes are better looked up, or changed, in one."""
    hidden: dict[str, ErrorRecord] = field(default_factory=dict)
    """Cmdlets that RBAC hides from this user, and what Exchange said."""


class CasMailboxes:
    """The client access settings of mailboxes, read and changed over one session.

    ``domain_controller`` is given to every cmdlet if it is set, so that what was written is what is read.
    ``warn`` gets each warning that Exchange gave, as often as it gave it.
    """

    def __init__(
        self, session: Session, abilities: Abilities, domain_controller: str | None, warn: Callable[[str], None]
    ) -> None:
        self._session = session
        self._abilities = abilities
        self._common: dict[str, Value] = {"DomainController": domain_controller} if domain_controller else {}
        self._warn = warn

    @property
    def takes_pipeline_input(self) -> bool:
        """Whether many can be done in one pipeline, as far as is known."""
        return self._abilities.pipeline_input

    def are_few(self, number: int, most: int) -> bool:
        """Whether so many are asked for one by one. ``most`` is how many are where a call costs next to nothing."""
        return number <= (1 if self._abilities.calls_are_dear else most)

    @property
    def openings(self) -> int:
        """How many times the session was opened: opened anew, it may have another domain controller."""
        return self._session.openings

    def find(self, identity: str) -> Finding:
        """Return the mailbox that ``identity`` names, in any form that Exchange accepts, or why there is none."""
        _refuse_blank(identity)
        reply = self._invoke(GET, {"Identity": identity}, most=_NAMED_BY_ONE)
        if reply.errors:
            return _reasons.failure_for(GET, identity, reply.errors[0])
        if not reply.answers:
            return Failure(Reason.NOT_FOUND, f"No mailbox is named '{identity}': Exchange answered with nothing.")
        if len(reply.answers) > 1:
            number = len(reply.answers)
            return Failure(Reason.AMBIGUOUS, f"'{identity}' names {number} mailboxes: name one by its e-mail address.")
        return _finding(identity, reply.answers[0])

    def find_each(self, identities: Sequence[str]) -> dict[str, Finding]:
        """Find many in one pipeline. Each identity has its finding in what is returned, as ``find`` would give it."""
        if len(identities) == 1 or not self._abilities.pipeline_input:
            return {identity: self.find(identity) for identity in identities}
        for identity in identities:
            _refuse_blank(identity)
        probing = len(identities) >= _WORTH_A_PROBE
        worth_it = NEEDED if self._abilities.select_object or probing else ()
        most = len(identities) * _NAMED_BY_ONE
        reply = self._invoke(GET, {}, values=identities, properties=worth_it, most=most)
        if GET in self._abilities.hidden:
            hidden = self._abilities.hidden[GET]  # by this very call, or meanwhile in another session
            return {identity: _reasons.failure_for(GET, identity, hidden) for identity in identities}
        if _is_unbound(reply):
            self._abilities.pipeline_input = False
            return self.find_each(identities)
        if _answers_are_for(identities, reply.answers):
            return {
                identity: _finding(identity, answer) for identity, answer in zip(identities, reply.answers, strict=True)
            }
        # An answer more or less, or an error that does not say whom it is about: nobody is guessed at. Halves of it
        # are asked again, down to one identity, whose answer is its own.
        half = len(identities) // 2
        return self.find_each(identities[:half]) | self.find_each(identities[half:])

    def find_each_by_guid(self, guids: Sequence[UUID]) -> dict[UUID, Finding]:
        """Return the mailboxes with these GUIDs, or why they cannot be read."""
        found = self.find_each([str(guid) for guid in guids])
        return {guid: _with_guid(guid, found[str(guid)]) for guid in guids}

    def select(
        self,
        filter_: str | None,
        organizational_unit: str | None,
        take: Callable[[Mailbox], None],
        again: Callable[[], None],
    ) -> None:
        """Hand over every mailbox that an OPATH filter and an organizational unit select; without both, every mailbox.

        ``again`` is called where all of them come once more. Raises SelectionFailed, and UnexpectedReply if one of the
        answers is not understood: who is not known to be selected must not be taken for somebody who is not.
        """
        scope: dict[str, Value] = {}
        if filter_:
            scope["Filter"] = filter_
        if organizational_unit:
            scope["OrganizationalUnit"] = organizational_unit
        reply = self._invoke(
            GET,
            {"ResultSize": UNLIMITED, **scope},
            properties=NEEDED,
            take=lambda record: take(mailbox_of(record)),
            again=again,
        )
        if reply.errors:
            asked = ", ".join(f"-{name} {value}" for name, value in scope.items())
            failure = _reasons.failure_for(GET, asked or "all mailboxes", reply.errors[0])
            raise SelectionFailed(f"The mailboxes could not be selected ({asked or 'all'}). {failure.msg}")

    def list_some(
        self, most: int, properties: Sequence[str], take: Callable[[Record], None], again: Callable[[], None]
    ) -> bool:
        """Hand over the mailboxes of the organisation, ``most`` of them at most. Return whether there was no error."""
        reply = self._invoke(
            GET,
            {"ResultSize": most},
            properties=(*NEEDED, *properties),
            take=take,
            again=again,
            most=most + 1,
            quiet=True,
        )
        return not reply.errors

    def set(self, change: Change) -> Failure | None:
        """Make the change, and nothing that is not one. Return why Exchange refused, or ``None`` if it accepted."""
        mailbox = change.mailbox
        reply = self._invoke(SET, {"Identity": str(mailbox.guid), **_settings(change.missing)}, most=_NAMED_BY_ONE)
        if reply.errors:
            return _reasons.failure_for(SET, mailbox.name, reply.errors[0])
        return None

    def set_each(self, changes: Sequence[Change]) -> tuple[ErrorRecord, ...]:
        """Make many changes, of the same settings, in one pipeline.

        Return Exchange's errors. They do not say for certain which mailboxes they are about: look.
        """
        values = [str(change.mailbox.guid) for change in changes]
        most = len(values) * _NAMED_BY_ONE
        reply = self._invoke(SET, _settings(changes[0].missing), values=values, most=most)
        if _is_unbound(reply):
            self._abilities.pipeline_input = False
        return reply.errors

    def _invoke(
        self,
        name: str,
        parameters: dict[str, Value],
        *,
        values: Sequence[str] | None = None,
        properties: Sequence[str] = (),
        take: Callable[[Record], None] | None = None,
        again: Callable[[], None] | None = None,
        most: int | None = None,
        quiet: bool = False,
    ) -> Reply:
        """Run a cmdlet; with ``properties``, have Exchange send only these where it can."""
        abilities = self._abilities
        if name in abilities.hidden:
            return Reply((abilities.hidden[name],))
        pipeline = Pipeline((Cmdlet(name, parameters | self._common),), None if values is None else tuple(values), most)
        reply = None
        if properties and abilities.select_object is not False:
            reply = self._select(pipeline, properties, take, again)
        if reply is None:
            reply = self._session.invoke(pipeline, take, again)
        for warning in () if quiet else reply.warnings:
            self._warn(warning)
        if reply.errors and _reasons.is_hidden(reply.errors[0]):
            abilities.hidden[name] = reply.errors[0]
        return reply

    def _select(
        self,
        pipeline: Pipeline,
        properties: Sequence[str],
        take: Callable[[Record], None] | None,
        again: Callable[[], None] | None,
    ) -> Reply | None:
        """Run a cmdlet with Select-Object behind it; None where Exchange would not have that."""
        arrived = False

        def taken(record: Record) -> None:
            nonlocal arrived
            arrived = True
            if take:
                take(record)

        def restarted() -> None:
            nonlocal arrived
            arrived = False  # what comes now may come from another server
            if again:
                again()

        select = Cmdlet("Select-Object", {"Property": tuple(properties)})
        selecting = replace(pipeline, cmdlets=(*pipeline.cmdlets, select))
        reply = self._session.invoke(selecting, taken if take else None, restarted if again else None)
        if arrived or reply.records:
            self._abilities.select_object = True
        elif reply.errors and not reply.errors[0].failure_category:
            # Not an error of Exchange's own: PowerShell refused the pipeline. Whose fault that is shows without it. A
            # session that was opened anew may have come to another server, so that it had Select-Object says nothing.
            self._abilities.select_object = False
            return None
        return reply


def _refuse_blank(identity: str) -> None:
    # Without an identity, Get-CASMailbox returns every mailbox. The options refuse a blank one; this is the last door
    # before the wire.
    if not identity.strip():
        raise ValueError("an identity is needed")


def _is_unbound(reply: Reply) -> bool:
    """PowerShell's word for pipeline input that no parameter takes; then no cmdlet has run for any of it."""
    return bool(reply.answers) and all(
        isinstance(answer, ErrorRecord) and answer.fully_qualified_error_id.startswith("InputObjectNotBound")
        for answer in reply.answers
    )


def _answers_are_for(identities: Sequence[str], answers: Sequence[Answer]) -> bool:
    """Whether each answer is certainly the one for the identity in its place.

    A pipeline works on one object after the other, so as many answers as identities are in their order, unless one
    identity gave two and another none. So nothing may contradict it: no record may be the one that another identity of
    the list names by its GUID, address or name, and each error among records names its own identity and no other.
    """
    if len(answers) != len(identities):
        return False
    pairs = list(zip(identities, answers, strict=True))
    errors = [(identity, answer) for identity, answer in pairs if isinstance(answer, ErrorRecord)]
    if len(errors) == len(answers):
        return True
    named = _naming(identities) if errors else None
    if named and any(named(error.message) != {identity.lower()} for identity, error in errors):
        return False
    return _no_record_is_anothers(pairs)


def _naming(identities: Sequence[str]) -> Callable[[str], set[str]]:
    """Return what finds the identities that a message names: whole words, the longest where one holds another."""
    longest_first = sorted({identity.lower() for identity in identities}, key=len, reverse=True)
    words = re.compile("(?<![\\w.@-])(?:" + "|".join(map(re.escape, longest_first)) + ")(?![\\w@-]|\\.\\w)")
    return lambda message: set(words.findall(message.lower()))


def _no_record_is_anothers(pairs: Sequence[tuple[str, Answer]]) -> bool:
    places: defaultdict[str, set[int]] = defaultdict(set)
    for place, (_identity, answer) in enumerate(pairs):
        if not isinstance(answer, ErrorRecord):
            for name in ("Guid", "PrimarySmtpAddress", "Name"):
                places[(_properties.text(answer, name)).lower()].add(place)
    return all(place in places.get(identity.lower(), {place}) for place, (identity, _answer) in enumerate(pairs))


def _finding(identity: str, answer: Answer) -> Finding:
    if isinstance(answer, ErrorRecord):
        return _reasons.failure_for(GET, identity, answer)
    try:
        return mailbox_of(answer)
    except UnexpectedReply as exc:
        return Failure(Reason.ERROR, f"The answer about '{identity}' was not understood: {exc}")


def _with_guid(guid: UUID, finding: Finding) -> Finding:
    if isinstance(finding, Mailbox) and finding.guid != guid:
        return Failure(Reason.ERROR, f"Exchange was asked for the mailbox {guid} and answered with {finding.guid}.")
    return finding


def mailbox_of(record: Record) -> Mailbox:
    """Return what a record says. Raises UnexpectedReply if it does not say enough."""
    return Mailbox(
        guid=_properties.guid(record, "Guid"),
        name=_properties.text(record, "Name"),
        primary_smtp_address=_properties.text(record, "PrimarySmtpAddress"),
        server=_properties.text(record, "ServerName"),
        organizational_unit=_container(_properties.text(record, "Identity")),
        settings=Pop3Settings(
            pop_enabled=_properties.boolean(record, "PopEnabled"),
            pop_use_protocol_defaults=_properties.optional_boolean(record, "PopUseProtocolDefaults"),
            pop_messages_retrieval_mime_format=_properties.mime_format(record, "PopMessagesRetrievalMimeFormat"),
            pop_enable_exact_rfc822_size=_properties.optional_boolean(record, "PopEnableExactRFC822Size"),
            pop_suppress_read_receipt=_properties.optional_boolean(record, "PopSuppressReadReceipt"),
            pop_force_ical_for_calendar_retrieval_option=_properties.optional_boolean(
                record, "PopForceICalForCalendarRetrievalOption"
            ),
        ),
    )


def _container(canonical_name: str) -> str:
    """Return the container of ``contoso.com/Sales/Smith, Jane``; a slash in a name has a backslash before it."""
    container, _slash, _name = canonical_name.replace("\\/", "\0").rpartition("/")
    return container.replace("\0", "\\/")


def _settings(missing: Mapping[str, bool | MimeFormat]) -> dict[str, Value]:
    return {_PROPERTIES[name]: value if isinstance(value, bool) else value.value for name, value in missing.items()}
