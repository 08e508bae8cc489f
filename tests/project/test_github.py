"""What GitHub reads: workflows, the form for mistakes, licences, and how to cite. GitHub would say what is wrong only
after a push, and nobody would hear it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import check_jsonschema
import pytest
import yaml
from click.testing import CliRunner

from tests.notebooks.retarget import GITHUB, book, current
from tests.project.versions import pins

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
REPO = current(ROOT)
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = ROOT / ".github" / "ISSUE_TEMPLATE"
TARGETS = {
    name
    for line in re.findall(r"^([a-z -]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for name in line.split()
}


def load(path: Path) -> dict[str, Any]:
    """YAML 1.1 reads the word `on` as true."""
    found = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: value for key, value in found.items()}


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in load(path)["jobs"].values():
        yield from job.get("steps", ())


each = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def test_there_is_a_workflow_for_each_purpose():
    assert {path.stem for path in WORKFLOWS} == {"linux", "tests", "book", "latest"}
    assert {"push", "pull_request"} <= load(ROOT / ".github/workflows/tests.yml")["on"].keys()
    assert "schedule" in load(ROOT / ".github/workflows/latest.yml")["on"]
    systems = load(ROOT / ".github/workflows/tests.yml")["jobs"]["elsewhere"]["strategy"]["matrix"]["system"]
    assert systems == ["macos-latest", "windows-latest"]


def lint(*paths: Path) -> str:
    """What is found: nothing where all is right."""
    command = [PROGRAMS / "actionlint", "-no-color", *paths]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode in (0, 1) and done.stderr == ""
    return "" if done.returncode == 0 else done.stdout


def by_schema(name: str, path: Path) -> str:
    schema = ("--builtin-schema", f"vendor.{name}", "--default-filetype", "yaml")
    # in this process, as it takes longer to start than to judge
    done = CliRunner().invoke(check_jsonschema.main, ["--color", "never", *schema, str(path)])
    assert done.exit_code in (0, 1) and done.stderr == ""
    return "" if done.exit_code == 0 else done.stdout


def test_actionlint_knows_all_that_the_workflows_say():
    """Each key, each expression, what one workflow asks of another, and that GitHub still runs the actions."""
    assert lint(*WORKFLOWS) == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("timeout-minutes: 60", "timeout-minute: 60", "unexpected key"),
        ("${{ matrix.system }}", "${{ matrix.sytem }}", "not defined in object"),
        ("targets: test-nextpython", "target: test-nextpython", 'input "targets" is required'),
        ("actions/checkout@v6", "actions/checkout@v4", "deprecated"),
    ],
)
def test_actionlint_sees_a_mistake(tmp_path, old, new, said):
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    (tmp_path / ".git").mkdir()  # there it looks for what a workflow calls
    path = tmp_path / WORKFLOWS[-1].relative_to(ROOT)
    text = path.read_text()
    assert path.stem == "tests" and old in text
    path.write_text(text.replace(old, new))
    assert said in lint(path)


@each
def test_a_workflow_may_do_no_more_than_it_needs(path):
    """This is what we ask of ours; actionlint does not."""
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}, "more only in the job that needs it"
    assert all("uses" in job or job["timeout-minutes"] <= 120 for job in workflow["jobs"].values())
    for step in steps(path):
        assert "uses" not in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]), "GitHub's own, at a version"
        assert "${{" not in step.get("run", ""), "a shell would run what somebody else wrote"


def test_what_a_workflow_calls_is_there():
    called = [job["with"]["targets"] for path in WORKFLOWS for job in load(path)["jobs"].values() if "uses" in job]
    runs = "\n".join(step.get("run", "") for path in WORKFLOWS for step in steps(path))
    called += re.findall(r"make ([a-z-]+)", runs)
    assert {"test", "test-nextpython", "test-latest", "site"} == set(called) <= TARGETS
    paths = re.findall(r"\b(?:tests|build)/[\w/]+", "\n".join(path.read_text() for path in WORKFLOWS))
    assert len(paths) >= 3 and not [path for path in paths if path != "build/site" and not (ROOT / path).exists()]


def test_the_pins_are_tested_with_the_python_that_they_are_for():
    versions = [
        step["with"]["python-version"]
        for path in WORKFLOWS
        for step in steps(path)
        if "python-version" in step.get("with", {})
    ]
    assert len(versions) == 3 and {version.split()[-1] for version in versions} == {"3.11"}
    assert PROJECT["requires-python"] == ">=3.11"


# ------------------------------------------------------------------------------------------------- forms and addresses


def test_the_form_for_a_mistake_is_whole():
    assert by_schema("github-issue-forms", FORMS / "mistake.yml") == ""
    form = load(FORMS / "mistake.yml")
    names = [field["id"] for field in form["body"] if field["type"] != "markdown"]
    assert form["name"] == "A mistake in a lesson" and len(names) == len(set(names)) >= 4


def test_questions_and_mistakes_have_a_place():
    assert by_schema("github-issue-config", FORMS / "config.yml") == ""
    links = load(FORMS / "config.yml")["contact_links"]
    discussions, form = f"{GITHUB}{REPO}/discussions", f"{GITHUB}{REPO}/issues/new?template=mistake.yml"
    assert [link["url"] for link in links] == [discussions]
    for page in (README, (ROOT / "course" / "side_roads" / "00_help.ipynb").read_text()):
        assert f"({discussions})" in page and f"({form})" in page
    assert f"({discussions})" in (ROOT / "CONTRIBUTING.md").read_text()
    assert f"[The web book]({book(REPO)})" in README


# ----------------------------------------------------------------------------------------------- licences and citation


def test_each_licence_is_a_file_with_its_own_words_alone():
    """So GitHub recognises both."""
    code, texts = ((ROOT / name).read_text() for name in ("LICENSE", "LICENSE-CC-BY-4.0"))
    assert re.match(r"MIT License\n\nCopyright \(c\) 20\d\d The unet-edu authors\n\nPermission is hereby granted", code)
    assert code.rstrip().endswith("DEALINGS IN THE SOFTWARE.") and "Commons" not in code and code.count("\n\n") == 4
    assert texts.startswith("Attribution 4.0 International\n") and "Section 8 -- Interpretation." in texts
    assert PROJECT["license"] == "MIT AND CC-BY-4.0"
    assert PROJECT["license-files"] == ["LICENSE", "LICENSE-CC-BY-4.0", "CREDITS.md"]
    assert all((ROOT / name).exists() and f"({name})" in README for name in PROJECT["license-files"])


def test_each_photograph_has_its_origin():
    from unet_edu.data import PHOTOS

    rows = re.findall(r"^\| (\w+) \| .+ \|$", (ROOT / "CREDITS.md").read_text(), re.MULTILINE)
    assert set(PHOTOS) <= set(rows)


def test_how_to_cite_the_course():
    """By the official schema, and with our own names."""
    assert by_schema("citation-file-format", ROOT / "CITATION.cff") == ""
    citation = load(ROOT / "CITATION.cff")
    assert citation["authors"] == [{"name": "The unet-edu authors"}]
    assert (citation["repository-code"], citation["url"]) == (f"{GITHUB}{REPO}", book(REPO))
    assert citation["license"] in PROJECT["license"]
    (paper,) = citation["references"]
    assert f"doi       = {{{paper['doi']}}}" in README
    assert [author["family-names"] for author in paper["authors"]] == ["Ronneberger", "Fischer", "Brox"]


@pytest.mark.parametrize(
    ("schema", "path", "old", "new"),
    [
        ("citation-file-format", "CITATION.cff", "given-names:", "first-name:"),
        ("citation-file-format", "CITATION.cff", "license: MIT", "license: MITT"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/mistake.yml", "type: dropdown", "type: menu"),
        ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml", "about:", "abuot:"),
    ],
)
def test_a_schema_sees_a_mistake(tmp_path, schema, path, old, new):
    text = (ROOT / path).read_text()
    assert old in text
    (tmp_path / "copy.yml").write_text(text.replace(old, new))
    assert "validation errors" in by_schema(schema, tmp_path / "copy.yml")


def test_the_sizes_of_torch_are_those_of_the_pinned_one():
    """They were measured with it: `pip download torch==…`, and the file on PyTorch's own index."""
    assert f"PyTorch {pins()['torch']} for Linux" in README and "`make lab TORCH=cpu`" in README
