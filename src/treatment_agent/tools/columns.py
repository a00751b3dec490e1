"""Which column of an export holds which of our fields.

    Columns()                                            headers of common exports are recognised
    Columns(patient_id="Acct", diagnosed_on="Entered")   the rest stays automatic
    Columns(ignore=("Flags",))                           a column that must not be read

Headers match without regard to case, spaces, underscores and dots; `#` reads as `Num`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from treatment_agent.domain.patients import Flag
from treatment_agent.domain.value import Value
from treatment_agent.errors import ConfigurationError
from treatment_agent.tools.cell_values import Cell, text_of

# Field -> headers that mean it, best first. A header is used for one field only, in the order of this table.
_KNOWN: Final = MappingProxyType(
    {
        "patient_id": "patientid patnum patid patientnum patientnumber patientno patno ptid ptnum chartnum chartnumber"
        " chartno chartid chart mrn patientidentifier",
        "first_name": "firstname fname patientfirstname patfname patientfirst ptfirstname givenname first",
        "preferred_name": "preferredname preferred prefname nickname goesby",
        "last_name": "lastname lname patientlastname patlname patientlast ptlastname surname familyname last",
        "full_name": "patientname fullname patname ptname name patient",
        "born_on": "birthdate dob dateofbirth birthday bornon patientdob patientbirthdate bdate",
        "mobile": "mobile wirelessphone mobilephone cellphone cell mobilenumber mobilephonenumber cellnumber"
        " cellphonenumber cellular smsnumber textnumber patientmobile patientcell patientcellphone phonemobile"
        " phonecell patientphone phone phonenumber primaryphone contactphone",
        "email": "email emailaddress patientemail",
        "language": "language preferredlanguage lang patientlanguage primarylanguage spokenlanguage",
        "code": "proccode adacode procedurecode cdtcode cdt ada code servicecode txcode treatmentcode proc procedure",
        "procedure_id": "procnum procedureid procid txid treatmentid planitemid procedurenum procedurenumber",
        "tooth": "tooth toothnum toothnumber toothno teeth toothrange th site quad quadrant area",
        "surface": "surf surface surfaces surfs",
        "fee": "fee procfee feeamt feeamount ucrfee officefee txfee treatmentfee fullfee totalfee amount amt price"
        " charge",
        "diagnosed_on": "diagnosedon datediagnosed diagnosisdate dxdate datetp tpdate txplandate treatmentplandate"
        " treatmentplanneddate dateplanned planneddate plandate dateproposed proposeddate datepresented proceduredate"
        " procdate entrydate dateentered date",
        "visit_on": "visiton visitdate examdate",
        "provider_id": "providerid provnum provid provider prov providernum provabbr treatingprovider doctor dr dentist"
        " providername",
        "sms": "sms txtmsgok smsconsent textconsent smsok textok oktotext textmessageok smsoptin textoptin consentsms"
        " receivesms allowtext allowsms texting txtmsg consenttotext consenttotexts consenttotexting consenttosms"
        " textconsentgiven smsconsentgiven textingconsent textmessageconsent consenttotextmessages oktotextmessage"
        " oktosms textmessagesok agreestotexts",
        "emailing": "emailing emailok emailconsent oktoemail emailoptin allowemail consentemail receiveemail",
        "contact_method": "prefercontactmethod preferredcontactmethod preferredcontact contactmethod contactpreference",
        "recall_method": "preferrecallmethod preferredrecallmethod recallmethod",
        "do_not_contact": "donotcontact dnc donottext donotcall nocontact privacyflag donotmessage donotsms notexts",
        "detail_allowed": "detailallowed oktodetail detailsoktotext",
        "next_visit_at": "nextvisitat nextappt nextappointment nextvisit nextapptdate nextappointmentdate"
        " nextapptdatetime nextappointmentdatetime nextscheduled futureappt futureappointment nextappttime",
        "next_visit_provider_id": "nextvisitprovider nextapptprovider nextappointmentprovider nextvisitprov",
        "next_visit_teeth": "nextvisittooth nextvisitteeth nextappttooth nextapptteeth",
        "confirmed_on": "confirmedon reconfirmed reconfirmedon diagnosisconfirmed diagnosisconfirmedon",
        "case_kind": "casekind workflow followuptype followupkind",
        "benefits_end_month": "benefitsendmonth benefityearend benefityearends benefitsend planyearend renewalmonth",
        "missed_visits": "missedvisits brokenappointments brokenappts missedappointments missedappts noshows",
        "last_staff_contact_at": "laststaffcontactat laststaffcontact lastcontact lastcontacted lastcontactdate",
        "household_id": "householdid guarantorid guarantor guarnum guarantornum guarid household familyid familynum"
        " responsiblepartyid responsibleparty respparty accountid accountnumber accountnum acctnum account",
        "guardian_first_name": "guardianfirstname parentfirstname guarantorfirstname guarfname guardianname parentname"
        " guardian",
        "guardian_mobile": "guardianmobile guardianphone guardiancell parentmobile parentphone parentcell"
        " guarantormobile guarantorcell guarantorphone guarphone",
        "guardian_email": "guardianemail parentemail guarantoremail guaremail",
        "state": "state patientstate stateprovince",
        "postal_code": "postalcode zip zipcode postcode patientzip",
        "zone": "zone timezone tz",
        "patient_status": "patientstatus patstatus ptstatus",
        "procedure_status": "procedurestatus procstatus txstatus treatmentstatus",
        "status": "status",
        "flags": "flags flag patientflags",
        "medical_alert": "medicalalert medalert medicalalerts medalerts medicalflag alert alerts patientalert"
        " patientalerts allergies allergy premed premedicate",
        "plan_priority": "planpriority priority txpriority treatmentpriority",
    }
)
FIELDS: Final = tuple(_KNOWN)
PATIENT_FIELDS: Final = frozenset(FIELDS) - {
    *("code", "procedure_id", "tooth", "surface", "fee", "diagnosed_on", "visit_on", "provider_id"),
    *("procedure_status", "plan_priority", "status", "confirmed_on", "case_kind"),
}
"""Fields about the person; the others are about one procedure. A bare `status` may be either."""

_IMPORTANT: Final = ("mobile", "sms", "diagnosed_on", "provider_id")
_CELL_OF_SECRETS: Final = re.compile(r"\d{2}|@")


class Columns(Value):
    """Our field -> the export's header. None means: recognise it by its name.

    `Phone#2` names the second of two columns called Phone. `ignore` lists headers that must not be read at all.
    `flag_words` teaches words of the flags column: `(("VIP", None), ("Latex", Flag.MEDICAL_ALERT))`; None means that
    the word changes nothing.
    """

    patient_id: str | None = None
    first_name: str | None = None
    preferred_name: str | None = None
    last_name: str | None = None
    full_name: str | None = None
    born_on: str | None = None
    mobile: str | None = None
    email: str | None = None
    language: str | None = None
    code: str | None = None
    procedure_id: str | None = None
    tooth: str | None = None
    surface: str | None = None
    fee: str | None = None
    diagnosed_on: str | None = None
    visit_on: str | None = None
    provider_id: str | None = None
    sms: str | None = None
    emailing: str | None = None
    contact_method: str | None = None
    recall_method: str | None = None
    do_not_contact: str | None = None
    detail_allowed: str | None = None
    next_visit_at: str | None = None
    next_visit_provider_id: str | None = None
    next_visit_teeth: str | None = None
    confirmed_on: str | None = None
    case_kind: str | None = None
    benefits_end_month: str | None = None
    missed_visits: str | None = None
    last_staff_contact_at: str | None = None
    household_id: str | None = None
    guardian_first_name: str | None = None
    guardian_mobile: str | None = None
    guardian_email: str | None = None
    state: str | None = None
    postal_code: str | None = None
    zone: str | None = None
    patient_status: str | None = None
    procedure_status: str | None = None
    status: str | None = None
    flags: str | None = None
    medical_alert: str | None = None
    plan_priority: str | None = None
    ignore: tuple[str, ...] = ()
    flag_words: tuple[tuple[str, Flag | None], ...] = ()

    def mapped(self) -> dict[str, str]:
        """The fields that were mapped by hand, with their headers."""
        return {field: header for field in FIELDS if (header := getattr(self, field))}


@dataclass(frozen=True, slots=True)
class Binding:
    """Where each field stands in a row: field -> index.

    `headers` are the names as the source wrote them, `person` the places of the fields about the patient, `repeated`
    the headers that stand more than once.
    """

    headers: tuple[str, ...]
    index: dict[str, int]
    person: tuple[int, ...] = ()
    repeated: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Required fields that no column holds. A full name does for the first name."""
        needed = ("patient_id", "first_name", "code")
        return tuple(f for f in needed if f not in self.index and not (f == "first_name" and "full_name" in self.index))


