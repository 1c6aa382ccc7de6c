# Code Glyphs sample corpus: varied Python functions, part of Glyphspace (MIT OR Apache-2.0).
# Used when no Python library is installed. Written for Glyphspace; needs Python 3.10 (match).

import ast
import asyncio
import base64
import bisect
import cmath
import codecs
import contextlib
import csv
import functools
import hashlib
import heapq
import html
import io
import itertools
import json
import logging
import math
import operator
import os
import random
import re
import shutil
import statistics
import string
import struct
import sys
import tempfile
import threading
import time
import unicodedata
import zlib
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple


# Arithmetic and number theory


def add(a, b):
    return a + b


def clamp(value: float, low: float, high: float) -> float:
    return max(low, min(value, high))


def sign(x):
    return (x > 0) - (x < 0)


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def is_even(n: int) -> bool:
    return n % 2 == 0


def safe_divide(a, b, default=0.0):
    return a / b if b else default


def lerp(a: float, b: float, t: float) -> float:
    return a + (b - a) * t


def remap(x, old_min, old_max, new_min, new_max):
    # how far x is along the old range
    ratio = (x - old_min) / (old_max - old_min)
    return new_min + ratio * (new_max - new_min)


def round_to_step(value: float, step: float = 0.05) -> float:
    return round(value / step) * step


def percent_change(old: float, new: float) -> float:
    return (new - old) / abs(old) * 100


