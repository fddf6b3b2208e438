"""What the async side gives: something to await, which knows where it was made and whether it was awaited."""

import warnings
from asyncio import get_running_loop
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from mockserver.testing.caller import caller, context_for_thread
from mockserver.testing.calls import Unawaited

T = TypeVar("T")


class Pending(Coroutine[Any, Any, T]):
    """Something to be awaited once; the server is asked in a thread, and the event loop goes on meanwhile.

    It is a coroutine: ``asyncio.run``, ``create_task`` and ``gather`` take it. What was never awaited fails the test
    that made it, and its file and line are named.
    """

    _work: Coroutine[Any, Any, T] | None = None
    _is_dropped = False

    def __init__(self, name: str, ask: Callable[[], T], unawaited: Unawaited | None = None) -> None:
        """``name`` is what the test wrote; ``ask`` is called in a thread."""
        self._name = self.__name__ = self.__qualname__ = name  # a task shows them
        self._ask = ask
        self._unawaited = Unawaited() if unawaited is None else unawaited
        self._place = caller()
        self._line = f"{self._place}: {name} was never awaited"
        self._number = self._unawaited.add(self._line)

    def __await__(self) -> Generator[Any, None, T]:
        return self._begun().__await__()

    def send(self, value: Any, /) -> Any:
        return self._begun().send(value)

    def throw(self, *error: Any) -> Any:
        if self._work is None:  # cancelled before it began: it was not awaited
            self._is_dropped = True
            return self._asked().throw(*error)
        return self._work.throw(*error)

    def close(self) -> None:
        """Give it up: whoever closes it does not mean to await it."""
        if self._work is None:
            self._is_dropped = True
            self._unawaited.remove(self._number)
        else:
            self._work.close()

    def _begun(self) -> Coroutine[Any, Any, T]:
        if self._work is None:
            self._unawaited.remove(self._number)
            self._work = self._asked()
        return self._work

    async def _asked(self) -> T:
        __tracebackhide__ = True
        try:
            return await get_running_loop().run_in_executor(None, context_for_thread(self._place).run, self._ask)
        except AssertionError as error:  # a failure is shown at the line that awaits it, not in a thread's code
            raise error.with_traceback(None) from None

    def __del__(self) -> None:
        if self._work is None and not self._is_dropped and not self._unawaited.is_watched:
            warnings.warn(self._line, RuntimeWarning, stacklevel=2, source=self)

    if not TYPE_CHECKING:  # so that type checkers tell these mistakes, too

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("__") or "_unawaited" not in self.__dict__:
                raise AttributeError(name)
            raise AttributeError(f"{self._name} is to be awaited first: await it, then take its {name!r}")

        def _refuse(self, *_operands: object) -> NoReturn:
            __tracebackhide__ = True
            raise TypeError(f"{self._name} is not here yet: await it, as in `(await {self._name})`")

        __getitem__ = __iter__ = __len__ = __contains__ = __bool__ = _refuse

    def __dir__(self) -> list[str]:
        return ["close"]  # the rest is what makes it a coroutine

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name}>"


E = TypeVar("E", bound=AbstractAsyncContextManager[Any])


class Opening(Pending[E]):
    """Something to open: ``await`` it to keep it open, or use ``async with``, which closes it at the end."""

    _opened: E | None = None

    async def __aenter__(self) -> E:
        self._opened = await self
        return self._opened

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            await self._opened.__aexit__(kind, error, trace)

    if not TYPE_CHECKING:

        def __enter__(self) -> NoReturn:
            self.close()
            raise TypeError(f"{self._name} would block the event loop in a plain `with`; use `async with`")

        def __exit__(self, *_error: object) -> None:
            """Nothing was entered."""
