# SPDX-License-Identifier: MIT
# Input that is refused: one line naming the file and the reason, exit code 1, and a directory that
# looks as before.
import os
import pathlib
import resource

import pytest

import keelson
import samples
from qemu import firmware, stub_inputs, workspace

SIGNING = ("--secureboot-private-key", "--secureboot-certificate")


def build(*options, linux=None):
    return ["build", f"--linux={linux or samples.kernel()}", "--os-release=", "--output=out.efi", *options]


# What reads files, and how: every verb that takes one gets the same bad ones.
READERS = {
    "build --linux": lambda path: build(linux=path),
    "build --initrd": lambda path: build(f"--initrd={path}"),
    "build --stub": lambda path: build(f"--stub={path}"),
    "build --cmdline": lambda path: build(f"--cmdline=@{path}"),
    "build --os-release": lambda path: build(f"--os-release=@{path}"),
    "build --section": lambda path: build(f"--section=.x:@{path}"),
    "build --sbat": lambda path: build(f"--sbat=@{path}"),
    "build --join-profile": lambda path: build(f"--join-profile={path}"),
    "build --pcrpkey": lambda path: build(f"--pcrpkey={path}"),
    "build, key": lambda path: build(f"{SIGNING[0]}={path}", f"{SIGNING[1]}={path}"),
    "sign": lambda path: ["sign", path, *key_options()],
    "inspect": lambda path: ["inspect", path],
    "measure calculate": lambda path: ["measure", "calculate", f"--linux={path}"],
    "predict --uki": lambda path: ["predict", f"--uki={path}"],
    "predict --loader": lambda path: ["predict", f"--uki={samples.uki()}", f"--loader={path}"],
}
# Those that want a PE file.
PE_READERS = [name for name in READERS if name in (
    "build --linux", "build --stub", "build --join-profile", "sign", "inspect", "predict --uki",
    "predict --loader")]


def key_options():
    return [f"{option}={path}" for option, path in zip(SIGNING, firmware.snakeoil_key())]


@pytest.mark.parametrize("reader", READERS)
def test_missing_file(reader):
    keelson.refusal(*READERS[reader]("no such file"), names=["no such file", "No such file or directory"])


@pytest.mark.parametrize("reader", READERS)
def test_directory_instead_of_a_file(reader, tmp_path):
    (tmp_path / "folder").mkdir()
    keelson.refusal(*READERS[reader]("folder"), names=["folder", "not a regular file"])


