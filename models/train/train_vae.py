"""Trains the autoencoder. Resumes from its last checkpoint; every step draws from its own seed, so a resumed run is the same run."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import layers
import settings
from training import Run, cpu_compute_type, save_grid
from vae import Decoder, Encoder


def load_images():
    files = sorted((settings.WORK_DIR / "vae_images").glob("??????.npy"))
    return [image for file in files for image in np.load(file, mmap_mode="r")]


def draw_batch(images, rng):
    """float32[B, 3, 128, 128] in [-1, 1]. Mirrored now and then: the autoencoder need not know how a tau stands."""
    crop, out = settings.VAE_CROP, []
    for _ in range(settings.VAE_BATCH):
        image = images[rng.integers(len(images))]
        if rng.random() < 0.4:
            patch = np.asarray(Image.fromarray(image).reduce(256 // crop))
        else:
            x, y = rng.integers(0, (256 - crop) // 8 + 1, 2) * 8
            patch = image[y : y + crop, x : x + crop]
        out.append(patch[:, ::-1] if rng.random() < 0.5 else patch)
    return to_tensor(np.stack(out))


def to_tensor(images):
    """uint8[B, H, W, 3] -> float32[B, 3, H, W] in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def reconstruction_loss(error):
    """L1 of the picture, of its gradients (edges) and of coarser copies, and MSE (what PSNR measures)."""
    gradients = (error[:, :, 1:] - error[:, :, :-1]).abs().mean() + (error[..., 1:] - error[..., :-1]).abs().mean()
    half = F.avg_pool2d(error, 2)
    quarter = F.avg_pool2d(half, 2)
    coarse = half.abs().mean() + quarter.abs().mean() + F.avg_pool2d(quarter, 4).abs().mean()
    return error.abs().mean() + 0.5 * gradients + 0.5 * coarse + 2.0 * error.square().mean()


def whiteness_loss(latent):
    """Latent channels to mean 0, variance 1, uncorrelated: the diffusion model's noise then fits all four alike."""
    flat = latent.permute(1, 0, 2, 3).reshape(4, -1)
    mean = flat.mean(1)
    centred = flat - mean[:, None]
    covariance = centred @ centred.t() / flat.shape[1]
    return mean.square().mean() + (covariance - torch.eye(4)).square().sum() / 4


def rate(step):
    """Constant for half of the run, then a cosine to zero: the decay is worth more than the same steps at full rate."""
    done = step / settings.VAE_STEPS
    decay = 1.0 if done < 0.5 else 0.5 * (1 + math.cos(math.pi * (done - 0.5) / 0.5))
    return settings.VAE_RATE * min(1, (step + 1) / 50) * max(decay, 1e-3)


def main():
    torch.set_num_threads(settings.THREADS)
    torch.manual_seed(settings.SEED_VAE)
    images = load_images()
    nets = torch.nn.ModuleDict(dict(encoder=Encoder(), decoder=Decoder()))
    run = Run("vae", nets, ema=0.998, weight_decay=1e-4)
    layers.compute_in(cpu_compute_type())
    for step in run.steps(settings.VAE_STEPS):
        rng = np.random.default_rng((settings.SEED_VAE, step))
        torch.manual_seed(int(rng.integers(2**31)))
        image = draw_batch(images, rng)
        latent = nets["encoder"](image)
        noise = torch.randn_like(latent) * (torch.rand(len(image), 1, 1, 1) * settings.VAE_NOISE)
        error = nets["decoder"](latent + noise) - image
        loss = reconstruction_loss(error) + 0.05 * whiteness_loss(latent)
        run.update(loss, rate(step), mse=error.square().mean())
        if step % 1500 == 1499:
            show(run, images[:8])
    layers.compute_in(torch.float32)
    show(run, images[:8])


@torch.no_grad()
def show(run, images):
    """Pictures above their reconstructions, in the run's folder."""
    with run.averaged():
        original = to_tensor(np.stack(images))
        copy = run.net["decoder"](run.net["encoder"](original))
    save_grid(torch.cat([original, copy]), settings.WORK_DIR / "vae.png", columns=len(images))


if __name__ == "__main__":
    main()
