"""Images seen through maps of their coordinates, and random fields smoothed: what augmentation is made of.

    out[p] = image[M p + o + u(p)],   p = (row, column)

by bilinear interpolation among the four pixels around, the image going on as zeros. With (a, b) the pixel at or before
the place, and (s, t) what is left,

    out = (1 - s) ((1 - t) I[a, b] + t I[a, b + 1]) + s ((1 - t) I[a + 1, b] + t I[a + 1, b + 1])

Places are doubles whatever the pixels are. Images do not know of each other, and none of the products is fused with a
sum: the same bits for any number of threads and on every instruction set.
"""

from libc.stdlib cimport free
from libc.string cimport memcpy, memset

cimport numpy as cnp
from cython cimport floating

from fastmlp._core.bridge cimport image_ops, kernels
from fastmlp._core.storage.arrays cimport RELEASE_NUMBERS, data
from fastmlp._core.storage.memory cimport ceil_to, plus, reserve, times
from fastmlp._core.threads cimport choice, team
from fastmlp._core.threads.team cimport Slot, Watch

from fastmlp._core.bridge.kernels import isa_index

cnp.import_array()

cdef enum:
    SLOT_NUMBERS = 8192     # about so many numbers of images make a slot
    WARP_WORK = 16          # what a pixel costs, in multiply-adds
    TILE = 16               # rows are padded to multiples of it


# Images (n, channels, h, w) of one type; those of one sample share a map.
cdef struct Images:
    size_t n, channels, h, w
    bint single
    const void *ops
    size_t in_slot          # samples
    size_t room             # bytes of a thread's own memory
    char *memory
    const void *numbers
    void *out


# Maps, of all images or one for each: steps to that of the next image are 0 for one.
cdef struct Maps:
    const double *matrix            # (2, 2)
    const double *offset            # (2,)
    const void *displacement        # (2, h, w), may be NULL
    size_t matrix_step, offset_step, displacement_step


cdef struct Warping:
    Images images
    Maps maps


cdef struct Smoothing:
    Images images
    const double *weights           # g[0], ..., g[radius] of a symmetric filter
    size_t radius
    int passes                      # along the rows, or along both axes


# ---- samples over threads ----

