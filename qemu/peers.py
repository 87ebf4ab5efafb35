# SPDX-License-Identifier: MIT
# Programs to compare with: systemd's tools of Debian 12 (252) and Debian 13 (257), unpacked beside the
# system and run with their own C library, so that they work on any Debian and change nothing.
import dataclasses
import os
import re
import tempfile

from qemu.command import need, run
from qemu.packages import unpacked
from qemu.workspace import SetupError

_LIBRARIES = ("libc6 libacl1 libaudit1 libblkid1 libcap-ng0 libcap2 libcrypt1 libmount1 libpam0g "
              "libpcre2-8-0 libseccomp2 libselinux1 libzstd1 zlib1g").split()
_TRIPLET = "x86_64-linux-gnu"


@dataclasses.dataclass(frozen=True)
class Systemd:
    """One version of systemd's boot tools."""
    suite: str
    packages: tuple

    @property
    def root(self):
        return unpacked(self.suite, "systemd", [*self.packages, *_LIBRARIES])

    def program(self, name):
        """The command that starts one of its programs."""
        root = self.root
        folders = [root / prefix / _TRIPLET for prefix in ("usr/lib", "lib")]
        folders += [folder / "systemd" for folder in folders]
        starter = next((p for p in root.rglob("ld-linux-x86-64.so.2") if not p.is_dir()), None)
        if starter is None:
            raise SetupError(f"{root}: no dynamic loader unpacked")
        for place in ("usr/bin", "usr/lib/systemd", "bin", "lib/systemd"):
            path = root / place / name
            if path.is_file():
                return [starter, "--library-path", ":".join(map(str, folders)), path]
        raise SetupError(f"{root}: no program {name} unpacked")

    def run(self, name, *arguments, **more):
        """Runs bootctl, systemd-measure, ...; returns the finished process."""
        environment = os.environ | {"SYSTEMD_PAGER": "", "SYSTEMD_RELAX_ESP_CHECKS": "1",
                                    "SYSTEMD_LOG_LEVEL": "warning"}
        return run([*self.program(name), *arguments], env=environment, **more)

    def measure(self, sections, *, banks=("sha256",), phases=("enter-initrd",)):
        """PCR 11 by systemd-measure: {bank: {phase: hex}}; sections: option name -> file."""
        options = [f"--{name}={path}" for name, path in sections.items()]
        values = {}
        for bank in banks:
            for phase in phases:
                line = self.run("systemd-measure", "calculate", *options, f"--bank={bank}",
                                f"--phase={phase}").stdout.strip()
                name, value = line.removeprefix("11:").split("=")
                values.setdefault(name, {})[phase] = value
        return values

    def list_entries(self, tree):
        """`bootctl list --json` of an ESP tree. It wants a file system of its own: a tmpfs."""
        need("unshare", "util-linux")
        command = " ".join(f"'{word}'" for word in map(str, self.program("bootctl")))
        with tempfile.TemporaryDirectory(prefix="keelson-esp-") as mount:
            script = (f"mount -t tmpfs tmpfs {mount} && cp -r {tree}/. {mount} && "
                      f"SYSTEMD_RELAX_ESP_CHECKS=1 {command} --esp-path={mount} list "
                      "--json=short --no-pager")
            return run(["unshare", "--mount", "--user", "--map-root-user", "sh", "-c", script]).stdout


DEBIAN_12 = Systemd("bookworm", (
    "systemd", "systemd-boot", "systemd-boot-efi", "libsystemd-shared", "libssl3", "libgcrypt20",
    "libgpg-error0", "libip4tc2", "libkmod2", "liblz4-1", "liblzma5"))
DEBIAN_13 = Systemd("trixie", (
    "systemd", "systemd-boot-efi", "systemd-boot-tools", "systemd-ukify", "libsystemd-shared",
    "libssl3t64"))


def ukify(*arguments):
    """Debian 13's ukify: a Python program that runs on the system's own interpreter."""
    program = DEBIAN_13.root / "usr/bin/ukify"
    return run(["/usr/bin/python3", program, *arguments])


def replay(event_log):
    """tpm2_eventlog's replay of a binary event log: {bank: {PCR: hex}}."""
    need("tpm2_eventlog", "tpm2-tools")
    with tempfile.NamedTemporaryFile() as file:
        file.write(event_log)
        file.flush()
        text = run(["tpm2_eventlog", file.name]).stdout
    # Its output is YAML; the replayed values are its last part.
    values, bank = {}, None
    for line in text[text.index("\npcrs:"):].splitlines():
        if found := re.match(r"  (\w+):$", line):
            bank = values.setdefault(found.group(1), {})
        elif found := re.match(r"    (\d+) *: 0x([0-9a-f]+)$", line):
            bank[int(found.group(1))] = found.group(2)
    return values
