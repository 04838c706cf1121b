"""The floors of the house: every import, cimport and include goes down, and siblings do not import each other."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from fastmlp.model import activations, losses
from floors import COMPARED, CORE, FLOORS, INNER

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fastmlp"

LEVEL = {name: level for level, floor in enumerate(FLOORS) for name in floor}
#: within the packages, likewise
HEAVY = ("scipy", "matplotlib", "pandas", "sklearn", "torch", "onnx")


def room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path):
    """Names of the package's rooms that a Python module imports at its top level, and all it imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "fastmlp":
            parts = node.module.split(".")[1:]
            yield from [tuple(parts)] if parts else [(alias.name,) for alias in node.names]
            if parts in (["_core"], *(package.split("/") for package in INNER)):
                yield from [(*parts, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from [tuple(a.name.split(".")[1:]) or ("__init__",) for a in node.names
                        if a.name.split(".")[0] == "fastmlp"]  # fmt: skip


MODULES = sorted(PACKAGE.glob("**/*.py"))


def test_every_package_is_installed():
    folders = {path.parent for path in PACKAGE.rglob("__init__.py")}
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted(".".join(folder.relative_to(ROOT).parts) for folder in folders)


def test_every_room_has_a_floor():
    assert {room(path) for path in MODULES} == set(LEVEL)


def modules_of(folder):
    """Those of a folder, and folders in it."""
    inner = [path.parent for path in folder.glob("*/__init__.py")]
    return sorted({path.stem for path in [*folder.glob("*.p[yx]*"), *inner]} - {"__init__"})


FOLDERS = [path.parent for path in PACKAGE.glob("*/**/__init__.py") if "_core" not in path.parts]
PACKAGES = {folder.relative_to(PACKAGE).as_posix(): folder for folder in FOLDERS if modules_of(folder)}


def test_every_module_has_a_floor_in_its_package():
    own = {name: modules_of(folder) for name, folder in PACKAGES.items()}
    assert own == {package: sorted({*sum(floors, ())} - {"__init__"}) for package, floors in INNER.items()}
    rooms = {path.parent.name: modules_of(path.parent) for path in PACKAGE.glob("_core/*/__init__.py")}
    assert rooms == {name: sorted(sum(floors, ())) for name, floors in CORE.items()}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_tells_of_its_modules(package):
    told = ast.get_docstring(ast.parse((PACKAGES[package] / "__init__.py").read_text()))
    assert not [name for name in modules_of(PACKAGES[package]) if not (name.startswith("_") or word(name, told))]


def test_the_compiled_floor_tells_of_its_modules():
    told = (PACKAGE / "_core" / "README.md").read_text()
    for path in PACKAGE.glob("_core/**/__init__.py"):
        modules = {each.stem for each in path.parent.glob("*.p[yx]*")} - {"__init__"}
        assert not [name for name in modules if f"`{name}`" not in told], path


def word(name, text):
    return re.search(rf"\b{name}\b", text)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_modules_import_lower_floors_only(path):
    here = room(path)
    for target in imported_rooms(path):
        there = target[0] if target[0] in LEVEL else "__init__"
        assert LEVEL[here] < LEVEL[there] or here == there, f"{here} imports {there}"


def inner_level(package, name):
    return floor_of(INNER[package], f"{package}/{name}.py", name)


def floor_of(floors, path, name):
    levels = [level for level, floor in enumerate(floors) if name in floor]
    assert levels, f"{path} has no floor: give it one in the lists above"
    return levels[0]


@pytest.mark.parametrize("package", INNER)
def test_modules_of_a_package_import_lower_ones_only(package):
    """A folder in it is one floor; what stands there has floors of its own."""
    above = (*package.split("/"),)
    for path in (PACKAGE / package).rglob("*.py"):
        here = path.relative_to(PACKAGE / package).parts[0].removesuffix(".py")
        for target in imported_rooms(path):
            there = target[len(above)] if target[: len(above)] == above and len(target) > len(above) else None
            if there in modules_of(PACKAGE / package) and not (there == here and (PACKAGE / package / here).is_dir()):
                assert inner_level(package, here) < inner_level(package, there), f"{path}: {target}"


def core_level(room, name):
    """Rooms from above, and floors within."""
    return list(CORE).index(room), floor_of(CORE[room], f"_core/{room}/{name}", name)


COMPILED = sorted(PACKAGE.glob("_core/*/*.p[yx][xd]"))


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: "/".join(path.parts[-2:]))
def test_compiled_modules_cimport_lower_ones_only(path):
    text, (own, name) = path.read_text(), (path.parent.name, path.stem)
    targets = re.findall(r"from fastmlp\._core\.(\w+)\.(\w+) c?import", text)
    for room, several in re.findall(r"from fastmlp\._core\.(\w+) c?import ([\w, ]+)", text):
        targets += [(room, target) for target in several.replace(" ", "").split(",")]
    assert all(core_level(own, name) < core_level(*target) for target in targets if target != (own, name))
    assert not re.findall(r"from fastmlp\.(?!_core\.)", text)


def test_posteriors_know_objectives_and_nothing_compiled():
    paths = [path for path in MODULES if room(path) == "bayes"]
    assert paths
    assert not [path for path in paths if "_core" in {target[0] for target in imported_rooms(path)}]


def test_the_numpy_c_api_and_threads_stay_in_the_core():
    outside = [p for p in PACKAGE.glob("**/*.py*") if "_core" not in p.parts and p.suffix in (".py", ".pyx", ".pxd")]
    assert not [p for p in outside if re.search(r"cimport|prange", p.read_text())]
    assert [p.name for p in PACKAGE.glob("_core/**/*.pyx") if "threadid" in p.read_text()] == ["team.pyx"]
    with_numpy = {p.name for p in PACKAGE.glob("_core/**/*.pyx") if "cimport numpy" in p.read_text()}
    assert with_numpy == {
        "arrays.pyx",
        "asked.pyx",
        "results.pyx",
        "singular.pyx",
        "span.pyx",
        "batch.pyx",
        "predict.pyx",
        "trace.pyx",
        "products.pyx",
        "jacobian.pyx",
        "cholesky.pyx",
        "matrices.pyx",
        "moments.pyx",
        "warps.pyx",
        "penalty.pyx",
        "tangents.pyx",
        "tangent_products.pyx",
        "tangent_rows.pyx",
    }


def test_the_c_floor_includes_itself_and_the_standard_library_only():
    allowed = {"float.h", "math.h", "stddef.h", "stdint.h", "string.h"}
    for path in [p for p in (ROOT / "src_c").iterdir() if p.suffix in (".c", ".h", ".inc", ".def")]:
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        assert set(re.findall(r"#include <(.*?)>", text)) <= allowed
        assert all((ROOT / "src_c" / name).exists() for name in re.findall(r'#include "(.*?)"', text))
        assert not re.search(r"\b(malloc|calloc|free|printf|omp_\w+|PyObject)\b", text)


def test_heavy_libraries_are_imported_inside_functions_only():
    for path in MODULES:
        if room(path) in ("demo", "__main__", "estimators", "features") or path.stem in ("torch_modules", "results"):
            continue  # the last four are imported inside functions themselves
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in HEAVY]


def executed(tree):
    """All nodes but those that only type checkers read."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from executed(node)


def test_scipy_is_imported_by_whom_memory_is_asked_first():
    """Its BLAS waits without end for memory that it does not get."""
    for path in MODULES:
        if room(path) == "estimators" or path.stem == "results":
            continue  # `_optional.load` and `optimize.monitor` ask
        for node in executed(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "scipy"], path


def literals(node):
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def test_what_an_activation_or_a_loss_is_is_asked_of_its_row():
    names, found = {*activations.OUTPUT, *losses.NAMES}, set()
    for path in (path for path in MODULES if path.name not in ("activations.py", "losses.py")):
        nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, (ast.Compare, ast.Match))]
        found |= {(str(path.relative_to(PACKAGE)), name) for node in nodes for name in literals(node) & names}
    assert found == set(COMPARED.items())
