from hypothesis import given
from hypothesis import strategies as st

from aion_assets.core.lake.diff import RowDiff, data_version, diff_rows

_ROWS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=20)


def test_rows_are_new_changed_unchanged_or_orphaned() -> None:
    difference = diff_rows({"a": "1", "b": "1", "d": "1"}, {"a": "1", "b": "2", "c": "1"})
    assert (difference.new, difference.changed, difference.orphaned) == (["c"], ["b"], ["d"])
    assert difference.unchanged == 1
    assert difference.due == ["c", "b"]


@given(_ROWS, _ROWS)
def test_applying_a_difference_makes_the_stored_rows_the_wanted_ones(
    stored: dict[str, str], wanted: dict[str, str]
) -> None:
    difference = diff_rows(stored, wanted)
    result = {key: value for key, value in stored.items() if key not in difference.orphaned}
    result.update({key: wanted[key] for key in difference.due})
    assert result == wanted


@given(_ROWS, _ROWS, st.text(max_size=5))
def test_differences_of_two_ranges_add_up_to_that_of_the_whole(
    stored: dict[str, str], wanted: dict[str, str], edge: str
) -> None:
    total = RowDiff()
    for is_upper in (False, True):
        halves = ({key: value for key, value in rows.items() if (key >= edge) is is_upper} for rows in (stored, wanted))
        total.add(diff_rows(*halves))
    whole = diff_rows(stored, wanted)
    assert total.counts() == whole.counts()
    assert set(total.due) == set(whole.due) and set(total.orphaned) == set(whole.orphaned)


@given(_ROWS)
def test_a_data_version_does_not_depend_on_the_order_of_rows(rows: dict[str, str]) -> None:
    pairs = list(rows.items())
    assert data_version(pairs) == data_version(reversed(pairs))


def test_a_data_version_changes_with_a_key_a_hash_or_a_swap() -> None:
    versions = {
        data_version(rows)
        for rows in ([("a", "1")], [("a", "2")], [("b", "1")], [("a", "1"), ("b", "2")], [("a", "2"), ("b", "1")], [])
    }
    assert len(versions) == 6
