# SPDX-License-Identifier: MIT
# A UKI of 1.5 GiB, which firmware itself does not load: our loader reads it, and the kernel gets every
# byte of its initrd. One such guest at a time.
import hashlib

from qemu import guest, image, newc, workspace
from qemu.harness import Scenario

MIB = 1 << 20
SIZE = 1536 * MIB
SAMPLES = (0, SIZE // 2, SIZE - MIB)  # what the guest compares; all of it would take minutes
THEN = "#!/bin/sh\n" + "".join(
    f"dd if=/big bs={MIB} skip={at // MIB} count=1 2>/dev/null | sha256sum | "
    f"while read -r sum rest; do echo big {at} $sum; done\n" for at in SAMPLES) + (
    "echo big size $(stat -c %s /big)\n")


def block(number):
    """One MiB of the file; each differs from the others."""
    return hashlib.sha256(str(number).encode()).digest() * (MIB // 32)


def write_archive(path):
    """/big as an archive of its own, uncompressed."""
    with open(path, "wb") as archive:
        archive.write(newc.header("big", 0o100444, SIZE))
        for number in range(SIZE // MIB):
            archive.write(block(number))
        archive.write(newc.record(newc.LAST, 0))
    return path


def test_one_and_a_half_gib_boot_through_our_loader(tmp_path):
    with workspace.alone("large-guest"):
        machine = Scenario(tmp_path / "machine", memory_mib=6144)
        machine.put_loader()
        big = write_archive(tmp_path / "big.img")
        uki = image.build(machine.esp / "EFI/Linux/big.efi", linux=guest.kernel().image,
                          initrd=guest.initrd(extra_files=(("/then", THEN.encode(), 0o755),)),
                          cmdline=f"{image.CONSOLE} uki=big", os_release_text=image.os_release(),
                          more=[f"--initrd={big}"])
        try:
            assert uki.stat().st_size > 1.5 * 1024 * MIB
            machine.disk  # made from the tree, which is then not needed any more
            for path in (big, uki):
                path.unlink()
            boot = machine.boot()
        finally:  # pytest keeps folders of passed tests
            for path in (big, uki, machine.directory / "disk.img"):
                path.unlink(missing_ok=True)
        assert boot.report.cmdline == f"{image.CONSOLE} uki=big"
        said = [line.split()[1:] for line in boot.console.splitlines() if line.startswith("big ")]
        expected = [[str(at), hashlib.sha256(block(at // MIB)).hexdigest()] for at in SAMPLES]
        assert said == [*expected, ["size", str(SIZE)]]
