"""What people have typed and not saved yet."""

from django.db import models

from roles.models import CompanyOwned, Membership


class GridDraft(CompanyOwned):
    """The cells a person has typed into the grid of figures and not saved: no fact, and nobody else's business.

    `cells`: the name of a place (`typed.Place`) → the text in it. `seen`: the name of a row (`typed.Scope`) → the load that
    it showed when its first cell was typed. `paste`: what the last paste did: the cells it replaced ("before": name → text,
    None where the stored figure stood), "lines", "cells", "skipped" headings, "left" lines with their reasons, and the days and the channel that
    were "shown" before it.
    """

    person = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    cells = models.JSONField(default=dict)
    seen = models.JSONField(default=dict)
    paste = models.JSONField(default=dict)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "person"], name="grid_draft_once_per_person")]

    def __str__(self):
        return f"{self.person_id}: {len(self.cells)}"
