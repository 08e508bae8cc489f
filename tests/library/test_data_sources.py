"""Folders of other people's files: what belongs together, what is left out, and what looks wrong."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unet_edu.data.cells import synthetic_cells
from unet_edu.data.doubts import described, doubts, expect_something_to_learn
from unet_edu.data.files import DataError
from unet_edu.data.pictures import DataWarning
from unet_edu.data.sources import Labelled, common_scale, digest, frames, held_out, labelled, pairs, picture_files

NO_UTF8 = os.fsdecode(b"caf\xe9")


def save(path: Path, array: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        Image.fromarray(array).save(file, "TIFF" if path.suffix.startswith(".tif") else "PNG")
    return path


def save_pair(folder: Path, name: str = "a", *, end: str = ".png", labels: np.ndarray | None = None) -> None:
    image, cells = synthetic_cells(3, (40, 48), cells=4)
    save(folder / "images" / f"{name}{end}", (255 * image).astype(np.uint8))
    save(folder / "labels" / f"{name}.png", (cells if labels is None else labels).astype(np.uint8))


def read(folder: Path, **options) -> list[Labelled]:
    return labelled(str(folder), **options)[0]


def picture(labels, name="it", image=None, known=None) -> Labelled:
    labels = np.asarray(labels, np.int32)
    rng = np.random.default_rng(sum(name.encode()))
    return Labelled(name, rng.random(labels.shape) if image is None else image, labels, known)


# ---------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize("name", ["zelle_ä", "Å1", "한글", "e\u0301te"])
def test_an_accent_is_the_same_name_in_one_character_and_in_two(tmp_path, name):
    save_pair(tmp_path)
    composed, decomposed = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    assert composed != decomposed
    (tmp_path / "images" / "a.png").rename(tmp_path / "images" / f"{composed}.png")
    (tmp_path / "labels" / "a.png").rename(tmp_path / "labels" / f"{decomposed}.png")
    assert [(image.stem, labels.stem) for image, labels in pairs(tmp_path)] == [(composed, decomposed)]
    save(tmp_path / "images" / f"{decomposed}.tif", np.zeros((4, 4), np.uint8))
    with pytest.raises(DataError, match="has the same name as"):
        pairs(tmp_path)


def test_names_that_are_no_utf_8_are_names(tmp_path):
    save_pair(tmp_path, NO_UTF8)
    (one,) = read(tmp_path)
    assert one.name.endswith(f"{NO_UTF8}.png") and one.labels.max() > 1


def test_endings_may_differ_and_be_upper_case(tmp_path):
    for end in (".TIF", ".tiff", ".PNG"):
        save_pair(tmp_path, end[1:], end=end)
    assert len(pairs(tmp_path)) == 3


def test_what_is_not_read_is_said_once_with_a_count(tmp_path):
    save_pair(tmp_path)
    for name in ("notes.txt", "stack.czi", "._a.png", ".DS_Store", ".mine.png"):
        (tmp_path / "images" / name).write_bytes(b"x")
    save(tmp_path / "images" / "day2" / "b.png", np.zeros((4, 4), np.uint8))
    save(tmp_path / "images" / "day2" / "deep" / "c.png", np.zeros((4, 4), np.uint8))
    with pytest.warns(DataWarning) as caught:
        assert len(pairs(tmp_path)) == 1
    (said,) = (str(warning.message) for warning in caught)
    assert said == (
        f"{tmp_path / 'images'}: not read: 2 files in subfolders (such as day2/b.png), 1 file hidden (such as "
        ".mine.png), 2 files of other kinds (such as notes.txt)"
    )


def test_a_folder_of_which_nothing_is_read_says_why(tmp_path):
    save(tmp_path / "day1" / "b.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(DataError, match=r"found none but 1 file in subfolders \(such as day1"):
        picture_files([tmp_path])
    (tmp_path / "it.png").mkdir()  # a folder with the name of a picture
    with pytest.raises(DataError, match="found none"):
        picture_files([tmp_path])


def test_results_are_left_out_only_where_their_picture_stands_beside_them(tmp_path):
    for name in ("a.png", "a_mask.png", "cell_mask.png", "b_labels.tif"):
        save(tmp_path / name, np.zeros((4, 4), np.uint8))
    with pytest.warns(DataWarning, match=r"not read: 1 file from an earlier run \(such as a_mask.png\)"):
        chosen = picture_files([tmp_path], ("_mask.png", "_labels.tif"))
    assert [path.name for path in chosen] == ["a.png", "b_labels.tif", "cell_mask.png"]
    assert picture_files([tmp_path / "a_mask.png"], ("_mask.png",)) == [tmp_path / "a_mask.png"], (
        "who names a file means it"
    )


# --------------------------------------------------------------------------------------------------------------- labels


def test_pixels_that_nobody_knows(tmp_path):
    labels = np.zeros((40, 48), np.uint8)
    labels[:10], labels[20:30, :20] = 255, 1
    save_pair(tmp_path, labels=labels)
    (one,) = read(tmp_path, classes=2, ignore=255)
    np.testing.assert_array_equal(one.known, labels != 255)
    assert one.labels.max() == 1 and not one.labels[:10].any()
    with pytest.raises(
        DataError,
        match=r"expected numbers from 0 to 1, got 0, 1, 255; number the classes anew, or, if .* as in --ignore 255",
    ):
        read(tmp_path, classes=2)
    with pytest.raises(ValueError, match="--ignore 0: of cells 0 is the background"):
        read(tmp_path, ignore=0)
    with pytest.warns(DataWarning, match="no label holds 7, which was to be ignored; is it the right number"):
        ((one,), _) = labelled(str(tmp_path), ignore=7)
    assert one.known is None, "where the number is nowhere, everything is known"


def test_two_classes_may_be_a_mask_of_0_and_255(tmp_path):
    mask = np.zeros((40, 48), np.uint8)
    mask[5:9] = 255
    for name in "ab":
        save_pair(tmp_path, name, labels=mask)
    with pytest.warns(
        DataWarning, match=r"a\.png: 255 is taken for class 1, because all labels are masks of 0 and 255"
    ):
        images, _ = labelled(str(tmp_path), classes=2)
    np.testing.assert_array_equal(images[1].labels, mask // 255)
    save_pair(tmp_path, "c", labels=mask // 255)  # so it stands for something else
    with pytest.raises(DataError, match=r"a\.png: expected numbers from 0 to 1, got 0, 255"):
        read(tmp_path, classes=2)


def test_a_mask_becomes_cells_and_numbers_stay(tmp_path):
    mask = np.zeros((40, 48), np.uint8)
    mask[1:3, 1:3] = mask[5:7, 5:8] = 255
    save_pair(tmp_path, labels=mask)
    assert np.unique(read(tmp_path)[0].labels).tolist() == [0, 1, 2]
    save_pair(tmp_path, labels=mask // 255 * np.arange(48, dtype=np.uint8))
    assert np.unique(read(tmp_path)[0].labels).tolist() == [0, 1, 2, 5, 6, 7]


def test_sources_that_are_none(tmp_path):
    with pytest.raises(ValueError, match="expected a folder, 'cells', or one of PhC-C2DH-U373"):
        labelled(str(tmp_path / "no"))
    with pytest.raises(ValueError, match="--classes and --ignore are for folders of yours"):
        labelled("cells", classes=3)
    save_pair(tmp_path, labels=np.zeros((30, 48)))
    with pytest.raises(DataError, match=r"a\.png: expected the size of its image, \(40, 48\), got \(30, 48\)"):
        read(tmp_path)


def names(images: tuple[list[Labelled], list[Labelled]]) -> tuple[str, str]:
    training, validation = images
    return "".join(one.name for one in training), "".join(one.name for one in validation)


def test_frames_are_held_out_in_one_piece():
    images = [picture(np.eye(4), name) for name in "abcde"]
    assert names(held_out(images, 0.4)) == ("abc", "de")
    assert names(held_out(images, 0.01)) == ("abcd", "e"), "somebody who asks for a part gets one"
    assert names(held_out(images, 0.9)) == ("a", "bcde")
    assert names(held_out(images, 0)) == ("abcde", "")
    assert names(held_out(images[:1], 0.5)) == ("a", "")


def test_where_the_last_have_no_cell_more_are_held_out():
    def images(pattern):
        return [picture(np.eye(4) * (sign == "x"), name) for name, sign in zip("abcdef", pattern, strict=False)]

    with pytest.warns(DataWarning, match="^c: held out as well, because nothing is on the 3 images behind it"):
        assert names(held_out(images("xxx---"), 0.2)) == ("ab", "cdef")
    for pattern, expected in (("xxx-x-", ("abcd", "ef")), ("x-----", ("abcd", "ef")), ("------", ("abcd", "ef"))):
        # there is one among them; or none to spare
        assert names(held_out(images(pattern), 0.34)) == expected
    assert names(held_out(images("xx----"), 0)) == ("abcdef", ""), "nothing was asked for"


def test_each_picture_has_its_own_range_or_all_have_one():
    pytest.importorskip("torch")
    ramp = np.arange(2000).reshape(40, 50)
    images = [picture(np.zeros((40, 50)), image=image) for image in (ramp.astype(np.int16), 5 * ramp.astype(np.int16))]
    for frame in frames(images, 1, {}):
        assert frame.image.min() == 0 and frame.image.max() == 1 and frame.image.dtype == np.float32
    scale = common_scale(images, 1)
    assert scale["dark"] == pytest.approx(20, abs=1) and scale["bright"] == pytest.approx(5 * 1979, abs=5)
    assert scale["numbers"] == "int16"
    dim, light = frames(images, 1, {"contrast": "range", **scale})
    np.testing.assert_allclose(5 * dim.image[20], light.image[20], atol=0.02)  # what is five times as bright stays so
    assert dim.image.max() < 0.21
    other = picture(np.zeros((40, 50)), "deep", image=ramp.astype(np.uint16))
    with pytest.raises(
        DataError, match="deep: holds uint16, and it int16, so the same number means another brightness"
    ):
        common_scale([*images, other], 1)
    with pytest.raises(DataError, match="deep: holds uint16, and the images to train on int16"):
        frames([other], 1, {"contrast": "range", **scale})
    with pytest.raises(DataError, match="it and all others are constant, so there is no range"):
        common_scale([picture(np.eye(4), image=np.ones((4, 4)))], 1)
    with pytest.warns(
        DataWarning, match="it: all its pixels are nearly equal: they fill less than a hundredth of the range"
    ):
        frames([images[0]._replace(image=np.full((40, 50), 500, np.int16))], 1, {"contrast": "range", **scale})


def test_a_digest_tells_one_set_from_another():
    some = [picture(np.eye(8), "a"), picture(np.eye(8), "b")]
    changed = some[0].labels.copy()
    changed[0, 1] = 7
    others = [
        some[::-1],
        some[:1],
        [some[0]._replace(labels=changed), some[1]],
        [some[0]._replace(known=changed > 0), some[1]],
    ]
    assert len({digest(some), *map(digest, others)}) == 5
    assert digest(some) == digest([picture(np.eye(8), "a"), picture(np.eye(8), "b")])


# -------------------------------------------------------------------------------------------- what is said before a run


CELLS = synthetic_cells(0, (64, 64), cells=5)[1]


def test_what_was_read_is_described():
    images = [
        picture(CELLS),
        picture(np.zeros((64, 64))),
        picture(np.pad(CELLS, 8), image=np.zeros((3, 80, 80), np.uint16)),
    ]
    assert described(images, None) == (
        "3 images, 64×64 to 80×80, float64, uint16 in colour; 0, 5, 5 cells per image (least, median, most), on "
        f"{100 * 2 * np.mean(CELLS > 0) * 64**2 / (2 * 64**2 + 80**2):.2g} % of the pixels"
    )
    half = np.repeat([[0, 2]], 32, axis=1).repeat(64, axis=0)
    known = np.ones((64, 64), bool)
    known[:, :16] = False
    assert described([picture(half, known=known)], 3) == (
        "1 image, 64×64 pixels, float64; of the pixels are 33 % class 0, 67 % class 2; nobody knows 25 %"
    )
    assert described([], None) == "no image"


@pytest.mark.parametrize(
    ("labels", "classes", "known", "said"),
    [
        (np.zeros((8, 8)), None, None, "there is no cell, every pixel is 0"),
        (1 + np.eye(8), None, None, "no pixel is 0, which is the background, .* --classes 3"),
        (np.full((8, 8), 2), 3, None, "every pixel is of class 2; there is nothing to tell apart"),
        (np.zeros((8, 8)), 2, np.zeros((8, 8), bool), "nobody knows any pixel; which number is --ignore to be"),
    ],
)
def test_a_set_on_which_nothing_can_be_learned_is_refused(labels, classes, known, said):
    with pytest.raises(DataError, match=f"^mine.png and 1 more, to train on: .*{said}"):
        expect_something_to_learn([picture(labels, "mine.png", known=known)] * 2, classes)
    expect_something_to_learn([picture(CELLS)], None)


def edges(mask, width=2):
    """The mask with smooth edges, as drawing programs make them."""
    from scipy.ndimage import gaussian_filter

    return np.rint(255 * gaussian_filter(mask.astype(float), width)).astype(int)


DISCS = np.hypot(*(np.indices((64, 64)) % 32 - 16)) < 10


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.where(CELLS, CELLS, 9), "no pixel is 0, which is the background; are these kinds of things"),
        (np.where(CELLS, 0, 1), r"most of the picture is cell \(\d+ %\)"),
        (
            np.roll(DISCS, 3) * 7 + DISCS * (1 - np.roll(DISCS, 3)),
            r"number \d lies in \d pieces, and 2 of 2 numbers in more than one",
        ),
        (edges(DISCS), "numbers are nowhere three pixels wide, as the greys along the edges"),
        (edges(CELLS > 0, 1), "greys along the edges"),
        (
            np.pad(np.zeros((40, 40)), 2, constant_values=1),
            r"its cells enclose background \(83 % of the picture\).*as in --classes 2",
        ),
    ],
)
def test_labels_that_look_wrong_are_named(labels, said):
    found = doubts([picture(CELLS, "good"), picture(labels, "bad.png")], [], None)
    assert found and all(text.startswith("bad.png: ") for text in found)
    assert re.search(said, " ".join(found)), found


def test_what_is_the_same_with_many_files_is_said_once():
    (said,) = doubts([picture(np.where(CELLS, 0, 1), f"{n}.png") for n in range(30)], [], None)
    assert said.startswith("0.png and 29 more: most of the picture is cell")


def test_good_labels_raise_no_doubt():
    looks = [synthetic_cells(seed, look=look) for seed in range(8) for look in ("fluorescence", "phase")]
    images = [Labelled(f"{n}", *pair) for n, pair in enumerate(looks)]
    assert doubts(images[:12], images[12:], None) == []


def test_held_out_images_without_a_cell():
    good, empty = picture(CELLS, "good"), picture(np.zeros((64, 64)), "empty.png")
    (said,) = doubts([good], [empty, empty], None)
    assert said.startswith("empty.png and 1 more: no image that is held out has a cell") and "val_loss chooses" in said
    (said,) = doubts([good], [good._replace(name="x", image=good.image[::-1]), empty], None)
    assert said == "empty.png: held out, and without a cell"


def test_classes_that_are_missing():
    two, three = picture(np.eye(64), "two"), picture(2 * np.eye(64), "three")
    assert doubts([two], [three], 4) == [
        "classes 2, 3 on none of the images that are to train on: what is not there cannot be learned",
        "classes 1, 3 on none of the images that are held out: val_iou says nothing of what is not there",
    ]
    (said, _) = doubts([two], [two._replace(image=1 - two.image)], 256)
    assert said.startswith("classes 2, 3 … 255 on none")


def test_the_same_few_numbers_everywhere_are_kinds_of_things():
    tissue = np.repeat([[0, 1, 2, 2]], 16, axis=1).repeat(64, axis=0)
    found = doubts([picture(tissue, f"{n}") for n in range(4)], [], None)
    assert any(
        re.match(r"0 and 3 more: all hold the same numbers, 1, 2\. .* as in --classes 3$", text) for text in found
    )


def test_the_same_picture_on_both_sides_is_a_leak():
    training = [picture(CELLS, f"{n}.png") for n in range(5)]
    (said,) = doubts(training, [training[2]._replace(name="again.png")], None)
    assert said.startswith("again.png: held out, and the same picture as 2.png, which is trained on")


def test_neighbours_in_a_film_are_a_leak_and_pictures_of_one_kind_are_not():
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(2015)
    scene = gaussian_filter(rng.standard_normal((90, 90)), 3)
    film = [
        picture(CELLS, f"t{n:02}.png", scene[n : n + 64, n : n + 64] + 0.01 * rng.standard_normal((64, 64)))
        for n in range(20)
    ]
    (said,) = doubts(film[:16], film[16:], None)
    assert said.startswith("t16.png: held out, and nearly the same picture as t15.png")
    shade = 30 * np.hypot(*np.indices((64, 64)))  # the same in all: a lens, the edge of an eye
    alike = [picture(CELLS, f"{n}.png", shade + gaussian_filter(rng.standard_normal((64, 64)), 3)) for n in range(20)]
    assert doubts(alike[:16], alike[16:], None) == []
