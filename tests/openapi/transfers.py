"""Transfers as a client would send them, with everything that proves a right to them, brought as far as a test needs.

Nothing in them is sealed: the server could not tell.
"""

import base64
import hashlib
import random

import requests

MANIFEST_LEN = 48 + 256
# Padded lengths, sealed in chunks of 64 KiB: one that comes with its create request, and one of two parts.
SMALL_LEN = 16 + 1024 + 16
LARGE_LEN = 16 + 65_536 + 16


def text(octets: bytes) -> str:
    """Base64url without padding, as the API writes all bytes."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def sha256(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()


def digest_of(octets: bytes) -> str:
    """The value of `Content-Digest` (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(sha256(octets)).decode()}:"


class Transfer:
    """One transfer, seen from both its ends."""

    def __init__(self, draw: random.Random, body_len: int) -> None:
        self.link_proof = draw.randbytes(32)
        self.access_proof = draw.randbytes(32)
        self.owner_token = text(draw.randbytes(32))
        self.claim_token = text(draw.randbytes(32))
        self.manifest = draw.randbytes(MANIFEST_LEN)
        self.body = draw.randbytes(body_len)
        link_verifier = sha256(self.link_proof)
        self.id = text(sha256(b"onetimeshare/v1 id" + link_verifier)[:16])
        self._turn = 0

    def part(self, index: int, part_len: int) -> bytes:
        return self.body[index * part_len : (index + 1) * part_len]

    def next_part(self, part_len: int) -> int:
        """The index of one part after the other, and then from the first again."""
        index, self._turn = self._turn, self._turn + 1
        return index % -(-len(self.body) // part_len)

    def request(self) -> dict:
        """The create request."""
        request = {
            "id": self.id,
            "link_verifier": text(sha256(self.link_proof)),
            "access_verifier": text(sha256(self.access_proof)),
            "owner_verifier": text(sha256(base64.urlsafe_b64decode(self.owner_token + "="))),
            "manifest": text(self.manifest),
            "body_len": len(self.body),
            "ttl_s": 3600,
            "claims_max": 1,
        }
        if len(self.body) == SMALL_LEN:
            request["body"] = text(self.body)
        return request

    def link(self) -> dict:
        return {"link_proof": text(self.link_proof)}

    def proofs(self) -> dict:
        return {**self.link(), "access_proof": text(self.access_proof)}

    def wrong_proofs(self) -> dict:
        """Right link, wrong passphrase."""
        return {**self.link(), "access_proof": text(bytes(32))}


class Transfers:
    """All transfers of one run. The calls that bring one so far are not what is tested: they have to succeed."""

    def __init__(self, base: str, seed: int) -> None:
        self.draw = random.Random(seed)
        self.known: dict[str, Transfer] = {}
        self._base = base
        self._session = requests.Session()
        self.part_len = self._session.get(f"{base}/api/v1/config").json()["part_len"]

    def draft(self, body_len: int) -> Transfer:
        """One that the server has not heard of."""
        transfer = Transfer(self.draw, body_len)
        self.known[transfer.id] = transfer
        return transfer

    def uploading(self) -> Transfer:
        return self._create(LARGE_LEN)

    def begun(self) -> Transfer:
        """The first part is there, the others are missing."""
        transfer = self.uploading()
        self._put(transfer, 0)
        return transfer

    def uploaded(self) -> Transfer:
        """Every part is there, and nobody has said so."""
        transfer = self.uploading()
        for index in (0, 1):
            self._put(transfer, index)
        return transfer

    def large(self) -> Transfer:
        """Ready, in parts."""
        transfer = self.uploaded()
        self._call("POST", transfer, "/complete", transfer.owner_token)
        return transfer

    def ready(self) -> Transfer:
        """Ready, inline."""
        return self._create(SMALL_LEN)

    def claimed(self) -> Transfer:
        return self._claim(self.ready())

    def large_claimed(self) -> Transfer:
        return self._claim(self.large())

    def delivered(self) -> Transfer:
        transfer = self.claimed()
        self._call("POST", transfer, "/delivered", transfer.claim_token)
        return transfer

    def burnt(self) -> Transfer:
        """Burnt while its claimant was fetching."""
        transfer = self.claimed()
        self._call("DELETE", transfer, "", transfer.owner_token)
        return transfer

    def locked(self) -> Transfer:
        transfer = self.ready()
        for _ in range(5):
            self._call("POST", transfer, "/peek", json=transfer.wrong_proofs(), expected=403)
        return transfer

    def _create(self, body_len: int) -> Transfer:
        transfer = self.draft(body_len)
        answer = self._session.post(f"{self._base}/api/v1/transfers", json=transfer.request())
        assert answer.status_code == 201, answer.text
        return transfer

    def _put(self, transfer: Transfer, index: int) -> None:
        part = transfer.part(index, self.part_len)
        headers = {"Content-Digest": digest_of(part)}
        self._call("PUT", transfer, f"/parts/{index}", transfer.owner_token, data=part, headers=headers)

    def _claim(self, transfer: Transfer) -> Transfer:
        self._call("POST", transfer, "/claim", transfer.claim_token, json=transfer.proofs())
        return transfer

    def _call(self, method, transfer, rest, token=None, expected=None, headers=None, **body) -> None:
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        url = f"{self._base}/api/v1/transfers/{transfer.id}{rest}"
        answer = self._session.request(method, url, headers=headers, **body)
        is_expected = answer.status_code == expected if expected else answer.ok
        assert is_expected, f"{method} {rest}: {answer.status_code} {answer.text}"
