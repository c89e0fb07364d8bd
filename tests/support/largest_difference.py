#!/usr/bin/python3
"""Prints the largest difference between the bytes of two pictures, or the elements of two .npy or .npz files.

    largest_difference.py A B
"""
import sys

import numpy


def arrays(file):
    if not file.endswith((".npy", ".npz")):
        import PIL.Image
        return [numpy.asarray(PIL.Image.open(file).convert("RGB"))]
    loaded = numpy.load(file)
    return [loaded] if isinstance(loaded, numpy.ndarray) else [loaded[name] for name in loaded.files]


a, b = map(arrays, sys.argv[1:])
assert [x.shape for x in a] == [x.shape for x in b], "%s and %s" % ([x.shape for x in a], [x.shape for x in b])
print(max(numpy.abs(x.astype(float) - y.astype(float)).max() for x, y in zip(a, b)))
