"""Holds lists of packages against the schema of CycloneDX, and the first of them against the list that is inside of a program, as
`cargo auditable` left it there.

    check.py SECTION LIST…
"""

import json
import sys
import zlib
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def schema_faults(name: str, text: str) -> list[str]:
    document = json.loads(text)
    version = SchemaVersion.from_version(document["specVersion"])
    faults = JsonStrictValidator(version).validate_str(text, all_errors=True)
    return [f"{name}: {fault}" for fault in faults or []]


def refs_of(component: dict) -> list[str]:
    inner = [ref for part in component.get("components", []) for ref in refs_of(part)]
    return [component["bom-ref"], *inner]


def graph_faults(name: str, document: dict) -> list[str]:
    """Names that mean two things or nothing, which the schema does not look for."""
    root = document["metadata"]["component"]
    refs = [ref for component in [root, *document["components"]] for ref in refs_of(component)]
    faults = [f"{name}: {ref} is there twice" for ref in set(refs) if refs.count(ref) > 1]
    for dependency in document["dependencies"]:
        for ref in [dependency["ref"], *dependency.get("dependsOn", [])]:
            if ref not in refs:
                faults.append(f"{name}: {ref} is nowhere")
    if document.get("serialNumber"):
        faults.append(f"{name}: its number would be another each time")
    for component in document["components"]:
        if not component.get("licenses"):
            faults.append(f"{name}: {component['name']} has no licence")
    return faults


def inside_faults(section: bytes, name: str, document: dict) -> list[str]:
    listed = {(part["name"], part["version"]) for part in document["components"]}
    root = document["metadata"]["component"]
    listed.add((root["name"], root["version"]))
    packages = json.loads(zlib.decompress(section))["packages"]
    inside = {(part["name"], part["version"]) for part in packages if part.get("kind", "runtime") == "runtime"}
    if len(inside) < 2:
        return ["the program holds no list of its packages"]
    return [f"{name}: {package} {version} is in the program" for package, version in sorted(inside - listed)]


def main() -> None:
    section, *lists = map(Path, sys.argv[1:])
    faults = []
    for index, path in enumerate(lists):
        text = path.read_text(encoding="utf-8")
        document = json.loads(text)
        faults += schema_faults(path.name, text)
        faults += graph_faults(path.name, document)
        if index == 0:
            faults += inside_faults(section.read_bytes(), path.name, document)
    for fault in faults:
        print(fault)
    sys.exit(bool(faults))


main()
