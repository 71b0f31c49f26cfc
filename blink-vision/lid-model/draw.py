"""Draws eyes: what the lid model is trained on. No photograph and no person's data is used.

Lengths are in widths of the eye, x from the inner corner at -0.5 to the outer one at 0.5, y downwards. Grey levels are
0 to 255. Everything about an eye is random within the limits of faces and cameras: the lids' arches, how far they open,
where the eye looks, skin, iris, lashes, make-up, creases, brows, hair, rims, glare, shadows, and then the camera's
resolution, blur, light, noise and compression. A drawing is labelled with its openness (0 shut, 1 as far open as this
eye opens when it looks there) and its aperture (the distance between the lids in the drawing). What shows no eye, or one
that is covered, is labelled at random, so that the model learns to say that it is unsure.
"""
import cv2
import numpy as np

WIDTH, HEIGHT = 32, 24
SPAN_X, SPAN_Y = 1.7, 1.275  # as in src/eye_patch.rs
OVERSAMPLED = 2
NO_EYE, COVERED = 0.08, 0.04  # shares of the drawings


class Dice:
    """Random choices of one drawing."""

    def __init__(self, random):
        self.random = random

    def between(self, low, high):
        return low + (high - low) * self.random.random()

    def normal(self, spread):
        return self.random.normal() * spread

    def chance(self, share):
        return self.random.random() < share

    def log_between(self, low, high):
        return np.exp(self.between(np.log(low), np.log(high)))

    def count(self, low, high):
        return self.random.integers(low, high)

    def field(self, shape):
        return self.random.standard_normal(shape).astype(np.float32)


def step(x, softness):
    """A smooth step from 0 to 1 at x = 0."""
    return 1 / (1 + np.exp(-np.clip(x / softness, -30, 30)))


def ridge(x, width):
    return np.exp(-((x / width) ** 2))


def grid(columns, rows):
    x = ((np.arange(columns) + 0.5) / columns - 0.5) * SPAN_X
    y = ((np.arange(rows) + 0.5) / rows - 0.5) * SPAN_Y
    return np.meshgrid(x, y)


def canvas():
    return grid(WIDTH * OVERSAMPLED, HEIGHT * OVERSAMPLED)


def placed(dice, x, y):
    """The canvas in the eye's own coordinates, and how much taller the drawing is than the eye."""
    turn = np.deg2rad(dice.normal(5))
    cos, sin = np.cos(turn), np.sin(turn)
    foreshortened = dice.between(0.7, 1.0) if dice.chance(0.4) else 1
    wide, tall = dice.between(0.8, 1.15) * foreshortened, dice.between(0.85, 1.15)
    dx, dy = dice.normal(0.07), dice.normal(0.08)
    return ((x - dx) * cos + (y - dy) * sin) / wide, (-(x - dx) * sin + (y - dy) * cos) / tall, tall * abs(cos)


class Lids:
    """The curves of the lids, and how far they are apart."""

    def __init__(self, dice, x):
        self.axis = (dice.normal(0.06) - 0.03) * x
        top, roundness = dice.between(-0.12, 0.06), dice.between(1.7, 2.4)

        def arch(power, offset):
            side = np.where(x < offset, 0.5 + offset, 0.5 - offset)
            return np.clip(1 - np.abs(np.clip((x - offset) / side, -1, 1)) ** roundness, 0, 1) ** power

        self.narrow = dice.chance(0.35)
        self.upper_height = dice.between(0.07, 0.16) if self.narrow else dice.between(0.14, 0.36)
        self.lower_height = dice.between(0.03, 0.09) if self.narrow else dice.between(0.06, 0.19)
        self.upper_arch = arch(dice.between(0.7, 1.1), top)
        self.lower_arch = arch(dice.between(0.7, 1.2), dice.between(-0.05, 0.12))
        kind = dice.random.random()
        if kind < 0.25:
            self.openness = dice.between(-0.05, 0.06)
        elif kind < 0.55:
            self.openness = dice.between(0.85, 1.0)
        else:
            self.openness = dice.random.random()
        down = dice.between(0.08, 0.22) if dice.chance(0.2) else 0
        self.gaze = np.clip(dice.normal(0.09), -0.22, 0.22), np.clip(dice.normal(0.07) + down, -0.15, 0.24)
        self.open = np.clip(self.openness, 0, 1)
        # The upper lid follows the gaze downwards.
        follows = max(self.gaze[1], -0.05) * dice.between(0.6, 1.1)
        upper = max(self.upper_height - follows, 0.04 - self.lower_height * 0.5)
        squint = 1 - 0.6 * (dice.between(0, 0.5) if dice.chance(0.15) else 0)
        upper, lower = upper * squint, self.lower_height * squint
        meet = self.lower_height * dice.between(0.55, 1.0)
        self.below = self.axis + (meet + (lower - meet) * self.open) * self.lower_arch
        shut = self.axis + meet * self.lower_arch
        above = shut + (self.axis - upper * self.upper_arch - shut) * self.openness
        self.above = np.minimum(above, self.below if self.openness > 0.03 else self.below + 0.005)
        apart = (upper + meet) * self.openness + (lower - meet) * self.open
        self.aperture = max(0.0, apart) if self.openness > 0 else 0.0
        self.span = step(0.53 - np.abs(x), 0.03)


