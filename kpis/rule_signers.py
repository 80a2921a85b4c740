"""Whose signature a version of a stop-rule needs: whoever runs a channel that it covers does not set the line alone.

Runs a channel: owns it, wears its hat, or deputises it. The marketing director signs; where every director wrote the version
or runs such a channel, the owner does.
"""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from kpis.models import StopRuleVersion
from kpis.replay import covers
from roles import selectors
from roles.models import Appointment, Channel, Company, Membership
from roles.permissions import Permission, RoleKind


@dataclass(frozen=True)
class Signers:
    """Hats and channels of a company on a day: what the questions below are answered from."""

    appointments: tuple[Appointment, ...]
    channels: tuple[Channel, ...]

    def side(self, version: StopRuleVersion) -> set[int]:
        """Ids of the people who run a channel that the version covers."""
        mine = {channel.pk: channel.owner_id for channel in self.channels if covers(version, channel)}
        found = set(mine.values())
        for row in self.appointments:
            if row.channel_id in mine and row.role.kind == RoleKind.CHANNEL_OWNER:
                found |= {row.person_id, row.deputy_id}
        return found - {None}

    def waits(self, by: Membership, version: StopRuleVersion, before: StopRuleVersion | None = None) -> bool:
        """Does what `by` writes wait for another's signature? What waits already does not get in force by another's pen.

        `before`: the version that it changes. A director who runs the channel waits too, unless nobody else may sign.
        """
        runs = by.pk in self.side(version)
        if by.can(Permission.SIGN_STOP_RULES):
            return runs and bool(self._who_may_sign(version, by.pk))
        if before is not None and before.approved_at is None:
            return True
        return runs or not by.can(Permission.MANAGE_STOP_RULES)

    def problem(self, person: Membership, version: StopRuleVersion) -> str:
        """Why this person may not sign the version that waits, in words; empty when they may."""
        if version.created_by_id == person.pk:
            return _("The author of a stop-rule never approves it.")
        if person.pk in self._who_may_sign(version, version.created_by_id):
            return ""
        if person.can(Permission.SIGN_STOP_RULES):
            return _("You run a channel of this rule: the owner puts it in force.")
        return _("The marketing director puts a stop-rule in force; the owner, where the director runs its channel.")

    def who_may_sign(self, version: StopRuleVersion, author: int | None) -> list[Membership]:
        """The people who may put the version in force, by name; empty where nobody may."""
        may = self._who_may_sign(version, author)
        people = {person.pk: person for row in self.appointments for person in (row.person, row.deputy) if person}
        return sorted((person for pk, person in people.items() if pk in may), key=str)

    def _who_may_sign(self, version: StopRuleVersion, author: int | None) -> set[int]:
        free = self._free(RoleKind.CMO, author, self.side(version))
        return free or self._free(RoleKind.OWNER, author, set())

    def _free(self, kind: RoleKind, author: int | None, side: set[int]) -> set[int]:
        """Active people who wear a hat or deputise it, without the author and those on a side."""
        worn = [row for row in self.appointments if row.role.kind == kind]
        people = [person for row in worn for person in (row.person, row.deputy) if person is not None]
        return {person.pk for person in people if person.is_active} - {author} - side


def signers(*, company: Company, on: date) -> Signers:
    """Two queries."""
    return Signers(
        tuple(selectors.appointments_in_force(company=company, on=on)),
        tuple(Channel.objects.filter(company=company)),
    )
