# SPDX-License-Identifier: MIT
# Kernels that cannot be started as a PE image (image version below 1, Linux before 5.8), by the
# handover protocol. Debian's kernel still has that entry; its image version is set to 0, so that
# the stub has no other way.
import struct

import pefile
import pytest

from qemu import firmware, guest, image, workspace
from qemu.harness import BOOT_PATH, Scenario

XLOADFLAGS = 0x236
HANDOVER_64 = 1 << 3
REACHES_ABOVE_4G = 1 << 1


def old_kernel(path, *, clear=0):
    """Debian's kernel with image version 0, and without the flags `clear`."""
    content = bytearray(guest.kernel().image.read_bytes())
    version, = struct.unpack_from("<H", content, 0x206)
    flags, = struct.unpack_from("<H", content, XLOADFLAGS)
    handover, = struct.unpack_from("<I", content, 0x264)
    assert content[0x202:0x206] == b"HdrS" and version >= 0x20C and handover and flags & HANDOVER_64
    struct.pack_into("<H", content, XLOADFLAGS, flags & ~clear)
    pe = pefile.PE(data=bytes(content), fast_load=True)
    struct.pack_into("<H", content, pe.OPTIONAL_HEADER.get_field_absolute_offset("MajorImageVersion"), 0)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("variant, memory_mib, clear", [
    (firmware.PLAIN, 512, 0),
    (firmware.PLAIN, 512, REACHES_ABOVE_4G),  # command line below 640 KiB
    (firmware.PLAIN, 4096, REACHES_ABOVE_4G),  # our image lies above 4 GiB, the kernel must not
    (firmware.SECURE_BOOT, 512, 0),
], ids=["plain", "not-above-4g", "image-above-4g", "secure-boot"])
def test_it_boots_with_its_initrd_and_command_line(tmp_path, variant, memory_mib, clear):
    machine = Scenario(tmp_path / "machine", variant=variant, memory_mib=memory_mib)
    image.build(machine.esp / BOOT_PATH, linux=old_kernel(tmp_path / "vmlinuz", clear=clear),
                initrd=guest.initrd(), cmdline=f"{image.CONSOLE} by=handover",
                os_release_text=image.os_release(), signed=variant.secure_boot)
    report = machine.boot().report
    assert report.cmdline == f"{image.CONSOLE} by=handover"
    assert report.extra["/.extra/os-release"].decode() == image.os_release()
    assert report.uname == guest.kernel().release
    assert report.secure_boot == variant.secure_boot


def test_without_that_entry_it_is_refused_and_the_firmware_goes_on(tmp_path):
    machine = Scenario(tmp_path / "machine")
    kernel = old_kernel(tmp_path / "vmlinuz", clear=HANDOVER_64)
    image.assemble(machine.esp / BOOT_PATH, stub=workspace.stub(), sections=(
        (".cmdline", image.CONSOLE.encode()), (".linux", kernel.read_bytes()), (".initrd", guest.initrd().read_bytes())))
    with machine.start() as running:
        running.wait_for("cannot boot this kernel image: .*no handover for this machine")
        running.wait_for(r"BdsDxe: failed to start Boot\d{4}.*?: Unsupported")
