"""Which group of the matrix an audit verb belongs to; reminders and letters name theirs where they are written."""

from mops.models import Group

OF_VERB: dict[str, Group] = {
    "open_decision": Group.DECISIONS,
    "propose_decision": Group.DECISIONS,
    "refuse_decision": Group.DECISIONS,
    "sign_decision": Group.OUTCOMES,
    "cosign_decision": Group.OUTCOMES,
    "open_review": Group.OUTCOMES,
    "close_review": Group.OUTCOMES,
    "end_meeting": Group.DIGEST,
    "late_weekly_plan": Group.REPORTS,
    "late_weekly_fact": Group.REPORTS,
    "miss_weekly_plan": Group.REPORTS,
    "miss_weekly_fact": Group.REPORTS,
    "return_weekly_report": Group.REPORTS,
    "reopen_weekly_report": Group.REPORTS,
    "fail_import": Group.FIGURES,
    "open_data_incident": Group.FIGURES,
    "create_stop_rule": Group.RULES,
    "revise_stop_rule": Group.RULES,
    "disable_webhook_endpoint": Group.RULES,
    "skip_check": Group.RULES,
    "name_external_check": Group.TASKS,
    "create_action": Group.TASKS,
    "hand_over_channel": Group.TASKS,
}
