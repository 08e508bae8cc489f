"""What GitHub reads: workflows, the form for mistakes, licences, and how to cite. GitHub would say what is wrong only
after a push, and nobody would hear it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.notebooks.retarget import GITHUB, book, current
from tests.project.versions import pins

ROOT = Path(__file__).parents[2]
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
# What a job and a step may say. A word that GitHub does not know stops the whole workflow.
JOB = {"name", "needs", "runs-on", "timeout-minutes", "permissions", "environment", "strategy", "env", "steps"}
CALLING = {"name", "uses", "with"}
STEP = {"name", "id", "uses", "with", "run", "env"}


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


@each
def test_a_workflow_says_nothing_that_github_does_not_know(path):
    workflow = load(path)
    assert workflow.keys() <= {"name", "on", "permissions", "concurrency", "jobs"}
    assert workflow["on"].keys() <= {"push", "pull_request", "schedule", "workflow_call", "workflow_dispatch"}
    assert workflow["permissions"] == {"contents": "read"}, "more only in the job that needs it"
    for job in workflow["jobs"].values():
        assert set(job.get("needs", "").split()) <= workflow["jobs"].keys()
        if "uses" in job:  # another workflow of ours
            called = load(ROOT / job["uses"])["on"]["workflow_call"]["inputs"]
            assert job.keys() == CALLING and job["with"].keys() == called.keys()
        else:
            assert job.keys() <= JOB and job["timeout-minutes"] <= 120 and job["steps"]
    for step in steps(path):
        assert step.keys() <= STEP and ("run" in step) != ("uses" in step)
        assert "uses" not in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]), "GitHub's own, at a version"


@each
def test_an_expression_names_what_is_there(path):
    text, workflow = path.read_text(), load(path)
    inputs = (workflow["on"].get("workflow_call") or {}).get("inputs", {})
    known = {"github.ref"} | {f"inputs.{name}" for name in inputs}
    for job in workflow["jobs"].values():
        known |= {f"matrix.{name}" for name in job.get("strategy", {}).get("matrix", ())}
        known |= {f"steps.{step['id']}.outputs.page_url" for step in job.get("steps", ()) if "id" in step}
    assert set(re.findall(r"\$\{\{ (.*?) \}\}", text)) <= known
    assert not any("${{" in step.get("run", "") for step in steps(path)), "a shell would run what somebody else wrote"


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
    form = load(FORMS / "mistake.yml")
    assert form.keys() <= {"name", "description", "title", "labels", "body"} and form["name"] == "A mistake in a lesson"
    names = [field["id"] for field in form["body"] if field["type"] != "markdown"]
    assert len(names) == len(set(names)) >= 4
    for field in form["body"]:
        assert field["type"] in ("markdown", "input", "textarea", "dropdown")
        assert "value" in field["attributes"] if field["type"] == "markdown" else field["attributes"]["label"]
        assert field["type"] != "dropdown" or len(field["attributes"]["options"]) > 2


def test_questions_and_mistakes_have_a_place():
    links = load(FORMS / "config.yml")["contact_links"]
    discussions, form = f"{GITHUB}{REPO}/discussions", f"{GITHUB}{REPO}/issues/new?template=mistake.yml"
    assert [link["url"] for link in links] == [discussions] and all(
        link.keys() == {"name", "url", "about"} for link in links
    )
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
    """The fields that the format 1.2.0 asks for, and none that it does not know."""
    citation = load(ROOT / "CITATION.cff")
    needed = {"cff-version", "message", "title", "authors"}
    assert needed <= citation.keys() <= needed | {
        "abstract", "type", "version", "date-released", "license", "repository-code", "url", "references"
    }  # fmt: skip
    assert (citation["cff-version"], citation["type"]) == ("1.2.0", "software")
    assert citation["authors"] == [{"name": "The unet-edu authors"}]
    assert (citation["repository-code"], citation["url"]) == (f"{GITHUB}{REPO}", book(REPO))
    assert citation["license"] in PROJECT["license"]
    (paper,) = citation["references"]
    assert {"type", "title", "authors"} <= paper.keys() and f"doi       = {{{paper['doi']}}}" in README
    assert [author["family-names"] for author in paper["authors"]] == ["Ronneberger", "Fischer", "Brox"]


def test_the_sizes_of_torch_are_those_of_the_pinned_one():
    """They were measured with it: `pip download torch==…`, and the file on PyTorch's own index."""
    assert f"PyTorch {pins()['torch']} for Linux" in README and "`make lab TORCH=cpu`" in README
