#!/usr/bin/env python3
"""Makes samples/: a small picture in every format and variant of docs/formats.md, and samples.tsv, their list.

The samples are part of the project, so that no test needs the tools of this script: python3-pil, python3-numpy,
libjpeg-turbo-progs, libtiff-tools, webp, libavif-bin, libheif-examples, libjxl-tools. Run the script to add a sample,
and then tools/formats.

Each line of samples.tsv has the file's name, its group, its description and its drawing (samples/drawn/NAME.ppm,
upright; - for none). Then it has the largest difference of a value from the drawing, and whether the page also has the
file cut short.
"""
import io
import os
import shutil
import struct
import subprocess
import tempfile
import zlib

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 48, 32
HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "samples")

y, x = np.mgrid[0:HEIGHT, 0:WIDTH]


def rgb(*planes):
    return np.stack([np.asarray(plane, np.uint8) for plane in planes], axis=-1)


# ---- drawings: none is like itself turned or mirrored ----

COLOUR = rgb(x * 5, y * 8, (x + y) * 3)
GREY = np.asarray(x * 3 + y * 3, np.uint8)
BITS = np.asarray(((x // 8 + y // 8) % 2 == 0) | ((x < 24) & (y < 10)), np.uint8)
INDEX2 = np.asarray((x // 12 + (y // 16)) % 4, np.uint8)
INDEX4 = np.asarray(x // 12 + (y // 8) * 4, np.uint8)
INDEX8 = np.asarray(x // 3 + (y // 2) * 16, np.uint8)
PALETTE = np.stack([np.arange(256) * 37 % 256, np.arange(256) * 91 % 256, 255 - np.arange(256)], axis=-1).astype(np.uint8)
ALPHA = np.asarray(np.clip((x - 12) * 10, 0, 255), np.uint8)
CYAN, MAGENTA, YELLOW, BLACK = 255 - COLOUR[..., 0], 255 - COLOUR[..., 1], 255 - COLOUR[..., 2], np.asarray(y * 2, np.uint8)
KEPT = 255 - BLACK.astype(int)
CMYK = np.stack([CYAN, MAGENTA, YELLOW, BLACK], axis=-1)


def grey_rgb(values):
    return rgb(values, values, values)


DRAWINGS = {
    "colour": COLOUR, "grey": grey_rgb(GREY), "bits": grey_rgb(BITS * 255), "grey2": grey_rgb(INDEX2 * 85),
    "grey4": grey_rgb(INDEX4 * 17), "palette1": PALETTE[BITS], "palette2": PALETTE[INDEX2], "palette4": PALETTE[INDEX4],
    "palette8": PALETTE[INDEX8],
    "cmyk": np.stack([(COLOUR[..., c].astype(int) * KEPT + 127) // 255 for c in range(3)], axis=-1).astype(np.uint8),
    "premultiplied": ((COLOUR.astype(int) * ALPHA[..., None] + 127) // 255).astype(np.uint8),
    "clipped": grey_rgb(np.minimum(GREY.astype(int) * 255 // 100, 255)),
}

samples = []


def add(name, group, what, data, drawing="colour", tolerance=0, cut=False):
    with open(os.path.join(OUT, name), "wb") as file:
        file.write(data)
    samples.append((name, group, what, drawing, str(tolerance), "cut" if cut else "whole"))


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def tool(command, data, source, target):
    """Returns a program's output for `data`. {in} and {out} in its arguments become files of these names."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {"in": os.path.join(folder, source), "out": os.path.join(folder, target)}
        with open(paths["in"], "wb") as file:
            file.write(data)
        subprocess.run([part.format(**paths) for part in command], check=True, capture_output=True)
        with open(paths["out"], "rb") as file:
            return file.read()


def colour():
    return Image.fromarray(COLOUR)


def ppm(pixels):
    return b"P6\n%d %d\n255\n" % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes()


# The picture that a camera would have stored: the orientation turns it into the drawing.
STORED = {1: lambda p: p, 2: lambda p: p[:, ::-1], 3: lambda p: p[::-1, ::-1], 4: lambda p: p[::-1],
          5: lambda p: p.transpose(1, 0, 2), 6: lambda p: p.transpose(1, 0, 2)[::-1],
          7: lambda p: p.transpose(1, 0, 2)[::-1, ::-1], 8: lambda p: p.transpose(1, 0, 2)[:, ::-1]}


def stored(orientation):
    return np.ascontiguousarray(STORED[orientation](COLOUR))


def exif(orientation, order="<", kind=3):
    """A TIFF directory with only an orientation; `kind` is its type: 1 BYTE, 3 SHORT, 4 LONG."""
    value = struct.pack(order + {1: "B", 3: "H", 4: "I"}[kind], orientation).ljust(4, b"\0")
    return ((b"II" if order == "<" else b"MM") + struct.pack(order + "HIHHHI", 42, 8, 1, 274, kind, 1) + value +
            struct.pack(order + "I", 0))


# ---- JPEG ----

def segment(marker, payload):
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def with_segment(jpeg, marker, payload):
    return jpeg[:2] + segment(marker, payload) + jpeg[2:]


def oriented_jpeg(orientation, **options):
    plain = saved(Image.fromarray(stored(orientation)), "JPEG", quality=95, subsampling=0)
    return with_segment(plain, 0xE1, b"Exif\0\0" + exif(orientation, **options))


def jpegs():
    def cjpeg(*options, pixels=COLOUR):
        return tool(["cjpeg", "-quality", "95", *options, "-outfile", "{out}", "{in}"], ppm(pixels), "a.ppm", "a.jpg")

    lossless = saved(colour(), "JPEG", quality=95, subsampling=0)
    add("baseline.jpg", "JPEG", "baseline, 4:4:4", lossless, tolerance=8, cut=True)
    for name, sampling in (("422", "2x1"), ("420", "2x2"), ("440", "1x2"), ("411", "4x1")):
        add(f"baseline-{name}.jpg", "JPEG", f"baseline, {':'.join(name)}", cjpeg("-sample", sampling), tolerance=16)
    add("progressive.jpg", "JPEG", "progressive", cjpeg("-progressive", "-sample", "1x1"), tolerance=8, cut=True)
    add("grey.jpg", "JPEG", "greyscale", cjpeg("-grayscale", pixels=grey_rgb(GREY)), "grey", 8)
    add("grey-progressive.jpg", "JPEG", "greyscale, progressive",
        cjpeg("-grayscale", "-progressive", pixels=grey_rgb(GREY)), "grey", 8)
    add("restarts.jpg", "JPEG", "restart markers", cjpeg("-restart", "1", "-sample", "1x1"), tolerance=8)
    add("rgb.jpg", "JPEG", "stored as RGB (Adobe's marker)", cjpeg("-rgb"), tolerance=8)
    add("cmyk.jpg", "JPEG", "CMYK, inverted as Adobe's programs write it", saved(Image.fromarray(CMYK, "CMYK"), "JPEG", quality=95),
        "cmyk", 10)
    for orientation in range(1, 9):
        add(f"orientation-{orientation}.jpg", "JPEG", f"EXIF orientation {orientation}", oriented_jpeg(orientation),
            tolerance=8)
    add("orientation-6-long.jpg", "JPEG", "EXIF orientation 6, typed LONG", oriented_jpeg(6, kind=4), tolerance=8)
    add("orientation-6-big-endian.jpg", "JPEG", "EXIF orientation 6, big-endian", oriented_jpeg(6, order=">"), tolerance=8)
    add("orientation-6-long-big-endian.jpg", "JPEG", "EXIF orientation 6, typed LONG, big-endian",
        oriented_jpeg(6, order=">", kind=4), tolerance=8)
    add("orientation-9.jpg", "JPEG", "EXIF orientation 9, which is none",
        with_segment(lossless, 0xE1, b"Exif\0\0" + exif(9)), tolerance=8)
    profile = b"ICC_PROFILE\0\1\1" + bytes(128)
    add("icc.jpg", "JPEG", "with a colour profile", with_segment(lossless, 0xE2, profile), tolerance=8)
    add("no-end-marker.jpg", "JPEG", "without its end marker", lossless[:-2], tolerance=8)
    add("bytes-behind.jpg", "JPEG", "1,000 bytes behind its end", lossless + bytes(1000), tolerance=8)
    add("arithmetic.jpg", "JPEG", "arithmetic-coded", cjpeg("-arithmetic"), tolerance=16)
    frame = lossless.index(b"\xFF\xC0")
    add("12-bit.jpg", "JPEG", "12 bits a sample (the header alone says so)",
        lossless[:frame + 4] + b"\x0C" + lossless[frame + 5:], "-")
    add("lossless.jpg", "JPEG", "lossless (the frame's marker alone says so)",
        lossless[:frame + 1] + b"\xC3" + lossless[frame + 2:], "-")
    scan = lossless.index(b"\xFF\xDA")
    header = lossless[frame:frame + 2 + struct.unpack(">H", lossless[frame + 2:frame + 4])[0]]
    add("two-frames.jpg", "JPEG", "two frame headers", lossless[:scan] + header + lossless[scan:], "-")
    add("no-scan.jpg", "JPEG", "its header alone", lossless[:scan] + b"\xFF\xD9", "-")


# ---- PNG ----

def chunk(kind, data, crc=None):
    checksum = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def packed_rows(values, depth):
    """Returns the rows of samples (h, w, n) as PNG stores them."""
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in values]
    if depth == 8:
        return [row.astype(np.uint8).tobytes() for row in values]
    rows = []
    for row in values.reshape(values.shape[0], -1):
        bits = np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - depth:]
        rows.append(np.packbits(bits.reshape(-1)).tobytes())
    return rows


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def png(values, depth, colour_type, interlaced=False, before=b"", data_chunks=None):
    values = values.reshape(values.shape[0], values.shape[1], -1)
    parts = [values[top::down, left::across] for left, top, across, down in ADAM7] if interlaced else [values]
    data = b"".join(b"\0" + row for part in parts if part.size for row in packed_rows(part, depth))
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], depth, colour_type, 0, 0, int(interlaced))
    compressed = zlib.compress(data, 9)
    body = chunk(b"IDAT", compressed) if data_chunks is None else data_chunks(compressed)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + body + chunk(b"IEND", b"")


def with_alpha(values, alpha):
    return np.concatenate([values.reshape(HEIGHT, WIDTH, -1), alpha.reshape(HEIGHT, WIDTH, 1)], axis=-1)


def pngs():
    wide = lambda values: values.astype(np.uint16) * 256 + 200  # 16 bits whose lower half is not the upper's
    kinds = [("grey1", BITS, 1, 0, b"", "bits", "greyscale, 1 bit"), ("grey2", INDEX2, 2, 0, b"", "grey2", "greyscale, 2 bits"),
             ("grey4", INDEX4, 4, 0, b"", "grey4", "greyscale, 4 bits"), ("grey8", GREY, 8, 0, b"", "grey", "greyscale, 8 bits"),
             ("grey16", wide(GREY), 16, 0, b"", "grey", "greyscale, 16 bits"),
             ("grey-alpha8", with_alpha(GREY, ALPHA), 8, 4, b"", "grey", "greyscale with alpha, 8 bits"),
             ("grey-alpha16", wide(with_alpha(GREY, ALPHA)), 16, 4, b"", "grey", "greyscale with alpha, 16 bits"),
             ("rgb8", COLOUR, 8, 2, b"", "colour", "RGB, 8 bits"), ("rgb16", wide(COLOUR), 16, 2, b"", "colour", "RGB, 16 bits"),
             ("rgba8", with_alpha(COLOUR, ALPHA), 8, 6, b"", "colour", "RGBA, 8 bits"),
             ("rgba16", wide(with_alpha(COLOUR, ALPHA)), 16, 6, b"", "colour", "RGBA, 16 bits"),
             ("rgb8-key", COLOUR, 8, 2, chunk(b"tRNS", struct.pack(">HHH", 0, 0, 0)), "colour", "RGB with a transparent colour"),
             ("grey8-key", GREY, 8, 0, chunk(b"tRNS", struct.pack(">H", 0)), "grey", "greyscale with a transparent value")]
    for bits, values in ((1, BITS), (2, INDEX2), (4, INDEX4), (8, INDEX8)):
        palette = chunk(b"PLTE", PALETTE[:1 << bits].tobytes())
        kinds.append((f"palette{bits}", values, bits, 3, palette, f"palette{bits}", f"palette, {bits} bit{'s' * (bits > 1)}"))
        if bits == 4:
            kinds.append(("palette4-alpha", values, 4, 3, palette + chunk(b"tRNS", bytes(range(0, 160, 10))), "palette4",
                          "palette with alpha"))
    for name, values, depth, kind, before, drawing, what in kinds:
        add(f"{name}.png", "PNG", what, png(values, depth, kind, before=before), drawing, cut=name == "rgb8")
    for name in ("grey1", "palette4", "rgb8", "rgba16"):
        _, values, depth, kind, before, drawing, what = next(entry for entry in kinds if entry[0] == name)
        add(f"interlaced-{name}.png", "PNG", f"interlaced, {what}", png(values, depth, kind, True, before), drawing,
            cut=name == "rgb8")
    for orientation in (3, 6):
        add(f"orientation-{orientation}.png", "PNG", f"eXIf orientation {orientation}",
            png(stored(orientation), 8, 2, before=chunk(b"eXIf", exif(orientation))))
    add("gamma.png", "PNG", "gamma of 1.0 (gAMA)", png(COLOUR, 8, 2, before=chunk(b"gAMA", struct.pack(">I", 100000))))
    add("bad-crc.png", "PNG", "a wrong checksum of the pixels",
        png(COLOUR, 8, 2, data_chunks=lambda data: chunk(b"IDAT", data, crc=1)))
    add("bad-text-crc.png", "PNG", "a wrong checksum of a text",
        png(COLOUR, 8, 2, before=chunk(b"tEXt", b"Title\0a", crc=1)))
    add("bytes-behind.png", "PNG", "1,000 bytes behind its end", png(COLOUR, 8, 2) + bytes(1000))
    frames = [colour(), Image.fromarray(255 - COLOUR)]
    add("animated.png", "PNG", "animated (APNG), the second frame is the negative",
        saved(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=100), cut=True)
    bad = png(COLOUR, 8, 2)
    add("bad-colour-type.png", "PNG", "a colour type that PNG has not", bad[:25] + b"\x05" + bad[26:29] + struct.pack(
        ">I", zlib.crc32(bad[12:25] + b"\x05" + bad[26:29])) + bad[33:], "-")


# ---- WebP ----

def riff(chunks):
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webps():
    transparent = Image.fromarray(with_alpha(COLOUR, ALPHA), "RGBA")
    lossy = saved(colour(), "WEBP", quality=95)
    lossless = saved(colour(), "WEBP", lossless=True)
    add("lossy.webp", "WebP", "lossy", lossy, tolerance=16, cut=True)
    add("lossless.webp", "WebP", "lossless", lossless, cut=True)
    add("lossy-alpha.webp", "WebP", "lossy with alpha", saved(transparent, "WEBP", quality=95, exact=True), tolerance=24)
    add("lossless-alpha.webp", "WebP", "lossless with alpha", saved(transparent, "WEBP", lossless=True, exact=True))
    for orientation in (3, 6):
        for name, prefix, what in (("", b"", ""), ("-prefix", b"Exif\0\0", ", with the prefix that EXIF has in a JPEG")):
            if prefix and orientation == 3:
                continue
            bitstream = saved(Image.fromarray(stored(orientation)), "WEBP", lossless=True)[12:]
            height, width = stored(orientation).shape[:2]
            size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
            length = struct.unpack("<I", bitstream[4:8])[0]
            add(f"orientation-{orientation}{name}.webp", "WebP", f"EXIF orientation {orientation}{what}",
                riff([(b"VP8X", b"\x08\0\0\0" + size), (b"VP8L", bitstream[8:8 + length]), (b"EXIF", prefix + exif(orientation))]),
                cut=orientation == 3)
    frames = [colour(), Image.fromarray(255 - COLOUR)]
    add("animated.webp", "WebP", "animated, the second frame is the negative",
        saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, duration=100), cut=True)


# ---- TIFF ----

def tiff(values, tags, order="<", strips=None, big=False):
    """Makes a TIFF with a single directory. It has `tags`, {id: (type, [values])}, beside the size and the strips."""
    height, width = values[0].shape[:2] if isinstance(values, list) else values.shape[:2]
    strips = strips if strips is not None else [values.tobytes()]
    tags = dict(tags)
    tags.setdefault(259, (3, [1]))
    tags.update({256: (3, [width]), 257: (3, [height]), 278: (3, [height]), 279: (4, [len(strip) for strip in strips])})
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 11: 4, 16: 8}
    codes = {1: "B", 3: "H", 4: "I", 11: "f", 16: "Q"}
    entry_bytes, inline, count_code, offset_code = (20, 8, "Q", "Q") if big else (12, 4, "I", "I")
    head = 16 if big else 8
    tags[273] = (16 if big else 4, [0] * len(strips))
    directory_bytes = (8 if big else 2) + entry_bytes * len(tags) + (8 if big else 4)
    extra_at = head + directory_bytes
    extra = b""
    data_at = extra_at + sum((sizes[kind] * len(items) + 1) // 2 * 2 for kind, items in tags.values()
                             if sizes[kind] * len(items) > inline)
    offsets = []
    for strip in strips:
        offsets.append(data_at)
        data_at += len(strip)
    tags[273] = (tags[273][0], offsets)
    entries = b""
    for tag in sorted(tags):
        kind, items = tags[tag]
        packed = struct.pack(order + codes[kind] * len(items), *items)
        entries += struct.pack(order + "HH" + count_code, tag, kind, len(items))
        if len(packed) <= inline:
            entries += packed.ljust(inline, b"\0")
        else:
            entries += struct.pack(order + offset_code, extra_at + len(extra))
            extra += packed + b"\0" * (len(packed) % 2)
    mark = b"II" if order == "<" else b"MM"
    start = mark + (struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8))
    count = struct.pack(order + ("Q" if big else "H"), len(tags))
    return start + count + entries + struct.pack(order + offset_code, 0) + extra + b"".join(strips)


def tiffs():
    def kind(photometric, bits, samples=1, **more):
        tags = {262: (3, [photometric]), 258: (3, [bits] * samples), 277: (3, [samples])}
        tags.update({int(tag[1:]): value for tag, value in more.items()})
        return tags

    def of(values, tags, **options):
        return tiff(values, tags, **options)

    def packed(values, bits):
        return b"".join(packed_rows(values.reshape(HEIGHT, WIDTH, -1), bits))

    plain = kind(2, 8, 3)
    wide = lambda values, order="<": (values.astype(np.uint16) * 256 + 200).astype(order + "u2")
    rgba = with_alpha(COLOUR, ALPHA)
    add("bits.tif", "TIFF", "bilevel, black is zero", of(BITS, kind(1, 1), strips=[packed(BITS, 1)]), "bits")
    add("bits-white-is-zero.tif", "TIFF", "bilevel, white is zero", of(BITS, kind(0, 1), strips=[packed(1 - BITS, 1)]), "bits")
    add("grey4.tif", "TIFF", "greyscale, 4 bits", of(INDEX4, kind(1, 4), strips=[packed(INDEX4, 4)]), "grey4")
    add("grey8.tif", "TIFF", "greyscale, 8 bits", of(GREY, kind(1, 8)), "grey")
    add("grey8-white-is-zero.tif", "TIFF", "greyscale, 8 bits, white is zero", of(255 - GREY, kind(0, 8)), "grey")
    add("grey16.tif", "TIFF", "greyscale, 16 bits", of(wide(GREY), kind(1, 16)), "grey")
    add("grey-alpha8.tif", "TIFF", "greyscale with alpha", of(with_alpha(GREY, ALPHA), kind(1, 8, 2, t338=(3, [2]))), "grey")
    add("rgb8.tif", "TIFF", "RGB, 8 bits", of(COLOUR, plain), cut=True)
    add("rgb8-big-endian.tif", "TIFF", "RGB, 8 bits, big-endian", of(COLOUR, plain, order=">"))
    add("rgb16.tif", "TIFF", "RGB, 16 bits", of(wide(COLOUR), kind(2, 16, 3)))
    add("rgb16-big-endian.tif", "TIFF", "RGB, 16 bits, big-endian", of(wide(COLOUR, ">"), kind(2, 16, 3), order=">"))
    add("rgba8.tif", "TIFF", "RGBA, alpha beside the colours", of(rgba, kind(2, 8, 4, t338=(3, [2]))))
    premultiplied = (COLOUR.astype(int) * ALPHA[..., None] + 127) // 255
    add("rgba8-premultiplied.tif", "TIFF", "RGBA, colours multiplied with alpha",
        of(with_alpha(premultiplied.astype(np.uint8), ALPHA), kind(2, 8, 4, t338=(3, [1]))), "premultiplied")
    add("rgbx8.tif", "TIFF", "RGB with a fourth sample that means nothing", of(rgba, kind(2, 8, 4, t338=(3, [0]))))
    colour_map = [int(value) * 257 for value in PALETTE.transpose().reshape(-1)]
    add("palette8.tif", "TIFF", "palette, 8 bits", of(INDEX8, kind(3, 8, t320=(3, colour_map))), "palette8")
    few = [int(value) * 257 for value in PALETTE[:16].transpose().reshape(-1)]
    add("palette4.tif", "TIFF", "palette, 4 bits",
        of(INDEX4, kind(3, 4, t320=(3, few)), strips=[packed(INDEX4, 4)]), "palette4")
    add("cmyk8.tif", "TIFF", "CMYK", of(CMYK, kind(5, 8, 4)), "cmyk", 1)
    planes = [np.ascontiguousarray(COLOUR[..., c]) for c in range(3)]
    add("planes.tif", "TIFF", "RGB, a plane for each colour",
        of(planes, {**plain, 284: (3, [2])}, strips=[plane.tobytes() for plane in planes]))
    for orientation in range(2, 9):
        add(f"orientation-{orientation}.tif", "TIFF", f"orientation {orientation}",
            of(stored(orientation), {**plain, 274: (3, [orientation])}))
    add("orientation-6-long.tif", "TIFF", "orientation 6, typed LONG", of(stored(6), {**plain, 274: (4, [6])}))
    base = of(COLOUR, plain)
    for name, what in (("lzw", "LZW"), ("lzw:2", "LZW with a predictor"), ("zip", "Deflate"), ("packbits", "PackBits"),
                       ("lzma", "LZMA"), ("zstd", "ZSTD"), ("webp", "WebP")):
        try:
            data = tool(["tiffcp", "-c", name, "{in}", "{out}"], base, "a.tif", "b.tif")
        except subprocess.CalledProcessError:
            continue
        add(f"{name.replace(':2', '-predictor')}.tif", "TIFF", f"compression {what}", data,
            tolerance=24 if name == "webp" else 0, cut=name == "lzw")
    add("jpeg.tif", "TIFF", "compression JPEG, YCbCr", saved(colour(), "TIFF", compression="jpeg", quality=95), tolerance=16)
    bilevel = Image.fromarray(BITS * 255).convert("1", dither=0)
    for name, what in (("group3", "fax, group 3"), ("group4", "fax, group 4"), ("tiff_ccitt", "fax, modified Huffman")):
        add(f"{name}.tif", "TIFF", f"compression {what}", saved(bilevel, "TIFF", compression=name), "bits")
    add("tiles.tif", "TIFF", "tiles of 16 x 16", tool(["tiffcp", "-t", "-w", "16", "-l", "16", "{in}", "{out}"], base, "a.tif", "b.tif"))
    add("pages.tif", "TIFF", "two pages, the second is the negative",
        saved(colour(), "TIFF", save_all=True, append_images=[Image.fromarray(255 - COLOUR)]))
    add("big.tif", "TIFF", "BigTIFF", of(COLOUR, plain, big=True))
    add("float32.tif", "TIFF", "RGB, 32-bit floats from 0 to 1",
        of((COLOUR / 255).astype("<f4"), kind(2, 32, 3, t339=(3, [3] * 3))))
    add("int32.tif", "TIFF", "greyscale, 32 bits", of(GREY.astype("<u4") << 24, kind(1, 32)), "grey")
    add("lab.tif", "TIFF", "CIE L*a*b*", of(COLOUR, kind(8, 8, 3)), "-")


# ---- BMP ----

def bmp(rows, width, height, bits, compression=0, masks=b"", palette=b"", info=40, top_down=False):
    if info == 12:
        header = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        header = struct.pack("<IiiHHIIiiII", info, width, -height if top_down else height, 1, bits, compression, len(rows),
                             2835, 2835, 0, 0)
        header += (masks if info > 40 else b"").ljust(info - 40, b"\0")
        if info == 40:
            header += masks
    at = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", at + len(rows), 0, 0, at) + header + palette + rows


def padded(rows):
    return b"".join(row + b"\0" * (-len(row) % 4) for row in rows)


def run_length(values, bits):
    out = b""
    for row in values[::-1]:
        at = 0
        while at < len(row):
            run = 1
            while at + run < len(row) and row[at + run] == row[at] and run < 255:
                run += 1
            value = int(row[at])
            out += bytes([run, value if bits == 8 else value << 4 | value])
            at += run
        out += b"\0\0"
    return out + b"\0\1"


def bmps():
    up = lambda values: values[::-1]
    quads = np.concatenate([PALETTE[:, ::-1], np.zeros((256, 1), np.uint8)], axis=1).tobytes()
    triples = PALETTE[:, ::-1].tobytes()
    bgr = COLOUR[..., ::-1]
    rows24 = padded([row.tobytes() for row in up(bgr)])
    for bits, values in ((1, BITS), (4, INDEX4), (8, INDEX8)):
        rows = padded(packed_rows(up(values).reshape(HEIGHT, WIDTH, 1), bits))
        add(f"palette{bits}.bmp", "BMP", f"palette, {bits} bit{'s' * (bits > 1)}",
            bmp(rows, WIDTH, HEIGHT, bits, palette=quads[:4 << bits]), f"palette{bits}")
    for bits, values, compression in ((8, INDEX8, 1), (4, INDEX4, 2)):
        add(f"rle{bits}.bmp", "BMP", f"run lengths, {bits} bits",
            bmp(run_length(values, bits), WIDTH, HEIGHT, bits, compression, palette=quads[:4 << bits]), f"palette{bits}",
            cut=bits == 8)
    five = (COLOUR.astype(int) >> 3)
    x555 = (five[..., 0] << 10 | five[..., 1] << 5 | five[..., 2]).astype("<u2")
    x565 = (five[..., 0] << 11 | (COLOUR[..., 1].astype(int) >> 2) << 5 | five[..., 2]).astype("<u2")
    add("rgb555.bmp", "BMP", "16 bits, 5 for each colour", bmp(padded([row.tobytes() for row in up(x555)]), WIDTH, HEIGHT, 16),
        tolerance=8)
    add("rgb565.bmp", "BMP", "16 bits, masks of 5, 6 and 5 bits",
        bmp(padded([row.tobytes() for row in up(x565)]), WIDTH, HEIGHT, 16, 3, struct.pack("<III", 0xF800, 0x7E0, 0x1F)),
        tolerance=8)
    add("rgb24.bmp", "BMP", "24 bits", bmp(rows24, WIDTH, HEIGHT, 24), cut=True)
    add("top-down.bmp", "BMP", "24 bits, the top row first",
        bmp(padded([row.tobytes() for row in bgr]), WIDTH, HEIGHT, 24, top_down=True))
    add("os2.bmp", "BMP", "OS/2's header, palette of 8 bits",
        bmp(padded([row.tobytes() for row in up(INDEX8)]), WIDTH, HEIGHT, 8, palette=triples, info=12), "palette8")
    bgrx = np.concatenate([bgr, np.zeros((HEIGHT, WIDTH, 1), np.uint8)], axis=-1)
    add("rgb32.bmp", "BMP", "32 bits, the fourth byte is 0", bmp(np.ascontiguousarray(up(bgrx)).tobytes(), WIDTH, HEIGHT, 32))
    rgbx = np.concatenate([COLOUR, np.zeros((HEIGHT, WIDTH, 1), np.uint8)], axis=-1)
    add("rgb32-low-red.bmp", "BMP", "32 bits, masks with red in the low byte",
        bmp(np.ascontiguousarray(up(rgbx)).tobytes(), WIDTH, HEIGHT, 32, 3, struct.pack("<III", 0xFF, 0xFF00, 0xFF0000)))
    bgra = with_alpha(bgr, ALPHA)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    for info, name in ((56, "3"), (108, "4"), (124, "5")):
        add(f"rgba32-v{name}.bmp", "BMP", f"32 bits with alpha, header of version {name}",
            bmp(np.ascontiguousarray(up(bgra)).tobytes(), WIDTH, HEIGHT, 32, 3, masks, info=info))
    ten = (COLOUR.astype(np.uint32) * 4 + 2)
    x10 = (ten[..., 0] << 20 | ten[..., 1] << 10 | ten[..., 2]).astype("<u4")
    add("rgb10.bmp", "BMP", "32 bits, masks of 10 bits",
        bmp(np.ascontiguousarray(up(x10)).tobytes(), WIDTH, HEIGHT, 32, 3, struct.pack("<III", 0x3FF << 20, 0x3FF << 10, 0x3FF)),
        tolerance=1)
    add("jpeg.bmp", "BMP", "a JPEG inside", bmp(saved(colour(), "JPEG"), WIDTH, HEIGHT, 0, 4), "-")
    add("png.bmp", "BMP", "a PNG inside", bmp(saved(colour(), "PNG"), WIDTH, HEIGHT, 0, 5), "-")


# ---- PNM ----

def pnms():
    def plain(kind, values, most):
        head = f"P{kind}\n{WIDTH} {HEIGHT}\n" + (f"{most}\n" if most else "")
        return (head + "\n".join(" ".join(str(v) for v in row) for row in values.reshape(HEIGHT, -1)) + "\n").encode()

    def raw(kind, data, most, comment=""):
        return f"P{kind}\n{comment}{WIDTH} {HEIGHT}\n".encode() + (f"{most}\n".encode() if most else b"") + data

    add("plain.pbm", "PNM", "bitmap as text (P1)", plain(1, 1 - BITS, 0), "bits")
    add("plain.pgm", "PNM", "greyscale as text (P2)", plain(2, GREY, 255), "grey")
    add("plain.ppm", "PNM", "colour as text (P3)", plain(3, COLOUR, 255), cut=True)
    add("raw.pbm", "PNM", "bitmap (P4)", raw(4, np.packbits(1 - BITS, axis=1).tobytes(), 0), "bits")
    add("raw.pgm", "PNM", "greyscale (P5)", raw(5, GREY.tobytes(), 255), "grey")
    add("raw.ppm", "PNM", "colour (P6)", raw(6, COLOUR.tobytes(), 255), cut=True)
    add("comment.ppm", "PNM", "colour with a comment in its header", raw(6, COLOUR.tobytes(), 255, "# made by hand\n"))
    add("maxval15.pgm", "PNM", "greyscale, largest value 15", raw(5, INDEX4.tobytes(), 15), "grey4")
    add("maxval1023.pgm", "PNM", "greyscale, largest value 1023", raw(5, (GREY.astype(">u2") * 4).astype(">u2").tobytes(), 1023), "grey", 1)
    add("maxval65535.pgm", "PNM", "greyscale, largest value 65535", raw(5, (GREY.astype(np.uint16) * 256 + 200).astype(">u2").tobytes(), 65535), "grey")
    add("maxval65535.ppm", "PNM", "colour, largest value 65535", raw(6, (COLOUR.astype(np.uint16) * 256 + 200).astype(">u2").tobytes(), 65535))
    add("maxval100-plain.ppm", "PNM", "colour as text, largest value 100", plain(3, (COLOUR.astype(int) * 100 + 127) // 255, 100), tolerance=2)
    add("beyond-maxval.pgm", "PNM", "greyscale, values above the largest, 100", raw(5, GREY.tobytes(), 100), "clipped", 1)
    add("two-pictures.ppm", "PNM", "two pictures, the second is the negative",
        raw(6, COLOUR.tobytes(), 255) + raw(6, (255 - COLOUR).tobytes(), 255))
    add("raw.pam", "PNM", "PAM (P7)",
        f"P7\nWIDTH {WIDTH}\nHEIGHT {HEIGHT}\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n".encode() + COLOUR.tobytes())
    add("float.pfm", "PNM", "PFM, floats", f"PF\n{WIDTH} {HEIGHT}\n-1.0\n".encode() + (COLOUR[::-1] / 255).astype("<f4").tobytes())


# ---- what is not served ----

def others():
    group = "other"
    frames = [colour().quantize(16), Image.fromarray(255 - COLOUR).quantize(16)]
    add("still.gif", group, "GIF", saved(frames[0], "GIF"), "-")
    add("animated.gif", group, "GIF, animated", saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), "-")
    source = png(COLOUR, 8, 2)
    add("photo.heic", group, "HEIC", tool(["heif-enc", "-q", "95", "-o", "{out}", "{in}"], source, "a.png", "a.heic"), tolerance=24)
    add("photo.avif", group, "AVIF", tool(["avifenc", "--min", "0", "--max", "10", "{in}", "{out}"], source, "a.png", "a.avif"), tolerance=24)
    add("photo.jxl", group, "JPEG XL, a bare codestream", tool(["cjxl", "-d", "0", "{in}", "{out}"], source, "a.png", "a.jxl"))
    add("container.jxl", group, "JPEG XL in its container",
        tool(["cjxl", "-d", "0", "--container=1", "{in}", "{out}"], source, "a.png", "a.jxl"))
    add("photo.jp2", group, "JPEG 2000", saved(colour(), "JPEG2000"))
    code = saved(colour(), "JPEG2000")
    add("codestream.j2k", group, "JPEG 2000, a bare codestream", code[code.index(b"\xFF\x4F\xFF\x51"):])
    add("icon.ico", group, "Windows icon", saved(colour(), "ICO", sizes=[(48, 32)]))
    add("photo.tga", group, "TGA", saved(colour(), "TGA"))
    add("photo.pcx", group, "PCX", saved(colour(), "PCX"))
    ras = struct.pack(">IIIIIIII", 0x59A66A95, WIDTH, HEIGHT, 24, WIDTH * HEIGHT * 3, 1, 0, 0) + COLOUR[..., ::-1].tobytes()
    add("photo.ras", group, "Sun raster", ras)
    add("drawing.svg", group, "SVG", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="48" height="32"/>\n', "-")
    add("page.pdf", group, "PDF", saved(colour(), "PDF"), "-")
    add("page.html", group, "an HTML page", b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n", "-")
    add("note.txt", group, "a text", b"not a picture\n", "-")
    add("empty", group, "an empty file", b"", "-")
    add("zeros", group, "1,000 bytes of 0", bytes(1000), "-")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(os.path.join(OUT, "drawn"))
    for name, pixels in DRAWINGS.items():
        with open(os.path.join(OUT, "drawn", name + ".ppm"), "wb") as file:
            file.write(ppm(pixels))
    for make in (jpegs, pngs, webps, tiffs, bmps, pnms, others):
        make()
    assert len({name for name, *_ in samples}) == len(samples)
    with open(os.path.join(OUT, "samples.tsv"), "w", encoding="utf-8") as file:
        for sample in samples:
            file.write("\t".join(sample) + "\n")


if __name__ == "__main__":
    main()
