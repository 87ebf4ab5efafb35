# SPDX-License-Identifier: MIT
# Instruction-counted runs: with -icount the time stamp counter counts instructions, so the same boot
# takes the same number of ticks (1 tick = 1 ns of virtual time) whatever else the host does. What is
# timed is started by payloads/launcher.cpp and ends in payloads/test_kernel.cpp. The same runs tell
# how much memory was taken between the two.
import dataclasses
import pathlib
import re
import shutil

import pefile

from qemu import image, workspace
from qemu.harness import Scenario
from qemu.payload import payload

ICOUNT = ("-icount", "shift=0,sleep=off")
TIMEOUT = 3600  # seconds of real time: counting instructions is slow, and so are busy machines
LAUNCHED = "launch.efi"
PAGE = 4096
MIB = 1 << 20

# Companion files of LAUNCHED: path, bytes, the version of systemd-stub that first took them. Large ones,
# so that a second copy of any would show.
COMPANIONS = (
    ("launch.efi.extra.d/one.cred", 1 * MIB, 250),
    ("launch.efi.extra.d/system.raw", 8 * MIB, 250),
    ("loader/credentials/all.cred", 1 * MIB, 250),
    ("launch.efi.extra.d/settings.confext.raw", 4 * MIB, 256),
    ("loader/extensions/all.raw", 4 * MIB, 258),
    ("loader/extensions/all.confext.raw", 4 * MIB, 258),
)
# The same as sections of add-ons.
ADDONS = (
    ("launch.efi.extra.d/words.addon.efi", ".cmdline", 32, 254),
    ("launch.efi.extra.d/initrd.addon.efi", ".initrd", 4 * MIB, 258),
    ("loader/addons/microcode.addon.efi", ".ucode", 2 * MIB, 258),
)


@dataclasses.dataclass
class Timing:
    """Ticks from StartImage to the payload's first instruction, and what it saw then."""
    ticks: int
    initrd_ticks: int | None
    free_pages: int
    pages_taken: int  # from StartImage on
    kernel_size: int  # bytes of memory
    entry: str | None


def identity(program):
    """(name, version) of a loader or stub, from its marker section; ('', '') without one."""
    pe = pefile.PE(str(program), fast_load=True)
    for section in pe.sections:
        if section.Name.rstrip(b"\0") == b".sdmagic":
            words = section.get_data().rstrip(b"\0").decode().split()
            return words[2], words[3]
    return "", ""


def time_run(directory, fill, *, tpm=False, memory_mib=1024, esp_mib=None):
    """One timed run: `fill(scenario)` puts what is to be launched at LAUNCHED."""
    scenario = Scenario(directory, tpm=tpm, memory_mib=memory_mib, esp_mib=esp_mib)
    try:
        scenario.put("EFI/BOOT/BOOTX64.EFI", payload("launcher", relocatable=True))
        fill(scenario)
        report = scenario.boot(TIMEOUT, options=ICOUNT).report
    finally:
        shutil.rmtree(directory)
    initrd = report.notes.get("initrd-ticks")
    return Timing(report.number("ticks"), int(initrd[0]) if initrd else None,
                  report.number("free-pages"), report.number("pages-taken"),
                  report.number("kernel-size"), report.text("LoaderEntrySelected"))


def loader_with_entries(loader, count):
    """Fills an ESP with `count` Type #1 entries; the newest is started."""
    def fill(scenario):
        scenario.put(LAUNCHED, loader)
        scenario.put("kernel.efi", payload("test_kernel", relocatable=True))
        scenario.put("loader/loader.conf", "timeout 0\n")
        for number in range(1, count + 1):
            scenario.put(f"loader/entries/e{number:04}.conf",
                         f"title Entry {number}\nversion {number}\nsort-key bench\n"
                         f"linux /kernel.efi\noptions number={number}\n")
    return fill


def loader_with_ukis(loader, stub, count):
    """Fills an ESP with `count` UKIs on one stub; the newest is started."""
    def fill(scenario):
        scenario.put(LAUNCHED, loader)
        scenario.put("loader/loader.conf", "timeout 0\n")
        for number in range(1, count + 1):
            make_uki(scenario, stub, scenario.esp / f"EFI/Linux/u{number:04}.efi", version=str(number))
    return fill


def stub_with_initrd(stub, mib):
    """A UKI with an initrd of `mib` MiB, started without a loader."""
    def fill(scenario):
        make_uki(scenario, stub, scenario.esp / LAUNCHED, initrd_mib=mib)
    return fill


def stub_with_companions(stub, mib):
    """The same with all kinds of companions beside it."""
    def fill(scenario):
        make_uki(scenario, stub, scenario.esp / LAUNCHED, initrd_mib=mib)
        for path, size, _ in COMPANIONS:
            scenario.put(path, bytes(size))
        for path, section, size, _ in ADDONS:
            content = pathlib.Path(scenario.directory) / "content"
            content.write_bytes(b" " * size)
            image.objcopy(scenario.esp / path, stub=workspace.output("stub/keelson-addonx64.efi.stub"),
                          sections=[(section, content)])
    return fill


def companion_bytes(stub):
    """How many bytes of those a stub takes and keeps; the words go into the command line."""
    taken = _systemd_version(stub)
    return (sum(size for _, size, since in COMPANIONS if since <= taken)
            + sum(size for _, _, size, since in ADDONS if since <= taken))


def _systemd_version(stub):
    """The version of systemd-stub that a stub does the same as."""
    name, version = identity(stub)
    if name not in ("", "systemd-stub"):
        return 261
    return int(re.match(r"\d*", version)[0] or 0)


def make_uki(scenario, stub, output, *, version="1", initrd_mib=0):
    # Stubs of systemd before 258 start the kernel through LoadImage, which wants relocations.
    old = _systemd_version(stub) < 258
    parts = pathlib.Path(scenario.directory)
    (parts / "osrel").write_text(image.os_release(version=version))
    (parts / "cmdline").write_text(f"power-off version={version}")
    sections = [(".osrel", parts / "osrel"), (".cmdline", parts / "cmdline"),
                (".linux", payload("test_kernel", relocatable=old))]
    if initrd_mib:
        (parts / "initrd").write_bytes(bytes(range(256)) * (initrd_mib << 12))
        sections.append((".initrd", parts / "initrd"))
    return image.objcopy(output, stub=stub, sections=sections)
