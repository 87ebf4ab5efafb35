# SPDX-License-Identifier: MIT
# Builds the tiny EFI applications of qemu/payloads, once per content.
import hashlib

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
    key = hashlib.sha256(content + repr((flags, LINK)).encode()).hexdigest()[:16]

    def make(directory):
        run(["clang++-19", *flags, "-c", SOURCES / f"{name}.cpp", "-o", directory / "payload.o"])
        run(["lld-link-19", *LINK, directory / "payload.o", f"/out:{directory / name}.efi"])

    return cached(f"payload/{name}-{key}", make) / f"{name}.efi"
