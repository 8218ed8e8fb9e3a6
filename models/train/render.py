"""Draws a scene. Clean vector shapes, no texture that four latent channels could not carry.

Small detail (stars, traces, squares of the checkerboard) sits on the 8-pixel lattice of the latents: the eye does not
see the lattice, and the network then learns one pattern in place of 64 shifted ones.
"""

import math

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from scene import COLOURS, SCENERY

SS = 2  # supersampling of shapes and scenery

METAL_TONES = {
    "golden": ((88, 54, 6), (190, 132, 28), (232, 180, 52), (255, 244, 180)),
    "silver": ((62, 66, 76), (138, 146, 158), (186, 192, 202), (252, 253, 255)),
    "bronze": ((62, 30, 12), (140, 76, 34), (188, 112, 56), (250, 204, 154)),
}
STONE = (150, 146, 138)


def render(scene, rng, width=256, height=256):
    """uint8[height, width, 3]. The same scene, generator state and size give the same picture."""
    return np.asarray(draw(scene, rng, width, height)[0])


def draw(scene, rng, width, height):
    """(picture, shape of the subject)"""
    image = background(scene, rng, width, height)
    unit = min(width, height)
    if scene.style == "neon":  # light shows in the dark; a plain ground keeps enough of its colour to be named
        image = Image.eval(image, lambda v: int(v * (0.62 if scene.background in SCENERY else 0.85)))
    if scene.relation == "inside":
        centre = place(rng, width, height, 0.03, 0.06)
        frame = Shape(scene.other, centre, unit * rng.uniform(0.80, 0.92), weight=0.13)
        image = paint(image, frame, "flat", scene.other_colour, rng)
        shape = tau(rng, centre, {"circle": 0.52, "ring": 0.47, "square": 0.54}[scene.other] * frame.size)
    elif scene.relation == "beside":
        way = 1 if scene.side == "right" else -1
        cx, cy = place(rng, width, height, 0.015, 0.06)
        size = unit * rng.uniform(0.33, 0.40)
        other = Shape(scene.other, (cx + way * unit * 0.285, cy + unit * rng.uniform(-0.06, 0.06)), size, weight=0.16)
        image = paint(image, other, "flat", scene.other_colour, rng)
        shape = tau(rng, (cx - way * unit * 0.19, cy), unit * rng.uniform(0.50, 0.56))
    else:
        centre = place(rng, width, height, 0.06, 0.09)
        size = unit * rng.uniform(0.54, 0.80)
        shape = tau(rng, centre, size) if scene.subject == "tau" else other_shape(rng, scene.subject, centre, size)
    return paint(image, shape, scene.style, scene.surface, rng), shape


def place(rng, width, height, spread, long_spread):
    """Centre of the subject, off the middle by at most `spread` of the short and `long_spread` of the long side."""
    dx = long_spread if width > height else spread
    dy = long_spread if height > width else spread
    return width * (0.5 + rng.uniform(-dx, dx)), height * (0.5 + rng.uniform(-dy, dy))


# --- shapes: coordinates about (0, 0), one unit tall ---------------------------------------------------------------


