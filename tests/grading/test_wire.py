"""What comes out of a sandbox may be anything. Reading it gives plain data, or a `WireError`, and nothing else."""

from __future__ import annotations

import json
import pickle
import re
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unet_edu.checks import Case, judge
from unet_edu.grading import wire
from unet_edu.grading.wire import CallReply, CellReply, WireError, read_call, read_cell
from unet_edu.lessons import EXERCISES

HEAD = {
    "found": True,
    "kind": "value",
    "message": "",
    "changed_input": False,
    "printed": "",
    "dtype": "<f8",
    "shape": [2],
    "types": "",
    "forbidden": [],
}
BODY = np.array([1.0, 2.0]).tobytes()


def reply(body: bytes = BODY, **changes: Any) -> bytes:
    return json.dumps({**HEAD, **changes}).encode() + b"\n" + body


# --- requests ---------------------------------------------------------------------------------------------------------


def test_requests_are_what_the_runner_reads() -> None:
    assert pickle.loads(wire.cell("x = 1")) == ("cell", "x = 1")
    assert pickle.loads(wire.definitions("x = 1", assignments=True)) == ("definitions", "x = 1", True)
    case = Case("a case", (np.arange(3),), {"k": 2}, probe=None)
    kind, name, sent, forbidden = pickle.loads(wire.call("f", case, ("torch.*",)))
    assert (kind, name, forbidden) == ("call", "f", ("torch.*",))
    assert sent.kwargs == {"k": 2}


@pytest.mark.parametrize("name", EXERCISES)
def test_every_case_can_be_sent_and_no_reference_goes_with_it(name: str) -> None:
    cases = EXERCISES[name].cases(np.random.default_rng(1))
    assert cases
    for case in cases:
        sent = wire.call(name, case)
        modules = set(re.findall(rb"unet_edu[\w.]*", sent))
        assert modules <= {b"unet_edu.checks.exercise", b"unet_edu.checks.network"}, modules
        assert pickle.loads(sent)[2].name == case.name


def test_the_runner_keeps_to_the_same_bounds() -> None:
    inside = Path(wire.__file__).parent / "sandbox" / "inside"
    source = (inside / "runner.py").read_text()
    assert "MOST_ERROR = 300" in (inside / "shell.py").read_text()
    assert wire.MOST_ERROR == 300
    for name in ("MOST_NUMBERS = 1 << 20", "MOST_MESSAGE = 2000", "MOST_PRINTED = 200", "MOST_FORBIDDEN = 10"):
        assert name in source
        assert getattr(wire, name.split()[0]) == eval(name.split("=")[1])


def test_the_longest_head_that_the_runner_writes_can_be_read() -> None:
    letters = "\U00020000" * wire.MOST_MESSAGE  # printable, four bytes each
    changes = {"kind": "raised", "message": letters, "printed": letters[: wire.MOST_PRINTED], "dtype": "", "shape": []}
    changes["forbidden"] = ["a" * 118 + str(n) for n in range(wire.MOST_FORBIDDEN)]
    head = json.dumps({**HEAD, **changes}, ensure_ascii=False).encode() + b"\n"
    assert read_call(head).answer.message == letters


# --- replies ----------------------------------------------------------------------------------------------------------


def test_a_good_cell_reply() -> None:
    assert read_cell(b'{"ok": true, "error": ""}\n') == CellReply(True, "")
    assert read_cell(b'{"ok": false, "error": "E: \\u001b[1m\\nx"}\n') == CellReply(False, "E: �[1m x")


def test_a_good_call_reply() -> None:
    read = read_call(reply(forbidden=["torch.conv2d"]))
    assert read.found
    assert read.forbidden == ("torch.conv2d",)
    assert read.answer.value is not None
    assert read.answer.value.tolist() == [1, 2]
    assert read.answer.value.flags.writeable  # a copy: the reply's bytes can go


@pytest.mark.parametrize("dtype", sorted(wire.DTYPES))
def test_every_type_of_number(dtype: str) -> None:
    array = np.array([[0, 1, 1]]).astype(dtype)
    value = read_call(reply(array.tobytes(), dtype=dtype, shape=[1, 3])).answer.value
    assert value is not None
    assert value.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(value, array)


def test_a_truth_value_is_true_or_false() -> None:
    value = read_call(reply(b"\x00\x02\xff", dtype="|b1", shape=[3])).answer.value
    assert value is not None
    assert value.view(np.uint8).tolist() == [0, 1, 1]


@pytest.mark.parametrize("shape", [[], [0], [0, 3], [1 << 20, 0]])
def test_unusual_shapes(shape: list[int]) -> None:
    value = read_call(reply(b"" if shape else BODY[:8], shape=shape)).answer.value
    assert value is not None
    assert list(value.shape) == shape


