# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask Galaxy's own importer whether Galaxy would take an artifact, and without a warning.

    .dev/venv/bin/python tools/galaxy_import.py .dev/dist/mailops-exchange-0.1.0.tar.gz

`make .dev/publishing/ready` installs the importer. ansible-test is not part of it: it would want a container here, and
has a target of its own in the Makefile.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PYTHON = Path(sys.prefix).parent / "publishing" / "bin" / "python"
SETTINGS = "[galaxy-importer]\nrun_ansible_test = False\ncheck_required_tags = True\n"
LAST_WORDS = "Importer processing completed successfully"


def complaints(artifact: Path) -> list[str]:
    """What the importer has against an artifact; nothing if Galaxy takes it as it is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(artifact, folder)
        (folder / "importer.cfg").write_text(SETTINGS, "utf-8")
        process = subprocess.run(
            [PYTHON, "-m", "galaxy_importer.main", artifact.name],
            cwd=folder,
            env={
                "HOME": name,
                "LANG": "C.UTF-8",
                "PATH": os.pathsep.join([str(PYTHON.parent), os.defpath]),
                "GALAXY_IMPORTER_CONFIG": str(folder / "importer.cfg"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    lines = process.stdout.splitlines()
    found = [line for line in lines if line.startswith(("WARNING", "ERROR"))]
    return found if LAST_WORDS in lines else [*found, *lines[-5:]]


def main(arguments: list[str]) -> int:
    """Say what it has against each artifact that is named."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    if not PYTHON.exists():
        print("Galaxy's importer is not installed: make .dev/publishing/ready", file=sys.stderr)
        return 2
    found = [line for name in arguments for line in complaints(Path(name).resolve())]
    print("\n".join(found) or "Galaxy takes it.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
