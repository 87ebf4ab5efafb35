# SPDX-License-Identifier: MIT
# The menu on serial console and screen. Pictures go to the build directory for people to look at.
import pytest

from qemu import guest, workspace
from qemu.harness import Scenario
from qemu.payload import payload


@pytest.fixture
def machine(tmp_path):
    scenario = Scenario(tmp_path / "machine")
    scenario.put_loader()
    scenario.put("loader/loader.conf", "timeout 60\n")
    scenario.put_quick_uki("newest.efi", title="Keelson Test Linux", version="3")
    scenario.put_quick_uki("counted+2-1.efi", title="Keelson Test Linux", version="2")
    scenario.put_quick_uki("bad+0-3.efi", title="Keelson Test Linux", version="1")
    return scenario


@pytest.mark.parametrize("size", [(1024, 768), (1280, 800), (1920, 1080)], ids=lambda s: "%dx%d" % s)
def test_the_menu_is_drawn_and_obeys(machine, size):
    pictures = workspace.build_directory() / "screens"
    with machine.start(display=size) as running:
        running.wait_for(r"Boot in \d+ ?s")
        console = running.text
        running.screendump(pictures / f"menu-{size[0]}x{size[1]}.png")
        assert "Keelson Test Linux" in console
        assert "bad" in console
        running.send("down", "enter")
        running.wait_exit()
        selected = running.text
    assert guest.the_report(selected).text("LoaderEntrySelected") == "counted.efi"


def test_a_key_stops_the_countdown(machine):
    machine.put("loader/loader.conf", "timeout 10\n")
    with machine.start() as running:
        running.wait_for(r"Boot in \d+ ?s")
        running.send("down", "up")
        running.run_for(18)
        assert "@report" not in running.text
        running.send("enter")
        running.wait_for("@report end")


def test_the_countdown_ends_with_the_default(machine):
    machine.put("loader/loader.conf", "timeout 2\n")
    assert machine.boot().report.text("LoaderEntrySelected") == "newest.efi"


def test_options_are_edited(machine):
    machine.put("tool.efi", payload("test_kernel", relocatable=True))
    machine.put("loader/entries/tool.conf", "title Tool\nefi /tool.efi\noptions power-off now\n")
    machine.put("loader/loader.conf", "timeout 60\ndefault tool.conf\n")
    with machine.start() as running:
        running.wait_for(r"Boot in \d+ ?s")
        running.send("e")
        running.wait_for("power-off now")
        running.send(" and=then", "enter")
        console = running.wait_exit()
    assert guest.the_report(console).cmdline == "power-off now and=then"


@pytest.mark.parametrize("key, variable", [("d", "LoaderEntryPreferred"), ("D", "LoaderEntryDefault")])
def test_the_default_is_remembered(machine, key, variable):
    with machine.start() as running:
        running.wait_for(r"Boot in \d+ ?s")
        running.send("down", key)
        running.run_for(1)
        running.send("enter")
        running.wait_exit()
    value = machine.firmware.variable(variable)
    assert value and value.decode("utf-16-le").rstrip("\0") == "counted.efi"
