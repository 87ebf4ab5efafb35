# SPDX-License-Identifier: MIT
# The harness itself, on Debian's own loader and stub: it must see a boot that works and must not be
# satisfied by one that does not.
import pathlib

import pytest

from qemu import firmware, guest, image
from qemu.harness import Scenario

DEBIAN = pathlib.Path("/usr/lib/systemd/boot/efi")


def debian_uki(scenario, directory, initrd):
    for name, text in (("osrel", image.os_release()), ("cmdline", image.CONSOLE + " word=one")):
        (directory / name).write_text(text)
    return image.objcopy(scenario.directory / "uki.efi", stub=DEBIAN / "linuxx64.efi.stub", sections=(
        (".osrel", directory / "osrel"), (".cmdline", directory / "cmdline"),
        (".linux", guest.kernel().image), (".initrd", initrd)))


@pytest.mark.parametrize("variant", [firmware.PLAIN, firmware.SECURE_BOOT], ids=lambda v: v.name)
def test_a_boot_is_reported(tmp_path, variant):
    machine = Scenario(tmp_path / "machine", variant=variant, tpm=True)
    machine.put_loader(DEBIAN / "systemd-bootx64.efi")
    uki = debian_uki(machine, tmp_path, guest.initrd())
    machine.put("EFI/Linux/a.efi", machine.signed_if_needed(uki))
    report = machine.boot().report
    assert report.cmdline == image.CONSOLE + " word=one"
    assert report.text("LoaderEntrySelected") == "a.efi"
    assert report.text("LoaderInfo").startswith("systemd-boot ")
    assert report.secure_boot == report.locked_down == variant.secure_boot
    assert set(report.pcrs) == {"sha1", "sha256", "sha384", "sha512"}
    assert set(report.pcrs["sha256"][11]) != {"0"}
    assert report.event_log


def test_variables_written_while_off_are_seen(tmp_path):
    machine = Scenario(tmp_path / "machine")
    machine.put_loader(DEBIAN / "systemd-bootx64.efi")
    uki = debian_uki(machine, tmp_path, guest.initrd())
    machine.put("EFI/Linux/a.efi", uki)
    machine.put("EFI/Linux/b.efi", uki)
    machine.firmware.set_variable("LoaderEntryOneShot", "a.efi")
    assert machine.boot().report.text("LoaderEntrySelected") == "a.efi"
    assert machine.firmware.variable("LoaderEntryOneShot") is None
    assert machine.boot().report.text("LoaderEntrySelected") == "b.efi"


def test_silence_is_a_failure(tmp_path):
    machine = Scenario(tmp_path / "machine")
    machine.put_loader(DEBIAN / "systemd-bootx64.efi")
    mute = b"#!/bin/busybox sh\n/bin/busybox poweroff -f\n"
    initrd = guest.initrd(extra_files=(("/init", mute, 0o755),))
    machine.put("EFI/Linux/a.efi", debian_uki(machine, tmp_path, initrd))
    console = machine.boot().console
    with pytest.raises(guest.NoReport):
        guest.the_report(console)
