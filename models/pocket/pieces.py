"""The longer pieces that the pocket model knows by heart: stories, recipes and how-tos of 60 to 150 words.

Knows only text. A piece is long enough to take many slices, so that it can be interrupted, listened to and resumed.
In a topic, ``|`` stands where the topic could already be complete ("the fox" in "the fox and the river").
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """One text known by heart, and the words by which it is asked for."""

    form: str  # "story", "recipe" or "guide"
    topic: str
    text: str


def _story(topic: str, text: str) -> Piece:
    return Piece("story", topic, " ".join(text.split()))


def _recipe(topic: str, text: str) -> Piece:
    return Piece("recipe", topic, " ".join(text.split()))


def _guide(topic: str, text: str) -> Piece:
    return Piece("guide", topic, " ".join(text.split()))


PIECES: tuple[Piece, ...] = (
    _story(
        "the fox| and the river",
        """A young fox came to a wide river and did not dare to cross it. All day she walked along the bank and
        looked for a bridge. In the evening an old turtle asked her what was wrong. The fox told him, and the
        turtle laughed. He showed her a line of flat stones just under the water. The fox stepped from stone to
        stone and reached the other side with dry ears and wet feet. Since then she always asks before she
        worries.""",
    ),
    _story(
        "the kite| and the wind",
        """Once a red kite hung on a wall and dreamed of the sky. One morning a girl named Mina carried it up the
        hill. The wind pulled so hard that the string broke, and the kite flew away over the town. Everyone
        pointed up and cheered. At noon the wind grew tired and let the kite fall into a garden. The boy who lived
        there brought it back, and he and Mina have been friends ever since.""",
    ),
    _story(
        "the clock| that stopped",
        """In a quiet village there was a tower with a very old clock. One night the clock stopped, and nobody woke
        up in time. The baker burned no bread because he baked none, and the teacher came to school at lunch. A
        small girl climbed the tower and found a nest between the wheels. She moved the birds to a warm box, and
        the clock began to tick again. Now it rings a little late every spring, and nobody minds.""",
    ),
    _story(
        "the bear| and the honey",
        """Bruno the bear loved honey more than anything else. He found a tree full of bees and put his whole paw
        inside. The bees were angry and chased him into the lake. He sat in the cold water until dark. The next
        day he came back with a basket of flowers and asked politely. The bees gave him one small jar. Bruno said
        it was the best honey he ever tasted, because nobody stung him for it.""",
    ),
    _story(
        "the snowman| and the sun",
        """Three children built a snowman in front of their school. They gave him a hat, a scarf and a carrot nose.
        Every morning he greeted them, and every evening he watched the stars. When the sun grew warm, he became
        smaller and smaller. The children cried, but the snowman smiled. He told them that he would be rain in
        April, a pond in June and snow again in December. So they kept his hat and waited for him.""",
    ),
    _story(
        "the mouse| and the lion",
        """A lion caught a tiny mouse under his paw. The mouse begged him to let her go and promised to help him one
        day. The lion laughed at that, but he opened his paw. Weeks later hunters caught the lion in a strong net.
        He roared until the forest shook. The mouse heard him, ran to the net and bit through the ropes one by
        one. The lion was free, and he never laughed at small friends again.""",
    ),
    _story(
        "the lighthouse| keeper",
        """Far out on a rock lived an old man who kept the light burning. He had no company but a gray cat and the
        sea. One stormy night the lamp broke, and a ship was coming closer. The old man took his drum and beat it
        as loud as he could. The sailors heard the drum and turned away from the rocks. In the morning they
        brought him a new lamp, fresh oranges and a letter full of thanks.""",
    ),
    _story(
        "the dragon| who was afraid",
        """Deep in a cave lived a green dragon who was afraid of the dark. He slept with a candle next to his bed.
        One night the candle went out, and he began to shake. A firefly flew in and asked why such a big dragon
        was crying. When she heard the reason, she called all her sisters. A thousand small lights filled the
        cave. The dragon sleeps well now, and in return he warms them in winter.""",
    ),
    _story(
        "the apple| tree",
        """Behind our house stands an apple tree that my grandfather planted. For ten years it had no fruit, and the
        neighbors told him to cut it down. He only smiled and gave it more water. In the eleventh year there was
        one single apple, round and golden. Grandfather cut it into twelve thin slices and gave one to every
        neighbor. After that nobody asked him to cut the tree, and each autumn there is enough for the whole
        street.""",
    ),
    _story(
        "the robot| who sang",
        """Robot Seven worked in a factory and counted screws all day. One afternoon it heard a bird outside and
        tried to sing the same song. It sounded like a rusty door, and the workers laughed. Robot Seven practiced
        every night when the machines were asleep. After a year it could sing so well that the birds came to the
        window. The boss wanted to sell it, but the workers said no. A robot that sings makes the long day short.""",
    ),
    _story(
        "the pirate| and the map",
        """Captain Rosa owned an old map with a big cross on it. She sailed for two months, past whales and islands
        of ice. At last she found the beach and dug a deep hole in the sand. In the hole lay a wooden box, and in
        the box lay another map. Her crew groaned, but Rosa jumped for joy. She did not want gold at all. She
        wanted a reason to keep sailing.""",
    ),
    _story(
        "the penguin| who could fly",
        """Pip was a penguin who wanted to fly. His brothers told him that penguins only swim. Pip jumped from rocks,
        from boats and once from the back of a whale. Each time he fell with a splash. Then he looked down through
        the clear water and saw the blue deep below him. He spread his wings and raced between the fish. That is
        flying too, thought Pip, and my sky is full of dinner.""",
    ),
    _story(
        "the shoemaker| and the king",
        """A poor shoemaker was told to make shoes for the king. The king wanted shoes that never hurt and never got
        old. The shoemaker thought about it for seven days. Then he brought an empty box. Walk barefoot in your
        garden, he said, and your shoes will never hurt. The king tried it, felt the soft grass and laughed out
        loud. He paid the shoemaker with a bag of silver and bought a normal pair for the winter.""",
    ),
    _story(
        "the moon| and the owl",
        """Every night a little owl talked to the moon. She asked it many questions, but the moon never said a word.
        Some nights it was round, some nights thin, and once it was gone. The owl was sad and thought the moon was
        angry. Her mother explained that the moon only turns its face away to sleep. Two nights later a thin
        silver line came back. Good morning, whispered the owl, did you have nice dreams?""",
    ),
    _story(
        "the train| to nowhere",
        """At midnight a blue train stopped behind the bakery, and nobody knew where it came from. Leo stepped in
        with his pillow under his arm. The conductor had a long white beard and asked for one good dream as a
        ticket. Leo gave him the dream about the flying bathtub. The train rolled over clouds and through a tunnel
        of stars. When Leo woke up, he was in his own bed, and in his pocket was a tiny blue wheel.""",
    ),
    _story(
        "the elephant| who forgot",
        """People say that elephants never forget, but Ella forgot everything. She forgot her hat, her lunch and even
        her own birthday. Her friends tied a knot in her trunk so she would remember, and then she forgot what the
        knot was for. One day a small monkey got lost in the tall grass. Ella did not know the way home either, so
        she simply lifted him high above the grass. From up there he could see the village.""",
    ),
    _story(
        "the magic| pencil",
        """Nora found a yellow pencil that made every drawing real. She drew a cookie and ate it. She drew a dog, and
        it barked and ran around the table. Then her brother took the pencil and drew a storm. Rain fell from the
        ceiling and the cups began to swim. Quickly Nora drew a big umbrella and then a bright yellow sun. When
        all was dry, she put the pencil in a drawer and drew the rest of her life with a normal one.""",
    ),
    _story(
        "the frog| and the well",
        """A frog lived at the bottom of a well and was proud of it. He believed that the sky was as small as the
        hole above him. One summer a swallow rested on the edge and told him about the ocean. The frog did not
        believe her. So she let down a long green vine, and he climbed up for half a day. When he saw the wide
        fields and the endless sky, he was silent for the first time in his life.""",
    ),
    _recipe(
        "make pancakes",
        """To make pancakes, take two cups of flour, two eggs, a pinch of salt and two cups of milk. Stir everything
        in a big bowl until it is smooth, and let it rest for ten minutes. Heat a little butter in a pan. Pour in
        a small ladle of batter and wait until bubbles appear. Turn the pancake over and bake it until both sides
        are golden. Eat it warm with sugar, jam or syrup.""",
    ),
    _recipe(
        "make tomato soup",
        """For tomato soup, cut one onion and cook it in oil until it is soft. Add six ripe tomatoes, a clove of
        garlic and half a liter of water. Let the pot simmer for twenty minutes with the lid on. Then blend the
        soup until there are no lumps left. Season it with salt, pepper and a spoon of cream. Put some basil on
        top and serve it with toasted bread.""",
    ),
    _recipe(
        "make fried rice",
        """Fried rice is best with cold rice from yesterday. Beat two eggs, scramble them in a hot pan and set them
        aside. Now fry chopped carrots, peas and a green onion in some oil for three minutes. Add the rice and
        break it up with a wooden spoon. Pour soy sauce around the edge and toss it well. Mix in the eggs at the
        end, and your dinner is ready in a quarter of an hour.""",
    ),
    _recipe(
        "bake bread",
        """Good bread needs only flour, water, salt, yeast and time. Mix five hundred grams of flour with a spoon of
        salt and a little yeast. Add a large glass of warm water and knead the dough for ten minutes. Cover it
        with a towel and let it rise for one hour. Shape a round loaf, and wait another half hour. Bake it in a
        very hot oven for forty minutes, until it sounds hollow when you knock on it.""",
    ),
    _recipe(
        "make lemonade",
        """Fresh lemonade is easy and quick. Squeeze four lemons and take out the seeds. Warm one cup of water with
        half a cup of sugar until the sugar is gone. Pour the lemon juice and the sweet water into a jug. Fill it
        up with a liter of cold water and plenty of ice. Taste it, and add more sugar if it is too sour. A few
        leaves of mint make it look like summer.""",
    ),
    _recipe(
        "make a salad",
        """A simple salad starts with a clean head of lettuce. Wash the leaves, dry them and tear them into pieces.
        Slice a cucumber, two tomatoes and a small red onion. In a cup, shake three spoons of oil, one spoon of
        vinegar, some mustard and a pinch of salt. Pour the dressing over the vegetables just before you eat. If
        you are very hungry, add cheese, olives or a boiled egg.""",
    ),
    _recipe(
        "make hot chocolate",
        """Hot chocolate begins with good milk. Warm two cups of it slowly in a small pot, but do not let it boil.
        Break half a bar of dark chocolate into the pot and whisk until it melts. Add a spoon of cocoa, a little
        sugar and a tiny pinch of cinnamon. Pour it into your favorite mug and put whipped cream on top. Drink it
        on the sofa while it rains outside.""",
    ),
    _recipe(
        "cook pasta",
        """When you cook pasta, use a large pot and a lot of water. Bring the water to a boil and add one spoon of
        salt. Put in a hundred grams of pasta for each person and stir once. Keep it bubbling for about nine
        minutes, then try a piece. It should be soft outside and firm inside. Save a cup of the water, drain the
        rest and mix the pasta with your sauce right away.""",
    ),
    _recipe(
        "make an omelet",
        """For one omelet you need three eggs, a spoon of milk and a bit of butter. Beat the eggs with salt and
        pepper until they are foamy. Melt the butter in a pan over medium heat and pour in the eggs. As they set,
        push the edges gently to the middle. Scatter some cheese and ham over one half. Fold the other half over
        it, wait one more minute and slide it onto a plate.""",
    ),
    _recipe(
        "bake cookies",
        """Cookies are made in three steps. First stir soft butter with brown sugar until it is creamy. Second, add
        an egg, two cups of flour, some baking powder and a handful of chocolate chips. Third, roll small balls
        and set them on baking paper with space between them. Bake them for twelve minutes, no longer. They look
        too soft when they come out, but they get crisp while they cool down.""",
    ),
    _guide(
        "plant a seed",
        """Planting a seed takes one minute and then a lot of patience. Fill a small pot with soil and press a hole
        into it with your finger. Drop the seed in, cover it and sprinkle some water on top. Put the pot near a
        sunny window. Keep the soil moist, but never swimming wet. After a week or two a green tip will come out.
        Turn the pot every day, so that the plant grows straight.""",
    ),
    _guide(
        "wash my hands",
        """Washing hands well is a matter of twenty seconds. Hold them under running water first. Take some soap and
        rub your palms together until there is foam. Do not forget the backs of the hands, the thumbs and the
        space between the fingers. Hum a birthday song twice while you rub. Then rinse everything off and dry your
        hands with a clean towel. Do this before meals and whenever you come home.""",
    ),
    _guide(
        "tie my shoes",
        """Tying shoes is easier with two loops. Cross the laces, tuck one under the other and pull them tight. Make
        a loop with each lace so that they look like rabbit ears. Cross the ears, push one of them through the gap
        below and pull both sides. The bow should lie flat across the shoe. If it stands up and down, you crossed
        in the same direction twice. Practice it on your knee, not on your foot.""",
    ),
    _guide(
        "fix a flat tire",
        """A flat bicycle tire is no disaster. Turn the bike upside down and take the wheel off. Lever the tire over
        the rim and pull out the tube. Pump it up and hold it under water, and rising bubbles will show you the
        hole. Dry that spot, rough it up with sandpaper and spread glue on it. After five minutes press a patch on
        firmly. Put everything back together and pump it hard.""",
    ),
    _guide(
        "fall asleep",
        """Falling asleep starts an hour before bedtime. Turn off bright screens and dim the lights in your room.
        Open the window for a moment, since cool air helps the body rest. Lie on your back and breathe in while
        you slowly think of four. Breathe out twice as long. Relax your feet, your legs, your belly and finally
        your face. If thoughts keep spinning, write them on paper and leave them there until tomorrow.""",
    ),
    _guide(
        "clean a window",
        """Cleaning a window works best on a cloudy day, because sun dries the water too fast. Put a drop of dish
        soap in a bucket of lukewarm water. Wipe the frame first, then the glass with a wet cloth. Pull the water
        down with a rubber blade in long lines from left to right. Wipe the blade after each line. Polish the
        corners with old newspaper and step back to check for streaks.""",
    ),
    _guide(
        "brush my teeth",
        """Brushing teeth takes two minutes in the morning and two at night. Use a soft brush and a pea of
        toothpaste. Start with the outer sides and make small circles, not hard strokes. Go on with the inner
        sides and finish with the chewing surfaces. Brush your tongue as well, because it collects a lot of germs.
        Spit out, but do not rinse too much. Change your brush every three months or when it looks like a broom.""",
    ),
    _guide(
        "fold a paper plane",
        """A paper plane needs one sheet and six folds. Lay the sheet upright and fold it in half the long way, then
        open it. Bring both top corners to the middle line. Fold the new slanted edges to the middle once more.
        Close the plane along the line, with the folds inside. Bend each wing down so that it is level with the
        body. Throw it gently and a little upward, and it will glide across the room.""",
    ),
    _guide(
        "paint a wall",
        """Before painting a wall, move the furniture away and cover the floor with foil. Tape the edges of doors and
        sockets. Fill old holes with putty and sand them smooth. Begin with a brush along the corners. Then load a
        roller and paint in the shape of a big letter W. Work quickly so that no dry borders show. Wait four hours
        before the second coat, and remove the tape while the paint is still damp.""",
    ),
    _guide(
        "make a bed",
        """Making a bed neatly gives the day a good start. Shake out the pillows and hang the blanket over a chair
        for some fresh air. Stretch the sheet and tuck its corners under the mattress. Spread the blanket from the
        foot end upward and smooth out every wrinkle with flat hands. Fold back the upper edge like the page of a
        book. Place the pillows on it, and the cat will find the spot within a minute.""",
    ),
    _guide(
        "learn a new word",
        """A new word stays with you if you meet it often. Say it aloud three times and listen to its rhythm. Look
        for a picture that belongs to it, the sillier the better. Write a short sentence about yourself with the
        word in it. Use it in a talk on the same day, even if it feels strange. Repeat it tomorrow, in one week
        and in one month. After that it is yours forever.""",
    ),
    _guide(
        "take a good photo",
        """A good photo begins with light. Stand so that the sun is behind you or comes from the side. Clean the lens
        with your shirt. Go nearer than you think and look for a calm background. Put the face or the flower a
        little away from the center. Hold your breath, keep the elbows close and press softly. Take several shots,
        because somebody always blinks. Later delete the bad ones without mercy.""",
    ),
)

JOKES: tuple[str, ...] = (
    "Why did the chicken cross the road? Because it wanted to get to the other side before the duck did.",
    "What do you call a bear with no teeth? You call it a gummy bear.",
    "Why is six afraid of seven? Because seven ate nine, and six was sitting right next to them.",
    "Two fish are in a tank. One asks the other whether he knows how to drive this thing.",
)