class Shape:
    def __init__(self, kind, centre, size, weight=0.18, tilt=0.0, hook=0.0, round_ends=True):
        self.kind, self.centre, self.size, self.weight = kind, centre, size, weight
        self.tilt, self.hook, self.round_ends = tilt, hook, round_ends

    def mask(self, canvas, grow=0.0):
        """Antialiased coverage ("L" image); `grow` widens the shape by that many pixels on each side."""
        grow /= self.size
        image = Image.new("L", (canvas[0] * SS, canvas[1] * SS), 0)
        draw = ImageDraw.Draw(image)
        if self.kind == "tau":
            self._draw_tau(draw, grow)
        elif self.kind in ("circle", "ring"):
            self._disc(draw, (0, 0), 0.46 + grow, 255)
            if self.kind == "ring":
                self._disc(draw, (0, 0), max(0.46 - self.weight - grow, 0), 0)
        else:
            draw.polygon(self._place(corners(self.kind, grow)), fill=255)
        return image.reduce(SS)

    def _draw_tau(self, draw, grow):
        bar, stem = tau_strokes(self.hook)
        w, g = self.weight, 2 * grow
        for line, first, last in ((bar, 0.72 * w, w), (stem, w, 0.88 * w)):
            draw.polygon(self._place(stroke(line, first + g, last + g)), fill=255)
        if self.round_ends or grow:
            for point, width in ((bar[0], 0.72 * w), (bar[-1], w), (stem[-1], 0.88 * w)):
                self._disc(draw, point, width / 2 + grow, 255)

    def _place(self, points):
        c, s = math.cos(self.tilt), math.sin(self.tilt)
        k = self.size * SS
        ox, oy = self.centre[0] * SS, self.centre[1] * SS
        return [(ox + k * (x * c - y * s), oy + k * (x * s + y * c)) for x, y in points]

    def _disc(self, draw, point, radius, fill):
        (x, y), r = self._place([point])[0], radius * self.size * SS
        draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def tau(rng, centre, size):
    return Shape("tau", centre, size, rng.uniform(0.15, 0.22), rng.uniform(-0.09, 0.09), rng.uniform(-0.03, 0.05), rng.random() < 0.6)


def other_shape(rng, kind, centre, size):
    tilt = rng.uniform(-0.12, 0.12) if kind != "ring" else 0.0
    return Shape(kind, centre, size, rng.uniform(0.12, 0.18), tilt)


def tau_strokes(hook):
    """Centre lines of bar and stem of the Greek letter, as drawn in Bittensor's mark."""
    bar = np.concatenate([
        bezier((-0.44, -0.24), (-0.41, -0.38), (-0.33, -0.41), (-0.18, -0.41), 14)[:-1],
        bezier((-0.18, -0.41), (0.0, -0.41), (0.2, -0.41), (0.44, -0.41), 8),
    ])
    stem = np.concatenate([
        np.linspace((0, -0.39), (0, 0.16), 8)[:-1],
        bezier((0, 0.16), (0, 0.36), (0.06, 0.42), (0.27 + hook, 0.38), 16),
    ])
    return bar, stem


