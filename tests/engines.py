"""The programs that formulas are for: what each gives for rows of inputs, where it is there."""

import json
import re
import shutil
import sqlite3
import subprocess
import zipfile
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import numpy as np


def python(text, X, folder, name="net"):
    """In a module without anything else."""
    place = {}
    exec(compile(text, "formula", "exec"), place)
    return np.array([np.atleast_1d(place[name](*row)) for row in X.tolist()])


def javascript(text, X, folder, name="net"):
    program = f"{text}\nconst X = {json.dumps(X.tolist()).replace('NaN', 'null')};\n"
    program += f"console.log(JSON.stringify(X.map((row) => [{name}(...row.map((x) => x ?? NaN))].flat())));\n"
    (folder / "net.mjs").write_text(program)  # a module: strict
    run = subprocess.run(["node", folder / "net.mjs"], capture_output=True, text=True, check=True)
    return np.array(json.loads(run.stdout), float)


def sql(text, X, folder, names=None):
    """SQLite."""
    names = names or [f"x{i}" for i in range(1, X.shape[1] + 1)]
    with sqlite3.connect(":memory:") as base:
        base.execute(f"CREATE TABLE samples (id, {', '.join(names)})")
        base.executemany(f"INSERT INTO samples VALUES (?{', ?' * X.shape[1]})",
                         [(n, *row) for n, row in enumerate(X.tolist())])  # fmt: skip
        return np.array(base.execute(f"SELECT {text} FROM samples ORDER BY id").fetchall(), float)


def matlab(text, X, folder, name="net"):
    """Octave."""
    K = text.partition("function")[2].partition("=")[0].count(",") + 1
    (folder / f"{name}.m").write_text(text)
    np.savetxt(folder / "X.txt", X, "%.17g")
    results = ", ".join(f"y{k}" for k in range(1, K + 1))
    columns = ", ".join(f"X(:, {i})" for i in range(1, X.shape[1] + 1))
    program = f'X = load("X.txt"); [{results}] = {name}({columns}); printf("%.17g\\n", [{results}]\');'
    run = subprocess.run(
        ["octave-cli", "--norc", "--eval", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return np.array(run.stdout.split(), float).reshape(-1, K)


def excel(text, X, folder):
    """LibreOffice; LET, which those before 24.8 do not know, is written out."""
    formula, K = expanded(text[1:]), 1 if text.startswith("=SUMPRODUCT") else 16
    (folder / "net.xlsx").unlink(missing_ok=True)
    rows = []
    for n, x in enumerate(X.tolist(), 2):
        cells = "".join(f"<c><v>{value!r}</v></c>" for value in x)
        here = escape(re.sub(r"\b([A-Z])2\b", rf"\g<1>{n}", formula))
        first, last = chr(66 + len(x)), chr(65 + len(x) + K)
        kind = "" if K == 1 else f' t="array" ref="{first}{n}:{last}{n}"'
        rows.append(f'<row r="{n}">{cells}<c r="{first}{n}"><f{kind}>{here}</f></c></row>')
    _write_xlsx(folder / "net.xlsx", "".join(rows))
    subprocess.run(["soffice", f"-env:UserInstallation=file://{folder}/office", "--headless", "--convert-to", "fods",
                    "--outdir", folder, folder / "net.xlsx"], check=True, capture_output=True, timeout=300)  # fmt: skip
    return _values(folder / "net.fods", X.shape[1])


def expanded(formula):
    """Without LET: names replaced by what they stand for."""
    at = formula.find("LET(")
    if at < 0:
        return formula
    parts, depth, start, end = [], 0, at + 4, None
    for place in range(at + 4, len(formula)):
        letter = formula[place]
        depth += (letter in "({") - (letter in ")}")
        if depth < 0 or (letter == "," and not depth):
            parts.append(formula[start:place])
            start = place + 1
        if depth < 0:
            end = place
            break
    known = {}
    for name, text in zip(parts[:-1:2], parts[1:-1:2], strict=True):
        known[name] = f"({_replaced(text, known)})"
    return f"{formula[:at]}{_replaced(parts[-1], known)}{formula[end + 1 :]}"


def _replaced(text, known):
    return re.sub("|".join(known), lambda found: known[found[0]], text) if known else text


def _write_xlsx(path, rows):
    start = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    kinds = "http://schemas.openxmlformats.org"
    of = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    book = f"{kinds}/spreadsheetml/2006/main"
    relation = f"{kinds}/officeDocument/2006/relationships"
    package = f"{kinds}/package/2006"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType='
        f'"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="{of}.sheet'
        f'.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="{of}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type='
        f'"{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{book}" xmlns:r="{relation}"><sheets><sheet name="a" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type='
        f'"{relation}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{book}"><sheetData>{rows}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, text in files.items():
            file.writestr(name, start + text)


def _values(path, D):
    """Numbers of each row behind the inputs."""
    table, office = ("{urn:oasis:names:tc:opendocument:xmlns:" + f"{each}:1.0}}" for each in ("table", "office"))
    found = []
    for row in ElementTree.parse(path).iter(f"{table}table-row"):
        cells = [
            each.get(f"{office}value")
            for each in row
            if each.get(f"{office}value") is not None
            for _ in range(int(each.get(f"{table}number-columns-repeated", 1)))
        ]
        if len(cells) > D:
            found.append([float(each) for each in cells[D:]])
    return np.array(found)


#: by dialect, where the machine has it
PROGRAMS = {"javascript": "node", "matlab": "octave-cli", "excel": "soffice"}
ENGINES = {"python": python, "javascript": javascript, "sql": sql, "matlab": matlab, "excel": excel}
THERE = [name for name in ENGINES if name not in PROGRAMS or shutil.which(PROGRAMS[name])]
