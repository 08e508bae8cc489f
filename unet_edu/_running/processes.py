"""A training on several processes, as `torchrun` starts them. One alone is the same with a count of 1."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed, nn

__all__ = ["expect_one_step", "on_all_processes", "processes"]


@contextmanager
def processes() -> Iterator[tuple[int, int]]:
    """This process's number, and how many there are."""
    is_new = int(os.environ.get("WORLD_SIZE", "1")) > 1 and not distributed.is_initialized()
    if is_new:
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)
        if is_new:
            distributed.barrier()  # nobody hangs up while another one still listens
    finally:
        if is_new:
            distributed.destroy_process_group()


def expect_one_step(step: int, place: torch.device) -> None:
    """Each machine looks for the checkpoint in its own folder. Who has found none would wait for the others forever."""
    if distributed.is_initialized():
        ends = torch.tensor([step, -step], device=place)
        distributed.all_reduce(ends, distributed.ReduceOp.MAX)
        last, first = ends[0].item(), -ends[1].item()
        if first != last:
            raise ValueError(
                f"folder: one process found a checkpoint of step {last} in it, another one of step {first}; "
                "take a folder that all machines share"
            )


def on_all_processes(model: nn.Module, place: torch.device, count: int) -> nn.Module:
    """The model; with several processes, wrapped so that each step averages their gradients."""
    if count == 1:
        return model
    if place.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)
    return nn.parallel.DistributedDataParallel(model)
