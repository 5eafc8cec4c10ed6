"""The runner of folds: what is behind is found, folded, and retried when it failed; and rebuilds."""

from turnlog.worker.diff import Change, Difference
from turnlog.worker.lease import Failure, failure, failures, retry
from turnlog.worker.rebuild import Rebuilt, rebuild
from turnlog.worker.runner import Runner
from turnlog.worker.status import FoldStatus, status
from turnlog.worker.step import WorkerConfig

__all__ = [
    "Change",
    "Difference",
    "Failure",
    "FoldStatus",
    "WorkerConfig",
    "Rebuilt",
    "Runner",
    "failure",
    "failures",
    "rebuild",
    "retry",
    "status",
]
