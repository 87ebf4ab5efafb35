# SPDX-License-Identifier: MIT
# Where things are: the repository, the build outputs whose names are fixed, and the cache of what
# was fetched or made once. `cached` is the only way into the cache: it is safe when several test
# workers want the same thing at the same moment, and never leaves half a result behind.
import contextlib
import fcntl
import os
import pathlib
import shutil
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


class SetupError(Exception):
    """The machine lacks something that a scenario needs; the text says what and how to get it."""


def build_directory():
    return pathlib.Path(os.environ.get("KEELSON_BUILD", REPOSITORY / "build")).resolve()


def output(name):
    """A build output by its fixed name, such as 'loader/keelson-bootx64.efi'."""
    path = build_directory() / name
    if not path.is_file():
        raise SetupError(f"{path} is missing: build first (ninja -C {build_directory()})")
    return path


def loader():
    return output("loader/keelson-bootx64.efi")


def stub():
    return output("stub/keelson-stubx64.efi.stub")


def addon_stub():
    return output("stub/keelson-addonx64.efi.stub")


def tool():
    return output("tools/keelson")


def cache_directory():
    """Outside of build directories, so that a clean build does not fetch everything again."""
    chosen = os.environ.get("KEELSON_CACHE")
    if not chosen:
        base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
        chosen = pathlib.Path(base) / "keelson"
    path = pathlib.Path(chosen)
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def _locked(name):
    locks = cache_directory() / "locks"
    locks.mkdir(exist_ok=True)
    with open(locks / name.replace("/", "_"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def alone(name):
    """While it is held, no other worker of this user holds `name`: for what fills the machine."""
    return _locked(f"alone-{name}")


def cached(name, make):
    """The directory `name` of the cache; `make(directory)` fills it the first time."""
    path = cache_directory() / name
    if path.is_dir():
        return path
    with _locked(name):
        if path.is_dir():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = pathlib.Path(tempfile.mkdtemp(prefix=".making-", dir=path.parent))
        try:
            make(fresh)
            fresh.rename(path)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return path
