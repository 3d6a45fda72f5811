"""What is done once a night: look whether scores keep their order where stars are an order only."""

from web.ports.parts import Parts


def compare(parts: Parts, study_id: str) -> None:
    """Check the order of a study's items, and keep what was found in place of what was found before."""
    from web.domain.rating.numbers.probit import check_order  # loads scipy, which no start waits for

    with parts.store.read() as tx:
        study = tx.studies.get(study_id)
    found = check_order(study_id, parts.reports.given(study), parts.clock.now())
    with parts.store.begin() as tx:
        tx.ordinal_checks.remove(study_id=study_id)
        if found is not None:
            tx.ordinal_checks.add(found)
