"""The standing of every claim of the market paper."""

from __future__ import annotations

from papers import Result

HOLDS, FALSE, CORRECTED = "holds", "false as printed", "holds as corrected"
RANDOM = "holds on random instances"

EXPECTED = {
    "market/definition-1": (FALSE, CORRECTED),
    "market/lemma-1": (HOLDS,),
    "market/lemma-2": (HOLDS,),
    "market/corollary-1": (HOLDS,),
    "market/lemma-7": (HOLDS,),
    "market/lemma-8": (HOLDS,),
    "market/lemma-9": (HOLDS,),
    "market/lemma-3": (HOLDS,),
    "market/lemma-4": (HOLDS,),
    "market/lemma-5": (HOLDS,),
    "market/lemma-6": (HOLDS,),
    "market/theorem-1-prime": (HOLDS,),
    "market/lemma-10": (FALSE, CORRECTED, CORRECTED),
    "market/lemma-11": (HOLDS,),
    "market/leading-utility": (HOLDS,),
    "market/theorem-1": (HOLDS,),
    "market/budget-balance": (HOLDS,),
    "market/no-deficit": (HOLDS,),
    "market/participation": (FALSE, CORRECTED),
    "market/others-utility": (FALSE, CORRECTED, CORRECTED),
    "market/ex-ante-fairness": (HOLDS,),
    "market/overhead": (FALSE, CORRECTED),
    "market/approximation": (HOLDS,),
    "market/naive-1-optimum": (FALSE, CORRECTED),
    "market/naive-1-equilibria": (HOLDS,),
    "market/naive-1-belief": (HOLDS,),
    "market/naive-2-belief": (HOLDS,),
    "market/naive-3-votes": (HOLDS,),
    "market/naive-3-gain": (HOLDS,),
    "market/naive-4-independent": (FALSE, CORRECTED),
    "market/naive-4-collusion": (HOLDS,),
    "market/vcg-truthful": (HOLDS,),
    "market/vcg-deficit": (HOLDS,),
    "market/vcg-collusion": (HOLDS,),
}


def test_every_claim_is_expected_and_only_those(all_results: dict[str, Result]) -> None:
    found = {n: r.verdicts for n, r in all_results.items() if n.startswith("market/")}
    assert found == EXPECTED
