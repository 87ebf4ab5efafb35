# SPDX-License-Identifier: MIT
# Every difference between systemd-stub and ours that is meant: one row each, read by the comparison
# (side_by_side.py) and printed as the table of docs/stub-differences.md by
#
#   python3 -m qemu.stub_differences
import dataclasses
import re
import textwrap

VERSIONS = ("252", "257", "262")
OLD, ALL = ("252", "257"), VERSIONS


@dataclasses.dataclass(frozen=True)
class Difference:
    """One thing that two boots did differently; None: that side does not have it."""
    kind: str
    key: str
    theirs: object
    ours: object

    def __str__(self):
        sides = ((side, textwrap.shorten(repr(value), 240))
                 for side, value in (("theirs", self.theirs), ("ours", self.ours)))
        return f"{self.kind} {self.key}\n" + "\n".join(f"      {s:<6} {v}" for s, v in sides)


# What a comparison may show: kind, key (whole), and who has it.
@dataclasses.dataclass(frozen=True)
class Shown:
    kind: str
    key: str
    side: str  # "theirs", "ours": only that one has it; "both": they differ
    fits: object = lambda theirs, ours: True

    def covers(self, difference):
        side = ("ours" if difference.theirs is None else
                "theirs" if difference.ours is None else "both")
        return (difference.kind == self.kind and side == self.side
                and re.fullmatch(self.key, difference.key, re.S) is not None
                and self.fits(difference.theirs, difference.ours))


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    versions: tuple
    theirs: str
    ours: str
    why: str
    shown: tuple = ()  # none: nothing that a comparison of healthy boots could show
    proof: str = ""    # then what shows it


def _text(value):
    return value[1].decode("utf-16-le").rstrip("\0")


def _number(value):
    return int.from_bytes(value[1], "little")


def _same_words(theirs, ours):
    return theirs.split() == ours.split()


