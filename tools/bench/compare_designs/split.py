"""Measures the parts of a request's time on an idle server: the forward pass, and everything else.

As a program it performs the steps of a Python server for a request, without the server, and prints the ms of each
step as JSON."""
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import time

from compare_designs.designs import PYTHON, BenchContext, python_environment
from compare_designs.measuring import Bench, Row
from compare_designs.processes import Server

REPETITIONS = 40
STEPS = ("decode", "infer", "post")


def in_python(context: BenchContext, row: Row) -> dict[str, float]:
    network, threads = context.network, row.settings["threads"]
    command = [PYTHON, "-m", "compare_designs.split", "--model", network.torchscript, "--sampling", network.sampling,
               "--threads", threads, "--graph", row.settings["graph"], "--photo", network.photo]
    return json.loads(subprocess.run([str(part) for part in command], check=True,
                                     env={**os.environ, **python_environment(threads)}, stdout=subprocess.PIPE).stdout)


def one_by_one(bench: Bench, server: Server) -> tuple[float, dict[str, float]]:
    """Returns the milliseconds of an answer, and of its steps if the server reports them."""
    totals: list[float] = []
    steps: dict[str, list[float]] = {step: [] for step in STEPS}
    for _ in range(REPETITIONS):
        began = time.perf_counter()
        said = json.loads(server.post(bench.photo)[1])
        totals.append((time.perf_counter() - began) * 1000)
        for step in STEPS:
            steps[step].append(said.get("timing_ms", {}).get(step, 0.0))
    return statistics.median(totals), {step: statistics.median(values) for step, values in steps.items()}


def table(bench: Bench, rows: list[Row]) -> str:
    lines = ["| server, asked once at a time | ms | forward pass | decode, resize | detections | everything else |",
             "|---|---|---|---|---|---|"]
    for row in rows:
        total, steps = bench.with_server(row.design, row.settings, lambda server: one_by_one(bench, server))
        if not row.design.ours:
            steps = in_python(bench.context, row)
        cells = [total, steps["infer"], steps["decode"], steps["post"], total - sum(steps.values())]
        lines.append(f"| {row.name} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |")
    return "\n".join(lines)


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
    times: dict[str, list[float]] = {step: [] for step in STEPS}
    for _ in range(REPETITIONS):
        moments = [time.perf_counter()]
        picture = detector.prepare(jpeg)
        moments.append(time.perf_counter())
        heads = detector.forward([picture])
        moments.append(time.perf_counter())
        answer(detector.detections(heads[0], picture))
        moments.append(time.perf_counter())
        for step, start, end in zip(STEPS, moments, moments[1:]):
            times[step].append((end - start) * 1000)
    print(json.dumps({step: statistics.median(values) for step, values in times.items()}))


if __name__ == "__main__":
    main()
