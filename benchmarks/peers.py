"""The optimizers that Palate is compared with, used as their documentation does, told the mean rating of an option.

They know what is pending where they can. Each recommends by its own model where it has one, among the points it was
told, and else the point of the highest mean rating. What one peer needs is imported by its class alone.
"""

import copy
import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.problems import Array, Problem
from benchmarks.sessions import Out, Player
from ml_service.contract import CategoryParameter, FloatParameter, IntParameter, Observation, Point

INITIAL = 10


class Told:
    """What every peer keeps: the points it was told, and their ratings."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem, self.seed = problem, seed
        self.told: dict[int, tuple[Point, list[float]]] = {}

    @property
    def points(self) -> list[Point]:
        """Return the points that have a rating."""
        return [point for point, ratings in self.told.values() if ratings]

    @property
    def means(self) -> list[float]:
        """Return the mean rating of each of them."""
        return [float(np.mean(ratings)) for _, ratings in self.told.values() if ratings]

    def ask(self, item: int, out: list[Out], count: int) -> list[Point]:
        """Ask one after the other, each knowing of those before it."""
        beside: list[Out] = []
        for number in range(count):
            beside.append(Out(-1 - number, self.one(out + beside), item))
        return [option.point for option in beside]

    def one(self, out: list[Out]) -> Point:
        """Return the next point to be rated."""
        raise NotImplementedError

    def tell(self, done: Out, ratings: list[Observation]) -> None:
        """Keep an option with its ratings."""
        self.told[done.number] = (done.point, [one.rating for one in ratings])

    def forget(self, done: Out, rating: Observation) -> None:
        """Forget a rating; those that keep a state of their own go on with what they were told."""
        self.told[done.number][1].remove(rating.rating)

    def best(self) -> tuple[Point, None]:
        """Return the point that it recommends; none of the peers says how well it will be rated."""
        return self.recommended(), None

    def recommended(self) -> Point:
        """Return the point of the highest mean rating, the first of equals."""
        return self.points[int(np.argmax(self.means))]


class RandomSearch(Told):
    """Random points; the highest mean rating wins."""

    def __init__(self, problem: Problem, seed: int) -> None:
        super().__init__(problem, seed)
        self.random = np.random.default_rng([seed, 3])

    def one(self, out: list[Out]) -> Point:
        """Return a random point."""
        return self.problem.search.points(self.problem.search.random(self.random, 1))[0]


class Optuna(Told):
    """Optuna: multivariate TPE with the constant liar, or its GP sampler."""

    def __init__(self, problem: Problem, seed: int, kind: str) -> None:
        super().__init__(problem, seed)
        optuna = importlib.import_module("optuna")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        samplers = optuna.samplers
        sampler = {
            "tpe": lambda: samplers.TPESampler(multivariate=True, constant_liar=True, seed=seed),
            "gp": lambda: samplers.GPSampler(seed=seed, n_startup_trials=INITIAL),
        }[kind]()
        self.study = optuna.create_study(direction="maximize", sampler=sampler)
        self.trials: dict[int, Any] = {}
        self.study.enqueue_trial(problem.space.default())

    def one(self, out: list[Out]) -> Point:
        """Ask for a trial; pending trials are known to the study as running."""
        trial = self.study.ask()
        point: Point = {}
        for name, parameter in self.problem.space.parameters.items():
            if isinstance(parameter, CategoryParameter):
                point[name] = trial.suggest_categorical(name, parameter.choices)
            elif isinstance(parameter, IntParameter):
                point[name] = trial.suggest_int(name, parameter.low, parameter.high)
            else:
                log = parameter.scale == "log"
                point[name] = trial.suggest_float(name, parameter.low, parameter.high, step=parameter.step, log=log)
        self.trials[id(point)] = trial
        return point

    def tell(self, done: Out, ratings: list[Observation]) -> None:
        """Finish the trial of an option."""
        super().tell(done, ratings)
        self.study.tell(self.trials.pop(id(done.point)), mean(ratings))


class ScikitOptimize(Told):
    """scikit-optimize at its defaults, told of pending points by its own constant liar."""

    def __init__(self, problem: Problem, seed: int, kind: str) -> None:
        super().__init__(problem, seed)
        skopt = importlib.import_module("skopt")
        self.names = list(problem.space.parameters)
        dimensions = [_skopt_dimension(p) for p in problem.space.parameters.values()]
        self.optimizer = skopt.Optimizer(dimensions, base_estimator=kind, n_initial_points=INITIAL, random_state=seed)

    def one(self, out: list[Out]) -> Point:
        """Ask a copy that was told the worst rating for what is pending."""
        asked = self.optimizer
        if out and len(self.means) >= INITIAL:
            asked = copy.deepcopy(self.optimizer)  # its own copy() fits once more, and draws other random numbers
            asked.tell([self._row(one.point) for one in out], [-min(self.means)] * len(out))
        elif out:
            return _point(self.names, self.optimizer.ask(n_points=len(out) + 1)[-1])
        return _point(self.names, asked.ask())

    def tell(self, done: Out, ratings: list[Observation]) -> None:
        """Tell an option's mean rating, to be minimised."""
        super().tell(done, ratings)
        self.optimizer.tell(self._row(done.point), -mean(ratings))
        del self.optimizer.models[:-1]  # only the last is read, and each holds a forest

    def recommended(self) -> Point:
        """Return the told point of which its model expects the most."""
        if not self.optimizer.models:
            return super().recommended()
        rows = self.optimizer.space.transform([self._row(point) for point in self.points])
        return self.points[int(np.argmin(self.optimizer.models[-1].predict(rows)))]

    def _row(self, point: Point) -> list[Any]:
        return [point[name] for name in self.names]


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


def mean(ratings: list[Observation]) -> float:
    """Return the mean rating of one option."""
    return float(np.mean([one.rating for one in ratings]))


def _skopt_dimension(parameter: Any) -> Any:
    space = importlib.import_module("skopt.space")
    if isinstance(parameter, CategoryParameter):
        return space.Categorical(list(parameter.choices))
    if isinstance(parameter, IntParameter):
        return space.Integer(parameter.low, parameter.high)
    prior = "uniform" if parameter.scale == "linear" else "log-uniform"
    return space.Real(parameter.low, parameter.high, prior=prior)


def _point(names: Sequence[str], row: Sequence[Any]) -> Point:
    return {
        name: value.item() if isinstance(value, np.generic) else value for name, value in zip(names, row, strict=True)
    }


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


PEERS: Mapping[str, Callable[[Problem, int], Player]] = {
    "random": RandomSearch,
    "Optuna TPE": lambda problem, seed: Optuna(problem, seed, "tpe"),
    "Optuna GP": lambda problem, seed: Optuna(problem, seed, "gp"),
    "skopt gp_hedge": lambda problem, seed: ScikitOptimize(problem, seed, "GP"),
    "skopt extra trees": lambda problem, seed: ScikitOptimize(problem, seed, "ET"),
    "BoTorch mixed": lambda problem, seed: Botorch(problem, seed, "mixed"),
    "BoTorch one-hot": lambda problem, seed: Botorch(problem, seed, "one-hot"),
    "Ax": Ax,
}
PACKAGES: Mapping[str, str] = {
    "random": "numpy",
    "Optuna TPE": "optuna",
    "Optuna GP": "optuna",
    "skopt gp_hedge": "scikit-optimize",
    "skopt extra trees": "scikit-optimize",
    "BoTorch mixed": "botorch",
    "BoTorch one-hot": "botorch",
    "Ax": "ax-platform",
}
