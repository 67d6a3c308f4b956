"""What the configuration in a plan says where the plan itself can't: which version an alias will follow.

While a function is updated its next version is unknown, and so is the alias's: only the configuration's
reference tells that the alias gets its own function's (FAULTS T9). That works because the module writes blue
and green out: with `for_each` the reference would not say which of the two.
"""

from collections.abc import Mapping
from typing import Any

from releases.domain.traffic import Color


def alias_follows_function(configuration: Mapping[str, Any], module_prefix: str, color: Color) -> bool:
    """Whether this colour's alias is set from this colour's function's version, by its configuration."""
    function = f"aws_lambda_function.{color}"
    return _references(configuration, module_prefix, color) == [f"{function}.version", function]


def _references(configuration: Mapping[str, Any], module_prefix: str, color: Color) -> object:
    module = configuration.get("root_module", {})
    for name in module_prefix.split(".")[1::2]:
        module = module.get("module_calls", {}).get(name, {}).get("module", {})
    for resource in module.get("resources", ()):
        if resource.get("address") == f"aws_lambda_alias.{color}":
            return resource.get("expressions", {}).get("function_version", {}).get("references")
    return None
