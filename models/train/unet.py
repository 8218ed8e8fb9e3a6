"""The denoiser: a UNet of three levels (32x32, 16x16, 8x8 at 256x256) conditioned as SDXL's. Predicts v."""

import math

import torch
import torch.nn.functional as F
from torch import nn

import settings
from fused import norm_act
from layers import Conv, Linear, matmul
from text import SelfAttention


def sinusoid(values, dim):
    """float[B] -> float[B, dim]: cosines, then sines, periods 2 pi to 20,000 pi."""
    half = dim // 2
    frequency = torch.exp(-math.log(10_000.0) * torch.arange(half, dtype=torch.float32) / half)
    angle = values.float()[:, None] * frequency[None]
    return torch.cat([torch.cos(angle), torch.sin(angle)], 1)


class Block(nn.Module):
    """Residual block; time, pooled text and size scale and shift its middle."""

    def __init__(self, i, o, embedding):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, i), Conv(i, o)
        self.film = Linear(embedding, 2 * o)
        self.norm2, self.conv2 = nn.GroupNorm(8, o), Conv(o, o)
        self.skip = Conv(i, o, size=1) if i != o else None
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x, e):
        scale, shift = self.film(e).chunk(2, 1)
        h = self.conv1(norm_act(self.norm1, x))
        h = self.conv2(norm_act(self.norm2, h, scale, shift))
        return (x if self.skip is None else self.skip(x)) + h


class CrossAttention(nn.Module):
    def __init__(self, width, text, heads=4):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.q, self.kv, self.out = Linear(width, width, bias=False), Linear(text, 2 * width, bias=False), Linear(width, width)

    def forward(self, x, y, mask):
        batch, n, width = x.shape
        q = self.q(x).reshape(batch, n, self.heads, -1).transpose(1, 2)
        k, v = (t.reshape(batch, y.shape[1], self.heads, -1).transpose(1, 2) for t in self.kv(y).chunk(2, -1))
        scores = matmul(q * self.scale, k.transpose(2, 3))
        if mask is not None:
            scores = scores + mask
        return self.out(matmul(scores.softmax(-1), v).transpose(1, 2).reshape(batch, n, width))


class Transformer(nn.Module):
    """Self-attention (where asked for), cross-attention to the words, feed-forward."""

    def __init__(self, width, text, look_around):
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.norm1, self.self_attention = (nn.LayerNorm(width), SelfAttention(width, 4)) if look_around else (None, None)
        self.norm2, self.cross_attention = nn.LayerNorm(width), CrossAttention(width, text)
        self.norm3, self.up, self.down = nn.LayerNorm(width), Linear(width, 2 * width), Linear(2 * width, width)
        self.out = Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x, y, mask):
        batch, width, height, wide = x.shape
        t = norm_act(self.norm, x, silu=False).flatten(2).transpose(1, 2).float()
        if self.self_attention is not None:
            t = t + self.self_attention(self.norm1(t))
        t = t + self.cross_attention(self.norm2(t), y, mask)
        t = t + self.down(F.silu(self.up(self.norm3(t))))
        return x + self.out(t).to(x.dtype).transpose(1, 2).reshape(batch, width, height, wide)


class FixedNorm(nn.Module):
    """Layer norm that learns nothing: what is zero (padding) stays zero. ONNX wants scale and shift all the same."""

    def __init__(self, width):
        super().__init__()
        self.register_buffer("one", torch.ones(width), persistent=False)
        self.register_buffer("zero", torch.zeros(width), persistent=False)

    def forward(self, x):
        return F.layer_norm(x, self.one.shape, self.one, self.zero)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        a, b, c = settings.UNET_WIDTHS
        e, text, pooled = settings.UNET_EMBEDDING, settings.TEXT_1["width"] + settings.TEXT_2["width"], settings.TEXT_2["projection"]
        self.time = nn.Sequential(Linear(64, e), nn.SiLU(), Linear(e, e))
        self.added = nn.Sequential(Linear(pooled + 6 * settings.TIME_IDS_DIM, e), nn.SiLU(), Linear(e, e))
        self.words = FixedNorm(text)
        self.enter, self.in0 = Conv(4, a), Block(a, a, e)
        self.down0, self.in1, self.in1_text = Conv(a, b, stride=2), Block(b, b, e), Transformer(b, text, False)
        self.down1, self.in2 = Conv(b, c, stride=2), Block(c, c, e)
        self.middle, self.out2 = Transformer(c, text, True), Block(2 * c, c, e)
        self.up1, self.out1, self.out1_text = Conv(c, b), Block(2 * b, b, e), Transformer(b, text, False)
        self.up0, self.out0, self.out0_more = Conv(b, a), Block(2 * a, a, e), Block(a, a, e)
        self.norm, self.leave = nn.GroupNorm(8, a), Conv(a, 4)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def embed(self, timestep, pooled, time_ids):
        sizes = sinusoid(time_ids.reshape(-1), settings.TIME_IDS_DIM).reshape(time_ids.shape[0], -1)
        return F.silu(self.time(sinusoid(timestep, 64)) + self.added(torch.cat([pooled, sizes], 1)))

    def forward(self, x, timestep, text, pooled, time_ids, residuals=None):
        """x[B, 4, h, w], timestep[B], text[B, S, C], pooled[B, P], time_ids[B, 6] -> v[B, 4, h, w].

        A text shorter than 77 tokens stands for one padded with zeros: the missing zeros weigh in the softmax as one
        zero with weight 77 - S. `residuals` (three levels and the middle) come from the control network.
        """
        e = self.embed(timestep, pooled, time_ids)
        y, mask = self.words(text), None
        missing = settings.TOKENS - text.shape[1]
        if self.training and missing > 0:
            y = F.pad(y, (0, 0, 0, 1))
            mask = F.pad(torch.zeros(text.shape[1]), (0, 1), value=math.log(missing))
        h0 = self.in0(self.enter(x), e)
        h1 = self.in1_text(self.in1(self.down0(h0), e), y, mask)
        h2 = self.in2(self.down1(h1), e)
        h = self.middle(h2, y, mask)
        if residuals is not None:
            h0, h1, h2, h = (level + r.to(level.dtype) for level, r in zip((h0, h1, h2, h), residuals))
        h = self.out2(torch.cat([h, h2], 1), e)
        h = self.up1(double(h))
        h = self.out1_text(self.out1(torch.cat([h, h1], 1), e), y, mask)
        h = self.up0(double(h))
        h = self.out0_more(self.out0(torch.cat([h, h0], 1), e), e)
        return self.leave(norm_act(self.norm, h)).float()


def double(x):
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
