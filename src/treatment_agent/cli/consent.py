"""`consent`: what stands for a number or patient, what staff were told, and the file a lawyer asks for."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, FolderOption, JsonOption, NowOption, opened

if TYPE_CHECKING:
    from treatment_agent.coordinator import Coordinator
    from treatment_agent.domain.consent_file import ContactFile


class Format(StrEnum):
    """How the file is written."""

    JSON = "json"
    CSV = "csv"


class Said(StrEnum):
    """What staff were told."""

    GRANTED = "granted"
    REVOKED = "revoked"


class Told(StrEnum):
    """How staff were told; the names of `ConsentHow`."""

    STAFF = "staff"
    PHONE = "phone"
    VOICEMAIL = "voicemail"
    IN_PERSON = "in_person"
    PAPER = "paper"
    WEB_FORM = "web_form"
    EMAIL = "email"
    LETTER = "letter"


class By(StrEnum):
    """The channel a grant is for; the names of `Channel`."""

    SMS = "sms"
    EMAIL = "email"


_WHO = "A patient's id, a phone number or a mailbox."


def register(app: typer.Typer) -> None:
    """Add the group `consent` with `show`, `record` and `export`."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Who agreed to texts and who did not: show it, record what staff were told, export it for a lawyer.",
    )
    for command in (show, record, export):
        group.command()(command)
    app.add_typer(group, name="consent")


def show(
    who: Annotated[str, typer.Argument(metavar="WHO", help=_WHO)],
    as_json: JsonOption = False,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
) -> None:
    """What stands now for each number and mailbox, and everything said, sent and received before."""
    from treatment_agent.coordinator import consents

    with opened(app, folder) as coordinator:
        found = list(consents.files(coordinator.ledger, consents.addresses_of(coordinator.ledger, who)))
        zone = coordinator.policy.office.tz
    if as_json:
        typer.echo(json.dumps([consents.as_data(file, zone) for file in found], indent=2, ensure_ascii=False))
        return
    for file in found:
        _show(file, coordinator)


def _show(file: ContactFile, coordinator: Coordinator) -> None:
    from treatment_agent.coordinator import consents

    whose = ", ".join(file.patients) or "nobody on the books"
    screen.heading(f"{file.address.reveal()} ({file.channel.value}) of {whose}: {file.standing.value}")
    if file.incapable_rule:
        screen.out().print(f"Cannot receive texts: {file.incapable_rule}", style="yellow")
    rows = screen.table("when", "what", "how", "by", "purpose", "evidence or rule", "words")
    for line in consents.timeline(file, coordinator.policy.office.tz):
        what = f"{line['what']} ({line['script']})" if line["script"] else line["what"]
        proof = line["evidence"] or line["rule"]
        rows.add_row(line["at_office"], what, line["how"], line["by"], line["purpose"], proof, line["words"])
    screen.show(rows)


_PURPOSE = "What it is for. A grant is for treatment_follow_up, a revocation for all, unless you say less here."


def record(
    who: Annotated[str, typer.Argument(metavar="WHO", help=_WHO)],
    said: Annotated[Said, typer.Argument(metavar="granted|revoked", help="What staff were told.")],
    by: Annotated[str, typer.Option("--by", help="Who writes it down: a staff id.")],
    how: Annotated[Told, typer.Option("--how", help="How the patient said it.")] = Told.STAFF,
    evidence: Annotated[
        str, typer.Option("--evidence", help="Where the proof is: the number of a form, call or note. No names.")
    ] = "",
    purpose: Annotated[str, typer.Option("--purpose", help=_PURPOSE)] = "",
    channel: Annotated[By | None, typer.Option("--channel", help="A grant for phones or mailboxes only.")] = None,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Record what staff were told on the phone, at the desk or on paper. Nothing is sent.

    A revocation binds the patient everywhere, and everybody who shares the number. A grant lifts an earlier revocation
    of that patient.
    """
    from pydantic import ValidationError

    from treatment_agent.coordinator import consents
    from treatment_agent.domain.consent import ConsentHow, ConsentNote, ConsentStatus
    from treatment_agent.domain.messages import Channel
    from treatment_agent.errors import ConfigurationError

    try:
        note = ConsentNote(
            how=ConsentHow(how.value),
            evidence=evidence,
            purpose=purpose,
            channel=Channel(channel.value) if channel else None,
        )
    except ValidationError:
        raise ConfigurationError(
            "--evidence takes letters, digits and . : / # - _ (up to 80), --purpose small letters and _ (up to 40)"
        ) from None
    with opened(app, folder, now, writes=True) as coordinator:
        outcomes = consents.record(coordinator, who, ConsentStatus(said.value), by=by, note=note)
    for outcome in outcomes:
        screen.out().print(f"{outcome.conversation_id}: {screen.words(outcome.phase_after)} [{outcome.rules[0]}]")
    if not outcomes:
        screen.out().print("Nobody on the books has this number or mailbox; it is kept as revoked.")


def export(
    who: Annotated[str | None, typer.Argument(metavar="[WHO]", help=f"{_WHO} Without: everybody.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write to a file only you can read. Default: the screen."),
    ] = None,
    form: Annotated[Format | None, typer.Option("--format", help="json or csv. Default: by the file's name.")] = None,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
) -> None:
    """Everything a lawyer would ask: each consent with who, when, how and proof, each text with script, approval and
    what stood then, each message received. It holds numbers and patients' words.
    """
    from treatment_agent.coordinator import consents

    by_name = Format.CSV if out is not None and out.suffix.casefold() == ".csv" else Format.JSON
    with opened(app, folder) as coordinator:
        ledger, zone = coordinator.ledger, coordinator.policy.office.tz
        found = consents.files(ledger, None if who is None else consents.addresses_of(ledger, who))
        stream = consents.private_file(out) if out is not None else sys.stdout
        try:
            if (form or by_name) is Format.CSV:
                count = consents.write_csv(found, stream, zone)
            else:
                data = [consents.as_data(file, zone) for file in found]
                head = {"made_at": coordinator.clock.now().isoformat(), "office": coordinator.policy.office.name}
                json.dump({**head, "contacts": data}, stream, indent=2, ensure_ascii=False)
                stream.write("\n")
                count = len(data)
        finally:
            if out is not None:
                stream.close()
    if out is not None:
        screen.err().print(f"{count} contact points written to {out}. Keep it safe: it holds patients' words.")
