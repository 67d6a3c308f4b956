"""Who serves whom: the two colours of a service as pages show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from releases.domain.traffic import Color, TrafficState
from releases.domain.versions.configuration_words import SettingShown, settings_in_words
from releases.models import Service

DIGEST_LETTERS = 12


@dataclass(frozen=True, kw_only=True)
class ColorShown:
    """One colour: what it runs, which share of the users it has (percent), and which role it plays."""

    color: Color
    tag: str
    digest: str
    share: int
    is_stable: bool
    has_canary: bool
    function_version: str = ""
    settings: Sequence[SettingShown] = ()

    @property
    def role(self) -> str:
        """The role in a word."""
        return "stable" if self.is_stable else "candidate"

    @property
    def name(self) -> str:
        """What people call the version: its tag, or the beginning of its digest where it has none."""
        return self.tag or self.digest


@dataclass(frozen=True, kw_only=True)
class TrafficShown:
    """Both colours, blue first."""

    blue: ColorShown
    green: ColorShown

    @property
    def colors(self) -> tuple[ColorShown, ColorShown]:
        """Both, for loops."""
        return self.blue, self.green

    @property
    def stable(self) -> ColorShown:
        """The colour that serves between releases."""
        return self.blue if self.blue.is_stable else self.green

    @property
    def candidate(self) -> ColorShown:
        """The other one."""
        return self.green if self.blue.is_stable else self.blue

    @property
    def serving(self) -> ColorShown:
        """The colour that all or most users have."""
        return self.blue if self.blue.share >= self.green.share else self.green

    def of(self, color: Color) -> ColorShown:
        """One of the two."""
        return self.blue if color is Color.BLUE else self.green

    @property
    def in_words(self) -> str:
        """For a bar's text alternative."""
        canary = f"; whitelisted addresses to {self.candidate.color}" if self.candidate.has_canary else ""
        return f"blue {self.blue.share} %, green {self.green.share} %{canary}"


def traffic_of(service: Service) -> TrafficShown:
    """A service's recorded traffic."""
    return traffic_in(service.state, tags_of(service), service.function_versions)


def traffic_in(
    state: TrafficState, tags: Mapping[str, str], versions: Mapping[Color, str] | None = None
) -> TrafficShown:
    """A traffic state; ``tags`` are by image reference."""
    blue, green = (
        ColorShown(
            color=color,
            tag=tags.get(state.version_of(color).image, ""),
            digest=state.version_of(color).digest.removeprefix("sha256:")[:DIGEST_LETTERS],
            share=state.weight_of(color),
            is_stable=color is state.stable,
            has_canary=state.activate_canary and color is state.candidate,
            function_version=(versions or {}).get(color, ""),
            settings=settings_in_words(state.version_of(color).configuration),
        )
        for color in Color
    )
    return TrafficShown(blue=blue, green=green)


def tags_of(service: Service) -> dict[str, str]:
    """The tags that the service's own records know, by image reference."""
    return {service.blue_image: service.blue_tag, service.green_image: service.green_tag}
