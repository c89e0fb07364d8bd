#!/usr/bin/env python3
"""Writes small networks as Ultralytics' yolov3 (its archive branch) does, with plain PyTorch's outputs.

    make_checkpoints.py FOLDER

For each network the script makes a folder of its name with net.cfg, net.pt (torch.save's zip format) and legacy.pt
(the older format). It adds input.npy [3, h, w] and expected.npy [candidates, 5 + classes], boxes in pixels. For an
input of another size and shape it also writes wide-input.npy [2, 3, h, w] and wide-augmented.npy [2, candidates,
5 + classes], with test-time augmentation. The modules below follow that program's definitions, so tests compare the
C++ side with PyTorch and not with itself.
"""
import collections
import math
import os
import sys

import numpy as np
import torch
from torch import nn

EPSILON = 1e-4  # of the batch normalisation


class MixedConvolution(nn.Module):
    """Several kernel sizes side by side. The filters are split so that each size has as many weights."""

    def __init__(self, channels, filters, sizes, stride, bias):
        super().__init__()
        shares = np.array([1.0 / size**2 for size in sizes])
        counts = (filters * shares / shares.sum()).round().astype(int)
        assert counts.sum() == filters, counts
        self.m = nn.ModuleList(nn.Conv2d(channels, int(count), size, stride, size // 2, bias=bias)
                               for count, size in zip(counts, sizes))

    def forward(self, x):
        return torch.cat([m(x) for m in self.m], 1)


class Fusion(nn.Module):
    """A sum on the channels that both inputs have. Each part has a separate weight if `weighted`."""

    def __init__(self, layers, weighted):
        super().__init__()
        self.layers = layers
        if weighted:
            self.w = nn.Parameter(torch.randn(len(layers) + 1))

    def forward(self, x, outputs):
        weighted = hasattr(self, 'w')
        factors = torch.sigmoid(self.w) * (2 / len(self.w)) if weighted else [1] * (len(self.layers) + 1)
        total = x * factors[0]
        for layer, factor in zip(self.layers, factors[1:]):
            other = outputs[layer] * factor
            common = min(total.shape[1], other.shape[1])
            total = torch.cat([total[:, :common] + other[:, :common], total[:, common:]], 1)
        return total


class Head(nn.Module):
    def __init__(self, anchors, classes):
        super().__init__()
        self.anchors = anchors
        self.classes = classes

    def forward(self, x, input_size):
        images, _, rows, columns = x.shape
        stride = torch.tensor([input_size[1] / columns, input_size[0] / rows])
        x = x.view(images, len(self.anchors), 5 + self.classes, rows, columns).permute(0, 1, 3, 4, 2)
        y, cx = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing='ij')
        grid = torch.stack((cx, y), -1).float()
        anchors = torch.tensor(self.anchors).view(1, -1, 1, 1, 2)
        parts = [(torch.sigmoid(x[..., :2]) + grid) * stride, torch.exp(x[..., 2:4]) * anchors, torch.sigmoid(x[..., 4:])]
        return torch.cat(parts, -1).reshape(images, -1, 5 + self.classes)


ACTIVATIONS = {'leaky': lambda: nn.LeakyReLU(0.1), 'swish': nn.SiLU, 'mish': nn.Mish, 'linear': nn.Identity}


def parse(text):
    sections = []
    for line in text.split('\n'):
        if line.startswith('['):
            sections.append((line.strip('[]'), {}))
        elif line:
            key, value = line.split('=')
            sections[-1][1][key] = value
    return sections


def numbers(text):
    return [int(part) for part in text.split(',')]


