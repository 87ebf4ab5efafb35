# SPDX-License-Identifier: MIT
# Our stub beside Debian's own, 252 and 257: what they measure, hand over and report is equal, apart
# from the rows of stub_differences.py, and each boot shows exactly the rows that are named here.
import pytest

from qemu import peers, stub_differences, stub_inputs, workspace
from qemu.measurement import identity
from qemu.side_by_side import side_by_side
from qemu.stub_differences import ROWS

DOCUMENT = workspace.REPOSITORY / "docs/stub-differences.md"
ALWAYS = {"stub name", "feature bits", "active banks"}
SOMETIMES = {"own variables"}  # nothing to say, and a clock that a busy machine cannot calibrate
MEASURED = ALWAYS | {"PCR 4", "SMBIOS"}
WITH_252 = MEASURED | {"stub location", "sections measured", "os-release", "PCR 9"}

# Version, inputs, and the rows that these show.
COMPARISONS = (
    ("252", stub_inputs.companion_files, WITH_252),
    ("252", stub_inputs.secure_boot, WITH_252 | {"white space", "boot counter", "what was measured"}),
    ("257", stub_inputs.everything, MEASURED | {"what was measured"}),
    ("257", stub_inputs.secure_boot, MEASURED | {"what was measured"}),
    ("257", stub_inputs.nothing, ALWAYS | {"automatic console"}),
)


def stubs(version):
    """(stub, add-on stub) of Debian."""
    peer = peers.DEBIAN_12 if version == "252" else peers.DEBIAN_13
    folder = peer.root / "usr/lib/systemd/boot/efi"
    addon = folder / "addonx64.efi.stub"
    return folder / "linuxx64.efi.stub", addon if addon.is_file() else None


@pytest.mark.parametrize("version, make, rows", COMPARISONS,
                         ids=[f"{version}-{make.__name__}" for version, make, _ in COMPARISONS])
def test_our_stub_does_what_debians_does(tmp_path, version, make, rows):
    stub, addon_stub = stubs(version)
    assert identity(stub)[1].split(".")[0] == version
    found = {}
    for difference in side_by_side(tmp_path, stub, make(version, addon_stub)):
        row = stub_differences.row_of(difference, version)
        found.setdefault(row.name if row else None, []).append(difference)
    unexplained = "\n".join(str(difference) for difference in found.pop(None, []))
    assert not unexplained, unexplained
    assert set(found) - SOMETIMES == rows


def test_every_row_is_shown_or_says_what_shows_it():
    shown = {(version, name) for version, _, names in COMPARISONS for name in names}
    for row in ROWS:
        assert bool(row.shown) != bool(row.proof), row.name
        for version in row.versions if row.shown else ():
            assert (version == "262" or (version, row.name) in shown
                    or row.name in SOMETIMES), f"{row.name}, {version}"


def test_the_document_has_the_same_rows():
    text = DOCUMENT.read_text()
    begin = text.index("| Subject")
    assert text[begin:].startswith(stub_differences.table() + "\n")
