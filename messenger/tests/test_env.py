"""The environment, read strictly."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from messenger.env import Environment


@pytest.fixture
def env() -> Environment:
    return Environment()


def test_an_unknown_setting_is_refused_with_the_name_that_was_meant(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    env.positive("QUARTER_SWEEP_SECONDS", 15, "how often")
    monkeypatch.setenv("QUARTER_SWEP_SECONDS", "3")
    with pytest.raises(ImproperlyConfigured, match=r"QUARTER_SWEP_SECONDS.*mean QUARTER_SWEEP_SECONDS\?"):
        env.refuse_unknown()


def test_known_settings_and_those_of_others_are_not_refused(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    env.text("QUARTER_THING", "", "a thing")
    monkeypatch.setenv("QUARTER_THING_FILE", "/somewhere")
    monkeypatch.setenv("OTHER_THING", "1")
    env.refuse_unknown()


def test_an_empty_value_counts_as_not_given(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QUARTER_A", "QUARTER_B", "QUARTER_C"):
        monkeypatch.setenv(name, " ")
    assert env.text("QUARTER_A", "default", "") == "default"
    assert env.positive("QUARTER_B", 7, "") == 7
    assert env.words("QUARTER_C", ["x", "y"], "") == ["x", "y"]
    assert not env.is_given("QUARTER_A")


def test_a_value_may_come_from_a_file(
    env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("$ecret\n")
    monkeypatch.setenv("QUARTER_KEY_FILE", str(tmp_path / "key"))
    assert env.text("QUARTER_KEY", "", "") == "$ecret"
    assert env.is_given("QUARTER_KEY")


def test_a_missing_file_is_said_so(env: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QUARTER_KEY_FILE", str(tmp_path / "nothing"))
    with pytest.raises(ImproperlyConfigured, match="QUARTER_KEY_FILE"):
        env.text("QUARTER_KEY", "", "")


@pytest.mark.parametrize("value", ["many", "1.5", "-1", "0", "1e3", "0x10"])
def test_a_number_must_be_one(env: Environment, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("QUARTER_N", value)
    with pytest.raises(ImproperlyConfigured, match="QUARTER_N must be a whole number"):
        env.positive("QUARTER_N", 1, "")


def test_none_is_a_number_where_it_may_be(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTER_N", "0")
    assert env.number("QUARTER_N", 3, "") == 0
    monkeypatch.setenv("QUARTER_N", "-1")
    with pytest.raises(ImproperlyConfigured, match="0 or more"):
        env.number("QUARTER_N", 3, "")


@pytest.mark.parametrize(
    ("value", "on"), [("true", True), ("On", True), ("1", True), ("no", False), ("0", False)]
)
def test_a_switch_is_on_or_off(
    env: Environment, monkeypatch: pytest.MonkeyPatch, value: str, on: bool
) -> None:
    monkeypatch.setenv("QUARTER_ON", value)
    assert env.switch("QUARTER_ON", not on, "") is on


def test_anything_else_is_no_switch(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTER_ON", "maybe")
    with pytest.raises(ImproperlyConfigured, match="true or false"):
        env.switch("QUARTER_ON", False, "")


def test_a_choice_is_one_of_its_words(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTER_ENV", "prodution")
    with pytest.raises(ImproperlyConfigured, match="development, production"):
        env.choice("QUARTER_ENV", "development", ("development", "production"), "")


def test_databases_are_sqlite_or_postgresql(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.database("D_ONE", "sqlite:////var/q.sqlite3", "")["NAME"] == "/var/q.sqlite3"
    there = env.database("D_TWO", "postgres://me:pw@host:5433/quarter", "")
    assert (there["ENGINE"], there["HOST"], there["PORT"]) == ("django.db.backends.postgresql", "host", 5433)
    for url in ("mysql://host/name", "quarter", "nonsense://x"):
        monkeypatch.setenv("D_THREE", url)
        with pytest.raises(ImproperlyConfigured, match="D_THREE"):
            env.database("D_THREE", "", "")


def test_each_setting_is_kept_with_its_default_and_meaning(env: Environment) -> None:
    env.positive("QUARTER_N", 3, "how many")
    assert env.declared["QUARTER_N"].default == "3"
    assert env.declared["QUARTER_N"].meaning == "how many"
