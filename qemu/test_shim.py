# SPDX-License-Identifier: MIT
# shim 16 in front of a UKI: the stub starts the kernel through LoadImage, for which shim answers.
import pathlib

import pytest

from qemu import firmware, guest, image, prediction, workspace
from qemu.command import run
from qemu.harness import Scenario
from qemu.workspace import SetupError

SHIM = pathlib.Path("/usr/lib/shim/shimx64.efi")


@pytest.mark.parametrize("kernel_signed", [True, False], ids=["signed-kernel", "unsigned-kernel"])
def test_a_uki_behind_shim_boots_measured_and_locked_down(tmp_path, kernel_signed):
    if not SHIM.is_file():
        raise SetupError(f"{SHIM} is missing: apt-get install shim-unsigned")
    machine = Scenario(tmp_path / "machine", variant=firmware.SECURE_BOOT, tpm=True)
    linux = guest.kernel().image
    if not kernel_signed:  # the signature of the UKI covers it
        linux = machine.put("vmlinuz", linux, tree=tmp_path)
        run(["sbattach", "--remove", linux])
    uki = image.build(tmp_path / "uki.efi", linux=linux, initrd=guest.initrd(),
                      cmdline=f"{image.CONSOLE} behind=shim", os_release_text=image.os_release(),
                      stub=workspace.stub(), signed=True)
    machine.put("EFI/BOOT/BOOTX64.EFI", machine.signed_if_needed(SHIM))
    machine.put("EFI/BOOT/grubx64.efi", uki)  # the name of shim's second stage
    report = machine.boot().report
    assert report.cmdline == f"{image.CONSOLE} behind=shim"
    assert report.secure_boot and report.locked_down
    assert {bank: values[11] for bank, values in report.pcrs.items()} == prediction.pcr_11(uki)
    assert report.text("StubPcrKernelImage") == "11"
