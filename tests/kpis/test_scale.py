"""Money that is 100, 1000 or a million times that of the loads before it: asked, never guessed."""

from decimal import Decimal

import pytest
from django.urls import reverse

from kpis.models import Import
from kpis.selectors.scale import scale_doubt
from kpis.services import folders, import_runs, imports
from kpis.services.units import ScaleNeeded, remembered_scale

from .test_folders import drop  # noqa: F401
from .test_imports import NOW, facts, load_all, receive

HEAD = "date;channel;spend;leads\n"


def file(*money, month=10) -> str:
    return HEAD + "".join(f"2026-{month}-{day:02d};vk;{value};3\n" for day, value in enumerate(money, 1))


def confirm(made, load, **kwargs):
    return imports.confirm_import(
        company=made.company, by=made.analyst, at=NOW, load=load, mapping=load.mapping, **kwargs
    )  # fmt: skip


def run(made, load, **kwargs) -> Import:
    confirm(made, load, **kwargs)
    import_runs.run_due_imports(company=made.company, at=NOW)
    load.refresh_from_db()
    return load


@pytest.mark.parametrize(
    ("money", "factor", "is_less"),
    [
        (("231330000", "250000000"), 1_000_000, False), (("23133", "25000"), 100, False), (("2,31", "2,5"), 100, True),
        (("231330", "250000"), 1000, False), (("0,000231", "0,00025"), 1_000_000, True),
    ],
)  # fmt: skip
def test_a_factor_is_asked_about(acme, money, factor, is_less):
    load_all(acme, file("231,33", "250"))
    load = receive(acme, file(*money, month=11))

    doubt = scale_doubt(company=acme.company, load=load)
    with pytest.raises(ScaleNeeded) as refused:
        confirm(acme, load)

    assert (doubt.factor, doubt.is_less) == (factor, is_less)
    assert refused.value.errors[0].field == "scale"
    load.refresh_from_db()
    assert load.state == "preview"
    assert facts(acme).count() == 2


@pytest.mark.parametrize("money", [("231,33", "250"), ("2000", "3000"), ("30", "20"), ("", "")])
def test_ordinary_growth_is_nobodys_doubt(acme, money):
    load_all(acme, file("231,33", "250"))
    assert run(acme, receive(acme, file(*money, month=11))).state == "done"


def test_the_first_load_of_a_source_has_nothing_to_compare_with(acme):
    assert run(acme, receive(acme, file("231330000"))).state == "done"


def test_what_was_said_is_applied_and_counts_stay(acme):
    load_all(acme, file("231,33", "250"))

    load = run(acme, receive(acme, file("23133", "25000", month=11)), scale=Decimal("0.01"))

    assert (load.state, load.scale) == ("done", Decimal("0.01"))
    rows = facts(acme).filter(day__month=11).order_by("day").values_list("spend", "leads")
    assert list(rows) == [(Decimal("231.33"), 3), (250, 3)]
    as_it_stands = run(acme, receive(acme, file("23100", "24000", month=11)), scale=Decimal(1))
    assert (as_it_stands.state, facts(acme).filter(day__month=11).first().spend) == ("done", 23100)


@pytest.mark.parametrize("scale", [Decimal("0.5"), Decimal("NaN"), Decimal(-1), Decimal(0)])
def test_any_other_multiplier_is_refused(acme, scale):
    with pytest.raises(ScaleNeeded):
        confirm(acme, receive(acme, file("1")), scale=scale)


def test_the_page_asks_and_shows_the_figures_as_they_would_be(acme, sign_in):
    load_all(acme, file("231,33", "250"))
    load = receive(acme, file("23133", "25000", month=11))
    browser, address = sign_in(acme.analyst), reverse("kpis:import-confirm", args=[acme.company.slug, load.pk])

    asked = browser.get(reverse("kpis:import-detail", args=[acme.company.slug, load.pk])).content.decode()
    counted = browser.post(address, {"act": "preview", "channel-0": "vk", "scale": "0.01"})
    seen = browser.get(counted.url).content.decode().replace("\u00a0", " ")
    assert 'value="0.01" selected' in seen
    assert "231,33 ₽</td>" in seen
    silent = browser.post(address, {"act": "load", "channel-0": "vk"})
    done = browser.post(address, {"act": "load", "channel-0": "vk", "scale": "0.01"})

    assert 'name="scale"' in asked
    assert "примерно в 100 раз больше" in asked
    assert (silent.status_code, done.status_code) == (400, 302)
    load.refresh_from_db()
    assert (load.state, load.scale) == ("queued", Decimal("0.01"))


def test_a_nightly_export_in_kopecks_is_asked_about_once(acme, drop):  # noqa: F811
    load_all(acme, file("231,33", "250"))
    load = receive(acme, file("23133", "25000", month=11))
    assert remembered_scale(company=acme.company, load=load) is None
    run(acme, load, scale=Decimal("0.01"))

    drop("night.csv", file("23200", "24000", "25000", month=11))
    [outcome] = folders.load_folder(company=acme.company, by=acme.analyst, at=NOW, folder=drop.folder)

    assert outcome.state == "loaded"
    assert outcome.load.scale == Decimal("0.01")
    drop("rubles.csv", file("232", "240", month=11))
    [plain] = folders.load_folder(company=acme.company, by=acme.analyst, at=NOW, folder=drop.folder)
    assert (plain.state, plain.load.scale) == ("loaded", None)
