# SPDX-License-Identifier: MIT
# Tests of the real `keelson` of this build directory ($KEELSON_BUILD). Contents of files are small and
# made here; programs of others come from qemu/peers.py.
import pathlib
import sys

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2]), str(pathlib.Path(__file__).parent)]

import keys  # noqa: E402


@pytest.fixture(autouse=True)
def in_own_directory(tmp_path, monkeypatch):
    """Relative names in messages and outputs belong to the test."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """A private key with its public key and certificate beside it."""
    private = keys.make_key(tmp_path_factory.mktemp("keys") / "a.pem")
    keys.public_of(private)
    keys.certificate_of(private)
    return private


@pytest.fixture
def esp(tmp_path):
    path = tmp_path / "esp"
    path.mkdir()
    return path
