"""The question cards of the Explainer: what they claim is true of the networks that they show, and they show it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from scipy import ndimage

from tests.explorers.in_node import called
from unet_edu.convolution import conv2d
from unet_edu.data import pretrained
from unet_edu.data.cells import synthetic_cells
from unet_edu.explore.unet import course_page, pictures, unet
from unet_edu.explore.unet.export import described
from unet_edu.instances import cell_scores, connected
from unet_edu.losses import separated
from unet_edu.unet import UNet

NEAR = 2  # pixels from a rim
Changes = dict[int, Callable[[torch.Tensor], torch.Tensor]]  # by level


@pytest.fixture(scope="module")
def cards(tmp_path_factory):
    [found] = called("unet/cards.js", "CARDS", [None], tmp_path_factory.mktemp("cards"))
    return {card["name"]: card for card in found}


@pytest.fixture(scope="module")
def model():
    return pretrained("cells")


class Picture(NamedTuple):
    image: np.ndarray
    cells: np.ndarray  # with the gaps between them
    instances: np.ndarray


def shown(name: str) -> Picture:
    """A picture as the page has it, and the cells in it."""
    entry = next(entry for entry in pictures(128, 128) if entry["name"] == name)
    grey = np.frombuffer(base64.b64decode(entry["grey"]), np.uint8).reshape(128, 128)
    look, number = name.split("-")
    drawn, instances = synthetic_cells(10_000 + 2 * int(number), (128, 128), cells=14, look=look)
    assert np.abs(255 * drawn - grey).max() <= 0.51
    return Picture((grey / 255).astype(np.float32), separated(instances) > 0, instances)


@pytest.fixture(scope="module")
def picture():
    return shown("phase-0")


def probability(model: UNet, image: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return model(torch.from_numpy(image)[None, None]).softmax(1)[0, 1].numpy()


def mask(model: UNet, image: np.ndarray, copies: Changes | None = None) -> np.ndarray:
    """The answer, with something done to the copies of some levels."""
    handles = []
    for level, change in (copies or {}).items():
        join = model.join[-1 - level]  # the deepest comes first
        handles.append(join.register_forward_pre_hook(lambda _, inputs, change=change: (change(inputs[0]), inputs[1])))
    try:
        return probability(model, image) > 0.5
    finally:
        for handle in handles:
            handle.remove()


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return (one & other).sum() / (one | other).sum()


def rim(cells: np.ndarray) -> np.ndarray:
    inside, outside = ndimage.distance_transform_edt(cells), ndimage.distance_transform_edt(~cells)
    return inside + outside <= NEAR


def found(answer: np.ndarray, instances: np.ndarray) -> int:
    """How many cells are covered by one region of the mask for more than half."""
    return int((cell_scores(connected(answer.astype(np.uint8)), instances) > 0.5).sum())


def test_each_card_has_a_right_answer_and_a_claim_that_is_tested(cards):
    assert list(cards) == ["draw", "edges", "border", "reach", "rims", "another", "untrained", "without"]
    for name, card in cards.items():
        assert 2 <= len(card["answers"]) <= 4 and 0 <= card["right"] < len(card["answers"])
        assert f"test_{name}" in globals()
        assert card["look"] and card["see"].endswith(".") and card["why"].endswith(".")


# How many cells the network finds in the picture with some changes.
COUNT = """await (async () => {
    globalThis.net ??= await load(given.description);
    const [rows, columns] = [128, 128];
    const { values } = changed({ rows, columns, values: given.image }, it, "phase");
    return connectedCells(net.run(values, { rows, columns })).count;
})()"""


def test_draw(cards, model, picture, tmp_path):
    """Wherever there is free ground, one cell more is counted; where cells touch, it may be another number."""
    image, _, _ = picture
    own = cards["draw"]["look"]["edits"]
    away = ndimage.distance_transform_edt(~mask(model, image))
    places = [(y, x) for y in range(16, 116, 12) for x in range(16, 116, 12)]
    drawn = [[["draw", x, y, *own[0][3:]]] for y, x in places]
    data = {"description": described(model), "image": image.ravel().tolist()}
    before, with_own, *counts = called("unet/explainer.js", COUNT, [[], own, *drawn], tmp_path, **data)
    assert with_own == before + 1
    free = [count for (y, x), count in zip(places, counts, strict=True) if away[y, x] >= 14]
    assert len(free) >= 20 and set(free) == {before + 1}
    assert any(count <= before for count in counts)


def test_edges(cards, model):
    """Of all maps of the first convolution, number 0 answers most to dark on the right of light."""
    kernels, _ = folded(model)
    strength = (kernels[:, :, 0] - kernels[:, :, 2]).sum(axis=1)
    assert strength.argmax() == 0 == cards["edges"]["right"]
    assert (kernels[0, :, 0] > 0).all() and (kernels[0, :, 2] < 0).all()
    answers = [int(words.split()[1]) for words in cards["edges"]["answers"]]
    assert answers[0] == 0 and all(strength[other] < strength[0] / 2 for other in answers[1:])
    assert cards["edges"]["look"]["place"] == {"layer": "contracting.0.0", "channel": 0}


def folded(model: UNet) -> tuple[np.ndarray, np.ndarray]:
    """The kernels of the first convolution, (16, 3, 3), and their biases, with the batch normalisation in them."""
    convolution, norm = model.contracting[0][0], model.contracting[0][1]
    gain = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach().numpy()
    bias = norm.bias.detach().numpy() - gain * norm.running_mean.numpy()
    return convolution.weight.detach().numpy()[:, 0] * gain[:, None, None], bias


def test_border(cards, model, picture):
    """The last column is the brightest, from top to bottom, and it is the zeros that make it so."""
    image, _, _ = picture
    kernels, bias = folded(model)
    first = np.maximum(0, conv2d(image, kernels[0], padding=1) + bias[0])
    columns = first.mean(axis=0)
    assert columns[-1] > 3 * columns[:-1].max() and (first[1:-1, -1] > np.percentile(first, 95)).all()
    continued = np.maximum(0, conv2d(np.pad(image, 1, mode="edge"), kernels[0]) + bias[0])
    assert continued[:, -1].mean() < columns[-1] / 3
    place = cards["border"]["look"]["place"]
    assert place["column"] + 1 == image.shape[1] and 0 < place["row"] < image.shape[0] - 1


def test_reach(cards, model):
    """32 × 32, by the arithmetic of the card, and by trying: no pixel further away changes a number at the bottom."""
    reach, step, sides = 1, 1, []
    for kind in ["conv", "conv", "pool", "conv", "conv", "pool", "conv", "conv"]:
        reach, step = reach + (2 if kind == "conv" else 1) * step, step * (2 if kind == "pool" else 1)
        sides.append(reach)
    assert sides[1:] == [5, 6, 10, 14, 16, 24, 32]
    assert cards["reach"]["answers"][cards["reach"]["right"]] == "32×32 pixels"
    place = cards["reach"]["look"]["place"]
    down = torch.nn.Sequential(
        model.contracting[0], model.pool[0], model.contracting[1], model.pool[1], model.contracting[2]
    )
    rows, columns = np.zeros(128, bool), np.zeros(128, bool)
    for seed in range(4):
        noise = torch.from_numpy(np.random.default_rng(seed).random((1, 1, 128, 128), np.float32)).requires_grad_()
        down(noise)[0, :, place["row"], place["column"]].sum().backward()
        rows |= (noise.grad[0, 0] != 0).any(dim=1).numpy()
        columns |= (noise.grad[0, 0] != 0).any(dim=0).numpy()
    assert rows.sum() == columns.sum() == 32


def test_rims(cards, model, picture):
    image, cells, instances = picture
    whole, hurt = mask(model, image), mask(model, image, {0: torch.zeros_like})
    wrong, near = hurt != cells, rim(cells)
    assert wrong.sum() > 2 * (whole != cells).sum()
    assert wrong[near].sum() > 0.95 * wrong.sum()
    assert hurt.sum() < whole.sum()  # too thin
    assert found(hurt, instances) == found(whole, instances)  # none is lost
    assert cards["rims"]["look"]["copies"] == ["zeroed", "kept"]


def test_another(cards, model):
    look = cards["another"]["look"]
    assert look["copies"] == ["other", "other"]
    (image, own, _), (other_image, other, _) = shown(look["picture"]), shown(look["other"])

    taken: dict[int, torch.Tensor] = {}
    mask(model, other_image, {level: lambda copy, level=level: taken.setdefault(level, copy) for level in (0, 1)})
    given: Changes = {level: lambda copy, level=level: taken[level] for level in (0, 1)}
    both, highest = mask(model, image, given), mask(model, image, {0: given[0]})
    assert overlap(both, other) > 0.55 > 1.8 * overlap(both, own)
    assert overlap(highest, own) > 0.8 and overlap(highest, other) < 0.1


def test_untrained(cards, picture):
    image, cells, _ = picture
    for step, least, most in [(0, 0, 0.2), (10, 0, 0.2), (100, 0.65, 0.8), (None, 0.9, 1)]:
        said = probability(pretrained("cells", step), image)
        assert least <= overlap(said > 0.5, cells) <= most
        if step == 0:
            assert said[cells].mean() < said[~cells].mean()  # cells are not even more probable than the ground
            assert 0.1 < (said > 0.5).mean() < 0.9  # neither “no cell” everywhere


def test_without(cards, model, picture):
    image, cells, instances = picture
    whole, never = mask(model, image), mask(pretrained("cells_none"), image)
    off = mask(model, image, {0: torch.zeros_like, 1: torch.zeros_like})
    assert overlap(whole, cells) > overlap(never, cells) > overlap(whole, cells) - 0.04
    assert overlap(off, cells) < 0.8
    assert found(never, instances) >= found(whole, instances)
    near = rim(cells)
    assert (never != cells)[near].sum() > 1.5 * (whole != cells)[near].sum()
    assert (never != cells)[~near].sum() < 0.005 * cells.size


# --- on the page ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("explainer") / "index.html"
    path.write_text(course_page())
    return path.as_uri()


@pytest.fixture
def page(browser, address):
    page = browser.new_page(viewport={"width": 1366, "height": 645}, reduced_motion="reduce")
    page.goto(address)
    page.locator(".answer canvas").wait_for()
    yield page
    page.close()


def state(page, name: str) -> str | None:
    """What the address says was set."""
    return page.evaluate("name => new URLSearchParams(location.hash.slice(1)).get(name)", name)


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("name", ["draw", "edges", "border", "reach", "rims", "another", "untrained", "without"])
def test_a_card_sets_up_what_it_speaks_of_and_puts_everything_back(browser, address, cards, name):
    card = cards[name]
    page = browser.new_page(viewport={"width": 1366, "height": 645}, reduced_motion="reduce")
    page.goto(f"{address}#picture=coins&card={name}")
    question = page.get_by_role("button", name=card["question"])
    expect(question).to_have_attribute("aria-expanded", "true")
    assert page.locator(".cards .because").count() == 0
    page.locator(".choices").get_by_role("button", name=card["answers"][card["right"]]).click()
    expect(page.locator(".cards .because")).to_contain_text(card["why"])
    assert page.locator(".cards .because").inner_text().startswith("Yes. ")
    look = card["look"]
    for part, ends in (("copies", ","), ("network", ""), ("picture", "")):
        expected = look.get(part)
        if expected:
            text = ends.join(expected) if isinstance(expected, list) else expected
            page.wait_for_function(f"location.hash.includes('{part}={text}')")
    page.wait_for_function("!location.hash.includes('coins')")
    if look.get("place"):
        numbers = ",".join(str(number) for number in look["place"].values())
        page.wait_for_function(f"location.hash.includes('place={numbers}')")
        assert page.locator(".levels .strip").is_visible()
    if "edits" in look:
        page.wait_for_function("location.hash.includes('edits=draw')")
    page.get_by_role("button", name="put everything back").click()
    page.wait_for_function(f"location.hash === '#picture=coins&card={name}'")
    assert page.locator(".cards .because").count() == 0
    page.close()


@pytest.mark.needs("chromium")
def test_keys_open_answer_and_turn(page, cards):
    first, second, *_ = cards.values()
    question = page.locator(".cards .question")
    assert page.locator(".cards").bounding_box()["height"] <= 44
    assert question.inner_text().endswith(first["question"])
    question.focus()
    page.keyboard.press("Enter")
    expect(question).to_have_attribute("aria-expanded", "true")
    page.locator(".choices button").nth(1).focus()
    page.keyboard.press("Space")
    expect(page.locator(".because")).to_contain_text(f"Not quite: {first['answers'][0]}.")
    assert page.evaluate("document.activeElement.textContent") == first["answers"][1]
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    page.get_by_role("button", name="the next question").click()
    expect(question).to_have_text(second["question"])
    expect(page.locator(".cards .count")).to_have_text("2 of 8")
    assert page.locator(".because").count() == 0
    question.click()
    expect(page.locator(".cards .body")).to_be_hidden()
    for _ in range(3):
        page.get_by_role("button", name="the question before").click()
    expect(page.locator(".cards .count")).to_have_text("7 of 8")


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_card(page, theme):
    page.emulate_media(color_scheme=theme)
    address = page.url.split("#")[0] + "#card=rims"
    page.goto("about:blank")  # a page that is open writes its own state into its address, a little later
    page.goto(address)
    page.locator(".choices button").first.click()
    page.locator(".because").wait_for()
    said = Axe().run(page, context=".cards").response
    assert said["passes"]
    assert [one for one in said["violations"] if one["impact"] in ("serious", "critical")] == []


@pytest.mark.needs("chromium")
def test_only_cards_about_what_is_there_are_asked(browser):
    page = browser.new_page()
    for model, count in ((None, 7), (UNet(widths=(4, 8), padding="same"), 0)):
        page.set_content(unet(model).html)
        page.locator(".answer canvas").wait_for()
        assert page.locator(".cards").is_visible() == (count > 0)
        if count:
            expect(page.locator(".cards .count")).to_have_text(f"1 of {count}")
    page.close()
