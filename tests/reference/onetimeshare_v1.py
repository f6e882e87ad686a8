#!/usr/bin/env python3
"""Independent reference of the onetimeshare v1 format (docs/spec.md).

Written against the specification alone, on pyca/cryptography and argon2-cffi, so that the Rust
implementation can be checked against code that shares nothing with it. Here by `python3 run.py`;
anywhere else by `pip install cryptography argon2-cffi`.

    onetimeshare_v1.py vectors [TAG]        the vectors of vectors.json, on standard output; another tag, other vectors
    onetimeshare_v1.py refused              the sealed manifests of refused.json, none of which may open
    onetimeshare_v1.py open LINK MANIFEST BODY [PASSPHRASE]
                                            opens a sealed manifest and body taken from a server
    onetimeshare_v1.py age LINK BODY IDENTITY_OUT AGE_OUT [PASSPHRASE]
                                            writes an age file and identity that `age -d` opens
"""

import base64
import hashlib
import hmac
import json
import sys
import unicodedata

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat, PublicFormat)

CHUNK = 65536
CHUNKS_MAX = 2**24
VERSION = 1
PASSPHRASE_BIT = 0x80
MANIFEST_SIZES = [256 << i for i in range(13)]          # 256 bytes to 1 MiB
ENTRIES_MAX = 10_000
NESTING_MAX = 8
CONTENT_MAX = 2**40
COMPONENT_MAX, NAME_MAX = 255, 1024
BODY_MIN = 1024
# Unicode bidirectional controls: LRM RLM ALM, LRE..RLO, LRI..PDI.
BIDI = set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64(raw) != text:
        raise ValueError("not canonical base64url")
    return raw


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def expand(prk: bytes, info: bytes, length: int) -> bytes:
    out, block, index = b"", b"", 1
    while len(out) < length:
        block = mac(prk, block + info + bytes([index]))
        out, index = out + block, index + 1
    return out[:length]


def checksum(version: int, link_key: bytes) -> bytes:
    return hashlib.sha256(b"onetimeshare check" + bytes([version]) + link_key).digest()[:3]


def fragment(version: int, link_key: bytes) -> str:
    return b64(bytes([version]) + link_key + checksum(version, link_key))


def parse_fragment(text: str) -> tuple[int, bytes]:
    if len(text) != 48:
        raise ValueError("damaged link: length")
    raw = unb64(text)
    version, link_key, check = raw[0], raw[1:33], raw[33:]
    if checksum(version, link_key) != check:
        raise ValueError("damaged link: checksum")
    if version & ~PASSPHRASE_BIT != VERSION:
        raise ValueError("unsupported version")
    return version, link_key


def transfer_id(link_verifier: bytes) -> bytes:
    """Self-certifying: a server refuses an id that does not follow from the link verifier."""
    return hashlib.sha256(b"onetimeshare/v1 id" + link_verifier).digest()[:16]


def derive(version: int, link_key: bytes, passphrase: str | None) -> dict[str, bytes]:
    prk_link = mac(b"onetimeshare/v1 link", bytes([version]) + link_key)
    keys = {
        "link_proof": expand(prk_link, b"link proof", 32),
        "passphrase_salt": expand(prk_link, b"passphrase salt", 16),
    }
    keys["link_verifier"] = hashlib.sha256(keys["link_proof"]).digest()
    keys["transfer_id"] = transfer_id(keys["link_verifier"])
    stretched = b""
    if version & PASSPHRASE_BIT:
        if passphrase is None:
            raise ValueError("passphrase needed")
        if len(unicodedata.normalize("NFC", passphrase).encode()) > 1024:
            raise ValueError("passphrase too long")
        stretched = hash_secret_raw(
            unicodedata.normalize("NFC", passphrase).encode(), keys["passphrase_salt"],
            time_cost=3, memory_cost=65536, parallelism=1, hash_len=32, type=Type.ID)
    elif passphrase is not None:
        raise ValueError("this link takes no passphrase")
    prk = mac(b"onetimeshare/v1 root", bytes([version]) + link_key + stretched)
    keys["access_proof"] = expand(prk, b"access proof", 32)
    keys["commitment"] = expand(prk, b"commitment", 32)
    keys["manifest_key"] = expand(prk, b"manifest key", 32)
    keys["file_key"] = expand(prk, b"file key", 16)
    keys["access_verifier"] = hashlib.sha256(keys["access_proof"]).digest()
    return keys


