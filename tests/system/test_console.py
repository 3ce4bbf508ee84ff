"""What a program tells while it works: on a terminal, elsewhere, or not at all."""

import textwrap

import pytest

from i2i.system import console as module
from i2i.system.console import Bar, Console, Pace, duration, track
from tests.terminal import on_a_terminal


class Clock:
    """A time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def shown_by(code: str) -> str:
    """All that a program writes to a terminal."""
    return on_a_terminal("-c", textwrap.dedent(code))


def work(step: int, total: int = 10) -> Bar:
    return Bar("work", step, total, "note", f"step {step}/{total}")


def test_lines_come_at_once_then_every_few_seconds_and_at_the_end(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(every=5)
    for step in range(1, 10):
        console.show(work(step))
        clock.now += 2
    console.show(work(10), [Bar("part", 1, 2, line="  part: 1/2")])
    console.show(work(10))
    console.say("done")
    console.close()
    told = ["step 1/10", "step 4/10", "step 7/10", "step 10/10", "  part: 1/2", "done"]
    assert capsys.readouterr().out.splitlines() == told


def test_the_first_line_waits_where_asked(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(every=5, at_once=False)
    for step in range(1, 5):
        console.show(work(step))
        clock.now += 2
    assert capsys.readouterr().out.splitlines() == ["step 4/10"]


def test_a_quiet_console_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=True)
    console.show(work(1))
    console.say("words")
    console.close()
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_the_whole_and_what_is_at_work() -> None:
    shown = shown_by("""
        from i2i.system.console import Bar, Console
        console = Console()
        console.say("said [bold] :smile:")
        parts = [Bar("  [one]", 3, 6, line="never"), Bar("  two", 0, 6, line="never")]
        console.show(Bar("study", 3, 1200, "2.0/s", "never"), parts)
        console.close()
        console.say("after the end")
    """)
    for part in ("study", "3/1,200", "2.0/s", "[one]", "3/6", "two", "0/6"):
        assert part in shown, part
    assert "said [bold] :smile:" in shown
    assert shown.rstrip().endswith("after the end")
    assert "never" not in shown


def test_what_is_no_longer_at_work_is_no_longer_shown() -> None:
    shown = shown_by("""
        from i2i.system.console import Bar, Console
        console = Console()
        console.show(Bar("study", 6, 12), [Bar("one", 6, 6), Bar("two", 0, 6)])
        console.show(Bar("study", 7, 12), [Bar("two", 1, 6)])
        console.close()
    """)
    end = shown[shown.rindex("7/12") :]
    assert "two" in end
    assert "1/6" in end
    assert "one" not in end


def test_a_quiet_console_shows_nothing_on_a_terminal_either() -> None:
    code = """
        from i2i.system.console import Bar, Console
        console = Console(quiet=True)
        console.show(Bar("study", 3, 12))
        console.say("words")
        console.close()
    """
    assert shown_by(code) == ""


@pytest.mark.parametrize(("total", "share"), [("40", "40/40"), ("None", "40")])
def test_single_pieces_of_work_are_shown_on_a_terminal(total: str, share: str) -> None:
    shown = shown_by(f"""
        from concurrent.futures import ThreadPoolExecutor
        from i2i.system.console import track
        with track("decoding train", {total}) as advance, ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: advance(0.5), range(80)))
    """)
    for part in ("decoding train", f" {share} ", " images "):
        assert part in shown, part


def test_single_pieces_of_work_are_silent_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with track("decoding train", 2) as advance:
        advance(2)
    assert capsys.readouterr() == ("", "")


def test_speed_and_time_left_count_from_what_was_done_before(clock: Clock) -> None:
    pace = Pace(100, 1000)
    assert pace.left(100) == ""
    clock.now += 10
    assert pace.speed(150) == 5
    assert pace.left(150) == "2:50 left"
    assert pace.left(1000) == "0:00 left"
    assert Pace(0, None).left(10) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (59.4, "0:59"),
        (59.6, "1:00"),
        (3599, "59:59"),
        (3600, "1:00:00"),
        (90061, "25:01:01"),
    ],
)
def test_durations_are_hours_minutes_and_seconds(seconds: float, text: str) -> None:
    assert duration(seconds) == text
