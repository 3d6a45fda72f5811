"""What follows when a study or a project arrives whole from somewhere else."""

import re
from collections.abc import Mapping
from dataclasses import replace

from ml_service.errors import Conflict, InvalidRequest
from ml_service.objects import ObjectStore
from web.domain.access import Actor
from web.domain.audit.audit import faults
from web.domain.jobs import jobs_after_rating, make_job, plan_upload_job
from web.domain.prompts.prompt import VersionFile
from web.domain.studies.study import Project, Study
from web.ports.parts import Parts
from web.rows.prompts import PromptRows
from web.rows.transaction import Transaction
from web.services.audit.chain import changed_elsewhere
from web.services.audit.record import record
from web.services.prompts import pointers
from web.services.prompts.publication import file_of, folder_errors, stray
from web.services.prompts.versions import current_path, load_current, load_version, published, version_path
from web.services.studies.assigning import assign_first
from web.services.studies.studies import check_numbers

Lying = Mapping[str, VersionFile]
# Argon2id within limits: to check one that asks for all memory would be a way to take the server down.
_HASH = re.compile(r"\$argon2id\$v=19\$m=\d{1,6},t=\d{1,2},p=\d\$[A-Za-z0-9+/]{1,100}\$[A-Za-z0-9+/]{1,200}")


def arrived(tx: Transaction, parts: Parts, actor: Actor, study: Study) -> None:
    """Note the import of a study and take its work up where the other place left it, if its numbers are in order."""
    _check_settings(study)
    _take_up(tx, parts, study)
    record(tx, parts.clock.now(), actor, "study.imported", ("study", study.id), after=study)
    # Who rated it elsewhere is not known here; nor does it take anybody to rate what does not run.
    if study.state == "running" and not tx.assignments.all(study_id=study.id):
        assign_first(tx, actor, study, None, parts.clock.now())


def check_project(tx: Transaction, lying: Lying, project: Project) -> None:
    """Refuse a project whose rows were changed on their way, or would do harm here.

    Its versions must be what was released, and PROMPTS_DIR must hold none but these: its files will be the project's.
    """
    if not all(_HASH.fullmatch(password.hash) for password in tx.passwords.all()):
        raise InvalidRequest("A password of this project is kept in no form of ours. Nothing was changed.")
    for study in tx.studies.all(project_id=project.id):
        _check_settings(study)
    for fault in faults(sorted(tx.events.all(project_id=project.id), key=lambda event: event.number)):
        raise InvalidRequest(f"The audit chain of this project is broken: {fault}. Nothing was changed.")
    for prompt in tx.prompts.all(project_id=project.id):
        pointer = pointers.find(tx, prompt.key)
        if pointer is None or tx.versions.get(pointer.version_id).status != "released":
            raise InvalidRequest(f"The prompt {prompt.key} of this project has no live version. Nothing was changed.")
    check_published(tx, lying)


def _check_settings(study: Study) -> None:
    check_numbers(study)
    study.guide.check()


def lying_in(files: ObjectStore) -> Lying:
    """Return the versions that lie in PROMPTS_DIR by path; Conflict says which file is none, or is broken."""
    with folder_errors():
        there = published(files)
        if there.strays:
            raise Conflict(stray(there.strays[0]))
        lying: dict[str, VersionFile] = {}
        for key, names in there.names.items():
            lying |= {version_path(key, name): load_version(files, name, key) for name in names}
            if files.tag(current_path(key)):
                lying[current_path(key)] = load_current(files, key)
        return lying


def check_published(tx: PromptRows, lying: Lying) -> None:
    """Refuse released versions whose rows were changed, and a PROMPTS_DIR that holds others than these."""
    known = {(row.prompt_key, row.name): row for row in tx.versions.all() if row.name is not None}
    for row in known.values():
        if row.status == "released":
            file_of(tx, row)
    for path, file in lying.items():
        here = known.get((file.prompt_key, file.version))
        if here is None or here.sha256 != file.sha256:
            raise Conflict(
                f"{path} in PROMPTS_DIR is none of the versions that come in. Set PROMPTS_DIR to an empty folder, "
                "or move the file away, and try again. Nothing was changed."
            )


def project_arrived(tx: Transaction, parts: Parts, project: Project) -> None:
    """Note the import of a project and take its work up where the other place left it.

    Its chain alone comes along: of people whom another project has changed since it says how they are now.
    """
    for study in tx.studies.all(project_id=project.id):
        _take_up(tx, parts, study)
    terminal, now = Actor("", "the terminal", project.id, "admin"), parts.clock.now()
    changed = changed_elsewhere(tx, project.id)
    record(tx, now, terminal, "project.imported", ("project", project.id), after=project)
    for user in changed:
        record(tx, now, terminal, "user.imported", ("user", user.id), after=user)


def _take_up(tx: Transaction, parts: Parts, study: Study) -> None:
    unfinished = tx.experiments.all(study_id=study.id, state=("planned", "generating"))
    now = parts.clock.now()
    options = tx.options.all(experiment_id=tuple(one.id for one in unfinished))
    for option in options:
        if option.state == "generating":  # it was begun at the other place, which has the ticket
            tx.options.replace(replace(option, state="planned"))
    unplanned = {one.id for one in unfinished} - {option.experiment_id for option in options}
    tx.of_jobs.add_once(make_job(one.id, one.generator, study.id, now) for one in options)
    tx.of_jobs.add_once(plan_upload_job(experiment_id, study.id, now) for experiment_id in sorted(unplanned))
    if study.state == "running":
        tx.of_jobs.add_once(jobs_after_rating(study.id, now))
