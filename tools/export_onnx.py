#!/usr/bin/python3
"""Converts a TorchScript file from `yolodctl export` to ONNX, with plain PyTorch.

    tools/export_onnx.py MODEL.pt MODEL.onnx [--opset N] [--batch N | --dynamic-batch]

It needs Debian's python3-torch (tools/install_packages installs it), or any PyTorch from version 1.13. The input
"images" is float32 [batch, channels, height, width], RGB, 0 to 1. The output "output0" equals the TorchScript file's
output. Each key of its config.txt (names, size, stride, task) becomes a property of the ONNX file's metadata.
"""
import argparse
import json
import os
import sys
import warnings


def complain(what):
    print(f"export_onnx: {what}", file=sys.stderr)
    sys.exit(1)


def length_delimited(field, payload):
    """Encodes a protobuf field of wire type 2: tag, length, bytes."""

    def varint(value):
        out = bytearray()
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        out.append(value)
        return bytes(out)

    return varint(field << 3 | 2) + varint(len(payload)) + payload


def metadata_props(description):
    """Encodes ModelProto.metadata_props (onnx.proto, field 14), one StringStringEntryProto for each key.

    The result can be appended to a serialized message, because protobuf joins repeated fields."""
    joined = b""
    for key, value in description.items():
        text = value if isinstance(value, str) else json.dumps(value)
        joined += length_delimited(14, length_delimited(1, key.encode()) + length_delimited(2, text.encode()))
    return joined


def main():
    parser = argparse.ArgumentParser(description="TorchScript of `yolodctl export` to ONNX")
    parser.add_argument("model", help="the .pt file")
    parser.add_argument("output", help="the .onnx file to write")
    parser.add_argument("--opset", type=int, default=13, help="ONNX operator set (default 13)")
    batch = parser.add_mutually_exclusive_group()
    batch.add_argument("--batch", type=int, default=1, help="images at once (default 1)")
    batch.add_argument("--dynamic-batch", action="store_true", help="any number of images at once")
    arguments = parser.parse_args()

    try:
        import torch
    except ImportError:
        complain("this Python has no PyTorch; Debian's: apt-get install python3-torch, and run with /usr/bin/python3")
    extra_files = {"config.txt": ""}
    try:
        module = torch.jit.load(arguments.model, map_location="cpu", _extra_files=extra_files)
        description = json.loads(extra_files["config.txt"])
        height, width = description["imgsz"]
        channels = description.get("channels", 3)
    except (OSError, RuntimeError, ValueError) as error:
        complain(f"{arguments.model}: not a file of yolodctl export: {str(error).splitlines()[0]}")
    except KeyError as error:
        complain(f"{arguments.model}: its config.txt does not say {error}")

    images = torch.zeros(arguments.batch, channels, height, width)
    dynamic = {"images": {0: "batch"}, "output0": {0: "batch"}} if arguments.dynamic_batch else None
    unfinished = arguments.output + ".unfinished"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module.eval(), images, unfinished, opset_version=arguments.opset,
                input_names=["images"], output_names=["output0"], dynamic_axes=dynamic)
        with open(unfinished, "ab") as file:
            file.write(metadata_props(description))
        os.replace(unfinished, arguments.output)
    finally:
        if os.path.exists(unfinished):
            os.remove(unfinished)
    print(f"{arguments.output}: opset {arguments.opset}, images "
          f"[{'batch' if dynamic else arguments.batch}, {channels}, {height}, {width}]")


if __name__ == "__main__":
    main()
