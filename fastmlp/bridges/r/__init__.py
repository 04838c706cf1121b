"""R: fits of nnet, multinom, brnn and neuralnet as networks.

reading  `from_r`
fits     what each package's fits hold
dput     the text that `dput` writes, as data
"""

from fastmlp.bridges.r.reading import from_r

__all__ = ["from_r"]
