# SPDX-License-Identifier: MIT
# `measure sign` and `measure policy-digest`, and what they take in: vectors, a TPM that checks the policies,
# openssl that checks the signatures, keys and documents that must be refused.
import base64
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile

import pytest

import keelson
import keys
from qemu import peers
from qemu.command import need, run

BANKS = ("sha1", "sha256", "sha384", "sha512")
BANK_IDS = {"sha1": 4, "sha256": 0xB, "sha384": 0xC, "sha512": 0xD}
DEFAULT_PHASES = ("enter-initrd", "enter-initrd:leave-initrd", "enter-initrd:leave-initrd:sysinit",
                  "enter-initrd:leave-initrd:sysinit:ready")
VECTOR = {"linux": b"KERNEL-BYTES\n", "osrel": b"ID=demo\nVERSION_ID=1\n", "cmdline": b"quiet", "initrd": b"INITRD",
          "uname": b"6.1.0-demo"}
SHORT_VECTOR = {"linux": b"linux", "osrel": b"ID=test\nVERSION_ID=1\n", "cmdline": b"quiet", "initrd": b"initrd"}
VECTOR_POLICY = "d61b14efe5a5144bd879587f548c66302e364c5d4a869aaef6f1db8c40a90eb5"


@pytest.fixture
def vector(tmp_path):
    return keys.vector_key(tmp_path / "vector.pem")


@pytest.fixture
def sections(tmp_path):
    """Options for a small image."""
    return section_options(tmp_path, VECTOR)


def section_options(folder, contents):
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [f"--{name}={folder / name}" for name in contents]


def policy_of(pcr, bank):
    """TPM2_PolicyPCR on PCR 11, computed here."""
    selection = (1).to_bytes(4, "big") + BANK_IDS[bank].to_bytes(2, "big") + bytes([3, 0, 8, 0])
    return hashlib.sha256(bytes(32) + (0x17F).to_bytes(4, "big") + selection
                          + hashlib.sha256(bytes.fromhex(pcr)).digest()).hexdigest()


def sign(*options):
    return keelson.json_of("measure", "sign", *options)


# ---- vectors ----

def test_vector(vector, tmp_path):
    document = sign(*section_options(tmp_path, VECTOR), f"--private-key={vector}", "--bank=sha256", "--bank=sha1",
                    "--phase=enter-initrd")
    assert list(document) == ["sha1", "sha256"]
    entry, = document["sha256"]
    assert list(entry) == ["pcrs", "pkfp", "pol", "sig"]
    assert (entry["pcrs"], entry["pkfp"], entry["pol"]) == ([11], keys.VECTOR_FINGERPRINT, VECTOR_POLICY)
    assert entry["sig"].startswith("GI2xhMF7kk4r+Jqa")
    assert hashlib.sha256(base64.b64decode(entry["sig"])).hexdigest() == (
        "5570c0b97e73177401f895300730796b24229a74ce11d0b13d3609f5d3613cf0")
    assert document["sha1"][0]["pol"] == "827239d62383df11f802e3311697eb31b0abf36c8cb5c644f7eb9c0aef5ee618"


def test_short_vector(pair, tmp_path):
    document = sign(*section_options(tmp_path, SHORT_VECTOR), f"--private-key={pair}", "--phase=enter-initrd")
    assert document["sha256"][0]["pol"] == "5ed54b6617e7537d3fcc5a2d3b0b9b6726e5562defc46a9487108ec165ad7b2f"
    assert document["sha1"][0]["pol"] == "c03de98aaabcb4f436c1f863dd82a7f3e136cca8cae89a1860b33941bbee9e6f"


