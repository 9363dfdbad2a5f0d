# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From codes of Kerberos to words, for errors that a KDC of MIT does not make: those of a real KDC are in
tests/integration/test_kerberos.py."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._transport import _kerberos
from ansible_collections.mailops.exchange.plugins.module_utils._transport._diagnosis import (
    diagnose,
    may_have_been_processed,
)
from ansible_collections.mailops.exchange.plugins.module_utils._transport._endpoint import ConnectionUri, Endpoint

ENDPOINT = Endpoint(ConnectionUri.parse("http://mbx01.contoso.com/PowerShell/"), username="pop@contoso.com")
TABLE = -1765328384


class Krb5Error(Exception):
    """What the library krb5 raises: a signed code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(f"{text} {code}")
        self.err_code = code


class GSSError(Exception):
    """What the library gssapi raises: an unsigned one."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(f"Major (851968): Unspecified GSS failure., Minor ({code}): {text}")
        self.maj_code, self.min_code = 851968, code


def wrapped(cause: Exception) -> Exception:
    """As pyspnego hands it on."""
    outer = Exception("SpnegoError")
    outer.base_error = cause  # type: ignore[attr-defined]
    return outer


@pytest.mark.parametrize(
    "make", [lambda text, n: Krb5Error(text, TABLE + n), lambda t, n: GSSError(t, TABLE + n + 2**32)]
)
@pytest.mark.parametrize(
    ("number", "text", "says"),
    [
        (147, "KDC reply did not match expectations", "write 'pop@CONTOSO.COM'"),
        (14, "KDC has no support for encryption type", "msDS-SupportedEncryptionTypes"),
        (12, "KDC policy rejects request", "may not log on now"),
        (41, "Message stream modified", "http/mbx01.contoso.com: this name is registered for another account"),
        (200, "Something rare", "KRB5_TRACE"),
    ],
)
def test_an_error_is_explained_by_its_code(make: object, number: int, text: str, says: str) -> None:
    assert callable(make)
    error = wrapped(make(text, number))
    message = str(diagnose(error, ENDPOINT))
    assert message.startswith(f"Kerberos says: {text}. ")
    assert says in message
    assert not may_have_been_processed(error)


@pytest.mark.parametrize("code", [TABLE - 1, TABLE + 256, 0, 5, 2**31])
def test_other_numbers_are_not_taken_for_kerberos(code: int) -> None:
    assert not _kerberos.is_kerberos(Krb5Error("no", code))
