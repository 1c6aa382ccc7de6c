"""The noisy channel's static, value for value (src/nn/distortions/noise.rs): ChaCha with 8 rounds, seeded as
rand_core seeds it, a table of normal numbers, and pieces of it."""

import numpy as np

TABLE, PIECE = 1 << 18, 128


def chacha8(seed, words):
    """The first 32-bit words of rand_chacha's ChaCha8Rng::seed_from_u64(seed)."""
    key, state = [], seed
    for _ in range(8):
        # rand_core fills a seed with PCG32.
        state = (state * 6364136223846793005 + 11634580027462260723) % (1 << 64)
        shifted = (((state >> 18) ^ state) >> 27) & 0xFFFFFFFF
        turn = state >> 59
        key.append(((shifted >> turn) | (shifted << (32 - turn) % 32)) & 0xFFFFFFFF)
    blocks = -(-words // 16)
    x = np.zeros((16, blocks), np.uint32)
    x[:4] = np.array([0x61707865, 0x3320646E, 0x79622D32, 0x6B206574], np.uint32)[:, None]
    x[4:12] = np.array(key, np.uint32)[:, None]
    x[12] = np.arange(blocks, dtype=np.uint32)
    begun = x.copy()

    def quarter(a, b, c, d):
        for p, q, r, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[p] += x[q]
            x[r] ^= x[p]
            x[r] = (x[r] << np.uint32(bits)) | (x[r] >> np.uint32(32 - bits))

    for _ in range(4):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return (x + begun).T.reshape(-1)[:words]


def table():
    """Box and Muller's normal numbers from the generator of seed 0."""
    uniform = (chacha8(0, 2 * TABLE) >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)
    radius, turn = np.float32(1) - uniform[::2], uniform[1::2]
    return np.sqrt(np.float32(-2) * np.log(radius)) * np.cos(np.float32(2 * np.pi) * turn)


NORMALS = table()


def static(seed, count):
    """The first `count` values of the static of a seed, of standard deviation 1."""
    draws = chacha8(seed, -(-count // PIECE))
    starts = (draws >> np.uint32(1)).astype(np.int64) % (TABLE - PIECE)
    signs = np.where(draws & 1 == 0, 1, -1).astype(np.float32)
    return (NORMALS[starts[:, None] + np.arange(PIECE)] * signs[:, None]).reshape(-1)[:count]
