"""A connection to a Redis or Valkey server on which functions of ours are called, one call at a time.

A call is never sent twice unless the server says that it did not run: of one that gets no answer nobody knows whether
it has run. The library would send it up to eleven times.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import closing, suppress
from importlib.resources import files
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import redis
from redis.asyncio import Connection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as NoAnswerError
from redis.retry import Retry as SyncRetry

from mockserver.store.kinds import StoreError, StoreUnavailableError

T = TypeVar("T")
REDIS_CONNECT_SECONDS = 3.0
REDIS_ANSWER_SECONDS = 5.0
KEY_PREFIX = "{sms-mockserver}:"  # of all keys; what stands in braces has a cluster keep them together
KEYS = tuple(KEY_PREFIX + name for name in ("meta", "log", "calls", "ends", "rows", "versions", "boots"))
META, LOG, CALLS, ENDS, ROWS = KEYS[:5]
FUNCTION_PREFIX = "sms_mockserver_"


def functions_text() -> str:
    """The functions that the server is given."""
    return files("mockserver.store").joinpath("redis_functions.lua").read_text("utf-8")


def library_address(url: str) -> str:
    """An address as the library knows it."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.lower().replace('valkey', 'redis')}://{rest}"


def shown_address(url: str) -> str:
    """An address without a user and a password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


class RedisLink:
    """At most one connection, of the loop that uses it; it is made anew once it has failed."""

    def __init__(self, url: str) -> None:
        self.shown = shown_address(url)
        self._pool = _made_pool(library_address(url), REDIS_ANSWER_SECONDS)
        self._listening_pool = _made_pool(library_address(url), None)  # nobody knows when the next notice comes
        self._connection: Connection | None = None

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._connection is not None

    async def connect(self) -> None:
        """Connect. Raises StoreUnavailableError."""
        await self.close()
        self._connection = await self._connected(self._pool)

    async def _connected(self, pool: ConnectionPool) -> Connection:
        connection: Connection = pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            raise StoreUnavailableError(f"the store at {self.shown} cannot be reached: {error}") from error
        return connection

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await _closed(connection)

    async def boot(self) -> str:
        """The id that the process of the server has, another after each start. Raises StoreUnavailableError."""
        text: bytes = await self._asked(lambda connection: _answer(connection, "INFO", "server"))
        lines = dict(line.partition(":")[::2] for line in text.decode().splitlines())
        return lines.get("run_id", "")

    async def call(self, function: str, *args: Any) -> Any:
        """What a function of ours returns. Raises StoreUnavailableError."""
        command = ("FCALL", FUNCTION_PREFIX + function, len(KEYS), *KEYS, *args)

        async def called(connection: Connection) -> Any:
            try:
                return await _answer(connection, *command)
            except ResponseError as error:
                if "Function not found" not in str(error):
                    raise
            await _load_functions(connection)  # a new or emptied server
            return await _answer(connection, *command)

        return await self._asked(called)

    async def load_functions(self) -> None:
        """Give the server these functions in place of those of another version. Raises StoreUnavailableError."""
        await self._asked(_load_functions)

    async def together(self, *commands: tuple[Any, ...]) -> list[Any]:
        """The answers to commands that see the same state. Raises StoreUnavailableError."""

        async def answered(connection: Connection) -> list[Any]:
            for command in (("MULTI",), *commands):
                await _answer(connection, *command)
            answers: list[Any] = await _answer(connection, "EXEC")
            return answers

        return await self._asked(answered)

    async def _asked(self, ask: Callable[[Connection], Awaitable[T]]) -> T:
        connection = self._connection
        if connection is None:
            raise StoreUnavailableError(f"the store at {self.shown} cannot be reached")
        is_done = False
        try:
            answer = await ask(connection)
            is_done = True
        except ResponseError as error:
            raise StoreUnavailableError(f"the store at {self.shown} refuses to be used: {error}") from error
        except (NoConnectionError, NoAnswerError, OSError) as error:
            raise StoreUnavailableError(f"the store at {self.shown} gives no answer: {error}") from error
        finally:
            if not is_done:
                await self.close()
        return answer

    async def notices(self) -> AsyncGenerator[bytes, None]:
        """What servers tell each other, on a connection of its own. Raises StoreUnavailableError where that ends."""
        connection = await self._connected(self._listening_pool)
        try:
            await connection.send_command("SUBSCRIBE", LOG)
            while True:
                notice = await connection.read_response(disable_decoding=True)
                yield notice[2] if notice[0] == b"message" else b""
        except (RedisError, OSError) as error:
            raise StoreUnavailableError(f"the store at {self.shown} gives no answer: {error}") from error
        finally:
            await _closed(connection)


def _made_pool(url: str, answer_seconds: float | None) -> ConnectionPool:
    return ConnectionPool.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=REDIS_CONNECT_SECONDS,
        socket_timeout=answer_seconds,
        health_check_interval=0,
        protocol=2,
    )


def check_server(url: str) -> tuple[bytes, bytes] | None:
    """Look whether a server can be used. Raises StoreError, one line for a user.

    Returns the format and the settings of the store that it has; None where it has none.
    """
    shown = shown_address(url)
    try:
        client = redis.Redis.from_url(
            library_address(url),
            retry=SyncRetry(NoBackoff(), 0),
            socket_connect_timeout=REDIS_CONNECT_SECONDS,
            protocol=2,
        )
        with closing(client):
            client.function_list("sms_mockserver")
            form, settings = cast(list[bytes | None], client.hmget(META, ["format", "settings"]))
    except ResponseError as error:
        raise StoreError(f"{shown} cannot be used; Redis is needed from 7 on, or Valkey: {error}") from error
    except (RedisError, OSError, ValueError, TypeError) as error:
        raise StoreError(f"{shown} cannot be reached: {error}") from error
    return None if form is None or settings is None else (form, settings)


async def _load_functions(connection: Connection) -> None:
    await _answer(connection, "FUNCTION", "LOAD", "REPLACE", functions_text())


async def _answer(connection: Connection, *command: Any) -> Any:
    await connection.send_command(*command)
    return await connection.read_response(disable_decoding=True)


async def _closed(connection: Connection) -> None:
    with suppress(RedisError, OSError, RuntimeError):  # RuntimeError: its loop has ended
        await connection.disconnect(nowait=True)
