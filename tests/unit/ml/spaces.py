"""Parameter spaces of any kind, for hypothesis."""

from hypothesis import strategies as st

from ml_service.wire.contract import CategoryParameter, FloatParameter, IntParameter, Parameter, ParameterSpace


@st.composite
def floats(draw: st.DrawFn) -> FloatParameter:
    scale = draw(st.sampled_from(["linear", "log"]))
    low = draw(st.floats(1e-3, 1e3) if scale == "log" else st.floats(-1e3, 1e3))
    high = low + draw(st.just(0.0) | st.floats(1e-3, 1e4))
    step = draw(st.none() | st.floats(1e-2, 1e4))
    return FloatParameter.model_validate(
        {"low": low, "high": high, "step": step, "scale": scale, "default": draw(st.floats(low, high))}
    )


@st.composite
def integers(draw: st.DrawFn) -> IntParameter:
    scale = draw(st.sampled_from(["linear", "log"]))
    low = draw(st.integers(1 if scale == "log" else -1000, 1000))
    high = low + draw(st.integers(0, 10_000))
    step = draw(st.none() | st.integers(1, 10_000))
    return IntParameter.model_validate(
        {"low": low, "high": high, "step": step, "scale": scale, "default": draw(st.integers(low, high))}
    )


@st.composite
def categories(draw: st.DrawFn) -> CategoryParameter:
    choices = tuple(f"choice {i}" for i in range(draw(st.integers(1, 50))))
    return CategoryParameter(choices=choices, default=draw(st.sampled_from(choices)))


def spaces() -> st.SearchStrategy[ParameterSpace]:
    """One to four parameters; single ones, constants and one choice of one are among them."""
    parameters: st.SearchStrategy[Parameter] = st.one_of(floats(), integers(), categories())
    named = st.lists(parameters, min_size=1, max_size=4)
    return named.map(lambda some: ParameterSpace(parameters={f"p{i}": one for i, one in enumerate(some)}))
