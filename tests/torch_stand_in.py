"""As much of PyTorch as the bridge touches, in NumPy: for where the real one, of some hundred megabytes, is missing."""

import types

import numpy as np

from reference import ACTIVATIONS, softmax


class Tensor:
    def __init__(self, array, dtype=None):
        self.array = np.array(array)
        self.ndim = self.array.ndim
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
for cls, name, attributes in (
    ("Identity", "identity", {}),
    ("Flatten", "identity", {"start_dim": 1}),
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
