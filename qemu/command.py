# SPDX-License-Identifier: MIT
# Running host programs: one line of error with the program's own words, never a silent failure.
import shutil
import subprocess

from qemu.workspace import SetupError


class CommandFailed(Exception):
    """A host program returned a status that was not expected; the text has its own words."""


def need(program, package):
    """The path of a host program, or a SetupError that names the Debian package."""
    found = shutil.which(program, path="/usr/bin:/usr/sbin:/bin:/sbin")
    if not found:
        raise SetupError(f"{program} is not installed: apt-get install {package}")
    return found


def run(arguments, *, status=0, text=True, **more):
    """Runs a program to its end and returns its result; any other exit status is an error."""
    arguments = [str(a) for a in arguments]
    done = subprocess.run(arguments, capture_output=True, text=text, check=False, **more)
    if done.returncode != status:
        words = done.stderr if text else done.stderr.decode(errors="replace")
        raise CommandFailed(f"{' '.join(arguments)}: exit {done.returncode}\n{words.strip()}")
    return done
