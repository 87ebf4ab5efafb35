# SPDX-License-Identifier: MIT
# What happens when an entry fails: the table "When something fails" of the design, where it needs
# real firmware to be shown. That no machine is left at a dead end is the point of each.
import re

from qemu import firmware, guest, prediction
from qemu.harness import Boot, Scenario

GAVE_BACK = r"BdsDxe: failed to start Boot\d{4}.*?: [A-Z][A-Za-z ]+"


def with_loader(tmp_path, **more):
    machine = Scenario(tmp_path / "machine", **more)
    machine.put_loader()
    return machine


def test_an_unsigned_uki_is_refused_and_the_next_boots_by_itself(tmp_path):
    machine = with_loader(tmp_path, variant=firmware.SECURE_BOOT)
    machine.put_quick_uki("new.efi", version="2", signed=False)
    machine.put_uki("old.efi", version="1")
    with machine.start() as running:
        running.wait_for(r"new\.efi")
        running.wait_for(r"Boot in \d+ ?s")
        boot = Boot(running.wait_exit(), running.resets)
    assert boot.resets == 0
    assert boot.report.text("LoaderEntrySelected") == "old.efi"
    assert boot.report.locked_down
    before_menu = boot.console[:boot.console.index("Boot in")]
    assert re.search(r"(?i)(signature|signed|secure boot|not trusted|security violation|access denied)",
                     before_menu), "the message does not say why"


def test_a_counted_entry_whose_kernel_returns_ends_on_the_older_one(tmp_path):
    machine = with_loader(tmp_path)
    machine.put_quick_uki("new+2.efi", version="2", does="return-error")
    machine.put_quick_uki("old.efi", version="1")
    boot = machine.boot()
    # Both tries report before they return; the older one reports last.
    reports = guest.reports(boot.console)
    assert [r.text("LoaderEntrySelected") for r in reports] == ["new.efi", "new.efi", "old.efi"]
    assert boot.resets == 2
    assert machine.disk.esp.names("/EFI/Linux") == ["new+0-2.efi", "old.efi"]


def test_after_extending_pcr_11_the_other_entry_boots_from_a_fresh_start(tmp_path):
    machine = with_loader(tmp_path, tpm=True)
    machine.put_quick_uki("new.efi", version="2", does="return-error")
    good = machine.put_uki("old.efi", version="1")
    expected = prediction.pcr_11(good)
    boot = machine.boot()
    returned, report = guest.reports(boot.console)
    assert returned.text("LoaderEntrySelected") == "new.efi"
    assert report.text("LoaderEntrySelected") == "old.efi"
    assert boot.resets == 1
    assert {bank: values[11] for bank, values in report.pcrs.items()} == expected
    assert machine.firmware.variable("LoaderEntryOneShot") is None


def test_without_tpm_the_other_entry_boots_without_a_reset(tmp_path):
    machine = with_loader(tmp_path)
    machine.put_quick_uki("new.efi", version="2", does="return-error")
    machine.put_quick_uki("old.efi", version="1")
    boot = machine.boot()
    assert boot.resets == 0
    assert [r.text("LoaderEntrySelected") for r in guest.reports(boot.console)] == ["new.efi", "old.efi"]


def test_two_broken_entries_do_not_reset_for_ever(tmp_path):
    machine = with_loader(tmp_path, tpm=True)
    machine.put_quick_uki("b.efi", version="2", does="return-error")
    machine.put_quick_uki("a.efi", version="1", does="return-error")
    with machine.start(max_resets=1) as running:
        running.wait_for(GAVE_BACK)
        assert running.resets == 1
        started = [r.text("LoaderEntrySelected") for r in guest.reports(running.text)]
    assert started[:2] == ["b.efi", "a.efi"]
    assert sorted(started[1:]) == ["a.efi", "b.efi"]


def test_with_nothing_bootable_the_firmware_gets_control_back(tmp_path):
    machine = with_loader(tmp_path)
    with machine.start() as running:
        running.wait_for(GAVE_BACK)
        assert running.resets == 0


def test_a_success_that_booted_nothing_shows_the_menu(tmp_path):
    machine = with_loader(tmp_path)
    machine.put_quick_uki("a.efi", title="Alpha", does="return-success")
    machine.put_quick_uki("b.efi", title="Beta", version="0")
    with machine.start() as running:
        running.wait_for("@report end")
        running.wait_for("Beta")
        running.run_for(3)
        running.send("enter")  # what has not run yet is highlighted
        console = running.wait_exit()
    assert [r.text("LoaderEntrySelected") for r in guest.reports(console)] == ["a.efi", "b.efi"]
