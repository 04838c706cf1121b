# The products of a layer on a block of samples, whatever its kind; what stands in for the quicker ways that it lacks.

from cython cimport floating
from libc.string cimport memset

from fastmlp._core.bridge cimport unit_ops
from fastmlp._core.bridge.kernels cimport FMLP_PAD
from fastmlp._core.sums.block cimport Block
from fastmlp._core.sums.kinds cimport Layer


cdef inline const floating *inputs_of(const Block *b, const Layer *layer, const floating *work) noexcept nogil:
    """What the layer got on the way up: where the map of a piecewise linear kind is meant."""
    return work + b.at.a[layer - b.net.layers] * b.ld


cdef inline void forward(const Block *b, const Layer *layer, floating *work, const floating *params, bint bias,
                         const floating *A, bint add, floating *Z) noexcept nogil:
    """Z = W A, with `bias` + b; added to Z if `add`. The parameters may be a direction, the inputs a tangent."""
    layer.products.forward(b.net.ops, layer, b.n, inputs_of(b, layer, <const floating *> work), params + layer.W,
                           params + layer.b if bias else <const floating *> NULL, A, add, Z, b.ld)


cdef inline void backward(const Block *b, const Layer *layer, floating *work, const floating *params,
                          const floating *D, bint add, const floating *factor, floating *E) noexcept nogil:
    """E = factor * (W' D), the factor may be NULL; W' D is added to E before, if `add`."""
    layer.products.backward(b.net.ops, layer, b.n, inputs_of(b, layer, <const floating *> work), params + layer.W, D,
                            add, factor, E, b.ld)


cdef inline void gradient(const Block *b, const Layer *layer, const floating *D, const floating *A, bint add,
                          bint bias, floating *g) noexcept nogil:
    """dE/dW = D A', with `bias` dE/db = D 1, in a vector of all parameters; added to if `add`."""
    layer.products.gradient(b.net.ops, layer, b.n, D, A, add, g + layer.W,
                            g + layer.b if bias else <floating *> NULL, b.ld)


cdef inline void unit_backward(const Block *b, const Layer *layer, floating *work, size_t k,
                               const floating *params, const floating *d, const floating *factor, floating *D,
                               floating *E) noexcept nogil:
    """E = factor * (W' D) where D is zero but for its row k, d; D is written where there is no quicker way."""
    cdef size_t s
    if layer.products.unit != NULL:
        layer.products.unit(b.net.ops, layer, b.n, k, params + layer.W, d, factor, E, b.ld)
        return
    memset(D, 0, layer.n_out * b.ld * sizeof(floating))
    for s in range(b.ld):
        D[k * b.ld + s] = d[s]
    backward(b, layer, work, params, <const floating *> D, False, factor, E)


cdef inline void multiply(const Block *b, int l, const floating *A, const floating *B, bint add,
                          floating *C) noexcept nogil:
    """C = A * B, added to C if `add`, for the units of layer l, element by element."""
    unit_ops.multiply(b.net.ops, b.net.layers[l - 1].n_out, b.n, A, B, add, C, b.ld)


# ---- the gradients of single samples ----

cdef inline size_t room_of_gradients(const Layer *layer) noexcept nogil:
    """Numbers that `sample_gradients` needs beside."""
    return 0 if layer.products.columns != NULL else (layer.n_in + layer.n_out) * FMLP_PAD + layer.n_params


cdef inline void sample_gradients(const Block *b, const Layer *layer, const floating *D, const floating *A,
                                  floating *room, floating *G) noexcept nogil:
    """The gradient of each sample, a column of G, which has a row for each of the layer's parameters.

    Where there is no quicker way each one is that of a block of its own, as much work as a whole vector of samples.
    """
    cdef floating *own = room + layer.n_in * FMLP_PAD
    cdef floating *g = own + layer.n_out * FMLP_PAD
    cdef size_t s, i
    if layer.products.columns != NULL:
        layer.products.columns(b.net.ops, layer, b.n, D, A, G, b.ld)
        return
    memset(room, 0, (layer.n_in + layer.n_out) * FMLP_PAD * sizeof(floating))
    memset(G, 0, layer.n_params * b.ld * sizeof(floating))
    for s in range(b.n):
        for i in range(layer.n_in):
            room[i * FMLP_PAD] = A[i * b.ld + s]
        for i in range(layer.n_out):
            own[i * FMLP_PAD] = D[i * b.ld + s]
        layer.products.gradient(b.net.ops, layer, 1, own, room, False, g, g + (layer.b - layer.W), FMLP_PAD)
        for i in range(layer.n_params):
            G[i * b.ld + s] = g[i]
