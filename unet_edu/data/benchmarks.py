"""The real benchmarks: four sets of microscope images, on which the U-Net and its followers were measured. Lesson 09.

None of them is part of this package. `fetch` downloads one from its publisher into a folder of yours, `load` reads it,
and `split` says which frames are for training and which for the score.

    frames = load("PhC-C2DH-U373", fetch("PhC-C2DH-U373"))
    training, scored = split(frames)
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unet_edu.data.archives import ResumingDownloader, appearing, unpack
from unet_edu.data.files import DataError
from unet_edu.data.pictures import read_image, read_labels

__all__ = [
    "BENCHMARKS",
    "Benchmark",
    "DataError",
    "RealFrame",
    "by_id",
    "by_position",
    "by_sequence",
    "cache",
    "fetch",
    "load",
    "split",
]


class Benchmark(NamedTuple):
    """What there is to know about a set before one downloads it."""

    what: str
    url: str
    sha256: str
    licence: str
    cite: tuple[str, ...]
    png: str
    """The set's folder in the layout of plain PNG files that `load` reads too."""


_TRACKING = "free for research, when the works below and the providers of the images are cited"
_TRACKING_WORKS = (
    'Maška and others (2014), "A benchmark for comparison of cell tracking algorithms", Bioinformatics 30',
    'Ulman and others (2017), "An objective comparison of cell-tracking algorithms", Nature Methods 14',
    'Maška and others (2023), "The Cell Tracking Challenge: 10 years of objective benchmarking", Nature Methods 20',
)

BENCHMARKS = {
    "PhC-C2DH-U373": Benchmark(
        "glioblastoma-astrocytoma cells under phase contrast: two sequences of 115 frames, 520×696",
        "http://data.celltrackingchallenge.net/training-datasets/PhC-C2DH-U373.zip",
        "b18185c18fce54e8eeb93e4bbb9b201d757add9409bbf2283b8114185a11bc9e",
        _TRACKING,
        _TRACKING_WORKS,
        "phc_u373",
    ),
    "DIC-C2DH-HeLa": Benchmark(
        "HeLa cells that touch, under differential interference contrast: two sequences of 84 frames, 512×512",
        "http://data.celltrackingchallenge.net/training-datasets/DIC-C2DH-HeLa.zip",
        "832fed2d05bb7488cf9c51a2994b75f8f3f53b3c3098856211f2d39023c34e1a",
        _TRACKING,
        _TRACKING_WORKS,
        "dic_hela",
    ),
    "ISBI-2012": Benchmark(
        "neurons of a fruit fly under the electron microscope: 30 slices through one block, 512×512",
        "https://oc.embl.de/index.php/s/h0TkwqxU0PJDdMd/download",
        "0e10fe909a1243084d91773470856993b7d40126a12e85f0f1345a7a9e512f29",
        "free for research, when the works below are cited",
        (
            (
                'Cardona and others (2010), "An integrated micro- and macroarchitectural analysis of the Drosophila '
                'brain", PLoS Biology 8'
            ),
            (
                'Arganda-Carreras and others (2015), "Crowdsourcing … of image segmentation algorithms for '
                'connectomics", Front. Neuroanat. 9'
            ),
        ),
        "isbi2012_em",
    ),
    "DSB-2018": Benchmark(
        "cell nuclei under the fluorescence microscope: the Data Science Bowl's images in the choice made for StarDist",
        "https://github.com/stardist/stardist/releases/download/0.1.0/dsb2018.zip",
        "e44921950edce378063aa4457e625581ba35b4c2dbd9a07c19d48900129f386f",
        "CC0",
        (
            (
                'Caicedo and others (2019), "Nucleus segmentation across imaging experiments: the 2018 Data Science '
                'Bowl", Nature Methods 16'
            ),
        ),
        "dsb2018_fluo",
    ),
}
"""The sets by name."""

Reader = Callable[[], NDArray[Any]]


