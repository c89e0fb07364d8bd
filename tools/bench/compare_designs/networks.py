"""Prepares the network, as Darknet files and as the TorchScript file that yolodctl exports, and the photo."""
from __future__ import annotations

import dataclasses
import pathlib
import subprocess

import common

NAMES = ("demo", "yolov4-tiny")


@dataclasses.dataclass(frozen=True)
class Network:
    name: str
    cfg: pathlib.Path
    weights: pathlib.Path
    names: pathlib.Path
    torchscript: pathlib.Path
    photo: pathlib.Path
    sampling: str  # preparer.py
    trained: bool
    input_size: str = "416x416"


def make(name: str, bin_folder: pathlib.Path, folder: pathlib.Path) -> Network:
    """Prepares `demo`, or a network of the test data, at 416 x 416, with its files in that folder."""
    torchscript = folder / f"{name}.pt"
    if name == "demo":
        model = common.root / "model/data"
        network = Network(name, model / "demo.cfg", model / "demo.weights", model / "demo.names", torchscript,
                          model / "demo.jpg", "centers", True)
    else:
        made = common.Network(name, 416)
        cfg = folder / f"{name}.cfg"
        # Use plain IoU in NMS, as the other servers do.
        cfg.write_text("".join(line for line in made.cfg.read_text().splitlines(True) if "nms_kind" not in line))
        network = Network(name, cfg, made.weights, made.names, torchscript, common.photo, "corners", False)
    subprocess.run([bin_folder / "yolodctl", "export", "--cfg", network.cfg, "--weights", network.weights, "--names",
                    network.names, "--output", torchscript], check=True, stdout=subprocess.DEVNULL)
    return network
