"""Where the time of one request goes when nothing waits: the forward pass, and everything else. As a program, what Python
does, in one process: prints ms of each step."""
from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time

REPETITIONS = 30


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--sampling", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--graph", required=True)
    parser.add_argument("--photo", required=True)
    options = parser.parse_args()

    from compare_designs.detector import Detector, answer

    detector = Detector(options.model, options.sampling, options.threads, options.graph)
    detector.warm_up()
    with open(options.photo, "rb") as file:
        jpeg = file.read()
    times: dict[str, list[float]] = {"decode": [], "infer": [], "post": []}
    for _ in range(REPETITIONS):
        moments = [time.perf_counter()]
        picture = detector.prepare(jpeg)
        moments.append(time.perf_counter())
        heads = detector.forward([picture])
        moments.append(time.perf_counter())
        answer(detector.detections(heads[0], picture))
        moments.append(time.perf_counter())
        for name, start, end in zip(times, moments, moments[1:]):
            times[name].append((end - start) * 1000)
    print(json.dumps({name: statistics.median(values) for name, values in times.items()}))


if __name__ == "__main__":
    main()
