"""Binder gets the packages that all readers get, and repo2docker accepts it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BINDER = ROOT / "binder"


def lines(path):
    stripped = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def test_binder_pins_are_the_readers_pins():
    *pins, last = lines(ROOT / "requirements.txt")
    assert last == "-e ."
    assert all("==" in pin for pin in pins)
    # The index with the small torch: only there, see the README.
    index = "--extra-index-url https://download.pytorch.org/whl/cpu"
    assert lines(BINDER / "requirements.txt") == [index, *pins]


def test_binder_python():
    assert (BINDER / "runtime.txt").read_text(encoding="utf-8") == "python-3.11\n"


def test_binder_post_build_installs_helpers():
    script = BINDER / "postBuild"
    assert script.read_text(encoding="utf-8").startswith("#!/bin/bash\n")
    assert lines(script)[-1] == "pip install --no-cache-dir -e ."
    assert os.access(script, os.X_OK), "run `chmod +x binder/postBuild`"
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.slow
def test_repo2docker_accepts_the_recipe():
    command = os.environ.get("REPO2DOCKER") or shutil.which("jupyter-repo2docker")
    if not command:
        pytest.skip(
            "no jupyter-repo2docker: install jupyter-repo2docker==2026.4.0 in an "
            "environment of its own and give its path in REPO2DOCKER"
        )
    done = subprocess.run(
        [command, "--no-build", "--debug", str(ROOT)], capture_output=True, text=True
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in output
    assert "RUN ./binder/postBuild" in output
    assert "python=3.11" in output
