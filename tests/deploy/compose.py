"""Holds `compose.yaml` against the schema of compose, and every service in it against the rules that the file promises."""

import re
import subprocess
import sys

import yaml
from faults import ROOT, end

FILE = ROOT / "compose.yaml"

# What each service must say, whatever it does.
HARDENED = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
}

# Rights that are given back, and to whom: a port below 1024, and a volume for another user.
RIGHTS = {"tls": ["NET_BIND_SERVICE"], "s3-volume": ["CHOWN"]}

# A version that does not move by itself to another series.
PINNED = re.compile(r":v?\d+\.\d+")


def schema_faults() -> list[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if checked.returncode == 0 else [checked.stdout + checked.stderr]


def service_faults(name: str, service: dict) -> list[str]:
    faults = [f"{name}: {key} must be {value}" for key, value in HARDENED.items() if service.get(key) != value]
    faults += [f"{name}: {key} is missing" for key in ("mem_limit", "pids_limit", "restart") if key not in service]
    if service.get("cap_add", []) != RIGHTS.get(name, []):
        faults.append(f"{name}: it may have no right but {RIGHTS.get(name, [])}")
    if "build" not in service and not PINNED.search(service["image"]):
        faults.append(f"{name}: {service['image']} names no version")
    for port in service.get("ports", []):
        if name != "tls" and not port.startswith("127.0.0.1:"):
            faults.append(f"{name}: {port} is open to others, and TLS is not")
    return faults


def place_faults(document: dict) -> list[str]:
    """What a service names must be there: volumes, configs, networks, services, and files of this tree."""
    faults = []
    for name, service in document["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./contrib/"):
                if not (ROOT / source).exists():
                    faults.append(f"{name}: there is no {source}")
            elif source not in document["volumes"]:
                faults.append(f"{name}: there is no volume {source}")
        for kind, key in (("configs", "configs"), ("networks", "networks")):
            named = [item["source"] if isinstance(item, dict) else item for item in service.get(key, [])]
            faults += [f"{name}: there is no {item} in {kind}" for item in named if item not in document[kind]]
        faults += [f"{name}: there is no service {one}" for one in service.get("depends_on", {}) if one not in document["services"]]
    return faults


def own_faults(document: dict) -> list[str]:
    """What the rest of this tree promises of it."""
    faults = []
    services = document["services"]
    if not document["networks"]["back"].get("internal") or services["redis"]["networks"] != ["back"]:
        faults.append("redis: it has no password, and must be on an internal network alone")
    subnets = [one["subnet"] for one in document["networks"]["front"]["ipam"]["config"]]
    if services["onetimeshare"]["environment"]["ONETIMESHARE_TRUSTED_PROXY"].split(",") != subnets:
        faults.append("onetimeshare: it is to be told of its proxies, which are on the network in front of it")
    told = " ".join(services["redis"]["command"])
    for setting in ("--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"):
        if setting not in told:
            faults.append(f"redis: {setting} is missing")
    tested = re.search(r'name: "garage",\s*version: "([^"]+)"', (ROOT / "xtask/src/tools.rs").read_text())
    if services["s3"]["image"] != f"dxflrs/garage:v{tested[1]}":
        faults.append(f"s3: it is to be the version that tests run against, {tested[1]}")
    return faults


def main() -> None:
    document = yaml.safe_load(FILE.read_text())
    faults = schema_faults()
    for name, service in document["services"].items():
        faults += service_faults(name, service)
    end(faults + place_faults(document) + own_faults(document))


main()
