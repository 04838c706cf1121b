"""Ctrl-C and other signals during long calls, each in a process of its own."""

import pytest

from interrupting import run


@pytest.mark.parametrize(
    ("call", "layers", "threads"),
    [
        ("predict", [8, 100, 100, 1], 1),
        ("predict", [8, 100, 100, 1], 2),
        ("loss_and_grad", [8, 100, 100, 1], 1),
        ("loss_and_grad", [8, 100, 100, 1], 3),
        ("predict", [50, 1000, 1000, 1], 3),  # few slots: the calling thread waits for others
        ("trace", [300, 500, 500, 1], 1),
        ("jacobian", [8, 100, 100, 3], 2),
        ("hessp", [8, 100, 100, 1], 2),
        ("products", [8, 200, 1], 1),  # many passes, each shorter than the time between answers
        ("along", [8, 40, 1], 1),
        ("hessian", [8, 20, 20, 1], 2),
        ("hessian", [8, 50, 50, 1], 1),
        ("gauss_newton", [8, 80, 80, 1], 2),
    ],
)
def test_a_long_call_answers_ctrl_c_within_a_tenth_of_a_second(call, layers, threads):
    program = f"""
    call, threads = {call}, {threads}
    net, X, T = problem({layers}, 1.0, threads, call)
    few = net.predict(X[:100])
    times = [answer(call, net, X, T, threads, after=after) for after in (0.1, 0.15, 0.2)]
    assert np.array_equal(net.predict(X[:100]), few)
    print(statistics.median(times), max(times))
    """
    median, longest = map(float, run(program))
    assert median < 0.1
    assert longest < 1.0


@pytest.mark.parametrize(
    ("layers", "batch_size"),
    [([1, 3, 1], 32), ([8, 50, 50, 1], 1), ([8, 50, 50, 1], 100_000), ([100, 500, 500, 10], 32)],
)
def test_minibatches_answer_ctrl_c_and_leave_the_last_completed_step(layers, batch_size):
    program = f"""
    layers, batch_size = {layers}, {batch_size}
    X = np.random.default_rng(0).normal(size=(100_000, layers[0]))
    T = np.ones((len(X), layers[-1]))
    times = []
    for after in (0.3, 0.4, 0.2):
        net = fastmlp.Network(layers, rng=0)
        times.append(answer(lambda: net.fit(X, T, "sgd", max_iter=10**9, learning_rate=1e-4, rng=0,
                                            batch_size=batch_size), after=after))
    print(statistics.median(times))

    # the same steps one by one, until the parameters are those that were left
    from fastmlp._core.sums.batch import bind_plain
    from fastmlp._core.fits.train import Minibatches
    replay, rng = fastmlp.Network(layers, rng=0), np.random.default_rng(0)
    w = replay.params
    g, v = np.zeros_like(w), np.zeros_like(w)
    loop = Minibatches(bind_plain(replay._architecture.plan, X, T), batch_size, 1)
    found = np.array_equal(w, net.params)
    while not found and loop.n_steps < 10**6:
        order = np.arange(len(X))
        rng.shuffle(order)
        for step in range(len(X) // batch_size):
            loop.run((w, order, None, g, v), step, 1, 1e-4, (0.0, False, False))
            found = np.array_equal(w, net.params)
            if found:
                break
    print(found)
    """
    median, found = run(program)
    assert float(median) < 0.1
    assert found == "True"


def test_full_batch_training_answers_ctrl_c_and_leaves_the_last_completed_iteration():
    program = """
    net, X, T = problem([8, 100, 100, 1], 0.05, 2, loss_and_grad)
    T = np.sin(X[:, :1])
    seen = [net.params]
    fit = lambda: net.fit(X, T, "lbfgs", tol=0, max_iter=10**9, n_threads=2, callback=lambda s: seen.append(s.x))
    times = [answer(fit, after=after) for after in (0.7, 0.8, 0.9)]
    print(statistics.median(times), np.array_equal(net.params, seen[-1]), len(seen))
    net.fit(X[:500], T[:500], max_iter=3)
    """
    median, same, iterations = run(program)
    assert float(median) < 0.1
    assert same == "True"
    assert int(iterations) > 1


