def crlf(x):
    """Doc
    more."""
    y = """a
b"""
    return (x,
            y)

def bare(x):    return x