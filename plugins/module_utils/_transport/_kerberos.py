# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an error of Kerberos to words: what it says, and what to do about it.

By the code (RFC 4120, 7.5.9, and those that MIT's library adds), because the library translates its texts.
"""

from __future__ import annotations

import re
from enum import Enum

from ._endpoint import Endpoint

_TABLE = -1765328384
"""Where the codes of Kerberos begin: ERROR_TABLE_BASE_krb5."""
_TABLE_SIZE = 256
_CREDENTIALS_EXPIRED = 11 << 16
"""GSS-API's own code for a ticket that has expired; Kerberos has no other to say then."""


class Trouble(Enum):
    """What is wrong, as far as it makes a difference to what has to be done."""

    NO_TICKET = "no ticket"
    EXPIRED = "expired ticket"
    CLOCK = "clock"
    SERVICE = "service not found"
    SERVICE_KEY = "key of the service"
    REALM = "realm"
    UNREACHABLE = "no KDC"
    PASSWORD = "password"
    USER = "user not found"
    REVOKED = "account locked or disabled"
    PASSWORD_EXPIRED = "password expired"
    ENCRYPTION = "encryption types"


_TROUBLES = {
    1: Trouble.REVOKED,  # KDC_ERR_NAME_EXP: the account has expired
    6: Trouble.USER,  # KDC_ERR_C_PRINCIPAL_UNKNOWN
    7: Trouble.SERVICE,  # KDC_ERR_S_PRINCIPAL_UNKNOWN
    12: Trouble.REVOKED,  # KDC_ERR_POLICY: logon hours, workstations
    14: Trouble.ENCRYPTION,  # KDC_ERR_ETYPE_NOSUPP
    18: Trouble.REVOKED,  # KDC_ERR_CLIENT_REVOKED
    23: Trouble.PASSWORD_EXPIRED,  # KDC_ERR_KEY_EXPIRED
    24: Trouble.PASSWORD,  # KDC_ERR_PREAUTH_FAILED
    31: Trouble.PASSWORD,  # KRB_AP_ERR_BAD_INTEGRITY
    32: Trouble.EXPIRED,  # KRB_AP_ERR_TKT_EXPIRED
    33: Trouble.CLOCK,  # KRB_AP_ERR_TKT_NYV: not yet valid
    37: Trouble.CLOCK,  # KRB_AP_ERR_SKEW
    41: Trouble.SERVICE_KEY,  # KRB_AP_ERR_MODIFIED
    68: Trouble.REALM,  # KDC_ERR_WRONG_REALM
    141: Trouble.NO_TICKET,  # KRB5_CC_NOTFOUND
    147: Trouble.REALM,  # KRB5_KDCREP_MODIFIED
    148: Trouble.CLOCK,  # KRB5_KDCREP_SKEW
    154: Trouble.REALM,  # KRB5_REALM_UNKNOWN
    156: Trouble.UNREACHABLE,  # KRB5_KDC_UNREACH
    195: Trouble.NO_TICKET,  # KRB5_FCC_NOFILE
    217: Trouble.REALM,  # KRB5_ERR_HOST_REALM_UNKNOWN
    220: Trouble.REALM,  # KRB5_REALM_CANT_RESOLVE
    224: Trouble.REALM,  # KRB5_CONFIG_NODEFREALM
    237: Trouble.ENCRYPTION,  # KRB5_CONFIG_ETYPE_NOSUPP
}


def is_kerberos(exc: BaseException) -> bool:
    """Whether this is an error of Kerberos itself, on this machine or from the KDC."""
    return _code(exc) is not None or _has_expired(exc)


def words(exc: BaseException) -> str:
    """What Kerberos itself says, without the numbers around it."""
    text = re.sub(r" -?\d+$", "", str(exc).rpartition("Minor (")[2])
    return re.sub(r"^\d+\): ", "", text) if not _has_expired(exc) else "The ticket has expired"


def advice(exc: BaseException, endpoint: Endpoint) -> str:
    """What to do; whole sentences."""
    trouble = Trouble.EXPIRED if _has_expired(exc) else _TROUBLES.get(_code(exc) or 0)
    user = endpoint.username or "name@REALM"
    match trouble:
        case Trouble.NO_TICKET:
            return (
                f"There is no ticket for this user. Run 'kinit {user}' as the user who runs Ansible, on the machine "
                "that connects ('klist' shows what is there, KRB5CCNAME where), or give username and password."
            )
        case Trouble.EXPIRED:
            return f"Run 'kinit {user}' again, or give username and password: then a ticket is fetched for each run."
        case Trouble.CLOCK:
            return (
                "The clocks of this machine, the domain controller and the server may differ by five minutes at most. "
                "Compare 'date' here and there, and have them follow the same time server."
            )
        case Trouble.SERVICE:
            return _service_advice(words(exc), endpoint)
        case Trouble.SERVICE_KEY:
            return (
                f"The server cannot read a ticket for {endpoint.service_principal}: this name is registered for "
                "another account than the one that answers. 'setspn -Q' shows for which; give spn_hostname or "
                "spn_service if another name is right."
            )
        case Trouble.REALM:
            return _realm_advice(endpoint)
        case Trouble.UNREACHABLE:
            return (
                "No domain controller answers. Check the kdc lines of krb5.conf, or DNS (_kerberos._tcp.<realm>), and "
                "that port 88 can be reached."
            )
        case Trouble.PASSWORD:
            return "The password is wrong. It was tried once; more tries may lock the account."
        case Trouble.USER:
            return (
                "The domain has no such user. Write name@REALM, where the name is the logon name, without DOMAIN\\ "
                "before it."
            )
        case Trouble.REVOKED:
            return (
                "The account is locked, disabled, has expired, or may not log on now. 'Get-ADUser <name> -Properties "
                "LockedOut,Enabled,AccountExpirationDate' shows which."
            )
        case Trouble.PASSWORD_EXPIRED:
            return f"The password has expired or has to be changed: 'kinit {user}' asks for a new one."
        case Trouble.ENCRYPTION:
            return "No encryption type suits both sides: see msDS-SupportedEncryptionTypes and krb5.conf."
    return "'klist' shows the tickets; with KRB5_TRACE=/dev/stderr, 'kinit' and 'kvno' say what happens."


def _service_advice(said: str, endpoint: Endpoint) -> str:
    if "krbtgt/" in said:
        return (
            f"The server {endpoint.uri.host} was taken for one of another realm, and there is no way there. Map its "
            "domain to the right realm in [domain_realm] of krb5.conf, or check the trust between the domains."
        )
    return (
        f"The domain has no service {endpoint.service_principal}. Use the full name of one server in connection_uri "
        "(an IP address, an alias or a load-balanced name usually has none), or give the name that has one as "
        f"spn_hostname, and its service as spn_service. 'setspn -Q {endpoint.service_principal}' shows what there is."
    )


def _realm_advice(endpoint: Endpoint) -> str:
    name, at, realm = (endpoint.username or "").rpartition("@")
    capitals = ""
    if at and realm != realm.upper():
        capitals = f"Kerberos tells capitals from small letters: write '{name}@{realm.upper()}'. "
    return (
        f"{capitals}The realm is the domain's name in capitals, and krb5.conf has to know it: default_realm, a kdc for "
        "it (or dns_lookup_kdc = true), and [domain_realm] for the servers."
    )


def _code(exc: BaseException) -> int | None:
    """The number within the table of Kerberos; krb5 has it signed, gssapi unsigned and among other numbers."""
    for value in (getattr(exc, "err_code", None), getattr(exc, "min_code", None)):
        if isinstance(value, int):
            code = (value if value < 0 else value - 2**32) - _TABLE
            if 0 <= code < _TABLE_SIZE:
                return code
    return None


def _has_expired(exc: BaseException) -> bool:
    return getattr(exc, "maj_code", None) == _CREDENTIALS_EXPIRED
