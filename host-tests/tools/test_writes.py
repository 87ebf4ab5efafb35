# SPDX-License-Identifier: MIT
# How files are replaced: the order of system calls that a FAT survives (tmp file, fsync, syncfs, fsync of
# the directory, exchange, …), and what a failing call, a signal or a kill at each of them leaves.
import os
import re
import signal

import pytest

import keelson
import samples
from qemu import workspace

CALLS = "renameat2,rename,fsync,syncfs,unlink,write,pread64"
OLD = b"the old content"


def build():
    return ["build", f"--linux={samples.kernel()}", "--os-release=", "--uname=", "--output=out.efi"]


@pytest.fixture
def new(tmp_path):
    """What a run that is not disturbed writes."""
    keelson.run(*build())
    content = (tmp_path / "out.efi").read_bytes()
    (tmp_path / "out.efi").write_bytes(OLD)
    return content


def traced(tmp_path, *inject, what=None):
    log = tmp_path / "trace"
    options = [f"--inject={rule}" for rule in inject]
    done = keelson.start(*(what or build()), under=["strace", "-o", log, "-e", f"trace=openat,{CALLS}", *options])
    text = log.read_text(errors="replace")
    log.unlink()
    return done, text


def steps(trace):
    """The calls that make a replacement, in words."""
    names = {}
    found = []
    for line in trace.splitlines():
        if opened := re.match(r'openat\(AT_FDCWD, "([^"]*)", ([^)]*)\)\s+= (\d+)', line):
            kind = "directory" if "O_DIRECTORY" in opened.group(2) else "file"
            names[opened.group(3)] = kind if "O_RDONLY" in opened.group(2) else "temporary"
        elif call := re.match(r"(fsync|syncfs|write)\((\d+)", line):
            if (word := f"{call.group(1)} {names.get(call.group(2))}") not in found[-1:]:
                found.append(word)
        elif renamed := re.match(r'renameat2\(.*, RENAME_(\w+)\)\s+= (-?\d+)', line):
            found.append(f"{renamed.group(1).lower()} {'done' if renamed.group(2) == '0' else 'refused'}")
        elif re.match(r"(unlink|rename)\(", line):
            found.append(line.split("(")[0])
    return [step for step in found if not step.startswith("write None")]


BEFORE = ["write temporary", "fsync temporary", "syncfs directory", "fsync directory"]


def test_replacing_a_file_exchanges_the_two(tmp_path, new):
    _, trace = traced(tmp_path)
    assert steps(trace) == [*BEFORE, "noreplace refused", "exchange done", "syncfs directory",
                            "fsync directory", "unlink", "syncfs directory", "fsync directory"]
    assert (tmp_path / "out.efi").read_bytes() == new


def test_a_new_file_is_renamed(tmp_path, new):
    os.unlink("out.efi")
    _, trace = traced(tmp_path)
    assert steps(trace) == [*BEFORE, "noreplace done", "syncfs directory", "fsync directory"]
    assert (tmp_path / "out.efi").read_bytes() == new


def test_a_file_system_without_exchange(tmp_path, new):
    done, trace = traced(tmp_path, "renameat2:error=EINVAL")
    assert done.returncode == 0, done.stderr
    assert steps(trace) == [*BEFORE, "noreplace refused", "rename", "syncfs directory", "fsync directory"]
    assert (tmp_path / "out.efi").read_bytes() == new


def calls_of(tmp_path):
    """(system call, its number) of one replacement, from the temporary file on."""
    _, trace = traced(tmp_path)
    (tmp_path / "out.efi").write_bytes(OLD)
    counts, calls = {}, []
    lines = trace.splitlines()
    begin = next(i for i, line in enumerate(lines) if "/.#out.efi" in line)
    for i, line in enumerate(lines):
        if (name := line.split("(")[0]) in CALLS.split(","):
            counts[name] = counts.get(name, 0) + 1
            if i > begin and not line.startswith("write(2"):
                calls.append((name, counts[name]))
    assert [name for name, _ in calls if name not in ("write", "pread64")] == [
        "fsync", "syncfs", "fsync", "renameat2", "renameat2", "syncfs", "fsync", "unlink", "syncfs", "fsync"]
    return calls


