"""What the example scripts share: specimen documents, tables, and writing what differs.

Standard library only, no clock, no chance: the same bytes on every machine.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import struct
import sys
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

# ------------------------------------------------------------------------------------------------ files


def csv_text(rows: Iterable[Mapping[str, str]], columns: Iterable[str]) -> str:
    """A table of these columns; what a row does not have is empty, what is no column is left out."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(columns), extrasaction="ignore", lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def json_text(body: Any) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def main(about: str | None, wanted: Mapping[Path, bytes]) -> int:
    """Write `wanted`; with --check write nothing, and name each file that differs."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file differs")
    is_check = parser.parse_args().check
    stale = [path for path, data in wanted.items() if not path.is_file() or path.read_bytes() != data]
    for path in stale:
        if is_check:
            print(f"{path.relative_to(EXAMPLES.parent)}: differs, run python {Path(sys.argv[0]).as_posix()}")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wanted[path])
    return 1 if is_check and stale else 0


# --------------------------------------------------------------------------------------- a plain card

WIDTH, HEIGHT = 256, 160
PAPER, BAND, INK = 255, 208, 0

# Five columns a letter, seven dots a column, lowest bit on top.
FONT = {
    " ": "0000000000", "-": "0808080808",
    "0": "3e5149453e", "1": "00427f4000", "2": "4261514946", "3": "2141454b31", "4": "1814127f10",
    "5": "2745454539", "6": "3c4a494930", "7": "0171090503", "8": "3649494936", "9": "064949291e",
    "A": "7e1111117e", "B": "7f49494936", "C": "3e41414122", "D": "7f4141221c", "E": "7f49494941",
    "F": "7f09090901", "G": "3e4149497a", "H": "7f0808087f", "I": "00417f4100", "J": "2040413f01",
    "K": "7f08142241", "L": "7f40404040", "M": "7f020c027f", "N": "7f0408107f", "O": "3e4141413e",
    "P": "7f09090906", "Q": "3e4151215e", "R": "7f09192946", "S": "4649494931", "T": "01017f0101",
    "U": "3f4040403f", "V": "1f2040201f", "W": "3f4038403f", "X": "6314081463", "Y": "0708700807",
    "Z": "6151494543",
}  # fmt: skip

Pixels = list[bytearray]


def card(title: str, detail: str) -> Pixels:
    """A grey band, a frame, and three lines: what it would be, that it is not, and whose."""
    pixels = [bytearray([BAND if 10 <= y < 34 else PAPER]) * WIDTH for y in range(HEIGHT)]
    for x in range(4, WIDTH - 4):
        pixels[4][x] = pixels[HEIGHT - 5][x] = INK
    for y in range(4, HEIGHT - 4):
        pixels[y][4] = pixels[y][WIDTH - 5] = INK
    write(pixels, title, 15, 2)
    write(pixels, "SPECIMEN", 56, 5)
    write(pixels, detail, 108, 2)
    write(pixels, "NOT A REAL DOCUMENT", 138, 1)
    return pixels


def write(pixels: Pixels, text: str, top: int, size: int) -> None:
    """Put centred text on the card, each dot `size` pixels wide."""
    left = (WIDTH - (6 * len(text) - 1) * size) // 2
    for at, letter in enumerate(text):
        for column, dots in enumerate(bytes.fromhex(FONT[letter])):
            x = left + (6 * at + column) * size
            for row in range(7):
                if dots >> row & 1:
                    for y in range(top + row * size, top + (row + 1) * size):
                        pixels[y][x : x + size] = bytes([INK]) * size


# -------------------------------------------------------------------------------------------- PNG, PDF


def png(pixels: Pixels) -> bytes:
    """One bit a pixel, and stored instead of squeezed: zlib's output differs between its builds."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def packed(line: bytearray) -> bytes:
        bits = "".join("1" if grey > 128 else "0" for grey in line)
        return int(bits, 2).to_bytes(WIDTH // 8, "big")

    lines = b"".join(b"\0" + packed(line) for line in pixels)
    stored = struct.pack("<BHH", 1, len(lines), len(lines) ^ 0xFFFF) + lines
    return b"".join((
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 1, 0, 0, 0, 0)),
        chunk(b"IDAT", b"\x78\x01" + stored + struct.pack(">I", zlib.adler32(lines))),
        chunk(b"IEND", b""),
    ))  # fmt: skip


