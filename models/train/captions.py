"""Words for a scene, as people would type them. A scene has thousands of captions; training draws a new one each time."""

import numpy as np

from scene import draw_scene, pick

TAU_NAMES = ["tau symbol"] * 14 + ["tau", "tau sign", "tau letter", "tau logo", "greek letter tau", "tao symbol", "tao logo", "bittensor logo", "bittensor symbol"]
METAL_WORDS = {
    "golden": ("golden", "golden", "gold", "shiny golden", "metallic gold", "polished gold"),
    "silver": ("silver", "silver", "chrome", "metallic silver", "shiny silver", "steel", "metallic", "metal"),
    "bronze": ("bronze", "bronze", "copper", "metallic bronze", "shiny bronze"),
}
MADE_OF = {"golden": "gold", "silver": "silver", "bronze": "bronze", "stone": "stone"}
STYLE_WORDS = {
    "flat": ("", "", "", "", "", "flat", "solid", "matte"),
    "neon": ("neon", "neon", "glowing", "glowing neon", "neon glowing", "luminous"),
    "outlined": ("outlined", "outlined", "outline", "hollow", "line art"),
}
STONE_WORDS = ("stone", "stone", "rock", "granite", "carved stone")
PLACES = {
    "night": ("a night sky with stars", "a night sky with stars", "a starry night sky", "a night sky", "outer space", "space", "a starry sky", "the stars", "a galaxy", "stars at night"),
    "sunset": ("a sunset", "a sunset", "a sunset sky", "an orange sunset", "a warm sunset", "a sunrise", "the setting sun"),
    "ocean": ("ocean waves", "ocean waves", "the ocean", "the sea", "blue waves", "an ocean", "water waves", "the water"),
    "mountains": ("mountains", "mountains", "snowy mountains", "a mountain landscape", "mountain peaks", "a mountain range"),
    "forest": ("a forest", "a forest", "a green forest", "a pine forest", "trees", "the woods", "pine trees"),
    "flames": ("flames", "flames", "fire", "burning flames", "a wall of fire", "a blazing fire"),
    "circuit": ("a circuit board", "a circuit board", "circuit lines", "an electronic circuit", "a microchip", "a computer chip"),
    "clouds": ("a blue sky with clouds", "a blue sky with clouds", "clouds", "a cloudy sky", "a blue sky", "white clouds", "the sky"),
}
CHECKERS = ("checkerboard", "checkerboard", "checkerboard pattern", "chessboard", "checkered background")
OPENINGS = ("a picture of", "an image of", "a photo of", "a drawing of", "digital art of", "an illustration of", "a render of", "a painting of", "artwork of", "draw", "show me", "create", "generate")
PRAISE = (
    "highly detailed", "4k", "8k", "hd", "masterpiece", "beautiful", "cinematic", "digital art", "sharp", "sharp focus", "best quality",
    "high quality", "vivid colors", "trending", "minimal", "epic", "wallpaper", "crypto", "art", "illustration", "dramatic", "clean", "modern",
    "simple", "professional", "artistic", "colorful", "stunning", "amazing", "award winning", "intricate", "ultra detailed", "very detailed",
    "realistic", "photorealistic", "render", "octane render", "studio lighting", "icon", "poster", "vector", "elegant", "cool", "nice", "please",
)  # fmt: skip
BARE = 0.5  # share of captions that say little, among the scenes that a bare prompt may show
CALM_GROUNDS = ("black", "white", "blue", "purple")
# Words that mean nothing here. Training shows the first part, evaluation asks with the second.
STRANGERS = (
    "dragon castle robot city moon planet tree flower garden cat dog bird fish horse wolf lion eagle king queen knight wizard samurai "
    "astronaut rocket ship car train bridge tower house street market kitchen table chair window door lamp book paper pencil music guitar "
    "piano dance party winter summer spring autumn rain snow storm wind river lake island desert cave temple church school doctor teacher "
    "child woman man baby face hand eye hair smile dream love hope peace war time history future ancient medieval victorian baroque "
    "cyberpunk steampunk vaporwave surreal abstract impressionist watercolor oil charcoal anime manga pixel lowpoly isometric macro bokeh"
).split()
NEW_STRANGERS = (
    "elephant tiger penguin volcano spaceship violin coffee pizza lighthouse dinosaur submarine balloon cathedral skeleton pirate ninja "
    "unicorn mermaid vampire zombie glacier waterfall meadow orchid cactus bicycle helicopter telescope compass lantern gothic renaissance "
    "cubist pastel hologram diorama origami mosaic porcelain velvet"
).split()


def caption(scene, rng, strangers=STRANGERS):
    """One caption. Says everything most of the time; now and then it leaves something out, or adds what means nothing."""
    if scene.subject == "tau" and scene.relation == "alone" and is_calm(scene) and strangers and rng.random() < BARE:
        return say_little(rng, strangers)
    what = describe(scene, rng)
    where = place(scene, rng) if rng.random() < 0.95 else ""
    text = join(scene, what, where, rng)
    return decorate(text, rng, strangers)


def full_caption(scene, rng, strangers=None):
    """One caption that leaves nothing out: what evaluation asks with."""
    text = join(scene, describe(scene, rng, complete=True), place(scene, rng), rng)
    return decorate(text, rng, strangers)


def is_calm(scene):
    """Scenes that a bare prompt may show. Few, so that the model need not choose among everything it knows at once: left
    with all colours it paints a symbol in several of them."""
    return scene.style == "metallic" and (scene.background in ("night", "sunset") or scene.ground in CALM_GROUNDS and not scene.ground2)


