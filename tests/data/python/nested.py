"""A module's docstring is no function's."""
import functools

TABLE = {"square": lambda value: value * value}


def plain(a, b=1, *rest, key=None, **more):
    return a + b


async def fetch(session, address):
    async with session.get(address) as answer:
        async for line in answer:
            yield await line.text()


@functools.lru_cache(maxsize=None)
@TABLE.get("decorator",
           lambda f: f)
def decorated(n):
    return n if n < 2 else decorated(n - 1) + decorated(n - 2)


def one_line(x): return x + 1


class Outer:
    limit = 3

    def method(self):
        return [step for step in range(self.limit)]

    @property
    def size(self): return 1

    @staticmethod
    async def later(item):
        return item

    class Inner:
        def deep(self, *, flag=False):
            def deeper(count):
                nonlocal flag
                flag = count > 1
                return flag

            return deeper


def with_class(names):
    class Local:
        def __init__(self):
            self.names = names

        def first(self):
            return self.names[0]

    return Local


if TABLE:
    def conditional():
        pass
else:
    try:
        def conditional(other):
            return other
    except NameError:
        def conditional(third, /):
            return third


def generator(n):
    with open(n) as file, open(n) as other:
        while True:
            for line in file:
                yield line
            else:
                break


def generic(item: int) -> list[int]:
    match item:
        case [first, *others] if first:
            return others
        case {"key": value, **rest}:
            return value
        case Outer.limit | -1 | None:
            return []
        case _:
            return [item]
    try:
        del item
    except* ValueError as error:
        raise error from None
