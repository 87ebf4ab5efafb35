# SPDX-License-Identifier: MIT
# A failed hardening check must not hang the machine: test builds of loader and stub
# (efi/runtime/self_test_*.cpp) fail one on purpose, say where, and give back control.
import re

import pytest

from qemu import image, workspace
from qemu.harness import Scenario
from qemu.payload import payload

CHECKS = {
    "bounds": r"bounds test: libc\+\+/span:\d+: assertion .*index out of range",
    "stack": r"stack test: stack overwritten, found in the function at RVA 0x[0-9a-f]+",
}


@pytest.mark.parametrize("check", CHECKS)
def test_the_loader_returns_to_the_firmware(tmp_path, check):
    machine = Scenario(tmp_path / "machine")
    machine.put_loader(workspace.output(f"loader/keelson-boot-{check}-testx64.efi"))
    with machine.start() as running:
        running.wait_for(CHECKS[check])
        running.wait_for(r"BdsDxe: failed to start Boot\d{4}.*?: Aborted")
        assert running.resets == 0


@pytest.mark.parametrize("check", CHECKS)
def test_the_stub_returns_to_the_loader_which_boots_another_entry(tmp_path, check):
    machine = Scenario(tmp_path / "machine")
    machine.put_loader()
    machine.put_quick_uki("sound.efi", version="1")
    image.build(machine.esp / "EFI/Linux/failing.efi", linux=payload("test_kernel"), initrd=None,
                cmdline="power-off uki=failing", os_release_text=image.os_release(version="2"),
                stub=workspace.output(f"stub/keelson-stub-{check}-testx64.efi.stub"))
    boot = machine.boot()
    assert re.search(CHECKS[check], boot.console)
    assert boot.report.text("LoaderEntrySelected") == "sound.efi"
    assert boot.resets == 0
