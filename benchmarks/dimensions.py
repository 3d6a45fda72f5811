"""A space of ours as one of scikit-optimize, which knows no steps of numbers."""

from skopt.space import Categorical, Dimension, Integer, Real

from ml_service.wire.contract import CategoryParameter, IntParameter, Parameter, ParameterSpace

PRIORS = {"linear": "uniform", "log": "log-uniform"}


def dimensions(space: ParameterSpace) -> list[Dimension]:
    """Return the dimensions of a space, in its order."""
    return [_dimension(name, parameter) for name, parameter in space.parameters.items()]


def _dimension(name: str, parameter: Parameter) -> Dimension:
    if isinstance(parameter, CategoryParameter):
        return Categorical(list(parameter.choices), name=name)
    if isinstance(parameter, IntParameter):
        return Integer(parameter.low, parameter.high, name=name)
    return Real(parameter.low, parameter.high, prior=PRIORS[parameter.scale], name=name)
