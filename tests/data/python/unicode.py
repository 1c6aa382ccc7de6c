def größe(länge, ブロック="日本語 🎉"):
    """Länge."""
    ﬁx = länge * len(ブロック)
    return ﬁx  # ✓
