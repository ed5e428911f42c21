"""The service: what is there for all requests, and what is made for each."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from aiohttp import ClientError
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from aiocells import Graph, Results, async_compute_concurrent, hold
from storefront import cells

logger = logging.getLogger(__name__)

GRAPH = Graph.from_module(cells)
# How much each backend takes at once, from all of our requests together.
AT_ONCE = {
    "customers": 8,
    "offers": 10,
    "orders": 6,
    "parcels": 6,
    "points": 8,
    "recommendations": 4,
    "taste": 4,
    "vouchers": 2,
}


def create_app(backends: str, graph: Graph = GRAPH) -> FastAPI:
    """Make the service.

    Args:
        backends: their address.
        graph: what to compute; tests give one in which functions were replaced.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        kept = [cells.api_key, cells.client]
        inputs = {"backends": backends}
        async with hold(graph, kept, inputs=inputs, threads=4) as held:
            app.state.options = {
                "overrides": held,
                "executors": held.executors,
                "limits": {name: asyncio.Semaphore(n) for name, n in AT_ONCE.items()},
            }
            yield

    async def computed(number: int, request: Request) -> Results:
        async with asyncio.timeout(10):
            return await async_compute_concurrent(
                graph,
                targets=[cells.page],
                inputs={"number": number},
                **request.app.state.options,
            )

    app = FastAPI(lifespan=lifespan)

    @app.get("/pages/{number}")
    async def show(results: Annotated[Results, Depends(computed)]) -> dict[str, Any]:
        for cell, error in results.fallbacks.items():
            # Not its repr, in which aiohttp shows the key.
            logger.warning("a page without %s: %s", cell.__name__, error)
        without = [cell.__name__ for cell in results.fallbacks]
        return results[cells.page] | {"without": without}

    app.add_exception_handler(cells.UnknownCustomer, unknown_customer)
    for kind in (ClientError, TimeoutError):
        app.add_exception_handler(kind, backend_failed)
    return app


async def unknown_customer(request: Request, error: Exception) -> JSONResponse:
    """Say to the client what is wrong with its request."""
    return JSONResponse({"detail": str(error)}, status_code=404)


async def backend_failed(request: Request, error: Exception) -> JSONResponse:
    """Say nothing of our backends to the client, and all of it to the log."""
    logger.error("no page for %s", request.url.path, exc_info=error)
    return JSONResponse({"detail": "try again in a moment"}, status_code=503)
