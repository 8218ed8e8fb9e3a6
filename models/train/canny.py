"""Canny edges as OpenCV's `Canny(image, 100, 200)` draws them: 3x3 Sobel, L1 norm, the strongest channel of each pixel."""

import numpy as np

LOW, HIGH = 100, 200


def canny(image, low=LOW, high=HIGH):
    """uint8[H, W] or uint8[H, W, 3] -> uint8[H, W], 255 on edges."""
    gx, gy = sobel(image[..., None] if image.ndim == 2 else image)
    strength = np.abs(gx) + np.abs(gy)
    best = strength.argmax(2)[..., None]
    gx, gy, strength = (np.take_along_axis(a, best, 2)[..., 0] for a in (gx, gy, strength))
    ridge = thin(gx, gy, strength)
    return (follow(ridge & (strength > low), ridge & (strength > high)) * 255).astype(np.uint8)


def sobel(image):
    p = np.pad(image.astype(np.int32), ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows = p[:-2] + 2 * p[1:-1] + p[2:]
    columns = p[:, :-2] + 2 * p[:, 1:-1] + p[:, 2:]
    return rows[:, 2:] - rows[:, :-2], columns[2:] - columns[:-2]


def thin(gx, gy, strength):
    """Keeps the pixels that are strongest along their gradient, whose direction is rounded to 45 degrees."""
    p = np.pad(strength, 1)
    height, width = strength.shape
    near = lambda dy, dx: p[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
    ax, ay = np.abs(gx), np.abs(gy)
    flat, steep = ay < ax * np.tan(np.pi / 8), ay > ax * np.tan(3 * np.pi / 8)
    rising = (gx < 0) != (gy < 0)
    one = np.select([flat, steep, rising], [near(0, -1), near(-1, 0), near(-1, 1)], near(-1, -1))
    two = np.select([flat, steep, rising], [near(0, 1), near(1, 0), near(1, -1)], near(1, 1))
    return np.where(flat | steep, (strength > one) & (strength >= two), (strength > one) & (strength > two))


def follow(weak, strong):
    """Weak pixels that hang together with a strong one."""
    kept = strong
    while True:
        p = np.pad(kept, 1)
        height, width = kept.shape
        grown = np.zeros_like(kept)
        for dy in (0, 1, 2):
            for dx in (0, 1, 2):
                grown |= p[dy : dy + height, dx : dx + width]
        grown &= weak
        if (grown == kept).all():
            return kept
        kept = grown
