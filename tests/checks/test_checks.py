"""The exercises' checks: wrong answers fail, with the hint that they deserve, and what is said is put into words."""

import dataclasses
import functools
import itertools
import pickle
import pickletools
import subprocess
import sys
import unittest.mock
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch

from tests.checks.answers.s02_convolution import field_by_products, plane_by_windows
from tests.checks.judging import cases_of, checked, remembered, seeds, worked
from tests.patience import PATIENCE_S
from unet_edu import check
from unet_edu import convolution as library
from unet_edu.checks import SEED, Case, Exercise, attempt, compare, judge
from unet_edu.checks.answer import Answer
from unet_edu.checks.diagnosis import explained
from unet_edu.checks.fault import INPUTS_STAY, TOLERANCE, different
from unet_edu.checks.verdict import CHANGES_ITS_INPUT
from unet_edu.convolution import conv2d
from unet_edu.lessons import EXERCISES

each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


# --- misconceptions ---------------------------------------------------------------------------------------------------


@each_exercise
def test_each_misconception_gets_its_own_hint(exercise):
    for mistake, seed in itertools.product(exercise.mistakes, seeds(exercise.name)):
        cases = cases_of(exercise.name, seed)
        answers = [remembered(mistake.wrong, case) for case in cases]
        result = judge(exercise, cases, answers, remembered)
        of = f"{mistake.name}, with seed {seed}: {result}"
        assert (result.status, result.misconception, result.hint) == ("failed", mistake.name, mistake.hint), of
        alone = dataclasses.replace(exercise, mistakes=tuple(m for m in exercise.mistakes if m is not mistake))
        assert judge(alone, cases, answers, remembered).misconception == "", of
        assert mistake.hint in repr(result) and result._repr_html_(), of


@each_exercise
def test_misconceptions_are_far_from_the_tolerance(exercise):
    for mistake, seed in itertools.product(exercise.mistakes, seeds(exercise.name, 10)):
        pairs = (
            (remembered(f, case).value for f in (mistake.wrong, exercise.reference))
            for case in cases_of(exercise.name, seed)
        )
        assert any(wrong is not None and different_by_far(wrong, right) for wrong, right in pairs), (mistake.name, seed)


def different_by_far(wrong, right):
    scale = max(1, np.abs(right).max(initial=0))
    return (
        wrong.shape != right.shape
        or wrong.dtype.kind != right.dtype.kind
        or (wrong.dtype.kind in "biu" and (wrong != right).any())  # whole numbers are not rounded
        or np.abs(wrong.astype(float) - right.astype(float)).max(initial=0) > 100 * TOLERANCE * scale
    )


def test_hints_are_not_shared():
    hints = [mistake.hint for exercise in EXERCISES.values() for mistake in exercise.mistakes]
    assert len(set(hints)) == len(hints) > 40


def test_the_worked_numbers_of_the_lesson():
    _, right, wrong = worked("conv2d_naive")
    assert right.tolist() == [[122, 148], [126, 134]]
    assert wrong["kernel flipped"].tolist() == [[119, 148], [121, 143]]
    assert wrong["kernel transposed"].tolist() == [[120, 150], [115, 134]]
    assert wrong["padded"].shape == (4, 4)
    assert wrong["padded"][1:3, 1:3].tolist() == [[122, 148], [126, 134]]

    size = {m.name: m.wrong for m in EXERCISES["out_size"].mistakes}
    assert EXERCISES["out_size"].reference(6, 3, 2, 1) == 3
    assert size["rounded up"](6, 3, 2, 1) == 4

    level = [(3, 1), (3, 1), (2, 2)]
    sizes = EXERCISES["receptive_field"].reference(level * 4 + level[:2])
    assert [*sizes[2::3], sizes[-1]] == [6, 16, 36, 76, 140]  # after each pooling, and at the bottom


def test_a_transposed_kernel_is_recognised_though_the_function_stops_on_other_kernels():
    def conv2d_naive(x, k):
        kH, kW = k.shape
        y = np.zeros((x.shape[0] - kH + 1, x.shape[1] - kW + 1))
        for i, j in np.ndindex(y.shape):
            y[i, j] = (x[i : i + kH, j : j + kW] * k.T).sum()
        return y

    result = check(conv2d_naive)
    assert result.misconception == "kernel transposed"
    assert "stopped with an error in another case" in result.message


