"""pytest runs this: texts for contributors name files and versions that exist."""

import re
import tomllib

import nbformat
import pytest
from run_notebooks import ROOT, is_lesson, notebook_paths
from test_platforms import PLATFORMS, PYTHONS

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


def test_each_variable_and_each_tool_has_its_row():
    tables = read("CONTRIBUTING.md").partition("## Variables and tools")[2]
    tables = tables.partition("\n## ")[0]
    read_there = r"environ(?:\.get\(|\.setdefault\(|\[)\"([A-Z][A-Z_0-9]+)\""
    sources = [path.read_text("utf-8") for path in (ROOT / "helpers").rglob("*.py")]
    sources += [path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py")]
    known = set(re.findall(read_there, "".join(sources))) - {"PATH"}
    assert {"HELPERS_SEED", "CLAIMS_FILE", "NBGRADER"} <= known
    assert known == set(re.findall(r"`([A-Z][A-Z_0-9]+)(?:=1)?`", tables))
    tools = {path.name for path in (ROOT / "tools").glob("*.py")}
    assert tools == set(re.findall(r"`(\w+\.py)`", tables))


def test_workflows_promise_what_the_readme_promises():
    folder = ROOT / ".github" / "workflows"
    jobs = yaml.safe_load((folder / "tests.yml").read_text(encoding="utf-8"))["jobs"]
    assert {"run": ".ci/run"} in jobs["all"]["steps"]
    matrix = jobs["smoke"]["strategy"]["matrix"]
    assert matrix["python"] == PYTHONS and len(matrix["os"]) == len(PLATFORMS)
    for path in [*folder.iterdir(), ROOT / ".devcontainer" / "devcontainer.json"]:
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"(?:tools|tests|binder|notebooks)/[\w/]+\.\w+", text)
        assert all((ROOT / name).exists() for name in named), path


def test_the_citation_has_nothing_to_fill_in():
    assert not re.search(r"OWNER|REPO\b|TODO|example", read("CITATION.cff"))
