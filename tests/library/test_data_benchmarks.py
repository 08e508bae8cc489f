"""The benchmarks: downloads that break, archives that lie, and the frames behind them. No test leaves this machine."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.server
import io
import multiprocessing
import os
import re
import signal
import stat
import sys
import threading
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from unet_edu.data import archives, benchmarks
from unet_edu.data.archives import appearing, unpack
from unet_edu.data.benchmarks import BENCHMARKS, by_id, by_position, by_sequence, fetch, load, split
from unet_edu.data.files import DataError, write_whole

# ------------------------------------------------------------------------------------------------------ files made here


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def tif(array: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "TIFF", **options)
    return file.getvalue()


def tracking_files() -> dict[str, bytes]:
    """Three frames of two sequences, as the Cell Tracking Challenge packs them. The middle ones have some gold."""
    files = {}
    for sequence in ("01", "02"):
        for t in range(3):
            image = np.full((6, 8), 10 * t + int(sequence), np.uint8)
            cells = np.zeros((6, 8), np.uint16)
            cells[1:3, 1:3], cells[4:6, 4:8] = 3, 700
            files[f"{sequence}/t00{t}.tif"] = tif(image)
            files[f"{sequence}_ST/SEG/man_seg00{t}.tif"] = tif(cells, compression="tiff_lzw")
            files[f"{sequence}_GT/TRA/man_track00{t}.tif"] = tif(cells)
            if t == 1:
                files[f"{sequence}_GT/SEG/man_seg00{t}.tif"] = tif(np.where(cells == 3, cells, 0).astype(np.uint16))
    return {f"PhC-C2DH-U373/{path}": content for path, content in files.items()}


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        for path, content in files.items():
            pack.writestr(path, content)
    return file.getvalue()


# --------------------------------------------------------------------------------------------- a server that misbehaves


class Server(http.server.ThreadingHTTPServer):
    """Sends `body`. `breaks`: after how many bytes each of the next connections breaks; the others are further sins."""

    body = b""
    knows_range = True
    says_too_much = 0
    breaks: list[int]
    status = 200
    says_start: str | None = "bytes {start}-{last}/{size}"
    says_length = True
    delay = 0.0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.breaks, self.asked = [], []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/set.zip"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        server, asked = self.server, self.headers["Range"]
        server.asked.append(asked)
        time.sleep(server.delay)
        start = int(re.findall(r"\d+", asked)[0]) if asked and server.knows_range else 0
        if server.status != 200:
            self.send_error(server.status)
            return
        if start and start >= len(server.body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(server.body)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        rest = server.body[start:]
        self.send_response(206 if start else 200)
        if start and server.says_start:
            size = len(server.body)
            self.send_header("Content-Range", server.says_start.format(start=start, last=size - 1, size=size))
        if server.says_length:
            self.send_header("Content-Length", str(len(rest) + server.says_too_much))
        self.end_headers()
        if server.breaks:
            rest = rest[: server.breaks.pop(0)]
        # Who refuses what is sent hangs up; said on stderr, that would come in the middle of some later test.
        with contextlib.suppress(ConnectionError):
            self.wfile.write(rest)


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


NAME = "PhC-C2DH-U373"


@pytest.fixture
def published(server, monkeypatch):
    """The benchmark's archive, small, on this machine's own server. No pause between the tries."""
    monkeypatch.setattr(archives, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(archives, "BLOCK", 100)
    publish(server, monkeypatch, zipped(tracking_files()))
    return server


def publish(server: Server, monkeypatch: pytest.MonkeyPatch, body: bytes, name: str = NAME) -> None:
    server.body = body
    checksum = hashlib.sha256(body).hexdigest()
    monkeypatch.setitem(BENCHMARKS, name, BENCHMARKS[name]._replace(url=server.url, sha256=checksum))


def expect_whole(folder: Path) -> None:
    assert len(load(NAME, folder)) == 6
    assert {path.name for path in folder.iterdir()} == {NAME, f".{NAME}.lock"}


def expect_nothing_but(folder: Path, *names: str) -> None:
    assert {path.name for path in folder.iterdir()} == {f".{NAME}.lock", *names}
    with pytest.raises(FileNotFoundError, match=f"unet-edu data fetch {NAME}"):
        load(NAME, folder)


# ------------------------------------------------------------------------------------------------------------ fetch


def test_a_benchmark_is_downloaded_once(published, tmp_path):
    folder = fetch(NAME, tmp_path / "new", progress=False)
    assert folder == tmp_path / "new" / NAME
    assert fetch(NAME, tmp_path / "new", progress=False) == folder
    assert published.asked == [None]
    expect_whole(tmp_path / "new")


def test_a_bar_shows_how_far_it_is(published, tmp_path, capsys):
    fetch(NAME, tmp_path)
    assert NAME in capsys.readouterr().err


@pytest.mark.parametrize("says_length", [True, False])
def test_a_broken_connection_goes_on_at_once(published, tmp_path, says_length):
    published.breaks = [150, 250]
    published.says_length = says_length  # without, a broken connection looks like the end, and the checksum tells
    if says_length:
        fetch(NAME, tmp_path, progress=False)
        assert published.asked == [None, "bytes=150-", "bytes=400-"]
        expect_whole(tmp_path)
    else:
        with pytest.raises(DataError, match="another checksum"):
            fetch(NAME, tmp_path, progress=False)
        expect_nothing_but(tmp_path)


def test_a_download_that_broke_for_good_goes_on_in_the_next_call(published, tmp_path):
    published.breaks = [300, 0, 0, 0]
    with pytest.raises(DataError, match=r"connection broke.*300 bytes are kept.*goes on from there"):
        fetch(NAME, tmp_path, progress=False)
    expect_nothing_but(tmp_path, f"{NAME}.part")
    fetch(NAME, tmp_path, progress=False)
    assert published.asked[-1] == "bytes=300-"
    expect_whole(tmp_path)


def test_a_server_without_ranges_sends_all_again(published, tmp_path):
    published.breaks, published.knows_range = [300], False
    fetch(NAME, tmp_path, progress=False)
    assert published.asked == [None, "bytes=300-"]
    expect_whole(tmp_path)


@pytest.mark.parametrize("says", ["bytes 301-{last}/{size}", "bytes 12-{last}/*", "apples", None])
def test_a_server_that_goes_on_elsewhere_is_asked_for_all(published, tmp_path, says):
    published.breaks, published.says_start = [300], says
    fetch(NAME, tmp_path, progress=False)
    assert published.asked == [None, "bytes=300-", None]
    expect_whole(tmp_path)


def test_a_part_that_is_whole_is_not_asked_for_again(published, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(published.body)
    fetch(NAME, tmp_path, progress=False)
    assert published.asked == [f"bytes={len(published.body)}-"]
    expect_whole(tmp_path)


@pytest.mark.parametrize("size", [300, 10**6])
def test_a_part_of_another_file_is_thrown_away(published, tmp_path, size):
    (tmp_path / f"{NAME}.part").write_bytes(b"x" * size)
    fetch(NAME, tmp_path, progress=False)
    assert published.asked[-1] is None
    expect_whole(tmp_path)


def test_a_server_that_promises_too_much_does_not_matter(published, tmp_path):
    published.says_too_much = 50  # so that 50 bytes seem to be missing; asked for, there is nothing behind the end
    fetch(NAME, tmp_path, progress=False)
    assert published.asked == [None, f"bytes={len(published.body)}-"]
    expect_whole(tmp_path)


def test_a_server_that_promises_too_little_is_caught_by_the_checksum(published, tmp_path):
    published.says_too_much = -50
    with pytest.raises(DataError, match="another checksum"):
        fetch(NAME, tmp_path, progress=False)
    expect_nothing_but(tmp_path)


def test_a_wrong_checksum_leaves_nothing(published, tmp_path):
    published.body = published.body[:-1] + b"?"
    with pytest.raises(DataError, match=r"another checksum than what was published, and was thrown away; try again"):
        fetch(NAME, tmp_path, progress=False)
    expect_nothing_but(tmp_path)


@pytest.mark.parametrize("status", [404, 503])
def test_a_server_that_refuses_is_quoted(published, tmp_path, status):
    published.status = status
    (tmp_path / f"{NAME}.part").write_bytes(published.body[:300])
    with pytest.raises(DataError, match=f"the server answered {status}"):
        fetch(NAME, tmp_path, progress=False)
    expect_nothing_but(tmp_path, f"{NAME}.part")  # what came earlier is not lost
    published.status = 200
    fetch(NAME, tmp_path, progress=False)
    expect_whole(tmp_path)


def test_without_a_network_it_says_so(published, tmp_path):
    published.shutdown()
    published.server_close()
    with pytest.raises(DataError, match=r"cannot be reached.*is there a network") as caught:
        fetch(NAME, tmp_path, progress=False)
    assert "object at 0x" not in str(caught.value)
    expect_nothing_but(tmp_path)


def test_an_endless_answer_is_stopped(published, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LIMIT_BYTES", 200)
    with pytest.raises(DataError, match="sends more than 200 bytes"):
        fetch(NAME, tmp_path, progress=False)
    expect_nothing_but(tmp_path)


class FullDisk(io.FileIO):
    """A file on a disk with room for 250 bytes more."""

    room = 250

    def write(self, data):
        FullDisk.room -= len(data)
        if FullDisk.room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_a_full_disk_keeps_what_has_come(published, tmp_path, monkeypatch):
    monkeypatch.setattr(FullDisk, "room", 250)
    monkeypatch.setattr(archives, "open", lambda path, mode: FullDisk(path, mode.replace("b", "")), raising=False)
    with pytest.raises(DataError, match=r"the disk is full; make room, or name another folder"):
        fetch(NAME, tmp_path, progress=False)
    expect_nothing_but(tmp_path, f"{NAME}.part")
    assert (tmp_path / f"{NAME}.part").read_bytes() == published.body[:200]
    monkeypatch.undo()


@pytest.mark.parametrize("room", [0, 500])
def test_a_disk_that_is_full_while_unpacking_leaves_no_half_folder(published, tmp_path, monkeypatch, room):
    download = archives.ResumingDownloader.__call__

    def then_the_disk_is_full(self, *arguments):
        download(self, *arguments)
        FullDisk.room = room
        monkeypatch.setattr(archives, "open", lambda path, mode: FullDisk(path, mode.replace("b", "")), raising=False)

    monkeypatch.setattr(archives.ResumingDownloader, "__call__", then_the_disk_is_full)
    with pytest.raises(DataError, match="the disk is full"):
        fetch(NAME, tmp_path, progress=False)
    expect_nothing_but(tmp_path, f"{NAME}.archive")
    monkeypatch.delattr(archives, "open")
    fetch(NAME, tmp_path, progress=False)
    assert len(published.asked) == 1  # what had come was enough
    expect_whole(tmp_path)


def test_what_a_killed_process_left_does_not_matter(published, tmp_path):
    half = tmp_path / f".{NAME}.unpacking" / NAME / "01"
    half.mkdir(parents=True)
    (half / "t000.tif").write_bytes(b"half a file")
    with pytest.raises(FileNotFoundError):
        load(NAME, tmp_path)
    fetch(NAME, tmp_path, progress=False)
    expect_whole(tmp_path)


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "denied"), OSError(errno.EROFS, "read-only")])
def test_a_disk_that_may_only_be_read(published, tmp_path, monkeypatch, error):
    """Told and not tried: the administrator, who runs the tests in a container, may write anywhere."""

    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(DataError, match="cannot be written.*name a folder of yours"):
        fetch(NAME, tmp_path / "new", progress=False)


def test_what_is_there_needs_no_writing(published, tmp_path, monkeypatch):
    fetch(NAME, tmp_path, progress=False)
    monkeypatch.setattr(Path, "mkdir", None)
    monkeypatch.setattr(benchmarks, "open", None, raising=False)
    assert len(load(NAME, fetch(NAME, tmp_path, progress=False))) == 6


def test_an_empty_folder_is_no_benchmark(published, tmp_path):
    (tmp_path / NAME).mkdir()
    fetch(NAME, tmp_path, progress=False)
    expect_whole(tmp_path)


def test_a_folder_of_somebody_is_not_replaced(tmp_path):
    with pytest.raises(OSError), appearing(tmp_path / "it") as temporary:
        (temporary / "new").touch()
        (tmp_path / "it").mkdir()
        (tmp_path / "it" / "old").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["it"]
    assert [path.name for path in (tmp_path / "it").iterdir()] == ["old"]


def _fetch_in_a_process(url: str, checksum: str, folder: Path) -> None:
    BENCHMARKS[NAME] = BENCHMARKS[NAME]._replace(url=url, sha256=checksum)
    fetch(NAME, folder)


def processes(server: Server, folder: Path, count: int) -> list[multiprocessing.Process]:
    context = multiprocessing.get_context("spawn")
    arguments = (server.url, hashlib.sha256(server.body).hexdigest(), folder)
    return [context.Process(target=_fetch_in_a_process, args=arguments) for _ in range(count)]


def test_two_processes_at_once_download_once(published, tmp_path):
    published.delay = 1.0
    both = processes(published, tmp_path, 2)
    for process in both:
        process.start()
    for process in both:
        process.join(60)
        process.kill()
    assert [process.exitcode for process in both] == [0, 0]
    assert len(published.asked) == 1
    expect_whole(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL")
def test_the_lock_of_a_killed_process_holds_nobody_up(published, tmp_path):
    published.delay = 60
    (process,) = processes(published, tmp_path, 1)
    process.start()
    for _ in range(600):
        if published.asked:
            break
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    published.delay = 0
    fetch(NAME, tmp_path, progress=False)
    assert len(load(NAME, tmp_path)) == 6


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path):
    for function in (fetch, load):
        with pytest.raises(ValueError, match="name: expected one of PhC-C2DH-U373, .*DSB-2018, got 'ImageNet'"):
            function("ImageNet", tmp_path)


def test_the_table_is_complete():
    assert set(BENCHMARKS) == {"PhC-C2DH-U373", "DIC-C2DH-HeLa", "ISBI-2012", "DSB-2018"}
    for benchmark in BENCHMARKS.values():
        assert re.fullmatch("[0-9a-f]{64}", benchmark.sha256)
        assert re.match("https?://", benchmark.url)
        assert benchmark.licence and benchmark.cite and all(re.search(r"\(20\d\d\)", work) for work in benchmark.cite)


# ------------------------------------------------------------------------------------------------------------ archives


def link(name: str, kind: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.create_system, member.external_attr = 3, (kind | 0o777) << 16
    return member


HOSTILE = {
    "absolute": ["/tmp/evil"],
    "dots": ["../evil"],
    "dots inside": ["a/../../evil"],
    "drive": ["C:evil"],
    "drive and slash": ["C:/evil"],
    "backslash": ["..\\evil"],
    "network": ["\\\\host\\evil"],
    "no name": ["/"],
    "control character": ["a\nb"],
    "symlink": [link("a", stat.S_IFLNK)],
    "device": [link("a", stat.S_IFCHR)],
    "pipe": [link("a", stat.S_IFIFO)],
    "twice": ["a/b", "a/b"],
    "twice but for capitals": ["a/b", "A/B"],
    "twice but for accents": ["a/é", "a/e\u0301"],
    "file and folder": ["a", "a/b"],
}


@pytest.mark.parametrize("names", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_hostile_archives_write_nothing(tmp_path, names):
    archive, target = tmp_path / "it.zip", tmp_path / "in" / "target"
    with zipfile.ZipFile(archive, "w") as pack:
        pack.writestr("good", "fine")
        for name in names:
            pack.writestr(name, "../../outside")
    target.parent.mkdir()
    with pytest.raises(DataError, match=r"it\.zip: .*not be used"), appearing(target) as temporary:
        unpack(archive, temporary)
    assert {path.name for path in tmp_path.rglob("*")} == {"it.zip", "in"}


def test_a_bomb_is_not_lit(tmp_path):
    archive = tmp_path / "it.zip"
    archive.write_bytes(zipped({"zeros": bytes(10**6)}))
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="would unpack to 1000000 bytes, more than the 1000 "):
        unpack(archive, tmp_path / "out", limit=1000)
    assert not any((tmp_path / "out").iterdir())


def test_a_bomb_that_lies_about_its_size_stops_there(tmp_path):
    body = bytearray(zipped({"zeros": bytes(10**6)}))
    size = (10**6).to_bytes(4, "little")
    assert body.count(size) >= 1
    archive = tmp_path / "it.zip"
    archive.write_bytes(body.replace(size, (1000).to_bytes(4, "little")))
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="is damaged"):
        unpack(archive, tmp_path / "out", limit=1000)
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) <= 1000


def flipped(body: bytes, place: int) -> bytes:
    return body[:place] + bytes([body[place] ^ 255]) + body[place + 1 :]


def encrypted() -> bytes:
    body = bytearray(zipped({"a": b"a" * 100}))
    body[body.index(b"PK\1\2") + 8] |= 1
    body[6] |= 1
    return bytes(body)


DAMAGED = {
    "empty": b"",
    "text": b"<html>Please log in</html>",
    "cut": zipped({"a": bytes(1000)})[:-30],
    "bit flipped": flipped(zipped({"a": os.urandom(1000)}), 60),
    "encrypted": encrypted(),
}


@pytest.mark.parametrize("body", DAMAGED.values(), ids=DAMAGED)
def test_damaged_archives(tmp_path, body):
    (tmp_path / "it.zip").write_bytes(body)
    complaint = pytest.raises(DataError, match=r"it\.zip: is damaged, or no zip")
    with complaint, appearing(tmp_path / "target") as temporary:
        unpack(tmp_path / "it.zip", temporary)
    assert [path.name for path in tmp_path.iterdir()] == ["it.zip"]


def test_a_published_archive_that_is_hostile_leaves_a_sound_cache(published, tmp_path, monkeypatch):
    publish(published, monkeypatch, zipped({"../evil": b"x"}))
    with pytest.raises(DataError, match="leads out of the folder"):
        fetch(NAME, tmp_path / "cache", progress=False)
    expect_nothing_but(tmp_path / "cache")
    assert not (tmp_path / "evil").exists()


# ------------------------------------------------------------------------------------------------------------- files


NOISE = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "it"

    def fail(file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        write_whole(path, fail)
    assert not any(tmp_path.iterdir())
    write_whole(path, lambda file: file.write(b"one"))
    with pytest.raises(FileExistsError, match="nothing was overwritten"):
        write_whole(path, lambda file: file.write(b"two"))
    with pytest.raises(OSError, match="full"):
        write_whole(path, fail, force=True)
    assert path.read_bytes() == b"one"
    write_whole(path, lambda file: file.write(b"two"), force=True)
    assert path.read_bytes() == b"two" and len(list(tmp_path.iterdir())) == 1


# ------------------------------------------------------------------------------------------------------------ load


def write_all(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def png_layout() -> dict[str, bytes]:
    """The same frames as `tracking_files`, as plain PNG."""
    kinds = {"ST/SEG/man_seg": "silver/t", "GT/SEG/man_seg": "gold/t", "GT/TRA/man_track": "markers/t"}
    files = {}
    for name, content in tracking_files().items():
        sequence, rest = name.split("/", 1)[1][:2], name.split("/", 1)[1][3:]
        for theirs, ours in kinds.items():
            rest = rest.replace(theirs, ours)
        rest = rest if "/" in rest else f"image/{rest}"
        files[f"phc_u373/{sequence}/{rest.replace('.tif', '.png')}"] = png(np.array(Image.open(io.BytesIO(content))))
    return files


@pytest.mark.parametrize("layout", [tracking_files, png_layout])
def test_frames_of_the_challenge(tmp_path, layout):
    write_all(tmp_path, layout())
    frames = load(NAME, tmp_path)
    assert [(frame.sequence, frame.index) for frame in frames] == [(s, t) for s in (1, 2) for t in range(3)]
    for frame in frames:
        assert frame.name == f"{NAME}/0{frame.sequence}/t00{frame.index}"
        np.testing.assert_allclose(frame.image, np.full((6, 8), (10 * frame.index + frame.sequence) / 255), rtol=1e-6)
        assert frame.image.dtype == np.float32
        assert frame.silver.dtype == frame.markers.dtype == np.int32
        assert np.unique(frame.silver).tolist() == np.unique(frame.markers).tolist() == [0, 3, 700]
        assert (frame.gold is not None) == (frame.index == 1)
        assert not frame.every_cell_is_gold
    assert np.unique(frames[1].gold).tolist() == [0, 3]
    assert {frame.sequence for frame in load(NAME, tmp_path, sequence=2)} == {2}
    with pytest.raises(ValueError, match="sequence: PhC-C2DH-U373 has 1, 2 here, got 3"):
        load(NAME, tmp_path, sequence=3)


def test_gold_of_every_cell_is_known(tmp_path):
    files = tracking_files()
    files[f"{NAME}/01_GT/SEG/man_seg001.tif"] = files[f"{NAME}/01_ST/SEG/man_seg001.tif"]
    write_all(tmp_path, files)
    assert [frame.every_cell_is_gold for frame in load(NAME, tmp_path)] == [False, True, False, False, False, False]


@pytest.mark.parametrize("inner", ["", NAME, f"{NAME}/{NAME}"])
def test_a_folder_is_found_at_each_depth_that_fetch_and_people_make(tmp_path, inner):
    write_all(tmp_path / inner, {name.split("/", 1)[1]: content for name, content in tracking_files().items()})
    assert len(load(NAME, tmp_path)) == 6


def test_without_a_folder_it_is_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmarks, "cache", lambda: tmp_path)
    write_all(tmp_path, tracking_files())
    assert len(load(NAME)) == 6


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    write_all(tmp_path, {name: b"damaged" for name in tracking_files()})
    frame = load(NAME, tmp_path)[0]
    assert "t000" in repr(frame)
    with pytest.raises(DataError, match=r"01.t000\.tif: cannot be read"):
        _ = frame.image
    with pytest.raises(DataError, match=r"man_seg000\.tif: cannot be read"):
        _ = frame.silver


def test_membranes_as_png(tmp_path):
    label = np.where(np.eye(4), 0, 255).astype(np.uint8)
    write_all(tmp_path, {f"image/{z:02}.png": png(np.full((4, 4), z, np.uint8)) for z in range(3)})
    write_all(tmp_path, {f"label/{z:02}.png": png(label) for z in range(3)})
    frames = load("ISBI-2012", tmp_path)
    assert [frame.index for frame in frames] == [0, 1, 2]
    np.testing.assert_array_equal(frames[2].gold, 1 - np.eye(4))
    assert frames[0].silver is None and frames[0].markers is None


def hdf5(membrane: int) -> bytes:
    """A small volume whose slice z has the grey value z, with the membrane on the diagonal."""
    file = io.BytesIO()
    with h5py.File(file, "w") as volume:
        volume["raw"] = np.arange(30, dtype=np.uint8)[:, None, None] * np.ones((5, 5), np.uint8)
        labels = np.where(np.eye(5), membrane, 255 - membrane).astype(np.uint8)
        volume["labels/membranes"] = np.broadcast_to(labels, (30, 5, 5))
    return file.getvalue()


@pytest.mark.parametrize("membrane", [0, 255])
def test_membranes_as_hdf5(published, tmp_path, monkeypatch, membrane):
    """Whichever of the two numbers the file gives to the membrane."""
    publish(published, monkeypatch, hdf5(membrane), "ISBI-2012")
    frames = load("ISBI-2012", fetch("ISBI-2012", tmp_path, progress=False))
    assert [frame.index for frame in frames] == list(range(30))
    np.testing.assert_array_equal(frames[7].image, np.full((5, 5), np.float32(7) / np.float32(255)))
    np.testing.assert_array_equal(frames[7].gold, 1 - np.eye(5))


@pytest.mark.parametrize("content", [b"x", hdf5(0)[:3000], b""])
def test_a_damaged_volume_is_named(tmp_path, content):
    (tmp_path / "isbi2012.h5").write_bytes(content)
    with pytest.raises(DataError, match=r"isbi2012\.h5: slice 0 of 'raw' cannot be read .*fetch it again"):
        _ = load("ISBI-2012", tmp_path)[0].image


def test_a_volume_without_labels_is_named(tmp_path):
    with h5py.File(tmp_path / "isbi2012.h5", "w") as volume:
        volume["raw"] = np.zeros((30, 5, 5), np.uint8)
    with pytest.raises(DataError, match="slice 0 of 'labels/membranes' cannot be read"):
        _ = load("ISBI-2012", tmp_path)[0].gold


def test_without_h5py_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "isbi2012.h5").write_bytes(b"x")
    with pytest.raises(DataError, match="pip install h5py"):
        _ = load("ISBI-2012", tmp_path)[0].gold


IDS = [hashlib.sha256(bytes([n])).hexdigest() for n in range(200)]


def nuclei(shorten: bool) -> dict[str, bytes]:
    image, labels = png(NOISE), png((NOISE > 250).astype(np.uint8))
    if shorten:
        return {
            f"{kind}/{name[:12]}.png": {"image": image, "label": labels}[kind]
            for name in IDS
            for kind in ("image", "label")
        }
    image, labels = tif(NOISE), tif((NOISE > 250).astype(np.uint16))
    parts = {name: "test" if n % 9 == 0 else "train" for n, name in enumerate(IDS)}
    files = {f"dsb2018/{parts[name]}/images/{name}.tif": image for name in IDS}
    return files | {f"dsb2018/{parts[name]}/masks/{name}.tif": labels for name in IDS}


def test_nuclei_are_split_alike_in_both_layouts(tmp_path):
    splits = []
    for shorten in (True, False):
        root = tmp_path / str(shorten)
        write_all(root, nuclei(shorten))
        frames = load("DSB-2018", root)
        assert len(frames) == 200 and frames[0].gold.max() == 1
        assert [frame.index for frame in frames] == list(range(200))
        splits.append([{frame.name.split("/")[1][:12] for frame in side} for side in split(frames)])
    assert splits[0] == splits[1]
    training, scored = splits[0]
    assert not training & scored and len(training | scored) == 200
    assert 30 <= len(scored) <= 70  # a quarter, give or take three standard deviations (6.1 each)


def test_a_split_by_id_does_not_depend_on_the_others(tmp_path):
    write_all(tmp_path, nuclei(True))
    frames = load("DSB-2018", tmp_path)
    of_all, of_some = by_id(frames)[1], by_id(frames[::2])[1]
    assert [frame for frame in of_all if frame in frames[::2]] == of_some


def frames_of(name: str, *positions: tuple[int, int]) -> list[benchmarks.RealFrame]:
    return [
        benchmarks.RealFrame(name, sequence, index, f"{name}/{sequence}/{index}", {}) for sequence, index in positions
    ]


def places(frames: list[benchmarks.RealFrame]) -> list[tuple[int, int]]:
    return [(frame.sequence, frame.index) for frame in frames]


def test_splits_never_tear_a_sequence_apart():
    frames = frames_of("PhC-C2DH-U373", (1, 0), (2, 0), (1, 5), (2, 5))
    assert [places(side) for side in split(frames)] == [[(1, 0), (1, 5)], [(2, 0), (2, 5)]]
    assert [places(side) for side in by_sequence(frames, training=2)] == [[(2, 0), (2, 5)], [(1, 0), (1, 5)]]
    frames = frames_of("DIC-C2DH-HeLa", (1, 0), (1, 41), (1, 42), (1, 83), (2, 0))
    assert [places(side) for side in split(frames)] == [[(1, 0), (1, 41)], [(1, 42), (1, 83)]]
    frames = frames_of("ISBI-2012", (0, 0), (0, 17), (0, 18), (0, 23), (0, 24), (0, 29))
    assert [places(side) for side in split(frames)] == [[(0, 0), (0, 17)], [(0, 18), (0, 23)]]


def test_a_split_with_an_empty_side_is_none():
    frames = frames_of("PhC-C2DH-U373", (1, 0), (1, 1))
    with pytest.raises(ValueError, match="2 are to train on and 0 for the score; both need some"):
        split(frames)
    with pytest.raises(ValueError, match="both need some"):
        by_position(frames, 0)
    with pytest.raises(ValueError, match="expected those of one benchmark, got DSB-2018, PhC-C2DH-U373"):
        split([*frames, *frames_of("DSB-2018", (0, 0))])
    with pytest.raises(ValueError, match="got none"):
        split([])


# ------------------------------------------------------------------------------------------------------ the real frames

REAL = {  # as the folder's own description says: frames, frames with gold, shape
    "PhC-C2DH-U373": (61 + 67, 15 + 19, (520, 696)),
    "DIC-C2DH-HeLa": (59, 9, (512, 512)),
    "ISBI-2012": (24, 24, (512, 512)),
    "DSB-2018": (268, 268, (256, 256)),
}


@pytest.mark.needs("real frames")
@pytest.mark.parametrize("name", REAL)
def test_the_real_frames(name):
    frames = load(name, os.environ["UNET_EDU_TEST_DATA"])
    count, gold, shape = REAL[name]
    assert len(frames) == count
    assert sum("gold" in frame.files for frame in frames) == gold
    for frame in frames[:: max(1, count // 5)]:
        image = frame.image
        assert image.shape == shape and image.dtype == np.float32 and 0 <= image.min() < image.max() <= 1
        for labels in (frame.gold, frame.silver, frame.markers):
            assert labels is None or labels.shape == shape and labels.dtype == np.int32 and labels.max() > 0
    training, scored = split(frames)
    assert training and scored and not {frame.name for frame in training} & {frame.name for frame in scored}


@pytest.mark.needs("real frames")
def test_gold_is_partial_where_it_is_said_to_be():
    """Frame 067 of the HeLa cells has 3 of 18 cells."""
    frame = next(f for f in load("DIC-C2DH-HeLa", os.environ["UNET_EDU_TEST_DATA"]) if f.index == 67)
    assert len(np.unique(frame.gold)) - 1 == 3 and len(np.unique(frame.markers)) - 1 == 18
    assert not frame.every_cell_is_gold


@pytest.mark.needs("real frames")
def test_the_inside_of_neurons_is_the_larger_part():
    """Which is how the HDF5 file's numbers are told apart."""
    for frame in load("ISBI-2012", os.environ["UNET_EDU_TEST_DATA"]):
        assert 0.7 < frame.gold.mean() < 0.9
