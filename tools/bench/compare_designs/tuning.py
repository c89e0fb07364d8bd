"""Finds the settings with which a design has the highest throughput: it tries all values of one setting, then of the
next setting. It repeats this until no setting changes, but at most `passes` times."""
from __future__ import annotations

from typing import Callable

from compare_designs.designs import Design, Settings
from compare_designs.load import Result

# If the lower of two throughputs is more than this fraction of the higher, the result with the lower p99 is better.
CLOSE = 0.97


def with_value(settings: Settings, keys: str, value) -> Settings:
    names = keys.split("+")
    return {**settings, **dict(zip(names, value if len(names) > 1 else (value,)))}


def better(a: Result, b: Result) -> bool:
    if a.failed != b.failed:
        return a.failed < b.failed
    if min(a.throughput, b.throughput) > CLOSE * max(a.throughput, b.throughput):
        return a.p99 < b.p99
    return a.throughput > b.throughput


def tune(design: Design, cores: int, passes: int, measure: Callable[[Settings], Result],
         say: Callable[[str], None]) -> Settings:
    tried: dict[str, Result] = {}

    def result_of(settings: Settings) -> Result:
        key = str(sorted(settings.items()))
        if key not in tried:
            tried[key] = measure(settings)
            say(f"  {tried[key].throughput:7.1f}/s  p99 {tried[key].p99:6.0f} ms, cores used by other processes "
                f"{tried[key].others:.0%}, by other guests of the host {tried[key].stolen:.0%}  {settings}")
        return tried[key]

    candidates = [design.defaults(cores), {**design.defaults(cores), **design.start_of_tuning}]
    best = candidates[0]
    for other in candidates[1:]:
        if better(result_of(other), result_of(best)):
            best = other
    for _ in range(passes):
        before = best
        for keys, values in design.choices.items():
            for value in values:
                other = with_value(best, keys, value)
                if better(result_of(other), result_of(best)):
                    best = other
        if best == before:
            break
    return best
