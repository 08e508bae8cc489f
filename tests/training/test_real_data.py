"""The benchmark on real frames: nothing that is trained on is scored, and the program runs to its end."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unet_edu.data.benchmarks import RealFrame
from unet_edu.data.cells import synthetic_cells
from unet_edu.losses import separated

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def program(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def real_data():
    return program("real_data")


def frames_of(real_data, setting):
    return real_data.benchmarks.load(setting.data, os.environ["UNET_EDU_TEST_DATA"])


@pytest.mark.needs("real frames")
@pytest.mark.parametrize("experiment", ["dic", "phc", "phc-back", "em", "dsb"])
def test_no_frame_is_trained_on_and_scored(real_data, experiment):
    setting = real_data.SETTINGS[experiment]
    training, scored = real_data.split(setting, frames_of(real_data, setting))
    assert len(training) >= 18
    assert len(scored) >= 6
    assert not {frame.name for frame in training} & {frame.name for frame in scored}
    # of a film or a block, not even neighbours lie on both sides, but at the one cut
    if experiment in ("dic", "em"):
        assert max(frame.index for frame in training) < min(frame.index for frame in scored)
    if experiment.startswith("phc"):
        assert {frame.sequence for frame in training}.isdisjoint(frame.sequence for frame in scored)


@pytest.mark.needs("real frames")
@pytest.mark.parametrize("experiment", ["dic", "phc", "em", "dsb"])
def test_settings_are_chosen_inside_the_training_frames(real_data, experiment):
    setting = real_data.SETTINGS[experiment]
    training, scored = real_data.split(setting, frames_of(real_data, setting))
    first, second = real_data.split_training(training)
    names = {frame.name for frame in training}
    assert {f.name for f in first} | {f.name for f in second} == names
    assert len(first) + len(second) == len(names)
    assert names.isdisjoint(frame.name for frame in scored)


@pytest.mark.needs("real frames")
@pytest.mark.parametrize("experiment", ["dic", "phc", "em", "dsb"])
def test_perfect_answers_have_perfect_scores(real_data, experiment):
    setting = real_data.SETTINGS[experiment]
    _, scored = real_data.split(setting, frames_of(real_data, setting))
    scored = scored[:2]
    if setting.membranes:
        table = real_data.membrane_table([frame.gold.astype(np.float32) for frame in scored], scored)
        assert table == {"pixel_error": 0, "rand_error": 0, "warping_error": 0, "membrane_iou": 1}
    else:
        truths = [frame.silver if experiment == "dic" else frame.gold for frame in scored]
        table = real_data.cell_table(setting, truths, scored)
        assert (table["seg"], table["iou"]) == (1, 1)
        assert table["cells"] == table["found"] > 10


@pytest.mark.needs("real frames")
@pytest.mark.parametrize("experiment", ["dic", "phc", "dsb"])
def test_labels_and_probabilities_lie_where_the_image_does(real_data, experiment):
    """A network that knew its labels would reach nearly the whole score: zooming there and back moves nothing."""
    setting = real_data.SETTINGS[experiment]
    training, _ = real_data.split(setting, frames_of(real_data, setting))
    setting = real_data.fitted(setting, training)
    frame = training[0]
    truth = frame.gold if setting.labels == "gold" else frame.silver
    asked = separated(real_data.labels(setting, frame)).astype(np.float32)
    assert asked.shape == real_data.seen(setting, frame.image).shape
    answer = real_data.sized(setting, asked, truth.shape)
    found = real_data.instances_from_probability(answer, min_size=setting.min_size, grow=1 / setting.zoom)
    assert real_data.cell_scores(found, truth).mean() > 0.85  # cells of 10 pixels lose a share to every half pixel


def test_the_published_results_are_what_the_program_writes(real_data):
    """Each row names the command that makes it; the file is small and knows nothing of the machine's folders."""
    text = real_data.RESULTS.read_text(encoding="utf-8")
    assert len(text) < 200_000
    assert "/tmp" not in text
    assert "/home" not in text
    results = json.loads(text)
    assert {record["experiment"] for record in results["records"]} <= set(real_data.SETTINGS)
    assert len(results["records"]) >= 30
    for record in results["records"]:
        variant = record["variant"].split(",")[0].replace(" ", "-")
        assert record["scores"] and {"date", "hardware", "torch"} <= record.keys()
        if "curve" in record:
            assert record["curve"][-1:] == [] or record["curve"][-1]["step"] == record["steps"]
        if "commit" in record:
            asked = f"{record['experiment']} --open --variant {variant} --seed {record['seed']}"
            assert record["opened"] <= results["header"]["opened"][record["experiment"]]
            assert record["aim"] and (
                variant == "otsu" or record["command"] == f"python benchmarks/real_data.py {asked}"
            )
        else:  # from before the rules
            asked = f"{record['experiment']} --variant {variant} --seed {record['seed']} --steps {record['steps']}"
            assert record["note"] and record["stored"]
            assert variant == "otsu" or record["command"] == f"python benchmarks/real_data.py {asked}"