def greatest_divisor(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return abs(a)


def lcm(a, b):
    return abs(a * b) // math.gcd(a, b) if a and b else 0


def extended_gcd(a, b):
    x0, x1, y0, y1 = 1, 0, 0, 1
    while b:
        q, a, b = a // b, b, a % b
        x0, x1 = x1, x0 - q * x1
        y0, y1 = y1, y0 - q * y1
    return a, x0, y0


def modPow(base, exponent, modulus):
    result = 1
    base %= modulus
    while exponent > 0:
        # square and multiply
        if exponent & 1:
            result = result * base % modulus
        base = base * base % modulus
        exponent >>= 1
    return result % modulus


def is_prime(n: int) -> bool:
    if n < 2:
        return False
    for d in range(2, math.isqrt(n) + 1):
        if n % d == 0:
            return False
    return True


def primes_below(limit: int) -> List[int]:
    prime = [True] * limit
    for i in range(2, math.isqrt(limit) + 1):
        if prime[i]:
            # smaller multiples are already crossed out
            for multiple in range(i * i, limit, i):
                prime[multiple] = False
    return [n for n in range(2, limit) if prime[n]]


def prime_factors(n: int) -> List[int]:
    factors = []
    d = 2
    while d * d <= n:
        while n % d == 0:
            factors.append(d)
            n //= d
        d += 1
    if n > 1:
        factors.append(n)
    return factors


def divisors(n: int) -> List[int]:
    small = [d for d in range(1, math.isqrt(n) + 1) if n % d == 0]
    # each small divisor has a partner above the root
    large = [n // d for d in reversed(small) if d * d != n]
    return small + large


def totient(n):
    return sum(1 for k in range(1, n + 1) if math.gcd(n, k) == 1)


def is_perfect_number(n):
    return n > 1 and sum(d for d in range(1, n) if n % d == 0) == n


def digit_sum(n):
    return sum(map(int, str(abs(n))))


def digital_root(n: int) -> int:
    return 1 + (n - 1) % 9 if n else 0


def reverse_number(n):
    out = 0
    while n:
        n, digit = divmod(n, 10)
        # shift the digits seen so far
        out = out * 10 + digit
    return out


def isArmstrong(n):
    digits = str(n)
    return n == sum(int(d) ** len(digits) for d in digits)


def collatz_steps(n: int) -> int:
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def factorial(n: int) -> int:
    return 1 if n < 2 else n * factorial(n - 1)


def binomial(n, k):
    if not 0 <= k <= n:
        return 0
    # multiply before dividing so that it stays whole
    result = 1
    for i in range(min(k, n - k)):
        result = result * (n - i) // (i + 1)
    return result


def catalan(n):
    return math.comb(2 * n, n) // (n + 1)


def fib_loop(n: int) -> int:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


@functools.lru_cache(maxsize=None)
def fib_cached(n):
    return n if n < 2 else fib_cached(n - 1) + fib_cached(n - 2)


def fib_stream() -> Iterator[int]:
    current, following = 0, 1
    while True:
        yield current
        current, following = following, current + following


def fib_doubling(n):
    """Return the pair F(n), F(n + 1)."""
    if n == 0:
        return 0, 1
    a, b = fib_doubling(n // 2)
    # F(2k) and F(2k + 1)
    c = a * (2 * b - a)
    d = a * a + b * b
    return (d, c + d) if n % 2 else (c, d)


def fib_binet(n: int) -> int:
    root = math.sqrt(5)
    return round(((1 + root) / 2) ** n / root)


def fibonacci_below(limit):
    seq = [0, 1]
    while (nxt := seq[-1] + seq[-2]) < limit:
        seq.append(nxt)
    return seq


def triangular(n):
    return n * (n + 1) // 2


def harmonic(n):
    return sum(1 / k for k in range(1, n + 1))


def integer_sqrt(n):
    x = n
    while x * x > n:
        # Newton, from above
        x = (x + n // x) // 2
    return x


def is_square(n: int) -> bool:
    return n >= 0 and math.isqrt(n) ** 2 == n


def to_base(n: int, base: int) -> str:
    digits = string.digits + string.ascii_lowercase
    if n < base:
        return digits[n]
    return to_base(n // base, base) + digits[n % base]


def from_digits(digits, base=10):
    return functools.reduce(lambda acc, d: acc * base + d, digits, 0)


def to_roman(number: int) -> str:
    values = [1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1]
    letters = "M CM D CD C XC L XL X IX V IV I".split()
    out = ""
    for value, letter in zip(values, letters):
        count, number = divmod(number, value)
        out += letter * count
    return out


def from_roman(numeral):
    worth = dict(zip("IVXLCDM", (1, 5, 10, 50, 100, 500, 1000)))
    total, previous = 0, 0
    for letter in reversed(numeral.upper()):
        value = worth[letter]
        # a smaller letter before a larger one counts down
        total += value if value >= previous else -value
        previous = max(previous, value)
    return total


def almost_equal(a, b, tol=1e-9):
    return abs(a - b) <= tol * max(1.0, abs(a), abs(b))


def compound_interest(principal, rate, years, times=12):
    return principal * (1 + rate / times) ** (times * years)


def loan_payment(principal: float, yearly_rate: float, months: int) -> float:
    if yearly_rate == 0:
        return principal / months
    # annuity formula
    r = yearly_rate / 12
    return principal * r / (1 - (1 + r) ** -months)


def make_change(amount, coins=(200, 100, 50, 20, 10, 5, 2, 1)):
    change = {}
    for coin in coins:
        count, amount = divmod(amount, coin)
        if count:
            change[coin] = count
    return change


def celsius_to_fahrenheit(c):
    return c * 9 / 5 + 32


def happy(n: int) -> bool:
    seen = set()
    while n not in seen:
        # stop when a sum repeats
        seen.add(n)
        n = sum(int(d) ** 2 for d in str(n))
    return n == 1


def pascal_row(n: int) -> List[int]:
    row = [1]
    for k in range(n):
        # next binomial from the last
        row.append(row[k] * (n - k) // (k + 1))
    return row


def luhn_valid(number: str) -> bool:
    total = 0
    for i, ch in enumerate(reversed(number)):
        d = int(ch)
        # every second digit from the right is doubled
        if i % 2:
            d = d * 2 - 9 if d > 4 else d * 2
        total += d
    return total % 10 == 0


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def egyptian_fractions(num, den):
    parts = []
    while num:
        # the largest unit fraction that fits
        unit = -(-den // num)
        parts.append(unit)
        num, den = num * unit - den, den * unit
    return parts


# Bits and bytes


def is_power_of_two(n: int) -> bool:
    return n > 0 and n & (n - 1) == 0


def next_power_of_two(n: int) -> int:
    return 1 << max(0, n - 1).bit_length()


def popcount(n):
    count = 0
    while n:
        n &= n - 1  # drops the lowest set bit
        count += 1
    return count


def get_bit(value, index):
    return value >> index & 1


def set_bit(value, index, on=True):
    mask = 1 << index
    return value | mask if on else value & ~mask


def lowest_set_bit(n):
    return n & -n


def hamming_distance(a: int, b: int) -> int:
    return bin(a ^ b).count("1")


def reverse_bits(n, width=8):
    return int(format(n, f"0{width}b")[::-1], 2)


def rotateLeft32(x: int, k: int) -> int:
    return (x << k | x >> (32 - k)) & 0xFFFFFFFF


def gray_code(n: int) -> int:
    return n ^ (n >> 1)


def gray_to_binary(g):
    n = 0
    while g:
        n ^= g
        g >>= 1
    return n


def parity(n):
    return bin(n).count("1") % 2


def swap_in_place(xs, i, j):
    xs[i], xs[j] = xs[j], xs[i]


def lonely_number(numbers):
    # pairs cancel out, the single one stays
    return functools.reduce(operator.xor, numbers, 0)


def subsets_by_mask(items):
    for mask in range(1 << len(items)):
        yield [x for i, x in enumerate(items) if mask >> i & 1]


def to_signed(value: int, bits: int = 16) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def pack_rgb(r, g, b):
    return r << 16 | g << 8 | b


def unpack_rgb(color):
    return color >> 16 & 255, color >> 8 & 255, color & 255


def bytes_to_int(data):
    n = 0
    for byte in data:
        n = n << 8 | byte
    return n


def write_varint(n: int) -> bytes:
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def read_varint(data: bytes, pos: int = 0) -> Tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[pos]
        pos += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, pos
        shift += 7


def zigzag(n):
    return 2 * n if n >= 0 else -2 * n - 1


def fnv1a(data: bytes) -> int:
    # 32-bit offset basis
    h = 0x811C9DC5
    for byte in data:
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    return h


def adler(data):
    a, b = 1, 0
    for byte in data:
        a = (a + byte) % 65521
        b = (b + a) % 65521
    return b << 16 | a


def xor_cipher(data: bytes, key: bytes) -> bytes:
    return bytes(b ^ k for b, k in zip(data, itertools.cycle(key)))


def hex_dump(data, width=8):
    for start in range(0, len(data), width):
        row = data[start:start + width]
        codes = " ".join(f"{b:02x}" for b in row)
        text = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        yield f"{start:04x}  {codes:<{width * 3}} {text}"


def pack_point(x: float, y: float) -> bytes:
    return struct.pack("<dd", x, y)


def read_floats(buffer):
    count = len(buffer) // 4
    return list(struct.unpack(f"<{count}f", buffer[:count * 4]))


# Strings


def shout(text):
    return text.upper() + "!"


def is_palindrome(text: str) -> bool:
    letters = [c.lower() for c in text if c.isalnum()]
    return letters == letters[::-1]


def reverse_words(sentence: str) -> str:
    return " ".join(reversed(sentence.split()))


def count_vowels(text):
    return sum(c in "aeiou" for c in text.lower())


def capitalize_words(s):
    return " ".join(word[:1].upper() + word[1:] for word in s.split(" "))


def is_anagram(a, b):
    return Counter(a.replace(" ", "").lower()) == Counter(b.replace(" ", "").lower())


def group_anagrams(words):
    groups = defaultdict(list)
    for word in words:
        groups["".join(sorted(word))].append(word)
    return list(groups.values())


def caesar(text: str, shift: int) -> str:
    out = []
    for c in text:
        if c.isalpha() and c.isascii():
            # keep the case
            base = ord("A") if c.isupper() else ord("a")
            c = chr((ord(c) - base + shift) % 26 + base)
        out.append(c)
    return "".join(out)


def vigenere(text: str, key: str) -> str:
    shifts = itertools.cycle(ord(k) - 97 for k in key)
    return "".join(chr((ord(c) - 97 + next(shifts)) % 26 + 97) for c in text)


def rot13(text):
    return codecs.encode(text, "rot13")


def atbash(text):
    letters = string.ascii_lowercase
    return text.translate(str.maketrans(letters, letters[::-1]))


def run_length_encode(text: str) -> List[Tuple[str, int]]:
    return [(c, len(list(run))) for c, run in itertools.groupby(text)]


def run_length_decode(pairs):
    return "".join(char * count for char, count in pairs)


def compress_runs(s: str) -> str:
    out, i = "", 0
    while i < len(s):
        # j stops at the end of the run
        j = i
        while j < len(s) and s[j] == s[i]:
            j += 1
        out += s[i] + (str(j - i) if j - i > 1 else "")
        i = j
    return out


def to_snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def toCamel(name):
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def slugify(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def initials(full_name):
    return "".join(part[0].upper() for part in full_name.split())


def truncate(text, limit, mark="..."):
    if len(text) <= limit:
        return text
    return text[:limit - len(mark)].rstrip() + mark


def remove_prefix(text, prefix):
    if prefix and text.startswith(prefix):
        return text[len(prefix):]
    return text


def squeeze_spaces(text):
    return " ".join(text.split())


def first_unique_char(s: str) -> Optional[str]:
    counts = Counter(s)
    # order of the text, not of the counts
    return next((c for c in s if counts[c] == 1), None)


def longest_common_prefix(words):
    prefix = []
    for chars in zip(*words):
        if len(set(chars)) > 1:
            break
        prefix.append(chars[0])
    return "".join(prefix)


def is_rotation(a: str, b: str) -> bool:
    return len(a) == len(b) and b in a + a


def pig_latin(word):
    if word[0] in "aeiou":
        return word + "way"
    for i, c in enumerate(word):
        if c in "aeiou":
            return word[i:] + word[:i] + "ay"
    return word + "ay"


def balanced(text: str) -> bool:
    pairs = {")": "(", "]": "[", "}": "{"}
    stack = []
    for c in text:
        if c in pairs.values():
            # remember what must be closed
            stack.append(c)
        elif c in pairs and (not stack or stack.pop() != pairs[c]):
            return False
    return not stack


def ngrams(text, n=2):
    return [text[i:i + n] for i in range(len(text) - n + 1)]


def word_frequencies(text: str) -> Counter:
    return Counter(re.findall(r"[a-z']+", text.lower()))


def longest_word(sentence):
    return max(sentence.split(), key=len, default="")


def mask_secret(secret: str, visible: int = 4) -> str:
    hidden = max(len(secret) - visible, 0)
    return "*" * hidden + secret[hidden:]


def is_pangram(sentence):
    return set(string.ascii_lowercase) <= set(sentence.lower())


def strip_accents(text):
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def center_title(title, width=40, fill="="):
    return f" {title} ".center(width, fill)


def indent_lines(text, prefix="    "):
    return "\n".join(prefix + line if line else line for line in text.split("\n"))


def wrap_words(text: str, width: int) -> List[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            # start a new line
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def number_lines(text):
    lines = text.splitlines()
    pad = len(str(len(lines)))
    return "\n".join(f"{i:>{pad}} {line}" for i, line in enumerate(lines, 1))


def plural(count, singular, many=None):
    word = singular if count == 1 else many or singular + "s"
    return f"{count} {word}"


def ordinal(n):
    if 10 <= n % 100 <= 20:
        # 11th, 12th, 13th
        return f"{n}th"
    return f"{n}{({1: 'st', 2: 'nd', 3: 'rd'}).get(n % 10, 'th')}"


def join_with_and(words):
    *rest, last = words
    return f"{', '.join(rest)} and {last}" if rest else last


def human_size(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def thousands(n, sep=" "):
    return f"{n:,}".replace(",", sep)


def progress_bar(done: int, total: int, width: int = 20) -> str:
    filled = width * done // total
    return "[" + "#" * filled + "-" * (width - filled) + "]"


def format_table(rows):
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows)]
    # columns as wide as their widest cell
    lines = []
    for row in rows:
        cells = (str(cell).ljust(w) for cell, w in zip(row, widths))
        lines.append(" | ".join(cells).rstrip())
    return "\n".join(lines)


def box(text):
    edge = "+" + "-" * (len(text) + 2) + "+"
    return f"{edge}\n| {text} |\n{edge}"


def spell_digits(n):
    names = "zero one two three four five six seven eight nine".split()
    return " ".join(names[int(d)] for d in str(n))


def morse(text):
    codes = {"s": "...", "o": "---", "e": ".", "t": "-", "a": ".-", "n": "-."}
    return " ".join(codes[c] for c in text.lower() if c in codes)


def common_chars(a, b):
    return "".join(sorted((Counter(a) & Counter(b)).elements()))


def diamond(size):
    top = ["*" * (2 * i + 1) for i in range(size)]
    rows = top + top[-2::-1]
    return "\n".join(row.center(2 * size - 1).rstrip() for row in rows)


def similarity(a, b):
    left, right = set(ngrams(a)), set(ngrams(b))
    if not left or not right:
        return float(a == b)
    return len(left & right) / len(left | right)


def trim_margin(block, marker="|"):
    lines = block.splitlines()
    return "\n".join(line.partition(marker)[2] for line in lines if marker in line)


# Lists and tuples


def first(xs, default=None):
    return xs[0] if xs else default


def flatten(nested):
    return [x for inner in nested for x in inner]


def deep_flatten(obj):
    if not isinstance(obj, (list, tuple)):
        yield obj
        return
    for item in obj:
        yield from deep_flatten(item)


def chunks(items: list, size: int) -> List[list]:
    return [items[i:i + size] for i in range(0, len(items), size)]


def split_into(xs, parts):
    size, extra = divmod(len(xs), parts)
    out, start = [], 0
    for i in range(parts):
        end = start + size + (i < extra)
        out.append(xs[start:end])
        start = end
    return out


def unique(items: Iterable) -> list:
    return list(dict.fromkeys(items))


def has_duplicates(values: Sequence) -> bool:
    return len(set(values)) != len(values)


def find_duplicates(items):
    # sets keep this linear
    seen, repeated = set(), set()
    for item in items:
        (repeated if item in seen else seen).add(item)
    return repeated


def rotate_list(xs, k):
    if not xs:
        return xs
    k %= len(xs)
    return xs[-k:] + xs[:-k]


def running_total(numbers: Iterable[float]) -> Iterator[float]:
    total = 0
    for n in numbers:
        total += n
        yield total


def differences(xs: List[float]) -> List[float]:
    return [b - a for a, b in zip(xs, xs[1:])]


def partition(predicate, items):
    yes, no = [], []
    for item in items:
        (yes if predicate(item) else no).append(item)
    return yes, no


def sliding_sums(xs: List[float], width: int) -> List[float]:
    sums = [sum(xs[:width])]
    for old, new in zip(xs, xs[width:]):
        # one value leaves, one enters
        sums.append(sums[-1] + new - old)
    return sums


def interleave(a, b):
    return [x for pair in zip(a, b) for x in pair]


def second_largest(numbers):
    best, second = -math.inf, -math.inf
    for n in numbers:
        if n > best:
            best, second = n, best
        # strictly between, so ties are skipped
        elif best > n > second:
            second = n
    return second


def index_of_max(xs: Sequence[float]) -> int:
    return max(range(len(xs)), key=xs.__getitem__)


def is_sorted(xs):
    return all(a <= b for a, b in zip(xs, xs[1:]))


def move_zeros_last(values):
    return sorted(values, key=lambda v: v == 0)


def pairs_with_sum(nums, target):
    seen, found = set(), []
    for n in nums:
        # the partner came earlier
        if target - n in seen:
            found.append((target - n, n))
        seen.add(n)
    return found


def max_subarray(nums: List[int]) -> int:
    best = current = nums[0]
    for n in nums[1:]:
        current = max(n, current + n)
        best = max(best, current)
    return best


def majority_element(votes):
    candidate, lead = None, 0
    for vote in votes:
        # votes cancel out in pairs
        if lead == 0:
            candidate = vote
        lead += 1 if vote == candidate else -1
    return candidate


def product_except_self(nums):
    out = [1] * len(nums)
    left = right = 1
    for i in range(len(nums)):
        # left product forwards, right product backwards
        out[i] *= left
        out[-1 - i] *= right
        left *= nums[i]
        right *= nums[-1 - i]
    return out


def missing_number(nums):
    n = len(nums)
    return n * (n + 1) // 2 - sum(nums)


def trapped_water(heights):
    left = list(itertools.accumulate(heights, max))
    right = list(itertools.accumulate(reversed(heights), max))[::-1]
    # the lower wall holds the water
    return sum(min(a, b) - h for a, b, h in zip(left, right, heights))


def merge_intervals(intervals: Iterable[Tuple[int, int]]) -> List[List[int]]:
    merged = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            # overlaps the last one
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged


def count_inversions(xs):
    return sum(a > b for a, b in itertools.combinations(xs, 2))


def dot(u: Sequence[float], v: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(u, v))


def padded(xs, length, fill=0):
    return xs + [fill] * (length - len(xs))


def remove_all(items, value):
    while value in items:
        items.remove(value)
    return items


def head_tail(xs):
    head, *tail = xs
    return head, tail


def every_nth(xs, n, start=0):
    return xs[start::n]


def look_and_say(terms):
    current = "1"
    for _ in range(terms):
        yield current
        runs = itertools.groupby(current)
        current = "".join(f"{len(list(g))}{digit}" for digit, g in runs)


def josephus(n, k):
    # counted back from the last two
    survivor = 0
    for size in range(2, n + 1):
        survivor = (survivor + k) % size
    return survivor


# Dictionaries and sets


def invert(mapping: dict) -> dict:
    return {value: key for key, value in mapping.items()}


def merge_dicts(*dicts):
    return {k: v for d in dicts for k, v in d.items()}


def deep_merge(base: dict, extra: dict) -> dict:
    out = dict(base)
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            # only dicts merge, the rest is replaced
            value = deep_merge(out[key], value)
        out[key] = value
    return out


def deep_get(data: dict, path: str, default: Any = None) -> Any:
    for key in path.split("."):
        if not isinstance(data, dict) or key not in data:
            return default
        data = data[key]
    return data


def set_path(tree, keys, value):
    *parents, last = keys
    for key in parents:
        tree = tree.setdefault(key, {})
    tree[last] = value


def flatten_dict(d, prefix=""):
    flat = {}
    for key, value in d.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(value, dict):
            flat.update(flatten_dict(value, name))
        else:
            flat[name] = value
    return flat


def pick(d: Dict[str, Any], *keys: str) -> Dict[str, Any]:
    return {k: d[k] for k in keys if k in d}


def omit(d, keys):
    return {k: v for k, v in d.items() if k not in keys}


def group_by(items: Iterable, key: Callable) -> Dict[Any, list]:
    groups: Dict[Any, list] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def index_by_id(records):
    return {record["id"]: record for record in records}


def top_keys(counts, k=3):
    return heapq.nlargest(k, counts, key=counts.get)


def sort_by_value(d, reverse=False):
    return dict(sorted(d.items(), key=lambda item: item[1], reverse=reverse))


def drop_none(d):
    return {k: v for k, v in d.items() if v is not None}


def dict_diff(old, new):
    added = new.keys() - old.keys()
    removed = old.keys() - new.keys()
    changed = {k for k in old.keys() & new.keys() if old[k] != new[k]}
    return added, removed, changed


def count_by(items, key):
    counts = {}
    for item in items:
        k = key(item)
        counts[k] = counts.get(k, 0) + 1
    return counts


def sum_counters(a, b):
    return {k: a.get(k, 0) + b.get(k, 0) for k in {*a, *b}}


def jaccard(a: set, b: set) -> float:
    union = a | b
    return len(a & b) / len(union) if union else 1.0


def powerset(s: set) -> List[set]:
    result = [set()]
    for x in s:
        result += [subset | {x} for subset in result]
    return result


def symmetric_only(left, right):
    return sorted(set(left) ^ set(right))


def are_disjoint(*sets):
    return len(set().union(*sets)) == sum(map(len, sets))


def rename_keys(d, names):
    return {names.get(k, k): v for k, v in d.items()}


def nested_counter(pairs):
    table = defaultdict(Counter)
    for row, column in pairs:
        table[row][column] += 1
    return {row: dict(counts) for row, counts in table.items()}


def transpose_records(records):
    columns = defaultdict(list)
    for record in records:
        for name, value in record.items():
            columns[name].append(value)
    return dict(columns)


# Sorting and searching


def bubble_sort(xs):
    xs = list(xs)
    for end in range(len(xs) - 1, 0, -1):
        for i in range(end):
            if xs[i] > xs[i + 1]:
                xs[i], xs[i + 1] = xs[i + 1], xs[i]
    return xs


def insertion_sort(a):
    for i in range(1, len(a)):
        item, j = a[i], i
        while j > 0 and a[j - 1] > item:
            # make room
            a[j] = a[j - 1]
            j -= 1
        a[j] = item


def selection_sort(values):
    for i in range(len(values)):
        smallest = min(range(i, len(values)), key=values.__getitem__)
        values[i], values[smallest] = values[smallest], values[i]
    return values


def quicksort(xs: list) -> list:
    if len(xs) < 2:
        return xs
    # first element as pivot, simple though not the fastest
    pivot, *rest = xs
    lower = [x for x in rest if x < pivot]
    upper = [x for x in rest if x >= pivot]
    return quicksort(lower) + [pivot] + quicksort(upper)


def merge_sorted(a, b):
    out, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        if a[i] <= b[j]:
            out.append(a[i])
            i += 1
        else:
            out.append(b[j])
            j += 1
    return out + a[i:] + b[j:]


def merge_sort(xs: list) -> list:
    if len(xs) <= 1:
        return xs
    mid = len(xs) // 2
    return list(heapq.merge(merge_sort(xs[:mid]), merge_sort(xs[mid:])))


def heap_sort(items):
    heap = list(items)
    # linear time
    heapq.heapify(heap)
    return [heapq.heappop(heap) for _ in range(len(heap))]


def counting_sort(numbers: List[int], limit: int) -> List[int]:
    counts = [0] * limit
    for n in numbers:
        counts[n] += 1
    return [n for n, c in enumerate(counts) for _ in range(c)]


def radix_sort(nums):
    place = 1
    while nums and place <= max(nums):
        # least digit first, order within buckets is kept
        buckets = [[] for _ in range(10)]
        for n in nums:
            buckets[n // place % 10].append(n)
        nums = [n for bucket in buckets for n in bucket]
        place *= 10
    return nums


def shell_sort(data):
    gap = len(data) // 2
    while gap:
        for i in range(gap, len(data)):
            j = i
            while j >= gap and data[j - gap] > data[j]:
                data[j], data[j - gap] = data[j - gap], data[j]
                j -= gap
        gap //= 2
    return data


def gnome_sort(garden):
    pos = 0
    while pos < len(garden):
        if pos == 0 or garden[pos] >= garden[pos - 1]:
            pos += 1
        else:
            garden[pos], garden[pos - 1] = garden[pos - 1], garden[pos]
            pos -= 1


def dutch_flag(colors):
    low, mid, high = 0, 0, len(colors) - 1
    while mid <= high:
        # 0 left, 1 middle, 2 right
        if colors[mid] == 0:
            colors[low], colors[mid] = colors[mid], colors[low]
            low += 1
            mid += 1
        elif colors[mid] == 2:
            colors[mid], colors[high] = colors[high], colors[mid]
            high -= 1
        else:
            mid += 1


def natural_key(name: str) -> list:
    return [int(p) if p.isdigit() else p.lower() for p in re.split(r"(\d+)", name)]


def sort_people(people):
    return sorted(people, key=lambda p: (-p["age"], p["name"]))


def binary_search(xs: Sequence, target: Any) -> int:
    lo, hi = 0, len(xs) - 1
    while lo <= hi:
        mid = (lo + hi) // 2
        if xs[mid] == target:
            return mid
        if xs[mid] < target:
            lo = mid + 1
        else:
            hi = mid - 1
    return -1


def linear_search(haystack: Iterable, needle: Any) -> Optional[int]:
    for i, item in enumerate(haystack):
        if item == needle:
            return i
    return None


def contains_sorted(xs, x):
    i = bisect.bisect_left(xs, x)
    return i < len(xs) and xs[i] == x


def count_in_range(sorted_xs, low, high):
    return bisect.bisect_right(sorted_xs, high) - bisect.bisect_left(sorted_xs, low)


def grade(score, limits=(60, 70, 80, 90), letters="FDCBA"):
    # limits are the lowest scores of each grade
    return letters[bisect.bisect(limits, score)]


def quickselect(xs, k):
    pivot = xs[len(xs) // 2]
    below = [x for x in xs if x < pivot]
    equal = xs.count(pivot)
    if k < len(below):
        return quickselect(below, k)
    if k < len(below) + equal:
        return pivot
    above = [x for x in xs if x > pivot]
    return quickselect(above, k - len(below) - equal)


def find_peak(heights: List[int]) -> int:
    left, right = 0, len(heights) - 1
    while left < right:
        middle = (left + right) // 2
        if heights[middle] < heights[middle + 1]:
            left = middle + 1
        else:
            right = middle
    return left


def first_true(low: int, high: int, test: Callable[[int], bool]) -> int:
    while low < high:
        mid = low + (high - low) // 2
        if test(mid):
            high = mid
        else:
            low = mid + 1
    return low


# Recursion and combinatorics


def hanoi(n, source="A", target="C", spare="B"):
    if n == 0:
        return []
    # clear the tower above the largest disc
    before = hanoi(n - 1, source, spare, target)
    after = hanoi(n - 1, spare, target, source)
    return before + [(source, target)] + after


def permutations(items):
    if not items:
        yield []
    for i, item in enumerate(items):
        for rest in permutations(items[:i] + items[i + 1:]):
            yield [item] + rest


def combinations(xs, k):
    if k == 0:
        return [[]]
    if len(xs) < k:
        return []
    with_first = [[xs[0]] + rest for rest in combinations(xs[1:], k - 1)]
    return with_first + combinations(xs[1:], k)


def next_permutation(a):
    i = len(a) - 2
    while i >= 0 and a[i] >= a[i + 1]:
        i -= 1
    # already the last one
    if i < 0:
        return False
    j = len(a) - 1
    while a[j] <= a[i]:
        j -= 1
    a[i], a[j] = a[j], a[i]
    a[i + 1:] = reversed(a[i + 1:])
    return True


def queens(n, row=0, cols=()):
    if row == n:
        yield cols
        return
    for col in range(n):
        if all(col != c and abs(col - c) != row - r for r, c in enumerate(cols)):
            yield from queens(n, row + 1, cols + (col,))


def parentheses(n: int, opened: int = 0, closed: int = 0, text: str = "") -> List[str]:
    if closed == n:
        return [text]
    out = []
    if opened < n:
        out += parentheses(n, opened + 1, closed, text + "(")
    if closed < opened:
        out += parentheses(n, opened, closed + 1, text + ")")
    return out


def depth(obj):
    if not isinstance(obj, list):
        return 0
    return 1 + max(map(depth, obj), default=0)


def power(base, n):
    if n == 0:
        return 1
    half = power(base, n // 2)
    return half * half * (base if n % 2 else 1)


def sum_digits_recursive(n):
    return n if n < 10 else n % 10 + sum_digits_recursive(n // 10)


def partitions(n, largest=None):
    if n == 0:
        yield []
    for part in range(min(n, largest or n), 0, -1):
        for rest in partitions(n - part, part):
            yield [part] + rest


def subset_sum(numbers: List[int], target: int) -> Optional[List[int]]:
    if target == 0:
        return []
    for i, n in enumerate(numbers):
        if n <= target:
            rest = subset_sum(numbers[i + 1:], target - n)
            if rest is not None:
                return [n] + rest
    return None


def letter_cases(word):
    options = [(c.lower(), c.upper()) if c.isalpha() else (c,) for c in word]
    return ["".join(letters) for letters in itertools.product(*options)]


def is_even_mutual(n):
    return True if n == 0 else is_odd_mutual(n - 1)


def is_odd_mutual(n):
    return False if n == 0 else is_even_mutual(n - 1)


# Generators, iterators and functional helpers


def countdown(n: int) -> Iterator[int]:
    while n > 0:
        yield n
        n -= 1


def take(iterable, n):
    return list(itertools.islice(iterable, n))


def frange(start, stop, step):
    value = start
    while value < stop:
        yield round(value, 10)
        value += step


def batched(iterable: Iterable, size: int) -> Iterator[list]:
    iterator = iter(iterable)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def windows(items: Iterable, width: int) -> Iterator[tuple]:
    recent = deque(maxlen=width)
    for item in items:
        recent.append(item)
        if len(recent) == width:
            yield tuple(recent)


def neighbours(xs):
    return list(zip(xs, xs[1:]))


def round_robin(*sequences):
    queue = deque(map(iter, sequences))
    while queue:
        it = queue.popleft()
        try:
            yield next(it)
        except StopIteration:
            # exhausted, drop it
            continue
        queue.append(it)


def iterate(f, x):
    while True:
        yield x
        x = f(x)


def primes() -> Iterator[int]:
    found = []
    for n in itertools.count(2):
        # only primes up to the root matter
        if all(n % p for p in itertools.takewhile(lambda p: p * p <= n, found)):
            found.append(n)
            yield n


def averager():
    total, count, mean = 0.0, 0, None
    while True:
        total += yield mean
        count += 1
        mean = total / count


def intersperse(separator, items):
    for i, item in enumerate(items):
        if i:
            yield separator
        yield item


def split_when(items, condition):
    group = []
    for item in items:
        if group and condition(item):
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def dedupe_runs(iterable):
    return [key for key, _ in itertools.groupby(iterable)]


def last(iterable, default=None):
    tail = deque(iterable, maxlen=1)
    return tail[0] if tail else default


def enumerate_grid(grid):
    for y, row in enumerate(grid):
        for x, cell in enumerate(row):
            yield x, y, cell


def with_flags(items):
    """Yield (is_first, is_last, item)."""
    items = list(items)
    end = len(items) - 1
    return [(i == 0, i == end, item) for i, item in enumerate(items)]


def cycle_until(items, stop):
    for item in itertools.cycle(items):
        if stop(item):
            return
        yield item


def compose(*functions: Callable) -> Callable:
    def composed(x):
        for f in reversed(functions):
            x = f(x)
        return x
    return composed


def curry2(f):
    return lambda a: lambda b: f(a, b)


def flip(f):
    return lambda a, b: f(b, a)


def constant(value):
    return lambda *_, **__: value


def apply_n(f, n, x):
    for _ in range(n):
        x = f(x)
    return x


def pipe(value, *steps):
    return functools.reduce(lambda acc, step: step(acc), steps, value)


def juxt(*fs):
    return lambda *args: [f(*args) for f in fs]


def complement(predicate: Callable[..., bool]) -> Callable[..., bool]:
    return lambda *args: not predicate(*args)


def fixed_point(f, x, tol=1e-10):
    while abs((nxt := f(x)) - x) > tol:
        x = nxt
    return nxt


def fold_right(f, items, start):
    acc = start
    for item in reversed(items):
        acc = f(item, acc)
    return acc


def make_counter(start: int = 0) -> Callable[[], int]:
    count = start

    def step():
        nonlocal count
        count += 1
        return count

    return step


def make_multipliers(*factors):
    return [lambda x, k=k: x * k for k in factors]


# Decorators


def memoize(func: Callable) -> Callable:
    cache = {}

    @functools.wraps(func)
    def wrapper(*args):
        if args not in cache:
            cache[args] = func(*args)
        return cache[args]

    return wrapper


def timed(func):
    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        start = time.perf_counter()
        try:
            return func(*args, **kwargs)
        finally:
            elapsed = time.perf_counter() - start
            logging.info("%s took %.3f s", func.__name__, elapsed)
    return wrapper


def retry(times, *errors):
    def decorate(func):
        def attempt(*args, **kwargs):
            for left in reversed(range(times)):
                try:
                    return func(*args, **kwargs)
                except errors:
                    if not left:
                        # out of attempts
                        raise
        return attempt
    return decorate


def count_calls(func):
    def counted(*args, **kwargs):
        counted.calls += 1
        return func(*args, **kwargs)

    counted.calls = 0
    return counted


def once(func):
    results = []

    def run():
        if not results:
            results.append(func())
        return results[0]

    return run


def deprecated(message):
    def mark(func):
        func.deprecated = message
        return func
    return mark


def default_on_error(value):
    def decorate(func):
        def guarded(*args):
            try:
                return func(*args)
            except Exception:
                return value
        return guarded
    return decorate


def positive_only(func):
    def check(*args):
        if any(a <= 0 for a in args):
            raise ValueError(f"{func.__name__} needs positive arguments")
        return func(*args)
    return check


def register(registry, name=None):
    def add_to(func):
        registry[name or func.__name__] = func
        return func
    return add_to


def synchronized(lock):
    def decorate(method):
        def locked(*args, **kwargs):
            with lock:
                return method(*args, **kwargs)
        return locked
    return decorate


# Context managers


@contextlib.contextmanager
def working_directory(path):
    before = os.getcwd()
    os.chdir(path)
    try:
        yield Path(path)
    finally:
        os.chdir(before)


@contextlib.contextmanager
def temporary_attribute(obj, name, value):
    original = getattr(obj, name)
    # restored even after an error
    setattr(obj, name, value)
    try:
        yield obj
    finally:
        setattr(obj, name, original)


@contextlib.contextmanager
def environment(**variables):
    saved = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)


@contextlib.contextmanager
def captured_output():
    buffer = io.StringIO()
    with contextlib.redirect_stdout(buffer):
        yield buffer


@contextlib.contextmanager
def tag(lines, name):
    lines.append(f"<{name}>")
    yield
    lines.append(f"</{name}>")


@contextlib.contextmanager
def seeded(seed):
    state = random.getstate()
    random.seed(seed)
    try:
        yield random
    finally:
        random.setstate(state)


def close_all(resources):
    with contextlib.ExitStack() as stack:
        for resource in resources:
            stack.callback(resource.close)


# Files and paths


def read_text(path: Path) -> str:
    with open(path, encoding="utf-8") as f:
        return f.read()


def write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def count_lines(filename):
    with open(filename, "rb") as handle:
        return sum(1 for _ in handle)


def tail_lines(path: Path, n: int = 10) -> List[str]:
    with open(path) as f:
        return [line.rstrip("\n") for line in deque(f, maxlen=n)]


def file_extension(name: str) -> str:
    return os.path.splitext(name)[1].lstrip(".").lower()


def with_suffix_number(path: Path) -> Path:
    # photo.png -> photo-1.png, photo-2.png, ...
    for n in itertools.count(1):
        candidate = path.with_name(f"{path.stem}-{n}{path.suffix}")
        if not candidate.exists():
            return candidate


def folder_size(folder: Path) -> int:
    return sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())


def find_files(root: str, pattern: str = "*.txt") -> List[Path]:
    return sorted(p for p in Path(root).rglob(pattern) if p.is_file())


def ensure_parent(path):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def file_digest(path: Path, block: int = 65536) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        # never the whole file in memory
        while data := f.read(block):
            digest.update(data)
    return digest.hexdigest()


def same_files(paths):
    by_digest = defaultdict(list)
    for path in paths:
        by_digest[file_digest(path)].append(path)
    return [group for group in by_digest.values() if len(group) > 1]


def atomic_write(path: str, data: bytes) -> None:
    folder = os.path.dirname(os.path.abspath(path))
    fd, scratch = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(fd, "wb") as f:
            f.write(data)
        # the rename is what makes it atomic
        os.replace(scratch, path)
    except OSError:
        os.unlink(scratch)
        raise


def backup(path):
    copy = f"{path}.bak"
    shutil.copy2(path, copy)
    return copy


def grep(path: str, pattern: str) -> Iterator[Tuple[int, str]]:
    rule = re.compile(pattern)
    with open(path, errors="replace") as f:
        for number, line in enumerate(f, start=1):
            if rule.search(line):
                yield number, line.rstrip()


def safe_filename(name, replacement="_"):
    cleaned = re.sub(r'[<>:"/\\|?*\x00-\x1f]', replacement, name)
    return cleaned.strip(". ") or "unnamed"


def common_folder(paths):
    parts = [Path(p).parts for p in paths]
    shared = itertools.takewhile(lambda level: len(set(level)) == 1, zip(*parts))
    return Path(*(level[0] for level in shared))


def is_inside(path: Path, folder: Path) -> bool:
    try:
        Path(path).resolve().relative_to(Path(folder).resolve())
    except ValueError:
        return False
    return True


def print_tree(folder, indent=0):
    for entry in sorted(Path(folder).iterdir()):
        print("  " * indent + entry.name)
        if entry.is_dir():
            print_tree(entry, indent + 1)


# JSON, CSV and other records


def load_json(path: str, default: Any = None) -> Any:
    try:
        with open(path) as f:
            return json.load(f)
    except FileNotFoundError:
        return default


def save_json(path, data):
    with open(path, "w") as f:
        json.dump(data, f, indent=2, sort_keys=True)


def parse_jsonl(text: str) -> List[Any]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def compact_json(obj) -> str:
    return json.dumps(obj, separators=(",", ":"), ensure_ascii=False)


def jsonable(value):
    if isinstance(value, (set, tuple)):
        return [jsonable(v) for v in value]
    if isinstance(value, dict):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value


def read_csv(text: str) -> List[Dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def to_csv(rows: List[dict]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def column(rows, name, convert=str):
    return [convert(row[name]) for row in rows]


def total_by(rows: List[Dict[str, str]], key: str, amount: str) -> Dict[str, float]:
    totals = defaultdict(float)
    for row in rows:
        totals[row[key]] += float(row[amount])
    return dict(totals)


def inner_join(left, right, on):
    lookup = {row[on]: row for row in right}
    return [{**row, **lookup[row[on]]} for row in left if row[on] in lookup]


def pivot(rows, index, columns, values):
    table = {}
    for row in rows:
        table.setdefault(row[index], {})[row[columns]] = row[values]
    return table


def guess_type(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            # try the next kind
            pass
    return {"true": True, "false": False, "": None}.get(text.lower(), text)


def markdown_table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def parse_ini(text):
    sections, current = {}, None
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), {})
        elif "=" in line and current is not None:
            key, _, value = line.partition("=")
            current[key.strip()] = value.strip()
    return sections


def dump_ini(sections):
    for name, options in sections.items():
        yield f"[{name}]"
        yield from (f"{k} = {v}" for k, v in options.items())


# Dates and times


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def age(born: date, today: date) -> int:
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    # a bool counts as one
    return today.year - born.year - (not had_birthday)


def date_range(start: date, end: date) -> Iterator[date]:
    for offset in range((end - start).days):
        yield start + timedelta(days=offset)


def next_weekday(day, weekday):
    ahead = (weekday - day.weekday() - 1) % 7 + 1
    return day + timedelta(days=ahead)


def is_weekend(day):
    return day.weekday() >= 5


def workdays_between(start, end):
    days = (start + timedelta(n) for n in range((end - start).days))
    return sum(d.weekday() < 5 for d in days)


def month_end(day):
    # four days after the 28th is always next month
    following = day.replace(day=28) + timedelta(days=4)
    return following - timedelta(days=following.day)


def add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last_day = days_in_month(year, month + 1)
    return date(year, month + 1, min(day.day, last_day))


def quarter(day: date) -> int:
    return (day.month - 1) // 3 + 1


def format_duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"


def parse_duration(text: str) -> int:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    parts = re.findall(r"(\d+)\s*([smhd])", text)
    return sum(int(n) * units[u] for n, u in parts)


def time_ago(then: datetime, now: datetime) -> str:
    seconds = int((now - then).total_seconds())
    for name, span in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= span:
            n = seconds // span
            return f"{n} {name}{'s' * (n > 1)} ago"
    return "just now"


def to_unix(moment):
    return int(moment.replace(tzinfo=timezone.utc).timestamp())


def iso_week_start(year: int, week: int) -> date:
    fourth = date(year, 1, 4)
    return fourth + timedelta(weeks=week - 1, days=-fourth.weekday())


def zodiac_year(year):
    animals = "rat ox tiger rabbit dragon snake horse goat monkey rooster dog pig"
    return animals.split()[(year - 4) % 12]


def clock_angle(hour, minute):
    # half a degree per minute
    gap = abs(30 * (hour % 12) - 5.5 * minute)
    return min(gap, 360 - gap)


# Regular expressions, validation and encodings


def extract_numbers(text: str) -> List[float]:
    return [float(m) for m in re.findall(r"-?\d+(?:\.\d+)?", text)]


def find_hashtags(post):
    return re.findall(r"#(\w+)", post)


def is_email(address):
    # good enough for a form, not the whole standard
    return re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", address) is not None


def is_ipv4(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 4 and all(p.isdigit() and int(p) < 256 for p in parts)


def ip_to_int(ip):
    a, b, c, d = map(int, ip.split("."))
    return (a << 24) + (b << 16) + (c << 8) + d


def parse_version(text: str) -> Tuple[int, ...]:
    match = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", text)
    if match is None:
        raise ValueError(f"not a version: {text!r}")
    return tuple(int(part or 0) for part in match.groups())


def fill_template(template: str, values: Dict[str, Any]) -> str:
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda m: str(values[m[1]]), template)


def strip_tags(markup):
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def censor(text, words):
    pattern = r"\b(" + "|".join(map(re.escape, words)) + r")\b"
    return re.sub(pattern, lambda m: "*" * len(m[0]), text, flags=re.IGNORECASE)


def swap_date_format(text):
    return re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\3/\2/\1", text)


def parse_log_line(line: str) -> Optional[Dict[str, str]]:
    pattern = r"(?P<time>\S+) \[(?P<level>\w+)\] (?P<message>.*)"
    match = re.match(pattern, line)
    return match.groupdict() if match else None


def password_problems(password: str) -> List[str]:
    rules = {
        "too short": len(password) >= 8,
        "no digit": any(c.isdigit() for c in password),
        "no upper case": password.lower() != password,
        "no lower case": password.upper() != password,
    }
    return [problem for problem, fine in rules.items() if not fine]


def isbn10_ok(isbn):
    digits = [10 if c in "xX" else int(c) for c in isbn.replace("-", "")]
    # weighted sum must divide by eleven
    return len(digits) == 10 and sum(i * d for i, d in enumerate(digits, 1)) % 11 == 0


def check_range(name: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ValueError(f"{name} must be in {low}..{high}, got {value}")
    return value


def require_keys(record, *names):
    missing = [name for name in names if name not in record]
    if missing:
        raise KeyError("missing: " + ", ".join(missing))


def parse_bool(value):
    text = str(value).strip().lower()
    if text in {"1", "yes", "true", "on"}:
        return True
    if text in {"0", "no", "false", "off"}:
        return False
    raise ValueError(f"expected yes or no, not {value!r}")


def matches_schema(data, schema):
    return all(isinstance(data.get(k), kind) for k, kind in schema.items())


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def percent_encode(text):
    safe = string.ascii_letters + string.digits + "-_.~"
    raw = text.encode("utf-8")
    return "".join(chr(b) if chr(b) in safe else f"%{b:02X}" for b in raw)


def parse_query(query: str) -> Dict[str, str]:
    pairs = (item.partition("=") for item in query.split("&") if item)
    return {key: value.replace("+", " ") for key, _, value in pairs}


def utf8_length(code_point: int) -> int:
    if code_point < 0x80:
        return 1
    if code_point < 0x800:
        return 2
    return 3 if code_point < 0x10000 else 4


def compression_ratio(text):
    raw = text.encode()
    return len(zlib.compress(raw)) / max(len(raw), 1)


def decode_best(raw, encodings=("utf-8", "cp1252")):
    for name in encodings:
        try:
            return raw.decode(name)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def glob_to_regex(pattern):
    pieces = {"*": ".*", "?": "."}
    return "".join(pieces.get(c, re.escape(c)) for c in pattern) + r"\Z"


# Geometry


def distance(p, q):
    return math.hypot(p[0] - q[0], p[1] - q[1])


def manhattan(a, b):
    return sum(abs(x - y) for x, y in zip(a, b))


def midpoint(p, q):
    return tuple((a + b) / 2 for a, b in zip(p, q))


def circle_area(radius: float) -> float:
    return math.pi * radius**2


def polygon_area(points: List[Tuple[float, float]]) -> float:
    total = 0
    for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1]):
        # shoelace formula
        total += x1 * y2 - x2 * y1
    return abs(total) / 2


def perimeter(points):
    return sum(math.dist(points[i - 1], points[i]) for i in range(len(points)))


def rotate_point(x: float, y: float, angle: float) -> Tuple[float, float]:
    c, s = math.cos(angle), math.sin(angle)
    return c * x - s * y, s * x + c * y


def cross(o, a, b):
    return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])


def convex_hull(points):
    def half(ordered):
        chain = []
        for p in ordered:
            while len(chain) > 1 and cross(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        return chain[:-1]

    ordered = sorted(set(points))
    return half(ordered) + half(ordered[::-1])


def inside_polygon(x, y, polygon):
    inside = False
    for i in range(len(polygon)):
        (x1, y1), (x2, y2) = polygon[i - 1], polygon[i]
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            # each crossing flips the side
            inside = not inside
    return inside


def cramer(a, b, c, d, e, f):
    # a x + b y = e and c x + d y = f
    det = a * d - b * c
    if det == 0:
        return None  # parallel lines
    return (e * d - b * f) / det, (a * f - e * c) / det


def boxes_overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def bounding_box(points: Iterable[Tuple[float, float]]) -> Tuple[float, ...]:
    xs, ys = zip(*points)
    return min(xs), min(ys), max(xs), max(ys)


def triangle_kind(a, b, c):
    a, b, c = sorted((a, b, c))
    if a + b <= c:
        return "impossible"
    sides = len({a, b, c})
    return {1: "equilateral", 2: "isosceles"}.get(sides, "scalene")


def heron(a, b, c):
    s = (a + b + c) / 2
    return math.sqrt(s * (s - a) * (s - b) * (s - c))


def to_polar(x, y):
    return math.hypot(x, y), math.atan2(y, x)


def great_circle(lat1, lon1, lat2, lon2, radius=6371.0):
    north = math.sin((lat2 - lat1) / 2) ** 2
    east = math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * radius * math.asin(math.sqrt(north + east))


def wrap_angle(degrees):
    return (degrees + 180) % 360 - 180


def bezier(points, t):
    while len(points) > 1:
        points = [midway(p, q, t) for p, q in zip(points, points[1:])]
    return points[0]


def midway(p, q, t):
    return p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t


def line_pixels(x0, y0, x1, y1):
    steps = max(abs(x1 - x0), abs(y1 - y0))
    for i in range(steps + 1):
        t = i / steps if steps else 0
        yield round(x0 + (x1 - x0) * t), round(y0 + (y1 - y0) * t)


# Statistics


def mean(values):
    return sum(values) / len(values)


def median(xs: Iterable[float]) -> float:
    xs = sorted(xs)
    mid = len(xs) // 2
    return xs[mid] if len(xs) % 2 else (xs[mid - 1] + xs[mid]) / 2


def modes(values):
    counts = Counter(values)
    top = max(counts.values())
    return [v for v, c in counts.items() if c == top]


def variance(data: Sequence[float]) -> float:
    m = sum(data) / len(data)
    # n - 1, the sample variance
    return sum((x - m) ** 2 for x in data) / (len(data) - 1)


def standardize(xs):
    mu, sigma = statistics.fmean(xs), statistics.pstdev(xs)
    return [(x - mu) / sigma for x in xs]


def min_max_scale(xs):
    low, high = min(xs), max(xs)
    span = high - low or 1
    return [(x - low) / span for x in xs]


def percentile(values: Iterable[float], q: float) -> float:
    ordered = sorted(values)
    pos = (len(ordered) - 1) * q / 100
    low, frac = int(pos), pos % 1
    high = min(low + 1, len(ordered) - 1)
    # between the two nearest ranks
    return ordered[low] * (1 - frac) + ordered[high] * frac


def correlation(xs, ys):
    mx, my = statistics.mean(xs), statistics.mean(ys)
    cov = sum((x - mx) * (y - my) for x, y in zip(xs, ys))
    spread = sum((x - mx) ** 2 for x in xs) * sum((y - my) ** 2 for y in ys)
    return cov / math.sqrt(spread)


def linear_fit(xs: List[float], ys: List[float]) -> Tuple[float, float]:
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    rise = sum((x - mx) * (y - my) for x, y in zip(xs, ys))
    slope = rise / sum((x - mx) ** 2 for x in xs)
    return slope, my - slope * mx


def moving_average(xs, k):
    return [sum(xs[i:i + k]) / k for i in range(len(xs) - k + 1)]


def exponential_smoothing(series, alpha=0.5):
    smooth = series[0]
    for value in series:
        smooth += alpha * (value - smooth)
        yield smooth


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def weighted_mean(values, weights):
    return sum(map(operator.mul, values, weights)) / sum(weights)


def entropy(probabilities: Iterable[float]) -> float:
    return -sum(p * math.log2(p) for p in probabilities if p > 0)


def histogram(values, bins, low, high):
    counts = [0] * bins
    for v in values:
        if low <= v <= high:
            slot = int((v - low) / (high - low) * bins)
            counts[min(slot, bins - 1)] += 1
    return counts


def confusion_counts(truth, guess):
    tp = sum(t and g for t, g in zip(truth, guess))
    fp = sum(g and not t for t, g in zip(truth, guess))
    fn = sum(t and not g for t, g in zip(truth, guess))
    return tp, fp, fn


def f1_score(tp, fp, fn):
    denominator = 2 * tp + fp + fn
    return 2 * tp / denominator if denominator else 0.0


def rmse(predicted, actual):
    errors = [(p - a) ** 2 for p, a in zip(predicted, actual)]
    return (sum(errors) / len(errors)) ** 0.5


def normal_pdf(x, mu=0.0, sigma=1.0):
    z = (x - mu) / sigma
    return math.exp(-z * z / 2) / (sigma * math.sqrt(2 * math.pi))


def normal_cdf(z):
    return (1 + math.erf(z / math.sqrt(2))) / 2


def reservoir_sample(stream, k, rng=random):
    sample = []
    for seen, item in enumerate(stream):
        if seen < k:
            sample.append(item)
        elif (slot := rng.randint(0, seen)) < k:
            # later items replace earlier ones less often
            sample[slot] = item
    return sample


# Matrices


def zeros(rows, cols):
    return [[0] * cols for _ in range(rows)]


def identity(n: int) -> List[List[int]]:
    return [[int(i == j) for j in range(n)] for i in range(n)]


def transpose(matrix):
    return [list(row) for row in zip(*matrix)]


def mat_mul(A, B):
    columns = list(zip(*B))
    return [[sum(a * b for a, b in zip(row, col)) for col in columns] for row in A]


def mat_vec(m, v):
    return [sum(map(operator.mul, row, v)) for row in m]


def trace(m):
    return sum(m[i][i] for i in range(len(m)))


def rotate_clockwise(grid):
    return [list(row) for row in zip(*grid[::-1])]


def spiral(matrix):
    out = []
    while matrix:
        out += matrix[0]
        # peel the top row, turn the rest
        matrix = list(zip(*matrix[1:]))[::-1]
    return out


def determinant(m: List[List[float]]) -> float:
    if len(m) == 1:
        return m[0][0]
    total = 0
    for j, x in enumerate(m[0]):
        # expand along the first row
        minor = [row[:j] + row[j + 1:] for row in m[1:]]
        total += (-1) ** j * x * determinant(minor)
    return total


def inverse_2x2(m):
    (a, b), (c, d) = m
    det = a * d - b * c
    if not det:
        raise ZeroDivisionError("singular matrix")
    return [[d / det, -b / det], [-c / det, a / det]]


def back_substitute(upper, b):
    n = len(b)
    x = [0.0] * n
    for i in reversed(range(n)):
        known = sum(upper[i][j] * x[j] for j in range(i + 1, n))
        x[i] = (b[i] - known) / upper[i][i]
    return x


def fib_matrix(n):
    state = [[1, 0], [0, 1]]
    for bit in bin(n)[2:]:
        state = mat_mul(state, state)
        if bit == "1":
            state = mat_mul(state, [[1, 1], [1, 0]])
    return state[0][1]


def is_symmetric(m):
    size = range(len(m))
    return all(m[i][j] == m[j][i] for i in size for j in size if i < j)


def magic_square(n):
    grid = [[0] * n for _ in range(n)]
    row, col = 0, n // 2
    for k in range(1, n * n + 1):
        grid[row][col] = k
        up, right = (row - 1) % n, (col + 1) % n
        if grid[up][right]:
            # taken, so go one down instead
            up, right = (row + 1) % n, col
        row, col = up, right
    return grid


def outer(u, v):
    return [[a * b for b in v] for a in u]


def convolve(signal, kernel):
    out = [0] * (len(signal) + len(kernel) - 1)
    for i, s in enumerate(signal):
        for j, k in enumerate(kernel):
            out[i + j] += s * k
    return out


def max_pool(image, size=2):
    return [
        [max(image[y + dy][x + dx] for dy in range(size) for dx in range(size))
         for x in range(0, len(image[0]), size)]
        for y in range(0, len(image), size)
    ]


# Graphs


def bfs_order(graph: Dict[str, List[str]], start: str) -> List[str]:
    order, queue, seen = [], deque([start]), {start}
    while queue:
        node = queue.popleft()
        order.append(node)
        for nxt in graph.get(node, ()):
            if nxt not in seen:
                seen.add(nxt)
                queue.append(nxt)
    return order


def dfs(graph, node, visited=None):
    visited = visited if visited is not None else []
    if node not in visited:
        visited.append(node)
        for other in graph[node]:
            dfs(graph, other, visited)
    return visited


def shortest_path(graph, start, goal):
    paths = deque([[start]])
    seen = {start}
    while paths:
        path = paths.popleft()
        if path[-1] == goal:
            return path
        for node in graph.get(path[-1], []):
            if node not in seen:
                seen.add(node)
                paths.append(path + [node])
    return None


def dijkstra(graph, source):
    best, heap = {}, [(0, source)]
    while heap:
        cost, node = heapq.heappop(heap)
        if node in best:
            # an older, longer way here
            continue
        best[node] = cost
        for neighbor, weight in graph[node].items():
            heapq.heappush(heap, (cost + weight, neighbor))
    return best


def topological_order(deps):
    pending = {task: set(needs) for task, needs in deps.items()}
    order = []
    while pending:
        ready = sorted(t for t, needs in pending.items() if not needs)
        if not ready:
            raise ValueError("cycle found")
        order += ready
        for task in ready:
            del pending[task]
        for needs in pending.values():
            needs.difference_update(ready)
    return order


def has_cycle(graph):
    done, active = set(), set()

    def visit(node):
        if node in active:
            return True
        if node in done:
            return False
        active.add(node)
        found = any(visit(n) for n in graph.get(node, ()))
        active.discard(node)
        done.add(node)
        return found

    return any(visit(n) for n in graph)


def connected_components(edges):
    parent = {}

    def root(x):
        while parent.setdefault(x, x) != x:
            x = parent[x]
        return x

    for a, b in edges:
        parent[root(a)] = root(b)
    return len({root(x) for x in parent})


def floyd_warshall(dist):
    n = len(dist)
    d = [row[:] for row in dist]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                d[i][j] = min(d[i][j], d[i][k] + d[k][j])
    return d


def bellman_ford(edges, start, count):
    far = [math.inf] * count
    far[start] = 0
    for _ in range(count - 1):
        for u, v, w in edges:
            # relax the edge
            far[v] = min(far[v], far[u] + w)
    return far


def spanning_tree(edges: List[Tuple[float, int, int]], n: int) -> float:
    group = list(range(n))
    total = 0.0
    for weight, a, b in sorted(edges):
        if group[a] != group[b]:
            total += weight
            old, new = group[b], group[a]
            group = [new if g == old else g for g in group]
    return total


def degree_counts(edges):
    return Counter(itertools.chain.from_iterable(edges))


def adjacency(edges: Iterable[Tuple[int, int]]) -> Dict[int, set]:
    graph = defaultdict(set)
    for u, v in edges:
        graph[u].add(v)
        graph[v].add(u)
    return graph


def is_bipartite(graph):
    color = {}
    for start in graph:
        stack = [(start, color.get(start, 0))]
        while stack:
            node, c = stack.pop()
            if node not in color:
                color[node] = c
                stack += [(n, 1 - c) for n in graph[node]]
            elif color[node] != c:
                return False
    return True


def flood_fill(grid, row, col, paint):
    old = grid[row][col]
    if old == paint:
        return
    grid[row][col] = paint
    for r, c in ((row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)):
        if 0 <= r < len(grid) and 0 <= c < len(grid[0]) and grid[r][c] == old:
            flood_fill(grid, r, c, paint)


def count_islands(land):
    sides = ((1, 0), (-1, 0), (0, 1), (0, -1))
    islands = 0
    while land:
        islands += 1
        shore = {min(land)}
        while shore:
            land = land - shore
            shore = {(r + d, c + e) for r, c in shore for d, e in sides} & land
    return islands


def page_rank(links, damping=0.85, rounds=50):
    rank = dict.fromkeys(links, 1 / len(links))
    for _ in range(rounds):
        fresh = dict.fromkeys(links, (1 - damping) / len(links))
        for page, targets in links.items():
            for target in targets:
                fresh[target] += damping * rank[page] / len(targets)
        rank = fresh
    return rank


# Trees as (left, value, right) tuples and nested dicts


def tree_insert(tree, value):
    if tree is None:
        return None, value, None
    left, here, right = tree
    if value < here:
        return tree_insert(left, value), here, right
    return left, here, tree_insert(right, value)


def in_order(tree):
    if tree:
        left, value, right = tree
        yield from in_order(left)
        yield value
        yield from in_order(right)


def tree_height(tree: Optional[tuple]) -> int:
    return 1 + max(tree_height(tree[0]), tree_height(tree[2])) if tree else 0


def mirror(tree):
    return tree and (mirror(tree[2]), tree[1], mirror(tree[0]))


def level_order(tree):
    level = [tree] if tree else []
    while level:
        yield [value for _, value, _ in level]
        level = [child for left, _, right in level for child in (left, right) if child]


def is_search_tree(tree, low=-math.inf, high=math.inf):
    if tree is None:
        return True
    left, value, right = tree
    if not low < value < high:
        return False
    return is_search_tree(left, low, value) and is_search_tree(right, value, high)


def balanced_tree(values):
    if not values:
        return None
    mid = len(values) // 2
    return balanced_tree(values[:mid]), values[mid], balanced_tree(values[mid + 1:])


def common_ancestor(tree, a, b):
    low, high = min(a, b), max(a, b)
    while tree:
        left, value, right = tree
        if low <= value <= high:
            return value
        tree = left if value > high else right
    return None


def huffman_bits(text: str) -> int:
    heap = list(Counter(text).values())
    heapq.heapify(heap)
    total = 0
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        total += joined
        heapq.heappush(heap, joined)
    return total


def trie_add(trie, word):
    for letter in word:
        trie = trie.setdefault(letter, {})
    trie["$"] = True


def trie_words(trie, prefix=""):
    for letter, below in sorted(trie.items()):
        if letter == "$":
            yield prefix
        else:
            yield from trie_words(below, prefix + letter)


# Dynamic programming


def edit_distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above_left, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            cost = min(row[j] + 1, row[j - 1] + 1, above_left + (x != y))
            above_left, row[j] = row[j], cost
    return row[-1]


def longest_common_subsequence(a: str, b: str) -> str:
    best = [""] * (len(b) + 1)
    for x in a:
        diagonal = ""
        for j, y in enumerate(b, 1):
            kept = best[j]
            best[j] = diagonal + x if x == y else max(best[j], best[j - 1], key=len)
            diagonal = kept
    return best[-1]


def knapsack(items: List[Tuple[int, int]], capacity: int) -> int:
    best = [0] * (capacity + 1)
    for weight, value in items:
        # from the top, so each item is used once
        for room in range(capacity, weight - 1, -1):
            best[room] = max(best[room], best[room - weight] + value)
    return best[capacity]


def coin_ways(coins: List[int], amount: int) -> int:
    ways = [1] + [0] * amount
    for coin in coins:
        for total in range(coin, amount + 1):
            ways[total] += ways[total - coin]
    return ways[amount]


def fewest_coins(coins, amount):
    need = [0]
    for total in range(1, amount + 1):
        options = [need[total - c] for c in coins if c <= total]
        need.append(1 + min(options, default=math.inf))
    return need[amount]


def longest_increasing(xs):
    tails = []
    for x in xs:
        i = bisect.bisect_left(tails, x)
        # keep the smallest tail of each length
        tails[i:i + 1] = [x]
    return len(tails)


def climb_stairs(n, steps=(1, 2)):
    @functools.lru_cache(None)
    def ways(left):
        if left <= 0:
            return int(left == 0)
        return sum(ways(left - s) for s in steps)

    return ways(n)


def grid_paths(rows, cols):
    counts = [1] * cols
    for _ in range(rows - 1):
        for c in range(1, cols):
            counts[c] += counts[c - 1]
    return counts[-1]


def min_path_sum(grid):
    best = [0] + [math.inf] * (len(grid[0]) - 1)
    for row in grid:
        best[0] += row[0]
        for c in range(1, len(row)):
            best[c] = min(best[c], best[c - 1]) + row[c]
    return best[-1]


def word_break(text: str, words: set) -> bool:
    reachable = {0}
    for end in range(1, len(text) + 1):
        if any(text[start:end] in words for start in reachable):
            reachable.add(end)
    return len(text) in reachable


def longest_palindrome(s):
    best = ""
    for center in range(len(s)):
        for left, right in ((center, center), (center, center + 1)):
            while left >= 0 and right < len(s) and s[left] == s[right]:
                left, right = left - 1, right + 1
            best = max(best, s[left + 1:right], key=len)
    return best


def best_trade(prices):
    cheapest, profit = math.inf, 0
    for price in prices:
        # buy at the lowest price so far
        cheapest = min(cheapest, price)
        profit = max(profit, price - cheapest)
    return profit


def house_robber(loot):
    take, skip = 0, 0
    for value in loot:
        # never two neighbours in a row
        take, skip = skip + value, max(take, skip)
    return max(take, skip)


def matrix_chain(dims):
    @functools.lru_cache(maxsize=None)
    def cost(i, j):
        splits = range(i + 1, j)
        return min(
            (cost(i, k) + cost(k, j) + dims[i] * dims[k] * dims[j] for k in splits),
            default=0,
        )

    return cost(0, len(dims) - 1)


# Numeric methods


def newton_root(f, df, x, tol=1e-12, limit=100):
    for _ in range(limit):
        step = f(x) / df(x)
        x -= step
        if abs(step) < tol:
            return x
    raise ArithmeticError("no convergence")


def bisect_root(f: Callable[[float], float], low: float, high: float, tol: float = 1e-10) -> float:
    while high - low > tol:
        mid = (low + high) / 2
        if f(low) * f(mid) <= 0:
            high = mid
        else:
            low = mid
    return (low + high) / 2


def secant(f, x0, x1, rounds=20):
    for _ in range(rounds):
        y0, y1 = f(x0), f(x1)
        if y0 == y1:
            break
        x0, x1 = x1, x1 - y1 * (x1 - x0) / (y1 - y0)
    return x1


def derivative(f, h=1e-5):
    return lambda x: (f(x + h) - f(x - h)) / (2 * h)


def trapezoid(f, a, b, n=1000):
    h = (b - a) / n
    inner = sum(f(a + i * h) for i in range(1, n))
    return h * ((f(a) + f(b)) / 2 + inner)


def simpson(f: Callable[[float], float], a: float, b: float, n: int = 100) -> float:
    h = (b - a) / n
    # n must be even
    odd = sum(f(a + i * h) for i in range(1, n, 2))
    even = sum(f(a + i * h) for i in range(2, n, 2))
    return h / 3 * (f(a) + 4 * odd + 2 * even + f(b))


def euler_steps(rate, y, t, dt, steps):
    for _ in range(steps):
        y += dt * rate(t, y)
        t += dt
    return y


def rk4_step(f, t, y, h):
    k1 = f(t, y)
    k2 = f(t + h / 2, y + h / 2 * k1)
    k3 = f(t + h / 2, y + h / 2 * k2)
    k4 = f(t + h, y + h * k3)
    # weighted mean of the four slopes
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def horner(coefficients, x):
    value = 0
    for c in coefficients:
        value = value * x + c
    return value


def poly_add(p, q):
    return [a + b for a, b in itertools.zip_longest(p, q, fillvalue=0)]


def poly_derivative(coeffs):
    # lowest power first
    return [i * c for i, c in enumerate(coeffs)][1:]


def quadratic_roots(a, b, c):
    disc = b * b - 4 * a * c
    if disc < 0:
        return ()
    root = math.sqrt(disc)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def lagrange(points, x):
    total = 0.0
    for i, (xi, yi) in enumerate(points):
        term = yi
        for j, (xj, _) in enumerate(points):
            if i != j:
                term *= (x - xj) / (xi - xj)
        total += term
    return total


def sine_series(x, terms=12):
    total = term = x
    for n in range(1, terms):
        term *= -x * x / (2 * n * (2 * n + 1))
        total += term
    return total


def estimate_pi(samples, rng):
    hits = sum(rng.random() ** 2 + rng.random() ** 2 <= 1 for _ in range(samples))
    return 4 * hits / samples


def leibniz_pi(terms):
    return 4 * sum((-1) ** k / (2 * k + 1) for k in range(terms))


def golden_section(f, a, b, tol=1e-8):
    ratio = (math.sqrt(5) - 1) / 2
    while b - a > tol:
        c, d = b - ratio * (b - a), a + ratio * (b - a)
        if f(c) < f(d):
            b = d
        else:
            a = c
    return (a + b) / 2


def gradient_descent(grad, start, rate=0.1, steps=100):
    x = list(start)
    for _ in range(steps):
        x = [xi - rate * gi for xi, gi in zip(x, grad(x))]
    return x


def linspace(start: float, stop: float, n: int) -> List[float]:
    if n == 1:
        return [start]
    return [start + (stop - start) * i / (n - 1) for i in range(n)]


def kahan_sum(values):
    total = carry = 0.0
    for v in values:
        y = v - carry
        t = total + y
        # what the addition lost
        carry = (t - total) - y
        total = t
    return total


def fourier_power(signal, k):
    n = len(signal)
    re_part = sum(x * math.cos(2 * math.pi * k * i / n) for i, x in enumerate(signal))
    im_part = sum(x * math.sin(2 * math.pi * k * i / n) for i, x in enumerate(signal))
    return (re_part**2 + im_part**2) / n


# Neural networks by hand


def relu(x):
    return max(0.0, x)


def leaky_relu(x, slope=0.01):
    return x if x > 0 else slope * x


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def stable_sigmoid(x: float) -> float:
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    # exp never overflows here
    z = math.exp(x)
    return z / (1 + z)


def swish(x, beta=1.0):
    return x / (1 + math.exp(-beta * x))


def gelu(x: float) -> float:
    return 0.5 * x * (1 + math.erf(x / math.sqrt(2)))


def gelu_tanh(x):
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return 0.5 * x * (1 + math.tanh(inner))


def elu(x, alpha=1.0):
    return x if x >= 0 else alpha * (math.exp(x) - 1)


def softplus(x):
    return max(x, 0) + math.log1p(math.exp(-abs(x)))


def mish(x):
    return x * math.tanh(softplus(x))


def hard_sigmoid(x):
    return min(1, max(0, x / 6 + 0.5))


def softmax(logits: List[float]) -> List[float]:
    top = max(logits)
    # the largest logit becomes 0
    exps = [math.exp(v - top) for v in logits]
    total = sum(exps)
    return [e / total for e in exps]


def log_sum_exp(xs):
    m = max(xs)
    return m + math.log(sum(math.exp(x - m) for x in xs))


def cross_entropy(logits, target):
    return log_sum_exp(logits) - logits[target]


def mse_loss(pred, goal):
    return sum((p - g) ** 2 for p, g in zip(pred, goal)) / len(pred)


def huber(error, delta=1.0):
    size = abs(error)
    if size <= delta:
        return error**2 / 2
    # linear far from zero
    return delta * (size - delta / 2)


def dense(inputs, weights, biases, activation=math.tanh):
    outputs = []
    for row, bias in zip(weights, biases):
        z = bias + sum(w * x for w, x in zip(row, inputs))
        outputs.append(activation(z))
    return outputs


def layer_norm(xs: List[float], eps: float = 1e-5) -> List[float]:
    mu = sum(xs) / len(xs)
    var = sum((x - mu) ** 2 for x in xs) / len(xs)
    return [(x - mu) / math.sqrt(var + eps) for x in xs]


def one_hot(index, size):
    return [1.0 if i == index else 0.0 for i in range(size)]


def argmax(xs: Sequence[float]) -> int:
    best = 0
    for i, x in enumerate(xs):
        if x > xs[best]:
            best = i
    return best


def dropout(xs, rate, rng):
    keep = 1 - rate
    # scaled so that the mean stays
    return [x / keep if rng.random() < keep else 0.0 for x in xs]


def sgd(params, grads, lr=0.01):
    for name in params:
        params[name] -= lr * grads[name]


def adam_step(p, g, m, v, t, lr=1e-3, b1=0.9, b2=0.999):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    scale = math.sqrt(1 - b2**t) / (1 - b1**t)
    return p - lr * scale * m / (math.sqrt(v) + 1e-8), m, v


def cosine_rate(step, total, peak):
    return peak * (1 + math.cos(math.pi * step / total)) / 2


def warmup_rate(step, warmup, base):
    return base * min(1.0, (step + 1) / warmup)


def clip_gradient(grad, limit):
    norm = math.sqrt(sum(g * g for g in grad))
    if norm <= limit:
        return grad
    return [g * limit / norm for g in grad]


def cosine_similarity(u, v):
    dot_product = sum(a * b for a, b in zip(u, v))
    return dot_product / (math.hypot(*u) * math.hypot(*v))


def attention(query, keys, values):
    scale = math.sqrt(len(query))
    scores = [sum(q * k for q, k in zip(query, key)) / scale for key in keys]
    weights = softmax(scores)
    return [sum(w * v for w, v in zip(weights, dim)) for dim in zip(*values)]


def perceptron_update(w, b, x, label, rate=1):
    guess = int(sum(wi * xi for wi, xi in zip(w, x)) + b > 0)
    error = rate * (label - guess)
    return [wi + error * xi for wi, xi in zip(w, x)], b + error


def nearest_label(samples, point, k=3):
    closest = sorted(samples, key=lambda s: math.dist(s[0], point))[:k]
    return Counter(label for _, label in closest).most_common(1)[0][0]


def k_means_step(points, centers):
    clusters = [[] for _ in centers]
    for p in points:
        near = min(range(len(centers)), key=lambda i: math.dist(p, centers[i]))
        clusters[near].append(p)
    return [
        tuple(map(statistics.fmean, zip(*members))) if members else center
        for members, center in zip(clusters, centers)
    ]


# Colours


def hex_to_rgb(code: str) -> Tuple[int, ...]:
    code = code.lstrip("#")
    return tuple(int(code[i:i + 2], 16) for i in (0, 2, 4))


def rgb_to_hex(r: int, g: int, b: int) -> str:
    return f"#{r:02x}{g:02x}{b:02x}"


def blend(c1, c2, t=0.5):
    return tuple(round(a * (1 - t) + b * t) for a, b in zip(c1, c2))


def luminance(rgb):
    def linear(c):
        c /= 255
        # undo the sRGB curve
        return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4

    r, g, b = map(linear, rgb)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast_ratio(front, back):
    light, dark = sorted((luminance(front), luminance(back)), reverse=True)
    # 21 for black on white
    return (light + 0.05) / (dark + 0.05)


def hue(r, g, b):
    high, low = max(r, g, b), min(r, g, b)
    if high == low:
        return 0.0
    span = high - low
    if high == r:
        return 60 * ((g - b) / span % 6)
    return 60 * ((b - r) / span + 2) if high == g else 60 * ((r - g) / span + 4)


def hsv_to_rgb(h, s, v):
    def channel(n):
        k = (n + h / 60) % 6
        return v - v * s * max(0, min(k, 4 - k, 1))

    return channel(5), channel(3), channel(1)


def grayscale(r: int, g: int, b: int) -> int:
    return round(0.299 * r + 0.587 * g + 0.114 * b)


def invert_color(color):
    return tuple(255 - part for part in color)


def rgb_to_cmyk(r, g, b):
    k = 1 - max(r, g, b) / 255
    if k == 1:
        return 0, 0, 0, 1
    c, m, y = ((1 - part / 255 - k) / (1 - k) for part in (r, g, b))
    return c, m, y, k


def ansi_color(text, code):
    return f"\033[{code}m{text}\033[0m"


def web_safe(rgb):
    return tuple(round(part / 51) * 51 for part in rgb)


def gradient(start, end, steps):
    for i in range(steps):
        t = i / (steps - 1)
        yield tuple(int(a + (b - a) * t) for a, b in zip(start, end))


# Small parsers


def tokenize(expression: str) -> List[str]:
    return re.findall(r"\d+\.?\d*|[-+*/()]", expression)


def eval_rpn(tokens):
    ops = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
    stack = []
    for token in tokens:
        if token in ops:
            # operands come off in reverse
            right, left = stack.pop(), stack.pop()
            stack.append(ops[token](left, right))
        else:
            stack.append(float(token))
    return stack.pop()


def calculate(expression: str) -> float:
    ops = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
    # the loosest operator splits first
    for symbol, apply in ops.items():
        left, found, right = expression.rpartition(symbol)
        if found:
            return apply(calculate(left), calculate(right))
    return float(expression)


def parse_sexpr(tokens):
    token = tokens.pop(0)
    if token != "(":
        return int(token) if token.lstrip("-").isdigit() else token
    items = []
    while tokens[0] != ")":
        items.append(parse_sexpr(tokens))
    tokens.pop(0)
    return items


def parse_args(argv):
    options, rest = {}, []
    for arg in argv:
        if arg.startswith("--"):
            name, eq, value = arg[2:].partition("=")
            options[name] = value if eq else True
        else:
            rest.append(arg)
    return options, rest


def expand_ranges(text: str) -> List[int]:
    numbers = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        numbers.extend(range(int(low), int(high or low) + 1))
    return numbers


def split_quoted(line):
    fields, current, quoted = [], "", False
    for c in line:
        if c == '"':
            quoted = not quoted
        elif c == "," and not quoted:
            # a comma outside quotes ends the field
            fields.append(current)
            current = ""
        else:
            current += c
    return fields + [current]


def decode_nested(s):
    # 3[ab2[c]] -> abccabccabcc
    rule = re.compile(r"(\d+)\[([a-z]*)\]")
    while rule.search(s):
        s = rule.sub(lambda m: int(m[1]) * m[2], s)
    return s


def parse_header(line: str) -> Tuple[str, Dict[str, str]]:
    kind, *params = [part.strip() for part in line.split(";")]
    pairs = (p.split("=", 1) for p in params if "=" in p)
    return kind.lower(), {k: v.strip('"') for k, v in pairs}


def brainfuck_jumps(code):
    stack, jumps = [], {}
    for i, c in enumerate(code):
        if c == "[":
            stack.append(i)
        elif c == "]":
            start = stack.pop()
            jumps[start], jumps[i] = i, start
    return jumps


def function_names(source):
    tree = ast.parse(source)
    return [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]


def fold_constants(node):
    match node:
        case int() | float():
            return node
        case ("add", a, b):
            return fold_constants(a) + fold_constants(b)
        case ("neg", a):
            return -fold_constants(a)
        case _:
            raise TypeError(f"unknown node {node!r}")


def markdown_line(line):
    if line.startswith("#"):
        level = len(line) - len(line.lstrip("#"))
        return f"<h{level}>{line[level:].strip()}</h{level}>"
    line = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", line)
    return f"<p>{line}</p>"


# Pattern matching


def http_status(code: int) -> str:
    match code // 100:
        case 2:
            return "ok"
        case 3:
            return "redirect"
        case 4 | 5:
            return "error"
        case _:
            return "unknown"


def move(position, command):
    x, y = position
    match command.split():
        case ["north", steps]:
            return x, y + int(steps)
        case ["east", steps]:
            return x + int(steps), y
        case ["home"]:
            return 0, 0
    return position


def shape_area(shape):
    match shape:
        case {"kind": "circle", "r": r}:
            return math.pi * r * r
        case {"kind": "rect", "w": w, "h": h}:
            return w * h
        case {"kind": kind}:
            raise ValueError(f"no area for {kind}")


def describe(value):
    match value:
        case []:
            return "empty"
        case [only]:
            return f"just {only}"
        case [first_item, *others]:
            return f"{first_item} and {len(others)} more"


# Games and simulations


def roll_dice(count, sides=6, rng=random):
    return [rng.randint(1, sides) for _ in range(count)]


def new_deck() -> List[str]:
    return [rank + suit for suit in "SHDC" for rank in "A23456789TJQK"]


def shuffle(cards, rng):
    for i in range(len(cards) - 1, 0, -1):
        j = rng.randrange(i + 1)
        cards[i], cards[j] = cards[j], cards[i]
    return cards


def blackjack_value(hand):
    total = sum(min("A23456789TJQK".index(c) + 1, 10) for c in hand)
    return total + 10 if "A" in hand and total <= 11 else total


def is_flush(hand):
    return len({card[-1] for card in hand}) == 1


def rps_winner(a, b):
    order = ["rock", "paper", "scissors"]
    return ("draw", a, b)[(order.index(a) - order.index(b)) % 3]


def fizz_buzz(n: int) -> Iterator[str]:
    for i in range(1, n + 1):
        yield "Fizz" * (i % 3 == 0) + "Buzz" * (i % 5 == 0) or str(i)


def bulls_and_cows(secret, guess):
    bulls = sum(s == g for s, g in zip(secret, guess))
    shared = sum((Counter(secret) & Counter(guess)).values())
    return bulls, shared - bulls


def tic_tac_toe_winner(board):
    lines = [board[i:i + 3] for i in (0, 3, 6)]
    lines += [board[i::3] for i in range(3)]
    lines += [board[::4], board[2:7:2]]
    for line in lines:
        if line[0] != " " and len(set(line)) == 1:
            return line[0]
    return None


def life_step(alive):
    # alive is a set of (x, y) cells
    near = Counter(
        (x + dx, y + dy)
        for x, y in alive
        for dx in (-1, 0, 1)
        for dy in (-1, 0, 1)
        if dx or dy
    )
    return {cell for cell, n in near.items() if n == 3 or n == 2 and cell in alive}


def rule_step(cells, rule=30):
    n = len(cells)
    return [rule >> (cells[i - 1] * 4 + cells[i] * 2 + cells[(i + 1) % n]) & 1 for i in range(n)]


def nim_move(piles):
    nim_sum = functools.reduce(operator.xor, piles)
    for i, pile in enumerate(piles):
        if pile ^ nim_sum < pile:
            # leave the opponent a zero sum
            return i, pile - (pile ^ nim_sum)
    return None


def mine_counts(mines, width, height):
    field_map = [[0] * width for _ in range(height)]
    for mx, my in mines:
        for y in range(max(my - 1, 0), min(my + 2, height)):
            for x in range(max(mx - 1, 0), min(mx + 2, width)):
                field_map[y][x] += 1
    return field_map


def slide_left(row):
    tiles = [t for t in row if t]
    out = []
    while tiles:
        tile = tiles.pop(0)
        if tiles and tiles[0] == tile:
            # each tile merges once
            tile += tiles.pop(0)
        out.append(tile)
    return out + [0] * (len(row) - len(out))


def hangman_view(word, guessed):
    return " ".join(c if c in guessed else "_" for c in word)


def wordle_hints(secret, guess):
    spare = Counter(s for s, g in zip(secret, guess) if s != g)
    hints = ""
    for s, g in zip(secret, guess):
        if s == g:
            hints += "G"
        elif spare[g] > 0:
            # right letter, wrong place
            spare[g] -= 1
            hints += "Y"
        else:
            hints += "-"
    return hints


def sudoku_options(board, row, col):
    used = set(board[row]) | {line[col] for line in board}
    top, left = row - row % 3, col - col % 3
    for line in board[top:top + 3]:
        used.update(line[left:left + 3])
    return set(range(1, 10)) - used


def minimax(state, moves, score, maximize=True):
    options = moves(state)
    if not options:
        return score(state)
    results = [minimax(s, moves, score, not maximize) for s in options]
    return max(results) if maximize else min(results)


def monty_hall(switch, rng):
    prize, choice = rng.randrange(3), rng.randrange(3)
    return (prize != choice) if switch else (prize == choice)


def random_walk(steps, rng):
    x = y = 0
    for _ in range(steps):
        dx, dy = rng.choice([(1, 0), (-1, 0), (0, 1), (0, -1)])
        x, y = x + dx, y + dy
        yield x, y


def falling_time(height, gravity=9.81):
    # no air resistance
    return math.sqrt(2 * height / gravity)


def bounce(height, loss=0.5):
    bounces = 0
    while height > 0.01:
        height *= loss
        bounces += 1
    return bounces


def projectile(speed, angle, dt=0.01):
    vx, vy = speed * math.cos(angle), speed * math.sin(angle)
    x = y = 0.0
    while y >= 0:
        yield x, y
        x += vx * dt
        vy -= 9.81 * dt
        y += vy * dt


def predator_prey(hares, foxes, dt=0.01):
    born, eaten, fed, starved = 1.1, 0.4, 0.1, 0.4
    dh = (born - eaten * foxes) * hares
    df = (fed * hares - starved) * foxes
    return hares + dh * dt, foxes + df * dt


def sir_step(s, i, r, beta=0.3, gamma=0.1):
    # chance to meet someone infected
    infected = beta * s * i / (s + i + r)
    healed = gamma * i
    return s - infected, i + infected - healed, r + healed


def lcg(seed: int) -> Iterator[float]:
    while True:
        seed = (1664525 * seed + 1013904223) % 2**32
        yield seed / 2**32


def in_mandelbrot(c: complex, limit: int = 50) -> bool:
    z = 0j
    for _ in range(limit):
        z = z * z + c
        if abs(z) > 2:
            return False
    return True


def queue_wait(arrivals, service):
    free_at = waited = 0
    for t in arrivals:
        begin = max(t, free_at)
        waited += begin - t
        free_at = begin + service
    return waited / len(arrivals)


def weighted_choice(weights, pick_at):
    """pick_at in [0, 1) selects a key by its share of the weight."""
    mark = pick_at * sum(weights.values())
    for key, weight in weights.items():
        mark -= weight
        if mark < 0:
            return key
    return key


# Errors, caching and concurrency


def try_int(text: str, fallback: Optional[int] = None) -> Optional[int]:
    try:
        return int(text)
    except (TypeError, ValueError):
        return fallback


def first_success(functions, *args):
    errors = []
    for f in functions:
        try:
            return f(*args)
        except Exception as error:
            errors.append(error)
    raise RuntimeError(f"all {len(errors)} attempts failed")


def wrap_error(action, message):
    try:
        return action()
    except Exception as cause:
        raise RuntimeError(message) from cause


def error_chain(error):
    while error is not None:
        yield f"{type(error).__name__}: {error}"
        error = error.__cause__


def split_results(f, items):
    good, bad = [], []
    for item in items:
        try:
            good.append(f(item))
        except Exception as e:
            bad.append((item, str(e)))
    return good, bad


def backoff_delays(first_delay, factor=2, cap=60):
    delay = first_delay
    while True:
        yield min(delay, cap)
        delay *= factor


def warn(message: str, stream=None) -> None:
    print(f"warning: {message}", file=stream or sys.stderr)


def run_in_threads(jobs):
    threads = [threading.Thread(target=job) for job in jobs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


async def double_later(x: int, delay: float = 0) -> int:
    await asyncio.sleep(delay)
    return 2 * x


async def gather_limited(tasks, limit=4):
    gate = asyncio.Semaphore(limit)

    async def guarded(task):
        async with gate:
            return await task

    return await asyncio.gather(*(guarded(t) for t in tasks))


async def ticker(count, interval=0):
    for i in range(count):
        yield i
        await asyncio.sleep(interval)


async def collect(stream):
    return [item async for item in stream]


async def with_timeout(awaitable, seconds, default=None):
    try:
        return await asyncio.wait_for(awaitable, seconds)
    except asyncio.TimeoutError:
        return default


async def produce(queue, items):
    for item in items:
        await queue.put(item)
    await queue.put(None)  # end mark


async def consume(queue):
    received = []
    while (item := await queue.get()) is not None:
        received.append(item)
    return received


# Classes


class Vector:
    __slots__ = ("x", "y")

    def __init__(self, x=0.0, y=0.0):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __mul__(self, scalar):
        return Vector(self.x * scalar, self.y * scalar)

    def __neg__(self):
        return Vector(-self.x, -self.y)

    def __eq__(self, other):
        if not isinstance(other, Vector):
            return NotImplemented
        return (self.x, self.y) == (other.x, other.y)

    def __hash__(self):
        return hash((self.x, self.y))

    def __abs__(self):
        return math.hypot(self.x, self.y)

    def __iter__(self):
        yield self.x
        yield self.y

    def __repr__(self):
        return f"Vector({self.x!r}, {self.y!r})"

    @classmethod
    def from_angle(cls, angle, length=1.0):
        return cls(length * math.cos(angle), length * math.sin(angle))

    def normalized(self):
        size = abs(self)
        return Vector(self.x / size, self.y / size) if size else self


class Stack:
    def __init__(self, *items):
        self._items = list(items)

    def push(self, item):
        self._items.append(item)
        return self

    def pop(self):
        if not self._items:
            raise IndexError("pop from an empty stack")
        return self._items.pop()

    @property
    def top(self):
        return self._items[-1] if self._items else None

    def __len__(self):
        return len(self._items)

    def __bool__(self):
        return bool(self._items)


class RingBuffer:
    def __init__(self, capacity: int) -> None:
        self.slots = [None] * capacity
        self.written = 0

    def append(self, item) -> None:
        self.slots[self.written % len(self.slots)] = item
        self.written += 1

    def __getitem__(self, age_back):
        if age_back >= min(self.written, len(self.slots)):
            raise IndexError(age_back)
        return self.slots[(self.written - 1 - age_back) % len(self.slots)]

    def __contains__(self, item):
        return item in self.slots[:self.written]


class LRUCache:
    def __init__(self, size=128):
        self.size = size
        self.data = OrderedDict()

    def get(self, key, default=None):
        if key not in self.data:
            return default
        self.data.move_to_end(key)
        return self.data[key]

    def put(self, key, value):
        self.data[key] = value
        self.data.move_to_end(key)
        if len(self.data) > self.size:
            self.data.popitem(last=False)


class Temperature:
    def __init__(self, celsius):
        self.celsius = celsius

    @property
    def celsius(self):
        return self._celsius

    @celsius.setter
    def celsius(self, degrees):
        if degrees < -273.15:
            raise ValueError("below absolute zero")
        self._celsius = degrees

    @property
    def fahrenheit(self):
        return self._celsius * 1.8 + 32

    @fahrenheit.setter
    def fahrenheit(self, value):
        self.celsius = (value - 32) / 1.8


class Account:
    def __init__(self, owner: str, balance: float = 0):
        self.owner = owner
        self.balance = balance
        self.history: List[Tuple[str, float]] = []

    def deposit(self, amount: float) -> float:
        if amount <= 0:
            raise ValueError("deposits must be positive")
        self.balance += amount
        self.history.append(("deposit", amount))
        return self.balance

    def withdraw(self, amount):
        if amount > self.balance:
            raise ValueError(f"{self.owner} has only {self.balance}")
        self.balance -= amount
        self.history.append(("withdraw", amount))

    def transfer(self, other: "Account", amount: float) -> None:
        self.withdraw(amount)
        other.deposit(amount)

    def __lt__(self, other):
        return self.balance < other.balance

    def __format__(self, spec):
        return f"{self.owner}: {format(self.balance, spec or '.2f')}"


class Node:
    def __init__(self, value, following=None):
        self.value = value
        self.following = following


class LinkedList:
    def __init__(self, values=()):
        self.head = None
        for value in reversed(list(values)):
            self.head = Node(value, self.head)

    def __iter__(self):
        node = self.head
        while node is not None:
            yield node.value
            node = node.following

    def prepend(self, value):
        self.head = Node(value, self.head)

    def reverse(self):
        previous, node = None, self.head
        while node:
            node.following, previous, node = previous, node, node.following
        self.head = previous

    def middle(self):
        slow = fast = self.head
        while fast and fast.following:
            slow, fast = slow.following, fast.following.following
        return slow.value if slow else None

    def delete(self, value):
        previous, node = None, self.head
        while node and node.value != value:
            previous, node = node, node.following
        if node is None:
            return False
        if previous is None:
            self.head = node.following
        else:
            previous.following = node.following
        return True


class DisjointSets:
    def __init__(self, n):
        self.parent = list(range(n))
        self.sizes = [1] * n

    def find(self, x):
        while self.parent[x] != x:
            self.parent[x] = self.parent[self.parent[x]]
            x = self.parent[x]
        return x

    def union(self, a, b):
        a, b = self.find(a), self.find(b)
        if a == b:
            return False
        if self.sizes[a] < self.sizes[b]:
            a, b = b, a
        self.parent[b] = a
        self.sizes[a] += self.sizes[b]
        return True


class Fraction:
    def __init__(self, top, bottom=1):
        shared = math.gcd(top, bottom) * (-1 if bottom < 0 else 1)
        self.top, self.bottom = top // shared, bottom // shared

    def __truediv__(self, other):
        return Fraction(self.top * other.bottom, self.bottom * other.top)

    def __sub__(self, other):
        bottom = self.bottom * other.bottom
        return Fraction(self.top * other.bottom - other.top * self.bottom, bottom)

    def __float__(self):
        return self.top / self.bottom

    def __str__(self):
        return f"{self.top}/{self.bottom}" if self.bottom != 1 else str(self.top)


class Polynomial:
    def __init__(self, *coefficients):
        self.coefficients = coefficients  # constant first

    def __call__(self, x):
        return sum(c * x**i for i, c in enumerate(self.coefficients))

    @property
    def degree(self):
        return max((i for i, c in enumerate(self.coefficients) if c), default=0)


class Stopwatch:
    def __enter__(self):
        self.started = time.monotonic()
        return self

    def __exit__(self, kind, value, trace_back):
        self.elapsed = time.monotonic() - self.started
        return False


class Config:
    def __init__(self, **options):
        self.__dict__.update(options)

    def __getattr__(self, name):
        raise AttributeError(f"no option named {name}")

    def update(self, other: Dict[str, Any]) -> "Config":
        return Config(**{**self.__dict__, **other})


class Emitter:
    def __init__(self):
        self.listeners = defaultdict(list)

    def on(self, event, handler):
        self.listeners[event].append(handler)
        return lambda: self.listeners[event].remove(handler)

    def emit(self, event, *args):
        for handler in list(self.listeners[event]):
            handler(*args)


class Countdown:
    def __init__(self, start):
        self.left = start

    def __iter__(self):
        return self

    def __next__(self):
        if self.left <= 0:
            raise StopIteration
        self.left -= 1
        return self.left + 1


class Grid:
    def __init__(self, width, height, fill="."):
        self.cells = [[fill] * width for _ in range(height)]

    def __setitem__(self, position, value):
        x, y = position
        self.cells[y][x] = value

    def around(self, x, y):
        for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1)):
            if 0 <= y + dy < len(self.cells) and 0 <= x + dx < len(self.cells[0]):
                yield x + dx, y + dy

    def render(self):
        return "\n".join(map("".join, self.cells))


class Suit(Enum):
    CLUBS = "C"
    HEARTS = "H"

    @property
    def is_red(self):
        return self is Suit.HEARTS


class Typed:
    def __init__(self, kind):
        self.kind = kind

    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner=None):
        return self if instance is None else getattr(instance, self.name)

    def __set__(self, instance, value):
        if not isinstance(value, self.kind):
            raise TypeError(f"{self.name[1:]} must be {self.kind.__name__}")
        setattr(instance, self.name, value)


class Person:
    name = Typed(str)
    _count = 0

    def __new__(cls, *args):
        cls._count += 1
        return super().__new__(cls)

    def __init__(self, name, email=""):
        self.name, self.email = name, email

    @staticmethod
    def valid_name(name: str) -> bool:
        return bool(name) and name[0].isupper()

    @classmethod
    def parse(cls, text):
        name, _, email = text.partition("<")
        return cls(name.strip(), email.rstrip(">"))

    @functools.cached_property
    def handle(self):
        return self.email.split("@")[0] or self.name.lower()


class Shape:
    def area(self):
        raise NotImplementedError

    def __gt__(self, other):
        return self.area() > other.area()


class Rectangle(Shape):
    def __init__(self, width, height):
        super().__init__()
        self.width, self.height = width, height

    def area(self):
        return self.width * self.height

    def scaled(self, k):
        return type(self)(self.width * k, self.height * k)


class Square(Rectangle):
    def __init__(self, side):
        super().__init__(side, side)

    def scaled(self, factor: float) -> "Square":
        return Square(self.width * factor)


@dataclass(order=True)
class Task:
    priority: int
    title: str = field(compare=False)
    done: bool = False

    def __post_init__(self):
        self.title = self.title.strip()

    def finish(self):
        self.done = True
        return self

    def label(self):
        mark = "x" if self.done else " "
        return f"[{mark}] {self.title} (p{self.priority})"


class TaskQueue:
    def __init__(self):
        self._heap: List[Task] = []
        self._index: Dict[str, Task] = {}

    def add(self, task):
        heapq.heappush(self._heap, task)
        self._index[task.title] = task

    def __getitem__(self, title):
        return self._index[title]

    def drain(self):
        while self._heap:
            yield heapq.heappop(self._heap)


class Matrix:
    def __init__(self, rows):
        widths = set(map(len, rows))
        if len(widths) > 1:
            raise ValueError(f"ragged rows: {sorted(widths)}")
        self.rows = rows

    @property
    def shape(self) -> Tuple[int, int]:
        return len(self.rows), len(self.rows[0])

    def __matmul__(self, other):
        if self.shape[1] != other.shape[0]:
            raise ValueError("shapes do not match")
        inner = range(self.shape[1])
        return Matrix([
            [sum(row[k] * other.rows[k][j] for k in inner) for j in range(other.shape[1])]
            for row in self.rows
        ])


class BloomFilter:
    def __init__(self, bits=1024, hashes=3):
        self.bits, self.hashes, self.field = bits, hashes, 0

    def _positions(self, item):
        for i in range(self.hashes):
            digest = hashlib.md5(f"{i}:{item}".encode()).digest()
            yield int.from_bytes(digest[:4], "big") % self.bits

    def add(self, item):
        for p in self._positions(item):
            self.field |= 1 << p

    def __contains__(self, item):
        return all(self.field >> p & 1 for p in self._positions(item))


class Tree:
    def __init__(self, value, *children):
        self.value = value
        self.children = list(children)

    def walk(self):
        yield self.value
        for child in self.children:
            yield from child.walk()

    def total(self):
        return self.value + sum(child.total() for child in self.children)

    def leaves(self):
        if not self.children:
            return [self]
        return [leaf for child in self.children for leaf in child.leaves()]

    def show(self, level=0):
        text = "  " * level + str(self.value) + "\n"
        return text + "".join(c.show(level + 1) for c in self.children)


class RateLimiter:
    def __init__(self, limit, window, clock=time.monotonic):
        self.limit, self.window, self.clock = limit, window, clock
        self.calls = deque()

    def allow(self):
        now = self.clock()
        while self.calls and now - self.calls[0] >= self.window:
            self.calls.popleft()
        if len(self.calls) >= self.limit:
            return False
        self.calls.append(now)
        return True


class Neuron:
    def __init__(self, size, rng):
        self.weights = [rng.gauss(0, 1 / math.sqrt(size)) for _ in range(size)]
        self.bias = 0.0

    def forward(self, xs):
        return math.tanh(sum(map(operator.mul, self.weights, xs)) + self.bias)

    def learn(self, xs, target, rate=0.1):
        out = self.forward(xs)
        delta = (out - target) * (1 - out * out)
        self.weights = [w - rate * delta * x for w, x in zip(self.weights, xs)]
        self.bias -= rate * delta
        return (out - target) ** 2


# Longer pieces


def binary_add(a, b):
    out, carry = "", 0
    for x, y in itertools.zip_longest(reversed(a), reversed(b), fillvalue="0"):
        carry += int(x) + int(y)
        out = str(carry % 2) + out
        carry //= 2
    return "1" + out if carry else out


def justify_line(words, width):
    if len(words) == 1:
        return words[0].ljust(width)
    gaps = len(words) - 1
    spaces = width - sum(map(len, words))
    each, extra = divmod(spaces, gaps)
    line = words[0]
    for i, word in enumerate(words[1:]):
        line += " " * (each + (i < extra)) + word
    return line


def rail_fence(text: str, rails: int) -> str:
    rows = [[] for _ in range(rails)]
    row, step = 0, 1
    for c in text:
        rows[row].append(c)
        if row + step not in range(rails):
            step = -step
        row += step
    return "".join(itertools.chain.from_iterable(rows))


def find_all(text: str, part: str) -> List[int]:
    positions = []
    start = text.find(part)
    while start != -1:
        positions.append(start)
        start = text.find(part, start + 1)
    return positions


def prefix_function(pattern: str) -> List[int]:
    border = [0] * len(pattern)
    k = 0
    for i in range(1, len(pattern)):
        while k and pattern[i] != pattern[k]:
            k = border[k - 1]
        if pattern[i] == pattern[k]:
            k += 1
        border[i] = k
    return border


def rolling_hashes(text, width, base=257, mod=2**31 - 1):
    lead, value = pow(base, width, mod), 0
    for i, c in enumerate(text):
        value = (value * base + ord(c)) % mod
        if i >= width:
            value = (value - lead * ord(text[i - width])) % mod
        if i >= width - 1:
            yield value


def longest_unique_window(s):
    last_seen = {}
    start = best = 0
    for i, c in enumerate(s):
        if last_seen.get(c, -1) >= start:
            # jump past the repeated letter
            start = last_seen[c] + 1
        last_seen[c] = i
        best = max(best, i - start + 1)
    return best


def smallest_window_sum(nums: List[int], target: int) -> int:
    best = len(nums) + 1
    left = total = 0
    for right, n in enumerate(nums):
        total += n
        while total >= target:
            best = min(best, right - left + 1)
            total -= nums[left]
            left += 1
    return best if best <= len(nums) else 0


def three_sum(nums):
    nums, found = sorted(nums), set()
    for i, a in enumerate(nums):
        lo, hi = i + 1, len(nums) - 1
        while lo < hi:
            total = a + nums[lo] + nums[hi]
            if total == 0:
                found.add((a, nums[lo], nums[hi]))
            if total < 0:
                lo += 1
            else:
                hi -= 1
    return sorted(found)


def next_greater(values):
    result = [None] * len(values)
    waiting = []  # indices still without an answer
    for i, value in enumerate(values):
        while waiting and values[waiting[-1]] < value:
            # value settles all smaller ones waiting
            result[waiting.pop()] = value
        waiting.append(i)
    return result


def largest_rectangle(heights: List[int]) -> int:
    stack, best = [], 0
    for i, h in enumerate(heights + [0]):
        start = i
        while stack and stack[-1][1] >= h:
            start, height = stack.pop()
            # the bar ends here
            best = max(best, height * (i - start))
        stack.append((start, h))
    return best


def meeting_rooms(meetings: List[Tuple[int, int]]) -> int:
    events = []
    for start, end in meetings:
        events.append((start, 1))
        events.append((end, -1))
    rooms = most = 0
    for _, change in sorted(events):
        # ends sort before starts at the same time
        rooms += change
        most = max(most, rooms)
    return most


def free_slots(busy, start, end):
    free = []
    for begin, finish in sorted(busy):
        if begin > start:
            free.append((start, begin))
        start = max(start, finish)
    if start < end:
        free.append((start, end))
    return free


def prim(graph: Dict[str, Dict[str, int]], start: str) -> int:
    done, total = set(), 0
    frontier = [(0, start)]
    while frontier:
        weight, node = heapq.heappop(frontier)
        if node in done:
            continue
        done.add(node)
        total += weight
        for other, w in graph[node].items():
            heapq.heappush(frontier, (w, other))
    return total


def reverse_graph(graph: Dict[str, list]) -> Dict[str, list]:
    backward: Dict[str, list] = {node: [] for node in graph}
    for node, targets in graph.items():
        for target in targets:
            backward[target].append(node)
    return backward


def all_paths(graph, start, goal, path=()):
    path += (start,)
    if start == goal:
        return [path]
    routes = []
    for node in graph.get(start, ()):
        if node not in path:
            routes.extend(all_paths(graph, node, goal, path))
    return routes


def solve_maze(maze, row, col, path=()):
    cell = maze[row][col]
    if cell == "#" or (row, col) in path:
        return None
    path += ((row, col),)
    if cell == "E":
        return path
    for r, c in ((row, col + 1), (row + 1, col), (row, col - 1), (row - 1, col)):
        if found := solve_maze(maze, r, c, path):
            return found
    return None


def solve_sudoku(board):
    for r, c in itertools.product(range(9), repeat=2):
        if board[r][c] == 0:
            for digit in sudoku_options(board, r, c):
                board[r][c] = digit
                if solve_sudoku(board):
                    return True
            board[r][c] = 0
            return False
    return True


def knight_targets(x, y, size=8):
    for dx in (-2, -1, 1, 2):
        for dy in (abs(dx) - 3, 3 - abs(dx)):
            if 0 <= x + dx < size and 0 <= y + dy < size:
                yield x + dx, y + dy


def lu_decompose(a):
    n = len(a)
    lower, upper = identity(n), [list(map(float, row)) for row in a]
    for col in range(n):
        for row in range(col + 1, n):
            ratio = upper[row][col] / upper[col][col]
            lower[row][col] = ratio
            for k in range(col, n):
                upper[row][k] -= ratio * upper[col][k]
    return lower, upper


def power_iteration(matrix: List[List[float]], rounds: int = 100) -> float:
    v = [1.0] * len(matrix)
    value = 0.0
    for _ in range(rounds):
        w = [sum(a * b for a, b in zip(row, v)) for row in matrix]
        value = max(w, key=abs)
        v = [x / value for x in w]
    return value


def fft(xs):
    n = len(xs)
    if n == 1:
        return list(xs)
    even, odd = fft(xs[::2]), fft(xs[1::2])
    turn = -2j * math.pi / n
    odd = [cmath.exp(turn * k) * o for k, o in enumerate(odd)]
    return [*map(operator.add, even, odd), *map(operator.sub, even, odd)]


def jacobi(a: List[List[float]], b: List[float], rounds: int = 60) -> List[float]:
    x = [0.0] * len(b)
    for _ in range(rounds):
        fresh = []
        for i, row in enumerate(a):
            error = b[i] - sum(c * v for c, v in zip(row, x))
            fresh.append(x[i] + error / row[i])
        x = fresh
    return x


def simulated_annealing(cost, state, neighbor, rng, heat=10.0):
    while heat > 1e-3:
        candidate = neighbor(state, rng)
        worse = cost(candidate) - cost(state)
        if worse < 0 or rng.random() < math.exp(-worse / heat):
            state = candidate
        heat *= 0.99
    return state


def evolve(population, fitness, mutate, generations=20):
    half = (len(population) + 1) // 2
    for _ in range(generations):
        best = heapq.nlargest(half, population, key=fitness)
        population = best + [mutate(parent) for parent in best]
    return max(population, key=fitness)


def parse_polynomial(text: str) -> Dict[int, int]:
    terms: Dict[int, int] = {}
    for term in text.replace(" - ", " + -").split(" + "):
        factor, x, exponent = term.partition("x")
        power_of = int(exponent.lstrip("^") or 1) if x else 0
        terms[power_of] = terms.get(power_of, 0) + int(factor)
    return terms


def lex(source: str) -> Iterator[Tuple[str, str]]:
    rules = r"(?P<number>\d+)|(?P<name>[A-Za-z_]\w*)|(?P<symbol>\S)"
    for match in re.finditer(rules, source):
        yield match.lastgroup or "", match[0]


def outline(text: str) -> List[dict]:
    root: List[dict] = []
    levels = [(-1, root)]
    for line in filter(str.strip, text.splitlines()):
        indent = len(line) - len(line.lstrip())
        while levels[-1][0] >= indent:
            levels.pop()
        entry = {"name": line.strip(), "items": []}
        levels[-1][1].append(entry)
        levels.append((indent, entry["items"]))
    return root


def unified_changes(old, new):
    # keeps the lines shared in order, marks the others
    out, j = [], 0
    for line in old:
        if line in new[j:]:
            at = new.index(line, j)
            out += ["+ " + added for added in new[j:at]]
            out.append("  " + line)
            j = at + 1
        else:
            out.append("- " + line)
    return out + ["+ " + added for added in new[j:]]


def bar_chart(data: Dict[str, float], width: int = 30) -> str:
    longest = max(map(len, data))
    peak = max(data.values())
    lines = []
    for name, value in data.items():
        bar = "#" * round(width * value / peak)
        lines.append(f"{name:>{longest}} {bar} {value:g}")
    return "\n".join(lines)


def sparkline(values):
    blocks = "▁▂▃▄▅▆▇█"
    low, high = min(values), max(values)
    if low == high:
        return blocks[0] * len(values)
    scale = (len(blocks) - 1) / (high - low)
    return "".join(blocks[int((v - low) * scale)] for v in values)


def month_calendar(year, month):
    cells = ["  "] * date(year, month, 1).weekday()
    cells += [f"{d:2d}" for d in range(1, days_in_month(year, month) + 1)]
    weeks = [" ".join(cells[i:i + 7]) for i in range(0, len(cells), 7)]
    return "\n".join(["Mo Tu We Th Fr Sa Su"] + weeks)


def recurring(start: date, end: date, weekdays: Iterable[str]) -> Iterator[date]:
    names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    wanted = {names.index(day[:3].lower()) for day in weekdays}
    current = start
    while current <= end:
        if current.weekday() in wanted:
            yield current
        current += timedelta(days=1)


def bowling_score(rolls: List[int]) -> int:
    total = i = 0
    for _ in range(10):
        if rolls[i] == 10:
            total += 10 + rolls[i + 1] + rolls[i + 2]
            i += 1
            continue
        pins = rolls[i] + rolls[i + 1]
        total += pins
        if pins == 10:
            total += rolls[i + 2]
        i += 2
    return total


def poker_name(ranks):
    counts = sorted(Counter(ranks).values(), reverse=True)
    match counts:
        case [4, *_]:
            return "four of a kind"
        case [3, 2]:
            return "full house"
        case [3, *_]:
            return "three of a kind"
        case [2, 2, *_]:
            return "two pairs"
        case [2, *_]:
            return "pair"
    return "high card"


def four_in_a_row(cells):
    for x, y in cells:
        for dx, dy in ((1, 0), (0, 1), (1, 1), (1, -1)):
            if all((x + k * dx, y + k * dy) in cells for k in range(4)):
                return True
    return False


def elevator_path(start, up_calls, down_calls):
    path = [start]
    for floor in sorted(f for f in up_calls if f >= start):
        path.append(floor)
    for floor in sorted(down_calls, reverse=True):
        if floor != path[-1]:
            path.append(floor)
    return path


def langton_ant(steps: int) -> int:
    black = set()
    place, heading = 0j, 1j
    for _ in range(steps):
        if place in black:
            black.remove(place)
            heading *= 1j
        else:
            black.add(place)
            heading *= -1j
        place += heading
    return len(black)


def l_system(axiom, rules, depth_left):
    text = axiom
    for _ in range(depth_left):
        text = "".join(rules.get(c, c) for c in text)
    return text


def cache_with_expiry(seconds, clock=time.monotonic):
    def decorate(func):
        store = {}

        @functools.wraps(func)
        def cached(*args):
            now = clock()
            if args in store and now - store[args][0] < seconds:
                return store[args][1]
            value = func(*args)
            store[args] = now, value
            return value

        return cached
    return decorate


def typechecked(func):
    hints = {k: t for k, t in func.__annotations__.items() if isinstance(t, type)}
    names = func.__code__.co_varnames

    @functools.wraps(func)
    def checked(*args):
        for name, value in zip(names, args):
            kind = hints.get(name, object)
            if not isinstance(value, kind):
                raise TypeError(f"{name} should be {kind.__name__}")
        return func(*args)

    return checked


def rotate_logs(path: str, keep: int = 3) -> None:
    for n in range(keep - 1, 0, -1):
        older, newer = f"{path}.{n + 1}", f"{path}.{n}"
        if os.path.exists(newer):
            os.replace(newer, older)
    if os.path.exists(path):
        os.replace(path, f"{path}.1")


def copy_newer(source: Path, target: Path) -> List[str]:
    copied = []
    for item in sorted(source.iterdir()):
        other = target / item.name
        if not other.exists() or item.stat().st_mtime > other.stat().st_mtime:
            shutil.copy2(item, other)
            copied.append(item.name)
    return copied


def lint_names(source):
    problems = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name != node.name.lower():
            problems.append((node.lineno, f"function {node.name} has capitals"))
        elif isinstance(node, ast.ClassDef) and "_" in node.name:
            problems.append((node.lineno, f"class {node.name} has underscores"))
    return problems


def apportion(votes: Dict[str, int], seats: int) -> Dict[str, int]:
    won = dict.fromkeys(votes, 0)
    for _ in range(seats):
        party = max(votes, key=lambda p: votes[p] / (won[p] + 1))
        won[party] += 1
    return won
