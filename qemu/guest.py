# SPDX-License-Identifier: MIT
# The guest: Debian's kernel as packaged, an initrd of busybox that reports, and the report read
# back from the console. A report that is missing, twice there or incomplete is an error.
import base64
import dataclasses
import gzip
import hashlib
import os
import pathlib
import re
import shutil

from qemu.command import need, run
from qemu.packages import depends, own_suite, unpacked
from qemu.workspace import REPOSITORY, SetupError, cached

INIT = REPOSITORY / "qemu/guest_init.sh"
BUSYBOX = pathlib.Path("/bin/busybox")
MODULES = ("efivarfs",)


@dataclasses.dataclass(frozen=True)
class Kernel:
    release: str
    image: pathlib.Path
    modules: pathlib.Path

    def module_files(self, names):
        """Module files in the order in which they must be loaded."""
        order = {}
        for line in (self.modules / "modules.order").read_text().splitlines():
            order[pathlib.Path(line).name.removesuffix(".ko")] = self.modules / line
        wanted = []
        for name in names:
            if name not in order:
                raise SetupError(f"kernel {self.release} has no module {name}")
            for dependency in self._depends(order[name]):
                if dependency in order and order[dependency] not in wanted:
                    wanted.append(order[dependency])
            wanted.append(order[name])
        return wanted

    @staticmethod
    def _depends(path):
        found = re.search(rb"\0depends=([^\0]*)\0", b"\0" + path.read_bytes())
        return found.group(1).decode().split(",") if found and found.group(1) else []


def kernel():
    """Debian's cloud kernel of the running suite."""
    root = unpacked(own_suite(), "linux-image-cloud-amd64",
                    lambda apt: [depends(apt, "linux-image-cloud-amd64")])
    image = next(iter(sorted((root / "boot").glob("vmlinuz-*"))), None)
    if image is None:
        raise SetupError(f"{root}: the kernel package holds no vmlinuz")
    release = image.name.removeprefix("vmlinuz-")
    return Kernel(release, image, root / "lib/modules" / release)


def initrd(extra_files=(), modules=MODULES):
    """The reporting initrd, gzip'd newc. `extra_files`: (path in the guest, bytes, mode)."""
    if not BUSYBOX.is_file():
        raise SetupError("/bin/busybox is missing: apt-get install busybox-static")
    need("cpio", "cpio")
    linux = kernel()
    key = hashlib.sha256(repr((linux.release, modules, tuple(extra_files))).encode()
                         + INIT.read_bytes() + BUSYBOX.read_bytes()).hexdigest()[:16]

    def make(directory):
        root = directory / "root"
        for name in ("bin", "proc", "sys", "dev", "modules"):
            (root / name).mkdir(parents=True)
        shutil.copy(BUSYBOX, root / "bin/busybox")
        shutil.copy(INIT, root / "init")
        (root / "init").chmod(0o755)
        for number, path in enumerate(linux.module_files(modules)):
            shutil.copy(path, root / f"modules/{number:02}-{path.name}")
        for name, content, mode in extra_files:
            target = root / name.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(mode)
        names = sorted(os.path.relpath(os.path.join(at, name), root)
                       for at, folders, files in os.walk(root) for name in folders + files)
        archive = run(["cpio", "-o", "-H", "newc", "--reproducible", "-R", "0:0", "--quiet"],
                      input="\n".join(names).encode(), cwd=root, text=False).stdout
        (directory / "initrd.img").write_bytes(gzip.compress(archive, 6, mtime=0))
        shutil.rmtree(root)

    return cached(f"initrd/{key}", make) / "initrd.img"


class NoReport(Exception):
    """The guest did not report, or not completely."""


@dataclasses.dataclass
class Report:
    """What the guest said about itself."""
    uname: str = ""
    cmdline: str = ""
    lockdown: str = ""
    extra: dict = dataclasses.field(default_factory=dict)      # path -> bytes; directories end in /
    modes: dict = dataclasses.field(default_factory=dict)      # path -> octal text
    pcrs: dict = dataclasses.field(default_factory=dict)       # bank -> {number: lower-case hex}
    variables: dict = dataclasses.field(default_factory=dict)  # name -> bytes, attributes cut off
    attributes: dict = dataclasses.field(default_factory=dict)  # name of a variable -> number
    event_log: bytes = b""
    notes: dict = dataclasses.field(default_factory=dict)      # lines of a payload: kind -> texts

    def number(self, kind):
        """A number that a payload reported."""
        return int(self.notes[kind][0])

    def text(self, name):
        """An EFI variable that holds text, or None."""
        value = self.variables.get(name)
        if value is None:
            return None
        if name.startswith("Keelson"):
            return value.decode()
        return value.decode("utf-16-le").rstrip("\0")

    def texts(self, name):
        """An EFI variable that holds several texts."""
        return [t for t in self.variables[name].decode("utf-16-le").split("\0") if t]

    @property
    def locked_down(self):
        return "[none]" not in self.lockdown and "[" in self.lockdown

    @property
    def secure_boot(self):
        return self.variables.get("SecureBoot") == b"\x01"


def reports(console):
    """All complete reports of a console text, in order."""
    found, lines = [], None
    for line in re.findall(r"@report (.*)", console):
        line = line.rstrip()
        if line.startswith("begin "):
            lines = []
        if lines is None:
            raise NoReport(f"a report without beginning: {line[:80]}")
        lines.append(line)
        if line.startswith("end "):
            if int(line.split()[1]) != len(lines):
                raise NoReport(f"the guest sent {line.split()[1]} lines, {len(lines)} arrived")
            found.append(_parse(lines))
            lines = None
    if lines is not None:
        raise NoReport(f"the report stops after {len(lines)} lines")
    return found


def the_report(console):
    """The only report of a console text."""
    found = reports(console)
    if len(found) != 1:
        tail = "\n".join(line for line in console.splitlines()[-25:] if line.strip())
        raise NoReport(f"{len(found)} reports instead of one; the console ends with\n{tail}")
    return found[0]


def _parse(lines):
    report = Report()
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind in ("uname", "lockdown"):
            setattr(report, kind, rest)
        elif kind == "cmdline":
            report.cmdline = base64.b64decode(rest).decode().rstrip("\n")
        elif kind == "extra":
            mode, path, *content = rest.split(" ")
            report.modes[path] = mode
            report.extra[path] = base64.b64decode(content[0]) if content else b""
        elif kind == "pcr":
            bank, number, value = rest.split(" ")
            report.pcrs.setdefault(bank, {})[int(number)] = value.lower()
        elif kind == "variable":
            name, value = rest.split(" ")
            name, value = re.sub(r"-[0-9a-f-]{36}$", "", name), base64.b64decode(value)
            report.attributes[name] = int.from_bytes(value[:4], "little")
            report.variables[name] = value[4:]
        elif kind == "eventlog":
            report.event_log = base64.b64decode(rest)
        elif kind not in ("begin", "end"):
            report.notes.setdefault(kind, []).append(rest)
    return report
