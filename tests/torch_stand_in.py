"""As much of PyTorch as the bridge touches, in NumPy: for where the real one, of some hundred megabytes, is missing."""

import types

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from reference import ACTIVATIONS, softmax


class Tensor:
    def __init__(self, array, dtype=None):
        self.array = np.array(array)
        self.ndim, self.shape = self.array.ndim, self.array.shape
        self.dtype = dtype or f"torch.{self.array.dtype}"

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.array

    def sin(self):
        return Tensor(np.sin(self.array))

    def exp(self):
        return Tensor(np.exp(self.array))

    def reshape(self, *shape):
        return Tensor(self.array.reshape(shape))

    def unfold(self, axis, size, step):
        places = [slice(None)] * axis + [slice(None, None, step)]
        return Tensor(sliding_window_view(self.array, size, axis)[tuple(places)])

    def __add__(self, other):
        return Tensor(self.array + other.array)


class Module:
    training = True

    def __call__(self, z):
        return self.forward(z)

    def eval(self):
        self.training = False
        return self

    def register_forward_hook(self, hook):
        vars(self).setdefault("_forward_hooks", {})[0] = hook

    def register_forward_pre_hook(self, hook):
        vars(self).setdefault("_forward_pre_hooks", {})[0] = hook


class Linear(Module):
    def __init__(self, n_in, n_out, bias=True, device=None, dtype=np.float32):
        self.weight = Tensor(np.full((n_out, n_in), 0.5, dtype))
        self.bias = Tensor(np.full(n_out, 0.25, dtype)) if bias else None

    def forward(self, x):
        return Tensor(x.array @ self.weight.array.T + (0 if self.bias is None else self.bias.array))


def each_axis(value, n_axes):
    return value if isinstance(value, tuple) else (value,) * n_axes


class Windowed(Module):
    """Convolutions and pools of signals (n_axes 1) and images."""

    dilation = groups = 1

    def places(self, x, size, stride):
        for axis, (extent, step) in enumerate(zip(size, stride, strict=True)):
            x = x.unfold(2 + axis, extent, step)
        return x.array


class Conv(Windowed):
    padding_mode = "zeros"

    def __init__(
        self, n_in, n_out, size, stride=1, padding=0, bias=True, device=None, groups=1, dilation=1, padding_mode="zeros"
    ):
        self.kernel_size, self.stride = (each_axis(value, self.n_axes) for value in (size, stride))
        self.padding = padding if isinstance(padding, str) else each_axis(padding, self.n_axes)
        self.weight = Tensor(np.full((n_out, n_in, *self.kernel_size), 0.5, np.float32))
        self.bias = Tensor(np.full(n_out, 0.25, np.float32)) if bias else None
        self.groups, self.dilation, self.padding_mode = groups, each_axis(dilation, self.n_axes), padding_mode

    def forward(self, x):
        if self.padding == "same":
            zeros = [((size - 1) // 2, size // 2) for size in self.kernel_size]
        else:
            zeros = [(n, n) for n in each_axis(0 if self.padding == "valid" else self.padding, self.n_axes)]
        padded = Tensor(np.pad(x.array, [(0, 0), (0, 0), *zeros]))
        letters = "nchwpq,ocpq->nohw" if self.n_axes == 2 else "nchp,ocp->noh"
        z = np.einsum(letters, self.places(padded, self.kernel_size, self.stride), self.weight.array)
        return Tensor(z if self.bias is None else z + self.bias.array.reshape(-1, *(1,) * self.n_axes))


class Pool(Windowed):
    def __init__(self, size, stride=None, padding=0, ceil_mode=False):
        self.kernel_size, self.padding, self.ceil_mode = size, padding, ceil_mode
        self.stride = size if stride is None else stride

    def forward(self, x):
        size, stride = (each_axis(value, self.n_axes) for value in (self.kernel_size, self.stride))
        last = tuple(range(-self.n_axes, 0))
        return Tensor(self.reduce(self.places(x, size, stride), axis=last))


class ZeroPad(Module):
    def __init__(self, padding):
        self.padding = each_axis(padding, 2 * self.n_axes)

    def forward(self, x):
        pairs = list(zip(self.padding[::2], self.padding[1::2], strict=True))
        return Tensor(np.pad(x.array, [(0, 0), (0, 0), *pairs[::-1]]))


class Flatten(Module):
    def __init__(self, start_dim=1):
        self.start_dim = start_dim

    def forward(self, x):
        return Tensor(x.array.reshape(len(x.array), -1))


class Unflatten(Module):
    def __init__(self, dim, unflattened_size):
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, x):
        return Tensor(x.array.reshape(len(x.array), *self.unflattened_size))


class Sequential(Module):
    def __init__(self, *modules):
        self._modules = {str(number): module for number, module in enumerate(modules)}

    def __iter__(self):
        return iter(self._modules.values())

    def forward(self, x):
        for module in self:
            x = module(x)
        return x

    def state_dict(self):
        state = {}
        for name, module in self._modules.items():
            if isinstance(module, Linear):
                state |= {f"{name}.weight": module.weight, f"{name}.bias": module.bias}
        return state


class Activation(Module):
    """A function of arrays, with attributes that may be given."""

    def __init__(self, **given):
        vars(self).update(self.attributes | given)

    def forward(self, z):
        return Tensor(self.function(z.array))


def activation(name, function, **attributes):
    return type(name, (Activation,), {"function": staticmethod(function), "attributes": attributes})


nn = types.ModuleType("torch.nn")
vars(nn).update(Module=Module, Linear=Linear, Sequential=Sequential, Parameter=lambda tensor: tensor)
vars(nn).update(Flatten=Flatten, Unflatten=Unflatten)
for n_axes in (1, 2):
    for name, base, more in (
        ("Conv", Conv, {}),
        ("AvgPool", Pool, {"reduce": staticmethod(np.mean)}),
        ("MaxPool", Pool, {"reduce": staticmethod(np.max)}),
        ("ZeroPad", ZeroPad, {}),
    ):
        setattr(nn, f"{name}{n_axes}d", type(f"{name}{n_axes}d", (base,), {"n_axes": n_axes, **more}))
for cls, name, attributes in (
    ("Identity", "identity", {}),
    ("Dropout", "identity", {}),
    ("Hardtanh", "tanh", {}),
    ("Tanh", "tanh", {}),
    ("Sigmoid", "logistic", {}),
    ("ReLU", "relu", {}),
    ("LeakyReLU", "leaky_relu", {"negative_slope": 0.01}),
    ("Softplus", "softplus", {"beta": 1, "threshold": 20}),
    ("ELU", "elu", {"alpha": 1.0}),
    ("SiLU", "silu", {}),
    ("GELU", "gelu", {"approximate": "none"}),
):
    setattr(nn, cls, activation(cls, ACTIVATIONS[name][0], **attributes))


def register_parametrization(module, name, parametrization):
    module.parametrizations = {name: parametrization}


nn.utils = types.SimpleNamespace(parametrize=types.SimpleNamespace(register_parametrization=register_parametrization))
nn.Softmax = activation("Softmax", lambda Z: np.array([softmax(z) for z in Z]), dim=None)
torch = types.ModuleType("torch")
vars(torch).update(nn=nn, tensor=Tensor, from_numpy=Tensor, bfloat16="torch.bfloat16")
torch.einsum = lambda letters, a, b: Tensor(np.einsum(letters, a.array, b.array))
