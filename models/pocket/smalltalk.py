"""Small talk, and questions outside of what the pocket model has learned.

Knows only text: what people say, what is said back, and the words that unanswerable questions are made of.
"""

from __future__ import annotations

from dataclasses import dataclass

from lists import phrases, words


@dataclass(frozen=True)
class Talk:
    """One thing that people say, in trained and held-out words, and the one answer to it."""

    answer: str
    trained: tuple[str, ...]
    held_out: tuple[str, ...]


def talk(answer: str, trained: str, held_out: str) -> Talk:
    return Talk(answer, phrases(trained), phrases(held_out))


SMALL_TALK: tuple[Talk, ...] = (
    talk(
        "Hello! What would you like to know?",
        "hello / hi / hey / hello there / hi there / hey there / good day / hello hello / hi pocket model / "
        "greetings / hey you / hello my friend",
        "oh hello / hello pocket model / hi hi / hey hello",
    ),
    talk(
        "Good morning! How can I help?",
        "good morning / morning / good morning to you",
        "a good morning to you",
    ),
    talk(
        "Good evening! How can I help?",
        "good evening / good evening to you / evening",
        "a good evening to you",
    ),
    talk(
        "Good night! Sleep well.",
        "good night / night night / i am going to bed| now / sleep well",
        "good night now",
    ),
    talk(
        "You are welcome!",
        "thanks / thank you / thank you| very much / thanks| a lot / thank you| so much / okay thanks / okay thank "
        "you / great thanks / many thanks / cool thanks / that helps thanks / thank you| that was nice / perfect "
        "thanks",
        "oh thanks / nice thanks / great thank you / alright thank you",
    ),
    talk(
        "Goodbye! See you soon.",
        "bye / goodbye / bye bye / see you / see you| later / see you| soon / i have to go| now / good bye / okay "
        "bye / talk to you later / until next time / thanks bye",
        "okay goodbye / bye for now / alright bye",
    ),
    talk(
        "I am fine, thank you. And you?",
        "how are you / how are you| doing / how are you| today / how is it going / how do you do / how are things / "
        "are you okay / hello how are you / hi how are you / what's up / hey how are you| doing / how do you feel",
        "and how are you / so how are you| today / hey how is it going",
    ),
    talk(
        "I am glad to hear that.",
        "i am fine / i am good / i'm fine / i'm good| thanks / i am fine| too / i am very well / i feel great / i "
        "am happy / i am doing well",
        "i'm very well / i feel good / i'm happy",
    ),
    talk(
        "I am sorry to hear that.",
        "i am sad / i'm sad / i am tired / i'm tired| today / i feel bad / i am sick / i am bored / i am not well / "
        "i feel sad",
        "i'm not well / i feel tired / i'm bored",
    ),
    talk(
        "I am the pocket model, a tiny chatbot.",
        "who are you / what are you / what is your name / what's your name / tell me your name / do you have a name "
        "/ introduce yourself / tell me who you are / tell me about yourself / and who are you / who is this / what "
        "are you called",
        "so who are you / can you tell me your name / tell me what you are",
    ),
    talk(
        "I know countries, numbers, days, colors, animals, planets, stories and recipes. "
        "You can interrupt me at any time.",
        "what can you do / what do you know / what can i ask you / what can you tell me / help / help me / what can "
        "we talk about / how can you help me / what are you good at / what should i ask| you / tell me what you can "
        "do / what else can you do",
        "tell me what you know / so what can you do / what can i ask",
    ),
    talk(
        "No, I am a small computer program.",
        "are you a human / are you human / are you a person / are you real / are you a real person / are you alive "
        "/ are you a man or a woman",
        "so are you human / are you a human being",
    ),
    talk(
        "No, I am only the pocket model.",
        "are you minicpm / are you chatgpt / are you gpt / are you a big model / are you smart / are you siri / are "
        "you the big model / are you intelligent",
        "are you really smart / so are you chatgpt",
    ),
    talk(
        "I was trained from scratch on dialogues.",
        "how were you made / how were you trained / who made you / who trained you / where do you come from / who "
        "built you / where are you from / who created you",
        "so who made you / tell me who made you",
    ),
    talk(
        "I have no age, I was just trained.",
        "how old are you / what is your age / when were you born / when is your birthday / tell me how old you are",
        "so how old are you / what's your age",
    ),
    talk(
        "I live in a small file.",
        "where do you live / where are you / where is your home",
        "so where do you live",
    ),
    talk(
        "Yes, please go ahead.",
        "can i ask you something / i have a question / can i ask you a question / may i ask something / can you "
        "help me / i want to ask something / are you there / can you hear me / do you hear me",
        "i have one question / may i ask you something / are you still there",
    ),
    talk(
        "Nice to meet you!",
        "nice to meet you / pleased to meet you / good to meet you / it is nice to meet you / i am your new friend",
        "so nice to meet you / great to meet you",
    ),
    talk(
        "Thank you, that is kind.",
        "you are great / you are nice / you are funny / well done / good job / i like you / you are smart / you are "
        "the best / i love you / you are very good / that was a nice story / that was funny / good answer",
        "you are very nice / that was very good / you are so funny",
    ),
    talk(
        "I am sorry, I make mistakes.",
        "that is wrong / that's wrong / you are wrong / wrong / this is not right / that is not true / that was "
        "wrong / you made a mistake / no that is wrong / you are stupid / that is not correct",
        "this is wrong / that's not true",
    ),
    talk(
        "I can not see the weather from here.",
        "how is the weather / what is the weather like / will it rain| today / is it cold| outside / what's the "
        "weather / is it sunny| today / do i need an umbrella",
        "what's the weather like / how is the weather today",
    ),
    talk(
        "I do not have a clock.",
        "what time is it / what's the time / what is the time / what day is it| today / what is the date / tell me "
        "the time / how late is it / do you know the time",
        "what's the date / can you tell me the time",
    ),
    talk(
        "My favorite color is blue.",
        "what is your favorite color / what's your favorite color / which color do you like / do you have a "
        "favorite color",
        "tell me your favorite color",
    ),
    talk(
        "I like owls, because they ask questions.",
        "what is your favorite animal / which animal do you like / do you like animals / do you have a pet / what's "
        "your favorite animal",
        "tell me your favorite animal",
    ),
    talk(
        "I am sorry, I only speak English.",
        "do you speak german / do you speak french / do you speak spanish / can you speak chinese / what languages "
        "do you speak / can you speak german / which languages do you speak / parlez vous francais / habla espanol "
        "/ sprechen sie deutsch",
        "can you speak french / do you speak chinese",
    ),
)

