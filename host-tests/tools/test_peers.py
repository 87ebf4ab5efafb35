# SPDX-License-Identifier: MIT
# Other people's programs say the same as ours: systemd-measure and bootctl of Debian 12 and 13, ukify,
# objdump; and images that they made are read by ours.
import json
import pathlib
import shutil
import subprocess

import pytest

import keelson
import samples
from qemu import guest, image, peers, workspace

PHASES = ("--phase=:", "--phase=enter-initrd:leave-initrd", "--phase=b:a", "--phase=a::b")
PEERS = {"12": peers.DEBIAN_12, "13": peers.DEBIAN_13}
COMMON = ("linux", "osrel", "cmdline", "initrd", "splash", "dtb", "pcrpkey")


@pytest.fixture
def parts(tmp_path):
    """Section files: {name: path}."""
    contents = {"osrel": samples.OS_RELEASE, "cmdline": "console=ttyS0 quiet", "uname": guest.kernel().release,
                "splash": "BM", "dtb": "DTB", "ucode": "U", "pcrpkey": "PEM",
                "sbat": "sbat,1,SBAT Version,sbat,1,https://example.org\n", "profile": "ID=x\n"}
    paths = {"linux": guest.kernel().image, "initrd": guest.initrd()}
    (tmp_path / "in").mkdir()
    for name, text in contents.items():
        paths[name] = tmp_path / "in" / name
        paths[name].write_text(text)
    return paths


@pytest.mark.parametrize("debian, names", [
    ("12", ("linux",)), ("12", COMMON), ("13", ("linux",)), ("13", COMMON), ("13", ("linux", "uname")),
    ("13", ("linux", "sbat")), ("13", ("linux", "profile")), ("13", (*COMMON, "uname", "sbat", "profile", "ucode")),
], ids=str)
@pytest.mark.parametrize("form", ["off", "short"])
def test_systemd_measure_prints_the_same(debian, names, form, parts):
    options = [*(f"--{name}={parts[name]}" for name in names), *PHASES, "--bank=sha256", "--bank=sha1",
               "--bank=sha384", "--bank=sha512", f"--json={form}"]
    theirs = PEERS[debian].run("systemd-measure", "calculate", *options)
    ours = keelson.start("measure", "calculate", *options)
    assert ours.returncode == 0
    if form == "off":
        assert (ours.stdout, ours.stderr) == (theirs.stdout, theirs.stderr)
    else:
        assert json.loads(ours.stdout) == json.loads(theirs.stdout)


def systemd_file(name):
    return peers.DEBIAN_13.root / "usr/lib/systemd/boot/efi" / name


def without_padding(sections):
    """ukify leaves a NUL behind a shortened .sbat."""
    return [(name, content.rstrip(b"\0") if name == ".sbat" else content) for name, content in sections]


def our_uki(parts, output="ours.efi"):
    keelson.run("build", f"--linux={parts['linux']}", f"--initrd={parts['initrd']}", f"--cmdline=@{parts['cmdline']}",
                f"--os-release=@{parts['osrel']}", f"--output={output}")
    return pathlib.Path(output)


def ukify_options(parts, output, stub):
    return ["build", f"--linux={parts['linux']}", f"--initrd={parts['initrd']}", f"--cmdline=@{parts['cmdline']}",
            f"--os-release=@{parts['osrel']}", f"--stub={stub}", f"--output={output}"]


def foreign_uki(kind, parts, tmp_path):
    if kind == "objcopy":
        return image.objcopy(tmp_path / "foreign.efi", stub=samples.DEBIAN_STUB, sections=[
            (f".{name}", parts[name]) for name in ("osrel", "cmdline", "uname", "linux", "initrd")])
    # Debian 12's stub has no room for what 257's ukify puts into .sbat.
    stub = workspace.stub() if kind == "ukify, our stub" else systemd_file("linuxx64.efi.stub")
    peers.ukify(*ukify_options(parts, tmp_path / "foreign.efi", stub))
    return tmp_path / "foreign.efi"


FOREIGN = ("objcopy", "ukify, our stub", "ukify, Debian's stub")


@pytest.mark.parametrize("kind", ("ours", *FOREIGN))
def test_ukify_inspects_the_same(kind, parts, tmp_path):
    path = our_uki(parts) if kind == "ours" else foreign_uki(kind, parts, tmp_path)
    theirs = json.loads(peers.ukify("inspect", path, "--json=short").stdout)
    ours = keelson.json_of("inspect", path)
    assert ours == theirs
    if kind == "ours":
        assert keelson.run("inspect", path) == peers.ukify("inspect", path).stdout


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_ukis_are_listed_and_predicted(kind, parts, tmp_path, esp):
    path = foreign_uki(kind, parts, tmp_path)
    (esp / "EFI/Linux").mkdir(parents=True)
    shutil.copy(path, esp / "EFI/Linux/foreign.efi")
    entry, = keelson.json_of("list", f"--esp-path={esp}")
    assert (entry["title"], entry["cmdline"]) == ("Demo", "console=ttyS0 quiet")
    from qemu import prediction
    text = keelson.run("predict", f"--uki={path}", "--phase=:", "--bank=sha256")
    assert f"11:sha256={prediction.pcr_11(path, ('sha256',))['sha256']}\n" in text


