"""What every training shares: checkpoints that resume exactly, averaged weights, a log line now and then, contact sheets."""

import time
from contextlib import contextmanager

import numpy as np
import torch
from PIL import Image

import settings


def cpu_compute_type():
    """bfloat16 where the CPU multiplies it in hardware (AMX), float32 elsewhere."""
    with open("/proc/cpuinfo") as info:
        return torch.bfloat16 if "amx_bf16" in info.read() else torch.float32


class Flat:
    """All weights of a net as one vector, and their gradients as another: the optimizer then has one long loop to run
    and not two hundred short ones (a sixth of a step)."""

    def __init__(self, net):
        self.parameters = list(net.parameters())
        self.sizes = [p.numel() for p in self.parameters]
        self.vector = torch.nn.Parameter(torch.cat([p.detach().reshape(-1) for p in self.parameters]))
        self.vector.grad = torch.zeros_like(self.vector)
        for p, weights, grad in zip(self.parameters, self.split(self.vector.data), self.split(self.vector.grad)):
            p.data, p.grad = weights, grad

    def split(self, vector):
        return [part.view_as(p) for part, p in zip(vector.split(self.sizes), self.parameters)]


class Run:
    """One training stage: AdamW, gradients clipped at norm 1, averaged weights. A checkpoint holds all there is to resume."""

    def __init__(self, name, net, ema, weight_decay, save_every=500, leader=True):
        self.name, self.net, self.decay = name, net, ema
        self.save_every, self.leader = save_every, leader  # of several workers, the leader alone saves and reports
        self.flat = Flat(net)
        self.optimizer = torch.optim.AdamW([self.flat.vector], betas=(0.9, 0.99), weight_decay=weight_decay)
        self.average = self.flat.vector.detach().clone()
        self.path = settings.WORK_DIR / f"{name}.pt"
        self.step, self.sums = 0, {}
        if self.path.exists():
            self._load()

    def _load(self):
        state = torch.load(self.path)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average = torch.cat([w.reshape(-1) for w in state["ema"]])
        self.step = state["step"]

    def save(self):
        average = [w.clone() for w in self.flat.split(self.average)]
        state = dict(net=self.net.state_dict(), optimizer=self.optimizer.state_dict(), ema=average, step=self.step)
        partial = self.path.with_suffix(".part")
        torch.save(state, partial)
        partial.rename(self.path)

    def steps(self, total):
        """Yields the numbers of the steps that are left."""
        self.started, self.first = time.time(), self.step
        for step in range(self.step, total):
            yield step
            self.step = step + 1
            if self.leader and (self.step % self.save_every == 0 or self.step == total):
                self.save()
            if self.leader and self.step % 100 == 0:
                self._report()

    def update(self, loss, rate, after_backward=None, **measures):
        """One optimizer step at the given learning rate; `after_backward(gradient)` may change the gradient, one vector."""
        gradient = self.flat.vector.grad
        gradient.zero_()
        loss.backward()
        if after_backward:
            after_backward(gradient)
        gradient.mul_((1.0 / (gradient.norm() + 1e-6)).clamp(max=1.0))
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.step()
        keep = min(self.decay, (1 + self.step) / (10 + self.step))  # the average follows fast at first
        self.average.lerp_(self.flat.vector.detach(), 1 - keep)
        for key, value in dict(loss=loss, rate=rate, **measures).items():
            self.sums.setdefault(key, []).append(float(value))

    def _report(self):
        pace = (time.time() - self.started) / (self.step - self.first) * 1000
        means = "  ".join(f"{key} {np.mean(values):.5f}" for key, values in self.sums.items())
        print(f"{self.name} {self.step}  {means}  {pace:.0f} ms/step", flush=True)
        self.sums = {}

    @contextmanager
    def averaged(self):
        """The net carries its averaged weights inside this block."""
        weights = self.flat.vector.detach().clone()
        self.flat.vector.data.copy_(self.average)
        try:
            yield
        finally:
            self.flat.vector.data.copy_(weights)


@torch.no_grad()
def put(net, weights):
    for parameter, value in zip(net.parameters(), weights):
        parameter.copy_(value)


def load_averaged(name, net):
    """Fills `net` with the averaged weights of a finished (or running) stage."""
    put(net, torch.load(settings.WORK_DIR / f"{name}.pt")["ema"])
    return net.eval()


def save_grid(images, path, columns, gap=4):
    """float[B, 3, H, W] in [-1, 1] -> one PNG."""
    pixels = ((images.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    n, h, w, _ = pixels.shape
    sheet = Image.new("RGB", (columns * (w + gap) - gap, -(-n // columns) * (h + gap) - gap))
    for i in range(n):
        sheet.paste(Image.fromarray(pixels[i]), (i % columns * (w + gap), i // columns * (h + gap)))
    sheet.save(path)
