"""Makes channel.json: reference results of numpy, scipy and Pillow, for tests/distortions.rs.

    pip install numpy==2.4.6 scipy==1.17.1 pillow==13.0.0
    python make_channel.py > channel.json

Homographies are solved from point pairs or multiplied from their parts, pictures are neither square
nor powers of two.
"""

import io
import json

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.fft import dctn, idctn

HEIGHT, WIDTH = 13, 18
rng = np.random.default_rng(3)


def listed(array):
    return {"shape": list(np.shape(array)), "values": [float(f"{v:.5g}") for v in np.ravel(array)]}


def affine(rotation, shear, zoom, shift):
    """Where the picture's points go: magnified, sheared, turned, shifted."""
    turn = [[np.cos(rotation), -np.sin(rotation)], [np.sin(rotation), np.cos(rotation)]]
    matrix = np.eye(3)
    matrix[:2, :2] = np.array(turn) @ [[1, np.tan(shear)], [0, 1]] @ (np.eye(2) * zoom)
    matrix[:2, 2] = shift
    return matrix


def quadrilateral(corners):
    """The map that takes the picture's corners to these: eight equations."""
    rows, right = [], []
    for (x, y), (u, v) in zip([(-1, -1), (1, -1), (1, 1), (-1, 1)], corners):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.append(np.linalg.solve(rows, right), 1).reshape(3, 3)


def warped(picture, forward, size):
    (height, width), back = size, np.linalg.inv(forward)
    y, x = np.meshgrid(
        (2 * np.arange(height) + 1) / height - 1, (2 * np.arange(width) + 1) / width - 1, indexing="ij"
    )
    u, v, w = np.einsum("ij,jhw->ihw", back, np.stack([x, y, np.ones_like(x)]))
    places = [((v / w + 1) * picture.shape[1] - 1) / 2, ((u / w + 1) * picture.shape[2] - 1) / 2]
    return np.stack([ndimage.map_coordinates(p, places, order=1, mode="nearest") for p in picture])


def blurred(picture, deviation):
    kernel = np.exp(-0.5 * (np.arange(-3, 4) / deviation) ** 2)
    for axis in (1, 2):
        picture = ndimage.correlate1d(picture, kernel / kernel.sum(), axis=axis, mode="nearest")
    return picture


def jpeg(levels, quality):
    """Pillow's quantisation, without the roundings of colours and pixels that its files have too."""
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=quality, subsampling=0)
    picture = Image.open(file)
    tables = [np.reshape(picture.quantization[k], (8, 8)) for k in (0, 1, 1)]
    height, width, _ = levels.shape
    padded = np.pad(levels - 128.0, ((0, -height % 8), (0, -width % 8), (0, 0)), mode="edge")
    colours = np.array([[0.299, 0.587, 0.114], [-0.1687359, -0.3312641, 0.5], [0.5, -0.4186876, -0.0813124]])
    pixels = padded @ colours.T
    for i in range(0, pixels.shape[0], 8):
        for j in range(0, pixels.shape[1], 8):
            for channel, table in enumerate(tables):
                block = pixels[i : i + 8, j : j + 8, channel]
                block[:] = idctn(np.round(dctn(block, norm="ortho") / table) * table, norm="ortho")
    result = ((pixels @ np.linalg.inv(colours).T)[:height, :width] + 128) / 255
    # A few waves fall to another step where Pillow rounded the colours first.
    assert np.abs(result.clip(0, 1) * 255 - np.asarray(picture)).mean() < 2
    return result.transpose(2, 0, 1)[None]


pictures = np.round(rng.random((2, 3, HEIGHT, WIDTH)), 4)
parts = {"rotation": 0.4, "shear": -0.2, "zoom": 1.3, "shift": [0.15, -0.25]}
corners = [[-0.9, -0.7], [0.8, -1.1], [1.15, 0.85], [-0.75, 0.95]]
forwards = [affine(**parts), quadrilateral(corners)]
deviations = [0.6, 3.8]

down, across = np.mgrid[0:20, 0:27]
waves = [np.sin(across / 3) * np.cos(down / 5), np.sin(down / 2), np.cos((across - down) / 4)]
levels = np.uint8(np.round(127.5 + 110 * np.stack(waves, 2) + rng.normal(0, 8, (20, 27, 3))).clip(0, 255))

print(
    json.dumps(
        {
            "pictures": listed(pictures),
            "affine": parts,
            "corners": corners,
            "affine_corners": [
                list(p[:2] / p[2])
                for p in (forwards[0] @ [x, y, 1] for x, y in [(-1, -1), (1, -1), (1, 1), (-1, 1)])
            ],
            "warped": listed([warped(p, f, (HEIGHT, WIDTH)) for p, f in zip(pictures, forwards)]),
            "warped_size": listed([warped(p, f, (9, 22)) for p, f in zip(pictures, forwards)]),
            "deviations": deviations,
            "blurred": listed([blurred(p, d) for p, d in zip(pictures, deviations)]),
            "file": listed(levels.transpose(2, 0, 1)[None]),
            "jpeg": [{"quality": q, "picture": listed(jpeg(levels, q))} for q in (15, 75)],
        }
    )
)
