"""scene.js on a bare page, without Python behind it: pointing, stepping, sliders, the keyboard, predicting."""

import numpy as np
import pytest

from tests.explorers.mounted import cell, focused, heard, listen, lit, note, outputs, scene_of, type_into, update
from tests.explorers.scenes import PAIRS
from unet_edu import explore
from unet_edu.figures.scene import number

pytestmark = pytest.mark.needs("chromium")

STEP_MS = 900  # as in scene.js


def test_pointing_at_an_output_shows_its_patch_and_sum(mount):
    page = mount(explore.convolution())
    assert note(page) == "y[0, 0] = 1·4 + 4·5 + 1·8 + 1·1 + 4·8 + 3·8 + 3·3 + 3·6 + 1·6 = 122"
    cell(page, "output", 1, 0).hover()
    assert note(page).startswith("y[1, 0] = 1·1 + 4·8") and note(page).endswith("= 126")
    assert lit(page, "input") == [(r, c) for r in (1, 2, 3) for c in (0, 1, 2)]
    assert len(lit(page, "kernel")) == 9
    assert cell(page, "input", 1, 1).locator(".corner").text_content() == "×4"
    page.mouse.move(880, 690)  # away: what was selected before is shown again
    assert note(page).endswith("= 122")


def test_pointing_at_a_weight_or_an_input_shows_the_adjoint(mount):
    page = mount(explore.convolution())
    cell(page, "kernel", 0, 1).hover()
    assert lit(page, "input") == [(0, 1), (0, 2), (1, 1), (1, 2)] and len(lit(page, "output")) == 4
    cell(page, "input", 0, 0).hover()
    assert lit(page, "output") == [(0, 0)] and lit(page, "kernel") == [(0, 0)]
    cell(page, "input", 1, 1).hover()
    assert len(lit(page, "output")) == 4


def test_flipped_links(mount):
    page = mount(explore.convolution(flip=True))
    cell(page, "input", 0, 0).hover()
    assert lit(page, "kernel") == [(2, 2)]


def test_step_reset_and_sliders(mount):
    page = mount(explore.convolution())
    page.get_by_role("button", name="Step").click()
    assert note(page).endswith("= 148")
    page.get_by_label("output row").fill("1")
    assert note(page).endswith("= 134")
    page.get_by_role("button", name="Reset").click()
    assert note(page).endswith("= 122")
    page.get_by_label("output column").press("ArrowRight")  # the keyboard moves a slider too
    assert note(page).endswith("= 148")


def test_keyboard_in_the_grids(mount):
    page = mount(explore.convolution())
    cell(page, "output", 0, 0).focus()
    page.keyboard.press("ArrowDown")
    assert note(page).endswith("= 126")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # at the edge: nothing
    assert note(page).endswith("= 134")
    cell(page, "kernel", 0, 0).focus()
    page.keyboard.press("ArrowUp")
    assert note(page).startswith("w[0, 0] = 1 multiplies 4, 5, 1, 8")


def test_typing_into_a_cell(mount):
    page = mount(explore.convolution())
    cell(page, "kernel", 1, 1).focus()
    page.keyboard.type("-2.5")
    page.keyboard.press("Enter")
    cell(page, "input", 0, 0).dblclick()
    page.locator(".editor").fill("9")
    page.keyboard.press("Enter")
    cell(page, "input", 0, 1).dblclick()
    page.locator(".editor").fill("77")
    page.keyboard.press("Escape")
    cell(page, "output", 0, 0).dblclick()  # results cannot be typed
    assert page.locator(".editor").count() == 0
    assert page.evaluate("edits") == [[20, -2.5], [0, 9]]


def test_predicting(mount):
    page = mount(explore.convolution())
    page.get_by_label("predict before you see").check()
    assert page.locator("[aria-label^='output,'] .value").all_text_contents() == ["?"] * 4
    assert note(page).endswith("= ?")
    guess = page.get_by_label("your prediction")
    guess.fill("121")
    guess.press("Enter")
    assert "Not yet" in page.locator(".answer").text_content() and note(page).endswith("= ?")
    guess.fill("122")
    page.get_by_role("button", name="Check").click()
    assert page.locator(".answer").text_content() == "Yes, 122." and note(page).endswith("= 122")
    page.get_by_role("button", name="Step").click()
    page.get_by_role("button", name="Show it").click()
    assert page.locator("[aria-label^='output,'] .value").all_text_contents() == ["122", "148", "?", "?"]


