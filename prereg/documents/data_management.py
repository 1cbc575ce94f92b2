"""What a study stores about its raters, where, how long and for whom; for an ethics board."""

from __future__ import annotations

from prereg.documents.material import Material
from prereg.documents.prose import bullets, code, counted, inline, listed, table
from prereg.kinds.registry import kind_of
from prereg.plan.judging import LLMJudge
from prereg.plan.model import Plan

MISSING = (
    "**Missing.** The plan does not say it: write `data_management: {{{key}: ...}}` into plan.yaml "
    "before the lock."
)
_TOLD = {
    "responsible": "Responsible for the data",
    "contact": "Contact for raters and the board",
    "where": "Where the data are kept",
    "kept_until": "Kept until",
    "shared_with": "Shared with",
}


def missing_keys(plan: Plan) -> list[str]:
    """Return the keys of `data_management` that the plan leaves open."""
    return [name for name in _TOLD if getattr(plan.data_management, name) is None]


def data_management(material: Material) -> str:
    """Return the page on data management as Markdown, without its title."""
    plan = material.plan
    parts = [
        "## Who answers for the data, and how long they are kept",
        table(("question", "answer"), [(name, _told(plan, key)) for key, name in _TOLD.items()]),
        _open(plan),
        "## What is stored about a rater",
        "The study runs on a server of the researchers' own (Ratify). No part of it runs at a "
        "third party, and no page loads anything from another host. It stores:",
        table(("what", "why"), _stored(plan)),
        "It does not ask for a name or an e-mail address, unless a rater writes one into a text "
        "field."
        if _texts(plan)
        else "It asks for no name and no e-mail address, and has no field for free text.",
        "Who does not consent, or finds the study full or paused, leaves nothing in the store. Who "
        "fails the comprehension question or stops early stays in it, with what was answered "
        "until then, unless they withdraw.",
        "## What is not stored",
        bullets(_not_stored()),
        "## Cookies",
        "One cookie, which the study needs to recognise a visit: signed, not readable by scripts, "
        "sent to this server only, for at most 30 days. It holds the participant number, the ids "
        "of the recruitment platform, the number of the visit, which version of the consent text "
        "was shown, and when the trial on the screen came there. There is no cookie for "
        "statistics or advertising. The researchers' own sign-in to the dashboard is kept in the "
        "same cookie, in their browsers.",
        "## Network addresses",
        "Ratify writes no network address into its store or its log. To limit how often one "
        "address may arrive, it counts addresses in memory, for a minute or an hour. If several "
        "processes share a PostgreSQL database, the count is kept there under a keyed hash that "
        "changes with "
        "each minute or hour and is deleted afterwards. Two settings outside Ratify can undo "
        "this: the access log of a web server in front of it, and a Redis that holds the counts. "
        "The guide to deployment turns the first off and advises against the second.",
        "## Who sees what",
        bullets(_who(plan)),
        "## Pseudonyms",
        "The tables hold the participant numbers as the recruitment platform gave them, or, if the "
        "researchers export with pseudonyms, a random number for each rater (such as `r417`). The "
        "list of who is who is then a file of its own that only the owner of the study folder can "
        "read. A pseudonym says nothing about the number, the order of arrival or the answers, and "
        "is deleted when the rater withdraws. Platform ids are left out of tables with pseudonyms.",
        "## Withdrawal",
        "A link on every page, and a private link that the rater is shown and can keep, delete the "
        "visit at once: the answers, the survey, the times, the participant number and the "
        "pseudonym. Only the day on which somebody withdrew is kept, without a time and without "
        "saying who. A rater who has lost the link can write to the researchers, who can delete "
        "the visit by its number. A withdrawal does not reach copies: backups, and tables that "
        "were exported before. They have to be made again.",
        "The store is emptied of deleted rows: in SQLite at once, or as soon as nobody reads "
        "it; PostgreSQL keeps deleted rows in its files until it vacuums.",
        "## Language models",
        _models(plan),
        "## Protection",
        bullets(
            [
                "The SQLite store, its log and the keys can be read by their owner only. With "
                "PostgreSQL, the database's own rights decide.",
                "The completion codes, the keys that sign cookies and links, and the passwords are "
                "never sent to raters who have no right to them; a password is kept as a hash.",
                "Whether the connection is encrypted (TLS) and whether backups are is decided by "
                "whoever runs the server.",
            ]
        ),
    ]
    return "\n\n".join(part for part in parts if part)


