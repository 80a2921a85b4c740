"""What a reader prefers: language and theme."""

from roles.models import User


def set_preferences(*, user: User, language: str | None = None, theme: str | None = None) -> None:
    """Keep the reader's language and theme; unknown values change nothing."""
    fields = []
    if language in {"ru", "en"}:
        user.language, fields = language, [*fields, "language"]
    if theme in User.Theme.values:
        user.theme, fields = theme, [*fields, "theme"]
    if fields:
        user.save(update_fields=fields)