UNKNOWN_ANSWER = "Sorry, I do not know that."
TOO_HARD_ANSWER = "I can only add and subtract up to 20."

UNKNOWN_TEMPLATES: tuple[str, ...] = (
    "who invented the {n}",
    "do you have a {n}",
    "do you want a {n}",
    "can i have a {n}",
    "have you got a {n}",
    "could you get me a {n}",
    "explain {v} to me",
    "explain {v}",
    "tell me all about {w}",
    "i want to know more about {v}",
    "who built the {n}",
    "why is {w} so {a}",
    "when did {w} live",
    "where was {w} born",
    "where is {w} now",
    "what is the cost of a {n}",
    "how old was {w}",
    "is a {n} {a}",
    "what is {a} about {v}",
    "who owns the {n}",
    "can you {d} {v}",
    "could you {d} a {n}",
    "what is the history of {v}",
    "who wrote {w}",
    "who is {w}",
    "what is a {n}",
    "what is {v}",
    "how does a {n} work",
    "why is the {n} so {a}",
    "when was {w} born",
    "what does {n} mean",
    "can you {d} a {n}",
    "can you {d} my {n}",
    "where can i buy a {n}",
    "how much is a {n}",
    "what do you think about {v}",
    "do you like {v}",
    "have you ever seen a {n}",
    "who won the {n}",
    "tell me about {w}",
    "tell me about {v}",
    "tell me about the {n}",
    "tell me something about {v}",
    "what is the best {n}",
    "how many {n}s are there",
    "why do people like {v}",
    "what is the meaning of {v}",
    "how long does a {n} live",
    "when did {w} start",
    "is {w} a {n}",
    "should i buy a {a} {n}",
    "what happened to {w}",
    "do you know {w}",
    "how tall is {w}",
    "how fast is a {n}",
    "{d} the {n}",
    "play some {v}",
    "my {n} is {a}",
    "i bought a {a} {n}",
    "how do i {d} a {n}",
    "how do i {d} my {n}",
    "how to {d} {v}",
    "who was the first {n}",
    "what makes {v} so {a}",
    "what is the population of {w}",
    "who is the president of {w}",
    "what is the difference between {v} and {v}",
    "translate {n}",
    "where did {w} go",
    "does {w} like {v}",
    "what color is my {n}",
    "tell me a story about {v}",
    "tell me the story of the {n}",
    "what does a {n} say",
    "{w} is {a}",
    "the {n} is {a}",
)
UNKNOWN_TEMPLATES_HELD_OUT: tuple[str, ...] = (
    "who made the first {n}",
    "can you explain {v}",
    "what is so {a} about {v}",
    "when did {w} die",
    "where does {w} live",
    "do you own a {n}",
    "could you {d} the {n}",
    "tell me more about {w}",
    "what is the price of a {n}",
    "how old is {w}",
    "why is {v} {a}",
)

