"""The pages of A/B tests over HTTP on both engines: the form, the evidence, what was said, approving."""

import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from tests.site import Site
from tests.unit.abtests.test_verdicts import QUICK, candidate, judge_pairs, live, now, opened, rate_pairs
from tests.visitors import another_project, member_of
from tests.world import answer
from web.domain.abtests.abtest import ABTest, Design
from web.domain.ids import new_id
from web.jobs import tasks
from web.services.abtests import abtests, verdicts

PAGE = {"Accept": "text/html,application/xhtml+xml"}
HOME = "/admin/abtests"


@pytest.fixture
def admin(site: Site) -> TestClient:
    client = site.signed_in("admin", "boss@example.org")
    client.headers.update(PAGE)
    for seed in range(100, 108):
        site.world.add_input(seed)
    return client


def test_before_the_first_test_the_list_says_how_to_open_one(admin: TestClient) -> None:
    text = admin.get(HOME).text
    assert "No version was tested yet" in text
    assert f'href="{HOME}/new"' in text
    assert "There is no other version of photo-enhance to test" in admin.get(f"{HOME}/new").text


def test_the_form_says_how_long_it_takes_and_opens_the_test_once(site: Site, admin: TestClient) -> None:
    version = candidate(site.world, "brighter")
    text = admin.get(f"{HOME}/new").text
    assert "candidate 2" in text
    assert "A true gain of 0.5 stars takes about" in text
    assert "Nobody has rated in the last week" in text
    assert "Its pictures cost nothing." in text
    site.world.hold(site.world.person())  # so that there are pictures
    with site.world.parts.store.begin() as tx:
        for option in tx.options.all(study_id=site.world.study.id, state="ready"):
            tx.options.replace(replace(option, cost_micros=10_000))
    assert "Its pictures cost $4.00 at most." in admin.get(f"{HOME}/new").text
    form = {
        "study": site.world.study.id,
        "id": new_id(),
        "challenger": version.id,
        "hypothesis": "<b>Light</b> sells.",
        "policy": "manual",
        "most_pairs": "60",
    }
    first, second = (admin.post(f"{HOME}/new", data=form) for _ in range(2))
    assert (first.status_code, second.headers["location"]) == (303, first.headers["location"])
    shown = admin.get(first.headers["location"]).text
    assert "&lt;b&gt;Light&lt;/b&gt; sells." in shown
    assert "Collecting" in shown
    assert "0 of at least 12 pairs are closed" in shown
    assert "or after 60 pairs" in shown
    assert "boss@example.org" in shown
    for absent in ("style=", "<script>"):
        assert absent not in shown
    assert "candidate 2" in admin.get(HOME).text
    assert "candidate 2" not in admin.get(f"{HOME}?key=other").text


def test_two_versions_are_compared_by_the_form_and_the_verdict_says_what_follows(site: Site, admin: TestClient) -> None:
    champion, challenger = candidate(site.world, "cooler"), candidate(site.world, "brighter")
    link = re.search(
        r'href="(/admin/abtests/new[^"]*)">Let raters compare them',
        admin.get(f"/admin/prompts/photo-enhance/diff?from={champion.id}&to={challenger.id}").text,
    )
    assert link is not None
    text = admin.get(link[1].replace("&amp;", "&")).text
    assert '<option value="">v1.0.0, which is live</option>' in text
    assert f'<option value="{champion.id}" selected>candidate 2' in text
    assert re.search(rf'value="{challenger.id}" checked', text)
    assert "nothing goes live by it" in text
    figures = {"least_pairs": "2", "most_pairs": "6", "threshold": "10", "least_raters": "1"}
    form = {"study": site.world.study.id, "challenger": challenger.id, "champion": champion.id, **figures}
    refused = admin.post(f"{HOME}/new", data=form | {"policy": "auto"})
    assert (refused.status_code, "Nothing goes live by a test" in refused.text) == (422, True)
    assert f'<option value="{champion.id}" selected>' in refused.text
    place = admin.post(f"{HOME}/new", data=form).headers["location"]
    assert "It only compares: nothing goes live by it. v1.0.0 is live now." in admin.get(place).text
    with site.world.parts.store.read() as tx:
        test = tx.ab_tests.get(place.rpartition("/")[2])
    judge_pairs(site.world, test, 3)
    text = admin.get(place).text
    assert "candidate 3 is better than candidate 2." in text
    assert "Let it go live, or not" not in text
    assert f'study={site.world.study.id}&amp;version={challenger.id}">Test candidate 3 against what is live' in text
    assert "photo-enhance, comparison" in admin.get(HOME).text
    assert live(site.world).name == "v1.0.0"


