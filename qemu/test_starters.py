# SPDX-License-Identifier: MIT
# One UKI, started by everything that starts UKIs: what reaches the guest, what is measured, and what
# the variables say is what each starter gives, and nothing of it is lost or made up (stub.md 9).
import contextlib
import dataclasses
import functools
import http.server
import threading
import typing

import pytest

from qemu import boot_option, guest, image, peers, prediction, vm, workspace
from qemu.command import need, run
from qemu.disk import Partition
from qemu.harness import BOOT_PATH, Boot, Scenario

NAME = "EFI/Linux/starter.efi"
PATH = "\\EFI\\Linux\\starter.efi"
REMOVABLE = "\\EFI\\BOOT\\BOOTX64.EFI"
OWN_LINE = f"{image.CONSOLE} embedded=base"
PROFILE_LINE = f"{image.CONSOLE} embedded=profile"
PASSED = f"{image.CONSOLE} passed=words"
BANKS = ("sha1", "sha256")
# Set in every boot that has a TPM.
ALWAYS = {"StubInfo", "StubFeatures", "StubProfile", "StubPcrKernelImage", "LoaderFirmwareInfo",
          "LoaderFirmwareType", "LoaderTpm2ActivePcrBanks", "LoaderPcrSMBIOS"}
CREDENTIAL, GLOBAL_CREDENTIAL, EXTENSION = b"of this image", b"of this machine", b"an extension"
ADDON_LINE = "addon=1"


@dataclasses.dataclass(frozen=True)
class Started:
    """What came of it, and from where the UKI came."""
    boot: Boot
    medium: tuple | None = None  # image with the partition, and its number; None: no partition
    url: str | None = None


@dataclasses.dataclass(frozen=True)
class Starter:
    """How the UKI is started, and what must be seen then."""
    name: str
    start: typing.Callable              # (machine, UKI) -> Started
    place: str = NAME                   # of the UKI on the ESP
    file_system: bool = True            # so companions are found, and the partition is known
    line: str = OWN_LINE                # without what add-ons append
    profile: int = 0
    measured: tuple = ()                # into PCR 12, apart from companions
    image_identifier: str | None = PATH
    loader_identifier: str | None = PATH
    loader: str | None = None           # what LoaderInfo begins with


@pytest.fixture(scope="module")
def uki(tmp_path_factory):
    """A UKI with one profile besides the base."""
    directory = tmp_path_factory.mktemp("uki")
    profile = directory / "profile.efi"
    image.keelson("build", "--profile=ID=second\nTITLE=Second\n", f"--cmdline={PROFILE_LINE}",
                  f"--output={profile}")
    return image.build(directory / "starter.efi", linux=guest.kernel().image, initrd=guest.initrd(),
                       cmdline=OWN_LINE, os_release_text=image.os_release(),
                       more=["--profile=ID=main\nTITLE=Main\n", f"--join-profile={profile}"])


# Starters

def from_disk(machine):
    return Started(machine.boot(), medium=(machine.disk.path, 1))


def removable_path(machine, _uki):
    return from_disk(machine)


def boot_option_with(line):
    def start(machine, _uki):
        boot_option.add(machine, NAME, line)
        return from_disk(machine)
    return start


def our_loader(machine, _uki):
    machine.put_loader()
    machine.firmware.set_variable("LoaderEntryOneShot", "starter.efi@second")
    return from_disk(machine)


def systemd_boot(machine, _uki):
    machine.put(BOOT_PATH, peers.DEBIAN_12.root / "usr/lib/systemd/boot/efi/systemd-bootx64.efi")
    machine.put("loader/entries/passed.conf", f"title Passed\nefi /{NAME}\noptions {PASSED}\n")
    machine.put("loader/loader.conf", "default passed.conf\n")
    return from_disk(machine)


def grub(machine, _uki):
    need("grub-mkstandalone", "grub-common grub-efi-amd64-bin")
    config = machine.directory / "grub.cfg"
    config.write_text("set timeout=0\nmenuentry starter {\n"
                      f"search --no-floppy --file --set=root /{NAME}\n"
                      f"chainloader /{NAME} @1 {PASSED}\n}}\n")
    modules = "part_gpt fat chain search search_fs_file serial normal"
    run(["grub-mkstandalone", "-O", "x86_64-efi", f"--modules={modules}",
         f"--install-modules={modules} echo boot terminal", "--locales=", "--fonts=", "-o",
         machine.directory / "grub.efi", f"boot/grub/grub.cfg={config}"])
    machine.put(BOOT_PATH, machine.directory / "grub.efi")
    return from_disk(machine)


