# SPDX-License-Identifier: MIT
# Disk images: GPT with an EFI system partition and, if wanted, an XBOOTLDR partition, both FAT,
# filled from directory trees. Also reads files and names back after a boot. Sparse, so 300 MiB
# cost what their content costs.
import os

from qemu.command import need, run

MIB = 1 << 20
SECTOR = 512
ESP, XBOOTLDR = "ef00", "ea00"


class Partition:
    """One FAT partition inside an image file."""

    def __init__(self, image, offset):
        self._target = f"{image}@@{offset}"

    def copy_tree(self, tree):
        entries = sorted(tree.iterdir())
        if entries:
            run(["mcopy", "-i", self._target, "-s", "-p", "-o", "-Q", *entries, "::/"])

    def names(self, directory):
        """File names in a directory; mtools spells paths with forward slashes."""
        return sorted(line.rsplit("/", 1)[-1] for line in self._listing(directory)
                      if not line.endswith("/"))

    def folders(self, directory):
        """Names of the directories in a directory."""
        return sorted(line.rstrip("/").rsplit("/", 1)[-1] for line in self._listing(directory)
                      if line.endswith("/"))

    def _listing(self, directory):
        listing = run(["mdir", "-i", self._target, "-b", f"::{directory}"]).stdout
        return [line for line in listing.splitlines() if line.strip()]

    def read(self, path):
        return run(["mtype", "-i", self._target, f"::{path}"], text=False).stdout


class Disk:
    """A raw image. Sizes are MiB; FAT32 with one-sector clusters wants 64 MiB or more."""

    def __init__(self, path, esp_tree, *, xbootldr_tree=None, esp_mib=None, xbootldr_mib=None):
        for program, package in (("sgdisk", "gdisk"), ("mkfs.vfat", "dosfstools"),
                                 ("mcopy", "mtools")):
            need(program, package)
        self.path = path
        trees = [(ESP, esp_tree, esp_mib)]
        if xbootldr_tree is not None:
            trees.append((XBOOTLDR, xbootldr_tree, xbootldr_mib))
        sizes = [mib or room_for(tree) for _, tree, mib in trees]
        with open(path, "wb") as image:
            image.truncate((sum(sizes) + 2) * MIB)
        layout, start, self.partitions = [], 1, []
        for number, ((kind, _, _), size) in enumerate(zip(trees, sizes), 1):
            layout += ["-n", f"{number}:{start}M:+{size}M", "-t", f"{number}:{kind}"]
            self.partitions.append(Partition(path, start * MIB))
            start += size
        run(["sgdisk", *layout, path])
        start = 1
        for (_, tree, _), size, partition in zip(trees, sizes, self.partitions):
            # Without -s mkfs chooses clusters for the whole file and mtools cannot read it. One
            # sector each is what FAT32 wants on small partitions.
            run(["mkfs.vfat", "-F", "32", "-s", "1" if size < 1024 else "8",
                 "--offset", start * MIB // SECTOR, path, size * 1024])
            partition.copy_tree(tree)
            start += size

    @property
    def esp(self):
        return self.partitions[0]

    @property
    def xbootldr(self):
        return self.partitions[1]


def room_for(tree):
    """MiB for a tree's files with room to spare."""
    used = sum(os.path.getsize(os.path.join(at, name))
               for at, _, names in os.walk(tree) for name in names)
    return max(64, used * 5 // 4 // MIB + 16)
