#!/usr/bin/env python3
"""Runs a Python program with the packages that requirements.txt names: `python3 run.py PROGRAM [ARGUMENT…]`.

They are installed into target/reference when they are not there already, and nowhere else. A program is looked for in
this folder.
"""

import fcntl
import os
import pathlib
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE.parent.parent / "target"
FOLDER = TARGET / "reference"
PYTHON = FOLDER / "bin" / "python"


def install(requirements: pathlib.Path) -> None:
    """Makes the folder, unless it was made from the same requirements by the same Python. Never twice at once."""
    wanted = sys.version + "\n" + requirements.read_text(encoding="utf-8")
    stamp = FOLDER / "installed"
    TARGET.mkdir(exist_ok=True)
    with open(TARGET / "reference.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
            return
        venv.create(FOLDER, clear=True, with_pip=True)
        subprocess.run(
            [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements],
            check=True, stdout=sys.stderr)
        stamp.write_text(wanted, encoding="utf-8")


def main(arguments: list[str]) -> None:
    if not arguments:
        sys.exit(__doc__)
    install(HERE / "requirements.txt")
    # Leaves no compiled files in the tree (-B); texts are UTF-8 whatever the surroundings say.
    os.execv(PYTHON, [str(PYTHON), "-B", "-X", "utf8", str(HERE / arguments[0]), *arguments[1:]])


if __name__ == "__main__":
    main(sys.argv[1:])
