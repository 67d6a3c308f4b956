"""The pages' addresses."""

from django.urls import path

from releases.live import views as live
from releases.views import (
    acts,
    after_rollback,
    again,
    break_glass,
    changes,
    image_marks,
    inbox,
    new_service,
    policy,
    preparation,
    rehearsal,
    release_acts,
    release_record,
    releases,
    reports,
    requests,
    rollback,
    rollback_all,
    runs,
    services,
    settings,
    tokens,
    trail,
)

urlpatterns = [
    path("", services.service_list, name="service-list"),
    path("rollback/", rollback_all.rollback_all, name="rollback-all"),
    path("rollback/<uuid:batch>/", rollback_all.rollback_all_result, name="rollback-all-result"),
    path("audit/", trail.audit, name="audit"),
    path("audit/export/", trail.audit_export, name="audit-export"),
    path("audit/<uuid:event_id>/", trail.audit_event, name="audit-event"),
    path("tokens/", tokens.own_tokens, name="tokens"),
    path("tokens/<uuid:token_id>/revoke/", tokens.revoke_token, name="token-revoke"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/approve/", inbox.inbox_approve_routine, name="inbox-approve-routine"),
    path("inbox/<uuid:step_id>/", inbox.inbox_item, name="inbox-item"),
    path("inbox/<uuid:step_id>/approve/", inbox.inbox_approve, name="inbox-approve"),
    path("inbox/<uuid:step_id>/reject/", inbox.inbox_reject, name="inbox-reject"),
    path("reports/", reports.report, name="report"),
    path("reports/report.<slug:form>", reports.report_file, name="report-file"),
    # Before the services' own pages: no service is called so (releases.domain.new_service).
    path("services/new/", new_service.service_new, name="service-new"),
    path("services/<slug:name>/", services.service_detail, name="service-detail"),
    path("services/<slug:name>/settings/", settings.service_settings, name="service-settings"),
    path("services/<slug:name>/settings/defaults/", settings.service_defaults, name="service-defaults"),
    path("services/<slug:name>/settings/steps/", settings.default_steps, name="service-default-steps"),
    path("services/<slug:name>/policy/", policy.service_policy, name="service-policy"),
    path("environments/<slug:environment>/policy/", policy.environment_policy, name="environment-policy"),
    path("services/<slug:name>/settings/removal/", settings.service_removal, name="service-removal"),
    path(
        "services/<slug:name>/changes/<uuid:step_id>/approve/", changes.change_approve, name="change-approve"
    ),
    path("services/<slug:name>/changes/<uuid:step_id>/reject/", changes.change_reject, name="change-reject"),
    path("services/<slug:name>/changes/<uuid:step_id>/cancel/", changes.change_cancel, name="change-cancel"),
    path("services/<slug:name>/changes/<uuid:step_id>/retry/", changes.change_retry, name="change-retry"),
    path("services/<slug:name>/trail/", trail.service_trail, name="service-trail"),
    path("services/<slug:name>/prepare/", preparation.prepare_release, name="prepare-release"),
    path("services/<slug:name>/request/", requests.release_request, name="release-request"),
    path("services/<slug:name>/request/steps/", requests.request_steps, name="release-request-steps"),
    path("services/<slug:name>/releases/<int:number>/", releases.release_detail, name="release-detail"),
    path(
        "services/<slug:name>/releases/<int:number>/record/",
        release_record.release_record,
        name="release-record",
    ),
    path(
        "services/<slug:name>/releases/<int:number>/record.<slug:form>",
        release_record.record_file,
        name="record-file",
    ),
    path("services/<slug:name>/releases/<int:number>/again/", again.release_again, name="release-again"),
    path(
        "services/<slug:name>/releases/<int:number>/pause/", release_acts.release_pause, name="release-pause"
    ),
    path(
        "services/<slug:name>/releases/<int:number>/resume/",
        release_acts.release_resume,
        name="release-resume",
    ),
    path(
        "services/<slug:name>/releases/<int:number>/cancel/",
        release_acts.release_cancel,
        name="release-cancel",
    ),
    path(
        "services/<slug:name>/releases/<int:number>/share/", release_acts.release_share, name="release-share"
    ),
    path(
        "services/<slug:name>/releases/<int:number>/canary/",
        release_acts.release_address,
        name="release-address",
    ),
    path(
        "services/<slug:name>/steps/<uuid:step_id>/variables.tfvars",
        releases.step_variables,
        name="step-variables",
    ),
    path("services/<slug:name>/steps/<uuid:step_id>/start/", acts.step_start, name="step-start"),
    path("services/<slug:name>/steps/<uuid:step_id>/approve/", acts.step_approve, name="step-approve"),
    path("services/<slug:name>/steps/<uuid:step_id>/reject/", acts.step_reject, name="step-reject"),
    path("services/<slug:name>/steps/<uuid:step_id>/withdraw/", acts.step_withdraw, name="step-withdraw"),
    path(
        "services/<slug:name>/releases/<int:number>/mark-image/",
        image_marks.release_mark_image,
        name="release-mark-image",
    ),
    path(
        "services/<slug:name>/releases/<int:number>/lift-mark/",
        image_marks.release_lift_mark,
        name="release-lift-mark",
    ),
    path(
        "services/<slug:name>/steps/<uuid:step_id>/break-glass/",
        break_glass.step_break_glass,
        name="step-break-glass",
    ),
    path(
        "services/<slug:name>/broken-glass/<uuid:broken_id>/review/",
        break_glass.broken_glass_review,
        name="broken-glass-review",
    ),
    path("services/<slug:name>/steps/<uuid:step_id>/retry/", release_acts.step_retry, name="step-retry"),
    path("services/<slug:name>/steps/<uuid:step_id>/skip/", release_acts.step_skip, name="step-skip"),
    path(
        "services/<slug:name>/steps/<uuid:step_id>/skip-bake/",
        release_acts.step_skip_bake,
        name="step-skip-bake",
    ),
    path("services/<slug:name>/runs/<uuid:run_id>/", runs.run_log, name="run-log"),
    path("services/<slug:name>/runs/<uuid:run_id>/log.txt", runs.run_download, name="run-download"),
    path("services/<slug:name>/rollback/", rollback.rollback, name="rollback"),
    path("services/<slug:name>/rehearsal/", rehearsal.rehearsal, name="rehearsal"),
    path(
        "services/<slug:name>/rollback/<uuid:rollback_id>/",
        after_rollback.rollback_result,
        name="rollback-result",
    ),
    path(
        "services/<slug:name>/rollback/<uuid:rollback_id>/reason/",
        after_rollback.rollback_reason,
        name="rollback-reason",
    ),
    path("events/", live.list_events, name="list-events"),
    path("services/<slug:name>/events/", live.service_events, name="service-events"),
    path("runs/<uuid:run_id>/events/", live.run_events, name="run-events"),
]
