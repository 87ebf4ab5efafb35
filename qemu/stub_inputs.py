# SPDX-License-Identifier: MIT
# What two stubs are booted with, side by side: a few inputs that each cover many features, made from
# what the older one supports.
import dataclasses
import struct

from qemu import firmware, guest, image, newc, workspace

SBAT = (b"sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
        b"side-by-side,1,Test,test,1,https://example.org/\n")
EXTRA = "EFI/Linux/Side.efi.extra.d"


@dataclasses.dataclass(frozen=True)
class Inputs:
    name: str
    sections: tuple                   # (name, bytes) in file order
    files: dict                       # on the ESP: path -> bytes
    image: str = "EFI/Linux/Side.efi"
    line: str | None = None           # load options
    tpm: bool = True
    secure_boot: bool = False
    signed: tuple = ()                # of `files`
    empty_directories: tuple = ()
    variables: tuple = ()             # (name, value, attributes)
    qemu_options: tuple = ()


# Pieces

def device_tree(compatible):
    """A flattened device tree with this `compatible` in its root node (Devicetree Specification 5)."""
    value = compatible.encode() + b"\0"
    strings = b"compatible\0"
    structure = struct.pack(">II", 1, 0) + struct.pack(">III", 3, len(value), 0) \
        + value + bytes(-len(value) % 4) + struct.pack(">II", 2, 9)
    at = 40 + 16
    return struct.pack(">10I", 0xD00DFEED, at + len(structure) + len(strings), at,
                       at + len(structure), 40, 17, 16, 0, len(strings), len(structure)) \
        + bytes(16) + structure + strings


def picture():
    """A BMP of 8 x 8 pixels, 24 bits each."""
    pixels = bytes(range(192))
    return struct.pack("<2sIIIIiiHHIIiiII", b"BM", 54 + len(pixels), 0, 54, 40, 8, 8, 1, 24, 0,
                       len(pixels), 0, 0, 0, 0) + pixels


def cpio(**files):
    """A newc archive of files in /.extra, as the initrd of an add-on might be."""
    return (newc.record(".extra", 0o40555)
            + b"".join(newc.record(f".extra/{name}", 0o100444, content)
                       for name, content in files.items())
            + newc.record(newc.LAST, 0))


# SMBIOS manufacturer "Acme", product "Mk2", as Windows computes ids; stands for "acme,mk2".
HARDWARE_IDS = bytes.fromhex("1c00001067b499b42a9fb659b53d3ec81c8a1197380000003d000000") + bytes(28) \
    + b"Mk2!\0acme,mk2\0"
ACME = ("-smbios", "type=1,manufacturer= Acme ,product=0Mk2")


def words(text):
    return ("-smbios", f"type=11,value=io.systemd.stub.kernel-cmdline-extra={text}")


def addon(sections, stub=None):
    """An add-on as bytes, on our base unless told otherwise."""
    path = workspace.cache_directory() / "addon.efi"
    made = image.assemble(path, stub=stub or workspace.addon_stub(), sections=sections)
    content = made.read_bytes()
    made.unlink()
    return content


def parts(**more):
    """Sections of a plain image; `more` by name without the dot: bytes, or None to leave one out."""
    linux = guest.kernel()
    found = {
        "osrel": image.os_release().encode(),
        "cmdline": f"{image.CONSOLE} embedded=1".encode(),
        "uname": linux.release.encode(),
        "pcrpkey": b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "pcrsig": b'{"sha256":[]}',
        "linux": linux.image.read_bytes(),
        "initrd": guest.initrd().read_bytes(),
    } | more
    return tuple((f".{name}", content) for name, content in found.items() if content is not None)


def companions(directory, *, confexts):
    """Companion files in names of every case, and such that no stub may take."""
    files = {
        f"{directory}/b.cred": b"per image, b",
        f"{directory}/A.Cred": b"per image, A",
        f"{directory}/Z9.CRED": b"",
        f"{directory}/.hidden.cred": b"hidden",
        f"{directory}/b.cred.txt": b"another suffix",
        f"{directory}/n\u00e4me.cred": b"not ASCII",
        f"{directory}/folder.cred/inside.cred": b"in a folder",
        f"{directory}/tools.raw": bytes(range(256)) * 5,
        f"{directory}/More.RAW": b"raw",
        "loader/credentials/machine.cred": b"global",
        "loader/credentials/Early.cred": b"global, too",
    }
    if confexts:
        files |= {f"{directory}/etc.confext.raw": b"configuration",
                  f"{directory}/Other.Confext.Raw": b"more configuration"}
    return files


