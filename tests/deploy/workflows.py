"""Holds what is in `.github` against the schemas of who reads it, against zizmor, and against what the tree promises of it."""

import re
import subprocess
import sys
from pathlib import Path

import yaml
from faults import ROOT, end

FOLDER = ROOT / ".github"

SCHEMAS = [
    ("vendor.github-workflows", "workflows/*.yml"),
    ("vendor.dependabot", "dependabot.yml"),
    ("vendor.github-issue-config", "ISSUE_TEMPLATE/config.yml"),
    ("vendor.github-issue-forms", "ISSUE_TEMPLATE/[!c]*.yml"),
]

# Jobs that test run the entry points and nothing else: whoever reads a log can type the same.
ENTRY_POINTS = re.compile(r"^(\.ci/run|cargo xtask [a-z-]+( --?[a-z-]+( [0-9]+[smh])?)*)$")
TESTING = ("ci.yml", "nightly.yml")

# A tag can be moved; a commit cannot.
PINNED = re.compile(r"@[0-9a-f]{40}$")


def run(*command: str | Path) -> list[str]:
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if checked.returncode == 0 else [checked.stdout + checked.stderr]


def workflow_faults(path: Path) -> list[str]:
    faults = []
    workflow = yaml.safe_load(path.read_text())
    if workflow["permissions"] != {}:
        faults.append(f"{path.name}: it has rights that no job asked for")
    for name, job in workflow["jobs"].items():
        if "timeout-minutes" not in job or "permissions" not in job:
            faults.append(f"{path.name}: {name} needs a limit of time, and its own rights")
        for step in job["steps"]:
            if path.name in TESTING and "run" in step and not ENTRY_POINTS.match(step["run"].strip()):
                faults.append(f"{path.name}: {name} runs {step['run']!r}")
            if "uses" in step and not PINNED.search(step["uses"]):
                faults.append(f"{path.name}: {step['uses']} is not pinned to a commit")
    return faults


def main() -> None:
    faults = []
    for schema, pattern in SCHEMAS:
        files = sorted(FOLDER.glob(pattern))
        assert files, pattern
        faults += run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files)
    zizmor = Path(sys.executable).with_name("zizmor")
    faults += run(zizmor, "--offline", "--quiet", "--no-progress", FOLDER)
    for path in sorted((FOLDER / "workflows").glob("*.yml")):
        faults += workflow_faults(path)
    end(faults)


main()
