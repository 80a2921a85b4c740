"""Which duties must not meet, as a matrix of roles: the picture of the pairs in force."""

from dataclasses import dataclass

from roles import conflicts, selectors
from roles.models import Company, IncompatibilityVersion, Role, RoleVersion


@dataclass(frozen=True)
class PairRow:
    """A pair in words, as the table under the matrix lists it."""

    version: IncompatibilityVersion
    left: str
    right: str


@dataclass(frozen=True)
class Matrix:
    """`rows`: a role and, for each role in the same order, the pair that forbids them to meet, or None."""

    roles: list[RoleVersion]
    rows: list[tuple[RoleVersion, list[PairRow | None]]]
    pairs: list[PairRow]


def matrix(*, company: Company) -> Matrix:
    """Three queries."""
    roles = list(selectors.roles(company=company))
    names = {version.role_id: version.name for version in roles}
    pairs = [
        PairRow(version, *conflicts.pair_sides(version.pair, names)) for version in conflicts.all_pairs(company=company)
    ]
    active = [pair for pair in pairs if pair.version.is_active]
    rows = [
        (one, [next((pair for pair in active if _forbids(pair, one.role, other.role)), None) for other in roles])
        for one in roles
    ]
    return Matrix(roles, rows, pairs)


def _forbids(row: PairRow, one: Role, other: Role) -> bool:
    if one.pk == other.pk:
        return False
    pair = row.version.pair
    left, right = (pair.left_role_id, pair.left_kind), (pair.right_role_id, pair.right_kind)
    return (conflicts.is_side(one, *left) and conflicts.is_side(other, *right)) or (
        conflicts.is_side(other, *left) and conflicts.is_side(one, *right)
    )
