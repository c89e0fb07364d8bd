"""The model process of the queue-and-poll design (queue_poll_web.py). In each round it takes the waiting requests
from the list, up to a batch, answers them, and sleeps."""
from __future__ import annotations

import argparse
import base64
import json
import time

import redis

IMAGE_QUEUE = "image_queue"
KEPT_SECONDS = 60  # an answer whose client has gone


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--sampling", required=True)
    parser.add_argument("--redis-socket", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--graph", required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--sleep", type=float, required=True)
    options = parser.parse_args()

    import numpy

    from compare_designs.detector import Detector, answer
    from compare_designs.preparer import Picture

    detector = Detector(options.model, options.sampling, options.threads, options.graph)
    detector.warm_up(options.batch)
    store = redis.Redis(unix_socket_path=options.redis_socket)

    def picture_of(job: dict) -> Picture:
        body = base64.b64decode(job["image"])
        if "width" not in job:
            return detector.prepare(body)
        pixels = numpy.frombuffer(body, numpy.uint8).reshape(detector.height, detector.width, 3)
        return Picture(pixels, job["width"], job["height"])

    while True:
        # Both commands run as one step, so that several such processes can share a list.
        taken, _ = store.pipeline().lrange(IMAGE_QUEUE, 0, options.batch - 1).ltrim(
            IMAGE_QUEUE, options.batch, -1).execute()
        if taken:
            jobs = [json.loads(job) for job in taken]
            answers = store.pipeline(transaction=False)
            for job, detections in zip(jobs, detector.detect([picture_of(job) for job in jobs])):
                answers.set(job["id"], answer(detections), ex=KEPT_SECONDS)
            answers.execute()
        time.sleep(options.sleep)


if __name__ == "__main__":
    main()
