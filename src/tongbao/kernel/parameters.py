"""Setting parameters of a running chain, within the bounds that their modules declare.

Who may set one is not decided here: a module that has asked whom it must calls `set_parameter`.
"""

from __future__ import annotations

from tongbao.kernel.context import Work
from tongbao.kernel.identifiers import Count
from tongbao.kernel.kernel_module import ParameterValue, SettingName, module, parameters
from tongbao.kernel.reasons import KernelWhy, require


@module.function
def set_parameter(ctx: Work, name: SettingName, value: Count) -> None:
    """Set a parameter; rules read the new value from the next block on."""
    bounds = ctx.bounds_of(name)
    require(bounds is not None, KernelWhy.PARAMETER_NOT_FOUND)
    assert bounds is not None
    low, high = bounds
    require(low <= value <= high, KernelWhy.PARAMETER_IS_OUT_OF_BOUNDS)

    # From here it succeeds.
    ctx[parameters][name] = ParameterValue(value=value)
