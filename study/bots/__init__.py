"""Simulated raters that use real HTTP: they load the pages and send the same forms as people.

A bot knows only what it reads on the page. How much it values a text comes from a table (the
demo's planted quality), in which it looks up the words on the page.
"""

from study.bots.bot import Bot, Population
from study.bots.page import Page, fingerprint, first_options, read_page
from study.bots.rater import Conduct, Known, SimulatedRater, on_scale
from study.bots.sending import answer_all, arrive, send_bots
from study.bots.visiting import Visitor, visit

__all__ = [
    "Bot",
    "Conduct",
    "Known",
    "Page",
    "Population",
    "SimulatedRater",
    "Visitor",
    "answer_all",
    "arrive",
    "fingerprint",
    "first_options",
    "on_scale",
    "read_page",
    "send_bots",
    "visit",
]