def _told(plan: Plan, key: str) -> str:
    value = getattr(plan.data_management, key)
    return MISSING.format(key=key) if value is None else inline(value)


def _open(plan: Plan) -> str:
    gone = missing_keys(plan)
    if not gone:
        return ""
    verb = "answer" if len(gone) == 1 else "answers"
    return (
        f"{counted(len(gone), verb, verb)} above {'is' if len(gone) == 1 else 'are'} missing "
        f"({listed(gone)}). No program can know them, and a board will ask for them."
    )


def _texts(plan: Plan) -> list[str]:
    """Return the places where a rater can write own words."""
    found = [
        f"the end survey's {question.id}" for question in plan.survey if question.kind == "text"
    ]
    return [*found, *["the field for an explanation"] * plan.design.ask_why]


def _stored(plan: Plan) -> list[tuple[str, str]]:
    answers = "the rating" if plan.design.apart else kind_of(plan).words.stored
    rows = [
        (
            "the participant number that the link holds, or one that the study makes",
            "to give everybody one place only, and to pay",
        ),
        (
            "the ids of the study and the submission, if the link of the recruitment platform "
            "holds them",
            "to match visits with the platform's list",
        ),
        ("when consent was given, and when the visit was finished", "to show consent"),
        (
            f"for each trial {answers}, when it was shown and answered, how long that took, and "
            f"for "
            "how long the page was hidden meanwhile",
            "the study's data, and a check of how carefully it was answered",
        ),
        ("the sequence of the visit, and how far it has come", "so that it can be continued"),
    ]
    if plan.attention_checks:
        rows.append(("whether each attention check was passed", "for the exclusions"))
    if plan.comprehension is not None:
        rows.append(
            ("how often the comprehension question was answered", "to screen out after too many")
        )
    if plan.practice:
        rows.append(
            ("how many practice trials were seen; not what was chosen", "to go on after a reload")
        )
    if plan.design.ask_why:
        rows.append(
            ("an explanation in the rater's own words, if one is given", "the study's data")
        )
    if plan.survey:
        asked = "; ".join(inline(question.question) for question in plan.survey)
        rows.append((f"answers to the end survey: {asked}", "to describe the sample"))
    rows.append(("the key of the private link", "so that the rater can delete the visit"))
    return rows


def _not_stored() -> list[str]:
    return [
        "Network addresses; see below for how they are counted.",
        "The browser, the device, the language of the device, or the page the rater came from.",
        "Mouse movements or keys.",
        "What was chosen in practice trials.",
    ]


def _who(plan: Plan) -> list[str]:
    said = [
        "The researchers with the password of the dashboard: how many raters are where, "
        "participant numbers, times, and the tables for download.",
        "Whoever can read the study folder or the database: everything that is stored.",
        "Raters: only their own visit.",
    ]
    if plan.recruitment.platform == "prolific":
        said.append(
            "Prolific learns that a person took part, from the completion code that they bring "
            "back, "
            "and how it ended. It gets no answers."
        )
    else:
        said.append(
            "The recruitment platform, if there is one, learns from the completion code how a "
            "visit ended. It gets no answers."
        )
    return said


def _models(plan: Plan) -> str:
    llms = [judge for judge in plan.judges if isinstance(judge, LLMJudge)]
    if not llms:
        return "No text of the study is sent to a language model."
    servers = "; ".join(
        f"{code(judge.model)} at {code(judge.base_url)} (judge {code(judge.id)})" for judge in llms
    )
    what = "pairs of texts" if kind_of(plan).compares else "texts"
    return (
        f"The texts of the items, with their prompts and the study's question, are sent as {what} "
        f"to "
        f"{servers}. Nothing about raters is sent: no answer, no number, no survey. If the texts "
        "themselves tell about people, those people's words reach that server, under the terms of "
        "its operator. The replies are kept in the store. The key of the server is in the "
        "environment of the program and is not stored."
    )