def test_an_update_keeps_focus_and_selection(mount):
    page = mount(explore.convolution())
    cell(page, "output", 1, 1).focus()
    scene = scene_of(explore.convolution(kernel=np.eye(3)))
    page.evaluate("scene => view.update(scene)", scene)
    assert note(page).endswith("= 22") and page.evaluate("document.activeElement.dataset.cell") == "28"


def test_arithmetic_scene(mount):
    page = mount(explore.arithmetic(6, 3, stride=2, padding=1))
    assert page.locator(".caption").text_content() == "⌊(6 + 2·1 − 1·(3 − 1) − 1) / 2⌋ + 1 = ⌊5 / 2⌋ + 1 = 3"
    cell(page, "input", 0, 7).hover()
    assert note(page) == "no window reads this zero of the padding: it is dropped"
    cell(page, "output", 1, 0).hover()
    assert lit(page, "input") == [(0, 2), (0, 3), (0, 4)]
    assert page.locator(".hatching").count() == 1


def test_nothing_fits(mount):
    page = mount(explore.arithmetic(2, 5))
    assert "PyTorch raises an error" in page.locator(".caption").text_content()
    assert page.get_by_role("button", name="Step").count() == 0


def test_what_is_selected_stays_where_it_is_when_the_grids_grow(mount):
    page = mount(explore.arithmetic(7, 3))
    cell(page, "output", 1, 0).focus()
    page.evaluate("scene => view.update(scene)", scene_of(explore.arithmetic(7, 3, padding=1)))
    assert note(page) == "w₀·x₀ + w₁·x₁ + w₂·x₂ = y₁"
    page.evaluate("scene => view.update(scene)", scene_of(explore.arithmetic(2, 5)))
    page.evaluate("scene => view.update(scene)", scene_of(explore.arithmetic(7, 3)))
    assert note(page).endswith("= y₀")  # after a scene in which nothing fits: from the start


def test_long_numbers_stay_in_their_cells(mount):
    page = mount(explore.convolution(kernel=[[1 / 16, -1234567, 0], [0, 1, 0], [0, 0, 0]]))
    wide = page.evaluate("""[...document.querySelectorAll('.cell')].filter(cell =>
        cell.querySelector('.value').getBBox().width > cell.querySelector('rect').getBBox().width).length""")
    assert wide == 0


def test_fractions_are_numbers_and_words_are_not(mount):
    page = mount(explore.convolution())
    for typed in ("1/4", "a lot"):
        cell(page, "kernel", 0, 0).dblclick()
        page.locator(".editor").fill(typed)
        page.keyboard.press("Enter")
    assert page.evaluate("edits") == [[16, 0.25]]
    assert note(page) == "“a lot” is not a number: nothing was changed."


def test_a_hidden_result_is_hidden_from_screen_readers_too(mount):
    page = mount(explore.convolution())
    assert "122" in page.locator("svg").get_attribute("aria-label")
    page.get_by_label("predict before you see").check()
    assert "122" not in page.locator(".stage").evaluate("node => node.innerHTML")


def test_a_cell_is_not_linked_to_itself(mount):
    page = mount(explore.convolution())
    for grid in ("output", "input", "kernel"):
        cell(page, grid, 1, 1).hover()
        assert page.locator(".selected").count() == 1 and page.locator(".linked").count() > 0
        assert page.locator(".selected.linked").count() == 0
        assert page.locator(".selected .corner").text_content() == ""


def test_a_selected_blank_cell_is_linked_to_nothing(mount):
    page = mount(explore.arithmetic(6, 3))
    cell(page, "windows", 0, 4).hover()
    assert note(page) == "window 0 does not read x₄"
    assert page.locator(".selected").count() == 1 and page.locator(".linked").count() == 0


def test_two_scenes_on_a_page_have_hatches_of_their_own(mount):
    page = mount(explore.arithmetic(6, 3, stride=2, padding=1))
    page.evaluate(
        "scene => mount(document.body.appendChild(document.createElement('div')), scene)",
        scene_of(explore.arithmetic(6, 2, stride=3)),
    )
    ids = page.locator("pattern").evaluate_all("nodes => nodes.map(node => node.id)")
    assert len(ids) == len(set(ids)) == 4  # two kinds of hatch each
    fills = page.locator(".hatching").evaluate_all("nodes => nodes.map(node => node.style.fill)")
    assert [fill.replace('"', "") for fill in fills] == [f"url(#{ids[0]})"] + 2 * [f"url(#{ids[2]})"]