@pytest.mark.parametrize("method", ["lbfgs", "lm"])
@pytest.mark.parametrize(("layers", "n_samples"), [([3, 5, 1], 200), ([8, 20, 1], 10_000)])
def test_steps_that_nobody_watches_answer_ctrl_c_too(method, layers, n_samples):
    program = f"""
    X = np.random.default_rng(0).normal(size=({n_samples}, {layers[0]}))
    T = np.random.default_rng(1).normal(size=len(X))
    start = fastmlp.Network({layers}, rng=0)
    net = start.copy()

    def fit_again_and_again():
        while True:
            net.params = start.params
            net.fit(X, T, "{method}", tol=0.0, max_iter=10**9, n_threads=2)

    print(statistics.median(answer(fit_again_and_again, after=after) for after in (0.5, 0.6, 0.7)))

    # the same steps one by one, from the start, until the parameters are those that were left
    passed = [start.params.copy()]
    def callback(state):
        passed.append(state.x)
        return np.array_equal(state.x, net.params)
    start.fit(X, T, "{method}", tol=0.0, max_iter=10**6, callback=callback, time_limit=60)
    print(any(np.array_equal(params, net.params) for params in passed))
    """
    median, at_a_step = run(program)
    assert float(median) < 0.1
    assert at_a_step == "True"


@pytest.mark.parametrize(("sizes", "threads"), [([3] * 2_000, 2), ([20] * 50, 3), ([1, 100], 2), ([100, 1], 1)])
def test_many_networks_answer_ctrl_c_and_keep_their_latest_steps(sizes, threads):
    program = f"""
    sizes, threads = {sizes}, {threads}
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200 if max(sizes) == 3 else 3000, 8))
    T = rng.normal(size=len(X))
    networks = [fastmlp.Network([8, M, 1], rng=seed) for seed, M in enumerate(sizes)]
    starts, times = [net.copy() for net in networks], []
    for after in (0.7, 0.8, 0.9):
        for net, start in zip(networks, starts):
            net.params = start.params
        fit = lambda: fastmlp.fit_many(networks, X, T, tol=0.0, ftol=0.0, max_iter=10**6, n_threads=threads)
        times.append(answer(fit, after=after))
    better = sum(net.loss(X, T) < start.loss(X, T) for net, start in zip(networks, starts))
    same = sum(net == start for net, start in zip(networks, starts))
    print(statistics.median(times), better > 0 and better + same == len(networks))
    fastmlp.fit_many(networks[:1], X, T, max_iter=1)
    """
    median, kept = run(program)
    assert float(median) < 0.1
    assert kept == "True"


@pytest.mark.parametrize("call", ["net.fit(X, T, 'lm', tol=0.0, max_iter=10**6)", "net.inverse_hessian(X, T, 0.1)"])
def test_factors_of_large_matrices_answer_ctrl_c(call):
    program = f"""
    net = fastmlp.Network([27, 100, 1], rng=0)
    X = np.random.default_rng(0).normal(size=(3000, 27))
    T = np.sin(X[:, 0])
    start = net.copy()
    times = []
    for after in (0.4, 0.6, 0.8, 1.0, 1.2):
        net.params = start.params
        times.append(answer(lambda: [{call} for _ in range(100)], after=after))
    print(statistics.median(times), net.loss(X, T) <= start.loss(X, T))
    """
    median, kept = run(program)
    assert float(median) < 0.1
    assert kept == "True"


@pytest.mark.parametrize("threads", [1, 2])
def test_starts_of_the_evidence_answer_ctrl_c_and_their_threads_end(threads):
    program = f"""
    X = np.random.default_rng(0).normal(size=(2000, 8))
    T = np.sin(X[:, 0])
    net = fastmlp.Network([8, 15, 1], rng=0)
    start, times = net.copy(), []
    for after in (0.5, 0.7, 0.9):
        try:
            times.append(answer(lambda: fastmlp.fit_evidence(net, X, T, n_starts=6, max_iter=10**6,
                                                             tol=1e-14, rng=0, n_threads={threads}), after=after))
        finally:
            left = time.perf_counter() + 5
            while threading.active_count() > 1 and time.perf_counter() < left:
                time.sleep(0.01)
    print(statistics.median(times), net == start, threading.active_count())
    """
    median, same, alive = run(program)
    assert float(median) < 0.1
    assert same == "True"
    assert alive == "1"


