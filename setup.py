"""Build of the compiled floor; everything else is in pyproject.toml.

Environment
-----------
FASTMLP_OPENMP : auto (default), require, or off
    auto uses OpenMP if a small program compiles, links and runs with it, and says what it found; require makes its
    absence an error; off builds for one thread. Compiled for another machine, the program is not run.
FASTMLP_DEBUG : bounds
    checks indices and uninitialised views in the compiled modules; for tests.
CC, CFLAGS, LDFLAGS
    as usual; CFLAGS have the last word.
_PYTHON_HOST_PLATFORM, _PYTHON_SYSCONFIGDATA_NAME
    what Python itself reads where it compiles for another machine: see `.ci/machines`.

Compilers run side by side, one on each CPU that this process may use (`taskset` limits them), or as many as
`--parallel` says.
"""

import atexit
import functools
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext
from setuptools.command.egg_info import egg_info

HERE = Path(__file__).parent
# What Cython makes of memoryviews, once for all modules: 140 KB and 3 s for each. The module lists itself by its bare
# name too, and would be taken for a user's own of that name.
SHARED = "fastmlp_views"
MODULES = (
    *("bridge.kernels", "specimens"),  # the kernels take longest to compile, and come first
    *(f"threads.{name}" for name in ("crew", "team", "choice")),
    *(f"storage.{name}" for name in ("arrays", "results")),
    *(f"sums.{name}" for name in ("kinds", "dense", "windows", "plan", "block", "sweeps", "slots")),
    *(f"sums.{name}" for name in ("batch", "predict", "products", "jacobian", "trace", "moments", "warps")),
    *(f"sums.{name}" for name in ("tangents", "tangent_products")),
    *(f"curvature.{name}" for name in ("cross_terms", "by_units", "tiles", "chosen", "by_samples", "by_bands")),
    *(f"curvature.{name}" for name in ("by_columns", "by_gradients", "by_free", "free_tiles")),
    *(f"curvature.{name}" for name in ("matrices", "cholesky", "singular", "tangent_rows")),
    *(f"fits.{name}" for name in ("many", "lm", "lbfgs", "quasi", "descent", "train", "objective", "saddles")),
    *(f"fits.{name}" for name in ("equations", "penalty", "asked", "ties", "journal", "span")),
)
KERNEL_SOURCES = [f"src_c/isa_{name}.c" for name in ("generic", "avx2", "avx512", "list")]
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "embedsignature": True,
    "auto_pickle": False,
}
if os.environ.get("FASTMLP_DEBUG") == "bounds":
    DIRECTIVES |= {"boundscheck": True, "initializedcheck": True}
