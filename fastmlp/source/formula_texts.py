"""How lines stand in the languages: as functions, or as expressions of SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastmlp.source.formula_lines import Level


def python(name: str, inputs: Sequence[str], levels: list[Level], title: str) -> str:
    """A function of numbers."""
    results = _results(levels)
    body = "".join(f"    {line}\n" for line in _assigned(levels))
    return f"# {title}\nimport math\n\n\ndef {name}({', '.join(inputs)}):\n{body}    return {', '.join(results)}\n"


def javascript(name: str, inputs: Sequence[str], levels: list[Level], title: str) -> str:
    """A function of numbers; of several outputs an array."""
    results = ", ".join(_results(levels))
    body = "".join(f"  const {line};\n" for line in _assigned(levels))
    result = f"[{results}]" if "," in results else results
    return f"// {title}\nfunction {name}({', '.join(inputs)}) {{\n{body}  return {result};\n}}\n"


def matlab(name: str, inputs: Sequence[str], levels: list[Level], title: str) -> str:
    """A function of arrays of one shape, element by element; for Octave too."""
    results = ", ".join(_results(levels))
    body = "".join(f"  {line};\n" for line in _assigned(levels))
    result = f"[{results}]" if "," in results else results
    return f"% {title}\nfunction {result} = {name}({', '.join(inputs)})\n{body}end\n"


def sql(name: str, inputs: Sequence[str], levels: list[Level], title: str) -> str:
    """An expression for each output, with names if they are several.

    LIMIT 1 keeps planners from writing an expression wherever its name stands, which they would again and again.
    """
    *inner, outputs = levels
    tables = []
    for number, level in enumerate(inner):
        columns = ", ".join(text if text == column else f"{text} AS {column}" for column, text in level)
        source = f" FROM l{number - 1}" if number else ""
        tables.append(f"l{number} AS (SELECT {columns}{source} LIMIT 1)")
    head = "(WITH " + ",\n".join(tables) + "\n"
    each = [f"{head}SELECT {text} FROM l{len(tables) - 1})" for _, text in outputs]
    if len(each) > 1:
        each = [f"{text} AS {column}" for text, (column, _) in zip(each, outputs, strict=True)]
    return f"/* {title} */\n" + ",\n".join(each) + "\n"


TEXTS: dict[str, Callable[[str, Sequence[str], list[Level], str], str]] = {
    "python": python, "javascript": javascript, "matlab": matlab, "sql": sql,
}  # fmt: skip


def _assigned(levels: list[Level]) -> list[str]:
    return [f"{name} = {text}" for level in levels for name, text in level if name != text]


def _results(levels: list[Level]) -> list[str]:
    return [name for name, _ in levels[-1]]
