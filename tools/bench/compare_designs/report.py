"""Prints the tables and draws the plot."""
from __future__ import annotations

import pathlib

from compare_designs.load import Result
from compare_designs.measuring import Row


def ms(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def table(rows: list[Row], loads: list[float]) -> str:
    heads = ["server", "at most, req/s", "processor ms a request"] + [f"p50 / p99 at {load:.1f}/s, ms" for load in loads]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        cells = [row.name, f"{row.capacity.throughput:.1f}", ms(row.capacity.processor_ms)]
        for load in loads:
            result = row.at_loads.get(load)
            cells.append("" if result is None else cell(result))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cell(result: Result) -> str:
    failed = f", {result.failed:.0f} failed" if result.failed else ""
    return f"{ms(result.p50)} / {ms(result.p99)}{failed}"


def verdict(ours: Row, others: list[Row], loads: list[float]) -> str:
    """Compares yolod with the best other server: the throughput, and the latency at each load that both handle."""
    best = max(others, key=lambda row: row.capacity.throughput)
    lines = [f"{ours.name}: {ours.capacity.throughput / best.capacity.throughput:.2f} times the throughput of the "
             f"best other, {best.name}"]
    for load in loads:
        able = [row for row in others if load in row.at_loads]
        if load not in ours.at_loads or not able:
            continue
        best = min(able, key=lambda row: row.at_loads[load].p99)
        mine, theirs = ours.at_loads[load], best.at_loads[load]
        lines.append(f"  at {load:.1f}/s p99 {ms(mine.p99)} ms, {mine.p99 / theirs.p99:.2f} of the best other's "
                     f"{ms(theirs.p99)}, {best.name}; p50 {mine.p50 / theirs.p50:.2f} of it")
    return "\n".join(lines)


def plot(rows: list[Row], title: str, path: pathlib.Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.fonttype"] = "none"
    matplotlib.rcParams["svg.hashsalt"] = "compare"
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 6.5))
    longest = 1.1 * max(row.capacity.throughput for row in rows)
    colours = pyplot.get_cmap("tab10").colors
    designs = list(dict.fromkeys((row.design.name, row.design.precision) for row in rows))
    for row in rows:
        colour = colours[designs.index((row.design.name, row.design.precision)) % len(colours)]
        style = {"color": colour, "alpha": 1.0 if row.kind == "tuned" or row.design.ours else 0.45,
                 "marker": "s" if row.design.ours else "o", "markersize": 4}
        most = row.capacity.throughput
        loads = sorted(row.at_loads)
        answered = [(load, row.at_loads[load].throughput) for load in loads]
        left.plot(*zip(*answered, (most, most), (longest, most)), label=row.name, **style)
        if loads:
            right.plot(loads, [row.at_loads[load].p99 for load in loads], label=f"p99 {row.name}", **style)
            right.plot(loads, [row.at_loads[load].p50 for load in loads], linestyle=":", **style)
    left.set(xlabel="offered, requests/s", ylabel="answered, requests/s", title=title, xlim=(0, longest), ylim=(0, longest))
    right.set(xlabel="offered, requests/s", ylabel="latency, ms (p99; dotted: p50)", yscale="log", xlim=(0, longest))
    left.grid(alpha=0.3)
    right.grid(alpha=0.3, which="both")
    figure.legend(*left.get_legend_handles_labels(), loc="lower center", ncols=3, fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0.12, 1, 1))
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)
