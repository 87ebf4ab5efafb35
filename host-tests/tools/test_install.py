# SPDX-License-Identifier: MIT
# install, update, remove and is-installed on a directory tree: which file is written, kept or removed.
import os
import shutil

import pytest

import keelson
import samples
from qemu import workspace

PRIMARY = "EFI/keelson/keelson-bootx64.efi"
FALLBACK = "EFI/keelson/keelson-boot-fallbackx64.efi"
REMOVABLE = "EFI/BOOT/BOOTX64.EFI"
OLDER, NEWER = "0.0.9", "9.9.9"


def our_loader():
    return workspace.loader().read_bytes()


@pytest.fixture
def source(tmp_path):
    """A directory with our loader alone, whatever else the build directory holds."""
    path = tmp_path / "source"
    path.mkdir()
    shutil.copy(workspace.loader(), path / "keelson-bootx64.efi")
    return path


def do(verb, esp, source, *more):
    return keelson.start(verb, f"--esp-path={esp}", f"--source={source}", *more)


def put(esp, name, content):
    path = esp / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def contents(kind, tmp_path):
    """What may lie where our loader goes."""
    if kind == "older":
        return samples.loader(tmp_path / "older.efi", version=OLDER).read_bytes()
    if kind == "newer":
        return samples.loader(tmp_path / "newer.efi", version=NEWER).read_bytes()
    if kind == "systemd-boot":
        return samples.SYSTEMD_BOOT.read_bytes()
    if kind == "foreign":  # no marker, as GRUB and shim
        return samples.with_machine(workspace.stub(), tmp_path / "foreign.efi", 0x8664).read_bytes()
    if kind == "rebuilt":  # same version, other bytes
        return our_loader() + bytes(512)
    return {"ours": our_loader(), "empty": b"", "no PE": b"not a program", "none": None}[kind]


# verb, what is at the primary path, what at BOOTX64.EFI, more options:
#   what is there afterwards (w: written, k: kept), exit code, a word of the messages
ROWS = [
    ("install", "none", "none", [], "ww", 0, "Wrote"),
    ("install", "ours", "ours", [], "kk", 0, "Current"),
    ("install", "rebuilt", "rebuilt", [], "ww", 0, "Wrote"),
    ("install", "older", "older", [], "ww", 0, "Wrote"),
    ("install", "newer", "none", [], "k-", 1, "--force"),
    ("install", "none", "newer", [], "-k", 1, "--force"),
    ("install", "newer", "newer", ["--force"], "ww", 0, "Wrote"),
    ("install", "none", "systemd-boot", [], "ww", 0, "Wrote"),
    ("install", "none", "foreign", [], "wk", 0, "belongs to another boot loader"),
    ("install", "none", "empty", [], "wk", 0, "belongs to another boot loader"),
    ("install", "none", "foreign", ["--force"], "ww", 0, "Wrote"),
    ("install", "empty", "none", [], "ww", 0, "Wrote"),
    ("install", "no PE", "none", [], "ww", 0, "Wrote"),
    ("update", "none", "none", [], "--", 0, "Not installed"),
    ("update", "none", "older", [], "-k", 0, "Not installed"),
    ("update", "ours", "ours", [], "kk", 0, "Current"),
    ("update", "rebuilt", "rebuilt", [], "kk", 0, "Current"),
    ("update", "older", "older", [], "ww", 0, "Wrote"),
    ("update", "older", "none", [], "ww", 0, "Wrote"),
    ("update", "newer", "newer", [], "kk", 0, "Newer, kept"),
    ("update", "newer", "older", [], "kw", 0, "Newer, kept"),
    ("update", "newer", "newer", ["--force"], "ww", 0, "Wrote"),
    ("update", "older", "systemd-boot", [], "ww", 0, "Wrote"),
    ("update", "older", "foreign", [], "wk", 0, "belongs to another boot loader"),
    ("update", "empty", "ours", [], "wk", 0, "Wrote"),
]


@pytest.mark.parametrize("verb, primary, removable, options, outcome, status, word", ROWS,
                         ids=lambda v: " ".join(v) if isinstance(v, list) else str(v))
def test_what_becomes_of_a_file(verb, primary, removable, options, outcome, status, word, esp, source, tmp_path):
    before = {PRIMARY: contents(primary, tmp_path), REMOVABLE: contents(removable, tmp_path)}
    for name, content in before.items():
        if content is not None:
            put(esp, name, content)
    done = do(verb, esp, source, *options)
    assert done.returncode == status, done.stderr
    assert word in done.stderr
    for name, expected in zip(before, outcome):
        if expected == "-":
            assert not (esp / name).exists(), name
        else:
            wanted = our_loader() if expected == "w" else before[name]
            assert (esp / name).read_bytes() == wanted, name
    assert not keelson.temporary_files(esp)
    # The loader that worked until now stays startable; nothing else becomes the fall-back.
    replaced = outcome[0] == "w" and primary in ("older", "newer", "rebuilt")
    assert (esp / FALLBACK).exists() == replaced
    if replaced:
        assert (esp / FALLBACK).read_bytes() == before[PRIMARY]


