# SPDX-License-Identifier: MIT
# Instruction-counted runs: with -icount the time stamp counter counts instructions, so the same boot
# takes the same number of ticks (1 tick = 1 ns of virtual time) whatever else the host does. What is
# timed is started by payloads/launcher.cpp and ends in payloads/test_kernel.cpp.
import dataclasses
import pathlib
import re
import shutil

import pefile

from qemu import image
from qemu.harness import Scenario
from qemu.payload import payload

ICOUNT = ("-icount", "shift=0,sleep=off")
TIMEOUT = 3600  # seconds of real time: counting instructions is slow, and so are busy machines
LAUNCHED = "launch.efi"


@dataclasses.dataclass
class Timing:
    """Ticks from StartImage to the payload's first instruction, and what it saw then."""
    ticks: int
    initrd_ticks: int | None
    free_pages: int
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
                  report.number("free-pages"), report.text("LoaderEntrySelected"))


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


def make_uki(scenario, stub, output, *, version="1", initrd_mib=0):
    name, product_version = identity(stub)
    # Stubs of systemd before 258 start the kernel through LoadImage, which wants relocations.
    old = name in ("", "systemd-stub") and int(re.match(r"\d*", product_version)[0] or 0) < 258
    parts = pathlib.Path(scenario.directory)
    (parts / "osrel").write_text(image.os_release(version=version))
    (parts / "cmdline").write_text(f"power-off version={version}")
    sections = [(".osrel", parts / "osrel"), (".cmdline", parts / "cmdline"),
                (".linux", payload("test_kernel", relocatable=old))]
    if initrd_mib:
        (parts / "initrd").write_bytes(bytes(range(256)) * (initrd_mib << 12))
        sections.append((".initrd", parts / "initrd"))
    return image.objcopy(output, stub=stub, sections=sections)
