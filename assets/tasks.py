# Thirty tasks, each written in four ways with names that tell nothing.

# task: sum of even squares

def f(a):
    x = 0
    for y in a:
        if y % 2 == 0:
            x += y * y
    return x

def f(a):
    x = [y * y for y in a if y % 2 == 0]
    return sum(x)

def f(a):
    if not a:
        return 0
    x, *y = a
    if x % 2:
        return f(y)
    return x * x + f(y)

def f(a):
    from functools import reduce
    x = filter(lambda y: y % 2 == 0, a)
    return reduce(lambda z, i: z + i ** 2, x, 0)

# task: palindrome test

def f(a):
    x, y = 0, len(a) - 1
    while x < y:
        if a[x] != a[y]:
            return False
        x += 1
        y -= 1
    return True

def f(a):
    x = "".join(reversed(a))
    return x == a

def f(a):
    if len(a) < 2:
        return True
    if a[0] == a[-1]:
        return f(a[1:-1])
    return False

def f(a):
    from collections import deque
    x = deque(a)
    while len(x) > 1:
        if x.popleft() != x.pop():
            return False
    return True

# task: count of each word

def f(a):
    x = {}
    for y in a.split():
        x[y] = x.get(y, 0) + 1
    return x

def f(a):
    from collections import Counter
    x = Counter(a.split())
    return dict(x)

def f(a):
    x = a.split()
    return {y: x.count(y) for y in set(x)}

def f(a):
    x = sorted(a.split())
    y = {}
    z = 0
    while z < len(x):
        i = z
        while i < len(x) and x[i] == x[z]:
            i += 1
        y[x[z]] = i - z
        z = i
    return y

# task: reverse the words of a text

def f(a):
    x = a.split()
    return " ".join(x[::-1])

def f(a):
    x = ""
    for y in a.split():
        if x:
            x = f"{y} {x}"
        else:
            x = y
    return x

def f(a):
    x, _, y = a.strip().partition(" ")
    if not y:
        return x
    return f(y) + " " + x

def f(a):
    x = a.split()
    y = []
    while x:
        y.append(x.pop())
    return " ".join(y)

# task: flatten a nested list

def f(a):
    x = []
    for y in a:
        if isinstance(y, list):
            x.extend(f(y))
        else:
            x.append(y)
    return x

def f(a):
    x = a[::-1]
    y = []
    while x:
        z = x.pop()
        if isinstance(z, list):
            x += reversed(z)
        else:
            y.append(z)
    return y

def f(a):
    if not isinstance(a, list):
        return [a]
    return sum(map(f, a), [])

def f(a):
    def g(x):
        try:
            for y in x:
                yield from g(y)
        except TypeError:
            yield x
    return list(g(a))

# task: factorial

def f(a):
    x = 1
    for y in range(2, a + 1):
        x *= y
    return x

def f(a):
    if a <= 1:
        return 1
    return a * f(a - 1)

def f(a):
    import math
    x = range(1, a + 1)
    return math.prod(x)

def f(a):
    from functools import reduce
    from operator import mul
    return reduce(mul, [x + 1 for x in range(a)], 1)

# task: fibonacci number

def f(a):
    x, y = 0, 1
    for _ in range(a):
        x, y = y, x + y
    return x

def f(a):
    if a < 2:
        return a
    return f(a - 1) + f(a - 2)

def f(a):
    x = [0, 1]
    while len(x) <= a:
        x.append(sum(x[-2:]))
    return x[a]

def f(a):
    x, y = 0, 1
    for z in bin(a)[2:]:
        x, y = x * (2 * y - x), x * x + y * y
        if z == "1":
            x, y = y, x + y
    return x

# task: greatest common divisor

def f(a, b):
    while b:
        a, b = b, a % b
    return a

def f(a, b):
    if b == 0:
        return a
    return f(b, a % b)

def f(a, b):
    for x in range(min(a, b), 0, -1):
        if a % x == 0 and b % x == 0:
            return x
    return max(a, b)

def f(a, b):
    if not a or not b:
        return a or b
    while a != b:
        if a > b:
            a -= b
        else:
            b -= a
    return a

# task: primes below a number