def normal(header: str) -> str:
    """A header without case, spaces and signs: `Pat #` is `patnum`."""
    return "".join(c for c in header.casefold().replace("#", "num") if c.isalnum())


def bind(columns: Columns, cells: Sequence[Cell]) -> Binding:
    """Find the fields among these headers; what is not found is simply not in the binding."""
    headers = tuple(text_of(cell) for cell in cells)
    names = [_leaf_free(header) for header in headers]
    free = {i for i, name in enumerate(names) if name and name not in {normal(h) for h in columns.ignore}}
    index: dict[str, int] = {}
    for field, header in columns.mapped().items():
        position = _position(header, headers)
        if position is not None:
            index[field] = position
            free.discard(position)
    repeated = []
    for field in FIELDS:
        if field in index or field in columns.mapped():
            continue
        for alias in _KNOWN[field].split(" "):
            found = [i for i in sorted(free) if names[i] == alias]
            if found:
                index[field] = found[0]
                free -= set(found)
                repeated += [headers[found[0]]] if len(found) > 1 else []
                break
    person = tuple(position for field, position in index.items() if field in PATIENT_FIELDS)
    return Binding(headers, index, person, tuple(repeated))


def require(binding: Binding, columns: Columns, place: str) -> None:
    """Check that the required fields, and those mapped by hand, have a column.

    Raises:
        ConfigurationError: with the field, the headers that were found, and how to map one.
    """
    lost = [
        f"{field} (mapped to {header!r})" for field, header in columns.mapped().items() if field not in binding.index
    ]
    missing = [field for field in binding.missing if field not in columns.mapped()] + lost
    if not missing:
        return
    if looks_like_header(binding):
        shown = ", ".join(repr(h) for h in binding.headers if h and not _CELL_OF_SECRETS.search(h))
        found = f"the headers found are {shown}"
    else:
        found = "no header line was found in the first lines; the first line must hold the names of the columns"
    field = missing[0].partition(" ")[0]
    raise ConfigurationError(
        f"{place}: no column for {', '.join(missing)}; {found}. Map it with Columns({field}='<your header>')"
    )