def test_dry_run_says_the_same_and_writes_nothing(esp, source, tmp_path):
    put(esp, PRIMARY, contents("older", tmp_path))
    put(esp, REMOVABLE, contents("systemd-boot", tmp_path))
    before = keelson.snapshot(esp)
    options = ("--dry-run", "--json=short")
    for verb in ("install", "update", "remove"):
        where = [f"--source={source}"] if verb != "remove" else []
        planned = keelson.run(verb, f"--esp-path={esp}", *where, *options)
        assert keelson.snapshot(esp) == before
        shutil.copytree(esp, "copy")
        done = keelson.run(verb, "--esp-path=copy", *where, "--json=short")
        # Directories that become empty only then are not announced.
        announced = [d for d in keelson.json.loads(planned)]
        carried_out = keelson.json.loads(done.replace('"copy/', f'"{esp}/'))
        assert [d for d in carried_out if d in announced] == announced
        assert all(d["action"] == "remove" for d in carried_out if d not in announced)
        shutil.rmtree("copy")


def test_first_installation(esp, source):
    assert do("install", esp, source).returncode == 0
    assert keelson.snapshot(esp) == {
        "EFI": None, "EFI/BOOT": None, REMOVABLE: our_loader(), "EFI/Linux": None, "EFI/keelson": None,
        PRIMARY: our_loader(), "loader": None, "loader/entries": None, "loader/entries.srel": b"type1\n",
        "loader/loader.conf": b"#timeout 3\n#console-mode keep\n"}


@pytest.mark.parametrize("verb", ["install", "update", "remove"])
def test_again_changes_nothing(verb, esp, source):
    do("install", esp, source)
    if verb == "remove":
        keelson.run("remove", f"--esp-path={esp}")
    before = keelson.snapshot(esp)
    times = {path: path.stat().st_mtime_ns for path in esp.rglob("*")}
    again = keelson.start(verb, f"--esp-path={esp}", *([] if verb == "remove" else [f"--source={source}"]))
    assert again.returncode == 0 and keelson.snapshot(esp) == before
    assert {path: path.stat().st_mtime_ns for path in esp.rglob("*")} == times


def test_settings_of_the_owner_stay(esp, source):
    put(esp, "loader/loader.conf", b"timeout 7\n")
    put(esp, "loader/entries.srel", b"other\n")
    do("install", esp, source)
    assert (esp / "loader/loader.conf").read_bytes() == b"timeout 7\n"
    assert (esp / "loader/entries.srel").read_bytes() == b"other\n"


def test_entries_go_to_xbootldr(esp, source, tmp_path):
    boot = tmp_path / "boot"
    boot.mkdir()
    assert do("install", esp, source, f"--boot-path={boot}").returncode == 0
    assert set(keelson.snapshot(boot)) == {"loader", "loader/entries", "loader/entries.srel", "EFI", "EFI/Linux"}
    assert not (esp / "loader/entries").exists() and (esp / "loader/loader.conf").exists()
    keelson.run("remove", f"--esp-path={esp}", f"--boot-path={boot}")
    assert not keelson.snapshot(boot) and not keelson.snapshot(esp)


def test_the_signed_loader_is_preferred(esp, source):
    (source / "keelson-bootx64.efi.signed").write_bytes(our_loader() + bytes(8))
    do("install", esp, source)
    assert (esp / PRIMARY).read_bytes() == our_loader() + bytes(8)


def test_update_replaces_an_unsigned_loader_by_a_signed_one(esp, source):
    from qemu import firmware
    key, certificate = firmware.snakeoil_key()
    do("install", esp, source)
    keelson.run("sign", source / "keelson-bootx64.efi", f"--output={source}/keelson-bootx64.efi.signed",
                f"--secureboot-private-key={key}", f"--secureboot-certificate={certificate}")
    signed = (source / "keelson-bootx64.efi.signed").read_bytes()
    do("update", esp, source)
    assert (esp / PRIMARY).read_bytes() == (esp / REMOVABLE).read_bytes() == signed
    # And not back again.
    os.unlink(source / "keelson-bootx64.efi.signed")
    do("update", esp, source)
    assert (esp / PRIMARY).read_bytes() == signed


def test_names_are_found_as_fat_does(esp, source):
    put(esp, "efi/boot/bootx64.efi", samples.SYSTEMD_BOOT.read_bytes())
    put(esp, "Loader/Loader.conf", b"timeout 7\n")
    do("install", esp, source)
    assert set(os.listdir(esp)) == {"efi", "Loader"}
    assert (esp / "efi/boot/bootx64.efi").read_bytes() == our_loader()
    assert os.listdir(esp / "efi/boot") == ["bootx64.efi"]
    keelson.run("remove", f"--esp-path={esp}")
    assert not (esp / "efi").exists()


