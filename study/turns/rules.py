"""The rules for code and instructions, as a table: each has a name, a pattern and examples.

Patterns are in RE2's syntax, whose matching takes time proportional to the text. The examples are
tested, and `docs/turns.md` has the same table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Kind = Literal["code", "instruction"]


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes
    ----------
    name : str
    kind : str
        `code` or `instruction`.
    by_user_only : bool
        Whether only what users write is looked at, or replies too.
    means : str
        What it finds, in words.
    pattern : str
    examples, others : tuple of str
        Texts that it finds, and similar ones that it leaves alone.
    """

    name: str
    kind: Kind
    by_user_only: bool
    means: str
    pattern: str
    examples: tuple[str, ...]
    others: tuple[str, ...]


_LANGUAGES = (
    r"python|java|javascript|typescript|java ?script|php|golang|kotlin|perl|"
    r"matlab|bash|powershell|vba|sql|html|css|lua|scala|fortran|arduino|verilog|latex"
)
_PROGRAMS = (
    r"code|coding|script|function|program|algorithm|class|method|loop|array|variable|compiler|"
    r"library|package|module|syntax|query|database|server|framework|app|api|command|macro"
)
_OPENING = (
    r"(?:(?:hi|hello|hey|ok|okay|now|then|so|and|also|next|again|first|great|perfect|thanks|"
    r"thank you|yes|no)\b[ ,.!:]*)*"
    r"(?:(?:please|pls|kindly|just)\b[ ,]*)*"
    r"(?:(?:can|could|would|will) (?:you|u)\b[ ,]*|i(?:'d| would)? (?:want|need|like) you to\b ?|"
    r"help me (?:to )?)?"
    r"(?:(?:please|kindly|also|just)\b ?)*"
)
_TASKS = (
    r"write|re-?write|rephrase|reword|paraphrase|translate|summari[sz]e|proofread|edit|correct|"
    r"shorten|lengthen|generate|create|compose|draft|design|list|outline|convert|calculate|compute|"
    r"solve|classify|categori[sz]e|extract|format|transcribe|fill in|complete the|"
    r"continue (?:the|this|writing|with)|answer the (?:following|questions?)|"
    r"make (?:it|this|them) (?:more|less|shorter|longer|better|sound|into)|"
    r"make (?:me )?an? [^\n.?!]{0,40}(?:list|table|summary|story|poem|outline|quiz|script|title)|"
    r"(?:give|provide|show)(?: me)? (?:\d+|an? (?:list|table|example|summary|outline|title)|"
    r"some examples|examples|titles|names|synonyms|keywords)"
)

