"""The optimizers that Palate is compared with, used as their documentation does, told the mean rating of an option.

They know what is pending where they can. Each recommends by its own model where it has one, among the points it was
told, and else the point of the highest mean rating. What one peer needs is imported by its class alone.
"""

import copy
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.dimensions import dimensions
from benchmarks.problems import Problem
from benchmarks.sessions import Out, Player
from benchmarks.told import INITIAL, Told, mean
from benchmarks.torch_peers import Ax, Botorch
from ml_service.wire.contract import CategoryParameter, IntParameter, Observation, Point


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
        self.optimizer = skopt.Optimizer(
            dimensions(problem.space), base_estimator=kind, n_initial_points=INITIAL, random_state=seed
        )

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


def _point(names: Sequence[str], row: Sequence[Any]) -> Point:
    return {
        name: value.item() if isinstance(value, np.generic) else value for name, value in zip(names, row, strict=True)
    }


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
FAST = ("random", "Optuna TPE")  # a session takes seconds
