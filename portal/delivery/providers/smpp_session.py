"""How is a bind to an SMSC kept? By one thread with an event loop, which binds again whenever it is lost.

It is not aiosmpplib's own client, whose queue would send an SMS minutes after its sender gave up on it: here
whatever was not written when its time is over never is (DEL-05).
"""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from portal.delivery.providers.smpp_link import Link, Lost, NotBound, Where
from portal.delivery.providers.smpp_pdus import Pdu

_Result = TypeVar("_Result")
# Waits (s) between tries to bind; whoever wants to send cuts them short.
_RESTS: Final = (0.5, 1, 2, 4, 8, 15)
_ENDING: Final = 5.0


class Session:
    """A transceiver bind that is kept, from its making until it is closed."""

    def __init__(self, where: Where, receive: Callable[[Pdu], Awaitable[bool]]) -> None:
        """`receive` is told every deliver_sm, in the loop; see Link."""
        self._where, self._receive = where, receive
        self._loop = asyncio.new_event_loop()
        self._link: Link | None = None
        self._refused, self._tries = NotBound(words="no connection"), 0
        self._hurry, self._stop = asyncio.Event(), asyncio.Event()
        self._news = asyncio.Condition()
        self._thread = threading.Thread(target=self._run, name="smpp", daemon=True)
        self._thread.start()

    def wait(self, work: Coroutine[Any, Any, _Result], seconds: float) -> _Result:
        """What `work` in the loop gives, called from another thread. Raises what it raises, and Lost."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)
        except (TimeoutError, concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            raise Lost from None
        except RuntimeError:
            # The loop was closed a moment ago, so nothing was written.
            work.close()
            raise NotBound(words="no connection") from None

    async def link(self, until: float) -> Link:
        """The bound connection; waits until the loop's time `until`, or for one more try. Raises NotBound."""
        tries = self._tries
        self._hurry.set()
        async with self._news:
            while self._link is None:
                if self._tries > tries:
                    raise self._refused
                try:
                    async with asyncio.timeout_at(until):
                        await self._news.wait()
                except TimeoutError:
                    raise NotBound(words="no bind in time") from None
            return self._link

    def close(self) -> None:
        """Unbinds and ends the thread; what is on its way is lost."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_ENDING)

    # --- In the thread -------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._keep_until_stopped())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _keep_until_stopped(self) -> None:
        keeping = asyncio.create_task(self._keep())
        await self._stop.wait()
        if self._link is not None:
            await self._link.unbind()
        keeping.cancel()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _keep(self) -> None:
        failures = 0
        while True:
            try:
                link = await Link.open(self._where, self._receive)
            except NotBound as refused:
                self._refused = refused
                await self._tell(None)
                await self._rest(_RESTS[min(failures, len(_RESTS) - 1)])
                failures += 1
                continue
            failures = 0
            await self._tell(link)
            await link.serve()
            self._link = None
            await self._rest(_RESTS[0])

    async def _rest(self, seconds: float) -> None:
        # Whoever waited for the try that has just ended was told, and shall not cause the next one.
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), seconds)

    async def _tell(self, link: Link | None) -> None:
        async with self._news:
            self._link = link
            self._tries += 1
            self._news.notify_all()
