# SPDX-License-Identifier: MIT
# PCRs of a booted guest against what was announced before: by our tool, and by a computation that
# shares no code with the product. TPMs of other banks, and no TPM at all.
import re

import pytest

from qemu import firmware, guest, image, peers, prediction
from qemu.harness import Scenario
from qemu.tpm import ALL_BANKS

OPTIONS = "word=measured"


def with_uki_entry(tmp_path, variant, **more):
    machine = Scenario(tmp_path / "machine", variant=variant, **more)
    machine.put_loader()
    uki = machine.put_uki("test.efi", cmdline=f"{image.CONSOLE} embedded=1")
    uki = uki.rename(machine.esp / "test.efi")
    machine.put("loader/entries/test.conf",
                f"title Test\nuki /test.efi\noptions {image.CONSOLE} {OPTIONS}\n")
    return machine, uki


@pytest.mark.parametrize("variant", [firmware.PLAIN, firmware.SECURE_BOOT], ids=lambda v: v.name)
def test_pcrs_are_what_was_predicted(tmp_path, variant):
    machine, uki = with_uki_entry(tmp_path, variant, tpm=True)
    report = machine.boot().report
    line = f"{image.CONSOLE} {OPTIONS}"
    # With Secure Boot the stub drops the line that was passed, and only the loader measured it.
    if variant.secure_boot:
        assert report.cmdline == f"{image.CONSOLE} embedded=1" and report.locked_down
        lines = [line]
    else:
        assert report.cmdline == line
        lines = [line, line]
    assert set(report.pcrs) == set(ALL_BANKS)
    seen = {pcr: {bank: values[pcr] for bank, values in report.pcrs.items()} for pcr in (4, 11, 12, 13)}
    assert seen[11] == prediction.pcr_11(uki)
    assert seen[12] == prediction.pcr_12(*lines)
    announced = image.predict(machine.esp, "test.conf", secure_boot=variant.secure_boot)
    assert announced == seen
    assert report.text("StubPcrKernelImage") == "11"
    assert report.text("LoaderTpm2ActivePcrBanks") == "0x0000000f"


def test_the_event_log_replays_to_the_pcrs(tmp_path):
    machine, _ = with_uki_entry(tmp_path, firmware.SECURE_BOOT, tpm=True)
    machine.put("loader/loader.conf", "timeout 0\n# measured into PCR 5\n")
    report = machine.boot().report
    replayed = peers.replay(report.event_log)
    assert set(replayed) == set(ALL_BANKS)
    for bank, values in replayed.items():
        for pcr in (4, 5, 7, 11, 12):
            assert int(values[pcr], 16) == int(report.pcrs[bank][pcr], 16), f"{bank}, PCR {pcr}"


def test_a_tpm_with_sha384_alone(tmp_path):
    machine, uki = with_uki_entry(tmp_path, firmware.PLAIN, tpm=True, banks=("sha384",))
    report = machine.boot().report
    line = f"{image.CONSOLE} {OPTIONS}"
    assert set(report.pcrs) == {"sha384"}
    assert report.pcrs["sha384"][11] == prediction.pcr_11(uki)["sha384"]
    assert report.pcrs["sha384"][12] == prediction.pcr_12(line, line)["sha384"]
    assert report.text("StubPcrKernelImage") == "11"
    assert report.text("LoaderTpm2ActivePcrBanks") == "0x00000004"


def test_no_tpm_boots_silently(tmp_path):
    machine = Scenario(tmp_path / "machine")
    machine.put_loader()
    uki = machine.put_uki("test.efi")
    boot = machine.boot()
    assert boot.report.text("StubPcrKernelImage") is None
    assert boot.report.text("LoaderTpm2ActivePcrBanks") == "0x00000000"
    # Between the firmware's last line and the guest's first one there are only Linux's own.
    started = [m.end() for m in re.finditer(r"BdsDxe: starting Boot.*", boot.console)][-1]
    between = boot.console[started:boot.console.index("@report begin")]
    said = [line.strip() for line in between.splitlines() if line.strip()]
    assert not [line for line in said if not re.match(r"EFI stub:|\[ *\d+\.\d+\]", line)], said
    # What the stub hands over besides the initrd.
    osrel = next(s for s in image.sections(uki) if s[0] == ".osrel")[1]
    assert boot.report.extra["/.extra/os-release"] == osrel
    assert boot.report.modes["/.extra/os-release"] == "444"
    assert boot.report.uname == guest.kernel().release
