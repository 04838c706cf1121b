"""Files of safetensors as PyTorch and Flax have them, and outputs as these compute them: see README.md."""

import flax.linen as nn
import flax.traverse_util
import jax
import numpy as np
import safetensors.numpy
import safetensors.torch
import torch

expected = {}
X = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)

torch.manual_seed(0)
modules = [torch.nn.Linear(3, 3)]
for _ in range(5):
    modules += [torch.nn.Tanh(), torch.nn.Linear(3, 3)]
module = torch.nn.Sequential(*modules)
safetensors.torch.save_file(module.state_dict(), "torch.safetensors", {"format": "pt"})
expected["torch"] = module(torch.tensor(X)).detach().numpy()
safetensors.torch.save_file(module.double().state_dict(), "double.safetensors")
expected["double"] = module(torch.tensor(X).double()).detach().numpy()
half = module.bfloat16()
safetensors.torch.save_file(half.state_dict(), "bfloat16.safetensors")
expected["bfloat16"] = half.float()(torch.tensor(X)).detach().numpy()  # the rounded weights, computed in float32


class Net(nn.Module):
    """In Flax."""

    @nn.compact
    def __call__(self, x):
        """Three layers."""
        for width in (5, 4):
            x = nn.silu(nn.Dense(width)(x))
        return nn.softmax(nn.Dense(2)(x))


net = Net()
params = net.init(jax.random.key(0), X)
flat = {name: np.asarray(each) for name, each in flax.traverse_util.flatten_dict(params, sep="/").items()}
safetensors.numpy.save_file(flat, "flax.safetensors")
expected["flax"] = np.asarray(net.apply(params, X))
np.savez_compressed("expected.npz", X=X, **expected)
