import stat
from pathlib import Path

import pytest

from ml_service.errors import InvalidRequest
from web.domain.models.usage import Price
from web.settings import Settings, load_settings
from web.settings.key import signing_key

NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def set_all(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_defaults_need_no_environment() -> None:
    settings = load_settings()
    assert settings.database_url == "sqlite:///data/palate.db"
    assert (settings.port, settings.enable_training_mode, settings.training_admin_emails) == (8000, True, ())


def test_the_database_follows_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_all(monkeypatch, DATA_DIR=str(tmp_path / "here"), DATABASE_URL="")
    assert load_settings().database_url == f"sqlite:///{tmp_path}/here/palate.db"


def test_a_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9000\nTRAINING_ADMIN_EMAILS=A@b.org, c@d.org,\nUNRELATED=1\n")
    assert load_settings().training_admin_emails == ("a@b.org", "c@d.org")
    assert load_settings().port == 9000
    monkeypatch.setenv("PORT", "9001")
    assert load_settings().port == 9001


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"PORT": "eighty"}, "PORT: "),
        ({"PORT": "70000"}, "PORT: "),
        ({"ENABLE_TRAINING_MODE": "perhaps"}, "ENABLE_TRAINING_MODE: "),
        ({"DATABASE_URL": "mysql://here"}, "DATABASE_URL: It must start with"),
        ({"ML_SERVICE_URL": "ml.example.org", "ML_SERVICE_TOKEN": "t"}, "ML_SERVICE_URL: It must be an address"),
        ({"ML_SERVICE_URL": "https://ml.example.org"}, "ML_SERVICE_TOKEN: it is missing"),
        ({"PLUGINS": "my_rules,../rules.py"}, "PLUGINS: It must be names of modules"),
        ({"PLUGINS": ".rules"}, "PLUGINS: It must be names of modules"),
        ({"TRAINING_ADMIN_EMAILS": "a@b.org,nobody"}, "TRAINING_ADMIN_EMAILS: “nobody” is not"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY: "),
        ({"PUBLIC_URL": "palate.example.org"}, "PUBLIC_URL: It must be an address like https://"),
        ({"PUBLIC_URL": "https://palate.example.org:port"}, "PUBLIC_URL: It must be an address like https://"),
        ({"PUBLIC_URL": "https://me:word@palate.example.org"}, "PUBLIC_URL: It must be an address like https://"),
        ({"PUBLIC_URL": "https://palate.example.org/?a=1"}, "PUBLIC_URL: It must be an address like https://"),
        ({"PUBLIC_URL": "https://palate.example.org/a//b"}, "PUBLIC_URL: It must be an address like https://"),
        ({"PUBLIC_URL": "https://palate.example.org/../b"}, "PUBLIC_URL: It must be an address like https://"),
        ({"ALLOWED_HOSTS": "https://palate.example.org"}, "ALLOWED_HOSTS: It must be names of hosts without a port"),
        ({"ALLOWED_HOSTS": "palate.example.org:8000"}, "ALLOWED_HOSTS: It must be names of hosts without a port"),
        ({"FORWARDED_ALLOW_IPS": "proxy"}, "FORWARDED_ALLOW_IPS: It must be addresses or networks"),
        ({"TEXT_MODEL_BASE_URL": "somewhere"}, "TEXT_MODEL_BASE_URL: It must be one of openai, gemini, mistral"),
        ({"TEXT_MODEL_BASE_URL": "https://user:word@llm.example.org"}, "TEXT_MODEL_BASE_URL: It must be one of"),
        ({"TEXT_MODEL_PRICE": "0.4"}, "TEXT_MODEL_PRICE: It must be two prices"),
        ({"TEXT_MODEL_PRICE": "nan,1"}, "TEXT_MODEL_PRICE: It must be two prices"),
        ({"TEXT_MODEL_PRICE": "-1,1"}, "TEXT_MODEL_PRICE: It must be two prices"),
        ({"TEXT_MODEL_BUDGET": "-1"}, "TEXT_MODEL_BUDGET: "),
        ({"TEXT_MODEL_BUDGET": "inf"}, "TEXT_MODEL_BUDGET: "),
        ({"OPENAI_API_KEY": "sk-two words"}, "OPENAI_API_KEY: It has spaces"),
        ({"TEXT_MODEL": "gpt-4.1"}, "OPENAI_API_KEY: it is missing, and the text model at https://api.openai.com"),
        ({"TEXT_MODEL_BASE_URL": "ollama"}, "TEXT_MODEL: it is missing"),
        ({"OPENAI_API_KEY": "k", "TEXT_MODEL": "gpt-99"}, "TEXT_MODEL_PRICE: it is missing, and what gpt-99 costs"),
        ({"TEXT_MODEL_BASE_URL": "http://here/v1", "TEXT_MODEL": "gpt-4.1"}, "TEXT_MODEL_PRICE: it is missing"),
    ],
)
def test_a_bad_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], said: str) -> None:
    set_all(monkeypatch, **given)
    with pytest.raises(InvalidRequest) as refused:
        load_settings()
    assert said in str(refused.value)


def test_plugins_are_listed_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, PLUGINS=" my_rules.brands,others ,, my_rules.brands")
    assert load_settings().plugins == ("my_rules.brands", "others")