def test_vector_with_a_reference(vector, sections):
    """What systemd 262 makes of the same: the SHA-256 of the reference is signed behind the digest."""
    options = [*sections, "--bank=sha256", "--phase=enter-initrd", "--policyref=initrd"]
    entry, = sign(*options, f"--private-key={vector}")["sha256"]
    assert list(entry) == ["pcrs", "pkfp", "ref", "pol", "sig"]
    assert (entry["ref"], entry["pol"]) == ("initrd", VECTOR_POLICY)
    assert hashlib.sha256(base64.b64decode(entry["sig"])).hexdigest() == (
        "93578d576aba1a24b1c313eb3221caa9f93cb06c9e296dbf405d9aa6dd009fee")
    digest = VECTOR_POLICY + hashlib.sha256(b"initrd").hexdigest()
    assert keelson.json_of("measure", "policy-digest", *options) == {
        "sha256": [{"pcrs": [11], "ref": "initrd", "pol": VECTOR_POLICY, "tbs": digest}]}


# ---- what is computed ----

def test_every_phase_and_bank(pair, sections):
    """One entry for each value of `calculate`, verified by openssl."""
    values = keelson.json_of("measure", "calculate", *sections)
    document = sign(*sections, f"--private-key={pair}")
    assert list(document) == list(BANKS)
    for bank, entries in document.items():
        assert [entry["pol"] for entry in entries] == [policy_of(item["hash"], bank) for item in values[bank]]
        assert len(entries) == len(DEFAULT_PHASES)
        for entry in entries:
            assert entry["pkfp"] == keys.fingerprint_of(pair)
            keys.verify(pair.with_suffix(".pub"), bytes.fromhex(entry["pol"]), entry["sig"])


@pytest.mark.parametrize("given, fingerprint", [
    ([], False), (["--public-key={}.pub"], True), (["--certificate={}.crt"], True)], ids=str)
def test_digests_to_sign_elsewhere(given, fingerprint, pair, sections):
    options = [option.format(pair.with_suffix("")) for option in given]
    signed = sign(*sections, f"--private-key={pair}", "--bank=sha384")["sha384"]
    entries = keelson.json_of("measure", "policy-digest", *sections, *options, "--bank=sha384")["sha384"]
    assert entries == [
        {"pcrs": [11]} | ({"pkfp": keys.fingerprint_of(pair)} if fingerprint else {})
        | {"pol": entry["pol"], "tbs": entry["pol"]} for entry in signed]


@pytest.mark.parametrize("given", [
    ["--public-key={}.pub"], ["--certificate={}.crt"], ["--public-key={}.pkcs1"],
    ["--private-key-source=provider:default"],
    ["--private-key-source=provider:default", "--public-key={}.pub"],
    ["--private-key-source=provider:default", "--certificate={}.crt", "--certificate-source=provider:default"]], ids=str)
def test_every_way_to_name_the_key(given, pair, sections):
    stem = pair.with_suffix("")
    stem.with_suffix(".pkcs1").write_bytes(keys.openssl("rsa", "-in", pair, "-RSAPublicKey_out"))
    options = [*sections, "--bank=sha256", "--phase=:", f"--private-key={pair}"]
    assert sign(*options, *(option.format(stem) for option in given)) == sign(*options)


def test_traditional_keys_are_read(pair, sections, tmp_path):
    other = tmp_path / "traditional.pem"
    keys.openssl("rsa", "-in", pair, "-traditional", "-out", other)
    assert b"BEGIN RSA PRIVATE KEY" in other.read_bytes()
    options = [*sections, "--bank=sha256", "--phase=:"]
    assert sign(*options, f"--private-key={other}") == sign(*options, f"--private-key={pair}")


# ---- systemd-measure ----

@pytest.mark.parametrize("options", [
    ["--bank=sha256", "--phase=enter-initrd"],
    ["--bank=sha256", "--phase=:", "--phase=b:a", "--phase=:b::a:"],
    ["--bank=SHA256"],
], ids=str)
def test_systemd_measure_makes_the_same_bytes(options, pair, sections):
    options = [*sections, *options, f"--private-key={pair}"]
    theirs = peers.DEBIAN_13.run("systemd-measure", "sign", *options).stdout
    assert keelson.run("measure", "sign", *options) == theirs


