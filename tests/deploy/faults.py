"""What the checks of this folder share: the tree's root, what a server takes of memory, and an end that names every fault. It
checks nothing."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def memory_of(connections: int) -> int:
    """What a server takes at most, in bytes: each connection may be an upload that stalls, and besides there are the server
    itself and parts on their way to a bucket."""
    return connections * 400_000 + 30_000_000 + (128 << 20)


def end(faults: list[str]) -> None:
    """Ends the program: badly, with every fault on a line of its own, where there are any."""
    for fault in faults:
        print(fault)
    sys.exit(bool(faults))
