"""A call as the journal keeps it: a few plain values to look for it by, and all the rest in one bytes.

A flat tuple of plain values is not tracked by the garbage collector, so a journal of a million records makes no
pauses (with a container in each: 100 to 600 ms); packed, a record takes its raw bytes and some 450 more.
"""

import struct
from typing import Any

from mockserver.exchange.call import Call

Record = tuple[Any, ...]

NUMBER, VENDOR, OPERATION, ANSWER, ACCEPTED, RECIPIENT, OUTCOME = 0, 2, 3, 4, 6, 8, 12
OVERHEAD = 450  # bytes of a record beside its packed part
_LENGTHS = struct.Struct("<6I")
_CUT = "\x1f"  # stands in no method and no JSON text; the path, where anything may stand, is last


def pack(number: int, call: Call) -> Record:
    """A call under its number in the journal; whose it is, is where it stands."""
    texts = (call.method, call.reads, call.fault, call.path_params, call.problems, call.notes, call.path)
    head = _CUT.join(texts).encode("utf-8", "surrogatepass")
    parts = (head, call.query, call.headers, call.body, call.response_headers, call.response_body)
    return (
        number,
        call.id,
        call.vendor,
        call.operation,
        call.answer,
        call.evidence,
        call.accepted,
        call.chosen_by,
        call.recipient,
        call.status,
        call.received_at,
        call.duration_ms,
        call.outcome,
        b"".join((_LENGTHS.pack(*map(len, parts)), *parts)),
    )


def unpack(account: str, record: Record) -> Call:
    """The call that was packed."""
    (
        _,
        call_id,
        vendor,
        operation,
        answer,
        evidence,
        accepted,
        chosen_by,
        recipient,
        status,
        at,
        took,
        outcome,
        packed,
    ) = record
    parts, start = [], _LENGTHS.size
    for length in _LENGTHS.unpack_from(packed):
        parts.append(packed[start : start + length])
        start += length
    head, query, headers, body, response_headers, response_body = parts
    method, reads, fault, params, problems, notes, path = head.decode("utf-8", "surrogatepass").split(_CUT, 6)
    return Call(
        id=call_id,
        account=account,
        vendor=vendor,
        operation=operation,
        answer=answer,
        evidence=evidence,
        accepted=accepted,
        chosen_by=chosen_by,
        recipient=recipient,
        problems=problems,
        method=method,
        path=path,
        path_params=params,
        query=query,
        headers=headers,
        reads=reads,
        body=body,
        status=status,
        response_headers=response_headers,
        response_body=response_body,
        fault=fault,
        outcome=outcome,
        received_at=at,
        duration_ms=took,
        notes=notes,
    )


def completed(record: Record, outcome: str, duration_ms: float) -> Record:
    """The record with how sending ended."""
    return (*record[:11], duration_ms, outcome, record[13])


def weigh(record: Record) -> int:
    """Bytes that a record takes."""
    return OVERHEAD + len(record[13])