def unread(bindings: Sequence[Binding], columns: Columns) -> tuple[str, ...]:
    """Headers from which no field is read; what looks like data, and what is ignored on purpose, is left out."""
    ignored = {normal(header) for header in columns.ignore}
    taken = {b.headers[i] for b in bindings for i in b.index.values()}
    return tuple(
        dict.fromkeys(
            header
            for binding in bindings
            for header in binding.headers
            if header and header not in taken and normal(header) not in ignored and not _CELL_OF_SECRETS.search(header)
        )
    )


def absent(bindings: Sequence[Binding]) -> tuple[str, ...]:
    """Fields that matter and that no column holds; a guardian's phone does for the patient's own."""
    found = {field for binding in bindings for field in binding.index}
    if "guardian_mobile" in found:
        found.add("mobile")
    return tuple(field for field in _IMPORTANT if field not in found) if bindings else ()


def looks_like_header(binding: Binding) -> bool:
    """True when enough cells are known headers. A line of data must never be shown as "the headers found"."""
    return len(binding.index) >= 2


def _position(header: str, headers: tuple[str, ...]) -> int | None:
    """Where a header stands: as written, else in normal form; `Name#2` is the second one called Name."""
    base, _, nth = header.rpartition("#")
    exact = [i for i, h in enumerate(headers) if h == header] or [
        i for i, h in enumerate(headers) if normal(h) == normal(header)
    ]
    if exact:
        return exact[0]
    if base and nth.isdigit():
        same = [i for i, h in enumerate(headers) if normal(h) == normal(base)]
        return same[int(nth) - 1] if 0 < int(nth) <= len(same) else None
    return None


_WRAPPERS: Final = frozenset({"patient", "patients", "procedure", "procedures", "case", "address", "contact", "data"})
_ALL_ALIASES: Final = frozenset(alias for aliases in _KNOWN.values() for alias in aliases.split(" "))


def _leaf_free(header: str) -> str:
    """The name to match by: `patient.contact.mobile` is `mobile`, but `provider.firstname` stays what it is."""
    name = normal(header)
    if "." not in header or name in _ALL_ALIASES:
        return name
    return normal("".join(part for part in header.split(".") if normal(part) not in _WRAPPERS))