def padme(length: int) -> int:
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (length + mask) & ~mask


def padded_len(content_len: int) -> int:
    return max(BODY_MIN, padme(content_len))


def check_name(name: str) -> None:
    if len(name.encode()) > NAME_MAX:
        raise ValueError("name too long")
    for component in name.split("/"):
        if component in ("", ".", "..") or len(component.encode()) > COMPONENT_MAX:
            raise ValueError(f"name component {component!r}")
    for char in name:
        if char == "\\" or char in BIDI or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp"):
            raise ValueError(f"name character {char!r}")


def check_manifest(manifest) -> int:
    """Every rule of section 3 on a parsed manifest. -> the content's length"""
    if not isinstance(manifest, dict) or manifest.get("kind") not in ("text", "files"):
        raise ValueError("kind")
    entries = manifest.get("entries")
    if not isinstance(entries, list) or not 1 <= len(entries) <= ENTRIES_MAX:
        raise ValueError("entries")
    names, total = [], 0
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not isinstance(entry.get("type"), str):
            raise ValueError("entry")
        size = entry.get("size")
        if type(size) is not int or not 0 <= size <= CONTENT_MAX:
            raise ValueError("size")
        total += size
        if not (manifest["kind"] == "text" and entry["name"] == ""):
            check_name(entry["name"])
        names.append(unicodedata.normalize("NFC", entry["name"]))
    if total > CONTENT_MAX:
        raise ValueError("total size")
    if manifest["kind"] == "text" and len(entries) != 1:
        raise ValueError("a text has one entry")
    known = set(names)
    if len(known) != len(names):
        raise ValueError("two entries of one name")
    for name in names:
        parts = name.split("/")
        if any("/".join(parts[:n]) in known for n in range(1, len(parts))):
            raise ValueError("an entry is a folder of another")
    return total


def parse_manifest(text: bytes) -> dict:
    def no_duplicates(pairs):
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("duplicate member")
        return dict(pairs)

    def refuse(_):
        raise ValueError("number")

    def depth(value, level=1):
        if level > NESTING_MAX:
            raise ValueError("nesting")
        for inner in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()):
            depth(inner, level + 1)

    try:
        manifest = json.loads(text.decode("utf-8"), object_pairs_hook=no_duplicates, parse_float=refuse, parse_constant=refuse)
        depth(manifest)
    except RecursionError:
        raise ValueError("nesting") from None
    return manifest


def pad_manifest(text: bytes) -> bytes:
    for size in MANIFEST_SIZES:
        if len(text) <= size:
            return text + bytes(size - len(text))
    raise ValueError("manifest too large")


def seal_manifest(keys: dict[str, bytes], text: bytes) -> bytes:
    return keys["commitment"] + ChaCha20Poly1305(keys["manifest_key"]).encrypt(
        bytes(12), pad_manifest(text), keys["commitment"])


def open_manifest(keys: dict[str, bytes], sealed: bytes) -> dict:
    if len(sealed) - 48 not in MANIFEST_SIZES:
        raise ValueError("manifest length")
    if not hmac.compare_digest(sealed[:32], keys["commitment"]):
        raise ValueError("commitment")
    padded = ChaCha20Poly1305(keys["manifest_key"]).decrypt(bytes(12), sealed[32:], keys["commitment"])
    text = padded.rstrip(b"\0")
    if pad_manifest(text) != padded:
        raise ValueError("manifest padding")
    manifest = parse_manifest(text)
    check_manifest(manifest)
    return manifest


def payload_key(file_key: bytes, nonce: bytes) -> bytes:
    return expand(mac(nonce, file_key), b"payload", 32)


def chunk_nonce(index: int, last: bool) -> bytes:
    return index.to_bytes(11, "big") + bytes([last])


