"""aiohttp in front of a pool of processes: it sends the body to a process with the model, and receives the answer."""
from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import multiprocessing

from aiohttp import web

MAX_BODY_BYTES = 16 << 20

detector = None  # of this process of the pool


def load(model: str, sampling: str, threads: int, graph: str) -> None:
    global detector
    from compare_designs.detector import Detector

    detector = Detector(model, sampling, threads, graph)
    detector.warm_up()


def predict(jpeg: bytes) -> str:
    from compare_designs.detector import answer

    return answer(detector.detect([detector.prepare(jpeg)])[0])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--sampling", required=True)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--graph", required=True)
    options = parser.parse_args()

    pool = concurrent.futures.ProcessPoolExecutor(
        options.processes, mp_context=multiprocessing.get_context("spawn"), initializer=load,
        initargs=(options.model, options.sampling, options.threads, options.graph))

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        text = await asyncio.get_running_loop().run_in_executor(pool, predict, body)
        return web.Response(text=text, content_type="application/json")

    async def close(_: web.Application) -> None:
        pool.shutdown(wait=False, cancel_futures=True)

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_post("/predict", handle)
    app.on_cleanup.append(close)
    web.run_app(app, path=options.socket, access_log=None, print=None)


if __name__ == "__main__":
    main()