class Network(nn.Module):
    def __init__(self, text):
        super().__init__()
        (_, net), *sections = parse(text)
        self.side = int(net['height'])
        self.kinds = [kind for kind, _ in sections]
        self.module_list = nn.ModuleList()
        channels = [3]  # of the input and each layer
        for kind, options in sections:
            count = channels[-1]
            if kind == 'convolutional':
                count = int(options['filters'])
                bn = options.get('batch_normalize') == '1'
                sizes = numbers(options['size'])
                stride = int(options.get('stride', 1))
                module = nn.Sequential()
                if len(sizes) == 1:
                    padding = sizes[0] // 2 if options.get('pad') == '1' else 0
                    module.add_module('Conv2d', nn.Conv2d(channels[-1], count, sizes[0], stride, padding,
                                                          groups=int(options.get('groups', 1)), bias=not bn))
                else:
                    module.add_module('MixConv2d', MixedConvolution(channels[-1], count, sizes, stride, not bn))
                if bn:
                    module.add_module('BatchNorm2d', nn.BatchNorm2d(count, eps=EPSILON))
                if options['activation'] != 'linear':
                    module.add_module('activation', ACTIVATIONS[options['activation']]())
            elif kind == 'BatchNorm2d':
                module = nn.BatchNorm2d(count, eps=EPSILON)
                if len(channels) == 1:
                    module.running_mean = torch.tensor([0.485, 0.456, 0.406])
                    module.running_var = torch.tensor([0.0524, 0.0502, 0.0506])
            elif kind == 'maxpool':
                size, stride = int(options['size']), int(options['stride'])
                module = nn.MaxPool2d(size, stride, (size - 1) // 2)
                if size == 2 and stride == 1:
                    module = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), module)
            elif kind == 'upsample':
                module = nn.Upsample(scale_factor=int(options['stride']))
            elif kind == 'route':
                module = nn.Identity()
                module.layers = [layer if layer >= 0 else len(channels) - 1 + layer for layer in numbers(options['layers'])]
                count = sum(channels[layer + 1] for layer in module.layers)
            elif kind == 'shortcut':
                layers = [layer if layer >= 0 else len(channels) - 1 + layer for layer in numbers(options['from'])]
                module = Fusion(layers, 'weights_type' in options)
            elif kind == 'reorg3d':
                module = nn.Sequential()
            elif kind == 'yolo':
                pairs = np.array([float(part) for part in options['anchors'].split(',')]).reshape(-1, 2)
                module = Head(pairs[numbers(options['mask'])].astype(np.float32).tolist(), int(options['classes']))
            else:
                raise ValueError(kind)
            self.module_list.append(module)
            channels.append(count)

    def forward(self, x):
        input_size = x.shape[2:]
        outputs, answers = [], []
        for kind, module in zip(self.kinds, self.module_list):
            if kind == 'shortcut':
                x = module(x, outputs)
            elif kind == 'route':
                x = torch.cat([outputs[layer] for layer in module.layers], 1)
            elif kind == 'yolo':
                answers.append(module(x, input_size))
            else:
                x = module(x)
            outputs.append(x)
        return torch.cat(answers, 1)


def view(images, ratio):
    """Shrinks the images, and fills them up to the right and below with ImageNet's mean.

    The function resizes in double. In float PyTorch's own positions are off by 1e-5 of a pixel, and on noise boxes
    are off by 7e-4 of their size.
    """
    sides = images.shape[2:]
    small = nn.functional.interpolate(images.double(), size=[int(side * ratio) for side in sides], mode='bilinear',
                                      align_corners=False).float()
    room = [math.ceil(side * ratio / 64) * 64 for side in sides]
    return nn.functional.pad(small, (0, room[1] - small.shape[3], 0, room[0] - small.shape[2]), value=0.447)


def augmented(network, images):
    """Joins the outputs for the original, a smaller mirrored copy and a still smaller copy, in the original's pixels."""
    mirrored = network(view(images.flip(3), 0.83))
    mirrored[..., :4] /= 0.83
    mirrored[..., 0] = images.shape[3] - mirrored[..., 0]
    smaller = network(view(images, 0.67))
    smaller[..., :4] /= 0.67
    return torch.cat([network(images), mirrored, smaller], 1)


def randomize(network):
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            if module.running_var.mean() > 0.5:  # skips the first layer, whose variance is a constant
                nn.init.uniform_(module.running_mean, -0.5, 0.5)
                # The variance is so small that the epsilon matters.
                nn.init.uniform_(module.running_var, 0.001, 0.5)


NET = '[net]\nwidth=64\nheight=64\nchannels=3\n'
CONV = '[convolutional]\nbatch_normalize=1\nfilters={0}\nsize={1}\nstride={2}\npad=1\nactivation={3}\n'
HEAD = ('[convolutional]\nfilters=21\nsize=1\nstride=1\npad=1\nactivation=linear\n'
        '[yolo]\nmask={0}\nanchors=10,13,16,30,33,23,30,61,62,45,59,119\nclasses=2\nnum=6\n{1}')


def conv(filters, size=3, stride=1, activation='leaky'):
    return CONV.format(filters, size, stride, activation)


def pool(size, stride):
    return f'[maxpool]\nsize={size}\nstride={stride}\n'


