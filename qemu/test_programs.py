# SPDX-License-Identifier: MIT
# The finished programs as files: what firmware, signers and UKI builders demand of them
# (read with pefile, not with our own parser), and that a build elsewhere gives the same bytes.
import os
import pathlib
import re
import shutil
import subprocess

import pefile
import pytest

from qemu import workspace

PROGRAMS = {
    "loader/keelson-bootx64.efi": 120,
    "stub/keelson-stubx64.efi.stub": 120,
    "stub/keelson-addonx64.efi.stub": 15,
}  # and the section headers a builder may add

EXECUTE, READ, WRITE = 0x20000000, 0x40000000, 0x80000000


def sections(pe):
    return {s.Name.rstrip(b"\0").decode(): s for s in pe.sections}


@pytest.fixture(params=PROGRAMS, ids=lambda name: pathlib.Path(name).name)
def program(request):
    with pefile.PE(str(workspace.output(request.param))) as pe:
        pe.room = PROGRAMS[request.param]
        pe.is_addon = "addon" in request.param
        yield pe


def test_pefile_has_no_complaint(program):
    # One is no complaint about structure: that most of a small program is padding.
    assert [w for w in program.get_warnings() if not w.startswith("Byte 0x00 makes up")] == []


def test_memory_protection_rules(program):
    header = program.OPTIONAL_HEADER
    assert header.SectionAlignment == 4096
    assert header.DllCharacteristics == 0x160, "high entropy, dynamic base, NX compatible"
    for name, section in sections(program).items():
        rights = section.Characteristics & (EXECUTE | WRITE)
        assert rights != EXECUTE | WRITE, f"{name} is writable and executable"
        assert section.Characteristics & READ, f"{name} cannot be read"
        assert section.VirtualAddress >= 4096, f"{name} lies over the headers"
        assert section.VirtualAddress % 4096 == 0
    entry = header.AddressOfEntryPoint
    code = [s for s in program.sections if s.Characteristics & EXECUTE]
    assert any(s.contains_rva(entry) for s in code)


def test_headers_as_builders_expect_them(program):
    header = program.OPTIONAL_HEADER
    assert program.FILE_HEADER.Machine == 0x8664
    assert header.Subsystem == 10
    assert header.FileAlignment == 512
    table_end = program.sections[-1].get_file_offset() + 40
    assert header.SizeOfHeaders - table_end >= program.room * 40
    assert header.SizeOfHeaders <= min(s.PointerToRawData for s in program.sections)
    assert header.SizeOfHeaders <= min(s.VirtualAddress for s in program.sections)
    directories = {d.name: d.Size for d in header.DATA_DIRECTORY}
    assert directories["IMAGE_DIRECTORY_ENTRY_SECURITY"] == 0, "signed already"
    assert directories["IMAGE_DIRECTORY_ENTRY_DEBUG"] == 0, "differs between builds"
    assert program.FILE_HEADER.NumberOfSymbols == 0
    assert header.CheckSum == 0


def test_it_can_be_relocated(program):
    assert ".reloc" in sections(program)
    blocks = program.DIRECTORY_ENTRY_BASERELOC
    assert sum(entry.type == 10 for block in blocks for entry in block.entries) >= 1
    assert not program.FILE_HEADER.Characteristics & 1, "relocations are stripped"


def test_no_constructors_of_statics(program):
    assert not {".ctors", ".dtors", ".CRT", ".tls"} & set(sections(program))


def test_sbat(program):
    if program.is_addon:
        assert ".sbat" not in sections(program), "the builder's; ukify refuses profiles made on a base with one"
        return
    section = sections(program)[".sbat"]
    assert program.sections[-1] is not section, "builders could not replace it"
    assert section.SizeOfRawData - section.Misc_VirtualSize >= 512
    text = section.get_data()[:section.Misc_VirtualSize]
    assert text.endswith(b"\n") and b"\0" not in text and b"\r" not in text
    first, *components = text.decode("ascii").splitlines()
    assert first == "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md"
    assert components
    for line in components:
        assert re.fullmatch(r"[a-z-]+,[1-9]\d*,[^,]+,[^,]+,[^,]+,https?://[^,]+", line)


def test_components_can_be_revoked_one_by_one():
    def components(name):
        with pefile.PE(str(workspace.output(name))) as pe:
            text = sections(pe)[".sbat"].get_data().rstrip(b"\0").decode()
            return {line.split(",")[0] for line in text.splitlines()[1:]}
    every = [components(name) for name in PROGRAMS if "addon" not in name]
    assert sum(len(c) for c in every) == len(set.union(*every))


def test_no_path_of_this_machine_is_inside(program):
    for path in (workspace.REPOSITORY, workspace.build_directory(), pathlib.Path.home()):
        assert str(path).encode() not in program.__data__[:]


def copy_of_sources(target):
    """What a checkout has, and the source package that set-up fetched."""
    def unwanted(directory, names):
        return [name for name in names if name in (".git", "__pycache__") or
                name.startswith("Mbed-TLS-") or
                (pathlib.Path(directory) / name / "build.ninja").is_file()]
    shutil.copytree(workspace.REPOSITORY, target, ignore=unwanted)


def test_two_clean_builds_are_byte_identical(tmp_path):
    built = []
    # Another place, and a build directory in another relation to the sources.
    for source, build in (("one", "one/build"), ("a/longer path/to it", "elsewhere/out")):
        copy_of_sources(tmp_path / source)
        # Without the compiler cache, which would hand out the first build's objects.
        environment = {**os.environ, "CCACHE_DISABLE": "1"}
        environment.pop("SOURCE_DATE_EPOCH", None)
        for command in (
                ["meson", "setup", tmp_path / build, tmp_path / source,
                 f"--native-file={tmp_path / source / 'tools/clang19.ini'}"],
                ["ninja", "-C", tmp_path / build, *PROGRAMS]):
            done = subprocess.run([str(c) for c in command], env=environment, check=False,
                                  capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
        built.append({name: (tmp_path / build / name).read_bytes() for name in PROGRAMS})
        shutil.rmtree(tmp_path / build)
    for name in PROGRAMS:
        assert built[0][name] == built[1][name], f"{name} depends on where it was built"