def test_text_is_cleaned() -> None:
    nasty = "a\x1b]0;b\x07\u202ec\u200bd\x00e\tf\r\x85\ud800"
    read = read_call(reply(b"", kind="raised", message=nasty, printed=nasty, dtype="", shape=[]))
    assert read.answer.message == "a�]0;b��c�d�e�f���"
    assert read.answer.printed == read.answer.message
    assert read_call(reply(b"", kind="raised", message="a\nb", dtype="", shape=[])).answer.message == "a\nb"


NOTHING = {"dtype": "", "shape": [], "body": b""}
BAD = {
    "no bytes": b"",
    "no line": b"x" * 100_000,
    "a line that is too long": b" " * wire.MOST_HEAD + reply(),
    "not JSON": b"not JSON\n",
    "not UTF-8": b'{"ok": true, "error": "\xff"}\n',
    "a list": b"[]\n",
    "nested": b"[" * 16_000 + b"\n",
    "nested objects": b'{"found":' * 1700 + b"\n",
    "a pickle": pickle.dumps({"found": True}) + b"\n",
    "NaN": reply().replace(b"true", b"NaN"),
    "infinity": reply().replace(b"[2]", b"[Infinity]"),
    "a field twice": reply().replace(b'"found": true', b'"found": false, "found": true'),
    "a field too few": reply().replace(b'"found": true, ', b""),
    "a field too many": reply(more=1),
    "found is a number": reply(found=1),
    "found is a word": reply(found="true"),
    "changed_input is a number": reply(changed_input=0),
    "kind is a list": reply(kind=["value"]),
    "an unknown kind": reply(kind="right"),
    "a kind that only a notebook has": reply(b"", kind="stopped", message="no", dtype="", shape=[]),
    "message is a number": reply(message=3),
    "a message that is too long": reply(b"", kind="raised", message="x" * 2001, dtype="", shape=[]),
    "printed is too long": reply(b"", kind="nothing", printed="x" * 201, dtype="", shape=[]),
    "raised without a message": reply(b"", kind="raised", dtype="", shape=[]),
    "a value of no type": reply(dtype=""),
    "objects": reply(dtype="|O"),
    "text": reply(b"\0" * 32, dtype="<U4"),
    "records": reply(dtype="f8,f8"),
    "complex numbers": reply(dtype="<c16", shape=[1]),
    "long doubles": reply(dtype="<f16", shape=[1]),
    "dates": reply(dtype="<M8[s]"),
    "nothing at all": reply(b"", dtype="|V0"),
    "a type as a list": reply(dtype=["<f8"]),
    "big end first": reply(dtype=">f8"),
    "a size too few bytes": reply(BODY[:-1]),
    "a byte too many": reply(BODY + b"x"),
    "a size that is too large": reply(shape=[9 * 10**12]),
    "a size as long as a line": reply(shape=[10**4000]),
    "a size longer than Python reads": reply().replace(b"[2]", b"[" + b"9" * 5000 + b"]"),
    "sizes whose product overflows": reply(shape=[1 << 20] * 8),
    "sizes whose product wraps around to 2": reply(shape=[1 << 20, 1 << 20, 1 << 20, 1 << 4, 2]),
    "a zero beside giants": reply(b"", shape=[0, 1 << 62]),
    "a zero beside many giants": reply(b"", shape=[0, *[1 << 20] * 5]),
    "a negative size": reply(shape=[-2]),
    "two negative sizes": reply(shape=[-1, -2]),
    "a size that is a fraction": reply(shape=[2.0]),
    "a size that is true": reply(BODY[:8], shape=[True]),
    "types that are no string": reply(types=["f", "f"]),
    "a type too few": reply(types="f"),
    "a type that is none of a number": reply(types="fO"),
    "more types than parts can be": reply(b"\0" * 72, shape=[9], types="f" * 9),
    "types without a value": reply(b"", kind="nothing", dtype="", shape=[], types="ff"),
    "a size that is a word": reply(shape=["2"]),
    "a size that is null": reply(shape=[None]),
    "a shape that is a number": reply(shape=2),
    "too many axes": reply(shape=[1] * 8 + [2]),
    "thousands of axes": reply(shape=[1] * 5000),
    "more numbers than were asked for": reply(b"\0" * ((1 << 20) + 1), dtype="|u1", shape=[(1 << 20) + 1]),
    "an array with another kind": reply(kind="empty"),
    "bytes with another kind": reply(b"x", kind="empty", dtype="", shape=[]),
    "found nothing and has a value": reply(found=False),
    "found nothing and raised": reply(b"", found=False, kind="raised", message="x", dtype="", shape=[]),
    "forbidden is a word": reply(forbidden="torch"),
    "forbidden numbers": reply(forbidden=[1]),
    "too many forbidden": reply(forbidden=["a"] * 11),
    "forbidden HTML": reply(forbidden=["<script>"]),
    "forbidden colours": reply(forbidden=["\x1b[31m"]),
    "a forbidden name with an end of line": reply(forbidden=["torch.conv2d\n"]),
    "a forbidden name that is too long": reply(forbidden=["a" * 121]),
    "an empty forbidden name": reply(forbidden=[""]),
}


