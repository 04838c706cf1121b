# Whether OpenMP's threads can be made: asked before OpenMP is, which would end the process.

cdef int missing(int n_threads) noexcept nogil