def f(a):
    x = []
    for y in range(2, a):
        for z in x:
            if y % z == 0:
                break
        else:
            x.append(y)
    return x

def f(a):
    x = [True] * a
    x[:2] = [False] * min(a, 2)
    y = 2
    while y * y < a:
        if x[y]:
            for z in range(y * y, a, y):
                x[z] = False
        y += 1
    return [i for i, j in enumerate(x) if j]

def f(a):
    x = lambda y: all(y % z for z in range(2, int(y ** 0.5) + 1))
    return list(filter(x, range(2, a)))

def f(a):
    x = set(range(2, a))
    for y in range(2, a):
        x -= set(range(2 * y, a, y))
    return sorted(x)

# task: most frequent item

def f(a):
    x = {}
    y = None
    for z in a:
        x[z] = x.get(z, 0) + 1
    for z in x:
        if y is None or x[z] > x[y]:
            y = z
    return y

def f(a):
    if len(a) > 0:
        return max(a, key=a.count)

def f(a):
    from collections import Counter
    try:
        return Counter(a).most_common(1)[0][0]
    except IndexError:
        return None

def f(a):
    x, y = 0, None
    for z in range(len(a)):
        i = 0
        for j in range(z, len(a)):
            if a[j] == a[z]:
                i += 1
        if i > x:
            x, y = i, a[z]
    return y

# task: remove duplicates in order

def f(a):
    x = set()
    y = []
    for z in a:
        if z not in x:
            x.add(z)
            y.append(z)
    return y

def f(a):
    x = dict.fromkeys(a)
    return list(x)

def f(a):
    x = enumerate(a)
    return [y for z, y in x if a.index(y) == z]

def f(a):
    if a == []:
        return a
    x = a[0]
    return [x] + f(list(filter(lambda y: y != x, a[1:])))

# task: transpose a matrix

def f(a):
    x = zip(*a)
    return [list(y) for y in x]

def f(a):
    x = []
    for y in range(len(a[0])):
        z = []
        for i in range(len(a)):
            z.append(a[i][y])
        x.append(z)
    return x

def f(a):
    if not a[0]:
        return []
    x = [y[0] for y in a]
    return [x] + f([y[1:] for y in a])

def f(a):
    x = {}
    for y in a:
        for z, i in enumerate(y):
            x.setdefault(z, []).append(i)
    return list(x.values())

# task: binary search

def f(a, b):
    x, y = 0, len(a) - 1
    while x <= y:
        z = (x + y) // 2
        if a[z] == b:
            return z
        if a[z] < b:
            x = z + 1
        else:
            y = z - 1
    return -1

def f(a, b):
    from bisect import bisect_left
    x = bisect_left(a, b)
    return x if x < len(a) and a[x] == b else -1

def f(a, b, c=0):
    if not a:
        return -1
    x = len(a) >> 1
    if b == a[x]:
        return c + x
    if b < a[x]:
        return f(a[:x], b, c)
    return f(a[x + 1:], b, c + x + 1)

def f(a, b):
    x = -1
    y = len(a)
    while y > 0:
        while x + y < len(a) and a[x + y] <= b:
            x += y
        y //= 2
    if x >= 0 and a[x] == b:
        return x
    return -1

# task: merge two sorted lists

def f(a, b):
    x = []
    y = z = 0
    while y < len(a) and z < len(b):
        if a[y] <= b[z]:
            x.append(a[y])
            y += 1
        else:
            x.append(b[z])
            z += 1
    return x + a[y:] + b[z:]

def f(a, b):
    x = [*a, *b]
    x.sort()
    return x

def f(a, b):
    if not a or not b:
        return a or b
    if a[0] > b[0]:
        a, b = b, a
    return a[:1] + f(a[1:], b)

def f(a, b):
    from bisect import insort
    x = list(a)
    for y in b:
        insort(x, y)
    return x

# task: group items by key

def f(a, b):
    x = {}
    for y in a:
        z = b(y)
        if z in x:
            x[z].append(y)
        else:
            x[z] = [y]
    return x

def f(a, b):
    from collections import defaultdict
    x = defaultdict(list)
    for y, z in zip(map(b, a), a):
        x[y] += [z]
    return dict(x)

def f(a, b):
    from itertools import groupby
    x = sorted(a, key=b)
    return {y: list(z) for y, z in groupby(x, b)}

