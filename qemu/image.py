# SPDX-License-Identifier: MIT
# Unified kernel images for scenarios, built in the two ways users build them: by our tool, and the
# upstream way, plain objcopy on a stub. (The third, Debian 13's ukify, is a peer: peers.py.) And a
# fourth one for comparisons, which puts the same sections behind whatever stub.
import json
import pathlib
import struct

import pefile

from qemu import firmware, workspace
from qemu.command import need, run

OS_RELEASE = """\
ID={id}
NAME="{title}"
PRETTY_NAME="{title} {version}"
VERSION_ID={version}
"""
CONSOLE = "console=ttyS0 panic=-1 quiet"


def os_release(title="Test System", version="1", identifier="test"):
    return OS_RELEASE.format(title=title, version=version, id=identifier)


def keelson(*arguments, status=0):
    """Runs our tool; returns its standard output."""
    return run([workspace.tool(), *arguments], status=status).stdout


def build(output, *, linux, cmdline, os_release_text, initrd=None, uname=None, signed=False,
          stub=None, more=()):
    """A UKI by `keelson build`."""
    arguments = [f"--linux={linux}", f"--cmdline={cmdline}", f"--os-release={os_release_text}",
                 f"--stub={stub or workspace.stub()}", f"--output={output}"]
    if initrd:
        arguments.append(f"--initrd={initrd}")
    if uname:
        arguments.append(f"--uname={uname}")
    if signed:
        key, certificate = firmware.snakeoil_key()
        arguments += [f"--secureboot-private-key={key}", f"--secureboot-certificate={certificate}"]
    pathlib.Path(output).parent.mkdir(parents=True, exist_ok=True)
    keelson("build", *arguments, *more)
    return pathlib.Path(output)


def predict(esp, entry, *, secure_boot):
    """PCRs by `keelson predict`, before any boot phase: {PCR: {bank: hex}}."""
    text = keelson("predict", f"--esp-path={esp}", f"--entry={entry}", "--phase=:",
                   f"--secure-boot={'yes' if secure_boot else 'no'}", "--json=short")
    values = {}
    for bank, items in json.loads(text).items():
        for item in items:
            values.setdefault(item["pcr"], {})[bank] = item["hash"]
    return values


def measure(section_files, *, banks=("sha256",), phases=("enter-initrd",)):
    """PCR 11 by `keelson measure calculate`: {bank: {phase: hex}}."""
    options = [f"--{name}={path}" for name, path in section_files.items()]
    values = {}
    for bank in banks:
        for phase in phases:
            line = keelson("measure", "calculate", *options, f"--bank={bank}", f"--phase={phase}").strip()
            name, value = line.removeprefix("11:").split("=")
            values.setdefault(name, {})[phase] = value
    return values


def sections(path):
    """[(name, content)] of a PE file, contents as long as they are in memory."""
    pe = pefile.PE(str(path), fast_load=True)
    return [(s.Name.rstrip(b"\0").decode(),
             s.get_data()[:s.Misc_VirtualSize].ljust(s.Misc_VirtualSize, b"\0"))
            for s in pe.sections]


def objcopy(output, *, stub, sections, program="objcopy"):
    """A UKI by `objcopy --add-section`; sections: (name, file) in order."""
    need(program, "binutils")
    pe = pefile.PE(str(stub), fast_load=True)
    alignment = pe.OPTIONAL_HEADER.SectionAlignment

    def aligned(value):
        return (value + alignment - 1) // alignment * alignment

    end = max(s.VirtualAddress + s.Misc_VirtualSize for s in pe.sections)
    base = pe.OPTIONAL_HEADER.ImageBase
    pe.close()
    options = []
    for name, path in sections:
        at = aligned(end)
        options += ["--add-section", f"{name}={path}", "--change-section-vma", f"{name}={base + at:#x}"]
        end = at + pathlib.Path(path).stat().st_size
    pathlib.Path(output).parent.mkdir(parents=True, exist_ok=True)
    run([program, *options, stub, output])
    return pathlib.Path(output)


def assemble(output, *, stub, sections, sbat=None):
    """`sections`, (name, bytes) in file order, appended to any stub; `sbat` replaces what it has."""
    pe = bytearray(pathlib.Path(stub).read_bytes())
    coff = struct.unpack_from("<I", pe, 0x3C)[0] + 4
    optional = coff + 20
    count, = struct.unpack_from("<H", pe, coff + 2)
    section_alignment, file_alignment = struct.unpack_from("<II", pe, optional + 32)
    table = optional + struct.unpack_from("<H", pe, coff + 16)[0]
    _make_room_for_headers(pe, table, count, len(sections), optional, file_alignment)
    struct.pack_into("<II", pe, coff + 8, 0, 0)      # the symbol table may have moved
    struct.pack_into("<II", pe, optional + 160, 0, 0)  # so may the debug directory's data
    end = 0
    for at in range(table, table + 40 * count, 40):
        name, size, address, raw_size, raw = struct.unpack_from("<8sIIII", pe, at)
        end = max(end, address + size)
        if sbat is not None and name.rstrip(b"\0") == b".sbat":
            if len(sbat) > raw_size:
                raise ValueError(f"{stub}: no room for {len(sbat)} bytes of .sbat")
            pe[raw:raw + raw_size] = sbat.ljust(raw_size, b"\0")
            struct.pack_into("<I", pe, at + 8, len(sbat))
    for number, (name, content) in enumerate(sections, count):
        address, raw = -(-end // section_alignment) * section_alignment, len(pe)
        end = address + len(content)
        pe += content + bytes(-len(content) % file_alignment)
        struct.pack_into("<8sIIIIIIHHI", pe, table + 40 * number, name.encode(), len(content), address,
                         len(pe) - raw, raw if content else 0, 0, 0, 0, 0, 0x40000040)
    struct.pack_into("<H", pe, coff + 2, count + len(sections))
    struct.pack_into("<I", pe, optional + 56, -(-end // section_alignment) * section_alignment)
    pathlib.Path(output).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(output).write_bytes(pe)
    return pathlib.Path(output)


def _make_room_for_headers(pe, table, count, more, optional, file_alignment):
    """Moves the sections' data in the file, if the headers of `more` sections do not fit."""
    headers, = struct.unpack_from("<I", pe, optional + 60)
    wanted = -(-(table + 40 * (count + more)) // file_alignment) * file_alignment
    pe += bytes(-len(pe) % file_alignment)
    if wanted <= headers:
        return
    pe[headers:headers] = bytes(wanted - headers)
    struct.pack_into("<I", pe, optional + 60, wanted)
    for at in range(table, table + 40 * count, 40):
        raw, = struct.unpack_from("<I", pe, at + 20)
        if raw:
            struct.pack_into("<I", pe, at + 20, raw + wanted - headers)
