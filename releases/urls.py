"""The pages' addresses."""

from django.urls import path

from releases.live import views as live
from releases.views import acts, inbox, releases, requests, rollback, runs, services, trail

urlpatterns = [
    path("", services.service_list, name="service-list"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("services/<slug:name>/", services.service_detail, name="service-detail"),
    path("services/<slug:name>/trail/", trail.trail, name="service-trail"),
    path("services/<slug:name>/request/", requests.release_request, name="release-request"),
    path("services/<slug:name>/request/steps/", requests.request_steps, name="release-request-steps"),
    path("services/<slug:name>/releases/<int:number>/", releases.release_detail, name="release-detail"),
    path(
        "services/<slug:name>/steps/<uuid:step_id>/variables.tfvars",
        releases.step_variables,
        name="step-variables",
    ),
    path("services/<slug:name>/steps/<uuid:step_id>/start/", acts.step_start, name="step-start"),
    path("services/<slug:name>/steps/<uuid:step_id>/approve/", acts.step_approve, name="step-approve"),
    path("services/<slug:name>/steps/<uuid:step_id>/reject/", acts.step_reject, name="step-reject"),
    path("services/<slug:name>/runs/<uuid:run_id>/", runs.run_log, name="run-log"),
    path("services/<slug:name>/runs/<uuid:run_id>/log.txt", runs.run_download, name="run-download"),
    path("services/<slug:name>/rollback/", rollback.rollback, name="rollback"),
    path(
        "services/<slug:name>/rollback/<uuid:rollback_id>/", rollback.rollback_result, name="rollback-result"
    ),
    path("events/", live.list_events, name="list-events"),
    path("services/<slug:name>/events/", live.service_events, name="service-events"),
    path("runs/<uuid:run_id>/events/", live.run_events, name="run-events"),
]