# ---- the keyboard ----------------------------------------------------------------------------------------------------


def test_arrow_keys_stop_at_all_four_edges(mount):
    page = mount(explore.convolution())
    for row, column, key in [
        (0, 0, "ArrowUp"),
        (0, 1, "ArrowUp"),
        (0, 0, "ArrowLeft"),
        (1, 0, "ArrowLeft"),
        (0, 1, "ArrowRight"),
        (1, 1, "ArrowRight"),
        (1, 0, "ArrowDown"),
        (1, 1, "ArrowDown"),
    ]:
        cell(page, "output", row, column).focus()
        page.keyboard.press(key)
        assert focused(page) == f"output-{row}-{column}", key


def test_arrow_keys_move_by_one_cell_in_their_direction(mount):
    page = mount(explore.convolution())
    cell(page, "input", 1, 1).focus()
    places = []
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        places.append(focused(page))
    assert places == ["input-1-2", "input-2-2", "input-2-1", "input-1-1"]


def test_tab_stops_once_in_each_grid_at_the_cell_that_was_left(mount):
    page = mount(explore.convolution())

    def stops():
        return page.locator(".cell[tabindex='0']").evaluate_all("nodes => nodes.map(node => node.dataset.key)")

    assert stops() == ["input-0-0", "kernel-0-0", "output-0-0"]
    cell(page, "input", 2, 1).focus()
    cell(page, "output", 1, 1).focus()
    assert stops() == ["input-2-1", "kernel-0-0", "output-1-1"]
    page.keyboard.press("ArrowUp")
    assert stops() == ["input-2-1", "kernel-0-0", "output-0-1"]
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "kernel-0-0"


def test_the_key_wins_over_the_mouse_that_rests_on_a_cell(mount):
    page = mount(explore.convolution())
    cell(page, "output", 0, 0).focus()
    cell(page, "input", 3, 3).hover()
    assert note(page).startswith("x[3, 3]")
    page.keyboard.press("ArrowRight")
    assert note(page).endswith("= 148")


def test_keys_that_a_cell_uses_do_not_reach_the_notebook(mount):
    page = mount(explore.convolution())
    listen(page)
    cell(page, "output", 0, 0).focus()
    for key in ("ArrowDown", "d", " ", "5", "Escape"):
        page.keyboard.press(key)
    assert heard(page) == []
    page.keyboard.press("Tab")
    assert heard(page) == [["Tab", False]]


def test_space_and_arrows_in_a_cell_do_not_scroll_the_page(mount):
    page = mount(explore.convolution())
    page.evaluate("window.keys = []; document.addEventListener('keydown', event => keys.push(event), true)")
    cell(page, "output", 0, 0).focus()
    for key in (" ", "ArrowDown", "ArrowUp", "ArrowUp"):  # the last one at the edge
        page.keyboard.press(key)
    assert page.evaluate("keys.map(event => event.defaultPrevented)") == [True] * 4


def test_ctrl_meta_and_alt_keys_in_a_cell_are_left_to_the_page(mount):
    page = mount(explore.convolution())
    listen(page)
    cell(page, "kernel", 0, 0).focus()
    for key in ("Control+5", "Meta+ArrowRight", "Alt+ArrowDown"):
        page.keyboard.press(key)
    assert [(key, was_used) for key, was_used in heard(page) if key not in ("Control", "Meta", "Alt")] == [
        ("5", False),
        ("ArrowRight", False),
        ("ArrowDown", False),
    ]
    assert focused(page) == "kernel-0-0" and page.locator(".editor").count() == 0


def test_keys_on_a_slider_do_not_reach_the_notebook_except_tab(mount):
    page = mount(explore.convolution())
    listen(page)
    page.get_by_label("output column").focus()
    for key in ("ArrowRight", "d", "Enter", "Tab"):
        page.keyboard.press(key)
    assert [key for key, _ in heard(page)] == ["Tab"]
    assert note(page).endswith("= 148")


