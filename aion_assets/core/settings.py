"""The one settings class: everything the environment can change, with its default and what it means."""

from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from aion_assets.core.errors import SettingsError
from aion_assets.core.setting_values import Action, Network, read_action, zone_of_machine

_DATABASES = ("postgresql", "postgres", "postgresql+psycopg2", "sqlite")
_DAGSTER_DATABASES = ("postgresql", "postgres")
# Read without the prefix, too.
_BARE_NAMES = frozenset({"DATABASE_URL", "LOG_LEVEL", "GPU_WORKERS"})
# Their values may hold a password.
_SECRET = frozenset({"DATABASE_URL", "DAGSTER_DB", "LOCAL_LLM_KEY", "WORKER_TOKEN", "ALARM_WEBHOOK"})


class Settings(BaseSettings):
    """Read from `AION_*` variables and a `.env` file in the working directory. Secrets are never printed."""

    model_config = SettingsConfigDict(
        env_prefix="AION_", env_file=".env", extra="ignore", frozen=True, populate_by_name=True
    )

    # Where things are
    home: Path = Field(Path(".aion"), description="Folder that holds everything AION writes.")
    database_url: str = Field(
        "",
        validation_alias=AliasChoices("AION_DATABASE_URL", "DATABASE_URL"),
        description="SQLAlchemy URL of AION's own database; empty means SQLite inside the home.",
    )
    lake: str = Field(
        "",
        validation_alias=AliasChoices("AION_LAKE_URI"),
        description="Folder or object store (s3://bucket/folder, gs://, az://) for the Lance tables; empty means a "
        "folder in the home.",
    )
    dagster_db: str = Field("", description="PostgreSQL URL for Dagster's storage; empty means SQLite inside the home.")
    timezone: str = Field(
        "",
        description="Zone of days, schedules and shown times, such as America/Sao_Paulo; empty means the machine's.",
    )
    tenant_id: str = Field("default", description="Stamped on every record; one organisation per installation.")

    # Servers
    host: str = Field("127.0.0.1", description="Address the AION server listens on.")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Names, separated by commas, by which the server may be asked besides localhost and AION_HOST."
    )
    port: int = Field(8000, ge=1, le=65535, description="Port of the AION server.")
    dagster_port: int = Field(3000, ge=1, le=65535, description="Port of the Dagster UI; it listens on loopback only.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", validation_alias=AliasChoices("AION_LOG_LEVEL", "LOG_LEVEL")
    )

    # Fetching
    allow_private_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="CIDR list of non-public networks that may be fetched from; empty means none."
    )
    private_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Hosts that may be in these networks, by name; empty means each that was there when it was named.",
    )
    user_agent: str = Field("AION/1.0 (+self-hosted knowledge assistant)", description="Sent with every fetch.")
    crawl_delay_s: float = Field(0.25, ge=0, description="Pause between two requests to one public host, in seconds.")
    crawl_concurrency: int = Field(8, ge=1, le=64, description="Simultaneous requests to one host.")
    crawl_timeout_s: float = Field(30.0, gt=0, description="Time limit of one request, in seconds.")
    max_fetch_bytes: int = Field(20_000_000, ge=1_000, description="Largest page or file taken, after decompression.")

    # What may be handed in
    max_sources: int = Field(500, ge=1, description="Most sources; a removed one does not count.")
    max_uploads: int = Field(20_000, ge=1, description="Most files in one source of uploads.")
    max_upload_bytes: int = Field(10_000_000_000, ge=1_000, description="Most bytes of all files in one of them.")
    max_links: int = Field(5_000, ge=1, description="Most links in one of them.")

    # Parsing
    parse_timeout_s: float = Field(60.0, gt=0, description="Time limit of one document, in seconds.")
    parse_memory_bytes: int = Field(2_000_000_000, ge=100_000_000, description="Memory limit of the parser process.")

    # Index and answers
    embed_model: str = Field("", description="all-MiniLM-L6-v2, hub id or folder; empty means multilingual E5.")
    tau_confidence: float = Field(0.62, ge=0, le=1, description="Answers need at least this calibrated confidence.")
    swap_share: float = Field(
        0.03,
        ge=0,
        le=0.3,
        description="Share of answers with two neighbouring sources swapped, so clicks can be weighed.",
    )
    interleave_share: float = Field(
        0.1, ge=0, le=1, description="Share of answers with sources of the ranker before, while readers decide."
    )
    actions: Annotated[tuple[Action, ...], NoDecode] = Field(
        (), description="Links offered below every answer: Open a ticket: https://help.example.org; Call us: /phone."
    )

    # A model of one's own
    base_model: str = Field(
        "", description="Hub id, folder or .gguf file of the model that writes answers; empty means quotes only."
    )
    load_in_4bit: bool = Field(False, description="Load the base model in 4 bits (NF4).")
    adapter_dir: str = Field(
        "",
        description="Adapter that the model server loads, or the folder of several; empty means adapters in the home.",
    )
    max_passages: int = Field(8, ge=1, le=8, description="Most passages that the model is given with a question.")
    lora_rank: int = Field(16, ge=1, le=256, description="Rank of an adapter that is trained.")
    lora_alpha: int = Field(32, ge=1, le=1024, description="Scale of an adapter that is trained.")
    lora_learning_rate: float = Field(2e-4, gt=0, le=1, description="How fast an adapter is trained.")
    lora_epochs: int = Field(1, ge=1, le=100, description="How often the training goes over its rows.")
    lora_max_tokens: int = Field(1024, ge=64, le=32_768, description="Longer rows are not trained on.")
    lora_batch_tokens: int = Field(
        2048, ge=64, le=1_000_000, description="Tokens that are trained on at once; with fewer, less memory is needed."
    )
    training_store: str = Field(
        "",
        description="Folder or object store (s3://bucket/folder, gs://) through which another machine trains the "
        "model; empty means this one.",
    )
    machine_price_per_hour: float = Field(
        0.0, ge=0, description="Price of an hour of this machine, for the plan of a training; 0 means none is shown."
    )
    learn_most_cases: int = Field(
        120, ge=10, le=5_000, description="Most questions by which a trained generator is measured."
    )
    learn_min_cases: int = Field(30, ge=1, description="With fewer questions a trained generator is not judged.")
    local_llm_url: str = Field("", description="OpenAI-compatible server that writes answers instead.")
    local_llm_model: str = Field("", description="Name of the model there; empty means the first that it lists.")
    local_llm_key: str = Field("", repr=False, description="Key for that server; empty means none.")
    gpu_workers: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=AliasChoices("AION_GPU_WORKERS", "GPU_WORKERS"),
        description="Addresses of model servers on other machines, asked in turn where the own model fails.",
    )
    model_host: str = Field("127.0.0.1", description="Address the model server listens on.")
    model_port: int = Field(8008, ge=1, le=65535, description="Port of the model server.")
    worker_token: str = Field("", repr=False, description="What callers of the model server must send; empty: nothing.")
    system_prompt: str = Field("", description="Put before the rules that every answer follows.")
    max_new_tokens: int = Field(512, ge=16, le=8192, description="Longest answer of the model, in tokens.")
    temperature: float = Field(0.5, ge=0, le=2, description="How freely the model chooses words; 0: the likeliest.")
    top_p: float = Field(0.9, gt=0, le=1, description="Words are drawn from the likeliest of this probability.")
    answer_timeout_s: float = Field(60.0, gt=0, description="Time limit of the model's answer; quotes follow.")
    unsupported: Literal["drop", "mark"] = Field(
        "drop", description="What becomes of a sentence that no passage supports: drop or mark."
    )

    @field_validator("gpu_workers", mode="before")
    @classmethod
    def _read_workers(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = tuple(item.strip().rstrip("/") for item in value.split(",") if item.strip())
        if any(not item.startswith(("http://", "https://")) for item in found):
            raise ValueError("each address must begin with http:// or https://")
        return found

    @field_validator("local_llm_url", "alarm_webhook")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("it must begin with http:// or https://")
        return value.rstrip("/")

    # Learning
    tau_fallback: float = Field(0.18, ge=0, le=1, description="A fallback rate above it starts a learner.")
    tau_ndcg: float = Field(0.82, ge=0, le=1, description="An nDCG@10 on the golden questions below it does, too.")
    tau_bad: float = Field(0.3, ge=0, le=1, description="More bad judgements on written answers start the generator.")
    learn_min_judged: int = Field(20, ge=1, description="With fewer judgements on written answers they are noise.")
    learn_every_s: int = Field(3_600, ge=30, description="Pause between two looks at the quality, in seconds.")
    learn_pause_s: int = Field(21_600, ge=0, description="Rest after a training run, in seconds.")
    learn_min_answers: int = Field(50, ge=1, description="With fewer answers in two days the fallback rate is noise.")
    learn_min_golden: int = Field(30, ge=1, description="With fewer golden test questions nothing is judged.")
    # An answer is worth giving when it is right with more than 1 − fallback / wrong: these make 0.62 of it.
    cost_fallback: float = Field(0.38, ge=0, description="What a question costs that AION does not answer itself.")
    cost_wrong: float = Field(1.0, ge=0, description="What a wrong answer costs, in the same unit.")
    export_days: int = Field(30, ge=0, description="So long the daily exports are kept; 0: none are written.")
    alarm_webhook: str = Field("", repr=False, description="Address that is told of alarms; empty: none is.")
    retriever_adapter_mode: Literal["auto", "query", "full"] = Field(
        "auto",
        description="What an adapter of the embedding model works on: query (questions only), full (passages, too), or "
        "auto (questions, and passages once two such adapters gained nothing).",
    )
    learn_clicks: Literal["judge", "trust", "leave_out"] = Field(
        "judge",
        description="Clicks that do not follow what is written block what learned from them (judge), do not (trust), "
        "or no click is learned from (leave_out).",
    )
    learn_automatically: bool = Field(True, description="Off: learners start only when a person starts them.")

    @field_validator("allow_private_networks", mode="before")
    @classmethod
    def _read_networks(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(ip_network(item.strip(), strict=False) for item in value.split(",") if item.strip())
        return value

    @field_validator("allowed_hosts", "private_hosts", mode="before")
    @classmethod
    def _read_hosts(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        return value

    @field_validator("actions", mode="before")
    @classmethod
    def _read_actions(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(read_action(item) for item in value.split(";") if item.strip())

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("database_url", "dagster_db")
    @classmethod
    def _names_a_database(cls, value: str, info: ValidationInfo) -> str:
        schemes = _DATABASES if info.field_name == "database_url" else _DAGSTER_DATABASES
        scheme, found, _ = value.partition("://")
        if value and not (found and scheme in schemes):
            raise ValueError(f"it must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value or "UTC")
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no time zone has this name; write one such as America/Sao_Paulo or UTC") from None
        return value

    @field_validator("home")
    @classmethod
    def _absolute_home(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone) if self.timezone else zone_of_machine()

    @property
    def llm_url(self) -> str:
        """Address of the server that writes answers; "" where answers are quotes."""
        own = f"http://127.0.0.1:{self.model_port}" if self.base_model else ""
        return self.local_llm_url or own

    @cached_property
    def lake_uri(self) -> str:
        if "://" in self.lake:
            return self.lake.rstrip("/")
        return str(Path(self.lake).expanduser().resolve() if self.lake else self.home / "lake")

    @cached_property
    def sqlalchemy_url(self) -> str:
        if not self.database_url:
            return f"sqlite:///{self.home / 'aion.sqlite'}"
        # SQLAlchemy before 2.1 reads postgresql:// as psycopg2. Naming the driver keeps that after an upgrade.
        scheme, _, rest = self.database_url.partition("://")
        return f"postgresql+psycopg2://{rest}" if scheme in ("postgres", "postgresql") else self.database_url


def load_settings() -> Settings:
    """Settings from the environment.

    Raises SettingsError: it names the variable, what is wrong with its value, and the remedy.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]).upper().removeprefix("AION_")
        value = "a value that cannot be used" if name in _SECRET else f"value {first.get('input')!r}"
        where = f"Mend it, or {name}, in" if name in _BARE_NAMES else "Mend it in"
        raise SettingsError(
            f"AION_{name} has {value}: {first['msg'].removeprefix('Value error, ')}.",
            f"{where} the environment or in .env.",
        ) from None
