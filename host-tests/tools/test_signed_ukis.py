# SPDX-License-Identifier: MIT
# `build` with PCR keys: which policies a UKI gets, ukify's opinion of it, and signing elsewhere.
import hashlib
import json
import pathlib

import pytest

import keelson
import keys
import samples
from qemu import firmware, peers, prediction, stub_inputs, workspace
from qemu.command import run

BANKS = ("sha1", "sha256", "sha384", "sha512")
SIGNED = "sha256"  # the bank in which systemd 257 signs as 261 and we do


@pytest.fixture(scope="session")
def second(tmp_path_factory):
    private = keys.make_key(tmp_path_factory.mktemp("keys") / "b.pem")
    keys.public_of(private)
    return private


@pytest.fixture
def parts(tmp_path):
    """Options of a UKI that ukify understands too."""
    (tmp_path / "in").mkdir()
    for name, text in {"initrd": "INITRD", "osrel": samples.OS_RELEASE, "dtb": "DTB"}.items():
        (tmp_path / "in" / name).write_text(text)
    return [f"--linux={samples.kernel()}", f"--initrd={tmp_path}/in/initrd", "--cmdline=console=ttyS0 quiet",
            f"--os-release=@{tmp_path}/in/osrel", "--uname=6.1", f"--stub={workspace.stub()}"]


def build(*options, output="out.efi"):
    return keelson.run("build", *options, f"--output={output}")


@pytest.fixture
def ukify(tmp_path):
    """Debian 13's ukify with Debian 13's systemd-measure. It ends .sbat with a NUL, which SBAT does not
    ask for: without it, taken away before the measurement, the images must be the same."""
    tools = tmp_path / "tools"
    tools.mkdir()
    command = " ".join(f"'{word}'" for word in peers.DEBIAN_13.program("systemd-measure"))
    (tools / "systemd-measure").write_text(
        '#!/bin/sh\nfor word; do case $word in --sbat=*) sed -i "s/\\x00//g" "${word#--sbat=}";; esac; done\n'
        f'exec {command} "$@"\n')
    (tools / "systemd-measure").chmod(0o755)

    def build_by_ukify(*options, output="theirs.efi"):
        peers.ukify("build", f"--tools={tools}", *options, f"--output={output}")
        return pathlib.Path(output)

    return build_by_ukify


def pcrsigs(path):
    """The documents of all `.pcrsig` sections, in the order of the profiles."""
    return [json.loads(content) for name, content in samples.sections(path) if name == ".pcrsig"]


def policies(document):
    return {bank: [entry["pol"] for entry in entries] for bank, entries in document.items()}


def without_padding(sections):
    """ukify leaves NULs behind a shortened .sbat, and writes JSON with blanks."""
    return [(name, json.loads(content) if name == ".pcrsig" else content.rstrip(b"\0") if name == ".sbat" else content)
            for name, content in sections]


def assert_same_image(ours, theirs):
    assert without_padding(samples.sections(ours)) == without_padding(samples.sections(theirs))


# ---- as ukify does it ----

GROUPS = {
    "one key": ["--pcr-private-key={a}", "--pcr-public-key={a_pub}"],
    "phases": ["--pcr-private-key={a}", "--pcr-public-key={a_pub}",
               "--phases=enter-initrd,enter-initrd:leave-initrd enter-initrd:leave-initrd:sysinit"],
    "two keys": ["--pcr-private-key={a}", "--pcr-private-key={b}", "--pcr-public-key={a_pub}", "--pcr-public-key={b_pub}",
                 "--phases=enter-initrd", "--phases=enter-initrd,enter-initrd:leave-initrd"],
    "two groups of a key": ["--pcr-private-key={a}", "--pcr-private-key={a}", "--pcr-public-key={a_pub}",
                            "--pcr-public-key={a_pub}", "--phases=enter-initrd", "--phases=enter-initrd:leave-initrd"],
    "own pcrpkey": ["--pcr-private-key={a}", "--pcrpkey={b_pub}", "--phases=enter-initrd"],
}


@pytest.mark.parametrize("group", GROUPS)
def test_the_image_is_ukifys(group, parts, pair, second, ukify):
    options = [*parts, f"--pcr-banks={SIGNED}", *(option.format(
        a=pair, a_pub=pair.with_suffix(".pub"), b=second, b_pub=second.with_suffix(".pub")) for option in GROUPS[group])]
    build(*options)
    assert_same_image("out.efi", ukify(*options))
    assert len(pcrsigs("out.efi")) == 1


