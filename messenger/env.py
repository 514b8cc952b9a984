"""The environment, read once and strictly.

Each setting is declared where it is read (settings.py), with its default and its meaning; the declarations
are kept, so that `.env.example`, the README and `manage.py settings_list` can be checked against them. A
name that begins with QUARTER_ and was not declared is refused: a typing error would else mean a silent
default.

Any value can come from a file instead: NAME_FILE=/run/secrets/name (for container secrets).
"""

import difflib
import os
import warnings
from dataclasses import dataclass
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

PREFIX = "QUARTER_"


@dataclass(frozen=True)
class Declared:
    """One setting: its name in the environment, its default as text, and what it means."""

    name: str
    default: str
    meaning: str


class Environment:
    """Typed access to the process environment that remembers what was asked for."""

    def __init__(self) -> None:
        self._env = environ.Env()
        self._env.ENVIRON = FileAwareMapping(cache=False)
        self.declared: dict[str, Declared] = {}

    def text(self, name: str, default: str, meaning: str) -> str:
        """The value as it stands; an empty one counts as not given."""
        self._declare(name, default, meaning)
        return self._given(name) or default

    def number(self, name: str, default: int, meaning: str) -> int:
        """A whole number, not negative."""
        value = self._whole(name, default, meaning)
        if value < 0:
            raise ImproperlyConfigured(f"{name} must be a whole number, 0 or more.")
        return value

    def positive(self, name: str, default: int, meaning: str) -> int:
        """A whole number above zero."""
        value = self._whole(name, default, meaning)
        if value < 1:
            raise ImproperlyConfigured(f"{name} must be a whole number above 0.")
        return value

    def switch(self, name: str, default: bool, meaning: str) -> bool:
        """true or false (also 1/0, yes/no, on/off)."""
        value = self.text(name, "true" if default else "false", meaning).lower()
        if value in ("true", "1", "yes", "on"):
            return True
        if value in ("false", "0", "no", "off"):
            return False
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")

    def words(self, name: str, default: list[str], meaning: str) -> list[str]:
        """A comma-separated list; blanks around the items don't count."""
        value = self.text(name, ",".join(default), meaning)
        return [word.strip() for word in value.split(",") if word.strip()]

    def choice(self, name: str, default: str, choices: tuple[str, ...], meaning: str) -> str:
        """One of `choices`."""
        value = self.text(name, default, meaning)
        if value not in choices:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
        return value

    def database(self, name: str, default: str, meaning: str) -> dict[str, Any]:
        """A database URL as Django's settings for it."""
        url = self.text(name, default, meaning)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where it returns {}; we raise
            config: dict[str, Any] = self._env.db_url_config(url) if "://" in url else {}
        if config.get("ENGINE") not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
            raise ImproperlyConfigured(f"{name} must begin with sqlite:/// or postgres://.")
        return config

    def is_given(self, name: str) -> bool:
        """Whether the environment has a value for this (declared) name."""
        return bool(self._given(name))

    def refuse_unknown(self) -> None:
        """Raise ImproperlyConfigured where the environment holds a QUARTER_ name that nobody declared."""
        known = self.declared.keys() | {f"{name}_FILE" for name in self.declared}
        unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
        if unknown:
            raise ImproperlyConfigured("\n".join(self._unknown_line(name) for name in unknown))

    def _declare(self, name: str, default: object, meaning: str) -> None:
        self.declared[name] = Declared(name, str(default), meaning)

    def _given(self, name: str) -> str:
        # Not self._env(name), which would follow a leading `$`; a secret key may begin with one.
        try:
            return str(self._env.ENVIRON.get(name, "")).strip()
        except OSError as error:
            raise ImproperlyConfigured(f"The file that {name}_FILE names can't be read.") from error

    def _whole(self, name: str, default: int, meaning: str) -> int:
        self._declare(name, default, meaning)
        try:
            return int(self._given(name) or default)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} must be a whole number.") from error

    def _unknown_line(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.declared, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return (
            f"Unknown setting {name} in the environment.{hint} (`manage.py settings_list` shows all of them.)"
        )
