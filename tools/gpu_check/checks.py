#!/usr/bin/env python3
"""Checks workers on a device: that they compute correctly and fast, and leave none of the device's memory allocated.
tools/gpu-check runs it after it has built yolod.

    tools/gpu_check/checks.py [--device cuda:0] [--only heads,accuracy,passes,http,faults] [--seconds 5] [--bin DIR]

heads      raw heads in fp32 against Darknet's, within ten times what is allowed on the CPU: 1e-2 + 1e-3 |b|
accuracy   mAP@0.50 of two trained networks, reduced precision against fp32: within 0.3 points
passes     images a second of the forward pass, transfers included, against a bare LibTorch loop on the same network
http       images a second through HTTP against bare loops in as many processes (bare_detect): at least 0.9; memory of
           the device for a worker
faults     fault cases 2, 4 and 7: a worker dies or is interrupted while it loads, no client loses an answer, and the
           device's memory is back where it was

With --device cpu it only tests the checks themselves and does not measure the device's memory. It exits with 1 if a
check fails.
"""
import contextlib
import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import common  # noqa: E402

import numpy  # noqa: E402

here = pathlib.Path(__file__).resolve().parent
kSettled = 8  # MiB by which the device's memory may differ and be the same
kServing = 64  # while workers serve: what they keep for reuse differs with what they were asked


def reduced(device):
    """Returns the precision that `auto` selects on a GPU; on the CPU only fp32 is tested."""
    return "fp32" if device == "cpu" else "fp16"


def yolodctl(options, *arguments):
    done = subprocess.run([options.bin / "yolodctl", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        common.fail(f"yolodctl {' '.join(map(str, arguments))}\n{done.stderr}")
    return done.stdout


def used_mib(device):
    """Returns the used memory of the device, by all processes; 0 on the CPU."""
    if device == "cpu":
        return 0
    index = device.partition(":")[2] or "0"
    asked = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "-i", index]
    return int(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()[0])


def wait_until(holds, seconds):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


# ---- heads and accuracy ----


def trained():
    """Returns the name, the files and Darknet's own answer for each trained network."""
    for folder in sorted((common.data / "darknet").iterdir()):
        facts = json.loads((folder / "model.json").read_text())
        yield folder.name, folder / facts["cfg"], folder / facts["weights"], folder / "input.npy", folder / "expected.npy"


def made(work):
    for name in ("yolov4-tiny", "yolov3-tiny", "yolov3-spp", "yolov4-csp"):
        folder = common.data / "synthetic" / name
        facts = json.loads((folder / "model.json").read_text())
        weights = work / f"{name}.weights"
        subprocess.run([common.python, common.data / "synthetic/gen_weights.py", folder / "net.cfg", weights], check=True,
                       env={**os.environ, "GAIN": str(facts["gain"])}, stdout=subprocess.DEVNULL)
        yield name, folder / "net.cfg", weights, folder / facts["input"], folder / "expected.npy"
        weights.unlink()


def distance(actual, expected, side):
    """Returns the distance in units of the tolerance. For widths and heights above four inputs it compares logarithms."""
    a, b = actual.reshape(expected.shape).astype(float), expected.astype(float)
    off = numpy.abs(a - b) / (1e-3 + 1e-4 * numpy.abs(b))
    for column in (2, 3):
        huge = b[:, column] > 4 * side[column - 2]
        off[huge, column] = numpy.abs(numpy.log(a[huge, column]) - numpy.log(b[huge, column])) / 1e-3
    return off.max()


def check_heads(options, goals, work):
    common.row(("network", 34), ("off, of 10", 12))
    for name, cfg, weights, given, expected in itertools.chain(trained(), made(work)):
        output = work / "head.npy"
        yolodctl(options, "infer", "--cfg", cfg, "--weights", weights, "--device", options.device, "--precision", "fp32",
                 "--input", given, "--output", output)
        shape = numpy.load(given).shape
        off = distance(numpy.load(output), numpy.load(expected), (shape[-1], shape[-2]))
        common.row((name, 34), (off, 12, ".3f"))
        goals.at_most(f"{name}: distance from Darknet's head", off, 10)


def check_accuracy(options, goals, _):
    common.row(("network", 34), ("fp32", 8), (reduced(options.device), 8))
    for name in ("yolo-fastest-1.1", "mobilenetv2-yolov3-nano-coco"):
        folder = common.data / "darknet" / name
        facts = json.loads((folder / "model.json").read_text())

        def points(precision):
            report = yolodctl(options, "eval", "--cfg", folder / facts["cfg"], "--weights", folder / facts["weights"],
                              "--names", common.data / "coco/coco.names", "--images", common.data / "coco/images",
                              "--labels", common.data / "coco/labels", "--metric", "darknet", "--device", options.device,
                              "--precision", precision, "--json")
            return 100 * json.loads(report)["ap50"]

        fp32, other = points("fp32"), points(reduced(options.device))
        common.row((name, 34), (fp32, 8, ".2f"), (other, 8, ".2f"))
        goals.at_most(f"{name}: points that {reduced(options.device)} is from fp32", abs(fp32 - other), 0.3)


# ---- speed ----


def check_passes(options, goals, work):
    common.row(("network", 14), ("precision", 10), ("batch", 6), ("ms", 8), ("images/s", 10), ("bare loop", 10),
               ("ratio", 6))
    for name, size in options.networks:
        network = common.Network(name, size)
        exported = work / f"{name}.pt"
        yolodctl(options, "export", "--cfg", network.cfg, "--weights", network.weights, "--device", "cpu", "--precision",
                 "fp32", "--output", exported)
        for precision, batch in [("fp32", 8)] + [(reduced(options.device), batch) for batch in options.batches]:
            ours = json.loads(yolodctl(options, "bench", "model", "--cfg", network.cfg, "--weights", network.weights,
                                       "--device", options.device, "--precision", precision, "--batch", batch,
                                       "--rounds", 3, "--seconds", 1, "--json"))
            bare = subprocess.run([sys.executable, here / "bare_loop.py", exported, options.device, precision, str(batch),
                                   str(size)], capture_output=True, text=True)
            if bare.returncode != 0:
                common.fail(f"bare_loop.py:\n{bare.stderr}")
            rate = float(bare.stdout)
            common.row((name, 14), (precision, 10), (batch, 6), (ours["ms"], 8, ".2f"), (ours["images_per_s"], 10, ".0f"),
                       (rate, 10, ".0f"), (ours["images_per_s"] / rate, 6, ".2f"))


def model_of(options, network, workers, threads):
    # No preload on the CPU either, because on a GPU each worker loads the model itself.
    return network.model(device=options.device, precision=reduced(options.device), workers=workers, threads=threads,
                         preload=False, batch={"max_size": 8}, queue={"max_size": 1024})


@contextlib.contextmanager
def loops(options, server, count):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(common.Program([options.bin / "bare_detect", server.config, "network", common.photo, "8"],
                                                  stdin=subprocess.PIPE)) for _ in range(count)]


