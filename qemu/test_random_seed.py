# SPDX-License-Identifier: MIT
# The random seed and the boot secret on real firmware: what the kernel finds, what is on the disk
# afterwards. The UKI is started by the firmware itself, so that no loader does it first.
import base64
import hashlib

from qemu import guest, image
from qemu.harness import BOOT_PATH, Scenario

SEED = "loader/random-seed"
MIXIN = "loader/boot-secret-mixin"
OLD_SEED = bytes(range(64))
OLD_MIXIN = bytes(range(100, 132))


def machine_with(tmp_path, uki, **files):
    machine = Scenario(tmp_path / "machine")
    machine.put(BOOT_PATH, uki(machine))
    for path, content in files.items():
        machine.put(f"loader/{path.replace('_', '-')}", content)
    return machine


def quick(machine):
    return machine.put_quick_uki("test.efi")


def linux(machine):
    return machine.put_uki("test.efi")


def seeds(report):
    return [base64.b64decode(text) for text in report.notes.get("seed", [])]


def test_every_boot_replaces_the_file_and_hands_on_a_seed(tmp_path):
    machine = machine_with(tmp_path, quick, random_seed=OLD_SEED)
    files, handed_on = [OLD_SEED], []
    for _ in range(2):
        seed, = seeds(machine.boot().report)
        assert len(seed) == 32
        handed_on.append(seed)
        content = machine.disk.esp.read(SEED)
        assert len(content) == 64 and content[32:] == bytes(32)
        files.append(content)
        # What is on the disk says nothing about what the kernel has.
        assert seed != content[:32]
        assert seed not in (hashlib.sha256(content).digest(), hashlib.sha256(content[:32]).digest())
    assert len(set(files)) == 3 and len(set(handed_on)) == 2
    assert machine.disk.esp.names("loader") == ["random-seed"]


def test_without_a_file_none_is_made(tmp_path):
    machine = machine_with(tmp_path, quick, other="")
    assert seeds(machine.boot().report) == []
    assert machine.disk.esp.names("loader") == ["other"]


def test_a_file_that_is_too_short_stays_as_it_is(tmp_path):
    machine = machine_with(tmp_path, quick, random_seed=OLD_SEED[:31])
    assert seeds(machine.boot().report) == []
    assert machine.disk.esp.read(SEED) == OLD_SEED[:31]


def test_the_boot_secret_is_the_same_in_every_boot_and_linux_takes_the_seed(tmp_path):
    machine = Scenario(tmp_path / "machine")
    then = b"#!/bin/sh\necho @dmesg begin\ndmesg | grep -i 'RNG=\\|crng'\necho @dmesg end\n"
    machine.put(BOOT_PATH, image.build(
        machine.directory / "test.efi", linux=guest.kernel().image,
        initrd=guest.initrd((("/then", then, 0o755),)), cmdline=image.CONSOLE,
        os_release_text=image.os_release(identifier="secretive")))
    machine.put(SEED, OLD_SEED)
    machine.put(MIXIN, OLD_MIXIN)
    secrets = []
    for _ in range(2):
        before = machine.disk.esp.read(SEED)
        boot = machine.boot()
        report = boot.report
        secrets.append(report.extra["/.extra/boot-secret"])
        assert report.modes["/.extra/boot-secret"] == "400"
        assert "LoaderBootSecret" not in report.variables, "out of reach of the OS"
        assert machine.disk.esp.read(SEED) != before
        assert machine.disk.esp.read(MIXIN) == OLD_MIXIN
        assert "RNG=" in boot.console[boot.console.index("@dmesg begin"):], "the table"
    assert len(secrets[0]) == 32 and secrets[0] != bytes(32)
    assert secrets[0] == secrets[1]


def test_no_mixin_no_secret(tmp_path):
    machine = machine_with(tmp_path, linux, random_seed=OLD_SEED)
    report = machine.boot().report
    assert "/.extra/os-release" in report.extra
    assert "/.extra/boot-secret" not in report.extra
    assert machine.disk.esp.names("loader") == ["random-seed"]
