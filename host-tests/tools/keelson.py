# SPDX-License-Identifier: MIT
# Running the tool: what it says, what it leaves. Every run is checked for what holds always: no crash,
# no temporary file, and a refusal is one line that starts with the program's name.
import json
import os
import pathlib
import re
import subprocess

from qemu import workspace

TEMPORARY = re.compile(r"\.#.*[0-9a-f]{16}")


def temporary_files(directory):
    return [p for p in pathlib.Path(directory).rglob("*") if TEMPORARY.fullmatch(p.name)]


def snapshot(directory):
    """{relative name: content; None for a directory}."""
    return {str(p.relative_to(directory)): p.read_bytes() if p.is_file() else None
            for p in sorted(pathlib.Path(directory).rglob("*"))}


def start(*arguments, under=(), **more):
    """A finished run; `under` is what starts it (strace, unshare)."""
    words = [str(word) for word in (*under, workspace.tool(), *arguments)]
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    return subprocess.run(words, capture_output=True, env=environment, check=False, timeout=120,
                          errors="surrogateescape", **more)


def run(*arguments, **more):
    """Standard output of a run that must succeed."""
    done = start(*arguments, **more)
    assert done.returncode == 0, done.stderr
    assert not temporary_files(".")
    return done.stdout


def messages(*arguments, **more):
    """Standard error of a run that must succeed, as lines."""
    done = start(*arguments, **more)
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


def json_of(*arguments):
    """The JSON document of a run; `short` is one line, and `pretty` says the same."""
    short = run(*arguments, "--json=short")
    assert short.count("\n") == 1 and short.endswith("\n")
    assert json.loads(run(*arguments, "--json=pretty")) == json.loads(short)
    return json.loads(short)


def refusal(*arguments, names, status=1, **more):
    """The one line of a run that must fail; it has to contain all of `names`."""
    before = snapshot(".")
    done = start(*arguments, **more)
    assert done.returncode == status, (done.returncode, done.stderr)
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("keelson: "), done.stderr
    for name in names:
        assert str(name) in lines[0], f"{name!r} is not in {lines[0]!r}"
    assert not re.search(r"terminate|exception|std::|basic_string|/\.#", lines[0])
    assert snapshot(".") == before
    return lines[0]
