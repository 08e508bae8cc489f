"""Lesson 04's exercises: the numbers of the lesson, and mistakes as students write them."""

import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.checks.judging import cases_of, right_option, worked
from unet_edu import check, quiz
from unet_edu.convolution import conv2d, output_size
from unet_edu.lessons import EXERCISES
from unet_edu.matrix import conv2d_matrix
from unet_edu.transposed import conv_transpose2d, overlap_count

X = np.array([[4, 5, 8, 7], [1, 8, 8, 8], [3, 6, 6, 4], [6, 5, 7, 8]])
K = np.array([[1, 4, 1], [1, 4, 3], [3, 3, 1]])
SOLUTIONS = nbformat.read(next(Path(__file__).parents[2].glob("solutions/04_*/*.ipynb")), as_version=4)


# --- the numbers of the lesson ----------------------------------------------------------------------------------------


def test_the_worked_numbers_of_the_matrix():
    A = EXERCISES["conv_matrix"].reference(K, 4, 4)
    assert A.tolist() == [
        [1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0, 0, 0, 0, 0],
        [0, 1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1, 0],
        [0, 0, 0, 0, 0, 1, 4, 1, 0, 1, 4, 3, 0, 3, 3, 1],
    ]
    *_, wrong = worked("conv_matrix")
    assert (A @ X.ravel()).tolist() == [122, 148, 126, 134]
    assert (wrong["kernel flipped"] @ X.ravel()).tolist() == [119, 148, 121, 143]
    assert (wrong["kernel transposed"] @ X.ravel()).tolist() == [120, 150, 115, 134]
    assert (wrong["image flattened column by column"] @ X.ravel()).tolist() == [120, 115, 150, 134]
    assert (wrong["output flattened column by column"] @ X.ravel()).tolist() == [122, 126, 148, 134]
    assert (wrong["padded"] @ X.ravel()).reshape(4, 4)[1:3, 1:3].tolist() == [[122, 148], [126, 134]]


def test_the_worked_numbers_of_the_transpose():
    A = EXERCISES["conv_matrix"].reference(K, 4, 4)
    up = EXERCISES["tconv_matrix"].reference(np.array([[2, 1], [4, 4]]), A, (4, 4))
    assert up.tolist() == [[2, 9, 6, 1], [6, 29, 30, 7], [10, 29, 33, 13], [12, 24, 16, 4]]
    *_, wrong = worked("tconv_matrix")
    assert wrong["inverse in place of transpose"].ravel()[:3].round(3).tolist() == [0.010, -0.008, -0.184]
    assert np.allclose(A @ wrong["inverse in place of transpose"].ravel(), [2, 1, 4, 4])  # what an inverse is for


def test_the_worked_numbers_of_the_stamps():
    cases = cases_of("tconv2d_scatter", 0)
    right = EXERCISES["tconv2d_scatter"].reference
    assert right(*cases[0].args).tolist() == [[2, 9, 6, 1], [6, 29, 30, 7], [10, 29, 33, 13], [12, 24, 16, 4]]
    assert right(*cases[2].args, **cases[2].kwargs).tolist() == [[8, 7, 4], [22, 13, 19], [16, 16, 16]]
    *_, wrong = worked("tconv2d_scatter")
    assert wrong["overwritten in place of added"][0].tolist() == [2, 1, 4, 1]
    assert wrong["kernel flipped"][0].tolist() == [2, 7, 9, 3]


def test_the_worked_numbers_of_the_sizes_and_counts():
    size, wrong = EXERCISES["tconv_size"].reference, {m.name: m.wrong for m in EXERCISES["tconv_size"].mistakes}
    assert [output_size(n, 5, 3, 2) for n in (15, 16, 17, 18, 19)] == [5, 6, 6, 6, 7]  # three sizes share one
    assert [size(6, 5, 3, 2, op) for op in range(3)] == [16, 17, 18]
    assert wrong["output padding ignored"](6, 5, 3, 2, 1) == 16
    assert size(28, 2, 2) == 56

    counts = EXERCISES["overlap_counts"].reference
    assert list(counts(4, 3, 2)) == [1, 1, 2, 1, 2, 1, 2, 1, 1]
    assert list(counts(4, 4, 2)) == [1, 1, 2, 2, 2, 2, 2, 2, 1, 1]
    assert list(counts(3, 2, 2)) == [1] * 6
    assert list(worked("overlap_counts", 1)[2]["border ignored"]) == [2] * 10