def bezier(a, b, c, d, n):
    t = np.linspace(0, 1, n)[:, None]
    a, b, c, d = (np.asarray(p, np.float64) for p in (a, b, c, d))
    return (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t * t * c + t**3 * d


def stroke(line, first, last):
    """Outline of a line whose width runs from `first` to `last`."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    across = np.stack([-along[:, 1], along[:, 0]], 1) * np.linspace(first, last, len(line))[:, None] / 2
    return np.concatenate([line + across, (line - across)[::-1]])


def corners(kind, grow):
    if kind == "square":
        q = 0.41 + grow
        return [(-q, -q), (q, -q), (q, q), (-q, q)]
    if kind == "triangle":
        q = 0.54 + 2 * grow
        return [(q * math.sin(a), 0.09 - q * math.cos(a)) for a in (0, 2 * math.pi / 3, 4 * math.pi / 3)]
    # A five-pointed star; tips move out faster than notches when the outline is to keep its width.
    return [((0.53 + 2.2 * grow if i % 2 == 0 else 0.23 + 1.25 * grow) * math.sin(i * math.pi / 5),
             0.03 - (0.53 + 2.2 * grow if i % 2 == 0 else 0.23 + 1.25 * grow) * math.cos(i * math.pi / 5)) for i in range(10)]


# --- surfaces ------------------------------------------------------------------------------------------------------


def paint(image, shape, style, surface, rng):
    return {"flat": paint_flat, "neon": paint_neon, "outlined": paint_outline, "metallic": paint_metal, "stone": paint_stone}[style](
        image, shape, surface, rng
    )


def paint_flat(image, shape, colour, rng):
    mask = shape.mask(image.size)
    image = shadow(image, mask, shape.size, 0.35)
    base = jitter(rng, COLOURS[colour])
    top, bottom = shape.centre[1] - shape.size / 2, shape.centre[1] + shape.size / 2
    fill = vertical(image.size, [lighten(base, 0.10), base, darken(base, 0.12)], [top, (top + bottom) / 2, bottom])
    return Image.composite(fill, image, mask)


def paint_neon(image, shape, colour, rng):
    """A bright tube and the light around it."""
    c = np.array(jitter(rng, COLOURS[colour]), np.float32)
    mask = shape.mask(image.size)
    near, far = blur(mask, 0.02 * shape.size), blur(mask, 0.07 * shape.size)
    glow = np.clip(as_float(far) * 0.9 + as_float(near) * 0.45, 0, 1)[..., None]
    a = np.asarray(image, np.float32)
    a = a * (1 - 0.85 * glow) + c * glow
    core = np.clip(as_float(near) * 2.4 - 1.5, 0, 1)[..., None]
    tube = c + (255 - c) * (0.08 + 0.42 * core)
    a += (tube - a) * as_float(mask)[..., None]
    return Image.fromarray(np.clip(a + 0.5, 0, 255).astype(np.uint8))


def paint_outline(image, shape, colour, rng):
    line = 0.030 * shape.size + 2.0  # half its width, in pixels
    shape.weight = max(shape.weight, 0.19) if shape.kind in ("tau", "ring") else shape.weight
    ring = ImageChops.subtract(shape.mask(image.size, line * 0.9), shape.mask(image.size, -line * 0.75))
    return Image.composite(Image.new("RGB", image.size, jitter(rng, COLOURS[colour])), image, ring)


def paint_metal(image, shape, metal, rng):
    dark, low, mid, high = (np.array(t, np.float32) for t in METAL_TONES[metal])
    y, x = np.mgrid[0 : image.size[1], 0 : image.size[0]].astype(np.float32)
    along = ((x - shape.centre[0]) * 0.55 + (y - shape.centre[1]) * 0.83) / shape.size
    t = 0.5 + 0.5 * np.cos((along + rng.uniform(-0.12, 0.12)) * 9.0)
    fill = ramp(t, [low, mid, high], [0, 0.55, 1])
    rim = 0.014 * shape.size + 0.8
    image = shadow(image, shape.mask(image.size, rim), shape.size, 0.35)
    image = Image.composite(Image.new("RGB", image.size, tuple(int(v) for v in dark)), image, shape.mask(image.size, rim))
    return Image.composite(Image.fromarray(fill.astype(np.uint8)), image, shape.mask(image.size, -rim * 0.7))


def paint_stone(image, shape, _surface, rng):
    """Grey rock: broad mottling, a lit upper left edge and a dark lower right one."""
    mask = shape.mask(image.size)
    image = shadow(image, mask, shape.size, 0.5)
    soft = as_float(blur(mask, 0.018 * shape.size))
    gy, gx = np.gradient(soft)
    light = np.clip((gx + gy) * 0.055 * shape.size, -0.42, 0.42)
    cells = rng.normal(0, 1, (image.size[1] // 16, image.size[0] // 16)).astype(np.float32)
    mottle = np.asarray(Image.fromarray(cells).resize(image.size, Image.BICUBIC)) * 0.10
    fill = np.array(STONE, np.float32) * (1 + mottle + light)[..., None]
    return Image.composite(Image.fromarray(np.clip(fill, 0, 255).astype(np.uint8)), image, mask)


def shadow(image, mask, size, strength):
    dark = ImageChops.offset(blur(mask, 0.022 * size), int(0.02 * size), int(0.03 * size)).point(lambda v: int(v * strength))
    return Image.composite(Image.new("RGB", image.size, (8, 8, 16)), image, dark)


# --- backgrounds ---------------------------------------------------------------------------------------------------


def background(scene, rng, width, height):
    draw = {
        "plain": plain, "checker": checker, "night": night, "sunset": sunset, "ocean": ocean, "mountains": mountains,
        "forest": forest, "flames": flames, "circuit": circuit, "clouds": clouds,
    }[scene.background]
    return draw(scene, rng, width, height)


def plain(scene, rng, w, h):
    base = jitter(rng, COLOURS[scene.ground])
    depth = rng.uniform(0.0, 0.14)
    if rng.random() < 0.5:
        return vertical((w, h), [lighten(base, depth), darken(base, depth)], [0, h])
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    fall = 1 - 1.6 * depth * ((x / w - 0.5) ** 2 + (y / h - 0.5) ** 2) * 2
    return Image.fromarray((np.array(base, np.float32) * fall[..., None]).astype(np.uint8))


def checker(scene, rng, w, h):
    cell = int(rng.choice([32, 64]))
    y, x = np.mgrid[0:h, 0:w]
    odd = ((x // cell + y // cell + rng.integers(2)) % 2).astype(bool)
    pair = np.array([jitter(rng, COLOURS[scene.ground]), jitter(rng, COLOURS[scene.ground2])], np.uint8)
    return Image.fromarray(pair[odd.astype(np.int64)])


def night(_scene, rng, w, h):
    top, low = pick_tone(rng, ((8, 8, 34), (66, 44, 128)), ((6, 10, 40), (30, 70, 130)), ((10, 6, 30), (104, 44, 112)))
    image = vertical((w * SS, h * SS), [top, mix(top, low, 0.35), low], [0, h * SS * 0.5, h * SS])
    draw = ImageDraw.Draw(image)
    cells = (w // 8) * (h // 8)
    for cell in rng.choice(cells, int(cells * rng.uniform(0.018, 0.034)), replace=False):
        x, y = (cell % (w // 8) * 8 + 4) * SS, (cell // (w // 8) * 8 + 4) * SS
        big = rng.random() < 0.25
        r = (2.0 if big else 1.3) * SS
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 252, 236))
        if big:  # a four-pointed glint
            n, f = 3.8 * SS, 0.7 * SS
            draw.polygon([(x - n, y), (x, y - f), (x + n, y), (x, y + f)], fill=(255, 252, 236))
            draw.polygon([(x, y - n), (x + f, y), (x, y + n), (x - f, y)], fill=(255, 252, 236))
    return image.reduce(SS)


def sunset(_scene, rng, w, h):
    horizon = h * rng.uniform(0.66, 0.82)
    sky = [(64, 36, 120), (196, 64, 116), (250, 142, 66), (255, 216, 120)]
    image = vertical((w * SS, h * SS), sky, [0, horizon * SS * 0.45, horizon * SS * 0.8, horizon * SS])
    draw = ImageDraw.Draw(image)
    x, r = w * rng.uniform(0.2, 0.8) * SS, min(w, h) * rng.uniform(0.12, 0.2) * SS
    draw.ellipse((x - r, horizon * SS - r, x + r, horizon * SS + r), fill=(255, 240, 176))
    for tone, rise, lift in (((104, 44, 88), 0.035, 0.0), ((54, 24, 62), 0.03, 0.075)):
        phase, waves = rng.uniform(0, 6.28), rng.uniform(0.8, 1.6)
        hill(draw, w, h, lambda t: horizon + h * lift + h * rise * np.sin(phase + t * 6.28 * waves), tone)
    return image.reduce(SS)


def ocean(_scene, rng, w, h):
    sky = h * rng.uniform(0.16, 0.32)
    image = vertical((w * SS, h * SS), [(120, 190, 240), (214, 238, 250)], [0, sky * SS])
    draw = ImageDraw.Draw(image)
    rows = 5
    for i in range(rows):
        top = sky + (h - sky) * i / rows
        phase, waves = rng.uniform(0, 6.28), (6.0 - 0.7 * i) * w / 256
        swell = h * (0.010 + 0.004 * i)
        crest = lambda t: top - swell * np.abs(np.sin(phase + t * math.pi * waves)) + swell
        hill(draw, w, h, lambda t: crest(t) - 4, (206, 236, 248))
        hill(draw, w, h, crest, mix((46, 142, 206), (8, 46, 116), i / (rows - 1)))
    return image.reduce(SS)


def mountains(_scene, rng, w, h):
    image = vertical((w * SS, h * SS), [(104, 172, 232), (216, 236, 248)], [0, h * SS * 0.8])
    draw = ImageDraw.Draw(image)
    n = max(3, round(3 * w / 256))
    for i in range(n):
        x = w * (i + 0.5 + rng.uniform(-0.22, 0.22)) / n
        peak(draw, x, h * rng.uniform(0.22, 0.44), w / n * rng.uniform(0.75, 0.95), h, (118, 128, 152), (88, 98, 124), True)
    for i in range(n + 1):
        x = w * (i + rng.uniform(-0.2, 0.2)) / n
        peak(draw, x, h * rng.uniform(0.64, 0.76), w / n * rng.uniform(0.7, 0.95), h, (64, 88, 96), (46, 68, 78), False)
    return image.reduce(SS)


def peak(draw, x, top, half, h, lit, dark, snow):
    """A two-tone pyramid, `half` pixels from its axis to its foot, with a cap of snow."""
    k = lambda *points: [(px * SS, py * SS) for px, py in points]
    draw.polygon(k((x, top), (x - half, h), (x, h)), fill=lit)
    draw.polygon(k((x, top), (x, h), (x + half, h)), fill=dark)
    if snow:
        at = lambda s, d: (x + s * half * d / (h - top), top + d)
        d = (h - top) * 0.30
        draw.polygon(k((x, top), at(-1, d), at(-0.5, d * 0.8), (x, top + d * 1.1)), fill=(250, 252, 255))
        draw.polygon(k((x, top), (x, top + d * 1.1), at(0.5, d * 0.75), at(1, d)), fill=(214, 224, 240))


def forest(_scene, rng, w, h):
    image = vertical((w * SS, h * SS), [(196, 224, 196), (132, 184, 140)], [0, h * SS * 0.7])
    draw = ImageDraw.Draw(image)
    n = max(5, round(5 * w / 256))
    for foot, tall, tone in ((0.74, 0.52, (92, 150, 104)), (0.90, 0.50, (44, 108, 64)), (1.06, 0.44, (18, 68, 38))):
        shift = rng.uniform(0, 1)
        draw.rectangle((0, (foot - 0.06) * h * SS, w * SS, h * SS), fill=tone)
        for i in range(-1, n + 1):
            x = w * (i + shift + rng.uniform(-0.12, 0.12)) / n
            pine(draw, x, h * foot, h * tall * rng.uniform(0.8, 1.1), w / n * 0.62, tone)
    return image.reduce(SS)


def pine(draw, x, foot, tall, half, tone):
    for i in range(3):
        top = foot - tall + i * tall * 0.22
        low = foot - tall + tall * (0.48 + 0.26 * i)
        r = half * (0.58 + 0.21 * i)
        draw.polygon([(x * SS, top * SS), ((x - r) * SS, low * SS), ((x + r) * SS, low * SS)], fill=tone)


def flames(_scene, rng, w, h):
    image = vertical((w * SS, h * SS), [(22, 6, 8), (96, 16, 6)], [0, h * SS])
    draw = ImageDraw.Draw(image)
    for tone, base, tall, n in (((196, 38, 12), 0.62, 0.40, 5), ((248, 126, 20), 0.78, 0.34, 5), ((255, 214, 72), 0.93, 0.26, 5)):
        n = round(n * w / 256)
        centres = (np.arange(-1, n + 1) + rng.uniform(0, 1) + rng.uniform(-0.2, 0.2, n + 2)) / n
        heights = tall * rng.uniform(0.55, 1.0, n + 2)
        lean = rng.uniform(-0.05, 0.05)

        def contour(t):
            s = t[None] - lean * np.sin(t[None] * 20)
            away = np.clip(np.abs(s - centres[:, None]) * n / 0.62, 0, 1)
            return h * (base - (heights[:, None] * (1 - away**0.8) ** 1.1).max(0))

        hill(draw, w, h, contour, tone)
    return image.reduce(SS)


def circuit(_scene, rng, w, h):
    board, trace = pick_tone(rng, ((8, 46, 34), (70, 214, 140)), ((8, 26, 56), (76, 190, 236)), ((20, 20, 32), (150, 130, 240)))
    image = Image.new("RGB", (w * SS, h * SS), board)
    draw = ImageDraw.Draw(image)
    step, columns, rows = 16, w // 16, h // 16
    for _ in range(int(columns * rows * rng.uniform(0.055, 0.08))):
        x, y = int(rng.integers(columns)), int(rng.integers(rows))
        dx, dy = ((1, 0), (-1, 0), (0, 1), (0, -1))[rng.integers(4)]
        points = [(x, y)]
        for _ in range(rng.integers(1, 3)):
            run = int(rng.integers(2, 6))
            x, y = x + dx * run, y + dy * run
            points.append((x, y))
            dx, dy = (0, int(rng.choice([-1, 1]))) if dx else (int(rng.choice([-1, 1])), 0)
        line = [((px * step + 4) * SS, (py * step + 4) * SS) for px, py in points]  # centres of latent cells
        draw.line(line, fill=trace, width=3 * SS, joint="curve")
        for px, py in (line[0], line[-1]):
            r = 4.6 * SS
            draw.ellipse((px - r, py - r, px + r, py + r), fill=trace)
    return image.reduce(SS)


def clouds(_scene, rng, w, h):
    image = vertical((w * SS, h * SS), [(58, 136, 226), (164, 212, 248)], [0, h * SS])
    draw = ImageDraw.Draw(image)
    for _ in range(round(rng.integers(4, 7) * w * h / 65536)):
        x, y, k = rng.uniform(0, w), rng.uniform(0.08, 0.95) * h, rng.uniform(0.7, 1.2) * 26
        puffs = [((j - 2) * k * 0.62, -rng.uniform(0.0, 0.45) * k, k * (0.5, 0.72, 0.85, 0.7, 0.48)[j]) for j in range(5)]
        for drop, tone in ((0.22 * k, (208, 228, 246)), (0.0, (250, 252, 255))):
            for px, py, r in puffs:
                draw.ellipse(((x + px - r) * SS, (y + py - r * 0.8 + drop) * SS, (x + px + r) * SS, (y + py + r * 0.8 + drop) * SS), fill=tone)
    return image.reduce(SS)


# --- colour and small helpers --------------------------------------------------------------------------------------


def hill(draw, w, h, contour, tone):
    """Fills everything below `contour`: t in [0, 1] across the picture -> y in pixels."""
    t = np.linspace(0, 1, 2 * w + 1)
    line = list(zip((t * w * SS).tolist(), (contour(t) * SS).tolist()))
    draw.polygon([(0, h * SS), *line, (w * SS, h * SS)], fill=tone)


def pick_tone(rng, *tones):
    return tones[rng.integers(len(tones))]


def jitter(rng, colour, spread=6):
    return tuple(int(v) for v in np.clip(np.asarray(colour) + rng.normal(0, spread, 3), 0, 255))


def mix(a, b, t):
    return tuple(int(x + (y - x) * t) for x, y in zip(a, b))


def lighten(colour, amount):
    return mix(colour, (255, 255, 255), amount)


def darken(colour, amount):
    return mix(colour, (0, 0, 0), amount)


def ramp(t, stops, at):
    table = np.stack([np.interp(np.linspace(0, 1, 512), at, [s[k] for s in stops]) for k in range(3)], 1)
    return table[(np.clip(t, 0, 1) * 511).astype(np.int64)]


def vertical(size, stops, at):
    column = np.stack([np.interp(np.arange(size[1]), at, [s[k] for s in stops]) for k in range(3)], 1)
    return Image.fromarray(column.astype(np.uint8)[:, None]).resize(size, Image.NEAREST)


def blur(mask, radius):
    return mask.filter(ImageFilter.GaussianBlur(max(radius, 0.6)))


def as_float(mask):
    return np.asarray(mask, np.float32) / 255