def test_same_sections_as_ukify_in_the_same_order(parts, tmp_path):
    ours = samples.sections(our_uki(parts))
    theirs = samples.sections(foreign_uki("ukify, our stub", parts, tmp_path))
    assert without_padding(ours) == without_padding(theirs)


@pytest.mark.parametrize("base", ["systemd's", "ours"])
def test_profiles_of_ukify_are_joined_and_ours_by_ukify(parts, base):
    stub = (workspace.output("stub/keelson-addonx64.efi.stub") if base == "ours"
            else systemd_file("addonx64.efi.stub"))
    for name, build in (("ours", keelson.run), ("theirs", peers.ukify)):
        build("build", f"--profile=ID={name}", f"--cmdline={name}", f"--stub={stub}", f"--output={name}.efi")
    assert samples.sections("ours.efi")[-1] == (".cmdline", b"ours")
    common = [f"--linux={parts['linux']}", f"--os-release=@{parts['osrel']}", f"--stub={workspace.stub()}",
              "--join-profile=ours.efi", "--join-profile=theirs.efi"]
    keelson.run("build", *common, "--output=by-us.efi")
    peers.ukify("build", *common, "--output=by-them.efi")
    made = [without_padding(samples.sections(f"by-{who}.efi")) for who in ("us", "them")]
    assert made[0] == made[1]


def test_bootctl_of_debian_13_recognises_our_images(parts):
    bootctl = peers.DEBIAN_13
    uki = our_uki(parts)
    keelson.run("build", "--cmdline=debug", "--output=addon.efi")
    for path, kind in ((uki, "uki"), ("addon.efi", "addon"), (workspace.loader(), "pe")):
        assert bootctl.run("bootctl", "kernel-identify", path).stdout == f"{kind}\n"
    text = bootctl.run("bootctl", "kernel-inspect", uki).stdout
    fields = dict(line.strip().split(": ", 1) for line in text.splitlines())
    assert fields["Kernel Type"] == "uki" and fields["Cmdline"] == "console=ttyS0 quiet"
    assert fields["Version"] == guest.kernel().release and fields["OS"] == "Demo"


def test_objdump_reads_our_image(parts):
    done = subprocess.run(["objdump", "-h", our_uki(parts)], capture_output=True, text=True, check=True)
    assert not done.stderr
    found = {line.split()[1]: int(line.split()[2], 16) for line in done.stdout.splitlines()
             if line[:3].strip().isdigit()}
    for name, path in ((".linux", parts["linux"]), (".initrd", parts["initrd"]), (".cmdline", parts["cmdline"])):
        assert found[name] == pathlib.Path(path).stat().st_size


@pytest.mark.parametrize("debian", PEERS)
def test_bootctl_lists_the_same(debian, esp, parts):
    keelson.run("install", f"--esp-path={esp}")
    (esp / "k").write_bytes(b"kernel")
    for name, text in {
            "a-1.conf": "title A\nsort-key a\nversion 1\nlinux /k\noptions x\n",
            "a-2+3.conf": "title A\nsort-key a\nversion 2\nlinux /k\ninitrd /k\n",
            "b+0-1.conf": "title B\nsort-key 0\nlinux /k\n",
            "plain.conf": "title Plain\nversion 7\nmachine-id 0123456789abcdef0123456789abcdef\nefi /k\n"}.items():
        (esp / "loader/entries" / name).write_text(text)
    our_uki(parts, esp / "EFI/Linux/demo+2-1.efi")
    keys = ["id", "title", "showTitle", "sortKey", "version", "machineId", "linux", "efi", "initrd", "triesLeft",
            "triesDone"]
    text = PEERS[debian].list_entries(esp)
    if debian == "12":  # an object a line, no types, no slash before the path of a UKI
        theirs = [json.loads(line) for line in text.splitlines()]
    else:
        keys += ["type", "source", "isDefault"]
        theirs = [entry for entry in json.loads(text) if entry["type"] != "auto"]

    def comparable(entries):
        rows = [{key: entry[key] for key in keys if key in entry} for entry in entries]
        for row in rows:
            row.setdefault("triesDone", 0)  # 252 leaves it out where there are none
            if "linux" in row:
                row["linux"] = "/" + row["linux"].lstrip("/")
        return rows

    ours = keelson.json_of("list", f"--esp-path={esp}")
    assert [e["id"] for e in ours] == ["a-2.conf", "a-1.conf", "demo.efi", "plain.conf", "b.conf"]
    assert comparable(ours) == comparable(theirs)
