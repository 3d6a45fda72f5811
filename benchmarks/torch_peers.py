"""BoTorch and Ax; PyTorch is imported where one of them plays, for it is not installed by default."""

import importlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.problems import Array, Problem
from benchmarks.sessions import Out
from benchmarks.told import INITIAL, Told, mean
from ml_service.wire.contract import CategoryParameter, FloatParameter, IntParameter, Observation, Point


class Botorch(Told):
    """BoTorch: qLogNoisyExpectedImprovement on a mixed kernel, or on one-hot columns."""

    def __init__(self, problem: Problem, seed: int, kind: str) -> None:
        super().__init__(problem, seed)
        self.kind = kind
        self.torch = importlib.import_module("torch")
        self.torch.set_num_threads(1)
        self.torch.manual_seed(seed)
        self.first = problem.search.initial(seed, INITIAL)
        parameters = [axis.parameter for axis in problem.search.free.values()]
        self.sizes = [len(p.choices) if isinstance(p, CategoryParameter) else 0 for p in parameters]
        self.asked = 0

    def one(self, out: list[Out]) -> Point:
        """Return an initial point, or what maximises the expected improvement while others are out."""
        self.asked += 1
        if self.asked <= INITIAL or len(self.means) < 3:
            return self.first[(self.asked - 1) % INITIAL]
        botorch = importlib.import_module("botorch.acquisition.logei")
        model = self._model()
        known = self._rows(self.points)
        acquisition = botorch.qLogNoisyExpectedImprovement(
            model, known, X_pending=self._rows([one.point for one in out]) if out else None, prune_baseline=True
        )
        return self._optimize(acquisition)

    def recommended(self) -> Point:
        """Return the told point of which its model expects the most."""
        model = self._model()
        with self.torch.no_grad():
            mean = model.posterior(self._rows(self.points)).mean
        return self.points[int(mean.argmax())]

    def _model(self) -> Any:
        models, fit = importlib.import_module("botorch.models"), importlib.import_module("botorch.fit")
        mll = importlib.import_module("gpytorch.mlls")
        standard = importlib.import_module("botorch.models.transforms.outcome").Standardize(m=1)
        x, y = self._rows(self.points), self.torch.tensor(self.means, dtype=self.torch.double)[:, None]
        if self.kind == "mixed":
            columns = [i for i, size in enumerate(self.sizes) if size]
            model = models.MixedSingleTaskGP(x, y, cat_dims=columns, outcome_transform=standard)
        else:
            model = models.SingleTaskGP(x, y, outcome_transform=standard)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit.fit_gpytorch_mll(mll.ExactMarginalLogLikelihood(model.likelihood, model))
        return model

    def _optimize(self, acquisition: Any) -> Point:
        width = self._rows([self.problem.search.default]).shape[1]
        bounds = self.torch.stack([self.torch.zeros(width), self.torch.ones(width)]).double()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.kind == "mixed":
                for column, size in enumerate(self.sizes):
                    bounds[1, column] = max(size - 1, 1)
                mixed = importlib.import_module("botorch.optim.optimize_mixed")
                cats = {i: list(range(size)) for i, size in enumerate(self.sizes) if size}
                found, _ = mixed.optimize_acqf_mixed_alternating(
                    acquisition, bounds, cat_dims=cats, q=1, num_restarts=4, raw_samples=128
                )
            else:
                plain = importlib.import_module("botorch.optim")
                found, _ = plain.optimize_acqf(acquisition, bounds, q=1, num_restarts=4, raw_samples=128)
        return self._point(found[0].numpy())

    def _rows(self, points: Sequence[Point]) -> Any:
        unit = self.problem.search.unit(points)
        columns = []
        for i, size in enumerate(self.sizes):
            if not size:
                columns.append(unit[:, i : i + 1])
                continue
            index = np.rint(unit[:, i] * (size - 1)).astype(int)
            columns.append(index[:, None].astype(float) if self.kind == "mixed" else np.eye(size)[index])
        return self.torch.tensor(np.hstack(columns), dtype=self.torch.double)

    def _point(self, row: Array) -> Point:
        unit, at = [], 0
        for size in self.sizes:
            if not size or self.kind == "mixed":
                unit.append(row[at] / max(size - 1, 1) if size else row[at])
                at += 1
            else:
                unit.append(int(np.argmax(row[at : at + size])) / max(size - 1, 1))
                at += size
        return self.problem.search.points(self.problem.search.snap(np.array([unit])))[0]


class Ax(Told):
    """Ax at its defaults; pending trials are known to it as running."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        importlib.import_module("torch").set_num_threads(1)
        ax = importlib.import_module("ax.api.client")
        configs = importlib.import_module("ax.api.configs")
        self.random = np.random.default_rng([seed, 3])
        self.client = ax.Client(random_seed=seed)
        parameters = [_ax_parameter(configs, name, p) for name, p in problem.space.parameters.items()]
        self.client.configure_experiment(parameters=parameters)
        self.client.configure_optimization(objective="rating")
        self.trials: dict[int, int] = {}

    def one(self, out: list[Out]) -> Point:
        """Ask for one trial; where Ax wants data first, a random point, which it is told of as pending."""
        wanting = importlib.import_module("ax.exceptions.core").DataRequiredError
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                ((trial, point),) = self.client.get_next_trials(max_trials=1).items()
            except wanting:
                point = self.problem.search.points(self.problem.search.random(self.random, 1))[0]
                trial = self.client.attach_trial(point)
        point = dict(point)
        self.trials[id(point)] = trial
        return point

    def tell(self, done: Out, ratings: list[Observation]) -> None:
        """Complete the trial of an option."""
        super().tell(done, ratings)
        self.client.complete_trial(self.trials.pop(id(done.point)), raw_data={"rating": mean(ratings)})

    def recommended(self) -> Point:
        """Return what Ax recommends."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            point, *_ = self.client.get_best_parameterization(use_model_predictions=True)
        return dict(point)


def _ax_parameter(configs: Any, name: str, parameter: Any) -> Any:
    if isinstance(parameter, CategoryParameter):
        return configs.ChoiceParameterConfig(
            name=name, values=list(parameter.choices), parameter_type="str", is_ordered=False
        )
    scaling = "log" if parameter.scale == "log" else None
    kind = "int" if isinstance(parameter, IntParameter) else "float"
    step = parameter.step if isinstance(parameter, FloatParameter) else None
    bounds = (parameter.low, parameter.high)
    return configs.RangeParameterConfig(name=name, parameter_type=kind, bounds=bounds, scaling=scaling, step_size=step)
