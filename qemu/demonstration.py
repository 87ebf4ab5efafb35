# SPDX-License-Identifier: MIT
# What tools/demo runs once everything is built: a signed UKI made and installed by our tool, booted
# under Secure Boot with a TPM, and the guest's values beside those that were predicted. PASS only if
# the guest reported and every value is as announced.
import argparse
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import time

from qemu import firmware, guest, image, prediction, vm, workspace
from qemu.command import CommandFailed
from qemu.harness import Scenario
from qemu.terminal import Screen
from qemu.tpm import ALL_BANKS

EMBEDDED = f"{image.CONSOLE} keelson.demo=embedded"
PASSED = "keelson.demo=passed-by-the-entry"
ENTRY = "demo.conf"


class DemoFailed(Exception):
    pass


def say(text=""):
    print(text, flush=True)


class Step:
    """One line of progress: what is being done, then how long it took."""

    def __init__(self, text):
        self._text = text

    def __enter__(self):
        self._started = time.monotonic()
        print(f"  {self._text:<66}", end=" ", flush=True)

    def __exit__(self, kind, *_):
        say("failed" if kind else f"{time.monotonic() - self._started:5.1f} s")


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="tools/demo", description="Builds Keelson, boots Debian's kernel through it in a virtual "
        "machine with Secure Boot and a TPM, and compares what the guest sees with what was predicted.")
    parser.add_argument("--interactive", action="store_true",
                        help="show the menu on this terminal and let you choose (Ctrl-A X quits)")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIRECTORY",
                        help="keep disk image, variables and serial log there")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="keelson-demo-") as scratch:
        try:
            return demonstrate(options.keep or pathlib.Path(scratch), options.interactive)
        except (DemoFailed, workspace.SetupError, CommandFailed, guest.NoReport, vm.VmError) as error:
            say(f"\n{error}\n\nFAIL")
            return 1


def demonstrate(directory, interactive):
    say("Preparing")
    machine, uki, expected = prepare(directory, interactive)
    say("\nPredicted before the boot")
    show_pcrs(expected)
    say("\nBooting: OVMF with Secure Boot, TPM 2.0 with " + ", ".join(ALL_BANKS))
    console = interact(machine) if interactive else watch(machine)
    try:
        report = guest.the_report(console)
    except guest.NoReport:
        if interactive:
            say("\nThe guest did not report, so there is nothing to compare.")
            return 1
        raise
    chosen = report.text("LoaderEntrySelected")
    if interactive and chosen != ENTRY:
        with Step(f"Predicting again, for the entry that was chosen: {chosen}"):
            expected = predict(machine, chosen)
    return judge(report, expected, uki, wants_pcr_12=chosen == ENTRY)


def prepare(directory, interactive):
    with Step("Debian's kernel package"):
        kernel = guest.kernel()
    with Step("Initrd of busybox, which reports what it sees"):
        initrd = guest.initrd()
    if directory.exists() and (directory / "machine").exists():
        raise DemoFailed(f"{directory / 'machine'} exists already")
    machine = Scenario(directory / "machine", variant=firmware.SECURE_BOOT, tpm=True, memory_mib=1024)
    uki = machine.esp / "EFI/Linux/keelson-demo.efi"
    with Step(f"keelson build: Linux {kernel.release}, signed"):
        image.build(uki, linux=kernel.image, initrd=initrd, cmdline=EMBEDDED, uname=kernel.release,
                    os_release_text=image.os_release("Keelson demo", kernel.release, "keelson-demo"),
                    signed=True)
    with Step("keelson sign: the loader"):
        key, certificate = firmware.snakeoil_key()
        loader = workspace.loader()
        image.keelson("sign", f"--secureboot-private-key={key}", f"--secureboot-certificate={certificate}",
                      f"--output={loader}.signed", loader)
    with Step("keelson install: on the EFI system partition"):
        image.keelson("install", f"--esp-path={machine.esp}")
    machine.put(f"loader/entries/{ENTRY}",
                f"title Keelson demo, with options of the entry\nsort-key keelson-demo\n"
                f"version {kernel.release}\nuki /EFI/Linux/keelson-demo.efi\n"
                f"options {image.CONSOLE} {PASSED}\n")
    machine.put("loader/loader.conf",
                f"default {ENTRY}\ntimeout {'menu-force' if interactive else 3}\n")
    with Step("keelson predict: the PCRs"):
        expected = predict(machine, ENTRY)
    with Step("Disk image with a GPT"):
        machine.disk  # made on first use
    return machine, uki, expected


