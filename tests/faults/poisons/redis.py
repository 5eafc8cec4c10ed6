"""Poisons of this kind of store."""

from poisons import Poison

POISONS: dict[str, Poison] = {}
