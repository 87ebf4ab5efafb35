# SPDX-License-Identifier: MIT
# A scenario: trees that become the disk, a firmware with its variables, perhaps a TPM, and boots
# that share them. What a boot is judged by is what the guest reported, never that nothing went wrong.
import dataclasses
import pathlib
import shutil

from qemu import firmware, guest, image, vm, workspace
from qemu.disk import Disk
from qemu.firmware import Firmware
from qemu.payload import payload
from qemu.tpm import ALL_BANKS, Tpm

BOOT_PATH = "EFI/BOOT/BOOTX64.EFI"


def plain_name(name):
    """The name of a UKI without boot counter and suffix."""
    return name.removesuffix(".efi").split("+")[0]


@dataclasses.dataclass
class Boot:
    """What one run of the machine left."""
    console: str
    resets: int

    @property
    def report(self):
        return guest.the_report(self.console)


class Scenario:
    """A machine in a directory of its own. Change `esp`, `xbootldr` before the first boot."""

    def __init__(self, directory, *, variant=firmware.PLAIN, tpm=False, banks=ALL_BANKS,
                 memory_mib=512, esp_mib=None):
        self.directory = pathlib.Path(directory)
        self.esp = self.directory / "esp"
        self.esp.mkdir(parents=True)
        self.xbootldr = None
        self.variant, self.memory_mib, self.esp_mib = variant, memory_mib, esp_mib
        self.firmware = Firmware(variant, self.directory / "variables.fd")
        self.tpm = Tpm(self.directory / "tpm", banks) if tpm else None
        self._disk = None
        self._boots = 0

    # Contents

    def with_xbootldr(self):
        self.xbootldr = self.directory / "xbootldr"
        self.xbootldr.mkdir()
        return self.xbootldr

    def put(self, path, content, tree=None):
        """A file on the ESP (or another tree): text, bytes, or a file to copy."""
        target = (tree or self.esp) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pathlib.Path):
            shutil.copy(content, target)
        else:
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def signed_if_needed(self, path):
        if self.variant is not firmware.SECURE_BOOT:
            return path
        return firmware.sign(path, self.directory / (path.name + ".signed"))

    def put_loader(self, path=None):
        """A loader at the removable-media path, ours unless told otherwise."""
        return self.put(BOOT_PATH, self.signed_if_needed(path or workspace.loader()))

    def put_uki(self, name, *, title="Test System", version="1", cmdline=None, tree=None,
                signed=None):
        """A UKI of ours in \\EFI\\Linux with Debian's kernel; its command line says which it is."""
        return self._build(name, tree, signed, image.os_release(title, version),
                           cmdline=cmdline or f"{image.CONSOLE} uki={plain_name(name)}",
                           linux=guest.kernel().image, initrd=guest.initrd())

    def put_quick_uki(self, name, *, title="Test System", version="1", does="power-off",
                      tree=None, signed=None):
        """The same with the test kernel of payloads/: boots in no time, and does as it is told."""
        return self._build(name, tree, signed, image.os_release(title, version),
                           cmdline=f"{does} uki={plain_name(name)}", linux=payload("test_kernel"))

    def _build(self, name, tree, signed, os_release, **parts):
        secure = self.variant is firmware.SECURE_BOOT
        return image.build((tree or self.esp) / "EFI/Linux" / name, os_release_text=os_release,
                           signed=secure if signed is None else signed, **parts)

    # Boots

    @property
    def disk(self):
        if self._disk is None:
            self._disk = Disk(self.directory / "disk.img", self.esp, xbootldr_tree=self.xbootldr,
                              esp_mib=self.esp_mib)
        return self._disk

    def start(self, **more):
        """The machine, as a context manager; for scenarios that type keys."""
        self._boots += 1
        return vm.Vm(firmware=self.firmware, disk=self.disk, tpm=self.tpm,
                     memory_mib=self.memory_mib,
                     log=self.directory / f"serial-{self._boots}.log", **more)

    def boot(self, timeout=vm.TIMEOUT, **more):
        """One run until the guest powers off."""
        with self.start(**more) as machine:
            console = machine.wait_exit(timeout)
            return Boot(console, machine.resets)
