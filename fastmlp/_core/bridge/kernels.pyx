"""The dtype bridge (kernels.pxd), the names from the C lists, and the choice of the instruction set.

The best set that this processor can run is taken at import, or the one named by FASTMLP_ISA.
"""

import os


def _text(const char *chars):
    return chars.decode("ascii")


activation_names = tuple([_text(fmlp_activation_names[i]) for i in range(FMLP_N_ACTIVATIONS)])
loss_names = tuple([_text(fmlp_loss_names[i]) for i in range(FMLP_N_LOSSES)])
loss_outputs = tuple([_text(fmlp_loss_outputs[i]) for i in range(FMLP_N_LOSSES)])
PAD, PANEL = FMLP_PAD, FMLP_PANEL
isa_names = tuple([_text(fmlp_isas[i].name) for i in range(fmlp_n_isas) if fmlp_isas[i].usable()])


def isa_index(name):
    """Index of a usable instruction set; None means the one in use.

    Raises
    ------
    ValueError
        If this build or this CPU has no such instruction set.
    """
    if name is None:
        return _chosen
    for i in range(fmlp_n_isas):
        if _text(fmlp_isas[i].name) == name and fmlp_isas[i].usable():
            return i
    raise ValueError(f"FASTMLP_ISA: expected one of {', '.join(isa_names)}, got {name!r}")


_chosen = isa_index(os.environ.get("FASTMLP_ISA") or isa_names[len(isa_names) - 1])
isa_name = _text(fmlp_isas[_chosen].name)


cdef const void *table(int isa, int itemsize) noexcept nogil:
    return <const void *> fmlp_isas[isa].f32 if itemsize == 4 else <const void *> fmlp_isas[isa].f64


def table_address(int isa, int itemsize):
    """Where the table is: tests call kernels alone."""
    return <size_t> table(isa, itemsize)
