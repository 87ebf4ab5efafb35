# SPDX-License-Identifier: MIT
# What all the measuring is for: a disk whose key the TPM gives out only to systems that one PCR key
# has signed. Debian 13's own clients enrol and unlock in the guest; the policy travels in UKIs of ours.
# Every refusal is the client's own, names the key and the PCR state that it was about, and is followed
# by an unlocking of the same disk by its recovery key.
import hashlib
import json
import re
import shutil

import pytest

from qemu import clients, firmware, guest, image, peers, prediction
from qemu.command import need, run
from qemu.harness import Boot, Scenario

BANK, PHASE = "sha256", "enter-initrd"
DATA, BOUND = "vdb", "vdc"  # unlocked by a signed PCR 11 policy; by that and PCR 12 as it was
WRITTEN = "written-by-version-1"

# In a full system systemd-tmpfiles copies these files (20-systemd-stub.conf) and units run pcrextend.
PREPARE = """
mkdir -p /run/systemd
cp /.extra/tpm2-pcr-signature.json /.extra/tpm2-pcr-public-key.pem /run/systemd/
step enter systemd-pcrextend enter-initrd
export SYSTEMD_LOG_LEVEL=debug
"""
NOT_SIGNED = "Couldn't find signature for this PCR bank, PCR index and public key."
OTHER_PCRS = "Current policy digest does not match stored policy digest"
LEAVE = "step leave systemd-pcrextend leave-initrd\n"
FORMAT = """
printf first > /run/first
for disk in vdb vdc; do
  step format-$disk cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/$disk /run/first
  step recovery-$disk systemd-cryptenroll --unlock-key-file=/run/first --recovery-key /dev/$disk
done
enroll="systemd-cryptenroll --unlock-key-file=/run/first --wipe-slot=password --tpm2-device=auto
  --tpm2-public-key=/run/systemd/tpm2-pcr-public-key.pem --tpm2-public-key-pcrs=11"
step enroll-vdb $enroll --tpm2-pcrs= /dev/vdb
step enroll-vdc $enroll --tpm2-pcrs=12 /dev/vdc
"""
ENROL_AGAIN = """
cp /.extra/tpm2-pcr-signature.json /run/systemd/
step enrol-again systemd-cryptenroll --unlock-key-file=/run/recovery --wipe-slot=tpm2 --tpm2-device=auto \\
  --tpm2-pcrs= --tpm2-public-key=/run/systemd/tpm2-pcr-public-key.pem --tpm2-public-key-pcrs=11 /dev/vdb
step own-vdb systemd-cryptsetup attach vdb /dev/vdb - tpm2-device=auto,headless=1
"""


def attach(disk, how="unlock"):
    return f"step {how}-{disk} systemd-cryptsetup attach {disk} /dev/{disk} - tpm2-device=auto,headless=1\n"


def write(disk):
    return f"echo {WRITTEN} > /run/text; step write-{disk} dd if=/run/text of=/dev/mapper/{disk} conv=fsync\n"


def read(disk):
    """What was written; the volume is closed again."""
    return (f"step read-{disk} head -n 1 /dev/mapper/{disk}\n"
            f"step lock-{disk} systemd-cryptsetup detach {disk}\n")


def recover(disk, key):
    return (f"printf {key} > /run/recovery\n"
            f"step recover-{disk} systemd-cryptsetup attach {disk} /dev/{disk} /run/recovery headless=1\n"
            + read(disk))


def pretend(signatures):
    """Puts signatures of the attacker's making where the client looks."""
    return f"cat > /run/systemd/tpm2-pcr-signature.json <<'END'\n{json.dumps(signatures)}\nEND\n"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """PCR keys: {name: (private, public)}."""
    need("openssl", "openssl")
    directory, made = tmp_path_factory.mktemp("keys"), {}
    for name in ("ours", "foreign"):
        private, public = directory / f"{name}.key", directory / f"{name}.pub"
        run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
             "-out", private])
        run(["openssl", "pkey", "-in", private, "-pubout", "-out", public])
        made[name] = (private, public)
    return made


