"""The code that the other designs share: JPEG -> pixels -> forward pass -> NMS -> detections, with PyTorch, OpenCV
and torchvision, as in a typical Python server. It reads the files of `yolodctl export`.

It runs only in the servers' processes. One thread at a time may use a Detector; any thread may call prepare()."""
from __future__ import annotations

import contextlib
import json

import cv2
import numpy
import torch
import torchvision.ops

from compare_designs.preparer import Picture, Preparer

CONFIDENCE = 0.25
IOU = 0.45
MAX_DETECTIONS = 300

# How the file's graph runs: unchanged; frozen and channels last; or frozen with the executor that does not specialise
# graphs for input shapes.
GRAPHS = ("as_is", "frozen", "frozen_simple")


class Detector:
    def __init__(self, file: str, sampling: str, threads: int, graph: str):
        torch.set_num_threads(threads)
        cv2.setNumThreads(0)
        extra = {"config.txt": ""}
        self.module = torch.jit.load(file, _extra_files=extra).eval()
        config = json.loads(extra["config.txt"])
        self.height, self.width = config["imgsz"]
        names = config.get("names", {})
        self.names = [names[str(i)] for i in range(len(names))]
        self.preparer = Preparer(self.height, self.width, sampling)
        self.channels_last = graph != "as_is"
        self.simple = graph == "frozen_simple"
        if self.channels_last:
            for parameter in self.module.parameters():
                if parameter.dim() == 4:
                    parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
            self.module = torch.jit.freeze(self.module)

    def prepare(self, jpeg: bytes) -> Picture:
        return self.preparer.prepare(jpeg)

    def warm_up(self, batch: int = 1) -> None:
        blank = Picture(numpy.full((self.height, self.width, 3), 127, numpy.uint8), self.width, self.height)
        for size in sorted({1, batch}):
            for _ in range(3):
                self.detect([blank] * size)

    def forward(self, pictures: list[Picture]) -> torch.Tensor:
        stacked = torch.from_numpy(numpy.stack([picture.pixels for picture in pictures]))
        batch = stacked.permute(0, 3, 1, 2).float().div_(255)  # channels last, as they lie
        if not self.channels_last:
            batch = batch.contiguous()
        executor = torch.jit.optimized_execution(False) if self.simple else contextlib.nullcontext()
        with torch.inference_mode(), executor:
            return self.module(batch)

    def detections(self, head: torch.Tensor, picture: Picture) -> list[dict]:
        """Returns the detections of a head, [candidates, 5 + classes], with only the best class of each box."""
        rows = head[head[:, 4] > CONFIDENCE]
        confidences, classes = (rows[:, 5:] * rows[:, 4:5]).max(1)
        certain = confidences > CONFIDENCE
        rows, confidences, classes = rows[certain], confidences[certain], classes[certain]
        scale = torch.tensor([picture.width / self.width, picture.height / self.height] * 2)
        half = rows[:, 2:4] / 2
        boxes = torch.cat((rows[:, :2] - half, rows[:, :2] + half), 1) * scale
        kept = torchvision.ops.batched_nms(boxes, confidences, classes, IOU)[:MAX_DETECTIONS]
        boxes = torchvision.ops.clip_boxes_to_image(boxes[kept], (picture.height, picture.width))
        return [
            {"label": self.names[class_id], "confidence": confidence,
             "box": dict(zip(("x_min", "y_min", "x_max", "y_max"), box))}
            for class_id, confidence, box in zip(classes[kept].tolist(), confidences[kept].tolist(), boxes.tolist())
        ]

    def detect(self, pictures: list[Picture]) -> list[list[dict]]:
        heads = self.forward(pictures)
        with torch.inference_mode():
            return [self.detections(head, picture) for head, picture in zip(heads, pictures)]


def answer(detections: list[dict]) -> str:
    return json.dumps({"success": True, "predictions": detections})
