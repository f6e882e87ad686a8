"""Holds the chart in `contrib/helm` against Helm itself, against the schemas of Kubernetes, and against what it promises.

Helm's own library lints and renders it, as the program does, without a cluster.
"""

import json
import re
import tomllib

import helm_python as helm
import kubernetes_validate
import yaml
from faults import ROOT, end, memory_of

CHART = ROOT / "contrib" / "helm" / "onetimeshare"

# The least that must be given.
LEAST = {
    "image": {"repository": "registry.example/onetimeshare"},
    "redis": {"existingSecret": "redis"},
    "blobs": {"url": "s3://bucket/prefix"},
}

# Settings that are the chart's own to give: other values decide about them, or it mounts no file that they could name.
OWN = {
    *("listen", "metrics-listen", "data-dir", "redis-url", "redis-replicas", "blob-url", "trusted-proxy"),
    *("config", "tls-cert", "tls-key", "create-token-file"),
}

# Everything that can be switched on.
MOST = {
    **LEAST,
    "blobs": {"url": "s3://bucket/prefix", "existingSecret": "bucket", "env": {"AWS_REGION": "us-east-1"}},
    "trustedProxies": ["10.244.0.0/16", "fd00::/8"],
    "createTokens": {"existingSecret": "tokens", "key": "tokens.toml"},
    "settings": {"max-ttl": "3d", "log": "info"},
    "imagePullSecrets": [{"name": "registry"}],
    "podAnnotations": {"a": "b"},
    "podLabels": {"c": "d"},
    "nodeSelector": {"e": "f"},
    "tolerations": [{"key": "g", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "service": {"annotations": {"h": "i"}},
    "serviceAccount": {"annotations": {"j": "k"}},
    "ingress": {"enabled": True, "className": "l", "host": "share.example", "tlsSecret": "m", "annotations": {"n": "o"}},
    "autoscaling": {"enabled": True},
    "networkPolicy": {"from": [{"podSelector": {}}], "metricsFrom": [{"namespaceSelector": {}}], "podIdentity": True},
    "metrics": {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}},
}

KINDS_LEAST = {"Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount"}
KINDS_MOST = KINDS_LEAST | {"HorizontalPodAutoscaler", "Ingress", "ServiceMonitor"}

# What must be refused, and a word of the sentence that says why.
REFUSED = [
    ({}, "image.repository"),
    ({**LEAST, "redis": {}}, "redis.existingSecret"),
    ({**LEAST, "blobs": {}}, "blobs.url"),
    ({**LEAST, "blobs": {"url": "http://bucket"}}, "blobs/url"),
    ({**LEAST, "replica": 3}, "replica"),
    ({**LEAST, "settings": {"redis-url": "redis://:secret@a"}}, "redis-url"),
    ({**LEAST, "settings": {"max-claims": 3}}, "settings"),
    ({**LEAST, "settings": {"max-tll": "3d"}}, "max-tll"),
    ({**LEAST, "settings": {"tls-cert": "/a"}}, "tls-cert"),
    ({**LEAST, "image": {"repository": "r/x:1.0"}}, "image/repository"),
    ({**LEAST, "image": {"repository": "https://r/x"}}, "image/repository"),
    ({**LEAST, "image": {"repository": "r/x", "tag": "a:b"}}, "image/tag"),
    ({**LEAST, "spoolSize": "lots"}, "spoolSize"),
    ({**LEAST, "service": {"port": 99999}}, "service/port"),
    ({**LEAST, "networkPolicy": {"egressPorts": [0]}}, "networkPolicy/egressPorts"),
    ({**LEAST, "podDisruptionBudget": {"maxUnavailable": "one"}}, "maxUnavailable"),
    ({**LEAST, "ingress": {"enabled": True}}, "ingress.host"),
    ({**LEAST, "ingress": {"enabled": True, "host": "https://x"}}, "ingress/host"),
    ({**LEAST, "metrics": {"serviceMonitor": {"enabled": True, "interval": "often"}}}, "interval"),
    ({**LEAST, "metrics": {"serviceMonitor": {"enabled": True}}}, "networkPolicy.metricsFrom"),
]

# What must be taken.
TAKEN = [
    {**LEAST, "image": {"repository": "localhost:5000/a/b_c", "tag": "1.0@sha256:" + "0" * 64}},
    {**LEAST, "spoolSize": "1.5Gi", "podDisruptionBudget": {"maxUnavailable": "25%"}},
    # The two releases of docs/deploy.md, "An inside and an outside".
    {**LEAST, "settings": {"role": "create", "open-url": "https://share.example.org"}},
    {**LEAST, "settings": {"role": "open", "stats": "off"}},
    {**LEAST, "networkPolicy": {"enabled": False}, "metrics": {"serviceMonitor": {"enabled": True}}},
]


def render(chart: helm.Chart, values: dict) -> dict[str, dict]:
    """The objects that the chart makes of `values`, by kind."""
    files = chart.render(values, name="demo", namespace="space")
    texts = [text for path, text in files.items() if not path.endswith("NOTES.txt")]
    objects = [one for text in texts for one in yaml.safe_load_all(text) if one]
    assert len({one["kind"] for one in objects}) == len(objects)
    return {one["kind"]: one for one in objects}


def schema_faults(objects: dict[str, dict]) -> list[str]:
    faults = []
    for kind, one in objects.items():
        # No part of Kubernetes, but of the operator of Prometheus.
        if kind == "ServiceMonitor":
            continue
        try:
            kubernetes_validate.validate(one, "1.30", strict=True)
        except kubernetes_validate.ValidationError as error:
            faults.append(f"{kind}: {error.message}")
    return faults


def reference_faults(objects: dict[str, dict]) -> list[str]:
    """What names something else names what is there."""
    faults = []
    pod = objects["Deployment"]["spec"]["template"]
    container = pod["spec"]["containers"][0]
    name = objects["Service"]["metadata"]["name"]
    ports = {port["name"] for port in container["ports"]}
    selectors = {
        "Deployment": objects["Deployment"]["spec"]["selector"]["matchLabels"],
        "Service": objects["Service"]["spec"]["selector"],
        "NetworkPolicy": objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        "PodDisruptionBudget": objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    }
    for kind, selector in selectors.items():
        if not selector.items() <= pod["metadata"]["labels"].items():
            faults.append(f"{kind}: it does not select the pods")
    named = [port["targetPort"] for port in objects["Service"]["spec"]["ports"]]
    named.append(container["livenessProbe"]["httpGet"]["port"])
    if container["readinessProbe"]["exec"]["command"] != ["/onetimeshare-server", "healthcheck"]:
        faults.append("Deployment: a full store would take every server out")
    named += [rule["ports"][0]["port"] for rule in objects["NetworkPolicy"]["spec"]["ingress"]]
    faults += [f"there is no port {port}" for port in named if port not in ports]
    if {mount["name"] for mount in container["volumeMounts"]} != {volume["name"] for volume in pod["spec"]["volumes"]}:
        faults.append("Deployment: volumes and mounts differ")
    if pod["spec"]["serviceAccountName"] != objects["ServiceAccount"]["metadata"]["name"]:
        faults.append("Deployment: it has another service account")
    if "Ingress" in objects:
        backend = objects["Ingress"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
        if backend != {"name": name, "port": {"name": "http"}}:
            faults.append("Ingress: it leads elsewhere")
        target = objects["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
        if target["name"] != objects["Deployment"]["metadata"]["name"] or "replicas" in objects["Deployment"]["spec"]:
            faults.append("HorizontalPodAutoscaler: it does not decide how many there are")
        selected = objects["ServiceMonitor"]["spec"]["selector"]["matchLabels"]
        if not selected.items() <= objects["Service"]["metadata"]["labels"].items():
            faults.append("ServiceMonitor: it does not select the service")
    return faults


def setting_faults() -> list[str]:
    """The settings that are taken are those that the server has, but for the chart's own."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    taken = set(schema["properties"]["settings"]["propertyNames"]["enum"])
    known = set(re.findall(r"^## (\S+)$", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE))
    faults = [f"values.schema.json: it takes {name}, which is no setting for it" for name in sorted(taken - known | taken & OWN)]
    return faults + [f"values.schema.json: it refuses {name}" for name in sorted(known - taken - OWN)]


def memory_faults() -> list[str]:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    limit = int(values["resources"]["limits"]["memory"].removesuffix("Mi")) << 20
    connections = int(values["settings"]["max-connections"])
    return [] if memory_of(connections) <= limit else [f"values.yaml: its memory does not bear {connections} uploads that stall"]


def policy_faults(least: dict, most: dict) -> list[str]:
    """Nobody on the node is asked for an identity unless that is wanted."""
    asked = [
        {block["ipBlock"]["cidr"] for rule in objects["NetworkPolicy"]["spec"]["egress"] for block in rule.get("to", [])}
        for objects in (least, most)
    ]
    expected = [set(), {"169.254.169.254/32", "169.254.170.23/32", "169.254.169.252/32"}]
    return [] if asked == expected else [f"NetworkPolicy: {asked} instead of {expected}"]


def hardening_faults(deployment: dict) -> list[str]:
    pod = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]
    expected = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    faults = []
    if container["securityContext"] != expected:
        faults.append(f"the container must have {expected}")
    if not pod["securityContext"]["runAsNonRoot"] or pod["securityContext"]["seccompProfile"] != {"type": "RuntimeDefault"}:
        faults.append("the pod must not run as root, and be filtered")
    if pod["automountServiceAccountToken"] or pod["enableServiceLinks"]:
        faults.append("the pod is told what it does not need")
    if "memory" not in container["resources"]["limits"]:
        faults.append("the container may take all memory")
    # The server's own 20 s, and the pause before it is told.
    if pod["terminationGracePeriodSeconds"] < 20 + container["lifecycle"]["preStop"]["sleep"]["seconds"]:
        faults.append("the pod is killed before the server has ended")
    return faults


def main() -> None:
    faults = []
    for values in (LEAST, MOST):
        report = helm.lint(CHART, values, strict=True, quiet=True, kube_version="v1.30.0")
        faults += report["errors"] + [str(one) for one in report["messages"] if one["severity"] > 1]
    faults += setting_faults() + memory_faults()
    with helm.Chart.load(CHART) as chart:
        faults += policy_faults(render(chart, LEAST), render(chart, MOST))
        for values in TAKEN:
            render(chart, values)
        for values, kinds in ((LEAST, KINDS_LEAST), (MOST, KINDS_MOST)):
            objects = render(chart, values)
            if set(objects) != kinds:
                faults.append(f"{sorted(objects)} instead of {sorted(kinds)}")
            faults += schema_faults(objects) + reference_faults(objects) + hardening_faults(objects["Deployment"])
        variables = {one["name"]: one["value"] for one in objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]["env"]}
        if (variables.get("ONETIMESHARE_MAX_TTL"), variables.get("AWS_REGION")) != ("3d", "us-east-1"):
            faults.append(f"settings do not become variables: {variables}")
        if variables.get("ONETIMESHARE_TRUSTED_PROXY") != "10.244.0.0/16,fd00::/8":
            faults.append(f"the server is not told of its proxies: {variables}")
        for values, word in REFUSED:
            try:
                render(chart, values)
                faults.append(f"taken: {values}")
            except helm.HelmError as error:
                if word not in str(error):
                    faults.append(f"refused without {word}: {error}")
        workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
        if chart.metadata["appVersion"] != workspace:
            faults.append(f"Chart.yaml: appVersion is not {workspace}")
    end(faults)


main()
