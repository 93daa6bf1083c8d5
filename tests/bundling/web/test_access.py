"""The page from the keyboard, and for those who do not see it."""

from __future__ import annotations

from typing import Any

from tests.bundling.web.driving import (
    READY,
    SEVEN,
    answer,
    draw,
    expect,
)


def test_strokes_are_taken_back(page: Any) -> None:
    draw(page, SEVEN)
    expect(page.locator("#label")).to_have_text("7")
    draw(page, ((0.1, 0.9), (0.9, 0.9), (0.9, 0.1), (0.1, 0.1), (0.1, 0.9)))
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#label")).to_have_text("7")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#sure")).to_have_text(READY)
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_everything_but_the_pen_works_from_the_keyboard(page: Any) -> None:
    page.on("filechooser", lambda _: None)  # Now, since the browser may hear of the wish below after the key.
    draw(page, SEVEN)
    answer(page)
    page.locator("body").evaluate("(body) => { body.tabIndex = -1; body.focus(); }")
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.textContent"))
    assert reached == ["file", "undo", "clear", "Self-test", "Licences"]
    page.locator("#file").focus()
    with page.expect_file_chooser():
        page.keyboard.press("Space")
    page.locator("#clear").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#sure")).to_have_text(READY)


def test_what_is_shown_has_a_name_for_those_who_do_not_see_it(page: Any) -> None:
    draw(page, SEVEN)
    answer(page)
    tree = page.locator("main").aria_snapshot()
    for words in ('img "Your drawing"', 'button "Undo"', "status:", '"Probabilities"', 'img "The prepared picture"'):
        assert words in tree
    assert page.get_by_label("Choose a picture").count() == 1
