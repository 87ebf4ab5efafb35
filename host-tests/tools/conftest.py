# SPDX-License-Identifier: MIT
# Tests of the real `keelson` of this build directory ($KEELSON_BUILD). Contents of files are small and
# made here; programs of others come from qemu/peers.py.
import pathlib
import sys

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2]), str(pathlib.Path(__file__).parent)]


@pytest.fixture(autouse=True)
def in_own_directory(tmp_path, monkeypatch):
    """Relative names in messages and outputs belong to the test."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def esp(tmp_path):
    path = tmp_path / "esp"
    path.mkdir()
    return path
