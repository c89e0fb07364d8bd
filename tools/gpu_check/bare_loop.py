"""Runs an exported TorchScript file in LibTorch with the same transfers as yolod and nothing else, as the yardstick
for yolod's forward pass on a GPU. It prints images per second, the median of rounds of one second.

    bare_loop.py FILE DEVICE PRECISION BATCH SIZE
"""
import statistics
import sys
import time

import torch

file, device, precision, batch, size = sys.argv[1:]
batch, size = int(batch), int(size)
kind = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
on_gpu = device != "cpu"
if on_gpu:
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
module = torch.jit.load(file, map_location=device).eval().to(kind)
for parameter in module.parameters():
    if parameter.dim() == 4:
        parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
image = torch.rand(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
if on_gpu:
    image = image.pin_memory()
rates = []
with torch.inference_mode():
    for _ in range(4):  # the first warms up
        start, passes = time.monotonic(), 0
        while time.monotonic() - start < 1:
            module(image.to(device, non_blocking=True).to(kind)).float().cpu()
            passes += 1
        rates.append(batch * passes / (time.monotonic() - start))
print(statistics.median(rates[1:]))
