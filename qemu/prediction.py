# SPDX-License-Identifier: MIT
# A second opinion on PCR values: computed here from the file alone, with Python's hashlib, so that the
# product's tool, its stub and the TPM are compared with something that shares no code with them.
import hashlib

import pefile

from qemu.tpm import ALL_BANKS

# The order in which a stub measures, as systemd-measure computes it; not the order in the file.
MEASURED = (".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".splash", ".dtb", ".uname", ".sbat",
            ".pcrpkey")


def extend(bank, value, data):
    return hashlib.new(bank, value + hashlib.new(bank, data).digest()).digest()


def zeros(bank):
    return bytes(hashlib.new(bank).digest_size)


def pcr_11(uki, banks=ALL_BANKS):
    """{bank: hex} after the stub measured this UKI (no profiles), before any boot phase."""
    pe = pefile.PE(str(uki), fast_load=True)
    sections = {}
    for section in pe.sections:
        name = section.Name.rstrip(b"\0").decode()
        size = section.Misc_VirtualSize
        if size and name not in sections:
            sections[name] = section.get_data()[:size].ljust(size, b"\0")
    values = {}
    for bank in banks:
        value = zeros(bank)
        for name in MEASURED:
            if name in sections:
                value = extend(bank, value, name.encode() + b"\0")
                value = extend(bank, value, sections[name])
        values[bank] = value.hex()
    return values


def pcr_12(*lines, banks=ALL_BANKS):
    """{bank: hex} after these command lines were measured, one event each."""
    values = {}
    for bank in banks:
        value = zeros(bank)
        for line in lines:
            value = extend(bank, value, (line + "\0").encode("utf-16-le"))
        values[bank] = value.hex()
    return values