@dataclass(frozen=True)
class RealFrame:
    """One image of a benchmark with its labels. Each array is read when it is asked for: keep what you use twice."""

    benchmark: str
    sequence: int
    """The sequence it belongs to, from 1; 0 where the set has none."""
    index: int
    """Its number in time (the cells), in depth (ISBI-2012), or among the sorted names (DSB-2018)."""
    name: str
    """Says which frame it is, in errors and tables: "PhC-C2DH-U373/01/t007"."""
    files: dict[str, Reader] = field(repr=False, compare=False)
    """Reads "image", "gold", "silver" and "markers", as far as the frame has them."""

    @property
    def image(self) -> NDArray[np.float32]:
        """(H, W) float32. Divided by the largest number of the file's type, not stretched: 8 bits go from 0 to 1."""
        image = self.files["image"]()
        return (image / (np.iinfo(image.dtype).max if image.dtype.kind in "ui" else 1)).astype(np.float32)

    @property
    def gold(self) -> NDArray[np.int32] | None:
        """(H, W) int32, drawn by people: 0 is background, cells have numbers. In ISBI-2012: 0 on membrane, else 1.

        Many frames have none. In the Cell Tracking Challenge it may hold only some cells: see `every_cell_is_gold`.
        """
        return self._labels("gold")

    @property
    def silver(self) -> NDArray[np.int32] | None:
        """(H, W) int32, voted for by programs of the Cell Tracking Challenge: on every frame, and slightly wrong."""
        return self._labels("silver")

    @property
    def markers(self) -> NDArray[np.int32] | None:
        """(H, W) int32, a blob in each cell of the Cell Tracking Challenge. Tells how many, not where they end."""
        return self._labels("markers")

    @property
    def every_cell_is_gold(self) -> bool:
        """Whether `gold` holds all cells of the frame. Else what is outside is no background: ask only for SEG."""
        gold, markers = self.gold, self.markers
        return gold is not None and (markers is None or len(np.unique(gold)) == len(np.unique(markers)))

    def _labels(self, kind: str) -> NDArray[np.int32] | None:
        return self.files[kind]() if kind in self.files else None


def cache() -> Path:
    """The folder into which `fetch` puts what it downloads, if told no other: the usual place of the system."""
    import pooch

    return Path(pooch.os_cache("unet-edu"))


def fetch(name: str, folder: str | os.PathLike[str] | None = None, *, progress: bool = True) -> Path:
    """Download a benchmark from its publisher, once.

    A download that broke goes on where it stopped. The benchmark's folder appears when all has come, its checksum is
    right and all is unpacked; until then there is none. Two processes may ask at once: the second waits for the first.

    Parameters
    ----------
    name : str
        One of `BENCHMARKS`. Its `licence` says on which terms it may be used, and whom to `cite`.
    folder : path, optional
        Where to keep it. Without it, `cache()`.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Path
        The benchmark's folder, for `load`.

    Raises
    ------
    ValueError
        When there is no such benchmark.
    DataError
        When there is no network, the disk is full, the folder cannot be written, or what came is damaged or not what
        was published. The sentence says what to do.
    """
    base = cache() if folder is None else Path(folder)
    target = base / _known(name)
    if not _is_there(target):
        with _in_plain_words(base), _alone(base, name, progress):
            if not _is_there(target):  # another process may have brought it while this one waited
                _bring(name, target, progress)
    return target


def _is_there(target: Path) -> bool:
    """A folder appears whole or not at all. Only an empty one may have been made by hand."""
    return target.is_dir() and any(target.iterdir())