def test_a_right_answer_that_the_misconception_cannot_give_speaks_against_it():
    result = check(lambda x, k: plane_by_windows(x, k.T if k.shape[0] == k.shape[1] else k), "conv2d_naive")
    assert (result.status, result.hint) == ("failed", "")


def test_errors_alone_match_no_misconception():
    def out_size(i, k, s=1, p=0, d=1):
        if d > 1:
            raise ValueError("not written yet")
        return (i + 2 * p - k) // s + 1

    result = check(out_size)  # where it answers it is right, and so is who ignores dilation
    assert (result.status, result.hint) == ("failed", "")
    assert result.case.name == "a kernel with gaps"


def test_an_error_on_every_case_matches_no_misconception():
    def conv2d_naive(x, k):
        return x[99, 99]

    result = check(conv2d_naive)
    assert (result.status, result.hint) == ("failed", "")


# --- what else students return ----------------------------------------------------------------------------------------


class Wildcard:
    """Equal to everything."""

    def __eq__(self, other):
        return True

    __hash__ = None

    def __getattr__(self, name):
        return lambda *args, **kwargs: self


class Agreeable(np.ndarray):
    """An array that compares equal to everything, and whose differences are all zero."""

    def __eq__(self, other):
        return np.ones(self.shape, bool)

    def __sub__(self, other):
        return np.zeros(self.shape)

    __rsub__ = __sub__
    __hash__ = None

    def __array_ufunc__(self, *args, **kwargs):
        return np.zeros(self.shape)


def endless_list():
    inside = []
    inside.append(inside)
    return inside


def deep_list():
    nested = 1.0
    for _ in range(5000):
        nested = [nested]
    return nested


ODD = [
    "122 148",
    Wildcard(),
    [Wildcard()],
    np.zeros((2, 2)).view(Agreeable),
    np.full((2, 2), np.nan),
    np.full((2, 2), np.inf),
    np.full((2, 2), 1j),
    np.array([[122, 148], [126, 134]], dtype=object),
    [[122, 148], [126]],
    endless_list(),
    deep_list(),
    list(range(10**5)),
    np.zeros((0, 0)),
    np.zeros((2, 0, 3, 1)),
    np.zeros((1, 1, 2, 2)),
    True,
    np.ones((2, 2), bool),
    np.float16(-1),
    {},
    (n for n in range(4)),
    unittest.mock.MagicMock(),
    lambda x: x,
    torch.nn.Conv2d(1, 1, 3),
    -5,
]


def expect_a_calm_refusal(result, value):
    assert result.status == "failed" and result.message, type(value)
    assert repr(result) and ET.fromstring(result._repr_html_()) is not None, type(value)


@each_exercise
def test_odd_answers_fail_calmly(exercise):
    for value in ODD:
        expect_a_calm_refusal(checked(lambda *args, value=value, **kwargs: value, exercise.name), value)


def test_odd_answers_fail_as_calmly_within_limits():
    for value in ODD:
        expect_a_calm_refusal(check(lambda x, k, value=value: value, "conv2d_naive"), value)


def only_dots(x, k): ...


def only_a_docstring(x, k):
    """Convolve."""


def only_pass(x, k):
    pass


@pytest.mark.parametrize("f", [only_dots, only_a_docstring, only_pass])
def test_an_empty_function_is_not_yet(f):
    assert check(f, exercise="conv2d_naive").status == "not yet"


@pytest.mark.parametrize("value", [None, ...])
def test_a_forgotten_return_is_told(value, capsys):
    def conv2d_naive(x, k):
        y = plane_by_windows(x, k)
        print(y)
        return value

    def silent(x, k):
        plane_by_windows(x, k)
        return value

    result = check(conv2d_naive)
    assert (result.status, result.hint, result.case) == ("failed", "", None)
    assert "returned nothing. Does it print the result? `return` it instead. (It printed “[[122 148]”.)" in repr(result)
    assert "`return` it instead." in check(silent, "conv2d_naive").message
    assert "It printed" not in check(silent, "conv2d_naive").message
    assert capsys.readouterr().out == ""


