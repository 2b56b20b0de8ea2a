"""Short texts about things, of three or four sentences, which the pocket model knows by heart. Knows only text."""

from __future__ import annotations

from pieces import Piece


def _text(topic: str, text: str) -> Piece:
    return Piece("text", topic, " ".join(text.split()))


TEXTS: tuple[Piece, ...] = (
    _text(
        "the moon",
        """The moon is a ball of gray rock that goes around the earth once a month. It does not shine by itself, it
        only throws back the light of the sun. Twelve people have walked on it.""",
    ),
    _text(
        "the sun",
        """The sun is a star, a huge ball of hot gas. It is so big that a million earths would fit inside. Its light
        needs eight minutes to reach us, and without it nothing would grow.""",
    ),
    _text(
        "rain",
        """Rain begins with the sun, which warms the sea until water rises as vapor. High up it cools and becomes a
        cloud of tiny drops. When the drops are too heavy, they fall down to us.""",
    ),
    _text(
        "bees",
        """Bees live together in hives of many thousands. They fly from flower to flower, drink the sweet juice and
        carry dust from one to the next. That is how apples and cherries can grow, and we get honey.""",
    ),
    _text(
        "trees",
        """Trees are the largest plants of all. They drink water with their roots and catch light with their leaves.
        From air and light they make sugar and wood. Some of them live for more than a thousand years.""",
    ),
    _text(
        "the sea",
        """The sea covers more than two thirds of the earth. Its water is salty, because rivers wash salt out of the
        rocks. In the deepest places it is eleven kilometers down, and nobody hears a wave there.""",
    ),
    _text(
        "volcanoes",
        """Deep in the earth it is so hot that rock melts. A volcano is a mountain with a hole in it through which
        this rock comes up. It flows down as glowing lava, and later the best soil is made of it.""",
    ),
    _text(
        "the heart",
        """The heart is a muscle as big as your fist. It beats about seventy times in a minute and pushes blood into
        all parts of the body. It never takes a break, not even when you sleep.""",
    ),
    _text(
        "sleep",
        """While you sleep, your body repairs itself and your brain sorts what it has learned. Grown people need
        seven or eight hours, babies twice as much. Nobody knows exactly why we dream.""",
    ),
    _text(
        "snow",
        """Snow is made of tiny stars of ice. They grow in cold clouds, and each of them has six arms. There is a
        lot of air between them, so snow is soft, and a thick cover of it keeps the ground warm.""",
    ),
    _text(
        "whales",
        """Whales look like fish, but they breathe air as we do. The blue whale is the largest animal that ever
        lived, and it eats nothing but tiny shrimps. Some whales sing songs which can be heard for hundreds of
        kilometers.""",
    ),
    _text(
        "stars",
        """Stars are suns that are very far away. With bare eyes we can see a few thousand of them, but there are
        more than all grains of sand on earth. Their color shows how hot they are, and blue ones are the
        hottest.""",
    ),
)
