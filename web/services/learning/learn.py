"""What a study's ratings tell, learnt once for each history."""

from dataclasses import replace

from ml_service.wire.contract import digest
from web.domain.ids import new_id
from web.domain.studies.study import Learnt
from web.ports.parts import Parts
from web.services.learning import asking
from web.services.learning.requests import diagnose_request


def learn(parts: Parts, study_id: str) -> Learnt:
    """Say what a study's ratings tell, once for each history, and keep it for all who look."""
    with parts.store.read() as tx:
        study = tx.studies.get(study_id)
        request = diagnose_request(tx, study)
        asked = digest(request)
        known = tx.diagnoses.find(study_id=study_id, request_hash=asked)
        newest = tx.of_studies.newest_diagnosis(study_id)
    if known is not None and known == newest:
        return known
    diagnosis = known.diagnosis if known else asking.diagnose(parts.optimizer, request)
    with parts.store.begin() as tx:
        now = parts.clock.now()
        again = tx.diagnoses.find(study_id=study_id, request_hash=asked)
        if again is not None:
            tx.of_studies.make_newest(again.id, now)
            return replace(again, made_at=now)
        learnt = tx.diagnoses.add(Learnt(new_id(), study_id, asked, diagnosis, now))
        tx.of_studies.forget_old_diagnoses(study_id)
        return learnt