def test_what_a_function_prints_is_kept_apart(capsys):
    def conv2d_naive(x, k):
        print("much " * 1000)

    def out_size(i, k, s=1, p=0, d=1):
        print(i)
        return (i + 2 * p - d * (k - 1) - 1) // s + 1

    assert len(check(conv2d_naive).message) < 300
    assert check(out_size).passed
    assert capsys.readouterr().out == ""
    print("still here")
    assert capsys.readouterr().out == "still here\n"


def test_an_unfilled_exercise_is_not_yet():
    def conv2d_naive(x, k):
        """Convolve."""
        # Write your code here.
        raise NotImplementedError

    result = check(conv2d_naive)
    assert (result.status, result.passed, result.hint) == ("not yet", False, "")
    assert "not yet" in repr(result)
    assert "not yet" in result._repr_html_()
    assert "The line `raise NotImplementedError` goes away." in result.message


def test_an_exception_names_its_line_and_the_case():
    def conv2d_naive(x, k):
        total = 0
        return total / 0  # here

    result = check(conv2d_naive)
    assert "ZeroDivisionError: division by zero" in result.message
    assert "return total / 0  # here" in result.message
    assert result.case.name in repr(result)
    assert "[[4, 5, 8, 7], [1, 8, 8, 8], [3, 6, 6, 4], [6, 5, 7, 8]]" in repr(result)


def test_an_exception_names_the_line_of_the_student_though_a_probe_calls():
    def center_crop(x, size):
        return x[:, :, : size[0]]  # here

    result = check(center_crop)
    assert "IndexError" in result.message and "# here" in result.message


def test_a_network_of_layers_alone_stops_at_no_line():
    message = check(lambda n, m: torch.nn.Sequential(torch.nn.Conv2d(m, m, 3)), "double_conv").message
    assert message.startswith("Your network stopped with RuntimeError") and "in line" not in message


def test_an_endless_error_message_is_cut():
    def conv2d_naive(x, k):
        raise ValueError("much " * 10**6)

    assert len(check(conv2d_naive).message) < 600


@pytest.mark.parametrize("leave", [exit, quit, sys.exit])
def test_exit_is_an_error_of_the_function(leave):
    def conv2d_naive(x, k):
        leave()

    result = check(conv2d_naive)
    assert result.status == "failed"
    assert "SystemExit" in result.message


@pytest.mark.parametrize(
    ("sizes", "misconception"),
    [
        (lambda x, k: (*x.shape[::-1], *k.shape), "height and width of the image swapped"),
        (lambda x, k: (*x.shape, *k.shape[::-1]), "height and width of the kernel swapped"),
        (lambda x, k: (*x.shape[::-1], *k.shape[::-1]), "height and width of both swapped"),
        (lambda x, k: (*x.shape, 3, 3), "made for kernels of 3×3"),
    ],
)
def test_wrong_sizes_are_recognised_in_the_loops_of_the_last_hint(sizes, misconception):
    def conv2d_naive(x, k):
        H, W, kH, kW = sizes(x, k)
        y = np.zeros((H - kH + 1, W - kW + 1))
        for i in range(H - kH + 1):
            for j in range(W - kW + 1):
                y[i, j] = (x[i : i + kH, j : j + kW] * k).sum()
        return y

    assert check(conv2d_naive).misconception == misconception


@pytest.mark.parametrize(
    ("name", "value"),
    [("conv2d_naive", [[122, 148], [126, 134]]), ("out_size", 2), ("receptive_field", [3, 5]), ("conv2d_naive", "122")],
)
def test_the_same_answer_for_all_is_told(name, value):
    said = check(lambda *args, **kwargs: value, name).diagnosis
    assert said.startswith("Your function gives the same answer whatever it is given.") == (value != "122")


def test_the_same_answer_for_all_is_no_rule_for_one_case():
    exercise = EXERCISES["out_size"]
    cases = exercise.cases(np.random.default_rng(0))[:1]
    answers = [attempt(lambda i, k: 7, cases[0])]
    assert explained(judge(exercise, cases, answers), answers).layer == "place"


def test_an_answer_that_is_no_numbers_is_told():
    text, ragged = check(lambda x, k: "122", "conv2d_naive"), check(lambda x, k: [[1], [2, 3]], "conv2d_naive")
    assert text.message == "Your function returned a str, which is neither a real number nor an array of them."
    assert ragged.message.endswith("or rows of different lengths.")


