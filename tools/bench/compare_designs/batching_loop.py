"""An asyncio batching loop: threads decode the requests and queue them. The loop takes the first request, waits a
moment for more, and runs them as a batch in a separate thread."""
from __future__ import annotations

import argparse
import asyncio
import concurrent.futures

from aiohttp import web

from compare_designs.detector import Detector, Picture, answer

MAX_BODY_BYTES = 16 << 20


class Batcher:
    def __init__(self, detector: Detector, max_batch: int, max_wait: float):
        self.detector = detector
        self.max_batch = max_batch
        self.max_wait = max_wait
        self.queue: asyncio.Queue[tuple[Picture, asyncio.Future]] = asyncio.Queue()
        self.executor = concurrent.futures.ThreadPoolExecutor(1)

    async def ask(self, picture: Picture) -> list[dict]:
        future = asyncio.get_running_loop().create_future()
        await self.queue.put((picture, future))
        return await future

    async def collect(self) -> list[tuple[Picture, asyncio.Future]]:
        batch = [await self.queue.get()]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.max_wait
        while len(batch) < self.max_batch:
            if not self.queue.empty():
                batch.append(self.queue.get_nowait())
                continue
            left = deadline - loop.time()
            if left <= 0:
                break
            try:
                batch.append(await asyncio.wait_for(self.queue.get(), left))
            except asyncio.TimeoutError:
                break
        return batch

    async def run(self) -> None:
        while True:
            batch = await self.collect()
            try:
                found = await asyncio.get_running_loop().run_in_executor(
                    self.executor, self.detector.detect, [picture for picture, _ in batch])
            except Exception as failure:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(failure)
                continue
            for (_, future), detections in zip(batch, found):
                if not future.done():
                    future.set_result(detections)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--sampling", required=True)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--graph", required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--wait", type=float, required=True)
    parser.add_argument("--loops", type=int, required=True)
    options = parser.parse_args()

    detectors = [Detector(options.model, options.sampling, options.threads, options.graph)
                 for _ in range(options.loops)]
    for detector in detectors:
        detector.warm_up(options.batch)
    preparer = detectors[0].preparer

    async def start(app: web.Application) -> None:
        first = Batcher(detectors[0], options.batch, options.wait)
        app["batchers"] = [first]
        for detector in detectors[1:]:
            other = Batcher(detector, options.batch, options.wait)
            other.queue = first.queue
            app["batchers"].append(other)
        app["tasks"] = [asyncio.create_task(batcher.run()) for batcher in app["batchers"]]

    async def stop(app: web.Application) -> None:
        for task in app["tasks"]:
            task.cancel()

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        picture = await asyncio.get_running_loop().run_in_executor(None, preparer.prepare, body)
        detections = await request.app["batchers"][0].ask(picture)
        return web.Response(text=answer(detections), content_type="application/json")

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_post("/predict", handle)
    app.on_startup.append(start)
    app.on_cleanup.append(stop)
    web.run_app(app, path=options.socket, access_log=None, print=None)


if __name__ == "__main__":
    main()
