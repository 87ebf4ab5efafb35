# SPDX-License-Identifier: MIT
# `measure calculate` and `predict`: vectors, and values computed here with hashlib, which shares no code
# with the tool.
import hashlib
import itertools
import json

import pefile
import pytest

import keelson
import samples
from qemu import prediction, workspace

VECTOR = {"linux": b"KERNEL-BYTES\n", "osrel": b"ID=demo\nVERSION_ID=1\n", "cmdline": b"quiet", "initrd": b"INITRD",
          "uname": b"6.1.0-demo", "splash": b""}
# After the sections, then after each boot phase; checked once with systemd-measure and a TPM simulator.
VECTOR_PHASES = {
    "": "07c38f592e1287d13af02cb96822148cb56f726b6554fc5aed3a4b25f9aa70f1",
    "enter-initrd": "c6bdebde40c60da4264157a2fff2e411ea59e38011b7043775d1b497d4c2aea7",
    "enter-initrd:leave-initrd": "38af5d668d308ece340cc85ef71cfdd69a7e8e3cbca1476ef1e740abb6dc651e",
    "enter-initrd:leave-initrd:sysinit": "7409e1644395cc2a40d0ea0abf8acb493da40507cfeeae5bd2f9f0d380920159",
    "enter-initrd:leave-initrd:sysinit:ready":
        "864fb45f7ddaf5daf3ab36178a11128a299f9cef7ef10fba6a318b78edc3bc3a"}
BANKS = ("sha1", "sha256", "sha384", "sha512")
NOTHING = {bank: prediction.zeros(bank).hex() for bank in BANKS}  # of a PCR
# The order in which sections are measured; `.pcrsig` never is.
ORDER = ("linux osrel cmdline initrd ucode splash dtb uname sbat pcrpkey profile dtbauto hwids efifw").split()


def files(tmp_path, contents):
    options = []
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        options.append(f"--{name}={path}")
    return options


def pcr_11(contents, bank, phase=""):
    value = prediction.zeros(bank)
    for name in ORDER:
        if contents.get(name):
            value = prediction.extend(bank, value, f".{name}\0".encode())
            value = prediction.extend(bank, value, contents[name])
    for word in filter(None, phase.split(":")):
        value = prediction.extend(bank, value, word.encode())
    return value.hex()


def test_vector(tmp_path):
    phases = [f"--phase={phase or ':'}" for phase in VECTOR_PHASES]
    document = keelson.json_of("measure", "calculate", *files(tmp_path, VECTOR), *phases, "--bank=sha256")
    assert document == {"sha256": [({"phase": phase} if phase else {}) | {"pcr": 11, "hash": value}
                                   for phase, value in VECTOR_PHASES.items()]}


def test_defaults_are_all_banks_and_the_phases_of_a_boot(tmp_path):
    document = keelson.json_of("measure", "calculate", *files(tmp_path, VECTOR))
    assert {bank: [item["phase"] for item in items] for bank, items in document.items()} == {
        bank: list(VECTOR_PHASES)[1:] for bank in BANKS}
    for bank, items in document.items():
        assert all(item["hash"] == pcr_11(VECTOR, bank, item["phase"]) for item in items)


@pytest.mark.parametrize("name", ORDER)
def test_every_section_counts_in_its_place(name, tmp_path):
    contents = {"linux": b"K"} | {other: other.encode() for other in ORDER}
    without = {n: c for n, c in contents.items() if n != name or n == "linux"}
    for sections in (contents, without):
        options = files(tmp_path, sections)
        text = keelson.run("measure", "calculate", *reversed(options), "--bank=sha256", "--phase=:")
        assert text == f"11:sha256={pcr_11(sections, 'sha256')}\n"


