"""The judge: ticks in, one verdict out, and right at whatever tick one asks."""

from __future__ import annotations

import math

from aipipe_deploy.judge.bad import BadEvidence
from aipipe_deploy.judge.clock import TickClock
from aipipe_deploy.judge.enough import Enough
from aipipe_deploy.judge.latency import LatencyEvidence
from aipipe_deploy.judge.outright import TotalFailure
from aipipe_deploy.judge.settings import JudgeSettings
from aipipe_deploy.judge.tick import Arm, fault_of
from aipipe_deploy.judge.verdict import Outcome, Verdict
from aipipe_deploy.judge.wide import WideEvidence

_DOUBTFUL = 0.25
"""An e-value of this part of the one that rolls back forbids to pass at the end."""
_UNUSABLE = 0.1
"""More than this part of the ticks unusable, and the judge does not know."""
_WIDE = 0.1
"""Part of the stake on errors that is placed where nearly all traffic is the new version's."""
_TOLD_FROM = 1.1
"""From such a dispersion on the reason names it."""
_STRONG = 10.0
"""Such an e-value is strong evidence (Jeffreys' scale; Vovk and Wang 2021, Section 2)."""
_SETTLING = 15.0
"""For so long a slow new version may still be warming up and must show that it is not."""
_PROOF_AFTER_WARMUP = 2.9
"""No verdict on latency before so many seconds past the warm-up: three blocks, less jitter."""