def test_keys_in_an_editor_do_not_reach_the_notebook(mount):
    page = mount(explore.convolution())
    cell(page, "kernel", 0, 0).dblclick()
    listen(page)
    for key in ("5", "ArrowLeft", "d", "Backspace", "Enter"):
        page.keyboard.press(key)
    cell(page, "kernel", 0, 0).dblclick()
    page.keyboard.press("Escape")
    assert heard(page) == []


# ---- typing ----------------------------------------------------------------------------------------------------------


def test_an_editor_opens_with_the_number_of_its_cell_or_with_the_key_that_was_typed(mount):
    page = mount(explore.convolution(kernel=[[-2, 1], [1, 1]]))
    for key, text in (("Enter", "-2"), ("7", "7"), ("-", "-"), (".", ".")):
        cell(page, "kernel", 0, 0).focus()
        page.keyboard.press(key)
        assert page.locator(".editor").input_value() == text
        page.keyboard.press("Escape")
    cell(page, "kernel", 0, 0).dblclick()
    assert page.locator(".editor").input_value() == "-2"


def test_leaving_an_editor_keeps_what_was_typed(mount):
    page = mount(explore.convolution())
    type_into(page, "kernel", 0, 0, "6", key="Tab")
    cell(page, "kernel", 0, 1).dblclick()
    page.locator(".editor").fill("7")
    cell(page, "input", 3, 3).click()
    assert page.evaluate("edits") == [[16, 6], [17, 7]] and page.locator(".editor").count() == 0


def test_the_first_key_in_an_editor_replaces_its_number(mount):
    page = mount(explore.convolution())
    cell(page, "kernel", 0, 1).focus()
    page.keyboard.press("Enter")
    page.keyboard.type("56")
    assert page.locator(".editor").input_value() == "56"


def test_enter_makes_one_edit_and_gives_the_focus_back_to_the_cell(mount):
    page = mount(explore.convolution())
    type_into(page, "kernel", 0, 1, "6")
    assert page.evaluate("edits") == [[17, 6]]  # the editor that is gone was left too
    assert focused(page) == "kernel-0-1" and page.locator(".editor").count() == 0


def test_without_python_no_number_can_be_typed_and_the_page_says_so(mount):
    page = mount(explore.convolution())
    page.evaluate("scene => mount(here, scene)", scene_of(explore.convolution()))
    assert page.locator(".editable").count() == 0
    cell(page, "kernel", 0, 0).dblclick()
    assert page.locator(".editor").count() == 0 and "open the lesson" in note(page)
    page.keyboard.press("ArrowRight")
    assert note(page).startswith("w[0, 1]")
    page.keyboard.press("7")
    assert page.locator(".editor").count() == 0 and "open the lesson" in note(page)


def test_escape_discards_what_was_typed(mount):
    page = mount(explore.convolution())
    for text in ("77", "a lot"):
        type_into(page, "kernel", 0, 1, text, key="Escape")
        assert page.evaluate("edits") == [] and page.locator(".editor").count() == 0
        assert focused(page) == "kernel-0-1" and note(page).startswith("w[0, 1] = 4")


def test_numbers_are_read_as_people_write_them(mount):
    page = mount(explore.convolution())
    values = {"2,5": 2.5, " 3 ": 3, "-.5": -0.5, "1e-3": 0.001, "0": 0, "-1/4": -0.25, "1,5/3": 0.5}
    for typed in values:
        type_into(page, "kernel", 0, 0, typed)
    assert page.evaluate("edits") == [[16, value] for value in values.values()]


def test_what_is_not_a_finite_number_is_no_edit_and_is_said(mount):
    page = mount(explore.convolution())
    for typed in ("", " ", "abc", "1e999", "-", "1/0", "0/0", "/2", "NaN", "Infinity"):
        type_into(page, "kernel", 0, 0, typed)
        assert note(page) == f"“{typed}” is not a number: nothing was changed."
    assert page.evaluate("edits") == []


def test_a_complaint_goes_with_the_next_cell(mount):
    page = mount(explore.convolution())
    type_into(page, "kernel", 0, 0, "abc")
    page.mouse.move(880, 690)  # where the mouse points at nothing
    page.keyboard.press("ArrowRight")
    assert note(page).startswith("w[0, 1] = 4")