def test_systemd_measure_and_other_banks(pair, sections):
    """257 signs with the hash of the bank, which no TPM accepts later (261 repaired it): the rest is equal."""
    options = [*sections, f"--private-key={pair}", "--phase=:", "--phase=enter-initrd", "--json=short"]

    def without_signatures(document):
        return json.dumps({bank: [{k: v for k, v in entry.items() if k != "sig"} for entry in entries]
                           for bank, entries in document.items()})

    theirs = json.loads(peers.DEBIAN_13.run("systemd-measure", "sign", *options).stdout)
    ours = sign(*options)
    assert ours["sha256"] == theirs["sha256"]
    assert without_signatures(ours) == without_signatures(theirs)


def test_appending_is_as_in_systemd_measure(pair, sections):
    """Fields of others stay, doubles are dropped, the bank that got an entry comes last."""
    pathlib.Path("old.json").write_text(json.dumps({
        "sha256": [{"pcrs": [11], "pol": "00" * 32, "note": {"of": ["others", 1, None]}}], "sha1": []}))
    options = [*sections, f"--private-key={pair}", "--bank=sha256"]
    for number, phase in enumerate(("enter-initrd", "enter-initrd", "ready")):
        more = [f"--phase={phase}", "--append=old.json"]
        theirs = peers.DEBIAN_13.run("systemd-measure", "sign", *options, *more).stdout
        assert keelson.run("measure", "sign", *options, *more) == theirs
        pathlib.Path("old.json").write_text(theirs)
        assert len(json.loads(theirs)["sha256"]) == (2, 2, 3)[number]


# ---- a TPM ----

@pytest.fixture
def tpm(tmp_path):
    """A function that runs a tpm2-tools command against a TPM of its own."""
    need("swtpm", "swtpm")
    with tempfile.TemporaryDirectory(prefix="keelson-tpm-") as short:  # sockets allow 107 bytes
        run(["swtpm_setup", "--tpm2", "--tpmstate", short, "--pcr-banks", ",".join(BANKS), "--overwrite"])
        process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={short}", "--server", f"type=unixio,path={short}/s",
             "--ctrl", f"type=unixio,path={short}/s.ctrl", "--flags", "not-need-init,startup-clear"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            environment = os.environ | {"TPM2TOOLS_TCTI": f"swtpm:path={short}/s"}
            while not pathlib.Path(short, "s").exists():
                assert process.poll() is None
            yield lambda *words: run(list(map(str, words)), env=environment, cwd=tmp_path).stdout
        finally:
            process.kill()
            process.wait()


def extend_pcr_11(tpm, contents, phase):
    order = ("linux", "osrel", "cmdline", "initrd", "uname")
    events = [event for name in order for event in (f".{name}\0".encode(), contents[name])]
    for event in [*events, *(word.encode() for word in phase.split(":"))]:
        digests = ",".join(f"{bank}={hashlib.new(bank, event).hexdigest()}" for bank in BANKS)
        tpm("tpm2_pcrextend", f"11:{digests}")


@pytest.mark.parametrize("reference", ["", "initrd"])
def test_a_tpm_accepts_the_signed_policy(reference, pair, sections, tpm, tmp_path):
    """Measured as the stub does it, PolicyPCR gives `pol`, and its signature opens PolicyAuthorize."""
    phase = "enter-initrd"
    document = sign(*sections, f"--private-key={pair}", f"--phase={phase}", f"--policyref={reference}")
    extend_pcr_11(tpm, VECTOR, phase)
    tpm("tpm2_loadexternal", "-C", "o", "-G", "rsa", "-u", pair.with_suffix(".pub"), "-c", "key.ctx", "-n", "key.name")
    tpm("tpm2_flushcontext", "-t")  # no resource manager keeps room for the next command
    pathlib.Path("ref").write_bytes(hashlib.sha256(reference.encode()).digest() if reference else b"")
    for bank in BANKS:
        entry, = document[bank]
        tpm("tpm2_startauthsession", "--policy-session", "-S", "session.ctx")
        tpm("tpm2_policypcr", "-S", "session.ctx", "-l", f"{bank}:11", "-L", "policy")
        assert pathlib.Path("policy").read_bytes().hex() == entry["pol"]
        pathlib.Path("signed").write_bytes(pathlib.Path("policy").read_bytes() + pathlib.Path("ref").read_bytes())
        pathlib.Path("sig").write_bytes(base64.b64decode(entry["sig"]))
        tpm("tpm2_verifysignature", "-c", "key.ctx", "-g", "sha256", "-m", "signed", "-s", "sig", "-f", "rsassa",
            "-t", "ticket")
        tpm("tpm2_flushcontext", "-t")
        more = ["-q", "ref"] if reference else []
        tpm("tpm2_policyauthorize", "-S", "session.ctx", "-i", "policy", "-n", "key.name", "-t", "ticket", *more)
        tpm("tpm2_flushcontext", "session.ctx")


