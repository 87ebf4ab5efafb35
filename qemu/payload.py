# SPDX-License-Identifier: MIT
# Builds the tiny EFI applications of qemu/payloads, once per content.
import hashlib

import pefile

from qemu.command import need, run
from qemu.workspace import REPOSITORY, cached

SOURCES = REPOSITORY / "qemu/payloads"
COMPILE = ("--target=x86_64-unknown-windows-gnu", "-std=c++23", "-ffreestanding", "-fno-exceptions",
           "-fno-rtti", "-fno-threadsafe-statics", "-fshort-wchar", "-mno-red-zone",
           "-mno-stack-arg-probe", "-mno-sse", "-mno-mmx", "-fno-auto-import", "-Os", "-Wall", "-Wextra",
           "-Werror", "-nostdlibinc", "-nostdinc++",
           "-isystem", "/usr/include/efi", "-isystem", "/usr/include/efi/x86_64")
# Kernels have no base relocations and an image version, see the stub's rules for starting them.
LINK = ("/subsystem:efi_application", "/entry:efi_main", "/nodefaultlib", "/version:1.0", "/tsaware:no",
        "/timestamp:0")


def payload(name, *, relocatable=False):
    """The .efi file of one payload. `relocatable`: for the firmware's LoadImage, not a stub's start."""
    need("clang++-19", "clang-19")
    need("lld-link-19", "lld-19")
    flags = [*COMPILE, *(["-DRELOCATABLE"] if relocatable else [])]
    content = (SOURCES / f"{name}.cpp").read_bytes() + (SOURCES / "payload.h").read_bytes()
    shape = "virtual sizes filled"
    key = hashlib.sha256(content + repr((flags, LINK, shape)).encode()).hexdigest()[:16]

    def make(directory):
        run(["clang++-19", *flags, "-c", SOURCES / f"{name}.cpp", "-o", directory / "payload.o"])
        run(["lld-link-19", *LINK, directory / "payload.o", f"/out:{directory / name}.efi"])
        fill_virtual_sizes(directory / f"{name}.efi")

    return cached(f"payload/{name}-{key}", make) / f"{name}.efi"


def fill_virtual_sizes(path):
    """Linkers pad sections in the file; stubs refuse kernels with more bytes there than in memory."""
    image = pefile.PE(data=path.read_bytes(), fast_load=True)
    for section in image.sections:
        section.Misc_VirtualSize = max(section.Misc_VirtualSize, section.SizeOfRawData)
    image.write(str(path))
