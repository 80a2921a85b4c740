"""Stand-ups over REST: a list, the minutes of one, money for who may see it."""

from tests.reports.test_meetings import held
from tests.reports.test_slides import week

__all__ = ["held", "week"]
URL = "/api/v1/c/acme/meetings/"


def test_the_minutes_are_read_with_money_for_whom_it_is(held, acme, sign_in):
    held.act("write_topics", topics=["VK"])
    held.act("start_meeting")
    meeting = held.end(acme.pm)

    listed = sign_in(acme.pm).get(URL).json()["results"]
    assert [(row["id"], row["week"], row["state"], row["topics"]) for row in listed] == [
        (meeting.pk, "2026-W47", "ended", ["VK"])
    ]
    whole = sign_in(acme.owner).get(f"{URL}{meeting.pk}/").json()
    assert [(row["channel"], row["earned"]) for row in whole["channels"]] == [("vk", "-4200"), ("blog", "2100")]
    assert (whole["present"], whole["seal"]) == ([acme.pm.pk], meeting.seal)
    seen = sign_in(acme.content).get(f"{URL}{meeting.pk}/").json()
    assert [row["earned"] for row in seen["channels"]] == [None, "2100"]


def test_before_the_end_there_are_no_channels(held, acme, sign_in):
    meeting = held.act("start_meeting")
    assert sign_in(acme.pm).get(f"{URL}{meeting.pk}/").json()["channels"] == []
