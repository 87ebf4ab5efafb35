# SPDX-License-Identifier: MIT
# `list`: entries in the loader's order, with bootctl's fields; one bad file never hides the others.
import os

import pytest

import keelson
import samples


def put(root, name, content):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def conf(title, **keys):
    lines = [f"title {title}", "linux /k"] + [f"{key.replace('_', '-')} {value}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def put_uki(root, name, osrel, *options):
    (root / "EFI/Linux").mkdir(parents=True, exist_ok=True)
    keelson.run("build", f"--linux={samples.kernel()}", f"--os-release={osrel}", "--uname=6.1",
                f"--output={root}/EFI/Linux/{name}", *options)


def listed(esp, *options):
    return keelson.json_of("list", f"--esp-path={esp}", *options)


def test_no_entries(esp):
    assert listed(esp) == []
    assert keelson.messages("list", f"--esp-path={esp}") == [f"No boot entries on {esp}."]


def test_order_of_the_menu(esp):
    put(esp, "k", "kernel")
    for name, text in {
            "plain-1.conf": conf("no sort key, older"), "plain-2.conf": conf("no sort key, newer"),
            "b.conf": conf("sort key b", sort_key="b", version="1"),
            "a-old.conf": conf("sort key a, older", sort_key="a", version="6.9"),
            "a-new.conf": conf("sort key a, newer", sort_key="a", version="6.10"),
            "bad+0-3.conf": conf("no tries left", sort_key="0", version="9"),
            "tries+2-1.conf": conf("tries left", sort_key="a", version="6.9.5")}.items():
        put(esp, f"loader/entries/{name}", text)
    put_uki(esp, "uki.efi", samples.OS_RELEASE)
    entries = listed(esp)
    assert [e["id"] for e in entries] == [
        "a-new.conf", "tries.conf", "a-old.conf", "b.conf", "uki.efi", "plain-2.conf", "plain-1.conf", "bad.conf"]
    assert [e["isDefault"] for e in entries] == [True] + [False] * 7
    counted = {e["id"]: (e["triesLeft"], e["triesDone"]) for e in entries if "triesLeft" in e}
    assert counted == {"tries.conf": (2, 1), "bad.conf": (0, 3)}


def test_fields_of_type1(esp):
    put(esp, "k", "kernel")
    put(esp, "loader/entries/x.conf",
        "title T\nversion 1\nmachine-id 0123456789abcdef0123456789abcdef\nsort-key s\nlinux /k\n"
        "initrd /a\ninitrd /b\noptions one\noptions two\narchitecture x64\n")
    assert listed(esp) == [{
        "type": "type1", "source": "esp", "id": "x.conf", "path": f"{esp}/loader/entries/x.conf", "root": str(esp),
        "title": "T", "showTitle": "T", "sortKey": "s", "version": "1",
        "machineId": "0123456789abcdef0123456789abcdef", "architecture": "x64", "options": "one two", "linux": "/k",
        "initrd": ["/a", "/b"], "isReported": False, "isDefault": True}]


def test_fields_of_a_uki_and_its_profiles(esp):
    keelson.run("build", "--profile=ID=rescue\nTITLE=Rescue", "--cmdline=single", "--output=rescue.efi")
    put_uki(esp, "u+3.efi", samples.OS_RELEASE, "--cmdline=quiet", "--join-profile=rescue.efi")
    first, second = listed(esp)
    assert first == {
        "type": "type2", "source": "esp", "id": first["id"], "path": f"{esp}/EFI/Linux/u+3.efi", "root": str(esp),
        "title": first["title"], "showTitle": first["showTitle"], "sortKey": "demo", "version": "1",
        "linux": "/EFI/Linux/u+3.efi", "isReported": False, "triesLeft": 3, "triesDone": 0, "isDefault": True,
        "cmdline": "quiet"}
    assert second["id"] == "u.efi@rescue" and second["profile"] == 1 and second["cmdline"] == "single"
    assert "Rescue" in second["showTitle"]


def test_xbootldr(esp, tmp_path):
    boot = tmp_path / "boot"
    for root in (esp, boot):
        put(root, "k", "kernel")
        put(root, "loader/entries/x.conf", conf(f"on {root.name}"))
    assert {(e["source"], e["root"], e["title"]) for e in listed(esp, f"--boot-path={boot}")} == {
        ("esp", str(esp), "on esp"), ("xbootldr", str(boot), "on boot")}


@pytest.mark.parametrize("setting, expected", [
    ("default b.conf", "b.conf"), ("default B*", "b.conf"), ("default nothing", "a.conf"), ("", "a.conf"),
    ("preferred b.conf\ndefault a.conf", "b.conf")])
def test_default(setting, expected, esp):
    put(esp, "k", "kernel")
    put(esp, "loader/entries/a.conf", conf("A", sort_key="a"))
    put(esp, "loader/entries/b.conf", conf("B", sort_key="b"))
    put(esp, "loader/loader.conf", setting + "\n")
    assert [e["id"] for e in listed(esp) if e["isDefault"]] == [expected]


@pytest.mark.parametrize("name, content, words", [
    ("loader/entries/bad.conf", "title no kernel\n", ["bad.conf", "left out"]),
    ("loader/entries/bad.conf", "linux /missing\n", ["bad.conf", "missing is not there"]),
    ("loader/entries/bad.conf", b"title x\nlinux /../k\n", ["bad.conf"]),
    ("loader/entries/bad.conf", b"linux /k\n" + b"#" * 1_100_000, ["bad.conf", "larger than 1 MiB"]),
    ("EFI/Linux/bad.efi", b"", ["bad.efi", "left out"]),
    ("EFI/Linux/bad.efi", b"MZ" + bytes(100), ["bad.efi", "left out"]),
    (os.fsdecode(b"EFI/Linux/\xff.efi"), b"x", ["left out"]),
], ids=["no kernel", "kernel missing", "leaves the volume", "too large", "empty", "truncated", "name not UTF-8"])
def test_a_bad_file_is_named_and_left_out(name, content, words, esp):
    put(esp, "k", "kernel")
    put(esp, "loader/entries/good.conf", conf("good"))
    put(esp, name, content)
    done = keelson.start("list", f"--esp-path={esp}", "--json=short")
    assert done.returncode == 0
    assert [e["id"] for e in keelson.json.loads(done.stdout)] == ["good.conf"]
    assert done.stderr.startswith("keelson: warning: ")
    assert all(word in done.stderr for word in words), done.stderr


@pytest.mark.parametrize("name", [".hidden.conf", "auto-x.conf", "x.txt", "folder.conf/x", "+3.conf"])
def test_what_is_no_entry_is_passed_over_silently(name, esp):
    put(esp, "k", "kernel")
    put(esp, f"loader/entries/{name}", conf("x"))
    done = keelson.start("list", f"--esp-path={esp}", "--json=short")
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_text_is_safe_on_a_terminal(esp):
    put(esp, "k", "kernel")
    put(esp, "loader/entries/x.conf", "title a\x1b[2Jb\nlinux /k\noptions \x1b]0;x\x07\n")
    text = keelson.run("list", f"--esp-path={esp}")
    assert not set(text) & set("\x1b\x07")


def test_labels_line_up(esp):
    put(esp, "k", "kernel")
    put(esp, "loader/entries/x+3.conf", conf("T", sort_key="s", version="1", options="a b"))
    lines = keelson.run("list", f"--esp-path={esp}").splitlines()
    assert {line.index(":") for line in lines} == {13}
    assert "        title: T (default)" in lines and "           id: x.conf" in lines
    assert "        tries: 3 left, 0 done" in lines
