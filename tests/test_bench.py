"""The benchmarks' own arithmetic: what they count, compare and print. Nothing is timed here."""

import numpy as np
import pytest

import builds
import contest
import generated_c
import proben1
import problems
import report
import small_calls
from flops import flops
from goals import GOALS, Goal
from peers import ours
from timing import Timing, interleave


def test_flops_are_those_of_the_three_matrix_products():
    assert flops("predict", (2, 3, 1), n_samples=5) == 2 * 5 * (6 + 3)
    assert flops("row", (2, 3, 1), n_samples=5) == 2 * (6 + 3)
    assert flops("gradient", (2, 3, 1), n_samples=5) == 2 * 5 * ((6 + 3) + (6 + 3) + 3)


def test_flops_of_curvature():
    layers, pairs = (2, 3, 4, 2), 35 * 36 // 2  # 9 + 16 + 10 parameters, 6 + 12 + 8 weights
    gradient = 2 * 26 + 20
    assert flops("input_jacobian", layers, 5) == 2 * 5 * (26 + 2 * (12 + 6))
    assert flops("input_jacobian", (2, 3, 4, 9), 5) == 2 * 5 * (54 + 2 * (12 + 36))
    assert flops("param_jacobian", layers, 5) == 2 * 5 * (26 + 2 * 12 + 35)
    assert flops("ggn", layers, 5) == flops("hessian", layers, 5) == 2 * 5 * (gradient + 2 * 12 + pairs)
    assert flops("ggnp", layers, 5) == 2 * 5 * (26 + (26 + 20) + (26 + 20))
    assert flops("hessp", layers, 5) == 2 * 5 * (gradient + (26 + 20) + (26 + 3 * 20))
    assert flops("hessp8", layers, 5) == 2 * 5 * (gradient + 8 * ((26 + 20) + (26 + 3 * 20)))
    assert flops("lm20", layers, 5) == 20 * (flops("predict", layers, 5) + flops("ggn", layers, 5)) + round(
        20 * 35**3 / 3
    )


@pytest.mark.parametrize("operation", [name for name in contest.OPERATIONS if name not in problems.CURVED])
@pytest.mark.parametrize("shape", ["T1", "S2", "odd"])
def test_numpy_by_hand_agrees_with_the_library(operation, shape, dtype):
    names = contest.contestants(operation, ["fastmlp", "objective", "numpy"])
    assert "fastmlp" in names
    contest.compared(operation, shape, dtype, names, most_samples=1100)  # more than a block of the baseline's


@pytest.mark.parametrize("operation", [name for name in problems.CURVED if name not in problems.DOUBLE_ONLY])
@pytest.mark.parametrize(("shape", "most_samples"), [("G1", 1100), ("H1", 40), ("thin", 20), ("D64", 20)])
def test_numpy_by_hand_agrees_with_the_library_about_curvature(operation, shape, most_samples, dtype):
    names = contest.contestants(operation, ["fastmlp", "objective"])
    assert "fastmlp" in names
    contest.compared(operation, shape, dtype, names, most_samples)


def test_steps_of_levenberg_marquardt_reach_what_they_reach_by_hand():
    contest.compared("lm20", "A5", "float64", ["fastmlp", "numpy", "scipy-lm", "scipy-trf", "scipy-lsmr"])


@pytest.mark.parametrize("operation", contest.OPERATIONS)
def test_goals_are_for_shapes_and_types_that_the_operation_takes(operation):
    assert set(GOALS[operation]) <= set(problems.shapes_of(operation)) <= set(problems.SHAPES)
    assert problems.dtypes_of(operation)[0] == "float64"


def test_a_problem_is_cut_to_what_the_operation_takes():
    assert problems.samples_of("gradient", "S1") == 10_000
    assert problems.samples_of("ggn", "S1") == 2500
    assert problems.samples_of("ggn", "S1", most_samples=100) == 100


def test_what_computes_something_else_is_not_timed(monkeypatch):
    monkeypatch.setattr(ours.Fastmlp, "predict", lambda self: self.net.predict(self.problem.X) + 1e-3)
    with pytest.raises(contest.Disagreement, match="fastmlp differs from NumPy"):
        contest.compared("predict", "T1", "float64", ["fastmlp"])


def test_setting_up_drops_out_of_the_time_of_a_piece_of_work():
    now = 0.0

    def job(setup, each):
        def run(n):
            nonlocal now
            now += setup + n * each

        return run

    timings = interleave({"a": job(0.5, 0.25), "b": job(0.0, 2.0)}, 0.0, least_rounds=3, clock=lambda: now)
    assert timings["a"].rounds == [0.25] * 3
    assert timings["a"].setup == 0.5
    assert timings["b"].median == timings["b"].minimum == 2.0


def test_a_line_of_the_table_compares_with_the_fastest_peer():
    times = {"fastmlp": Timing([2e-3, 1e-3, 2e-3], [0.0]), "numpy": Timing([5e-3], [0.0]), "jax": Timing([3e-3], [0.0])}
    cell = contest.Cell("gradient", "S1", "float64", flops=10**8, peak=1e11, timings=times)
    line = report.line(cell)
    assert (line["fastest peer"], line["ratio"], line["of minima"]) == ("jax, 3 ms", "1.50", "3.00")
    assert (line["numpy"], line["torch"]) == ("2.50", "")
    assert (line["time"], line["GFLOP/s"], line["% of peak"]) == ("2 ms", "50", "50")
    assert (line["goal"], line["met"]) == ("1.5, 60 %", "no")


