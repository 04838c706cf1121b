"""Large results: arrays whose memory is used again.

The system clears each page of new memory when it is first touched, and a virtual machine may have to fetch it from its
host besides: for the Gauss-Newton matrix of 8-50-50-1 in float32, 74 MB, that takes a tenth to a half of the time. So
the latest large array that nobody holds any more leaves its memory to the next one of its size, by an allocator of
NumPy's kind (NEP 49). No more than that one block is kept, of at most MOST bytes.

NumPy takes and gives memory with the GIL held, which guards the block.
"""

from libc.stdlib cimport calloc, free, realloc
from libc.string cimport strcpy

cimport numpy as cnp
from cpython.pycapsule cimport PyCapsule_New

from fastmlp._core.storage.memory cimport SIZE_MAX, reserve, times

cnp.import_array()

cdef enum:
    LEAST = 4 << 20     # bytes; what is smaller the C library keeps by itself
    MOST = 128 << 20

cdef void *_kept = NULL
cdef size_t _kept_bytes = 0


cdef void *take(void *ctx, size_t n_bytes) noexcept nogil:
    """The block that is kept, if it has that size, else a new one; kept memory is given back if there is no other."""
    global _kept
    cdef void *memory = _kept
    if memory != NULL and n_bytes == _kept_bytes:
        _kept = NULL
        return memory
    memory = reserve(n_bytes)
    if memory == NULL and _kept != NULL:
        free(_kept)
        _kept = NULL
        memory = reserve(n_bytes)
    return memory


cdef void leave(void *ctx, void *memory, size_t n_bytes) noexcept nogil:
    """Keep a block in place of the one before."""
    global _kept, _kept_bytes
    if memory == NULL or n_bytes < LEAST or n_bytes > MOST:
        free(memory)
        return
    free(_kept)
    _kept, _kept_bytes = memory, n_bytes


cdef void *take_zeros(void *ctx, size_t n, size_t n_bytes) noexcept nogil:
    return calloc(n, n_bytes)


cdef void *resize(void *ctx, void *memory, size_t n_bytes) noexcept nogil:
    return realloc(memory, n_bytes)


cdef cnp.PyDataMem_Handler _handler
strcpy(_handler.name, b"fastmlp")
_handler.version = 1
_handler.allocator.ctx = NULL
_handler.allocator.malloc = take
_handler.allocator.calloc = take_zeros
_handler.allocator.realloc = resize
_handler.allocator.free = leave
cdef object _allocator = PyCapsule_New(&_handler, b"mem_handler", NULL)


cdef cnp.ndarray empty(int n_axes, cnp.npy_intp *shape, int typenum):
    """An array of float or double, C-contiguous; MemoryError if there is no memory for it."""
    cdef size_t n_bytes = sizeof(float) if typenum == cnp.NPY_FLOAT32 else sizeof(double)
    cdef int i
    for i in range(n_axes):
        n_bytes = times(n_bytes, shape[i])
    if n_bytes > SIZE_MAX // 2:     # which NumPy calls a wrong value
        raise MemoryError(f"no memory for an array of shape {tuple([shape[i] for i in range(n_axes)])}")
    if n_bytes < LEAST or n_bytes > MOST:
        return cnp.PyArray_EMPTY(n_axes, shape, typenum, 0)
    usual = cnp.PyDataMem_SetHandler(_allocator)
    try:
        return cnp.PyArray_EMPTY(n_axes, shape, typenum, 0)
    finally:
        cnp.PyDataMem_SetHandler(usual)
