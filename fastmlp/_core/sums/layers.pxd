# What a layer is: three products, on a block of samples. z = B(w, a) is linear in the parameters and in the inputs, so
# that tangents are made of the same three.

from cython cimport floating

from fastmlp._core.bridge cimport kernels
from fastmlp._core.sums.block cimport Block
from fastmlp._core.sums.plan cimport Layer


cdef inline void forward(const Block *b, const Layer *layer, const floating *params, bint bias, const floating *A,
                         bint add, floating *Z) noexcept nogil:
    """Z = W A, with `bias` + b; added to Z if `add`. The parameters may be a direction."""
    kernels.dense_forward(b.net.ops, layer.n_out, layer.n_in, b.n, params + layer.W,
                          params + layer.b if bias else <const floating *> NULL, A, add, Z, b.ld)


cdef inline void backward(const Block *b, const Layer *layer, const floating *params, const floating *D, bint add,
                          const floating *factor, floating *E) noexcept nogil:
    """E = factor * (W' D), the factor may be NULL; W' D is added to E before, if `add`."""
    kernels.dense_backward(b.net.ops, layer.n_out, layer.n_in, b.n, params + layer.W, D, add, factor, E, b.ld)


cdef inline void gradient(const Block *b, const Layer *layer, const floating *D, const floating *A, bint add,
                          bint bias, floating *g) noexcept nogil:
    """dE/dW = D A', with `bias` dE/db = D 1, in a vector of all parameters; added to if `add`."""
    kernels.dense_gradient(b.net.ops, layer.n_out, layer.n_in, b.n, D, A, add, g + layer.W,
                           g + layer.b if bias else <floating *> NULL, b.ld)