def test_the_references_are_the_library():
    rng = np.random.default_rng(4)
    for _ in range(20):
        x, k = rng.normal(size=rng.integers(1, 5, 2)), rng.normal(size=rng.integers(1, 5, 2))
        s, p, op = rng.integers(1, 4), rng.integers(0, 2), 0
        for n in range(2):
            assert list(EXERCISES["overlap_counts"].reference(x.shape[n], k.shape[n], s)) == list(
                overlap_count(x.shape[n], k.shape[n], s)
            )
        if min((np.array(x.shape) - 1) * s + k.shape - 2 * p) < 1:
            continue
        up = EXERCISES["tconv2d_scatter"].reference(x, k, s, p)
        assert np.allclose(up, conv_transpose2d(x, k, stride=s, padding=p), atol=1e-12)
        assert up.shape == tuple(
            EXERCISES["tconv_size"].reference(n, m, s, p, op) for n, m in zip(x.shape, k.shape, strict=True)
        )


# Each mistake of the code that is to be repaired: what stands there, and what should.
MENDED = {
    "zeros behind the last pixel": (
        "np.zeros((channels, H * stride, W * stride))",
        "np.zeros((channels, (H - 1) * stride + 1, (W - 1) * stride + 1))",
    ),
    "kernel not turned": ("w[0, m]", "w[0, m, ::-1, ::-1]"),
    "height and width of the ring swapped": (
        "(kW - 1, kW - 1), (kH - 1, kH - 1)",
        "(kH - 1, kH - 1), (kW - 1, kW - 1)",
    ),
    "one kernel for all channels": ("w[0, m", "w[:, m"),
}


@pytest.mark.parametrize("left", [left for n in range(5) for left in itertools.combinations(MENDED, n)], ids=str)
def test_the_code_to_repair_has_its_four_mistakes(left):
    """And each part of them that is left in it is named."""
    (source,) = (cell.source for cell in SOLUTIONS.cells if cell.id == "example-6")
    for name, (there, right) in MENDED.items():
        assert source.count(there) == 1
        source = source if name in left else source.replace(there, right)
    names = {"np": np}
    exec(source.partition("\n\n\nprint")[0], names)  # noqa: S102 - our own notebook

    def repair_tconv(x, w, stride=1):
        return names["tconv_by_zeros"](x, w, stride)

    result = check(repair_tconv)
    assert result.misconception == " and ".join(name for name in MENDED if name in left)
    assert result.passed == (not left) and result.right[0]  # the trial is right in any case


def test_even_kernels_keep_a_flat_image_flat():
    for seed in range(5):
        for case in cases_of("even_kernel", seed):
            k, stride = case.args
            even = EXERCISES["even_kernel"].reference(k, stride)
            flat = conv_transpose2d(np.ones((6, 6)), even, stride=stride)
            (H, W), (rows, columns) = k.shape, flat.shape
            assert flat[H - 1 : rows - H + 1, W - 1 : columns - W + 1] == pytest.approx(1)
            assert min(abs(k[a::stride, b::stride].sum()) for a, b in np.ndindex(stride, stride)) > 0.09
            assert not (k < 0).any() or "negative" in case.name
    halves = EXERCISES["even_kernel"].reference(np.ones((3, 3)), 2)
    row = conv_transpose2d(np.array([[2, 6]]), halves, stride=2, padding=1)
    assert row.tolist() == [[2, 4, 6]]  # between two pixels stands their mean: bilinear


# --- mistakes as students write them ----------------------------------------------------------------------------------


def rows(start):
    """The solution's loops, but for the place of the window's upper left pixel in the row."""

    def conv_matrix(k, h, w):
        kH, kW = k.shape
        h_out, w_out = h - kH + 1, w - kW + 1
        A = np.zeros((h_out * w_out, h * w))
        for r in range(h_out * w_out):
            i, j = r // w_out, r % w_out
            for u in range(kH):
                first = start(r, i, j, w, w_out) + u * w
                A[r, first : first + kW] = k[u]
        return A

    return conv_matrix


