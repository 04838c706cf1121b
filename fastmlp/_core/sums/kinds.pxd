# What a layer is: z = B(w, a), linear in its parameters and, at least piece by piece, in its inputs, so that tangents
# are made of the same products. A kind of layer is these products; all else is the same for all kinds.

# The products, on blocks of the number type of a table `ops` (src_c/README.md: feature-major, n samples in rows of `ld`
# numbers, all whole vectors of them). The `point` is what the layer got on the way up, of which a kind that is only
# piecewise linear in its inputs tells the piece: A is that too, or a tangent. W and b, gW and gb point to the layer's
# own parameters: a kind without has none.
ctypedef void (*Forward)(const void *ops, const Layer *layer, size_t n, const void *point, const void *W,
                         const void *b, const void *A, bint add, void *Z, size_t ld) noexcept nogil
ctypedef void (*Backward)(const void *ops, const Layer *layer, size_t n, const void *point, const void *W,
                          const void *D, bint add, const void *factor, void *E, size_t ld) noexcept nogil
ctypedef void (*Gradient)(const void *ops, const Layer *layer, size_t n, const void *D, const void *A, bint add,
                          void *gW, void *gb, size_t ld) noexcept nogil
ctypedef void (*Rows)(const void *ops, const Layer *layer, size_t n, const void *W, const void *b, const void *A,
                      void *Z, void *room) noexcept nogil
ctypedef size_t (*Room)(const Layer *layer) noexcept nogil
ctypedef void (*Outer)(const void *ops, const Layer *layer, size_t n, const void *D, const void *A, void *J,
                       size_t stride) noexcept nogil
ctypedef void (*Columns)(const void *ops, const Layer *layer, size_t n, const void *D, const void *A, void *G,
                         size_t ld) noexcept nogil
ctypedef void (*Unit)(const void *ops, const Layer *layer, size_t n, size_t k, const void *W, const void *d,
                      const void *factor, void *E, size_t ld) noexcept nogil


cdef struct Products:
    Forward forward     # Z = B(W, A), with b unless it is NULL; added to Z if `add`
    Backward backward   # E = (B' D + E if `add`) * factor, if that is not NULL; B' is the transposed map of the inputs
    Gradient gradient   # gW = dE/dW, and gb = dE/db unless it is NULL, for D = dE/dz; added to if `add`
    # Quicker ways, NULL where a kind has none: `layers` has what stands in for them.
    Rows rows           # forward of a few samples that are row-major, without gaps, with `room` for what it needs,
    Room room           # so many numbers; NULL: none
    Outer outer         # the gradient of each sample s at J[s * stride], for row-major D and A
    Columns columns     # the gradient of each sample, a column of G: a row of ld numbers for each of the parameters
    Unit unit           # E = (B' of d, one row, at unit k) * factor
    # Whether each unit has a row of weights for all inputs: curvature by units (by_units.pyx) is for these.
    bint is_dense


cdef struct Layer:
    const Products *products    # in the number type of the network
    size_t n_in, n_out
    size_t W, b                 # where weights and biases begin in the parameter vector,
    size_t n_params             # and how many there are of both
    size_t work                 # multiply-adds of a sample forward
    int activation              # index in the list of activations; SOFTMAX on an output layer
    const size_t *geometry      # numbers that the kind needs besides: strides and the like


# A kind as Python has it. Whoever makes one fills both, and leaves NULL what it lacks.
cdef class CompiledKind:
    cdef Products single, double


ctypedef void (*Fill)(Products *products, void *_) noexcept


# One of a fused function that fills the products of both types.
cdef CompiledKind compiled(Fill single, Fill double)
