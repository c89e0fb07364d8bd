"""Measures the servers of one network in rounds, one server after the other."""
from __future__ import annotations

import dataclasses
import json
import random
import time
from typing import Callable

from compare_designs import agreement
from compare_designs.designs import Design, Settings, BenchContext
from compare_designs.load import Result, median, post
from compare_designs.processes import Server

WARM_UP_SECONDS = 1.5
# The open loop offers a server at most this part of its maximum throughput.
BEARABLE = 0.9


@dataclasses.dataclass
class Row:
    """A server with its settings and its measurements."""
    design: Design
    kind: str  # "as written" or "tuned"
    settings: Settings
    capacity: Result | None = None
    at_loads: dict[float, Result] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.design.name}, {self.design.precision}, {self.kind}"

    def bears(self, load: float) -> bool:
        return load <= BEARABLE * self.capacity.throughput


@dataclasses.dataclass(frozen=True)
class Effort:
    rounds: int
    seconds: float
    connections: int
    tuning_seconds: float
    attempts: int
    disturbance: float  # by others, of the cores, 0 to 1, from which a measurement is tried again


class Bench:
    def __init__(self, context: BenchContext, effort: Effort, say: Callable[[str], None]):
        self.context, self.effort, self.say = context, effort, say
        self.photo = context.network.photo.read_bytes()

    def with_server(self, design: Design, settings: Settings, use: Callable[[Server], object]):
        with Server() as server:
            design.start(server, self.context, settings)
            server.wait_until(lambda: server.answers(self.photo), design.name)
            return use(server)

    def load(self, server: Server, seconds: float, rate: float | None = None) -> Result:
        """Repeats a measurement if other programs used too much of the cores, and keeps the least disturbed one."""
        results = []
        for _ in range(self.effort.attempts):
            results.append(post(self.context.options, server, self.context.network.photo, seconds, self.effort.connections,
                                rate))
            if results[-1].others <= self.effort.disturbance:
                break
        return min(results, key=lambda result: result.others)

    def closed_loop(self, server: Server, seconds: float) -> Result:
        self.load(server, WARM_UP_SECONDS)
        return self.load(server, seconds)

    def try_settings(self, design: Design, settings: Settings) -> Result:
        return self.with_server(design, settings, lambda s: self.closed_loop(s, self.effort.tuning_seconds))

    def detections(self, row: Row) -> list[dict]:
        return self.with_server(row.design, row.settings, lambda s: json.loads(s.post(self.photo)[1]))["predictions"]

    def check_agreement(self, rows: list[Row]) -> None:
        """Checks that all servers find the same objects; another precision is checked only with a trained network."""
        wanted = self.detections(rows[0])
        self.say(f"{rows[0].name} finds {len(wanted)}, such as {wanted[0]['label']} ({wanted[0]['confidence']:.3f})")
        for row in rows[1:]:
            if row.design.precision != rows[0].design.precision and not self.context.network.trained:
                self.say(f"{row.name}: not compared, because its precision differs and the network is untrained")
                continue
            found = self.detections(row)
            lost = agreement.differences(wanted, found)
            if lost:
                raise SystemExit(f"{row.name} does not find the same as {rows[0].name}: {lost}\n{found}\n{wanted}")
            self.say(f"{row.name}: the same")

    def in_turn(self, rows: list[Row], what: str, measure: Callable[[Row, Server], None]) -> None:
        began = time.monotonic()
        order = list(rows)
        for number in range(self.effort.rounds):
            random.shuffle(order)
            for index, row in enumerate(order):
                self.with_server(row.design, row.settings, lambda server: measure(row, server))
                done = number * len(order) + index + 1
                left = (time.monotonic() - began) / done * (self.effort.rounds * len(order) - done)
                self.say(f"  {what}, round {number + 1} of {self.effort.rounds}, {row.name}; {left / 60:.1f} min left")

    def capacities(self, rows: list[Row]) -> None:
        results: dict[str, list[Result]] = {row.name: [] for row in rows}

        def measure(row: Row, server: Server) -> None:
            results[row.name].append(self.closed_loop(server, self.effort.seconds))

        self.in_turn(rows, "at most", measure)
        for row in rows:
            row.capacity = median(results[row.name])

    def at_loads(self, rows: list[Row], loads: list[float]) -> None:
        results: dict[tuple[str, float], list[Result]] = {}

        def measure(row: Row, server: Server) -> None:
            self.load(server, WARM_UP_SECONDS)
            for load in loads:
                if row.bears(load):
                    result = self.load(server, self.effort.seconds, load)
                    results.setdefault((row.name, load), []).append(result)

        self.in_turn([row for row in rows if row.bears(min(loads))], "at loads", measure)
        for row in rows:
            for load in loads:
                if row.bears(load):
                    row.at_loads[load] = median(results[row.name, load])
