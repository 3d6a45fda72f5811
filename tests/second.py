"""A second generator for tests, and what could be learnt of it: the local one under another name, with less to tune."""

from ml_service.wire.contract import Best, Convergence, Diagnosis, FloatParameter, Interval, ParameterSpace, Point
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


def told(
    generator: str, mean: float, sd: float = 0.1, left: float | None = 0.0, point: Point | None = None
) -> Diagnosis:
    """What the optimizer could say of one generator."""
    near = Interval(mean=mean, low=mean - 2 * sd, high=mean + 2 * sd)
    return Diagnosis(
        best=Best(generator=generator, point=point or {}, rating=near, gain=near, sd=sd),
        convergence=None if left is None else Convergence(gain_left=left, probability_near_best=0.9),
        parameters={},
        raters=(),
        variance=None,
        ratings_used=1,
        history="h",
    )