ROWS = (
    # What is reported
    Row("stub name", ALL, "`StubInfo` is `systemd-stub VERSION`", "`keelson-stub VERSION`",
        "Each names itself; `bootctl` shows either.",
        (Shown("variable", "StubInfo", "both", lambda theirs, ours:
               _text(theirs).startswith("systemd-stub ") and _text(ours).startswith("keelson-stub ")),)),
    Row("feature bits", OLD, "`StubFeatures` has the bits of what that version can do",
        "the bits of systemd 261", "The bits tell user space what it may rely on.",
        (Shown("variable", "StubFeatures", "both", lambda theirs, ours:
               _number(theirs) & ~_number(ours) == 0),)),
    Row("own variables", ALL, "none", "`KeelsonLog`, `KeelsonTimes`",
        "Messages and durations of this boot, see [variables](variables.md).",
        (Shown("variable", "KeelsonLog|KeelsonTimes", "ours"),)),
    Row("stub location", ("252",), "no `StubDevicePartUUID`, `StubImageIdentifier`, `StubProfile`",
        "sets them", "As 257 does.",
        (Shown("variable", "StubDevicePartUUID|StubImageIdentifier|StubProfile", "ours"),)),
    Row("active banks", OLD, "no `LoaderTpm2ActivePcrBanks`", "sets it if the loader did not",
        "As 262 does.", (Shown("variable", "LoaderTpm2ActivePcrBanks", "ours"),)),
    Row("keyboard layout", OLD, "no `LoaderKeyboardLayout`", "sets it if the firmware knows it",
        "As 262 does.", proof="host tests"),

    # What is measured
    Row("sections measured", ("252",), "measures neither `.uname` nor `.sbat` into PCR 11",
        "measures both", "As 257 does. Predict PCR 11 with a tool that knows both sections.",
        (Shown("event", r"PCR 11 \.(uname|sbat)", "ours"),)),
    Row("PCR 4", OLD, "PCR 4 holds the image and, without Secure Boot, the kernel inside",
        "PCR 4 holds the image", "The kernel is part of an image that was verified and measured, and is "
        "started in memory, as by 262. (PCR 4 of images with another stub differs anyway.)",
        (Shown("event", "PCR 4 type 0x80000003", "theirs"),
         Shown("event", "PCR 4 type 0x80000003", "both"))),
    Row("PCR 4", ("262",), "the image's hash", "another one", "It is another image.",
        (Shown("event", "PCR 4 type 0x80000003", "both"),)),
    Row("SMBIOS", OLD, "does not measure SMBIOS", "measures structures of types 1, 2 and 11 into PCR 1, "
        "and sets `LoaderPcrSMBIOS`, unless the loader did", "As 262 does: their strings can change "
        "what is booted.",
        (Shown("event", "PCR 1 smbios:type(1|2|11)", "ours"),
         Shown("variable", "LoaderPcrSMBIOS", "ours"))),
    Row("PCR 9", ("252",), "Linux measures another initrd into PCR 9", "with one file more, see os-release",
        "PCR 9 holds the initrd with everything that was joined to it.",
        (Shown("event", "PCR 9 Linux initrd", "both"),)),
    Row("what was measured", ("252",), "`StubPcrKernelParameters` and `StubPcrInitRDSysExts` also when "
        "nothing was measured into PCR 12 or 13",
        "each `StubPcr*` if at least one item of its kind was measured and none failed",
        "User space acts on them (design decision 7).",
        (Shown("variable", "StubPcrInitRDSysExts", "theirs"),)),
    Row("what was measured", ("257",), "no `StubPcrKernelParameters` if there is only one of the two archives "
        "of credentials, or when a profile or a device tree of an add-on was measured", "as above", "as above",
        (Shown("variable", "StubPcrKernelParameters", "ours"),)),
    Row("what was measured", ("262",), "`StubPcrKernelParameters`, `StubPcrInitRDSysExts`, "
        "`StubPcrInitRDConfExts` only if there are archives of both kinds, of the image and global",
        "as above", "as above",
        (Shown("variable", "StubPcr(KernelParameters|InitRDSysExts|InitRDConfExts)", "ours"),)),

    # What the kernel and user space get
    Row("os-release", ("252",), "no `/.extra/os-release`", "hands it over", "As 257 does.",
        (Shown("file", "/.extra/os-release", "ours"),)),
    Row("boot counter", ("252",), "companions of `foo+3.efi` are searched in `foo+3.efi.extra.d`",
        "in `foo.efi.extra.d`", "As 257 does: the name changes with every boot that is counted.",
        (Shown("file", "/.extra/credentials/.*", "ours"),
         Shown("event", "PCR 12 Credentials initrd", "ours"))),
    Row("white space", ("252",), "the command line keeps white space at its ends",
        "loses it; inside, tabs and line feeds become spaces", "As 257 does.",
        (Shown("command line", "", "both", _same_words),
         Shown("event", "PCR 9 LOADED_IMAGE::LoadOptions", "both"))),
    Row("automatic console", ("257",), "none", "a command line without `console=` gets one for every console "
        "of the firmware", "As 262 does.",
        (Shown("command line", "", "both", lambda theirs, ours: theirs == "" and
               ours.startswith("console=")),)),
    Row("stale options", ("262",), "with no command line, the kernel gets the load options as they were "
        "passed", "gets none", "They may be binary data of the firmware, or the very line that policy "
        "dropped.", proof="host tests"),
    Row("random seed", ("262",), r"creates `\loader\random-seed` if it is missing", "never creates files",
        "FAT drivers of firmware are not to be trusted with it; the tool does it (R15).",
        (Shown("on the ESP", "random-seed", "theirs"),)),
    Row("boot secret", ("262",), r"creates `\loader\boot-secret-mixin` if it is missing",
        "gives no boot secret then", "As above.",
        (Shown("on the ESP", "boot-secret-mixin", "theirs"),
         Shown("file", "/.extra/boot-secret", "theirs"))),
    Row("PCR 9", ("262",), "the initrd that Linux measures has a boot secret", "has none then", "See above.",
        (Shown("event", "PCR 9 Linux initrd", "both"),)),

    # What equal inputs and healthy machines cannot show
    Row("newer features", ("252",), "knows no add-ons, confexts, profiles, `.ucode`, `.dtbauto`, `.hwids`, "
        "words from SMBIOS, automatic `console=`, global extensions, random seed or boot secret",
        "has them", "They came with versions 253 to 261.", proof="left out of what is booted"),
    Row("newer features", ("257",), "knows no global extensions, `.efifw`, device URLs or boot secret",
        "has them", "They came with versions 258 to 261.", proof="left out of what is booted"),
    Row("earlier initrd", OLD, "does not start if someone has registered an initrd",
        "merges it with its own", "So a loader can hand over more files; as 262 does.",
        proof="host tests"),
    Row("thin images", ALL, "does not know them", "starts images whose kernel and initrd are other files, "
        "pinned by hash", "Lanzaboote's format; kept small, PCR 4 is measured sooner.", proof="host tests"),
    Row("kernel release", ("262",), "an add-on's `.uname` may be the beginning of the image's",
        "must be equal", "`6.1` is not `6.12`.", proof="host tests"),
    Row("failed measurement", ("262",), "drops the add-ons after the one that could not be measured; installs "
        "a device tree that could not", "leaves out what was not measured, and only that",
        "One bad item must not hide others, and nothing unmeasured may count.", proof="host tests"),
    Row("two registers", ("262",), "an error of the confidential-computing protocol suppresses the TPM's event",
        "each is extended on its own", "One path's failure says nothing about the other.",
        proof="host tests"),
    Row("Secure Boot state", ("262",), "off, if the variable cannot be read", "on",
        "Only an absent variable means off (R7).", proof="host tests"),
    Row("kernel that returns", ("262",), "its variables stay; who had registered an earlier initrd does not get its "
        "device path back", "`Stub*` variables, and `Loader*` ones of ours that say where the image came from, are "
        "deleted; the path is given back", "What is started next must not be described by them (R11).",
        proof="host tests"),
    Row("long lines", ALL, "takes command lines of any length", "refuses an image, and leaves out an add-on, with a "
        "`.cmdline` of more than 64 KiB", "No kernel takes one; loaders do not list such an image (R6).",
        proof="host tests"),
    Row("damaged images", ALL, "does not mind sections that overlap or lie over the headers",
        "refuses the image", "One range of bytes would count as two things.", proof="host tests"),
    Row("kernels", ALL, "copies kernels of any alignment whose entry point is not in code; behind shim, "
        "kernels with base relocations start", "refuses them; and with `NX_COMPAT`, those with pages that hold "
        "code and data, or sections that are both writable and executable", "Nothing is copied or given "
        "rights that it cannot have.", proof="host tests"),
    Row("companions", ("262",), "files of up to 16 GiB, any name", "files of up to 1.5 GiB; names with "
        "backslashes or control characters are left out", "They come from a partition that everybody can "
        "write to.", proof="host tests"),
    Row("limits", ("262",), "none for an initrd that was registered before, `.hwids`, or the os-release text that "
        "the boot secret's id comes from", "4 GiB, 1 MiB, 64 KiB", "A size that somebody else names is no "
        "reason to allocate it (R6).", proof="host tests"),
    Row("mixed mode", ALL, "a kernel for the other word size starts only through LoadImage", "also from memory",
        "It needs no shim.", proof="host tests"),
    Row("out of memory", ALL, "halts the machine", "says so, undoes what it changed and returns",
        "The loader, or the firmware, can then try something else (R23).", proof="host tests"),
    Row("messages", ALL, "waits up to ten seconds after printing some", "never waits",
        "`KeelsonLog` keeps them.", proof="host tests"),
    Row("memory", ("262",), "joins the initrd in memory, a second copy", "gives Linux one part after the other",
        "A 1.5 GiB image boots in less memory.", proof="benchmark"),
)


def nearest(version):
    """The newest version whose rows hold for `version`."""
    number = int(re.match(r"\d+", version)[0])
    return max((v for v in VERSIONS if int(v) <= number), key=int, default=VERSIONS[0])


def row_of(difference, version):
    """The row that says why, or None. Two rows for one difference are a mistake in the table."""
    rows = [row for row in ROWS if version in row.versions
            and any(shown.covers(difference) for shown in row.shown)]
    if len(rows) > 1:
        raise ValueError(f"{difference}: rows {', '.join(row.name for row in rows)}")
    return rows[0] if rows else None


def table():
    """The rows as the document has them."""
    lines = ["| Subject | Seen with | systemd-stub | Keelson | Why | Shown by |",
             "|---|---|---|---|---|---|"]
    for row in ROWS:
        lines.append(f"| {row.name} | {', '.join(row.versions)} | {row.theirs} | {row.ours} | {row.why} | "
                     f"{row.proof or 'both booted'} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
