"""What the package says of itself, and where a build writes: to `build/` in place, else to a folder that passes."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import tomllib
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parent.parent
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT)["project"]
BUILD = tomllib.loads(PYPROJECT)["build-system"]["requires"]
DATA = ROOT / "fastmlp" / "datasets"
DOI = re.compile(r"10\.24432/\w+")


def text(path):
    return path.read_text(encoding="utf-8")


def test_the_licences_are_those_of_the_code_and_of_the_data():
    assert PROJECT["license"] == "BSD-3-Clause AND CC-BY-4.0"
    assert PROJECT["license-files"] == ["LICENSE", "fastmlp/datasets/LICENSE"]
    assert text(ROOT / "LICENSE").startswith("BSD 3-Clause")
    licence = text(DATA / "LICENSE")
    assert "https://creativecommons.org/licenses/by/4.0/legalcode" in licence
    assert all(path.name in licence for path in DATA.glob("*.npz"))
    assert set(DOI.findall(licence)) == set(DOI.findall(text(DATA / "README.md")))


def test_numpy_is_bounded_alike_where_it_compiles_and_where_it_runs():
    (numpy,) = (each for each in BUILD if each.startswith("numpy"))
    assert numpy in PROJECT["dependencies"]
    assert numpy.endswith(",<3")


def test_numpys_interface_is_that_of_the_least_version(script):
    assert "numpy>=2.0,<3" in PROJECT["dependencies"]
    assert dict(script.extension("ties").define_macros)["NPY_TARGET_VERSION"] == "NPY_2_0_API_VERSION"


def test_every_upper_bound_has_a_reason():
    bounded = [line for line in PYPROJECT.splitlines() if re.match(r' *".*<.*",', line)]
    assert len(bounded) == 4
    assert all(re.search(r'", # \w', line) for line in bounded)


def test_the_promises_of_security_go_with_the_source():
    assert "SECURITY.md" in text(ROOT / "MANIFEST.in").split()
    promises = text(ROOT / "SECURITY.md")
    assert "`fastmlp.load` is safe" in promises
    assert "Pickles are not safe" in promises


@pytest.fixture(scope="module")
def script():
    """setup.py as a module, where there is what builds."""
    pytest.importorskip("Cython")
    pytest.importorskip("setuptools", minversion="77")
    spec = importlib.util.spec_from_file_location("build_script", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def commands(script):
    """Commands by their names, of a distribution with one module."""
    from setuptools import Distribution

    classes = {"build": script.Build, "build_ext": script.BuildExt, "egg_info": script.EggInfo}
    distribution = Distribution({"name": "x", "ext_modules": [script.extension("ties")], "cmdclass": classes})
    return distribution.get_command_obj


@pytest.mark.parametrize("option", ["inplace", "editable_mode"])
def test_a_build_in_place_goes_on_from_the_last_one(commands, option):
    setattr(commands("build_ext"), option, True)
    commands("build").ensure_finalized()
    assert commands("build").build_base == "build"


def test_any_other_build_leaves_the_checkout_alone(commands, script):
    for name in ("build", "build_ext"):
        commands(name).ensure_finalized()
    folders = (commands("build").build_base, commands("build_ext").build_lib, commands("build_ext").build_temp)
    assert all(folder.startswith(script.passing()) for folder in folders)


def test_a_folder_that_was_asked_for_is_taken(commands):
    commands("build").build_base = "elsewhere"
    commands("build").ensure_finalized()
    assert commands("build").build_base == "elsewhere"


@pytest.mark.parametrize("asked", [None, 3])
def test_there_is_a_compiler_for_each_cpu_but_where_a_number_is_asked_for(commands, script, asked):
    commands("build").parallel = asked
    commands("build_ext").ensure_finalized()
    assert commands("build_ext").parallel == (asked or script.cpus())
    assert 1 <= script.cpus() <= os.cpu_count()


@pytest.mark.parametrize("writable", [True, False])
def test_metadata_goes_elsewhere_where_the_checkout_is_read_only(commands, script, monkeypatch, writable):
    monkeypatch.setattr(script.os, "access", lambda path, mode: writable)
    commands("egg_info").ensure_finalized()
    assert commands("egg_info").egg_base == (os.curdir if writable else script.passing())


@pytest.fixture
def compiled_by(commands, script, monkeypatch):
    """Build modules of the given sources by three threads and a stand-in for a compiler; what would be linked."""

    def run(compiler, *modules):
        linked = []

        def compile_all(command, module):
            linked.append(command.compiler.compile(module.sources, output_dir="there"))

        monkeypatch.setenv("FASTMLP_OPENMP", "off")
        monkeypatch.setattr(script.BuildExt, "build_extension", compile_all)
        command = commands("build_ext")
        command.ensure_finalized()
        command.parallel, command.compiler = 3, SimpleNamespace(compile=compiler)
        command.extensions = [script.Extension(f"m{number}", list(sources)) for number, sources in enumerate(modules)]
        command.build_extensions()
        return linked

    return run


def test_sources_of_one_module_are_compiled_side_by_side_and_linked_in_order(compiled_by):
    together = threading.Barrier(3, timeout=30)

    def compiler(sources, output_dir):
        together.wait()
        return [f"{output_dir}/{source}.o" for source in sources]

    assert compiled_by(compiler, "abc") == [["there/a.o", "there/b.o", "there/c.o"]]


def test_the_first_error_ends_the_build(compiled_by):
    tried = []

    def compiler(sources, output_dir):
        tried.extend(sources)
        time.sleep(0.1)
        if "bad" in sources:
            raise OSError("it does not compile")
        return sources

    with pytest.raises(OSError, match="it does not compile"):
        compiled_by(compiler, ["good"], ["bad"], *("abcdefghijklmnopqrstuvwxyz"))
    assert len(tried) < 10


@pytest.mark.parametrize("elsewhere", [True, False])
def test_openmp_is_tried_out_but_for_another_machine(commands, script, monkeypatch, elsewhere):
    def link(objects, name, output_dir, extra_postargs):
        program = Path(output_dir, name)
        program.write_text("#!/bin/sh\nexit 7\n")
        program.chmod(0o700)

    if elsewhere:
        monkeypatch.setenv("_PYTHON_HOST_PLATFORM", "linux-aarch64")
    else:
        monkeypatch.delenv("_PYTHON_HOST_PLATFORM", raising=False)
    command = commands("build_ext")
    command.compiler = SimpleNamespace(compile=lambda *_, **__: ["probe.o"], link_executable=link)
    assert (command.openmp_problem() is None) == elsewhere


def test_the_folder_goes_with_the_process(script):
    program = (
        "import setup, os; folder = setup.passing(); print(folder, os.path.isdir(folder), folder == setup.passing())"
    )
    process = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    folder, *seen = process.stdout.split()
    assert seen == ["True", "True"]
    assert not Path(folder).exists()


@pytest.fixture
def checkout(script, tmp_path):
    """A copy of what is packed, with three small modules only, and what these share."""
    checkout = tmp_path / "checkout"
    for folder in ("fastmlp", "src_c"):
        shutil.copytree(ROOT / folder, checkout / folder, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for path in (*ROOT.glob("*.md"), *map(ROOT.joinpath, ("LICENSE", "MANIFEST.in", "pyproject.toml", "setup.py"))):
        shutil.copy(path, checkout)
    modules = re.compile(r"^MODULES = \(.*?^\)$", re.M | re.S)
    few = 'MODULES = ("storage.arrays", "storage.results", "fits.ties")'
    (checkout / "setup.py").write_text(modules.sub(few, text(ROOT / "setup.py")))
    return checkout


def contents(folder):
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*")}


def as_anybody(folder):
    """Words before a command that take from root its right to write everywhere."""
    words = []
    if os.geteuid() == 0:
        words = [shutil.which("setpriv") or "false", "--inh-caps=-dac_override", "--bounding-set=-dac_override"]
    if subprocess.run([*words, "test", "-r", folder, "-a", "!", "-w", folder], capture_output=True).returncode != 0:
        pytest.skip("root's rights cannot be taken away here")
    return words


@pytest.mark.slow
def test_a_read_only_checkout_becomes_a_wheel_and_stays_as_it_was(checkout, tmp_path):
    for path in (*checkout.rglob("*"), checkout):
        path.chmod(path.stat().st_mode & ~0o222)
    before, passing, out = contents(checkout), tmp_path / "passing", tmp_path / "out"
    passing.mkdir()
    out.mkdir()
    command = [sys.executable, "-m", "pip", "wheel", "-v", "--no-build-isolation", "--no-deps", "-w", out, checkout]
    environment = os.environ | {"TMPDIR": str(passing), "CFLAGS": "-O0", "PIP_NO_INPUT": "1"}
    process = subprocess.run([*as_anybody(checkout), *command], env=environment, capture_output=True, text=True)
    for path in (checkout, *checkout.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    assert process.returncode == 0, process.stdout + process.stderr
    assert contents(checkout) == before
    assert list(passing.iterdir()) == []
    (wheel,) = out.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith("/METADATA"))
    modules = sorted(name.partition(".")[0] for name in names if name.endswith((".so", ".pyd")))
    names_of = ("fastmlp_views", "fits/ties", "storage/arrays", "storage/results")
    assert modules == [f"fastmlp/_core/{name}" for name in names_of]
    assert len([name for name in names if re.search(r"dist-info/licenses/(fastmlp/datasets/)?LICENSE$", name)]) == 2
    assert "License-Expression: BSD-3-Clause AND CC-BY-4.0\n" in metadata


@pytest.mark.slow
def test_an_sdist_holds_what_a_build_and_a_reader_need_and_nothing_that_was_built(checkout, tmp_path):
    command = [sys.executable, "setup.py", "-q", "sdist", "--dist-dir", tmp_path]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"LICENSE", "fastmlp/datasets/LICENSE", "SECURITY.md", "setup.py", "src_c/fmlp.h"} <= names
    assert not [name for name in names if name.startswith("build") or re.match(r"fastmlp/.*\.(c|so)$", name)]
    assert not (checkout / "build").exists()
