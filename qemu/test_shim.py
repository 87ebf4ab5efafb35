# SPDX-License-Identifier: MIT
# shim in front of loader and UKI: the one that answers for LoadImage by itself (16 and later), and
# the one before, which loader and stub have to ask. What only the machine's owner has signed boots,
# what nobody has signed does not.
import pytest

from qemu import firmware, guest, image, prediction, shim, workspace
from qemu.command import run
from qemu.harness import Boot, Scenario

SHIMS = pytest.mark.parametrize("which", [shim.before_16, shim.since_16],
                                ids=["shim-15", "shim-16"])


@SHIMS
@pytest.mark.parametrize("kernel_signed", [True, False], ids=["signed-kernel", "unsigned-kernel"])
def test_a_uki_behind_shim_boots_measured_and_locked_down(tmp_path, which, kernel_signed):
    machine = Scenario(tmp_path / "machine", variant=firmware.SECURE_BOOT, tpm=True)
    linux = guest.kernel().image
    if not kernel_signed:  # the signature of the UKI covers it
        linux = machine.put("vmlinuz", linux, tree=tmp_path)
        run(["sbattach", "--remove", linux])
    uki = image.build(tmp_path / "uki.efi", linux=linux, initrd=guest.initrd(),
                      cmdline=f"{image.CONSOLE} behind=shim", os_release_text=image.os_release(),
                      stub=workspace.stub(), signed=True)
    shim.put_shim(machine, which(), uki)
    report = machine.boot().report
    assert report.cmdline == f"{image.CONSOLE} behind=shim"
    assert report.secure_boot and report.locked_down
    assert {bank: values[11] for bank, values in report.pcrs.items()} == prediction.pcr_11(uki)
    assert report.text("StubPcrKernelImage") == "11"


@pytest.fixture
def owned(tmp_path):
    """A machine whose owner's key signs loader and UKIs; the firmware knows it not."""
    def make(which):
        machine = Scenario(tmp_path / "machine", variant=firmware.SECURE_BOOT, tpm=True)
        shim.enrol_owner(machine)
        shim.put_shim(machine, which(),
                      shim.sign_as_owner(workspace.loader(), tmp_path / "loader.efi"))
        return machine

    return make


def put_uki(machine, name, version, *, more=()):
    """With a kernel that has no signature of its own."""
    linux = machine.put(f"vmlinuz-{version}", guest.kernel().image, tree=machine.directory)
    run(["sbattach", "--remove", linux])
    return image.build(machine.esp / "EFI/Linux" / name, linux=linux, initrd=guest.initrd(),
                       cmdline=f"{image.CONSOLE} uki={name}", more=more,
                       os_release_text=image.os_release(version=version))


@SHIMS
def test_what_only_the_owner_has_signed_boots_through_our_loader(owned, which):
    machine = owned(which)
    uki = put_uki(machine, "a.efi", "1", more=shim.owner_options())
    report = machine.boot().report
    assert report.cmdline == f"{image.CONSOLE} uki=a.efi"
    assert report.secure_boot and report.locked_down
    assert {bank: values[11] for bank, values in report.pcrs.items()} == prediction.pcr_11(uki)
    assert report.text("LoaderImageIdentifier") == "\\EFI\\BOOT\\grubx64.efi"


@SHIMS
def test_what_nobody_has_signed_is_refused_and_the_next_entry_boots(owned, which):
    machine = owned(which)
    put_uki(machine, "new.efi", "2")
    put_uki(machine, "old.efi", "1", more=shim.owner_options())
    with machine.start() as running:
        running.wait_for(r"new\.efi")
        report = Boot(running.wait_exit(), running.resets).report
    assert report.text("LoaderEntrySelected") == "old.efi"
    assert report.cmdline == f"{image.CONSOLE} uki=old.efi"
