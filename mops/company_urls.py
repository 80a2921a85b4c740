"""Addresses of `mops/` inside `/c/<slug>/`."""

from django.urls import path

from mops import views

app_name = "mops"

urlpatterns = [
    path("sample/remove/", views.sample_delete, name="sample-delete"),
    path("notifications/", views.notification_list, name="notification-list"),
    path("notifications/read/", views.notification_read, name="notification-read"),
    path("notifications/<int:pk>/open/", views.notification_open, name="notification-open"),
]
