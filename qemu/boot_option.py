# SPDX-License-Identifier: MIT
# Boot#### options of the firmware (UEFI 3.1.3) that start a program of the ESP with load options: the
# starter that adds nothing of its own to what a program gets.
import struct
import uuid

from qemu import firmware

ACTIVE = 1
NUMBER = 0x77
SECTOR = 512


def partition(image, number=1):
    """(unique GUID, first sector, sectors) of a partition in the GPT of a disk image."""
    with open(image, "rb") as file:
        file.seek(SECTOR + 72)
        entries, _, size = struct.unpack("<QII", file.read(16))
        file.seek(entries * SECTOR + (number - 1) * size)
        entry = file.read(size)
    first, last = struct.unpack_from("<QQ", entry, 32)
    return uuid.UUID(bytes_le=entry[16:32]), first, last - first + 1


def add(machine, path, line=None):
    """Makes `path` on the ESP (a path with slashes) what the firmware starts, with `line` as options."""
    guid, first, sectors = partition(machine.disk.path)
    name = ("\\" + path.replace("/", "\\") + "\0").encode("utf-16-le")
    nodes = (struct.pack("<BBHIQQ16sBB", 4, 1, 42, 1, first, sectors, guid.bytes_le, 2, 2)
             + struct.pack("<BBH", 4, 4, 4 + len(name)) + name + b"\x7f\xff\x04\0")
    option = struct.pack("<IH", ACTIVE, len(nodes)) + "Test\0".encode("utf-16-le") + nodes
    if line is not None:
        option += (line + "\0").encode("utf-16-le")
    machine.firmware.set_variable(f"Boot{NUMBER:04X}", option, firmware.GLOBAL_VARIABLES)
    machine.firmware.set_variable("BootOrder", struct.pack("<H", NUMBER), firmware.GLOBAL_VARIABLES)
