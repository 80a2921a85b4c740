"""Addresses of `kpis/`, all inside `/c/<slug>/`."""

from django.urls import path

from kpis.views import deals, grid, imports, incidents, kpis, provenance, quality, sources, stop_rules, targets

app_name = "kpis"

urlpatterns = [
    path("kpis/", kpis.kpi_list, name="kpi-list"),
    path("kpis/new/", kpis.kpi_create, name="kpi-create"),
    path("kpis/<slug:code>/", kpis.kpi_detail, name="kpi-detail"),
    path("kpis/<slug:code>/edit/", kpis.kpi_update, name="kpi-update"),
    path("metrics/new/", kpis.metric_create, name="metric-create"),
    path("funnel/edit/", kpis.funnel_update, name="funnel-update"),
    path("targets/", targets.target_list, name="target-list"),
    path("targets/set/", targets.target_update, name="target-update"),
    path("facts/", provenance.fact_list, name="fact-list"),
    path("data-quality/", quality.data_quality_page, name="data-quality"),
    path("sources/", sources.source_list, name="source-list"),
    path("sources/<slug:code>/edit/", sources.source_update, name="source-update"),
    path("sources/<slug:code>/delete/", sources.source_delete, name="source-delete"),
    path("data-incidents/", incidents.data_incident_list, name="data-incident-list"),
    path("data-incidents/new/", incidents.data_incident_create, name="data-incident-create"),
    path("data-incidents/<int:pk>/", incidents.data_incident_detail, name="data-incident-detail"),
    path("imports/", imports.import_list, name="import-list"),
    path("imports/new/", imports.import_create, name="import-create"),
    path("imports/<int:pk>/", imports.import_detail, name="import-detail"),
    path("imports/<int:pk>/wrong.csv", imports.import_wrong_rows, name="import-wrong-rows"),
    path("imports/<int:pk>/columns/", imports.import_columns, name="import-columns"),
    path("imports/<int:pk>/confirm/", imports.import_confirm, name="import-confirm"),
    path("imports/<int:pk>/undo/", imports.import_undo, name="import-undo"),
    path("sources/<slug:code>/stages/", deals.source_stages, name="source-stages"),
    path("utm-rules/", deals.utm_rule_list, name="utm-rule-list"),
    path("utm-rules/new/", deals.utm_rule_create, name="utm-rule-create"),
    path("utm-rules/<int:pk>/edit/", deals.utm_rule_update, name="utm-rule-update"),
    path("utm-rules/<int:pk>/delete/", deals.utm_rule_delete, name="utm-rule-delete"),
    path("facts/type/", grid.fact_grid, name="fact-grid"),
    path("stop-rules/", stop_rules.stop_rule_list, name="stop-rule-list"),
    path("stop-rules/new/", stop_rules.stop_rule_create, name="stop-rule-create"),
    path("stop-rules/<int:pk>/", stop_rules.stop_rule_detail, name="stop-rule-detail"),
    path("stop-rules/<int:pk>/edit/", stop_rules.stop_rule_update, name="stop-rule-update"),
    path("stop-rules/<int:pk>/approve/", stop_rules.stop_rule_approve, name="stop-rule-approve"),
]
