"""Addresses of `mops/` inside `/c/<slug>/`."""

from django.urls import path

from mops import views
from mops.notifications import views as reach
from mops.webhooks import views as webhooks

app_name = "mops"

urlpatterns = [
    path("", views.company_home, name="company-home"),
    path("sample/remove/", views.sample_delete, name="sample-delete"),
    path("notifications/", views.notification_list, name="notification-list"),
    path("notifications/read/", views.notification_read, name="notification-read"),
    path("notifications/<int:pk>/open/", views.notification_open, name="notification-open"),
    path("notifications/preferences/", reach.preference_update, name="preference-update"),
    path("notifications/preferences/test/", reach.preference_test, name="preference-test"),
    path("notifications/log/", reach.delivery_list, name="delivery-list"),
    path("notifications/log/<int:pk>/replay/", reach.delivery_replay, name="delivery-replay"),
    path("notifications/telegram/link/", reach.telegram_link, name="telegram-link"),
    path("notifications/telegram/unlink/", reach.telegram_unlink, name="telegram-unlink"),
    path("telegram/", reach.telegram_update, name="telegram-update"),
    path("telegram/remove/", reach.telegram_remove, name="telegram-remove"),
    path("webhooks/", webhooks.webhook_list, name="webhook-list"),
    path("webhooks/new/", webhooks.webhook_create, name="webhook-create"),
    path("webhooks/<int:pk>/", webhooks.webhook_detail, name="webhook-detail"),
    path("webhooks/<int:pk>/edit/", webhooks.webhook_update, name="webhook-update"),
    path("webhooks/<int:pk>/secret/", webhooks.webhook_secret, name="webhook-secret"),
    path("webhooks/<int:pk>/switch/", webhooks.webhook_switch, name="webhook-switch"),
    path("webhooks/<int:pk>/test/", webhooks.webhook_test, name="webhook-test"),
    path("webhooks/<int:pk>/delete/", webhooks.webhook_delete, name="webhook-delete"),
    path("webhooks/deliveries/<int:pk>/", webhooks.webhook_delivery_detail, name="webhook-delivery-detail"),
    path("webhooks/deliveries/<int:pk>/replay/", webhooks.webhook_delivery_replay, name="webhook-delivery-replay"),
]