def seal_payload(file_key: bytes, nonce: bytes, plaintext: bytes) -> bytes:
    cipher = ChaCha20Poly1305(payload_key(file_key, nonce))
    count = max(1, -(-len(plaintext) // CHUNK))
    return nonce + b"".join(
        cipher.encrypt(chunk_nonce(i, i == count - 1), plaintext[i * CHUNK:(i + 1) * CHUNK], None)
        for i in range(count))


def open_payload(file_key: bytes, body: bytes) -> bytes:
    nonce, sealed = body[:16], body[16:]
    if len(nonce) < 16 or len(sealed) < 16:
        raise ValueError("truncated")
    cipher = ChaCha20Poly1305(payload_key(file_key, nonce))
    step = CHUNK + 16
    count = -(-len(sealed) // step)
    if count > CHUNKS_MAX:
        raise ValueError("too many chunks")
    chunks = [cipher.decrypt(chunk_nonce(i, i == count - 1), sealed[i * step:(i + 1) * step], None)
              for i in range(count)]
    if count > 1 and not chunks[-1]:
        raise ValueError("empty final chunk")
    return b"".join(chunks)


def body_len(content_len: int) -> int:
    padded = padded_len(content_len)
    return 16 + padded + 16 * -(-padded // CHUNK)


def manifest_text(entries, contents, kind) -> bytes:
    return json.dumps({"kind": kind, "entries": [
        {"name": name, "type": mime, "size": len(content)}
        for (name, mime), content in zip(entries, contents, strict=True)]},
        ensure_ascii=False, separators=(",", ":")).encode()


def seal(link_key, body_nonce, entries, contents, passphrase=None, kind="files", text=None):
    """entries: [(name, type)]; contents: [bytes]; text: a manifest to seal instead. -> fragment, keys, sealed manifest, body"""
    version = VERSION | (PASSPHRASE_BIT if passphrase is not None else 0)
    keys = derive(version, link_key, passphrase)
    if text is None:
        text = manifest_text(entries, contents, kind)
        check_manifest(parse_manifest(text))
    content = b"".join(contents)
    body = seal_payload(keys["file_key"], body_nonce, content + bytes(padded_len(len(content)) - len(content)))
    return fragment(version, link_key), keys, seal_manifest(keys, text), body


def open_transfer(link, sealed_manifest, body, passphrase=None):
    version, link_key = parse_fragment(link.rsplit("#", 1)[-1])
    keys = derive(version, link_key, passphrase)
    manifest = open_manifest(keys, sealed_manifest)
    total = check_manifest(manifest)
    if len(body) != body_len(total):
        raise ValueError("body length")
    plaintext = open_payload(keys["file_key"], body)
    if manifest["kind"] == "text":
        plaintext[:total].decode("utf-8")
    if len(plaintext) != padded_len(total) or any(plaintext[total:]):
        raise ValueError("padding")
    files, offset = [], 0
    for entry in manifest["entries"]:
        files.append((entry["name"], plaintext[offset:offset + entry["size"]]))
        offset += entry["size"]
    return manifest, files


# --- an age file whose stanza wraps the transfer's file key --------------------------------------

BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(prefix: str, raw: bytes) -> str:
    values, acc, bits = [], 0, 0
    for byte in raw:
        acc, bits = (acc << 8) | byte, bits + 8
        while bits >= 5:
            bits -= 5
            values.append((acc >> bits) & 31)
    if bits:
        values.append((acc << (5 - bits)) & 31)

    def polymod(items):
        generators = [0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]
        check = 1
        for item in items:
            top = check >> 25
            check = ((check & 0x1FFFFFF) << 5) ^ item
            for i in range(5):
                check ^= generators[i] if (top >> i) & 1 else 0
        return check

    head = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = polymod(head + values + [0] * 6) ^ 1
    return prefix + "1" + "".join(BECH32[v] for v in values + [(check >> 5 * (5 - i)) & 31 for i in range(6)])


def age_file(file_key: bytes, body: bytes) -> tuple[str, bytes]:
    identity, ephemeral = X25519PrivateKey.generate(), X25519PrivateKey.generate()

    def public(key):
        return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def unpadded(raw):
        return base64.b64encode(raw).rstrip(b"=").decode()

    wrap = expand(mac(public(ephemeral) + public(identity), ephemeral.exchange(identity.public_key())),
                  b"age-encryption.org/v1/X25519", 32)
    stanza = ChaCha20Poly1305(wrap).encrypt(bytes(12), file_key, None)
    head = f"age-encryption.org/v1\n-> X25519 {unpadded(public(ephemeral))}\n{unpadded(stanza)}\n---"
    tag = mac(expand(mac(bytes(32), file_key), b"header", 32), head.encode())
    secret = identity.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return bech32("age-secret-key-", secret).upper() + "\n", f"{head} {unpadded(tag)}\n".encode() + body


# --- vectors -------------------------------------------------------------------------------------

def pattern(length: int) -> bytes:
    """Deterministic content: SHA-256 of the block index, repeated."""
    return b"".join(hashlib.sha256(i.to_bytes(8, "big")).digest() for i in range(-(-length // 32)))[:length]


def vector(comment, seed, contents, entries, passphrase=None, kind="files"):
    link_key = hashlib.sha256(seed + b" link key").digest()
    body_nonce = hashlib.sha256(seed + b" body nonce").digest()[:16]
    text, keys, sealed, body = seal(link_key, body_nonce, entries, contents, passphrase, kind)
    assert open_transfer(text, sealed, body, passphrase)[1] == [
        (name, content) for (name, _), content in zip(entries, contents)]
    return {
        "comment": comment, "kind": kind, "link_key": link_key.hex(), "body_nonce": body_nonce.hex(),
        "passphrase": passphrase, "fragment": text,
        "entries": [{"name": n, "type": t, "size": len(c), "pattern": c == pattern(len(c)),
                     **({} if c == pattern(len(c)) else {"content": c.hex()})}
                    for (n, t), c in zip(entries, contents)],
        **{name: value.hex() for name, value in keys.items()},
        "manifest": manifest_text(entries, contents, kind).decode(),
        "sealed_manifest": sealed.hex(), "body_len": len(body),
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }


def vectors(tag: bytes = b"public"):
    plain, binary = "text/plain", "application/octet-stream"
    cases = [
        ("a short text", ["hello"], None, "text"),
        ("a text behind a passphrase", ["hello"], "correct horse", "text"),
        ("a passphrase that NFC changes", ["hello"], "Amélie", "text"),
        ("an empty passphrase is still a passphrase", ["x"], "", "text"),
    ]
    out = [vector(c, tag + str(i).encode(), [t.encode() for t in texts], [("", plain)], p, kind)
           for i, (c, texts, p, kind) in enumerate(cases)]
    sizes = [0, 1, 1023, 1024, 1025, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 1_000_000, 10 * CHUNK + 5]
    out += [vector(f"one file of {n} bytes", tag + b"n%d" % n, [pattern(n)], [("file.bin", binary)]) for n in sizes]
    out.append(vector("three files, one of them empty", tag + b"m", [pattern(70_000), b"", b"\xff" * 17],
                      [("a/b.bin", binary), ("empty", plain), ("日本.txt", plain)]))
    return out


def refused_manifests():
    """Manifests that must not open. Sealed under one link; the text, padded or raw, is what is wrong."""
    link_key, nonce = hashlib.sha256(b"refused link key").digest(), hashlib.sha256(b"refused nonce").digest()[:16]
    entry = '{"name":"a","type":"t","size":1}'

    def files(*entries):
        return '{"kind":"files","entries":[%s]}' % ",".join(entries)

    def named(name):
        return files(json.dumps({"name": name, "type": "t", "size": 1}, ensure_ascii=False, separators=(",", ":")))

    cases = {
        "unknown kind": '{"kind":"folder","entries":[%s]}' % entry, "no kind": '{"entries":[%s]}' % entry,
        "no entries": '{"kind":"files"}', "zero entries": files(), "entries no list": '{"kind":"files","entries":{}}',
        "not an object": "[]", "not JSON": "{", "something after the value": files(entry) + "x", "byte order mark": "\ufeff" + files(entry),
        "negative size": files(entry.replace(":1}", ":-1}")), "fractional size": files(entry.replace(":1}", ":1.0}")),
        "size as text": files(entry.replace(":1}", ':"1"}')), "size true": files(entry.replace(":1}", ":true}")),
        "exponent": files(entry.replace(":1}", ":1e0}")), "size over the limit": files(entry.replace(":1}", ":1099511627777}")),
        "sum over the limit": files(entry.replace(":1}", ":1099511627776}"), entry.replace('"a"', '"b"')),
        "no name": files('{"type":"t","size":1}'), "no type": files('{"name":"a","size":1}'), "no size": files('{"name":"a","type":"t"}'),
        "duplicate member": files('{"name":"a","name":"b","type":"t","size":1}'), "too deep": '{"kind":"files","entries":[%s],"x":%s}' % (entry, "[" * 8 + "]" * 8),
        "two texts": '{"kind":"text","entries":[%s,%s]}' % (entry, entry.replace('"a"', '"b"')),
        "same name twice": files(entry, entry), "same name after NFC": files(entry.replace('"a"', '"\u00e9"'), entry.replace('"a"', '"e\u0301"')),
        "a file that is a folder": files(entry, entry.replace('"a"', '"a/b"')), "empty name of a file": named(""),
        "absolute": named("/etc/passwd"), "parent": named("a/../b"), "dot": named("./a"), "empty component": named("a//b"), "trailing slash": named("a/"),
        "backslash": named("..\\w"), "NUL": named("a\0b"), "newline": named("a\nb"), "DEL": named("a\x7fb"), "C1 control": named("a\x85b"), "bidi override": named("a\u202egpj.exe"),
        "line separator": named("a\u2028b"), "component of 256 bytes": named("a" * 256), "name of 1025 bytes": named("/".join(["a" * 204] * 5) + "ab"),
    }
    out = []
    for comment, text in cases.items():
        content = b"x"
        text_fragment, keys, sealed, body = seal(link_key, nonce, [], [content], text=text.encode("utf-8", "surrogatepass"))
        out.append((comment, text_fragment, sealed, body))
    fragment_, keys, sealed, body = seal(link_key, nonce, [("a", "t")], [b"x"])

    def raw(padded):
        return keys["commitment"] + ChaCha20Poly1305(keys["manifest_key"]).encrypt(bytes(12), padded, keys["commitment"])

    text = manifest_text([("a", "t")], [b"x"], "files")
    out += [("not padded", fragment_, raw(text), body), ("padded too far", fragment_, raw(text + bytes(512 - len(text))), body),
            ("padding not zero", fragment_, raw(text + bytes(255 - len(text)) + b"x"), body),
            ("invalid UTF-8", fragment_, raw((b'{"kind":"files","entries":[{"name":"\xff","type":"t","size":1}]}').ljust(256, b"\0")), body),
            ("lone surrogate", fragment_, raw((b'{"kind":"files","entries":[{"name":"\\ud800","type":"t","size":1}]}').ljust(256, b"\0")), body),
            ("commitment of another", fragment_, bytes(32) + sealed[32:], body), ("cut", fragment_, sealed[:-1], body), ("empty", fragment_, b"", body)]
    for comment, text_fragment, sealed, body in out:
        try:
            open_transfer(text_fragment, sealed, body)
        except (ValueError, InvalidTag):
            continue
        raise SystemExit(f"the reference accepts: {comment}")
    return [{"comment": c, "fragment": f, "sealed_manifest": s.hex()} for c, f, s, _ in out]


def main(arguments):
    if arguments[:1] == ["vectors"]:
        print(json.dumps(vectors(arguments[1].encode() if len(arguments) > 1 else b"public"), indent=1, ensure_ascii=False))
    elif arguments[:1] == ["refused"]:
        print(json.dumps(refused_manifests(), indent=1, ensure_ascii=False))
    elif arguments[:1] == ["open"]:
        link, sealed, body = arguments[1], open(arguments[2], "rb").read(), open(arguments[3], "rb").read()
        manifest, files = open_transfer(link, sealed, body, *arguments[4:5])
        print(json.dumps(manifest, ensure_ascii=False))
        for name, content in files:
            print(name, len(content), hashlib.sha256(content).hexdigest())
    elif arguments[:1] == ["age"]:
        version, link_key = parse_fragment(arguments[1].rsplit("#", 1)[-1])
        keys = derive(version, link_key, arguments[5] if len(arguments) > 5 else None)
        identity, age = age_file(keys["file_key"], open(arguments[2], "rb").read())
        open(arguments[3], "w").write(identity)
        open(arguments[4], "wb").write(age)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ValueError, InvalidTag) as error:
        sys.exit(f"refused: {error or type(error).__name__}")
