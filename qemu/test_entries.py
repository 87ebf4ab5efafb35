# SPDX-License-Identifier: MIT
# Which entry is started: version order, one-shot, XBOOTLDR, the kinds of Type #1 entries.
import pytest

from qemu import guest, image
from qemu.harness import Scenario
from qemu.payload import payload


@pytest.fixture
def machine(tmp_path):
    scenario = Scenario(tmp_path / "machine")
    scenario.put_loader()
    return scenario


def selected(boot):
    return boot.report.text("LoaderEntrySelected")


def test_the_newest_of_three_is_started(machine):
    for name, version in (("test-6.9", "6.9"), ("test-6.10", "6.10"), ("test-6.10-rc", "6.10~rc1")):
        machine.put_uki(f"{name}.efi", version=version)
    report = machine.boot().report
    assert "uki=test-6.10" in report.cmdline.split()
    assert report.text("LoaderEntrySelected") == "test-6.10.efi"
    assert report.texts("LoaderEntries")[:3] == ["test-6.10.efi", "test-6.10-rc.efi", "test-6.9.efi"]
    assert report.text("LoaderInfo").startswith("keelson-boot ")
    assert report.text("StubInfo").startswith("keelson-stub ")


def test_a_one_shot_entry_is_used_once(machine):
    machine.put_quick_uki("new.efi", version="2")
    machine.put_quick_uki("old.efi", version="1")
    machine.firmware.set_variable("LoaderEntryOneShot", "old.efi")
    assert selected(machine.boot()) == "old.efi"
    assert machine.firmware.variable("LoaderEntryOneShot") is None
    assert selected(machine.boot()) == "new.efi"


def test_default_patterns_choose(machine):
    machine.put_quick_uki("new.efi", version="2")
    machine.put_quick_uki("old.efi", version="1")
    machine.put("loader/loader.conf", "default o?d*\n")
    assert selected(machine.boot()) == "old.efi"


def test_xbootldr_entries_take_part(machine):
    xbootldr = machine.with_xbootldr()
    machine.put_quick_uki("old.efi", version="1")
    machine.put_quick_uki("new.efi", version="2", tree=xbootldr)
    report = machine.boot().report
    assert report.text("LoaderEntrySelected") == "new.efi"
    assert report.text("LoaderDevicePartUUID") != report.text("StubDevicePartUUID")


def test_a_linux_entry_gets_its_initrds_and_options(machine):
    machine.put("debian/linux", guest.kernel().image)
    machine.put("debian/initrd", guest.initrd())
    extra = guest.initrd(extra_files=(("/.extra/from-second-initrd", b"second\n", 0o444),))
    machine.put("debian/second", extra)
    machine.put("loader/entries/debian.conf", "title Debian\nlinux /debian/linux\n"
                "initrd /debian/initrd\ninitrd /debian/second\n"
                f"options {image.CONSOLE}\noptions word=two\n")
    report = machine.boot().report
    assert report.cmdline.endswith(f"{image.CONSOLE} word=two")
    assert report.extra["/.extra/from-second-initrd"] == b"second\n"


def test_a_uki_entry_replaces_the_command_line_without_secure_boot(machine):
    machine.put_uki("hidden.efi").rename(machine.esp / "hidden.efi")
    machine.put("loader/entries/test.conf",
                f"title Test\nuki /hidden.efi\noptions {image.CONSOLE} word=three\n")
    report = machine.boot().report
    assert report.cmdline == f"{image.CONSOLE} word=three"
    assert report.text("LoaderEntrySelected") == "test.conf"


def test_an_efi_entry_is_started_with_its_options(machine):
    machine.put("tool.efi", payload("test_kernel", relocatable=True))
    machine.put("loader/entries/tool.conf", "title Tool\nefi /tool.efi\noptions power-off now\n")
    report = machine.boot().report
    assert report.cmdline == "power-off now"


def test_an_entry_for_another_architecture_is_left_out(machine):
    machine.put_quick_uki("old.efi", version="1")
    machine.put("tool.efi", payload("test_kernel", relocatable=True))
    machine.put("loader/entries/z.conf", "title Z\nversion 9\nefi /tool.efi\narchitecture aa64\n")
    assert machine.boot().report.texts("LoaderEntries")[0] == "old.efi"