def shell(machine, _uki):
    machine.put("startup.nsh", f"@echo -off\r\nfs0:\r\n{PATH} @1 {PASSED}   two\r\n")
    return from_disk(machine)


def http_boot(machine, uki):
    with served(uki) as url:
        return Started(without_disk(machine, [
            "-netdev", f"user,id=net0,bootfile={url}",
            "-device", "virtio-net-pci,netdev=net0,romfile=,bootindex=1",
            # Else PXE is tried first, for more than a minute.
            "-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n",
            "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"]), url=url)


@contextlib.contextmanager
def served(uki):
    """A web server on the loopback interface; gives the URL as guests of QEMU's user network see it."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=uki.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://10.0.2.2:{server.server_port}/{uki.name}"
        finally:
            server.shutdown()
            thread.join()


def qemu_kernel(machine, uki):
    return Started(without_disk(machine, ["-kernel", uki, "-append", PASSED]))


def el_torito(machine, _uki):
    """A disc whose ESP is an entry of the boot catalogue and, for disks, of a GPT as well."""
    need("xorriso", "xorriso")
    esp, disc = machine.directory / "esp.img", machine.directory / "disc.iso"
    # The catalogue counts sectors in 16 bits, which is too little for FAT32.
    run(["mkfs.vfat", "-F", "16", "-C", esp, 31 * 1024])
    Partition(esp, 0).copy_tree(machine.esp)
    machine.put("disc", "xorriso writes no disc without a file\n", tree=machine.directory / "files")
    run(["xorriso", "-as", "mkisofs", "-quiet", "-o", disc, "-append_partition", "2", "0xef", esp,
         "-appended_part_as_gpt", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot",
         machine.directory / "files"])
    boot = without_disk(machine, [
        "-drive", f"if=none,id=disc,format=raw,media=cdrom,readonly=on,file={disc}",
        "-device", "ide-cd,drive=disc,bootindex=1"])
    return Started(boot, medium=(disc, 2))


def without_disk(machine, options):
    with vm.Vm(firmware=machine.firmware, tpm=machine.tpm, memory_mib=1024, options=options,
               log=machine.directory / "serial.log") as running:
        return Boot(running.wait_exit(), running.resets)


STARTERS = (
    # The firmware's own option for a disk carries binary load options.
    Starter("removable-path", removable_path, place=BOOT_PATH, image_identifier=REMOVABLE,
            loader_identifier=REMOVABLE),
    Starter("el-torito", el_torito, place=BOOT_PATH, image_identifier=REMOVABLE,
            loader_identifier=REMOVABLE),
    Starter("boot-option", boot_option_with(f"@1 {PASSED}"), line=PASSED, profile=1,
            measured=(1, PASSED)),
    Starter("boot-option-of-a-profile", boot_option_with("@1"), line=PROFILE_LINE, profile=1,
            measured=(1,)),
    # What a loader passes, it measures as well.
    Starter("our-loader", our_loader, line=PROFILE_LINE, profile=1, measured=("@1", 1),
            loader="keelson-boot ", loader_identifier=REMOVABLE),
    Starter("systemd-boot-252", systemd_boot, line=PASSED, measured=(PASSED, PASSED),
            loader="systemd-boot 252", loader_identifier=REMOVABLE),
    # Slashes that GRUB keeps in the device path are written as UEFI does.
    Starter("grub", grub, line=PASSED, profile=1, measured=(1, PASSED)),
    # Words are joined by one space.
    Starter("efi-shell", shell, line=f"{PASSED} two", profile=1, measured=(1, f"{PASSED} two")),
    # No path: what is not known is not said.
    Starter("http", http_boot, file_system=False, image_identifier=None, loader_identifier=None),
    Starter("qemu-kernel", qemu_kernel, file_system=False, line=PASSED, measured=(PASSED,),
            image_identifier="kernel", loader_identifier="kernel"),
)


def put_companions(machine, place):
    """One file of each kind, beside the UKI and for all of the machine."""
    machine.put(f"{place}.extra.d/own.cred", CREDENTIAL)
    machine.put(f"{place}.extra.d/own.raw", EXTENSION)
    machine.put("loader/credentials/all.cred", GLOBAL_CREDENTIAL)
    addon = machine.directory / "own.addon.efi"
    image.keelson("build", f"--cmdline={ADDON_LINE}", f"--stub={workspace.addon_stub()}",
                  f"--output={addon}")
    machine.put(f"{place}.extra.d/own.addon.efi", addon)


def replayed(bank, *items):
    """A PCR after these: texts and numbers as UTF-16 with NUL, archives as they are."""
    value = prediction.zeros(bank)
    for item in items:
        data = item if isinstance(item, bytes) else f"{item}\0".encode("utf-16-le")
        value = prediction.extend(bank, value, data)
    return value.hex()


def handed_over(report, uki, starter):
    """The whole of /.extra: what the image itself has, and companions where there is a file system."""
    sections = prediction.effective_sections(uki, starter.profile)
    files = {"/.extra/os-release": sections[".osrel"], "/.extra/profile": sections[".profile"]}
    if starter.file_system:
        files |= {"/.extra/credentials/own.cred": CREDENTIAL, "/.extra/sysext/own.raw": EXTENSION,
                  "/.extra/global_credentials/all.cred": GLOBAL_CREDENTIAL}
    assert {path: content for path, content in report.extra.items() if not path.endswith("/")} == files


@pytest.mark.parametrize("starter", STARTERS, ids=lambda starter: starter.name)
def test_started_by(starter, uki, tmp_path):
    machine = Scenario(tmp_path / "machine", tpm=True, banks=BANKS)
    machine.put(starter.place, uki)
    put_companions(machine, starter.place)
    started = starter.start(machine, uki)
    report = started.boot.report
    line, to_12, to_13 = starter.line, list(starter.measured), []
    if starter.file_system:
        line += f" {ADDON_LINE}"
        to_12 += [ADDON_LINE, archive("credentials", 0o500, 0o400, own__cred=CREDENTIAL),
                  archive("global_credentials", 0o500, 0o400, all__cred=GLOBAL_CREDENTIAL)]
        to_13 = [archive("sysext", 0o555, 0o444, own__raw=EXTENSION)]
    assert report.cmdline == line
    assert report.text("StubProfile") == str(starter.profile)
    handed_over(report, uki, starter)
    for bank in BANKS:
        assert report.pcrs[bank][11] == prediction.pcr_11(uki, (bank,), starter.profile)[bank]
        assert report.pcrs[bank][12] == replayed(bank, *to_12)
        assert report.pcrs[bank][13] == replayed(bank, *to_13)
    check_variables(started, starter, parameters=bool(to_12), extensions=bool(to_13))


def archive(directory, mode, file_mode, **files):
    named = {name.replace("__", "."): content for name, content in files.items()}
    return prediction.companion_archive(f".extra/{directory}", mode, named, file_mode)


def check_variables(started, starter, *, parameters, extensions):
    report = started.boot.report
    assert ALWAYS <= set(report.variables)
    assert report.text("StubInfo").startswith("keelson-stub ")
    assert report.text("StubPcrKernelImage") == "11"
    assert report.text("StubPcrKernelParameters") == ("12" if parameters else None)
    assert report.text("StubPcrInitRDSysExts") == ("13" if extensions else None)
    assert report.text("StubPcrInitRDConfExts") is None
    assert report.text("StubImageIdentifier") == starter.image_identifier
    assert report.text("LoaderImageIdentifier") == starter.loader_identifier
    partition = started.medium and str(boot_option.partition(*started.medium)[0]).upper()
    for name in ("StubDevicePartUUID", "LoaderDevicePartUUID"):
        assert report.text(name) == partition
    for name in ("StubDeviceURL", "LoaderDeviceURL"):
        assert report.text(name) == started.url
    if starter.loader:
        assert report.text("LoaderInfo").startswith(starter.loader)
    else:
        assert "LoaderInfo" not in report.variables
