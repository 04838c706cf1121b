# Weights of a first layer, W = V Q + c E: by coordinates V in an orthonormal basis Q (r, D), and by the lengths c of
# what each unit has besides, along a row of E (n_units, D) of its own.

cdef struct Basis:
    size_t n_units      # of the first layer, whose coordinates (n_units, r + 1), V and c, come first of all parameters
    size_t r, D         # coordinates of each unit but the last, inputs of the network
    size_t ld           # numbers from one row of Q to the next, the last of which are 0; of E likewise
    const double *Q
    const double *E


# Numbers that `largest_behind` has to have room for.
cdef size_t room(const Basis *basis) noexcept nogil
# The largest derivative by a weight, of the derivatives by coordinates V (n_units, r + 1).
cdef double largest_behind(const Basis *basis, const void *ops, const double *V, double *work) noexcept nogil


# Owns the arrays.
cdef class Span:
    cdef Basis basis
    cdef tuple arrays
