"""Options of the pytest-benchmark suites, and the fixture that they share."""

import one_thread

one_thread.restrict(bind=False)

import pytest  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

import contest  # noqa: E402
from peers import CLASSES  # noqa: E402
from problems import SHAPES, dtypes_of, shapes_of  # noqa: E402


def pytest_addoption(parser):
    group = parser.getgroup("fastmlp's benchmarks")
    group.addoption("--contestants", default="fastmlp,numpy", help="names with commas between them, or: all")
    group.addoption("--shapes", default="T1,T2,S1,S2,D1,M1,G1,H1,A5", help="names with commas between them, or: all")
    group.addoption("--most-samples", type=int, default=1000, help="problems are cut to so many")


def pytest_generate_tests(metafunc):
    """The contestants that are installed, at each of the module's OPERATIONS, with the shapes that it takes."""

    def chosen(option, known):
        text = metafunc.config.getoption(option)
        return list(known) if text == "all" else text.split(",")

    names, shapes = chosen("--contestants", CLASSES), chosen("--shapes", SHAPES)
    cases = [
        (operation, contestant, shape, dtype)
        for operation in metafunc.module.OPERATIONS
        for contestant in contest.contestants(operation, names)
        for shape in shapes_of(operation)
        for dtype in dtypes_of(operation)
        if shape in shapes
    ]
    metafunc.parametrize(("operation", "contestant", "shape", "dtype"), cases)


@pytest.fixture
def job(request, benchmark, operation, contestant, shape, dtype):
    """The contestant's job, once its result was compared with NumPy's; one thread as long as it is in use."""
    benchmark.group = f"{contest.OPERATIONS[operation]}, {shape}, {dtype}"
    most_samples = request.config.getoption("--most-samples")
    with threadpool_limits(1):
        peers = contest.compared(operation, shape, dtype, [contestant], most_samples)
        yield contest.job(operation, peers[contestant])
