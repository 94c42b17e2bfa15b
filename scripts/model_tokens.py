"""Makes tokens.json: token ids of the texts that the models are measured on.

Usage: model_tokens.py MINILM_FOLDER MODELS_FOLDER DATA_FOLDER

The texts are GSM8K and HumanEval where the data folder has them, else the project's own.
"""

import gzip
import json
import os
import re
import sys
from pathlib import Path

from gguf import GGUFReader
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

SENTENCES = 50  # of each kind
WINDOWS, WINDOW = 2, 256  # stretches of running text of each kind, tokens in each


def minilm_tokenizer(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    return tokenizer


def smollm2_tokenizer(path):
    """Byte-pair encoding with each digit alone, from the vocabulary inside the weights' file."""
    fields = GGUFReader(path).fields
    content = {key: fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "merges", "pre")}
    if content["pre"] != "smollm":
        sys.exit(f"{path}: splits text by {content['pre']!r}, expected 'smollm'")
    vocabulary = {token: number for number, token in enumerate(content["tokens"])}
    merges = [tuple(merge.split(" ")) for merge in content["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def lines(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def docstring(prompt):
    """The last one: that of the function to write."""
    found = re.findall(r'"""(.*?)"""|\'\'\'(.*?)\'\'\'', prompt, re.DOTALL)
    return " ".join("".join(found[-1]).split()) if found else None


def texts(data):
    """Name, sentences and running text of each kind."""
    kinds = []
    prompts = data / "prompts"
    if (prompts / "gsm8k_test.jsonl.gz").is_file():
        problems = lines(prompts / "gsm8k_test.jsonl.gz")
        running = "\n\n".join(f"{p['question']}\n{p['answer']}" for p in problems[:40])
        kinds.append(("GSM8K questions", [p["question"] for p in problems], "GSM8K", running))
    if (prompts / "HumanEval.jsonl.gz").is_file():
        problems = lines(prompts / "HumanEval.jsonl.gz")
        sentences = [text for p in problems if (text := docstring(p["prompt"]))]
        running = "\n\n".join(p["prompt"] + p["canonical_solution"] for p in problems[:40])
        kinds.append(("HumanEval docstrings", sentences, "HumanEval", running))
    if not kinds:
        own = json.loads(Path(__file__).with_name("model_texts.json").read_text(encoding="utf-8"))
        running = "\n\n".join(own["paragraphs"])
        kinds.append(("own sentences", own["sentences"], "own text", running))
    return kinds


def main(minilm, folder, data):
    encoder = minilm_tokenizer(minilm)
    decoder = smollm2_tokenizer(folder / "smollm2.gguf")
    tokens = {"minilm": [], "smollm2": []}
    for name, sentences, running_name, running in texts(data):
        ids = [encoder.encode(sentence).ids for sentence in sentences[:SENTENCES]]
        tokens["minilm"].append({"name": name, "texts": ids})
        ids = decoder.encode(running).ids
        windows = [ids[n * WINDOW :][:WINDOW] for n in range(WINDOWS)]
        windows = [window for window in windows if len(window) > 1]
        tokens["smollm2"].append({"name": running_name, "texts": windows})
    part = folder / "tokens.json.part"
    part.write_text(json.dumps(tokens))
    os.replace(part, folder / "tokens.json")
    for model, kinds in tokens.items():
        for kind in kinds:
            count = sum(map(len, kind["texts"]))
            print(f"{model}: {kind['name']}: {len(kind['texts'])} texts, {count} tokens")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
