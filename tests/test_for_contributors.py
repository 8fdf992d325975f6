"""pytest runs this: texts for contributors name files and versions that exist."""

import re
import tomllib

import nbformat
import pytest
from run_notebooks import ROOT, is_lesson, notebook_paths

yaml = pytest.importorskip("yaml", reason="PyYAML comes with jupyterlab")
FORM = ROOT / ".github" / "ISSUE_TEMPLATE" / "notebook.yml"
TEXTS = ["CONTRIBUTING.md", "TEACHING.md", "CHANGELOG.md"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TEXTS)
def test_files_that_are_named_exist(name):
    text = read(name)
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if ":" not in link]
    folders = "tests|tools|notebooks|binder|helpers"
    named = re.findall(rf"`[^`\n]*?\b((?:{folders})/[\w./]*\w)", text)
    for target in [*links, *named]:
        assert (ROOT / target).exists(), target


def test_issue_form_asks_for_notebook_cell_and_environment():
    form = yaml.safe_load(FORM.read_text(encoding="utf-8"))
    questions = {item.get("id"): item for item in form["body"]}
    for name in ("notebook", "cell", "environment"):
        assert questions[name]["validations"]["required"]
    options = questions["notebook"]["attributes"]["options"]
    assert any(option.startswith("a second visit") for option in options)
    for path in filter(is_lesson, notebook_paths()):
        title = nbformat.read(path, as_version=4).cells[0].source.partition("\n")[0]
        assert title.removeprefix("# ").partition(":")[0] in options


def test_versions_agree():
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == version
    assert citation["title"] == read("README.md").partition("\n")[0].removeprefix("# ")
    assert f"## {version}" in read("CHANGELOG.md")