# Inputs

LINE = f"{image.CONSOLE} passed  words=two"


def companion_files(version, _addon_stub):
    """What 252 knows, and a line that was passed to an image that has none of its own."""
    return Inputs("companion_files",
                  parts(cmdline=None, splash=picture(), dtb=device_tree("acme,mk1")),
                  companions(EXTRA, confexts=version != "252"), line=LINE)


def secure_boot(version, addon_stub):
    """What Secure Boot decides; a boot counter; one archive of a kind without its counterpart."""
    files = {f"{EXTRA}/only.cred": b"credential"}
    signed = ()
    if version != "252":
        files[f"{EXTRA}/only.raw"] = b"extension"
        files |= {f"{EXTRA}/signed.addon.efi": addon([(".cmdline", b"signed=addon")], addon_stub),
                  f"{EXTRA}/unsigned.addon.efi": addon([(".cmdline", b"unsigned=addon")], addon_stub)}
        signed = (f"{EXTRA}/signed.addon.efi",)
    return Inputs("secure_boot", parts(cmdline=f" {image.CONSOLE}\tembedded=1 \n".encode()), files,
                  image="EFI/Linux/Side+3-1.efi", line=LINE, secure_boot=True, signed=signed,
                  empty_directories=("loader/credentials", "loader/addons"))


def everything(version, addon_stub):
    """A profile that was asked for, add-ons of every kind, words from SMBIOS."""
    release = guest.kernel().release.encode()
    sections = parts(ucode=cpio(ucode=b"of the image"), splash=picture(), hwids=HARDWARE_IDS,
                     dtbauto=device_tree("acme,mk1"))
    sections += ((".dtbauto", device_tree("acme,mk2")), (".profile", b"ID=main\n"),
                 (".profile", b"ID=one\nTITLE=Profile one\n"), (".cmdline", b"of=profile"),
                 (".splash", b""), (".pcrsig", b'{"sha1":[]}'))
    files = companions(EXTRA, confexts=True) | {
        "loader/random-seed": bytes(32),
        "loader/addons/global.addon.efi": addon(
            [(".cmdline", b"global=addon\n"), (".dtb", device_tree("acme,mk3"))], addon_stub),
        "loader/addons/Before.Addon.EFI": addon([(".cmdline", b" before=others"), (".uname", release)]),
        "loader/addons/other-kernel.addon.efi": addon([(".cmdline", b"x=y"), (".uname", b"1.2.3")]),
        "loader/addons/kernel.addon.efi": addon([(".cmdline", b"x=kernel"), (".linux", b"kernel")]),
        "loader/addons/useless.addon.efi": addon([(".osrel", b"ID=useless\n")]),
        "loader/addons/broken.addon.efi": b"MZ broken",
        f"{EXTRA}/local.addon.efi": addon([(".cmdline", b"local=addon")], addon_stub),
        f"{EXTRA}/tree.addon.efi": addon([(".dtb", device_tree("acme,mk4"))], addon_stub),
        f"{EXTRA}/initrd.addon.efi": addon([(".initrd", cpio(addon=b"initrd", ucode=b"initrd add-on"))]),
        f"{EXTRA}/a-ucode.addon.efi": addon([(".ucode", cpio(first=b"ucode", ucode=b"add-on a"))]),
        f"{EXTRA}/b-ucode.addon.efi": addon([(".ucode", cpio(second=b"ucode", ucode=b"add-on b"))]),
    }
    variables = ()
    if version == "262":
        files |= {"loader/extensions/all.raw": b"global sysext",
                  "loader/extensions/all.confext.raw": b"global confext",
                  "loader/boot-secret-mixin": bytes(range(32, 64))}
        variables = (("LoaderBootSecret", bytes(range(32)), firmware.BOOT_ONLY),)
    return Inputs("everything", sections, files, line=f"@1 {LINE} ", variables=variables,
                  qemu_options=ACME + words(" from=smbios "))


def nothing(_version, _addon_stub):
    """No command line, directories without a file, no TPM; only a selector of what counts anyway."""
    return Inputs("nothing", parts(cmdline=None, pcrsig=None, pcrpkey=None), {}, line="@0", tpm=False,
                  empty_directories=(EXTRA, "loader/credentials", "loader/addons"))


def of_version(version):
    """What a version of systemd-stub is compared on."""
    if version == "252":
        return companion_files, secure_boot
    return everything, secure_boot, nothing