def test_a_complaint_goes_where_the_mouse_points_elsewhere_and_with_the_next_scene(mount):
    page = mount(explore.convolution())
    type_into(page, "kernel", 0, 0, "abc")
    cell(page, "output", 0, 0).hover()
    assert note(page).endswith(" = 122")
    type_into(page, "kernel", 0, 0, "abc")
    page.mouse.move(880, 690)
    assert "not a number" in note(page)
    update(page, explore.convolution(kernel=[[7]]))
    assert note(page).startswith("w[0, 0] = 7")


def test_on_a_narrow_page_a_scene_scrolls_and_its_numbers_stay_readable(mount):
    page = mount(explore.matrix())
    page.set_viewport_size({"width": 360, "height": 700})
    side = "document.querySelector('.cell rect').getBoundingClientRect().width"
    page.wait_for_function(f"{side} > 24 && {side} < 28")  # once the page has told of its width
    assert page.evaluate("(stage => stage.scrollWidth > stage.clientWidth)(document.querySelector('.stage'))")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_factors_are_readable_where_cells_are_small(mount):
    page = mount(explore.transposed())
    size = (
        page.locator(".linked .corner").filter(has_text="×").first.evaluate("node => parseFloat(node.style.fontSize)")
    )
    assert size == 9


def test_an_unchanged_number_is_no_edit_and_no_complaint(mount):
    page = mount(explore.convolution(kernel=[[-1 / 9, 1], [1, 1]]))  # which is written with three digits
    for key in ("Enter", "Tab"):
        cell(page, "kernel", 0, 0).dblclick()
        page.keyboard.press(key)
        assert page.evaluate("edits") == [] and page.locator(".editor").count() == 0
        assert note(page).startswith("w[0, 0] = −0.111 multiplies")


# ---- playing ---------------------------------------------------------------------------------------------------------


def test_play_steps_through_all_outputs_and_stops_at_the_last(timed_mount):
    page = timed_mount(explore.convolution())
    play = page.locator("[data-key=play]")
    play.click()
    seen = []
    for _ in range(3):
        assert play.text_content() == "Pause"
        seen.append(note(page).split(" = ")[-1])
        page.clock.run_for(STEP_MS)
    assert seen == ["148", "126", "134"] and play.text_content() == "Play"
    play.click()  # at the end: from the start again
    assert note(page).endswith("= 122") and play.text_content() == "Pause"


def test_a_second_click_on_play_pauses(timed_mount):
    page = timed_mount(explore.convolution())
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Play").wait_for()
    page.clock.run_for(3 * STEP_MS)
    assert note(page).endswith("= 148")


@pytest.mark.parametrize(("name", "result"), [("Reset", "122"), ("Step", "126")])
def test_reset_and_step_stop_playing(timed_mount, name, result):
    page = timed_mount(explore.convolution())
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name=name).click()
    assert page.locator("[data-key=play]").text_content() == "Play"
    page.clock.run_for(3 * STEP_MS)
    assert note(page).endswith(f"= {result}")


def test_an_update_stops_playing(timed_mount):
    page = timed_mount(explore.convolution())
    page.get_by_role("button", name="Play").click()
    update(page, explore.convolution(kernel=np.eye(3)))
    assert page.locator("[data-key=play]").text_content() == "Play"
    before = note(page)
    page.clock.run_for(3 * STEP_MS)
    assert note(page) == before and before.startswith("y[0, 1]")


def test_a_scene_that_is_taken_away_stops_playing(timed_mount):
    page = timed_mount(explore.convolution())
    page.get_by_role("button", name="Play").click()
    page.evaluate("view.destroy()")
    page.clock.run_for(3 * STEP_MS)
    assert note(page).endswith("= 148")


def test_step_starts_again_after_the_last_output(mount):
    page = mount(explore.convolution())
    for result in ("148", "126", "134", "122"):
        page.get_by_role("button", name="Step").click()
        assert note(page).endswith(f"= {result}")


def test_step_from_a_cell_of_another_grid_goes_to_the_first_output(mount):
    page = mount(explore.convolution())
    cell(page, "kernel", 1, 1).focus()
    page.get_by_role("button", name="Step").click()
    assert note(page).endswith("= 122")


