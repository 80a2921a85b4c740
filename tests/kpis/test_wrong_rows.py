"""Wrong rows of a file, to be put right in a spreadsheet: every one of them, with its reason, and never as a formula."""

import csv
import io

import pytest
from django.urls import reverse

from kpis.services import import_runs, imports

from .test_imports import NOW, receive

HEAD = "date;channel;spend;leads\n"


def table(made, browser, load) -> list[list[str]]:
    answer = browser.get(reverse("kpis:import-wrong-rows", args=[made.company.slug, load.pk]))
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))


def test_every_wrong_row_stands_in_the_file_with_its_reason(acme, sign_in):
    content = (
        HEAD
        + "2026-11-18;vk;-5;NaN\n2026-11-17;vk;1;1\n31.02.2026;vk;2;2\n2026-11-17;vk;3;3\n"
        + "2026-13-01;vk;1;1\n" * 150
    )
    load = receive(acme, content)

    rows = table(acme, sign_in(acme.analyst), load)

    assert rows[0][3:] == ["date", "channel", "spend", "leads"]
    assert [row[0] for row in rows[1:5]] == ["2", "2", "4", "5"]
    assert len(rows) == 1 + 4 + 150
    assert "«-5» меньше нуля" in rows[1][2]
    assert rows[1][3:] == ["2026-11-18", "vk", "'-5", "NaN"]
    assert "строке 3" in rows[4][2]


@pytest.mark.parametrize("evil", ["=HYPERLINK(1)", "+1", "-1+2", "@SUM(A1)", "|calc", "%0a", " =1"])
def test_a_cell_that_a_spreadsheet_would_run_is_text(acme, sign_in, evil):
    load = receive(acme, f"date;channel;spend;campaign\n2026-13-18;vk;1;{evil}\n")

    [_head, row] = table(acme, sign_in(acme.analyst), load)

    assert row[6].startswith("'")


def test_it_is_for_who_loads_and_while_there_is_something_to_put_right(acme, sign_in):
    load = receive(acme, HEAD + "2026-11-18;vk;5;1\n")
    address = reverse("kpis:import-wrong-rows", args=[acme.company.slug, load.pk])
    assert sign_in(acme.content).get(address).status_code == 403
    imports.confirm_import(company=acme.company, by=acme.analyst, at=NOW, load=load, mapping=load.mapping)
    import_runs.run_due_imports(company=acme.company, at=NOW)
    assert sign_in(acme.analyst).get(address).status_code == 302