class Judge:
    """Watches one window. Feed it ticks in order; it answers once.

    :meth:`observe` returns the verdict when it falls and None before; after that the judge
    keeps it and ignores what comes. :meth:`finish` ends the window.
    """

    def __init__(self, settings: JudgeSettings | None = None) -> None:
        self.settings = settings or JudgeSettings()
        s = self.settings
        self.verdict: Verdict | None = None
        self._clock = TickClock()
        self._bad = BadEvidence(tolerance=s.tolerance, dispersion=s.dispersion, seconds=s.seconds)
        self._wide = WideEvidence(tolerance=s.tolerance, dispersion=s.dispersion)
        slow = s.dispersion if s.slow_dispersion is None else s.slow_dispersion
        self._slow = LatencyEvidence(dispersion=slow, seconds=s.seconds)
        self._total = TotalFailure()
        self._enough = Enough(margin=s.margin, dispersion=s.dispersion)
        self._limit = 1.0 / s.alpha
        self._suspicious = math.log(self._limit) * max(1.0, s.dispersion)
        self._sure = -math.log(s.beta)
        self._warm = s.warmup <= 0.0
        self._earliest_pass = s.earliest_pass * s.seconds - 1e-9
        self._earliest_slow = s.warmup + _PROOF_AFTER_WARMUP
        self._ticks = 0
        self._t = 0.0
        self._faults: dict[str, int] = {}

    def observe(self, t: float, old: Arm, new: Arm, crash: str = "") -> Verdict | None:
        """Take the counts of the seconds that end at ``t``."""
        if self.verdict is not None:
            return self.verdict
        if crash:
            return self._decide(Outcome.FAIL, t, crash)
        self._ticks += 1
        fault = fault_of(old) or fault_of(new)
        if fault or not math.isfinite(t):
            self.note(fault or f"a time of {t}")
            return None
        seconds = self._clock.advance(t)
        if not seconds:
            return None
        self._t = t
        if old.requests or new.requests:
            return self._weigh(seconds, old, new)
        self._bad.observe(seconds, (0, 0), (0, 0))
        self._slow.observe(seconds, old, new)
        return self._close_if_over()

    def note(self, fault: str) -> None:
        """Remember a tick that could not be used: unknown, never a reason to roll back."""
        self._faults[fault] = self._faults.get(fault, 0) + 1

    def finish(self) -> Verdict:
        """End the window now; the verdict if none has fallen yet."""
        return self.verdict or self._last_word()

    def _weigh(self, seconds: float, old: Arm, new: Arm) -> Verdict | None:
        requests = (old.requests, new.requests)
        bad = (old.bad, new.bad)
        self._bad.observe(seconds, requests, bad)
        self._wide.observe(seconds, requests, bad)
        error = self._errors()
        self._enough.observe(seconds, requests, bad)
        if self._total.observe(seconds, requests, bad):
            return self._decide(
                Outcome.FAIL, self._t, "the new version answers every request with an error"
            )
        self._slow.observe(seconds, old, new)
        if not self._warm:
            self._warm_up()
        share = self.settings.bad_share
        evidence = share * error
        if (1.0 - share) * self._slow.value >= 1.0 and self._slow_counts():
            evidence += (1.0 - share) * self._slow.value
        if evidence >= self._limit:
            return self._decide(Outcome.FAIL, self._t, self._why_fail(evidence))
        return self._close_if_over()

    def _warm_up(self) -> None:
        if self._clock.elapsed >= self.settings.warmup - 1e-9:
            self._slow.excuse()
            self._warm = True

    def _slow_counts(self) -> bool:
        slow = self._slow
        if not self._warm:
            return False
        elapsed = self._clock.elapsed
        if elapsed < _SETTLING and (elapsed < self._earliest_slow or not slow.lasts()):
            return False
        return slow.matters()

    def _close_if_over(self) -> Verdict | None:
        elapsed = self._clock.elapsed
        if elapsed < self._earliest_pass:
            return None
        settings = self.settings
        if elapsed >= settings.seconds - 1e-9:
            return self._last_word()
        if self._is_good():
            return self._decide(
                Outcome.PASS,
                self._t,
                f"no worse than the old version by {100 * settings.margin:g} % of requests"
                f" (sure to {100 * (1 - settings.beta):g} %), and no sign of harm",
            )
        return None

    def _is_good(self) -> bool:
        return (
            self._enough.nats >= self._sure
            and self._enough.old > 0
            and self._doubt() < 0.1 * self._limit
            and self._bad.raw_excess.nats() < self._suspicious / 2.0
            and not self._unusable()
        )

    def _errors(self) -> float:
        """The e-value of the errors: the two bets on them with their parts of the stake."""
        return (1.0 - _WIDE) * self._bad.value + _WIDE * self._wide.value

    def _doubt(self) -> float:
        share = self.settings.bad_share
        return share * self._errors() + (1.0 - share) * self._slow.value

    def _unusable(self) -> bool:
        return sum(self._faults.values()) > max(2.0, _UNUSABLE * self._ticks)

    def _last_word(self) -> Verdict:
        """Judge a window that ended without one."""
        t = self._t
        enough = self._enough
        enough.settle()
        if self._unusable():
            return self._decide(
                Outcome.INCONCLUSIVE, t, "too many measurements could not be used", probes=True
            )
        if not enough.new or not enough.old:
            idle = "the new version" if not enough.new else "the old version"
            return self._decide(
                Outcome.INCONCLUSIVE, t, f"{idle} had no traffic to compare", probes=True
            )
        if self._doubt() >= _DOUBTFUL * self._limit:
            return self._decide(
                Outcome.INCONCLUSIVE, t, "the new version looks worse, but not surely so"
            )
        if self._bad.raw_excess.nats() >= self._suspicious:
            return self._decide(
                Outcome.INCONCLUSIVE,
                t,
                f"the new version failed {enough.new_bad:g} requests in bursts;"
                " one cause or many cannot be told",
            )
        if enough.nats < self._sure:
            return self._decide(Outcome.INCONCLUSIVE, t, self._why_unsure(), probes=True)
        return self._decide(Outcome.PASS, t, "the window ended without a sign of harm")

    def _why_unsure(self) -> str:
        seen = self._enough
        return (
            f"{seen.new:g} requests to the new version, {seen.new_bad:g} of them bad,"
            f" and {seen.old:g} to the old one, {seen.old_bad:g} bad, are too few"
            " for an answer"
        )

    def _why_fail(self, evidence: float) -> str:
        """Tell what weighs most, and beside slowness the failures that can be seen."""
        self._enough.settle()
        seen = self._enough
        clumped = self.settings.dispersion
        counted = f", each counted as 1/{clumped:.1f}" if clumped >= _TOLD_FROM else ""
        fails = (
            f"fails more: {seen.new_bad:g} of {seen.new:g} requests,"
            f" the old one {seen.old_bad:g} of {seen.old:g}"
        )
        if 2.0 * self.settings.bad_share * self._errors() >= evidence:
            return f"the new version {fails} (e-value {evidence:.0f}{counted})"
        slower = f"is slower: {self._slow.times_slower()} (e-value {evidence:.0f})"
        if self._errors() >= _STRONG:
            return f"the new version {slower}; it {fails}"
        return f"the new version {slower}"

    def _decide(self, outcome: Outcome, t: float, reason: str, *, probes: bool = False) -> Verdict:
        findings = [f"{fault}, {count} times" for fault, count in self._faults.items()]
        if self._clock.jumps:
            findings.append(f"the clock jumped {self._clock.jumps} times")
        if self._clock.repeats:
            findings.append(f"{self._clock.repeats} ticks came twice")
        self.verdict = Verdict(outcome, t, reason, probes, tuple(findings))
        return self.verdict
