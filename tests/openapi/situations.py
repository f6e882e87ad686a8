"""What each call is tried on: transfers at every point of their lives, with proofs that are right, and some that are not.

A situation turns a request that schemathesis made up into one that a client, or somebody who guesses, would send.
"""

from transfers import LARGE_LEN, SMALL_LEN, digest_of, text

OWNERS_CALLS = {"write_part", "list_parts", "complete", "receipt", "unlock", "burn"}
CLAIMANTS_CALLS = {"claim", "body", "renew", "delivered"}


def call_of(case) -> str:
    return case.operation.definition.raw["operationId"]


def go_on(case, transfers, transfer) -> None:
    """Makes the call one that this transfer's sender, or its claimant, would send."""
    call = call_of(case)
    case.path_parameters["id"] = transfer.id
    if call in OWNERS_CALLS:
        bear(case, transfer.owner_token)
    if call in CLAIMANTS_CALLS:
        bear(case, transfer.claim_token)
    if call in {"peek", "claim"}:
        case.body = transfer.proofs()
    if call == "write_part":
        send_part(case, transfers, transfer, transfer.next_part(transfers.part_len))


def bear(case, token: str) -> None:
    case.headers["Authorization"] = f"Bearer {token}"


def send_part(case, transfers, transfer, index: int, octets: bytes | None = None) -> None:
    """Makes the call one that sends these bytes, or the right ones, as part `index`."""
    octets = transfer.part(index, transfers.part_len) if octets is None else octets
    case.path_parameters["index"] = index
    case.headers["Content-Digest"] = digest_of(octets)
    case.body = octets


def on(state: str, change=None):
    """A situation: a transfer that has come so far, and what is different from what its owner or claimant would send."""

    def situation(case, transfers) -> None:
        transfer = getattr(transfers, state)()
        go_on(case, transfers, transfer)
        if change:
            change(case, transfers, transfer)

    return situation


def as_another(case, transfers, _transfer) -> None:
    bear(case, text(transfers.draw.randbytes(32)))


def with_wrong_passphrase(case, _transfers, transfer) -> None:
    case.body = transfer.wrong_proofs()


def with_link_alone(case, _transfers, transfer) -> None:
    case.body = transfer.link()


def with_range(value: str):
    def change(case, _transfers, _transfer) -> None:
        case.headers["Range"] = value

    return change


def whole(case, _transfers, _transfer) -> None:
    case.headers.pop("Range", None)


def part(index: int, turned_into=bytes):
    def change(case, transfers, transfer) -> None:
        send_part(case, transfers, transfer, index, turned_into(transfer.part(index, transfers.part_len)))

    return change


def with_wrong_digest(case, transfers, transfer) -> None:
    send_part(case, transfers, transfer, 0)
    case.headers["Content-Digest"] = digest_of(b"")


def beyond_the_end(case, transfers, transfer) -> None:
    send_part(case, transfers, transfer, 2, b"")


def new(body_len: int, change=None):
    """The create request of a new transfer."""

    def situation(case, transfers) -> None:
        request = transfers.draft(body_len).request()
        if change:
            change(request, transfers)
        case.body = request

    return situation


def again(case, transfers) -> None:
    case.body = transfers.ready().request()


def in_conflict(case, transfers) -> None:
    case.body = {**transfers.ready().request(), "ttl_s": 60}


def changed(**members):
    return lambda request, _transfers: request.update(members)


def of_another_id(request, transfers) -> None:
    request["id"] = text(transfers.draw.randbytes(16))


def too_long(case, transfers, transfer=None) -> None:
    """More than any request of its call takes."""
    request = case.body if transfer else transfers.draft(LARGE_LEN).request()
    case.body = {**request, "link_verifier": "A" * 2**21}


# The first one of each call is one in which it succeeds.
SITUATIONS = {
    "create": [
        new(SMALL_LEN),
        new(LARGE_LEN),
        again,
        in_conflict,
        new(SMALL_LEN, of_another_id),
        new(SMALL_LEN, changed(body_len=SMALL_LEN + 1)),
        new(LARGE_LEN, changed(body_len=16 + 2**40 + 16 * 2**24)),
        new(SMALL_LEN, changed(ttl_s=2**40)),
        new(SMALL_LEN, changed(claims_max=10_000)),
        too_long,
    ],
    "write_part": [
        on("uploading", part(0)),
        on("begun", part(1)),
        on("begun", part(0)),
        on("begun", part(0, lambda octets: octets[::-1])),
        on("uploading", part(1, lambda octets: octets + b"x")),
        on("uploading", with_wrong_digest),
        on("uploading", beyond_the_end),
        on("uploading", as_another),
        on("large", part(0)),
        on("burnt", part(0)),
    ],
    "list_parts": [on("begun"), on("large"), on("begun", as_another), on("burnt")],
    "complete": [on("uploaded"), on("large"), on("begun"), on("uploaded", as_another), on("burnt")],
    "receipt": [
        *map(on, ["uploading", "ready", "locked", "claimed", "delivered", "burnt"]),
        on("ready", as_another),
    ],
    "unlock": [on("locked"), on("ready"), on("locked", as_another), on("burnt")],
    "burn": [on("ready"), on("large_claimed"), on("ready", as_another), on("burnt")],
    "peek": [
        on("ready"),
        on("ready", with_link_alone),
        on("ready", with_wrong_passphrase),
        *map(on, ["uploading", "claimed", "locked", "delivered", "burnt"]),
        on("ready", too_long),
    ],
    "claim": [
        *map(on, ["ready", "large", "claimed", "uploading", "locked", "delivered", "burnt"]),
        on("ready", with_wrong_passphrase),
        on("claimed", as_another),
        on("delivered", as_another),
        on("ready", too_long),
    ],
    "body": [
        on("claimed", whole),
        on("large_claimed", whole),
        on("large_claimed", with_range("bytes=65530-65540")),
        on("claimed", with_range("bytes=-1")),
        on("claimed", with_range("bytes=1056-")),
        on("claimed", as_another),
        on("delivered"),
        on("burnt"),
    ],
    "renew": [on("claimed"), on("claimed", as_another), on("delivered"), on("burnt")],
    "delivered": [on("claimed"), on("delivered"), on("claimed", as_another), on("burnt")],
}
