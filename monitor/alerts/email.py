"""E-mail over SMTP with TLS: one conversation per incident.

``Message-ID`` is made from the event's id and ``In-Reply-To`` names the first mail's, so that mail
programs hold the thread together and servers that know duplicates drop them: after a lost answer
the same mail is sent again under the same id (RFC 5322, section 3.6.4). Mails say that they were
made by a machine (RFC 3834).
"""

from __future__ import annotations

import hashlib
import html
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Any

from monitor.alerts.errors import (
    BusyError,
    MisconfiguredError,
    RejectedError,
    UnansweredError,
    UnreachableError,
)
from monitor.alerts.telling import Telling, digest_lines, digest_subject, line, telling
from monitor.http import trust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitor.alerts.settings import AlertSettings, EmailSettings
    from monitor.model import Digest, Outgoing

TIMEOUT_SECONDS = 30.0
_BUSY_SECONDS = 60.0
_TRY_LATER = frozenset({421, 450, 451, 452, 454})
_REMEDIES = {
    "login": "look at alerts.email.username and password",
    "sender": "the server does not let leakmon send as alerts.email.from",
    "recipients": "look at alerts.email.to",
}


def channel(settings: AlertSettings) -> EmailChannel | None:
    """The configured channel, None if there is none."""
    return EmailChannel(settings.email) if settings.email is not None else None


class EmailChannel:
    """One list of readers. A message's id is its ``Message-ID``."""

    name = "email"

    def __init__(
        self, settings: EmailSettings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._settings = settings
        self._now = now

    async def send(self, outgoing: Outgoing) -> str:
        """See ``monitor.alerts.Channel``."""
        told = telling(outgoing, self._now())
        mail = self._mail(told.subject, outgoing.id)
        if outgoing.thread is not None:
            mail.replace_header("Subject", f"Re: {told.subject}")
            mail["In-Reply-To"] = mail["References"] = outgoing.thread
        mail["X-Leakmon-Incident"] = outgoing.incident.id
        mail["X-Leakmon-Severity"] = outgoing.incident.severity.value
        mail.set_content("\n".join(_lines(told, outgoing)), cte="quoted-printable")
        page = _page(told, outgoing)
        mail.add_alternative(page, subtype="html", cte="quoted-printable")
        await self._submit(mail)
        return str(mail["Message-ID"])

    async def digest(self, digest: Digest) -> str:
        """See ``monitor.alerts.Channel``."""
        mail = self._mail(digest_subject(digest), digest.id)
        mail.set_content("\n".join(digest_lines(digest)), cte="quoted-printable")
        await self._submit(mail)
        return str(mail["Message-ID"])

    async def find(self, _outgoing: Outgoing | Digest) -> str | None:
        """None: mailboxes are not ours to read; a mail twice bears the same ``Message-ID``."""
        return None

    async def check(self) -> str:
        """See ``monitor.alerts.Channel``: connects, checks the certificate and logs in."""
        await self._submit(None)
        settings = self._settings
        return f"{settings.host} port {settings.port}, to {', '.join(settings.to)}"

    async def notify(self, text: str) -> str:
        """See ``monitor.alerts.Channel``."""
        stamp = self._now().isoformat()
        mail = self._mail("leakmon: a notice to its operator", f"notice {stamp}")
        mail.set_content(line(text, 4000), cte="quoted-printable")
        await self._submit(mail)
        return str(mail["Message-ID"])

    def _mail(self, subject: str, name: str) -> EmailMessage:
        settings = self._settings
        mail = EmailMessage(policy=SMTP)
        mail["Subject"] = line(subject, 200)
        mail["From"] = settings.sender
        mail["To"] = ", ".join(settings.to)
        mail["Date"] = self._now()
        domain = settings.sender.rpartition("@")[2].rstrip(">") or "leakmon.invalid"
        digest = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:40]
        mail["Message-ID"] = f"<leakmon.{digest}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        return mail

    async def _submit(self, mail: EmailMessage | None) -> None:
        import aiosmtplib

        settings = self._settings
        password = settings.password() if settings.password else None
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            use_tls=settings.tls == "implicit",
            start_tls=settings.tls == "starttls",  # an error where the server has none
            tls_context=trust.context([settings.ca_file] if settings.ca_file else []),
            username=settings.username or None,
            password=password,
            timeout=TIMEOUT_SECONDS,
        )
        try:
            await self._connected(client)
            if mail is not None:
                await client.send_message(mail)
        except aiosmtplib.SMTPException as error:
            raise self._meaning(error) from None
        finally:
            client.close()

    async def _connected(self, client: Any) -> None:
        """Connect and log in: until here nothing was sent."""
        import aiosmtplib

        settings = self._settings
        where = f"{settings.host} port {settings.port}"
        try:
            await client.connect()
        except aiosmtplib.SMTPAuthenticationError:
            raise _misconfigured("login", f"{where} refuses the login") from None
        except aiosmtplib.SMTPResponseException as error:
            raise self._meaning(error) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            if "certificate" in str(error).lower():
                raise MisconfiguredError(
                    f"email: {where}: its certificate is not trusted or not for that name: "
                    "name the authority's file in alerts.email.ca_file",
                    reason="certificate",
                ) from None
            if "STARTTLS" in str(error):
                raise MisconfiguredError(
                    f"email: {where} offers no STARTTLS: write alerts.email.tls = 'implicit' or "
                    "another port; mails are not sent in clear",
                    reason="no-tls",
                ) from None
            raise UnreachableError(
                f"email: {where} cannot be reached ({type(error).__name__})"
            ) from None

    def _meaning(self, error: Exception) -> Exception:
        import aiosmtplib

        host = self._settings.host
        if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
            codes = {each.code for each in error.recipients}
            if codes & _TRY_LATER:
                return BusyError(f"email: {host} asks to wait", retry_after=_BUSY_SECONDS)
            return _misconfigured("recipients", f"{host} refuses every recipient")
        if isinstance(error, aiosmtplib.SMTPSenderRefused):
            return _misconfigured("sender", f"{host} answers {error.code}")
        if isinstance(error, aiosmtplib.SMTPResponseException):
            if error.code in _TRY_LATER:
                return BusyError(f"email: {host} asks to wait", retry_after=_BUSY_SECONDS)
            return RejectedError(
                f"email: {host} refuses this mail ({error.code})", reason=f"smtp-{error.code}"
            )
        return UnansweredError(f"email: {host} gave no answer ({type(error).__name__})")


