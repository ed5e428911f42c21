"""The stopwatch."""

import datetime
from collections.abc import Callable

import pytest

from aiocells import Stopwatch

START = datetime.datetime(2020, 12, 14)


def seconds(count: float) -> datetime.timedelta:
    """A span of time."""
    return datetime.timedelta(seconds=count)


def clock(*times: float) -> Callable[[], datetime.datetime]:
    """A clock that shows these seconds after START, one a look."""
    looks = iter(times)
    return lambda: START + seconds(next(looks))


class TestRunning:
    """Start, stop and restart."""

    def test_runs_from_start_to_stop(self) -> None:
        """is_running is true between start and stop, and only there."""
        stopwatch = Stopwatch()
        seen = [stopwatch.is_running]
        stopwatch.start()
        seen.append(stopwatch.is_running)
        stopwatch.stop()
        seen.append(stopwatch.is_running)

        assert seen == [False, True, False]

    def test_starts_from_zero_each_time(self) -> None:
        """A second start forgets the first measurement."""
        stopwatch = Stopwatch(now_function=clock(0, 5, 10, 11))
        stopwatch.start()
        stopwatch.stop()
        stopwatch.start()
        stopwatch.stop()

        assert stopwatch.elapsed_time() == seconds(1)

    def test_restart_starts_from_zero_while_it_runs(self) -> None:
        """restart() stops the stopwatch and starts it again."""
        stopwatch = Stopwatch(now_function=clock(0, 5, 6, 8))
        stopwatch.start()
        stopwatch.restart()

        assert stopwatch.is_running
        assert stopwatch.elapsed_time() == seconds(2)

    def test_start_twice_is_refused(self) -> None:
        """Starting a running stopwatch is an error that says what to do."""
        stopwatch = Stopwatch()
        stopwatch.start()

        with pytest.raises(RuntimeError, match=r"running already\. Call stop\(\)"):
            stopwatch.start()

    @pytest.mark.parametrize("use", [Stopwatch.stop, Stopwatch.restart])
    def test_stop_before_start_is_refused(
        self, use: Callable[[Stopwatch], None]
    ) -> None:
        """Stopping or restarting an idle stopwatch is an error that says so."""
        with pytest.raises(RuntimeError, match=r"not running\. Call start\(\)"):
            use(Stopwatch())


class TestElapsedTime:
    """What the stopwatch shows."""

    def test_is_none_before_the_first_start(self) -> None:
        """Before the first start there is no time, and no lap."""
        stopwatch = Stopwatch()

        assert stopwatch.elapsed_time() is None
        assert stopwatch.elapsed_time(return_lap_time=True) == (None, None)

    def test_grows_while_it_runs(self) -> None:
        """While it runs, the time is that since the start, at each look."""
        stopwatch = Stopwatch(now_function=clock(0, 1, 3))
        stopwatch.start()
        looks = [stopwatch.elapsed_time(), stopwatch.elapsed_time()]

        assert looks == [seconds(1), seconds(3)]

    def test_stands_still_after_the_stop(self) -> None:
        """After the stop, the time is that between start and stop."""
        stopwatch = Stopwatch(now_function=clock(0, 4))
        stopwatch.start()
        stopwatch.stop()
        looks = [stopwatch.elapsed_time(), stopwatch.elapsed_time()]

        assert looks == [seconds(4), seconds(4)]

    def test_a_look_at_the_lap_starts_the_next_one(self) -> None:
        """Asking for the lap time of a running stopwatch ends the lap."""
        stopwatch = Stopwatch(now_function=clock(0, 1, 2, 4))
        stopwatch.start()
        laps = [
            stopwatch.elapsed_time(return_lap_time=True),
            stopwatch.elapsed_time(),
            stopwatch.elapsed_time(return_lap_time=True),
        ]

        assert laps == [(seconds(1), seconds(1)), seconds(2), (seconds(4), seconds(3))]

    def test_the_last_lap_ends_with_the_stop(self) -> None:
        """After the stop, the lap time is that of the lap in which it came."""
        stopwatch = Stopwatch(now_function=clock(0, 1, 3))
        stopwatch.start()
        stopwatch.elapsed_time(return_lap_time=True)
        stopwatch.stop()
        looks = [stopwatch.elapsed_time(return_lap_time=True) for _ in range(2)]

        assert looks == [(seconds(3), seconds(2))] * 2

    def test_is_a_timedelta_by_default(self) -> None:
        """With the clock that it comes with, the time is a timedelta from 0 up."""
        stopwatch = Stopwatch()
        stopwatch.start()
        stopwatch.stop()
        elapsed = stopwatch.elapsed_time()

        assert isinstance(elapsed, datetime.timedelta)
        assert elapsed >= seconds(0)


class TestNow:
    """The clock of the stopwatch."""

    def test_is_the_function_that_was_given(self) -> None:
        """now() asks now_function."""
        assert Stopwatch(now_function=clock(7)).now() == START + seconds(7)

    def test_is_utc_by_default(self) -> None:
        """Without now_function, now() is the time in UTC, and later at each look."""
        stopwatch = Stopwatch()
        earlier, later = stopwatch.now(), stopwatch.now()

        assert earlier.tzinfo == datetime.UTC
        assert earlier <= later


class TestWith:
    """The stopwatch as a context manager."""

    def test_times_the_block(self) -> None:
        """It starts with the block, is given to it, and stops at its end."""
        with Stopwatch(now_function=clock(0, 2)) as stopwatch:
            assert stopwatch.is_running

        assert not stopwatch.is_running
        assert stopwatch.elapsed_time() == seconds(2)

    def test_writes_the_message_at_the_end(self) -> None:
        """The message goes to the writer, with the elapsed time filled in."""
        written: list[str] = []

        with Stopwatch("took {elapsed_time}", written.append, clock(0, 2)):
            pass

        assert written == ["took 0:00:02"]

    def test_prints_the_message_by_default(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without a writer the message is printed."""
        with Stopwatch(stop_message="done"):
            pass

        assert capsys.readouterr().out == "done\n"

    def test_writes_nothing_after_a_failure(self) -> None:
        """An exception leaves the block as it is; the watch stops without a word."""
        written: list[str] = []
        stopwatch = Stopwatch("took {elapsed_time}", written.append)

        with pytest.raises(ZeroDivisionError), stopwatch:
            raise ZeroDivisionError

        assert not stopwatch.is_running
        assert written == []

    def test_leaves_a_stopwatch_alone_that_the_block_stopped(self) -> None:
        """A block may stop the watch itself; its time is kept."""
        with Stopwatch(now_function=clock(0, 2)) as stopwatch:
            stopwatch.stop()

        assert stopwatch.elapsed_time() == seconds(2)