def rate_of_loops(options, server, count):
    with loops(options, server, count) as all_loops:
        for loop in all_loops:
            loop.wait_for("ready\n", 300)
        for loop in all_loops:
            loop.process.stdin.write(f"{options.seconds}\n".encode())
            loop.process.stdin.flush()
        return sum(float(loop.wait_for(r"ready\n(\S+) \S+\n", options.seconds + 120)[1]) for loop in all_loops)


def rate_through_http(options, server, workers):
    load = [options.bin / "yolodctl", "bench", "server", "--url", server.address, "--image", common.photo, "--connections",
            str(24 * workers), "--json"]
    subprocess.run([*load, "--duration", "2s"], check=True, capture_output=True)
    report = json.loads(subprocess.run([*load, "--duration", f"{options.seconds}s"], check=True, capture_output=True,
                                       text=True).stdout)
    if report["errors"]:
        common.fail(f"through HTTP: {report['errors']}")
    return report["throughput_per_s"]


def check_http(options, goals, _):
    cores = len(os.sched_getaffinity(0))
    common.row(("network", 14), ("workers", 8), ("loops, 1/s", 11), ("HTTP, 1/s", 11), ("ratio", 6), ("MiB each", 9))
    for name, size in options.networks:
        network = common.Network(name, size)
        for workers in options.workers:
            # One core is for the front-end and the load generator.
            threads = max(1, (cores - 1) // workers)
            before = used_mib(options.device)
            with common.Yolod(options, [model_of(options, network, workers, threads)]) as server:
                http = rate_through_http(options, server, workers)
                memory = (used_mib(options.device) - before) / workers
                config = server.config.read_text()
            with common.Program(["true"], config) as kept:
                bare = rate_of_loops(options, kept, workers)
            common.row((name, 14), (workers, 8), (bare, 11, ".0f"), (http, 11, ".0f"), (http / bare, 6, ".2f"),
                       (memory, 9, ".0f"))
            goals.at_least(f"{name}, {workers} workers: HTTP of the loops", http / bare, 0.9)


# ---- faults ----


def settles(options, goals, what, before, allowed=kSettled):
    if not wait_until(lambda: used_mib(options.device) - before <= allowed, 30):
        goals.missed.append(f"{what}: the device's memory was {before} MiB and is {used_mib(options.device)} MiB")


def check_faults(options, goals, _):
    network = common.Network("yolov4-tiny", 416)
    empty = used_mib(options.device)
    common.row(("case", 34), ("MiB before", 11), ("after", 8), ("lost answers", 13))
    with common.Yolod(options, [model_of(options, network, 2, 1)]) as server:
        rate_through_http(options, server, 2)
        full = used_mib(options.device)
        for case, death in (("2: SIGKILL of a busy worker", signal.SIGKILL), ("4: SIGSEGV of a busy worker", signal.SIGSEGV),
                            ("   SIGINT of a busy worker", signal.SIGINT)):
            load = subprocess.Popen([options.bin / "yolodctl", "bench", "server", "--url", server.address, "--image",
                                     common.photo, "--connections", "32", "--duration", "4s", "--json"],
                                    stdout=subprocess.PIPE, text=True)
            time.sleep(1)
            victim = server.workers()[0]
            os.kill(victim, death)
            report = json.loads(load.communicate()[0])
            server.wait_for_workers(2)
            lost = report["answered"] - report["succeeded"] + sum(report["errors"].values())
            settles(options, goals, case, full, kServing)
            common.row((case, 34), (full, 11), (used_mib(options.device), 8), (lost, 13))
            goals.at_most(f"{case}: lost answers", lost, 0)
            if victim in server.workers():
                goals.missed.append(f"{case}: worker {victim} lives")
    settles(options, goals, "a stop", empty)
    common.row(("   a stop", 34), (empty, 11), (used_mib(options.device), 8), ("", 13))
    check_interrupted_load(options, goals, network, empty)


def check_interrupted_load(options, goals, network, empty):
    """Sends SIGINT at several moments during the load of a replacement worker."""
    with common.Yolod(options, [model_of(options, network, 1, 1)]) as server:
        full = used_mib(options.device)
        load_ms = int(re.findall(r"loaded in (\d+) ms", server.log.read_text())[-1])
        for part in (0.1, 0.35, 0.6, 0.85):
            old = server.workers()[0]
            said = len(server.log.read_text())
            os.kill(old, signal.SIGKILL)
            wait_until(lambda: [one for one in server.model()["workers"] if one["pid"] not in (0, old)], 30)
            loading = server.model()["workers"][0]["pid"]
            time.sleep(part * load_ms / 1000)
            os.kill(loading, signal.SIGINT)
            server.wait_for(r"interrupted while loading \(SIGINT\), model freed", 120, said)
            server.wait_for_workers(1)
            settles(options, goals, f"case 7 at {part:.0%} of the load", full, kServing)
            common.row((f"7: SIGINT at {part:.0%} of the load", 34), (full, 11), (used_mib(options.device), 8), ("", 13))
    settles(options, goals, "a stop", empty)


kChecks = {"heads": check_heads, "accuracy": check_accuracy, "passes": check_passes, "http": check_http,
           "faults": check_faults}


def main():
    parser = common.parser(__doc__)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--only", default=",".join(kChecks))
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--networks", default="yolov4-tiny:416,yolov3-spp:416")
    parser.add_argument("--batches", default="1,8,32")
    parser.add_argument("--workers", default="1,2,4")
    options = parser.parse_args()
    options.networks = [(name, int(size)) for name, size in (one.split(":") for one in options.networks.split(","))]
    options.batches = [int(batch) for batch in options.batches.split(",")]
    options.workers = [int(count) for count in options.workers.split(",")]
    goals = common.Goals()
    work = common.root / "build/gpu-check"
    work.mkdir(parents=True, exist_ok=True)
    for name in options.only.split(","):
        print(f"\n== {name} on {options.device}, {time.strftime('%Y-%m-%d %H:%M')}", flush=True)
        kChecks[name](options, goals, work)
    print()
    goals.end()


if __name__ == "__main__":
    main()
