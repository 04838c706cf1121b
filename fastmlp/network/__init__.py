"""The facade: a network that can be trained, its derivatives and outputs."""

from fastmlp.network.network import Network, load

__all__ = ["Network", "load"]
