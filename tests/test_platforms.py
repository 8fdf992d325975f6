"""pytest runs this: what is written here works on Windows and other machines, too."""

import ast
import os
import subprocess
import sys

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from run_notebooks import ROOT, save

SOURCES = [p for f in ("helpers", "tools", "tests") for p in (ROOT / f).rglob("*.py")]


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