class Machine(Scenario):
    """A machine with a TPM of one bank and two disks to unlock; `like` gives both as they were."""

    def __init__(self, directory, keys, *, like=None, **more):
        super().__init__(directory, tpm=True, banks=(BANK,), **more)
        self.keys = keys
        if like:
            shutil.copytree(like.tpm.directory, self.tpm.directory, dirs_exist_ok=True)
        for disk in (DATA, BOUND):
            if like:
                shutil.copy(like.directory / disk, self.directory / disk)
            else:
                with open(self.directory / disk, "wb") as file:
                    file.truncate(20 << 20)

    def put_system(self, version, *, key="ours", signatures=None, signed=None, path="EFI/Linux",
                   cmdline=image.CONSOLE):
        """A UKI with the clients, its policy signed by `key`, or with `signatures` made elsewhere."""
        private, public = self.keys[key]
        if signatures is None:
            policy = [f"--pcr-private-key={private}", f"--pcr-public-key={public}",
                      f"--phases={PHASE}", f"--pcr-banks={BANK}"]
        else:
            policy = [f"--pcrpkey={public}", f"--pcrsig={json.dumps(signatures)}"]
        secure = self.variant is firmware.SECURE_BOOT if signed is None else signed
        return image.build(self.esp / path / f"system-{version}.efi", linux=guest.kernel().image,
                           initrd=clients.initrd(), cmdline=f"{cmdline} version={version}",
                           os_release_text=image.os_release(version=version), signed=secure,
                           more=policy)

    def run(self, steps, *, past=None):
        """One boot with these steps; `past`: waits for a text on the console, then types nothing."""
        drives = [option for disk in (DATA, BOUND) for option in (
            "-drive", f"format=raw,file={self.directory / disk},if=none,id={disk}",
            "-device", f"virtio-blk-pci,drive={disk}")]
        with self.start(options=[*clients.options(self.directory, steps), *drives]) as machine:
            if past:
                machine.wait_for(past)
            boot = Boot(machine.wait_exit(), machine.resets)
        self.steps = clients.steps(boot)
        self.report = guest.reports(boot.console)[0]
        return self


def sign_with_systemd(uki, private, public):
    """Signatures by Debian 13's systemd-measure, from the sections of a UKI."""
    options = []
    for name, content in image.sections(uki):
        if name in prediction.MEASURED:
            path = uki.with_suffix(name)
            path.write_bytes(content)
            options.append(f"--{name[1:]}={path}")
    return json.loads(peers.DEBIAN_13.run(
        "systemd-measure", "sign", *options, f"--bank={BANK}", f"--phase={PHASE}",
        f"--private-key={private}", f"--public-key={public}").stdout)


def signatures_in(uki):
    return json.loads(dict(image.sections(uki))[".pcrsig"])


def policy_digest(pcr_11, *phases):
    """What a TPM session holds after PolicyPCR for PCR 11 alone (stub.md 2.6), computed here."""
    value = bytes.fromhex(pcr_11)
    for phase in phases:
        value = prediction.extend(BANK, value, phase.encode())
    selection = bytes.fromhex("00000001000b03000800")
    return hashlib.sha256(bytes(32) + bytes.fromhex("0000017f") + selection
                          + hashlib.sha256(value).digest()).hexdigest()


def unlocked(machine, disk):
    """The TPM gave the key out, and the disk is the one that version 1 wrote."""
    step = machine.steps[f"unlock-{disk}"]
    assert step.status == 0, step.output
    assert "Completed TPM2 key unsealing" in step.output
    assert machine.steps[f"read-{disk}"].output == WRITTEN + "\n"


def tried(machine, disk, how="unlock"):
    """What the client said when it refused this disk: it had tried the enrolled key."""
    step = machine.steps[f"{how}-{disk}"]
    assert step.status == 1, step.output
    assert "Completed TPM2 key unsealing" not in step.output
    assert "falling back to traditional unlocking" in step.output
    assert "Password querying disabled via 'headless' option." in step.output
    return step.output


def recovered(machine, disk):
    assert machine.steps[f"recover-{disk}"].status == 0
    assert machine.steps[f"read-{disk}"].output == WRITTEN + "\n"