NETWORKS = {
    # This has the parts of yolov3-tiny: pools of even size with and without stride, and two heads.
    'tiny': NET + conv(8) + pool(2, 2) + conv(16, stride=2) + pool(2, 2) + conv(24) + pool(2, 1) + conv(32) +
            conv(16, 1) + HEAD.format('3,4,5', '') + '[route]\nlayers=-3\n' + conv(8, 1) + '[upsample]\nstride=2\n' +
            '[route]\nlayers=-1,2\n' + conv(16) + HEAD.format('0,1,2', ''),
    # This has spatial pyramid pooling, plain shortcuts, groups and every activation.
    'spp': NET + conv(8, stride=2, activation='mish') + conv(8, activation='swish') + '[shortcut]\nfrom=-2\nactivation=linear\n' +
           '[convolutional]\nbatch_normalize=1\nfilters=16\nsize=3\nstride=2\npad=1\ngroups=4\nactivation=leaky\n' +
           pool(5, 1) + '[route]\nlayers=-2\n' + pool(9, 1) + '[route]\nlayers=-1,-3,-4\n' + conv(24, stride=2) +
           conv(24, 2, activation='linear') + pool(3, 2) + HEAD.format('3,4,5', ''),
    'batchnorm': NET + '[BatchNorm2d]\n' + conv(8, stride=4) + '[BatchNorm2d]\n' + conv(12, stride=2) + HEAD.format('3,4,5', ''),
    # The layers have 29 filters of 3 x 3 and 11 of 5 x 5, then 30, 11 and 5 of three sizes. The last has no batch norm.
    'mixed': NET + conv(40, '3,5', 4) + conv(46, '3,5,7', 2, 'swish') +
             '[convolutional]\nfilters=40\nsize=3,5\nstride=1\npad=1\nactivation=leaky\n' + HEAD.format('0,1,2', ''),
    # The shortcuts join fewer, more and equal channels, and several layers at once.
    'fusion': NET + conv(8, stride=4) + conv(12) + conv(6) + '[shortcut]\nfrom=-2\nweights_type=1\nactivation=linear\n' +
              conv(12) + '[shortcut]\nfrom=-2,1,-5\nweights_type=1\nactivation=linear\n' + conv(10, stride=2) +
              '[shortcut]\nfrom=-1\nactivation=linear\n' + HEAD.format('3,4,5', ''),
    # In yolov3-spp-pan-scale neither reorg3d nor a head's list of layers has an effect.
    'pan': NET + conv(8, stride=4) + '[reorg3d]\nstride=2\n' + conv(8, stride=2) + HEAD.format('3,4,5', 'from=3,7\n') +
           '[route]\nlayers=-4\n' + conv(16) + HEAD.format('0,1,2', 'from=3,7\n'),
}


def main(folder):
    torch.set_num_threads(1)
    for seed, (name, text) in enumerate(NETWORKS.items()):
        torch.manual_seed(seed)
        network = Network(text)
        randomize(network)
        network.eval()
        image = torch.rand(1, 3, network.side, network.side)
        with torch.no_grad():
            expected = network(image)
            wide = torch.rand(2, 3, 160, 352)
            wide_augmented = augmented(network, wide)
        path = os.path.join(folder, name)
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, 'net.cfg'), 'w') as cfg:
            cfg.write(text)
        np.save(os.path.join(path, 'input.npy'), image[0].numpy())
        np.save(os.path.join(path, 'expected.npy'), expected[0].numpy())
        np.save(os.path.join(path, 'wide-input.npy'), wide.numpy())
        np.save(os.path.join(path, 'wide-augmented.npy'), wide_augmented.numpy())
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
        checkpoint = {'epoch': 7, 'best_fitness': np.array([0.25]), 'training_results': '0/7 1.5 2.5\n',
                      'model': network.state_dict(), 'optimizer': optimizer.state_dict()}
        torch.save(checkpoint, os.path.join(path, 'net.pt'))
        torch.save(checkpoint, os.path.join(path, 'legacy.pt'), _use_new_zipfile_serialization=False)
        if seed == 0:
            half = collections.OrderedDict((key, value.half()) for key, value in network.state_dict().items())
            torch.save(half, os.path.join(path, 'half.pt'))
            torch.save({'model': network.module_list[0]}, os.path.join(path, 'module.pt'))


if __name__ == '__main__':
    main(sys.argv[1])