RULES: tuple[Rule, ...] = (
    Rule(
        "code_block",
        "code",
        False,
        "a fenced block (three backticks or tildes at the beginning of a line)",
        r"(?m)^[ \t]*(?:```|~~~)",
        ("Look at this:\n```\nx = 1\n```", "  ```js\nalert(1)"),
        ("She said `no` to me again.", "It cost ~~ten~~ twelve."),
    ),
    Rule(
        "code_lines",
        "code",
        False,
        "two lines in a row that end with a semicolon or a brace",
        r"(?m)[;{}][ \t]*\r?\n[^\n]*[;{}][ \t]*\r?$",
        ("int a = 1;\nint b = 2;", "if (late) {\n  leave();"),
        ("I was tired;\nbut I stayed up anyway.", "So far, so good; we shall see."),
    ),
    Rule(
        "code_statement",
        "code",
        False,
        "a line that begins as a statement of a programming language does",
        r"(?m)^[ \t]*(?:def \w+\(|class \w+ ?[({:]|import [\w.]+(?: as \w+)?[ \t]*;?\r?$|"
        r"from [\w.]+ import |#include ?[<\"]|using \w+(?:\.\w+)*;|"
        r"(?:public|private|protected) (?:static |final )*(?:class|void|int|string|bool)\b|"
        r"(?:async )?function \w*\(|(?:const|let|var) \w+ ?=|SELECT [^\n]+ FROM |"
        r"(?:sudo|pip|npm|git|docker) (?:install|apt|run|clone|commit|push|pull|build)\b|#!/)",
        ("def hello(name):", "  import numpy as np", "SELECT name FROM people", "const a = 3"),
        ("Import taxes went up.", "Let me think about it.", "I selected one from the menu."),
    ),
    Rule(
        "code_markup",
        "code",
        False,
        "tags of HTML or XML, or environments of LaTeX",
        r"(?i)</(?:a|body|button|div|form|head|html|li|p|script|span|style|svg|table|td|tr|ul)>|"
        r"<!doctype|<\?(?:php|xml)|\\(?:begin|documentclass|usepackage)\{",
        ("<p>Hi</p>", "\\begin{equation}"),
        ("I love you <3 and </or not", "He began {slowly}."),
    ),
    Rule(
        "code_error",
        "code",
        False,
        "an error message or a stack trace of a program",
        r"Traceback \(most recent call last\)|(?m:^\s*at [\w$.<>]+\([^)\n]*:\d+\))|"
        r"\b[A-Z]\w+(?:Error|Exception)\b|"
        r"(?i)\b(?:segmentation fault|stack ?trace|undefined reference|compilation error)\b",
        ("It says ValueError again", "    at app.main(App.java:12)", "I get a stack trace"),
        ("My error was to trust him.", "With one exception, nobody came."),
    ),
    Rule(
        "code_language",
        "code",
        True,
        "a programming language near a word such as code, function or script; or a name that "
        "only programmers use",
        rf"(?i)\b(?:{_LANGUAGES})\b[^\n]{{0,60}}\b(?:{_PROGRAMS})s?\b|"
        rf"\b(?:{_PROGRAMS})s?\b[^\n]{{0,60}}\b(?:{_LANGUAGES})\b|\bin python\b|"
        r"\bc\+\+|\bc#|\b(?:javascript|typescript|mysql|postgresql|mongodb|numpy|pytorch|"
        r"tensorflow|django|flutter|reactjs|react\.js|node\.?js|dockerfile|kubernetes|github|"
        r"regex|stack ?overflow|visual studio|pinescript)\b",
        ("How do I sort a list in Python?", "my C++ homework", "a function for that in java"),
        ("We flew to Java last summer.", "A python is a snake.", "Is the dress code strict?"),
    ),
    Rule(
        "code_asked",
        "code",
        True,
        "a request about a program: to write, fix, explain or run code",
        r"(?i)\b(?:write|fix|debug|refactor|optimi[sz]e|compile|implement|run|explain|improve|"
        r"convert|complete|check)\b[^\n.?!]{0,40}\b(?:the|this|my|a|some|your|following|source|"
        r"python|java)? ?(?:code|source code|script to|algorithm|sql|unit tests?|excel formula|"
        r"macro|pseudo-?code|shader|web ?page|website|api)\b",
        ("please fix my code", "Write a script to rename files", "explain this algorithm"),
        ("I write to you because I am sad.", "We run together every morning."),
    ),
    Rule(
        "instruction_task",
        "instruction",
        True,
        "a line that begins with an order for a text or a result: write, translate, summarise, "
        "list, continue and the like, after please, can you, or a greeting; or with the text that "
        "is wanted: essay about",
        rf"(?im)^\W*{_OPENING}(?:{_TASKS})\b|"
        r"^\W*(?:please )?continue\W*$|^\W*(?:an? )?(?:short |long )?"
        r"(?:essay|story|poem|article|summary|list|speech|script) (?:about|on|for)\b",
        (
            "Write a poem about rain",
            "Hi, can you please summarise this chapter?",
            "now make it shorter",
            "Give me 10 names for a cat",
            "A short story about two cats",
            "please continue.",
        ),
        (
            "I want to write him a letter, but I am afraid.",
            "Can you help me? I feel lost.",
            "Tell me what you think of me.",
            "We continue to argue.",
            "Listening to you helps.",
            "Story of my life: I arrive late.",
        ),
    ),
    Rule(
        "instruction_role",
        "instruction",
        True,
        "a role that the assistant is given",
        r"(?i)\b(?:act|behave|respond|answer) as (?:an?|if you|my|the)\b|"
        r"\bpretend (?:to be|that you|you(?:'re| are))\b|\brole-?play(?:ing)?\b|"
        r"\bfrom now on,? you\b|\byou(?:'re| are) (?:now )?(?:an? )?(?:expert|professional|"
        r"experienced|assistant|chatbot|AI|helpful assistant|copywriter|writer|teacher|"
        r"prompt generator)\b|\bi want you to (?:act|be|become|play)\b|"
        r"\bignore (?:all )?(?:previous|prior|your) instructions\b",
        ("Act as a travel guide.", "From now on you speak like a pirate", "let's roleplay"),
        ("You are kind to me.", "He acts as though nothing happened."),
    ),
    Rule(
        "instruction_form",
        "instruction",
        True,
        "a prescribed form: a number of words or sentences, bullet points, fields of a prompt; or "
        "a prompt for an image generator",
        r"(?i)\b(?:in|at least|up to|no more than|about|around|approximately|max(?:imum)?|"
        r"min(?:imum)?|under|exactly|within)(?: of)? \d[\d,.]*k? "
        r"(?:words?|characters?|letters|sentences?|paragraphs?|lines|bullet points|tokens|pages)\b|"
        r"\b\d+[- ](?:words?|paragraphs?|sentences?) (?:essay|article|story|summary|text|post|"
        r"paragraph|response|answer|description)|\bbullet points\b|\bseo[- ]friendly\b|"
        r"(?m:^[ \t]*(?:###|\[INST\]|(?:instructions?|input|output|task|context|prompt|"
        r"keywords?|topic|title)[ \t]*:))|"
        r"\b(?:midjourney|stable diffusion|dall-?e|prompt generator)\b",
        (
            "Tell it in 100 words",
            "Task: name the capital",
            "a 500 word essay on love",
            "for Midjourney",
        ),
        ("I said about two words to her.", "The task was too much for me."),
    ),
    Rule(
        "instruction_exam",
        "instruction",
        True,
        "a multiple-choice question: two lines in a row that begin with letters of a list",
        r"(?m)^[ \t]*\(?[aA1][).][ \t]+[^\n]+\n\s*\(?[bB2][).][ \t]",
        ("Which one?\na) red\nb) blue", "1. Paris\n2. Rome"),
        ("Plan A failed.\nPlan B did not.", "A. wrote me, b. did not."),
    ),
)


def matches(texts: pa.Array) -> Mapping[str, NDArray[np.bool_]]:
    """Say for each rule which texts it finds.

    Parameters
    ----------
    texts : pyarrow array of text, length n
        A missing text is found by no rule.

    Returns
    -------
    mapping of str to ndarray of bool, shape (n,)
        By the rule's name, in the order of `RULES`.
    """
    return {
        rule.name: np.asarray(
            pc.fill_null(pc.match_substring_regex(texts, pattern=rule.pattern), False)
        )
        for rule in RULES
    }
