"""Photos that are sent one after the other have the first points between them, though the first is there alone."""

from collections import Counter

from tests.site import Site
from tests.world import UNLEARNING, photo
from web.domain.studies.experiment import LIVE
from web.services.studies.studies import StudyDraft, make_study


def test_ten_photos_sent_one_after_the_other_share_the_first_points(site: Site) -> None:
    world, admin = site.world, site.signed_in("admin")
    study = make_study(world.parts, world.admin, StudyDraft("Later", world.study.spaces))
    sent = []
    for seed in range(10):
        files = {"file": (f"photo {seed}.jpg", photo(seed), "image/jpeg")}
        answer = admin.post(f"/api/v1/studies/{study.id}/inputs", files=files)
        assert answer.status_code == 201, answer.text
        sent.append(answer.json()["id"])
        world.work(UNLEARNING)
    with world.parts.store.read() as tx:
        waiting = tx.experiments.all(study_id=study.id, state=LIVE)
    assert Counter(one.input_id for one in waiting) == Counter(sent[:4])
    assert {one.state for one in waiting} == {"ready"}
