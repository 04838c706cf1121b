"""Tables of what was measured: text and Markdown for people, JSON for programs."""

import datetime
import importlib
import platform
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from contest import OPERATIONS, YARDSTICKS, Cell, peers_of
from goals import goal_of
from peers import OURS, PEERS, load
from problems import SHAPES

UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    unit, scale = next((pair for pair in UNITS if seconds >= pair[1]), UNITS[-1])
    return f"{seconds / scale:.3g} {unit}"


def number(value: float) -> str:
    """A ratio, with two digits or as many as it has before the point."""
    return f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"


def environment() -> dict[str, str]:
    """Date, processor and versions: a table without them says nothing."""
    names = ["fastmlp", *dict.fromkeys(name for peer in PEERS if load(peer) for name in load(peer).needs)]
    versions = [f"{name} {version(name)}" for name in names]
    absent = [peer for peer in PEERS if load(peer) is None]
    return {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "versions": ", ".join([f"Python {platform.python_version()}", *versions]),
        "peers not installed": ", ".join(absent) or "none",
    }


def version(module: str) -> str:
    """What the module says, or what was installed."""
    own = getattr(importlib.import_module(module), "__version__", None)
    return own or metadata.version(metadata.packages_distributions()[module][0])


def processor() -> str:
    """The processor's name for itself."""
    info = Path("/proc/cpuinfo")
    fields = dict(line.split(":", 1) for line in info.read_text().splitlines() if ":" in line) if info.exists() else {}
    known = {key.strip(): value.strip() for key, value in fields.items()}
    name = known.get("model name", platform.processor() or platform.machine())
    model = f" family {known['cpu family']} model {known['model']}" if "cpu family" in known else ""
    widest = next((isa for isa in ("avx512f", "avx2", "avx") if isa in known.get("flags", "").split()), "")
    return " ".join(f"{name}{model} {widest}".split())


def ratios(cell: Cell, ours: str = "fastmlp", minima: bool = False) -> dict[str, float]:
    """Time of each peer over ours, the fastest peer first."""
    pick = (lambda timing: timing.minimum) if minima else (lambda timing: timing.median)
    return {name: pick(cell.timings[name]) / pick(cell.timings[ours]) for name in peers_of(cell)}


def line(cell: Cell, ours: str = "fastmlp") -> dict[str, str]:
    """A row of the complete table."""
    seconds = cell.timings[ours].median
    rate = cell.flops / seconds
    units = None if cell.yardstick is None else seconds / cell.yardstick
    row = {
        "operation": OPERATIONS[cell.operation] + (", checked once" if ours == "objective" else ""),
        "shape": cell.shape,
        "type": cell.dtype,
        "time": duration(seconds),
        "GFLOP/s": f"{rate / 1e9:.3g}",
        "% of peak": f"{100 * rate / cell.peak:.0f}",
        "in units of": "" if units is None else f"{units:.2f} {YARDSTICKS[cell.operation]}",
    }
    all_ratios = ratios(cell, ours)
    for name in PEERS:
        row[name] = number(all_ratios[name]) if name in all_ratios else ""
    goal = goal_of(cell.operation, cell.shape, cell.dtype)
    if all_ratios:
        best, ratio = next(iter(all_ratios.items()))
        row["fastest peer"] = f"{best}, {duration(cell.timings[best].median)}"
        row["ratio"] = number(ratio)
        row["of minima"] = number(min(ratios(cell, ours, minima=True).values()))
        row["goal"] = str(goal or "")
        row["met"] = ("yes" if goal.met(ratio, rate / cell.peak, seconds, units) else "no") if goal else ""
    return row


def lines(cells: Iterable[Cell]) -> list[dict[str, str]]:
    """Rows of the complete table; two where the library has two ways."""
    return [line(cell, ours) for cell in cells for ours in OURS if ours in cell.timings]


def summary(cells: Iterable[Cell]) -> list[dict[str, str]]:
    """For each shape the ratio to the fastest peer, float64 / float32, and the gradient's share of the peak."""
    by_shape: dict[str, dict[str, list[str]]] = {}
    for cell in sorted(cells, key=lambda cell: cell.dtype, reverse=True):
        row = by_shape.setdefault(cell.shape, {})
        best = min(ratios(cell).values(), default=None)
        row.setdefault(OPERATIONS[cell.operation], []).append("-" if best is None else number(best))
        if cell.operation == "gradient":
            share = cell.flops / cell.timings["fastmlp"].median / cell.peak
            row.setdefault("share of peak", []).append(f"{100 * share:.0f} %")
    return [
        {"shape": shape, "layers": layers(shape)} | {title: " / ".join(values) for title, values in row.items()}
        for shape, row in by_shape.items()
    ]


def layers(shape: str) -> str:
    """Widths and activations, as 8-50-50-1 tanh."""
    widths, hidden, output, _ = SHAPES[shape]
    return " ".join(["-".join(map(str, widths)), hidden, *([output] if output != "identity" else [])])


def setups(cells: Iterable[Cell]) -> list[dict[str, str]]:
    """What a training of ours costs besides its epochs: checks, and the loss at the start and the end."""
    return [
        {
            "operation": OPERATIONS[cell.operation], "shape": cell.shape, "type": cell.dtype,
            "an epoch": duration(cell.timings["fastmlp"].median), "besides": duration(cell.timings["fastmlp"].setup),
        }
        for cell in cells if cell.operation.startswith("adam") and "fastmlp" in cell.timings
    ]  # fmt: skip


def table(rows: Sequence[dict[str, str]]) -> str:
    """Rows as a Markdown table, padded so that it reads well as text; columns that are empty are left out."""
    titles = [title for title in dict.fromkeys(t for row in rows for t in row) if any(row.get(title) for row in rows)]
    body = [titles, *([row.get(title, "") for title in titles] for row in rows)]
    widths = [max(len(cells[i]) for cells in body) for i in range(len(titles))]
    padded = [[text.ljust(width) for text, width in zip(cells, widths, strict=True)] for cells in body]
    padded.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in padded)


def record(cell: Cell) -> dict[str, Any]:
    """A cell for JSON: seconds, unrounded."""
    times = {
        name: {"median": timing.median, "minimum": timing.minimum, "setup": timing.setup, "rounds": len(timing.rounds)}
        for name, timing in cell.timings.items()
    }
    return {**cell._asdict(), "timings": times}
