"""What the checks of this folder share: the tree's root, and an end that names every fault. It checks nothing."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def end(faults: list[str]) -> None:
    """Ends the program: badly, with every fault on a line of its own, where there are any."""
    for fault in faults:
        print(fault)
    sys.exit(bool(faults))
