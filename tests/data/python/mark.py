# -*- coding: utf-8 -*-
def marked():
    return "é"