NUMPY = [  # the C interface of 2.0, the least that pyproject.toml asks for: headers up to 2.2 would show less of it
    ("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION"),
    ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION"),
]
MSVC = sys.platform == "win32"
COMPILE_ARGS = (
    ["/O2", "/std:c11"]
    if MSVC
    else ["-O3", "-std=gnu11", "-g0", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden"]
)
# Above the kernels no product is fused with a sum: a compiler may choose another one in the loop that it keeps for
# arrays that lie close together, so that bits would depend on addresses.
UNFUSED = [] if MSVC else ["-ffp-contract=off"]
# What calls of a microsecond go through gains a twentieth of their time from -O3. The others are calls of Python's C
# API, mostly, which -O1 compiles in two thirds of the time.
OBJECTIVE = [f"fits.{name}" for name in ("objective", "penalty", "asked", "ties")]
QUICK = ("bridge", "threads", "storage", "sums", "curvature", *OBJECTIVE)
LITTLE = [] if MSVC else ["-O1"]
OPENMP_ARGS = {  # platform: (compile, link)
    "win32": (["/openmp"], []),
    "darwin": (["-Xpreprocessor", "-fopenmp"], ["-lomp"]),
}.get(sys.platform, (["-fopenmp"], ["-fopenmp"]))
OPENMP_PROBE = """
#include <omp.h>
int main(void) {
    int n = 0;
    #pragma omp parallel num_threads(2) reduction(+:n)
    n += omp_in_parallel() || omp_get_max_threads() == 1 || omp_get_thread_limit() == 1;
    return n < 1;
}
"""


def cpus():
    """How many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def passing():
    """A folder that goes with the process."""
    folder = tempfile.TemporaryDirectory(prefix="fastmlp-build-")
    atexit.register(folder.cleanup)
    return folder.name


class Build(build):
    """Build in a folder that passes, or in place, where developers' next build goes on from it, in `build/`."""

    def initialize_options(self):
        """Tell a folder that was asked for from setuptools' default."""
        super().initialize_options()
        self.build_base = None

    def finalize_options(self):
        """Settle where to build, and by how many compilers at once."""
        if self.build_base is None:
            extensions = self.distribution.get_command_obj("build_ext")
            self.build_base = "build" if extensions.inplace or extensions.editable_mode else passing()
        if self.parallel is None:
            self.parallel = cpus()
        super().finalize_options()


class EggInfo(egg_info):
    """Write metadata elsewhere where the checkout is read-only."""

    def finalize_options(self):
        """Settle where."""
        if self.egg_base is None and not os.access(HERE, os.W_OK):
            self.egg_base = passing()
        super().finalize_options()


class BuildExt(build_ext):
    """Decide about OpenMP with the very compiler and flags of the build, then build."""

    def build_extensions(self):
        """Probe, report, build.

        One pool compiles the sources of all modules, since those of `kernels` alone take a quarter of the time. The
        first error, such as a compiler that Ctrl-C has ended, ends the build: setuptools would go on to its end.
        """
        mode = os.environ.get("FASTMLP_OPENMP", "auto")
        if mode not in ("auto", "require", "off"):
            raise SystemExit(f"FASTMLP_OPENMP: expected auto, require or off, got {mode!r}")
        problem = "switched off by FASTMLP_OPENMP=off" if mode == "off" else self.openmp_problem()
        if problem and mode == "require":
            raise SystemExit(f"fastmlp: FASTMLP_OPENMP=require, but OpenMP does not work: {problem}")
        if problem:
            self.announce(f"fastmlp: building WITHOUT OpenMP, for one thread: {problem}", level=4)
        else:
            self.announce(f"fastmlp: building with OpenMP ({' '.join(OPENMP_ARGS[0])})", level=4)
            for extension in self.extensions:
                extension.extra_compile_args += OPENMP_ARGS[0]
                extension.extra_link_args += OPENMP_ARGS[1]
        compile_here, errors = self.compiler.compile, []

        def compile_one(source, options):
            if not errors:
                try:
                    return compile_here([source], **options)
                except Exception as error:
                    errors.append(error)
            raise errors[0]

        with ThreadPoolExecutor(self.parallel) as pool:

            def compile_in_pool(sources, **options):
                parts = [pool.submit(compile_one, source, options) for source in sources]
                return [path for part in parts for path in part.result()]

            self.compiler.compile = compile_in_pool
            super().build_extensions()

    def openmp_problem(self):
        """None if a program with OpenMP compiles, links and, on this machine, runs, else what went wrong."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "openmp_probe.c")
            source.write_text(OPENMP_PROBE)
            try:
                objects = self.compiler.compile(
                    [str(source)], output_dir=folder, extra_postargs=COMPILE_ARGS + OPENMP_ARGS[0]
                )
                self.compiler.link_executable(objects, "openmp_probe", output_dir=folder, extra_postargs=OPENMP_ARGS[1])
                if "_PYTHON_HOST_PLATFORM" not in os.environ:
                    subprocess.run([str(Path(folder, "openmp_probe"))], check=True, timeout=60)
            except Exception as error:  # whatever a compiler may do: the message says it
                return f"{type(error).__name__}: {error}"
        return None

    def run(self):
        """Generate C, build, and leave the modules beside their sources too.

        `fastmlp/` lies at the root of the checkout, so that Python finds it there before the installed package: a
        checkout has to be importable after `pip install .`, if it can be written to.
        """
        folder = self.get_finalized_command("build").build_base
        generated = cythonize(
            self.extensions,
            compiler_directives=DIRECTIVES,
            build_dir=folder,
            shared_utility_qualified_name=f"fastmlp._core.{SHARED}",
        )
        for module, in_c in zip(self.extensions, generated, strict=True):
            module.sources = in_c.sources
        super().run()
        if not self.inplace and os.access(HERE / "fastmlp" / "_core", os.W_OK):
            self.copy_extensions_to_source()


def extension(name):
    """One module of `fastmlp._core`; the C kernels are linked into `kernels` only."""
    source = f"fastmlp/_core/{name.replace('.', '/')}"
    return Extension(
        f"fastmlp._core.{name}",
        # Cython writes the shared module itself, where it is asked for
        [f"{source}.c" if name == SHARED else f"{source}.pyx"] + (KERNEL_SOURCES if name == "bridge.kernels" else []),
        include_dirs=["src_c", numpy.get_include()],
        define_macros=NUMPY,
        extra_compile_args=[
            *COMPILE_ARGS,
            *([] if name == "bridge.kernels" else UNFUSED),
            *([] if name.startswith(QUICK) else LITTLE),
            *os.environ.get("CFLAGS", "").split(),
        ],
        depends=[str(path.relative_to(HERE)) for path in sorted(HERE.glob("src_c/*.[hcdi]*"))],
    )


if __name__ == "__main__":  # tests import this file
    setup(
        ext_modules=[extension(name) for name in (*MODULES, SHARED)],
        cmdclass={"build": Build, "build_ext": BuildExt, "egg_info": EggInfo},
    )
