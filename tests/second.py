"""A second generator for tests: the local one under another name, of which less can be tuned."""

from ml_service.wire.contract import FloatParameter, ParameterSpace
from web.adapters.generators.local import LocalGenerator

SECOND = ParameterSpace(
    parameters={
        "exposure": FloatParameter(low=-0.5, high=0.5, default=0, unit="EV"),
        "saturation": FloatParameter(low=0.5, high=1.5, default=1),
    }
)


class Second(LocalGenerator):
    """Enhances as the local generator does."""

    name = "second"

    def space(self) -> ParameterSpace:
        """Return the parameters that can be tuned."""
        return SECOND
