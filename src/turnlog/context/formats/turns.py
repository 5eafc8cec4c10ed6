"""Turns: two roles that take turns, the user first, each turn a list of parts."""

from typing import Any


class Turns:
    """The turns of one rendering. Parts go into the `field` of a turn; `nothing` is what a user says who said nothing."""

    def __init__(self, field: str, nothing: dict[str, Any]) -> None:
        self._field = field
        self._nothing = nothing
        self._kind = ""
        self.items: list[dict[str, Any]] = []

    def add(self, role: str, parts: list[dict[str, Any]], kind: str = "") -> None:
        """What `role` says next: more parts of the last turn if that is theirs and of the same kind, else a new turn.

        A short turn of the user is put before a first one that is not theirs.
        """
        if not parts:
            return
        if not self.items and role != "user":
            self.items.append({"role": "user", self._field: [self._nothing]})
        if self.items and self.items[-1]["role"] == role and self._kind == kind:
            self.items[-1][self._field] += parts
        else:
            self.items.append({"role": role, self._field: parts})
        self._kind = kind
