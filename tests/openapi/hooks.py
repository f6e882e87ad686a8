"""What schemathesis does not know by itself: how proofs, verifiers and ids hang together, and what a wrong token gets.

Every request that follows the document is put into one of the situations, in turn. One that breaks it stays broken where it
is, and is put right everywhere else, so that it is refused for nothing but its fault.
"""

import atexit
import json
import os
from collections import Counter
from pathlib import Path

import requests
import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

from situations import CLAIMANTS_CALLS, OWNERS_CALLS, SITUATIONS, call_of, go_on
from transfers import Transfers, text

transfers = Transfers(os.environ["ONETIMESHARE_URL"], seed=1)
turns: Counter = Counter()
reached: Counter = Counter()
guarded: set = set()


@schemathesis.hook
def before_load_schema(_context, raw_schema) -> None:
    """Lets sealed texts have any length: long ones are more than can be made up, and situations put in whole ones."""
    for name in ("Manifest", "Body"):
        schema = raw_schema["components"]["schemas"][name]
        del schema["minLength"]
        schema.pop("maxLength", None)


@schemathesis.hook
def before_call(_context, case, _kwargs) -> None:
    situations = SITUATIONS.get(call_of(case))
    if situations is None or case.meta is None or case.method != case.operation.method.upper():
        return
    if case.meta.generation.mode.is_negative:
        mend(case, situations[0])
        return
    known = transfers.known.get(case.path_parameters.get("id"))
    if known and case.meta.phase.name == TestPhase.STATEFUL:
        go_on(case, transfers, known)
        return
    turn = turns[call_of(case)]
    turns[call_of(case)] += 1
    situations[turn % len(situations)](case, transfers)


def mend(case, situation) -> None:
    """Puts everything right but what is meant to be wrong."""
    is_broken = case.meta.is_negative_at
    path, headers, body = dict(case.path_parameters), case.headers.copy(), case.body
    fault = case.meta.phase.data
    names = {fault.parameter, *(mutation.parameter for mutation in fault.mutations)}
    is_token_broken = any(str(name).lower() == "authorization" for name in names)
    situation(case, transfers)
    token = case.headers.get("Authorization")
    if is_broken(ParameterLocation.PATH):
        case.path_parameters = path
    if is_broken(ParameterLocation.BODY):
        case.body = body
    if is_broken(ParameterLocation.HEADER):
        case.headers = headers
        if token and not is_token_broken:
            case.headers["Authorization"] = token


@schemathesis.hook
def after_call(_context, case, response) -> None:
    if case.method != case.operation.method.upper():
        return
    is_refused = response.status_code >= 400 and case.method != "HEAD"
    code = response.json()["code"] if is_refused else ""
    reached[call_of(case), response.status_code, code] += 1


@schemathesis.check
def tokens_are_looked_at(_context, response, case) -> None:
    """A call that succeeded with its token is refused without one; with another one the transfer is unknown."""
    call = call_of(case)
    if not response.status_code < 300 or call in guarded or call not in OWNERS_CALLS | CLAIMANTS_CALLS:
        return
    expected = {None: (401, "request.unauthorized")}
    # Another token at claim is another claimant.
    if call != "claim":
        expected[text(transfers.draw.randbytes(32))] = (404, "transfer.unknown")
    for token, refusal in expected.items():
        request = response.request.copy()
        del request.headers["Authorization"]
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        answer = requests.Session().send(request)
        found = (answer.status_code, answer.ok or answer.json()["code"])
        if found != refusal:
            raise Failure(
                operation=case.operation.label,
                title="The token is not looked at",
                message=f"expected {refusal}, found {found}",
            )
    guarded.add(call)


@atexit.register
def keep_what_was_reached() -> None:
    rows = [[*key, count] for key, count in sorted(reached.items())]
    Path(os.environ["ONETIMESHARE_REACHED"]).write_text(json.dumps(rows))