@pytest.mark.parametrize("name", BAD)
def test_what_no_honest_runner_sends_is_turned_down(name: str) -> None:
    with pytest.raises(WireError) as raised:
        read_call(BAD[name])
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}\n",
        b"null\n",
        b'{"ok": 1, "error": ""}\n',
        b'{"ok": true, "error": null}\n',
        b'{"ok": true, "error": ""}',
        b'{"ok": true, "error": ""}\nx',
        b'{"ok": true, "ok": true, "error": ""}\n',
        b'{"ok": true, "error": "' + b"x" * 301 + b'"}\n',
        reply(),
    ],
)
def test_a_bad_cell_reply(data: bytes) -> None:
    with pytest.raises(WireError):
        read_cell(data)


@pytest.mark.parametrize(
    "name", ["a size that is too large", "a zero beside giants", "thousands of axes", "nested", "no line"]
)
def test_nothing_larger_than_the_reply_is_made(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            read_call(BAD[name])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2 << 20


# --- any bytes whatsoever ---------------------------------------------------------------------------------------------

JUDGED = [EXERCISES[name] for name in ("out_size", "conv2d_naive", "maxpool_idx", "sgd_step", "label_map")]
CASES = {exercise.name: exercise.cases(np.random.default_rng(1))[:1] for exercise in JUDGED}

words = st.text(max_size=30) | st.sampled_from(
    ["value", "empty", "nothing", "raised", "unusable", "<f8", "<f2", "|b1", "|O", "\ud800"]
)
plain = st.none() | st.booleans() | st.integers() | st.floats() | words
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=3), max_leaves=6
)
sizes = st.integers(0, 4) | st.sampled_from([-1, 1 << 20, 1 << 31, 1 << 62, 10**30])
fields = {
    "found": st.booleans(),
    "kind": st.sampled_from(["value", "value", "empty", "nothing", "raised", "unusable"]),
    "message": words,
    "changed_input": st.booleans(),
    "printed": words,
    "dtype": st.sampled_from([*sorted(wire.DTYPES), "", "|O", ">f8"]),
    "shape": st.lists(sizes, max_size=4),
    "types": st.text("biufO", max_size=5),
    "forbidden": st.lists(words | st.just("torch.conv2d"), max_size=3),
}
heads = st.fixed_dictionaries({name: good | values if name != "kind" else good for name, good in fields.items()})
fitting = st.fixed_dictionaries(fields)


def _read(data: bytes) -> CallReply | None:
    """The reply, if it is one, and whatever its answer is can be judged."""
    for exercise in JUDGED:
        try:
            read = read_call(data)
        except WireError:
            return None
        judge(exercise, CASES[exercise.name], [read.answer])
    return read


few = settings(max_examples=30)


@few
@given(st.binary(max_size=300))
@example(b"\n")
def test_any_bytes(data: bytes) -> None:
    assert _read(data) is None
    with pytest.raises(WireError):
        read_cell(data)


@few
@given(heads | fitting, st.binary(max_size=40))
def test_any_head_and_any_bytes(head: dict[str, Any], body: bytes) -> None:
    _read(json.dumps(head).encode() + b"\n" + body)


@few
@given(values, st.binary(max_size=10))
def test_any_json(value: Any, body: bytes) -> None:
    assert _read(json.dumps(value).encode() + b"\n" + body) is None


@given(st.data())
def test_a_good_reply_with_bytes_changed(data: st.DataObject) -> None:
    whole = bytearray(reply(message="a word", forbidden=["torch.conv2d"]))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    _read(bytes(whole))


@few
@given(st.data())
def test_any_numbers_of_any_shape_are_judged(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(sorted(wire.DTYPES)))
    shape = data.draw(st.lists(st.integers(0, 3), max_size=4))
    size = int(np.prod(shape, dtype=int)) * np.dtype(dtype).itemsize
    body = data.draw(st.binary(min_size=size, max_size=size))  # NaN and infinity among them
    assert _read(reply(body, dtype=dtype, shape=shape)) is not None


def test_the_drawn_replies_are_not_all_bad() -> None:
    """Else the tests above would have looked at nothing."""
    assert _read(reply()) is not None
    assert _read(reply(np.array([np.nan, np.inf]).tobytes())) is not None