def f(a, b):
    x = {b(y) for y in a}
    return {z: [i for i in a if b(i) == z] for z in x}

# task: invert a dict

def f(a):
    x = {}
    for y, z in a.items():
        x[z] = y
    return x

def f(a):
    x = a.keys()
    return {a[y]: y for y in x}

def f(a):
    x = list(a.keys())
    y = list(a.values())
    return dict(zip(y, x))

def f(a):
    x = map(reversed, a.items())
    return dict(x)

# task: running totals

def f(a):
    x = 0
    y = []
    for z in a:
        x += z
        y.append(x)
    return y

def f(a):
    x = len(a)
    return [sum(a[:y]) for y in range(1, x + 1)]

def f(a):
    from itertools import accumulate
    x = accumulate(a)
    return list(x)

def f(a):
    if len(a) == 0:
        return []
    *x, y = a
    z = f(x)
    return z + [y + z[-1] if z else y]

# task: moving average

def f(a, b):
    x = []
    for y in range(len(a) - b + 1):
        x.append(sum(a[y:y + b]) / b)
    return x

def f(a, b):
    from collections import deque
    x, y = deque(maxlen=b), []
    for z in a:
        x.append(z)
        if len(x) == b:
            y += [sum(x) / len(x)]
    return y

def f(a, b):
    if len(a) < b:
        return []
    x = sum(a[:b])
    y = [x / b]
    for z in range(b, len(a)):
        x += a[z] - a[z - b]
        y.append(x / b)
    return y

def f(a, b):
    from statistics import mean
    x = range(len(a) - b + 1)
    return [mean(a[y:y + b]) for y in x]

# task: longest word

def f(a):
    x = ""
    for y in a.split():
        if len(y) > len(x):
            x = y
    return x

def f(a):
    x = a.split()
    return max(x, key=len, default="")

def f(a):
    x = sorted(a.split(), key=lambda y: -len(y))
    try:
        return x[0]
    except IndexError:
        return ""

def f(a):
    x, _, y = a.strip().partition(" ")
    if y == "":
        return x
    z = f(y)
    return z if len(z) > len(x) else x

# task: caesar shift

def f(a, b):
    x = ""
    for y in a:
        if "a" <= y <= "z":
            x += chr((ord(y) - 97 + b) % 26 + 97)
        else:
            x += y
    return x

def f(a, b):
    from string import ascii_lowercase as x
    b %= 26
    y = str.maketrans(x, x[b:] + x[:b])
    return a.translate(y)

def f(a, b):
    x = "abcdefghijklmnopqrstuvwxyz"
    y = [x.find(z) for z in a]
    return "".join(x[i - 26 + b % 26] if i >= 0 else j for i, j in zip(y, a))

def f(a, b):
    import re
    def g(x):
        y = ord(x.group()) - 97
        return chr((y + b) % 26 + 97)
    return re.sub("[a-z]", g, a)

# task: count vowels

def f(a):
    x = 0
    for y in a.lower():
        if y in "aeiou":
            x += 1
    return x

def f(a):
    x = a.lower()
    return sum(map(x.count, "aeiou"))

def f(a):
    import re
    x = re.findall("[aeiou]", a.lower())
    return len(x)

def f(a):
    if not a:
        return 0
    x = f(a[1:])
    if a[0].lower() in "aeiou":
        return x + 1
    return x

# task: sum of digits

def f(a):
    x = 0
    while a > 0:
        x += a % 10
        a //= 10
    return x

def f(a):
    x = str(a)
    return sum(int(y) for y in x)

def f(a):
    if a < 10:
        return a
    x, y = divmod(a, 10)
    return y + f(x)

def f(a):
    x = f"{a}"
    return sum(y * x.count(str(y)) for y in range(1, 10))

# task: clamp a number

def f(a, b, c):
    if a < b:
        return b
    if a > c:
        return c
    return a

def f(a, b, c):
    x = min(a, c)
    return max(x, b)

def f(a, b, c):
    x = sorted([a, b, c])
    return x[1]

def f(a, b, c):
    x = a
    if not b <= x <= c:
        x = b if abs(x - b) < abs(x - c) else c
    return x

