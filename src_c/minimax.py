"""Print coefficients.h: the polynomials and split constants of vecmath.tmpl.h, for float and for double.

    python minimax.py > coefficients.h

A polynomial p approximates f on [a, b] so that the largest |w (p - f)| is least (Remez exchange); w makes the error
relative to the function that p is a part of. Needs mpmath.
"""

from mpmath import mp, mpf

mp.dps = 80
MANTISSA = {"f32": 24, "f64": 53}


def minimax(f, a, b, degree, w):
    """Return the coefficients c_0 ... c_degree of the best weighted polynomial, and its largest weighted error."""
    n = degree + 2
    middle, half = (a + b) / 2, (b - a) / 2
    nodes = [middle - half * mp.cos(mp.pi * i / (n - 1)) for i in range(n)]
    grid = [middle - half * mp.cos(mp.pi * i / (50 * n)) for i in range(50 * n + 1)]
    samples = [(x, f(x), w(x)) for x in grid]
    for _ in range(20):
        # Level the error on the nodes: sum_k c_k x_i^k + (-1)^i E / w(x_i) = f(x_i).
        rows = [[x**k for k in range(degree + 1)] + [(-1) ** i / w(x)] for i, x in enumerate(nodes)]
        *c, level = mp.lu_solve(mp.matrix(rows), mp.matrix([f(x) for x in nodes]))
        errors = [(wx * (mp.polyval(c[::-1], x) - fx), x) for x, fx, wx in samples]
        worst = max(abs(e) for e, _ in errors)
        if worst < 1.001 * abs(level):
            break
        nodes = alternation(errors, n)
    return c, worst


def alternation(errors, n):
    """Find the n points where the error, taken between two changes of sign, is largest."""
    peaks = [errors[0]]
    for e, x in errors[1:]:
        if e * peaks[-1][0] <= 0:
            peaks.append((e, x))
        elif abs(e) > abs(peaks[-1][0]):
            peaks[-1] = (e, x)
    while len(peaks) > n:
        peaks.pop(0 if abs(peaks[0][0]) < abs(peaks[-1][0]) else -1)
    return [x for _, x in peaks]


def rounded(x, bits):
    """Return the value nearest to x with that many significant bits."""
    with mp.workprec(bits):
        return +mpf(x)


def literal(x, kind):
    """Write a C hexadecimal literal of a value that the type holds."""
    return float(x).hex() + ("f" if kind == "f32" else "")


def print_split(name, value, widths, kind):
    """Print consecutive pieces of a constant, of the given widths in bits; {} in the name is their number."""
    for i, bits in enumerate(widths, 1):
        piece = rounded(value, bits)
        print(f"#define {name.format(i)} {literal(piece, kind)}")
        value -= piece


def horner(c, fma):
    """Return the lines of a Horner chain in xx, the last coefficient first."""
    lines = [f"{f'{fma}(' * (len(c) - 1)}{c[-1]}"]
    return lines + [f"xx, {x})" for x in reversed(c[:-1])]


def print_polynomial(name, comment, f, interval, degree, w, kind, fma, first):
    """Print c_first + c_(first+1) x + ... as a macro of x and xx = x^2, and c_0 apart if first is 1.

    The odd and the even coefficients form two chains, which a processor runs side by side.
    """
    c, error = minimax(f, *interval, degree, w)
    c = [literal(rounded(x, MANTISSA[kind]), kind) for x in c]
    print(f"\n/* {comment}; error 2^{float(mp.log(error, 2)):.1f} */")
    if first:
        base, suffix = name.rsplit("_", 1)
        name = f"{base}_REST_{suffix}"
        print(f"#define {base}_0_{suffix} {c[0]}")
    odd, even = horner(c[first + 1 :: 2], fma), horner(c[first::2], fma)
    lines = [f"{fma}(x, {odd[0]}", *odd[1:]]
    lines[-1] += ","
    print(f"#define {name}(x, xx) ( \\")
    print("\n".join(f"    {line} \\" if line.endswith(",") else f"    {line}, \\" for line in lines + even[:-1]))
    print(f"    {even[-1]}))")


def near_zero(f):
    """Replace the removable singularity of f at zero by the value beside it."""
    return lambda x: f(x if abs(x) > TINY else TINY)


def normal_tail(x):
    """Compute (t + 1) exp(t^2 / 2) Phi(-t) at x = (t - 5) / (t + 5)."""
    t = 5 * (1 + x) / (1 - x)
    return (t + 1) * mp.exp(t * t / 2) * mp.erfc(t / mp.sqrt(2)) / 2


