"""Holds a running server against its own OpenAPI document: `run.py URL [ARGS of schemathesis]`.

It fails when schemathesis does, and when some call was never seen to succeed in every way that the document knows: then the
rest says little.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

FOLDER = Path(__file__).parent


def main(base: str, arguments: list[str]) -> int:
    address = f"{base}/api/v1/openapi.json"
    answer = requests.get(address, timeout=10)
    # schemathesis leaves out the call that it has the document from, so this is the one test of it.
    seen = {("openapi", answer.status_code, ""): 1}
    with tempfile.TemporaryDirectory() as folder:
        reached = Path(folder) / "reached.json"
        own = {"ONETIMESHARE_URL": base, "ONETIMESHARE_REACHED": str(reached), "PYTHONPATH": str(FOLDER)}
        command = [Path(sys.executable).with_name("schemathesis"), "run", address, *arguments]
        tested = subprocess.run(command, cwd=FOLDER, env={**os.environ, **own}, check=False)
        if not reached.exists():
            return tested.returncode or 1
        for call, status, code, count in json.loads(reached.read_text()):
            seen[call, status, code] = count
    missed = report(answer.json(), seen)
    for line in missed:
        print(f"never succeeded: {line}")
    return tested.returncode or bool(missed)


def report(document: dict, seen: dict) -> list[str]:
    """Prints which of the documented answers were seen. The successes that were not."""
    missed = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            call = f"{method.upper()} {path}"
            answers = {
                f"{status} {code}".strip(): seen.get((operation["operationId"], int(status), code), 0)
                for status, answer in operation["responses"].items()
                for code in codes_of(answer)
            }
            print(f"\n{call}")
            print("  seen:", ", ".join(f"{answer} ({count})" for answer, count in answers.items() if count))
            print("  not seen:", ", ".join(answer for answer, count in answers.items() if not count))
            missed += [f"{answer} of {call}" for answer, count in answers.items() if answer < "3" and not count]
    return missed


def codes_of(answer: dict) -> list[str]:
    """The error codes of a documented answer; one that is empty for an answer that is no error."""
    content = answer.get("content", {}).get("application/json", {})
    for part in content.get("schema", {}).get("allOf", []):
        if "properties" in part:
            return part["properties"]["code"]["enum"]
    return [""]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
