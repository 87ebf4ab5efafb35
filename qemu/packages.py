# SPDX-License-Identifier: MIT
# Debian packages unpacked into the cache, nothing installed: the kernel, peers to compare with,
# newer firmware. The mirror is the one this machine's apt uses; lists are kept apart from apt's own,
# so neither root nor an up-to-date system list is needed.
import os
import pathlib
import re

from qemu.command import CommandFailed, need, run
from qemu.workspace import SetupError, cached

KEYRING = pathlib.Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCES = pathlib.Path("/etc/apt")


def mirror():
    """The first archive that this machine's apt configuration names."""
    for path in sorted((SOURCES / "sources.list.d").glob("*.sources")):
        for stanza in path.read_text().split("\n\n"):
            fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.M))
            if "deb" in fields.get("Types", "").split() and "main" in fields.get("Components", ""):
                return fields["URIs"].split()[0]
    lists = [SOURCES / "sources.list", *sorted((SOURCES / "sources.list.d").glob("*.list"))]
    for path in lists:
        for line in path.read_text().splitlines() if path.is_file() else []:
            found = re.match(r"deb\s+(?:\[.*?\]\s+)?(\S+)\s+\S+\s+.*\bmain\b", line)
            if found:
                return found.group(1)
    raise SetupError("no Debian archive found in /etc/apt/sources.list or sources.list.d")


def own_suite():
    """The code name of the running system."""
    text = pathlib.Path("/etc/os-release").read_text()
    found = re.search(r"^VERSION_CODENAME=(\S+)", text, re.M)
    if not found:
        raise SetupError("/etc/os-release names no VERSION_CODENAME: is this Debian?")
    return found.group(1).strip('"')


def _apt(suite):
    """Options for apt that read one suite's lists, in the cache."""
    need("apt-get", "apt")

    def fetch_lists(directory):
        for name in ("lists/partial", "archives/partial"):
            (directory / name).mkdir(parents=True)
        signed = f"[signed-by={KEYRING}] " if KEYRING.is_file() else ""
        (directory / "sources").write_text(f"deb {signed}{mirror()} {suite} main\n")
        # Hooks of the system's apt (container images have some) want root.
        (directory / "conf").write_text("#clear APT::Update;\n#clear DPkg;\n")
        try:
            run(["apt-get", *_options(directory), "-q", "-o", "APT::Update::Error-Mode=any",
                 "update"])
        except CommandFailed as error:
            raise SetupError(f"cannot fetch the package lists of {suite}: {error}") from error

    return _options(cached(f"apt/{suite}", fetch_lists))


def _options(directory):
    options = ["-c", directory / "conf"]
    for key, value in (("Dir::Etc::sourcelist", directory / "sources"),
                       ("Dir::Etc::sourceparts", "/dev/null"),
                       ("Dir::State::lists", directory / "lists"),
                       # What is installed here does not matter: the suite's own versions count.
                       ("Dir::State::status", "/dev/null"),
                       ("Dir::Cache", directory)):
        options += ["-o", f"{key}={value}"]
    return options + (["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else [])


def unpacked(suite, name, packages):
    """A directory with the contents of `packages` of `suite`; `name` is its name in the cache.

    `packages` is a list, or a function from apt's options to a list where names must be looked up.
    """
    def fetch(directory):
        options = _apt(suite)
        names = packages(options) if callable(packages) else packages
        try:
            run(["apt-get", *options, "-q", "download", *names], cwd=directory)
        except CommandFailed as error:
            raise SetupError(f"cannot fetch {' '.join(names)} of {suite}: {error}") from error
        for archive in sorted(directory.glob("*.deb")):
            run(["dpkg-deb", "-x", archive, directory])
            archive.unlink()

    return cached(f"{suite}/{name}", fetch)


def depends(options, package):
    """The first dependency of a package: what a meta-package stands for."""
    listing = run(["apt-cache", *options, "depends", package]).stdout
    found = re.search(r"^\s*Depends: (\S+)", listing, re.M)
    if not found:
        raise SetupError(f"package {package} has no dependency to follow")
    return found.group(1)
