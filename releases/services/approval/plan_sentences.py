"""What the plan that a step has does, in a sentence: for pages, the API and messages alike."""

from releases.domain.sentences import describe
from releases.domain.traffic import Transition
from releases.models import Service, Step
from releases.services import states


def sentence_of(service: Service, step: Step) -> str:
    """One sentence or two; "" while the step has no plan."""
    if not step.state_after:
        return ""
    return describe(
        Transition(step.transition),
        states.from_json(step.state_before),
        states.from_json(step.state_after),
        tags_of_step(service, step),
        canary_header=service.canary_header_name,
        taken_over=sum(
            bool(change.get("importing")) for change in (step.plan_run.changes if step.plan_run else ())
        ),
    )


def tags_of_step(service: Service, step: Step) -> dict[str, str]:
    """The tags that the service's records and the step's release know, by image reference."""
    tags = {service.blue_image: service.blue_tag, service.green_image: service.green_tag}
    if step.release is not None:
        tags |= {step.release.image: step.release.tag, step.release.from_image: step.release.from_tag}
    return tags