@pytest.mark.parametrize("reader", READERS)
def test_fifo_does_not_block(reader, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    keelson.refusal(*READERS[reader]("pipe"), names=["pipe", "not a regular file"])


@pytest.mark.parametrize("reader", READERS)
def test_unreadable_file(reader, tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(b"x")
    path.chmod(0)
    # Root reads everything, but not from a name space in which it is nobody.
    under = ["unshare", "--user"] if os.geteuid() == 0 else []
    done = keelson.start(*READERS[reader]("secret"), under=under)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "secret: cannot open: Permission denied" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["secret"]


@pytest.mark.parametrize("reader", PE_READERS)
@pytest.mark.parametrize("content, reason", [
    (b"", "an empty file"),
    (b"M", "half a magic"),
    (b"#!/bin/sh\nexit 0\n" * 20, "a script"),
    (b"MZ" + bytes(62), "a DOS program"),
    (b"\x7fELF" + bytes(500), "an ELF file"),
    (b"\x1f\x8b" + bytes(500), "a compressed kernel"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_no_pe_image(reader, content, reason, tmp_path):
    (tmp_path / "odd").write_bytes(content)
    keelson.refusal(*READERS[reader]("odd"), names=["odd: "])


@pytest.mark.parametrize("reader", PE_READERS)
@pytest.mark.parametrize("keep", [0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_truncated_pe_image(reader, keep, tmp_path):
    whole = workspace.stub() if "stub" in reader else samples.kernel()
    samples.truncated(whole, tmp_path / "cut.efi", int(whole.stat().st_size * keep))
    keelson.refusal(*READERS[reader]("cut.efi"), names=["cut.efi: "])


@pytest.mark.parametrize("options, names, why", [
    (["--section=.cmdline:x"], [".cmdline", "option of its own"], "known sections have options"),
    (["--section=.x:1", "--section=.x:2"], [".x", "already"], "a section twice"),
    (["--section=.text:1"], [".text", "already"], "the stub's own section"),
    (["--section=.muchtoolong:1"], [".muchtoolong"], "longer than 8 characters"),
    (["--section=:1"], ["--section=:1", "NAME:"], "no name"),
    (["--section=.x"], ["--section=.x", "NAME:"], "no content"),
    (["--sbat=not sbat"], [".sbat"], "an SBAT line has fields"),
    ([f"{SIGNING[0]}=/dev/null"], ["--secureboot-private-key=", "--secureboot-certificate="], "half a key"),
    (["--stub=stub.efi"], ["stub.efi", "aa64", "x64"], "kernel and stub for different machines"),
    (["--output=folder"], ["folder", "regular"], "a directory is in the way"),
    (["--output=/dev/null"], ["/dev/null", "regular"], "a device is in the way"),
    (["--output=link"], ["link", "regular"], "a link is in the way"),
    (["--output=nowhere/x.efi"], ["nowhere/x.efi", "No such file"], "no directory"),
    (["--bank=md5", "--measure"], ["md5", "sha256"], "an unknown bank"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_refused_by_build(options, names, why, tmp_path):
    samples.with_machine(workspace.stub(), tmp_path / "stub.efi", 0xAA64)
    (tmp_path / "folder").mkdir()
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "link").symlink_to("target")
    keelson.refusal("build", f"--linux={samples.kernel()}", "--os-release=", *options,
                    *([] if any("--output" in o for o in options) else ["--output=out.efi"]), names=names)
    assert pathlib.Path("/dev/null").is_char_device()


TREE = stub_inputs.device_tree("acme,one")
NAMELESS_TREE = stub_inputs.device_tree("acme,one").replace(b"compatible", b"compatable")
IDS = stub_inputs.HARDWARE_IDS
# Contents that our stub or loader would not take.
USELESS = {
    "our loader as kernel": (lambda: workspace.loader().read_bytes(), "--linux=bad", "EFI stub"),
    "a UKI as kernel": (lambda: samples.uki().read_bytes(), "--linux=bad", "kernel that is in it"),
    "an add-on as kernel": (lambda: workspace.addon_stub().read_bytes(), "--linux=bad", "EFI stub"),
    "a picture of another kind": (lambda: b"\x89PNG\r\n" + bytes(60), "--splash=bad", "BMP"),
    "half a picture": (lambda: stub_inputs.picture()[:-1], "--splash=bad", "BMP"),
    "source of a device tree": (lambda: b"/dts-v1/;" + bytes(60), "--devicetree=bad", ".dtb"),
    "half a device tree": (lambda: TREE[:-1], "--devicetree=bad", ".dtb"),
    "half a candidate": (lambda: TREE[:-1], "--devicetree-auto=bad", ".dtb"),
    "a candidate for no board": (lambda: NAMELESS_TREE, "--devicetree-auto=bad", "compatible"),
    "garbage for ids": (lambda: b"garbage" * 20, "--hwids=bad", "descriptions"),
    "short garbage for ids": (lambda: b"garbage", "--hwids=bad", "descriptions"),
    "no ids": (lambda: bytes(28), "--hwids=bad", "descriptions"),
    "ids without end": (lambda: IDS[:28], "--hwids=bad", "descriptions"),
    "ids with half a text": (lambda: IDS[:-1], "--hwids=bad", "descriptions"),
    "a long os-release": (lambda: b"#" * 65537, "--os-release=@bad", "65536"),
    "a long command line": (lambda: b"x" * 65537, "--cmdline=@bad", "65536"),
    "a long profile": (lambda: b"#" * 65537, "--profile=@bad", "65536"),
}


@pytest.mark.parametrize("content, option, remedy", USELESS.values(), ids=USELESS)
def test_what_our_stub_would_not_take(content, option, remedy, tmp_path):
    (tmp_path / "bad").write_bytes(content())
    options = [*([] if "linux" in option else [f"--linux={samples.kernel()}"]),
               *([] if "release" in option else ["--os-release="]), option, "--output=out.efi"]
    keelson.refusal("build", *options, names=["bad: ", remedy])
    # Another stub may take it.
    done = keelson.start("build", *options, f"--stub={samples.DEBIAN_STUB}")
    assert done.returncode == 0
    warnings = [line for line in done.stderr.splitlines() if "warning: bad: " in line]
    assert len(warnings) == 1 and remedy in warnings[0]


def test_a_long_text_of_a_profile_to_join(tmp_path):
    (tmp_path / "long").write_bytes(b"x" * 65537)
    keelson.run("build", "--profile=ID=x", "--cmdline=@long", f"--stub={samples.DEBIAN_STUB}", "--output=profile.efi")
    keelson.refusal(*build("--join-profile=profile.efi"), names=["profile.efi: .cmdline: ", "65536"])


def test_a_finished_uki_is_no_stub(tmp_path):
    keelson.run(*build("--cmdline=a"))
    os.rename("out.efi", "finished.efi")
    keelson.refusal(*build("--stub=finished.efi"), names=[".cmdline", "stub"])


def test_a_signed_stub_is_refused():
    keelson.run("sign", workspace.stub(), "--output=signed.stub", *key_options())
    keelson.refusal(*build("--stub=signed.stub"), names=["sign"])


@pytest.mark.parametrize("content, why", [
    (b"", "empty"), (b"garbage", "no PEM"),
    (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "damaged PEM")],
    ids=lambda value: value if isinstance(value, str) else "")
def test_bad_key(content, why, tmp_path):
    (tmp_path / "bad.pem").write_bytes(content)
    (tmp_path / "out.efi").write_bytes(b"as before")
    _, certificate = key_options()
    keelson.refusal(*build(f"{SIGNING[0]}=bad.pem", certificate), names=["bad.pem", "sbsign"])


def test_sbsign_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    keelson.refusal(*build(*key_options()), names=["sbsign", "sbsigntool"])


def test_section_that_claims_an_absurd_size(tmp_path):
    keelson.run(*build("--cmdline=a"))
    os.rename("out.efi", "whole.efi")
    samples.with_section_size("whole.efi", tmp_path / "huge.efi", ".linux", 0xF0000000)
    keelson.refusal("inspect", "huge.efi", names=["huge.efi: ", ".linux", "size"])


def test_names_cannot_forge_lines(tmp_path):
    line = keelson.refusal("inspect", "a\nkeelson: all is well\x1b[2J", names=["cannot open"])
    assert "\x1b" not in line


def test_size_limit(tmp_path):
    """A limit is an error of the write, not the end by a signal."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    (tmp_path / "out.efi").write_bytes(b"as before")
    keelson.refusal(*build(), names=["out.efi: cannot write: File too large"], preexec_fn=limit)


def test_closed_output():
    """A reader that went away, or a full device behind stdout, is said."""
    with open("/dev/full", "w", encoding="ascii") as full:
        done = keelson.subprocess.run([workspace.tool(), "inspect", samples.kernel(), "--all"], stdout=full,
                                      stderr=keelson.subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "keelson: standard output: cannot write\n")


def test_full_disk(tmp_path):
    script = ('mount -t tmpfs -o size=64k tmpfs mnt && echo before >mnt/out.efi && '
              '"$0" build --linux="$1" --os-release= --output=mnt/out.efi; echo $?; '
              'ls -A mnt; cat mnt/out.efi')
    (tmp_path / "mnt").mkdir()
    done = keelson.subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, workspace.tool(),
         samples.kernel()], capture_output=True, text=True, check=False)
    assert done.stderr == "keelson: mnt/out.efi: cannot write: No space left on device\n"
    assert done.stdout == "1\nout.efi\nbefore\n"


@pytest.mark.parametrize("arguments, names", [
    ([], ["no verb"]),
    (["frobnicate"], ["frobnicate", "no such verb"]),
    (["measure"], ["measure: no verb"]),
    (["measure", "frobnicate"], ["frobnicate"]),
    (["build", "--frobnicate"], ["--frobnicate", "build --help"]),
    (["build", "--linux"], ["--linux"]),
    (["inspect"], ["FILE"]),
    (["inspect", "x", "--json=xml"], ["--json=xml", "pretty"]),
    (["install", "--efi-arch=../../etc"], ["../../etc"]),
    (["predict", "--profile=minus one"], ["--profile"]),
], ids=str)
def test_command_line_that_is_wrong(arguments, names):
    keelson.refusal(*arguments, names=names, status=2)


@pytest.mark.parametrize("verb", ["install", "update", "remove", "is-installed", "list"])
@pytest.mark.parametrize("options, names", [
    ([], ["--esp-path="]),
    (["--esp-path=nowhere"], ["nowhere", "not a directory"]),
    (["--esp-path=file"], ["file", "not a directory"]),
], ids=str)
def test_no_esp(verb, options, names, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    keelson.refusal(verb, *options, names=names)


@pytest.mark.parametrize("options, names", [
    ([], ["--esp-path=", "--uki="]),
    (["--esp-path=esp", "--uki=x"], ["--esp-path=", "--uki="]),
    (["--esp-path=esp"], ["esp", "no boot entry"]),
    (["--esp-path=esp", "--entry=gone"], ["gone", "keelson list"]),
], ids=str)
def test_nothing_to_predict(options, names, esp):
    keelson.refusal("predict", *options, names=names)


# Inputs that an output could replace.
OVERWRITTEN = {
    "--linux": "--linux=input", "--initrd": "--initrd=input", "--cmdline": "--cmdline=@input",
    "--os-release": "--os-release=@input", "--section": "--section=.x:@input", "--sbat": "--sbat=@input",
    "--stub": "--stub=input", "--join-profile": "--join-profile=input", "--pcrpkey": "--pcrpkey=input",
    "--secureboot-private-key": "--secureboot-private-key=input", "--pcr-private-key": "--pcr-private-key=input",
    "--efifw": "--efifw=folder", "--hwids": "--hwids=folder"}


@pytest.mark.parametrize("option", OVERWRITTEN.values(), ids=OVERWRITTEN)
@pytest.mark.parametrize("output", ["input", "./folder/../input", "hard", "soft"])
def test_no_output_replaces_an_input(option, output, tmp_path):
    """Whatever name leads to it."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "input").write_bytes(b"precious")
    os.link("input", "folder/input")
    os.link("input", "hard")
    (tmp_path / "soft").symlink_to("input")
    keelson.refusal("build", *([] if "linux" in option else [f"--linux={samples.kernel()}"]), option,
                    f"--output={output}", names=[f"{output}: ", "input"])


@pytest.mark.parametrize("output", ["image.efi", "signatures", "key.pem"])
def test_joining_and_signing_replace_no_input(output, tmp_path):
    for name in ("image.efi", "signatures", "key.pem"):
        (tmp_path / name).write_bytes(b"precious")
    key = [f"{SIGNING[0]}=key.pem", f"{SIGNING[1]}=key.pem"]
    keelson.refusal("build", "--join-pcrsig=image.efi", "--pcrsig=@signatures", f"--output={output}", *key,
                    names=[f"{output}: is an input"])
    keelson.refusal("sign", "image.efi", "--output=key.pem", *key, names=["key.pem: is an input"])
    keelson.refusal("sign", "key.pem", *key, names=["key.pem: is an input"])


def test_what_has_no_kernel_is_not_predicted(esp):
    keelson.run("build", "--cmdline=x", "--output=a.addon.efi")
    for path in ("a.addon.efi", workspace.loader()):
        keelson.refusal("predict", f"--uki={path}", names=[path, "no .linux section"])
    keelson.run("install", f"--esp-path={esp}")
    os.rename("a.addon.efi", esp / "odd.efi")
    (esp / "loader/entries").mkdir(exist_ok=True)
    (esp / "loader/entries/odd.conf").write_text("title Odd\nuki /odd.efi\n")
    keelson.refusal("predict", f"--esp-path={esp}", names=["odd.efi: ", "no .linux section"])


def test_a_kernel_that_the_stub_refuses_is_warned_of():
    keelson.run("build", f"--linux={workspace.loader()}", "--os-release=", f"--stub={samples.DEBIAN_STUB}",
                "--output=odd.efi")
    line, = [line for line in keelson.messages("predict", "--uki=odd.efi") if "warning" in line]
    assert "odd.efi: our stub would not boot it" in line


# Links into a directory that has what each place wants.
LINKS = ["loader", "loader/credentials", "loader/extensions", "loader/addons", "loader/loader.conf", "EFI",
         "EFI/Linux", "EFI/Linux/uki.efi", "EFI/Linux/uki.efi.extra.d"]


@pytest.mark.parametrize("link", LINKS)
def test_links_do_not_lead_out_of_the_tree(link, esp):
    """FAT has none, and firmware would see what is somewhere else on no partition."""
    keelson.run("install", f"--esp-path={esp}")
    uki = esp / "EFI/Linux/uki.efi"
    for path, content in ((uki, samples.uki().read_bytes()), (esp / "loader/credentials/g.cred", b"x"),
                          (esp / "loader/extensions/g.raw", b"x"), (esp / "loader/addons/g.addon.efi", b"x"),
                          (esp / "EFI/Linux/uki.efi.extra.d/a.cred", b"x")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert keelson.start("predict", f"--esp-path={esp}").returncode == 0
    os.rename(esp / link, "elsewhere")
    (esp / link).symlink_to(pathlib.Path("elsewhere").resolve())
    done = keelson.start("predict", f"--esp-path={esp}", "--entry=uki.efi")
    assert f"{link}: " in done.stderr and "symbolic link" in done.stderr
    assert done.returncode == 1 and not done.stdout


@pytest.mark.parametrize("verb", ["", "build", "sign", "inspect", "install", "update", "remove",
                                  "is-installed", "list", "measure", "measure calculate", "measure sign",
                                  "measure policy-digest", "predict", "random-seed"])
def test_help(verb):
    text = keelson.run(*verb.split(), "--help")
    assert "Usage: keelson" in text and verb in text
    assert max(map(len, text.splitlines())) <= 100
    assert "{false}" not in text and " TEXT ..." not in text
