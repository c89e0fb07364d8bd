"""Puts load on a server by `yolodctl bench server`, and measures the results and the other load on the machine."""
from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import statistics

import common
from compare_designs.processes import Server, session_seconds

# In an open loop each request needs a connection when it is due.
OPEN_LOOP_CONNECTIONS = 128


@dataclasses.dataclass(frozen=True)
class Result:
    throughput: float  # answers of 200, a second
    p50: float  # ms
    p99: float
    failed: int  # other answers, connections that failed, and requests for which no connection was free
    processor_ms: float  # that an answer took of the processors, of server and load together
    others: float  # part of the cores that everything else on this machine used, 0 to 1
    stolen: float  # by other guests of its host


def core_seconds(cores: set[int]) -> tuple[float, float, float]:
    """Returns the ticks in which these processes ran, those that the host took away, and all ticks."""
    busy = stolen = total = 0
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name[:3] == "cpu" and name[3:] and int(name[3:]) in cores:
            user, nice, system, idle, waiting, interrupts, soft_interrupts, steal = map(int, fields[:8])
            busy += user + nice + system + interrupts + soft_interrupts
            stolen += steal
            total += sum(map(int, fields[:8]))
    tick = os.sysconf("SC_CLK_TCK")
    return busy / tick, stolen / tick, total / tick


def post(options: argparse.Namespace, server: Server, photo: pathlib.Path, seconds: float, connections: int,
         rate: float | None = None) -> Result:
    cores = os.sched_getaffinity(0)
    before, own = core_seconds(cores), session_seconds()
    said = common.load(options, f"unix:{server.socket}", photo, seconds, OPEN_LOOP_CONNECTIONS if rate else connections,
                       rate=rate, errors_allowed=True)
    own = session_seconds() - own
    busy, stolen, total = (b - a for a, b in zip(before, core_seconds(cores)))
    return Result(said["throughput_per_s"], said["latency_ms"]["p50"], said["latency_ms"]["p99"],
                  sum(said["errors"].values()) + said.get("not_sent", 0),
                  1000 * own / max(1, said["succeeded"]), max(0.0, busy - own) / total, stolen / total)


def median(results: list[Result]) -> Result:
    return Result(*(statistics.median(getattr(result, field.name) for result in results)
                    for field in dataclasses.fields(Result)))
