"""Airflow operators of askrepo: parameters in, one core call, small result out."""

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
