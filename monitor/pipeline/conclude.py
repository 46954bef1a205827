"""From a subject's outcomes to what is told of it: merge, conclude, judge, suppress."""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct, field, structs

from monitor.detectors import ARTIFACT_DETECTORS
from monitor.judge import judge
from monitor.judge import verdict as verdicts
from monitor.model import Inspection, Organisation, Skipped, Status, TargetReport, Verdict
from monitor.pipeline import attested, hollow
from monitor.pipeline.subjects import EXPECTED_GAPS, UNANSWERED
from monitor.suppress import Hidden, Suppressions, apply, expired

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.detectors import Context
    from monitor.errors import LeakmonError
    from monitor.pipeline.private_code import PrivateCode
    from monitor.pipeline.subjects import Subject
    from monitor.sandbox import Outcome


class Policy(Struct, frozen=True, kw_only=True):
    """What the operator decided that bears on a verdict. ``today`` lets ignores expire.

    ``has_inline_ignores``: comments in the files of a folder may silence findings; never in what
    came from a registry, whose author would like that.
    """

    today: date
    organisations: tuple[Organisation, ...] = ()
    suppressions: Suppressions = Suppressions()
    has_inline_ignores: bool = True


class Concluded(Struct, kw_only=True):
    """The report on one subject, the findings hidden from it, and lines the operator should see."""

    report: TargetReport
    hidden: list[Hidden] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def conclude_subject(
    subject: Subject,
    outcomes: Sequence[Outcome],
    context: Context,
    policy: Policy,
    private_code: PrivateCode | None = None,
) -> Concluded:
    """Everything that is told of a subject whose jobs have ended, well or badly."""
    inspection = merged(o.inspection for o in outcomes if o.inspection is not None)
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if failed and len(failed) == len(outcomes):
        assert failed[0].error is not None
        return failure(subject, failed[0].error)
    for outcome in failed:
        assert outcome.error is not None
        reason = outcome.error.reason
        inspection.skipped += [Skipped(shown, reason) for _, shown in outcome.job.files]
    if private_code is not None:
        found, unread = private_code.look([outcome.prints for outcome in outcomes], inspection)
        inspection.findings += found
        subject.skipped += unread
    gaps = [gap for gap in subject.skipped if gap.reason not in EXPECTED_GAPS]
    expected = [gap for gap in subject.skipped if gap.reason in EXPECTED_GAPS]
    gaps = inspection.skipped + gaps
    gaps += hollow.gaps(subject, inspection, gaps)
    inspection.skipped = [gap for gap in gaps if gap.reason not in UNANSWERED]
    inspection.findings += subject.findings
    conclude(inspection, _known(subject, context))
    inspection.skipped += [gap for gap in gaps if gap.reason in UNANSWERED]
    return _judged(subject, inspection, expected, policy)


def _known(subject: Subject, context: Context) -> Context:
    """The context with what the registry says of this very subject."""
    context = attested.known(subject, context)
    release = subject.release
    if release is None or context.publisher:
        return context
    return structs.replace(context, publisher=release.publisher)


def failure(subject: Subject, error: LeakmonError) -> Concluded:
    """The report on a subject that could not be inspected at all."""
    return Concluded(
        report=TargetReport(
            target=subject.target,
            status=Status.FAILED,
            purl=subject.purl,
            filename=subject.filename,
            skipped=[Skipped(subject.filename or subject.target, error.reason)],
            verdict=Verdict(summary=f"Not inspected: {error}"),
        )
    )


