# SPDX-License-Identifier: MIT
# Our files with other people's programs, and theirs with ours: objcopy, ukify, bootctl,
# systemd-measure, Debian's stub.
import json
import pathlib

import pytest

from qemu import guest, image, peers, prediction, workspace
from qemu.harness import Scenario
from qemu.payload import payload

DEBIAN_STUB = pathlib.Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub")


@pytest.fixture
def parts(tmp_path):
    """Section files of a small UKI: {name without dot: path}."""
    contents = {"osrel": image.os_release(title="Other", version="7"),
                "cmdline": image.CONSOLE + " by=others", "uname": guest.kernel().release,
                "sbat": "sbat,1,SBAT Version,sbat,1,https://example.org\nuki,1,UKI,uki,1,https://example.org\n"}
    paths = {"linux": guest.kernel().image, "initrd": guest.initrd()}
    for name, text in contents.items():
        paths[name] = tmp_path / name
        paths[name].write_text(text)
    return paths


def sections_of(parts, *names):
    return [(f".{name}", parts[name]) for name in names]


@pytest.fixture
def machine(tmp_path):
    return Scenario(tmp_path / "machine", tpm=True)


def boots_directly(machine, uki):
    machine.put("EFI/BOOT/BOOTX64.EFI", uki)
    report = machine.boot().report
    assert report.cmdline.endswith("by=others")
    assert {bank: values[11] for bank, values in report.pcrs.items()} == prediction.pcr_11(uki)
    return report


def test_objcopy_makes_a_bootable_uki_of_our_stub(machine, parts):
    uki = image.objcopy(machine.directory / "uki.efi", stub=workspace.stub(),
                        sections=sections_of(parts, "osrel", "cmdline", "uname", "linux", "initrd"))
    report = boots_directly(machine, uki)
    assert report.text("StubInfo").startswith("keelson-stub ")


def test_ukify_makes_a_bootable_uki_of_our_stub(machine, parts):
    uki = machine.directory / "uki.efi"
    peers.ukify("build", f"--linux={parts['linux']}", f"--initrd={parts['initrd']}",
                f"--cmdline=@{parts['cmdline']}", f"--os-release=@{parts['osrel']}",
                f"--uname={guest.kernel().release}", f"--stub={workspace.stub()}", f"--output={uki}")
    report = boots_directly(machine, uki)
    assert report.text("StubInfo").startswith("keelson-stub ")


def test_debians_stub_is_started_by_our_loader(machine, parts):
    uki = image.objcopy(machine.directory / "uki.efi", stub=DEBIAN_STUB,
                        sections=sections_of(parts, "osrel", "cmdline", "linux", "initrd"))
    machine.put_loader()
    machine.put("EFI/Linux/other.efi", uki)
    report = machine.boot().report
    assert report.cmdline.endswith("by=others")
    assert report.text("StubInfo").startswith("systemd-stub 252")
    assert report.text("LoaderEntrySelected") == "other.efi"


@pytest.fixture
def built(tmp_path, parts):
    return image.build(tmp_path / "built.efi", linux=parts["linux"], initrd=parts["initrd"],
                       cmdline=parts["cmdline"].read_text(), os_release_text=parts["osrel"].read_text(),
                       uname=guest.kernel().release)


def test_bootctl_of_debian_13_recognises_our_uki(built):
    assert peers.DEBIAN_13.run("bootctl", "kernel-identify", built).stdout.strip() == "uki"
    words = peers.DEBIAN_13.run("bootctl", "kernel-inspect", built).stdout
    for expected in ("Kernel Type: uki", "by=others", guest.kernel().release, "Other 7"):
        assert expected in words


def test_bootctl_of_debian_12_lists_our_entries(tmp_path, built):
    tree = tmp_path / "esp"
    (tree / "EFI/Linux").mkdir(parents=True)
    (tree / "loader/entries").mkdir(parents=True)
    built.rename(tree / "EFI/Linux/built+3-0.efi")
    payload_copy = tree / "tool.efi"
    payload_copy.write_bytes(payload("test_kernel", relocatable=True).read_bytes())
    (tree / "loader/entries/tool.conf").write_text("title Tool\nversion 1\nefi /tool.efi\n")
    text = peers.DEBIAN_12.list_entries(tree)
    # 252 prints one JSON object per line, newer versions an array.
    entries = {e["id"]: e for e in (json.loads(line) for line in text.splitlines() if line.strip())}
    assert entries["tool.conf"]["title"] == "Tool"
    uki = next(e for name, e in entries.items() if name.startswith("built"))
    assert uki["title"] == "Other 7" and uki["linux"].endswith("built+3-0.efi")


@pytest.mark.parametrize("peer, names", [
    (peers.DEBIAN_12, ("linux", "osrel", "cmdline", "initrd")),
    (peers.DEBIAN_13, ("linux", "osrel", "cmdline", "initrd", "uname", "sbat")),
], ids=["252", "257"])
def test_systemd_measure_and_ours_agree(peer, names, parts):
    sections = {name: parts[name] for name in names}
    banks, phases = ("sha1", "sha256", "sha384", "sha512"), (":", "enter-initrd", "enter-initrd:leave-initrd")
    assert image.measure(sections, banks=banks, phases=phases) == peer.measure(
        sections, banks=banks, phases=phases)


def test_systemd_measure_agrees_on_a_profile(parts, tmp_path):
    profile = tmp_path / "profile"
    profile.write_text("ID=rescue\nTITLE=Rescue\n")
    sections = {"linux": parts["linux"], "osrel": parts["osrel"], "profile": profile}
    assert image.measure(sections) == peers.DEBIAN_13.measure(sections)
