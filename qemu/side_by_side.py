# SPDX-License-Identifier: MIT
# The same boot twice, once with a stub of systemd, once with ours: images assembled from the same
# sections, the same files on the same partition, the same load options. Finds every difference in what
# was measured, handed over and reported; stub_differences.py knows which ones are meant.
#
#   python3 -m qemu.side_by_side STUB [ADD-ON-STUB]    compares ours with a stub that no test knows
import argparse
import collections
import dataclasses
import difflib
import pathlib
import re
import sys
import tempfile

from qemu import boot_option, event_log, firmware, guest, image, stub_differences, stub_inputs, workspace
from qemu.command import run
from qemu.harness import Scenario
from qemu.measurement import identity
from qemu.stub_differences import Difference

DISK, ESP = "6d1c8a52-0000-4000-8000-00000000d15c", "6d1c8a52-0000-4000-8000-0000000000e5"
# Linux measures the whole initrd, as joined by the stub, into PCR 9.
PCRS = (1, 4, 5, 7, 8, 9, 11, 12, 13)


@dataclasses.dataclass(frozen=True)
class Seen:
    """What one boot left."""
    report: guest.Report
    events: list
    loader_files: dict  # of \loader on the ESP after the boot: name -> content


def boot(directory, stub, inputs):
    """Boots `inputs` on one stub, started by the firmware's own boot option."""
    variant = firmware.SECURE_BOOT if inputs.secure_boot else firmware.PLAIN
    machine = Scenario(directory, variant=variant, tpm=inputs.tpm)
    for path, content in inputs.files.items():
        target = machine.put(path, content)
        if path in inputs.signed:
            firmware.sign(target, target)
    for path in inputs.empty_directories:
        (machine.esp / path).mkdir(parents=True)
    uki = image.assemble(machine.esp / inputs.image, stub=stub, sections=inputs.sections,
                         sbat=stub_inputs.SBAT)
    if inputs.secure_boot:
        firmware.sign(uki, uki)
    run(["sgdisk", "-U", DISK, "-u", f"1:{ESP}", machine.disk.path])
    boot_option.add(machine, inputs.image, inputs.line)
    for name, value, attributes in inputs.variables:
        machine.firmware.set_variable(name, value, attributes=attributes)
    report = machine.boot(options=inputs.qemu_options).report
    esp = machine.disk.esp
    names = esp.names("/loader") if "loader" in esp.folders("/") else []
    loader_files = {name: esp.read(f"/loader/{name}") for name in names}
    return Seen(report, event_log.parse(report.event_log) if inputs.tpm else [], loader_files)


# Comparing

def compare(theirs, ours, inputs):
    """Every difference between two boots."""
    found = []
    for pcr in PCRS:
        found += _event_differences(pcr, theirs.events, ours.events)
    found += _differences("file", _files(theirs.report), _files(ours.report))
    found += _differences("variable", _variables(theirs.report), _variables(ours.report))
    found += _differences("command line", {"": theirs.report.cmdline}, {"": ours.report.cmdline})
    found += _differences("on the ESP", _changes(theirs, inputs), _changes(ours, inputs))
    return found


def _differences(kind, theirs, ours):
    return [Difference(kind, key, theirs.get(key), ours.get(key))
            for key in sorted(theirs.keys() | ours.keys()) if theirs.get(key) != ours.get(key)]


def _event_differences(pcr, theirs, ours):
    theirs, ours = ([_of_a_stub(e) for e in log if e.pcr == pcr] for log in (theirs, ours))
    found = []
    matcher = difflib.SequenceMatcher(None, theirs, ours, autojunk=False)
    for operation, a, b, c, d in matcher.get_opcodes():
        if operation == "equal":
            continue
        # Events with the same text belong together, in their order.
        pairs = collections.OrderedDict()
        for side, events in enumerate((theirs[a:b], ours[c:d])):
            for event in events:
                of_text = pairs.setdefault(event.text, [])
                place = next((p for p in of_text if p[side] is None), None)
                if place is None:
                    place = [None, None]
                    of_text.append(place)
                place[side] = event
        found += [Difference("event", f"PCR {pcr} {text}", *pair)
                  for text, of_text in pairs.items() for pair in of_text]
    return found


def _of_a_stub(event):
    """The firmware's own events say where an image lies in memory; only what stubs log is compared whole."""
    if event.type in (event_log.EVENT_TAG, event_log.IPL):
        return event
    return dataclasses.replace(event, data=b"")


def _files(report):
    return {path: (report.modes[path], content) for path, content in report.extra.items()}


def _variables(report):
    return {name: (report.attributes[name], value) for name, value in report.variables.items()}


def _changes(seen, inputs):
    """What became of the files in \\loader: kept, rewritten, created, deleted."""
    before = {path.removeprefix("loader/"): content for path, content in inputs.files.items()
              if re.fullmatch("loader/[^/]*", path)}
    changes = {}
    for name in before.keys() | seen.loader_files.keys():
        if name not in before:
            changes[name] = "created"
        elif name not in seen.loader_files:
            changes[name] = "deleted"
        else:
            changes[name] = "kept" if before[name] == seen.loader_files[name] else "rewritten"
    return changes


def check_log(seen):
    """The log is the whole truth: every PCR that stubs extend has the value it replays to."""
    replayed = event_log.replay(seen.events)
    assert set(replayed) == set(seen.report.pcrs) == set(event_log.BANKS.values())
    for bank, values in seen.report.pcrs.items():
        for pcr in (11, 12, 13):
            value = replayed[bank].get(pcr, "0" * len(values[pcr]))
            assert value == values[pcr], f"{bank}, PCR {pcr}: log and TPM differ"


def check_pcrs(theirs, ours, differences):
    """PCRs are equal where no event differs."""
    for pcr in (11, 12, 13):
        if not any(d.key.startswith(f"PCR {pcr} ") for d in differences):
            for bank, values in theirs.report.pcrs.items():
                assert values[pcr] == ours.report.pcrs[bank][pcr], f"{bank}, PCR {pcr}"


def side_by_side(directory, stub, inputs):
    """Both boots and their differences."""
    directory = pathlib.Path(directory)
    theirs = boot(directory / "theirs", stub, inputs)
    ours = boot(directory / "ours", workspace.stub(), inputs)
    assert theirs.report.secure_boot == ours.report.secure_boot == inputs.secure_boot
    for seen in (theirs, ours) if inputs.tpm else ():
        check_log(seen)
    differences = compare(theirs, ours, inputs)
    check_pcrs(theirs, ours, differences)
    return differences


# By hand

def main(arguments=None):
    parser = argparse.ArgumentParser(prog="qemu.side_by_side", description=
                                     "Compares our stub with another version of systemd's.")
    parser.add_argument("stub", type=pathlib.Path)
    parser.add_argument("addon_stub", type=pathlib.Path, nargs="?")
    parser.add_argument("--only", metavar="INPUTS", help="only these inputs")
    options = parser.parse_args(arguments)
    _, version = identity(options.stub)
    known = stub_differences.nearest(version)
    print(f"{options.stub}: systemd-stub {version}, compared by the rows for {known}")
    unknown = 0
    for make in stub_inputs.of_version(known):
        if options.only not in (None, make.__name__):
            continue
        inputs = make(known, options.addon_stub)
        print(f"== {inputs.name}")
        with tempfile.TemporaryDirectory(prefix="keelson-side-") as scratch:
            differences = side_by_side(scratch, options.stub, inputs)
        for difference in differences:
            row = stub_differences.row_of(difference, known)
            unknown += row is None
            print(f"  {row.name if row else '?'}: {difference}")
    print(f"{unknown} differences without a row")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
