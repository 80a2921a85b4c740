"""Tasks that flags give, and briefs of contractors."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from processes.models.decisions import Action
from roles.flags import Flag
from roles.models import Access, Channel, CompanyOwned, Contractor, DocumentLink, Membership


class FlagTask(CompanyOwned):
    """A flag that stands on an access, a document or a contract, and the action it gave: one while it stands."""

    flag = models.CharField(max_length=20, choices=[(flag.value, flag.label) for flag in Flag])
    access = models.ForeignKey(Access, on_delete=models.CASCADE, null=True, related_name="flag_tasks")
    document = models.ForeignKey(DocumentLink, on_delete=models.SET_NULL, null=True, related_name="flag_tasks")
    contractor = models.ForeignKey(Contractor, on_delete=models.CASCADE, null=True, related_name="flag_tasks")
    action = models.ForeignKey(Action, on_delete=models.PROTECT, related_name="flag_tasks")
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", subject, "flag"], condition=Q(cleared_at=None, **{f"{subject}__isnull": False}),
                name=f"flag_of_{subject}_stands_once",
            )
            for subject in ("access", "document", "contractor")
        ]  # fmt: skip

    def __str__(self):
        return f"{self.flag} {self.action_id}"

    @property
    def subject(self) -> Access | DocumentLink | Contractor | None:
        """What the flag stands on; None when the document was taken out of the list."""
        return self.access or self.document or self.contractor


class Brief(CompanyOwned):
    """What a contractor is asked to do by the contract, by when, and how it will be judged.

    `criteria`: [{"text", "met"}], set before it is sent and fixed from then on; `met` is ticked when the work is accepted.
    `returns` counts how often the work came back. The history of every step is in the journal.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        SENT = "sent", _("waits for an answer")
        RETURNED = "returned", _("returned with a question")
        ACCEPTED = "accepted", _("in work")
        DELIVERED = "delivered", _("delivered, waits for acceptance")
        REWORK = "rework", _("to be reworked")
        DONE = "done", _("accepted")
        CANCELLED = "cancelled", _("cancelled")

    CLOSED = (State.DONE, State.CANCELLED)
    WITH_CONTRACTOR = (State.SENT, State.ACCEPTED, State.REWORK)
    WITH_US = (State.DRAFT, State.RETURNED, State.DELIVERED)
    EDITABLE = (State.DRAFT, State.RETURNED)

    contractor = models.ForeignKey(Contractor, on_delete=models.PROTECT, related_name="briefs")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, null=True, blank=True, related_name="briefs")
    title = models.CharField(_("brief"), max_length=200)
    text = models.TextField(_("what is to be done"))
    criteria = models.JSONField(default=list)
    due_on = models.DateField(_("due"))
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    reason = models.TextField(blank=True, help_text="why it was last returned, reworked or cancelled")
    author = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="briefs")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    delivered_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    delivered_at = models.DateTimeField(null=True, blank=True)
    delivery_url = models.URLField(_("link to the result"), max_length=500, blank=True)
    delivery_text = models.TextField(_("what was done"), blank=True)
    judged_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    judged_at = models.DateTimeField(null=True, blank=True)
    returns = models.PositiveSmallIntegerField(default=0)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["due_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="done") | Q(judged_by__isnull=False, delivered_by__isnull=False),
                name="accepted_brief_has_a_judge",
            ),
            models.CheckConstraint(condition=~Q(judged_by=F("delivered_by")), name="nobody_accepts_their_own_work"),
        ]

    def __str__(self):
        return self.title

    @property
    def is_closed(self) -> bool:
        return self.state in self.CLOSED
