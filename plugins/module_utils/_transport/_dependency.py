# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python libraries: are they here, and new enough? If not, one sentence that says what to install and where."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import NoReturn

from .._errors import DependencyError

PYPSRP_WANTED = (0, 9, 0)
"""The oldest pypsrp with what ``remote_powershell`` uses: time-outs that can be set for one request."""


def require_pypsrp() -> None:
    """Raise DependencyError if pypsrp cannot be imported here or is too old."""
    try:
        import pypsrp

        found = metadata.version("pypsrp")
        if _release(found) < PYPSRP_WANTED:
            _refuse(f"version {found} was found in {pypsrp.__file__}", None)
        import pypsrp.powershell  # what it needs itself may be missing
    except metadata.PackageNotFoundError:
        return  # installed by other means than pip: there is no telling which version, and it is here
    except ImportError as exc:
        _refuse(f"it cannot be imported ({exc})", exc)


def require_kerberos() -> None:
    """Raise DependencyError if what Kerberos needs cannot be imported here."""
    try:
        import gssapi  # noqa: F401 - that it can be imported is the question
        import krb5  # noqa: F401 - the same
    except ImportError as exc:
        raise DependencyError(
            f"authentication: kerberos needs the Python libraries gssapi and krb5 on {platform.node()} for "
            f"{sys.executable}: they cannot be imported ({exc}). Install them with: {sys.executable} -m pip install "
            "'pypsrp[kerberos]' (they are compiled: Debian and Ubuntu need libkrb5-dev, gcc and python3-dev for that, "
            "Red Hat krb5-devel, gcc and python3-devel)"
        ) from exc


def _refuse(found: str, cause: Exception | None) -> NoReturn:
    wanted = ".".join(map(str, PYPSRP_WANTED))
    raise DependencyError(
        f"The Python library pypsrp, version {wanted} or later, is needed on {platform.node()} by {sys.executable}: "
        f"{found}. Install it with: {sys.executable} -m pip install 'pypsrp>={wanted}' (for authentication: kerberos "
        f"'pypsrp[kerberos]>={wanted}')"
    ) from cause


def _release(version: str) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in version.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