def test_remove_leaves_what_is_not_ours(esp, source, tmp_path):
    others = {"EFI/systemd/systemd-bootx64.efi": contents("systemd-boot", tmp_path),
              "EFI/BOOT/fbx64.efi": contents("foreign", tmp_path), "EFI/keelson/drivers/a.efi": b"driver",
              "EFI/keelson/notes.txt": b"mine", "EFI/Linux/a.efi": b"uki", "loader/entries/a.conf": b"title a\n",
              "loader/loader.conf": b"timeout 7\n", "loader/entries.srel": b"type1\n", "kernel": b"k"}
    for name, content in others.items():
        put(esp, name, content)
    before = keelson.snapshot(esp)
    do("install", esp, source)
    put(esp, FALLBACK, contents("older", tmp_path))
    put(esp, "EFI/BOOT/BOOTIA32.EFI", contents("older", tmp_path))  # ours too, by its marker
    keelson.run("remove", f"--esp-path={esp}")
    assert keelson.snapshot(esp) == before


def test_remove_takes_leftovers_of_a_power_cut(esp, source):
    do("install", esp, source)
    put(esp, "EFI/keelson/.#keelson-bootx64.efi0123456789abcdef", b"half")
    keelson.run("remove", f"--esp-path={esp}")
    assert not keelson.snapshot(esp)


def test_is_installed(esp, source, tmp_path):
    def answer():
        done = keelson.start("is-installed", f"--esp-path={esp}")
        as_json = keelson.start("is-installed", f"--esp-path={esp}", "--json=short")
        assert as_json.returncode == done.returncode and not done.stderr
        return done.stdout, done.returncode, as_json.stdout

    assert answer() == ("no\n", 1, '{"installed":false}\n')
    put(esp, REMOVABLE, our_loader())
    assert answer()[1] == 1
    put(esp, PRIMARY, b"damaged")
    assert answer()[1] == 1
    do("install", esp, source)
    assert answer() == ("yes\n", 0, '{"installed":true}\n')


def test_json_of_installation(esp, source):
    deeds = keelson.json.loads(keelson.run("install", f"--esp-path={esp}", f"--source={source}", "--json=short"))
    assert {d["action"] for d in deeds} == {"make-directory", "write"}
    assert {"action": "write", "path": f"{esp}/{PRIMARY}",
            "what": f"keelson-boot {samples.our_version()}"} in deeds
    assert all(set(d) <= {"action", "path", "what"} for d in deeds)


@pytest.mark.parametrize("where, content, names", [
    ("EFI/keelson", "link", ["EFI/keelson", "symbolic link"]),
    ("EFI/BOOT", "link", ["EFI/BOOT", "symbolic link"]),
    ("EFI", "file", ["EFI", "cannot make the directory"]),
    (REMOVABLE, "directory", ["BOOTX64.EFI", "not a regular file"]),
], ids=str)
def test_something_in_the_way(where, content, names, esp, source, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    path = esp / where
    path.parent.mkdir(parents=True, exist_ok=True)
    {"link": lambda: path.symlink_to(tmp_path / "elsewhere"), "file": lambda: path.write_bytes(b"x"),
     "directory": path.mkdir}[content]()
    done = do("install", esp, source, "--quiet")
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert all(name in done.stderr for name in names), done.stderr
    assert not os.listdir(tmp_path / "elsewhere") and not (esp / PRIMARY).exists()


@pytest.mark.parametrize("content, names", [
    ("missing", ["keelson-bootx64.efi", "not found in"]), ("foreign", ["no marker of keelson-boot"]),
    ("systemd-boot", ["no marker of keelson-boot"])])
def test_source_without_our_loader(content, names, esp, source, tmp_path):
    os.unlink(source / "keelson-bootx64.efi")
    if content != "missing":
        (source / "keelson-bootx64.efi").write_bytes(contents(content, tmp_path))
    done = do("install", esp, source, "--quiet")
    assert done.returncode == 1 and all(name in done.stderr for name in names), done.stderr
    assert not (esp / PRIMARY).exists()


def test_no_space(tmp_path, source):
    (tmp_path / "mnt").mkdir()
    script = ('mount -t tmpfs -o size=1200k tmpfs mnt && "$0" install --quiet --esp-path=mnt --source=source; '
              'echo $?; find mnt -type f')
    done = keelson.subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, workspace.tool()],
        capture_output=True, text=True, check=False)
    assert done.stdout == "1\n"
    assert done.stderr.startswith("keelson: mnt: ") and "are free" in done.stderr and done.stderr.count("\n") == 1
