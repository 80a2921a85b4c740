"""Who has read what a hat is handed over with."""

from django.db import models

from roles.models import CompanyOwned, Membership, Role


class PackReading(CompanyOwned):
    """A person has read a hat's onboarding pack. `content`: SHA-256 of what it said; another text is asked for again."""

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="pack_readings")
    person = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="pack_readings")
    content = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["company", "role", "person", "content"], name="pack_text_read_once")
        ]

    def __str__(self):
        return f"{self.person_id} {self.role_id}"
