"""The tiers of the suite: what runs when, and what keeps the default one quick.

    default      every behaviour once, on the smallest input that can show it
    exhaustive   all that can be counted: kill points, damages, backbones, photographs, training to its figures
    cluster      Ray and Milvus

A test whose cases are many runs a third of them by default, another third every day: see `share`, for cases that a test
goes through, and the mark `many`, for those that are its parameters.
"""

import datetime
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from timeit import repeat
from typing import Any, TypeVar

import pytest

# What starting Python and importing torch takes on two cores with nothing else to do.
QUIET_SECONDS = 3.0
TIERS = ("exhaustive", "cluster")

Case = TypeVar("Case")
# By test, what it took itself and what fixtures took that are made once for many.
seconds: dict[str, float] = defaultdict(float)


@dataclass(frozen=True)
class Share:
    """Which of many cases a test is to try: a third by default, all of them in the exhaustive tier."""

    is_all: bool
    seed: int

    def of(self, cases: Sequence[Case], parts: int = 3) -> list[Case]:
        """Every third case, or another part of them, or every one; at least one of them."""
        if self.is_all or len(cases) < 2:
            return list(cases)
        step = min(parts, len(cases))
        return list(cases[self.seed % step :: step])

    def count(self, number: int, parts: int = 3) -> int:
        """As many of a number of random cases."""
        return number if self.is_all else max(1, number // parts)

    def random(self, *names: object) -> random.Random:
        """Chance for a test: another one for each seed, the same in each process."""
        return random.Random(repr((self.seed, *names)))


@pytest.fixture(params=["a third", pytest.param("all", marks=pytest.mark.exhaustive)])
def share(request: pytest.FixtureRequest) -> Share:
    """A third of a test's cases by default, drawn by the seed of the run, and all of them in the exhaustive tier."""
    return Share(request.param == "all", request.config.getoption("--rotation"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """What chance decides."""
    today = datetime.date.today().toordinal()
    parser.addoption("--rotation", type=int, default=today, help="which third of the many cases to try; today's date")
    parser.addoption("--guard", type=float, metavar="SECONDS", help="fail if a default test takes longer, alone too")
    parser.addoption("--alone", action="store_true", help="what --guard starts to time some tests again")


@pytest.hookimpl(tryfirst=True)  # before tiers are chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the cases of a test that is marked `many`, two thirds are of the exhaustive tier; another two every day.

    What needs a server is of the tier `cluster` alone, also where the test itself is of another. A browser test that
    fails is tried once more.
    """
    for item in items:
        if item.get_closest_marker("cluster"):
            item.own_markers = [mark for mark in item.own_markers if mark.name != "exhaustive"]
    tests: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: item.nodeid):  # in whatever order they are to run
        if item.get_closest_marker("many") and not any(map(item.get_closest_marker, TIERS)):
            tests[item.nodeid.partition("[")[0]].append(item)
    for cases in tests.values():
        drawn = config.getoption("--rotation") % min(3, len(cases))
        for number, item in enumerate(cases):
            if number % 3 != drawn:
                item.add_marker(pytest.mark.exhaustive)
    for item in items:
        if item.get_closest_marker("browser"):
            # A busy computer can hold a browser up for minutes. The run names at its end what was tried again.
            item.add_marker(pytest.mark.flaky(retries=1))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The seed, and the tests that broke the rule."""
    terminalreporter.write_line(f"Cases drawn by --rotation {config.getoption('--rotation')}")
    for name, took in _too_long(config):
        terminalreporter.write_line(f"TOO LONG {name}: {took:.1f} s, more than {config.getoption('--guard'):g} s")


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> Iterator[Any]:
    """Fixtures of many tests are not on the account of the first that asks for them."""
    started = perf_counter()
    try:
        return (yield)
    finally:
        if fixturedef.scope != "function":
            request.node.config.stash.setdefault(shared_seconds, [0.0])[0] += perf_counter() - started


shared_seconds = pytest.StashKey[list[float]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    """A report says how long a phase took without those fixtures, and of which tier its test is."""
    report = yield
    shared = item.config.stash.get(shared_seconds, [0.0])
    is_default = not any(item.get_closest_marker(tier) for tier in TIERS)
    report.own_seconds = max(0.0, report.duration - shared[0]) if is_default else 0.0
    shared[0] = 0.0
    return report


def pytest_runtest_logreport(report: Any) -> None:
    """Add a phase to its test's account; with several processes, in the one that hears of all."""
    seconds[report.nodeid] += getattr(report, "own_seconds", 0.0)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail for tests that take too long, where that is asked for.

    What does in a whole run may only have had to wait for others: it is timed again with nothing beside it, and may
    take longer on a slow machine.
    """
    config, names = session.config, [name for name, _ in _too_long(session.config)]
    is_one_of_several = hasattr(config, "workerinput")  # whoever hears of all tests does it
    if is_one_of_several or not names or session.exitstatus != pytest.ExitCode.OK:
        return
    if config.getoption("--alone") or _are_too_long_alone(config, names):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _are_too_long_alone(config: pytest.Config, names: Sequence[str]) -> bool:
    longest = config.getoption("--guard") * slowness()
    options = [f"--guard={longest}", "--alone", f"--rotation={config.getoption('--rotation')}"]
    return bool(
        subprocess.run([sys.executable, "-m", "pytest", "-n0", *options, *names], cwd=config.rootpath).returncode
    )


def slowness() -> float:
    """How many times as long as a quiet machine this one takes for what tests do most: to start Python and import."""
    took = repeat(lambda: subprocess.run([sys.executable, "-c", "import torch"], check=True), number=1, repeat=2)
    return max(1.0, min(took) / QUIET_SECONDS)


def _too_long(config: pytest.Config) -> list[tuple[str, float]]:
    longest = config.getoption("--guard")
    return sorted((name, took) for name, took in seconds.items() if longest and took > longest)
