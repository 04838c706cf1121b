"""Which parameters are chosen, unit by unit: what lead into one unit have products of activations in common."""

from libc.stdlib cimport free, malloc

from fastmlp._core.sums.batch cimport Batch
from fastmlp._core.sums.kinds cimport Layer


cdef class Places:
    """Some parameters of a network.

    Parameters
    ----------
    batch : Batch
        Of the network.
    params : ndarray of shape (n,)
        Their places in the vector of all, ascending.
    """

    def __cinit__(self, Batch batch not None, const Py_ssize_t[::1] params not None):
        self.given = params
        self.chosen.n, self.chosen.params = params.shape[0], &params[0] if params.shape[0] else NULL
        if batch.plan.net.is_dense and self.chosen.n > 0:
            self.order(&batch.plan.net)

    def __dealloc__(self):
        free(self.memory)

    cdef int order(self, const Net *net) except -1:
        """Unit by unit: the weights of each, and its bias."""
        cdef Chosen *chosen = &self.chosen
        cdef size_t n = chosen.n, i, j, param, found = 0
        cdef const Layer *layer
        cdef Unit *units
        cdef size_t *numbers
        cdef size_t *rows
        cdef int l
        self.memory = malloc(n * sizeof(Unit) + (3 * n + net.n_params) * sizeof(size_t) + 1)
        if self.memory == NULL:
            raise MemoryError(f"no memory for {n} chosen parameters")
        units = <Unit *> self.memory
        numbers = <size_t *> (units + n)
        rows = numbers + 3 * n
        for i in range(net.n_params):
            rows[i] = n
        for i in range(n):
            rows[chosen.params[i]] = i
        for l in range(1, net.n_layers + 1):
            layer = &net.layers[l - 1]
            for i in range(layer.n_out):
                units[chosen.n_units] = Unit(l, i, found, 0)
                for j in range(layer.n_in + 1):
                    param = layer.W + i * layer.n_in + j if j < layer.n_in else layer.b + i
                    if rows[param] < n:
                        numbers[found], numbers[n + found], numbers[2 * n + found] = chosen.n_units, j, rows[param]
                        found += 1
                        if found == n:
                            break
                units[chosen.n_units].n = found - units[chosen.n_units].first
                chosen.n_units += units[chosen.n_units].n > 0
                if found == n:
                    break
            if found == n:
                break
        chosen.units, chosen.unit, chosen.input, chosen.row = units, numbers, numbers + n, numbers + 2 * n
        return 0
