"""`valuation.payments` on users' samples: the file, what comes out, what is refused."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

import aboveboard as ab
from aboveboard.commands import settle
from aboveboard.commands.checking import check_collaboration
from aboveboard.errors import InputError
from aboveboard.mechanisms.settlement import Settlement
from aboveboard.settlements.replaying import replay
from aboveboard.settlements.writing import summarize
from aboveboard.valuation import (
    FederatedMean,
    Payments,
    Population,
    compute_expected_errors,
    divide,
    private_mean,
)
from aboveboard.valuation.estimation import estimate_variance_components, federation, sum_samples
from aboveboard.valuation.estimation.federation import CROWD
from aboveboard.valuation.estimation.samples import Samples

F = Fraction
HEAD = "who,score,privacy\n"
ROWS = """\
anna,1.0,2
anna,2.0,2
bert,5.5,1
cleo,3.0,1
bert,4.5,1
cleo,2.0,1
cleo,4.0,1
dora,1000.0,0
dora,9.0,0
emil,0.5,2
"""
GINA = "gina,2.5,2\ngina,1.0,2\n"
"""A third direct user: of two, an estimate of s2 would tell each the other's mean."""
SCORES = {"anna": [1.0, 2.0], "bert": [5.5, 4.5], "cleo": [3.0, 2.0, 4.0], "emil": [0.5]}
FILE = """
mechanism = "valuation.payments"
{top}
[utility]
kind = "federated-mean"
s2 = {s2}
t2 = {t2}
[data]
file = "{file}"
user = "who"
value = "score"
level = "privacy"
{data}
{parties}
"""
DP = """
mechanism = "valuation.payments"
seed = 4
[utility]
kind = "dp-mean"
[data]
file = "samples.csv"
user = "who"
value = "score"
level = "privacy"
{bounds}
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def written(
        rows: str = HEAD + ROWS, text: str = FILE, name: str = "samples.csv", **more: str
    ) -> Path:
        (tmp_path / name).write_text(rows, encoding="utf-8")
        path = tmp_path / "c.toml"
        keys = {"s2": "0.5", "t2": "2.0", "top": "", "data": "", "parties": "", "file": name}
        path.write_text(text.format(**{**keys, "bounds": "bounds = [-4, 4]", **more}))
        return path

    return written


def settled(path: Path) -> Settlement:
    found = ab.run(ab.load(path))
    assert isinstance(found, Settlement)
    return found


def reply_of(settlement: Settlement, name: str) -> Any:
    return settlement.parties[name].reply.data


def test_the_parties_their_levels_and_samples_are_those_of_the_data(
    write: Callable[..., Path],
) -> None:
    settlement = settled(write())
    assert list(settlement.parties) == ["anna", "bert", "cleo", "dora", "emil"]
    assert settlement.details["levels"] == {"anna": 2, "bert": 1, "cleo": 1, "dora": 0, "emil": 2}
    utility = FederatedMean(
        Population(F(1, 2), F(2)), tuple(map(F, [2, 2, 3, 2, 1])), tuple(map(F, [1] * 5))
    )
    exact = divide(utility, tuple(map(F, [2, 1, 1, 0, 2])))
    for share, expected in zip(settlement.parties.values(), exact.users, strict=True):
        assert share.more["share"] == pytest.approx(float(expected))


def test_estimates_are_best_linear_ones_by_generalised_least_squares(
    write: Callable[..., Path],
) -> None:
    # An independent way to the same numbers: kriging with an unknown mean over what is seen.
    settlement = settled(write())
    s2, t2 = 0.5, 2.0
    seen = [1.5, 0.5, (5.0 + 3.0) / 2]
    spread = [s2 + t2 / 2, s2 + t2, (s2 + t2 * (1 / 2 + 1 / 3) / 2) / 2]
    covariance = np.diag(spread)
    ones = np.ones(3)
    inverse = np.linalg.inv(covariance)
    mean = ones @ inverse @ seen / (ones @ inverse @ ones)
    links = {"anna": [s2, 0, 0], "emil": [0, s2, 0], "bert": [0, 0, s2 / 2]}
    links |= {"cleo": links["bert"], "dora": [0, 0, 0]}
    for name, link in links.items():
        expected = mean + np.array(link) @ inverse @ (np.array(seen) - mean)
        assert reply_of(settlement, name)["the platform's estimate"] == pytest.approx(expected)
        assert "estimate" not in settlement.parties[name].more  # what all may read


def test_variances_are_estimated_from_those_who_share(write: Callable[..., Path]) -> None:
    crowd = {f"f{i}": [0.5 * i, i - 1.0, 2.0] for i in range(CROWD - 2)}
    rows = "".join(f"{name},{x},1\n" for name, mine in crowd.items() for x in mine)
    settlement = settled(write(HEAD + ROWS + rows, s2='"estimate"', t2='"estimate"'))
    sharing = [np.array(x) for x in (SCORES | crowd).values()]
    expected = estimate_variance_components(sum_samples(sharing))
    found = settlement.details["variances"]
    assert found["s2"] == pytest.approx(expected.s2, rel=1e-12)
    assert found["t2"] == pytest.approx(expected.t2, rel=1e-12)
    assert (found["estimated"], found["from users"]) == (["s2", "t2"], len(sharing))
    # And they are those by which the shares are computed.
    counts, levels = [2, 2, 3, 2, 1, *[3] * len(crowd)], [2, 1, 1, 0, 2, *[1] * len(crowd)]
    utility = FederatedMean(
        Population(F(found["s2"]), F(found["t2"])),
        tuple(map(F, counts)),
        tuple(map(F, [1] * len(counts))),
    )
    assert settlement.details["utility"] == pytest.approx(
        float(utility.worth(tuple(map(F, levels))))
    )


def test_few_federated_users_give_the_platform_one_sum_alone(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # bert and cleo have 2 and 3 samples: m + m' and 2 m + 3 m' together would tell m and m'.
    lengths: list[int] = []
    real = federation.secure_sum

    def counted(links: Any, length: int, **more: Any) -> Any:
        lengths.append(length)
        return real(links, length, **more)

    monkeypatch.setattr(federation, "secure_sum", counted)
    settlement = settled(write(HEAD + ROWS + GINA, s2='"estimate"', t2='"estimate"'))
    assert lengths == [1]
    own = [SCORES["anna"], SCORES["emil"], [2.5, 1.0]]
    direct = estimate_variance_components(sum_samples([np.array(x) for x in own]))
    found = settlement.details["variances"]
    assert (found["s2"], found["t2"], found["from users"]) == (direct.s2, direct.t2, 3)
    notes = " ".join(settlement.details["notes"])
    assert "the 2 federated users take no part in the estimates" in notes


def test_it_says_so_where_the_others_do_not_suffice_to_estimate(
    write: Callable[..., Path],
) -> None:
    rows = HEAD + "a,1,1\na,2,1\nb,3,1\nb,5,1\n"
    with pytest.raises(InputError, match=r"one sample each.* the 2 federated users take no part"):
        settled(write(rows, s2='"estimate"', t2='"estimate"'))


def test_one_variance_may_be_given(write: Callable[..., Path]) -> None:
    found = settled(write(HEAD + ROWS + GINA, s2='"estimate"')).details["variances"]
    assert (found["t2"], found["estimated"]) == (2.0, ["s2"])


def test_samples_of_who_shares_nothing_are_never_looked_at(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    real = Samples.read
    monkeypatch.setattr(Samples, "read", lambda self, user: looked.append(user) or real(self, user))
    one = settled(write(HEAD + ROWS + GINA, s2='"estimate"', t2='"estimate"'))
    assert set(looked) == {"anna", "bert", "cleo", "emil", "gina"}
    secret = (HEAD + ROWS + GINA).replace("dora,1000.0", "dora,a secret")
    other = settled(write(secret, s2='"estimate"', t2='"estimate"'))
    assert summarize(one) == summarize(other)


def test_the_platform_keeps_only_what_it_may_look_at(write: Callable[..., Path]) -> None:
    mechanism = ab.load(write()).mechanism
    assert isinstance(mechanism, Payments)
    assert mechanism.study is not None
    held = mechanism.study.samples.held
    columns = {id(own.values): own.values for own in held.values() if own.values is not None}
    kept = [x for column in columns.values() for x in column.drop_nulls().to_list()]
    federated = ["5.5", "3.0", "4.5", "2.0", "4.0"]
    assert kept == ["1.0", "2.0", *federated, "0.5"]


def test_the_platform_never_sees_a_federated_users_samples(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same sums, other summands: nothing that comes out differs.
    one = settled(write())
    swapped = (HEAD + ROWS).replace("bert,5.5", "bert,3.5").replace("bert,4.5", "bert,2.5")
    swapped = swapped.replace("cleo,3.0", "cleo,5.0").replace("cleo,2.0", "cleo,4.0")
    swapped = swapped.replace("cleo,4.0,1\ndora", "cleo,6.0,1\ndora")
    assert summarize(settled(write(swapped))) == summarize(one)


def test_the_report_sets_the_promised_error_beside_the_simulated_one(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    collaboration = ab.load(write(top="seed = 3"))
    settlement, _ = settle(collaboration, tmp_path / "out")
    (exhibit,) = settlement.exhibits
    promised = compute_expected_errors(Population(0.5, 2.0), [2, 1, 1, 0, 2], [2, 2, 3, 2, 1])
    for row, expected in zip(exhibit.rows, promised, strict=True):
        _, _, said, found, error, verdict = row
        assert said == pytest.approx(float(expected))
        assert abs(found - said) < 4 * error
        assert verdict == "agrees"
    assert "simulated rounds" in (tmp_path / "out/report.html").read_text(encoding="utf-8")
    with (tmp_path / "out/estimates.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["user"] for row in rows] == list(settlement.parties)
    reply = json.loads((tmp_path / "out/parties/cleo/reply.json").read_text(encoding="utf-8"))
    with (tmp_path / "out/center/estimates.csv").open(encoding="utf-8") as stream:
        kept = list(csv.DictReader(stream))
    assert reply["the platform's estimate"] == float(kept[2]["estimate"])
    assert "estimate" not in rows[2]
    assert replay(tmp_path / "out", settle).differ == ()


def test_a_wrong_promise_is_flagged(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from aboveboard.valuation.estimation import federated_study

    def too_good(*arguments: Any) -> tuple[float, ...]:
        return tuple(0.8 * float(x) for x in compute_expected_errors(*arguments))

    monkeypatch.setattr(federated_study, "compute_expected_errors", too_good)
    settlement = settled(write())
    assert {row[5] for row in settlement.exhibits[0].rows} == {"differs"}
    assert settlement.details["simulation"]["differing"] == list(settlement.parties)


def test_a_partys_own_table_overrides_the_column(write: Callable[..., Path]) -> None:
    settlement = settled(write(parties="[parties.dora]\nlevel = 2\nweight = 3\nsamples = 2"))
    assert settlement.details["levels"]["dora"] == 2


def test_without_a_column_of_levels_the_parties_are_those_listed(
    write: Callable[..., Path],
) -> None:
    parties = "[parties.cleo]\nlevel = 1\n[parties.anna]\nlevel = 2"
    settlement = settled(write(text=FILE.replace('level = "privacy"\n', ""), parties=parties))
    assert list(settlement.parties) == ["cleo", "anna"]
    assert any("3 users in samples.csv are not parties" in x for x in settlement.details["notes"])
    assert any("cleo is the only federated user" in x for x in settlement.details["notes"])


def test_parquet_does_as_well(write: Callable[..., Path], tmp_path: Path) -> None:
    expected = settled(write())
    path = write(file="samples.parquet")
    frame = pl.read_csv(tmp_path / "samples.csv")
    frame.write_parquet(tmp_path / "samples.parquet")
    assert summarize(settled(path)) == summarize(expected)


def test_a_negative_estimate_of_s2_is_said(write: Callable[..., Path]) -> None:
    rows = HEAD + "a,-9,2\na,9,2\nb,-8,2\nb,8,2\nc,7,2\nc,-7,2\n"
    settlement = settled(write(rows, s2='"estimate"', t2='"estimate"'))
    assert settlement.details["variances"]["s2"] == 0
    assert settlement.details["variances"]["s2 before truncation"] < 0
    assert any("below 0: it is taken as 0" in note for note in settlement.details["notes"])


def test_nobody_shares(write: Callable[..., Path]) -> None:
    settlement = settled(write(HEAD + "a,1,0\nb,2,0\n"))
    assert reply_of(settlement, "a")["the platform's estimate"] is None
    assert reply_of(settlement, "a")["expected squared error"] == 3.0
    assert settlement.exhibits == ()


PRIVATE = HEAD + "a,1,0.5\na,9,0.5\nb,-2,inf\nc,3,0\nd,0.5,2\n"


@pytest.mark.deep
def test_the_private_mean_is_released_once_and_replayed(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    pytest.importorskip("opendp")
    settlement, _ = settle(ab.load(write(PRIVATE, DP)), tmp_path / "out")
    released = json.loads((tmp_path / "out/release.json").read_text(encoding="utf-8"))
    plan = private_mean([F(1, 2), float("inf"), F(0), F(2)])
    assert released["expected squared error"] == pytest.approx(64 * float(plan.risk))
    assert released["epsilon spent"]["a"] <= 0.5
    assert replay(tmp_path / "out", settle).differ == ()
    (tmp_path / "out/release.json").write_text("{}")
    assert replay(tmp_path / "out", settle).differ == ("release.json",)
    # Only the release knows the data: the same levels with other samples give the same rest.
    others = PRIVATE.replace("b,-2", "b,3").replace("d,0.5", "d,-1.5")
    again, _ = settle(ab.load(write(others, DP)).with_spending("allow"), tmp_path / "again")
    assert summarize(again) == summarize(settlement)
    # But for the fingerprints of the inputs and outputs.
    pages = [(tmp_path / x / "report.html").read_text(encoding="utf-8") for x in ("out", "again")]
    one, other = (re.sub(r"[0-9a-f]{12,}", "", page) for page in pages)
    assert one == other


def test_a_user_alone_is_told_how_many_of_its_values_were_clipped(
    write: Callable[..., Path],
) -> None:
    pytest.importorskip("opendp")
    settlement = settled(write(PRIVATE, DP))
    assert reply_of(settlement, "a")["own values clipped"] == 1
    assert "own values clipped" not in reply_of(settlement, "c")
    assert "clipped" not in json.dumps(settlement.details)


def test_the_promised_risk_of_the_private_mean_is_simulated(write: Callable[..., Path]) -> None:
    pytest.importorskip("opendp")
    (exhibit,) = settled(write(PRIVATE, DP)).exhibits
    ((_, _, promised, found, error, verdict),) = exhibit.rows
    assert abs(promised - found) < 4 * error
    assert verdict == "agrees"


def test_without_privacy_there_is_no_noise_and_all_is_repeatable(
    write: Callable[..., Path],
) -> None:
    settlement = settled(write(HEAD + "a,1,inf\nb,-2,inf\nc,3,0\n", DP))
    assert settlement.unrepeatable == frozenset()
    assert settlement.files["release"].data["mean"] == -0.25


WRONG = [
    ({"rows": "who,points,privacy\na,1,2\n"}, "no column 'score' (data.value)"),
    ({"rows": "person,score,privacy\na,1,2\n"}, "no column 'person'|no column 'who'"),
    ({"rows": "who,score\na,1\n"}, "no column 'privacy' (data.level)"),
    ({"rows": HEAD}, "there are no rows"),
    ({"rows": HEAD + "a,1,2\na,2,1\n"}, "line 3: the level of user 'a' changes from 2 to 1"),
    ({"rows": HEAD + "a,1,2\nb,2,7\n"}, "level is 7; it is 0 (nothing), 1 (federated) or 2"),
    ({"rows": HEAD + "a,1,high\n"}, "the level of user 'a' is high"),
    ({"rows": HEAD + "a,1,-1\n"}, "the level of user 'a' is -1"),
    ({"rows": HEAD + "a,1,2\n,2,2\n"}, "line 3: 'who' is empty"),
    ({"rows": HEAD + "a,1,2\na,much,2\n"}, "line 3: column 'score' of user 'a' is not a finite"),
    ({"rows": HEAD + "a,nan,2\n"}, "line 2: column 'score' of user 'a' is not a finite number"),
    ({"rows": HEAD + "a,1,1\nb,inf,1\n"}, "line 3: column 'score' of user 'b' is not a finite"),
    ({"rows": HEAD + "a,,1\nb,1,1\n"}, "line 2: column 'score' of user 'a' is not a finite"),
    ({"rows": HEAD + "a,1e30,1\nb,1,1\n"}, "of user 'a' are too large to be summed exactly"),
    ({"rows": HEAD + "a/b,1,2\n"}, "this cannot be a party's name"),
    ({"parties": "[parties.ana]\nlevel = 2"}, "no samples of this user; did you mean 'anna'?"),
    (
        {"parties": "[parties.cleo]\nsamples = 5"},
        "parties.cleo.samples: it is 5, and samples.csv has 3",
    ),
    ({"file": "nowhere.csv"}, "nowhere.csv: there is no such file"),
    ({"file": "samples.xls", "name": "samples.xls"}, "its suffix does not say what it is"),
    ({"s2": "-1"}, "is -1; a variance is 0 or more"),
    ({"t2": "0"}, "is 0; this variance is more than 0"),
    ({"s2": '"guess"'}, "which is not a finite number"),
    ({"rows": HEAD + "a,1,2\nb,2,2\n", "t2": '"estimate"'}, "one sample each"),
    ({"rows": HEAD + "a,1,2\na,2,2\nb,2,0\n", "s2": '"estimate"'}, "takes two or more"),
    ({"text": DP, "bounds": ""}, "bounds is missing"),
    ({"text": DP, "bounds": "bounds = [4, -4]"}, "not the smaller and the larger"),
    ({"data": 'levels = "x"'}, "key 'data.levels': no such key"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=lambda x: None)
def test_what_is_wrong_is_said_in_one_line(
    wrong: dict[str, str], message: str, write: Callable[..., Path]
) -> None:
    with pytest.raises(ab.InputError) as refused:
        settled(write(**wrong))
    line = str(refused.value)
    assert any(part in line for part in message.split("|"))
    assert "\n" not in line


@pytest.mark.parametrize("text", [FILE, DP])
def test_a_check_names_every_user_whose_samples_are_no_numbers(
    text: str, write: Callable[..., Path]
) -> None:
    rows = HEAD + "a,1,1\nb,much,1\nb,2,1\nc,inf,2\nd,secret,0\ne,3,2\n"
    path = write(rows, text=text, bounds="bounds = [-4, 4]")
    faults = [str(fault) for fault in check_collaboration(path).faults]
    assert [fault.partition(" of user ")[2][:3] for fault in faults] == ["'b'", "'c'"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FILE.replace('level = "privacy"\n', ""), "nothing tells the users' privacy levels"),
        (FILE.replace("[data]", "[daata]"), "did you mean 'data'?"),
        (FILE.partition("[data]")[0].replace("{s2}", '"estimate"'), "there is no table data"),
        (FILE.replace('value = "score"', 'value = "who"'), "one column is named twice"),
    ],
)
def test_a_file_that_does_not_fit_its_data(
    text: str, message: str, write: Callable[..., Path]
) -> None:
    with pytest.raises(ab.InputError, match=message):
        settled(write(text=text))


OWN = """
mechanism = "valuation.payments"
[utility]
kind = "{kind}"
{variances}
[data]
value = "score"
{data}
{parties}
"""


class TestAFileAParty:
    """Every party's samples in a file of its own, instead of one with a column that names it."""

    @pytest.fixture
    def own(self, tmp_path: Path) -> Callable[..., Path]:
        def written(
            levels: dict[str, int], kind: str = "federated-mean", data: str = "", **more: str
        ) -> Path:
            parties = ""
            for name, level in levels.items():
                values = "".join(f"{x}\n" for x in SCORES.get(name, [1000.0, 9.0]))
                (tmp_path / f"{name}.csv").write_text(f"score\n{values}", encoding="utf-8")
                parties += more.get(
                    name, f'[parties.{name}]\ndata = "{name}.csv"\nlevel = {level}\n'
                )
            variances = "s2 = 0.5\nt2 = 2.0" if kind == "federated-mean" else ""
            path = tmp_path / "own.toml"
            path.write_text(OWN.format(kind=kind, variances=variances, data=data, parties=parties))
            return path

        return written

    LEVELS: ClassVar = {"anna": 2, "bert": 1, "cleo": 1, "dora": 0, "emil": 2}

    def test_gives_what_one_file_of_all_gives(
        self, own: Callable[..., Path], write: Callable[..., Path]
    ) -> None:
        pooled = settled(write())
        each = settled(own(self.LEVELS))
        for name in pooled.parties:
            assert each.parties[name].more == pytest.approx(pooled.parties[name].more)
            assert reply_of(each, name) == reply_of(pooled, name)

    def test_every_file_is_an_input_with_its_fingerprint(self, own: Callable[..., Path]) -> None:
        collaboration = ab.load(own(self.LEVELS))
        assert set(collaboration.inputs) == {f"{name}.csv" for name in self.LEVELS}
        content = (collaboration.path.parent / "bert.csv").read_bytes()
        assert collaboration.inputs["bert.csv"] == hashlib.sha256(content).hexdigest()

    def test_a_settlement_of_them_is_replayed_to_the_byte(
        self, own: Callable[..., Path], tmp_path: Path
    ) -> None:
        settle(ab.load(own(self.LEVELS)), tmp_path / "out")
        assert replay(tmp_path / "out", settle).differ == ()

    def test_nobody_looks_at_samples_of_who_shares_nothing(
        self, own: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked: list[str] = []
        real = Samples.read
        monkeypatch.setattr(
            Samples, "read", lambda self, user: looked.append(user) or real(self, user)
        )
        settled(own(self.LEVELS))
        assert set(looked) == {"anna", "bert", "cleo", "emil"}

    @pytest.mark.parametrize(
        ("data", "anna", "message"),
        [
            ("", "[parties.anna]\nlevel = 2\n", "parties.anna has no data; name its file"),
            ("", '[parties.anna]\ndata = "no.csv"\nlevel = 2\n',
             "parties.anna.data: no.csv: there is no such file"),
            ("", '[parties.anna]\ndata = "own.toml"\nlevel = 2\n', "parties.anna.data: own.toml"),
            ('file = "anna.csv"\nuser = "who"', None, "leave one out"),
            ('file = "anna.csv"', None, "file and user go together"),
            ('level = "privacy"', None, "say each party's level in its table"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_is_refused_in_one_line(
        self, own: Callable[..., Path], data: str, anna: str | None, message: str
    ) -> None:
        with pytest.raises(InputError, match=message) as refused:
            ab.load(own(self.LEVELS, data=data, **({} if anna is None else {"anna": anna})))
        assert "\n" not in str(refused.value)

    def test_data_without_the_table_that_names_the_column_are_refused(
        self, own: Callable[..., Path]
    ) -> None:
        path = own(self.LEVELS)
        path.write_text(path.read_text().replace('[data]\nvalue = "score"\n', ""))
        with pytest.raises(InputError, match=r"add a table \[data\] with value"):
            ab.load(path)
