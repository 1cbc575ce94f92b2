"""Read and check prompts from YAML files: those that come with Ratify, and a researcher's own."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from prereg.errors import RatifyError
from prereg.fault_words import shown_value, words_of
from prereg.strict import Identifier, Strict, Text
from prereg.yaml_file import read_mapping
from study.judges.prompts.prompt import PLACEHOLDER, Dimension, Prompt, PromptTask
from study.judges.prompts.questions import sealed

Whole = Annotated[int, Field(strict=True)]
Noun = Annotated[str, StringConstraints(pattern=r"^[^\W\d_][\w-]*( [\w-]+){0,3}$", max_length=32)]

# The placeholders that each task's user text must have, each once.
PLACES: dict[PromptTask, tuple[str, ...]] = {
    "pairwise": ("question", "texts", "answer"),
    "best_worst": ("question", "texts", "answer"),
    "rating": ("scales", "text", "answer"),
}

LONGEST_NAME = 60  # together with a scale's id, it fits into the store's column

# Treatment and outcome: if one judge errs on both at once, that would look like an effect.
NEVER_TOGETHER = {"empathy", "attachment"}


class DimensionFile(Strict):
    """One dimension of a rubric: every point of its scale is defined."""

    title: Text
    definition: Text
    min: Whole
    max: Whole
    levels: dict[Whole, Text]
    examples: dict[Whole, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _every_level(self) -> Self:
        if not 1 <= self.max - self.min <= 20:
            raise ValueError("max must lie 1 to 20 points above min")
        points = set(range(self.min, self.max + 1))
        for name, given in (("levels", self.levels), ("examples", self.examples)):
            if not set(given) <= points:
                beyond = min(set(given) - points)
                raise ValueError(f"{name} has {beyond}, but the scale is {self.min} to {self.max}")
        if set(self.levels) != points:
            raise ValueError(
                f"levels must define every point; {min(points - set(self.levels))} is missing"
            )
        return self


class PromptFile(Strict):
    """The content of a prompt's file.

    `system` and `user` are the two messages. Ratify adds the rule about marker lines, and fills in
    the placeholders of `user`. A rating prompt without dimensions asks the plan's own scales. Only
    a prompt with `ties: offered` serves a plan that offers ties: its words must allow that neither
    text is chosen.
    """

    schema_version: Literal[1] = Field(alias="schema")
    task: PromptTask
    version: Annotated[int, Field(strict=True, ge=1)]
    noun: Noun = "text"
    context: Literal["shown", "hidden"] = "shown"
    ties: Literal["offered", "refused"] = "refused"
    system: Text
    user: Text
    dimensions: dict[Identifier, DimensionFile] = Field(default_factory=dict)


def load_prompt(name: str, folder: Path) -> Prompt:
    """Read a prompt.

    Parameters
    ----------
    name : str
        A prompt that comes with Ratify (`pairwise`), or a file of the study folder
        (`prompts/mine.yaml`).
    folder : Path
        The study folder.

    Raises
    ------
    RatifyError
        When there is no prompt of that name, or it breaks a rule for prompts.
    """
    if name in packaged_prompts():
        return _packaged(name)
    if not name.endswith((".yaml", ".yml")):
        raise RatifyError("there is no such prompt", value=name, allowed=_allowed_names())
    path = _inside(name, Path(folder))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise RatifyError("no such prompt", file=path, allowed=_allowed_names()) from error
    except UnicodeDecodeError as error:
        raise RatifyError("is not text in UTF-8", file=path) from error
    except OSError as error:
        raise RatifyError(f"cannot be read: {error.strerror}", file=path) from error
    return parse_prompt(text, name=name, file=path)


@lru_cache(maxsize=1)
def packaged_prompts() -> tuple[str, ...]:
    """Return the names of the prompts that come with Ratify."""
    files = (resources.files("study.judges") / "prompts").iterdir()
    return tuple(sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml")))


def parse_prompt(text: str, *, name: str, file: Path | str) -> Prompt:
    """Check a prompt's YAML.

    Parameters
    ----------
    text : str
        YAML.
    name : str
        Name of the prompt.
    file : path
        The file that errors name.

    Raises
    ------
    RatifyError
        At the first fault: the key, the bad value, what is allowed.
    """
    content = read_mapping(text, file=file, what="prompt")
    try:
        prompt = PromptFile.model_validate(content)
    except ValidationError as error:
        raise _first_fault(error, file) from error
    _check_dimensions(prompt, file)
    _check_places(prompt, file)
    if prompt.ties == "offered" and prompt.task != "pairwise":
        raise RatifyError(
            "only a pairwise prompt offers ties",
            file=file,
            column="ties",
            value=prompt.task,
            allowed="task: pairwise",
        )
    rubric = {
        key: Dimension(
            d.title,
            d.definition,
            d.min,
            d.max,
            dict(sorted(d.levels.items())),
            dict(sorted(d.examples.items())),
        )
        for key, d in prompt.dimensions.items()
    }
    return sealed(
        Prompt(
            name,
            prompt.task,
            prompt.version,
            "",
            prompt.system,
            prompt.user,
            prompt.noun,
            prompt.context == "shown",
            rubric,
            ties=prompt.ties == "offered",
        )
    )


@lru_cache(maxsize=64)
def _packaged(name: str) -> Prompt:
    text = (resources.files("study.judges") / "prompts" / f"{name}.yaml").read_text("utf-8")
    return parse_prompt(text, name=name, file=f"{name}.yaml")


def _allowed_names() -> str:
    return ", ".join(packaged_prompts()) + ", or a file of the study folder: prompts/mine.yaml"


def _inside(name: str, folder: Path) -> Path:
    """Return the path of a file of the study folder; no link may lead outside of it."""
    path = folder / name
    outside = PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts
    if outside or "\\" in name or ":" in name or not name.isprintable() or len(name) > LONGEST_NAME:
        inside = False
    else:
        inside = path.resolve().is_relative_to(folder.resolve())
    if not inside:
        raise RatifyError(
            "a prompt must be inside the study folder",
            value=name,
            allowed=f"a path such as prompts/mine.yaml, of {LONGEST_NAME} characters at most",
        )
    return path


def _check_dimensions(prompt: PromptFile, file: Path | str) -> None:
    """Refuse dimensions in a comparison, and dimensions that must not share one request."""
    if prompt.dimensions and prompt.task != "rating":
        raise RatifyError(
            "only a rating has dimensions",
            file=file,
            column="dimensions",
            value=prompt.task,
            allowed="task: rating",
        )
    if set(prompt.dimensions) >= NEVER_TOGETHER:
        raise RatifyError(
            "treatment and outcome are never asked in one request",
            file=file,
            column="dimensions",
            value=", ".join(sorted(NEVER_TOGETHER)),
            allowed="a file for each",
        )


def _check_places(prompt: PromptFile, file: Path | str) -> None:
    """Refuse a text that lacks a placeholder, repeats one, or has one that Ratify does not fill."""
    needed = PLACES[prompt.task]
    # a plan's own scale comes with the plan's own question
    known = (*needed, "question") if prompt.task == "rating" and not prompt.dimensions else needed
    allowed = ", ".join(f"{{{name}}}" for name in known)
    for found in PLACEHOLDER.finditer(prompt.system):
        raise RatifyError(
            "placeholders belong in the user text",
            file=file,
            column="system",
            value=found[0],
            allowed="none here",
        )
    written = PLACEHOLDER.findall(prompt.user)
    for name in written:
        if name not in known:
            raise RatifyError(
                "unknown placeholder",
                file=file,
                column="user",
                value=f"{{{name}}}",
                allowed=allowed,
            )
        if written.count(name) > 1:
            raise RatifyError(
                "a placeholder occurs more than once",
                file=file,
                column="user",
                value=f"{{{name}}}",
                allowed=f"{allowed}, each once",
            )
    for name in needed:
        if name not in written:
            raise RatifyError(
                f"lacks the placeholder {{{name}}}",
                file=file,
                column="user",
                allowed=f"{allowed}, each once",
            )


def _first_fault(error: ValidationError, file: Path | str) -> RatifyError:
    """Return the first fault of a prompt as one line."""
    faults = error.errors(include_url=False)
    # a misspelt key also leaves its field missing; the spelling is what the reader must correct
    fault = next((f for f in faults if f["type"] == "extra_forbidden"), faults[0])
    key = ".".join(str(part) for part in fault["loc"] if part != "[key]") or "prompt"
    if fault["type"] == "extra_forbidden":
        model = DimensionFile if len(fault["loc"]) > 1 else PromptFile
        keys = ", ".join(field.alias or name for name, field in model.model_fields.items())
        return RatifyError("unknown key", file=file, column=key, allowed=keys)
    problem, allowed = words_of(fault)
    return RatifyError(problem, file=file, column=key, value=shown_value(fault), allowed=allowed)
