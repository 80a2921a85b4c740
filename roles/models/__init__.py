"""Who: the company and its people, hats, channels, contractors and accesses; and the record of who did what."""

from roles.models.accesses import Access, AccessAdministrator, AccessChannel, DocumentLink
from roles.models.audit import AuditEvent
from roles.models.channels import Campaign, Channel
from roles.models.company import Company, CompanyOwned, in_language, validate_timezone
from roles.models.conflicts import CheckRound, ExternalCheck, Incompatibility, IncompatibilityVersion
from roles.models.contractors import Contractor, ContractorChannel, ContractorPerson
from roles.models.drafts import Move, Reorganisation
from roles.models.duties import DutyTick
from roles.models.hats import Appointment, Role, RoleVersion, Versioned
from roles.models.people import Absence, Membership, User, UserManager
from roles.models.tokens import ApiToken, IdempotencyKey

__all__ = [
    "Absence",
    "Access",
    "AccessAdministrator",
    "AccessChannel",
    "ApiToken",
    "Appointment",
    "AuditEvent",
    "Campaign",
    "Channel",
    "CheckRound",
    "Company",
    "CompanyOwned",
    "Contractor",
    "ContractorChannel",
    "ContractorPerson",
    "DocumentLink",
    "DutyTick",
    "ExternalCheck",
    "IdempotencyKey",
    "Incompatibility",
    "IncompatibilityVersion",
    "Membership",
    "Move",
    "Reorganisation",
    "Role",
    "RoleVersion",
    "User",
    "UserManager",
    "Versioned",
    "in_language",
    "validate_timezone",
]