@pytest.mark.parametrize(
    ("start", "misconception"),
    [
        (lambda r, i, j, w, w_out: r, "rows start one apart"),
        (lambda r, i, j, w, w_out: i * w_out + j, "rows start one apart"),
        (lambda r, i, j, w, w_out: 0, "all rows the same"),
        (lambda r, i, j, w, w_out: j, "windows move only to the right"),
        (lambda r, i, j, w, w_out: i * w, "windows move only down"),
    ],
)
def test_a_wrong_place_for_the_window_is_recognised(start, misconception):
    assert check(rows(lambda r, i, j, w, w_out: i * w + j), "conv_matrix").passed
    assert check(rows(start), "conv_matrix").misconception == misconception


@pytest.mark.parametrize(
    ("place", "misconception"),
    [
        ("outer", "only the first row of windows"),
        ("inner", "only the first window"),
        ("made anew", "only the last row of windows"),
    ],
)
def test_a_list_of_rows_that_ends_too_early_is_recognised(place, misconception):
    """As in the last hint, with the `return` in a wrong place, or `rows = []`."""

    def conv_matrix(k, h, w):
        rows = []
        for i in range(h - k.shape[0] + 1):
            rows = [] if place == "made anew" else rows
            for j in range(w - k.shape[1] + 1):
                plane = np.zeros((h, w))
                plane[i : i + k.shape[0], j : j + k.shape[1]] = k
                rows.append(plane.ravel())
                if place == "inner":
                    return np.array(rows)
            if place == "outer":
                return np.array(rows)
        return np.array(rows)

    assert check(conv_matrix).misconception == misconception


def test_the_whole_matrix_is_shown():
    page = check(rows(lambda r, i, j, w, w_out: r), "conv_matrix")._repr_html_()
    yours, expected = ET.fromstring(page).findall(".//table")[1:]
    assert [table.find("caption").text for table in (yours, expected)] == ["yours", "expected"]
    shown = [[int(cell.text) for cell in row.iter("td")] for row in expected.iter("tr")]
    assert shown == EXERCISES["conv_matrix"].reference(K, 4, 4).tolist()


def test_planes_that_are_not_flattened_are_recognised():
    def conv_matrix(k, h, w):
        rows = []
        for i, j in np.ndindex(h - k.shape[0] + 1, w - k.shape[1] + 1):
            plane = np.zeros((h, w))
            plane[i : i + k.shape[0], j : j + k.shape[1]] = k
            rows.append(plane)
        return rows

    assert check(conv_matrix).misconception == "rows not flattened"
    assert "an array of shape (4, 4, 4); it should be an array of shape (4, 16)" in check(conv_matrix).message


def test_a_product_whose_sizes_do_not_meet_is_told():
    def tconv_matrix(y, A, size):
        return (A @ y.ravel()).reshape(size)

    def dotted(y, A, size):
        return np.dot(A, y.ravel()).reshape(size)

    def inverted(y, A, size):
        return (np.linalg.inv(A) @ y.ravel()).reshape(size)

    def reshaped_only(y, A, size):
        return y.reshape(size)

    for f in (tconv_matrix, dotted):
        assert "A.T" not in check(f, "tconv_matrix").hint
        assert "In A @ b, A must have as many columns as b has rows." in check(f, "tconv_matrix").message
    assert "Only a square matrix can have an inverse." in check(inverted, "tconv_matrix").message
    assert "reshape only arranges numbers anew" in check(reshaped_only, "tconv_matrix").message


def stamping(size, step, write, crop):
    """The solution's loops, with four places in which to go wrong."""

    def tconv2d_scatter(x, k, stride=1, padding=0):
        (H, W), (kH, kW) = x.shape, k.shape
        y = np.zeros((size(H, kH, stride), size(W, kW, stride)))
        for i in range(H):
            for j in range(W):
                top, left = i * step(stride), j * step(stride)
                write(y[top : top + kH, left : left + kW], x[i, j] * k)
        return crop(y, padding)

    return tconv2d_scatter


def add(part, stamp):
    part += stamp


def put(part, stamp):
    part[:] = stamp


def crop(y, p):
    return y[p : y.shape[0] - p, p : y.shape[1] - p]