def test_the_pages_say_what_the_files_say(real_data):
    """Lesson 09's aims are those of the file, and its story of the old rows is theirs; other pages name no score."""
    root = BENCHMARKS.parent
    cells = json.loads((root / "course" / "09_results.ipynb").read_text(encoding="utf-8"))["cells"]
    lesson = "\n".join("".join(cell["source"]) for cell in cells)
    rows = re.findall(r"^\| `([\w-]+)` \| (`(?:seg|pixel_error)` at .*) \|$", lesson, re.MULTILINE)
    told = {name: {s: float(aim) for s, aim in re.findall(r"`(\w+)` at \w+ ([\d.]+)", text)} for name, text in rows}
    assert told == real_data.AIM
    old = [row for row in json.loads(real_data.RESULTS.read_text(encoding="utf-8"))["records"] if "commit" not in row]
    steps = {name: [r["steps"] for r in old if (r["experiment"], r["variant"]) == (name, "full")] for name in told}
    for name, before, after in re.findall(
        r"`(\w+)`(?: was run)? for (\d+)(?: steps)?[ \w]*,? (?:and )?then for (\d+)", lesson
    ):
        assert steps.pop(name) == [int(before), int(after)]
    assert steps == {"phc-back": [500], "dsb": [1000]}
    assert {row["seed"] for row in old} == {0}
    for page in ("README.md", "docs/training.md"):
        assert not re.findall(r"SEG (?:of )?0\.\d+", (root / page).read_text(encoding="utf-8")), page


def git(folder, *words):
    return subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True).stdout.strip()


def lists(folder):
    """Whether git knows the commits' history here: not in an archive, nor in a clone of the last commit only."""
    try:
        return git(folder, "rev-parse", "--is-shallow-repository") == "false"
    except (OSError, subprocess.CalledProcessError):
        return False


def test_no_row_that_was_ever_stored_is_gone(real_data):
    """Each row of each commit is there still; and what a row says of its settings is in the commit that it names."""
    if not lists(real_data.ROOT):
        pytest.skip("needs the history of this repository: git clone, and not --depth 1")
    results = json.loads(real_data.RESULTS.read_text(encoding="utf-8"))["records"]
    path = real_data.RESULTS.relative_to(real_data.ROOT).as_posix()
    stored = git(real_data.ROOT, "log", "--format=%h", "--", path).split()
    assert stored
    for commit in stored:
        for old in json.loads(git(real_data.ROOT, "show", f"{commit}:{path}"))["records"]:
            same = [row for row in results if all(row[key] == old[key] for key in ("experiment", "variant", "scores"))]
            assert same, (commit, old["experiment"], old["variant"])
    for row in results:
        if "commit" in row:
            settings, aims, _ = real_data.read_settings(
                git(real_data.ROOT, "show", f"{row['commit']}:{real_data.AIMS}")
            )
            assert row["aim"] == aims[row["experiment"]]
            assert row["variant"] == "otsu" or row["steps"] == settings[row["experiment"]].steps


def drawn_frames():
    """Three frames of each of two films of PhC-U373, drawn."""

    def frame(film, n):
        image, cells = synthetic_cells(10 * film + n, (64, 64), cells=4)
        files = {"image": lambda: image, "gold": lambda: cells, "silver": lambda: cells, "markers": lambda: cells}
        return RealFrame("PhC-C2DH-U373", film, n, f"PhC-C2DH-U373/{film:02}/t{n:03}", files)

    return [frame(film, n) for film in (1, 2) for n in range(3)]


TINY = """
[phc]
aim = {seg = 0.5}
data = "PhC-C2DH-U373"
steps = 2
width = 2
crop = 32
batch_size = 1

[phc-back]
aim = {seg = 0.6}
like = "phc"
back = true

[variant.no-weight-map]
w0 = 0.0
"""


