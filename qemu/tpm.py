# SPDX-License-Identifier: MIT
# A TPM 2.0 by swtpm: one state directory, chosen PCR banks, one process per QEMU run.
import subprocess
import time

from qemu.command import need, run
from qemu.workspace import SetupError

ALL_BANKS = ("sha1", "sha256", "sha384", "sha512")


class Tpm:
    def __init__(self, directory, banks=ALL_BANKS, device="tpm-tis"):
        self.directory, self.banks, self.device = directory, tuple(banks), device
        self._process = None
        need("swtpm", "swtpm")
        need("swtpm_setup", "swtpm-tools")
        directory.mkdir(parents=True, exist_ok=True)
        run(["swtpm_setup", "--tpm2", "--tpmstate", directory, "--pcr-banks", ",".join(banks),
             "--overwrite"])

    def start(self, socket):
        """Starts swtpm on a control socket (a short path: sockets allow 107 bytes)."""
        self._process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.directory}",
             "--ctrl", f"type=unixio,path={socket}", "--flags", "startup-clear", "--terminate"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 30
        while not socket.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SetupError("swtpm did not start: "
                                 + self._process.stderr.read().decode(errors="replace"))
            time.sleep(0.02)
        return ["-chardev", f"socket,id=tpmc,path={socket}",
                "-tpmdev", "emulator,id=tpm0,chardev=tpmc", "-device", f"{self.device},tpmdev=tpm0"]

    def stop(self):
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
