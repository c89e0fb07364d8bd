#!/usr/bin/python3
"""Writes small TorchScript files of every kind that yolod serves, and Python's outputs for them.

    make_torchscript.py OUT NAME...

For each NAME it writes OUT/NAME.pt, OUT/NAME-input.npy (or .npz) and OUT/NAME-output.npy (or .npz). For models of
pictures it also writes OUT/NAME.ppm, a picture of their input's size, and OUT/NAME-answer.npy, their output for it.
For detectors of any size it also writes OUT/NAME-augmented.npy, their output with test-time augmentation. Weights are
seeded and random, because the tests compare arithmetic and not quality.
"""
import json
import os
import sys
import zipfile

import numpy
import torch
from torch import nn

from make_checkpoints import augmented

torch.set_num_threads(1)
torch.set_grad_enabled(False)


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(7))


def save(out, name, module, inputs, metadata=None):
    """Saves `module`, and its output for `inputs`."""
    extra = {"config.txt": json.dumps(metadata)} if metadata else {}
    module.save(os.path.join(out, name + ".pt"), _extra_files=extra)
    write(out, name + "-input", inputs)
    result = module(*inputs)
    write(out, name + "-output", flat(result))


def save_picture(out, name, module, side, mean=0., std=1.):
    """Writes a picture of coarse blocks, and the module's output for it."""
    generator = torch.Generator().manual_seed(5)
    blocks = torch.randint(0, 256, (3, 8, 8), generator=generator).float()
    picture = nn.functional.interpolate(blocks[None], size=(side, side), mode="bilinear")[0].round().byte()
    with open(os.path.join(out, name + ".ppm"), "wb") as file:
        file.write(b"P6 %d %d 255\n" % (side, side) + picture.permute(1, 2, 0).contiguous().numpy().tobytes())
    x = (picture.float() / 255 - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1)
    result = flat(module(x[None]))[0]
    write(out, name + "-answer", [result])
    return result


def save_as_pixels(out, name, output, black, white):
    pixels = ((output[0] - black) / (white - black) * 255).round().clamp(0, 255).byte()
    numpy.save(os.path.join(out, name + "-pixels.npy"), pixels.permute(1, 2, 0).numpy())


def flat(value):
    if isinstance(value, torch.Tensor):
        return [value]
    values = value.values() if isinstance(value, dict) else value
    return [tensor for item in values for tensor in flat(item)]


def write(out, name, tensors):
    arrays = [tensor.contiguous().numpy() for tensor in tensors]
    if len(arrays) == 1:
        numpy.save(os.path.join(out, name + ".npy"), arrays[0])
    else:
        numpy.savez(os.path.join(out, name + ".npz"), *arrays)


# ---- classifiers ----

def classifier(make, size=224):
    """A model of torchvision with weights that keep its values small, and batch norms that change them."""
    torch.manual_seed(1)
    import torchvision.models
    model = getattr(torchvision.models, make)(weights=None)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.uniform_(-0.1, 0.1)
            layer.running_var.uniform_(0.8, 1.2)
            layer.weight.uniform_(0.8, 1.2)
            layer.bias.uniform_(-0.1, 0.1)
    return torch.jit.trace(model.eval(), noise(1, 3, size, size), check_trace=False)


