"""The folders of lesson 10."""

import os
from pathlib import Path

import numpy as np
import pytest

from unet_edu.data.files import DataError
from unet_edu.data.folders import drawn_folder, new_pictures, nuclei_folder
from unet_edu.data.pictures import read_image, read_labels
from unet_edu.data.sources import pairs


def test_a_drawn_folder_is_the_same_each_time(tmp_path):
    one, two, other = drawn_folder(tmp_path / "one"), drawn_folder(tmp_path / "two"), drawn_folder(seed=100)
    files = sorted(path.relative_to(one) for path in one.rglob("*.tif"))
    assert len(files) == 60 and all((one / file).read_bytes() == (two / file).read_bytes() for file in files)
    assert not all((one / file).read_bytes() == (other / file).read_bytes() for file in files)


def test_new_pictures_are_those_that_nobody_has_marked(tmp_path):
    folder = drawn_folder(tmp_path)
    assert [path.parent.name for path in new_pictures(folder)] == ["new"] * 6
    (folder / "new").rename(folder / "elsewhere")
    assert new_pictures(folder) == [image for image, _ in pairs(folder)]


def test_a_folder_without_labels_is_refused(tmp_path):
    with pytest.raises(DataError, match="there is no 'images'"):
        new_pictures(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError, match="expected images"):
        new_pictures(tmp_path)


@pytest.mark.needs("real frames")
def test_nuclei_have_the_same_form(tmp_path):
    benchmark = Path(os.environ["UNET_EDU_TEST_DATA"], "dsb2018_fluo")
    folder = nuclei_folder(tmp_path, benchmark=benchmark, marked=5, new=2)
    marked = pairs(folder)
    assert (len(marked), len(new_pictures(folder)), len([*(folder / "new_labels").iterdir()])) == (5, 2, 2)
    for image, labels in marked:
        assert read_image(image).shape == read_labels(labels).shape and np.any(read_labels(labels))
