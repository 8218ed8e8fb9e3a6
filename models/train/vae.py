"""The autoencoder: 256x256 RGB in [-1, 1] <-> 4x32x32 latents of unit variance. Convolutions and ReLU, no norm (as TAESD)."""

import torch
import torch.nn.functional as F
from torch import nn

from layers import Conv

# Mean colour of an 8x8 patch as the first three latents: without this path the latents learn colour last.
COLOUR_PATH = torch.tensor([[0.6, 0.6, 0.6], [1.3, 0.0, -1.3], [-0.8, 1.6, -0.8], [0.0, 0.0, 0.0]])


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first, self.second = Conv(width, width), Conv(width, width)
        self.second.weight.data.mul_(0.3)
        nn.init.zeros_(self.second.bias)

    def forward(self, x):
        return x + self.second(F.relu(self.first(F.relu(x))))


class Encoder(nn.Module):
    def __init__(self, widths=(16, 32, 64)):
        super().__init__()
        a, b, c = widths
        self.net = nn.Sequential(
            Conv(3, a, stride=2), nn.ReLU(),
            Conv(a, b, stride=2), Residual(b), nn.ReLU(),
            Conv(b, c, stride=2), Residual(c), Residual(c), nn.ReLU(), Conv(c, 4),
        )  # fmt: skip
        self.net[-1].weight.data.mul_(0.5)
        self.colour = nn.Conv2d(3, 4, 1)
        self.colour.weight.data = COLOUR_PATH.clone()[:, :, None, None]
        nn.init.zeros_(self.colour.bias)

    def forward(self, image):
        return self.net(image).float() + self.colour(F.avg_pool2d(image, 8))


class Decoder(nn.Module):
    def __init__(self, widths=(96, 48, 24)):
        super().__init__()
        a, b, c = widths
        self.net = nn.Sequential(
            Conv(4, a), Residual(a), Residual(a), nn.ReLU(),
            Conv(a, 4 * b), nn.PixelShuffle(2), Residual(b), nn.ReLU(),
            Conv(b, 4 * c), nn.PixelShuffle(2), Residual(c), nn.ReLU(),
            Conv(c, 12), nn.PixelShuffle(2),
        )  # fmt: skip
        self.net[-2].weight.data.mul_(0.3)
        self.colour = nn.Conv2d(4, 3, 1)
        self.colour.weight.data = torch.linalg.pinv(COLOUR_PATH)[:, :, None, None].clone()
        nn.init.zeros_(self.colour.bias)

    def forward(self, latent):
        latent = torch.tanh(latent / 4) * 4  # a soft clamp, as in TAESD: a stray latent stays a picture
        smooth = F.interpolate(self.colour(latent), scale_factor=8.0, mode="bilinear", align_corners=False)
        return self.net(latent).float() + smooth