LN2, HALF_PI = mp.log(2), mp.pi / 2
LN2_PIECES = {"f32": (15, 24), "f64": (42, 53)}
HALF_PI_PIECES = {"f32": (33, 53), "f64": (36, 36, 53)}  # the sine of floats is computed in double
TINY = mpf("1e-25")  # stands for zero where a function or a weight degenerates

# name: formula, function, interval, weight, degree for float and for double
POLYNOMIALS = {
    "EXPM1_TAIL": (
        "(e^x - 1 - x) / x^2 on |x| <= ln(2) / 2",
        near_zero(lambda x: (mp.expm1(x) - x) / x**2),
        {"f32": (-LN2 / 2, LN2 / 2), "f64": (-LN2 / 2, LN2 / 2)},
        lambda x: abs(x) + mpf("0.02"),
        {"f32": 4, "f64": 9},
    ),
    "LOG1P_TAIL": (
        "(log((1 + s) / (1 - s)) / s - 2) / s^2 of x = s^2, 0 <= s <= 1/3",
        near_zero(lambda x: 2 * (mp.atanh(mp.sqrt(x)) / mp.sqrt(x) - 1) / x),
        {"f32": (0, mpf(1) / 9), "f64": (0, mpf(1) / 9)},
        lambda x: x / 2 + TINY,
        {"f32": 3, "f64": 9},
    ),
    "NORMAL_TAIL": (
        "(t + 1) exp(t^2 / 2) Phi(-t) of x = (t - 5) / (t + 5), 0 <= t <= 14.5 (float) or 38.7 (double)",
        normal_tail,
        {"f32": (-1, mpf("9.5") / mpf("19.5")), "f64": (-1, mpf("33.7") / mpf("43.7"))},
        lambda x: 1 / normal_tail(x),
        {"f32": 10, "f64": 22},
    ),
    "SIN_TAIL": (
        "(sin(r) / r - 1) / r^2 of x = r^2, 0 <= r <= pi / 4",
        near_zero(lambda x: (mp.sin(mp.sqrt(x)) / mp.sqrt(x) - 1) / x),
        {"f32": (0, (HALF_PI / 2) ** 2), "f64": (0, (HALF_PI / 2) ** 2)},
        lambda x: x + TINY,
        {"f32": 2, "f64": 5},
    ),
    "COS_TAIL": (
        "(cos(r) - 1 + r^2 / 2) / r^4 of x = r^2, 0 <= r <= pi / 4",
        near_zero(lambda x: (mp.cos(mp.sqrt(x)) - 1 + x / 2) / x**2),
        {"f32": (0, (HALF_PI / 2) ** 2), "f64": (0, (HALF_PI / 2) ** 2)},
        lambda x: x**2 + TINY,
        {"f32": 2, "f64": 5},
    ),
}
DOUBLE_ONLY = ("SIN_TAIL", "COS_TAIL")
CONSTANT_APART = ("NORMAL_TAIL",)


def print_type(kind):
    """Print all constants and polynomials of one type."""
    print(f"\n/* ---- {'float' if kind == 'f32' else 'double'} ---- */\n")
    print_split(f"LOG2_E_{kind}", 1 / LN2, (MANTISSA[kind],), kind)
    print_split(f"LN2_{{}}_{kind}", LN2, LN2_PIECES[kind], kind)
    print_split(f"NORMAL_DENSITY_AT_0_{kind}", 1 / mp.sqrt(2 * mp.pi), (MANTISSA[kind],), kind)
    print_split(f"TWO_OVER_PI_{kind}", 1 / HALF_PI, (53,), "f64")
    print_split(f"HALF_PI_{{}}_{kind}", HALF_PI, HALF_PI_PIECES[kind], "f64")
    for name, (formula, f, interval, w, degree) in POLYNOMIALS.items():
        number, fma = ("f64", "FMA_DOUBLE") if name in DOUBLE_ONLY else (kind, "FMA")
        first = int(name in CONSTANT_APART)
        print_polynomial(f"{name}_{kind}", formula, f, interval[kind], degree[kind], w, number, fma, first)


HEAD = """\
/* Constants of vecmath.tmpl.h. Made by minimax.py: do not edit.
 *
 * A name ends in the type it serves; a polynomial takes x and xx = x^2. Its error is relative to the function that it
 * is a part of, before the coefficients are rounded.
 */"""

if __name__ == "__main__":
    print(HEAD)
    for kind in MANTISSA:
        print_type(kind)