def test_shape_comes_before_type_and_type_before_values():
    def shape(x, k):
        return np.zeros((1, 1), int)

    def cut(x, k):
        return plane_by_windows(x, k).astype(int)

    assert "shape (1, 1); it should be an array of shape (2, 2)" in check(shape, "conv2d_naive").message
    assert "of type int, which cuts off the fractions" in check(cut, "conv2d_naive").message
    assert "a row of 3 numbers" in check(lambda layers: [1, 2, 3], "receptive_field").message
    assert "of type float; it should be" in check(lambda i, k, s=1, p=0, d=1: i / 2, "out_size").message
    assert (
        "of type float; it should be" in check(lambda layers: 0.5 * np.arange(len(layers)), "receptive_field").message
    )


def test_a_value_names_the_first_place_that_differs():
    def nudged(x, k):
        y = plane_by_windows(x, k).astype(float)
        y[1, 0] += 1
        return y

    result = check(nudged, "conv2d_naive")
    assert (result.index, result.yours[1, 0], result.expected[1, 0]) == ((1, 0), 127, 126)
    assert "The first difference is at [1, 0]: yours is 127, expected is 126. 1 of 4 numbers differ" in result.message


def test_nan_is_not_right_even_where_it_is_expected():
    assert different(np.array([np.nan]), np.array([np.nan])).all()


def test_a_function_that_changes_its_input_harms_nothing():
    def receptive_field(layers):
        sizes, size, jump = [], 1, 1
        while layers:
            k, s = layers.pop(0)
            size, jump = size + (k - 1) * jump, jump * s
            sizes.append(size)
        return sizes

    for _ in range(2):
        result = check(receptive_field)
        assert result.passed
        assert "changes its input" in result.message
    assert "changes its input" not in check(field_by_products, "receptive_field").message


def test_where_inputs_must_stay_a_function_that_changes_them_is_not_right():
    def sgd_step(p, g, v, lr, momentum):
        v *= momentum
        v += g
        return p - lr * v, v

    result = check(sgd_step)
    assert (result.status, result.fault, result.hint) == ("failed", "input", "")
    assert result.message == f"{INPUTS_STAY}{CHANGES_ITS_INPUT}" and result._repr_html_()
    assert check(lambda p, g, v, lr, momentum: sgd_step(p, g, v.copy(), lr, momentum), "sgd_step").passed


def test_an_interrupt_passes_through():
    def conv2d_naive(x, k):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(conv2d_naive)