def predict(machine, entry):
    values = image.predict(machine.esp, entry, secure_boot=True)
    return {pcr: values[pcr] for pcr in (11, 12)}


def watch(machine):
    """Boots by itself; shows the menu as it stood on the serial console."""
    with machine.start() as running:
        running.wait_for(r"Boot in \d+ ?s")
        running.run_for(1)
        say("\n" + textwrap.indent(framed(Screen().feed(running.raw)), "  ") + "\n")
        with Step("The kernel starts, the initrd reports"):
            return running.wait_exit()


def framed(screen):
    """The screen in a box, its highlighted row marked, blank rows joined to one."""
    lines = []
    for line, marked in screen.rows_with_marks():
        if line or (lines and lines[-1].strip()):
            lines.append(("> " if marked else "  ") + line)
    lines = textwrap.dedent("\n".join(lines)).strip("\n").splitlines()
    width = max(map(len, lines), default=0)
    edge = "+-" + "-" * width + "-+"
    return "\n".join([edge, *(f"| {line:<{width}} |" for line in lines), edge])


def interact(machine):
    """QEMU on this terminal; returns what the console showed."""
    log = machine.directory / "serial.log"
    with tempfile.TemporaryDirectory(prefix="keelson-vm-") as sockets:
        tpm = machine.tpm.start(pathlib.Path(sockets) / "tpm")
        try:
            options = vm.Vm(firmware=machine.firmware, disk=machine.disk, tpm=machine.tpm,
                            memory_mib=machine.memory_mib).command_line()
            subprocess.run([*options, *tpm, "-display", "none", "-chardev",
                            f"stdio,id=console,mux=on,signal=off,logfile={log}", "-serial",
                            "chardev:console", "-mon", "chardev=console"], check=False)
        finally:
            machine.tpm.stop()
    say()
    return vm.readable(log.read_bytes())


def show_pcrs(values):
    for pcr in sorted(values):
        for bank in ALL_BANKS:
            say(f"  PCR {pcr} {bank:<7} {values[pcr].get(bank, 'nothing')}")


def judge(report, expected, uki, *, wants_pcr_12):
    """Shows what the guest saw beside what was expected; 0 only if all of it is as it must be."""
    wrong = []

    def check(fine, text, problem):
        say(f"  {'ok   ' if fine else 'WRONG'} {text}")
        if not fine:
            wrong.append(problem)

    say("\nSeen inside the guest")
    say(f"  kernel command line: {report.cmdline}")
    check(report.cmdline == EMBEDDED, "it is the one inside the signed image; the entry's was dropped",
          f"the command line is not {EMBEDDED!r}")
    check(report.secure_boot, "Secure Boot is on", "Secure Boot is off")
    check(report.locked_down, f"the kernel is locked down: {report.lockdown}", "the kernel is not locked down")
    say(f"  started by {report.text('LoaderInfo')} and {report.text('StubInfo')}, "
        f"entry {report.text('LoaderEntrySelected')}")
    for path in sorted(report.extra):
        say(f"  {report.modes[path]:>5} {path} {len(report.extra[path]) if path[-1] != '/' else ''}")
    os_release = dict(image.sections(uki)).get(".osrel")
    check(report.extra.get("/.extra/os-release") == os_release, "/.extra/os-release is the image's",
          "/.extra/os-release is not what the image holds")

    say("\nPCRs: predicted, then seen")
    for pcr in sorted(expected):
        for bank in ALL_BANKS:
            seen = report.pcrs.get(bank, {}).get(pcr)
            announced = expected[pcr].get(bank)
            say(f"        {announced}")
            check(seen is not None and seen == announced, f"{seen}  PCR {pcr} {bank}",
                  f"PCR {pcr} {bank} is not what was predicted")
            if pcr == 12 and wants_pcr_12:
                check(seen not in (None, prediction.zeros(bank).hex()), "not zero", f"PCR 12 {bank} is zero")
    check(set(report.pcrs) == set(ALL_BANKS), f"banks: {', '.join(sorted(report.pcrs))}",
          "the guest does not see all PCR banks")
    if wrong:
        say("\n" + "\n".join(wrong) + "\n\nFAIL")
        return 1
    say("\nPASS")
    return 0


if __name__ == "__main__":
    sys.exit(main())
