# SPDX-License-Identifier: MIT
# Thin UKIs: what `build --thin` leaves beside the image, and how `inspect` and `predict` read it.
import base64
import hashlib
import pathlib

import pytest

import keelson
import keys
import samples
from qemu import firmware

INITRD = b"the initrd"


def base32(content):
    return base64.b32encode(hashlib.sha256(content).digest()).decode().rstrip("=").lower()


def build(esp, *options, output="EFI/Linux/thin.efi", thin=True):
    pathlib.Path("initrd").write_bytes(INITRD)
    path = esp / output
    path.parent.mkdir(parents=True, exist_ok=True)
    keelson.run("build", f"--linux={samples.kernel()}", "--initrd=initrd", "--cmdline=quiet", "--uname=6.1",
                f"--os-release={samples.OS_RELEASE}", *(["--thin"] if thin else []), f"--output={path}", *options)
    return path


def pins(esp, directory="EFI/keelson-pinned"):
    return sorted(p.name for p in (esp / directory).iterdir())


def test_kernel_and_initrd_lie_beside_the_image_under_names_made_of_their_hashes(esp):
    image = build(esp)
    kernel = samples.kernel().read_bytes()
    names = [f"initrd-6.1-{base32(INITRD)}.efi", f"kernel-6.1-{base32(kernel)}.efi"]
    assert pins(esp) == names
    assert (esp / "EFI/keelson-pinned" / names[0]).read_bytes() == INITRD
    assert (esp / "EFI/keelson-pinned" / names[1]).read_bytes() == kernel
    found = dict(samples.sections(image))
    assert found[".linux"].decode() == f"\\EFI\\keelson-pinned\\{names[1]}"
    assert found[".initrd"].decode() == f"\\EFI\\keelson-pinned\\{names[0]}"
    assert found[".linuxh"] == hashlib.sha256(kernel).digest()
    assert found[".initrdh"] == hashlib.sha256(INITRD).digest()
    assert image.stat().st_size < samples.kernel().stat().st_size + 200_000


def test_the_kernels_sbat_lines_are_in_the_image(esp):
    """shim never sees the kernel of a thin UKI; it revokes by what the signed image says."""
    component = dict(samples.sections(samples.kernel()))[".sbat"].decode().splitlines()[1]
    assert component in dict(samples.sections(build(esp)))[".sbat"].decode()


@pytest.mark.parametrize("output, options, directory", [
    ("EFI/Linux/a.efi", [], "EFI/keelson-pinned"),
    ("efi/linux/a.efi", [], "efi/keelson-pinned"),
    ("out/a.efi", [], "out/EFI/keelson-pinned"),
    ("out/a.efi", ["--esp-path=esp"], "EFI/keelson-pinned"),
], ids=["on an ESP", "spelled otherwise", "elsewhere", "told"])
def test_the_volume_is_where_the_image_is(esp, output, options, directory):
    build(esp, *options, output=output)
    assert len(pins(esp, directory)) == 2


def test_the_directory_can_be_chosen(esp):
    image = build(esp, "--pinned-directory=/EFI/nixos")
    assert len(pins(esp, "EFI/nixos")) == 2
    assert dict(samples.sections(image))[".linux"].startswith(b"\\EFI\\nixos\\kernel-")


@pytest.mark.parametrize("directory", ["..", "EFI/../..", "a:b", ""])
def test_bad_directories_are_refused(esp, directory):
    if directory == "":
        directory = "EFI/a\nb"
    pathlib.Path("initrd").write_bytes(INITRD)
    keelson.refusal("build", f"--linux={samples.kernel()}", "--initrd=initrd", "--cmdline=x", "--thin",
                    "--os-release=", f"--pinned-directory={directory}", f"--output={esp}/a.efi",
                    names=["--pinned-directory="])


def test_files_that_are_there_stay(esp):
    first = build(esp)
    before = {p: p.stat().st_ino for p in (esp / "EFI/keelson-pinned").iterdir()}
    build(esp, "--cmdline=other", output="EFI/Linux/second.efi")
    assert {p: p.stat().st_ino for p in (esp / "EFI/keelson-pinned").iterdir()} == before
    assert first.read_bytes() != (esp / "EFI/Linux/second.efi").read_bytes()


def test_a_file_that_differs_is_never_overwritten(esp):
    build(esp)
    initrd = esp / f"EFI/keelson-pinned/initrd-6.1-{base32(INITRD)}.efi"
    initrd.write_bytes(b"damaged")
    keelson.refusal("build", f"--linux={samples.kernel()}", "--initrd=initrd", "--cmdline=x", "--thin",
                    "--uname=6.1", "--os-release=", f"--output={esp}/EFI/Linux/other.efi",
                    names=[initrd, "hash"])


