"""What we add to allauth's forms (settings: ACCOUNT_FORMS)."""

from allauth.account.forms import ResetPasswordKeyForm
from allauth.account.models import EmailAddress


class SetPasswordByLinkForm(ResetPasswordKeyForm):
    """Whoever opens the link of our mail has shown that the address is theirs: it becomes confirmed with the password."""

    def save(self):
        super().save()
        EmailAddress.objects.filter(user=self.user, email__iexact=self.user.email).update(verified=True)
