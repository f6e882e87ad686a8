#!/usr/bin/env python3
"""Sends and opens whole transfers by the reference alone, over the API of docs/api.md, with the standard library's HTTP.

Reads JSON objects from standard input, one a line, and answers each by a line on standard output:

    {"do": "send", "base", "kind": "text" | "files", "entries": [{"name", "type", "path"}], "passphrase"?, "ttl_s"?}
        → {"link"}
    {"do": "open", "link", "folder", "passphrase"?}
        → {"kind", "entries": [{"name", "type", "size", "path"}]}      claimed, written into the folder, delivered
    {"do": "export", "link", "folder", "passphrase"?}
        → the same without paths, and {"identity", "age"}               the body as a file that `age -d` opens

It is short and plain, and keeps everything in memory: what it is for is to agree, not to be used.
"""

import base64
import hashlib
import json
import os
import pathlib
import secrets
import sys
import urllib.error
import urllib.request

import onetimeshare_v1 as format_v1
from onetimeshare_v1 import b64, unb64


def call(method: str, url: str, body=None, token: bytes | None = None, headers=None):
    """One request. A JSON object goes as JSON, bytes as they are. -> the answer's bytes; an error ends the program"""
    headers = dict(headers or {})
    if token is not None:
        headers["Authorization"] = f"Bearer {b64(token)}"
    if isinstance(body, dict):
        body, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    # Without a body a POST still says its length.
    body = b"" if body is None and method == "POST" else body
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}")


def call_json(*arguments, **named):
    return json.loads(call(*arguments, **named))


def send(order: dict) -> dict:
    api = order["base"] + "/api/v1"
    entries = [(entry["name"], entry["type"]) for entry in order["entries"]]
    contents = [pathlib.Path(entry["path"]).read_bytes() for entry in order["entries"]]
    fragment, keys, manifest, body = format_v1.seal(
        secrets.token_bytes(32), secrets.token_bytes(16), entries, contents, order.get("passphrase"), order["kind"])
    owner_token = secrets.token_bytes(32)
    request = {
        "id": b64(keys["transfer_id"]),
        "link_verifier": b64(keys["link_verifier"]),
        "access_verifier": b64(keys["access_verifier"]),
        "owner_verifier": b64(hashlib.sha256(owner_token).digest()),
        "manifest": b64(manifest),
        "body_len": len(body),
        "ttl_s": order.get("ttl_s", 3600),
        "claims_max": 1,
    }
    if len(body) <= call_json("GET", f"{api}/config")["inline_max"]:
        request["body"] = b64(body)
    created = call_json("POST", f"{api}/transfers", request)
    if created["state"] == "uploading":
        at = f"{api}/transfers/{request['id']}"
        for index, start in enumerate(range(0, len(body), created["part_len"])):
            part = body[start:start + created["part_len"]]
            digest = base64.b64encode(hashlib.sha256(part).digest()).decode()
            call("PUT", f"{at}/parts/{index}", part, owner_token, {
                "Content-Type": "application/octet-stream", "Content-Digest": f"sha-256=:{digest}:"})
        call("POST", f"{at}/complete", token=owner_token)
    return {"link": f"{order['base']}/open#{fragment}"}


class Claim:
    """One claim of a link: everything that the server gives for it, opened by nobody yet."""

    def __init__(self, link: str, passphrase: str | None):
        base, fragment = link.split("/open#")
        self.keys = format_v1.derive(*format_v1.parse_fragment(fragment), passphrase)
        self.at = f"{base}/api/v1/transfers/{b64(self.keys['transfer_id'])}"
        self.token = secrets.token_bytes(32)
        proofs = {"link_proof": b64(self.keys["link_proof"]), "access_proof": b64(self.keys["access_proof"])}
        peeked = call_json("POST", f"{self.at}/peek", proofs)
        claimed = call_json("POST", f"{self.at}/claim", proofs, self.token)
        if peeked["manifest"] != claimed["manifest"]:
            sys.exit("the manifest that was looked at is not the one that was claimed")
        self.manifest = unb64(claimed["manifest"])
        self.body = unb64(claimed["body"]) if "body" in claimed else call("GET", f"{self.at}/body", token=self.token)

    def delivered(self) -> None:
        call("POST", f"{self.at}/delivered", token=self.token)


def open_link(order: dict) -> dict:
    passphrase = order.get("passphrase")
    claim = Claim(order["link"], passphrase)
    manifest, files = format_v1.open_transfer(order["link"], claim.manifest, claim.body, passphrase)
    for index, (entry, (_, content)) in enumerate(zip(manifest["entries"], files, strict=True)):
        # By number: what a name may do to a disk is not what is compared here.
        entry["path"] = os.path.join(order["folder"], str(index))
        pathlib.Path(entry["path"]).write_bytes(content)
    claim.delivered()
    return manifest


def export(order: dict) -> dict:
    claim = Claim(order["link"], order.get("passphrase"))
    manifest = format_v1.open_manifest(claim.keys, claim.manifest)
    identity, age = format_v1.age_file(claim.keys["file_key"], claim.body)
    paths = {name: os.path.join(order["folder"], name) for name in ("identity", "age")}
    pathlib.Path(paths["identity"]).write_text(identity, encoding="ascii")
    pathlib.Path(paths["age"]).write_bytes(age)
    claim.delivered()
    return manifest | paths


if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        answer = {"send": send, "open": open_link, "export": export}[asked["do"]](asked)
        print(json.dumps(answer, ensure_ascii=False), flush=True)
