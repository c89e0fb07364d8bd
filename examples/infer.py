#!/usr/bin/env python3
"""Sends pictures to a model in one request of the Open Inference Protocol, in binary form both ways.

usage: examples/infer.py URL MODEL PICTURE...

Debian has the library it uses in the package python3-requests.
"""
import json
import struct
import sys

import requests

# The letters of the module struct.
NUMBERS = {"INT32": "i", "FP32": "f", "UINT32": "I", "UINT64": "Q"}


def texts_in(data):
    """Returns the elements of a BYTES tensor: each has its length in front."""
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        yield data[at + 4 : at + 4 + length].decode("utf-8", "replace")
        at += 4 + length


def ask(url, model, pictures):
    """Returns the outputs: {name: (shape, values)}."""
    data = b"".join(struct.pack("<I", len(picture)) + picture for picture in pictures)
    header = json.dumps(
        {
            "inputs": [
                {
                    "name": "image",
                    "shape": [len(pictures)],
                    "datatype": "BYTES",
                    "parameters": {"binary_data_size": len(data)},
                }
            ],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    answer = requests.post(
        f"{url}/v2/models/{model}/infer",
        data=header + data,
        headers={"Inference-Header-Content-Length": str(len(header))},
        timeout=60,
    )
    if answer.status_code != 200:
        sys.exit(f"{answer.status_code}: {answer.json()['error']}")
    # Without bytes the answer is JSON alone.
    length = int(answer.headers.get("Inference-Header-Content-Length", len(answer.content)))
    described, data = json.loads(answer.content[:length]), answer.content[length:]
    outputs = {}
    for output in described["outputs"]:
        size = output.get("parameters", {}).get("binary_data_size", 0)
        own, data = data[:size], data[size:]
        if output["datatype"] == "BYTES":
            values = list(texts_in(own))
        else:
            values = list(struct.unpack(f"<{size // struct.calcsize(NUMBERS[output['datatype']])}"
                                        f"{NUMBERS[output['datatype']]}", own))
        outputs[output["name"]] = output["shape"], values
    return outputs


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    url, model, *files = sys.argv[1:]
    pictures = []
    for name in files:
        with open(name, "rb") as file:
            pictures.append(file.read())
    for name, (shape, values) in ask(url, model, pictures).items():
        print(name, shape, values)


if __name__ == "__main__":
    main()