cdef int spread(Slot slot, void *job, Images *images, size_t work, int n_threads) except -1:
    """All samples, `work` multiply-adds each: slots of some of them, dealt out to so many threads."""
    cdef size_t pixels = times(images.channels, times(images.h, images.w)), n_slots
    cdef Watch watch = team.watch()
    images.in_slot = max(1, SLOT_NUMBERS // max(1, pixels))
    n_slots = (images.n + images.in_slot - 1) // images.in_slot
    n_threads = 1 if times(images.n, work) < RELEASE_NUMBERS else choice.at_once(
        <int> min(<size_t> n_threads, n_slots), <double> images.n * <double> work)
    images.memory = <char *> reserve(times(n_threads, images.room))
    if images.memory == NULL:
        raise MemoryError(f"no memory for images of {images.h} x {images.w} pixels")
    memset(images.memory, 0, n_threads * images.room)  # the frames of images
    if times(images.n, work) < RELEASE_NUMBERS:
        team.spread(slot, job, n_slots, 1, &watch)
    else:
        with nogil:
            team.spread(slot, job, n_slots, n_threads, &watch)
    free(images.memory)
    return team.check(&watch)


cdef inline size_t last_of(const Images *images, size_t slot) noexcept nogil:
    """The end of a slot's samples."""
    return min(images.n, (slot + 1) * images.in_slot)


# ---- warps ----

cdef void warp_sample(const Warping *job, size_t n, floating *framed) noexcept nogil:
    cdef const Images *images = &job.images
    cdef const Maps *maps = &job.maps
    cdef size_t c, pixels = images.h * images.w
    cdef const floating *image = <const floating *> images.numbers + n * images.channels * pixels
    cdef floating *out = <floating *> images.out + n * images.channels * pixels
    cdef const floating *u = NULL
    if maps.displacement != NULL:
        u = <const floating *> maps.displacement + n * maps.displacement_step
    for c in range(images.channels):
        image_ops.warp(images.ops, images.h, images.w, image + c * pixels, maps.matrix + n * maps.matrix_step,
                       maps.offset + n * maps.offset_step, u, framed, out + c * pixels)


cdef void warp_slot(void *context, size_t slot, int thread, Watch *watch) noexcept nogil:
    cdef const Warping *job = <const Warping *> context
    cdef const Images *images = &job.images
    cdef void *framed = images.memory + thread * images.room
    cdef size_t n, work = WARP_WORK * images.channels * images.h * images.w
    for n in range(slot * images.in_slot, last_of(images, slot)):
        if not team.keep_on(watch, work):
            return
        if images.single:
            warp_sample(job, n, <float *> framed)
        else:
            warp_sample(job, n, <double *> framed)


cdef Images images_of(cnp.ndarray array, cnp.ndarray out):
    cdef Images images
    images.n, images.channels = cnp.PyArray_DIM(array, 0), cnp.PyArray_DIM(array, 1)
    images.h, images.w = cnp.PyArray_DIM(array, 2), cnp.PyArray_DIM(array, 3)
    images.single = cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT32
    images.ops = kernels.table(isa_index(None), cnp.PyArray_ITEMSIZE(array))
    images.numbers, images.out = data(array), data(out)
    return images


def warp(cnp.ndarray array not None, cnp.ndarray matrix not None, cnp.ndarray offset not None,
         cnp.ndarray displacement, cnp.ndarray out not None, int n_threads):
    """Fill `out` with the images (n, channels, h, w) as they are seen through maps; arguments are trusted.

    The map is a matrix (1 or n, 2, 2) and an offset (1 or n, 2) of doubles, and a displacement (1 or n, 2, h, w) of
    the type of the images, or None.
    """
    cdef Warping job
    job.images = images_of(array, out)
    cdef size_t n = job.images.n, pixels = job.images.h * job.images.w, itemsize = cnp.PyArray_ITEMSIZE(array)
    if n == 0 or pixels == 0:
        return
    job.images.room = times(itemsize, times(plus(job.images.h, 3), plus(job.images.w, 3)))
    job.maps.matrix, job.maps.offset = <const double *> data(matrix), <const double *> data(offset)
    job.maps.displacement = NULL if displacement is None else data(displacement)
    job.maps.matrix_step = 4 if cnp.PyArray_DIM(matrix, 0) > 1 else 0
    job.maps.offset_step = 2 if cnp.PyArray_DIM(offset, 0) > 1 else 0
    job.maps.displacement_step = 0
    if displacement is not None and cnp.PyArray_DIM(displacement, 0) > 1:
        job.maps.displacement_step = 2 * pixels
    spread(warp_slot, &job, &job.images, WARP_WORK * job.images.channels * pixels, n_threads)


# ---- smoothing ----

cdef void smooth_sample(const Smoothing *job, size_t n, floating *room) noexcept nogil:
    """One field: both passes transpose it."""
    cdef const Images *images = &job.images
    cdef size_t i, h = images.h, w = images.w, ld = ceil_to(w, TILE), ld_other = ceil_to(h, TILE)
    cdef const floating *field = <const floating *> images.numbers + n * h * w
    cdef floating *out = <floating *> images.out + n * h * w
    cdef floating *other = room + h * ld
    for i in range(h):
        memcpy(room + i * ld, field + i * w, w * sizeof(floating))
        memset(room + i * ld + w, 0, (ld - w) * sizeof(floating))
    if job.passes == 1:
        image_ops.smooth(images.ops, h, w, <const floating *> room, ld, job.weights, job.radius, out, h)
        return
    memset(other, 0, w * ld_other * sizeof(floating))
    image_ops.smooth(images.ops, h, w, <const floating *> room, ld, job.weights, job.radius, other, ld_other)
    image_ops.smooth(images.ops, w, h, <const floating *> other, ld_other, job.weights, job.radius, out, w)


cdef void smooth_slot(void *context, size_t slot, int thread, Watch *watch) noexcept nogil:
    cdef const Smoothing *job = <const Smoothing *> context
    cdef const Images *images = &job.images
    cdef void *room = images.memory + thread * images.room
    cdef size_t n, work = images.h * images.w * (2 * job.radius + 1)
    for n in range(slot * images.in_slot, last_of(images, slot)):
        if not team.keep_on(watch, work):
            return
        if images.single:
            smooth_sample(job, n, <float *> room)
        else:
            smooth_sample(job, n, <double *> room)


def smooth(cnp.ndarray fields not None, cnp.ndarray weights not None, cnp.ndarray out not None, int n_threads):
    """Fill `out` with the fields (n, 1, h, w), smoothed along both axes, along the rows where w is 1; zeros outside.

    `weights` (radius + 1,), doubles, are half of a symmetric filter, its middle first. `out` may be `fields`.
    """
    cdef Smoothing job
    job.images = images_of(fields, out)
    cdef size_t h = job.images.h, w = job.images.w, itemsize = cnp.PyArray_ITEMSIZE(fields)
    if job.images.n == 0 or h == 0 or w == 0:
        return
    job.weights, job.radius = <const double *> data(weights), cnp.PyArray_DIM(weights, 0) - 1
    job.passes = 1 if w == 1 else 2
    job.images.room = times(itemsize, plus(times(h, ceil_to(w, TILE)), times(w, ceil_to(h, TILE))))
    spread(smooth_slot, &job, &job.images, times(h * w, 2 * min(job.radius, max(h, w)) + 1), n_threads)
