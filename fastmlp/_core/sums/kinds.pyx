"""A kind of layer: its products for both number types. `dense` makes one, and shows how."""

from libc.string cimport memset


cdef class CompiledKind:
    """The compiled products of a kind of layer, which a record in Python refers to (`fastmlp/model/layers.py`)."""

    def __cinit__(self):
        memset(&self.single, 0, sizeof(Products))
        memset(&self.double, 0, sizeof(Products))

    @property
    def is_dense(self):
        """Whether each unit has a row of weights for all inputs."""
        return bool(self.double.is_dense)


cdef CompiledKind compiled(Fill single, Fill double):
    cdef CompiledKind kind = CompiledKind()
    single(&kind.single, NULL)
    double(&kind.double, NULL)
    return kind
