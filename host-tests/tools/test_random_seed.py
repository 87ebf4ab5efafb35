# SPDX-License-Identifier: MIT
# The files with secrets: what `random-seed` and `install` make, and what they leave alone.
import pathlib
import stat
import subprocess

import pytest

import keelson
from qemu import workspace

SEED, MIXIN = "loader/random-seed", "loader/boot-secret-mixin"


def test_both_files_are_made(esp):
    keelson.run("random-seed", f"--esp-path={esp}", "--variables=no")
    for name in (SEED, MIXIN):
        content = (esp / name).read_bytes()
        assert len(content) == 32 and content != bytes(32)
        assert stat.S_IMODE((esp / name).stat().st_mode) == 0o600
    assert (esp / SEED).read_bytes() != (esp / MIXIN).read_bytes()


def test_the_seed_changes_and_the_mixin_stays(esp):
    """Another mixin would be another boot secret."""
    seeds, mixins = set(), set()
    for _ in range(3):
        keelson.run("random-seed", f"--esp-path={esp}", "--variables=no")
        seeds.add((esp / SEED).read_bytes())
        mixins.add((esp / MIXIN).read_bytes())
    assert (len(seeds), len(mixins)) == (3, 1)


def test_a_mixin_that_is_too_short_is_filled(esp):
    """systemd-stub makes an empty one; our stub makes none, and extends none."""
    (esp / "loader").mkdir()
    (esp / MIXIN).write_bytes(b"")
    keelson.run("random-seed", f"--esp-path={esp}", "--variables=no")
    assert len((esp / MIXIN).read_bytes()) == 32


def test_each_volume_gets_a_mixin(esp, tmp_path):
    boot = tmp_path / "boot"
    boot.mkdir()
    document = keelson.json_of("random-seed", f"--esp-path={esp}", f"--boot-path={boot}", "--variables=no",
                               "--dry-run")
    assert [(d["action"], d["path"]) for d in document] == [
        ("make-directory", f"{esp}/loader"), ("write", f"{esp}/{SEED}"), ("write", f"{esp}/{MIXIN}"),
        ("make-directory", f"{boot}/loader"), ("write", f"{boot}/{MIXIN}")]
    assert not list(esp.iterdir())
    keelson.run("random-seed", f"--esp-path={esp}", f"--boot-path={boot}", "--variables=no")
    assert (boot / MIXIN).read_bytes() != (esp / MIXIN).read_bytes()
    assert not (boot / SEED).exists()


def test_a_file_that_is_no_seed_is_left_alone(esp):
    (esp / "loader").mkdir()
    (esp / SEED).write_bytes(bytes(32 * 1024 + 1))
    keelson.refusal("random-seed", f"--esp-path={esp}", "--variables=no", names=[esp / SEED, "remove it"])


@pytest.mark.parametrize("options, made", [([], False), (["--random-seed=no"], False), (["--random-seed=yes"], True)])
def test_install_makes_no_seed_in_a_tree(esp, options, made):
    """An image made of it would give every machine the same seed."""
    keelson.run("install", f"--esp-path={esp}", *options)
    assert (esp / SEED).exists() == (esp / MIXIN).exists() == made


def on_mounted_esp(script, tmp_path):
    """Runs a shell script with an ESP of its own mounted on ./mount, and, where the machine allows it, a
    directory that stands for efivarfs."""
    (tmp_path / "mount").mkdir()
    setup = "set -e; mount -t tmpfs -o mode=0700 tmpfs mount; mount -t tmpfs tmpfs /sys/firmware; "
    done = subprocess.run(["unshare", "--mount", "--user", "--map-root-user", "sh", "-c", setup + script],
                          capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return done


def test_install_makes_them_on_a_mounted_esp(tmp_path):
    done = on_mounted_esp(f"{workspace.tool()} install --esp-path=mount; wc -c mount/{SEED} mount/{MIXIN}", tmp_path)
    assert done.stdout.split()[:4] == ["32", f"mount/{SEED}", "32", f"mount/{MIXIN}"]
    assert "warning" not in done.stderr


def test_a_readable_esp_is_warned_of(tmp_path):
    done = on_mounted_esp(f"chmod 755 mount; {workspace.tool()} random-seed --esp-path=mount", tmp_path)
    assert "umask=0077" in done.stderr


TOKEN = "/sys/firmware/efi/efivars/LoaderSystemToken-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"


def test_the_system_token_is_made_once(tmp_path):
    seed = f"{workspace.tool()} random-seed --esp-path=mount"
    done = on_mounted_esp(f"mkdir -p /sys/firmware/efi/efivars; {seed}; cp {TOKEN} first; {seed}; cmp {TOKEN} first; "
                          f"stat -c %a {TOKEN}", tmp_path)
    token = (tmp_path / "first").read_bytes()
    assert len(token) == 36 and token[:4] == bytes([7, 0, 0, 0]) and any(token[4:])
    assert done.stdout.split()[-1] == "600"


@pytest.mark.parametrize("option, esp_kind", [("--variables=no", "mount"), ("", "tree")])
def test_variables_are_left_alone(tmp_path, option, esp_kind):
    (tmp_path / "tree").mkdir()
    on_mounted_esp(f"mkdir -p /sys/firmware/efi/efivars; {workspace.tool()} random-seed --esp-path={esp_kind} {option}; "
                   f"test ! -e {TOKEN}", tmp_path)


def test_asked_for_variables_without_any_is_an_error(esp):
    if pathlib.Path("/sys/firmware/efi/efivars").is_dir():
        pytest.skip("this machine has EFI variables")
    keelson.refusal("random-seed", f"--esp-path={esp}", "--variables=yes", names=["efivarfs"])
