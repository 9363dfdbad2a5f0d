# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and composing WSMan envelopes."""

from __future__ import annotations

import pytest
from pypsrp.wsman import WSMan

from simulator.wire import wsman

HEAD = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
    'xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell">'
)
RECEIVE = (
    HEAD
    + '<s:Header><wsa:Action s:mustUnderstand="true">http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive'
    "</wsa:Action><wsa:MessageID>uuid:1</wsa:MessageID><w:ResourceURI>http://x/y</w:ResourceURI>"
    '<w:OperationTimeout>PT1M2.5S</w:OperationTimeout><w:SelectorSet><w:Selector Name="ShellId">ab-1</w:Selector>'
    '</w:SelectorSet><w:Locale xml:lang="fr-FR"/></s:Header><s:Body><rsp:Receive>'
    '<rsp:DesiredStream CommandId="c1">stdout stderr</rsp:DesiredStream></rsp:Receive></s:Body></s:Envelope>'
)


def test_a_message_is_read() -> None:
    message = wsman.parse(RECEIVE.encode())
    assert (message.kind, message.message_id, message.resource_uri) == ("Receive", "uuid:1", "http://x/y")
    assert (message.shell_id, message.operation_timeout, message.locale) == ("AB-1", 62.5, "fr-FR")
    assert wsman.ReceiveRequest.of(message) == wsman.ReceiveRequest("C1", ("stdout", "stderr"))
    assert wsman.action_kind(RECEIVE.encode()) == "Receive"


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + RECEIVE


@pytest.mark.parametrize("text", ["", "no xml", "<a/>", BOMB, HEAD + "<s:Header/><s:Body/></s:Envelope>"])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(wsman.MalformedMessage):
        wsman.parse(text.encode())


def test_the_wrong_body_is_refused() -> None:
    with pytest.raises(wsman.MalformedMessage, match="must be a Send"):
        wsman.SendRequest.of(wsman.parse(RECEIVE.encode()))


def test_a_client_understands_faults() -> None:
    message = wsman.parse(RECEIVE.encode())
    text = wsman.fault(message, wsman.WSManFault.resource_uri_not_found("http://a&b<"), machine="mbx01.contoso.com")
    error = WSMan._parse_wsman_fault(text.decode())
    assert (error.code, error.machine) == (2150858811, "mbx01.contoso.com")
    assert "(http://a&b<) was not found" in str(error.reason)
