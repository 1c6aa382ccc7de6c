def before():
    return 1

def after():
    x = 2

    return x
class Page:
    def fed(self):
        return 3
