# SPDX-License-Identifier: MIT
# Records of cpio archives in the newc format, as Linux unpacks them: a header of hexadecimal numbers,
# the name with its NUL, the content; both padded to 4 bytes.
MAGIC = b"070701"
LAST = "TRAILER!!!"


def header(name, mode, size=0, inode=1):
    """What stands before the content of `size` bytes. Owner root, time 0, one link."""
    encoded = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(encoded), 0)
    start = MAGIC + b"".join(b"%08x" % field for field in fields) + encoded
    return start + bytes(-len(start) % 4)


def record(name, mode, content=b"", inode=1):
    return header(name, mode, len(content), inode) + content + bytes(-len(content) % 4)
