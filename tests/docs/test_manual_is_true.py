"""What the manual says of names, values and states is what the program has."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aion_assets.cli import build_app
from aion_assets.core.records import Outcome, QuarantineReason
from aion_assets.core.settings import Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
LANGUAGES = ("pt", "en")
CHAPTERS = sorted(path.name for path in (DOCS / "pt").glob("*.md"))
EMPTY = {"pt": "vazio", "en": "empty"}
# What may follow `aion` in the manual: verbs with their sub-verbs.
COMMANDS = {
    "source add", "source list", "source show", "source set", "source pause", "source remove", "run", "curate list",
    "curate approve", "curate reject", "release list", "release diff", "release rollback",
    "ask", "search", "why", "bench retrieval", "bench answers", "doctor", "model-server",
    "correction list", "correction approve", "correction reject",
    "golden import", "golden freeze", "golden list", "golden label", "export events", "export sft",
    "train start", "train status", "train cancel", "train resume",
    "train plan", "train work",
}  # fmt: skip
_FENCE = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_ROW = re.compile(r"^\| `?([^|`]+?)`? \|", re.MULTILINE)
_OPTION = re.compile(r"(?<!\S)--?[a-z][a-z-]*")


def read(lang: str, name: str) -> str:
    return (DOCS / lang / name).read_text(encoding="utf-8")


def code(text: str) -> Iterator[str]:
    """Every listing line and every piece of inline code."""
    for listing in _FENCE.findall(text):
        yield from listing.splitlines()
    yield from _CODE.findall(_FENCE.sub("", text))


def invocations(text: str) -> Iterator[tuple[str, set[str]]]:
    """(command, options) of every use of `aion`."""
    for line in code(text):
        match = re.match(
            r"(?:\.venv/bin/)?aion ((?:source|curate|correction|export|bench|release|golden|train) \w+|[\w-]+)(.*)",
            line,
        )
        if match:
            yield match[1], set(_OPTION.findall(re.sub(r'"[^"]*"', "", match[2])))


def variables(text: str) -> set[str]:
    return set(re.findall(r"\bAION_[A-Z_]+[A-Z]\b|\b(?<!_)(?:DATABASE_URL|LOG_LEVEL)\b", text))


def variable_names() -> dict[str, set[str]]:
    """The names that the environment may give each field of Settings."""
    names: dict[str, set[str]] = {}
    for field, info in Settings.model_fields.items():
        alias = info.validation_alias
        choices = getattr(alias, "choices", [alias] if alias else [f"AION_{field.upper()}"])
        names[field] = {str(choice) for choice in choices}
    return names


def section_values(text: str, heading: str) -> list[str]:
    """First column of the table below that heading, without its header row."""
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return _ROW.findall(section)[1:]


def test_both_languages_have_the_same_chapters() -> None:
    assert sorted(path.name for path in (DOCS / "en").glob("*.md")) == CHAPTERS
    assert len(CHAPTERS) > 10


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_says_the_same_in_both_languages(name: str) -> None:
    def shape(text: str) -> list[str]:
        marks = re.findall(r"^(#+|```|\||- |\d+\.)(?=\s|$)", _FENCE.sub("```", text), re.MULTILINE)
        return [mark for mark in marks if mark != "|"] if name == "17-glossary.md" else marks

    pt, en = read("pt", name), read("en", name)
    assert shape(pt) == shape(en)
    assert sorted(invocations(pt), key=str) == sorted(invocations(en), key=str)
    assert variables(pt) == variables(en)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_settings_table_lists_exactly_the_settings_with_their_defaults(lang: str) -> None:
    rows = [line.strip("| ").split(" | ") for line in read(lang, "11-settings-table.md").splitlines()[4:]]
    chief = {field: next(n for n in names if n.startswith("AION_")) for field, names in variable_names().items()}
    defaults = {}
    for field, info in Settings.model_fields.items():
        empty = info.default in ("", ())
        defaults[chief[field]] = EMPTY[lang] if empty else str(info.default)
    assert {row[0]: row[1] for row in rows} == defaults
    assert len(rows) == len(defaults)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", CHAPTERS)
def test_every_variable_that_the_manual_names_is_a_setting(lang: str, name: str) -> None:
    assert variables(read(lang, name)) <= set().union(*variable_names().values())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_values_in_the_examples_are_accepted(lang: str, tmp_path: Path) -> None:
    for name in CHAPTERS:
        listings = "\n".join(_FENCE.findall(read(lang, name)))
        for variable, value in re.findall(r"^(AION_[A-Z_]+)=(\S+)$", listings, re.MULTILINE):
            example = tmp_path / "env"
            example.write_text(f"{variable}={value}\n")
            field = next(field for field, names in variable_names().items() if variable in names)
            assert field in Settings(_env_file=example).model_fields_set


@pytest.mark.parametrize("lang", LANGUAGES)
def test_outcomes_and_quarantine_reasons_are_all_explained(lang: str) -> None:
    outcomes = {"pt": "Resultados possíveis de um endereço", "en": "Possible outcomes of an address"}
    reasons = {"pt": "O que é a quarentena", "en": "What quarantine is"}
    assert section_values(read(lang, "04-crawling.md"), outcomes[lang]) == list(Outcome)
    assert section_values(read(lang, "05-file-types.md"), reasons[lang]) == list(QuarantineReason)


def test_the_manual_shows_every_command_and_no_other() -> None:
    shown = {command for name in CHAPTERS for command, _ in invocations(read("en", name))}
    assert shown == COMMANDS


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_program_has_the_command_with_the_options_that_the_manual_shows(command: str) -> None:
    told = CliRunner().invoke(build_app(), [*command.split(), "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert told.exit_code == 0, told.output
    shown = set().union(
        *(options for name in CHAPTERS for found, options in invocations(read("en", name)) if found == command)
    )
    assert shown <= set(_OPTION.findall(told.stdout))


def test_make_targets_in_the_manual_are_those_of_the_makefile() -> None:
    makefile = DOCS.parent / "Makefile"
    if not makefile.is_file():
        pytest.skip("there is no Makefile")
    targets = set(re.findall(r"^([a-z-]+):", makefile.read_text(), re.MULTILINE))
    named = {line.split()[1] for name in CHAPTERS for line in code(read("en", name)) if line.startswith("make ")}
    assert named <= targets
