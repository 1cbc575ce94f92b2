"""If these failed, analyses would run for minutes in silence, or leave their progress behind."""

from __future__ import annotations

import pytest

from ratify import analyses_shown as shown


def test_a_terminal_shows_one_line_that_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with pytest.raises(KeyboardInterrupt), shown.analyses_shown() as began:
        began("analysis 1 of 2: agreement")
        began("analysis 2 of 2: habits")
        raise KeyboardInterrupt
    out, err = capsys.readouterr()
    assert out == ""
    assert "\n" not in err
    assert err.split("\r\x1b[K") == [
        "", "analysis 1 of 2: agreement …", "analysis 2 of 2: habits …", ""
    ]  # fmt: skip


def test_elsewhere_a_line_is_written_only_once_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]
    monkeypatch.setattr(shown.time, "monotonic", lambda: clock[0])
    with shown.analyses_shown() as began:
        for at, said in ((1.0, "one"), (12.0, "two"), (13.0, "three"), (30.0, "four")):
            clock[0] = at
            began(said)
    assert capsys.readouterr() == ("", "two\nfour\n")
