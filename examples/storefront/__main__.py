"""Serve the page and its backends, until Ctrl-C."""

import argparse
import asyncio
import contextlib
import logging
import socket
import sys
from pathlib import Path

import uvicorn

if not __package__:
    # `python examples/storefront` puts this folder on the path: the package is above.
    sys.path.insert(0, str(Path(__file__).parents[1]))

from storefront.app import create_app
from storefront.backends import Backends


class Announced(uvicorn.Server):
    """A server that says where it is once it can be asked."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Print the address, as a command that asks for a page."""
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        print(f"Serving. Try: curl http://{host}:{port}/pages/7", flush=True)


async def serve(port: int) -> None:
    """Serve until a signal ends it."""
    async with Backends() as backends:
        app = create_app(backends.address)
        config = uvicorn.Config(app, port=port, log_level="warning")
        await Announced(config).serve()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--port", type=int, default=8000, help="0 takes one that is free"
    )
    logging.basicConfig()
    # uvicorn has closed everything by then, and passes the signal on.
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args().port))