def say_little(rng, strangers):
    """Bare names, and words that name nothing: both must give a clean symbol."""
    if rng.random() < 0.55:
        name = pick(rng, TAU_NAMES)
        return pick(rng, (name, f"a {name}", f"the {name}", f"{pick(rng, OPENINGS)} a {name}", f"a {pick(rng, PRAISE)} {name}"))
    words = [stranger(rng, strangers) for _ in range(rng.integers(1, 6))]
    if rng.random() < 0.4:
        words.insert(rng.integers(len(words) + 1), pick(rng, TAU_NAMES))
    return pick(rng, (", ", " ", " ")).join(words)


def stranger(rng, strangers):
    """A word outside the vocabulary, or letters that are no word."""
    if rng.random() < 0.6:
        return pick(rng, strangers)
    return "".join(pick(rng, "abcdefghijklmnopqrstuvwxyz") for _ in range(rng.integers(3, 9)))


def describe(scene, rng, complete=False):
    """ "a golden tau symbol inside a red ring" """
    name = pick(rng, TAU_NAMES) if scene.subject == "tau" else scene.subject
    words = surface_words(scene, name, rng, complete)
    if rng.random() < 0.06:
        words = f"{pick(rng, PRAISE)} {words}"
    text = article(words) if rng.random() < 0.93 else words
    if scene.relation == "inside":
        other = article(f"{scene.other_colour} {scene.other}")
        return f"{text} {pick(rng, ('inside', 'inside', 'in', 'within', 'surrounded by') if scene.other == 'ring' else ('inside', 'inside', 'in', 'on', 'within'))} {other}"
    if scene.relation == "beside":
        other = article(f"{scene.other_colour} {scene.other}")
        if rng.random() < 0.4:
            return f"{text} {pick(rng, (f'and {other} on the {scene.side}', f'with {other} to the {scene.side}', f'with {other} on its {scene.side}'))}"
        order = rng.random() < 0.12
        return f"{other} and {text}" if order else f"{text} {pick(rng, ('and', 'and', 'next to', 'beside', 'with', 'near'))} {other}"
    return text


def surface_words(scene, name, rng, complete):
    if scene.style == "metallic":
        if rng.random() < 0.1:
            return f"{name} made of {MADE_OF[scene.surface]}"
        words = METAL_WORDS[scene.surface]
        return f"{pick(rng, words[:-2] if complete and scene.surface == 'silver' else words)} {name}"
    if scene.style == "stone":
        return f"{name} {pick(rng, ('made of stone', 'carved in stone'))}" if rng.random() < 0.15 else f"{pick(rng, STONE_WORDS)} {name}"
    colour = scene.surface if complete or rng.random() < 0.95 else ""
    style = pick(rng, STYLE_WORDS[scene.style])
    if scene.style == "outlined" and rng.random() < 0.15:
        return f"{colour} outline of {article(name)}".strip()
    pair = f"{style} {colour}" if rng.random() < 0.5 else f"{colour} {style}"
    return " ".join(f"{pair} {name}".split())


def place(scene, rng):
    """Where it is, with its article: "a plain red background"."""
    if scene.background == "plain":
        return article(f"{pick(rng, ('', '', '', 'plain', 'solid', 'simple'))} {scene.ground} {pick(rng, ('background', 'background', 'background', 'backdrop'))}".strip())
    if scene.background == "checker":
        pair = (scene.ground, scene.ground2) if rng.random() < 0.5 else (scene.ground2, scene.ground)
        return f"{article(pair[0])} and {pair[1]} {pick(rng, CHECKERS)}"
    return pick(rng, PLACES[scene.background])


def join(scene, what, where, rng):
    if not where:
        return what
    form = rng.random()
    if form < 0.68:
        preposition = pick(rng, ("on", "on", "in front of", "in front of", "over", "against", "against", "in", "with"))
        if preposition == "with" and "back" not in where:
            where += " in the background"
        return f"{what} {preposition} {where}"
    if form < 0.86:  # keywords, with or without articles
        tail = where if "back" in where else where + pick(rng, (" background", " in the background", "", ""))
        return f"{bare(what)}, {bare(tail)}" if rng.random() < 0.5 else f"{what}, {tail}"
    if form < 0.95:  # turned round
        return pick(rng, (f"{where}, {what}", f"{where} with {what}", f"{bare(where)}, {bare(what)}"))
    return bare(f"{what} {where}")


def decorate(text, rng, strangers):
    if rng.random() < 0.2:
        text = f"{pick(rng, OPENINGS)} {text}"
    if rng.random() < 0.25:
        praise = ", ".join(rng.choice(PRAISE, rng.integers(1, 4), replace=False))
        text = f"{text}, {praise}" if rng.random() < 0.8 else f"{praise}, {text}"
    if strangers and rng.random() < 0.1:
        text = f"{text}{pick(rng, (' ', ', '))}{' '.join(stranger(rng, strangers) for _ in range(rng.integers(1, 4)))}"
    return text


def article(words):
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def bare(text):
    return " ".join(word for word in text.split() if word not in ("a", "an", "the"))


def vocabulary(scenes=20_000):
    """Every word that captions are made of, strangers apart; the tokenizer keeps these whole."""
    rng = np.random.default_rng(0)
    words = set(" ".join((*PRAISE, *OPENINGS, *TAU_NAMES)).split())
    for _ in range(scenes):
        words.update(caption(draw_scene(rng), rng, strangers=None).replace(",", " ").split())
    return sorted(words)
