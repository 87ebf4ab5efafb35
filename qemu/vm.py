# SPDX-License-Identifier: MIT
# One QEMU run: serial console as text and as a log file, keys, screen dumps and reset counting
# through QMP, and an end that always comes. Nothing here knows what is booted.
import json
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time

from qemu import terminal
from qemu.command import need
from qemu.workspace import SetupError

TIMEOUT = 600  # seconds; generous, because machines that run tests are busy
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")
KEYS = {"up": "\x1b[A", "down": "\x1b[B", "home": "\x1b[H", "end": "\x1b[F", "enter": "\r",
        "escape": "\x1b"}


class VmError(Exception):
    """The machine did not do what was waited for; the text ends with what it printed last."""


class Vm:
    """A context manager; QEMU starts on entry and is gone on exit."""

    def __init__(self, *, firmware, disk=None, tpm=None, memory_mib=512, log=None, options=(),
                 display=None, max_resets=8, qemu="qemu-system-x86_64", cpu=None):
        self.firmware, self.disk, self.tpm = firmware, disk, tpm
        self.memory_mib, self.options, self.display, self.cpu = memory_mib, options, display, cpu
        self.max_resets, self.qemu = max_resets, qemu
        self.log = open(log, "wb") if log else None
        self.raw = b""
        self.events = []
        self._read_upto = 0

    # Life

    def __enter__(self):
        if "/" not in str(self.qemu):
            need(self.qemu, "qemu-system-x86")
        # Socket paths are limited to 107 bytes, so they do not live beside the scenario's files.
        self._sockets = pathlib.Path(tempfile.mkdtemp(prefix="keelson-vm-"))
        self._process = self._qmp = None
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    def command_line(self):
        options = [self.qemu, "-machine", self.firmware.machine(), "-m", str(self.memory_mib),
                   "-nodefaults", "-net", "none", "-device", "virtio-rng-pci",
                   *self.firmware.options()]
        if self.cpu:
            options += ["-cpu", self.cpu]
        if self.disk:
            options += ["-drive", f"format=raw,if=none,id=disk0,file={self.disk.path}",
                        "-device", "virtio-blk-pci,drive=disk0,bootindex=0"]
        options += ["-vga", "none"]
        if self.display:
            width, height = self.display
            options += ["-device", f"VGA,edid=on,xres={width},yres={height}"]
        return [str(o) for o in (*options, *self.options)]

    def _start(self):
        options = [*self.command_line(), "-display", "none", "-serial", "stdio", "-S",
                   "-qmp", f"unix:{self._sockets}/qmp,server=on,wait=off"]
        if self.tpm:
            options += self.tpm.start(self._sockets / "tpm")
        self._process = subprocess.Popen(options, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE)
        os.set_blocking(self._process.stdout.fileno(), False)
        self._qmp = self._connect()
        self.qmp("qmp_capabilities")
        self.qmp("cont")  # started halted, so that no event is missed

    def _connect(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise SetupError("QEMU did not start: "
                                 + self._process.stderr.read().decode(errors="replace").strip())
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(f"{self._sockets}/qmp")
                self._qmp_text = b""
                self._qmp_socket = connection
                self._qmp_message(30)  # the greeting
                return connection
            except (FileNotFoundError, ConnectionRefusedError):
                connection.close()
                time.sleep(0.02)
        raise SetupError("QEMU did not open its control socket")

    def _stop(self):
        if self._process and self._process.poll() is None:
            self._process.kill()
        if self._process:
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
                try:
                    stream.close()
                except OSError:
                    pass
        if self._qmp:
            self._qmp.close()
        if self.tpm:
            self.tpm.stop()
        if self.log:
            self.log.close()
        shutil.rmtree(self._sockets, ignore_errors=True)

    # QMP

    def _qmp_message(self, timeout):
        """The next message, or None when the other side is gone or nothing came in time."""
        self._qmp_socket.settimeout(timeout)
        while b"\n" not in self._qmp_text:
            try:
                more = self._qmp_socket.recv(65536)
            except (TimeoutError, BlockingIOError, ConnectionResetError):
                return None
            if not more:
                return None
            self._qmp_text += more
        line, self._qmp_text = self._qmp_text.split(b"\n", 1)
        return json.loads(line)

    def qmp(self, command, **arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self._qmp_socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self._qmp_message(60)
            if answer is None:
                raise VmError(f"no answer to {command}")
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise VmError(f"{command}: {answer['error'].get('desc')}")
            elif "return" in answer:
                return answer["return"]

    @property
    def resets(self):
        """How often the guest (firmware or what it started) reset the machine."""
        return sum(1 for e in self.events if e["event"] == "RESET" and e["data"].get("guest"))

    # Console

    @property
    def text(self):
        """All serial output so far, escapes replaced by a space each."""
        return readable(self.raw)

    def send(self, *keys):
        """Types on the serial console: names of KEYS, or text as it is."""
        for key in keys:
            self._process.stdin.write(KEYS.get(key, key).encode())
            self._process.stdin.flush()

    def screendump(self, path):
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.qmp("screendump", filename=str(path), format="png")
        return path

    def _pump(self, seconds):
        """Moves what has arrived into `raw` and `events`; False when QEMU has ended."""
        sources = [self._process.stdout, self._qmp_socket]
        ready, _, _ = select.select(sources, [], [], seconds)
        if self._qmp_socket in ready:
            message = self._qmp_message(0.5)
            if message and "event" in message:
                self.events.append(message)
            while b"\n" in self._qmp_text:
                message = self._qmp_message(0.1)
                if message and "event" in message:
                    self.events.append(message)
        if self._process.stdout in ready:
            more = self._process.stdout.read()
            if more:
                self.raw += more
                if self.log:
                    self.log.write(more)
                    self.log.flush()
            elif more == b"":
                return False
        if self.resets > self.max_resets:
            raise VmError(f"the machine reset {self.resets} times\n{self._tail()}")
        return True

    def wait_for(self, pattern, timeout=TIMEOUT):
        """Waits until the console shows `pattern` (regular expression) behind the last match."""
        deadline = time.monotonic() + timeout
        compiled = re.compile(pattern)
        while True:
            found = compiled.search(self.text, self._read_upto)
            if found:
                self._read_upto = found.end()
                return found
            left = deadline - time.monotonic()
            if left <= 0 or not self._pump(min(left, 0.5)):
                why = "in time" if left <= 0 else "before QEMU ended"
                raise VmError(f"{pattern!r} did not appear {why}\n{self._tail()}")

    def run_for(self, seconds):
        """Lets the machine run; for the rare proof that something does not happen."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not self._pump(min(left, 0.5)):
                return

    def wait_exit(self, timeout=TIMEOUT):
        """Waits for the guest to power off; anything else is an error."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            if not self._pump(min(left, 0.5)):
                status = self._process.wait(30)
                if status != 0:
                    words = self._process.stderr.read().decode(errors="replace")
                    raise VmError(f"QEMU ended with {status}: {words.strip()}\n{self._tail()}")
                return self.text
        raise VmError(f"the guest did not power off within {timeout} s\n{self._tail()}")

    def _tail(self):
        lines = [line for line in self.text.splitlines() if line.strip()]
        return "last words on the console:\n" + "\n".join(f"  {line}" for line in lines[-25:])


def readable(raw):
    """Console bytes as text. Escapes become a space, not nothing: they separate words."""
    return ESCAPES.sub(" ", terminal.decode(raw)).replace("\r", "")
