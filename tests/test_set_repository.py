"""One command puts the address of a copy everywhere, and takes it out again."""

import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from notebook_form import RULES, Book
from run_notebooks import ROOT, notebook_paths, place
from set_repository import INSTALL_ID, address_in, install_cell, set_repository

TEXTS = ["README.md", "TEACHING.md", "CITATION.cff"]


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    for name in TEXTS:
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def contents(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_no_place_is_left_out_and_all_come_back(copy):
    set_repository(copy, None)
    before = contents(copy)
    for address in ("ada/autoencoders", "bob/my.course_2"):
        assert set_repository(copy, address) == len(notebook_paths())
        other = {"ada/autoencoders", "bob/my.course_2", "OWNER/REPO"} - {address}
        for path, content in contents(copy).items():
            assert not any(name.encode() in content for name in other), path
        for path in notebook_paths():
            book = Book.read(copy / place(path))
            assert address_in(book.nb) == address
            assert [cell.id for cell in book.code].index(INSTALL_ID) == 0
            kept = ("start", "repository", "plain_python", "outputs_of_one_run")
            assert [p for rule in kept for p in RULES[rule](book)] == []
            links = re.findall(r"\]\((https://\S+)\)", book.cells[0].source)
            assert [address in link and place(path) in link for link in links] == [
                True
            ] * 2
        for name in TEXTS:
            assert address in (copy / name).read_text(encoding="utf-8")
    set_repository(copy, None)
    assert contents(copy) == before


def test_all_places_hold_the_same_address():
    found = {address_in(nbformat.read(path, 4)) for path in notebook_paths()}
    assert len(found) == 1
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in TEXTS)
    named = set(
        re.findall(r"(?:/gh/|github\.com/)([\w-]+/[\w.-]+?)(?=/|&|\"|\))", text)
    )
    assert named <= {*found, "OWNER/REPO"}


@pytest.mark.parametrize(
    "address", ["OWNER/REPO", "ada", "https://github.com/a/b", "a/b/c"]
)
def test_what_is_no_address(copy, address):
    before = contents(copy)
    with pytest.raises(ValueError, match="ada/autoencoders"):
        set_repository(copy, address)
    assert contents(copy) == before


def test_a_text_without_its_place_stops_before_anything_is_written(copy):
    (copy / "CITATION.cff").write_text("title: none", encoding="utf-8")
    before = contents(copy)
    with pytest.raises(ValueError, match=r"CITATION\.cff has lost"):
        set_repository(copy, "ada/autoencoders")
    assert contents(copy) == before


def test_the_cell_installs_where_helpers_are_missing_and_is_silent_elsewhere(capsys):
    fake = (
        "import subprocess\nsubprocess.run = lambda command, check: print(command[-1])"
    )
    code = f"{fake}\n{install_cell('ada/autoencoders').source}"
    command = [sys.executable, "-I", "-S", "-c"]
    away = subprocess.run([*command, code], capture_output=True, encoding="utf-8")
    assert away.stdout.splitlines()[0].startswith("The code of this course is missing")
    assert away.stdout.splitlines()[1].endswith(
        "git+https://github.com/ada/autoencoders"
    )
    here = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{code}"
    assert not subprocess.run([*command, here], capture_output=True).stdout


@pytest.mark.slow
def test_an_installation_from_the_address_brings_the_data(tmp_path):
    pytest.importorskip("setuptools")
    source, target = tmp_path / "source", tmp_path / "target"
    shutil.copytree(ROOT / "helpers", source / "helpers")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "-q", "--target", target, source], check=True)
    code = f"import sys; sys.path.insert(0, {str(target)!r})\n"
    code += "from helpers import datasets as d; print(d.__file__, len(d.mnist().test))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stdout.split() == [f"{target}/helpers/datasets/__init__.py", "10000"]
