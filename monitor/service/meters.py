"""What is counted while the daemon runs (Prometheus). Labels are ours: no name of a package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.http.limits import Account
    from monitor.store import Metrics

_LAGS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 21_600, 86_400)
_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)


class Meters:
    """All of them; ``registry`` is what ``/metrics`` shows."""

    def __init__(self) -> None:
        own = self.registry = CollectorRegistry()
        self.lag = Histogram(
            "leakmon_discovery_lag_seconds", "From a publication to its being on record",
            ["ecosystem"], buckets=_LAGS, registry=own,
        )  # fmt: skip
        self.scans = Histogram(
            "leakmon_scan_seconds", "Time to open and inspect one artifact",
            ["ecosystem"], buckets=_SECONDS, registry=own,
        )  # fmt: skip
        self.alerts = Histogram(
            "leakmon_alert_seconds", "From an event to its message", ["channel"],
            buckets=_LAGS, registry=own,
        )  # fmt: skip
        self.bytes = Counter("leakmon_bytes", "Bytes fetched", ["ecosystem"], registry=own)
        self.rows = Counter("leakmon_feed_rows", "Rows read of feeds", ["feed"], registry=own)
        self.kept = Counter("leakmon_feed_kept", "Rows that may be ours", ["feed"], registry=own)
        self.findings = Counter(
            "leakmon_findings", "Findings in settled artifacts", ["detector", "severity"],
            registry=own,
        )  # fmt: skip
        self.deliveries = Counter(
            "leakmon_deliveries", "Messages by how they went", ["channel", "outcome"], registry=own
        )
        self.errors = Counter(
            "leakmon_errors", "What went wrong, by step and reason", ["step", "reason"],
            registry=own,
        )  # fmt: skip
        self.restarts = Counter("leakmon_loop_restarts", "Loops that died", ["loop"], registry=own)
        self.canary = Gauge(
            "leakmon_canary_success_timestamp_seconds", "When the canary last sang", registry=own
        )
        self._gauges()

    def _gauges(self) -> None:
        own = self.registry
        self.checkpoint_age = Gauge(
            "leakmon_checkpoint_age_seconds", "Since a feed last moved", ["feed"], registry=own
        )
        self.poll_age = Gauge(
            "leakmon_poll_age_seconds", "Since a feed last answered", ["feed"], registry=own
        )
        self.depth = Gauge("leakmon_jobs", "Jobs", ["kind", "state"], registry=own)
        self.queue_age = Gauge(
            "leakmon_queue_age_seconds", "How long the oldest due job has waited", registry=own
        )
        self.outgoing = Gauge("leakmon_alerts", "Alerts", ["channel", "state"], registry=own)
        self.outgoing_age = Gauge(
            "leakmon_alert_age_seconds", "Age of the oldest undelivered alert", ["channel"],
            registry=own,
        )  # fmt: skip
        self.artifacts = Gauge("leakmon_artifacts", "Artifacts", ["state"], registry=own)
        self.incidents = Gauge(
            "leakmon_incidents", "Incidents", ["state", "severity"], registry=own
        )
        self.gaps = Gauge("leakmon_open_gaps", "Gaps that no backfill has closed", registry=own)
        self.disk_full = Gauge("leakmon_intake_stopped", "1 while a disk is full", registry=own)
        self._limit_gauges()

    def _limit_gauges(self) -> None:
        own, names = self.registry, ["host", "resource"]
        self.limit_remaining = Gauge(
            "leakmon_rate_limit_remaining", "What a host still answers until its limit is reset",
            names, registry=own,
        )  # fmt: skip
        self.limit_reset = Gauge(
            "leakmon_rate_limit_reset_timestamp_seconds", "When that is", names, registry=own
        )
        self.held_until = Gauge(
            "leakmon_rate_limit_held_until_timestamp_seconds",
            "Until when a host is left alone as it asked for, 0 for never", names, registry=own,
        )  # fmt: skip
        self.api_requests = Gauge(
            "leakmon_api_requests", "Requests since the start to hosts with a limit", names,
            registry=own,
        )  # fmt: skip
        self.api_unchanged = Gauge(
            "leakmon_api_unchanged", "Those of them that were answered 'as before' (304)", names,
            registry=own,
        )  # fmt: skip
        self.clone_bytes = Gauge(
            "leakmon_clone_bytes", "Bytes that git fetched since the start", registry=own
        )

    def show_limits(self, accounts: Mapping[tuple[str, str], Account], clone_bytes: int) -> None:
        """Bring the gauges up to what hosts said of their limits; the others are not shown."""
        for (host, resource), account in accounts.items():
            if account.limit is None or account.remaining is None:
                continue
            self.limit_remaining.labels(host, resource).set(account.remaining)
            self.limit_reset.labels(host, resource).set(account.reset)
            self.held_until.labels(host, resource).set(account.held_until)
            self.api_requests.labels(host, resource).set(account.requests)
            self.api_unchanged.labels(host, resource).set(account.unchanged)
        self.clone_bytes.set(clone_bytes)

    def show(self, counted: Metrics, polled: dict[str, datetime], now: datetime) -> None:
        """Bring the gauges up to what the database says."""
        for gauge in (self.depth, self.outgoing, self.outgoing_age, self.artifacts, self.incidents):
            gauge.clear()
        for feed, count in counted.feeds.items():
            if feed in polled:
                self.checkpoint_age.labels(feed).set((now - count.moved_at).total_seconds())
        for feed, at in polled.items():
            self.poll_age.labels(feed).set((now - at).total_seconds())
        for table, gauge in (
            (counted.jobs, self.depth),
            (counted.outgoing, self.outgoing),
            (counted.incidents, self.incidents),
        ):
            for first, states in table.items():
                for second, number in states.items():
                    gauge.labels(first, second).set(number)
        for channel, at in counted.oldest_outgoing_at.items():
            self.outgoing_age.labels(channel).set((now - at).total_seconds())
        for state, number in counted.artifacts.items():
            self.artifacts.labels(state).set(number)
        oldest = counted.oldest_job_at
        self.queue_age.set((now - oldest).total_seconds() if oldest else 0)
        self.gaps.set(counted.open_gaps)