def test_other_banks_have_ukifys_policies(parts, pair, ukify):
    options = [*parts, f"--pcr-private-key={pair}", f"--pcr-public-key={pair.with_suffix('.pub')}"]
    build(*options)
    assert policies(pcrsigs("out.efi")[0]) == policies(pcrsigs(ukify(*options))[0])


def test_profiles_are_ukifys(parts, pair, ukify):
    stub = peers.DEBIAN_13.root / "usr/lib/systemd/boot/efi/addonx64.efi.stub"
    for name, text in (("one", "quiet one"), ("two", "two")):
        keelson.run("build", f"--profile=ID={name}", f"--cmdline={text}", f"--stub={stub}", f"--output={name}.efi")
    options = [*parts, "--join-profile=one.efi", "--join-profile=two.efi", f"--pcr-private-key={pair}",
               f"--pcr-public-key={pair.with_suffix('.pub')}", f"--pcr-banks={SIGNED}"]
    build(*options)
    assert_same_image("out.efi", ukify(*options))
    assert len(pcrsigs("out.efi")) == 3


# ---- what is signed ----

@pytest.mark.parametrize("half", ["", "--pcr-public-key={}.pub", "--pcr-certificate={}.crt"], ids=str)
def test_signatures_fit_what_is_measured(half, parts, pair):
    """Every entry is what another program computes from the finished file, and openssl verifies it."""
    build(*parts, f"--pcr-private-key={pair}", *filter(None, [half.format(pair.with_suffix(""))]))
    public = samples.section("out.efi", ".pcrpkey")
    assert public == pair.with_suffix(".pub").read_bytes()
    document, = pcrsigs("out.efi")
    values = json.loads(keelson.run("predict", "--uki=out.efi", "--json=short"))
    for bank in BANKS:
        initial = prediction.pcr_11("out.efi", BANKS)[bank]
        assert initial not in {item["hash"] for item in values[bank]}
        phases = [item for item in values[bank] if item["pcr"] == 11]
        assert len(phases) == len(document[bank]) == 4
        for item, entry in zip(phases, document[bank]):
            value = bytes.fromhex(initial)
            for word in item["phase"].split(":"):
                value = prediction.extend(bank, value, word.encode())
            assert value.hex() == item["hash"]
            selection = {"sha1": "0004", "sha256": "000b", "sha384": "000c", "sha512": "000d"}[bank]
            policy = hashlib.sha256(bytes(32) + bytes.fromhex("0000017f00000001" + selection + "03000800")
                                    + hashlib.sha256(value).digest()).hexdigest()
            assert entry["pol"] == policy
            keys.verify(pair.with_suffix(".pub"), bytes.fromhex(policy), entry["sig"])


@pytest.fixture
def trees():
    for name in ("one", "two", "three"):
        pathlib.Path("in", f"{name}.dtb").write_bytes(stub_inputs.device_tree(f"acme,{name}"))
    return [f"--devicetree-auto=in/{name}.dtb" for name in ("one", "two", "three")]


def test_every_device_tree_is_signed_for(parts, pair, trees):
    """Of several only one is measured: the policies of images with each alone."""
    options = [*parts, f"--pcr-private-key={pair}", f"--pcr-banks={SIGNED}"]
    single = []
    for tree in trees:
        build(*options, tree, output="single.efi")
        single += pcrsigs("single.efi")[0][SIGNED]
    build(*options, *trees)
    assert pcrsigs("out.efi")[0][SIGNED] == single
    assert len({entry["pol"] for entry in single}) == 12


def test_every_device_tree_of_a_profile_is_signed_for(parts, pair, trees):
    """They are joined with their profile: its policies are those of an image that has all in its base."""
    pathlib.Path("ids").write_bytes(stub_inputs.HARDWARE_IDS)
    build("--profile=ID=boards", *trees, "--hwids=ids", output="profile.efi")
    options = [f"--pcr-private-key={pair}", f"--pcr-banks={SIGNED}"]
    build(*parts, *options, "--profile=ID=main", "--join-profile=profile.efi")
    build(*parts, *options, "--profile=ID=boards", *trees, "--hwids=ids", "--join-profile=profile.efi",
          output="whole.efi")
    alone, of_profile = pcrsigs("out.efi")
    assert policies(of_profile) == policies({SIGNED: pcrsigs("whole.efi")[0][SIGNED]})
    assert len(of_profile[SIGNED]) == 12 and len(alone[SIGNED]) == 4


