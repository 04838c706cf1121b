"""The facade: `network`, a network that can be trained, its derivatives and outputs; `trainable`, objective and fit."""

from fastmlp.network.network import Network

__all__ = ["Network"]
