"""The runner of folds: what is behind is found, folded, and retried when it failed."""

from turnlog.worker.note import Failure, failure, failures, retry
from turnlog.worker.pace import Pace
from turnlog.worker.runner import Runner

__all__ = ["Failure", "Pace", "Runner", "failure", "failures", "retry"]
