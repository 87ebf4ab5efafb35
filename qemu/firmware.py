# SPDX-License-Identifier: MIT
# OVMF: its variants, the variable store as a file that is edited and read without running anything,
# and the snakeoil key that its Secure Boot variant trusts. Store layout: EDK2
# VariableFormat.h, authenticated variables.
import dataclasses
import pathlib
import shutil
import struct
import uuid

from qemu.command import need, run
from qemu.packages import unpacked
from qemu.workspace import SetupError, cached

OVMF = pathlib.Path("/usr/share/OVMF")
SNAKEOIL = pathlib.Path("/usr/share/ovmf")

LOADER_VENDOR = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
GLOBAL_VARIABLES = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
PERSISTENT = 7  # non-volatile, boot services, runtime
BOOT_ONLY = 3   # non-volatile, boot services


@dataclasses.dataclass(frozen=True)
class Variant:
    """A firmware image and the variable store it starts from."""
    name: str
    code: str
    variables: str
    secure_boot: bool
    suite: str = ""  # empty: the package installed on this machine

    def folder(self):
        if not self.suite:
            return OVMF
        return unpacked(self.suite, "ovmf", ["ovmf"]) / "usr/share/OVMF"


PLAIN = Variant("plain", "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", False)
SECURE_BOOT = Variant("secure-boot", "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.snakeoil.fd", True)
STRICT_NX = Variant("strict-nx", "OVMF_CODE_4M.secboot.strictnx.fd", "OVMF_VARS_4M.fd", True,
                    "trixie")


class Firmware:
    """One machine's firmware: read-only code and a variable store of its own."""

    def __init__(self, variant, store):
        self.variant, self.store = variant, store
        for name in (variant.code, variant.variables):
            if not (variant.folder() / name).is_file():
                raise SetupError(f"{variant.folder() / name} is missing: apt-get install ovmf")
        shutil.copy(variant.folder() / variant.variables, store)

    def options(self):
        flash = "if=pflash,format=raw,unit={},file={}"
        options = ["-drive", flash.format(0, self.variant.folder() / self.variant.code)
                   + ",readonly=on", "-drive", flash.format(1, self.store)]
        if self.variant.secure_boot:
            options += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
        return options

    def machine(self):
        return "q35,accel=tcg" + (",smm=on" if self.variant.secure_boot else "")

    def set_variable(self, name, value, vendor=LOADER_VENDOR, attributes=PERSISTENT):
        """Writes a variable while the machine is off. Text becomes UTF-16 with its NUL."""
        if isinstance(value, str):
            value = (value + "\0").encode("utf-16-le")
        store = bytearray(self.store.read_bytes())
        end = 0
        for at, record in _records(store):
            if record.live and (record.name, record.vendor) == (name, vendor):
                store[at + 2] &= 0x3C
            end = record.end
        encoded = (name + "\0").encode("utf-16-le")
        header = struct.pack("<HBBIQ16sIII16s", 0x55AA, 0x3F, 0, attributes, 0, bytes(16), 0,
                             len(encoded), len(value), uuid.UUID(vendor).bytes_le)
        at = end or _first_record(store)
        fresh = header + encoded + value
        if any(byte != 0xFF for byte in store[at:at + len(fresh)]):
            raise SetupError(f"{self.store}: no room behind the last variable")
        store[at:at + len(fresh)] = fresh
        self.store.write_bytes(store)

    def variable(self, name, vendor=LOADER_VENDOR):
        """The value a variable has in the store now, or None."""
        for _, record in _records(self.store.read_bytes()):
            if record.live and (record.name, record.vendor) == (name, vendor):
                return record.data
        return None


@dataclasses.dataclass
class _Record:
    live: bool
    name: str
    vendor: str
    data: bytes
    end: int


def _first_record(store):
    header_length, = struct.unpack_from("<H", store, 0x30)
    return (header_length + 28 + 3) & ~3


def _records(store):
    """Yields (offset, record) for every record in the variable region."""
    header_length, = struct.unpack_from("<H", store, 0x30)
    size, = struct.unpack_from("<I", store, header_length + 16)
    at = _first_record(store)
    while at + 60 <= header_length + size and store[at:at + 2] == b"\xaa\x55":
        state = store[at + 2]
        name_size, data_size, vendor = struct.unpack_from("<II16s", store, at + 36)
        name_at = at + 60
        data_at = name_at + name_size
        end = (data_at + data_size + 3) & ~3
        # 0x3F valid, 0x3E valid but about to be replaced; anything else is deleted or unfinished.
        yield at, _Record(state in (0x3F, 0x3E),
                          bytes(store[name_at:data_at]).decode("utf-16-le").rstrip("\0"),
                          str(uuid.UUID(bytes_le=bytes(vendor))),
                          bytes(store[data_at:data_at + data_size]), end)
        at = end


def snakeoil_key():
    """(private key, certificate) as PEM files without a pass phrase."""
    certificate = SNAKEOIL / "PkKek-1-snakeoil.pem"
    if not certificate.is_file():
        raise SetupError(f"{certificate} is missing: apt-get install ovmf")
    need("openssl", "openssl")

    def make(directory):
        run(["openssl", "rsa", "-in", SNAKEOIL / "PkKek-1-snakeoil.key", "-passin",
             "pass:snakeoil", "-out", directory / "key.pem"])
        shutil.copy(certificate, directory / "cert.pem")

    directory = cached("snakeoil", make)
    return directory / "key.pem", directory / "cert.pem"


def sign(source, target, *, key=None):
    """Signs a PE file: with the snakeoil key, or another (private key, certificate)."""
    need("sbsign", "sbsigntool")
    key, certificate = key or snakeoil_key()
    run(["sbsign", "--key", key, "--cert", certificate, "--output", target, source])
    return target