def _bring(name: str, target: Path, progress: bool) -> None:
    """Download, compare the checksum, unpack, and only then let the benchmark's folder appear."""
    import pooch

    pooch.get_logger().setLevel("WARNING")  # the bar says the same
    benchmark = BENCHMARKS[name]
    part = target.with_name(f"{name}.part")
    resumes = part.exists()
    download = partial(
        pooch.retrieve,
        benchmark.url,
        f"sha256:{benchmark.sha256}",
        f"{name}.archive",
        target.parent,
        downloader=ResumingDownloader(part, progress),
    )
    try:
        try:
            archive = Path(download())
        except ValueError:
            if not resumes:
                raise
            archive = Path(download())  # the beginning that was kept did not belong to the rest: all anew
    except ValueError:
        raise DataError(
            f"{benchmark.url}: what came has another checksum than what was published, and was thrown away; "
            "try again, and if that does not help, the publisher has changed the file"
        ) from None
    try:
        with appearing(target) as temporary:
            if name == "ISBI-2012":
                shutil.copyfile(archive, temporary / _VOLUME)
            else:
                unpack(archive, temporary)
    except DataError:  # no disk that was full, but an archive that will never be of use
        archive.unlink()
        raise
    archive.unlink()


@contextmanager
def _alone(base: Path, name: str, progress: bool) -> Iterator[None]:
    """One process at a time: an operating system's lock, which goes away with its owner, however that ends."""
    import filelock  # comes with torch

    base.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(base / f".{name}.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        if progress:
            print(f"{name}: another process is fetching it; waiting", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _in_plain_words(base: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if errno.errorcode.get(error.errno or 0) in ("ENOSPC", "EDQUOT"):
            raise DataError(
                f"{base}: the disk is full; make room, or name another folder. What has come is kept, and the next "
                "try goes on from there"
            ) from None
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise DataError(f"{base}: cannot be written ({error}); name a folder of yours") from None
        raise DataError(f"{base}: cannot hold data ({error}); name another folder") from None


def load(name: str, folder: str | os.PathLike[str] | None = None, *, sequence: int | None = None) -> list[RealFrame]:
    """The frames of a benchmark, in order. Nothing is downloaded, and no pixel is read yet.

    Two layouts are known: the publisher's, as `fetch` leaves it, and plain PNG files, in which the project's own tests
    keep some frames (`phc_u373/01/image/t000.png`, `…/gold/`, `…/silver/`, `…/markers/`; `isbi2012_em/image/00.png`,
    `…/label/`).

    Parameters
    ----------
    name : str
        One of `BENCHMARKS`.
    folder : path, optional
        The benchmark's folder, or one that holds it. Without it, where `fetch` puts it.
    sequence : int, optional
        1 or 2 for one sequence of the Cell Tracking Challenge alone.

    Returns
    -------
    list of RealFrame

    Raises
    ------
    ValueError
        When there is no such benchmark or sequence.
    FileNotFoundError
        When the folder does not hold it.
    """
    frames = _FINDERS[_known(name)](_root(name, folder))
    chosen = [frame for frame in frames if sequence in (None, frame.sequence)]
    if not chosen:
        there = sorted({frame.sequence for frame in frames})
        raise ValueError(f"sequence: {name} has {', '.join(map(str, there))} here, got {sequence!r}")
    return chosen


def by_sequence(frames: Sequence[RealFrame], training: int = 1) -> tuple[list[RealFrame], list[RealFrame]]:
    """One sequence to train on, the others for the score.

    A film shows the same cells again and again: frame 8 is nearly frame 7. Frames dealt out at random would put a near
    copy of each scored frame into the training set, and the score would tell how well the network remembers. Another
    sequence shows other cells.

    Returns
    -------
    training, scored : lists of RealFrame
    """
    return _two(frames, lambda frame: frame.sequence == training)


def by_position(frames: Sequence[RealFrame], start: int) -> tuple[list[RealFrame], list[RealFrame]]:
    """Frames before `start` to train on, the frames from there for the score.

    For one film or one block of slices. The neighbours at the cut still look alike, but all others are some time or
    depth apart. This is the next best after `by_sequence`; frames dealt out at random would all have a neighbour on the
    other side.

    Returns
    -------
    training, scored : lists of RealFrame
    """
    return _two(frames, lambda frame: frame.index < start)


def by_id(frames: Sequence[RealFrame], share: float = 0.25) -> tuple[list[RealFrame], list[RealFrame]]:
    """About this share of the frames for the score, chosen by a hash of each name; the others to train on.

    For images that follow no order. A frame's side depends on its own name alone: on no seed, and not on which other
    frames are there. So everybody who uses this split scores on the same images. Images of one experiment still land on
    both sides.

    Returns
    -------
    training, scored : lists of RealFrame
    """
    return _two(frames, lambda frame: _hash01(frame.name) >= share)


def split(frames: Sequence[RealFrame]) -> tuple[list[RealFrame], list[RealFrame]]:
    """The split in which this project reports its figures.

    =============== ======================================================= =============================
    PhC-C2DH-U373   sequence 1 → sequence 2                                 `by_sequence`
    DIC-C2DH-HeLa   sequence 1, frames 0 to 41 → frames 42 to 83            `by_position`
    ISBI-2012       slices 0 to 17 → slices 18 to 23; 24 to 29 rest unused  `by_position`
    DSB-2018        three quarters → one quarter                            `by_id`
    =============== ======================================================= =============================

    Settings (how many steps, which learning rate) are chosen inside the training frames. Who chooses them by the scored
    frames reports a score that is too good.

    Returns
    -------
    training, scored : lists of RealFrame

    Raises
    ------
    ValueError
        When the frames are not of one benchmark, or one side would be empty.
    """
    names = {frame.benchmark for frame in frames}
    if len(names) != 1:
        raise ValueError(f"frames: expected those of one benchmark, got {', '.join(sorted(names)) or 'none'}")
    name = names.pop()
    if name == "PhC-C2DH-U373":
        return by_sequence(frames)
    if name == "DIC-C2DH-HeLa":
        return by_position([frame for frame in frames if frame.sequence == 1], 42)
    if name == "ISBI-2012":
        return by_position([frame for frame in frames if frame.index < 24], 18)
    return by_id(frames)


def _two(frames: Sequence[RealFrame], trains: Callable[[RealFrame], bool]) -> tuple[list[RealFrame], list[RealFrame]]:
    training = [frame for frame in frames if trains(frame)]
    scored = [frame for frame in frames if not trains(frame)]
    if not training or not scored:
        raise ValueError(
            f"frames: of {len(frames)} frames {len(training)} are to train on and {len(scored)} for the score; both "
            "need some"
        )
    return training, scored


def _hash01(name: str) -> float:
    """A number from 0 to 1 that follows from an image's name. Its first 12 letters count: one layout has only these."""
    identity = name.rsplit("/", 1)[-1][:12]
    return int(hashlib.sha256(identity.encode()).hexdigest()[:8], 16) / 2**32


def _known(name: str) -> str:
    if name not in BENCHMARKS:
        raise ValueError(f"name: expected one of {', '.join(BENCHMARKS)}, got {name!r}")
    return name


def _root(name: str, folder: str | os.PathLike[str] | None) -> Path:
    """The folder in which the set's own files begin."""
    base = cache() if folder is None else Path(folder)
    inner = {"DSB-2018": "dsb2018"}.get(name, name)  # what the publisher's archive holds at its top
    for root in (base, base / name, base / inner, base / name / inner, base / BENCHMARKS[name].png):
        if any(next(root.glob(sign), None) for sign in _SIGNS[name]):
            return root
    raise FileNotFoundError(f"{base}: {name} is not in this folder; `unet-edu data fetch {name}` downloads it")


_VOLUME = "isbi2012.h5"
_TRACKING_SIGNS = ("0[12]/t*.tif", "0[12]/image/t*.png")
_SIGNS = {
    "PhC-C2DH-U373": _TRACKING_SIGNS,
    "DIC-C2DH-HeLa": _TRACKING_SIGNS,
    "ISBI-2012": (_VOLUME, "image/[0-9][0-9].png"),
    "DSB-2018": ("train/images/*.tif", "image/????????????.png"),
}
"""By which files each set is known."""

_TRACKING_LAYOUTS = (
    {
        "image": "{0}/t{1}.tif",
        "gold": "{0}_GT/SEG/man_seg{1}.tif",
        "silver": "{0}_ST/SEG/man_seg{1}.tif",
        "markers": "{0}_GT/TRA/man_track{1}.tif",
    },
    {kind: f"{{0}}/{kind}/t{{1}}.png" for kind in ("image", "gold", "silver", "markers")},
)


def _tracking(name: str, root: Path) -> list[RealFrame]:
    frames = []
    for layout in _TRACKING_LAYOUTS:
        for path in sorted(root.glob(layout["image"].format("[0-9][0-9]", "[0-9][0-9][0-9]"))):
            sequence, index = re.findall(r"\d+", str(path.relative_to(root)))
            paths = {kind: root / pattern.format(sequence, index) for kind, pattern in layout.items()}
            frames.append(RealFrame(name, int(sequence), int(index), f"{name}/{sequence}/t{index}", _readers(paths)))
    return frames


def _isbi(root: Path) -> list[RealFrame]:
    volume = root / _VOLUME
    found: dict[str, dict[str, Reader]]
    if volume.exists():
        found = {f"{z:02}": {"image": partial(_raw, volume, z), "gold": partial(_inside, volume, z)} for z in range(30)}
    else:
        found = {
            path.stem: {**_readers({"image": path}), "gold": partial(_mask, root / "label" / path.name)}
            for path in sorted(root.glob("image/[0-9][0-9].png"))
        }
    return [RealFrame("ISBI-2012", 0, int(z), f"ISBI-2012/{z}", files) for z, files in found.items()]


def _nuclei(root: Path) -> list[RealFrame]:
    found = {path.stem: {"image": path, "gold": root / "label" / path.name} for path in root.glob("image/*.png")}
    # the publisher's own split, which is not used: his test images are a seventh of what this project scores
    for part in ("train", "test"):
        for path in root.glob(f"{part}/images/*.tif"):
            found[path.stem] = {"image": path, "gold": root / part / "masks" / path.name}
    return [
        RealFrame("DSB-2018", 0, n, f"DSB-2018/{stem}", _readers(paths))
        for n, (stem, paths) in enumerate(sorted(found.items()))
    ]


_FINDERS: dict[str, Callable[[Path], list[RealFrame]]] = {
    "PhC-C2DH-U373": partial(_tracking, "PhC-C2DH-U373"),
    "DIC-C2DH-HeLa": partial(_tracking, "DIC-C2DH-HeLa"),
    "ISBI-2012": _isbi,
    "DSB-2018": _nuclei,
}


def _readers(paths: dict[str, Path]) -> dict[str, Reader]:
    """How to read each of these files that is there. The image is expected: its reader will say if it is not there."""
    return {
        kind: partial(read_image if kind == "image" else read_labels, path)
        for kind, path in paths.items()
        if kind == "image" or path.exists()
    }


def _mask(path: Path) -> NDArray[np.int32]:
    """ISBI-2012 as PNG: 255 inside a neuron, 0 on its membrane."""
    return (read_labels(path) > 0).astype(np.int32)


def _raw(volume: Path, z: int) -> NDArray[np.uint8]:
    return _slice(volume, "raw", z).astype(np.uint8)


def _inside(volume: Path, z: int) -> NDArray[np.int32]:
    """1 inside a neuron, 0 on its membrane. Some copies have it the other way; the membrane is the smaller part."""
    labels = _slice(volume, "labels/membranes", z) > 0
    return (labels if labels.mean() > 0.5 else ~labels).astype(np.int32)


def _slice(volume: Path, key: str, z: int) -> NDArray[Any]:
    try:
        import h5py
    except ImportError:
        raise DataError(
            f"{volume}: this set comes as an HDF5 file, which needs one more package: pip install h5py"
        ) from None
    try:
        with h5py.File(volume, "r") as file:
            return np.asarray(file[key][z])
    except (OSError, KeyError, ValueError) as error:
        raise DataError(
            f"{volume}: slice {z} of {key!r} cannot be read ({error}); remove the file and fetch it again"
        ) from None
