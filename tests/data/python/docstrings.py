def double():
    """One line."""
    return 1


def single():
    '''Three single quotes,
    with "quotes" and ''
    '''

    # What comes first now.
    return 2


def raw():
    r"""Raw: \d+ \
    goes on."""
    return 3


def only():
    """Nothing else."""


def only_with_comment():
    "Nothing else"  # but this
    # and this


def one_line(): "Only a docstring"


def one_line_more(): "A docstring"; return 4


def same_line():
    """First"""; value = 5
    return value


def semicolon():
    """First""";
    return 6


def commented():
    # before
    u"""Doc."""  # beside
    # after
    return 7


def joined():
    "One " 'and ' """another"""
    return 8


def bracketed():
    ("In brackets")
    return 9


def no_bytes():
    b"no docstring"
    return 10


def no_format():
    f"no docstring"
    return 11


def no_tuple():
    "no docstring",
    return 12


def later():
    value = 13
    "no docstring: not the first"
    return value


class Described:
    """A class."""

    def method(self):
        """A method.

        With a def of_no_function(): in it.
        """
        def inner():
            "Inner."
            return '''not
a docstring'''

        class Within:
            """Within."""

        return inner, Within
