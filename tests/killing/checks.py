"""What must hold once the killing is over: nothing acknowledged is lost, nothing is there twice, no work is stuck."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable

from ml_service.errors import NotFound
from tests.killing.clients import Browser
from tests.killing.ledger import Ledger, Rated
from tests.killing.product import Product
from tests.killing.publisher import verify, wrong_publications
from web.domain.studies.experiment import Option
from web.domain.studies.study import Study
from web.rows.transaction import Transaction
from web.services.studies.intake import view_key

TAKEOVER = 60.0  # seconds after which what a killed worker had in hand is done by another
WORK = 15.0
OPTIONS = {"ab": 2, "gold": 1, "repeat": 1, "calibration": 1}  # of an experiment; else what the study asks for


def settle(product: Product, study: Study, patience: float) -> None:
    """Wait until all the work of a study is done."""
    end = time.monotonic() + patience
    while left := _unfinished(product, study):
        assert time.monotonic() < end, f"{patience:.0f} s after the last kill there is work left: {left}"
        time.sleep(0.1)


def _unfinished(product: Product, study: Study) -> list[object]:
    now = product.parts.clock.now()
    with product.parts.store.read() as tx:
        jobs = [job for job in tx.jobs.all(state=("waiting", "claimed"), study_id=study.id) if job.due_at <= now]
        return [*jobs, *tx.experiments.all(study_id=study.id, state=("planned", "generating"))]


def look(product: Product, study: Study, ledger: Ledger, uploader: Browser) -> None:
    """Compare what is stored of a study with what was acknowledged, and fail with all that differs."""
    with product.parts.store.read() as tx:
        faults = [
            *ledger.faults,
            *_wrong_ratings(tx, study, ledger),
            *_wrong_inputs(tx, product, study, ledger),
            *_wrong_work(tx, study),
            *_wrong_outputs(tx, product, study),
        ]
    faults += _wrong_uploads(product, uploader, ledger)
    faults += [*wrong_publications(product, ledger), *verify(product)]
    assert faults == [], f"{len(faults)} faults: {faults[:10]}"


def _wrong_ratings(tx: Transaction, study: Study, ledger: Ledger) -> list[str]:
    stored = {rating.id: rating for rating in tx.ratings.all(study_id=study.id)}
    faults = [f"The rating {key} is lost." for key in ledger.rated.keys() - stored.keys()]
    faults += [f"Nobody sent the rating {key}." for key in stored.keys() - ledger.rated.keys()]
    standing: Counter[tuple[str, str]] = Counter()
    for key, said in ledger.rated.items():
        rating = stored.get(key)
        if rating is None:
            continue
        if Rated(rating.option_id, rating.judge_id, _whole(rating.score), rating.skip) != said:
            faults.append(f"The rating {key} is not what was sent.")
        if (rating.undone_at is not None) != (key in ledger.undone):
            faults.append(f"The rating {key} is undone at {rating.undone_at}; asked for: {key in ledger.undone}.")
        standing[rating.option_id, rating.judge_id] += rating.undone_at is None
    return faults + [f"{pair} has {number} ratings." for pair, number in standing.items() if number > 1]


def _whole(score: float | None) -> int | None:
    return None if score is None else int(score)


def _wrong_inputs(tx: Transaction, product: Product, study: Study, ledger: Ledger) -> list[str]:
    stored = {source.id: source for source in tx.inputs.all(study_id=study.id)}
    here = [source for source in stored.values() if source.removed_at is None]
    objects = set(product.parts.objects.list("inputs/"))
    uploaded = {tx.experiments.get(made).input_id for made in ledger.uploads}
    told, found = ledger.present.keys() | uploaded, {each.id for each in here}
    faults = [f"The input {key} is lost." for key in told - found]
    faults += [f"Nobody was told of the input {key}." for key in found - told]
    faults += [f"The content of {key} is there twice." for key in _twice(each.content_hash for each in here)]
    for each in here:
        if not _is_whole(product, each.object_key, each.content_hash):
            faults.append(f"The bytes of the input {each.id} are not the ones of its hash.")
        if view_key(each) not in objects:
            faults.append(f"The view of the input {each.id} is lost.")
        if ledger.present.get(each.id, each.content_hash) != each.content_hash:
            faults.append(f"The input {each.id} was acknowledged with another hash.")
    needed = {each.object_key for each in tx.inputs.all(removed_at=None)}
    for key in ledger.removed:
        gone = stored[key]
        if gone.removed_at is None or (gone.object_key not in needed and gone.object_key in objects):
            faults.append(f"The input {key} was taken down, and it or its object is still there.")
    return faults


def _wrong_work(tx: Transaction, study: Study) -> list[str]:
    jobs = tx.jobs.all(study_id=study.id)
    options = tx.options.all(study_id=study.id)
    places = [f"{option.experiment_id} {option.position}" for option in options]
    done = [job.key for job in jobs if job.task == "make" and job.state == "done"]
    faults = [f"{job.key} is set aside: {job.error}" for job in jobs if job.state == "parked"]
    faults += [f"{key} was done twice." for key in _twice(done)]
    faults += [f"{job.key} waits, and is done." for job in jobs if job.state == "waiting" and job.key in done]
    faults += [f"The place {place} has two options." for place in _twice(places)]
    owing = Counter(option.experiment_id for option in options)
    for experiment in tx.experiments.all(study_id=study.id, state=("ready", "closed", "void")):
        due = OPTIONS.get(experiment.kind, study.options_per_experiment)
        if experiment.state == "void" or owing[experiment.id] != due:
            faults.append(f"The experiment {experiment.id} is {experiment.state} with {owing[experiment.id]} options.")
    return faults


def _wrong_outputs(tx: Transaction, product: Product, study: Study) -> list[str]:
    options = tx.options.all(study_id=study.id)
    here = {source.id for source in tx.inputs.all(study_id=study.id, removed_at=None)}
    shown = tx.experiments.all(study_id=study.id, state=("ready", "closed"))
    live = {each.id for each in shown if each.input_id in here}
    faults = [
        fault for option in options if option.experiment_id in live for fault in _wrong_output(tx, product, option)
    ]
    used = {option.output_id for option in tx.options.all()}
    return faults + [f"The output {each.id} belongs to no option." for each in tx.outputs.all() if each.id not in used]


def _wrong_output(tx: Transaction, product: Product, option: Option) -> list[str]:
    if option.state != "ready" or option.output_id is None:
        return [f"The option {option.id} is {option.state}: {option.error}"]
    if option.revision != (0 if tx.experiments.get(option.experiment_id).kind == "repeat" else 1):
        return [f"The option {option.id} was written {option.revision} times."]
    output = tx.outputs.get(option.output_id)
    fine = _is_whole(product, output.object_key, output.content_hash)
    return [] if fine else [f"The bytes of the output {output.id} are not the ones of its hash."]


def _is_whole(product: Product, key: str, content_hash: str) -> bool:
    try:
        return hashlib.sha256(product.parts.objects.read(key)).hexdigest() == content_hash
    except NotFound:
        return False


def _wrong_uploads(product: Product, uploader: Browser, ledger: Ledger) -> list[str]:
    faults = []
    for experiment_id in ledger.uploads:
        told = uploader.send("GET", f"/api/enhance/train/{experiment_id}").json()
        if told["state"] != "ready":
            faults.append(f"The upload {experiment_id} is {told['state']}.")
        for option in told["options"]:
            image = uploader.send("GET", option["image_url"])
            if image.headers["content-type"] != "image/jpeg" or not image.content.startswith(b"\xff\xd8"):
                faults.append(f"An output of the upload {experiment_id} cannot be read.")
    return faults


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, number in Counter(names).items() if number > 1]
