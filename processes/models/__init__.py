"""How: decisions and actions; tasks of flags and briefs of contractors; departures with what they hand over; how far marketing stands without single people."""

from processes.models.briefs import Brief, FlagTask
from processes.models.decisions import Action, Choice, Decision, Review, RoleReview, SealedDecision, Signature
from processes.models.independence import IndexSnapshot
from processes.models.leaving import Drill, Handover, HandoverItem
from processes.models.packs import PackReading

__all__ = [
    "Action",
    "Brief",
    "Choice",
    "Decision",
    "Drill",
    "FlagTask",
    "Handover",
    "HandoverItem",
    "IndexSnapshot",
    "PackReading",
    "Review",
    "RoleReview",
    "SealedDecision",
    "Signature",
]
