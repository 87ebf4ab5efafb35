# SPDX-License-Identifier: MIT
# Thin UKIs on real firmware: a small signed image, with Debian's kernel and an initrd beside it that it
# names by their hashes. Measured as the full image; files that are not the pinned ones never boot.
import re

import pytest

from qemu import firmware, guest, image, prediction
from qemu.harness import Boot, Scenario

VARIANTS = pytest.mark.parametrize("variant", [firmware.PLAIN, firmware.SECURE_BOOT], ids=lambda v: v.name)
CMDLINE = f"{image.CONSOLE} uki=thin"


def build(machine, name, *, version="2", thin=True, directory="EFI/Linux"):
    return image.build(machine.esp / directory / name, os_release_text=image.os_release(version=version),
                       linux=guest.kernel().image, initrd=guest.initrd(), cmdline=CMDLINE,
                       signed=machine.variant is firmware.SECURE_BOOT, more=["--thin"] if thin else [])


@VARIANTS
def test_it_boots_and_pcr_11_is_that_of_the_full_image(tmp_path, variant):
    machine = Scenario(tmp_path / "machine", variant=variant, tpm=True)
    machine.put_loader()
    uki = build(machine, "thin.efi")
    assert uki.stat().st_size < 1 << 20
    full = build(machine, "full.efi", thin=False, directory="../parts")
    announced = image.predict(machine.esp, "thin.efi", secure_boot=variant.secure_boot)
    report = machine.boot().report
    assert report.cmdline == CMDLINE
    assert report.locked_down == variant.secure_boot
    assert report.text("LoaderEntrySelected") == "thin.efi"
    assert report.text("StubPcrKernelImage") == "11"
    seen = {bank: values[11] for bank, values in report.pcrs.items()}
    assert seen == prediction.pcr_11(full)
    assert seen == announced[11]
    assert {bank: values[4] for bank, values in report.pcrs.items()} == announced[4]


@VARIANTS
@pytest.mark.parametrize("kind", ["kernel", "initrd"])
def test_a_file_that_was_tampered_with_is_refused_and_the_next_entry_boots(tmp_path, variant, kind):
    machine = Scenario(tmp_path / "machine", variant=variant, tpm=True)
    machine.put_loader()
    build(machine, "thin.efi")
    older = machine.put_uki("older.efi", version="1")
    (file,) = (machine.esp / "EFI/keelson-pinned").glob(f"{kind}-*")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with machine.start() as running:
        running.wait_for(re.escape(file.name))
        running.wait_for(r"Boot in \d+ ?s")
        boot = Boot(running.wait_exit(), running.resets)
    assert boot.resets == 0, "nothing was measured, so the next entry needs no fresh start"
    assert boot.report.text("LoaderEntrySelected") == "older.efi"
    assert {bank: values[11] for bank, values in boot.report.pcrs.items()} == prediction.pcr_11(older)
