"""The servers with their settings: the settings that their authors would use, and those that the tuning tries."""
from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import sys
from typing import Callable

import common
from compare_designs.networks import Network
from compare_designs.processes import Server

PYTHON = "/usr/bin/python3"
Settings = dict[str, object]


@dataclasses.dataclass(frozen=True)
class BenchContext:
    options: argparse.Namespace  # .bin
    network: Network
    cores: int


@dataclasses.dataclass(frozen=True)
class Design:
    name: str
    ours: bool
    precision: str
    defaults: Callable[[int], Settings]  # for so many cores
    start_of_tuning: Settings  # over the defaults: where the search begins
    choices: dict[str, list]  # a value of a setting may be several settings at once: {"a+b": [(1, 2), (2, 1)]}
    start: Callable[[Server, BenchContext, Settings], None]


def python_environment(threads: int) -> dict[str, str]:
    # OpenMP has a number of threads for each calling thread: torch.set_num_threads() in main does not affect others.
    return {"PYTHONPATH": str(common.root / "tools/bench"), "OMP_NUM_THREADS": str(threads), "PYTHONDONTWRITEBYTECODE": "1"}


def start_queue_poll(server: Server, context: BenchContext, settings: Settings) -> None:
    redis = server.path / "redis.sock"
    server.run(["redis-server", "--port", "0", "--unixsocket", redis, "--save", "", "--appendonly", "no", "--dir",
                server.path])
    server.wait_until(redis.exists, "redis-server")
    threads = settings["threads"]
    for _ in range(settings["models"]):
        server.run([PYTHON, "-m", "compare_designs.queue_poll_model", "--model", context.network.torchscript,
                    "--sampling", context.network.sampling, "--redis-socket", redis, "--threads", threads, "--graph",
                    settings["graph"], "--batch", settings["batch"], "--sleep", settings["server_sleep"]],
                   **python_environment(threads))
    server.run([PYTHON, "-m", "gunicorn", "--bind", f"unix:{server.socket}", "--worker-class", "gthread", "--workers",
                settings["web_workers"], "--threads", settings["web_threads"], "--worker-tmp-dir", "/dev/shm",
                "--log-level", "warning", "compare_designs.queue_poll_web:create_app()"],
               **python_environment(1), REDIS_SOCKET=str(redis), CLIENT_SLEEP=str(settings["client_sleep"]),
               QUEUED=settings["queued"], INPUT_SIZE=context.network.input_size, SAMPLING=context.network.sampling)


def start_process_pool(server: Server, context: BenchContext, settings: Settings) -> None:
    server.run([PYTHON, "-m", "compare_designs.process_pool", "--model", context.network.torchscript, "--sampling",
                context.network.sampling, "--socket", server.socket, "--processes", settings["processes"], "--threads",
                settings["threads"], "--graph", settings["graph"]], **python_environment(settings["threads"]))


def start_batching_loop(server: Server, context: BenchContext, settings: Settings) -> None:
    server.run([PYTHON, "-m", "compare_designs.batching_loop", "--model", context.network.torchscript, "--sampling",
                context.network.sampling, "--socket", server.socket, "--threads", settings["threads"], "--graph",
                settings["graph"], "--batch", settings["batch"], "--wait", settings["wait"], "--loops",
                settings["loops"]], **python_environment(settings["threads"]))


def start_yolod(server: Server, context: BenchContext, settings: Settings) -> None:
    network = context.network
    files = {"darknet": {"cfg": str(network.cfg), "weights": str(network.weights), "names": str(network.names)}}
    if settings["file"] == "torchscript":
        files = {"torchscript": {"file": str(network.torchscript)}}
    # JSON is YAML.
    config = server.path / "system.yaml"
    config.write_text(json.dumps({
        "server": {"listen": [f"unix:{server.socket}"]},
        "models": [{"name": network.name, **files, "precision": settings["precision"], "workers": settings["workers"],
                    "threads": settings["threads"], "batch": {"max_size": settings["batch"]},
                    "detect": {"multi_label": False}}]}))
    server.run([context.options.bin / "yolod", "--config", config])


GRAPHS = ["as_is", "frozen", "frozen_simple"]
YOLOD_CHOICES = {"workers+threads": [(2, "auto"), (1, "auto")], "batch": [1, 2, 4, 8, 16]}


def yolod(name: str, file: str, precision: str, shown_precision: str) -> Design:
    return Design(
        name, True, shown_precision,
        lambda cores: {"file": file, "precision": precision, "workers": 2, "threads": "auto", "batch": 8},
        {}, YOLOD_CHOICES, start_yolod)


DESIGNS = [
    # The pauses and the batch size are those in the tutorial; the number of workers follows gunicorn's documentation.
    Design("Flask, Redis, polling", False, "fp32",
           lambda cores: {"web_workers": 2 * cores + 1, "web_threads": 8, "client_sleep": 0.25, "models": 1,
                          "threads": cores, "batch": 32, "server_sleep": 0.25, "queued": "pixels", "graph": "as_is"},
           {"web_workers": 2, "web_threads": 64, "client_sleep": 0.01, "models": 2, "threads": 1, "batch": 4,
            "server_sleep": 0.001, "queued": "jpeg", "graph": "frozen"},
           {"models+threads": [(1, 2), (2, 1)], "batch": [1, 2, 8, 32], "graph": GRAPHS, "queued": ["jpeg", "pixels"],
            "client_sleep": [0.005, 0.02], "web_workers": [1, 2]}, start_queue_poll),
    Design("aiohttp, process pool", False, "fp32",
           lambda cores: {"processes": cores, "threads": 1, "graph": "as_is"},
           {"graph": "frozen"},
           {"processes+threads": [(1, 1), (1, 2), (2, 1), (3, 1), (2, 2)], "graph": GRAPHS}, start_process_pool),
    Design("aiohttp, batching loop", False, "fp32",
           lambda cores: {"threads": cores, "batch": 8, "wait": 0.01, "loops": 1, "graph": "as_is"},
           {"graph": "frozen", "wait": 0, "loops": 2, "threads": 1},
           {"loops+threads": [(1, 2), (2, 1)], "batch": [1, 2, 4, 16], "wait": [0, 0.005], "graph": GRAPHS},
           start_batching_loop),
    yolod("yolod, the same .pt", "torchscript", "fp32", "fp32"),
    yolod("yolod, Darknet files", "darknet", "fp32", "fp32"),
    yolod("yolod, Darknet files", "darknet", "auto", "auto"),
]


def check_packages() -> None:
    import importlib.util
    import shutil

    missing = [name for name in ("flask", "gunicorn", "redis", "aiohttp", "cv2", "torch", "torchvision", "numpy",
                                 "matplotlib") if importlib.util.find_spec(name) is None]
    if shutil.which("redis-server") is None:
        missing.append("redis-server")
    if missing:
        sys.exit(f"not installed: {', '.join(missing)}; tools/install_packages bench installs them")
