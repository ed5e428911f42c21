"""Stands in for a model behind HTTP: a real local server, in a process of its own.

python examples/reviews/model.py
"""

import argparse
import asyncio
import re
import signal
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web

MOST_AT_ONCE = 64
GOOD = "good great best easy excellent perfect happy love nice recommend works fine"
BAD = "bad poor worst problem problems return returned broken waste hard slow"
WORDS = dict.fromkeys(GOOD.split(), 1) | dict.fromkeys(BAD.split(), -1)


class Model:
    """Rates texts by their words.

    Args:
        pace: how slow it is; 1 for 10 milliseconds a text, on average.
    """

    def __init__(self, pace: float) -> None:
        """Nobody has asked yet."""
        self.pace = pace
        self.running = 0
        self.asked: Counter[bytes] = Counter()
        self.answered = 0

    async def stars(self, request: web.Request) -> web.Response:
        """Rate a text; of some it says no, and of others only the first time."""
        if self.running >= MOST_AT_ONCE:
            return web.Response(status=429)
        self.running += 1
        try:
            text = await request.read()
            luck = zlib.crc32(text)
            self.asked[text] += 1
            await asyncio.sleep(luck % 21 * 0.001 * self.pace)
        finally:
            self.running -= 1
        if luck % 20 == 0 and self.asked[text] == 1:
            return web.Response(status=503)
        if luck % 400 == 7:
            return web.Response(status=422, text="nobody can say")
        self.answered += 1
        found = sum(WORDS.get(word, 0) for word in re.findall(r"\w+", text.decode()))
        return web.Response(text=str(min(5, max(1, 3 + found))))

    async def count(self, request: web.Request) -> web.Response:
        """How many texts it has rated."""
        return web.Response(text=str(self.answered))


async def serve(pace: float) -> None:
    """Serve until the process is told to end, and say where once it can be asked."""
    model = Model(pace)
    app = web.Application()
    app.add_routes([web.post("/stars", model.stars), web.get("/count", model.count)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    [(host, port)] = [address[:2] for address in runner.addresses]
    print(f"http://{host}:{port}", flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await runner.cleanup()


@contextmanager
def served(pace: float = 1) -> Iterator[str]:
    """Start it in a process of its own; gives its address."""
    command = [sys.executable, str(Path(__file__)), "--pace", str(pace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pace", type=float, default=1, help="0 for at once")
    asyncio.run(serve(parser.parse_args().pace))
