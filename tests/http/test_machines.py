import re
from base64 import b64encode

import pytest
from fastapi.testclient import TestClient

from tests.http.test_sign_in import PAGE
from tests.site import Site

FORM = {"grant_type": "client_credentials"}


def make(admin: TestClient, *scopes: str, **more: object) -> dict[str, str]:
    body = {"name": "enhancer", "scopes": list(scopes or ("prompts:read",)), **more}
    answer = admin.post("/api/v1/keys", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()
    return made


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}"}


def pulls(site: Site, proof: str) -> int:
    bearer = {"Authorization": f"Bearer {proof}"}
    return site.visitor().get("/prompts/current.json", headers=bearer).status_code


def test_a_key_is_made_used_and_revoked_by_the_page(site: Site) -> None:
    admin = site.signed_in("admin")
    form = {"name": "enhancer <1>", "scopes": ["prompts:read", "feedback:write"], "environment": "staging", "days": 90}
    made = admin.post("/admin/keys", data=form)
    found = re.search(r'value="(palate_[A-Za-z0-9_-]{43})"', made.text)
    assert found is not None
    assert "http://palate.test/prompts/current.json" in made.text
    assert pulls(site, found[1]) == 200
    listed = admin.get("/admin/keys").text
    assert found[1] not in listed
    for words in ("enhancer &lt;1&gt;", "staging", "in force", "until 2026-05-30", "2026-03-01 09:00"):
        assert words in listed
    (key,) = admin.get("/api/v1/keys").json()
    assert admin.post(f"/admin/keys/{key['id']}/revoke").status_code == 303
    assert pulls(site, found[1]) == 401
    assert "revoked" in admin.get("/admin/keys").text


def test_a_key_that_makes_no_sense_is_told_on_the_page_and_nothing_typed_is_lost(site: Site) -> None:
    admin = site.signed_in("admin")
    answer = admin.post("/admin/keys", data={"name": "enhancer", "environment": "Pro Duction"}, headers=PAGE)
    assert answer.status_code == 422
    assert "A key needs one scope or more" in answer.text
    assert 'value="enhancer"' in answer.text
    assert admin.post("/admin/keys", data={"name": "x", "scopes": "everything"}).status_code == 422


def test_keys_by_the_rest_interface(site: Site) -> None:
    admin = site.signed_in("admin", "boss@example.org")
    made = make(admin, "feedback:write", environment="staging", expires_at="2026-04-01T00:00:00Z")
    assert re.fullmatch(r"palate_[A-Za-z0-9_-]{43}", made["key"])
    (listed,) = admin.get("/api/v1/keys").json()
    assert "key" not in listed
    assert {name: listed[name] for name in ("id", "owner", "owner_left", "scopes", "environment", "used_at")} == {
        "id": made["id"],
        "owner": "boss@example.org",
        "owner_left": False,
        "scopes": ["feedback:write"],
        "environment": "staging",
        "used_at": None,
    }
    assert pulls(site, made["key"]) == 403
    for _ in range(2):
        assert admin.delete(f"/api/v1/keys/{made['id']}").status_code == 204
    assert pulls(site, made["key"]) == 401
    assert admin.delete("/api/v1/keys/nothing").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x"},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["everything"]},
        {"name": "", "scopes": ["prompts:read"]},
        {"name": "x", "scopes": ["prompts:read"], "environment": "A B"},
        {"name": "x", "scopes": ["prompts:read"], "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "x", "scopes": ["prompts:read"], "expires_at": "9999-12-31T23:59:59-12:00"},
        {"name": "x", "scopes": ["prompts:read"], "expires_at": "2026-04-01T00:00:00"},
        {"name": "x", "scopes": ["prompts:read"], "id": "mine"},
    ],
)
def test_a_key_of_another_form_is_refused(site: Site, body: dict[str, object]) -> None:
    assert site.signed_in("admin").post("/api/v1/keys", json=body).status_code == 422


@pytest.mark.parametrize("by", ["form", "basic"])
def test_a_key_is_exchanged_for_a_token(site: Site, by: str) -> None:
    made = make(site.signed_in("admin"), "prompts:read", "feedback:write")
    visitor = site.visitor()
    if by == "form":
        answer = visitor.post("/token", data={**FORM, "client_id": made["id"], "client_secret": made["key"]})
    else:
        answer = visitor.post("/token", data={**FORM, "scope": "prompts:read"}, headers=basic(made["id"], made["key"]))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    body = answer.json()
    token = body.pop("access_token")
    scope = "prompts:read feedback:write" if by == "form" else "prompts:read"
    assert body == {"token_type": "Bearer", "expires_in": 900, "scope": scope}
    assert pulls(site, token) == 200
    site.world.clock.advance(minutes=15)
    assert pulls(site, token) == 401


def test_refusals_of_tokens_are_those_of_the_standard(site: Site) -> None:
    made = make(site.signed_in("admin"))
    mine = {"client_id": made["id"], "client_secret": made["key"]}
    refusals = {
        "invalid_request": mine,
        "unsupported_grant_type": {**mine, "grant_type": "password"},
        "invalid_scope": {**FORM, **mine, "scope": "feedback:write"},
        "invalid_client": {**FORM, **mine, "client_secret": "palate_guess"},
    }
    for code, form in refusals.items():
        answer = site.visitor().post("/token", data=form)
        assert (answer.status_code, answer.json()["error"]) == (401 if code == "invalid_client" else 400, code)
        assert made["key"] not in answer.text
        assert answer.headers["cache-control"] == "no-store"
    for headers in (basic(made["id"], "x"), {"Authorization": "Basic é"}, {"Authorization": "Basic /w=="}):
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        answer = site.visitor().post("/token", data=FORM, headers=raw)  # type: ignore[arg-type]
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="palate"')


def test_guessing_at_a_key_is_throttled(site: Site) -> None:
    made = make(site.signed_in("admin"))
    form = {**FORM, "client_id": made["id"]}
    for _ in range(5):
        assert site.visitor().post("/token", data={**form, "client_secret": "palate_guess"}).status_code == 401
    answer = site.visitor().post("/token", data={**form, "client_secret": made["key"]})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    assert pulls(site, made["key"]) == 200


def test_a_machine_is_no_person(site: Site) -> None:
    made = make(site.signed_in("admin"), "prompts:read", "feedback:write")
    client = site.visitor()
    client.headers["Authorization"] = f"Bearer {made['key']}"
    for path in ("/account", "/admin/keys", "/api/v1/keys", "/api/v1/sessions", "/api/v1/session", "/api/train/next"):
        assert client.get(path).status_code == 403, path
    assert client.post("/sign-out").status_code == 303
    assert client.post("/api/v1/password", json={"new": "zufriedener Hund am See"}).status_code == 403


def test_a_refusal_says_how_to_prove_who_one_is(site: Site) -> None:
    answer = site.visitor().get("/prompts/current.json")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
