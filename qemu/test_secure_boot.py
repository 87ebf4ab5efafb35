# SPDX-License-Identifier: MIT
# What Secure Boot refuses, on real keys: changed images, revoked images, a changed loader. A refused
# entry never ends the boot: the next one is started.
import pefile
import pytest

from qemu import firmware, guest
from qemu.command import need, run
from qemu.harness import Boot, Scenario

SECURITY_DATABASE = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
TIME_BASED_AUTHENTICATED = 0x27


def flip(path, offset):
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def middle_of(path, name):
    pe = pefile.PE(str(path), fast_load=True)
    section = next(s for s in pe.sections if s.Name.rstrip(b"\0").decode() == name)
    return section.PointerToRawData + section.Misc_VirtualSize // 2


@pytest.fixture
def machine(tmp_path):
    scenario = Scenario(tmp_path / "machine", variant=firmware.SECURE_BOOT)
    scenario.put_loader()
    return scenario


def boot_past_a_refusal(machine):
    """A boot in which the first entry is refused; waits for the countdown, types nothing."""
    with machine.start() as running:
        running.wait_for(r"new\.efi")
        return Boot(running.wait_exit(), running.resets)


@pytest.mark.parametrize("section", [".text", ".linux", ".cmdline", ".sbat"])
def test_one_changed_bit_is_refused(machine, section):
    uki = machine.put_quick_uki("new.efi", version="2")
    flip(uki, middle_of(uki, section))
    machine.put_quick_uki("old.efi", version="1")
    boot = boot_past_a_refusal(machine)
    assert boot.report.text("LoaderEntrySelected") == "old.efi"
    assert boot.resets == 0


def test_the_control_a_bit_that_is_not_signed(machine):
    uki = machine.put_quick_uki("new.efi", version="2")
    pe = pefile.PE(str(uki), fast_load=True)
    flip(uki, pe.OPTIONAL_HEADER.get_file_offset() + 64)  # CheckSum
    machine.put_quick_uki("old.efi", version="1")
    assert machine.boot().report.text("LoaderEntrySelected") == "new.efi"


def test_a_revoked_uki_is_refused(machine, tmp_path):
    need("hash-to-efi-sig-list", "efitools")
    uki = machine.put_quick_uki("new.efi", version="2")
    machine.put_quick_uki("old.efi", version="1")
    run(["hash-to-efi-sig-list", uki, tmp_path / "dbx.esl"])
    machine.firmware.set_variable("dbx", (tmp_path / "dbx.esl").read_bytes(),
                                  vendor=SECURITY_DATABASE, attributes=TIME_BASED_AUTHENTICATED)
    assert boot_past_a_refusal(machine).report.text("LoaderEntrySelected") == "old.efi"


def test_a_changed_loader_is_not_started(tmp_path):
    scenario = Scenario(tmp_path / "machine", variant=firmware.SECURE_BOOT)
    loader = scenario.put_loader()
    flip(loader, middle_of(loader, ".text"))
    with scenario.start() as running:
        running.wait_for(r"BdsDxe: failed to load Boot\d{4}.*?: Access Denied")


def test_the_stub_drops_a_line_it_is_passed_and_offers_no_editor(machine):
    machine.put_quick_uki("a.efi", does="power-off").rename(machine.esp / "a.efi")
    machine.put("loader/entries/a.conf", "title A\nuki /a.efi\noptions return-error passed=1\n")
    machine.put("loader/loader.conf", "timeout 60\n")
    with machine.start() as running:
        running.wait_for(r"Boot in \d+ ?s")
        running.send("e")
        running.run_for(2)
        running.send("enter")
        console = running.wait_exit()
    report = guest.the_report(console)
    assert report.cmdline == "power-off uki=a console=uart,io,0x3f8"
    assert report.secure_boot
