"""What a search by the evidence has been told on its way, which a folder keeps: the next call is told the same again.

All of a search follows from the ends of its trainings and from what the evidence proposes, which take its time. So the
next call goes the same way, to the same bits, and stops at nothing that is known; a folder has numbers only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from fastmlp import _memory
from fastmlp._types import Array, Float
from fastmlp.checkpoint import Checkpoint
from fastmlp.errors import Said, heard, warn_caller
from fastmlp.model.functional import Samples
from fastmlp.model.units import Units

SECONDS = 1.0  # that may be lost of a candidate, beside its last training: a file takes a millisecond
DIGEST = 8  # bytes of a question, as one number
Question = tuple[Any, ...]  # arrays and plain values


class Journal:
    """Answers that a candidate has been given, one after the other, each with the digest of its question.

    Parameters
    ----------
    number : int, default=0
        Of the candidate in its call.
    journals : Journals, optional
        Who keeps it; without, nothing is noted.
    known : list of tuple
        What an earlier call has noted.
    """

    def __init__(
        self, number: int = 0, journals: Journals | None = None, known: list[tuple[int, Float]] | None = None
    ) -> None:
        self.number, self.has_news = number, False
        self.answers: list[tuple[int, Float]] = []
        self._known, self._journals = known or [], journals
        self._notes, self._kept_at = journals is not None, time.monotonic()

    def __getstate__(self) -> dict[str, Any]:
        """For a worker, which has no folder."""
        return {**self.__dict__, "_journals": None}

    def known(self, question: Question) -> Float | None:
        """The answer, if it is known; what was asked otherwise before is so no more, nor what came after."""
        place = len(self.answers)
        if place >= len(self._known):
            return None
        if self._known[place][0] != _numbered(question):
            self._known = []
            return None
        self.answers.append(self._known[place])
        return self._known[place][1]

    def note(self, question: Question, answer: Float) -> None:
        """Of what was not known."""
        if not self._notes:
            return
        self.answers.append((_numbered(question), answer))
        self.has_news = True
        if self._journals is not None and time.monotonic() - self._kept_at > SECONDS:
            self._journals.keep(self)

    def close(self) -> None:
        """What follows is by the clock, and no other call's."""
        self._notes, self._known = False, []

    def written(self) -> dict[str, Array]:
        """As arrays; they are in the folder from now on."""
        self.has_news, self._kept_at = False, time.monotonic()
        answers = [answer for _, answer in self.answers]
        return {
            "questions": np.array([question for question, _ in self.answers], np.int64),
            "sizes": np.array([len(answer) for answer in answers], np.int64),
            "answers": np.concatenate(answers),
        }


class Journals:
    """Those of all candidates of a call, in the folder of a checkpoint; none are kept without. Threads share them.

    What is to be said of files that cannot be read or written is said where the block ends that this is used in.
    """

    def __init__(self, folder: Any, settings: Mapping[str, Any]) -> None:
        self._checkpoint = None if folder is None else Checkpoint(folder, "fit_evidence", settings)
        self._lock, self._said = threading.Lock(), list[Said]()
        self._known: dict[int, list[tuple[int, Float]]] = {}
        if self._checkpoint is not None:
            with heard() as self._said:
                self._known = {numbers[0]: _answers(arrays) for numbers, arrays in self._checkpoint.read()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for text, category in self._said:
            warn_caller(text, category)

    def of(self, number: int) -> Journal:
        """The journal of a candidate."""
        return Journal() if self._checkpoint is None else Journal(number, self, self._known.get(number))

    def keep(self, journal: Journal) -> None:
        """Write what is new in one, here or from a worker."""
        if self._checkpoint is not None and journal.has_news:
            with self._lock, heard() as said:
                self._checkpoint.write([journal.number], journal.written())
                self._said += said


def _answers(arrays: dict[str, Any]) -> list[tuple[int, Float]]:
    parts = np.split(arrays["answers"], np.cumsum(arrays["sizes"])[:-1])
    return list(zip(arrays["questions"].tolist(), parts, strict=True))


def _numbered(question: Question) -> int:
    return int.from_bytes(_digest(question)[:DIGEST], "little", signed=True)


def _digest(parts: Question) -> bytes:
    found = _memory.late("hashlib").sha256()
    for part in parts:
        found.update(np.ascontiguousarray(part).data if isinstance(part, np.ndarray) else repr(part).encode())
    return found.digest()  # type: ignore[no-any-return]


# ---- the data, as settings of a checkpoint ----


def told(samples: Samples, own: Units | None) -> dict[str, Any]:
    """Digests of the samples in units, chunk by chunk, by the names of arguments, and the units."""
    parts = samples.of_each(_digests)
    inputs, targets = (None, None) if own is None else (own.inputs, own.targets)
    data = {name: [part[name] for part in parts] for name in ("X", "T", "sample_weight", "sigma")}
    return data | {"X": (data["X"], inputs), "T": (data["T"], targets)}


def _digests(samples: Samples) -> dict[str, bytes]:
    (values, labels, precision, *others), weight = samples.targets, samples.weight
    arrays = {"X": (samples.X,), "T": (values, labels, *others), "sample_weight": (weight,), "sigma": (precision,)}
    return {name: _digest(tuple(each)) for name, each in arrays.items()}
