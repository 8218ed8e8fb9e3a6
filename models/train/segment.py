"""The control network's judge: a small net, trained on renders alone, that says which pixels belong to the symbol."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import layers
import settings
from dataset import generator
from judge import small, to_image
from layers import Conv
from render import draw
from scene import draw_scene
from training import Run, cpu_compute_type, load_averaged


class Segmenter(nn.Module):
    """float[B, 3, 128, 128] in [-1, 1] -> logits[B, 1, 64, 64]"""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = Conv(3, 32, stride=2), Conv(32, 48, stride=2), Conv(48, 96, stride=2), Conv(96, 128, stride=2)
        self.e, self.f, self.g, self.h = Conv(128, 128), Conv(128 + 96, 64), Conv(64 + 48, 48), Conv(48 + 32, 32)
        self.out = Conv(32, 1)

    def forward(self, image):
        a = F.relu(self.a(image))
        b = F.relu(self.b(a))
        c = F.relu(self.c(b))
        up = F.relu(self.e(F.relu(self.d(c))))
        for layer, skip in ((self.f, c), (self.g, b), (self.h, a)):
            up = F.relu(layer(torch.cat([F.interpolate(up, scale_factor=2.0), skip], 1)))
        return self.out(up).float()


def symbol(name, index):
    """(scene, picture, shape) of a lone tau."""
    rng = generator(name, index)
    scene = draw_scene(rng)
    while scene.subject != "tau" or scene.relation != "alone":
        scene = draw_scene(rng)
    image, shape = draw(scene, rng, 256, 256)
    return scene, np.asarray(image), shape


def coverage(shape):
    """uint8[64, 64]: 1 where the filled symbol covers more than half of a 4x4 block of a 256x256 picture."""
    return (np.asarray(shape.mask((256, 256)).reduce(4)) > 127).astype(np.uint8)


def load_set(name, count):
    path = settings.WORK_DIR / f"segment_{name}.npz"
    if not path.exists():
        rows = [symbol(name, i) for i in range(count)]
        np.savez(path, pictures=np.stack([small(image) for _, image, _ in rows]), masks=np.stack([coverage(shape) for _, _, shape in rows]))
    data = np.load(path)
    return data["pictures"], data["masks"]


def filled(masks):
    return torch.from_numpy(masks.astype(np.float32))[:, None]


@torch.no_grad()
def find_symbol(net, pictures):
    """bool[B, 64, 64]"""
    parts = [net(to_image(np.stack([small(p) for p in pictures[i : i + 100]])))[:, 0] > 0 for i in range(0, len(pictures), 100)]
    return torch.cat(parts).numpy()


def iou(a, b):
    """Intersection over union of each pair of masks."""
    a, b = a.astype(bool).reshape(len(a), -1), b.astype(bool).reshape(len(b), -1)
    return (a & b).sum(1) / np.maximum((a | b).sum(1), 1)


def load_segmenter():
    return load_averaged("segmenter", Segmenter())


def main():
    torch.set_num_threads(settings.THREADS)
    torch.manual_seed(settings.SEED_JUDGE)
    pictures, masks = load_set("judge", settings.SEGMENT_IMAGES)
    run = Run("segmenter", Segmenter(), ema=0.99, weight_decay=1e-2)
    layers.compute_in(cpu_compute_type())
    for step in run.steps(settings.SEGMENT_STEPS):
        rng = np.random.default_rng((settings.SEED_JUDGE, 1, step))
        torch.manual_seed(step)
        chosen = rng.choice(len(pictures), settings.SEGMENT_BATCH, replace=False)
        image, mask = to_image(pictures[chosen]), filled(masks[chosen])
        image = image * (1 + 0.08 * torch.randn(len(image), 1, 1, 1)) + 0.06 * torch.randn_like(image)
        loss = F.binary_cross_entropy_with_logits(run.net(image), mask)
        run.update(loss, settings.JUDGE_RATE * 0.5 * (1 + math.cos(math.pi * step / settings.SEGMENT_STEPS)))
    layers.compute_in(torch.float32)
    tests, wanted = load_set("judge_test", 300)
    print(f"segmenter: mean IoU {iou(find_symbol(load_segmenter(), list(tests)), wanted).mean():.4f} on renders that it never saw")


if __name__ == "__main__":
    main()
