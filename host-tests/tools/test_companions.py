# SPDX-License-Identifier: MIT
# `predict` with what lies beside an image: PCRs 4, 12 and 13 of add-ons, credentials and extensions, against
# events and archives that are put together here.
import hashlib
import json
import struct

import pefile
import pytest

import keelson
import samples
from qemu import firmware, prediction, workspace
from test_measure import BANKS, NOTHING, pcr_4, predicted

def archive(directory, files):
    """As the stub makes it; `files`: (name, content)."""
    mode, file_mode = (0o500, 0o400) if "credentials" in directory else (0o555, 0o444)
    return prediction.companion_archive(f".extra/{directory}", mode, dict(files), file_mode)


def line(text):
    return (text + "\0").encode("utf-16-le")


def replay(events):
    """{bank: hex} of a PCR that is extended with these bytes."""
    values = {}
    for bank in BANKS:
        value = prediction.zeros(bank)
        for event in events:
            value = prediction.extend(bank, value, event)
        values[bank] = value.hex()
    return values


def addon(path, *options):
    path.parent.mkdir(parents=True, exist_ok=True)
    keelson.run("build", *options, f"--output={path}")
    return path


def file(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def own(esp):
    """The directory of the only image, whose name has a boot counter."""
    keelson.run("install", f"--esp-path={esp}")
    keelson.run("build", f"--linux={samples.kernel()}", "--cmdline=embedded", "--uname=6.1", "--os-release=ID=x",
                f"--output={esp}/EFI/Linux/uki+3-1.efi")
    return esp / "EFI/Linux/uki.efi.extra.d"


def values(esp, *options):
    return predicted(f"--esp-path={esp}", *options)


def test_the_archive_written_here_is_that_of_the_vector():
    assert hashlib.sha256(archive("credentials", [("a.cred", b"hello")])).hexdigest() == \
        "c26510b17edde7e8d474d860158a5f3b4d739201cca96e1b895e358125178fa4"


def test_companion_files(esp, own):
    file(own / "b.cred", b"1")
    file(own / "B.CRED", b"2")
    file(own / "x.raw", b"sysext")
    file(own / "x.confext.raw", b"confext")
    file(esp / "loader/credentials/g.cred", b"global")
    file(esp / "loader/extensions/g.raw", b"global sysext")
    file(esp / "loader/extensions/g.confext.raw", b"global confext")
    for ignored in (".hidden.cred", "readme.txt", "sp ace.txt"):
        file(own / ignored, b"x")
    (own / "directory.cred").mkdir()
    seen = values(esp)
    assert seen[12] == replay([archive("credentials", [("B.CRED", b"2"), ("b.cred", b"1")]),
                               archive("global_credentials", [("g.cred", b"global")]),
                               archive("confext", [("x.confext.raw", b"confext")]),
                               archive("global_confext", [("g.confext.raw", b"global confext")])])
    assert seen[13] == replay([archive("sysext", [("x.raw", b"sysext")]),
                               archive("global_sysext", [("g.raw", b"global sysext")])])


def test_addons_are_measured_part_by_part(esp, own):
    tree = struct.pack(">10I", 0xD00DFEED, 48, 40, 40, 40, 17, 16, 0, 0, 0) + bytes(8)
    for name, content in (("tree", tree), ("part1", b"one"), ("part2", b"two")):
        file(esp.parent / name, content)
    g = addon(esp / "loader/addons/z.addon.efi", "--cmdline=global  words", "--microcode=part1", "--initrd=part1")
    a = addon(own / "a.addon.efi", "--cmdline=own", "--devicetree=tree", "--microcode=part2")
    b = addon(own / "B.addon.efi", "--initrd=part2", "--uname=6.1")
    file(own / "c.cred", b"secret")
    passed = values(esp, "--options=passed")
    assert passed[12] == replay([
        line("passed"), line("passed"), line("global words own"), tree,
        archive("credentials", [("c.cred", b"secret")]),
        b"two", b"one",  # microcode: the last first
        b"one", b"two"])
    images = [esp / "EFI/keelson/keelson-bootx64.efi", esp / "EFI/Linux/uki+3-1.efi", g, b, a]
    assert passed[4] == {bank: pcr_4(images, bank) for bank in BANKS}
    assert passed[13] == NOTHING


def test_addons_of_others_are_left_out(esp, own):
    """The firmware loads, and so measures, what the stub then does not use."""
    other = addon(own / "other.addon.efi", "--cmdline=x", "--uname=6.10")
    done = keelson.start("predict", f"--esp-path={esp}", "--bank=sha256", "--json=short")
    assert done.returncode == 0 and "other.addon.efi" in done.stderr
    found = {item["pcr"]: item["hash"] for item in json.loads(done.stdout)["sha256"] if "phase" not in item}
    assert found[12] == NOTHING["sha256"]
    images = [esp / "EFI/keelson/keelson-bootx64.efi", esp / "EFI/Linux/uki+3-1.efi", other]
    assert found[4] == pcr_4(images, "sha256")
    foreign = samples.with_machine(other, own / "arm.addon.efi", 0xAA64)
    other.unlink()
    done = keelson.start("predict", f"--esp-path={esp}", "--bank=sha256")
    assert foreign.name in done.stderr
    assert f"4:sha256={pcr_4(images[:2], 'sha256')}" in done.stdout


def test_addons_have_no_profiles(esp, own):
    """What follows a `.profile` section counts as what is before it."""
    addon(own / "a.addon.efi", "--cmdline=own")
    whole = addon(esp.parent / "whole.efi", "--os-release=ID=x", "--cmdline=other")
    behind = samples.with_section_name(whole, own / "b.addon.efi", ".osrel", ".profile")
    assert [name for name, _ in samples.sections(behind) if name in (".profile", ".cmdline")] == [".profile", ".cmdline"]
    assert values(esp)[12] == replay([line("own other")])


def test_names_that_the_stub_refuses_are_left_out(esp, own):
    file(own / "ä.cred", b"x")
    done = keelson.start("predict", f"--esp-path={esp}", "--bank=sha256")
    assert done.returncode == 0 and "ä.cred: left out" in done.stderr
    assert f"12:sha256={NOTHING['sha256']}" in done.stdout


def test_one_image_alone_has_no_companions(esp, own):
    file(own / "a.cred", b"x")
    uki = esp / "EFI/Linux/uki+3-1.efi"
    assert predicted(f"--uki={uki}")[12] == NOTHING
    assert predicted(f"--uki={uki}", f"--loader={workspace.loader()}")[4] == values(esp)[4]


def overlapping(path):
    """A copy whose last two sections share addresses."""
    pe = pefile.PE(str(path), fast_load=True)
    pe.sections[-1].VirtualAddress = pe.sections[-2].VirtualAddress
    content = pe.write()
    pe.close()
    path.write_bytes(content)


@pytest.mark.parametrize("damage, loaded", [
    (lambda path: path.write_bytes(b""), False),
    (lambda path: path.write_bytes(path.read_bytes()[:300]), False),
    (lambda path: path.write_bytes(path.read_bytes()[:-1]), False),
    (overlapping, True),
], ids=["empty", "headers cut", "data cut", "overlapping sections"])
def test_a_damaged_addon_is_left_out_and_the_others_count(damage, loaded, esp, own):
    bad = addon(own / "bad.addon.efi", "--cmdline=bad")
    good = addon(own / "good.addon.efi", "--cmdline=good")
    damage(bad)
    done = keelson.start("predict", f"--esp-path={esp}", "--bank=sha256", "--phase=:")
    assert done.returncode == 0
    warning, = [text for text in done.stderr.splitlines() if "warning" in text]
    assert f"{bad}: " in warning and "left out" in warning
    assert f"12:sha256={replay([line('good')])['sha256']}" in done.stdout
    images = [esp / "EFI/keelson/keelson-bootx64.efi", esp / "EFI/Linux/uki+3-1.efi", *([bad] if loaded else []), good]
    assert f"4:sha256={pcr_4(images, 'sha256')}" in done.stdout


def test_secure_boot_leaves_out_addons_without_a_signature(esp, own):
    key, certificate = firmware.snakeoil_key()
    signed = addon(own / "signed.addon.efi", "--cmdline=signed", f"--secureboot-private-key={key}",
                   f"--secureboot-certificate={certificate}")
    unsigned = addon(own / "unsigned.addon.efi", "--cmdline=unsigned")
    done = keelson.start("predict", f"--esp-path={esp}", "--bank=sha256", "--secure-boot=yes")
    assert done.returncode == 0
    warning, = [text for text in done.stderr.splitlines() if "warning" in text]
    assert f"{unsigned}: left out: it has no signature" in warning
    assert f"12:sha256={replay([line('signed')])['sha256']}" in done.stdout
    both = values(esp)
    assert both[12] == replay([line("signed unsigned")])
    unsigned.unlink()
    assert f"4:sha256={values(esp)[4]['sha256']}" in done.stdout and both[4] != values(esp)[4]
    assert signed.exists()
