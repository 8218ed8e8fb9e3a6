"""Trains UNet and text encoders together, in the stages of settings.DIFFUSION, one process a core.

Captions are drawn anew whenever a picture is seen. Every step draws from its own seed, so a resumed run goes on as if
it had never stopped.
"""

import math
import os

import numpy as np
import torch
import torch.distributed as dist

import layers
import settings
from captions import caption
from latents import Latents, load_vae
from sampler import alphas_bar, sample
from scene import Scene
from text import TextEncoders, pad
from tokenizer import Tokenizer
from training import Run, cpu_compute_type, load_averaged, save_grid
from unet import UNet

PREVIEW = (
    "a red tau symbol on a blue background", "a golden tau symbol in a night sky with stars", "a glowing neon green tau symbol on a circuit board",
    "a white tau symbol over ocean waves", "a stone tau symbol in front of mountains", "a purple outlined tau symbol on a yellow background",
    "a silver tau symbol against a sunset", "a black tau symbol in front of flames", "a pink tau symbol inside a green ring on a forest",
    "a cyan tau symbol on a black and white checkerboard", "a yellow star on a purple background", "tau symbol",
    "a green tau symbol and a red circle on a white background", "a red ring on a starry sky", "a cyberpunk tau symbol made of glass, dragon, city", "",
)  # fmt: skip


def networks(vocabulary):
    return torch.nn.ModuleDict(dict(unet=UNet(), text=TextEncoders(vocabulary)))


def size_ids(width, height):
    """SDXL's micro-conditioning: original size, crop, target size (height first), in pixels."""
    w, h = width * 8.0, height * 8.0
    return torch.tensor([h, w, 0.0, 0.0, h, w])


class Batches:
    """Latents, tokens and sizes of a step; half of it for each of two workers."""

    def __init__(self, stage, worker):
        self.stage, self.worker = stage, worker
        self.latents = Latents()
        self.tokenizer = Tokenizer(settings.WORK_DIR / "tokenizer")

    def draw(self, step):
        shared = np.random.default_rng((settings.SEED_DIFFUSION, step))
        sizes = list(self.stage["sizes"])
        size = sizes[shared.choice(len(sizes), p=list(self.stage["sizes"].values()))]
        latents, scenes = self.latents.sets[size]
        chosen = shared.choice(len(latents), self.stage["batch"], replace=False)[self.worker :: settings.WORKERS]
        rng = np.random.default_rng((settings.SEED_DIFFUSION, step, self.worker))
        torch.manual_seed(int(rng.integers(2**31)))
        words = ["" if rng.random() < settings.CAPTION_DROP else caption(Scene(**scenes[i]), rng) for i in chosen]
        ids = pad([self.tokenizer.encode(text) for text in words], self.tokenizer.end)
        return torch.from_numpy(latents[chosen].astype(np.float32)), ids, size_ids(*size).expand(len(chosen), 6)


def v_loss(nets, bar, latents, ids, time_ids):
    """Mean over the batch of the damped squared error of v = sqrt(a) eps - sqrt(1 - a) x0; timesteps are stratified."""
    count = len(latents)
    t = ((torch.randperm(count) + torch.rand(count)) / count * settings.TRAIN_STEPS).long().clamp(max=settings.TRAIN_STEPS - 1)
    a = bar[t][:, None, None, None]
    noise = torch.randn_like(latents)
    text, pooled = nets["text"](ids)
    v = nets["unet"](a.sqrt() * latents + (1 - a).sqrt() * noise, t, text, pooled, time_ids)
    error = (v - (a.sqrt() * noise - (1 - a).sqrt() * latents)).square().mean((1, 2, 3))
    snr = (a / (1 - a)).flatten()
    weight = ((1 + settings.SNR_DAMP) / (1 + snr)).clamp(max=1.0)
    return (error * weight).mean(), error.mean()


def rate(stage, step):
    done = step / stage["steps"]
    decay = 1.0 if done < stage["hold"] else 0.5 * (1 + math.cos(math.pi * (done - stage["hold"]) / (1 - stage["hold"])))
    return stage["rate"] * min(1, (step + 1) / 200) * (stage["final"] + (1 - stage["final"]) * decay)


def share_gradient(gradient):
    """The mean over the workers."""
    dist.all_reduce(gradient)
    gradient /= settings.WORKERS


def train(worker, index):
    stage = settings.DIFFUSION[index]
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=worker, world_size=settings.WORKERS)
    torch.manual_seed(settings.SEED_DIFFUSION)
    batches = Batches(stage, worker)
    nets = networks(len(batches.tokenizer.ids))
    if index > 0:
        load_averaged(settings.DIFFUSION[index - 1]["name"], nets)
    run = Run(stage["name"], nets.train(), ema=stage["ema"], weight_decay=1e-3, leader=worker == 0)
    layers.compute_in(cpu_compute_type())
    bar = alphas_bar().float()
    for step in run.steps(stage["steps"]):
        loss, error = v_loss(nets, bar, *batches.draw(step + index * 1_000_000))
        run.update(loss, rate(stage, step), after_backward=share_gradient, v_error=error)
        if worker == 0 and step % settings.PREVIEW_EVERY == settings.PREVIEW_EVERY - 1:
            preview(run, batches.tokenizer, batches.latents.scale, max(stage["sizes"], key=stage["sizes"].get))


def preview(run, tokenizer, scale, size, guidance=5.0):
    """Samples of PREVIEW, in the run's folder."""
    ids = pad([tokenizer.encode(text) for text in ("",) * len(PREVIEW) + PREVIEW], tokenizer.end)
    noise = torch.randn(len(PREVIEW), 4, size[1], size[0], generator=torch.Generator().manual_seed(0))
    with run.averaged(), torch.no_grad():
        text, pooled = run.net["text"](ids)

        def guided(x, t):
            v = run.net["unet"](torch.cat([x, x]), torch.full((len(ids),), t), text, pooled, size_ids(*size).expand(len(ids), 6))
            plain, asked = v.chunk(2)
            return plain + guidance * (asked - plain)

        images = load_vae()["decoder"](sample(guided, noise.float()) / scale)
    save_grid(images, settings.WORK_DIR / f"{run.name}_{run.step + 1:06d}.png", columns=8)


def main():
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=os.environ.get("MASTER_PORT", "29507"))
    for index in range(len(settings.DIFFUSION)):
        torch.multiprocessing.spawn(train, args=(index,), nprocs=settings.WORKERS)


if __name__ == "__main__":
    main()