def test_a_goal_asks_for_all_of_its_parts():
    goal = Goal(5, share=0.6, seconds=0.5e-6)
    assert goal.met(5, 0.6, 0.5e-6)
    assert not goal.met(4.9, 0.6, 0.5e-6)
    assert not goal.met(5, 0.5, 0.5e-6)
    assert not goal.met(5, 0.6, 0.6e-6)
    assert Goal(1, units=3).met(1, 0, 1, units=3)
    assert not Goal(1, units=3).met(1, 0, 1, units=3.1)


def test_a_line_tells_the_cost_in_units_of_the_yardstick():
    times = {"fastmlp": Timing([2e-3], [0.0]), "jax": Timing([6e-3], [0.0])}
    cell = contest.Cell("hessp", "S1", "float64", flops=10**8, peak=1e11, timings=times, yardstick=1e-3)
    line = report.line(cell)
    assert (line["in units of"], line["goal"], line["met"]) == ("2.00 gradient", "1.5, 3 units", "yes")


@pytest.mark.filterwarnings("ignore::fastmlp.ScaleWarning")
def test_every_small_call_has_a_row_and_works():
    jobs = small_calls.objectives() | small_calls.fits()
    assert set(jobs) == set(small_calls.ROWS)
    assert {base for base, _ in filter(None, small_calls.ROWS.values())} <= set(jobs)
    for job in jobs.values():
        job(1)


def test_small_calls_are_compared_with_what_they_add_to_and_with_other_builds():
    own = {"value": 1e-6, "value, penalty": 1.5e-6, "predict one row": 2e-6, "predict one row, out=": 1e-6}
    value, penalised, _, out = small_calls.rows(own, {"then": dict.fromkeys(own, 3e-6)})
    assert (value["ratio"], value["met"], value["then's over ours"]) == ("", "", "3.00")
    assert (penalised["time"], penalised["ratio"], penalised["met"]) == ("1.5 µs", "1.50", "no")
    assert (out["ratio"], out["goal"], out["met"]) == ("0.50", "1.2 times predict one row", "yes")


def test_two_builds_are_compared_cell_by_cell():
    cells = builds.names(["gradient", "lm20"], ["S1", "A5"], ["float64"])
    assert cells == ["fastmlp gradient S1 float64", "objective gradient S1 float64", "fastmlp lm20 A5 float64"]
    builds.cell(cells[2])(1)
    assert builds.summary({"a": 2.0, "b": 0.5, "c": 1.0}) == "3 cells, geometric mean 1.000, below 0.97: b 0.50"


def test_early_stopping_is_judged_on_rows_that_had_no_say_in_it(tmp_path, monkeypatch):
    monkeypatch.setattr(proben1, "PATIENCE", {"scg": 5, "rprop": 10})
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    order = rng.permutation(80)
    classes = np.eye(2)[(X[:, 0] > 0).astype(int)]
    classes[order[60:]] = 1 - classes[order[60:]]  # test rows are wrong, so nothing that has learned gets them right
    np.savez(tmp_path / "signs.npz", A=np.hstack([X, classes]), n_in=2, n=[40, 20, 20], order1=order)
    (tmp_path / "published_results.csv").write_text(
        "problem,network,hidden1,hidden2,output,test_mse,test_sd,test_err,test_err_sd\n"
        "signs1,pivot_shortcut,8,4,identity,0,0,0,0\n"
        "signs1,no_shortcut,3,0,identity,50.0,5.0,75.0,5.0\n"
    )
    known = proben1.published(tmp_path)
    line = proben1.measure(map, tmp_path, "signs1", known["signs1"], n_runs=3)
    assert line["hidden"] == "3"
    validation = dict(entry.split() for entry in line["validation error"].split(", "))
    assert float(validation[line["solver"]]) == min(map(float, validation.values())) < 10
    assert float(line["test error %"].split(" ± ")[0]) > 60
    assert float(line["wrong classes %"].split(" ± ")[0]) > 80
    assert (line["published"], line["within one sd"]) == ("50.00 ± 5.00", "no")


def test_generated_c_is_held_to_python_and_onnx_runtime():
    seconds = {"C, gcc": 7e-7, "C, clang": 9e-7, "Python, net(x)": 1e-6, "ONNX Runtime": 6e-6}
    assert [row["met"] for row in generated_c.rows(seconds, "float32")] == ["yes", "no", "", ""]
    assert [row["met"] for row in generated_c.rows({**seconds, "ONNX Runtime": 5e-6}, "float64")] == [
        "no",
        "no",
        "",
        "",
    ]
    assert generated_c.rows(seconds, "float32")[0]["over Python's"] == "0.70"


def test_generated_c_is_compared_before_it_is_timed(tmp_path):
    for dtype in generated_c.REALS:
        net = generated_c.network(dtype)
        X = np.ones((generated_c.ROWS, 8), dtype)
        generated_c.ours_in_c(net, "cc", tmp_path, X)(3)
        wrong = net.copy()
        wrong.params = 1.01 * net.params
        with pytest.raises(AssertionError):
            generated_c.in_c(lambda n, X, y: None, X, wrong(X)[:, 0], 1e-6)