def test_whichever_is_live_is_the_one_that_others_are_tested_against(site: Site, admin: TestClient) -> None:
    version, known = candidate(site.world, "brighter"), live(site.world)
    for first, second in ((known, version), (version, known)):
        text = admin.get(f"/admin/prompts/photo-enhance/diff?from={first.id}&to={second.id}").text
        assert f"champion={known.id}&amp;version={version.id}" in text
    assert "Let raters compare" not in admin.get("/admin/prompts/photo-enhance/diff?from=v1.0.0&to=v1.0.0").text
    text = admin.get(f"{HOME}/new?champion={known.id}&version={version.id}").text
    assert not re.search("<option[^>]*selected>candidate", text)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"challenger": ""}, "There is no version"),
        ({"raters": "0"}, "A pair has 1 to 20 raters"),
        ({"threshold": "nan"}, "Evidence that promotes must be a number"),
        ({"most_pairs": "1e400"}, "At most pairs must be a whole number"),
        ({"least_pairs": "2.5"}, "At least pairs must be a whole number"),
    ],
)
def test_what_is_wrong_is_said_in_the_form_and_what_was_typed_stays(
    site: Site, admin: TestClient, wrong: dict[str, str], words: str
) -> None:
    version = candidate(site.world, "brighter")
    form = {"study": site.world.study.id, "challenger": version.id, "hypothesis": "Stays here."}
    answered = admin.post(f"{HOME}/new", data=form | wrong)
    assert answered.status_code == 422
    assert words in answered.text
    assert "Stays here." in answered.text


def test_one_test_at_a_time_is_said_in_the_form(site: Site, admin: TestClient) -> None:
    opened(site.world)
    other = candidate(site.world, "cooler")
    answered = admin.post(f"{HOME}/new", data={"study": site.world.study.id, "challenger": other.id})
    assert answered.status_code == 409
    assert "is open already" in answered.text


def won(site: Site, policy: str = "approve") -> ABTest:
    """Return a test whose challenger won and waits for a person."""
    test = opened(site.world, policy=policy)
    judge_pairs(site.world, test, 3)
    return now(site.world, test)


def test_a_test_shows_its_evidence_its_plots_and_its_pairs(site: Site, admin: TestClient) -> None:
    test = opened(site.world, policy="approve")
    rate_pairs(site.world, site.world.person(), test, better=5, worse=2)
    assert now(site.world, test).waits_for_approval
    text = admin.get(f"{HOME}/{test.id}").text
    assert "Promote" in text
    assert "waits to go live" in text
    assert re.search(r"In \d+ pairs raters liked candidate 2 3.00 stars more than v1.0.0", text)
    assert text.count('<svg class="plot"') == 2
    assert text.count("Show table") == 2
    assert 'class="target"' in text
    assert text.count("/media/output/") >= 4
    shown = re.findall(r'src="(/media/output/[^"]*)"', text)
    assert admin.get(shown[0]).status_code == 200
    assert "It fails more often" in text
    assert '<ins><span class="visually-hidden">[added: </span>' in text
    assert "Type <code>photo-enhance</code> to confirm" in text
    listed = admin.get(HOME).text
    assert "promote" in listed
    assert "+3.00" in listed


