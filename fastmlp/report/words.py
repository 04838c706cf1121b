"""What is said of `Measures` in words: a verdict, and a report for a terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from fastmlp._tables import NAME, Table, how_many, one_line, shortened
from fastmlp.report.effects import Effect
from fastmlp.report.measures import Coverage, Measures

CLEAR = 2.0  #: standard errors from which on a difference is not put down to chance
LIKELY = 1.0  #: standard errors up to which nothing is seen
OFF = 0.03  #: by which a coverage may be wrong
FEW = 20  #: rows
WIDTH, LINES = 80, 25
LISTED, LEAST = 6, 3  #: columns
DECIMALS = 5
MOST = 0.999999  #: of a share that is not all
SHOWN = (0.5, 0.9, 0.95)  #: levels


def verdict(m: Measures) -> str:
    """How good the model is, beside a straight line and no inputs at all; whether its error bars hold.

    Parameters
    ----------
    m : Measures
        What `fastmlp.report.measured` returned.

    Returns
    -------
    str
        A few sentences.
    """
    said = [_of_classes(m) if m.classes else _of_numbers(m)]
    said += [_of_bars(each) for each in m.intervals if each.level == 0.9]
    if m.n_held < FEW:
        said.append(f"{how_many(m.n_held, 'row')} cannot tell much.")
    return " ".join(said)


def _of_numbers(m: Measures) -> str:
    rows, name = f"{how_many(m.n_held, 'row')} that it has not seen", quoted(m.target)
    if math.isnan(m.network.r2):
        return (
            f"On {rows}, the network errs by {number_of(m.network.rmse)}, a straight line by {number_of(m.line.rmse)}."
        )
    if m.over_line < -CLEAR and m.line_over_base > CLEAR:
        return (
            f"A straight line does better: on {rows}, it errs by {number_of(m.line.rmse)} ({_explained(m.line.r2)}), "
            f"the network by {number_of(m.network.rmse)} ({_explained(m.network.r2)}). Use the line."
        )
    if m.over_base <= CLEAR:
        return (
            f"{_unsure(m)} {name}: on {rows}, the network errs by {number_of(m.network.rmse)}, the "
            f"mean of the training rows by {number_of(m.base.rmse)}."
        )
    own, line = percent(m.network.r2), _explained(m.line.r2)
    if abs(m.over_line) <= CLEAR:
        return (
            f"Explains {own} of the variance of {name} on {rows}, hardly different from a straight line, which {line}."
        )
    return f"Explains {own} of the variance of {name} on {rows}; a straight line {line}."


def _unsure(m: Measures) -> str:
    """How a verdict begins where chance could be all: a few rows do not show that there is nothing."""
    return "Too few rows to be sure that it foretells" if m.over_base > LIKELY else "Nothing found that foretells"


def _explained(r2: float) -> str:
    return f"explains {percent(r2)}" if r2 > 0 else "explains nothing"


def _of_classes(m: Measures) -> str:
    rows, name = f"{how_many(m.n_held, 'row')} that it has not seen", quoted(m.target)
    own, line, base = (percent(each.accuracy) for each in (m.network, m.line, m.base))
    probabilities = f"(mean -ln p {number_of(m.network.log_loss)}, {number_of(m.line.log_loss)})"
    if m.over_line < -CLEAR and m.line_over_base > CLEAR:
        better, worse = number_of(m.line.log_loss), number_of(m.network.log_loss)
        said = (
            f"Names the right {name} in {own} of {rows}, but the probabilities of logistic regression, right in "
            f"{line}, are better (mean -ln p {better}, the network's {worse})."
        )
        return f"{said} Use it instead." if m.line.accuracy >= m.network.accuracy else said
    if m.over_base <= CLEAR:
        return (
            f"{_unsure(m)} {name}: on {rows}, the network names the right one in {own}, and the most "
            f"frequent one is right in {base}."
        )
    said = f"Names the right {name} in {own} of {rows}; logistic regression in {line}, the most frequent one in {base}."
    if abs(m.over_line) <= CLEAR:
        said += " The network is hardly different from logistic regression."
    elif m.network.accuracy <= m.line.accuracy:
        said += f" The network's probabilities are better than the line's {probabilities}."
    return said


def _of_bars(found: Coverage) -> str:
    said = f"Its {percent(found.level)} intervals hold"
    if found.high < found.level and found.share < found.level - OFF:
        return f"{said} only {percent(found.share)} of these rows: they are too narrow."
    if found.low > found.level and found.share > found.level + OFF:
        return f"{said} {percent(found.share)} of these rows: they are wider than need be."
    return f"{said} {percent(found.share)} of these rows."


def text(m: Measures) -> str:
    """A report of about 25 lines of 80 characters.

    Parameters
    ----------
    m : Measures
        What `fastmlp.report.measured` returned.

    Returns
    -------
    str
    """
    blocks = [wrapped(verdict(m)), _table(scores(m), ("", "network", straight(m), plain(m)))]
    if m.intervals:
        rows = [
            (f"{percent(each.level)} intervals", percent(each.share), between(each), number_of(each.width))
            for each in m.intervals
            if each.level in SHOWN
        ]
        blocks.append(_table(rows, ("error bars", "hold", "likely", "width")))
    last = wrapped("; ".join(remarks(m)))
    left = LINES - sum(len(block) + 1 for block in (*blocks, last)) - 2 * bool(m.notes)
    blocks += [block for block in (_inputs(m, max(LEAST, min(LISTED, left - 3))), last) if block]
    lines = "\n\n".join("\n".join(block) for block in blocks).split("\n")
    notes = [line for note in m.notes for line in wrapped(f"note: {note}")]
    return "\n".join(lines + notes[: max(LEAST, LINES - len(lines))])


def _table(rows: Sequence[Sequence[str]], heading: Sequence[str]) -> list[str]:
    return str(Table(rows, heading, "<>")).split("\n")


def scores(m: Measures) -> list[tuple[str, ...]]:
    """Rows of a table: the name of a measure, and what the network, the line and the base reach."""
    each = (m.network, m.line, m.base)
    if m.classes:
        return [
            ("right", *(percent(one.accuracy) for one in each)),
            ("mean over classes", *(percent(one.balanced_accuracy) for one in each)),
            ("mean -ln p", *alike([one.log_loss for one in each])),
        ]
    unexplained = max(1e-6, min(1 - m.network.r2, 1 - m.line.r2, 1.0))
    decimals = max(3, math.ceil(-math.log10(unexplained)))
    r2 = ["-" if math.isnan(one.r2) else f"{one.r2:z.{decimals}f}" for one in each]
    return [("rmse", *alike([one.rmse for one in each])), ("R2", *r2)]


def straight(m: Measures) -> str:
    """What the line is called."""
    return "logistic" if m.classes else "straight line"


def plain(m: Measures) -> str:
    """What the base is called."""
    return "frequencies" if m.classes else "mean"


def unit(m: Measures) -> str:
    """What changes are measured in."""
    if m.classes:
        return "change of the probabilities per standard deviation of the input"
    return f"change of {quoted(m.target)} per standard deviation of the input"


def remarks(m: Measures) -> Iterator[str]:
    """What else is to be known, each a clause."""
    if m.noise_std is not None:
        yield f"noise of {quoted(m.target)}: {number_of(m.noise_std)}"
    if m.classes:
        yield f"probabilities are off by {percent(m.calibration_error)} on average"
    if m.pruned:
        yield f"not used: {listed(m.pruned)}"
    if m.constant:
        yield f"constant: {listed(m.constant)}"
    if m.n_outside:
        named = [f"{quoted(name)} ({count})" for name, count in m.outside]
        yield f"{m.n_outside} of {m.n_held} rows outside of the training range: {joined(named)}"


def _inputs(m: Measures, count: int) -> list[str]:
    """The inputs that change the target most."""
    used = [each for each in m.effects if each.name not in m.pruned]
    rows = changes(used[:count])
    if not rows:
        return []
    heading = ("input", "change", "mean")[: len(rows[0])]
    more = len(used) - len(rows)
    names = [(quoted(name), *numbers) for name, *numbers in rows]
    lines = wrapped(f"{unit(m)}:") + _table(names, heading)
    return lines + ([f"... {how_many(more, 'more input')}"] if more > 0 else [])


def changes(shown: Sequence[Effect]) -> list[tuple[str, ...]]:
    """Rows of a table: the name, the change, and the mean with its sign where there is one."""
    numbers = [each.change for each in shown]
    if all(each.direction is None for each in shown):
        return list(zip([each.name for each in shown], alike(numbers, by=max), strict=True))
    means = [0.0 if each.direction is None else each.direction for each in shown]
    written = alike(numbers + means, by=max)
    signed = ["" if each.direction is None else mean for each, mean in zip(shown, written[len(shown) :], strict=True)]
    return [(each.name, *pair) for each, *pair in zip(shown, written[: len(shown)], signed, strict=True)]


def between(found: Coverage) -> str:
    """The limits of a coverage."""
    return f"{percent(found.low)} to {percent(found.high)}"


def quoted(name: str) -> str:
    """A user's name, so that it can stand in a line."""
    return shortened(one_line(name), NAME)


