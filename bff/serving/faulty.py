"""What an operator has to correct before a program can go on."""

from __future__ import annotations


class Faulty(Exception):
    """Base class. ``faults`` has a line for each fault, with what to write instead."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
