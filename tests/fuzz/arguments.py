"""Hostile arguments: arrays, numbers, names, objects that are not what they seem, or change things when looked at."""

import gc
from decimal import Decimal
from fractions import Fraction

import numpy as np

N = 7  # samples


class HookError(Exception):
    """What our own hooks raise: it may come through."""


def failing(*_, **__):
    raise HookError


EDGES = (0, -1, 2, 3, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 2**70, 10**5000)
FLOATS = (0.0, -0.0, -1.0, 0.5, 2.0, 1e-308, 5e-324, 1e300, 1e39, np.inf, -np.inf, np.nan)
ODD = (None, True, "1", b"1", 1j, Decimal(1), Fraction(1, 3), (), [], {}, {1, 2}, object(), failing, range(3),
       np.ma.masked, np.float16(1), np.int8(1), np.uint64(2**64 - 1), np.bool_(True), np.datetime64("2020"),
       np.array(1), np.array([1]), slice(None), NotImplemented, ..., lambda *_, **__: 1, iter([1]))  # fmt: skip
DTYPES = ("f8", "f4", "f2", ">f8", "i1", "u8", "?", "g", "c16", "O", "U3", "S3", "M8[s]", "m8[s]", "V8", "f8,i4")
NAMES = ("", "adam", "lm", "exact", "ggn", "params", "logits", "weights", "W1", "b1", "W1[:,0]", "all", "\0",
         "x" * 5000, "\ud800", "W1[" * 50, "W9", "W1[2**99,:]", "W1[-1,-1]", "W1[0:0,:]")  # fmt: skip


# ---- what happens while an argument is looked at ----


def shape_of(world):
    world.X.shape = (-1,)


def numbers_of(world):
    world.X[...] = world.T[...] = np.nan


def layout_of(world):
    world.X.dtype = np.int32


def parameters_of(world):
    world.net.params = np.full(world.net.n_params, 1e150)


def units_of(world):
    world.net.fit(world.good_X, world.good_T, max_iter=1, standardize=True)


def all_of(world):
    world.net.__init__([2, 9, 9, 1], dtype="float32")


def state_of(world):
    world.net.__setstate__(world.small.__getstate__())


def garbage(world):
    gc.collect()


def nothing_but_an_error(world):
    raise HookError


DISTURBANCES = (
    shape_of,
    numbers_of,
    layout_of,
    parameters_of,
    units_of,
    all_of,
    state_of,
    garbage,
    nothing_but_an_error,
)


class Hook:
    """What changes the world, once, when one of its special methods is called."""

    def prepared(self, draws, world):
        self.world, self.change, self.answer = world, draws.among(DISTURBANCES), draws.among((None, *ODD[:12]))
        self.times = draws.below(3) + 1
        return self

    def disturb(self, honest):
        """The honest answer of the method, or another one."""
        self.times -= 1
        if self.times == 0:
            self.world.disturbed = True
            self.change(self.world)
        return honest if self.answer is None else self.answer


class Integer(Hook, int):
    def _compared(self, _):
        return self.disturb(NotImplemented)

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = _compared
    __hash__ = int.__hash__

    def __index__(self):
        return self.disturb(1)

    __int__ = __index__

    def bit_length(self):
        return self.disturb(1)


class Float(Hook, float):
    def __float__(self):
        return self.disturb(0.5)

    def _compared(self, _):
        return self.disturb(NotImplemented)

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = _compared
    __hash__ = float.__hash__


class Name(Hook, str):
    def __eq__(self, other):
        return self.disturb(str.__eq__(self, other))

    def __hash__(self):
        return self.disturb(str.__hash__(self))


class Rows(Hook, list):
    def __len__(self):
        return self.disturb(list.__len__(self))

    def __iter__(self):
        self.disturb(None)
        return list.__iter__(self)

    def __getitem__(self, key):
        return self.disturb(list.__getitem__(self, key))


class ArrayLike(Hook):
    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.disturb(np.array(self.array, dtype))

    def __len__(self):
        return self.disturb(len(self.array))

    def __getattr__(self, name):
        if name in ("shape", "ndim", "dtype", "size"):
            return getattr(self.__dict__["array"], name)
        raise AttributeError(name)


class Subclass(np.ndarray):
    """An array whose finalizer, sums and comparisons are its own."""

    def __array_ufunc__(self, *_, **__):
        return 1

    def __array_function__(self, *_, **__):
        return 1


# ---- arrays ----


def array(draws, world, shape, make=np.random.Generator.normal):
    """Mostly an array of the shape, type and numbers that are asked for."""
    good = np.asarray(make(np.random.default_rng(0), size=shape), world.net.dtype)
    return hostile(draws, world, good) if draws.seldom() else good


def hostile(draws, world, good):
    """An array made into something else."""
    return draws.among((changed, changed, reshaped, converted, laid_out, contained, contained, odd))(draws, world, good)


def odd(draws, world, good):
    return draws.among(ODD)


def changed(draws, world, good):
    """With other numbers in some places."""
    for _ in range(draws.below(3) + 1):
        if good.size:
            with np.errstate(all="ignore"):
                good.reshape(-1)[draws.below(good.size)] = draws.among(FLOATS)
    return good


def reshaped(draws, world, good):
    n, *rest = good.shape or (1,)
    forms = [(), (0,), (n,), (n, 1), (0, *rest), (n + 1, *rest), (n, *rest, 1), (1,) * 30, (n, *rest[:-1], 2),
             (10**6, *rest), (2**40, *rest)]  # fmt: skip
    return np.broadcast_to(good.dtype.type(0.5), draws.among(forms))


def converted(draws, world, good):
    with np.errstate(all="ignore"):
        try:
            return good.astype(draws.among(DTYPES))
        except (TypeError, ValueError):  # NumPy does not
            return good.astype(object)


def laid_out(draws, world, good):
    moved = np.ndarray(good.shape, good.dtype, np.zeros(good.nbytes + 1, np.uint8)[1:])
    moved[...] = good
    frozen = good.copy()
    frozen.flags.writeable = False
    forms = [np.asfortranarray(good), moved, frozen, good[::-1]]
    if good.ndim:
        forms += [np.repeat(good, 2, axis=-1)[..., ::2], np.broadcast_to(good[:1], good.shape), good[:, None]]
    return draws.among(forms)


def contained(draws, world, good):
    forms = [lambda: ArrayLike(good).prepared(draws, world), lambda: Rows(good.tolist()).prepared(draws, world),
             good.tolist, lambda: good.view(Subclass), lambda: np.matrix(good.reshape(len(good), -1)),
             lambda: memoryview(good), lambda: np.ma.masked_array(good, good > 0), lambda: world.X, lambda: iter(good),
             lambda: [ArrayLike(good).prepared(draws, world), None]]  # fmt: skip
    return draws.among(forms if good.ndim else forms[:1])()


# ---- numbers and names ----


def integer(draws, world, good=1):
    if not draws.seldom():
        return good
    return draws.among((*EDGES, Integer(good).prepared(draws, world), *FLOATS, *ODD))


def real(draws, world, good=1.0):
    if not draws.seldom():
        return good
    return draws.among((*FLOATS, Float(good).prepared(draws, world), *EDGES, *ODD))


def name(draws, world, names):
    """One of the names, or of others."""
    if not draws.seldom():
        return draws.among(names)
    return draws.among((*NAMES, Name(draws.among(names)).prepared(draws, world), *ODD))
