"""The door to Colab: each notebook's link and its cell that installs the course, the one address in them, and what
judges them in `make test-colab`."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbgrader.utils import compute_checksum
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.colab import compare, run
from tests.nextpython import run as nextpython
from tests.notebooks.execute import ROOT, WIDGET_VIEW, notebooks
from tests.notebooks.retarget import GITHUB, book, current, files, replaced, retarget
from tests.project.release import ref, version_of
from unet_edu import explore

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REPO = current(ROOT)
REF = ref(version_of(ROOT))
COLAB = f"https://colab.research.google.com/github/{REPO}/blob/{REF}"
KAGGLE = f"https://www.kaggle.com/kernels/welcome?src={GITHUB}{REPO}/blob/{REF}"
ADDRESS = f"git+{GITHUB}{REPO}" + ("" if REF == "main" else f"@{REF}")
ALL = notebooks("course", "solutions", "exercises")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
SET_UP = f"""\
try:
    import unet_edu
except ImportError:
    %pip install -q "unet-edu @ {ADDRESS}"
"""
# The last words above it.
WHY = f"""

*The next cell installs the course where it is missing, as on Colab. \
(If pip speaks of a restart: none is needed.) If it fails: the course needs Python 3.11 or later; \
[here is help]({GITHUB}{REPO}#three-doors).*"""

each = pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(ROOT)))


# ------------------------------------------------------------------------------------------- links and the set-up cell


def test_there_are_notebooks_of_each_kind():
    folders = [path.relative_to(ROOT).parts[0] for path in ALL if path.parent.name != "side_roads"]
    assert {folder: folders.count(folder) for folder in set(folders)} == {"course": 11, "solutions": 9, "exercises": 9}


@each
def test_a_notebook_says_where_colab_and_kaggle_have_it(path):
    """A solution leads to its exercise."""
    first, *others = nbformat.read(path, as_version=4).cells
    place = path.relative_to(ROOT).as_posix().replace("solutions/", "exercises/")
    links = f"[Open in Colab]({COLAB}/{place}) · [Kaggle]({KAGGLE}/{place})"
    assert first.source.splitlines()[1:4] == ["", links, ""] and first.source.startswith("# ")
    assert not any(re.search(r"open in colab|kaggle\.com", cell.source, re.IGNORECASE) for cell in others)


@each
def test_its_first_code_cell_installs_the_course_where_it_is_missing(path):
    """The same text in all; a lesson's imports have a cell of their own, an exercise's stand below it."""
    head, *others = nbformat.read(path, as_version=4).cells
    cells = [cell.source for cell in others if cell.cell_type == "code"]
    text, _, imports = f"{cells[0]}\n".partition(SET_UP)
    assert (text, bool(imports)) == ("", "course" not in path.parts)
    assert all(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(imports).body)
    assert not any("unet-edu @" in cell for cell in cells[1:])
    assert head.source.endswith(WHY) and others[0].source == cells[0]


def set_up(monkeypatch: pytest.MonkeyPatch, course: object) -> list[tuple[str, str]]:
    """Run the cell in a Python that has this instead of the course. Returns what it asked IPython for."""
    asked: list[tuple[str, str]] = []

    class Shell:
        def run_line_magic(self, name: str, line: str, *_: int) -> None:
            asked.append((name, line))

    monkeypatch.setitem(sys.modules, "unet_edu", course)
    exec(TransformerManager().transform_cell(SET_UP), {"get_ipython": Shell})  # noqa: S102 - as a kernel does
    return asked


def test_it_installs_with_the_pip_of_the_kernel_and_only_where_the_course_is_missing(monkeypatch):
    """Not with `!pip`, which may be another Python's."""
    assert set_up(monkeypatch, None) == [("pip", f'install -q "unet-edu @ {ADDRESS}"')]
    assert set_up(monkeypatch, object()) == []


def test_it_changes_nothing_else():
    """Without these pip leaves alone what is new enough; tests/colab/run.py proves it with the packages of Colab."""
    assert not re.search(r"\s(?:-U|--upgrade|--force-reinstall|-I)\b", SET_UP)
    lines = SET_UP.splitlines()
    assert len(lines) <= 4 and "\n## Three doors\n" in (ROOT / "README.md").read_text()