def skin(dice, x, y, lids, tone):
    image = np.full_like(x, tone)
    image *= 1 + dice.between(-0.25, 0.25) * x + dice.between(-0.25, 0.25) * y
    if dice.chance(0.4):  # a shadow from a side
        side = dice.random.choice([-1, 1])
        edge = side * (x - dice.between(-0.7, 0.7)) + dice.between(-0.4, 0.4) * y
        image *= 1 - dice.between(0.1, 0.6) * step(edge, dice.between(0.03, 0.3))
    image *= 1 - dice.between(0, 0.35) * np.exp(-((x + 0.55) ** 2 / 0.08 + (y + 0.22) ** 2 / 0.06))
    bag = (x - dice.between(-0.2, 0.2)) ** 2 / 0.2 + (y - lids.lower_height - dice.between(0.08, 0.25)) ** 2 / 0.01
    image *= 1 + dice.between(-0.2, 0.12) * np.exp(-bag)
    if dice.chance(0.6):  # a fold below the eye
        fold = lids.axis + (lids.lower_height + dice.between(0.07, 0.25)) * (1 - np.clip(2 * np.abs(x), 0, 1) ** 2)
        image *= 1 - dice.between(0, 0.25) * ridge(y - fold, dice.between(0.015, 0.05)) * step(x + 0.55, 0.1)
    height = lids.upper_height + dice.between(0.03, 0.16) * (0.6 if lids.narrow else 1)
    crease = lids.axis - height * lids.upper_arch - (1 - lids.open) * dice.between(-0.05, 0.04)
    plate = step(y - crease, 0.03) * step(lids.above - y, 0.015) * step(0.55 - np.abs(x), 0.05)
    image *= 1 + dice.between(-0.2, 0.22) * plate
    if dice.chance(0.35 if lids.narrow else 0.85):
        line = ridge(y - crease, dice.between(0.012, 0.04)) * step(0.55 - np.abs(x - 0.03), 0.06)
        image *= 1 - dice.between(0.05, 0.5) * line * (1 - 0.5 * (1 - lids.open))
    bulge = x**2 / 0.12 + ((y - lids.axis + 0.5 * lids.upper_height * lids.upper_arch) / 0.1) ** 2
    return image * (1 + dice.between(0, 0.25) * (1 - lids.open) * np.exp(-bulge))


def eyeball(dice, x, y, lids, tone):
    white = min(tone * dice.between(0.85, 1.7), 235) * (1 - dice.between(0.1, 0.5) * np.abs(x / 0.5) ** 2)
    white = white * (1 - dice.between(0.1, 0.6) * np.exp(-(y - lids.above) / dice.between(0.02, 0.1)))
    radius = dice.between(0.19, 0.26)
    right, down = lids.gaze
    middle = -0.24 * lids.upper_height + down
    distance = np.hypot(x - right - dice.between(-0.03, 0.03), y - middle)
    iris = min(tone * dice.between(0.1, 0.75), 110 if dice.chance(0.8) else 170)
    image = white + (iris - white) * step(radius - distance, dice.between(0.012, 0.04))
    image = image * (1 - dice.between(0.3, 0.95) * step(radius * dice.between(0.3, 0.6) - distance, 0.015))
    for _ in range(dice.count(1, 3) if dice.chance(0.7) else 0):  # reflections of lamps
        at = right + dice.between(-0.15, 0.15), down + dice.between(-0.18, 0.08)
        spot = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / dice.between(0.02, 0.06) ** 2)
        image = image + (dice.between(120, 255) - image) * spot * dice.between(0.3, 1)
    return image


