# SPDX-License-Identifier: MIT
# Rights of the kernel's pages, under a firmware that enforces them.
import pefile
import pytest

from qemu import firmware, guest, image, workspace
from qemu.harness import Scenario
from qemu.payload import payload

READ_ONLY, NO_EXECUTE = 0x20000, 0x4000
CODE = 0x20000020


def booted_directly(tmp_path, variant, does):
    machine = Scenario(tmp_path / "machine", variant=variant)
    machine.put_quick_uki("a.efi", does=does)
    target = machine.esp / "EFI/BOOT/BOOTX64.EFI"
    target.parent.mkdir(parents=True)
    (machine.esp / "EFI/Linux/a.efi").rename(target)
    return machine


def test_a_kernel_runs_with_the_rights_its_sections_ask_for(tmp_path):
    report = booted_directly(tmp_path, firmware.STRICT_NX, "power-off").boot().report
    pages = {int(rva, 16): int(rights, 16) for rva, rights in
             (line.split() for line in report.notes["page"])}
    kernel = pefile.PE(str(payload("test_kernel")), fast_load=True)
    code = {rva for s in kernel.sections if s.Characteristics & CODE
            for rva in range(s.VirtualAddress, s.VirtualAddress + s.Misc_VirtualSize, 4096)}
    assert code and code < set(pages)
    for rva, rights in pages.items():
        if rva in code:
            assert rights & (READ_ONLY | NO_EXECUTE) == READ_ONLY, f"code page {rva:#x}: {rights:#x}"
        else:
            assert rights & NO_EXECUTE, f"data page {rva:#x} may be executed: {rights:#x}"


@pytest.mark.parametrize("variant, runs", [(firmware.STRICT_NX, False), (firmware.PLAIN, True)],
                         ids=lambda v: getattr(v, "name", ""))
def test_code_left_without_the_right_to_execute_faults(tmp_path, variant, runs):
    machine = booted_directly(tmp_path, variant, "run-data")
    with machine.start() as running:
        running.wait_for("test kernel: running data")
        if runs:  # the control: a firmware without the memory attribute protocol
            running.wait_for("test kernel: data was run")
        else:
            running.wait_for(r"X64 Exception Type - 0E\(#PF")
            assert "data was run" not in running.text


@pytest.mark.parametrize("variant, runs", [(firmware.STRICT_NX, False), (firmware.PLAIN, True)],
                         ids=lambda v: getattr(v, "name", ""))
def test_a_stub_that_leaves_code_not_executable_faults(tmp_path, variant, runs):
    machine = Scenario(tmp_path / "machine", variant=variant)
    image.build(machine.esp / "EFI/BOOT/BOOTX64.EFI", linux=payload("test_kernel"),
                cmdline="power-off console=ttyS0", os_release_text=image.os_release(),
                stub=workspace.output("stub/keelson-stub-rights-testx64.efi.stub"))
    with machine.start() as running:
        if runs:  # nobody enforces anything: the same program boots
            running.wait_exit()
            assert guest.the_report(running.text).cmdline == "power-off console=ttyS0"
        else:
            running.wait_for(r"X64 Exception Type - 0E\(#PF")
            assert "@report" not in running.text
