"""Checks whether two servers found the same objects in a picture."""
from __future__ import annotations

# A detection below this confidence may be missing on one side, because it is too close to the threshold of 0.25.
CERTAIN = 0.28
CONFIDENCE_TOLERANCE = 0.03
LEAST_IOU = 0.9


def iou(a: dict, b: dict) -> float:
    width = min(a["x_max"], b["x_max"]) - max(a["x_min"], b["x_min"])
    height = min(a["y_max"], b["y_max"]) - max(a["y_min"], b["y_min"])
    if width <= 0 or height <= 0:
        return 0.0
    area = [(box["x_max"] - box["x_min"]) * (box["y_max"] - box["y_min"]) for box in (a, b)]
    return width * height / (sum(area) - width * height)


def missing(wanted: list[dict], found: list[dict]) -> list[dict]:
    """Returns the certain detections of the first list that are missing in the second."""
    left = list(found)
    lost = []
    for one in wanted:
        for other in left:
            if (one["label"] == other["label"] and iou(one["box"], other["box"]) >= LEAST_IOU
                    and abs(one["confidence"] - other["confidence"]) <= CONFIDENCE_TOLERANCE):
                left.remove(other)
                break
        else:
            if one["confidence"] >= CERTAIN:
                lost.append(one)
    return lost


def differences(a: list[dict], b: list[dict]) -> list[dict]:
    return missing(a, b) + missing(b, a)
