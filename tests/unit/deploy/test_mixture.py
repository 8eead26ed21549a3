"""The bets: no expected gain under the null, by exact enumeration of small cases."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from aipipe_deploy.judge.bad import (
    BadEvidence,
    RawExcess,
    null_probability,
    odds_ratios,
    truncated_beta_points,
)
from aipipe_deploy.judge.latency import ALTERNATIVES, rows_of
from aipipe_deploy.judge.mixture import FIRST_STAKE, Mixture


def test_the_stake_of_a_mixture_never_exceeds_one_however_long_it_lasts() -> None:
    mixture = Mixture([0.25] * 4, seconds=600)
    assert mixture.value == pytest.approx(FIRST_STAKE)
    for _ in range(10_000):
        mixture.wait(1.0)
        mixture.bet([0.0] * 4)
    assert mixture.value == pytest.approx(1.0)


def test_a_mixture_that_lost_all_can_win_again_by_its_late_stake() -> None:
    mixture = Mixture([1.0], seconds=600)
    mixture.bet([-2000.0])
    assert mixture.value == 0.0
    for _ in range(20):
        mixture.wait(1.0)
        mixture.bet([2.0])
    assert mixture.value > 1e6


def test_wealth_beyond_all_bounds_stays_a_number() -> None:
    mixture = Mixture([0.5, 0.5], seconds=600)
    for _ in range(100):
        mixture.bet([300.0, -300.0])
    assert math.isfinite(mixture.value)
    assert mixture.best() == 0


def test_cutting_wealth_never_raises_it() -> None:
    mixture = Mixture([0.5, 0.5], seconds=600)
    mixture.bet([5.0, -5.0])
    poor = 0.5 * FIRST_STAKE * math.exp(-5.0)
    mixture.forget_above(0.5)
    assert mixture.value == pytest.approx(0.25 + poor)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("tolerance", [1.0, 1.05, 1.5])
def test_a_failed_request_is_expected_to_win_nothing_at_the_edge_of_the_null(
    share: float, tolerance: float
) -> None:
    null = null_probability(share, tolerance)
    for ratio in odds_ratios(null_probability(0.1, tolerance), 8):
        grown = 1.0 + null * (ratio - 1.0)
        assert null * ratio / grown + (1.0 - null) / grown == pytest.approx(1.0)
        inside = null * 0.8
        assert inside * ratio / grown + (1.0 - inside) / grown < 1.0


def test_the_mixture_of_errors_is_expected_to_keep_its_value_over_every_sequence() -> None:
    # All 2^8 assignments of eight errors to the two versions, at the edge of the null.
    share, tolerance = 0.2, 1.05
    null = null_probability(share, tolerance)
    ratios = odds_ratios(null_probability(0.1, tolerance), 8)
    expected = 0.0
    for owners in itertools.product((0, 1), repeat=8):
        mixture = Mixture([1 / 8] * 8, seconds=600)
        chance = 1.0
        for new in owners:
            chance *= null if new else 1.0 - null
            mixture.wait(10.0)
            mixture.bet([new * math.log(r) - math.log(1.0 + null * (r - 1.0)) for r in ratios])
        expected += chance * mixture.value
    stake = FIRST_STAKE + (1.0 - FIRST_STAKE) * 80.0 / 600.0
    assert expected == pytest.approx(stake)


def _binomials(n: int, p: float) -> list[float]:
    return [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]


@pytest.mark.parametrize(("old", "new"), [(6, 1), (9, 2), (4, 4), (2, 7)])
@pytest.mark.parametrize("slow", [0.01, 0.05, 0.3, 0.5, 0.9])
def test_latency_bets_are_expected_to_win_nothing_whatever_both_versions_share(
    old: int, new: int, slow: float
) -> None:
    # Requests beyond all three thresholds or beyond none: exact over both versions' counts.
    for c, a50, a95, a99, b50, b95, b99 in rows_of(old, new):
        expected = sum(
            p * q * math.exp(c + k * (a50 + a95 + a99) + j * (b50 + b95 + b99))
            for k, p in enumerate(_binomials(new, slow))
            for j, q in enumerate(_binomials(old, slow))
        )
        assert expected <= 1.0 + 1e-9


def test_latency_bets_are_expected_to_win_nothing_over_all_four_bands() -> None:
    old, new = 3, 2
    rng = random.Random(4)
    for _ in range(5):
        cuts = sorted(rng.random() for _ in range(3))
        bands = [b - a for a, b in itertools.pairwise([0.0, *cuts, 1.0])]
        expected = [0.0] * len(ALTERNATIVES)
        for placed in itertools.product(range(4), repeat=old + new):
            chance = math.prod(bands[band] for band in placed)
            o = [sum(b > level for b in placed[:old]) for level in range(3)]
            n = [sum(b > level for b in placed[old:]) for level in range(3)]
            for i, row in enumerate(rows_of(old, new)):
                c, *per = row
                ratio = c + sum(x * y for x, y in zip(per, n + o, strict=True))
                expected[i] += chance * math.exp(ratio)
        assert max(expected) <= 1.0 + 1e-9


def test_each_latency_bet_wins_where_its_own_alternative_holds() -> None:
    old_bands = (0.5, 0.45, 0.04, 0.01)
    for (_, multiples), row in zip(ALTERNATIVES, rows_of(900, 100), strict=True):
        weighted = [o * m for o, m in zip(old_bands, multiples, strict=True)]
        new_bands = [w / sum(weighted) for w in weighted]
        o = [900 * sum(old_bands[level:]) for level in (1, 2, 3)]
        n = [100 * sum(new_bands[level:]) for level in (1, 2, 3)]
        assert row[0] + sum(x * y for x, y in zip(row[1:], n + o, strict=True)) > 3.0


def test_weights_of_the_latency_bets_are_a_distribution() -> None:
    assert sum(weight for weight, _ in ALTERNATIVES) == pytest.approx(1.0)


def test_points_of_a_truncated_beta_lie_in_slices_of_equal_mass() -> None:
    assert truncated_beta_points(1.0, 1.0, 0.2, 4) == pytest.approx([0.3, 0.5, 0.7, 0.9], abs=1e-3)
    cubic = truncated_beta_points(3.0, 1.0, 0.0, 2)
    assert cubic == pytest.approx([0.25 ** (1 / 3), 0.75 ** (1 / 3)], abs=1e-3)


def test_a_long_shared_outage_wins_nothing_and_hides_nothing_afterwards() -> None:
    evidence = BadEvidence(tolerance=1.05, dispersion=1.0, seconds=600)
    rng = random.Random(2)
    for _ in range(60):
        bad = [sum(rng.random() < 0.5 for _ in range(n)) for n in (45, 5)]
        assert evidence.observe(1.0, (45, 5), (bad[0], bad[1])) < 1.0
    for needed in range(30):  # noqa: B007 - asserted on below
        value = evidence.observe(1.0, (45, 5), (0, 1))
        if value >= 300:
            break
    assert needed < 12


def test_one_burst_counts_like_a_single_error_at_most() -> None:
    burst = BadEvidence(tolerance=1.05, dispersion=1.0, seconds=600)
    single = BadEvidence(tolerance=1.05, dispersion=1.0, seconds=600)
    for _ in range(100):
        burst.observe(1.0, (45, 5), (0, 0))
        single.observe(1.0, (45, 5), (0, 0))
    assert burst.observe(1.0, (45, 15), (0, 10)) < single.observe(1.0, (45, 5), (0, 1))


def test_known_clumping_makes_the_same_errors_weigh_less() -> None:
    values = []
    for dispersion in (1.0, 2.0, 5.0):
        evidence = BadEvidence(tolerance=1.05, dispersion=dispersion, seconds=600)
        for _ in range(6):
            value = evidence.observe(1.0, (45, 5), (0, 1))
        values.append(value)
    assert values == sorted(values, reverse=True)
    assert values[0] > 20 * values[2]


def test_a_version_without_traffic_or_alone_in_traffic_gives_no_evidence() -> None:
    for requests in ((50, 0), (0, 50), (0, 0)):
        evidence = BadEvidence(tolerance=1.05, dispersion=1.0, seconds=600)
        start = evidence.value
        for _ in range(20):
            evidence.observe(1.0, requests, (min(1, requests[0]), min(1, requests[1])))
        assert evidence.value <= start + 0.05


def test_raw_excess_is_zero_without_excess_and_large_for_bursts() -> None:
    excess = RawExcess()
    assert excess.nats() == 0.0
    excess.add(1, 9, 0.1)
    assert excess.nats() == pytest.approx(0.0)
    excess.add(10, 0, 0.1)
    assert excess.nats() > 5.0