# PyTorch and NumPy there, as far as they are not those of tests/colab/requirements.txt. Kaggle's image is that of Colab
# as it was in July 2026, with Python 3.12: github.com/Kaggle/docker-python/pull/1557
OTHERS = {"Colab": {"torch": run.TORCH}, "Kaggle": {"torch": "2.11.0", "numpy": "2.0.2"}}


@pytest.mark.parametrize("where", OTHERS)
def test_what_colab_and_kaggle_have_is_new_enough_for_the_course(where):
    """So there pip has nothing to do but to bring the course."""
    there = compare.versions(compare.OURS.read_text()) | OTHERS[where]
    needed = [Requirement(line) for line in PROJECT["dependencies"]]
    assert len(needed) > 10
    assert not [str(each) for each in needed if there[canonicalize_name(each.name)] not in each.specifier]


def test_the_readme_says_what_to_do_where_the_cell_cannot():
    doors = re.search(r"^## Three doors\n.*?(?=^## )", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert doors and all(f"**{where}" in doors[0] for where in ("In the browser", "In Codespaces", "In a Jupyter"))
    assert "turn the internet on" in doors[0] and "Kaggle" in doors[0]


# tests/lessons/test_sources.py looks at the links of the page that names the programs of others.
OF_THE_COURSE = [page for page in PAGES if page.name != "sources.md"]


@pytest.mark.parametrize("page", OF_THE_COURSE, ids=lambda page: page.name)
def test_a_page_names_no_other_repository(page):
    """An address that `make retarget` has left behind would be one."""
    found = re.findall(r"(?<![.\w])github(?:\.com)?/([\w.-]+/[\w-]+)", page.read_text())
    of_others = {"containers/bubblewrap", "microsoft/vscode-jupyter"}  # what their people say of their programs
    assert set(found) <= {REPO} | of_others
    assert found or page.name in ("CONTRIBUTING.md", "grading-security.md", "project.md")


# ------------------------------------------------------------------------------------------------- another repository


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """All that git would see, in a repository of its own."""
    for path in files(ROOT):
        (tmp_path / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / path.relative_to(ROOT))
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files(root)}


def test_a_fork_says_its_own_address_everywhere_and_nothing_else_has_changed(clone):
    before = original = contents(clone)
    changed = {path.relative_to(clone).as_posix() for path in retarget(clone, "jane-doe/segmentation.course")}
    after = contents(clone)
    assert current(clone) == "jane-doe/segmentation.course"
    assert {"pyproject.toml", "README.md", *(path.relative_to(ROOT).as_posix() for path in ALL)} <= changed
    assert not [name for name, text in after.items() if REPO.encode() in text or book(REPO).encode() in text]
    pairs = [(REPO, "jane-doe/segmentation.course"), (book(REPO), book("jane-doe/segmentation.course"))]
    for old, new in pairs:
        assert any(old.encode() in text for text in before.values())
        before = {name: text.replace(old.encode(), new.encode()) for name, text in before.items()}
    assert after == before

    retarget(clone, REPO)
    assert contents(clone) == original


def test_the_same_address_changes_nothing(clone):
    before = contents(clone)
    assert retarget(clone, REPO) == []
    assert contents(clone) == before and len(before) > 100


def test_what_only_looks_like_the_address_stays():
    text = (
        b"github.com/a/b github/a/b/blob github.com/a/b.git github.com/a/b. "
        b"github.com/a/b-c github.com/a/b.c github.com/x/a/b a/b"
    )
    after = (
        b"github.com/x/y github/x/y/blob github.com/x/y.git github.com/x/y. "
        b"github.com/a/b-c github.com/a/b.c github.com/x/a/b a/b"
    )
    assert replaced(text, "a/b", "x/y") == after