def test_every_call_failing(tmp_path, new):
    """An error at each of them: one line, one of the two contents whole, nothing beside it."""
    for name, number in calls_of(tmp_path):
        (tmp_path / "out.efi").write_bytes(OLD)
        done, trace = traced(tmp_path, f"{name}:error=EIO:when={number}")
        where = f"{name} {number}\n{trace[-2000:]}"
        assert "(INJECTED)" in trace, where
        assert done.returncode == 1, where
        assert re.fullmatch(r"keelson: [^\n]*: Input/output error\n", done.stderr), done.stderr
        assert (tmp_path / "out.efi").read_bytes() in (OLD, new), where
        assert os.listdir(".") == ["out.efi"], where


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_at_every_call(tmp_path, new, number):
    early = 0
    for name, when in calls_of(tmp_path):
        (tmp_path / "out.efi").write_bytes(OLD)
        done, trace = traced(tmp_path, f"{name}:signal={number.name}:when={when}")
        content = (tmp_path / "out.efi").read_bytes()
        assert os.listdir(".") == ["out.efi"], trace
        if done.returncode == 0:
            assert content == new, trace  # too late to stop it
            continue
        assert done.returncode == -number, (done.returncode, done.stderr)
        assert done.stderr == "keelson: interrupted; no file is half written\n"
        assert content == OLD
        early += 1
    assert early >= 5


def test_killed_at_every_call(tmp_path, new):
    """SIGKILL leaves a temporary file; the next run takes it away."""
    left = 0
    for name, when in calls_of(tmp_path):
        (tmp_path / "out.efi").write_bytes(OLD)
        traced(tmp_path, f"{name}:signal=SIGKILL:when={when}")
        assert (tmp_path / "out.efi").read_bytes() in (OLD, new)
        left += len(keelson.temporary_files("."))
        keelson.run(*build())
        assert (tmp_path / "out.efi").read_bytes() == new
        assert os.listdir(".") == ["out.efi"]
    assert left >= 5


def test_only_its_own_temporary_files_go(tmp_path, new):
    others = [".#out.efi", ".#out.efi0123", ".#other.efi0123456789abcdef", ".#out.efi0123456789abcdeX"]
    for name in others:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / ".#out.efi0123456789abcdef").write_bytes(b"stale")
    done = keelson.start(*build())
    assert done.returncode == 0
    assert sorted(os.listdir(".")) == sorted([*others, "out.efi"])


def test_what_is_read_back_must_be_what_was_written(tmp_path, new):
    first = next(number for name, number in calls_of(tmp_path) if name == "pread64")
    done, _ = traced(tmp_path, f"pread64:retval=0:when={first}")
    assert done.returncode == 1 and "read back" in done.stderr
    assert (tmp_path / "out.efi").read_bytes() == OLD and os.listdir(".") == ["out.efi"]


def test_signing_in_place_stops_with_a_signal(tmp_path):
    """sbsign still runs when the signal comes: the file stays as it is."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sbsign").write_text("#!/bin/sh\nkill -TERM $PPID\nexec sleep 60\n")
    (tmp_path / "bin/sbsign").chmod(0o755)
    (tmp_path / "key").write_bytes(b"")
    (tmp_path / "a.efi").write_bytes(workspace.loader().read_bytes())
    before = keelson.snapshot(".")
    environment = os.environ | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    done = keelson.subprocess.run(
        [workspace.tool(), "sign", "a.efi", "--secureboot-private-key=key", "--secureboot-certificate=key"],
        capture_output=True, env=environment, timeout=30, check=False)
    assert done.returncode == -signal.SIGTERM
    assert keelson.snapshot(".") == before
