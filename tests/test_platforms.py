"""pytest runs this: what is written here works on Windows and other machines, too."""

import ast
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from packaging.requirements import Requirement
from run_notebooks import ROOT, notebook_paths, save

SOURCES = [p for f in ("helpers", "tools", "tests") for p in (ROOT / f).rglob("*.py")]

# README's table promises these: pip's names for them, and what markers ask about.
PLATFORMS = {
    "Linux on x86-64": ("manylinux_2_28_x86_64", "linux", "x86_64"),
    "Linux on ARM": ("manylinux_2_28_aarch64", "linux", "aarch64"),
    "macOS 14 or newer on Apple silicon": ("macosx_14_0_arm64", "darwin", "arm64"),
    "Windows on x86-64": ("win_amd64", "win32", "AMD64"),
}
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def without_encoding(source: str) -> list[str]:
    """Calls that read or write text in the encoding that the system prefers."""
    found = []
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        mode = call.args[1:2] if isinstance(call.func, ast.Name) else call.args[:1]
        mode = getattr(mode[0], "value", None) if mode else "r"
        given = {keyword.arg for keyword in call.keywords}
        opens = name == "open" and isinstance(mode, str) and "b" not in mode
        encoded = "encoding" in given or (name == "read_text" and call.args)
        if (opens or name in ("read_text", "write_text")) and not encoded:
            found.append(ast.unparse(call))
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_text_file_is_opened_with_its_encoding(path):
    assert without_encoding(path.read_text(encoding="utf-8")) == []


def test_calls_without_encoding_are_found():
    wrong = ["open(a)", "p.open()", "p.open('w')", "p.read_text()", "p.write_text(x)"]
    right = ["open(a, 'rb')", "Image.open(p)", "p.open(encoding=e)", "p.read_text(e)"]
    assert without_encoding("\n".join(wrong + right)) == wrong


@pytest.mark.parametrize("path", [*SOURCES, *notebook_paths()], ids=lambda p: p.stem)
def test_nothing_is_unpickled(path):
    """A pickle runs code of whoever made it; weights and arrays need none."""
    text = path.read_text(encoding="utf-8")
    wrong = r"\b(?:import|from) pickle|weights_only ?= ?False|allow_pickle ?= ?True"
    assert not re.search(wrong, text)


def test_a_notebook_is_saved_with_the_same_bytes_on_windows(tmp_path, monkeypatch):
    path = tmp_path / "n.ipynb"
    fdopen = os.fdopen  # without `newline`, files of text get the system's there

    def of_windows(*arguments, newline=None, **more):
        return fdopen(*arguments, newline=newline or "\r\n", **more)

    monkeypatch.setattr(os, "fdopen", of_windows)
    save(new_notebook(cells=[new_code_cell("1\n2")]), path)
    assert b"\r" not in path.read_bytes()


def test_a_tick_does_not_end_a_script_that_writes_to_a_file_of_windows(tmp_path):
    (tmp_path / "expected.toml").write_text(
        '[x]\nsays = "small"\nat_most = 3\n', encoding="utf-8"
    )
    script = "from helpers.checks import claim\nclaim('x', 2.0)\nprint('went on')"
    settings = dict(PYTHONIOENCODING="cp1252", PYTHONPATH=str(ROOT))
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | settings,
        capture_output=True,
    )
    lines = done.stdout.decode("cp1252").splitlines()
    assert lines == ["? small: 2 (expected: at most 3)", "went on"], done.stderr


# Where it installs


def pins(sys_platform: str, machine: str) -> list[Requirement]:
    """The packages of requirements.txt that a platform gets."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if re.match(r"\w", line)]
    asked = {"sys_platform": sys_platform, "platform_machine": machine}
    return [pin for pin in found if not pin.marker or pin.marker.evaluate(asked)]


def test_only_linux_on_arm_goes_without_constriction():
    without = [
        name
        for name, (_, *asked) in PLATFORMS.items()
        if "constriction" not in {pin.name for pin in pins(*asked)}
    ]
    assert without == ["Linux on ARM"]


def test_the_readme_has_a_row_for_each_platform():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (yes.*|no.*) \|$", text, re.MULTILINE)
    promised = [row.partition(" (")[0] for row, answer in rows if answer[:3] == "yes"]
    assert promised == list(PLATFORMS)
    assert f"Python {PYTHONS[0]} to {PYTHONS[-1]}" in text


@pytest.mark.skipif(os.environ.get("WHEELS") != "1", reason="WHEELS=1 asks the index")
@pytest.mark.parametrize("python", [PYTHONS[0], PYTHONS[-1]])
@pytest.mark.parametrize("name", PLATFORMS)
def test_wheels_exist_for_each_promised_platform(name, python):
    platform, *asked = PLATFORMS[name]

    def missing(pin: Requirement) -> str:
        command = [sys.executable, "-m", "pip", "index", "versions", pin.name]
        command += ["--only-binary=:all:", f"--python-version={python}"]
        done = subprocess.run(
            [*command, *(f"--platform={wheel}" for wheel in also(platform))],
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        version = str(pin.specifier).removeprefix("==")
        known = re.findall(r"^Available versions: (.+)$", done.stdout, re.MULTILINE)
        return "" if known and version in known[0].split(", ") else f"{pin}"

    needed = pins(*asked)
    with ThreadPoolExecutor(4) as pool:
        absent = [pin for pin in pool.map(missing, needed) if pin]
    if len(absent) == len(needed):
        pytest.skip("no index of packages can be asked")
    assert absent == []


def also(platform: str) -> list[str]:
    """A platform and older ones, whose wheels it takes as well."""
    older = [platform.replace("2_28", version) for version in ("2_27", "2_17")]
    return [platform, *older] if "2_28" in platform else [platform]
