"""An architecture frozen to C structures, and the rules for blocks, slots and threads.

The rules depend on the number of samples and on the network only, never on the machine, so that results do not either:

block    samples that go through all layers together: 128, or 64 where a layer is 256 or wider, so that the blocks of a
         layer and of its neighbour stay in the caches near the core; but 128 from 2^17 parameters on, which have to
         come from farther away for each block. Where there are layers of other kinds, whose maps are wide and whose
         weights are few, it is halved, down to 16, until two blocks of the widest layer fit into a middle cache.
slots    shares of the samples, each with partial sums of its own: one for each block, but at most 64, and at most as
         many as keep the partial gradients below 2^24 numbers (four are always allowed). From 2^15 parameters on, where
         partial gradients leave the cache, a slot has at least 512 samples. Batches of fewer than four such slots are
         cut into up to four of at least 64 samples (128 for so many parameters), where there is work for them.
strips   blocks of predictions and Jacobians, which are not summed over the samples: of 128 samples or, where a layer
         and its neighbour do not lie in the nearest cache together, of fewer, down to 256 bytes a row, a tile's width.
threads  one below a work threshold, else as many as asked for, at most one for each slot.
"""

from libc.stdlib cimport calloc, free, malloc

from fastmlp._core.bridge cimport kernels
from fastmlp._core.threads cimport choice
from fastmlp._core.bridge.kernels cimport FMLP_PAD
from fastmlp._core.sums.kinds cimport CompiledKind, Layer

from fastmlp._core.bridge.kernels import isa_index

cdef enum:
    MAX_SLOTS = 64
    LARGE_NET = 1 << 15             # parameters
    # blocks of 128 in place of 64 samples: gradients of 784-256-128-10 1.04 times as fast, products with the Hessian
    # 1.02 (double 0.98), 784-1024-1024-10 1.06 to 1.09; refused: the same for all (100-512-1: 0.91 to 0.97)
    VAST = 1 << 17
    PARTIAL_NUMBERS = 1 << 24
    # strips: 1.03 to 1.11 times as fast in double, 1.0 to 1.1 in float; refused: the same for gradients (1.0), whose
    # products along the samples want them long
    STRIP_BYTES = 256
    # gradients of maps 16 x 28 x 28 and 32 x 14 x 14 1.24 times as fast, 2.5 in double; half of it: 0.77 and as fast
    MAP_BYTES = 4 << 20
    NEAR_BYTES = 24 << 10       # half of the nearest cache


# What stands for softmax in place of an activation's index.
softmax_index = SOFTMAX


cdef size_t ceil_div(size_t a, size_t b) noexcept nogil:
    return (a + b - 1) // b


cdef size_t block_of(const Net *net) noexcept nogil:
    """How many samples at most go through the network together."""
    cdef size_t block = 64 if net.max_width >= 256 and net.n_params < VAST else 128
    while not net.is_dense and block > FMLP_PAD and 2 * net.max_width * net.itemsize > MAP_BYTES // block:
        block //= 2
    return block