def torchvisions(make):
    def write_it(out, name):
        module = classifier(make)
        save(out, name, module, [noise(1, 3, 224, 224)])
        save_picture(out, name, module, 224, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    return write_it


class TinyClassifier(nn.Module):
    """Classifies by the mean of each channel. The weights separate the channels and enlarge differences."""

    def __init__(self, softmax, fixed_batch=False):
        super().__init__()
        self.softmax = softmax
        self.fixed_batch = fixed_batch
        self.conv = nn.Conv2d(3, 4, 1)
        self.conv.weight.copy_(torch.tensor([[4., 0, 0], [0, 4, 0], [0, 0, 4], [-1, -1, -1]]).view(4, 3, 1, 1))
        self.conv.bias.copy_(torch.tensor([0., 0, 0, 1]))

    def forward(self, x):
        means = self.conv(x).mean((2, 3))
        if self.fixed_batch:
            means = means.reshape(1, 4)
        return means.softmax(1) if self.softmax else means


def tiny_logits(out, name):
    save(out, name, torch.jit.trace(TinyClassifier(False), noise(1, 3, 32, 32)), [noise(1, 3, 32, 32)])


def tiny_probabilities(out, name):
    names = {str(i): label for i, label in enumerate(["red", "green", "blue", "dark"])}
    save(out, name, torch.jit.script(TinyClassifier(True)), [noise(2, 3, 32, 32)],
         {"task": "classify", "imgsz": [32, 32], "names": names, "stride": 1, "batch": 1})


def tiny_fixed_batch(out, name):
    save(out, name, torch.jit.trace(TinyClassifier(False, True), noise(1, 3, 32, 32)), [noise(1, 3, 32, 32)])


def mixed(out, name):
    """A scripted module that holds a traced one."""
    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.traced = torch.jit.trace(TinyClassifier(False), noise(1, 3, 32, 32))

        def forward(self, x):
            logits = self.traced(x)
            if bool(logits.sum() > 1e6):
                logits = logits - 1
            return logits
    save(out, name, torch.jit.script(Mixed()), [noise(2, 3, 32, 32)])


def half(out, name):
    """Exports the model in half precision, in which its weights are exact."""
    inputs = [noise(1, 3, 32, 32)]
    write(out, name + "-input", inputs)
    write(out, name + "-output", [TinyClassifier(False)(*inputs)])
    torch.jit.script(TinyClassifier(False).half()).save(os.path.join(out, name + ".pt"))


# ---- detectors ----

class TinyDetector(nn.Module):
    """Gives a box for each of 4 x 4 cells of 8 pixels, as wide and high as the cell. Its confidence is the mean red of
    the cell, and the mean green selects one of two classes. `kind` is the layout of the output."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, x):
        n = x.shape[0]
        cells = nn.functional.avg_pool2d(x, 8).flatten(2)
        count = cells.shape[2]
        side = int(count ** 0.5)
        index = torch.arange(count, device=x.device)
        cx = (index % side) * 8 + 4.0
        cy = torch.div(index, side, rounding_mode="floor") * 8 + 4.0
        xy = torch.stack([cx, cy], 1).to(x.dtype).expand(n, count, 2)
        wh = torch.full([1, 1, 1], 8.0, device=x.device).expand(n, count, 2).to(x.dtype)
        sure = cells[:, 0, :].unsqueeze(2)
        green = cells[:, 1, :].unsqueeze(2)
        classes = torch.cat([1 - green, green], 2)
        if self.kind == "yolov5":
            return torch.cat([xy, wh, sure, classes], 2)
        if self.kind == "fractions":
            return torch.cat([xy / (side * 8), wh / (side * 8), sure, classes], 2), sure
        if self.kind == "yolov8":
            return torch.cat([xy, wh, sure * classes], 2).transpose(1, 2)
        confidence = sure * torch.maximum(green, 1 - green)
        order = confidence.squeeze(2).argsort(1, descending=True)[:, :10].unsqueeze(2)
        rows = torch.cat([xy - 4, xy + 4, confidence, (green > 0.5).to(x.dtype)], 2)
        return rows.gather(1, order.expand(n, order.shape[1], 6))


DETECTOR = {"stride": 8, "imgsz": [32, 32], "task": "detect", "batch": 1, "names": {"0": "stop", "1": "go"}}


def detector(kind, metadata=None):
    def make(out, name):
        module = torch.jit.trace(TinyDetector(kind), noise(1, 3, 32, 32))
        save(out, name, module, [noise(1, 3, 32, 32)], metadata)
        save_picture(out, name, module, 32)
    return make


class AnySize(nn.Module):
    """A detector of two classes, with two boxes in each cell of 16 pixels, for an input of any size.

    `kind` is that of TinyDetector."""

    def __init__(self, kind: str):
        super().__init__()
        torch.manual_seed(4)
        self.kind = kind
        self.body = nn.Sequential(nn.Conv2d(3, 12, 4, 4), nn.LeakyReLU(0.1), nn.Conv2d(12, 14, 3, 4, 1))

    def forward(self, x):
        y = self.body(x)
        n, rows, columns = y.shape[0], y.shape[2], y.shape[3]
        y = y.view(n, 2, 7, rows, columns).permute(0, 1, 3, 4, 2).float()
        cx = torch.arange(columns, device=x.device).float().view(1, 1, 1, columns, 1).expand(n, 2, rows, columns, 1)
        cy = torch.arange(rows, device=x.device).float().view(1, 1, rows, 1, 1).expand(n, 2, rows, columns, 1)
        xy = (y[..., :2].sigmoid() + torch.cat([cx, cy], 4)) * 16
        y = torch.cat([xy, y[..., 2:4].exp() * 24, y[..., 4:].sigmoid()], 4).view(n, 2 * rows * columns, 7)
        return as_kind(y, self.kind, x.shape[2], x.shape[3])


@torch.jit.script
def as_kind(y, kind: str, height: int, width: int):
    if kind == "yolov8":
        return torch.cat([y[..., :4], y[..., 4:5] * y[..., 5:]], 2).transpose(1, 2)
    if kind == "fractions":
        return torch.cat([y[..., :4] / torch.tensor([width, height, width, height]), y[..., 4:]], 2)
    return y


def any_size(kind):
    def make(out, name):
        images = noise(2, 3, 160, 224)
        save(out, name, torch.jit.script(AnySize(kind)), [images])
        write(out, name + "-augmented", [as_kind(augmented(AnySize("yolov5"), images), kind, 160, 224)])
    return make


def latin1(out, name):
    """Writes a detector whose labels are in ISO 8859-1."""
    detector("yolov8")(out, name)
    module = torch.jit.load(os.path.join(out, name + ".pt"))
    metadata = json.dumps(dict(DETECTOR, names={"0": "caf\u00e9", "1": "go"}), ensure_ascii=False)
    module.save(os.path.join(out, name + ".pt"), _extra_files={"config.txt": metadata.encode("latin-1")})


def segmenter(out, name):
    save(out, name, torch.jit.trace(TinyDetector("yolov8"), noise(1, 3, 32, 32)), [noise(1, 3, 32, 32)],
         dict(DETECTOR, task="segment"))


def future(out, name):
    """Writes a file of a version that does not exist yet."""
    detector("yolov5")(out, name)
    rewrite(os.path.join(out, name + ".pt"), lambda entry, data: b"99\n" if entry.endswith("/version") else data)


def cuda(out, name):
    """Imitates a model that was traced on CUDA: its tensors' location and the device in its code are CUDA."""
    class WithWeights(nn.Module):
        def __init__(self):
            super().__init__()
            self.detector = TinyDetector("yolov5")
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, x):
            return self.detector(x) * self.scale

    save(out, name, torch.jit.trace(WithWeights(), noise(1, 3, 32, 32)), [noise(1, 3, 32, 32)], DETECTOR)

    def moved(entry, data):
        if entry.endswith(".py"):
            return data.replace(b'torch.device("cpu")', b'torch.device("cuda:0")')
        if entry.endswith(".pkl"):
            return data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
        return data
    rewrite(os.path.join(out, name + ".pt"), moved)


