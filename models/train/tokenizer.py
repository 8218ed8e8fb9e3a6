"""CLIP's tokenizer format (byte-level BPE, words end in </w>), with merges that keep our vocabulary's words whole."""

import json
import re
from collections import Counter

import settings
from captions import vocabulary

START, END = "<|startoftext|>", "<|endoftext|>"
# CLIP's pattern, with Python's classes for "letter" and "digit".
PIECES = re.compile(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.I | re.U)


def byte_letters():
    """GPT-2's map from bytes to printable characters."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in plain]
    return {**{b: chr(b) for b in plain}, **{b: chr(256 + i) for i, b in enumerate(rest)}}


LETTERS = byte_letters()


def words(text):
    clean = " ".join(text.split()).lower()
    return ["".join(LETTERS[b] for b in piece.encode()) for piece in PIECES.findall(clean)]


def split(word):
    return (*word[:-1], word[-1] + "</w>")


def merge(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if symbols[i : i + 2] == pair:
            out.append(pair[0] + pair[1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return tuple(out)


def train_merges(known):
    """Most frequent pair first, until every known word is one token."""
    parts = {word: split(word) for text in known for word in words(text)}
    merges = []
    while True:
        pairs = Counter(pair for symbols in parts.values() for pair in zip(symbols, symbols[1:]))
        if not pairs:
            return merges
        best = max(pairs.items(), key=lambda item: (item[1], item[0]))[0]
        merges.append(best)
        parts = {word: merge(symbols, best) for word, symbols in parts.items()}


class Tokenizer:
    """`encode` gives start, tokens, end; `length` is TOKENS at most, the end token included."""

    def __init__(self, folder):
        self.ids = json.loads((folder / "vocab.json").read_text())
        lines = (folder / "merges.txt").read_text().strip().split("\n")[1:]
        self.ranks = {tuple(line.split()): i for i, line in enumerate(lines)}
        self.start, self.end, self.bang = self.ids[START], self.ids[END], self.ids["!"]
        self.known = {}

    def encode(self, text):
        tokens = [i for word in words(text) for i in self._word(word)]
        return [self.start, *tokens[: settings.TOKENS - 2], self.end]

    def _word(self, word):
        if word not in self.known:
            symbols = split(word)
            while len(symbols) > 1:
                best = min(zip(symbols, symbols[1:]), key=lambda pair: self.ranks.get(pair, len(self.ranks)))
                if best not in self.ranks:
                    break
                symbols = merge(symbols, best)
            self.known[word] = [self.ids[s] for s in symbols]
        return self.known[word]


def save(folder, pad):
    """Writes a tokenizer folder as diffusers reads it; the two encoders differ in their pad token."""
    folder.mkdir(parents=True, exist_ok=True)
    merges = train_merges(vocabulary())
    base = list(LETTERS.values())
    symbols = [*base, *(b + "</w>" for b in base), *(a + b for a, b in merges), START, END]
    write(folder / "vocab.json", {symbol: i for i, symbol in enumerate(symbols)}, indent=None)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    token = lambda text: {"content": text, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    write(folder / "special_tokens_map.json", {"bos_token": token(START), "eos_token": token(END), "pad_token": pad, "unk_token": token(END)})
    write(folder / "tokenizer_config.json", {
        "add_prefix_space": False, "bos_token": START, "eos_token": END, "unk_token": END, "pad_token": pad,
        "do_lower_case": True, "errors": "replace", "model_max_length": settings.TOKENS, "tokenizer_class": "CLIPTokenizer",
    })  # fmt: skip


def write(path, value, indent=2):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent) + "\n")


if __name__ == "__main__":
    save(settings.WORK_DIR / "tokenizer", pad=END)
    save(settings.WORK_DIR / "tokenizer_2", pad="!")
