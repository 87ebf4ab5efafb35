# SPDX-License-Identifier: MIT
# Inputs that are about certain machines: `.hwids`, `.dtbauto`, `.efifw`; and add-ons that carry them.
import json
import pathlib
import struct
import uuid

import pytest

import keelson
import samples
from qemu import peers, stub_inputs, workspace

VECTOR_ID = "b499b467-9f2a-59b6-b53d-3ec81c8a1197"
VECTOR = (bytes.fromhex("1c00001067b499b42a9fb659b53d3ec81c8a1197380000003d000000") + bytes(28)
          + b"Mk2!\0acme,mk2\0")


def description(file, **fields):
    path = pathlib.Path("hwids") / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fields))
    return path


def build(*options, output="out.efi"):
    return keelson.run("build", f"--linux={samples.kernel()}", "--os-release=", *options, f"--output={output}")


def hwids(*options):
    build("--hwids=hwids", *options)
    return samples.section("out.efi", ".hwids")


def test_the_table_is_that_of_the_vector():
    description("a.json", type="devicetree", name="Mk2!", compatible="acme,mk2", hwids=[VECTOR_ID])
    assert hwids() == VECTOR
    pathlib.Path("table").write_bytes(VECTOR)
    build("--hwids=table")
    assert samples.section("out.efi", ".hwids") == VECTOR, "a finished table is taken as it is"


def test_descriptions_of_one_device_are_joined_and_ids_sorted():
    ids = [str(uuid.UUID(int=i << 100 | i)) for i in (3, 1, 2)]
    description("b/second.json", name="B", compatible="b,b", hwids=[ids[0]])
    description("a.json", name="B", compatible="b,b", hwids=[ids[1].upper(), ids[2], ids[1]])
    description("c.json", name="A", fwid="firmware", hwids=[ids[0]])
    description("ignored.txt", name="C")
    table = hwids()
    records = [struct.unpack_from("<I16sII", table, 28 * i) for i in range(5)]
    assert [r[0] for r in records] == [0x1000001C] * 3 + [0x2000001C, 0]
    assert [str(uuid.UUID(bytes_le=r[1])) for r in records[:4]] == [ids[1], ids[2], ids[0], ids[0]]

    def text(at):
        return table[at:table.index(b"\0", at)].decode()
    assert [(text(r[2]), text(r[3])) for r in records[:4]] == [("B", "b,b")] * 3 + [("A", "firmware")]
    assert table[28 * 5:] == b"A\0B\0b,b\0firmware\0"


def test_the_table_is_ukifys():
    """Debian 13's ukify knows device trees only, and no `type`."""
    for i in range(4):
        description(f"{i % 2}/{i}.json", name=f"Ä {i % 3}", compatible=f"vendor,{3 - i}",
                    hwids=[str(uuid.uuid5(uuid.NAMESPACE_URL, f"{i}{j}")) for j in range(3)])
    peers.ukify("build", f"--linux={samples.kernel()}", "--os-release=", "--uname=1", "--hwids=hwids",
                f"--stub={workspace.stub()}", "--output=theirs.efi")
    assert hwids() == samples.section("theirs.efi", ".hwids")


@pytest.mark.parametrize("fields, says", [
    ({"name": "a", "hwids": [VECTOR_ID]}, "neither"),
    ({"name": "a", "hwids": [VECTOR_ID], "compatible": "x", "fwid": "y"}, "both"),
    ({"name": "a", "hwids": [VECTOR_ID], "compatible": "x", "type": "uefi-fw"}, "devicetree"),
    ({"name": "a", "hwids": ["4711"], "compatible": "x"}, "4711"),
    ({"name": "a", "hwids": [4711], "compatible": "x"}, "4711"),
    ({"name": "a", "hwids": VECTOR_ID, "compatible": "x"}, "hwids"),
    ({"name": "a", "compatible": "x"}, "hwids"),
    ({"hwids": [VECTOR_ID], "compatible": "x"}, "name"),
    ({"name": "", "hwids": [VECTOR_ID], "compatible": "x"}, "name"),
    ({"name": "a\0b", "hwids": [VECTOR_ID], "compatible": "x"}, "NUL"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_bad_descriptions_are_named(fields, says):
    path = description("bad.json", **fields)
    keelson.refusal("build", f"--linux={samples.kernel()}", "--os-release=", "--hwids=hwids", "--output=out.efi",
                    names=[path, says])


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_object_is_named(content):
    path = description("bad.json")
    path.write_bytes(content)
    keelson.refusal("build", f"--linux={samples.kernel()}", "--os-release=", "--hwids=hwids", "--output=out.efi",
                    names=[path, "JSON"])


def test_an_empty_directory_is_no_hwids():
    pathlib.Path("hwids").mkdir()
    keelson.refusal("build", f"--linux={samples.kernel()}", "--os-release=", "--hwids=hwids", "--output=out.efi",
                    names=["hwids: ", "*.json"])


def test_candidates_may_repeat(tmp_path):
    trees = [stub_inputs.device_tree(name) for name in ("one", "two")]
    for name, tree in zip(("one", "two"), trees):
        pathlib.Path(name).write_bytes(tree)
    build("--devicetree-auto=one", "--devicetree-auto=two")
    assert [c for n, c in samples.sections("out.efi") if n == ".dtbauto"] == trees


def test_firmware_has_the_header_that_stubs_read():
    pathlib.Path("acme-1").mkdir()
    pathlib.Path("acme-1/image.bin").write_bytes(b"PAYLOAD")
    build("--efifw=acme-1", "--efifw=acme-1/")
    for content in [c for n, c in samples.sections("out.efi") if n == ".efifw"]:
        assert content == struct.pack("<IIII", 0xFEEDDEAD, 16, 7, 7) + b"acme-1\0PAYLOAD"


@pytest.mark.parametrize("files, says", [([], "0"), (["a", "b"], "2")])
def test_a_firmware_directory_holds_one_file(files, says):
    pathlib.Path("fw").mkdir()
    for name in files:
        pathlib.Path("fw", name).write_bytes(b"x")
    keelson.refusal("build", f"--linux={samples.kernel()}", "--os-release=", "--efifw=fw", "--output=out.efi",
                    names=["fw: ", "exactly one", says])


def test_an_addon_carries_sections_and_its_own_sbat():
    pathlib.Path("part").write_bytes(stub_inputs.device_tree("part"))
    done = keelson.start("build", "--cmdline=debug", "--initrd=part", "--microcode=part", "--devicetree=part",
                         "--devicetree-auto=part", "--uname=6.1", "--output=a.addon.efi")
    assert done.returncode == 0 and "warning" not in done.stderr
    base = [name for name, _ in samples.sections(workspace.output("stub/keelson-addonx64.efi.stub"))]
    assert ".sbat" not in base, "ukify takes no profile made on a base that has one"
    made = samples.sections("a.addon.efi")
    assert [name for name, _ in made] == [*base, ".cmdline", ".dtb", ".dtbauto", ".uname", ".initrd", ".ucode",
                                          ".sbat"]
    assert samples.section("a.addon.efi", ".sbat").decode().splitlines()[1].startswith("uki-addon,1,UKI Addon,")


@pytest.mark.parametrize("options, says", [
    (["--cmdline=x", "--output=a.efi"], ".addon.efi"),
    (["--uname=6.1", "--output=a.addon.efi"], "no effect"),
])
def test_addons_that_no_stub_takes_are_warned_of(options, says):
    (line,) = [line for line in keelson.messages("build", *options) if "warning" in line]
    assert says in line