@pytest.mark.parametrize(
    "repo",
    ["", "unet-edu", "https://github.com/jane/unet", "jane/unet.git", "jane/..", "-jane/unet", "jane/u net", "a/b/c"],
)
def test_a_name_that_is_none_is_answered_with_one_sentence(repo):
    program = [sys.executable, ROOT / "tests" / "notebooks" / "retarget.py", repo]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == f"REPO: expected owner/name, as in `make retarget REPO=jane/unet-edu`, got {repo!r}\n"


def test_make_retargets_and_makes_the_exercises_anew():
    """Their checksums are nbgrader's, so nbgrader writes them."""
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(r"^retarget:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe
    assert [line.split()[1:] for line in recipe[1].splitlines()] == [
        ["python", "tests/notebooks/retarget.py", '"$$REPO"'],
        ["exercises"],
    ]
    for path in notebooks("exercises"):
        for cell in nbformat.read(path, as_version=4).cells:
            if "nbgrader" in cell.metadata and "checksum" in cell.metadata.nbgrader:
                assert cell.metadata.nbgrader.checksum == compute_checksum(cell)


# ------------------------------------------------------------------------------------------ what `make test-colab` sees


def test_what_pip_changed_is_seen():
    before = {"numpy==2.1.3", "torch==2.13.0"}
    assert run.changes(before, {*before, "unet-edu @ file:///x.whl"}, added={"unet-edu"}) == []
    assert run.changes(before, before, added={"unet-edu"}) == ["pip did not bring unet-edu"]
    assert run.changes(before, {"numpy==2.2.0", "torch==2.13.0", "unet-edu @ x", "new==1"}, added={"unet-edu"}) == [
        "pip took away numpy==2.1.3",
        "pip brought new==1",
        "pip brought numpy==2.2.0",
    ]


FREEZE = """\
# Do not modify this file directly
ImageIO==2.37.0
jupyterlab_widgets==3.0.16
numpy==2.1.3
torch @ https://download.pytorch.org/whl/cpu/torch-2.11.0%2Bcpu-cp313-cp313-manylinux_2_28_x86_64.whl#sha256=1
scipy==1.16.3+local
"""


def test_a_list_of_colab_is_compared_with_ours():
    theirs = compare.versions(FREEZE)
    assert theirs == {
        "imageio": "2.37.0",
        "jupyterlab-widgets": "3.0.16",
        "numpy": "2.1.3",
        "torch": "2.11.0",
        "scipy": "1.16.3",
    }
    ours = {"imageio": "2.38.1", "jupyterlab-widgets": "3.0.16", "numpy": "2.1.3", "pip": "24.1.2"}
    assert compare.differences(ours, theirs) == [
        "imageio: here 2.38.1, on Colab 2.37.0",
        "pip: here 24.1.2, on Colab not there",
    ]


def test_the_comparison_reads_a_file_or_standard_input(tmp_path):
    text = compare.OURS.read_text()
    assert len(compare.versions(text)) > 90
    other = tmp_path / "pip-freeze.txt"
    other.write_text(text.replace("typer==", "typer==9."))

    def compared(name: object, given: str = "") -> tuple[int, str]:
        program = [sys.executable, compare.__file__, str(name)]
        done = subprocess.run(program, input=given, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    assert compared("-", text)[0] == 0
    code, said = compared(other)
    assert code == 1 and re.match(r"typer: here ([\d.]+), on Colab 9\.\1\n1 of \d+ packages ", said)
    assert compared("-", "<html>") == (1, "-: expected lines like numpy==2.1.3, found none\n")


def judged(path: str, *cells: tuple[str, str, str]) -> list[str]:
    """What is said of a notebook whose cells have this source, printed this, or raised an error that says this."""
    notebook = nbformat.v4.new_notebook()
    for source, printed, error in cells:
        outputs = [nbformat.v4.new_output("stream", text=printed)] if printed else []
        if error:
            name, _, value = error.partition(": ")
            outputs.append(nbformat.v4.new_output("error", ename=name, evalue=value))
        notebook.cells.append(nbformat.v4.new_code_cell(source, outputs=outputs))
    return nextpython.judged(ROOT / path, notebook)


def test_without_torch_a_lesson_may_lack_what_comes_of_it_and_nothing_else():
    made = ("t = torch.ones(3)", "", "NameError: name 'torch' is not defined")
    used = ("print(t)", "", "NameError: name 't' is not defined")
    fine = [("1", "1", "")] * 3
    assert judged("course/02.ipynb", made, used, *fine) == []
    assert judged("course/02.ipynb", used, *fine) == ["NameError: name 't' is not defined\nprint(t)"]
    assert judged("course/02.ipynb", ("1 / 0", "", "ZeroDivisionError: 'torch'"), *fine) == [
        "ZeroDivisionError: 'torch'\n1 / 0"
    ]
    assert judged("course/02.ipynb", made, used, ("1", "1", "")) == ["2 of 3 cells need PyTorch: most should need none"]


def test_exercises_get_the_verdict_that_they_should():
    solved, empty = (("check(f)", f"f: {said}.", "") for said in ("passed", "not yet"))
    assert judged("solutions/a/a.ipynb", solved) == judged("exercises/a/a.ipynb", empty) == []
    for path, other in (("solutions/a/a.ipynb", empty), ("exercises/a/a.ipynb", solved)):
        (fault,) = judged(path, other)
        assert fault.startswith("check(f): expected ")
    assert judged("solutions/a/a.ipynb", ("1", "1", "")) == ["there is no check in it"]


def model(module: str, **state: str) -> dict[str, object]:
    return {"model_name": "Model", "model_module": module, "state": state}


def shown(views: int, models: dict[str, object], metadata: dict[str, object] | None = None) -> list[str]:
    """What `make test-colab` says of a notebook that calls one explorer, and shows so many views of the widget
    `box`."""
    cell = nbformat.v4.new_code_cell("x = 3\nexplore.matrix(x)")
    data = {WIDGET_VIEW: {"model_id": "box"}}
    cell.outputs = [nbformat.v4.new_output("display_data", data, metadata=metadata or {}) for _ in range(views)]
    widgets = {run.WIDGET_STATE: {"state": models}}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": widgets})
    told = {"matrix": run.fingerprint("picture")}
    return run.unseen(notebook, {"explorers": 1, "still": [], "shown": told})


BOX = model("@jupyter-widgets/controls", children="IPY_MODEL_matrix")
MATRIX = model("anywidget", scene="picture")
MANAGED = {WIDGET_VIEW: {"colab": {"custom_widget_manager": {"url": "x"}}}}


def test_an_explorer_that_shows_itself_is_right():
    assert shown(1, {"box": BOX, "matrix": MATRIX}, MANAGED) == []


def test_an_explorer_that_needs_no_python_is_right():
    data = {"text/html": explore.sizes().html}
    cell = nbformat.v4.new_code_cell("explore.sizes()", outputs=[nbformat.v4.new_output("display_data", data)])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert run.unseen(notebook, {"explorers": 0, "still": [], "shown": {}}) == []


@pytest.mark.parametrize(
    "views, models, metadata, words",
    [
        (0, {"box": BOX, "matrix": MATRIX}, MANAGED, "1 should show themselves here, 0 did"),
        (1, {"matrix": MATRIX}, MANAGED, "no message opened the widget box"),
        (1, {"box": BOX, "matrix": MATRIX}, None, "Colab was not told"),
        (1, {"box": BOX, "matrix": model("anywidget", scene="old")}, MANAGED, "the browser was not told"),
    ],
)
def test_an_explorer_that_would_not_be_seen_is_named(views, models, metadata, words):
    (fault,) = shown(views, models, metadata)
    assert words in fault


def test_the_library_of_this_repository_is_not_taken_for_the_installed_one(tmp_path):
    good = {"colab": True, "widgets": "7.7.1", "library": f"{sys.prefix}/lib/unet_edu/__init__.py"}
    assert run.misfits(good) == []
    for change in ({"colab": False}, {"widgets": "8.1.9"}, {"library": f"{ROOT}/unet_edu/__init__.py"}):
        assert len(run.misfits({**good, **change})) == 1


def test_without_notebooks_it_fails(monkeypatch, tmp_path):
    monkeypatch.setattr(run, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="there is nothing to run"):
        run.main()
