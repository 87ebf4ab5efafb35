# SPDX-License-Identifier: MIT
# Inputs: small PE files that are what their tests need, and damaged ones.
import functools
import pathlib
import re
import struct
import subprocess
import tempfile

import pefile

from qemu import guest, image, workspace

SYSTEMD_BOOT = pathlib.Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")
DEBIAN_STUB = pathlib.Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub")
OS_RELEASE = 'ID=demo\nVERSION_ID=1\nPRETTY_NAME="Demo"\n'


@functools.cache
def _directory():
    return tempfile.TemporaryDirectory(prefix="keelson-samples-")  # goes when the tests end


@functools.cache
def kernel():
    """What the stub takes for a kernel: our loader with a kernel's image version, without base relocations, and with
    sections as long as their content."""
    pe = pefile.PE(str(workspace.loader()), fast_load=True)
    pe.OPTIONAL_HEADER.MajorImageVersion = 1
    relocations = pe.OPTIONAL_HEADER.DATA_DIRECTORY[5]
    relocations.VirtualAddress = relocations.Size = 0
    for section in pe.sections:
        section.SizeOfRawData = min(section.SizeOfRawData, section.Misc_VirtualSize)
    end = max(section.PointerToRawData + section.SizeOfRawData for section in pe.sections)
    path = pathlib.Path(_directory().name, "kernel.efi")
    path.write_bytes(pe.write()[:end])
    return path


@functools.cache
def uki():
    path = pathlib.Path(_directory().name, "uki.efi")
    subprocess.run([workspace.tool(), "build", f"--linux={kernel()}", f"--os-release={OS_RELEASE}", f"--output={path}"],
                   check=True, capture_output=True)
    return path


def real_kernel():
    return guest.kernel()


def pe_header_at(data):
    return struct.unpack_from("<I", data, 0x3C)[0]


def with_machine(path, output, machine):
    """A copy that says it is for another machine."""
    data = bytearray(pathlib.Path(path).read_bytes())
    struct.pack_into("<H", data, pe_header_at(data) + 4, machine)
    output.write_bytes(data)
    return output


def truncated(path, output, size):
    output.write_bytes(pathlib.Path(path).read_bytes()[:size])
    return output


def with_section_size(path, output, name, virtual_size):
    """A copy in which the last section claims another VirtualSize, and the image has room for it."""
    pe = pefile.PE(str(path), fast_load=True)
    section = pe.sections[-1]
    assert section.Name.rstrip(b"\0").decode() == name
    pe.OPTIONAL_HEADER.SizeOfImage = section.VirtualAddress + virtual_size
    section.Misc_VirtualSize = virtual_size
    pe.write(str(output))
    return output


def with_section_name(path, output, name, new_name):
    """A copy in which a section has another name."""
    pe = pefile.PE(str(path), fast_load=True)
    section, = (s for s in pe.sections if s.Name.rstrip(b"\0").decode() == name)
    section.Name = new_name.encode().ljust(8, b"\0")
    pe.write(str(output))
    return output


def loader(output, *, version=None, product=None):
    """A copy of our loader whose marker says another version (as long as ours), or product."""
    data = workspace.loader().read_bytes()
    marker = re.search(rb"#### LoaderInfo: (\S+) (\S+) ####", data)
    assert marker
    name, number = marker.group(1), marker.group(2)
    changed = b"#### LoaderInfo: %s %s ####" % ((product or name.decode()).encode(),
                                                (version or number.decode()).encode())
    assert len(changed) == len(marker.group(0)), "the section must not change its size"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(data.replace(marker.group(0), changed))
    return output


def our_version():
    return re.search(rb"#### LoaderInfo: \S+ (\S+) ####", workspace.loader().read_bytes()).group(1).decode()


def sections(path):
    return image.sections(path)


def section(path, name):
    found = [content for n, content in sections(path) if n == name]
    assert len(found) == 1, (name, found)
    return found[0]