def nms(out, name):
    """Calls torchvision::nms, which LibTorch alone does not have."""
    import torchvision

    class WithNms(nn.Module):
        def forward(self, x):
            boxes = x.flatten()[:40].view(10, 4)
            return boxes[torchvision.ops.nms(boxes, boxes[:, 0], 0.5)].unsqueeze(0)
    torch.jit.script(WithNms()).save(os.path.join(out, name + ".pt"))


def deep(out, name):
    """Nests the code so deeply that LibTorch's parser runs out of stack. The file crashes each process that reads it."""
    torch.jit.script(TinyClassifier(False)).save(os.path.join(out, name + ".pt"))
    nested = b"_0 = " + b"(" * 300000 + b"1" + b")" * 300000 + b"\n    return "
    rewrite(os.path.join(out, name + ".pt"),
            lambda entry, data: data.replace(b"return ", nested, 1) if entry.endswith("__main__.py")
            or entry.endswith("__torch__.py") else data)


def endless(out, name):
    class Endless(nn.Module):
        def forward(self, x):
            while bool(x.sum() >= 0):
                x = x * 1.0
            return x.mean((2, 3))
    torch.jit.script(Endless()).save(os.path.join(out, name + ".pt"))


def rewrite(file, change):
    with zipfile.ZipFile(file) as archive:
        entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for entry, data in entries:
            archive.writestr(entry, change(entry, data))


# ---- pictures ----

