"""Each setting's way from the environment; what rests on disk in development."""

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from kombu import Connection

from messenger import keyfile, limits, redis
from messenger.env import Environment


def test_the_development_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: keyfile.read_or_make(tmp_path), range(32)))
    assert len(keys) == 1
    assert len(keys.pop()) == 86
    assert stat.S_IMODE((tmp_path / keyfile.NAME).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [keyfile.NAME]


def test_every_limit_has_its_name_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, each in enumerate(fields(limits.Limits), start=1):
        monkeypatch.setenv(f"QUARTER_LIMIT_{each.name.upper()}", str(number))
    read = limits.read(Environment())
    assert [getattr(read, each.name) for each in fields(read)] == list(range(1, len(fields(read)) + 1))


def test_limits_can_not_be_changed_by_accident() -> None:
    with pytest.raises(FrozenInstanceError):
        settings.LIMITS.sessions = 3  # type: ignore[misc]


def test_the_limits_are_those_of_the_design() -> None:
    chosen = limits.Limits()
    assert (chosen.frame_bytes, chosen.text_bytes, chosen.http_body_bytes) == (32768, 16384, 262144)
    assert (chosen.posts_burst, chosen.posts_per_second, chosen.volatile_per_second) == (60, 5, 4)
    assert (chosen.sessions, chosen.requests, chosen.session_items) == (20, 10, 2000)
    assert (chosen.window_items, chosen.window_bytes, chosen.stalled_seconds) == (64, 262144, 30)
    assert (chosen.sockets_per_address, chosen.identities_per_minute) == (60, 10)


def test_a_socket_is_spelled_as_each_reader_wants_it() -> None:
    assert redis.broker_url("redis://host:6379/2") == "redis://host:6379/2"
    assert redis.broker_url("rediss://host/0") == "rediss://host/0"
    assert redis.broker_url("unix:///run/v.sock") == "redis+socket:///run/v.sock?virtual_host=0"
    assert redis.broker_url("unix:///run/v.sock?db=3") == "redis+socket:///run/v.sock?virtual_host=3"
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        redis.check_url("valkey+unix:///run/v.sock")


def test_celery_reaches_the_same_server(redis_url: str) -> None:
    with Connection(redis.broker_url(redis_url)) as connection:
        connection.connect()
        assert connection.connected


def test_celery_sends_one_task_every_few_seconds_and_keeps_no_results() -> None:
    from messenger.celery import app

    assert isinstance(app, Celery)
    assert [(each["task"], each["schedule"]) for each in app.conf.beat_schedule.values()] == [
        ("chat.tasks.sweep", float(settings.SWEEP_SECONDS))
    ]
    assert app.conf.result_backend is None
    assert app.conf.broker_connection_retry_on_startup
    assert app.conf.broker_transport_options["visibility_timeout"] <= 60


def test_settings_list_names_every_setting_and_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("settings_list")
    shown = capsys.readouterr().out
    assert all(f"{name}=" in shown for name in settings.ENV.declared)
    assert settings.SECRET_KEY not in shown
    assert "QUARTER_HINT_URLS=\n" in shown  # not what REDIS_URL was given, a password in it
