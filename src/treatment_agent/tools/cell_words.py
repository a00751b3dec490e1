"""The closed word lists behind the cells of an export: statuses, flags, languages, yes and no."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from treatment_agent.domain.patients import Flag, PatientStatus
from treatment_agent.domain.treatment import CaseKind, ProcedureStatus

YES_WORDS: Final = frozenset(
    {"y", "yes", "true", "t", "1", "x", "ok", "okay", "on", "granted", "opted in", "opt in", "opt-in", "opted-in", "si"}
)
NO_WORDS: Final = frozenset(
    {"n", "no", "false", "f", "0", "off", "denied", "declined", "refused", "revoked", "stop", "opted out", "opt out"}
    | {"opt-out", "opted-out", "unsubscribed", "never"}
)

PATIENT_STATUS: Final = MappingProxyType(
    {
        "active": PatientStatus.ACTIVE,
        "a": PatientStatus.ACTIVE,
        "patient": PatientStatus.ACTIVE,
        "current": PatientStatus.ACTIVE,
        "inactive": PatientStatus.INACTIVE,
        "i": PatientStatus.INACTIVE,
        "nonpatient": PatientStatus.INACTIVE,
        "non-patient": PatientStatus.INACTIVE,
        "archived": PatientStatus.INACTIVE,
        "dismissed": PatientStatus.INACTIVE,
        "transferred": PatientStatus.INACTIVE,
        "moved": PatientStatus.INACTIVE,
        "deleted": PatientStatus.INACTIVE,
        "deceased": PatientStatus.DECEASED,
        "dead": PatientStatus.DECEASED,
        "prospective": PatientStatus.PROSPECTIVE,
        "prospect": PatientStatus.PROSPECTIVE,
        "new": PatientStatus.PROSPECTIVE,
        "lead": PatientStatus.PROSPECTIVE,
    }
)

CASE_KIND: Final = MappingProxyType(
    {kind.value.replace("_", ""): kind for kind in CaseKind}
    | {
        "callbackoverdue": CaseKind.CALL_BACK,
        "overduecallback": CaseKind.CALL_BACK,
        "preauthapproved": CaseKind.PREAUTHORIZED,
        "approved": CaseKind.PREAUTHORIZED,
        "missed": CaseKind.MISSED_VISIT,
        "missedappointment": CaseKind.MISSED_VISIT,
        "noshow": CaseKind.MISSED_VISIT,
        "brokenappointment": CaseKind.MISSED_VISIT,
    }
)

PROCEDURE_STATUS: Final = MappingProxyType(
    {
        "tp": ProcedureStatus.PLANNED,
        "planned": ProcedureStatus.PLANNED,
        "proposed": ProcedureStatus.PLANNED,
        "presented": ProcedureStatus.PLANNED,
        "accepted": ProcedureStatus.PLANNED,
        "diagnosed": ProcedureStatus.PLANNED,
        "unscheduled": ProcedureStatus.PLANNED,
        "treatment planned": ProcedureStatus.PLANNED,
        "treatment plan": ProcedureStatus.PLANNED,
        "open": ProcedureStatus.PLANNED,
        "scheduled": ProcedureStatus.SCHEDULED,
        "booked": ProcedureStatus.SCHEDULED,
        "appointed": ProcedureStatus.SCHEDULED,
        "c": ProcedureStatus.COMPLETED,
        "complete": ProcedureStatus.COMPLETED,
        "completed": ProcedureStatus.COMPLETED,
        "done": ProcedureStatus.COMPLETED,
        "ec": ProcedureStatus.COMPLETED,
        "eo": ProcedureStatus.COMPLETED,
        "existing": ProcedureStatus.COMPLETED,
        "tpi": ProcedureStatus.DECLINED,
        "inactive plan": ProcedureStatus.DECLINED,
        "plan inactive": ProcedureStatus.DECLINED,
        "missed": ProcedureStatus.PLANNED,
        "broken": ProcedureStatus.PLANNED,
        "no show": ProcedureStatus.PLANNED,
        "declined": ProcedureStatus.DECLINED,
        "rejected": ProcedureStatus.DECLINED,
        "refused": ProcedureStatus.DECLINED,
        "cancelled": ProcedureStatus.DECLINED,
        "canceled": ProcedureStatus.DECLINED,
        "r": ProcedureStatus.REFERRED,
        "referred": ProcedureStatus.REFERRED,
        "referred out": ProcedureStatus.REFERRED,
    }
)

FLAG_WORDS: Final = MappingProxyType(
    {flag.value.replace("_", ""): flag for flag in Flag}
    | {
        "donottext": Flag.DO_NOT_CONTACT,
        "donotcall": Flag.DO_NOT_CONTACT,
        "dnc": Flag.DO_NOT_CONTACT,
        "privacy": Flag.PROTECTED,
        "restricted": Flag.PROTECTED,
        "vipprotected": Flag.PROTECTED,
        "medical": Flag.MEDICAL_ALERT,
        "medalert": Flag.MEDICAL_ALERT,
        "premed": Flag.MEDICAL_ALERT,
        "balance": Flag.BALANCE_DUE,
        "pastdue": Flag.BALANCE_DUE,
        "collections": Flag.BALANCE_DUE,
        "complaint": Flag.OPEN_COMPLAINT,
        "dispute": Flag.PAYMENT_DISPUTE,
        "prefersmail": Flag.PREFERS_OTHER_WAY,
        "prefersletter": Flag.PREFERS_OTHER_WAY,
        "preauth": Flag.PENDING_PREAUTHORIZATION,
        "pendingpreauth": Flag.PENDING_PREAUTHORIZATION,
        "preauthpending": Flag.PENDING_PREAUTHORIZATION,
        "predetermination": Flag.PENDING_PREAUTHORIZATION,
    }
)

NO_TEXT_METHODS: Final = frozenset({"seenotes", "mail", "letter", "postcard"})
"""Preferred ways of contact that rule out automated texts and mails (DOMAIN 1)."""

NO_CONTACT_METHODS: Final = frozenset({"donotcall", "donotcontact", "donottext", "nocontact"})

_LANGUAGES: Final = (
    ("en", "eng", "english ingles inglés"),
    ("es", "spa", "spanish español espanol castellano"),
    ("zh", "zho chi cmn yue", "chinese mandarin cantonese"),
    ("vi", "vie", "vietnamese"),
    ("ko", "kor", "korean"),
    ("tl", "tgl fil", "tagalog filipino"),
    ("ru", "rus", "russian"),
    ("ar", "ara", "arabic"),
    ("fr", "fra fre", "french"),
    ("ht", "hat", "haitian creole"),
    ("pt", "por", "portuguese"),
    ("pl", "pol", "polish"),
    ("de", "deu ger", "german deutsch"),
    ("it", "ita", "italian"),
    ("ja", "jpn", "japanese"),
    ("hi", "hin", "hindi"),
    ("ur", "urd", "urdu"),
    ("gu", "guj", "gujarati"),
    ("pa", "pan", "punjabi panjabi"),
    ("bn", "ben", "bengali bangla"),
    ("fa", "fas per", "farsi persian dari"),
    ("uk", "ukr", "ukrainian"),
    ("so", "som", "somali"),
    ("am", "amh", "amharic"),
    ("sw", "swa", "swahili"),
    ("he", "heb", "hebrew"),
    ("hy", "hye arm", "armenian"),
    ("el", "ell gre", "greek"),
    ("th", "tha", "thai"),
    ("lo", "lao", "laotian"),
    ("km", "khm", "khmer cambodian"),
    ("my", "mya bur", "burmese"),
    ("ne", "nep", "nepali"),
    ("ta", "tam", "tamil"),
    ("te", "tel", "telugu"),
    ("ro", "ron rum", "romanian"),
    ("nl", "nld dut", "dutch"),
    ("tr", "tur", "turkish"),
)

LANGUAGE_CODES: Final = MappingProxyType(
    {word: short for short, long, names in _LANGUAGES for word in (short, *long.split(), *names.split())}
)
"""ISO 639-1, 639-2 and names (English and own), casefolded -> ISO 639-1."""