@pytest.fixture
def repository(real_data, tmp_path, monkeypatch):
    """A commit with settings and one row, and drawn frames in place of real ones. Calling it reads its results."""
    settings, results = tmp_path / real_data.AIMS, tmp_path / "results" / "real_data.json"
    for file, text in (
        (settings, TINY),
        (results, '{"header": {"date": "before", "opened": {"phc": 4}}, "records": [{"experiment": "phc", "old": 1}]}'),
    ):
        file.parent.mkdir()
        file.write_text(text)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=me", "-c", "user.email=me@here", "commit", "-qm", "settings")
    for name, value in zip(("SETTINGS", "AIM", "VARIANTS"), real_data.read_settings(TINY), strict=True):
        monkeypatch.setattr(real_data, name, value)
    monkeypatch.setattr(real_data, "ROOT", tmp_path)
    monkeypatch.setattr(real_data, "RESULTS", results)
    monkeypatch.setattr(real_data.benchmarks, "__file__", str(tmp_path / "unet_edu" / "data" / "benchmarks.py"))
    monkeypatch.setattr(real_data.benchmarks, "load", lambda name, folder: drawn_frames())
    read = lambda: json.loads(results.read_text())
    read.folder = tmp_path
    return read


def test_a_score_is_counted_and_appended(real_data, repository):
    old, commit = repository()["records"], git(repository.folder, "rev-parse", "HEAD")
    for opened in (5, 6):  # the second run, when the file of results differs from the commit already
        before = repository()["records"]
        real_data.main(["phc", "--open"])
        results = repository()
        rows = results["records"][len(before) :]
        assert results["records"][: len(before)] == before and before[:1] == old
        assert [row["variant"] for row in rows][::3] == ["full", "otsu"] and len(rows) == 4
        assert {row["commit"] for row in rows} == {commit} and {row["opened"] for row in rows} == {opened}
        assert results["header"] == {"date": "before", "opened": {"phc": opened}}
        assert rows[0]["aim"] == {"seg": 0.5} and rows[0]["steps"] == 2 and rows[0]["curve"] == []
        assert rows[0]["split"] == "PhC-C2DH-U373/01/t000 … t002 (3 frames) → PhC-C2DH-U373/02/t000 … t002 (3 frames)"
    real_data.main(["phc-back", "--open", "--variant", "no-weight-map"])
    assert repository()["header"]["opened"] == {"phc": 6, "phc-back": 1}
    assert repository()["records"][-1]["variant"].startswith("no weight map")


def test_a_scoring_that_breaks_is_counted(real_data, repository, monkeypatch):
    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(real_data, "evaluate", broken)
    with pytest.raises(KeyboardInterrupt):
        real_data.main(["phc", "--open"])
    assert repository()["header"]["opened"] == {"phc": 5} and len(repository()["records"]) == 1


@pytest.mark.parametrize("name", ["benchmarks/real_data.toml", "new.py"])
def test_what_is_not_committed_is_not_scored(real_data, repository, name):
    with open(repository.folder / name, "a") as file:
        file.write("# another line\n")
    with pytest.raises(SystemExit, match=rf"(?s)not everything is committed.*{name}"):
        real_data.main(["phc", "--open"])
    assert repository()["header"]["opened"] == {"phc": 4}


