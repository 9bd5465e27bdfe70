"""Files read side by side: the same records, fingerprints and faults, in the same order."""

from __future__ import annotations

from pathlib import Path

import pytest

from aboveboard.collaborations import inputs
from aboveboard.collaborations.inputs import Reader
from aboveboard.errors import InputError
from aboveboard.mechanisms.reading import ListSource
from aboveboard.storage.options import DataOptions

LISTS = {
    "a": "domain,score\nx.example,1\ny.example,2\n",
    "b": "domain,score\nx.example\n",  # a field too few
    "c": "domain\nz.example\n",
    "d": "no,such,column\n1,2,3\n",
}


@pytest.mark.parametrize("sizes", [range(0), range(1, 1 << 20), range(1, 25)])
def test_how_many_files_are_read_at_a_time_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: range
) -> None:
    monkeypatch.setattr(inputs, "ALONGSIDE", sizes)
    faults: list[InputError] = []
    reader = Reader(tmp_path / "lists.toml", faults)
    options = DataOptions(kind="domain", key="domain")
    sources = {"listed": ListSource(None, ["q.example"], DataOptions(kind="domain"))}
    for name, text in LISTS.items():
        (tmp_path / f"{name}.csv").write_text(text)
        sources[name] = ListSource(Path(f"{name}.csv"), None, options)
    sources["gone"] = ListSource(Path("gone.csv"), None, options)
    found = {name: records.elements.to_list() for name, records in reader.read_lists(sources)}
    assert found == {
        "listed": ["q.example"], "a": ["x.example", "y.example"], "b": [], "c": ["z.example"],
        "d": [], "gone": [],
    }  # fmt: skip
    assert list(found) == list(sources)
    assert list(reader.inputs) == ["a.csv", "c.csv"]
    places = [fault.place.partition("parties.")[2][:1] for fault in faults]
    assert places == ["b", "d", "g"]
