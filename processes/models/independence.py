"""The history of the independence index."""

from django.db import models

from roles.models import CompanyOwned


class IndexSnapshot(CompanyOwned):
    """The index of a local day, whole points; None where the company has nothing to measure yet.

    `parts`: [{"code", "share" (0–1, a decimal string), "weight"}]; `without`: {person id: the index if they were not
    there}, the people of that day.
    """

    day = models.DateField()
    value = models.PositiveSmallIntegerField(null=True, blank=True)
    parts = models.JSONField(default=list)
    without = models.JSONField(default=dict)

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["company", "day"], name="index_once_a_day")]

    def __str__(self):
        return f"{self.day} {self.value}"
