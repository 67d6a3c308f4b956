"""The emergency button, from the POST of its page to the new weights being read back at the load balancer's API."""

from itertools import cycle

from django.conf import settings
from django.urls import reverse

from aws import load_balancer, session
from bench.browser import Browser
from bench.demo import Demo
from bench.errors import CannotMeasure
from bench.figures import Figure, Goal, percentile
from bench.pairs import in_turn, timed
from releases.domain.traffic import Color
from releases.services.execution import accounts
from releases.services.rollback.safe_traffic import SafeTraffic

PRESSES = 100
SEE_OTHER = 302
# Back and forth, so that each apply by hand brings the weight that was there before.
WEIGHTS = (50, 0)


def measure(demo: Demo) -> Figure:
    """Presses on a machine that is otherwise quiet, against ``apply -auto-approve`` in an initialised directory."""
    button, plain = Button(demo), demo.by_hand()
    plain.set_up()
    weights = cycle(WEIGHTS)
    measured, baseline = in_turn(button.press_alone, lambda: plain.apply_weight(next(weights)))
    return Figure.of_pairs("emergency", measured, baseline, goal=Goal(on="ratio", at_most=0.05))


def measure_p99(demo: Demo) -> Figure:
    """One press after the other, while Terraform converges from the first one on."""
    button = Button(demo)
    presses = [button.press() for _ in range(PRESSES)]
    slowest = max(presses)
    number = presses.index(slowest) + 1
    half = percentile(presses, 50)
    print(
        f"{PRESSES} presses: p50 {half:.3f} s, from {min(presses):.3f} s to {slowest:.3f} s (press {number})"
    )
    button.wait_for_terraform()
    return Figure(
        name="emergency-p99",
        value=percentile(presses, 99),
        unit="s",
        samples=PRESSES,
        goal=Goal(on="value", at_most=1.0),
    )


class Button:
    """A manager at the open rollback page. Clients of the AWS API are there before the first press."""

    def __init__(self, demo: Demo) -> None:
        self._demo, self._service = demo, demo.service
        self._access = accounts.access(demo.service)
        session.connect(self._access)
        self._page = reverse("rollback", args=[demo.service.name])
        self._browser = Browser(demo.address)
        self._browser.sign_in("manager", settings.DEMO_PASSWORD)
        self._browser.get(self._page)

    def press(self) -> float:
        """The seconds of one press, after half of the users were sent away by hand."""
        self._set_by_hand({Color.BLUE: 50, Color.GREEN: 50})
        return timed(self._press_and_read_back)

    def press_alone(self) -> float:
        """As :meth:`press`; returns when Terraform has followed, so that the next thing has the machine to itself."""
        seconds = self.press()
        self.wait_for_terraform()
        return seconds

    def wait_for_terraform(self) -> None:
        """Until Terraform agrees, or has given up."""
        self._demo.wait_for_terraform()

    def _set_by_hand(self, weights: dict[Color, int]) -> None:
        by_arn = {self._service.target_group_arn(color): weight for color, weight in weights.items()}
        load_balancer.set_weights(self._access, self._service.traffic_rule_arn, by_arn)

    def _press_and_read_back(self) -> None:
        status = self._browser.post(self._page)
        rule_arn = self._service.traffic_rule_arn
        weights = load_balancer.read_rules(self._access, [rule_arn])[rule_arn].weights
        if status != SEE_OTHER or weights != SafeTraffic.of(self._service).weights:
            raise CannotMeasure(f"The button answered {status}, and the weights are {weights}.")
