"""Renders the training set and keeps its latents: float16, unit variance, one file a size, beside the scenes that made them."""

import json

import numpy as np
import torch
import torch.nn.functional as F

import layers
import settings
from dataset import picture
from train_vae import to_tensor
from training import cpu_compute_type, load_averaged
from vae import Decoder, Encoder

FOLDER = settings.WORK_DIR / "latents"
BATCH = 25


def load_vae():
    nets = torch.nn.ModuleDict(dict(encoder=Encoder(), decoder=Decoder()))
    return load_averaged("vae", nets)


def sizes():
    """(pixels width, height, first index, count), indices running on from one size to the next."""
    first = 0
    for (width, height), count in settings.DATASET.items():
        yield width, height, first, count
        first += count


@torch.no_grad()
def encode_part(encoder, width, height, first, count):
    """Latents of `count` pictures; square pictures also at half size."""
    scenes, full, half = [], [], []
    for start in range(first, first + count, BATCH):
        rows = [picture("train", i, width, height, held_out=False) for i in range(start, min(start + BATCH, first + count))]
        scenes += [scene.to_dict() for scene, _ in rows]
        image = to_tensor(np.stack([image for _, image in rows]))
        full.append(encoder(image).half().numpy())
        if width == height:
            half.append(encoder(F.avg_pool2d(image, 2)).half().numpy())
    return scenes, np.concatenate(full), np.concatenate(half) if half else None


def main(worker, workers):
    """Every worker takes each `workers`-th part."""
    torch.set_num_threads(1)
    layers.compute_in(cpu_compute_type())
    FOLDER.mkdir(parents=True, exist_ok=True)
    encoder = load_vae()["encoder"]
    parts = [(w, h, first + at, min(settings.SHARD, count - at)) for w, h, first, count in sizes() for at in range(0, count, settings.SHARD)]
    for width, height, first, count in parts[worker::workers]:
        path = FOLDER / f"part_{width}x{height}_{first:06d}.npz"
        if not path.exists():
            scenes, full, half = encode_part(encoder, width, height, first, count)
            arrays = dict(full=full) if half is None else dict(full=full, half=half)
            np.savez(path.with_suffix(".tmp.npz"), scenes=json.dumps(scenes), **arrays)
            path.with_suffix(".tmp.npz").rename(path)


class Latents:
    """Everything the training draws from: {(latent width, height): (float16[N, 4, h, w], scenes)}, scaled to unit variance."""

    def __init__(self):
        self.sets, square, half, scenes = {}, [], [], []
        for width, height, _, _ in sizes():
            parts = [np.load(p) for p in sorted(FOLDER.glob(f"part_{width}x{height}_*[0-9].npz"))]
            full = np.concatenate([p["full"] for p in parts])
            scenes = [scene for p in parts for scene in json.loads(str(p["scenes"]))]
            self.sets[width // 8, height // 8] = full, scenes
            if width == height:
                self.sets[width // 16, height // 16] = np.concatenate([p["half"] for p in parts]), scenes
        self.scale = latent_scale()
        for latents, _ in self.sets.values():
            latents *= np.float16(self.scale)


def latent_scale():
    """1 / standard deviation of the 256x256 latents, from the first thousand."""
    path = FOLDER / "scale.json"
    if not path.exists():
        parts = sorted(FOLDER.glob("part_256x256_*[0-9].npz"))[:2]
        first = np.concatenate([np.load(p)["full"] for p in parts]).astype(np.float32)
        path.write_text(json.dumps(float(1 / first.std())))
    return json.loads(path.read_text())


if __name__ == "__main__":
    torch.multiprocessing.spawn(main, args=(settings.WORKERS,), nprocs=settings.WORKERS)
