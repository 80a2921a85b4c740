"""Who may sign a decision and whose second signature it needs: one pure function for page, API and service.

No query and no model: hats, ids and the age of the decision come in; rights with their reason in words go out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from roles.permissions import Hat, Permission, RoleKind, allowed

OWNER_STEPS_IN_AFTER = timedelta(hours=48)
OWNERS_ROUND = 3
KEEPS_SPENDING = frozenset({"continue", "rewrite", "false_alarm"})
"""Choices that let the money go on: whoever runs the channel does not make them alone."""

OWNER, CHECKER = "owner", "checker"


@dataclass(frozen=True)
class Case:
    """What the rights on one decision depend on. `side`: ids of the people who own or deputise its channel."""

    round: int
    waits: timedelta
    side: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Standing:
    """What one person may do with one decision, and why.

    `signs_as`: the hat the signature is given under, None when there is no right. `must_cosign`: the choices of this
    person that need a second signature; `cosigner`: whose it is (owner or checker), empty when none does.
    """

    signs_as: RoleKind | None
    why: str
    must_cosign: frozenset[str] = frozenset()
    cosigner: str = ""
    cosign_why: str = ""

    @property
    def may_sign(self) -> bool:
        return self.signs_as is not None


def standing(*, person_id: int, hats: Iterable[Hat], case: Case) -> Standing:
    """May this person decide, under which hat, and which choices wait for whose second signature."""
    hats = tuple(hats)
    is_owner = _wears(hats, RoleKind.OWNER)
    signs_as, why = _right(hats, is_owner, case)
    if signs_as is None:
        return Standing(None, why)
    if person_id in case.side:
        why_second = _("You run this channel: whoever runs a channel does not prolong it alone.")
        return Standing(signs_as, why, KEEPS_SPENDING, CHECKER if is_owner else OWNER, why_second)
    if case.round >= OWNERS_ROUND and not is_owner:
        why = _("The third round goes to the owner: you may stop or cut, the rest needs the owner's signature too.")
        return Standing(signs_as, why, KEEPS_SPENDING, OWNER, _("The third round goes to the owner."))
    return Standing(signs_as, why)


def _right(hats: tuple[Hat, ...], is_owner: bool, case: Case) -> tuple[RoleKind | None, str]:
    if allowed(hats, Permission.DECIDE):
        own = any(hat.kind is RoleKind.CMO and not hat.acting for hat in hats)
        return RoleKind.CMO, _("The marketing director decides.") if own else _("You act for the marketing director.")
    if is_owner and case.round >= OWNERS_ROUND:
        return RoleKind.OWNER, _("The third round goes to the owner.")
    if is_owner and case.waits >= OWNER_STEPS_IN_AFTER:
        return RoleKind.OWNER, _("The decision has waited for 48 hours: the owner may sign.")
    return None, _(
        "The marketing director decides, the deputy while the director is away; the owner after 48 hours or from the "
        "third round on."
    )


def cosign_refusal(
    *, person_id: int, hats: Iterable[Hat], signer_id: int, cosigner: str, side: frozenset[int],
    outside: frozenset[int] = frozenset(),
) -> str | None:  # fmt: skip
    """Why this person may not give the second signature, in words; None when they may.

    `outside`: ids of those named to check the signer from outside, who sign whatever hats they wear.
    """
    if person_id == signer_id:
        return _("The author is never the approver: another person gives the second signature.")
    hats = tuple(hats)
    if cosigner == OWNER:
        return None if _wears(hats, RoleKind.OWNER) else _("The owner gives the second signature.")
    if (person_id in outside or _wears(hats, RoleKind.CMO, RoleKind.PM)) and person_id not in side:
        return None
    return _("The marketing director or the project manager checks, unless they run this channel.")


def _wears(hats: tuple[Hat, ...], *kinds: RoleKind) -> bool:
    return any(hat.kind in kinds for hat in hats)