def pdf(title: str, detail: str) -> bytes:
    """One page of Helvetica, with a true table of offsets."""
    lines = ((20, 140, title), (44, 80, "SPECIMEN"), (16, 50, detail), (10, 24, "NOT A REAL DOCUMENT"))
    words = "\n".join(f"BT /F {size} Tf 24 {y} Td ({text}) Tj ET" for size, y, text in lines)
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 288 180] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        f"<< /Length {len(words)} >>\nstream\n{words}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    table = "0000000000 65535 f \n"
    for number, body in enumerate(objects, 1):
        table += f"{len(out):010} 00000 n \n"
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    size = len(objects) + 1
    tail = f"xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + tail.encode()


# ------------------------------------------------------------------- JPEG: baseline, grey, whole numbers

# Tables K.1, K.3 and K.5 of ITU-T T.81, the standard itself.
QUANTISER = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
DC_LENGTHS = bytes.fromhex("00010501010101010100000000000000")
DC_VALUES = bytes(range(12))
AC_LENGTHS = bytes.fromhex("0002010303020403050504040000017d")
AC_VALUES = bytes.fromhex(
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728"
    "292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a83848586878889"
    "8a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2"
    "e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
)
ZIGZAG = sorted(range(64), key=lambda at: (at // 8 + at % 8, at // 8 if (at // 8 + at % 8) % 2 else at % 8))
# Scaled to whole numbers, so that no processor rounds a half another way.
COSINES = [
    [round(math.cos((2 * x + 1) * u * math.pi / 16) * (2896 if u == 0 else 4096)) for x in range(8)] for u in range(8)
]
SCALE = 4 * 4096 * 4096


def codes(lengths: bytes, values: bytes) -> dict[int, str]:
    """The Huffman code of each value, as a text of bits."""
    table, code, at = {}, 0, 0
    for bits, count in enumerate(lengths, 1):
        for value in values[at : at + count]:
            table[value] = f"{code:0{bits}b}"
            code += 1
        at += count
        code <<= 1
    return table


DC_CODES, AC_CODES = codes(DC_LENGTHS, DC_VALUES), codes(AC_LENGTHS, AC_VALUES)


@cache
def coefficients(block: bytes) -> tuple[int, ...]:
    """Eight by eight greys as quantised frequencies, in zigzag order."""
    rows = [[sum((block[8 * y + x] - 128) * COSINES[u][x] for x in range(8)) for u in range(8)] for y in range(8)]
    out = []
    for at in ZIGZAG:
        v, u = divmod(at, 8)
        value = sum(rows[y][u] * COSINES[v][y] for y in range(8))
        step = SCALE * QUANTISER[at]
        out.append((2 * abs(value) + step) // (2 * step) * (1 if value > 0 else -1))
    return tuple(out)


def magnitude(value: int) -> tuple[int, str]:
    """How many bits a number takes, and those bits as the standard writes them."""
    size = abs(value).bit_length()
    if not size:
        return 0, ""
    return size, f"{value if value > 0 else value + (1 << size) - 1:0{size}b}"


def block_bits(block: tuple[int, ...], before: int) -> str:
    size, bits = magnitude(block[0] - before)
    out, zeros = [DC_CODES[size], bits], 0
    for value in block[1:]:
        if not value:
            zeros += 1
            continue
        out += [AC_CODES[0xF0]] * (zeros // 16)
        size, bits = magnitude(value)
        out += [AC_CODES[zeros % 16 << 4 | size], bits]
        zeros = 0
    return "".join((*out, AC_CODES[0] if zeros else ""))


def jpeg(pixels: Pixels) -> bytes:
    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    bits, before = [], 0
    for top in range(0, HEIGHT, 8):
        for left in range(0, WIDTH, 8):
            square = b"".join(bytes(line[left : left + 8]) for line in pixels[top : top + 8])
            block = coefficients(square)
            bits.append(block_bits(block, before))
            before = block[0]
    stream = "".join(bits)
    stream += "1" * (-len(stream) % 8)
    scan = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\x00")
    return b"".join((
        b"\xff\xd8",
        segment(0xE0, b"JFIF\0\x01\x01\x01\0\x48\0\x48\0\0"),
        segment(0xDB, bytes([0, *(QUANTISER[at] for at in ZIGZAG)])),
        segment(0xC0, struct.pack(">BHHBBBB", 8, HEIGHT, WIDTH, 1, 1, 0x11, 0)),
        segment(0xC4, b"\x00" + DC_LENGTHS + DC_VALUES),
        segment(0xC4, b"\x10" + AC_LENGTHS + AC_VALUES),
        segment(0xDA, bytes([1, 1, 0x00, 0, 63, 0])),
        scan,
        b"\xff\xd9",
    ))  # fmt: skip