@pytest.fixture(scope="module")
def enrolled(keys, tmp_path_factory):
    """Version 1 in its first boot: formats, enrols recovery keys and the TPM, unlocks, writes."""
    machine = Machine(tmp_path_factory.mktemp("enrolled") / "machine", keys)
    machine.put_loader()
    machine.put_system("1")
    machine.run(PREPARE + FORMAT + attach(DATA) + write(DATA) + attach(BOUND) + write(BOUND))
    assert {name: step.status for name, step in machine.steps.items() if step.status} == {}
    assert machine.report.text("StubPcrKernelImage") == "11"
    machine.recovery = {
        disk: re.search(r"^ +((?:[cbdefghijklnrtuv]{8}-){7}[cbdefghijklnrtuv]{8})$",
                        machine.steps[f"recovery-{disk}"].output, re.M).group(1)
        for disk in (DATA, BOUND)}
    machine.key_name = re.search(r"Calculated public key name: (\w+)",
                                 machine.steps[f"enroll-{DATA}"].output).group(1)
    return machine


@pytest.fixture(scope="module")
def updated(enrolled, keys, tmp_path_factory):
    """The next boot, of a newer version; at the end it leaves the initrd."""
    machine = Machine(tmp_path_factory.mktemp("updated") / "machine", keys, like=enrolled)
    machine.put_loader()
    uki = machine.put_system("2")
    expected = prediction.pcr_11(uki)[BANK]
    machine.run(PREPARE + attach(DATA) + read(DATA) + attach(BOUND) + read(BOUND) + LEAVE
                + attach(DATA, "late") + "ls /dev/mapper > /run/names; step names cat /run/names\n")
    machine.uki, machine.pcr_11 = uki, expected
    return machine


def test_a_newer_version_unlocks_without_being_enrolled(updated):
    assert updated.report.cmdline.endswith("version=2")
    assert updated.report.pcrs[BANK][11] == updated.pcr_11
    unlocked(updated, DATA)
    unlocked(updated, BOUND)


def test_what_is_bound_to_the_initrd_cannot_be_read_after_it(updated, enrolled):
    unlocked(updated, DATA)
    assert updated.steps["leave"].status == 0
    said = tried(updated, DATA, "late")
    assert NOT_SIGNED in said and enrolled.key_name in said
    assert policy_digest(updated.pcr_11, PHASE, "leave-initrd") in said
    assert updated.steps["names"].output.split() == ["control"]


def test_signatures_by_systemd_measure_unlock_as_well(enrolled, keys, tmp_path):
    # What it signs fits what our stub measures; RSA as both use it gives the same signatures, too.
    machine = Machine(tmp_path / "machine", keys, like=enrolled)
    machine.put_loader()
    by_ours = machine.put_system("4", path=tmp_path)
    theirs = sign_with_systemd(by_ours, *keys["ours"])
    uki = machine.put_system("4", signatures=theirs)
    assert signatures_in(uki) == theirs == signatures_in(by_ours)
    machine.run(PREPARE + attach(DATA) + read(DATA))
    assert machine.report.cmdline.endswith("version=4")
    unlocked(machine, DATA)


def refused_like(enrolled, keys, tmp_path, put, forge, then=""):
    """Boots a system that must not unlock, first with its own signatures, then with forged ones."""
    machine = Machine(tmp_path / "machine", keys, like=enrolled)
    machine.put_loader()
    uki = put(machine)
    pcr_11 = prediction.pcr_11(uki)[BANK]
    digest = policy_digest(pcr_11, PHASE)
    forged = forge(signatures_in(uki)[BANK][0], digest)
    machine.run(PREPARE + attach(DATA) + pretend({BANK: [forged]}) + attach(DATA, "forged")
                + recover(DATA, enrolled.recovery[DATA]) + then)
    assert machine.report.pcrs[BANK][11] == pcr_11
    for how in ("unlock", "forged"):
        # It looked for what the right key says about the state that this system is in.
        said = tried(machine, DATA, how)
        assert enrolled.key_name in said and digest in said
    assert NOT_SIGNED in machine.steps[f"unlock-{DATA}"].output
    # Offered as if it were about the right key and state, the TPM checks it and says so.
    assert NOT_SIGNED not in machine.steps[f"forged-{DATA}"].output
    assert "the signature is not valid" in machine.steps[f"forged-{DATA}"].output
    recovered(machine, DATA)
    return machine