def test_lines_and_headings(tmp_path):
    options = files(tmp_path, {"linux": b"K"})
    done = keelson.start("measure", "calculate", *options, "--bank=sha256", "--bank=sha1", "--bank=sha256",
                         "--phase=b:a", "--phase=:", "--phase=:b::a:")
    assert done.stdout.splitlines() == [
        f"11:{bank}={pcr_11({'linux': b'K'}, bank, phase)}"
        for phase, bank in itertools.product(("", "b:a"), ("sha1", "sha256"))]
    assert done.stderr.splitlines() == ["# PCR[11] Phase <:>", "# PCR[11] Phase <b:a>"]


# ---- predict ----

@pytest.fixture
def uki(tmp_path):
    keelson.run("build", f"--linux={samples.kernel()}", "--cmdline=embedded", f"--os-release={samples.OS_RELEASE}",
                "--uname=6.1", "--output=uki.efi")
    return tmp_path / "uki.efi"


def predicted(*options):
    """{PCR: {bank: value}} before any phase."""
    values = {}
    for bank, items in keelson.json_of("predict", "--phase=:", *options).items():
        for item in items:
            assert set(item) == {"pcr", "hash"}
            values.setdefault(item["pcr"], {})[bank] = item["hash"]
    return values


def authenticode(path, bank):
    """Of a file without signature: all but checksum and certificate entry, padded to 8."""
    data = path.read_bytes()
    pe = pefile.PE(data=data, fast_load=True)
    checksum = pe.OPTIONAL_HEADER.get_field_absolute_offset("CheckSum")
    entry = pe.OPTIONAL_HEADER.DATA_DIRECTORY[4].get_file_offset()
    return hashlib.new(bank, data[:checksum] + data[checksum + 4:entry] + data[entry + 8:]
                       + bytes(-len(data) % 8)).digest()


def pcr_4(images, bank):
    value = prediction.extend(bank, prediction.zeros(bank), b"Calling EFI Application from Boot Option")
    value = prediction.extend(bank, value, bytes(4))
    for path in images:
        value = hashlib.new(bank, value + authenticode(path, bank)).digest()
    return value.hex()


def all_banks(function):
    return {bank: function(bank) for bank in BANKS}


def test_a_uki_that_firmware_starts(uki):
    assert predicted(f"--uki={uki}") == {
        4: all_banks(lambda bank: pcr_4([uki], bank)), 11: prediction.pcr_11(uki, BANKS),
        12: prediction.pcr_12(banks=BANKS), 13: NOTHING}


# What an entry passes and whether Secure Boot is on: what goes into PCR 12 (loader, then stub).
LINES = [
    ([], False, []),
    ([], True, []),
    (["--options=a b"], False, ["a b", "a b"]),
    (["--options=a b"], True, ["a b"]),
]


@pytest.mark.parametrize("options, secure_boot, measured", LINES, ids=str)
def test_parameters(options, secure_boot, measured, uki):
    switch = f"--secure-boot={'yes' if secure_boot else 'no'}"
    assert predicted(f"--uki={uki}", f"--loader={workspace.loader()}", switch, *options) == {
        4: all_banks(lambda bank: pcr_4([workspace.loader(), uki], bank)), 11: prediction.pcr_11(uki, BANKS),
        12: prediction.pcr_12(*measured, banks=BANKS), 13: NOTHING}


def test_entries_of_an_esp(esp, uki):
    keelson.run("install", f"--esp-path={esp}")
    (esp / "EFI/Linux/uki.efi").write_bytes(uki.read_bytes())
    (esp / "loader/entries/line.conf").write_text("title L\nsort-key zz\nuki /EFI/Linux/uki.efi\noptions of entry\n")
    loader = f"--loader={workspace.loader()}"
    assert predicted(f"--esp-path={esp}") == predicted(f"--uki={uki}", loader)
    assert predicted(f"--esp-path={esp}", "--entry=line.conf") == predicted(
        f"--uki={uki}", loader, "--options=of entry")
    # Another boot loader's BOOTX64.EFI is not what starts our entries.
    (esp / "EFI/BOOT/BOOTX64.EFI").write_bytes(samples.SYSTEMD_BOOT.read_bytes())
    assert predicted(f"--esp-path={esp}") == predicted(f"--uki={uki}", loader)
    (esp / "loader/loader.conf").write_text("default line*\n")
    assert predicted(f"--esp-path={esp}") == predicted(f"--esp-path={esp}", "--entry=line.conf")
    (esp / "loader/entries/line.conf").write_text("title L\nlinux /EFI/Linux/uki.efi\n")
    keelson.refusal("predict", f"--esp-path={esp}", "--entry=line.conf", names=["line.conf", "unified kernel image"])