@pytest.mark.parametrize(
    ("name", "f", "words"),
    [
        (
            "conv_matrix",
            lambda k, h, w: np.zeros((h, w)).__setitem__(np.s_[h - 1 :, :2], np.ones((2, 2))),
            "hang over the edge",
        ),
        ("overlap_counts", lambda n, k, s: [0][n], "Does a loop go one step too far"),
        ("resize_mask", lambda mask, size: mask[0 // (size[0] // 8)], "because // rounded down to 0"),
        ("up_nearest", lambda x, scale: x[2 / scale, 0], "4 // 2 gives 2"),
        ("maxunpool", lambda y, idx, size: np.zeros(size).__setitem__(idx % 3, y), "takes whole rows of a plane"),
        ("iou", lambda prediction, target: (prediction > 0) and (target > 0), "for whole arrays, there are & | ~"),
        ("one_hot", lambda mask, num_classes: [h * w for h, w in [mask.shape]], "How many axes does this array have?"),
    ],
)
def test_errors_of_numpy_are_put_into_words(name, f, words):
    result = check(f, name)
    assert result.status == "failed" and words.lower() in result.message.lower()


def test_unknown_exercises_are_told_with_the_known_ones():
    for f in (lambda x, k: x, np.sum):
        with pytest.raises(ValueError, match=f"expected one of {', '.join(EXERCISES)}, got"):
            check(f)
    with pytest.raises(ValueError, match="got 'conv3d'"):
        check(np.sum, exercise="conv3d")
    with pytest.raises(TypeError, match="got ndarray"):
        check(np.zeros(3))


# --- a guess beside the answer ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guess", "answer"),
    [
        ("122", 122),
        (122, "122"),
        (" Up", "up"),
        ("UP ", "up"),
        ("(3, 5)", (3, 5)),
        ([3, 5], (3, 5)),
        (4, np.int64(4)),
        ("4", np.int64(4)),
    ],
)
def test_a_right_guess_is_right_however_it_is_written(guess, answer, capsys):
    compare(guess, answer)
    assert capsys.readouterr().out == f"Your guess: {guess}. That is what comes out.\n"


@pytest.mark.parametrize(
    ("guess", "answer"), [("12", 122), ("down", "up"), ([3], [3, 5]), (3, [3, 5]), ([[1], [2, 3]], 3)]
)
def test_a_wrong_guess_is_put_beside_the_answer(guess, answer, capsys):
    compare(guess, answer)
    assert capsys.readouterr().out == f"Your guess: {guess}. What comes out: {answer}. Where do they differ?\n"


def test_no_guess_is_no_mistake(capsys):
    compare(None, 122)
    assert capsys.readouterr().out == "No guess yet. The answer: 122\n"


# --- judging apart from calling, and what is shown --------------------------------------------------------------------


def test_there_is_a_verdict_for_each_case_and_the_kind_of_fault():
    exercise = EXERCISES["out_size"]
    cases = exercise.cases(np.random.default_rng(0))
    answers = [attempt(exercise.reference, case) for case in cases]
    assert judge(exercise, cases, answers).right == (True,) * len(cases)
    wrong = {
        2: (Answer("value", np.zeros(2, int)), "shape"),
        4: (Answer("value", np.array(2.5)), "type"),
        7: (Answer("value", np.array(-1)), "values"),
        9: (Answer("raised", message="no"), "no answer"),
    }
    mixed = [wrong[n][0] if n in wrong else answer for n, answer in enumerate(answers)]
    assert judge(exercise, cases, mixed).right == tuple(n not in wrong for n in range(len(cases)))
    for n, (answer, fault) in wrong.items():
        result = judge(exercise, cases, [*answers[:n], answer, *answers[n + 1 :]])
        assert (result.fault, result.case) == (fault, cases[n])
    for kind in ("empty", "nothing"):
        assert judge(exercise, cases, [Answer(kind)] * len(cases)).right == (False,) * len(cases)


def test_a_grader_may_remember_what_the_reference_and_the_misconceptions_answer():
    exercise, asked = EXERCISES["conv2d_naive"], []
    cases = exercise.cases(np.random.default_rng(0))
    answers = [attempt(exercise.mistakes[0].wrong, case) for case in cases]

    def ask(f, case):
        asked.append((f, case))
        return remembered(f, case)

    result = judge(exercise, cases, answers, ask)
    assert (result.misconception, result.message) == (
        exercise.mistakes[0].name,
        judge(exercise, cases, answers).message,
    )
    assert {f for f, _ in asked} == {exercise.reference, exercise.mistakes[0].wrong}


@each_exercise
def test_a_case_can_be_sent_to_where_the_lessons_are_not(exercise):
    """A sandbox has `answer.py`, `exercise.py` and `network.py`, which know no right answer."""
    for case in exercise.cases(np.random.default_rng(0)):
        strings = [argument for _, argument, _ in pickletools.genops(pickle.dumps(case)) if isinstance(argument, str)]
        modules = {text for text in strings if text.startswith("unet_edu")}
        assert "unet_edu.checks.exercise" in modules
        assert modules <= {"unet_edu.checks.exercise", "unet_edu.checks.network"}


def test_zero_cases_are_no_pass():
    exercise = EXERCISES["out_size"]
    cases = exercise.cases(np.random.default_rng(0))
    with pytest.raises(ValueError, match="at least one case"):
        judge(exercise, [], [])
    with pytest.raises(ValueError, match="got 1 for 15 cases"):
        judge(exercise, cases, [attempt(exercise.reference, cases[0])])


@each_exercise
def test_cases_come_from_the_generator_and_the_visible_ones_first(exercise):
    one, again, other = (exercise.cases(np.random.default_rng(seed)) for seed in (1, 1, 2))
    groups = [case.group for case in one]
    assert groups == sorted(groups, reverse=True) and set(groups) == {"visible", "extra"}
    assert repr(one) == repr(again) != repr(other)


def test_a_check_needs_neither_torch_nor_matplotlib_nor_ipython():
    code = (
        "import sys; from unet_edu import check; r = check(lambda x, k: x, 'conv2d_naive'); repr(r); r._repr_html_();"
        "print(sorted({'torch', 'matplotlib', 'IPython', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert done.stdout.strip() == "[]"


@each_exercise
def test_what_is_shown_is_well_formed_and_always_the_same(exercise):
    cases = cases_of(exercise.name, SEED)
    anew = functools.cache(attempt)
    for mistake in exercise.mistakes:
        first, second = (
            judge(exercise, cases, [ask(mistake.wrong, case) for case in cases], ask) for ask in (remembered, anew)
        )
        page = first._repr_html_()
        assert page == second._repr_html_(), mistake.name
        assert repr(first) == repr(second), mistake.name
        shown = " ".join("".join(ET.fromstring(page).itertext()).split())
        assert "✗ failed" in shown and mistake.hint in shown, mistake.name


def test_the_picture_outlines_the_first_difference():
    flipped = EXERCISES["conv2d_naive"].mistakes[0].wrong
    tables = ET.fromstring(check(flipped, "conv2d_naive")._repr_html_()).findall(".//table")
    assert [table.find("caption").text for table in tables] == ["x", "k", "yours", "expected"]
    outlined = [cell.text for table in tables for cell in table.iter("td") if "3px" in cell.get("style")]
    assert outlined == ["119", "122"]
    assert sum("#FBDCC8" in cell.get("style") for cell in tables[2].iter("td")) == 3


def test_a_large_answer_is_cut_around_the_difference():
    def far(exercise_x):
        y = exercise_x.copy()
        y[15, 19] += 1
        return y

    case = Case("large", (np.arange(20.0 * 30).reshape(20, 30),))
    exercise = Exercise("far", 1, lambda exercise_x: exercise_x, lambda rng: [case], ())
    page = judge(exercise, [case], [attempt(far, case)])._repr_html_()
    yours, expected = ET.fromstring(page).findall(".//table")
    assert yours.find("caption").text == "yours, from [11, 15]"
    assert len(list(yours.iter("td"))) == len(list(expected.iter("td"))) == 64
    assert [c.text for c in yours.iter("td") if "3px" in c.get("style")] == ["470"]


def test_what_a_student_wrote_is_escaped():
    def conv2d_naive(x, k):
        raise ValueError("<script>alert(1)</script>")

    odd = type("<img src=x onerror=alert(1)>", (), {})
    for result in (check(conv2d_naive), check(lambda x, k: odd(), "conv2d_naive")):
        assert "<script" not in result._repr_html_()
        assert "<img" not in result._repr_html_()
        assert "alert(1)" in result._repr_html_()


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "right"},
        {"kind": "value"},
        {"kind": "nothing", "value": np.zeros(2)},
        {"kind": "raised", "message": "no", "value": np.zeros(2)},
        {"kind": "value", "value": [1, 2]},
        {"kind": "value", "value": np.array(["1"])},
        {"kind": "value", "value": np.array([1j])},
        {"kind": "value", "value": np.array([None])},
        {"kind": "value", "value": np.ma.masked_all(2)},
        {"kind": "raised"},
        {"kind": "unusable"},
    ],
    ids=str,
)
def test_what_is_no_answer_cannot_be_made_into_one(fields):
    with pytest.raises((ValueError, TypeError), match=r"^(kind|value|message): "):
        Answer(**fields)


def test_numbers_under_a_mask_are_no_answer():
    def conv2d_naive(x, k):
        return np.ma.masked_array(conv2d(x, k), mask=True)

    result = check(conv2d_naive)
    assert result.status == "failed" and "MaskedArray" in result.message


def test_a_message_cannot_command_the_terminal():
    def out_size(i, k, s=1, p=0, d=1):
        raise ValueError("\x1b[2J\x00 gone")

    result = check(out_size)
    assert "gone" in result.message and result.message.replace("\n", "").isprintable()


def test_an_input_whose_parts_cannot_be_compared_counts_as_changed():
    class Hostile:
        def __eq__(self, other):
            raise RuntimeError

        __array__ = __eq__

    def receptive_field(layers):
        answer = [library.receptive_field(layers[: n + 1]).size for n in range(len(layers))]
        layers[0] = Hostile()
        return answer

    result = check(receptive_field)
    assert result.passed and "changes its input" in result.message


def test_numbers_too_large_for_a_float_are_wrong_and_not_an_error():
    def conv2d_naive(x, k):
        return np.full(conv2d(x, k).shape, np.longdouble("1e4000"))

    with np.errstate(all="raise"):
        assert check(conv2d_naive).status == "failed"