def test_profiles_to_sign_can_be_chosen(parts, pair):
    for name in ("one", "two"):
        keelson.run("build", f"--profile=ID={name}", f"--cmdline={name}", f"--output={name}.efi")
    options = [*parts, "--profile=ID=base\nTITLE=Base", "--join-profile=one.efi", "--join-profile=two.efi",
               f"--pcr-private-key={pair}", f"--pcr-banks={SIGNED}", "--phases=enter-initrd"]
    build(*options, output="all.efi")
    everything = pcrsigs("all.efi")
    assert len(everything) == len({json.dumps(document) for document in everything}) == 3
    for chosen, which in ((["two"], [2]), (["base", "one"], [0, 1])):
        build(*options, *(f"--sign-profile={name}" for name in chosen))
        assert pcrsigs("out.efi") == [everything[i] for i in which]
    keelson.refusal("build", *options, "--sign-profile=three", "--output=no.efi", names=["three", "profile"])


def test_initrd_policies(parts, pair, second):
    """An extra group: the first key, for enter-initrd, with a reference; signed over both."""
    build(*parts, f"--pcr-private-key={pair}", f"--pcr-private-key={second}", "--phases=enter-initrd:leave-initrd",
          "--phases=enter-initrd", "--policyref=", "--policyref=mine", "--sign-initrd-pcrs", f"--pcr-banks={SIGNED}")
    later, mine, initrd = pcrsigs("out.efi")[0][SIGNED]
    assert [e.get("ref") for e in (later, mine, initrd)] == [None, "mine", "initrd"]
    assert mine["pol"] == initrd["pol"] != later["pol"]
    for entry, key in ((later, pair), (mine, second), (initrd, pair)):
        reference = hashlib.sha256(entry["ref"].encode()).digest() if "ref" in entry else b""
        keys.verify(key.with_suffix(".pub"), bytes.fromhex(entry["pol"]) + reference, entry["sig"])


def test_measured_build_prints_every_profile(parts, pair):
    keelson.run("build", "--profile=ID=one", "--cmdline=one", "--output=one.efi")
    options = [*parts, "--join-profile=one.efi", "--measure", "--pcr-banks=sha256,sha1"]
    done = keelson.start("build", *options, "--output=out.efi", "--phase=enter-initrd")
    expected = [line for number in "01" for line in keelson.run(
        "predict", "--uki=out.efi", f"--profile={number}", "--bank=sha1", "--bank=sha256",
        "--phase=enter-initrd").splitlines() if line.startswith("11:")]
    assert done.stdout.splitlines() == expected and len(expected) == 4
    assert [line for line in done.stderr.splitlines() if line.startswith("# Profile")] == ["# Profile 0", "# Profile 1"]
    text = keelson.run("build", *options, f"--pcr-private-key={pair}", "--phases=ready", "--json=short", "--output=out.efi")
    assert [list(json.loads(line)) for line in text.splitlines()] == [["sha1", "sha256"]] * 2
    assert json.loads(text.splitlines()[0])["sha1"][0]["phase"] == "ready"


def test_two_builds_are_equal(parts, pair):
    for name in ("first", "again"):
        build(*parts, f"--pcr-private-key={pair}", output=f"{name}.efi")
    assert pathlib.Path("first.efi").read_bytes() == pathlib.Path("again.efi").read_bytes()


def test_inspect_shows_the_signatures(parts, pair):
    build(*parts, f"--pcr-private-key={pair}", f"--pcr-banks={SIGNED}")
    document = keelson.json_of("inspect", "out.efi")
    assert json.loads(document[".pcrsig"]["text"]) == pcrsigs("out.efi")[0]


# ---- signing elsewhere ----

def sign_elsewhere(document, key):
    """What an HSM would do: sign the bytes of "tbs"."""
    for entries in document.values():
        for entry in entries:
            entry["sig"] = keys.sign(key, bytes.fromhex(entry["tbs"]))
    return document