def test_faults_of_several_groups_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, ML_SERVICE_URL="https://ml.example.org", TEXT_MODEL_BASE_URL="ollama")
    with pytest.raises(InvalidRequest) as refused:
        load_settings()
    assert [line.split(":")[0] for line in str(refused.value).splitlines()[1:]] == [
        "- ML_SERVICE_TOKEN",
        "- TEXT_MODEL",
    ]


@pytest.mark.parametrize(
    ("given", "said", "price", "keyed"),
    [
        ({"OPENAI_API_KEY": "k"}, "gpt-5.4-mini at https://api.openai.com/v1", Price(0.75, 4.5), True),
        (
            {"OPENAI_API_KEY": "k", "TEXT_MODEL": "gpt-4.1-mini-2025-04-14"},
            "gpt-4.1-mini-2025-04-14 at https://api.openai.com/v1",
            Price(0.4, 1.6),
            True,
        ),
        (
            {"OPENAI_API_KEY": "k", "TEXT_MODEL_BASE_URL": "mistral", "TEXT_MODEL_PRICE": "1, 2.5"},
            "mistral-small-latest at https://api.mistral.ai/v1",
            Price(1, 2.5),
            True,
        ),
        (
            {"OPENAI_API_KEY": "k", "TEXT_MODEL_BASE_URL": "ollama", "TEXT_MODEL": "llama"},
            "llama at http://localhost:11434/v1",
            Price(0, 0),
            False,
        ),
        (
            {"TEXT_MODEL_BASE_URL": "http://here:80/v1/", "TEXT_MODEL": "m", "TEXT_MODEL_PRICE": "0,0"},
            "m at http://here:80/v1",
            Price(0, 0),
            False,
        ),
    ],
)
def test_a_text_model_is_chosen(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], said: str, price: Price, *, keyed: bool
) -> None:
    set_all(monkeypatch, **given)
    choice = load_settings().text_model_choice
    assert choice is not None
    assert (str(choice), choice.price, choice.keyed) == (said, price, keyed)


def test_without_a_key_or_a_model_of_ones_own_there_is_no_text_model() -> None:
    assert load_settings().text_model_choice is None


def test_every_fault_is_named_at_once_and_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, PORT="x", SECRET_KEY="hunter2", DATABASE_URL="mysql://user:hunter2@here/db")
    with pytest.raises(InvalidRequest) as refused:
        load_settings()
    assert len(str(refused.value).splitlines()) == 4
    assert "hunter2" not in str(refused.value)


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, OPENAI_API_KEY="hunter2", DATABASE_URL="postgresql://user:hunter2@here/db")
    assert "hunter2" not in repr(load_settings())


def test_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path / "new")
    key = signing_key(settings)
    assert len(key) >= 32
    assert signing_key(settings) == key
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret_key"]
    assert stat.S_IMODE((tmp_path / "new" / "secret_key").stat().st_mode) == 0o600


def test_a_given_key_is_used_and_none_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_all(monkeypatch, SECRET_KEY="k" * 32, DATA_DIR=str(tmp_path / "new"))
    assert signing_key(load_settings()) == b"k" * 32
    assert not (tmp_path / "new").exists()


def test_the_example_file_names_every_setting_and_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    example = Path(__file__).parents[2] / ".env.example"
    lines = [line for line in example.read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(line.partition("=")[0] for line in lines) == sorted(NAMES)
    assert load_settings(str(example)) == load_settings(None)


@pytest.mark.parametrize(
    ("given", "public", "origin", "base"),
    [
        ("https://Palate.Example.org/", "https://palate.example.org", "https://palate.example.org", ""),
        ("http://palate.test:80/a/b/", "http://palate.test/a/b", "http://palate.test", "/a/b"),
        ("https://palate.test:8443", "https://palate.test:8443", "https://palate.test:8443", ""),
        ("http://[::1]:8000/Palate", "http://[::1]:8000/Palate", "http://[::1]:8000", "/Palate"),
    ],
)
def test_the_public_address_is_as_browsers_write_it(given: str, public: str, origin: str, base: str) -> None:
    settings = Settings(_env_file=None, public_url=given)
    assert (settings.public_url, settings.origin, settings.base) == (public, origin, base)


def test_hosts_are_all_or_those_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().hosts == ("*",)
    set_all(monkeypatch, PUBLIC_URL="https://palate.test:8443/a", ALLOWED_HOSTS="Palate.internal, *.example.org,")
    known = ("localhost", "127.0.0.1", "[::1]", "palate.internal", "*.example.org", "palate.test")
    assert load_settings().hosts == known


def test_proxies_are_those_of_this_machine_or_those_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().forwarded_allow_ips == ("127.0.0.1", "::1")
    set_all(monkeypatch, FORWARDED_ALLOW_IPS="10.0.0.0/8, 192.168.1.7/24,::1")
    assert load_settings().forwarded_allow_ips == ("10.0.0.0/8", "192.168.1.0/24", "::1")
    set_all(monkeypatch, FORWARDED_ALLOW_IPS="10.0.0.0/8,*")
    assert load_settings().forwarded_allow_ips == ("*",)