def test_networks_that_are_done_are_on_the_exception():
    program = """
    X = np.random.default_rng(0).normal(size=(3000, 8))
    T = np.sin(X[:, 0])
    networks = [fastmlp.Network([8, M, 1], rng=0) for M in (1, 200, 2)]
    def fit():
        fastmlp.fit_many(networks, X, T, tol=0.0, ftol=1e-3, max_iter=10**9, n_threads=2)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 3.0)
    try:
        fit()
    except KeyboardInterrupt as error:
        first, second, third = error.partial
        print(second is None, np.array_equal(first.x, networks[0].params), np.array_equal(third.x, networks[2].params))
    """
    assert run(program) == ["True"] * 3


@pytest.mark.parametrize("threads", [1, 2])
def test_handlers_that_raise_nothing_run_during_a_call_and_may_use_the_network(threads):
    program = f"""
    net, X, T = problem([8, 100, 100, 1], 0.5, {threads}, loss_and_grad)
    loss, gradient = net.loss_and_grad(X, T, n_threads={threads})
    few, count = net.predict(X[:5000]), 0

    def handler(*_):
        global count
        count += np.array_equal(net.predict(X[:5000], n_threads=2), few)
        signal.setitimer(signal.ITIMER_REAL, 0.05)  # from here on: the call goes on however long this has taken

    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    again, same = net.loss_and_grad(X, T, n_threads={threads})
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(loss == again and np.array_equal(gradient, same), count)
    """
    same, count = run(program)
    assert same == "True"
    assert int(count) >= 5


def test_ctrl_c_is_the_main_threads_and_leaves_calls_in_others_alone():
    program = """
    net, X, T = problem([8, 100, 100, 1], 0.5, 2, loss_and_grad)
    expected, results = net.loss_and_grad(X, T), []
    worker = threading.Thread(target=lambda: results.append(net.loss_and_grad(X, T)))
    worker.start()
    seconds = answer(time.sleep, 10, after=0.2)
    worker.join()
    print(seconds, results[0][0] == expected[0] and np.array_equal(results[0][1], expected[1]))
    """
    seconds, same = run(program)
    assert float(seconds) < 0.1
    assert same == "True"


def test_the_interpreter_may_end_while_a_daemon_thread_computes():
    program = """
    net, X, T = problem([8, 100, 100, 1], 0.2, 2, loss_and_grad)
    threading.Thread(target=lambda: [net.loss_and_grad(X, T, n_threads=2) for _ in range(100)], daemon=True).start()
    time.sleep(0.1)
    """
    assert run(program) == []


def test_starts_of_a_thread_that_nobody_waits_for_are_not_waited_for_either():
    """A daemon thread in `fit_evidence`, with threads of its own, does not keep the interpreter from ending."""
    program = """
    X = np.random.default_rng(0).normal(size=(2_000, 8))
    seen = set()

    def training():
        fastmlp.fit_evidence(
            fastmlp.Network([8, 10, 1], rng=0), X, np.sin(X[:, 0]), n_starts=4, n_threads=2, max_iter=10**6, tol=1e-300,
            rng=0, callback=lambda state: seen.add(state.start),
        )

    threading.Thread(target=training, daemon=True).start()
    while len(seen) < 2:
        time.sleep(0.01)
    print("end")
    """
    assert run(program) == ["end"]


@pytest.mark.parametrize(
    "call",
    [
        "net.fit(X, T, 'lm', tol=0.0, max_iter=1000)",
        "net.fit(X, T, 'lm', tol=0.0, max_iter=1000, penalty=single)",  # by the dual
        "fastmlp.Laplace(net, X, T, prior_precision=1.0, noise_precision=1.0).params_std",
        "fastmlp.fit_evidence(net.copy(), X, T)",
    ],
)
def test_many_inputs_answer_ctrl_c(call):
    program = f"""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 1500))
    T = np.sin(X[:, 0]) + 0.1 * rng.normal(size=300)
    net = fastmlp.Network([1500, 3, 1], rng=0)
    single = fastmlp.WeightDecay({{"W1": 0.1, "W1[:,0]": 0.2}}) + fastmlp.WeightDecay(0.0, 0.1)
    start, times = net.copy(), []
    import warnings
    warnings.simplefilter("ignore")
    for after in (0.2, 0.5, 0.9, 1.4):
        net.params = start.params
        times.append(answer(lambda: [{call} for _ in range(100)], after=after))
    print(statistics.median(times), max(times))
    """
    median, _ = run(program)
    assert float(median) < 0.1
