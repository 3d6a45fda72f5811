"""Evolution over HTTP: a round is asked for once, rounds are told, and a version is written by hand."""

from tests.site import Site
from web.domain.ids import new_id
from web.domain.prompts.prompt import DEFAULT_KEY

ROUNDS, VERSIONS = f"/api/v1/prompts/{DEFAULT_KEY}/rounds", f"/api/v1/prompts/{DEFAULT_KEY}/versions"
PROMPT = "Enhance this photo of {{subject}}, and change no more than it needs."


def test_an_admin_asks_for_a_round_and_is_told_of_the_one_that_is_open(site: Site) -> None:
    admin, name = site.signed_in("admin"), new_id()
    first = admin.post("/api/train/evolve", json={"id": name})
    assert (first.status_code, first.json()["id"], first.json()["state"]) == (202, name, "waiting")
    assert admin.post("/api/train/evolve", json={"id": name}).json() == first.json()
    second = admin.post("/api/train/evolve")
    assert second.status_code == 409
    assert name in second.json()["detail"]
    assert admin.get(ROUNDS).json() == [first.json()]
    assert admin.get("/api/v1/prompts/none/rounds").status_code == 404


def test_a_version_is_written_by_hand_once_and_the_gates_answer_in_words(site: Site) -> None:
    admin, name = site.signed_in("admin"), new_id()
    texts = {
        "local": {"prompt": f"{PROMPT} Make it warmer.", "negative_prompt": "artefacts, added objects, watermarks"}
    }
    sent = {"id": name, "changelog": "Warmer.", "components": texts}
    made = admin.post(VERSIONS, json=sent)
    assert (made.status_code, made.json()["id"]) == (201, name)
    assert admin.post(VERSIONS, json=sent).json() == made.json()
    again = admin.post(VERSIONS, json={**sent, "id": new_id()})
    assert (again.status_code, "no_op" in again.json()["detail"]) == (422, True)
    assert admin.post(VERSIONS, json={"changelog": "w", "colour": "red"}).status_code == 422
