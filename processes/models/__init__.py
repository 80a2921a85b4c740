"""How: decisions and actions; departures with what they hand over; how far marketing stands without single people."""

from processes.models.decisions import Action, Choice, Decision, Review, RoleReview, SealedDecision, Signature
from processes.models.independence import IndexSnapshot
from processes.models.leaving import Drill, Handover, HandoverItem
from processes.models.packs import PackReading

__all__ = [
    "Action",
    "Choice",
    "Decision",
    "Drill",
    "Handover",
    "HandoverItem",
    "IndexSnapshot",
    "PackReading",
    "Review",
    "RoleReview",
    "SealedDecision",
    "Signature",
]