def test_a_policy_signed_by_another_key_does_not_unlock(enrolled, keys, tmp_path):
    genuine = signatures_in(enrolled.esp / "EFI/Linux/system-1.efi")[BANK][0]

    def claim_our_key(signature, digest):
        assert signature["pkfp"] != genuine["pkfp"] and signature["pol"] == digest
        return signature | {"pkfp": genuine["pkfp"]}

    machine = refused_like(enrolled, keys, tmp_path, lambda m: m.put_system("3", key="foreign"),
                           claim_our_key, then=ENROL_AGAIN)
    assert machine.report.cmdline.endswith("version=3")
    # It was the key alone: enrolled by who has the recovery key, the same policy is good.
    assert machine.steps["enrol-again"].status == 0
    assert machine.steps["own-vdb"].status == 0, machine.steps["own-vdb"].output
    assert "Completed TPM2 key unsealing" in machine.steps["own-vdb"].output


def test_a_changed_command_line_with_the_old_signature_does_not_unlock(enrolled, keys, tmp_path):
    genuine = signatures_in(enrolled.esp / "EFI/Linux/system-1.efi")

    def claim_this_state(signature, digest):
        assert signature == genuine[BANK][0] and signature["pol"] != digest
        return signature | {"pol": digest}

    machine = refused_like(enrolled, keys, tmp_path, lambda m: m.put_system(
        "1", cmdline=f"{image.CONSOLE} init=/bin/sh", signatures=genuine), claim_this_state)
    assert "init=/bin/sh" in machine.report.cmdline


PASSED = f"{image.CONSOLE} passed=1"


def with_passed_line(machine, version):
    """A system that an entry starts with a line of its own."""
    uki = machine.put_system(version, path="systems")
    machine.put("loader/entries/passed.conf",
                f"title Passed\nuki /systems/{uki.name}\noptions {PASSED}\n")
    return uki


def test_without_secure_boot_a_passed_line_stops_what_is_bound_to_pcr_12(enrolled, keys, tmp_path):
    machine = Machine(tmp_path / "machine", keys, like=enrolled)
    machine.put_loader()
    with_passed_line(machine, "2")
    machine.run(PREPARE + attach(DATA) + read(DATA) + attach(BOUND)
                + recover(BOUND, enrolled.recovery[BOUND]))
    assert machine.report.cmdline == PASSED and not machine.report.secure_boot
    # The policy of PCR 11 alone does not notice, and cannot.
    unlocked(machine, DATA)
    pcr_12 = machine.report.pcrs[BANK][12]
    assert pcr_12 == prediction.pcr_12(PASSED, PASSED, banks=(BANK,))[BANK]
    said = tried(machine, BOUND)
    assert enrolled.key_name in said and NOT_SIGNED not in said
    assert OTHER_PCRS in said and f"PCR value: 12:{BANK}={pcr_12}" in said
    recovered(machine, BOUND)


def test_under_secure_boot_only_signed_systems_start_and_passed_lines_do_nothing(
        enrolled, keys, tmp_path):
    machine = Machine(tmp_path / "machine", keys, like=enrolled, variant=firmware.SECURE_BOOT)
    machine.put_loader()
    machine.put_system("9", signed=False)
    uki = with_passed_line(machine, "2")
    machine.firmware.set_variable("LoaderEntryOneShot", "system-9.efi")
    machine.run(PREPARE + attach(DATA) + read(DATA),
                past=r"\\EFI\\Linux\\system-9\.efi was refused: Secure Boot does not trust it\.")
    assert machine.report.text("LoaderEntrySelected") == "passed.conf"
    assert machine.report.cmdline == f"{image.CONSOLE} version=2"
    assert machine.report.secure_boot and machine.report.locked_down
    assert machine.report.pcrs[BANK][11] == prediction.pcr_11(uki)[BANK]
    # The loader measured what it passed on; the stub, which dropped it, did not.
    assert machine.report.pcrs[BANK][12] == prediction.pcr_12(PASSED, banks=(BANK,))[BANK]
    unlocked(machine, DATA)
