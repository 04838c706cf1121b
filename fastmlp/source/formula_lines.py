"""A network as lines `name = expression` of single numbers, level by level; each level needs the one before it alone.

u = (x - shift) / scale,    z = b + sum_j w_j a_j,    a = h(z),    y = shift + scale a
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fastmlp._types import Array
from fastmlp.source.c_formula import Formula, Scale
from fastmlp.source.c_layers import Part
from fastmlp.source.formula_dialects import Dialect

Line = tuple[str, str]
Level = list[Line]

AT_ONCE = 64  # terms of a sum that stand side by side; parsers limit how deep expressions may be


def levels(formula: Formula, inputs: Sequence[str], dialect: Dialect) -> Iterator[Level]:
    """From the inputs to the outputs y1, y2, ..."""
    level = _standardized([dialect.number.format(x=name) for name in inputs], formula.inputs)
    yield level
    names = [name for name, _ in level]
    for part in formula.parts():
        level = _summed(part, names)
        yield level
        names = [name for name, _ in level]
        form = part.layer.activation
        if not form.is_elementwise:
            for level in _softmax(names, dialect):
                yield level
            names = [name for name, _ in level]
        elif not form.is_linear:
            template = dialect.forms[form.name]
            level = [(f"a{name[1:]}", template.format(z=name)) for name in names]
            yield level
            names = [name for name, _ in level]
    yield [(f"y{k}", text) for k, text in enumerate(_scaled(names, formula.targets), 1)]


def literal(value: float) -> str:
    """The shortest digits that are read as this number again."""
    return repr(float(value))


def plus(value: float, text: str = "") -> str:
    """What adds a number, or its product with something."""
    sign, size = ("-" if value < 0 else "+"), literal(abs(value))
    return f" {sign} {size}" + (f" * {text}" if text else "")


def _standardized(names: list[str], scale: Scale | None) -> Level:
    if scale is None:
        return [(f"u{i}", name) for i, name in enumerate(names, 1)]
    each = enumerate(zip(names, scale.scale, scale.shift, strict=True), 1)
    return [(f"u{i}", f"({name}{plus(-shift)}) / {literal(size)}") for i, (name, size, shift) in each]


def _summed(part: Part, names: list[str]) -> Level:
    assert part.W is not None
    assert part.b is not None
    rows = enumerate(zip(part.W, part.b, strict=True), 1)
    return [(f"z{part.number}_{k}", _sum(w, b, names)) for k, (w, b) in rows]


def _sum(w: Array, b: float, names: list[str]) -> str:
    """B + w a, without what is 0; many terms in brackets."""
    terms = [plus(value, name) for value, name in zip(w.tolist(), names, strict=True) if value]
    if len(terms) > AT_ONCE:
        groups = [terms[at : at + AT_ONCE] for at in range(0, len(terms), AT_ONCE)]
        terms = [f" + ({_bare(''.join(group))})" for group in groups]
    return _bare(("" if b == 0 and terms else plus(b)) + "".join(terms))


def _bare(text: str) -> str:
    """A sum without the sign in front, where that is +."""
    return text[3:] if text.startswith(" + ") else f"-{text[3:]}"


def _softmax(names: list[str], dialect: Dialect) -> Iterator[Level]:
    """exp(z_k - max z) / sum_k."""
    yield [*((name, name) for name in names), ("most", dialect.most(names))]
    less = [f"d{name[1:]}" for name in names]
    yield [(to, f"{name} - most") for to, name in zip(less, names, strict=True)]
    powers = [f"e{name[1:]}" for name in names]
    yield [(to, dialect.forms["decay"].format(z=name)) for to, name in zip(powers, less, strict=True)]
    yield [*((name, name) for name in powers), ("total", " + ".join(powers))]
    yield [(f"a{name[1:]}", dialect.ratio.format(name, "total")) for name in powers]


def _scaled(names: list[str], scale: Scale | None) -> list[str]:
    if scale is None:
        return names
    each = zip(names, scale.scale, scale.shift, strict=True)
    return [f"{literal(shift)}{plus(size, name)}" for name, size, shift in each]
