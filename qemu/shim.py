# SPDX-License-Identifier: MIT
# shim, in front of what is started, and the key of a machine's owner (MOK), which shim knows and the
# firmware does not. Enrolled where MokManager would put it, by writing the variable store.
import pathlib
import struct
import uuid

from qemu import firmware
from qemu.command import need, run
from qemu.packages import unpacked
from qemu.workspace import SetupError, cached

VENDOR = "605dab50-e046-4300-abb6-3dd810dd8b23"
X509 = "a5c059a1-94e4-4aa7-87b5-ab155c2bf072"  # EFI_CERT_X509_GUID
SECOND_STAGE = "EFI/BOOT/grubx64.efi"
INSTALLED = pathlib.Path("/usr/lib/shim/shimx64.efi")


def before_16():
    """shim 15.8: LoadImage knows nothing of it, loaders have to ask it."""
    return unpacked("bullseye", "shim-unsigned", ["shim-unsigned"]) / "usr/lib/shim/shimx64.efi"


def since_16():
    """The installed one, which stands in front of LoadImage."""
    if not INSTALLED.is_file():
        raise SetupError(f"{INSTALLED} is missing: apt-get install shim-unsigned")
    return INSTALLED


def owner_key():
    """(private key, certificate) as PEM files, known to nobody unless enrolled."""
    need("openssl", "openssl")

    def make(directory):
        run(["openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
             "-subj", "/CN=owner of the test machine/", "-keyout", directory / "key.pem",
             "-out", directory / "cert.pem"])

    directory = cached("owner-key", make)
    return directory / "key.pem", directory / "cert.pem"


def put_shim(machine, shim, second_stage):
    """shim, signed for the firmware, and what it starts."""
    machine.put("EFI/BOOT/BOOTX64.EFI", machine.signed_if_needed(shim))
    machine.put(SECOND_STAGE, second_stage)


def enrol_owner(machine):
    """The owner's certificate into MokList, as one signature list of one certificate."""
    _, certificate = owner_key()
    der = run(["openssl", "x509", "-in", certificate, "-outform", "DER"], text=False).stdout
    each = 16 + len(der)
    database = (uuid.UUID(X509).bytes_le + struct.pack("<III", 28 + each, 0, each)
                + uuid.UUID(VENDOR).bytes_le + der)
    machine.firmware.set_variable("MokList", database, vendor=VENDOR, attributes=firmware.BOOT_ONLY)


def sign_as_owner(source, target):
    return firmware.sign(source, target, key=owner_key())


def owner_options():
    """Options of `keelson build` that sign with the owner's key."""
    key, certificate = owner_key()
    return [f"--secureboot-private-key={key}", f"--secureboot-certificate={certificate}"]
