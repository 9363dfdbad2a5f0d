# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found out about authentication: written by tests that ran, read for the table in docs/authentication.md.

python -m support.matrix      # put the table of all that was found out in .dev/matrix into the page
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

_ROOT = Path(__file__).parents[2]
FOLDER = _ROOT / ".dev" / "matrix"
PAGE = _ROOT / "docs" / "authentication.md"
BEGIN = "<!-- The table is made by `make auth-matrix`, from tests that ran. -->"
END = "<!-- End of the table. -->"
FACES = ("controller", "jump host")


@dataclass(frozen=True)
class Found:
    """One cell: what came of one method over one scheme, through one face."""

    method: str
    scheme: str
    face: str
    ansible_core: str
    python: str
    result: str

    @property
    def version(self) -> tuple[str, str]:
        """Of ansible-core and of Python."""
        return self.ansible_core, self.python


def found(method: str, scheme: str, face: str, result: str) -> Found:
    """A cell of the ansible-core and the Python that are running."""
    core = ".".join(metadata.version("ansible-core").split(".")[:2])
    python = ".".join(platform.python_version_tuple()[:2])
    return Found(method, scheme, face, core, python, result)


def record(cells: Iterable[Found], folder: Path = FOLDER) -> None:
    """Keep the cells of one run of one face; a later run of the same replaces them."""
    rows = [asdict(cell) for cell in cells]
    folder.mkdir(parents=True, exist_ok=True)
    one = rows[0]
    name = f"core-{one['ansible_core']}-python-{one['python']}-{one['face'].replace(' ', '-')}.json"
    # Another worker may be reading: a file is there whole or not at all.
    half = folder / f"{name}.{os.getpid()}"
    half.write_text(json.dumps(rows, indent=1), "utf-8")
    half.replace(folder / name)


def recorded(folder: Path = FOLDER) -> list[Found]:
    """All cells that there are."""
    return [Found(**row) for path in sorted(folder.glob("*.json")) for row in json.loads(path.read_text("utf-8"))]


def table(cells: Iterable[Found]) -> str:
    """The cells as a table: a row for each method, a column for each face of each version."""
    by_place = {(c.method, c.scheme, c.ansible_core, c.python, c.face): c.result for c in cells}
    methods = list(dict.fromkeys(key[0] for key in by_place))
    versions = sorted({key[2:4] for key in by_place}, key=_numbers)
    columns = [(*version, face) for version in versions for face in FACES]
    lines = [
        "| method | scheme | " + " | ".join(f"{core}, Python {py}: {face}" for core, py, face in columns) + " |",
        "|---|---|" + "---|" * len(columns),
    ]
    lines += [
        f"| {method} | {scheme} | " + " | ".join(by_place.get((method, scheme, *c), "not run") for c in columns) + " |"
        for method in methods
        for scheme in ("http", "https")
    ]
    return "\n".join(lines)


def written(page: str) -> Iterator[Found]:
    """The cells of the table that a page has."""
    inside = page.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    head, _rule, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in inside)
    for method, scheme, *results in rows:
        for column, result in zip(head[2:], results, strict=True):
            version, _sep, face = column.partition(": ")
            core, _sep, python = version.partition(", Python ")
            yield Found(method, scheme, face, core, python, result)


def _numbers(version: tuple[str, ...]) -> list[list[int]]:
    return [[int(number) for number in part.split(".")] for part in version]


def main() -> int:
    """Put the table into the page."""
    cells = recorded()
    if not cells:
        print("Nothing has been recorded in .dev/matrix: run make test-auth first.", file=sys.stderr)
        return 1
    text = PAGE.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    assert begin
    assert end
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(cells)}\n\n{END}{after}", "utf-8")
    print(f"{PAGE.relative_to(_ROOT)} has {len(cells)} results.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
