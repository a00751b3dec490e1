"""Reading an export with headers of your own, and hearing about every row that could not be read."""

import tempfile
from pathlib import Path

from treatment_agent.errors import BadRow
from treatment_agent.tools.columns import Columns
from treatment_agent.tools.csv_source import CsvCaseSource

EXPORT = """\
Chart #;Vorname;Handy;Leistung;Zahn;Datum
17;Jonas;+1 312 555 0121;D2740;30;24.11.2026
18;Mia;not a number;D2750;14;24.11.2026
19;Lea;+1 312 555 0122;D2391;12;31.31.2026
"""

path = Path(tempfile.mkdtemp()) / "liste.csv"
path.write_text(EXPORT, encoding="utf-8")
source = CsvCaseSource(
    path,
    columns=Columns(
        patient_id="Chart #", first_name="Vorname", mobile="Handy", code="Leistung", tooth="Zahn", diagnosed_on="Datum"
    ),
    dates="dmy",
)
for item in source.read():
    if isinstance(item, BadRow):
        print("rejected:", item)
    else:
        print(item.id, [p.family.value for p in item.procedures], item.diagnosed_on)