def _judged(
    subject: Subject, inspection: Inspection, expected: list[Skipped], policy: Policy
) -> Concluded:
    posture, verdict, findings = judge(
        inspection,
        target=subject.purl or subject.target,
        organisation=_owner(subject, inspection, policy.organisations),
        release=subject.release,
        is_history=subject.history is not None,
    )
    if subject.history is not None:
        findings = subject.history.findings(findings)
        inspection.skipped = subject.history.gaps(inspection.skipped)
        expected = subject.history.gaps(expected)
        verdict = verdicts.conclude(findings, inspection, posture)
    suppressions = _with_inline(subject, inspection, policy)
    notes = expired(findings, suppressions, policy.today)
    kept, hidden = apply(findings, suppressions, policy.today)
    if hidden:
        verdict = verdicts.conclude(kept, inspection, posture)
    if hidden and not kept:
        things = "1 known finding is" if len(hidden) == 1 else f"{len(hidden):,} known findings are"
        verdict = Verdict(verdict.severity, f"Nothing new: {things} hidden.", verdict.reasons)
    is_single = len(subject.jobs) == 1 and len(subject.jobs[0].files) == 1
    is_single = is_single and not subject.folder and subject.history is None
    report = TargetReport(
        target=subject.target,
        status=Status.PARTIAL if inspection.skipped else Status.COMPLETE,
        bytes=inspection.bytes,
        members=len(inspection.members),
        inspected_bytes=inspection.inspected_bytes,
        purl=subject.purl,
        filename=subject.filename,
        sha256=(inspection.sha256 or None) if is_single else None,
        provenance=attested.announced(subject),
        skipped=inspection.skipped + expected,
        posture=posture,
        verdict=verdict,
        findings=kept,
    )
    return Concluded(report=report, hidden=hidden, notes=notes)


def _with_inline(subject: Subject, inspection: Inspection, policy: Policy) -> Suppressions:
    if subject.folder is None or not policy.has_inline_ignores:
        return policy.suppressions
    from monitor.suppress.inline import folder_lines, inline_ignores

    inline = inline_ignores(inspection.findings, folder_lines(subject.folder), honour_inline=True)
    known = policy.suppressions
    return Suppressions(baselines=known.baselines, ignores=known.ignores + inline)


def _owner(
    subject: Subject, inspection: Inspection, organisations: Sequence[Organisation]
) -> Organisation | None:
    """The configured organisation that publishes this package: by its name, or else by its build.

    What lies on the operator's own machine belongs to their organisation if there is just one.
    """
    own = inspection.main_manifest
    names = {(own.ecosystem, own.name.lower())} if own is not None else set()
    if subject.artifact is not None:
        names = {(subject.artifact.ecosystem, subject.artifact.name.lower())}
    for organisation in organisations:
        if any(_publishes(organisation, *name) for name in names):
            return organisation
    proven = attested.owner(subject, organisations)
    if proven is not None:
        return proven
    if subject.artifact is None and len(organisations) == 1:
        return organisations[0]
    return None


def _publishes(organisation: Organisation, ecosystem: str, name: str) -> bool:
    """Whether the name is the organisation's, or was never to be public at all."""
    if ecosystem in {"npm", "pypi"} and any(
        fnmatchcase(name, glob.lower()) for glob in organisation.internal_names
    ):
        return True
    if ecosystem == "npm":
        scope = name.partition("/")[0]
        globs = organisation.npm.packages
        return scope in organisation.npm.scopes or any(fnmatchcase(name, glob) for glob in globs)
    if ecosystem == "pypi":
        return any(fnmatchcase(name, glob) for glob in organisation.pypi.packages)
    owner = f"{ecosystem}:{name}"
    return any(fnmatchcase(owner, f"{address}/*") for address in organisation.repositories)


def conclude(inspection: Inspection, context: Context) -> None:
    """Run the detectors that look at an artifact as a whole."""
    for detect in ARTIFACT_DETECTORS:
        inspection.findings.extend(detect(inspection, context))


def merged(parts: Iterable[Inspection]) -> Inspection:
    """One inspection out of those of an artifact's parts, in their order."""
    whole = Inspection()
    for part in parts:
        whole.bytes += part.bytes
        whole.inspected_bytes += part.inspected_bytes
        whole.sha256 = part.sha256
        whole.cpu_seconds += part.cpu_seconds
        whole.members += part.members
        whole.findings += part.findings
        whole.skipped += part.skipped
        whole.hazards += part.hazards
        whole.manifests += part.manifests
        whole.dependencies += part.dependencies
        whole.source_maps += part.source_maps
        whole.map_references += part.map_references
        whole.stale_bytecode += part.stale_bytecode
    return whole
