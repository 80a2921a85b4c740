"""Addresses of `roles/`, all inside `/c/<slug>/`."""

from django.urls import path

from roles.views import channels, company, conflicts, drafts, hats, people, roles, tokens

app_name = "roles"

urlpatterns = [
    path("roles/", roles.role_list, name="role-list"),
    path("roles/new/", roles.role_create, name="role-create"),
    path("roles/<int:pk>/", roles.role_detail, name="role-detail"),
    path("roles/<int:pk>/edit/", roles.role_update, name="role-update"),
    path("roles/<int:pk>/duties/<slug:key>/", roles.role_duty_tick, name="role-duty-tick"),
    path("roles/permissions/", roles.permission_table, name="permission-table"),
    path("roles/appointments/new/", hats.appointment_create, name="appointment-create"),
    path("roles/appointments/<int:pk>/edit/", hats.appointment_update, name="appointment-update"),
    path("roles/appointments/<int:pk>/end/", hats.appointment_end, name="appointment-end"),
    path("roles/conflicts/", conflicts.conflict_list, name="conflict-list"),
    path("roles/conflicts/pairs/new/", conflicts.incompatibility_create, name="incompatibility-create"),
    path("roles/conflicts/pairs/<int:pk>/edit/", conflicts.incompatibility_update, name="incompatibility-update"),
    path("roles/conflicts/checks/new/", conflicts.external_check_create, name="external-check-create"),
    path("roles/conflicts/rounds/<int:pk>/", conflicts.check_round_detail, name="check-round-detail"),
    path("roles/drafts/", drafts.reorganisation_list, name="reorganisation-list"),
    path("roles/drafts/<int:pk>/", drafts.reorganisation_detail, name="reorganisation-detail"),
    path("roles/drafts/<int:pk>/moves/<str:kind>/", drafts.reorganisation_move, name="reorganisation-move"),
    path("roles/drafts/<int:pk>/apply/", drafts.reorganisation_apply, name="reorganisation-apply"),
    path("roles/drafts/<int:pk>/discard/", drafts.reorganisation_discard, name="reorganisation-discard"),
    path("roles/drafts/moves/<int:pk>/remove/", drafts.move_remove, name="move-remove"),
    path("roles/people/", people.person_list, name="person-list"),
    path("roles/people/new/", people.person_create, name="person-create"),
    path("roles/people/<int:pk>/", people.person_detail, name="person-detail"),
    path("roles/people/<int:pk>/invite/", people.person_invite, name="person-invite"),
    path("roles/absences/new/", people.absence_create, name="absence-create"),
    path("roles/absences/<int:pk>/remove/", people.absence_remove, name="absence-remove"),
    path("roles/channels/new/", channels.channel_create, name="channel-create"),
    path("roles/channels/<slug:code>/edit/", channels.channel_update, name="channel-update"),
    path("roles/channels/<slug:code>/priority/", channels.channel_priority, name="channel-priority"),
    path("roles/campaigns/new/", channels.campaign_create, name="campaign-create"),
    path("roles/campaigns/<int:pk>/edit/", channels.campaign_update, name="campaign-update"),
    path("roles/company/", company.company_update, name="company-update"),
    path("roles/journal/", company.audit_list, name="audit-list"),
    path("roles/tokens/", tokens.token_list, name="token-list"),
    path("roles/tokens/new/", tokens.token_create, name="token-create"),
    path("roles/tokens/<int:pk>/revoke/", tokens.token_revoke, name="token-revoke"),
]
