"""The facts that the pocket model learns: countries, calendar, colors, animals, planets, units, opposites; and names.

Knows only tables; how facts are asked for and answered is the business of `questions.py` and `english_questions.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from lists import words


@dataclass(frozen=True)
class Country:
    """One country; `name` carries its article ("the Netherlands") where English asks for one."""

    name: str
    capital: str
    continent: str
    currency: str
    language: str


# name; capital; continent; currency; the language that most people there share.
_COUNTRIES = """
France;Paris;Europe;euro;French
Germany;Berlin;Europe;euro;German
Spain;Madrid;Europe;euro;Spanish
Italy;Rome;Europe;euro;Italian
Portugal;Lisbon;Europe;euro;Portuguese
Greece;Athens;Europe;euro;Greek
Austria;Vienna;Europe;euro;German
Ireland;Dublin;Europe;euro;English
Finland;Helsinki;Europe;euro;Finnish
Estonia;Tallinn;Europe;euro;Estonian
Latvia;Riga;Europe;euro;Latvian
Lithuania;Vilnius;Europe;euro;Lithuanian
Slovakia;Bratislava;Europe;euro;Slovak
Slovenia;Ljubljana;Europe;euro;Slovenian
Croatia;Zagreb;Europe;euro;Croatian
Malta;Valletta;Europe;euro;Maltese
the Netherlands;Amsterdam;Europe;euro;Dutch
Belgium;Brussels;Europe;euro;Dutch
Sweden;Stockholm;Europe;krona;Swedish
Norway;Oslo;Europe;krone;Norwegian
Denmark;Copenhagen;Europe;krone;Danish
Iceland;Reykjavik;Europe;krona;Icelandic
Poland;Warsaw;Europe;zloty;Polish
Hungary;Budapest;Europe;forint;Hungarian
Romania;Bucharest;Europe;leu;Romanian
Moldova;Chisinau;Europe;leu;Romanian
Serbia;Belgrade;Europe;dinar;Serbian
Albania;Tirana;Europe;lek;Albanian
Switzerland;Bern;Europe;franc;German
Ukraine;Kyiv;Europe;hryvnia;Ukrainian
Russia;Moscow;Europe;ruble;Russian
Belarus;Minsk;Europe;ruble;Russian
the United Kingdom;London;Europe;pound;English
China;Beijing;Asia;yuan;Chinese
Japan;Tokyo;Asia;yen;Japanese
India;New Delhi;Asia;rupee;Hindi
Pakistan;Islamabad;Asia;rupee;Urdu
Nepal;Kathmandu;Asia;rupee;Nepali
Bangladesh;Dhaka;Asia;taka;Bengali
Thailand;Bangkok;Asia;baht;Thai
Vietnam;Hanoi;Asia;dong;Vietnamese
Laos;Vientiane;Asia;kip;Lao
Cambodia;Phnom Penh;Asia;riel;Khmer
Malaysia;Kuala Lumpur;Asia;ringgit;Malay
Singapore;Singapore;Asia;dollar;English
Indonesia;Jakarta;Asia;rupiah;Indonesian
the Philippines;Manila;Asia;peso;Filipino
South Korea;Seoul;Asia;won;Korean
North Korea;Pyongyang;Asia;won;Korean
Mongolia;Ulaanbaatar;Asia;tugrik;Mongolian
Kazakhstan;Astana;Asia;tenge;Kazakh
Uzbekistan;Tashkent;Asia;som;Uzbek
Afghanistan;Kabul;Asia;afghani;Dari
Iran;Tehran;Asia;rial;Persian
Iraq;Baghdad;Asia;dinar;Arabic
Turkey;Ankara;Asia;lira;Turkish
Israel;Jerusalem;Asia;shekel;Hebrew
Jordan;Amman;Asia;dinar;Arabic
Lebanon;Beirut;Asia;pound;Arabic
Syria;Damascus;Asia;pound;Arabic
Saudi Arabia;Riyadh;Asia;riyal;Arabic
Yemen;Sanaa;Asia;rial;Arabic
Oman;Muscat;Asia;rial;Arabic
Qatar;Doha;Asia;riyal;Arabic
Kuwait;Kuwait City;Asia;dinar;Arabic
Armenia;Yerevan;Asia;dram;Armenian
Georgia;Tbilisi;Asia;lari;Georgian
Azerbaijan;Baku;Asia;manat;Azerbaijani
Egypt;Cairo;Africa;pound;Arabic
Morocco;Rabat;Africa;dirham;Arabic
Algeria;Algiers;Africa;dinar;Arabic
Tunisia;Tunis;Africa;dinar;Arabic
Libya;Tripoli;Africa;dinar;Arabic
Sudan;Khartoum;Africa;pound;Arabic
Ethiopia;Addis Ababa;Africa;birr;Amharic
Somalia;Mogadishu;Africa;shilling;Somali
Kenya;Nairobi;Africa;shilling;Swahili
Uganda;Kampala;Africa;shilling;English
Tanzania;Dodoma;Africa;shilling;Swahili
Rwanda;Kigali;Africa;franc;Kinyarwanda
Nigeria;Abuja;Africa;naira;English
Ghana;Accra;Africa;cedi;English
Senegal;Dakar;Africa;franc;French
Mali;Bamako;Africa;franc;French
Cameroon;Yaounde;Africa;franc;French
Angola;Luanda;Africa;kwanza;Portuguese
Mozambique;Maputo;Africa;metical;Portuguese
Zambia;Lusaka;Africa;kwacha;English
Zimbabwe;Harare;Africa;dollar;English
Namibia;Windhoek;Africa;dollar;English
Botswana;Gaborone;Africa;pula;English
South Africa;Pretoria;Africa;rand;English
Madagascar;Antananarivo;Africa;ariary;Malagasy
the United States;Washington;North America;dollar;English
Canada;Ottawa;North America;dollar;English
Mexico;Mexico City;North America;peso;Spanish
Cuba;Havana;North America;peso;Spanish
Jamaica;Kingston;North America;dollar;English
Haiti;Port-au-Prince;North America;gourde;French
Guatemala;Guatemala City;North America;quetzal;Spanish
Honduras;Tegucigalpa;North America;lempira;Spanish
Nicaragua;Managua;North America;cordoba;Spanish
Costa Rica;San Jose;North America;colon;Spanish
Panama;Panama City;North America;balboa;Spanish
Brazil;Brasilia;South America;real;Portuguese
Argentina;Buenos Aires;South America;peso;Spanish
Chile;Santiago;South America;peso;Spanish
Peru;Lima;South America;sol;Spanish
Colombia;Bogota;South America;peso;Spanish
Venezuela;Caracas;South America;bolivar;Spanish
Ecuador;Quito;South America;dollar;Spanish
Uruguay;Montevideo;South America;peso;Spanish
Paraguay;Asuncion;South America;guarani;Spanish
Australia;Canberra;Oceania;dollar;English
New Zealand;Wellington;Oceania;dollar;English
Fiji;Suva;Oceania;dollar;English
Samoa;Apia;Oceania;tala;Samoan
"""

COUNTRIES: tuple[Country, ...] = tuple(Country(*line.split(";")) for line in _COUNTRIES.split("\n") if line)

# What people also say; the answer keeps the name above.
ALIASES: dict[str, tuple[str, ...]] = {
    "the United States": ("the USA", "USA", "America", "the US"),
    "the United Kingdom": ("the UK", "UK", "Great Britain", "Britain", "England"),
    "the Netherlands": ("Holland",),
}

# Places that are asked about in training only to be answered with "I do not know"; the second list never is.
UNKNOWN_PLACES: tuple[str, ...] = words(
    "Texas California Bavaria Tuvalu Bhutan Gabon Togo Benin Chad Burundi Belize Suriname Guyana Bahrain Vanuatu "
    "Kiribati Tonga Palau Andorra Monaco Cyprus Bulgaria Montenegro Luxembourg Myanmar Niger Eritrea Djibouti Lesotho "
    "Malawi Atlantis Narnia Scotland Wales Florida Ohio Siberia Tibet Hawaii Alaska Quebec Mordor Oz Camelot Gotham "
    "Utopia Andalusia Catalonia Tuscany Provence Normandy Saxony Tyrol Crete Corsica Sardinia Michigan Virginia "
    "Arizona Nevada Utah Montana Alabama Louisiana Manitoba Ontario Alberta Yukon Patagonia Sahara Crimea Kurdistan "
    "Punjab Kashmir Kerala Manchuria Hokkaido Okinawa Java Sumatra Bali Borneo Guam Tahiti Zanzibar Transylvania "
    "Bohemia Prussia Yugoslavia Persia Mesopotamia Babylon Sparta Troy Vatican Liechtenstein Macau Dominica Bahamas "
    "Trinidad Mauritius Seychelles Guinea Congo Swaziland Mauritania Turkmenistan Kyrgyzstan Tajikistan Macedonia "
    "Bosnia Neverland Westeros Asgard Gondor Eldorado Lilliput Antarctica Castile Lapland Europe Africa Asia Flanders "
    "Brittany Galicia Alsace Piedmont"
)
UNKNOWN_PLACES_HELD_OUT: tuple[str, ...] = words(
    "Nauru Liberia Gambia Barbados Grenada Comoros Brunei Maldives Bermuda Greenland Kosovo Bolivia Tasmania "
    "Oregon Wakanda Genovia Hogwarts Rohan Nebraska Sicily"
)

MONTHS: tuple[tuple[str, int], ...] = (
    ("January", 31), ("February", 28), ("March", 31), ("April", 30), ("May", 31), ("June", 30), ("July", 31),
    ("August", 31), ("September", 30), ("October", 31), ("November", 30), ("December", 31),
)  # fmt: skip
DAYS: tuple[str, ...] = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ORDINALS: tuple[str, ...] = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
)  # fmt: skip
NUMBER_WORDS: tuple[str, ...] = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip

# In order from the sun.
PLANETS: tuple[str, ...] = ("Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune")

# What is asked about; what is said of it.
COLORS: tuple[tuple[str, str], ...] = (
    ("the sky", "The sky is blue."),
    ("grass", "Grass is green."),
    ("the sun", "The sun is yellow."),
    ("snow", "Snow is white."),
    ("coal", "Coal is black."),
    ("blood", "Blood is red."),
    ("a banana", "A banana is yellow."),
    ("a tomato", "A tomato is red."),
    ("a carrot", "A carrot is orange."),
    ("a lemon", "A lemon is yellow."),
    ("a strawberry", "A strawberry is red."),
    ("a cucumber", "A cucumber is green."),
    ("chocolate", "Chocolate is brown."),
    ("milk", "Milk is white."),
    ("an elephant", "An elephant is gray."),
    ("a frog", "A frog is green."),
    ("a flamingo", "A flamingo is pink."),
    ("a raven", "A raven is black."),
    ("a swan", "A swan is white."),
    ("a plum", "A plum is purple."),
    ("the sea", "The sea is blue."),
    ("a fire truck", "A fire truck is red."),
    ("salt", "Salt is white."),
    ("honey", "Honey is golden."),
    ("wood", "Wood is brown."),
    ("a pumpkin", "A pumpkin is orange."),
    ("a mouse", "A mouse is gray."),
    ("a cherry", "A cherry is red."),
    ("spinach", "Spinach is green."),
    ("an eggplant", "An eggplant is purple."),
)
MIXES: tuple[tuple[str, str, str], ...] = (
    ("red", "blue", "purple"),
    ("red", "yellow", "orange"),
    ("blue", "yellow", "green"),
    ("red", "white", "pink"),
    ("black", "white", "gray"),
)


@dataclass(frozen=True)
class Animal:
    """One animal; an empty field is never asked about."""

    name: str  # with its article: "a cow"
    sound: str
    legs: str
    young: str


_ANIMALS = """
a cow;moo;four;a calf
a dog;woof;four;a puppy
a cat;meow;four;a kitten
a sheep;baa;four;a lamb
a pig;oink;four;a piglet
a horse;neigh;four;a foal
a duck;quack;two;a duckling
a rooster;cock-a-doodle-doo;two;a chick
a lion;roar;four;a cub
a frog;ribbit;four;a tadpole
a snake;hiss;no;
an owl;hoot;two;an owlet
a bee;buzz;six;
a mouse;squeak;four;
a goat;maa;four;a kid
a goose;honk;two;a gosling
a bear;growl;four;a cub
a wolf;howl;four;a pup
a spider;;eight;
an ant;;six;
a fish;;no;
a kangaroo;;two;a joey
a rabbit;;four;a bunny
a deer;;four;a fawn
a swan;;two;a cygnet
an elephant;trumpet;four;a calf
a butterfly;;six;a caterpillar
a chicken;cluck;two;a chick
a turkey;gobble;two;
a crow;caw;two;
"""

ANIMALS: tuple[Animal, ...] = tuple(Animal(*line.split(";")) for line in _ANIMALS.split("\n") if line)

# The smaller unit (plural), how many of them, the larger one with its article.
UNITS: tuple[tuple[str, int, str], ...] = (
    ("seconds", 60, "a minute"),
    ("minutes", 60, "an hour"),
    ("hours", 24, "a day"),
    ("days", 7, "a week"),
    ("months", 12, "a year"),
    ("weeks", 52, "a year"),
    ("days", 365, "a year"),
    ("years", 10, "a decade"),
    ("years", 100, "a century"),
    ("years", 1000, "a millennium"),
    ("millimeters", 10, "a centimeter"),
    ("centimeters", 100, "a meter"),
    ("meters", 1000, "a kilometer"),
    ("grams", 1000, "a kilogram"),
    ("kilograms", 1000, "a ton"),
    ("milliliters", 1000, "a liter"),
    ("inches", 12, "a foot"),
    ("feet", 3, "a yard"),
    ("ounces", 16, "a pound"),
    ("cents", 100, "a dollar"),
    ("eggs", 12, "a dozen"),
    ("strings", 6, "a guitar"),
    ("wheels", 2, "a bicycle"),
    ("wheels", 4, "a car"),
)

# First names that users may have. They are learned by copying, so the second list is never used in training.
NAMES: tuple[str, ...] = words(
    "Anna Ben Clara David Emma Felix Grace Henry Ida Jack Kate Leo Mia Noah Olivia Paul Quinn Rosa Sam Tina Uma Victor "
    "Wendy Xander Yara Zoe Adam Alan Albert Alex Alice Alina Amir Amy Andrea Andrew Andy Angela Anita Anton Arthur "
    "Barbara Beatrice Bella Bernard Beth Bill Bob Brian Bruno Carl Carla Carlos Carmen Carol Cecilia Charles Charlie "
    "Charlotte Chloe Chris Christina Cindy Claire Claude Clemens Colin Cora Daisy Dan Daniel Daniela Darius Dave Dean "
    "Deborah Denis Diana Diego Dmitri Dora Doris Dylan Eddie Edgar Edith Edward Elena Eli Elias Elisa Elizabeth Ella "
    "Ellen Elliot Elsa Emil Emily Eric Erica Ernest Esther Ethan Eva Evan Fatima Fiona Finn Florence Frank Fred Frida "
    "Gabriel Gary Gavin George Gerald Gina Gloria Greta Gustav Hannah Hans Harold Harry Hassan Hazel Heidi Helen "
    "Howard Hugo Ian Igor Ines Ingrid Iris Isaac Isabel Ivan Ivy Jacob James Jamie Jan Jane Janet Jasmine Jason Jean "
    "Jeff Jenny Jeremy Jessica Jill Jim Jimmy Joan Joe Joel Johanna John Jonas Jonathan Jordan Jose Joseph Judith Judy "
    "Juan Julian Juliet June Karen Karin Karl Katie Keith Ken Kim Klaus Kurt Lara Larry Laura Lena Leon Leila Lily "
    "Linda Lisa Liam Liz Lola Lorenzo Louis Louise Luca Lucas Lucia Lucy Luis Luke Lydia Maggie Marc Marcel Marco "
    "Margaret Maria Marie Marina Mario Marion Mark Marta Martha Martin Mary Mateo Matt Max Maya Megan Melissa Michael "
    "Michelle Miguel Mike Mila Mina Miriam Mohamed Molly Monica Morgan Nadia Nancy Naomi Natalie Nathan Ned Nelly Nick "
    "Nicole Nils Nina Nora Norman Oleg Oliver Omar Oscar Otto Owen Pablo Pamela Patricia Patrick Paula Pedro Penny "
    "Petra Phil Philip Pia Rachel Ralph Ravi Raymond Rebecca Rita Robert Robin Roger Roland Roman Ron Rose Ruby Rudolf "
    "Ruth Ryan Sabine Sally Samantha Samuel Sandra Sara Sarah Scott Sean Sergei Simon Sofia Sonia Sophie Stan Stefan "
    "Stella Steve Steven Sue Susan Suzanne Sven Tamara Tanya Tara Ted Teresa Terry Theo Theresa Tim Timothy Toby Tom "
    "Tony Tracy Ulrich Ursula Valerie Vanessa Vera Veronica Viktor Vincent Viola Walter Werner Will William Yasmin "
    "Yvonne Zara"
)
NAMES_HELD_OUT: tuple[str, ...] = words(
    "Agnes Amelia Antonio Audrey Axel Bianca Boris Caroline Cedric Conrad Cynthia Derek Dominic Donna Eleanor Erik "
    "Eugene Fabian Francis Freya Gerard Gordon Gwen Harriet Herbert Hilda Irene Jerome Joyce Julius Kevin Lars Leonard "
    "Lewis Magnus Mabel Matthew Mercedes Nigel Olga Pascal Peggy Priya Ramon Regina Rupert Selma Silvia Tobias "
    "Tristan Valentin Vivian Wanda Wilma Xavier Yolanda Zach"
)

SEASONS: dict[str, tuple[str, ...]] = {
    "winter": ("December", "January", "February"),
    "spring": ("March", "April", "May"),
    "summer": ("June", "July", "August"),
    "fall": ("September", "October", "November"),
}

# How many sides and corners, in words, since the answer is one of few.
SHAPES: tuple[tuple[str, str], ...] = (
    ("a triangle", "three"),
    ("a square", "four"),
    ("a rectangle", "four"),
    ("a pentagon", "five"),
    ("a hexagon", "six"),
    ("an octagon", "eight"),
    ("a circle", "no"),
)

# Parts of the body; how many a person has.
BODY: tuple[tuple[str, str], ...] = (
    ("eyes", "two"),
    ("ears", "two"),
    ("arms", "two"),
    ("hands", "two"),
    ("legs", "two"),
    ("feet", "two"),
    ("knees", "two"),
    ("fingers", "ten"),
    ("toes", "ten"),
    ("thumbs", "two"),
    ("noses", "one"),
    ("hearts", "one"),
    ("heads", "one"),
    ("lungs", "two"),
    ("teeth", "32"),
)

# Asked in both directions.
OPPOSITES: tuple[tuple[str, str], ...] = tuple(
    (first, second)
    for first, second in (
        pair.split("-")
        for pair in words(
            "hot-cold big-small long-short high-low fast-slow light-dark day-night up-down left-right open-closed "
            "full-empty young-old rich-poor happy-sad good-bad strong-weak wet-dry hard-soft loud-quiet early-late "
            "near-far true-false thick-thin clean-dirty easy-difficult wide-narrow inside-outside first-last "
            "black-white always-never yes-no in-out on-off push-pull buy-sell win-lose love-hate laugh-cry give-take "
            "begin-end remember-forget sweet-sour deep-shallow same-different cheap-expensive beautiful-ugly "
            "front-back north-south east-west summer-winter peace-war"
        )
    )
)

# The one country that is named when any of a continent is asked for.
EXAMPLES: dict[str, str] = {
    "Europe": "Italy",
    "Asia": "Japan",
    "Africa": "Kenya",
    "North America": "Canada",
    "South America": "Brazil",
    "Oceania": "Australia",
}
