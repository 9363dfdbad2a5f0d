# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no result, warning or note may hold: the values of ``no_log`` options, and what can be made back into them.

Ansible removes ``no_log`` values from what a module in a process of its own returns, as they were given. A server, a
proxy or a library may repeat a secret in another spelling, the header that logs in for example; and a module that runs
inside Ansible has nobody who removes anything. So both faces use this.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

from ._definition import ModuleDefinition, Result, Say
from ._text import plain_text

_ASTERISKS = "********"

_CUT = "…"
"""What a server says is quoted up to a limit, and this is put there."""

_CUT_SECRET = 3
"""Characters of a secret before the cut, from which on they are taken for its beginning."""


def secrets_in(definition: ModuleDefinition, params: Mapping[str, Any]) -> frozenset[str]:
    """Return the secrets among the options, in every spelling that is worth looking for."""
    named = [name for name, spec in definition.argument_spec.items() if spec.get("no_log")]
    given = [plain_text(params[name]) for name in named if isinstance(params.get(name), str) and params[name]]
    user = params.get("username") or ""
    return frozenset(spelling for secret in given for spelling in _spellings(secret, user))


def without(result: Result, secrets: frozenset[str]) -> Result:
    """Return the result with every secret in it, wherever it stands, replaced by Ansible's asterisks."""
    # Looking at all text at once is many times as fast as a removal, and mostly there is nothing to remove.
    everything = "\n".join(_texts(result))
    if _CUT not in everything and not any(secret in everything for secret in secrets):
        return result
    return {name: _removed(value, sorted(secrets, key=len, reverse=True)) for name, value in result.items()}


def _removed(value: Any, longest_first: Sequence[str]) -> Any:
    """Like Ansible's own remove_values, which is deprecated for collections."""
    if isinstance(value, Mapping):
        return {name: _removed(item, longest_first) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_removed(item, longest_first) for item in value]
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return value
    text = str(value)
    for secret in longest_first:
        text = text.replace(secret, _ASTERISKS)
    text = _without_beginnings(text, longest_first) if _CUT in text else text
    return text if isinstance(value, str) or text != str(value) else value


def _without_beginnings(text: str, secrets: Sequence[str]) -> str:
    """A quotation may have been cut within a secret: what is left of it goes, too."""
    parts = text.split(_CUT)
    for number, part in enumerate(parts[:-1]):
        left = max((_overlap(part, secret) for secret in secrets), default=0)
        if left >= _CUT_SECRET:
            parts[number] = part[:-left] + _ASTERISKS
    return _CUT.join(parts)


def _overlap(text: str, secret: str) -> int:
    """Return how many characters of the secret's beginning stand at the end of the text."""
    longest = min(len(text), len(secret) - 1)
    return next((number for number in range(longest, 0, -1) if text.endswith(secret[:number])), 0)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def discreet(say: Say, secrets: frozenset[str]) -> Say:
    """Return ``say`` as one that lets no secret through."""

    def clean(text: str) -> str:
        return str(_removed(text, sorted(secrets, key=len, reverse=True)))

    return Say(
        warn=lambda text: say.warn(clean(text)),
        progress=lambda text: say.progress(clean(text)),
        note=lambda text: say.note(clean(text)),
    )


_WORTH_LOOKING_FOR = 8
"""Characters; shorter spellings of a short secret would be found in what has nothing to do with it."""


def _spellings(secret: str, user: str) -> Iterator[str]:
    yield secret
    yield from (spelling for spelling in _derived(secret, user) if len(spelling) >= _WORTH_LOOKING_FOR)


def _derived(secret: str, user: str) -> Iterator[str]:
    yield " ".join(secret.split())  # as a quotation on one line has it
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    data = secret.encode("utf-8", "surrogatepass")
    yield quote(data, safe="")
    yield quote_plus(data)
    yield quote(data, safe="").lower()
    yield html.escape(secret)
    both = f"{user}:{secret}".encode("utf-8", "surrogatepass")
    for bytes_ in (data, both, secret.encode("utf-16-le", "surrogatepass")):
        yield base64.b64encode(bytes_).decode().rstrip("=")