def listed(names: Sequence[str]) -> str:
    """The first few names."""
    return joined([quoted(name) for name in names])


def joined(parts: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = [f"{len(parts) - LISTED} more"] if len(parts) > LISTED else []
    return ", ".join([*parts[:LISTED], *more])


def percent(share: float) -> str:
    """A share in so many digits that it does not look like all, or none, where it is not."""
    if math.isnan(share):
        return "-"
    least = min(abs(share), abs(1 - share))
    digits = 0 if least == 0 or least >= 0.0095 else min(4, math.ceil(-math.log10(least)) - 2)
    return f"{100 * (share if share >= 1 else min(share, MOST)):.{digits}f} %"


def number_of(value: float, digits: int = 3) -> str:
    """A number in so many digits, without an exponent where it can be read without."""
    return alike([value], digits)[0]


def alike(values: Sequence[float], digits: int = 3, by: Callable[..., float] = min) -> list[str]:
    """Numbers in the same decimals: so many that the smallest but 0, or the largest, has so many digits."""
    sizes = [abs(value) for value in values if math.isfinite(value) and value] or [1.0]
    decimals = digits - 1 - math.floor(math.log10(by(sizes)))
    if max(sizes) >= 1e7 or decimals > DECIMALS:
        decimals = digits - 1 - math.floor(math.log10(max(sizes)))
    kind = "e" if max(sizes) >= 1e7 or decimals > DECIMALS else "f"
    form = f"z.{digits - 1}e" if kind == "e" else f"z.{max(0, decimals)}f"  # z: no minus before zeros
    return [format(value, form) if math.isfinite(value) else "-" for value in values]


def wrapped(sentence: str) -> list[str]:
    """Lines of at most 80 characters; a number stays beside its per cent."""
    lines, line = [], ""
    for word in sentence.replace(" %", "\0%").split():
        if line and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [each.replace("\0", " ") for each in lines + [line] * bool(line)]
