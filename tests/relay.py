"""A network between a client and a server on loopback that stalls, delays or cuts what goes through it."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any


class Relay:
    """Passes on what it gets, in both directions, unless it is told otherwise.

    Attributes:
        port: where it listens.
        delay: seconds that everything takes to pass.
    """

    def __init__(self, port: int) -> None:
        """Listen, for a server at this port."""
        self.delay = 0.0
        self._upstream = port
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay")
        self._thread.start()
        self.port: int = self._do(self._listen())

    def stall(self) -> None:
        """Pass nothing on from now on, and keep every connection."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def flow(self) -> None:
        """Pass everything on again, also what came meanwhile."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def cut(self) -> None:
        """Break every connection, with a reset; later ones are made as ever."""
        self._do(self._cut())

    def close(self) -> None:
        """Cut, and listen no longer."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> int:
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            its_reader, its_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.transport.abort()
            return
        writers = (writer, its_writer)
        for source, target in ((reader, its_writer), (its_reader, writer)):
            task = self._loop.create_task(self._pass_on(source, target, writers))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _pass_on(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, both: tuple[asyncio.StreamWriter, ...]
    ) -> None:
        try:
            with suppress(OSError):
                while data := await source.read(1 << 16):
                    await asyncio.sleep(self.delay)
                    await self._flowing.wait()
                    target.write(data)
                    await target.drain()
        finally:
            for writer in both:
                reset = writer.get_extra_info("socket")
                with suppress(OSError):
                    reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                writer.transport.abort()

    async def _cut(self) -> None:
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _close(self) -> None:
        self._server.close()
        await self._cut()
        await self._server.wait_closed()