def test_sliders_follow_what_is_selected(mount):
    page = mount(explore.convolution())
    cell(page, "output", 1, 0).focus()
    sliders = page.get_by_label("output row"), page.get_by_label("output column")
    assert [slider.input_value() for slider in sliders] == ["1", "0"]
    page.get_by_role("button", name="Step").click()
    assert [slider.input_value() for slider in sliders] == ["1", "1"]


# ---- updates ---------------------------------------------------------------------------------------------------------


def test_an_update_to_a_smaller_scene_selects_the_first_output(mount):
    page = mount(explore.convolution())
    cell(page, "output", 1, 1).focus()
    update(page, explore.convolution([[1, 2, 3]], [[1, 1]]))
    assert outputs(page) == ["3", "5"] and page.locator(".cell").count() == 3 + 2 + 2
    assert note(page) == "y[0, 0] = 1·1 + 1·2 = 3"
    assert page.locator("[data-key=column]").get_attribute("max") == "1"
    assert page.locator("[data-key=row]").count() == 0


def test_an_update_hides_the_answers_again(mount):
    page = mount(explore.convolution())
    page.get_by_label("predict before you see").check()
    page.get_by_role("button", name="Show it").click()
    assert outputs(page) == ["122", "?", "?", "?"]
    update(page, explore.convolution(kernel=np.eye(3)))
    assert outputs(page) == ["?"] * 4 and page.get_by_label("predict before you see").is_checked()
    assert page.get_by_label("your prediction").is_visible()


# ---- predicting ------------------------------------------------------------------------------------------------------


def test_a_prediction_is_right_within_half_a_percent_of_what_the_cell_shows(mount):
    guesses = {  # and whether they are right
        0.004: {"0": False, "0.0041": False, "0.004": True},
        -0.004: {"0": False, "0.004": False, "-0.004": True},
        1 / 9: {"0.11": False, "0.1116": False, "0.1115": True},  # the cell shows 0.111
        -4: {"4": False, "-4.03": False, "-3.97": False, "-4": True},
        122: {"122.7": False, "121.3": False, "122.6": True},
        0: {"0.001": False, "-0.001": False, "0": True},
    }
    page = mount(explore.convolution())
    page.get_by_label("predict before you see").check()
    for right, answers in guesses.items():
        update(page, explore.convolution([[1]], [[right]]))
        guess = page.get_by_label("your prediction")
        for typed, is_right in answers.items():
            guess.fill(typed)
            guess.press("Enter")
            assert (outputs(page) == [number(right)]) == is_right, f"{typed} for {right}"
            assert page.locator(".answer").text_content().startswith("Yes, " if is_right else "Not yet.")


def test_no_guess_is_not_an_answer(mount):
    page = mount(explore.convolution([[1]], [[0]]))  # where "" would be read as 0, which is right
    page.get_by_label("predict before you see").check()
    page.get_by_role("button", name="Check").click()
    assert page.locator(".answer").text_content() == "Type a number first." and outputs(page) == ["?"]


def test_showing_an_answer_says_it(mount):
    page = mount(explore.convolution())
    page.get_by_label("predict before you see").check()
    page.get_by_role("button", name="Show it").click()
    assert page.locator(".answer").text_content() == "It is 122."
    assert not page.get_by_label("your prediction").is_visible() and focused(page) == "step"


def test_the_next_output_asks_anew(mount):
    page = mount(explore.convolution())
    page.get_by_label("predict before you see").check()
    page.get_by_label("your prediction").fill("3")
    page.get_by_role("button", name="Show it").click()
    page.get_by_role("button", name="Step").click()
    assert page.locator(".answer").text_content() == "" and note(page).endswith("= ?")
    assert page.get_by_label("your prediction").is_visible()
    assert page.get_by_label("your prediction").input_value() == ""


def test_predicting_again_hides_what_was_shown(mount):
    page = mount(explore.convolution())
    box = page.get_by_label("predict before you see")
    box.check()
    page.get_by_role("button", name="Show it").click()
    box.uncheck()
    box.check()
    assert outputs(page) == ["?"] * 4 and page.locator(".answer").text_content() == ""


def test_predicting_goes_from_a_cell_of_another_grid_to_the_first_output(mount):
    page = mount(explore.convolution())
    cell(page, "kernel", 1, 1).focus()
    page.get_by_label("predict before you see").check()
    assert note(page).startswith("y[0, 0] = ") and page.get_by_label("your prediction").is_visible()


