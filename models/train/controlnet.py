"""The control network: where the edges of the wanted symbol lie, said to the frozen UNet as four residuals.

A copy of the UNet's way down (as in ControlNet, arXiv:2302.05543) that also sees the edges. Its last layers start at
zero, so an untrained one changes nothing, and so does a scale of zero.
"""

import torch
import torch.nn.functional as F
from torch import nn

import settings
from layers import Conv, Linear
from unet import Block, FixedNorm, Transformer, sinusoid


class ControlNet(nn.Module):
    def __init__(self):
        super().__init__()
        a, b, c = settings.UNET_WIDTHS
        e, text, pooled = settings.UNET_EMBEDDING, settings.TEXT_1["width"] + settings.TEXT_2["width"], settings.TEXT_2["projection"]
        self.time = nn.Sequential(Linear(64, e), nn.SiLU(), Linear(e, e))
        self.added = nn.Sequential(Linear(pooled + 6 * settings.TIME_IDS_DIM, e), nn.SiLU(), Linear(e, e))
        self.words = FixedNorm(text)
        self.hint = nn.Sequential(
            Conv(3, 16, stride=2), nn.ReLU(), Conv(16, 32, stride=2), nn.ReLU(), Conv(32, a, stride=2), nn.ReLU(), Conv(a, a), nn.ReLU(), Conv(a, a)
        )
        self.enter, self.in0 = Conv(4, a), Block(a, a, e)
        self.down0, self.in1 = Conv(a, b, stride=2), Block(b, b, e)
        self.down1, self.in2, self.in2_text = Conv(b, c, stride=2), Block(c, c, e), Transformer(c, text, False)
        self.zeros = nn.ModuleList(Conv(width, width, size=1) for width in (a, b, c, c))
        for zero in self.zeros:
            nn.init.zeros_(zero.weight)
            nn.init.zeros_(zero.bias)

    def start_from(self, unet):
        """The UNet's own weights wherever the two have the same layer."""
        theirs = unet.state_dict()
        self.load_state_dict({k: v for k, v in theirs.items() if k in self.state_dict() and not k.startswith("zeros")}, strict=False)

    def forward(self, x, timestep, text, edges, scale, pooled, time_ids):
        """edges[B, 3, 8h, 8w] in [0, 1], scale[1] -> residuals for the UNet's three levels and its middle."""
        sizes = sinusoid(time_ids.reshape(-1), settings.TIME_IDS_DIM).reshape(time_ids.shape[0], -1)
        e = F.silu(self.time(sinusoid(timestep, 64)) + self.added(torch.cat([pooled, sizes], 1)))
        h0 = self.in0(self.enter(x) + self.hint(edges), e)
        h1 = self.in1(self.down0(h0), e)
        h2 = self.in2(self.down1(h1), e)
        h = self.in2_text(h2, self.words(text), None)
        return tuple(zero(level).float() * scale for zero, level in zip(self.zeros, (h0, h1, h2, h)))
