"""Holds `compose.yaml` against the schema of compose, and every service in it against the rules that the file promises."""

import re
import subprocess
import sys

import yaml
from faults import ROOT, end, memory_of

FILE = ROOT / "compose.yaml"

# What each service must say, whatever it does.
HARDENED = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
}

# Rights that are given back, and to whom: a port below 1024, and a volume for another user.
RIGHTS = {"tls": ["NET_BIND_SERVICE"], "s3-volume": ["CHOWN"]}

# Each network, and who is on it: what has been broken into shall find nothing further.
NETWORKS = {
    "front": {"onetimeshare", "tls"},
    "records": {"onetimeshare", "redis"},
    "blobs": {"onetimeshare", "s3"},
    "figures": {"onetimeshare", "prometheus", "grafana"},
    "desk": {"grafana"},
}

# Those that lead somewhere else: a port of the machine reaches no container without one.
OPEN = {"front", "desk"}

# Variables of a bucket, which is wherever the operator says. A value of this file could not be taken away.
BUCKET = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")

# Settings that the file itself gives, or that could not hold in it: the folder is the image's, and no file is mounted that the last
# three could name. Every other one comes from `.env`, or a setting that is written there would be passed over without a word.
OWN = {"listen", "metrics-listen", "redis-url", "trusted-proxy", "data-dir", "config", "tls-cert", "tls-key"}

# Redis's password, which nobody has but who draws it: compose refuses to start anything without.
PASSWORD = "${REDIS_PASSWORD:?draw one into .env, see docs/deploy.md}"

# The folder that the file of create tokens is looked for in. Docker makes it where there is none.
TOKENS = "./tokens"

# What keeps Grafana from beginning with a password that everybody knows.
GRAFANA = {
    "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
    "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
    "GF_AUTH_BASIC_ENABLED": "false",
    "GF_AUTH_DISABLE_LOGIN_FORM": "true",
}

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
            if source == TOKENS:
                continue
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


def config_faults(document: dict) -> list[str]:
    """Compose puts nothing but files into a container whose root cannot be written."""
    faults = []
    for kind in ("configs", "secrets"):
        for name, one in document.get(kind, {}).items():
            users = [user for user, service in document["services"].items() if service.get("read_only") and names(service, kind, name)]
            if users and set(one) != {"file"}:
                faults.append(f"{kind}: {name} must be a file, since {', '.join(users)} cannot be written")
            elif "file" in one and not (ROOT / one["file"]).is_file():
                faults.append(f"{kind}: there is no {one['file']}")
    return faults


def names(service: dict, kind: str, name: str) -> bool:
    return any(name == (item["source"] if isinstance(item, dict) else item) for item in service.get(kind, []))


def network_faults(document: dict) -> list[str]:
    faults = []
    found = {name: set() for name in document["networks"]}
    for name, service in document["services"].items():
        if service.get("network_mode") != "none":
            for network in service["networks"]:
                found[network].add(name)
    if found != NETWORKS:
        faults.append(f"networks: {found} instead of {NETWORKS}")
    for name, network in document["networks"].items():
        if bool((network or {}).get("internal")) == (name in OPEN):
            faults.append(f"networks: {name} must {'not ' if name in OPEN else ''}be internal")
    return faults


def monitoring_faults(services: dict, configs: dict) -> list[str]:
    faults = [f"grafana: {key} must be {value}" for key, value in GRAFANA.items() if services["grafana"]["environment"].get(key) != value]
    there = {item["target"] for item in services["prometheus"]["configs"]}
    read = yaml.safe_load((ROOT / configs["prometheus"]["file"]).read_text())
    faults += [f"prometheus: there is no {path}" for path in read["rule_files"] if path not in there]
    (job,) = read["scrape_configs"]
    rules = [rule for group in yaml.safe_load((ROOT / configs["alerts"]["file"]).read_text())["groups"] for rule in group["rules"]]
    if len(rules) < 10 or len({rule["alert"] for rule in rules}) != len(rules):
        faults.append("alerts: there are none, or two have one name")
    for rule in rules:
        jobs = re.findall(r'job="([^"]*)"', rule["expr"])
        if any(named != job["job_name"] for named in jobs):
            faults.append(f"alerts: {rule['alert']} is of another job than {job['job_name']}")
    return faults


def bytes_of(text: str) -> int:
    """What `512m` means to compose."""
    return int(text[:-1]) << {"k": 10, "m": 20, "g": 30}[text[-1]]


def variable(setting: str) -> str:
    return f"ONETIMESHARE_{setting.replace('-', '_').upper()}"


def setting_faults(environment: dict) -> list[str]:
    """Every setting that somebody writes into `.env` reaches the server, and nothing that is none does."""
    known = set(re.findall(r"^## (\S+)$", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE))
    passed = {variable(name): name for name in known - OWN}
    faults = [f"onetimeshare: {name} is passed over" for name in sorted(passed.keys() - environment.keys())]
    for name, value in environment.items():
        bare = name in passed and name != "ONETIMESHARE_MAX_CONNECTIONS"
        if bare and value is not None:
            faults.append(f"onetimeshare: {name} must have no value")
        if name.startswith("ONETIMESHARE_") and name not in passed.keys() | {variable(one) for one in OWN & known}:
            faults.append(f"onetimeshare: {name} is no setting")
    return faults


def password_faults(services: dict) -> list[str]:
    """Redis asks for a password, its check of health has it, and the server has the same one."""
    faults = []
    if f"--requirepass {PASSWORD}" not in services["redis"]["command"]:
        faults.append("redis: it asks for no password")
    if services["redis"].get("environment", {}).get("REDISCLI_AUTH") != PASSWORD:
        faults.append("redis: its check of health has no password")
    if services["onetimeshare"]["environment"]["ONETIMESHARE_REDIS_URL"] != f"redis://:{PASSWORD}@redis:6379/0":
        faults.append("onetimeshare: it has another password than Redis")
    return faults


def own_faults(document: dict) -> list[str]:
    """What the rest of this tree promises of it."""
    faults = []
    services = document["services"]
    environment = services["onetimeshare"]["environment"]
    faults += [f"onetimeshare: {name} must be given, and have no value" for name in BUCKET if environment.get(name, "") is not None]
    faults += setting_faults(environment) + password_faults(services)
    connections = int(re.search(r":-(\d+)}", environment["ONETIMESHARE_MAX_CONNECTIONS"])[1])
    if memory_of(connections) > bytes_of(services["onetimeshare"]["mem_limit"]):
        faults.append(f"onetimeshare: its memory does not bear {connections} uploads that stall")
    if services["onetimeshare"].get("ulimits", {}).get("nofile", 0) < 2 * connections + 256:
        faults.append(f"onetimeshare: its open files do not suffice for {connections} connections")
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
    faults += config_faults(document) + network_faults(document) + monitoring_faults(document["services"], document["configs"])
    for name in (".gitignore", ".dockerignore"):
        lines = set((ROOT / name).read_text().splitlines())
        if not {".env", "/.env"} & lines:
            faults.append(f"{name}: it lets through .env, which holds keys")
        if not {"tokens", "/tokens/"} & lines:
            faults.append(f"{name}: it lets through the folder of create tokens")
    end(faults + place_faults(document) + own_faults(document))


main()