def judged_by(site: Site, test: ABTest, *likings: float, many: int = 12) -> None:
    """Close at least so many pairs of raters in turn, who each like the challenger so much, give or take a star."""
    done = 0
    while done < many:
        tasks.plan(site.world.parts, test.study_id)
        at = site.world.clock.now()
        with site.world.parts.store.begin() as tx:
            planned = tx.ab_pairs.all(test_id=test.id, state="open")
            for pair in planned:
                stars = likings[done % len(likings)] + (1.0 if done // len(likings) % 2 else -1.0)
                given, done = {f"rater {done % len(likings)}": stars}, done + 1
                closed = replace(pair, state="closed", number=done, difference=stars, given=given, closed_at=at)
                tx.ab_pairs.replace(closed)
            tx.of_experiments.move([pair.experiment_id for pair in planned], "closed", at)


@pytest.mark.parametrize(
    ("raters", "told"),
    [
        (3, "This rests on 3 raters and holds for these alone"),
        (4, "6 or 7 of 100 tests of nothing find something, not 5."),
        (8, "The promise is for raters like these, not only for these."),
    ],
)
def test_a_test_says_whom_its_promise_is_for_and_how_many_raters_it_wants(
    site: Site, admin: TestClient, raters: int, told: str
) -> None:
    test = opened(site.world, design=Design(most_pairs=40))
    before = admin.get(f"{HOME}/{test.id}").text
    assert "8 raters are wanted: then what is found holds for raters like them" in before
    assert "spread by 1.10 stars, as is usual." in before
    assert "The promise is for" not in before
    judged_by(site, test, *[0.5] * raters)
    text = admin.get(f"{HOME}/{test.id}").text
    assert told in text
    assert ("They agree</h3>" in text) == (raters >= 4)
    assert re.search(r"spread by 1\.0\d stars, as \d+ pairs of this study suggest\.", text)
    verdicts.follow(site.world.parts, test.id)
    shown = admin.get(f"/api/v1/abtests/{test.id}", headers={"Accept": "application/json"}).json()
    assert [sorted(pair["given"]) for pair in shown["pairs"][:raters]] == [[f"rater {at}"] for at in range(raters)]
    assert (shown["evidence"][0]["across_needed"] > 0) == (raters >= 4)


def test_a_test_whose_raters_do_not_agree_goes_on_and_says_so(site: Site, admin: TestClient) -> None:
    test = opened(site.world, design=Design(most_pairs=60))
    judged_by(site, test, 2.4, 0.0, 0.0, 0.0, many=40)
    verdicts.follow(site.world.parts, test.id)
    assert now(site.world, test).state == "running"
    text = admin.get(f"{HOME}/{test.id}").text
    assert "There is evidence of a gain, but the raters do not agree enough yet." in text
    assert "Its 4 raters do not agree enough to speak for others like them" in text
    wide = re.search(r"A true gain of 0\.5 stars takes about (\d+) pairs", text)
    assert wide is not None
    assert int(wide[1]) > 50  # 41 by the usual spread


def test_what_raters_said_is_told_by_version_as_text(site: Site, admin: TestClient) -> None:
    test, rater = opened(site.world), site.world.person()
    turn = site.world.hold(rater, wanted=8)
    with site.world.parts.store.read() as tx:
        mine = {pair.experiment_id for pair in tx.ab_pairs.all(test_id=test.id)}
    held = next(held for held in turn.held if held.lease.experiment_id in mine)
    for option in held.options:
        said = {"tags": ("unnatural_colours",), "comment": "<script>x</script>"}
        site.world.rate(rater, answer(option.option_id, 2, **said))
    site.world.clock.advance(minutes=11)
    verdicts.follow(site.world.parts, test.id)
    text = admin.get(f"{HOME}/{test.id}").text
    assert "&lt;script&gt;x&lt;/script&gt;" in text
    assert "<script>x" not in text
    assert "1×" in text


def test_a_test_is_paused_resumed_and_stopped_by_buttons(site: Site, admin: TestClient) -> None:
    test = opened(site.world)
    for action, state in (("pause", "Paused"), ("resume", "Collecting"), ("stop", "Stopped")):
        done = admin.post(f"{HOME}/{test.id}/move", data={"action": action})
        assert (done.status_code, done.headers["location"]) == (303, f"{HOME}/{test.id}")
        assert state in admin.get(f"{HOME}/{test.id}").text
    late = admin.post(f"{HOME}/{test.id}/move", data={"action": "resume"})
    assert late.status_code == 409
    assert "is stopped already" in late.text
    assert admin.post(f"{HOME}/{test.id}/move", data={"action": "explode"}).status_code == 422


def test_an_approval_needs_the_key_and_other_eyes_and_errors_stand_on_the_page(site: Site, admin: TestClient) -> None:
    test = won(site)
    place = f"{HOME}/{test.id}/approve"
    unsure = admin.post(place, data={"confirmation": "yes"})
    assert unsure.status_code == 422
    assert "to confirm" in unsure.text
    assert live(site.world).id == test.champion
    done = admin.post(place, data={"confirmation": test.prompt_key, "note": "Good."})
    assert done.status_code == 303, done.text
    assert live(site.world).id == test.challengers[0]
    text = admin.get(f"{HOME}/{test.id}").text
    assert "Promoted" in text
    assert "hold-back" in admin.get(HOME).text
    with site.world.parts.store.read() as tx:
        watch = tx.ab_tests.find(kind="hold_back")
    assert watch is not None
    assert "UTC</time> by Palate</dd>" in admin.get(f"{HOME}/{watch.id}").text


def test_whoever_opened_it_is_told_that_somebody_else_approves(site: Site, admin: TestClient) -> None:
    version = candidate(site.world, "brighter")
    figures = {"least_pairs": "2", "most_pairs": "6", "threshold": "10", "least_raters": "1"}
    form = {"study": site.world.study.id, "challenger": version.id, "policy": "approve", **figures}
    place = admin.post(f"{HOME}/new", data=form).headers["location"]
    with site.world.parts.store.read() as tx:
        test = tx.ab_tests.get(place.rpartition("/")[2])
    judge_pairs(site.world, test, 3)
    assert "which is you, so somebody else has to approve it" in admin.get(place).text
    refused = admin.post(f"{place}/approve", data={"confirmation": test.prompt_key})
    assert refused.status_code == 403
    assert "Another admin has to approve this" in refused.text
    assert live(site.world).id == test.champion


def test_a_winner_is_declined_with_a_note(site: Site, admin: TestClient) -> None:
    test = won(site, "manual")
    assert admin.post(f"{HOME}/{test.id}/decline", data={"note": "Not now."}).status_code == 303
    assert "Declined" in admin.get(f"{HOME}/{test.id}").text
    assert admin.post(f"{HOME}/{test.id}/decline").status_code == 409
    with site.world.parts.store.read() as tx:
        assert [event.note for event in tx.events.all(action="abtest.declined")] == ["Not now."]


def test_raters_and_other_projects_see_no_test(site: Site, admin: TestClient) -> None:
    test = opened(site.world)
    rater, stranger = site.signed_in("rater"), member_of(site, another_project(site))
    for path in (HOME, f"{HOME}/new", f"{HOME}/{test.id}"):
        assert rater.get(path).status_code == 403
    assert stranger.get(f"{HOME}/{test.id}").status_code == 404
    assert test.id not in stranger.get(HOME).text
    assert abtests.one_test(site.world.parts, site.world.admin, test.id).test.design == QUICK
