# SPDX-License-Identifier: MIT
# Debian 13's own clients of measured boot inside the guest: systemd-cryptenroll, systemd-cryptsetup,
# systemd-creds, systemd-pcrextend and cryptsetup, with their C library, in an initrd that does what
# guest_steps.sh reads from the host. Nothing of the guest's side is ours.
import base64
import dataclasses
import re

from qemu import guest
from qemu.command import need, run
from qemu.packages import unpacked
from qemu.workspace import REPOSITORY, SetupError

PACKAGES = """
    systemd systemd-cryptsetup cryptsetup-bin libsystemd-shared libcryptsetup12
    libtss2-esys-3.0.2-0t64 libtss2-mu-4.0.1-0t64 libtss2-rc0t64 libtss2-sys1t64
    libtss2-tcti-device0t64 libtss2-tctildr0t64 libdevmapper1.02.1 libjson-c5 libudev1 libuuid1
    libpopt0 libc6 libacl1 libaudit1 libblkid1 libcap-ng0 libcap2 libcrypt1 libmount1 libpam0g
    libpcre2-8-0 libseccomp2 libselinux1 libzstd1 zlib1g libssl3t64 libgcc-s1
""".split()
PROGRAMS = ("usr/bin/systemd-creds", "usr/bin/systemd-cryptenroll", "usr/bin/systemd-cryptsetup",
            "usr/lib/systemd/systemd-pcrextend", "usr/sbin/cryptsetup")
LIBRARIES = "usr/lib/x86_64-linux-gnu"
STARTER = "lib64/ld-linux-x86-64.so.2"
# Opened at run time, so no program names them.
OPENED = ("libcryptsetup.so.12", "libtss2-esys.so.0", "libtss2-mu.so.0", "libtss2-rc.so.0",
          "libtss2-tcti-device.so.0", "cryptsetup/libcryptsetup-token-systemd-tpm2.so")
MODULES = (*guest.MODULES, "qemu_fw_cfg", "virtio_pci", "virtio_blk", "dm-mod", "dm-crypt", "ecb", "xts",
           "algif_skcipher", "algif_hash")
STEPS = REPOSITORY / "qemu/guest_steps.sh"


def initrd():
    """An initrd with the clients, which runs the steps that `options` passes."""
    root = unpacked("trixie", "disk-clients", PACKAGES)
    files = [("/then", STEPS.read_bytes(), 0o755),
             # Marks an initrd; and what systemd wants to find on every system.
             ("/etc/initrd-release", b"ID=test\n", 0o644), ("/etc/os-release", b"ID=test\n", 0o644),
             ("/etc/machine-id", b"0123456789abcdef0123456789abcdef\n", 0o444)]
    files += [(f"/{name}", path.read_bytes(), 0o755) for name, path in _with_libraries(root)]
    return guest.initrd(tuple(files), MODULES)


def _with_libraries(root):
    """(path in the guest, file) of the programs and of all libraries they need."""
    need("objdump", "binutils")
    names = [*PROGRAMS, *(f"{LIBRARIES}/{name}" for name in OPENED)]
    found = {STARTER: root / LIBRARIES / "ld-linux-x86-64.so.2"}
    while names:
        name = names.pop()
        if name in found:
            continue
        path = root / name
        if not path.is_file():
            raise SetupError(f"{path} was not unpacked")
        found[name] = path
        for wanted in re.findall(r"^ +NEEDED +(\S+)$", run(["objdump", "-p", path]).stdout, re.M):
            folders = (LIBRARIES, f"{LIBRARIES}/systemd")
            names.append(next((f"{folder}/{wanted}" for folder in folders
                               if (root / folder / wanted).is_file()), f"{LIBRARIES}/{wanted}"))
    return sorted(found.items())


def options(directory, steps):
    """QEMU options that pass the steps, a shell text, to the guest."""
    path = directory / "steps.sh"
    path.write_text(steps)
    return ["-fw_cfg", f"name=opt/keelson/steps,file={path}"]


@dataclasses.dataclass(frozen=True)
class Step:
    """What a client said, and with which status it ended."""
    status: int
    output: str


def steps(boot):
    """{name: Step} of a boot, in the order in which they ran."""
    reports = guest.reports(boot.console)
    if len(reports) != 2:
        raise guest.NoReport(f"{len(reports)} reports instead of two")
    found = {}
    for line in reports[1].notes.get("step", []):
        name, status, *output = line.split(" ")
        if name in found:
            raise guest.NoReport(f"two steps are called {name}")
        found[name] = Step(int(status), base64.b64decode(output[0]).decode() if output else "")
    return found
