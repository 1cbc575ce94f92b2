"""What simulated supporters say, by behaviour, and how what they were told comes back in it.

Every line was written for this project. The lexical judge knows most of them by their markers,
and each is meant for one behaviour only; a test measures that.
"""

from __future__ import annotations

import re

SAYINGS: dict[str, tuple[str, ...]] = {
    "validate": (
        "I'm so sorry, that sounds really hard.",
        "It makes complete sense that this gets to you.",
        "No wonder you are worn out.",
        "Anyone would be shaken by that.",
        "Of course you are upset, this matters.",
        "That is a lot to carry, and it is unfair.",
        "There is nothing wrong with crying about it.",
        "You have every right to be angry.",
        "It's okay to feel lost for a while.",
        "Nobody could blame you for being tired of this.",
        "Who wouldn't be hurt after that?",
        "You're not alone with this, I'm here.",
        "It is completely understandable that it stings.",
        "That was painful, and it still is.",
        "You are allowed to be sad about it.",
        "It's only human to feel torn.",
        "Ouch, that was a rough thing to hear.",
        "You deserved better than that.",
    ),
    "reflect": (
        "It sounds like the worst of it comes at night.",
        "What I'm hearing is that nobody asked you.",
        "So you have been holding it all together for everybody else.",
        "It seems like the ground moved under you.",
        "If I'm hearing you right, the silence weighs more than the news.",
        "I can hear how much this means to you.",
        "You seem caught between two wishes.",
        "So it is not one thing, it is all of them at once.",
        "In other words, the trust is gone.",
        "It must be lonely to keep this inside.",
        "You feel unseen in all of it.",
        "I can see why that keeps coming back.",
    ),
    "ask": (
        "What has that been like for you?",
        "How are you holding up?",
        "What goes through your mind when it gets quiet?",
        "Tell me more about that.",
        "What part of it weighs most?",
        "How did you feel when it happened?",
        "Would you like to say more about it?",
        "And what happened then?",
        "Who knows about it so far?",
        "I'd like to hear the rest of it.",
        "What was the moment that hit hardest?",
        "How is it today?",
        "What do you wish they knew?",
        "Go on, I'm listening.",
    ),
    "advise": (
        "You should write it all down and make a plan.",
        "Have you thought about seeing a counsellor?",
        "Why don't you take a week off?",
        "You need to put yourself first now.",
        "Try to go for a run every morning.",
        "If I were you, that letter would go out today.",
        "Make sure the paperwork is in order.",
        "You could ask somebody else for help.",
        "My advice is to sleep on it and then act.",
        "Just call them and clear the air.",
        "You have to draw a line somewhere.",
        "Maybe try a different approach.",
        "Start with a list of what needs doing.",
        "You'd better talk to a lawyer.",
    ),
    "self": (
        "When I was in your spot, it took me a whole year.",
        "I once had the very same thing happen to me.",
        "My brother went through this, and my aunt too.",
        "Same here, I've been there myself.",
        "That reminds me of my own worst summer.",
        "I lost a lot of sleep over mine.",
        "I also had a boss of that kind, and I quit.",
        "I never told my friends about mine.",
        "I used to lie awake over my job as well.",
        "Me too, I had months of it.",
    ),
    "dismiss": (
        "It could be worse, really.",
        "At least you still have your health.",
        "Everything happens for a reason.",
        "Look on the bright side.",
        "You will get over it.",
        "It's not that bad.",
        "Other people have bigger problems.",
        "Cheer up, tomorrow is a new day.",
        "Don't worry so much.",
        "It is what it is.",
        "That's life, I guess.",
        "Maybe you are overthinking this.",
        "Well, life goes on.",
        "Don't be so hard on everybody.",
        "It was only a job of many.",
    ),
    "filler": (
        "Okay, I see.",
        "Hm, right.",
        "Well, that is something.",
        "Oh, okay.",
        "Right, got it.",
        "Yes, go ahead.",
        "Ah, so that was it.",
        "Mm.",
    ),
}

#: Behaviours in the order in which a message shows them.
ORDER = ("validate", "reflect", "dismiss", "self", "advise", "ask")

_SENTENCE = re.compile(r"[^.?!]+")
_OTHER = {
    "i": "you",
    "i'm": "you're",
    "i've": "you've",
    "i'd": "you'd",
    "i'll": "you'll",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "am": "are",
    "you": "me",
    "your": "my",
}
_TELLS = re.compile(r"\b(?:i|i'm|i've|my)\b", re.IGNORECASE)
SHORTEST, LONGEST = 4, 16  # words of a sentence that is worth saying again


def said_again(told: str) -> str:
    """Return a sentence of somebody, as their listener would say it again; empty if none fits.

    Parameters
    ----------
    told : str
        A message. Of its sentences about the speaker, the last of a fitting length is taken.
    """
    plain = told.replace("’", "'")
    fitting = [
        words
        for sentence in _SENTENCE.findall(plain)
        if _TELLS.search(sentence)
        and not _OTHER_PERSON.search(sentence)
        and SHORTEST <= len(words := sentence.strip(" ,;:-").split()) <= LONGEST
    ]
    if not fitting:
        return ""
    turned = [_turned(word) for word in fitting[-1]]
    return f"So {' '.join(turned)}."


_OTHER_PERSON = re.compile(r"\byou(?:r|'\w+)?\b", re.IGNORECASE)


def _turned(word: str) -> str:
    """Return a word from the other's point of view, with the marks around it."""
    bare = word.strip(",;:-\"'").lower()
    turned = _OTHER.get(bare)
    return word if turned is None else word.lower().replace(bare, turned)
