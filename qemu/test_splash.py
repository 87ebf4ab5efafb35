# SPDX-License-Identifier: MIT
# The splash picture on a real frame buffer, pixel by pixel, as a person would see it.
import struct

import pytest

from qemu import image, workspace
from qemu.harness import BOOT_PATH, Scenario
from qemu.payload import payload

SCREEN = (1024, 768)
WIDTH, HEIGHT = 201, 100


def color(x, y):
    """Red, green, blue of the picture, counted from its upper left corner."""
    return (x * 5 + y) % 256, (y * 2) % 256, (x + 7 * y) % 256


def bmp(depth):
    """A BMP file, the lowest row first, and what is to be seen: a function of x and y."""
    rows, palette = [], b""
    for y in reversed(range(HEIGHT)):
        row = b""
        for x in range(WIDTH):
            red, green, blue = color(x, y)
            if depth == 24:
                row += bytes((blue, green, red))
            elif depth == 32:
                row += bytes((blue, green, red, 255 if x < WIDTH // 2 else 0))
            else:
                row += bytes((red,))
        rows.append(row + bytes(-len(row) % 4))
    if depth == 8:
        palette = b"".join(bytes((255 - i, i // 2, i, 0)) for i in range(256))
    masks = struct.pack("<4I", 0xff0000, 0xff00, 0xff, 0xff000000) if depth == 32 else b""
    header = 40 + len(masks)
    pixels = b"".join(rows)
    at = 14 + header + len(palette)
    content = (b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at)
               + struct.pack("<IiiHHIIiiII", header, WIDTH, HEIGHT, 1, depth, 3 if masks else 0,
                             0, 2835, 2835, 0, 0) + masks + palette + pixels)

    def seen(x, y):
        red, green, blue = color(x, y)
        if depth == 8:
            return red, red // 2, 255 - red
        if depth == 32 and x >= WIDTH // 2:
            return 0, 0, 0
        return red, green, blue

    return content, seen


def read_ppm(path):
    """Width, height, and a function that gives a pixel."""
    content = path.read_bytes()
    magic, size, largest, pixels = content.split(b"\n", 3)
    assert (magic, largest) == (b"P6", b"255")
    width, height = map(int, size.split())
    assert len(pixels) == width * height * 3
    return width, height, lambda x, y: tuple(pixels[3 * (y * width + x):3 * (y * width + x) + 3])


def screen_with(tmp_path, content, name):
    machine = Scenario(tmp_path / "machine")
    machine.put(BOOT_PATH, image.assemble(
        machine.directory / "test.efi", stub=workspace.stub(), sections=(
            (".osrel", image.os_release().encode()), (".cmdline", b"stay"), (".splash", content),
            (".linux", payload("test_kernel").read_bytes()))))
    pictures = workspace.build_directory() / "screens"
    pictures.mkdir(parents=True, exist_ok=True)
    path = pictures / f"{name}.ppm"
    with machine.start(display=SCREEN) as running:
        running.wait_for(r"@report end \d+")
        running.qmp("screendump", filename=str(path))
    return read_ppm(path)


@pytest.mark.parametrize("depth", [8, 24, 32])
def test_the_picture_is_in_the_middle_of_a_black_screen(tmp_path, depth):
    content, expected = bmp(depth)
    width, height, seen = screen_with(tmp_path, content, f"splash-{depth}")
    assert (width, height) == SCREEN
    left, top = (width - WIDTH) // 2, (height - HEIGHT) // 2
    for y in range(height):
        for x in range(width):
            inside = left <= x < left + WIDTH and top <= y < top + HEIGHT
            wanted = expected(x - left, y - top) if inside else (0, 0, 0)
            assert seen(x, y) == wanted, f"at {x}, {y}"


def test_a_damaged_picture_leaves_the_screen_alone_and_the_boot_goes_on(tmp_path):
    content, _ = bmp(24)
    _, _, good = screen_with(tmp_path / "good", content, "splash-good")
    width, height, bad = screen_with(tmp_path / "bad", content[:-1], "splash-damaged")
    middle = [(x, height // 2) for x in range((width - WIDTH) // 2, (width + WIDTH) // 2)]
    assert [bad(*at) for at in middle] != [good(*at) for at in middle]
