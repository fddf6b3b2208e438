"""Sockets that a forked child must not keep open: a client of ours would wait for the child's copy to close as well."""

import contextlib
import os
import stat
from functools import cache
from typing import Any

_held: set[int] = set()  # descriptors of this process's servers


def hold(sock: Any) -> int:
    """Have no child of a fork keep a socket; returns its descriptor, -1 where there is none."""
    descriptor: int = sock.fileno() if sock is not None else -1
    if descriptor >= 0 and hasattr(os, "register_at_fork"):
        _watch_forks()
        _held.add(descriptor)
    return descriptor


def release(descriptor: int) -> None:
    """The socket is closed, or about to be."""
    _held.discard(descriptor)


def held() -> frozenset[int]:
    """The descriptors that no child keeps."""
    return frozenset(_held)


@cache
def _watch_forks() -> None:
    """Once in a process, since a hook cannot be taken back."""
    os.register_at_fork(after_in_child=_let_go)


def _let_go() -> None:
    """In the child: lay ``/dev/null`` over each, so that whatever object has the descriptor can still close it."""
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptor in _held:
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):  # a number may have been given to another file meanwhile
                os.dup2(nothing, descriptor, inheritable=False)
    os.close(nothing)
    _held.clear()
