"""A kind of layer: its products for both number types. `dense` makes one, and shows how."""

from libc.string cimport memset


cdef class Kind:
    """The compiled products of a kind of layer, which a record in Python refers to (`fastmlp/model/layers.py`)."""

    def __cinit__(self):
        memset(&self.single, 0, sizeof(Products))
        memset(&self.double, 0, sizeof(Products))