# ---- what is refused ----

@pytest.fixture
def bad_keys(pair, tmp_path):
    keys.make_key(tmp_path / "ec", algorithm="EC")
    keys.public_of(tmp_path / "ec", tmp_path / "ec.pub")
    keys.make_key(tmp_path / "weak", bits=1024)
    keys.make_key(tmp_path / "other")
    keys.public_of(tmp_path / "other", tmp_path / "other.pub")
    keys.openssl("pkey", "-in", pair, "-aes256", "-passout", "pass:x", "-out", tmp_path / "encrypted")
    keys.openssl("rsa", "-in", pair, "-traditional", "-aes128", "-passout", "pass:x", "-out", tmp_path / "old")
    keys.openssl("pkey", "-in", pair, "-outform", "DER", "-out", tmp_path / "der")
    (tmp_path / "cut").write_bytes(pair.read_bytes()[:800])
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for name, suffix in (("pub", ".pub"), ("crt", ".crt")):
        (tmp_path / name).write_bytes(pair.with_suffix(suffix).read_bytes())


@pytest.mark.parametrize("key, names", [
    ("ec", ["ec: ", "RSA"]), ("weak", ["weak: ", "1024", "2048"]), ("encrypted", ["encrypted: ", "decrypt it"]),
    ("old", ["old: ", "encrypted"]), ("der", ["der: ", "PEM"]), ("cut", ["cut: ", "PEM"]), ("empty", ["empty: ", "PEM"]),
    ("pub", ["pub: ", "no private key"]), ("crt", ["crt: ", "no private key"]), ("folder", ["folder: ", "regular"]),
    ("nowhere", ["nowhere: ", "No such file"])], ids=str)
def test_refused_private_keys(key, names, bad_keys, sections):
    keelson.refusal("measure", "sign", *sections, f"--private-key={key}", names=names)


@pytest.mark.parametrize("options, names", [
    (["--public-key=other.pub"], ["other.pub: ", "public half"]),
    (["--public-key=ec.pub"], ["ec.pub: ", "RSA"]),
    (["--public-key=crt"], ["crt: ", "certificate"]),
    (["--public-key=other"], ["other: ", "private key"]),
    (["--public-key=empty"], ["empty: ", "PEM"]),
    (["--certificate=pub"], ["pub: ", "certificate"]),
    (["--certificate=cut"], ["cut: ", "certificate"]),
    (["--certificate=crt", "--public-key=pub"], ["one of them"]),
    (["--private-key-source=provider:nowhere"], ["openssl", "nowhere"]),
    (["--private-key-source=engine:nowhere"], ["openssl"]),
], ids=str)
def test_refused_with_a_good_private_key(options, names, pair, bad_keys, sections):
    keelson.refusal("measure", "sign", *sections, f"--private-key={pair}", *options, names=names)