def test_predicting_no_more_shows_all_answers(mount):
    page = mount(explore.convolution())
    box = page.get_by_label("predict before you see")
    box.check()
    box.uncheck()
    assert outputs(page) == ["122", "148", "126", "134"] and not page.get_by_label("your prediction").is_visible()


def test_keys_in_a_prediction_do_not_reach_the_notebook_except_tab(mount):
    page = mount(explore.convolution())
    page.get_by_label("predict before you see").check()
    page.get_by_label("your prediction").focus()
    listen(page)
    for key in ("1", "ArrowLeft", "Enter", "Tab"):
        page.keyboard.press(key)
    assert [key for key, _ in heard(page)] == ["Tab"]


def test_an_update_closes_the_editor_and_forgets_what_was_typed(mount):
    page = mount(explore.convolution())
    cell(page, "kernel", 2, 2).dblclick()
    page.locator(".editor").fill("6")
    page.evaluate("scene => view.update(scene)", scene_of(explore.convolution([[1, 2, 3]], [[1]])))
    assert page.locator(".editor").count() == 0 and page.evaluate("edits") == []


def test_numbers_as_people_and_cells_write_them(mount):
    page = mount(explore.convolution())
    for typed in ("−4", "1,5/2,5", "1/2/3"):
        cell(page, "kernel", 0, 0).dblclick()
        page.locator(".editor").fill(typed)
        page.keyboard.press("Enter")
    assert page.evaluate("edits") == [[16, -4], [16, 0.6]]


# --- twins, arrows, points, factors that stand in no cell -------------------------------------------------------------


def test_what_is_chosen_in_one_grid_is_chosen_in_its_twin(mount):
    page = mount(PAIRS)
    cell(page, "input", 0, 1).hover()
    chosen = page.locator(".selected").evaluate_all("nodes => nodes.map(node => node.ariaLabel)")
    assert chosen == ["input, row 0, column 1: 2", "flat, row 1, column 0: 2"]
    assert lit(page, "output") == [(0, 0), (0, 1)]  # one through the grid, one through its twin
    cell(page, "output", 0, 1).hover()
    assert lit(page, "input") == [(0, 1)] and lit(page, "flat") == [(1, 0)]
    assert page.locator("[aria-selected=true]").count() == 1


def test_a_factor_that_stands_in_no_cell_is_written_in_the_corner(mount):
    page = mount(PAIRS)
    cell(page, "output", 0, 0).hover()
    assert cell(page, "input", 0, 0).locator(".corner").text_content() == "×½"
    assert cell(page, "input", 0, 1).locator(".corner").text_content() == "×0.25"


def test_arrows_run_between_cells_and_are_bold_where_one_is_chosen(mount):
    page = mount(PAIRS)
    drawn = page.locator(".arrow").evaluate_all(
        "lines => lines.map(line => [...line.points].map(({ x, y }) => [x, y]))"
    )
    px = float(page.locator(".cell rect").first.get_attribute("width"))
    for corners, arrow in zip(drawn, PAIRS.arrows, strict=True):
        assert np.allclose(corners, px * np.array(PAIRS.route(*arrow)), atol=1e-3)
    bold = page.locator(".arrow.lit")
    cell(page, "output", 0, 0).hover()
    assert bold.count() == 1
    cell(page, "input", 0, 0).hover()
    assert bold.count() == 0


def test_a_point_is_shown_while_its_cell_is_chosen(mount):
    page = mount(PAIRS)
    points = page.locator(".point")
    cell(page, "output", 0, 0).hover()
    assert [points.nth(n).is_visible() for n in range(points.count())] == [True, False]
    cell(page, "output", 0, 1).hover()
    assert [points.nth(n).is_visible() for n in range(points.count())] == [False, True]


def test_marks_are_hatched_in_their_own_way(mount):
    page = mount(PAIRS)
    kinds = page.locator(".cell:has(.hatching)").evaluate_all(
        "cells => cells.map(cell => [cell.ariaLabel, cell.querySelector('.hatching').style.fill.match(/#(\\w+)-/)[1]])"
    )
    assert kinds == [["flat, row 2, column 0: 3", "unused"], ["flat, row 3, column 0: 4", "clash"]]
