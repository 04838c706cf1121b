# Newton's method with few matrices, as a method of `descent`.

from fastmlp._core.fits.descent cimport Method

cdef Method METHOD