def test_refused_command_lines(pair, sections):
    keelson.refusal("measure", "sign", *sections, names=["--private-key="])
    keelson.refusal("measure", "sign", f"--private-key={pair}", names=["--linux="])
    keelson.refusal("measure", "sign", *sections, f"--private-key={pair}", "--private-key-source=token",
                    names=["token", "provider:NAME"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_key(pair, sections, tmp_path):
    (tmp_path / "secret").write_bytes(pair.read_bytes())
    (tmp_path / "secret").chmod(0)
    keelson.refusal("measure", "sign", *sections, f"--private-key={tmp_path}/secret", names=["secret: ", "denied"])


def test_a_key_that_everybody_can_read(pair, sections):
    with tempfile.TemporaryDirectory() as folder:
        key = pathlib.Path(folder, "key")
        key.write_bytes(pair.read_bytes())
        key.chmod(0o644)
        sign(*sections, f"--private-key={key}")  # nobody gets to it
        os.chmod(folder, 0o755)
        keelson.refusal("measure", "sign", *sections, f"--private-key={key}", names=[key, "everybody", "chmod 600"])
        key.chmod(0o640)
        sign(*sections, f"--private-key={key}")


def entry(**changes):
    whole = {"pcrs": [11], "pkfp": "ab" * 32, "pol": "cd" * 32, "sig": "AAAA"} | changes
    return {key: value for key, value in whole.items() if value is not None}


# Rows of I-JSON (security.md 5), then the fields.
BAD_DOCUMENTS = {
    "empty": b"", "blank": b"  \n", "truncated": b'{"sha256":[', "trailing": b"{} {}", "comment": b"{} // no",
    "deep": b"[" * 10000 + b"]" * 10000, "deep objects": b'{"a":' * 10000 + b"1" + b"}" * 10000,
    "two banks of a name": b'{"sha256":[],"sha256":[]}', "two fields of a name": b'{"sha256":[{"pol":1,"pol":2}]}',
    "1e400": b'{"sha256":[{"pcrs":[1e400]}]}', "-0": json.dumps({"sha256": [entry(pcrs=["@"])]}).replace('"@"', "-0").encode(),
    "2^64": json.dumps({"sha256": [entry(pcrs=[2**64])]}).encode(), "-1": json.dumps({"sha256": [entry(pcrs=[-1])]}).encode(),
    "lone surrogate": b'{"sha256":[{"x":"\\ud800"}]}', "NUL": b'{"sha256":[{"x":"a\\u0000"}]}',
    "NUL in a name": b'{"sha256\\u0000":[]}', "not UTF-8": b'{"sha256":[{"x":"\xff"}]}', "overlong": b'{"x":"\xc0\x80"}',
    "an array": b"[]", "a text": b'"x"', "null": b"null", "bank no array": b'{"sha256":{}}',
    "entry no object": b'{"sha256":[1]}',
    **{f"{field}={value!r}": json.dumps({"sha256": [entry(**{field: value})]}).encode() for field, value in [
        ("pcrs", None), ("pcrs", []), ("pcrs", 11), ("pcrs", ["11"]), ("pcrs", [24]), ("pcrs", [11.5]),
        ("pol", None), ("pol", 1), ("pol", "cd" * 31), ("pol", "cd" * 33), ("pol", "xy" * 32), ("pol", "cd" * 31 + "c"),
        ("pol", " " + "cd" * 31 + "c"), ("pkfp", "00"), ("pkfp", 7), ("ref", 7), ("tbs", "00"), ("tbs", ""),
        ("sig", ""), ("sig", 7), ("sig", "?"), ("sig", "AAA"), ("sig", "AAAA\n"), ("sig", "A" * 4000)]},
}


@pytest.mark.parametrize("name", BAD_DOCUMENTS)
def test_refused_documents(name, pair, sections):
    pathlib.Path("bad.json").write_bytes(BAD_DOCUMENTS[name])
    keelson.refusal("measure", "sign", *sections, f"--private-key={pair}", "--append=bad.json", names=["bad.json: "])


def test_a_huge_document_is_refused(pair, sections):
    with open("huge.json", "wb") as file:
        file.truncate(100 << 20)
    keelson.refusal("measure", "sign", *sections, f"--private-key={pair}", "--append=huge.json",
                    names=["huge.json: ", "16 MiB"])


def test_an_unknown_bank_stays_with_a_warning(pair, sections):
    pathlib.Path("old.json").write_text(json.dumps({"sm3_256": [entry()]}))
    options = ["measure", "sign", *sections, f"--private-key={pair}", "--append=old.json", "--bank=sha256"]
    line, = keelson.messages(*options)
    assert "old.json: sm3_256: unknown" in line
    assert json.loads(keelson.run(*options))["sm3_256"] == [entry()]
