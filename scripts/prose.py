#!/usr/bin/env python3
"""Checks that the documents keep to short sentences.

    python3 scripts/prose.py               the documents of this repository
    python3 scripts/prose.py FILE…         other Markdown files
    python3 scripts/prose.py --self-test   the examples in this script

Prints the mean of each file, and every sentence that is too long as
file:line: words: sentence. Exit code 1 if a mean is over 16 words or a sentence
has more than 35.

How it counts:

- Paragraphs and list items count. Code blocks, tables, headings, comments,
  images, link targets and link definitions do not, nor does a bold label that
  opens a paragraph and ends in a full stop.
- A sentence ends at . ! ? or : before a blank and a capital, a digit, a code
  span or an opening bracket or quote, and where its paragraph or list item ends.
  A colon before a lower-case word does not end it, and no semicolon or dash
  does. Abbreviations (e.g., i.e., vs., et al.) do not either.
- A word is what stands between blanks and has a letter or a digit in it. That
  goes for code spans too: `fanout compare --samples 6` is four words.

Needs: python3 (standard library only).
"""

import argparse
import doctest
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "METHODOLOGY.md", "mock-server/README.md", "CONTRIBUTING.md",
             "CHANGELOG.md")
MEAN, LONGEST = 16, 35

FENCE = re.compile(r"^\s*(```|~~~)")
LEFT_OUT = re.compile(r"^\s*(#{1,6} |\||<[/!a-z]|\[[^\]]+\]: )")
ITEM = re.compile(r"^\s*([-*+]|\d+\.) +")
LABEL = re.compile(r"^\*\*[^*]+\.\*\* ")
ABBREVIATION = re.compile(r"\b(e\.g|i\.e|vs|cf|et al|approx|no)\.$", re.IGNORECASE)
END = re.compile(r"[.!?:][)\"'”*_]*(?=\s+[*_]*[A-Z0-9(\[\"'“\x00])")
CODE = re.compile(r"(`+)(.+?)\1")


def blocks(text):
    """Paragraphs and list items of a Markdown text, each as (line, text).

    >>> blocks("# A\\n\\nOne\\ntwo.\\n- item\\n  goes on\\n\\n| a |\\n```sh\\nls\\n```\\n1. last")
    [(3, 'One two.'), (5, 'item goes on'), (12, 'last')]
    >>> blocks("<!-- a\\ncomment -->\\n![picture.](a.svg)\\n> quoted")
    [(4, 'quoted')]
    """
    found, current, inside = [], None, None
    for number, line in enumerate(text.splitlines(), 1):
        if inside:
            inside = None if inside in line else inside
            continue
        fence = FENCE.match(line)
        if fence:
            inside, current = fence[1], None
            continue
        if line.lstrip().startswith("<!--"):
            inside, current = (None if "-->" in line else "-->"), None
            continue
        line = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", line)
        if not line.strip() or LEFT_OUT.match(line):
            current = None
            continue
        item = ITEM.match(line)
        line = line[item.end():] if item else line.lstrip(" >")
        if current is None or item:
            current = [number, []]
            found.append(current)
        current[1].append(line.strip())
    return [(number, " ".join(lines)) for number, lines in found]


def sentences(block):
    """Sentences of a paragraph or list item.

    >>> sentences("One. Two, e.g. Three? `four` is 4.5 s: five. See [six. Seven](a.md)!")
    ['One.', 'Two, e.g. Three?', '`four` is 4.5 s: five.', 'See [six.', 'Seven]!']
    >>> sentences("**A label.** It follows: First. It ends (here.) **Next**")
    ['It follows:', 'First.', 'It ends (here.)', '**Next**']
    >>> sentences("Run `a. B` now.")
    ['Run `a. B` now.']
    """
    block = re.sub(r"\]\([^)]*\)", "]", LABEL.sub("", block))
    spans = []

    def hide(match):
        spans.append(match[0])
        return f"\x00{len(spans) - 1}\x00"

    hidden = CODE.sub(hide, block)
    show = lambda text: re.sub(r"\x00(\d+)\x00", lambda match: spans[int(match[1])], text)
    found, start = [], 0
    for end in END.finditer(hidden):
        if not ABBREVIATION.search(hidden[start:end.start() + 1]):
            found.append(hidden[start:end.end()])
            start = end.end()
    found.append(hidden[start:])
    return [show(sentence.strip()) for sentence in found if words(sentence)]


def words(sentence):
    """Number of words.

    >>> words("`fanout compare --samples 6` — takes 1 min.")
    7
    """
    return sum(any(letter.isalnum() for letter in word) for word in sentence.split())


def check(name, text):
    """The mean of a text, and its complaints.

    >>> check("a.md", "One two. Three four five six.")
    (3.0, [])
    >>> mean, complaints = check("a.md", "Short.\\n\\n" + "word " * 36)
    >>> mean, [complaint[:13] for complaint in complaints]
    (18.5, ['a.md: mean 18', 'a.md:3: 36 wo'])
    """
    counted = [(line, words(sentence), sentence)
               for line, block in blocks(text) for sentence in sentences(block)]
    mean = sum(count for _, count, _ in counted) / max(len(counted), 1)
    complaints = [f"{name}: mean {mean:.1f} words, expected at most {MEAN}"] if mean > MEAN else []
    complaints += [f"{name}:{line}: {count} words, expected at most {LONGEST}: {sentence}"
                   for line, count, sentence in counted if count > LONGEST]
    return mean, complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="Markdown files to check")
    parser.add_argument("--self-test", action="store_true", help="check this script's examples")
    options = parser.parse_args()
    if options.self_test:
        failed, tried = doctest.testmod()
        print(f"{tried} examples, {failed} failed")
        sys.exit(failed > 0)
    failed = False
    for name in options.files or DOCUMENTS:
        path = pathlib.Path(name) if options.files else ROOT / name
        mean, complaints = check(name, path.read_text(encoding="utf-8"))
        print(f"{name}: mean {mean:.1f} words")
        for complaint in complaints:
            print(complaint, file=sys.stderr)
        failed = failed or bool(complaints)
    sys.exit(failed)


if __name__ == "__main__":
    main()
