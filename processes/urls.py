"""Addresses of `processes/`, all inside `/c/<slug>/`."""

from django.urls import path

from processes.views import actions, decisions, handovers, independence, leaving, packs, role_reviews

app_name = "processes"

urlpatterns = [
    path("processes/decisions/", decisions.decision_list, name="decision-list"),
    path("processes/decisions/<int:pk>/", decisions.decision_detail, name="decision-detail"),
    path("processes/decisions/<int:pk>/sign/", decisions.decision_sign, name="decision-sign"),
    path("processes/decisions/<int:pk>/cosign/", decisions.decision_cosign, name="decision-cosign"),
    path("processes/decisions/<int:pk>/withdraw/", decisions.decision_withdraw, name="decision-withdraw"),
    path("processes/decisions/account/", decisions.decision_account, name="decision-account"),
    path("processes/reviews/<int:pk>/", decisions.review_close, name="review-close"),
    path("processes/role-reviews/", role_reviews.role_review_list, name="role-review-list"),
    path("processes/role-reviews/<int:pk>/close/", role_reviews.role_review_close, name="role-review-close"),
    path("processes/actions/", actions.action_list, name="action-list"),
    path("processes/actions/new/", actions.action_create, name="action-create"),
    path("processes/actions/<int:pk>/close/", actions.action_close, name="action-close"),
    path("processes/actions/<int:pk>/accept/", actions.action_accept, name="action-accept"),
    path("processes/independence/", independence.independence, name="independence"),
    path("processes/risks/", leaving.risk_list, name="risk-list"),
    path("processes/risks/<int:pk>/", leaving.person_risk, name="person-risk"),
    path("processes/risks/<int:pk>/drill/", leaving.person_drill, name="person-drill"),
    path("processes/drills/<int:pk>/", leaving.drill_detail, name="drill-detail"),
    path("processes/packs/", packs.pack_list, name="pack-list"),
    path("processes/packs/<int:pk>/", packs.role_pack, name="role-pack"),
    path("processes/packs/<int:pk>/file/", packs.role_pack_file, name="role-pack-file"),
    path("processes/packs/<int:pk>/read/", packs.role_pack_read, name="role-pack-read"),
    path("processes/handovers/", handovers.handover_list, name="handover-list"),
    path("processes/handovers/new/", handovers.handover_create, name="handover-create"),
    path("processes/handovers/<int:pk>/", handovers.handover_detail, name="handover-detail"),
    path("processes/handovers/<int:pk>/cancel/", handovers.handover_cancel, name="handover-cancel"),
    path("processes/handovers/<int:pk>/close/", handovers.handover_close, name="handover-close"),
    path(
        "processes/handovers/items/<int:pk>/successor/",
        handovers.handover_item_successor,
        name="handover-item-successor",
    ),
    path("processes/handovers/items/<int:pk>/answer/", handovers.handover_item_answer, name="handover-item-answer"),
]