def margins(dice, x, y, lids, image):
    """The lids' edges, lashes and make-up."""
    made_up = dice.chance(0.15)
    dark = dice.between(0.6, 0.97) if made_up else dice.between(0.15, 0.85)
    thick = dice.between(0.03, 0.08) if made_up else dice.between(0.012, 0.05)
    above = y - lids.above
    edge = np.where(above < 0, ridge(above, thick * dice.between(0.6, 1.6)), ridge(above, thick))
    image = image * (1 - dark * edge * lids.span)
    if dice.chance(0.6):  # lashes hang when the eye is shut and stand up when it is open
        length, out = dice.between(0.03, 0.14), above * (1 if lids.open < 0.45 else -1)
        comb = 1.0
        if dice.chance(0.5):
            comb = np.sin(x * dice.between(25, 60) + dice.between(0, 6) + out * dice.between(-10, 10)) * 0.5 + 0.5
        hair = step(out, 0.01) * np.exp(-np.clip(out, 0, 9) / length * 1.5) * (out < 2 * length) * comb
        hair = hair * lids.span * (0.4 + 0.6 * step(x - dice.between(-0.4, 0.1), 0.1))
        image = image * (1 - dice.between(0.1, 0.6) * hair)
    return image * (1 - dice.between(0, 0.4) * ridge(y - lids.below, dice.between(0.012, 0.04)) * lids.span)


def around(dice, x, y, lids, image):
    """Brows, hair and glasses."""
    if dice.chance(0.9):
        brow = lids.axis - (lids.upper_height + dice.between(0.22, 0.5)) - dice.between(0, 0.08) * np.cos(2 * x)
        brow = brow - dice.normal(0.04) * x + 0.05
        thick = dice.between(0.04, 0.11) * (1 - 0.3 * (x + 0.5))
        texture = 1 + 0.25 * dice.field(x.shape) * dice.chance(0.5)
        hair = step(thick - np.abs(y - brow), 0.03) * step(0.75 - np.abs(x), 0.05) * texture
        image = image * (1 - np.clip(dice.between(0.2, 0.85) * hair, 0, 0.95))
    if dice.chance(0.08):
        image = image * (1 - dice.between(0.4, 0.9) * step(-(y + 0.55) + dice.between(-1, 1) * x, 0.06))
    if dice.chance(0.4):
        middle = dice.between(-0.1, 0.25), dice.between(-0.1, 0.3)
        half, power = (dice.between(0.55, 0.95), dice.between(0.35, 0.65)), dice.between(2, 6)
        inside = np.abs((x - middle[0]) / half[0]) ** power + np.abs((y - middle[1]) / half[1]) ** power
        inside = inside ** (1 / power)
        rim = ridge(inside - 1, dice.between(0.02, 0.16))
        colour = dice.between(5, 60) if dice.chance(0.75) else dice.between(120, 250)
        half_rimmed = 1 if dice.chance(0.7) else step(-(y - middle[1]), 0.05)
        image = image + (colour - image) * rim * dice.between(0.3, 1) * half_rimmed
        lens = step(1 - inside, 0.02)
        image = image * (1 - lens * dice.between(0, 0.3) * dice.chance(0.3))
        for _ in range(dice.count(1, 3) if dice.chance(0.45) else 0):  # glare
            along = (x - dice.between(-0.6, 0.6) + dice.between(-0.6, 0.6) * y) / dice.between(0.05, 0.3)
            down = (y - dice.between(-0.35, 0.35)) / dice.between(0.04, 0.3)
            glare = np.exp(-(along**4 + down**4)) * lens
            image = image + (dice.between(150, 255) - image) * glare * dice.between(0.15, 0.95)
    return image


