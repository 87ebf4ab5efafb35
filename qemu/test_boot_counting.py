# SPDX-License-Identifier: MIT
# Boot counting over several boots of one machine: names on the disk, LoaderBootCountPath, and the
# older entry when the newer one has no tries left.
import pytest

from qemu.harness import Scenario


def test_three_tries_then_the_older_one(tmp_path):
    machine = Scenario(tmp_path / "machine")
    machine.put_loader()
    machine.put_quick_uki("new+3.efi", version="2")
    machine.put_quick_uki("old.efi", version="1")
    for counter in ("+2-1", "+1-2", "+0-3"):
        report = machine.boot().report
        assert report.text("LoaderEntrySelected") == "new.efi"
        assert report.text("LoaderBootCountPath") == f"\\EFI\\Linux\\new{counter}.efi"
        assert report.text("StubImageIdentifier") == f"\\EFI\\Linux\\new{counter}.efi"
        assert machine.disk.esp.names("/EFI/Linux") == [f"new{counter}.efi", "old.efi"]
    report = machine.boot().report
    assert report.text("LoaderEntrySelected") == "old.efi"
    assert report.text("LoaderBootCountPath") is None
    assert machine.disk.esp.names("/EFI/Linux") == ["new+0-3.efi", "old.efi"]
    assert report.texts("LoaderEntries")[:2] == ["old.efi", "new.efi"]


@pytest.mark.parametrize("before, after", [("+05", "+04-1"), ("+10-2", "+09-3")])
def test_the_width_of_a_counter_stays(tmp_path, before, after):
    machine = Scenario(tmp_path / "machine")
    machine.put_loader()
    machine.put_quick_uki(f"a{before}.efi")
    machine.boot().report
    assert machine.disk.esp.names("/EFI/Linux") == [f"a{after}.efi"]


def test_a_type_1_entry_is_counted_on_xbootldr(tmp_path):
    machine = Scenario(tmp_path / "machine")
    xbootldr = machine.with_xbootldr()
    machine.put_loader()
    machine.put_quick_uki("a.efi").rename(xbootldr / "a.efi")
    machine.put("loader/entries/t+2.conf", "title T\nuki /a.efi\n", tree=xbootldr)
    report = machine.boot().report
    assert report.text("LoaderBootCountPath") == "\\loader\\entries\\t+1-1.conf"
    assert machine.disk.xbootldr.names("/loader/entries") == ["t+1-1.conf"]
