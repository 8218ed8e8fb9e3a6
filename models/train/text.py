"""The two text encoders, CLIP's shape and habits: causal, quick GELU, pooled at the end token."""

import torch
from torch import nn

import settings
from layers import Linear, matmul


class SelfAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.qkv, self.out = Linear(width, 3 * width, bias=False), Linear(width, width)

    def forward(self, x, mask=None):
        batch, n, width = x.shape
        q, k, v = (t.reshape(batch, n, self.heads, -1).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
        scores = matmul(q * self.scale, k.transpose(2, 3))
        if mask is not None:
            scores = scores + mask
        return self.out(matmul(scores.softmax(-1), v).transpose(1, 2).reshape(batch, n, width))


class Layer(nn.Module):
    def __init__(self, width, feed_forward, heads):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), SelfAttention(width, heads)
        self.norm2, self.up, self.down = nn.LayerNorm(width), Linear(width, feed_forward), Linear(feed_forward, width)

    def forward(self, x, mask):
        x = x + self.attention(self.norm1(x), mask)
        h = self.up(self.norm2(x))
        return x + self.down(h * torch.sigmoid(1.702 * h))


class TextEncoder(nn.Module):
    """ids[B, S] -> (last, pooled, [hidden states]). Hidden states behind the end token are zero.

    CLIP leaves noise there, which the UNet attends to. Zeros cost nothing to learn around, and because they are known,
    training can leave the padding out (see `UNet.forward`): prompts are 14 tokens in the median, not 77.
    """

    def __init__(self, vocabulary, width, feed_forward, layers, heads, projection=None):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.tokens.weight, std=0.3)
        self.positions = nn.Parameter(torch.randn(settings.TOKENS, width) * 0.02)
        self.layers = nn.ModuleList(Layer(width, feed_forward, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.projection = Linear(width, projection, bias=False) if projection else None
        self.register_buffer("causal", torch.full((settings.TOKENS, settings.TOKENS), -1e4).triu(1), persistent=False)
        self.register_buffer("order", torch.arange(settings.TOKENS), persistent=False)

    def forward(self, ids):
        length = ids.shape[1]
        x = self.tokens(ids) + self.positions[:length]
        states = [x]
        for layer in self.layers:
            x = layer(x, self.causal[:length, :length])
            states.append(x)
        end = ids.argmax(-1)  # the end token has the largest id; argmax finds its first place
        pooled = self.norm(x)[torch.arange(ids.shape[0]), end]
        if self.projection is not None:
            pooled = self.projection(pooled)
        said = (self.order[:length] <= end[:, None]).to(x.dtype)[..., None]
        return self.norm(x) * said, pooled, [state * said for state in states]


class TextEncoders(nn.Module):
    """Both, as SDXL uses them: second-to-last hidden states side by side, pooled from the second.

    The second layer of the first encoder is in the files for the interface's sake only; nothing reads it.
    """

    def __init__(self, vocabulary):
        super().__init__()
        self.one = TextEncoder(vocabulary, **settings.TEXT_1)
        self.two = TextEncoder(vocabulary, **settings.TEXT_2)

    def forward(self, ids):
        """ids[B, S], nothing but padding cut off. The encoders' pads differ, but what they pad is zero anyway."""
        _, _, one = self.one(ids)
        _, pooled, two = self.two(ids)
        return torch.cat([one[-2], two[-2]], -1), pooled


def pad(rows, end):
    """Lists of ids -> int64[B, longest]; padded behind the end token with the end token."""
    longest = max(len(row) for row in rows)
    return torch.tensor([row + [end] * (longest - len(row)) for row in rows])
