"""What the page of a conversation says of its clock, of a message, and of its end."""

from __future__ import annotations

from flask_babel import gettext as _


def clock_words() -> dict[str, str]:
    """Return why the clock stands, by the word of `study.chat.clock`; empty while it runs."""
    return {
        "before": _("begins with your first message"),
        "running": "",
        "hidden": _("stands while this page is not seen"),
        "waiting": _("stands while you wait"),
        "idle": _("stands until your next message"),
        "over": "",
    }


def ending_words() -> dict[str, str]:
    """Return why a conversation is over, by `ended_because`."""
    return {
        "time": _("The time for this conversation is over. Thank you."),
        "messages": _("That was the last message of this conversation. Thank you."),
        "participant": _("You have ended this conversation. Thank you."),
    }


def page_words() -> dict[str, str]:
    """Return what the page may have to say, by name; its script finds the words there."""
    return {
        "empty": _("Write something first, then press Send."),
        "too_long": _("This message is too long. Please shorten it, then press Send."),
        "waiting": _("The answer to your last message is not there yet. Send this one after it."),
        "taken": _("Something else was sent first, from another window. Your text is still here."),
        **dict.fromkeys(
            ("late", "over"),
            _("This conversation was over before your message arrived, so it was not sent."),
        ),
        "again": _("This could not be sent yet. It is tried again; your text stays here."),
        "unsent": _("This was not sent. Your text is still here: please press Send again."),
        "offline": _("There is no connection at the moment. It is tried again; please stay here."),
        "no_paste": _("Please write in your own words: nothing can be pasted here."),
        "idle": _("You have not written for a while. The clock goes on with your next message."),
        "grace": _("Time is up. You may still send what you are typing."),
        "slow": _("This takes longer than usual. The clock stands; please stay here."),
        **{f"clock_{name}": words for name, words in clock_words().items() if words},
    }
