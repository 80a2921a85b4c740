"""Somebody leaves in three weeks with a plan half agreed; a drill of the past; packs read and not; the index of past days."""

from datetime import timedelta

from mops.demo.founding import Sample
from processes.independence.history import keep_index
from processes.leaving import drill, plans, services
from processes.models import HandoverItem
from processes.packs.pack import read_pack
from roles import selectors

INDEX_DAYS = (120, 100, 80, 60, 45, 30, 21, 14, 7, 3, 1)
READ = ("cmo", "performance", "pm")


def prepare_a_departure(sample: Sample) -> None:
    """The CRM owner goes; every second successor has agreed, the others are still asked."""
    people, day = sample.people, sample.anchor - timedelta(days=2)
    at = sample.at(day, 11)
    handover = services.start_handover(
        company=sample.company, by=people["owner"], at=at, person=people["crm"],
        last_day=sample.anchor + timedelta(days=21), reason="Переезжает в другой город",
    )  # fmt: skip
    asked = [item for item in plans.items(company=sample.company).filter(handover=handover) if item.successor_id]
    for item in asked[::2]:
        if item.state == HandoverItem.State.PROPOSED:
            services.answer(company=sample.company, by=item.successor, at=at, item=item, agrees=True)


def rehearse(sample: Sample) -> None:
    """Three weeks ago: a week without whoever runs the largest paid channels."""
    at = sample.at(sample.anchor - timedelta(days=21), 12)
    drill.run_drill(company=sample.company, by=sample.people["owner"], at=at, person=sample.people["performance"])


def read_packs(sample: Sample) -> None:
    """Some have read the pack of their hat; the others are asked."""
    at = sample.at(sample.anchor - timedelta(days=10), 10)
    for code in READ:
        person = sample.people[code]
        worn = selectors.appointments_in_force(company=sample.company, on=sample.anchor).filter(person=person)
        role = selectors.get_role(company=sample.company, pk=worn[0].role_id)
        read_pack(company=sample.company, by=person, at=at, role=role)


def keep_the_index(sample: Sample) -> None:
    """The index as the appointments and the journal of those days give it."""
    for back in INDEX_DAYS:
        day = sample.anchor - timedelta(days=back)
        if day >= sample.founded:
            keep_index(company=sample.company, day=day, at=sample.at(day, 6))
