"""The settings that both programs share: how they are served."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from bff.serving.environment import Environment, is_production, variable_of
from bff.serving.faulty import Faulty
from bff.serving.hosts import host_name
from bff.serving.type_faults import advice_of

WorkerKind = Literal["gevent", "threads"]
"""How a worker process serves many connections at once."""

DRAIN_SECONDS: Final = 2.0
PORTS: Final = range(1, 65536)
_HOST: Final = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+")
_PORT: Final = re.compile("[0-9]{1,5}")
_OTHER_BIND: Final = re.compile(r":[0-9]{1,5}|unix:\S+|fd://[0-9]+")


class FaultySettings(Faulty):
    """Invalid settings. ``faults`` has a line for each variable, with what to write instead."""


class Trimmed(EnvSettingsSource):
    """The environment without white space around the values; a blank variable counts as not set.

    Secrets made by ``echo`` end in a newline, and Compose sets ``${NAME:-}`` to nothing.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value of a setting, its key, and whether it is JSON."""
        value, key, is_json = super().get_field_value(field, field_name)
        return (value.strip() or None if isinstance(value, str) else value), key, is_json


class TrimmedSettings(BaseSettings):
    """Base class of all settings: they come from arguments and the ``Trimmed`` environment."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Name the sources, the first one that has a value counts."""
        return init_settings, Trimmed(settings_cls)


Kind = TypeVar("Kind", bound=TrimmedSettings)


def load(
    kind: type[Kind],
    given: Mapping[str, Any],
    faults: Iterable[str] = (),
    more_faults: Callable[[Mapping[str, str]], Iterable[str]] = lambda _: (),
) -> Kind:
    """Make settings from ``given`` (values by name) and the environment.

    ``faults``: those that were found before. ``more_faults`` takes every setting as text, valid or not, and
    "" if it is not set; of a variable that is faulty already it reports nothing more. Raises
    ``FaultySettings`` with all of them.
    """
    found = list(faults)
    try:
        settings: Kind | None = kind(**given)
    except ValidationError as error:
        settings = None
        found += [fault_line(kind, fault) for fault in error.errors()]
    reported = {fault.partition(":")[0] for fault in found}
    found += [fault for fault in more_faults(_texts(kind, given)) if fault.partition(":")[0] not in reported]
    if settings is None or found:
        raise FaultySettings(found)
    return settings


def fault_line(kind: type[TrimmedSettings], fault: Any) -> str:
    """An item of pydantic's ``ValidationError.errors()`` as a line with the name of the variable."""
    setting = str(fault["loc"][0])
    variable = _variable(kind, setting)
    if fault["type"] == "missing":
        return f"{variable}: is not set. {kind.model_fields[setting].description}"
    return f"{variable}: {advice_of(fault)}"


