"""Trains the control network on the diffusion model's own latents, with the edges of each picture's symbol. The UNet is frozen."""

import os

import numpy as np
import torch
import torch.distributed as dist

import layers
import settings
from canny import canny
from captions import caption
from controlnet import ControlNet
from dataset import generator
from latents import Latents
from render import draw
from sampler import alphas_bar
from scene import Scene, draw_scene
from text import pad
from tokenizer import Tokenizer
from train_diffusion import networks, rate, share_gradient, size_ids, v_loss
from training import Run, cpu_compute_type, load_averaged

PATH = settings.WORK_DIR / "edges.npz"


def symbol_edges(shape, size):
    """Edges of the bare symbol, white on black: what a user draws or takes from a picture of it."""
    return canny(np.asarray(shape.mask(size)))


def make_edges():
    """Packed bits of the edges of the first pictures of the training set, and of the whole picture for one in four."""
    indices, rows = [], []
    for i in range(settings.CONTROL_IMAGES):
        rng = generator("train", i)
        scene = draw_scene(rng)
        while scene.held_out:
            scene = draw_scene(rng)
        image, shape = draw(scene, rng, 256, 256)
        edges = canny(np.asarray(image)) if i % 4 == 3 else symbol_edges(shape, image.size)
        indices.append(i)
        rows.append(np.packbits(edges > 0, axis=1))
    np.savez(PATH, indices=indices, edges=np.stack(rows))


class Batches:
    """What train_diffusion draws, with edges."""

    def __init__(self, worker):
        self.worker = worker
        self.latents, self.scenes = Latents().sets[32, 32]
        self.tokenizer = Tokenizer(settings.WORK_DIR / "tokenizer")
        self.edges = np.load(PATH)["edges"]

    def draw(self, step):
        rng = np.random.default_rng((settings.SEED_CONTROL, step, self.worker))
        torch.manual_seed(int(rng.integers(2**31)))
        chosen = rng.choice(len(self.edges), settings.CONTROL["batch"] // settings.WORKERS, replace=False)
        words = ["" if rng.random() < 0.2 else caption(Scene(**self.scenes[i]), rng) for i in chosen]
        ids = pad([self.tokenizer.encode(text) for text in words], self.tokenizer.end)
        # Padded to full length: the control network attends without the UNet's shortcut.
        ids = torch.nn.functional.pad(ids, (0, settings.TOKENS - ids.shape[1]), value=self.tokenizer.end)
        edges = np.unpackbits(self.edges[chosen], axis=2).astype(np.float32)
        return torch.from_numpy(self.latents[chosen].astype(np.float32)), ids, size_ids(32, 32).expand(len(chosen), 6), torch.from_numpy(edges)


class Guided(torch.nn.Module):
    """The frozen UNet with the control network before it, under the UNet's own signature."""

    def __init__(self, unet, control, edges):
        super().__init__()
        self.unet, self.control, self.edges = unet, control, edges

    def forward(self, x, t, text, pooled, time_ids):
        hint = self.edges[:, None].expand(-1, 3, -1, -1)
        return self.unet(x, t, text, pooled, time_ids, self.control(x, t, text, hint, 1.0, pooled, time_ids))


def train(worker):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=worker, world_size=settings.WORKERS)
    torch.manual_seed(settings.SEED_CONTROL)
    batches = Batches(worker)
    nets = load_averaged(settings.DIFFUSION[-1]["name"], networks(len(batches.tokenizer.ids))).requires_grad_(False)
    control = ControlNet()
    control.start_from(nets["unet"])
    run = Run("control", control, ema=0.998, weight_decay=1e-3, leader=worker == 0)
    layers.compute_in(cpu_compute_type())
    bar = alphas_bar().float()
    for step in run.steps(settings.CONTROL["steps"]):
        latents, ids, time_ids, edges = batches.draw(step)
        loss, error = v_loss(dict(unet=Guided(nets["unet"], control, edges), text=nets["text"]), bar, latents, ids, time_ids)
        run.update(loss, rate(settings.CONTROL, step), after_backward=share_gradient, v_error=error)


def main():
    if not PATH.exists():
        make_edges()
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=os.environ.get("MASTER_PORT", "29507"))
    torch.multiprocessing.spawn(train, nprocs=settings.WORKERS)


if __name__ == "__main__":
    main()
