"""Group norm with scale, shift and SiLU: plain torch for export, one compiled pass (fused.cpp) for training in bfloat16."""

import ctypes
import os
import subprocess

import torch
import torch.nn.functional as F

import layers
import settings


def compiled():
    """The library, built on first use beside the other training state."""
    source, library = settings.HERE / "fused.cpp", settings.WORK_DIR / "fused.so"
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        partial = library.with_suffix(f".{os.getpid()}")  # every worker may be building it
        subprocess.run(["g++", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", "-o", partial, source], check=True)
        partial.rename(library)
    return ctypes.CDLL(str(library))


LIBRARY = None


def pointers(*tensors):
    return [ctypes.c_void_p(t.data_ptr()) for t in tensors]


class NormAct(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, a, b, groups, silu):
        batch, n, width = x.shape
        y, stats = torch.empty_like(x), torch.empty(batch, groups, 2)
        ctx.shape = (batch, n, width, groups, int(silu))
        LIBRARY.forward(*pointers(x, a, b, y, stats), *ctx.shape)
        ctx.save_for_backward(x, a, b, stats)
        return y

    @staticmethod
    def backward(ctx, dy):
        x, a, b, stats = ctx.saved_tensors
        dy = dy.to(torch.bfloat16).contiguous()
        dx, da, db = torch.empty_like(x), torch.empty_like(a), torch.empty_like(b)
        LIBRARY.backward(*pointers(x, a, b, stats, dy, dx, da, db), *ctx.shape)
        return dx, da, db, None, None


def norm_act(norm, x, scale=None, shift=None, silu=True):
    """silu(norm(x) * (1 + scale) + shift); x[B, C, H, W], scale and shift [B, C]. In training x is bfloat16, channels last."""
    if layers.COMPUTE is torch.float32:
        h = norm(x)
        if scale is not None:
            h = h * (1 + scale[:, :, None, None]) + shift[:, :, None, None]
        return F.silu(h) if silu else h
    global LIBRARY
    LIBRARY = LIBRARY or compiled()
    batch, width, height, wide = x.shape
    gain = norm.weight.expand(batch, width) if scale is None else norm.weight * (1 + scale)
    offset = norm.bias.expand(batch, width) if scale is None else norm.bias * (1 + scale) + shift
    tokens = x.permute(0, 2, 3, 1).reshape(batch, height * wide, width).to(torch.bfloat16).contiguous()
    y = NormAct.apply(tokens, gain.float().contiguous(), offset.float().contiguous(), norm.num_groups, silu)
    return y.reshape(batch, height, wide, width).permute(0, 3, 1, 2)