@pytest.fixture
def offline(parts, pair):
    """(digests, options): base.efi and signed.json were made."""
    keelson.run("build", "--profile=ID=one", "--cmdline=one", "--output=one.efi")
    options = [*parts, "--join-profile=one.efi", "--pcr-banks=sha256,sha384"]
    digests = json.loads(build(*options, f"--pcr-public-key={pair.with_suffix('.pub')}", "--policy-digest",
                               output="base.efi"))
    pathlib.Path("signed.json").write_text(json.dumps(sign_elsewhere(json.loads(json.dumps(digests)), pair)))
    return digests, options


def join(*options, pcrsig="@signed.json", image="base.efi", output="out.efi"):
    return keelson.run("build", f"--join-pcrsig={image}", f"--pcrsig={pcrsig}", f"--output={output}", *options)


def test_digests_are_printed_and_room_is_left(offline, pair):
    digests, _ = offline
    assert list(digests) == ["sha256", "sha384"]
    assert all(len(entries) == 8 and "sig" not in entry and entry["pkfp"] == keys.fingerprint_of(pair)
               for entries in digests.values() for entry in entries)
    sections = [content for name, content in samples.sections("base.efi") if name == ".pcrsig"]
    assert len(sections) == 2
    for content in sections:
        text = content.decode()
        assert len(text) - len(text.rstrip(" ")) == 1024 * text.count('"pol":')


def test_signatures_are_joined(offline, pair):
    """The image is then what a build with the key makes, but for "tbs" and room; the file keeps its length."""
    _, options = offline
    join()
    assert pathlib.Path("out.efi").stat().st_size == pathlib.Path("base.efi").stat().st_size
    build(*options, f"--pcr-private-key={pair}", output="direct.efi")
    joined = pcrsigs("out.efi")
    for document in joined:
        for entries in document.values():
            for entry in entries:
                assert entry.pop("tbs") == entry["pol"]
    assert joined == pcrsigs("direct.efi")
    rest = [[(n, c) for n, c in samples.sections(path) if n != ".pcrsig"] for path in ("out.efi", "direct.efi")]
    assert rest[0] == rest[1]
    assert prediction.pcr_11("out.efi", BANKS) == prediction.pcr_11("direct.efi", BANKS)
    assert keelson.json_of("inspect", "out.efi")[".cmdline"]["text"] == "console=ttyS0 quiet"


def test_joined_images_can_be_signed_at_once(offline):
    key, certificate = firmware.snakeoil_key()
    join(f"--secureboot-private-key={key}", f"--secureboot-certificate={certificate}")
    run(["sbverify", "--cert", certificate, "out.efi"])
    assert all("sig" in entry for document in pcrsigs("out.efi") for entries in document.values() for entry in entries)
    keelson.refusal("build", "--join-pcrsig=out.efi", "--pcrsig=@signed.json", "--output=again.efi",
                    names=["out.efi: ", "signed"])


def test_some_signatures_are_missing(offline):
    digests, _ = offline
    document = json.loads(pathlib.Path("signed.json").read_text())
    del document["sha384"]
    document["sha256"].append({"pcrs": [11], "pol": "00" * 32, "sig": "AAAA"})  # of another image
    pathlib.Path("signed.json").write_text(json.dumps(document))
    line, = [m for m in keelson.messages("build", "--join-pcrsig=base.efi", "--pcrsig=@signed.json", "--output=out.efi")
             if "warning" in m]
    assert "8 of its PCR policies" in line
    assert len(digests["sha384"]) == 8


@pytest.mark.parametrize("change, names", [
    (lambda d, other: sign_elsewhere(d, other), [".pcrpkey", "verify"]),
    (lambda d, other: {"sha256": []}, ["base.efi: ", "none"]),
    (lambda d, other: {bank: [e | {"pol": "00" * 32, "tbs": "00" * 32} for e in entries] for bank, entries in d.items()},
     ["base.efi: ", "none"]),
    (lambda d, other: {"sha1": d["sha256"]}, ["base.efi: ", "none"]),
    (lambda d, other: [], ["signed.json: ", "object"]),
    (lambda d, other: {"sha256": [e | {"sig": "&"} for e in d["sha256"]]}, ["signed.json: sha256[0]: ", "base64"]),
], ids=["another key", "no entries", "other policies", "another bank", "no object", "no base64"])
def test_joins_that_are_refused(change, names, offline, second):
    document = json.loads(pathlib.Path("signed.json").read_text())
    pathlib.Path("signed.json").write_text(json.dumps(change(document, second)))
    keelson.refusal("build", "--join-pcrsig=base.efi", "--pcrsig=@signed.json", "--output=no.efi", names=names)


