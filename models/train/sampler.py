"""DPM-Solver++ (2M), Karras sigmas, as the model folder's scheduler asks for; here for looking at a training as it runs."""

import numpy as np
import torch

import settings


def alphas_bar():
    """float64[1000]: the products of Stable Diffusion's "scaled linear" schedule."""
    root = torch.linspace(settings.BETA_START**0.5, settings.BETA_END**0.5, settings.TRAIN_STEPS, dtype=torch.float64)
    return torch.cumprod(1 - root**2, 0)


def karras(steps):
    """(sigmas[steps + 1], timesteps[steps]), from the noisiest to zero."""
    bar = alphas_bar().numpy()
    known = np.sqrt((1 - bar) / bar)
    high, low = known[-1] ** (1 / 7), known[0] ** (1 / 7)
    sigmas = (high + np.linspace(0, 1, steps) * (low - high)) ** 7
    return np.append(sigmas, 0.0), np.interp(np.log(sigmas), np.log(known), np.arange(len(known)))


@torch.no_grad()
def sample(predict_v, noise, steps=20):
    """noise[B, 4, h, w] of unit variance -> latents. `predict_v(x, timestep)` includes guidance."""
    sigmas, timesteps = karras(steps)
    x, before, h_before = noise * sigmas[0], None, None
    for i in range(steps):
        alpha = 1 / np.sqrt(1 + sigmas[i] ** 2)
        v = predict_v(x * alpha, timesteps[i])
        denoised = alpha * (x * alpha) - sigmas[i] * alpha * v
        if sigmas[i + 1] == 0:
            return denoised
        h = np.log(sigmas[i] / sigmas[i + 1])
        guess = denoised if before is None else denoised + (denoised - before) * h / (2 * h_before)
        x = x * (sigmas[i + 1] / sigmas[i]) - np.expm1(-h) * guess
        before, h_before = denoised, h
