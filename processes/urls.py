"""Addresses of `processes/`, all inside `/c/<slug>/`."""

from django.urls import path

from processes.views import actions, decisions, role_reviews

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
]
