"""Load on a server by `yolodctl bench server`, what came of it, and whether something else was at work meanwhile."""
from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import resource
import statistics

import common
from compare_designs.processes import Server

# In an open loop each request wants a connection when its time has come.
OPEN_LOOP_CONNECTIONS = 128


@dataclasses.dataclass(frozen=True)
class Result:
    throughput: float  # answers of 200, a second
    p50: float  # ms
    p99: float
    failed: int  # other answers, connections that failed, and requests for which no connection was free
    used: float  # of the cores, by the server and the load, 0 to 1
    others: float  # by everything else, other guests of the machine's host included


def core_seconds(cores: set[int]) -> tuple[float, float]:
    """That these were busy or taken away by the host, and all."""
    busy = total = 0
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name[:3] == "cpu" and name[3:] and int(name[3:]) in cores:
            ticks = [int(field) for field in fields[:8]]
            total += sum(ticks)
            busy += sum(ticks) - ticks[3] - ticks[4]  # idle and waiting
    return busy / os.sysconf("SC_CLK_TCK"), total / os.sysconf("SC_CLK_TCK")


def own_seconds(server: Server) -> float:
    """Of the server, of the load, which is a child that has ended, and of this program."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return server.processor_seconds() + sum(one.ru_utime + one.ru_stime for one in used)


def post(options: argparse.Namespace, server: Server, photo: pathlib.Path, seconds: float, connections: int,
         rate: float | None = None) -> Result:
    cores = os.sched_getaffinity(0)
    busy, total = core_seconds(cores)
    own = own_seconds(server)
    said = common.load(options, f"unix:{server.socket}", photo, seconds, OPEN_LOOP_CONNECTIONS if rate else connections,
                       rate=rate, errors_allowed=True)
    own = own_seconds(server) - own
    busy_after, total_after = core_seconds(cores)
    total = total_after - total
    return Result(said["throughput_per_s"], said["latency_ms"]["p50"], said["latency_ms"]["p99"],
                  sum(said["errors"].values()) + said.get("not_sent", 0), own / total,
                  max(0.0, (busy_after - busy - own) / total))


def median(results: list[Result]) -> Result:
    return Result(*(statistics.median(getattr(result, field.name) for result in results)
                    for field in dataclasses.fields(Result)))
