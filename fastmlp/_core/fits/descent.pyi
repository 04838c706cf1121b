import numpy as np
from numpy.typing import NDArray

from fastmlp._core.fits.journal import Journal

STATUS: tuple[str, ...]
WANTED: tuple[str, ...]

class Descent:
    status: str
    value: float
    penalty: float
    grad_norm: float
    def advance(self, n_steps: int, journal: Journal | None = None) -> str: ...
    def ask(self) -> tuple[str, NDArray[np.float64]] | None: ...
    def tell(
        self, value: float, gradient: NDArray[np.float64] | None = None, matrix: NDArray[np.float64] | None = None
    ) -> None: ...
    @property
    def params(self) -> NDArray[np.float64]: ...
    @property
    def gradient(self) -> NDArray[np.float64]: ...
    @property
    def matrix(self) -> NDArray[np.float64]: ...
    @property
    def counts(self) -> tuple[int, int, int, int]: ...
