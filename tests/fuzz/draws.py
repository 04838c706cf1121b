"""Choices read from bytes, so that whoever changes bytes, changes what is chosen."""


class Draws:
    """Integers below a bound, items of a list; once the bytes are used up, always the first: what is harmless."""

    def __init__(self, content):
        self.content, self.place = content, 0

    def below(self, bound):
        """An integer from a byte, or from as many as the bound needs."""
        end = self.place + max(1, ((bound - 1).bit_length() + 7) // 8)
        number = int.from_bytes(self.content[self.place : end], "little")
        self.place = end
        return number % max(1, bound)

    def among(self, options):
        """One of a sequence."""
        return options[self.below(len(options))]

    def seldom(self):
        """True for one byte in eight; not for the byte 0."""
        return self.below(8) == 7