# task: read the whole numbers of a text

def f(a):
    x = []
    for y in a.split():
        try:
            x.append(int(y))
        except ValueError:
            pass
    return x

def f(a):
    import re
    x = re.findall(r"(?<!\S)-?\d+(?!\S)", a)
    return list(map(int, x))

def f(a):
    x = lambda y: y.removeprefix("-").isdigit()
    return [int(y) for y in filter(x, a.split())]

def f(a):
    x, y = [], ""
    for z in a + " ":
        if not z.isspace():
            y += z
            continue
        i = y[1:] if y[:1] == "-" else y
        if i and all("0" <= j <= "9" for j in i):
            x.append(int(y))
        y = ""
    return x

# task: parse key=value lines

def f(a):
    x = {}
    for y in a.splitlines():
        if "=" in y:
            z, i = y.split("=", 1)
            x[z.strip()] = i.strip()
    return x

def f(a):
    import re
    x = re.findall(r"^\s*(.*?)\s*=[ \t]*(.*?)[ \t]*$", a, re.MULTILINE)
    return dict(x)

def f(a):
    x = [y.partition("=") for y in a.split("\n")]
    return {y.strip(): z.strip() for y, i, z in x if i}

def f(a):
    import io
    x = {}
    for y in io.StringIO(a):
        try:
            z = y.index("=")
        except ValueError:
            continue
        x.update([(y[:z].strip(), y[z + 1:].strip())])
    return x

# task: largest number of a nested list

def f(a):
    x = None
    for y in a:
        if isinstance(y, list):
            y = f(y)
        if x is None or y > x:
            x = y
    return x

def f(a):
    if not isinstance(a, list):
        return a
    return max(map(f, a))

def f(a):
    import re
    x = re.findall(r"-?\d+", str(a))
    return max(map(int, x))

def f(a):
    x = [a]
    y = float("-inf")
    while x:
        z = x.pop()
        try:
            x.extend(z)
        except TypeError:
            y = max(y, z)
    return y

# task: pairs that add up to a number

def f(a, b):
    x = []
    for y in range(len(a)):
        for z in range(y + 1, len(a)):
            if a[y] + a[z] == b:
                x.append((a[y], a[z]))
    return sorted(x)

def f(a, b):
    from itertools import combinations
    return sorted(x for x in combinations(a, 2) if sum(x) == b)

def f(a, b):
    x, y = set(a), set()
    for z in a:
        if b - z in x and a.index(b - z) > a.index(z):
            y.add((z, b - z))
    return sorted(y)

def f(a, b):
    if len(a) < 2:
        return []
    x, *y = a
    z = [(x, i) for i in y if i == b - x]
    z.extend(f(y, b))
    z.sort()
    return z

# task: anagram test

def f(a, b):
    x, y = sorted(a), sorted(b)
    return x == y

def f(a, b):
    from collections import Counter
    x, y = map(Counter, (a, b))
    return not (x - y or y - x)

def f(a, b):
    if len(a) != len(b):
        return False
    for x in a:
        if x not in b:
            return False
        b = b.replace(x, "", 1)
    return True

def f(a, b):
    x = {}
    for y in a:
        x[y] = x.get(y, 0) + 1
    for y in b:
        x[y] = x.get(y, 0) - 1
    return not any(x.values())

# task: cut into chunks of a size

def f(a, b):
    x = range(0, len(a), b)
    return [a[y:y + b] for y in x]

def f(a, b):
    x = []
    for y in a:
        if not x or len(x[-1]) == b:
            x.append([])
        x[-1].append(y)
    return x

def f(a, b):
    if not a:
        return []
    return [a[:b]] + f(a[b:], b)

def f(a, b):
    from itertools import islice
    x = iter(a)
    y = []
    while z := list(islice(x, b)):
        y.append(z)
    return y

# task: dot product

def f(a, b):
    x = 0
    for y in range(len(a)):
        x += a[y] * b[y]
    return x

def f(a, b):
    x = zip(a, b)
    return sum(y * z for y, z in x)

def f(a, b):
    from operator import mul
    x = map(mul, a, b)
    return sum(x)

def f(a, b):
    if a and b:
        return a[0] * b[0] + f(a[1:], b[1:])
    return 0
