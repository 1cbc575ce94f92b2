"""The markers of six behaviours for the lexical baseline, and how counts become ratings, 1 to 5.

The markers come from general descriptions of supportive talk (naming and accepting feelings, open
questions, paraphrase) and of its opposite (telling people what to do, turning to oneself, making
it small). They were not fitted to any ratings, and they miss the same thing said in other words.

Each marker is a regular expression with a weight. It is looked for in what the supporter says, in
lower case and with straight apostrophes. A behaviour's rate is the weighted count per supporter
turn. The rating is one more than the number of cut points that the rate reaches: fewer than 0.1
markers per turn are rated 1, and one or more per turn are rated 5.
"""

from __future__ import annotations

import re
from bisect import bisect_right

SCALE_MIN = 1
SCALE_MAX = 5

#: The sign of each dimension in the overall score.
DIMENSIONS = {
    "validating_emotions": +1,
    "encouraging_elaboration": +1,
    "demonstrating_understanding": +1,
    "advice_giving": -1,
    "self_oriented": -1,
    "dismissing_emotions": -1,
}

#: Rates per supporter turn at which the rating goes up by one.
CUTS = (0.1, 0.3, 0.6, 1.0)

#: The share of first-person words that adds 1 to the rate: a tenth of all words counts like one
#: marker in every turn.
FIRST_PERSON_FULL = 0.10

#: A content word shared with the seeker's last turn counts this much, up to four per turn.
SHARED_WORD = 0.2
SHARED_WORDS_MOST = 4

_FEELINGS = (
    r"afraid|aggravat\w+|angry|anger|annoy\w+|anxi\w+|ashamed|awful|betray\w+|bitter|blindsided|"
    r"confus\w+|crush\w+|daunting|deflat\w+|demoraliz\w+|depress\w+|devastat\w+|disappoint\w+|"
    r"discourag\w+|drain\w+|embarrass\w+|emotional|exhaust\w+|fear\w*|frighten\w+|frustrat\w+|"
    r"furious|grie[fv]\w*|guilt\w*|heartbr\w+|helpless|hopeless|humiliat\w+|hurt\w*|insult\w+|"
    r"jealous|lonely|lonel\w+|miserable|nervous|numb|overwhelm\w+|pain\w*|panic\w*|resent\w+|sad|"
    r"sadness|scar(?:ed|y)|shame|shock\w*|stress\w*|stuck|sucks|terrif\w+|tired|unappreciated|"
    r"unfair|unsettl\w+|upset\w*|worr(?:y|ied|ying)"
)
_HARD = r"hard|tough|rough|difficult|heavy|awful|terrible|horrible|painful|unfair|a lot"
_PEOPLE = (
    r"mom|mum|mother|dad|father|parents|brother|sister|aunt|uncle|grand\w+|cousin|friends?|"
    r"wife|husband|boyfriend|girlfriend|partner|kids?|son|daughter|boss|manager|job|company|dog|cat"
)
_ADVICE_QUESTION = (
    r"why (?:don't|not)|how about|what if you|(?:have|had|did) you (?:ever )?"
    r"(?:tried|try|considered?|thought about|think about|looked)"
)
_TO_DO = (
    r"apply|ask|avoid|book|call|check|consider|delete|do|find|focus|forget|get|give|go|join|keep|"
    r"learn|leave|let|look|make|move|plan|quit|read|relax|remember|speak|start|stay|stop|take|talk|"
    r"tell|think|try|use|work|write"
)

