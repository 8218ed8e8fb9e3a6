"""What can be asked for: the vocabulary of tau-tiny's pictures, and the draw of one picture's content."""

import hashlib
from dataclasses import asdict, dataclass

from settings import HELD_OUT_FRACTION

COLOURS = {  # sRGB
    "red": (220, 36, 40), "orange": (246, 132, 24), "yellow": (252, 218, 48), "green": (34, 164, 72),
    "cyan": (38, 208, 220), "blue": (34, 84, 218), "purple": (132, 54, 196), "pink": (248, 116, 184),
    "white": (246, 246, 246), "black": (20, 20, 24),
}
METALS = ("golden", "silver", "bronze")
SUBJECTS = ("tau", "circle", "ring", "triangle", "star", "square")
STYLES = ("flat", "neon", "outlined", "metallic", "stone")
SCENERY = ("night", "sunset", "ocean", "mountains", "forest", "flames", "circuit", "clouds")
BACKGROUNDS = ("plain", "checker") + SCENERY
RELATIONS = ("alone", "inside", "beside")
SURFACES = tuple(COLOURS) + METALS + ("stone",)

# Colours that vanish on a scenery are never drawn on it.
CLASH = {
    "night": ("black",), "sunset": ("orange",), "ocean": ("blue",), "mountains": (), "forest": ("green",),
    "flames": ("orange", "yellow", "red"), "circuit": ("black",), "clouds": ("white",),
}


@dataclass(frozen=True)
class Scene:
    """Content of one picture. `surface` is a colour, a metal or "stone"; unused fields are ""."""

    subject: str
    surface: str
    style: str
    background: str
    ground: str = ""       # colour of a plain background, or the checkerboard's first
    ground2: str = ""      # the checkerboard's second colour
    relation: str = "alone"
    other: str = ""        # the shape around or beside the symbol
    other_colour: str = ""
    side: str = ""         # where the other shape stands: "left" or "right"

    def to_dict(self):
        return asdict(self)

    @property
    def held_out(self):
        """True for the combinations that evaluation asks for and training never shows."""
        ground = "/".join(sorted((self.ground, self.ground2)))
        key = f"{self.subject}|{self.relation}|{self.surface}|{self.style}|{self.background}|{ground}"
        return hashlib.sha256(key.encode()).digest()[0] % HELD_OUT_FRACTION == 0


def pick(rng, options, weights=None):
    if weights is not None:
        total = sum(weights)
        return options[rng.choice(len(options), p=[w / total for w in weights])]
    return options[rng.integers(len(options))]


def pick_colour(rng, forbidden):
    return pick(rng, [c for c in COLOURS if c not in forbidden])


def draw_scene(rng):
    """One scene. Weights favour what is hard to learn: two shapes, rings, stars, outlines, stone."""
    background = pick(rng, BACKGROUNDS, (26, 10) + (8,) * len(SCENERY))
    ground = ground2 = ""
    if background == "plain":
        ground = pick(rng, list(COLOURS))
    if background == "checker":
        ground, ground2 = "black", "white"
        if rng.random() < 0.6:
            ground = pick(rng, list(COLOURS))
            ground2 = pick_colour(rng, (ground,))
    forbidden = CLASH.get(background, ()) + (ground, ground2)
    style = pick(rng, STYLES, (30, 20, 19, 17, 14))
    surface = surface_for(rng, style, forbidden)
    kind = rng.random()
    if kind >= 0.8:
        subject = pick(rng, SUBJECTS[1:], (15, 26, 17, 27, 15))
        return Scene(subject, surface, style, background, ground, ground2)
    if kind < 0.5:
        return Scene("tau", surface, style, background, ground, ground2)
    inside = kind < 0.64
    other = pick(rng, ("circle", "ring", "square"), (40, 40, 20)) if inside else pick(rng, SUBJECTS[1:], (24, 20, 18, 20, 18))
    # Bright metals and stone would be lost on bright discs.
    pale = ("white", "yellow", "orange") if inside and style in ("metallic", "stone") else ()
    other_colour = pick_colour(rng, forbidden + (surface,) + pale)
    side = pick(rng, ("left", "right")) if not inside else ""
    return Scene("tau", surface, style, background, ground, ground2, "inside" if inside else "beside", other, other_colour, side)


def surface_for(rng, style, forbidden):
    if style == "metallic":
        return pick(rng, METALS, (45, 33, 22))
    if style == "stone":
        return "stone"
    # A black tube gives no light.
    return pick_colour(rng, forbidden + (("black",) if style == "neon" else ()))