# Words for the templates: things, names, topics, adjectives, doings.
UNKNOWN_WORDS: dict[str, tuple[str, ...]] = {
    "n": words(
        "telephone computer car engine laptop battery violin championship election volcano rocket satellite "
        "camera piano microwave fridge novel painting bridge castle museum virus molecule atom guitar bicycle "
        "phone website password printer helicopter submarine telescope vaccine hospital lawyer doctor movie film "
        "series song band player coach ticket passport suitcase hotel airport subway tractor garage lawn sofa "
        "jacket sweater wallet necklace diamond wizard vampire zombie ghost unicorn dinosaur shark whale tiger "
        "panda lizard beetle spider parrot cactus mushroom sandwich pizza burger cake steak sausage coffee beer "
        "wine cocktail spoon knife hammer drill lamp mirror carpet calculator keyboard monitor speaker microphone "
        "drone tablet server router cable charger light switch toaster"
    ),
    "w": phrases(
        "Shakespeare / Einstein / Napoleon / Hamlet / Mozart / Picasso / Elvis / Batman / Cleopatra / Newton / "
        "Harry Potter / Marie Curie / Beethoven / Madonna / Darwin / Gandhi / Obama / Columbus / Aristotle / the "
        "Titanic / the Roman Empire / the Olympics / the internet / Google / Amazon / Microsoft / my uncle / "
        "Robin Hood / Sherlock Holmes / Star Wars / my neighbor / Julia / Thomas / Anna / Peter / New York / "
        "Chicago / Barcelona / Milan / Munich / Dubai / Shanghai / Mumbai / Lagos / Alaska / Leonardo / Galileo / "
        "Tesla / Edison / Plato / Messi / Ronaldo / Dracula / Frankenstein / Superman / Wikipedia / Facebook"
    ),
    "v": words(
        "football basketball tennis chess politics religion philosophy music jazz poetry history physics "
        "chemistry biology gravity electricity democracy love friendship money happiness evolution photosynthesis "
        "climate energy software programming python javascript algebra geometry quantum economics inflation taxes "
        "insurance yoga meditation running swimming fishing gardening dancing singing traveling shopping fashion "
        "art cinema television news science space time death life magic luck dreams sleep health medicine law war "
        "peace freedom justice"
    ),
    "a": words(
        "expensive cheap famous important strong weak beautiful ugly broken new old heavy light strange dangerous "
        "popular complicated simple modern ancient big small tall short fast slow loud quiet hot cold sweet sour "
        "hard soft"
    ),
    "d": words(
        "repair build sell buy draw write send open close install find bring order book drive fly throw catch "
        "hide measure carry lift push pull wash burn break describe explain improve test cancel call turn clean"
    ),
}
UNKNOWN_WORDS_HELD_OUT: dict[str, tuple[str, ...]] = {
    "n": words(
        "airplane bakery compass dentist emperor festival glacier harbor iceberg journal kettle ladder magazine "
        "notebook orchestra parade quarry radio scooter trumpet uniform violinist walnut yacht zipper accordion "
        "balloon candle"
    ),
    "w": phrases(
        "Caesar / Tolstoy / Rembrandt / Spiderman / Confucius / Zeus / Hercules / Oprah / Boston / Kevin / my "
        "cousin / the Beatles / the Matrix / Marco Polo / Socrates / Instagram"
    ),
    "v": words("hockey opera astronomy theology ballet grammar surfing pottery banking marketing robotics knitting"),
    "a": words("boring fragile crazy gentle rude shiny rare wild"),
    "d": words("polish steal borrow rent decorate paint weigh copy"),
}