def _texts(kind: type[TrimmedSettings], given: Mapping[str, Any]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name in kind.model_fields:
        value = given[name] if name in given else variable_of(_variable(kind, name))
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        texts[name] = "" if value is None else str(value)
    return texts


def _variable(kind: type[TrimmedSettings], setting: str) -> str:
    return f"{kind.model_config['env_prefix']}{setting.upper()}"


def _limits_url(value: SecretStr | None) -> SecretStr | None:
    if value is None:
        return None
    text = value.get_secret_value()
    if text in {"memory://", "database://"}:
        return value
    if not text.startswith(("redis://", "rediss://", "redis+unix://")):
        raise ValueError("write memory://, database:// or redis://HOST:PORT")
    if find_spec("redis") is None:
        raise ValueError("Redis needs the extra: pip install 'hitchpost[redis]'")
    return value


def _sqlite_url(value: str) -> str:
    file = value.removeprefix("sqlite:///").partition("?")[0]
    # A database in memory is another one in each process and each connection, and empty at each start.
    if not file.strip() or ":memory:" in file or "mode=memory" in value:
        raise ValueError("names no file; write sqlite:////FOLDER/FILE.db")
    return value


def _database_url(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql+psycopg://", "postgresql://")):
        raise ValueError("write sqlite:////FOLDER/FILE.db or postgresql+psycopg://USER@HOST/NAME")
    if value.startswith("sqlite:"):
        return _sqlite_url(value)
    if find_spec("psycopg") is None:
        raise ValueError("PostgreSQL needs the extra: pip install 'hitchpost[postgresql]'")
    try:
        urlsplit(value).port  # noqa: B018  # the property raises ValueError
    except ValueError:
        raise ValueError("write the port as a number") from None
    return value.replace("postgresql://", "postgresql+psycopg://", 1)


def _address(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not _HOST.fullmatch(host) or not _PORT.fullmatch(port) or int(port) not in PORTS:
        raise ValueError(
            f"write an address and a port, such as 127.0.0.1:8001, [::1]:8001, or 0.0.0.0:8001 for every"
            f" network; not {value!r}"
        )
    return value


def _bind(value: str) -> str:
    # What gunicorn takes besides.
    return value if _OTHER_BIND.fullmatch(value) else _address(value)


Address = Annotated[str, AfterValidator(_address)]
Bind = Annotated[str, AfterValidator(_bind)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]


def _hosts(value: str) -> str:
    for item in filter(None, (part.strip() for part in value.split(","))):
        if host_name(item) is None:
            raise ValueError(
                f"{item!r} is no host; write names such as connect.example.com, with commas between"
            )
    return value


class ServedSettings(TrimmedSettings):
    """Base class of a program's settings. Each program adds its own settings and its prefix."""

    public_url: str
    environment: Environment | None = Field(
        default=None,
        description="`production` refuses what is fit for a developer's machine only; `development` takes it."
        " When unset: production if the public URL is https.",
    )
    trusted_hosts: Annotated[str, AfterValidator(_hosts)] = Field(
        default="",
        description="More hosts that requests may name, comma-separated, besides the public URL's and that of"
        " the address that it listens on. Any other is refused.",
    )
    proxy_hops: int = Field(
        default=0,
        ge=0,
        le=5,
        description="Proxies in front that set X-Forwarded-For and X-Forwarded-Proto. With 0 these headers"
        " mean nothing.",
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="One JSON object a line, or lines for people."
    )
    metrics_bind: Address | None = Field(
        default=None,
        description="Address and another port where `GET /metrics` is answered (Prometheus), such as"
        " 127.0.0.1:9101. Off when unset; it has no authentication, so keep it on loopback.",
    )
    drain_seconds: float | None = Field(
        default=None,
        ge=0,
        le=120,
        description="Seconds between becoming unready and stopping, on SIGTERM. When unset: 2 in production,"
        " else 0.",
    )
    worker: WorkerKind = Field(
        default="gevent",
        description="`gevent`: each worker serves its connections in turn, and a slow client costs a little"
        " memory. `threads`: each request has a thread to itself, and a slow one keeps it; put a proxy in"
        " front that reads whole requests.",
    )
    connections: int = Field(
        default=10_000,
        ge=100,
        le=100_000,
        description="Connections that each worker holds at most; fewer where fewer files may be open.",
    )
    threads: int = Field(default=32, ge=1, le=512, description="Threads of each worker process of threads.")
    workers: int = Field(default=1, ge=1, le=64, description="Worker processes.")
    limits_url: Annotated[SecretStr | None, AfterValidator(_limits_url)] = Field(
        default=None,
        description="Where calls are counted: `memory://` (each worker by itself), `database://`, or"
        " `redis://HOST:PORT` (with the extra `redis`). Unset: the memory with one worker on SQLite, else the"
        " database.",
    )

    @field_validator("bind", check_fields=False)
    @classmethod
    def _has_a_port_of_its_own(cls, bind: str, info: ValidationInfo) -> str:
        metrics = info.data.get("metrics_bind")
        # A request is for the metrics by the port that it came to.
        if metrics and bind.rpartition(":")[2] == metrics.rpartition(":")[2]:
            other = _variable(cls, "metrics_bind")
            raise ValueError(f"{bind!r} has the same port as {other}, {metrics!r}; give each its own")
        return bind

    @property
    def is_production(self) -> bool:
        """Whether the rules of production apply."""
        return is_production(self.environment, self.public_url)

    @property
    def seconds_to_drain(self) -> float:
        """Seconds between becoming unready and stopping."""
        if self.drain_seconds is None:
            return DRAIN_SECONDS if self.is_production else 0.0
        return self.drain_seconds
