"""Holds the `Dockerfile` against hadolint, its toolchain against the one that the tree pins, and its check of health
against the docs. It builds nothing."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from faults import ROOT, end

FILE = ROOT / "Dockerfile"


def main() -> None:
    faults = []
    hadolint = Path(sys.executable).with_name("hadolint")
    checked = subprocess.run([hadolint, FILE], capture_output=True, text=True, check=False)
    if checked.returncode:
        faults.append(checked.stdout + checked.stderr)
    text = FILE.read_text()
    pinned = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
    taken = re.search(r"BUILD_IMAGE=\S+/rust:([\d.]+)-slim", text)[1]
    if not f"{pinned}.".startswith(f"{taken}."):
        faults.append(f"Dockerfile: it builds with {taken}, and the tree with {pinned}")
    # All but the last stage are thrown away.
    last = text.rsplit("\nFROM ", 1)[1]
    for line in ("USER 65532:65532", "VOLUME /data", "HEALTHCHECK "):
        if f"\n{line}" not in last:
            faults.append(f"Dockerfile: the image needs {line}")
    check = re.search(r"CMD (\[.*healthcheck.*\])", last)[1]
    if f"HEALTHCHECK CMD {check}\n" not in (ROOT / "docs/operations.md").read_text():
        faults.append(f"docs/operations.md: the image's check of health is {check}")
    end(faults)


main()
