# SPDX-License-Identifier: MIT
# What `build`, `sign` and `inspect` make and show: sections, their order and bytes.
import hashlib
import json
import os
import pathlib
import subprocess

import pefile
import pytest

import keelson
import samples
from qemu import firmware, prediction, stub_inputs, workspace


def build(*options, output="out.efi"):
    keelson.run("build", f"--os-release={samples.OS_RELEASE}", *options, f"--output={output}")
    return pathlib.Path(output)


def uki(*options, **more):
    return build(f"--linux={samples.kernel()}", *options, **more)


@pytest.fixture
def files(tmp_path):
    """Contents with their options, in ukify's order in the file."""
    (tmp_path / "in").mkdir()

    def file(name, content):
        (tmp_path / "in" / name).write_bytes(content)
        return tmp_path / "in" / name

    tree, ids, picture = stub_inputs.device_tree("a,b"), stub_inputs.HARDWARE_IDS, stub_inputs.picture()
    return [(".osrel", f"--os-release=@{file('osrel', b'ID=x')}", b"ID=x"),
            (".cmdline", f"--cmdline=@{file('cmdline', b'  a  b' + bytes([10]))}", b"  a  b\n"),
            (".dtb", f"--devicetree={file('dtb', tree)}", tree),
            (".hwids", f"--hwids={file('hwids', ids)}", ids),
            (".uname", "--uname=6.1.0", b"6.1.0"),
            (".splash", f"--splash={file('splash', picture)}", picture),
            (".pcrpkey", f"--pcrpkey={file('pcrpkey', b'KEY')}", b"KEY"),
            (".linux", f"--linux={samples.kernel()}", samples.kernel().read_bytes()),
            (".initrd", f"--initrd={file('initrd', b'INITRD!')}", b"INITRD!"),
            (".ucode", f"--microcode={file('ucode', b'UCODE')}", b"UCODE"),
            (".mine", "--section=.mine:text", b"text"),
            (".pcrsig", "--pcrsig={}", b"{}")]


def test_sections_stand_in_ukifys_order(files):
    options = [option for _, option, _ in files]
    keelson.run("build", *reversed(options), "--output=out.efi")
    stub = [name for name, _ in samples.sections(workspace.stub())]
    made = samples.sections("out.efi")
    assert [name for name, _ in made] == stub + [name for name, _, _ in files]
    for name, _, content in files:
        assert samples.section("out.efi", name) == content
    pe = pefile.PE("out.efi")
    assert pe.get_warnings() == []
    assert pe.OPTIONAL_HEADER.CheckSum == 0


def test_the_same_bytes_twice(files):
    for output in ("first.efi", "second.efi"):
        keelson.run("build", *[option for _, option, _ in files], f"--output={output}")
    assert pathlib.Path("first.efi").read_bytes() == pathlib.Path("second.efi").read_bytes()