def test_signatures_without_room(offline, pair):
    digests, options = offline
    build(*options, f"--pcrsig={json.dumps({'sha256': digests['sha256'][:1]})}",
          f"--pcrpkey={pair.with_suffix('.pub')}", output="tight.efi")
    keelson.refusal("build", "--join-pcrsig=tight.efi", "--pcrsig=@signed.json", "--output=no.efi",
                    names=["tight.efi: ", ".pcrsig", "no room"])


# ---- what is refused ----

@pytest.mark.parametrize("options, names", [
    (["--pcr-private-key={a}", "--pcr-private-key={b}", "--pcr-public-key={a_pub}"], ["--pcr-public-key=", "2 times"]),
    (["--pcr-private-key={a}", "--phases=enter-initrd", "--phases=ready"], ["--phases=", "2 times"]),
    (["--phases=enter-initrd"], ["--phases=", "--pcr-private-key="]),
    (["--pcr-private-key={a}", "--phases=enter-intird"], ["enter-intird"]),
    (["--pcr-private-key={a}", "--pcr-public-key={b_pub}"], ["b.pub: ", "public half"]),
    (["--pcr-private-key={a}", "--pcr-public-key={a_pub}", "--pcr-certificate={a_crt}"], ["one of them"]),
    (["--pcr-private-key={a}", "--pcr-banks=md5"], ["md5"]),
    (["--pcr-private-key={a}", "--pcrsig={{}}"], ["--pcrsig="]),
    (["--pcr-private-key={a}", "--policy-digest"], ["--policy-digest", "--pcr-private-key="]),
    (["--policy-digest"], ["--pcr-public-key="]),
    (["--policy-digest", "--pcr-public-key={a_pub}", "--pcr-certificate={a_crt}"], ["just one"]),
    (["--policy-digest", "--pcr-public-key={a_pub}", "--measure"], ["--measure"]),
    (["--pcr-public-key={a_pub}"], ["--pcr-private-key="]),
    (["--sign-initrd-pcrs"], ["--pcr-private-key="]),
    (["--pcr-private-key={a}", "--signing-provider=x", "--signing-engine=y"], ["exclude"]),
    (["--pcr-private-key={a}", "--sign-profile=main"], ["main", "profile"]),
], ids=str)
def test_refused_by_build(options, names, parts, pair, second):
    words = [o.format(a=pair, a_pub=pair.with_suffix(".pub"), a_crt=pair.with_suffix(".crt"), b=second,
                      b_pub=second.with_suffix(".pub")) for o in options]
    keelson.refusal("build", *parts, *words, "--output=no.efi", names=names)


def test_only_ukis_have_policies(pair):
    keelson.refusal("build", "--cmdline=x", f"--pcr-private-key={pair}", "--output=no.efi", names=["add-on"])
    lines = keelson.messages("build", "--profile=ID=x", f"--pcr-private-key={pair}", "--output=profile.efi")
    assert "where it is joined" in lines[0]
    assert not {".pcrsig", ".pcrpkey"} & {name for name, _ in samples.sections("profile.efi")}


def test_join_goes_alone(parts, offline):
    for options in (parts[:1], ["--cmdline=x"], ["--pcr-banks=sha1"], ["--profile=ID=x"]):
        keelson.refusal("build", "--join-pcrsig=base.efi", "--pcrsig=@signed.json", "--output=no.efi", *options,
                        names=["--join-pcrsig", options[0].split("=")[0]], status=2)
    keelson.refusal("build", "--join-pcrsig=base.efi", "--output=no.efi", names=["--pcrsig="])
    build(*parts, output="plain.efi")
    keelson.refusal("build", "--join-pcrsig=plain.efi", "--pcrsig=@signed.json", "--output=no.efi",
                    names=["plain.efi: ", ".pcrsig", "--policy-digest"])
