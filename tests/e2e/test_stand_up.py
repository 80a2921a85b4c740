"""The stand-up in Chromium: one slide at a time by keys, all of them without scripts, usable when the network drops."""

import re
from datetime import UTC, datetime

import time_machine

from tests.e2e.test_main_road import PASSWORD, road

__all__ = ["road"]
AT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def open_meeting(window, road, **options):
    from mops import pipeline
    from reports.services.weekly import run_week

    run_week(company=road.company, at=datetime(2026, 11, 12, 9, tzinfo=UTC))
    pipeline.run_company(road.company.pk, AT)
    walker = window(**options)
    walker.sign_in(road.cmo.user.email, PASSWORD)
    page = walker.open("/c/acme/reports/stand-up/?week=2026-W47")
    return walker, page


def shown(page) -> list[str]:
    return page.locator(".slide:visible").evaluate_all("slides => slides.map(slide => slide.id)")


def test_slides_are_turned_by_keys_and_by_the_rail(window, road):
    with time_machine.travel(AT, tick=True):
        walker, page = open_meeting(window, road)
        walker.check("stand-up")
        assert shown(page) == ["s1"]

        page.keyboard.press("ArrowRight")
        assert shown(page) == ["s2"]
        page.keyboard.press("End")
        assert shown(page) == ["summary"]
        assert page.locator(".rail a[aria-current=step]").get_attribute("href") == "#summary"
        page.click(".rail a[href='#s1']")
        assert shown(page) == ["s1"]

        page.context.set_offline(True)
        page.keyboard.press("ArrowRight")
        assert shown(page) == ["s2"]
        walker.faults[:] = [fault for fault in walker.faults if "DISCONNECTED" not in fault]


def test_without_scripts_everything_is_there(window, road):
    with time_machine.travel(AT, tick=True):
        _walker, page = open_meeting(window, road, javascript=False)
        assert shown(page) == ["s1", "s2", "summary"]


SMALL = """() => {
  const words = document.createTreeWalker(document.querySelector(".stage"), NodeFilter.SHOW_TEXT);
  const small = [];
  for (let node; (node = words.nextNode());) {
    const holder = node.parentElement, range = document.createRange();
    range.selectNodeContents(node);
    const size = parseFloat(getComputedStyle(holder).fontSize);
    const seen = node.textContent.trim() && range.getBoundingClientRect().width && !holder.closest(".vh, .panel");
    if (seen && size > 0 && size < 24) small.push(`${size} ${node.textContent.trim()}`);
  }
  return small;
}"""


def test_on_a_full_screen_nothing_is_smaller_than_24_px_and_each_slide_fits(window, road):
    with time_machine.travel(AT, tick=True):
        _walker, page = open_meeting(window, road, size={"width": 1920, "height": 1080})
        page.keyboard.press("f")
        page.wait_for_function("document.fullscreenElement")
        for key in ("Home", "ArrowRight", "End"):
            page.keyboard.press(key)
            assert page.evaluate(SMALL) == []
            box = page.locator(".slide:visible").bounding_box()
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= 1080


def test_it_prints_a_slide_a_page_without_buttons_and_light(window, road):
    with time_machine.travel(AT, tick=True):
        _walker, page = open_meeting(window, road, dark=True)
        printed = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 3
        page.emulate_media(media="print")
        assert shown(page) == ["s1", "s2", "summary"]
        assert page.locator(":is(.stage-top, .rail, .skip, .btn, form):visible").count() == 0
        assert page.locator("#s1").evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"