@pytest.mark.parametrize("option, content, why", [
    ("--cmdline=  quiet   splash\n\t x ", b"quiet splash x", "a text is collapsed"),
    ("--cmdline=", None, "an empty text is no section"),
    ("--cmdline=ü", "ü".encode(), "UTF-8 stays"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_command_line(option, content, why):
    found = dict(samples.sections(uki(option)))
    assert found.get(".cmdline") == content


def test_files_of_proc_are_read(tmp_path):
    """They claim to be empty."""
    output = uki("--cmdline=@/proc/sys/kernel/ostype")
    assert samples.section(output, ".cmdline") == b"Linux\n"


def test_several_initrds_are_padded_to_four(tmp_path):
    for name, content in (("a", b"12345"), ("b", b"1234"), ("c", b"1")):
        (tmp_path / name).write_bytes(content)
    output = uki("--initrd=a", "--initrd=b", "--initrd=c")
    assert samples.section(output, ".initrd") == b"12345\0\0\0" + b"1234" + b"1\0\0\0"


def test_defaults_come_from_kernel_and_machine():
    kernel = samples.real_kernel()
    keelson.run("build", f"--linux={kernel.image}", "--output=out.efi")
    assert samples.section("out.efi", ".uname").decode() == kernel.release
    assert samples.section("out.efi", ".osrel") == pathlib.Path("/etc/os-release").read_bytes()


@pytest.mark.parametrize("signed, name", [(False, "vmlinuz-1.unsigned.efi"), (True, "vmlinuz-1.signed.efi")])
def test_default_output(signed, name, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/vmlinuz-1").write_bytes(samples.kernel().read_bytes())
    key, certificate = firmware.snakeoil_key()
    options = [f"--secureboot-private-key={key}", f"--secureboot-certificate={certificate}"] if signed else []
    keelson.run("build", "--linux=in/vmlinuz-1", "--os-release=", *options)
    assert sorted(os.listdir(".")) == ["in", name]


def test_straight_into_the_esp(esp):
    keelson.run("install", f"--esp-path={esp}")
    uki(output=esp / "EFI/Linux/demo+3.efi")
    assert os.listdir(esp / "EFI/Linux") == ["demo+3.efi"]
    assert [e["id"] for e in keelson.json_of("list", f"--esp-path={esp}")] == ["demo.efi"]


def test_signed_image_verifies_and_measures_the_same():
    key, certificate = firmware.snakeoil_key()
    plain = uki("--cmdline=x")
    signed = uki("--cmdline=x", f"--secureboot-private-key={key}", f"--secureboot-certificate={certificate}",
                 output="signed.efi")
    subprocess.run(["sbverify", "--cert", certificate, signed], check=True, capture_output=True)
    assert subprocess.run(["sbverify", "--cert", certificate, plain], capture_output=True, check=False).returncode
    assert keelson.run("predict", f"--uki={plain}") == keelson.run("predict", f"--uki={signed}")
    keelson.run("sign", plain, f"--secureboot-private-key={key}", f"--secureboot-certificate={certificate}")
    subprocess.run(["sbverify", "--cert", certificate, plain], check=True, capture_output=True)


def test_json_of_build():
    text = keelson.run("build", f"--linux={samples.kernel()}", "--os-release=", "--output=out.efi", "--json=short")
    image = pathlib.Path("out.efi").read_bytes()
    assert json.loads(text) == {"path": "out.efi", "size": len(image), "signed": False,
                                "sha256": hashlib.sha256(image).hexdigest()}


def test_measured_build_prints_what_predict_says():
    options = ["--bank=sha256", "--bank=sha1", "--phase=:", "--phase=enter-initrd"]
    text = keelson.run("build", f"--linux={samples.kernel()}", "--os-release=", "--output=out.efi", "--measure",
                       *options)
    predicted = keelson.run("predict", "--uki=out.efi", *options)
    assert text.splitlines() == [line for line in predicted.splitlines() if line.startswith("11:")]
    assert len(text.splitlines()) == 4


def test_profiles_are_built_and_joined():
    """As ukify does it: each profile is a file first."""
    for name in ("one", "two"):
        keelson.run("build", f"--profile=ID={name}", f"--cmdline={name}", f"--output={name}.efi")
        stub = [n for n, _ in samples.sections(workspace.output("stub/keelson-addonx64.efi.stub"))]
        assert [n for n, _ in samples.sections(f"{name}.efi")] == [*stub, ".profile", ".cmdline"]
    output = uki("--cmdline=base", "--join-profile=one.efi", "--join-profile=two.efi")
    names = [name for name, _ in samples.sections(output)]
    assert names[names.index(".profile"):] == [".profile", ".profile", ".cmdline", ".profile", ".cmdline"]
    document = keelson.json_of("inspect", output)
    assert document[".cmdline"]["text"] == "base"
    assert [p[".profile"]["text"] for p in document["_profiles"]] == ["ID=main", "ID=one", "ID=two"]
    assert [p.get(".cmdline", {}).get("text") for p in document["_profiles"]] == [None, "one", "two"]


@pytest.mark.parametrize("option, section", [
    ("--initrd=/dev/null", ".initrd"), ("--initrd=empty", ".initrd"), ("--cmdline=", ".cmdline"),
    ("--cmdline=  ", ".cmdline"), ("--cmdline=@/dev/null", ".cmdline"), ("--uname=", ".uname"),
    ("--microcode=/dev/null", ".ucode"), ("--os-release=@/dev/null", ".osrel"),
])
def test_what_is_empty_in_a_profile_hides_the_images(option, section, tmp_path):
    """As docs/uki.md says of /dev/null."""
    for name in ("initrd", "ucode"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "empty").write_bytes(b"")
    keelson.run("build", "--profile=ID=rescue\nTITLE=Rescue", option, "--output=rescue.efi")
    output = uki("--cmdline=quiet", "--initrd=initrd", "--uname=6.1", "--microcode=ucode", "--join-profile=rescue.efi")
    document = keelson.json_of("inspect", output)
    assert document["_profiles"][1][section]["size"] == 0 < document[section]["size"]
    predicted = keelson.run("predict", f"--uki={output}", "--profile=1", "--bank=sha256", "--phase=:")
    assert f"11:sha256={prediction.pcr_11(output, ['sha256'], profile=1)['sha256']}" in predicted


def test_an_empty_text_in_an_image_is_no_section():
    output = uki("--cmdline=", "--uname=")
    assert not {".cmdline", ".uname"} & {name for name, _ in samples.sections(output)}


def test_a_version_read_from_a_file_has_no_line_end(tmp_path):
    (tmp_path / "version").write_text("6.1.0-test\n")
    assert samples.section(uki("--uname=@version"), ".uname") == b"6.1.0-test"


def test_what_is_no_profile_is_not_joined():
    build("--cmdline=x", output="addon.efi")
    keelson.refusal("build", f"--linux={samples.kernel()}", "--join-profile=addon.efi", "--output=out.efi",
                    names=["addon.efi: ", "--profile="])


def test_inspect_shows_every_known_section(files):
    keelson.run("build", *[option for _, option, _ in files], "--output=out.efi")
    document = keelson.json_of("inspect", "out.efi")
    texts = {".osrel", ".cmdline", ".uname", ".pcrpkey", ".pcrsig", ".sbat"}
    for name, _, content in files:
        if name == ".mine":
            assert name not in document
            continue
        expected = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        if name in texts:
            expected["text"] = content.decode()
        assert document[name] == expected
    assert ".mine" in keelson.json_of("inspect", "out.efi", "--all")


def test_inspect_is_safe_on_a_terminal():
    output = uki("--section=.x:1", "--os-release=ID=a\x1b[2J\u202eb\nNAME=\x07x")
    text = keelson.run("inspect", output)
    assert not set(text) & set("\x1b\x07\u202e")
    assert keelson.json_of("inspect", output)[".osrel"]["text"] == "ID=a\x1b[2J\u202eb\nNAME=\x07x"


def test_inspect_of_a_kernel_says_that_there_is_nothing(tmp_path):
    lines = keelson.messages("inspect", samples.real_kernel().image)
    assert len(lines) == 1 and "no section of a UKI" in lines[0]