@pytest.mark.parametrize("options, names", [
    (["--initrd=initrd"], [".cmdline: ", "command line"]),
    (["--cmdline=x"], [".initrd: ", "initrd"]),
])
def test_what_the_stub_would_refuse_is_not_built(esp, options, names):
    pathlib.Path("initrd").write_bytes(INITRD)
    keelson.refusal("build", f"--linux={samples.kernel()}", "--thin", "--os-release=", *options,
                    f"--output={esp}/a.efi", names=names)


@pytest.mark.parametrize("options", [
    lambda: [f"--secureboot-private-key={firmware.snakeoil_key()[0]}", "--secureboot-certificate=other.crt"],
    lambda: ["--pcr-private-key=other.pem", "--sign-profile=nobody"],
], ids=["key and certificate differ", "no such profile to sign"])
def test_what_cannot_be_signed_leaves_nothing_behind(options, esp):
    pathlib.Path("initrd").write_bytes(INITRD)
    keys.certificate_of(keys.make_key(pathlib.Path("other.pem")))
    keelson.refusal("build", f"--linux={samples.kernel()}", "--initrd=initrd", "--cmdline=x", "--thin",
                    "--os-release=", *options(), f"--output={esp}/a.efi", names=[])


def test_policies_of_a_thin_image_are_those_of_the_full_one(esp, pair):
    key = f"--pcr-private-key={pair}"
    images = [build(esp, key, output=f"{thin}.efi", thin=thin) for thin in (False, True)]
    first, second = (dict(samples.sections(path))[".pcrsig"] for path in images)
    assert first == second


def test_inspect_shows_what_is_pinned(esp):
    image = build(esp)
    document = keelson.json_of("inspect", image)
    kernel = samples.kernel().read_bytes()
    assert document[".linux"]["file"] == dict(samples.sections(image))[".linux"].decode()
    assert document[".linux"]["fileSha256"] == hashlib.sha256(kernel).hexdigest()
    assert document[".initrd"]["fileSha256"] == hashlib.sha256(INITRD).hexdigest()
    assert ".linuxh" in document and ".initrdh" in document
    text = keelson.run("inspect", image)
    assert f"  file sha256: {hashlib.sha256(INITRD).hexdigest()}\n" in text


def pcr_11(text):
    return [line for line in text.splitlines() if line.startswith("11:")]


def test_pcr_11_is_that_of_the_full_image(esp):
    full = build(esp, output="full.efi", thin=False)
    expected = pcr_11(keelson.run("predict", f"--uki={full}"))
    assert len(expected) == 16
    keelson.run("install", f"--esp-path={esp}")
    image = build(esp)
    assert pcr_11(keelson.run("predict", f"--uki={image}")) == expected
    assert pcr_11(keelson.run("predict", f"--esp-path={esp}", "--entry=thin.efi")) == expected
    measured = keelson.run("build", f"--linux={samples.kernel()}", "--initrd=initrd", "--cmdline=quiet",
                           "--uname=6.1", f"--os-release={samples.OS_RELEASE}", "--thin", "--measure",
                           f"--output={esp}/EFI/Linux/again.efi")
    assert pcr_11(measured) == expected


def test_predict_names_the_pinned_file_that_is_not_right(esp):
    image = build(esp)
    initrd = next((esp / "EFI/keelson-pinned").glob("initrd-*"))
    initrd.write_bytes(b"tampered")
    keelson.refusal("predict", f"--uki={image}", names=[initrd, image])
    initrd.unlink()
    keelson.refusal("predict", f"--uki={image}", names=[image, initrd.name])


def test_profiles_of_a_thin_image_are_thin(esp):
    pathlib.Path("rescue").write_bytes(b"rescue initrd")
    keelson.run("build", "--profile=ID=rescue", "--initrd=rescue", "--thin", f"--esp-path={esp}",
                "--output=profile.efi")
    image = build(esp, "--join-profile=profile.efi")
    assert len(pins(esp)) == 3
    document = keelson.json_of("inspect", image)
    assert document["_profiles"][1][".initrd"]["fileSha256"] == hashlib.sha256(b"rescue initrd").hexdigest()
    assert keelson.run("predict", f"--uki={image}", "--profile=1") != keelson.run("predict", f"--uki={image}")


def test_it_is_listed_as_any_image(esp):
    build(esp)
    (entry,) = keelson.json_of("list", f"--esp-path={esp}")
    assert (entry["id"], entry["type"], entry["title"]) == ("thin.efi", "type2", "Demo")