class Generator(nn.Module):
    """A network as CycleGAN has: reflection pads, instance norms, residual blocks, transposed convolutions, tanh."""

    def __init__(self, width, blocks):
        super().__init__()

        def block(channels):
            return nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels),
                                 nn.ReLU(True), nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3),
                                 nn.InstanceNorm2d(channels))
        self.head = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), nn.InstanceNorm2d(width),
                                  nn.ReLU(True), nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width),
                                  nn.ReLU(True))
        self.blocks = nn.ModuleList(block(2 * width) for _ in range(blocks))
        self.tail = nn.Sequential(nn.ConvTranspose2d(2 * width, width, 3, 2, 1, 1), nn.InstanceNorm2d(width),
                                  nn.ReLU(True), nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())

    def forward(self, x):
        x = self.head(x)
        for block in self.blocks:
            x = x + block(x)
        return self.tail(x)


def generator(out, name):
    torch.manual_seed(2)
    module = torch.jit.trace(Generator(16, 3).eval(), noise(1, 3, 64, 64))
    save(out, name, module, [noise(1, 3, 64, 64) * 2 - 1])
    save_as_pixels(out, name, save_picture(out, name, module, 64, [0.5] * 3, [0.5] * 3), -1, 1)


class Doubler(nn.Module):
    """Doubles the picture's size and inverts its colours."""

    def forward(self, x):
        return 1 - nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")


def doubler(out, name):
    module = torch.jit.script(Doubler())
    save(out, name, module, [noise(1, 3, 16, 16)])
    save_as_pixels(out, name, save_picture(out, name, module, 16), 0, 1)


def pillow(out, name):
    """Writes no module, but a picture as Pillow resizes it. torchvision's transforms feed that to a classifier."""
    import PIL.Image
    pixels = torch.randint(0, 256, (61, 97, 3), generator=torch.Generator().manual_seed(8)).byte().numpy()
    with open(os.path.join(out, name + ".ppm"), "wb") as file:
        file.write(b"P6 97 61 255\n" + pixels.tobytes())
    for width, height in ((40, 25), (224, 150)):
        resized = PIL.Image.fromarray(pixels).resize((width, height), PIL.Image.BILINEAR)
        numpy.save(os.path.join(out, "%s-%d.npy" % (name, width)), numpy.asarray(resized).astype(numpy.float32) / 255)


# ---- tensors ----

class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.left = nn.Linear(5, 4)
        self.right = nn.Embedding(10, 4)

    def forward(self, values: torch.Tensor, index: torch.Tensor):
        a = self.left(values)
        b = self.right(index)
        return a + b, (a.argmax(1), b > 0)


def pair(out, name):
    torch.manual_seed(3)
    save(out, name, torch.jit.script(Pair()), [noise(6, 5), torch.tensor([3, 1, 4, 1, 5, 9])])


def tuple_input(out, name):
    class Sum(nn.Module):
        def forward(self, both):
            return both[0] * 2 + both[1]
    module = torch.jit.trace(Sum(), [(noise(2, 3), noise(2, 3))])
    inputs = [noise(2, 3), noise(2, 3) + 1]
    module.save(os.path.join(out, name + ".pt"))
    write(out, name + "-input", inputs)
    write(out, name + "-output", [module(tuple(inputs))])


def number_input(out, name):
    class Power(nn.Module):
        def forward(self, x: torch.Tensor, exponent: int):
            return x ** exponent
    torch.jit.script(Power()).save(os.path.join(out, name + ".pt"))


MAKERS = {
    "resnet18": torchvisions("resnet18"), "resnet50": torchvisions("resnet50"), "vgg16": torchvisions("vgg16"),
    "tiny_logits": tiny_logits, "tiny_probabilities": tiny_probabilities, "tiny_fixed_batch": tiny_fixed_batch,
    "mixed": mixed, "half": half,
    "yolov5": detector("yolov5", {"shape": [1, 3, 32, 32], "stride": 8, "names": ["stop", "go"]}),
    "yolov8": detector("yolov8", DETECTOR), "end_to_end": detector("end_to_end", dict(DETECTOR, end2end=True)),
    "fractions": detector("fractions"), "bare": detector("yolov8"), "latin1": latin1,
    "long_label": detector("yolov8", dict(DETECTOR, names={"0": "stop", "1": "x" * 300})),
    "any_size_yolov5": any_size("yolov5"), "any_size_yolov8": any_size("yolov8"),
    "any_size_fractions": any_size("fractions"), "segmenter": segmenter, "future": future, "cuda": cuda, "nms": nms, "deep": deep, "endless": endless,
    "generator": generator, "doubler": doubler, "pillow": pillow,
    "pair": pair, "tuple_input": tuple_input, "number_input": number_input,
}

if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    for wanted in sys.argv[2:] or MAKERS:
        MAKERS[wanted](sys.argv[1], wanted)