def test_an_esp_without_loader(esp, uki):
    (esp / "EFI/Linux").mkdir(parents=True)
    (esp / "EFI/Linux/uki.efi").write_bytes(uki.read_bytes())
    keelson.refusal("predict", f"--esp-path={esp}", names=["esp", "no loader", "--loader="])
    loader = f"--loader={workspace.loader()}"
    assert predicted(f"--esp-path={esp}", loader) == predicted(f"--uki={uki}", loader)


def test_a_profile_of_its_own(uki):
    keelson.run("build", "--profile=ID=rescue", "--cmdline=rescue", "--output=rescue.efi")
    keelson.run("build", f"--linux={samples.kernel()}", "--cmdline=embedded", "--os-release=ID=x", "--uname=6.1",
                "--join-profile=rescue.efi", "--output=uki.efi")
    contents = {name[1:]: content for name, content in samples.sections("uki.efi")
                if name[1:] in ORDER and name not in (".profile", ".cmdline")}
    for number, cmdline, profile in ((0, b"embedded", b"ID=main"), (1, b"rescue", b"ID=rescue")):
        values = predicted("--uki=uki.efi", f"--profile={number}")
        expected = contents | {"cmdline": cmdline, "profile": profile}
        assert values[11] == all_banks(lambda bank, of=expected: pcr_11(of, bank))
    keelson.refusal("predict", "--uki=uki.efi", "--profile=2", names=["uki.efi"])


@pytest.mark.parametrize("entry, number", [("uki.efi@main", 0), ("uki.efi@rescue", 1), ("UKI.efi@RESCUE", 1)])
def test_the_entry_says_which_profile(entry, number, esp):
    keelson.run("install", f"--esp-path={esp}")
    keelson.run("build", "--profile=ID=rescue", "--cmdline=rescue", "--output=rescue.efi")
    keelson.run("build", f"--linux={samples.kernel()}", "--cmdline=embedded", "--os-release=ID=x", "--uname=6.1",
                "--join-profile=rescue.efi", f"--output={esp}/EFI/Linux/uki.efi")
    alone = [f"--uki={esp}/EFI/Linux/uki.efi", f"--loader={workspace.loader()}", f"--profile={number}"]
    assert predicted(f"--esp-path={esp}", f"--entry={entry}") == predicted(*alone)
    keelson.refusal("predict", f"--esp-path={esp}", f"--entry={entry}", f"--profile={1 - number}",
                    names=["--profile=", "--uki=", "--entry=linux.efi@ID"])


def test_headings_of_predict(uki):
    done = keelson.start("predict", f"--uki={uki}", "--bank=sha256", "--phase=:", "--phase=enter-initrd")
    assert done.stderr.splitlines() == ["# PCR[4] Boot loader code", "# PCR[11] Phase <:>",
                                        "# PCR[11] Phase <enter-initrd>", "# PCR[12] Parameters",
                                        "# PCR[13] System extensions"]
    assert [line.split("=")[0] for line in done.stdout.splitlines()] == [
        "4:sha256", "11:sha256", "11:sha256", "12:sha256", "13:sha256"]
    assert json.loads(keelson.run("predict", f"--uki={uki}", "--json=short", "--bank=sha256")).keys() == {"sha256"}
