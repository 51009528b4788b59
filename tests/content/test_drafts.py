"""Two people at one draft: nobody's work is lost, whatever the order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bff.content.drafts import Clash, Draft, Edit, Touch, Version, apply, difference, rebase

NOW = datetime(2026, 1, 2, tzinfo=UTC)
TEXTS = st.none() | st.sampled_from("abc")
CONTENT = st.dictionaries(st.sampled_from("xyz"), st.sampled_from("abc"))


def test_edits_of_different_entries_never_meet() -> None:
    """Grace and Ada saw the same draft; both edits stand."""
    draft = Draft({"x": "1", "y": "1"})
    draft, none = apply(draft, [Edit("x", "1", "ada")], "ada", NOW)
    draft, neither = apply(draft, [Edit("y", "1", "grace")], "grace", NOW)
    assert draft.content == {"x": "ada", "y": "grace"}
    assert not none + neither
    assert draft.touched["x"] == Touch("ada", NOW)


def test_who_edits_what_another_has_changed_is_told() -> None:
    """The second edit is not taken; it comes back beside what stands, and by whom."""
    draft, _ = apply(Draft({"x": "1"}), [Edit("x", "1", "ada")], "ada", NOW)
    after, clashes = apply(draft, [Edit("x", "1", "grace")], "grace", NOW)
    assert after == draft
    [clash] = clashes
    assert clash == Clash("x", "grace", "ada", Touch("ada", NOW))


def test_what_is_not_taken_does_not_hold_up_the_rest() -> None:
    """One save has many edits: one is so already, one clashes, and the last is taken."""
    draft = Draft({"x": "1", "y": "2"}, based_on=7)
    edits = [Edit("x", "0", "1"), Edit("y", "0", "mine"), Edit("z", None, "new")]
    after, clashes = apply(draft, edits, "ada", NOW)
    assert after.content == {"x": "1", "y": "2", "z": "new"}
    assert clashes == [Clash("y", "mine", "2", None)]
    assert after.based_on == 7


def test_the_same_edit_twice_is_no_clash() -> None:
    """A save that is sent again changes nothing and tells of nothing."""
    edits = [Edit("x", "1", None), Edit("y", None, "new")]
    draft, _ = apply(Draft({"x": "1"}), edits, "ada", NOW)
    assert draft.content == {"y": "new"}
    assert apply(draft, edits, "ada", NOW) == (draft, [])


def test_no_revision_comes_twice() -> None:
    """A draft that was discarded and begun anew has no revision of the old one's."""
    first, _ = apply(Draft({}), [Edit("x", None, "1")], "ada", NOW)
    later = NOW.replace(hour=1)
    again, _ = apply(Draft({}), [Edit("x", None, "2")], "ada", later)
    assert first.revision != again.revision


def test_a_revision_is_another_after_every_change() -> None:
    """Two in the same millisecond, or with a clock that was put back; one a millisecond later is later."""
    first, _ = apply(Draft({}), [Edit("x", None, "1")], "ada", NOW)
    second, _ = apply(first, [Edit("x", "1", "2")], "ada", NOW)
    third, _ = rebase({}, second, Version(1, {}, "grace", NOW), NOW - timedelta(days=1))
    assert first.revision < second.revision < third.revision
    later, _ = apply(Draft({}), [Edit("x", None, "1")], "ada", NOW + timedelta(milliseconds=1))
    assert later.revision != first.revision


def test_what_another_published_meanwhile_is_told_beside_ones_own() -> None:
    """One's own text stays; who published the other, and when, is told, and who touched what is kept."""
    touched = {"x": Touch("ada", NOW)}
    published = Version(2, {"x": "theirs", "y": "theirs"}, "grace", NOW + timedelta(hours=1))
    moved, clashes = rebase({"x": "old"}, Draft({"x": "mine"}, 1, 1, touched), published, NOW)
    assert moved.content == {"x": "mine", "y": "theirs"}
    assert clashes == [Clash("x", "mine", "theirs", Touch("grace", NOW + timedelta(hours=1)))]
    assert moved.touched == touched


@given(base=CONTENT, mine=CONTENT, theirs=CONTENT)
def test_a_draft_keeps_its_changes_over_a_newer_version(
    base: dict[str, str], mine: dict[str, str], theirs: dict[str, str]
) -> None:
    """Every change of the draft stands after it was brought up; every other entry is as published."""
    moved, clashes = rebase(base, Draft(mine, 1, 1), Version(2, theirs, "grace", NOW), NOW)
    changed = {change.path for change in difference(base, mine)}
    for path in {*base, *mine, *theirs}:
        assert moved.content.get(path) == (mine if path in changed else theirs).get(path)
    assert moved.based_on == 2
    both = {change.path for change in difference(base, theirs)} & changed
    assert {clash.path for clash in clashes} == {path for path in both if mine.get(path) != theirs.get(path)}


@given(content=CONTENT, edits=st.lists(st.tuples(st.sampled_from("xyz"), TEXTS, TEXTS)))
def test_an_edit_is_taken_or_told(content: dict[str, str], edits: list[tuple[str, str, str]]) -> None:
    """Never lost: afterwards the entry reads as wanted, or the clash has the text."""
    for path, was, now in edits:
        edit = Edit(path, was, now)
        draft, clashes = apply(Draft(content), [edit], "ada", NOW)
        taken = draft.content.get(path) == now
        assert taken or [clash.mine for clash in clashes] == [now] or was == now
