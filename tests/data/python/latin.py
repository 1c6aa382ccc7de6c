# -*- coding: latin-1 -*-
def latin():
    return "é"
