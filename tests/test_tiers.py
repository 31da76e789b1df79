"""The rules of the suite itself: what is drawn, and what is too slow."""

from itertools import chain
from pathlib import Path

import pytest
import tiers
from tiers import Share

pytest_plugins = ["pytester"]


def test_three_runs_in_a_row_try_every_case_and_the_exhaustive_tier_tries_all_at_once() -> None:
    cases = list(range(20))
    drawn = [Share(False, seed).of(cases) for seed in (7, 8, 9)]
    assert all(6 <= len(some) <= 7 for some in drawn)
    assert sorted(chain(*drawn)) == cases
    assert Share(True, 7).of(cases) == cases
    assert [Share(False, seed).of([1]) for seed in (1, 2)] == [[1], [1]]
    assert (Share(False, 1).count(3_000), Share(True, 1).count(3_000), Share(False, 1).count(2)) == (1_000, 3_000, 1)


def test_chance_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    numbers = [Share(False, seed).random("flips").random() for seed in (1, 1, 2)]
    assert numbers[0] == numbers[1] != numbers[2]


def test_of_many_parameters_another_third_is_tried_by_default_every_day_and_the_rest_is_exhaustive(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(tiers.__file__).parent))
    pytester.makeini("[pytest]\nmarkers =\n    exhaustive: slow\n    many: of many cases\n")
    pytester.makeconftest("pytest_plugins = ['tiers']")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.many
        @pytest.mark.parametrize("case", range(7))
        def test_case(case):
            pass

        def test_other():
            pass
        """
    )

    def tried(rotation: int, tier: str) -> set[str]:
        result = pytester.runpytest_inprocess("-p", "no:pytest-retry", "-v", f"--rotation={rotation}", "-m", tier)
        return {line.partition("::")[2].split()[0] for line in result.outlines if "PASSED" in line}

    assert tried(1, "not exhaustive") == {"test_case[1]", "test_case[4]", "test_other"}
    assert tried(1, "exhaustive") == {f"test_case[{case}]" for case in (0, 2, 3, 5, 6)}
    days = [tried(day, "not exhaustive") for day in (7, 8, 9)]
    assert set().union(*days) == {"test_other", *(f"test_case[{case}]" for case in range(7))}
    assert sum(map(len, days)) == 7 + 3


def test_only_a_browser_test_that_fails_is_tried_again_once_with_new_fixtures_and_the_run_says_so(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(tiers.__file__).parent))
    pytester.makeini("[pytest]\nmarkers =\n    exhaustive: slow\n    many: of many cases\n    browser: in one\n")
    pytester.makeconftest("pytest_plugins = ['tiers']")
    pytester.makepyfile(
        """
        import collections
        import pytest

        tabs = collections.Counter()

        @pytest.fixture
        def tab(request):
            tabs[request.node.name] += 1
            return tabs[request.node.name]

        @pytest.mark.browser
        def test_held_up(tab):
            assert tab == 2

        @pytest.mark.browser
        def test_wrong(tab):
            assert tab == 0

        def test_without(tab):
            assert tab == 2
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*the following tests were retried*", "*test_held_up passed on attempt 2!*"])
    result.stdout.fnmatch_lines(["*test_wrong failed after 2 attempts!*"])
    result.stdout.no_fnmatch_line("*test_without failed*attempt*")


@pytest.mark.many
@pytest.mark.parametrize(("name", "failed"), [("slow", True), ("late", False)])
def test_a_default_test_that_takes_too_long_alone_too_fails_the_run_with_its_name(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str, failed: bool
) -> None:
    monkeypatch.setattr(tiers, "seconds", type(tiers.seconds)(float))
    monkeypatch.setattr(tiers, "slowness", lambda: 1.0)
    monkeypatch.setenv("PYTHONPATH", str(Path(tiers.__file__).parent))
    pytester.makeini("[pytest]\nmarkers =\n    exhaustive: slow\n")
    pytester.makeconftest("pytest_plugins = ['tiers']")
    pytester.makepyfile(
        """
        import time
        from pathlib import Path

        import pytest

        @pytest.fixture(scope="module")
        def made_for_many():
            time.sleep(0.3)

        def test_quick(made_for_many):
            pass

        def test_slow():
            time.sleep(0.3)

        def test_late():
            if not Path("tried").exists():
                Path("tried").touch()
                time.sleep(0.3)

        @pytest.mark.exhaustive
        def test_that_may_be_slow():
            time.sleep(0.3)
        """
    )
    result = pytester.runpytest_inprocess(
        "-p", "no:pytest-retry", "-n0", "--guard=0.2", "-k", f"{name} or quick or may_be"
    )
    assert result.ret == (pytest.ExitCode.TESTS_FAILED if failed else pytest.ExitCode.OK)
    too_long = [line.split("::")[1].split(":")[0] for line in result.outlines if line.startswith("TOO LONG")]
    assert too_long == [f"test_{name}"], "the first time"
