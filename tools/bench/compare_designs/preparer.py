"""Decodes and resizes pictures: the part of a server that needs no model."""
from __future__ import annotations

import dataclasses

import cv2
import numpy


@dataclasses.dataclass
class Picture:
    pixels: numpy.ndarray  # [height, width, 3] uint8, RGB, of the network's input
    width: int  # of the picture that was sent
    height: int


class Preparer:
    """Any thread may call it. `sampling` is `centers`, as in cv2.resize, or `corners`, as in Darknet, which takes a
    millisecond more and makes a difference for an untrained network."""

    def __init__(self, height: int, width: int, sampling: str):
        self.height, self.width, self.sampling = height, width, sampling

    def prepare(self, jpeg: bytes) -> Picture:
        decoded = cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_COLOR)
        if decoded is None:
            raise ValueError("not a picture")
        return Picture(cv2.cvtColor(self.resize(decoded), cv2.COLOR_BGR2RGB), decoded.shape[1], decoded.shape[0])

    def resize(self, decoded: numpy.ndarray) -> numpy.ndarray:
        size = (self.width, self.height)
        if self.sampling == "centers":
            return cv2.resize(decoded, size, interpolation=cv2.INTER_LINEAR)
        step_x = (decoded.shape[1] - 1) / (self.width - 1)
        step_y = (decoded.shape[0] - 1) / (self.height - 1)
        return cv2.warpAffine(decoded, numpy.array([[step_x, 0, 0], [0, step_y, 0]]), size,
                              flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