@pytest.mark.parametrize(
    ("size", "step", "write", "cut", "misconception"),
    [
        (lambda n, k, s: n + k - 1, lambda s: 1, add, lambda y, p: y, "stamps so far"),
        (lambda n, k, s: (n - 1) * s + k, lambda s: s, add, lambda y, p: y, "stamps and stride so far"),
        (lambda n, k, s: n + k - 1, lambda s: 1, put, lambda y, p: y, "overwritten, without stride and padding"),
        (lambda n, k, s: (n - 1) * s + k, lambda s: s, put, crop, "overwritten in place of added"),
        (lambda n, k, s: n * s + k, lambda s: s, add, crop, "too large by one stride"),
        (lambda n, k, s: n * s + k - 1, lambda s: s, add, crop, "size without a stride, made longer"),
        (lambda n, k, s: (n - 1) * s + k, lambda s: 1, add, crop, "stamps one apart in a large output"),
        (lambda n, k, s: (n - 1) * s + k, lambda s: s, add, lambda y, p: y[p:-p, p:-p], "slice to minus zero"),
        (lambda n, k, s: (n - 1) * s + k, lambda s: s, add, lambda y, p: y[p:, p:], "cropped only above and left"),
        (lambda n, k, s: (n - 1) * s + k, lambda s: s, add, lambda y, p: np.pad(y, p), "zeros put around the output"),
    ],
)
def test_mistakes_in_the_loops_are_recognised(size, step, write, cut, misconception):
    assert check(stamping(lambda n, k, s: (n - 1) * s + k, lambda s: s, add, crop), "tconv2d_scatter").passed
    assert check(stamping(size, step, write, cut), "tconv2d_scatter").misconception == misconception


@pytest.mark.parametrize(
    ("f", "misconception"),
    [
        (lambda i, k, s=1, p=0, op=0: (i - 1) * s + k, "stamps so far"),
        (lambda i, k, s=1, p=0, op=0: (i - 1) * s + k - 2 * p, "output padding ignored"),
        (lambda i, k, s=1, p=0, op=0: i + k - 1 - 2 * p + op, "stride ignored"),
        (lambda i, k, s=1, p=0, op=0: i * s, "size times stride"),
        (lambda i, k, s=1, p=0, op=0: i - 1 * s + k - 2 * p + op, "product before difference"),
    ],
)
def test_sizes_on_the_way_are_recognised(f, misconception):
    assert check(f, "tconv_size").misconception == misconception


# --- the quick questions ----------------------------------------------------------------------------------------------


def test_the_answers_of_the_quick_questions_are_true():
    assert right_option("04", 1) == "{}×{}".format(*conv2d_matrix(np.ones((3, 3)), (5, 6)).shape)

    x, k = np.random.default_rng(0).normal(size=(2, 3, 4))
    assert "upside down and left to right" in right_option("04", 2)
    full = conv2d(np.pad(x, [(2,), (3,)]), k[::-1, ::-1])
    assert np.allclose(conv_transpose2d(x, k), full)
    assert not np.allclose(conv_transpose2d(x, k), conv2d(np.pad(x, [(2,), (3,)]), k))

    torch.manual_seed(0)
    layers = [torch.nn.ConvTranspose2d(1, 1, 3, 2, 1, output_padding=op, bias=False) for op in (0, 1)]
    small, large = (F.conv_transpose2d(torch.ones(1, 1, 4, 4), layers[0].weight, None, 2, 1, op) for op in (0, 1))
    assert (*small.shape[2:], *large.shape[2:]) == (7, 7, 8, 8)
    uncropped = F.conv_transpose2d(torch.ones(1, 1, 4, 4), layers[0].weight, None, 2)
    assert uncropped.shape[2] == 9 and torch.equal(large[0, 0], uncropped[0, 0, 1:, 1:])
    assert large[0, 0, -1].abs().min() > 0 and not torch.equal(large[0, 0, -1], large[0, 0, -2])

    inside = {f"{k}×{k}": {int(n) for n in overlap_count(9, k, 2)[k - 2 : 2 - k]} for k in (3, 4, 5)}
    assert inside == {"3×3": {1, 2}, "4×4": {2}, "5×5": {2, 3}}
    assert right_option("04", 4) == "4×4"

    row = torch.tensor([[[4.0, 5, 8, 7]]])
    bilinear = F.interpolate(row, scale_factor=2, mode="linear")[0, 0, 2:-2]  # away from the border
    right = []
    for option in quiz("04").questions[4].options:
        stamp = torch.tensor([[[float(weight) for weight in option.text.split(",")]]])
        outputs = F.conv_transpose1d(row, stamp, stride=2)[0, 0].unfold(0, len(bilinear), 1)
        if any(torch.allclose(window, bilinear) for window in outputs):
            right.append(option.text)
    assert right == [right_option("04", 5)]
