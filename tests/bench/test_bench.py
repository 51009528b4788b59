"""What the bench tells, from what it found."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bench import report
from bench.record import Record, commit_of, read_record, record_for, state_of
from bench.results import Figure, Outcome, Series, Verdict

COMMIT = "0123456789ab"
STATE = "fedcba9876543210"
CAUSE = "A thread waits for each upstream call."


def outcome(number: int = 1, *, reached: float = 1.2, cause: str = CAUSE) -> Outcome:
    """A goal's outcome, met unless ``reached`` is below 1."""
    return Outcome(
        number,
        "launches a second",
        [
            Figure("Hitchpost", "requests/s", (812.0, 790.0, 905.0), 12.3, 1.9),
            Figure("Flask + requests", "requests/s", (700.0, 710.0, 650.0), 15.1, 1.4),
        ],
        [Verdict("against bare Flask", reached, 1.0, at_least=True, cause=cause)],
        [Series("Hitchpost", (1.0, 2.0), (3.0, 4.0))],
        "wrk with 16 connections.",
    )


@pytest.fixture
def record() -> Record:
    """A run without outcomes."""
    return Record(COMMIT, "2026-11-24", {"cores": "2"}, {"Hitchpost": "0.1.0", "flask (peers')": "3.1.3"})


def test_a_missed_goal_shows_its_cause(record: Record) -> None:
    """Whoever reads of a miss reads why; a goal that is met says nothing of causes."""
    record.add(outcome())
    assert "missed" not in report.page(record)
    assert CAUSE not in report.page(record)
    record.add(outcome(2, reached=0.8))
    assert "MISSED" in report.page(record)
    assert CAUSE in report.page(record)


def test_a_goal_is_met_when_every_run_met_it(record: Record) -> None:
    """One good run among three is no proof: each run's value is shown, and a miss in any has its cause."""
    for reached in (1.2, 0.8, 1.1):
        record.add(outcome(reached=reached))
    page = report.page(record)
    assert "| 1.2, 0.8, 1.1 | at least 1 | met in 2 of 3 runs |" in page
    assert CAUSE in page


def test_a_miss_without_a_cause_says_so(record: Record) -> None:
    """Nobody takes an unexplained miss for an explained one."""
    record.add(outcome(reached=0.8, cause=""))
    assert "has not been found" in report.page(record)


def test_a_broken_measurement_is_never_a_figure(record: Record) -> None:
    """What an earlier run found does not stand in for a measurement that broke."""
    record.add(outcome())
    record.fail(1, "LoadFailed: 3 answers were not as expected")
    page = report.page(record, ["goal-1.svg"])
    assert "not measured" in page
    assert "LoadFailed" in page
    assert "812" not in page
    assert "goal-1.svg" not in page
    record.add(outcome())
    assert "LoadFailed" not in report.page(record)


def test_the_page_names_machine_commit_and_versions(record: Record) -> None:
    """Nobody can repeat a figure without them."""
    record.add(outcome())
    page = report.page(record)
    for told in (
        COMMIT,
        "2026-11-24",
        "cores 2",
        "| Hitchpost | 0.1.0 |",
        "| flask (peers') | 3.1.3 |",
    ):
        assert told in page


def test_a_figure_comes_with_its_spread_latency_and_cost(record: Record) -> None:
    """The median alone tells nobody how steady it was."""
    record.add(outcome())
    row = "| Hitchpost | 812 requests/s | 790 to 905 (3 runs) | 12.3 ms | 1.9 ms |"
    assert row in report.page(record)
    assert "| 1 against bare Flask | 1.2 | at least 1 | met |" in report.page(record)


def test_the_summary_has_a_row_for_every_mark(record: Record) -> None:
    """What each run measured stands beside the limit; a broken goal has a row, and no figures."""
    record.add(outcome())
    record.fail(3, "LoadFailed")
    assert report.summary(record) == [
        ("1 against bare Flask", "1.2", "at least 1", "met"),
        ("3", "", "", "not measured"),
    ]


def test_what_is_written_is_read_again(record: Record, tmp_path: Path) -> None:
    """A record goes through its file unchanged."""
    record.add(outcome())
    record.add(outcome(reached=0.7))
    record.fail(2, "LoadFailed")
    path = tmp_path / "some/results.json"
    record.save(path)
    assert report.page(read_record(path)) == report.page(record)


def test_outcomes_of_another_state_are_forgotten(record: Record, tmp_path: Path) -> None:
    """One page never mixes figures of two states; those of the same state are kept."""
    record.state = STATE
    record.add(outcome())
    path = tmp_path / "results.json"
    record.save(path)
    assert record_for(STATE, "another", "2026-11-25", path).outcomes.keys() == {1}
    assert record_for("another", COMMIT, "2026-11-25", path).outcomes == {}


def test_marks_with_one_cause_share_its_explanation(record: Record) -> None:
    """Nobody reads the same sentence twice."""
    two = [Verdict(what, 0.8, 1.0, at_least=True, cause=CAUSE) for what in ("warm", "cold")]
    record.add(replace(outcome(), verdicts=two))
    assert f"**1 warm; cold.** {CAUSE}" in report.page(record)


@pytest.mark.parametrize("content", ["", "{}", "[]", json.dumps({"commit": COMMIT})])
def test_a_record_that_cannot_be_read_is_begun_anew(tmp_path: Path, content: str) -> None:
    """An interrupted or older bench leaves nothing that stops the next one."""
    path = tmp_path / "results.json"
    path.write_text(content)
    assert record_for(STATE, COMMIT, "2026-11-25", path).outcomes == {}


def test_what_is_measured_tells_states_apart(tmp_path: Path) -> None:
    """What is measured tells states apart, committed or not; documents, which a run writes itself, do not."""

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/performance.md").write_text("old")
    (tmp_path / "one").write_text("1")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    clean = state_of(tmp_path)
    (tmp_path / "docs/performance.md").write_text("new")
    assert state_of(tmp_path) == clean
    git("commit", "-a", "-m", "second")
    assert state_of(tmp_path) == clean
    (tmp_path / "one").write_text("2")
    changed = state_of(tmp_path)
    (tmp_path / "two").write_text("1")
    both = state_of(tmp_path)
    assert len({clean, changed, both}) == 3
    assert commit_of(tmp_path).endswith("+")
    git("add", ".")
    git("commit", "-m", "third")
    assert state_of(tmp_path) not in {clean, changed, both}
    assert not commit_of(tmp_path).endswith("+")