def test_other_settings_and_another_library_are_not_scored(real_data, repository, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setitem(real_data.SETTINGS, "phc", replace(real_data.SETTINGS["phc"], steps=3))
        with pytest.raises(SystemExit, match="not those of benchmarks/real_data.toml in commit [0-9a-f]{40}"):
            real_data.main(["phc", "--open"])
    with monkeypatch.context() as patched:
        patched.setattr(real_data.benchmarks, "__file__", "/elsewhere/unet_edu/data/benchmarks.py")
        with pytest.raises(SystemExit, match="unet_edu comes from /elsewhere/unet_edu"):
            real_data.main(["phc", "--open"])
    for asked in (["--open", "--set", "steps=3"], [], ["--open", "--choose"]):
        with pytest.raises(SystemExit):
            real_data.main(["phc", *asked])
    assert repository()["header"]["opened"] == {"phc": 4}


def test_choosing_sees_training_frames_only_and_writes_nothing(real_data, repository, monkeypatch, capsys):
    seen = set()
    asked = real_data.probability
    look = lambda setting, model, image, **how: seen.add(image.tobytes()) or asked(setting, model, image, **how)
    monkeypatch.setattr(real_data, "probability", look)
    before = repository()
    real_data.main(["phc", "--choose", "--set", "steps=3", "--set", "crops.scale=1.5"])
    assert seen == {frame.image.tobytes() for frame in drawn_frames()[2:3]}  # the last third of film 1
    assert repository() == before and "2 frames to train on, 1 to choose by" in capsys.readouterr().out
    with pytest.raises(SystemExit):  # it trains on film 2, which "phc" scores
        real_data.main(["phc-back", "--choose"])


@pytest.mark.parametrize(("diameter", "zoom"), [(110, 0.5), (61, 0.5), (40, 1), (12, 2), (4, 2), (500, 0.25)])
def test_the_zoom_and_the_smallest_cell_are_read_off_the_median_cell(real_data, diameter, zoom):
    side = round(diameter * np.sqrt(np.pi / 4))  # a square of that area
    cells = np.kron([[1, 2, 3]], np.ones((side, side), np.int32))
    cells[0, :2] = 9  # a speck moves no median
    setting = replace(real_data.SETTINGS["phc"], labels="gold")
    frame = RealFrame("PhC-C2DH-U373", 1, 0, "a frame", {"gold": lambda: cells})
    found = real_data.fitted(setting, [frame])
    assert (found.zoom, found.min_size) == (zoom, round(side**2 / 25))
    named = replace(setting, zoom=3.0, min_size=7)
    assert real_data.fitted(named, [frame]) == named


def test_settings_are_read_and_changed_by_name(real_data):
    settings, aims, variants = real_data.read_settings(TINY)
    assert settings["phc-back"] == replace(settings["phc"], back=True, like="phc")
    assert aims == {"phc": {"seg": 0.5}, "phc-back": {"seg": 0.6}} and variants["full"] == {}
    tried = real_data.changed(replace(settings["phc"], crops={"margin": 16}), ["crops.scale=1.4", "zoom=0.5"])
    assert tried.crops == {"margin": 16, "scale": 1.4} and tried.zoom == 0.5
    with pytest.raises(TypeError, match="stepps"):
        real_data.read_settings(TINY.replace("steps", "stepps"))


def test_every_ablation_has_its_runs_and_its_pictures(real_data):
    program("in_parts")  # which it imports, as it does real_data
    ablations = program("ablations")
    records = json.loads(ablations.RESULTS.read_text(encoding="utf-8"))["records"]
    runs = {(record["variant"], record["seed"]) for record in records}
    assert runs == {(variant, seed) for variant in ablations.VARIANTS for seed in (0, 1, 2)}
    assert {record["steps"] for record in records} == {ablations.STEPS}
    pictures = ablations.RESULTS.with_suffix(".npz")
    assert pictures.stat().st_size < 200_000
    with np.load(pictures) as arrays:
        assert set(arrays.files) == {"images", "truth", *ablations.VARIANTS}
        assert {arrays[name].shape for name in arrays.files} == {(ablations.SHOWN, ablations.SIDE, ablations.SIDE)}
        first = ablations.drawn(2000, 1)[0]  # the kept pictures are the first of those that are scored
        assert (arrays["truth"][0] == first.instances).all()


def test_every_recipe_of_lesson_07_has_its_runs(real_data):
    program("in_parts"), program("ablations")  # which it imports, as it does real_data
    recipes = program("recipes")
    records = json.loads(recipes.RESULTS.read_text(encoding="utf-8"))["records"]
    runs = {(record["variant"], record["seed"]) for record in records}
    assert runs == {(variant, seed) for variant in recipes.VARIANTS for seed in (0, 1, 2)} and len(records) == len(runs)
    assert {record["steps"] * record["batch_size"] for record in records} == {400}


def test_a_recipe_is_trained_and_scored(real_data, tmp_path, monkeypatch):
    program("in_parts"), program("ablations")
    recipes = program("recipes")
    monkeypatch.setattr(recipes, "OURS", {**recipes.OURS, "steps": 2})
    monkeypatch.setattr(recipes, "WIDTHS", (2, 2))
    for _ in range(2):  # a row of the same variant and seed is replaced
        recipes.main(["--seeds", "1", "--variants", "normalised", "focal", "--out", str(tmp_path / "new.json")])
    first, second = json.loads((tmp_path / "new.json").read_text(encoding="utf-8"))["records"]
    assert (first["variant"], second["variant"], first["steps"]) == ("normalised", "focal", 2)
    assert abs(first["scores"]["iou"] - first["scores"]["iou_dim"]) < 1e-3, "light that is normalised away"
    assert all(0 <= score <= 1 for record in (first, second) for score in record["scores"].values())