cdef class Plan:
    """C view of a network: what its layers are, loss index, bytes of a number.

    Parameters
    ----------
    layers : sequence of Layer
        The records of `fastmlp/model/layers.py`.
    loss : int
    itemsize : int
        4 for float32, 8 for float64.
    isa : str, optional
        Instruction set; the one in use by default.
    """

    def __cinit__(self, layers, int loss, int itemsize, isa=None):
        cdef Net *net = &self.net
        self.choice = choice.fresh()
        self.kinds = tuple([layer.kind.compiled for layer in layers])
        net.n_layers = len(layers)
        net.loss = loss
        net.itemsize = itemsize
        net.layers = <Layer *> malloc(net.n_layers * sizeof(Layer))
        net.geometry = <size_t *> malloc(max(1, sum([len(layer.geometry) for layer in layers])) * sizeof(size_t))
        if net.layers == NULL or net.geometry == NULL:
            raise MemoryError("no memory for the plan of a network")
        take_layers(net, layers)
        net.n_axes = len(layers[0].inputs)
        for axis, count in enumerate(layers[0].inputs):
            net.inputs[axis] = count
        net.n_inputs = net.layers[0].n_in
        net.n_outputs = net.layers[net.n_layers - 1].n_out
        net.elementwise = loss == kernels.FMLP_LOSS_squared_error
        net.ops = kernels.table(isa_index(isa), itemsize)
        net.lanes = kernels.lanes(net.ops, itemsize)
        lay_out(net, &net.values, 0, False, False, False, False)
        lay_out(net, &net.gradient, 1, False, False, False, False)
        lay_out(net, &net.trace, 1, True, False, False, False)
        lay_out(net, &net.tangents, 2, False, True, False, False)
        lay_out(net, &net.units, 2, True, False, True, False)
        lay_out(net, &net.gram, 2, True, False, True, True)

    def __dealloc__(self):
        free(self.net.layers)
        free(self.net.geometry)
        free(self.net.values.a)
        free(self.net.gradient.a)
        free(self.net.trace.a)
        free(self.net.tangents.a)
        free(self.net.units.a)
        free(self.net.gram.a)

    cdef Partition partition(self, size_t n) noexcept nogil:
        """Cut n samples into slots and blocks (the rules are in the module's docstring)."""
        cdef Partition parts
        cdef bint large = self.net.n_params >= LARGE_NET
        cdef size_t block = block_of(&self.net)
        cdef size_t most = min(<size_t> MAX_SLOTS, max(<size_t> 4, PARTIAL_NUMBERS // self.net.n_params))
        parts.n_slots = min(most, ceil_div(n, 512 if large else block))
        if parts.n_slots < 4 and n * self.net.work > 2 * PARALLEL_WORK:
            parts.n_slots = max(parts.n_slots, min(<size_t> 4, n // (128 if large else 64)))
        parts.n_slots = max(<size_t> 1, parts.n_slots)
        parts.rows = max(<size_t> 1, ceil_div(n, parts.n_slots))
        if parts.n_slots > 4:
            parts.rows = ceil_div(parts.rows, block) * block
        parts.n_slots = max(<size_t> 1, ceil_div(n, parts.rows))
        parts.block = min(block, parts.rows)
        parts.ld = ceil_div(parts.block, FMLP_PAD) * FMLP_PAD
        return parts

    cdef Partition strips(self, size_t n) noexcept nogil:
        """The same slots, cut into strips."""
        cdef Partition parts = self.partition(n)
        cdef size_t itemsize = self.net.itemsize, block = 128
        while block * itemsize > STRIP_BYTES and 2 * self.net.max_width * block * itemsize > NEAR_BYTES:
            block //= 2
        if parts.block > block:
            parts.block = parts.ld = block
        return parts

    cdef int threads(self, size_t n, int work, int n_threads) noexcept nogil:
        """Threads to use on n samples, for as much work as that many predictions, when n_threads are granted."""
        if n * self.net.work * work < PARALLEL_WORK:
            return 1
        return <int> min(<size_t> n_threads, self.partition(n).n_slots)

    def describe(self, size_t n):
        """Slots, samples in a slot, block and strip for n samples, as a dict: for tests and for the curious."""
        parts = self.partition(n)
        return {"n_slots": parts.n_slots, "rows": parts.rows, "block": parts.block, "ld": parts.ld,
                "strip": self.strips(n).block}


cdef int take_layers(Net *net, records) except -1:
    """The layers as C has them; their parameters lie one after the other, the weights of each before its biases."""
    cdef Layer *layer
    cdef CompiledKind kind
    cdef size_t offset = 0
    cdef size_t *geometry = net.geometry
    net.is_dense = net.has_rows = True
    net.work, net.room, net.max_width = 0, 0, records[0].n_in
    for number, record in enumerate(records):
        layer, kind = &net.layers[number], record.kind.compiled
        layer.products = &kind.single if net.itemsize == sizeof(float) else &kind.double
        layer.n_in, layer.n_out, layer.n_params = record.n_in, record.n_out, record.n_params
        layer.activation, layer.work = record.activation.index, record.work
        layer.W, layer.b = offset, offset + <size_t> record.n_weights
        layer.geometry = geometry
        for each in record.geometry:
            geometry[0] = each
            geometry += 1
        offset += layer.n_params
        net.work += layer.work
        net.max_width = max(net.max_width, layer.n_out)
        net.is_dense = net.is_dense and layer.products.is_dense
        net.has_rows = net.has_rows and layer.products.rows != NULL
        if layer.products.room != NULL:
            net.room = max(net.room, layer.products.room(layer))
    net.n_params = offset
    return 0


cdef size_t take(size_t *next_row, size_t rows) noexcept nogil:
    """Reserve rows of a workspace."""
    cdef size_t row = next_row[0]
    next_row[0] += rows
    return row


cdef int lay_out(Net *net, Layout *at, int order, bint keep_all, bint tangents, bint bias_rows,
                 bint jacobian) except -1:
    """Find a place for every block of one mode of use.

    Order 0, prediction, keeps two blocks of activations and uses them in turns. Order 1, back-propagation, keeps the
    activations and h' of every layer (pre-activations lie where the activations will), targets, a row each for weights
    and values of the samples, and two deltas used in turns. Order 2 keeps h'' too; `tangents` all deltas and all
    tangents, but of the deltas' only two. With `keep_all` nothing shares its place: that is what `trace` shows. With
    `bias_rows` there is room below each layer's activations for the bias's ones; with `jacobian` also for what the
    derivatives of one logit by the parameters have before those of layer 1, and for a row behind.
    """
    cdef int l, n_layers = net.n_layers
    cdef size_t row = 0, width
    cdef size_t *rows = <size_t *> calloc(9 * (n_layers + 1), sizeof(size_t))
    if rows == NULL:
        raise MemoryError("no memory for the plan of a network")
    at.order = order
    at.a = rows
    at.z = rows + (n_layers + 1)
    at.d1 = rows + 2 * (n_layers + 1)
    at.delta = rows + 3 * (n_layers + 1)
    at.d2 = rows + 4 * (n_layers + 1)
    at.bends = tangents
    at.bend = rows + 5 * (n_layers + 1)
    at.Ra = rows + 6 * (n_layers + 1)
    at.Rz = rows + 7 * (n_layers + 1)
    at.Rdelta = rows + 8 * (n_layers + 1)
    for l in range(n_layers + 1):
        width = net.n_inputs if l == 0 else net.layers[l - 1].n_out
        if jacobian and l == 1 < n_layers:
            take(&row, net.layers[1].W)
        at.a[l] = take(&row, width + bias_rows + jacobian) if order > 0 else (l % 2) * net.max_width
        at.z[l] = take(&row, width) if keep_all and l > 0 else at.a[l]
        if order > 0 and l > 0:
            at.d1[l] = take(&row, width)
        if order > 1 and l > 0:
            at.d2[l] = take(&row, width)
        if tangents or keep_all:
            at.delta[l] = take(&row, width)
        if tangents:
            at.Ra[l] = take(&row, width)
            if l > 0:
                at.bend[l] = take(&row, width)
                at.Rz[l] = take(&row, width)
    at.y = at.a[n_layers]
    if order == 0:
        row = 2 * net.max_width
    else:
        if not keep_all:
            at.y = take(&row, net.n_outputs)
            for l in range(n_layers + 1):
                if not tangents:
                    at.delta[l] = row + (l % 2) * net.max_width
                else:
                    at.Rdelta[l] = row + (l % 2) * net.max_width
            row += 2 * net.max_width
        at.T = take(&row, 2 * net.n_outputs)   # and their precisions
        at.weight = take(&row, 1)
        at.value = take(&row, 1)
    at.rows = row
    return 0