# Every pattern below matches only whole words.
MARKERS: dict[str, dict[float, tuple[str, ...]]] = {
    "validating_emotions": {
        1.0: (
            r"sorry",
            r"makes? (?:\w+ ){0,3}sense",
            r"understandabl[ey]|valid|no wonder|of course you",
            r"(?:anyone|anybody|everyone|most people|who) would(?:n't)?",
            r"(?:every|the|a) right to|allowed to|nothing wrong with|blame you",
            r"(?:okay|ok|normal|natural|alright|human) to (?:feel|be|cry)",
        ),
        0.5: (
            _FEELINGS,
            rf"(?:that|this|it)(?:'s| is| was| sounds| seems| must)\b[^.?!]{{0,25}}\b(?:{_HARD})",
            r"i(?:'m| am) here|here for you|you(?:'re| are) not alone|deserved?",
        ),
    },
    "demonstrating_understanding": {
        1.0: (
            r"(?:sounds?|seems?) (?:like|as)|it seems",
            r"(?:(?<=^)|(?<=[.?!,] ))so (?:you|it|they|she|he|your|on|for|after)",
            r"what i(?:'m| am) hearing|in other words",
            r"if i(?:'m| am)? (?:understand|understanding|hear|hearing|get|getting)",
        ),
        0.7: (
            r"(?:you're|you are) (?:saying|feeling|telling|carrying)|you (?:feel|felt|seem)",
            r"i (?:can|could)(?: only)? (?:see|hear|tell|imagine|understand|feel|picture)",
            r"(?:it|that) must|you must (?:be|feel|have)",
        ),
        0.5: (r"i (?:really |totally |completely )?(?:hear|understand|get (?:it|that|why|how))",),
    },
    "advice_giving": {
        1.0: (
            r"you (?:really |just |also |probably )*(?:should|shouldn't|ought|need to)",
            r"you(?:'ve got| have|'ll have) to|you(?:'d| had) better",
            _ADVICE_QUESTION,
            r"if i were you|in your (?:place|shoes) i|my advice",
            r"i(?:'d| would)? (?:suggest|recommend|advise)|i(?:'d| would) (?:just|try)",
        ),
        0.8: (
            r"make sure|maybe (?:try|take|you|it's time)|it's best",
            r"(?:(?<=^)|(?<=[.?!] ))(?:(?:just|maybe|honestly|also|please|then|but|and|so),? )*"
            rf"(?:don't )?(?:{_TO_DO})(?! me\b| on\b)",
        ),
        0.6: (
            r"(?:you|we) (?:could|can|might)(?: always| also| just| even)? "
            r"(?!see|hear|imagine|tell)\w+",
        ),
    },
    "self_oriented": {
        1.0: (
            r"when i (?:was|had|lost|went|got|did|worked|started|quit)",
            r"(?:same|happened) (?:here|to me|with me)|me too|myself|my own|reminds me",
            r"i(?:'ve| have) (?:also |actually |never )?(?:been|had|got|done|gone|lost|worked)",
        ),
        0.8: (
            r"i (?:once|used to|also|too|lost|had|went|was|got|quit|never|always|remember)",
            rf"my (?:\w+ )?(?:{_PEOPLE})",
        ),
    },
    "dismissing_emotions": {
        1.0: (
            r"at least|(?:could|might) (?:be|have been) worse|worse (?:off|things)",
            r"ha(?:ve|s) it (?:a lot |much |way )?(?:worse|harder)|other people",
            r"cheer up|chin up|get over|move on|snap out|calm down|suck it up|man up",
            r"bright side|silver lining|(?:stay|be|think) positive|better place|time heals",
            r"happens? for a reason|that's life|life goes on|is what it is",
            r"don't (?:worry|cry|dwell|stress|sweat|panic|let it|take it)",
            r"don't be (?:so |too )?\w+|don't feel (?:so |too )?(?:bad|sad|down|sorry)",
            r"overthink\w*|overreact\w*|dramatic|(?:too|so) sensitive",
            r"not (?:that|so|such) (?:bad|a big)|big deal",
            r"(?:be|feel|you're) (?:grateful|thankful|lucky|glad)",
            r"everyone (?:has|goes|gets|feels)",
        ),
        0.7: (
            r"(?:you|it|things|he|she|they)(?:'ll| will)(?: all)? (?:be|get|pass|work out)",
            r"(?:it's|that's|was|is) (?:only|just)|just an?|no (?:point|use)|get used to",
        ),
    },
    # Questions are counted one by one; see the patterns below.
    "encouraging_elaboration": {
        1.0: (
            r"tell me|say more|go on|keep going|vent|talk (?:to me|about it)",
            r"i(?:'d| would) (?:like|love) to hear|i want to hear",
            r"i(?:'m| am) (?:all ears|listening)",
        )
    },
}

#: A question is open when it matches this from its start, closed otherwise.
OPEN_QUESTION = re.compile(
    r"(?:(?:and|so|but|oh|okay|ok|well|hm+|then|also),? )*"
    r"(?:(?:\w+[, ]+){0,4}?(?:what|how|why|where|which|who)\b|"
    r"(?:do|would|can|could|will) you (?:want|like|tell|care|mind|feel like|describe|share|say))"
)
OPEN_QUESTION_WEIGHT = 1.0
CLOSED_QUESTION_WEIGHT = 0.4
#: A question that is really advice does not count as a question.
ADVICE_QUESTION = re.compile(rf"\b(?:{_ADVICE_QUESTION})\b")

FIRST_PERSON = re.compile(r"\b(?:i|me|my|mine|myself)\b(?!')|\bi(?='(?:m|ve|d|ll)\b)")
#: Phrases of a listener: they are in the first person, but about the other person.
LISTENING = re.compile(
    r"\b(?:"
    r"i(?:'m| am) (?:so |very |really |truly )*(?:sorry|here|glad|listening|hearing|not going)|"
    r"i(?:'ll| will) be (?:here|thinking of you)|"
    r"i (?:can|could|can't|cannot)(?: only| even)? (?:see|hear|tell|imagine|understand|feel)|"
    r"i (?:really |totally |completely )*(?:hear|see|understand|get|appreciate)|"
    r"i (?:really |do )?(?:think|hope|know|believe|wonder)|"
    r"(?:tell|message|call|trusting) me|let me know|talk to me|"
    r"i(?:'d| would) (?:like|love) to|if i|may i|can i"
    r")\b"
)

#: Words that are too common to count as taken up from the seeker.
_COMMON = """
about after again also although always another anything because been before being below
between both cannot could does doing don't down during each even ever every everything
feel feeling feels felt from further getting going gonna good have haven't having hear
here hers himself into isn't itself it's just keep know like likely look made make many
maybe mean more most much must need never nothing okay once only other ours over own
people please quite really right said same says seem should shouldn't since some something
sorry sound sounds still such sure take tell than thank thanks that that's their them then
there there's these they they're thing things think this those though through time told
under until very want was well were what when where which while will with without would
wouldn't year years your you're you've yourself
"""
STOPWORDS = frozenset(_COMMON.split())

COMPILED = {
    dimension: tuple(
        (re.compile(rf"\b(?:{pattern})\b"), weight)
        for weight, patterns in by_weight.items()
        for pattern in patterns
    )
    for dimension, by_weight in MARKERS.items()
}


def rating(rate: float, cuts: tuple[float, ...] = CUTS) -> float:
    """Return a rate as a rating: one more than the number of cut points it reaches."""
    return float(SCALE_MIN + bisect_right(cuts, rate))
