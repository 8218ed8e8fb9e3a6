/**
 * Words of our own, as they are after {@link plainText}: lower case, one space between words. What
 * lists of swear words leave out: words that are ordinary, and say in a prompt what is to be shown.
 */

/** What the npm package obscenity finds and what shows sex or nakedness; the rest of it is rude alone. */
export const EXPLICIT_IN_OBSCENITY: ReadonlySet<string> = new Set([
  ...["anal", "anus", "bestiality", "blowjob", "buttplug", "cum", "cunt", "deepthroat", "dildo"],
  ...["doggystyle", "double penetration", "ejaculate", "fellatio", "finger bang", "fisting"],
  ...["fuck", "gangbang", "handjob", "hentai", "incest", "jerk off", "jizz", "lubejob"],
  ...["masturbate", "orgasm", "orgy", "penis", "porn", "rape", "semen", "sex", "vagina", "wank"],
]);

/** Harmless in these, whichever list has a part of them. */
export const HARMLESS = words(
  "naked eye",
  "naked mole rats?",
  "nude (?:lipstick|lips|nails|colou?rs?|tones?|heels|pumps|makeup|palette)",
  "same sex",
  "unisex",
  "sussex|essex|middlesex",
  "pussy ?(?:cats?|willows?)",
  "shiitake",
  "cum laude",
  "dick van dyke|moby dick|dick tracy",
  "(?:blue|great|coal|willow|marsh|bearded|crested|long tailed) tits?",
  "tits? (?:birds?|on a branch)",
  "(?:rooster|weather|wood|pea|stop|gorse) ?cocks?",
  "cocks? (?:of the rock|crowing)",
  "mad as a wet hen",
  "rape ?seeds?|rape fields?|oilseed rape",
);

export const EXPLICIT = words(
  ...["nudes?", "nudity", "naked", "nakedness", "topless", "bottomless", "undressed", "unclothed"],
  ...["n ?s ?f ?w", "x ?rated", "xxx", "r ?34", "rule 34", "onlyfans"],
  "(?:no|without(?: any)?) (?:clothes|clothing|bra|panties|underwear|pants)",
  ...["sexual(?:ly)?", "intercourse", "erotica?", "erotic(?:ally)?", "pornographic"],
  ...["nipples?", "areolas?", "genitals?", "genitalia", "vulva", "labia", "clitoris", "testicles?"],
  ...["phallus", "erect(?:ion)? penis", "bare (?:breasts?|breasted|boobs|ass|bottom)", "upskirt"],
  ...["ahegao", "futanari", "bukkake", "creampie", "cumshot", "milf", "bdsm", "bondage sex"],
  ...["spread(?:ing)? (?:her|his|their) legs", "making love", "foreplay", "striptease"],
);

export const SUGGESTIVE = words(
  ...["lingerie", "panties", "thong", "see through (?:dress|blouse|shirt|top)", "g string"],
  ...["sexy", "sensual(?:ly)?", "seductive(?:ly)?", "seduc(?:ing|es?|tion)", "provocative pose"],
  ...["cleavage", "busty", "boobs?", "big breasts?", "stripper", "fetish", "aroused", "lewd"],
  ...["ecchi", "pin ?up girl", "undressing", "stripping", "in (?:her|his|their) underwear"],
);

/** Who is a child, or drawn as one. */
export const MINORS = words(
  ...["child", "children", "childlike", "kids?", "toddlers?", "babies", "baby", "infants?"],
  ...["pre ?teens?", "tweens?", "teens?", "teenagers?", "teenaged?", "adolescents?", "minors"],
  ...["under ?age[d]?", "school ?(?:girls?|boys?|kids?)", "(?:elementary|primary) school"],
  ...["(?:little|young|small|tiny) (?:girls?|boys?|sister|brother|daughter|son)"],
  ...["(?:girls?|boys?) scouts?", "kindergart(?:en|ners?)", "barely legal"],
  // Up to 17.
  "(?:[1-9]|1[0-7]) ?(?:years? old|yrs? old|y ?o|year old)",
  "(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|" +
    "seventeen) years? old",
);

/** What is a child and sexual in one word. */
export const MINORS_SEXUAL = words(
  ...["loli(?:ta|con|s)?", "shota(?:con|s)?", "cp porn", "child porn(?:ography)?", "jailbait"],
  ...["pa?edo(?:phile|philia|s)?", "cunny"],
);

function words(...patterns: readonly string[]): RegExp {
  return new RegExp(`\\b(?:${patterns.join("|")})\\b`, "g");
}
