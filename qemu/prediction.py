# SPDX-License-Identifier: MIT
# A second opinion on PCR values: computed here from the file alone, with Python's hashlib, so that the
# product's tool, its stub and the TPM are compared with something that shares no code with them.
import hashlib

import pefile

from qemu import newc
from qemu.tpm import ALL_BANKS

# The order in which a stub measures, as systemd-measure computes it; not the order in the file.
MEASURED = (".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".splash", ".dtb", ".uname", ".sbat",
            ".pcrpkey", ".profile")


def extend(bank, value, data):
    return hashlib.new(bank, value + hashlib.new(bank, data).digest()).digest()


def zeros(bank):
    return bytes(hashlib.new(bank).digest_size)


def pcr_11(uki, banks=ALL_BANKS, profile=0):
    """{bank: hex} after the stub measured this profile of a UKI, before any boot phase."""
    sections = effective_sections(uki, profile)
    values = {}
    for bank in banks:
        value = zeros(bank)
        for name in MEASURED:
            if sections.get(name):
                value = extend(bank, value, name.encode() + b"\0")
                value = extend(bank, value, sections[name])
        values[bank] = value.hex()
    return values


def effective_sections(uki, profile=0):
    """{name: content} of the base, replaced by what the profile's own range has (an empty one, too)."""
    pe = pefile.PE(str(uki), fast_load=True)
    ranges = [{}]
    for section in pe.sections:
        name = section.Name.rstrip(b"\0").decode()
        if name == ".profile":
            ranges.append({})
        size = section.Misc_VirtualSize
        ranges[-1].setdefault(name, section.get_data()[:size].ljust(size, b"\0"))
    return ranges[0] | (ranges[profile + 1] if len(ranges) > 1 else {})


def companion_archive(directory, mode, files, file_mode):
    """The cpio archive of companion files (stub.md 5.2): parents, the directory, files, the end."""
    names = directory.split("/")
    parents = ["/".join(names[:depth]) for depth in range(1, len(names))]
    records = [(name, 0o040555, b"") for name in parents] + [(directory, 0o040000 | mode, b"")]
    records += [(f"{directory}/{name}", 0o100000 | file_mode, content)
                for name, content in sorted(files.items())]
    # In capitals, as systemd writes it: these bytes are measured.
    trailer = newc.MAGIC + b"0" * 32 + b"00000001" + b"0" * 48 + b"0000000B" + b"0" * 8
    return (b"".join(newc.record(*entry, inode=number) for number, entry in enumerate(records, 1))
            + trailer + newc.LAST.encode().ljust(14, b"\0"))


def pcr_12(*lines, banks=ALL_BANKS):
    """{bank: hex} after these command lines were measured, one event each."""
    values = {}
    for bank in banks:
        value = zeros(bank)
        for line in lines:
            value = extend(bank, value, (line + "\0").encode("utf-16-le"))
        values[bank] = value.hex()
    return values
