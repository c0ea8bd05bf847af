"""Airflow operators of askrepo: parameters in, one core call, small result out.

Each is imported when it is first asked for, so that the settings beside them can be read without Airflow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from askrepo_operators.building import BuildDatasetOperator
    from askrepo_operators.cloning import CloneRepositoryOperator
    from askrepo_operators.comparing import CompareSnapshotsOperator
    from askrepo_operators.embedding import EmbedChunksOperator
    from askrepo_operators.loading import GatherShardsOperator, LoadFilesOperator
    from askrepo_operators.planning import PlanRunOperator
    from askrepo_operators.splitting import SplitFilesOperator
    from askrepo_operators.swapping import SwapAliasOperator

__all__ = [
    "BuildDatasetOperator",
    "CloneRepositoryOperator",
    "CompareSnapshotsOperator",
    "EmbedChunksOperator",
    "GatherShardsOperator",
    "LoadFilesOperator",
    "PlanRunOperator",
    "SplitFilesOperator",
    "SwapAliasOperator",
]
_MODULES = {
    "BuildDatasetOperator": "building",
    "CloneRepositoryOperator": "cloning",
    "CompareSnapshotsOperator": "comparing",
    "EmbedChunksOperator": "embedding",
    "GatherShardsOperator": "loading",
    "LoadFilesOperator": "loading",
    "PlanRunOperator": "planning",
    "SplitFilesOperator": "splitting",
    "SwapAliasOperator": "swapping",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