def camera(dice, image):
    """The drawing as a camera and a codec would show it."""
    image = cv2.resize(image.astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    if dice.chance(0.45):
        coarse = dice.between(0.35, 1.0)
        size = max(8, int(WIDTH * coarse)), max(6, int(HEIGHT * coarse))
        image = cv2.resize(cv2.resize(image, size, interpolation=cv2.INTER_AREA), (WIDTH, HEIGHT))
    if dice.chance(0.6):
        image = cv2.GaussianBlur(image, (0, 0), dice.between(0.3, 1.5))
    if dice.chance(0.15):  # movement
        length = dice.count(2, 6)
        kernel = np.zeros((7, 7), np.float32)
        line = slice(3 - length // 2, 3 - length // 2 + length)
        if dice.chance(0.5):
            kernel[3, line] = 1
        else:
            kernel[line, 3] = 1
        image = cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    image = 255 * np.clip(image / 255, 0, 1) ** dice.between(0.6, 1.5)
    gain = dice.log_between(0.12, 1) if dice.chance(0.35) else dice.between(0.7, 1.25)
    image = image * gain
    noise = dice.between(0, 2) if dice.chance(0.6) else dice.between(1, 8) * max(gain, 0.35)
    image = image + dice.field(image.shape) * noise
    if dice.chance(0.25):
        image = image + cv2.GaussianBlur(dice.field(image.shape), (0, 0), 0.8) * dice.between(0, 8) * max(gain, 0.3)
    image = np.clip(image, 0, 255).astype(np.uint8)
    if dice.chance(0.6):  # the grid of JPEG's blocks begins anywhere
        top, left = dice.count(0, 8), dice.count(0, 8)
        large = cv2.copyMakeBorder(image, top, 8, left, 8, cv2.BORDER_REPLICATE)
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(dice.between(15, 90))]
        large = cv2.imdecode(cv2.imencode(".jpg", large, quality)[1], cv2.IMREAD_GRAYSCALE)
        image = large[top : top + HEIGHT, left : left + WIDTH]
    return image


def eye(dice):
    """A drawing of an eye, with its openness and aperture."""
    x, y, tall = placed(dice, *canvas())
    lids = Lids(dice, x)
    tone = dice.log_between(45, 205)
    image = skin(dice, x, y, lids, tone)
    between = step(y - lids.above, 0.012) * step(lids.below - y, 0.012) * step(x + 0.5, 0.02) * step(0.5 - x, 0.02)
    image = image * (1 - between) + eyeball(dice, x, y, lids, tone) * between
    image = around(dice, x, y, lids, margins(dice, x, y, lids, image))
    return camera(dice, image), (lids.open, lids.aperture * tall)


def no_eye(dice):
    """Skin, hair, hands and whatever else may be where an eye is expected."""
    x, y = canvas()
    image = np.full_like(x, dice.log_between(20, 220))
    image *= 1 + dice.between(-0.4, 0.4) * x + dice.between(-0.4, 0.4) * y
    for _ in range(dice.count(0, 5)):
        angle = dice.between(0, 6.3)
        across = np.cos(angle) * x + np.sin(angle) * y - dice.between(-0.7, 0.7)
        across = across + dice.between(-0.15, 0.15) * np.sin(dice.between(2, 8) * (x - y))
        kind = dice.random.random()
        if kind < 0.35:
            image *= 1 - dice.between(0.1, 0.8) * step(across, dice.between(0.01, 0.2))
        elif kind < 0.7:
            image *= 1 - dice.between(0.05, 0.7) * ridge(across, dice.between(0.01, 0.1))
        else:
            wide = ((x - dice.between(-0.7, 0.7)) / dice.between(0.05, 0.5)) ** 2
            high = ((y - dice.between(-0.5, 0.5)) / dice.between(0.05, 0.4)) ** 2
            image = image + (dice.between(5, 250) - image) * np.exp(-wide - high) * dice.between(0.2, 1)
    if dice.chance(0.25):
        image *= 1 + 0.3 * np.sin(x * dice.between(10, 60) + y * dice.between(-30, 30)) * dice.between(0.2, 1)
    return camera(dice, image)


def covered(dice, image):
    """Something before a part of the picture."""
    x, y = grid(WIDTH, HEIGHT)
    angle = dice.between(0, 6.3)
    cover = step(np.cos(angle) * x + np.sin(angle) * y - dice.between(-0.25, 0.15), dice.between(0.01, 0.08))
    colour = dice.log_between(20, 220) * (1 + 0.3 * y + 0.2 * x)
    return np.clip(image * (1 - cover) + colour * cover, 0, 255).astype(np.uint8)


def drawings(seed, count):
    """`count` drawings, and for each its openness and aperture."""
    dice = Dice(np.random.default_rng(seed))
    images, labels = np.zeros((count, HEIGHT, WIDTH), np.uint8), np.zeros((count, 2), np.float32)
    for i in range(count):
        kind = dice.random.random()
        unknown = dice.random.random(), 0.4 * dice.random.random()
        if kind < NO_EYE:
            images[i], labels[i] = no_eye(dice), unknown
        else:
            images[i], labels[i] = eye(dice)
            if kind < NO_EYE + COVERED:
                images[i], labels[i] = covered(dice, images[i]), unknown
    return images, labels
