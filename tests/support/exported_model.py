#!/usr/bin/python3
"""Runs files that yolodctl exported, and compares outputs.

    exported_model.py run MODEL.pt INPUT.npy OUTPUT.npy   runs the model in plain PyTorch and prints its config.txt
    exported_model.py difference A.npy B.npy              prints the largest |a - b| / max(1, |b|)

Exits 3 if this Python has no PyTorch.
"""
import sys

import numpy


def run(model, input_file, output_file):
    try:
        import torch
    except ImportError:
        print("this Python has no PyTorch", file=sys.stderr)
        sys.exit(3)
    extra_files = {"config.txt": ""}
    module = torch.jit.load(model, _extra_files=extra_files)
    strange = {node.kind() for node in module.inlined_graph.nodes()
               if not node.kind().startswith(("aten::", "prim::"))}
    if strange:
        sys.exit(f"not plain operators: {strange}")
    images = torch.from_numpy(numpy.load(input_file))
    with torch.no_grad():
        output = module(images if images.dim() == 4 else images.unsqueeze(0))
    numpy.save(output_file, output.numpy())
    print(extra_files["config.txt"].decode())


def difference(first, second):
    a, b = numpy.load(first), numpy.load(second)
    if a.shape != b.shape:
        sys.exit(f"shapes differ: {a.shape}, {b.shape}")
    print(float((numpy.abs(a - b) / numpy.maximum(1, numpy.abs(b))).max()))


if __name__ == "__main__":
    {"run": run, "difference": difference}[sys.argv[1]](*sys.argv[2:])