def _misconfigured(what: str, told: str) -> MisconfiguredError:
    return MisconfiguredError(f"email: {told}: {_REMEDIES[what]}", reason=f"smtp-{what}")


def _lines(told: Telling, outgoing: Outgoing) -> Iterator[str]:
    yield f"{outgoing.incident.severity.value.upper()} - {told.happened} {told.why}".strip()
    yield ""
    yield told.lead
    yield ""
    width = max((len(name) for name, value in told.facts if value), default=0)
    yield from (f"{name:<{width}}  {value}" for name, value in told.facts if value)
    if told.places:
        yield "\nWhere"
        yield from (f"  {place}" for place in told.places)
    if told.places_hidden:
        yield f"  and {told.places_hidden:,} more"
    if told.steps:
        yield "\nDo now, in this order"
    for number, step in enumerate(told.steps, 1):
        yield "  " + " ".join(f"{number}. {step.do}: {step.told}".split())
        if step.command:
            yield f"     {line(step.command, 400)}"
        if step.needs:
            yield f"     ({line(step.needs, 300)})"


def _page(told: Telling, outgoing: Outgoing) -> str:
    """The same as HTML without links, pictures or scripts."""
    quoted = html.escape
    severity = outgoing.incident.severity.value.upper()
    parts = [
        f"<p><strong>{severity}</strong> - {quoted(f'{told.happened} {told.why}'.strip())}</p>",
        f"<p><strong>{quoted(told.lead)}</strong></p>",
        "<table cellpadding='3'>",
        *(
            f"<tr><td>{quoted(name)}</td><td><code>{quoted(value)}</code></td></tr>"
            for name, value in told.facts
            if value
        ),
        "</table>",
    ]
    if told.places:
        more = f"<li>and {told.places_hidden:,} more</li>" if told.places_hidden else ""
        places = "".join(f"<li><code>{quoted(place)}</code></li>" for place in told.places)
        parts.append(f"<p>Where</p><ul>{places}{more}</ul>")
    if told.steps:
        steps = "".join(
            f"<li><strong>{quoted(step.do)}</strong> {quoted(step.told)} "
            f"<code>{quoted(step.command)}</code> {quoted(step.needs)}</li>"
            for step in told.steps
        )
        parts.append(f"<p>Do now, in this order</p><ol>{steps}</ol>")
    return f"<html><body>{''.join(parts)}</body></html>"
