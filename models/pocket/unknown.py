"""What lies outside of what the pocket model has learned: questions that it can not answer, and things people tell.

Knows only text. The templates' fields: ``n`` things, ``w`` names of people, places and works, ``v`` topics, ``a``
adjectives, ``d`` doings, ``f`` people, ``t`` heroes of stories that it does not know.
"""

from __future__ import annotations

from lists import lines, phrases, words

UNKNOWN_ANSWER = "Sorry, I do not know that."
UNKNOWN_STORY_ANSWER = "Sorry, I do not know that story."
STATEMENT_ANSWER = "I see. Tell me more."
TOO_FAR_ANSWER = "I can only count up to 20."
TOO_HARD_ANSWER = "Sorry, that sum is too hard for me."

TEMPLATES: tuple[str, ...] = lines(
    """who invented the {n}
    do you want a {n}
    can i have a {n}
    have you got a {n}
    could you get me a {n}
    explain {v} to me
    explain {v}
    explain the {n} to me
    tell me all about {w}
    i want to know more about {v}
    i want to know something about {w}
    who built the {n}
    who built {w}
    who made {w}
    why is {w} so {a}
    why are {n}s {a}
    why are {n}s so {a}
    why do {n}s {d}
    when did {w} live
    when was {w} built
    when was {w} founded
    when was the {n} invented
    when is {w} coming
    where was {w} born
    where is {w} now
    where are the {n}s
    where is my {n}
    where did you put my {n}
    where can i find a {n}
    where is the nearest {n}
    where do {n}s come from
    where does {v} come from
    what is the cost of a {n}
    what does a {n} cost
    how old was {w}
    how old is my {n}
    how old is the {n}
    how big is {w}
    how big is a {n}
    how heavy is a {n}
    how rich is {w}
    how far is {w}
    how far is it to {w}
    how long is a {n}
    how {a} is {w}
    how {a} is a {n}
    is a {n} {a}
    is {w} {a}
    is {w} still alive
    is {v} {a}
    is {v} good for me
    is the {n} more {a} than the {n}
    are {n}s {a}
    are there {n}s in {w}
    does a {n} {d}
    does {w} have a {n}
    does {w} know {w}
    did {w} win
    did {w} write a book
    did you see {w}
    did you read {w}
    what is {a} about {v}
    who owns the {n}
    who owns {w}
    who likes {v}
    who plays {w}
    who sings {w}
    who is the author of {w}
    who discovered {w}
    who discovered {v}
    who is {f}
    who is {w} married to
    who is {w}| exactly
    who is the best at {v}
    who is better {w} or {w}
    can you {d} {v}
    could you {d} a {n}
    can you {d} a {n}
    can you {d} my {n}
    can you {d} the {n}
    can you {d} {w}
    will you {d} my {n}
    please {d} my {n}
    please {d} the {n}
    {d} the {n}
    {d} my {n}
    {d} {w}
    what is the history of {v}
    what is the history of {w}
    who wrote {w}
    who is {w}
    who was {w}
    what is a {n}
    what is {v}
    what is {w}
    what's a {n}
    what's {v}
    what are {n}s
    what are {n}s made of
    what is a {n} made of
    what is inside a {n}
    what is in the {n}
    what is the {n} for
    what do you do with a {n}
    what do i need for {v}
    what is {w} famous for
    what is {w} doing
    what did {w} say
    what did {w} do
    what did {w} invent
    what does {w} want
    what does {w} look like
    what happens to the {n}
    what do {n}s eat
    what does a {n} eat
    how does a {n} work
    how does the {n} work
    how does {v} work
    how do {n}s work
    how do {n}s {d}
    how is a {n} made
    how was {w} made
    how did {w} die
    how did {w} become so {a}
    how do i get to {w}
    how do i get a {n}
    how do i learn {v}
    how do i {d} a {n}
    how do i {d} my {n}
    how do i {d} the {n}
    how to {d} {v}
    how to {d} a {n}
    how can i {d} a {n}
    how do you {d} a {n}
    tell me how to {d} a {n}
    why is the {n} so {a}
    why is the {n} {a}
    why did {w} {d} the {n}
    why do we need {v}
    why is {v} important
    when was {w} born
    when was {v} invented
    when does {w} open
    what does {n} mean
    what does {a} mean
    what does {v} mean
    what is the word {n} in german
    how do you say {n} in spanish
    how do you spell {n}
    spell {n}
    define {v}
    define {n}
    where can i buy a {n}
    where can i buy {a} {n}s
    how much is a {n}
    how much is the {n}
    how much does a {n} cost
    how much does the {n} cost
    how much money does {w} have
    what do you think about {v}
    what do you think of {w}
    what do you know about {w}
    what do you know about {n}s
    what can you tell me about {w}
    what can you tell me about {v}
    do you like {v}
    do you like {w}
    do you like {n}s
    do you know {w}
    do you know {v}
    do you know what a {n} is
    do you know how to {d} a {n}
    do you know anything about {v}
    do you know who {w} is
    do you need a {n}
    do you use a {n}
    have you ever seen a {n}
    have you ever been to {w}
    have you read {w}
    have you heard of {w}
    who won the {n}
    who won in {v}
    who will win
    tell me about {w}
    tell me about {v}
    tell me about the {n}
    tell me about my {n}
    tell me about {n}s
    tell me something about {v}
    tell me something about {w}
    tell me what a {n} is
    tell me what {v} is
    tell me who {w} is
    tell me why {w} is {a}
    talk about {v}
    talk about {w}
    what is the best {n}
    what is the best {n} in {w}
    what is the {a} {n}
    which {n} is {a}
    which {n} is the best
    which {n} should i buy
    which {n} do you like
    how many {n}s are there
    how many {n}s are there in {w}
    how many {n}s do i have
    how many {n}s does {w} have
    how many people live in {w}
    how many people like {v}
    why do people like {v}
    what is the meaning of {v}
    what is the name of {w}
    what is the name of the {n}
    what is the number of {w}
    what is the size of a {n}
    what is the weight of a {n}
    how long does a {n} live
    how long does it take to {d} a {n}
    when did {w} start
    when did {w} end
    is {w} a {n}
    is this {n} {a}
    should i buy a {a} {n}
    should i {d} my {n}
    should i learn {v}
    what happened to {w}
    what happened in {w}
    how tall is {w}
    how fast is a {n}
    how fast can a {n} go
    play some {v}
    show me a {n}
    show me {w}
    who was the first {n}
    who is the best {n}
    who is the {n}
    what makes {v} so {a}
    what is the population of {w}
    who is the president of {w}
    who is the king of {w}
    who is the boss of {w}
    what is the difference between {v} and {v}
    what is the difference between a {n} and a {n}
    compare {w} and {w}
    translate {n}
    translate {n} to french
    where did {w} go
    where is the {n}
    where does my {n} live
    where does {w} work
    does {w} like {v}
    does {f} like {v}
    what color is my {n}
    what does a {n} say
    what about {v}
    give me the {n}
    give me the number of {w}
    recommend a {n}
    recommend me a {a} {n}
    i need advice about {v}
    i want to know everything about {w}
    i want to {d} a {n}
    open the {n}
    call {f}
    call {w}
    what is {f} doing
    where is {f}
    what does {f} want
    what should i tell {f}
    what should i do with my {n}
    can {w} {d}
    can a {n} {d}
    can {n}s {d}
    what is 5 {n}s worth
    what time does the {n} open
    is there a {n} near me
    is there a {n} in {w}
    is there {v} in {w}
    who is the queen of {w}
    who is the prime minister of {w}
    what is the flag of {w}
    what do people eat in {w}
    what is the biggest city in {w}
    what can i see in {w}
    what is the national animal of {w}
    is it {a} in {w}
    should i go to {w}
    how do people live in {w}
    how big is the population of {w}
    is {w} bigger than {w}
    who lives in {w}
    when did {w} become {a}
    what is the highest mountain in {w}
    which rivers are in {w}
    tell me the population of {w}
    who is the president of {w}| now"""
)
TEMPLATES_HELD_OUT: tuple[str, ...] = lines(
    """who made the first {n}
    can you explain {v}
    what is so {a} about {v}
    when did {w} die
    where does {w} live
    do you own a {n}
    could you {d} the {n}
    tell me more about {w}
    what is the price of a {n}
    how old is {w}
    why is {v} {a}
    how {a} is the {n}
    what does {w} do
    who invented {w}
    did you hear about {w}
    how can i {d} my {n}
    which {n} is better
    what is special about {w}
    do {n}s {d}
    are you interested in {v}
    what is the smallest city in {w}
    who rules {w}"""
)

STORY_TEMPLATES: tuple[str, ...] = lines(
    """tell me a story about {t}
    tell me the story of {t}
    tell me a story about a {n}
    tell me a story about {v}
    tell me the story of the {n}
    tell me the story about {w}
    tell me the story of {w}
    can you tell me a story about {t}
    can you tell me the story of the {n}
    do you know the story of {t}
    do you know the story of {w}
    do you know a story about {t}
    i want to hear a story about {t}
    i want to hear the story of {w}
    read me the story of {t}
    read me a story about a {n}
    please tell me a story about {t}
    please tell me the story of the {n}
    a story about {t}
    the story of {t}
    the story of the {n}
    story about {t}
    how about a story about {t}
    how about the story of {t}
    give me a story about {t}
    give me a story about {v}
    let me hear the story of {t}
    tell us the story of {t}
    i would like a story about {t}
    what is the story of {t}"""
)
STORY_TEMPLATES_HELD_OUT: tuple[str, ...] = lines(
    """could you tell me the story of {t}
    could you tell me a story about {t}
    i would like to hear the story about {t}
    do tell me a story about {t}
    would you please tell me the story of {t}"""
)

# What is told, not asked.
STATEMENTS: tuple[str, ...] = lines(
    """my {n} is {a}
    my {n} is very {a}
    my new {n} is {a}
    my {n} is broken| again
    the {n} is {a}
    the {n} is too {a}
    this {n} is {a}
    that {n} was {a}
    our {n} is {a}
    {w} is {a}
    {w} was very {a}
    {v} is {a}
    {v} is very {a}
    i bought a {a} {n}
    i bought a {n}| yesterday
    i have a {n}
    i have a {a} {n}
    i have two {n}s
    i got a {n}| for my birthday
    i lost my {n}
    i found a {a} {n}
    i sold my {n}
    i saw a {n}| yesterday
    i saw {w}| yesterday
    i met {w}
    yesterday i saw a {n}
    yesterday i saw {w}
    today i bought a {n}
    last week i lost my {n}
    i like {v}
    i like my {n}
    i like {w}
    i really like {v}
    i love {v}
    i love {w}
    i love my {n}
    i hate {v}
    i don't like {v}
    i do not like {w}
    we have a {a} {n}
    we have a {n}| at home
    we went to {w}
    we visited {w}| last year
    i live in {w}
    i am from {w}
    i come from {w}
    i was born in {w}
    i work in {w}
    i study {v}
    i am learning {v}
    i am interested in {v}
    i play {v}| every day
    i am reading {w}
    {f} likes {v}
    {f} likes {v}| a lot
    {f} likes {v}| very much
    {f} always likes {v}
    {f} also likes {v}
    {f} hates {v}
    {f} really hates {v}
    {f} really wants a {n}
    {f} found a {n}
    {f} sold a {n}
    {f} saw a {a} {n}
    {f} works with {w}
    {f} met {w}
    i work for {w}
    i met a {a} {n}
    my brother is a {n}
    today i met {w}
    {f} loves {v}
    {f} has a {n}
    {f} has a {a} {n}
    {f} bought a {n}
    {f} lives in {w}
    {f} is {a}
    {f} is a {n}
    {f} went to {w}
    {f} wants a {n}
    {f} and i like {v}
    i think {v} is {a}
    i think {w} is {a}
    i think that {w} is {a}
    there is a {n} in my room
    there is a {a} {n} outside
    i want a {n}
    i need a {a} {n}
    my favorite thing is {v}
    my favorite {n} is {a}"""
)
STATEMENTS_HELD_OUT: tuple[str, ...] = lines(
    """my old {n} is {a}
    i just bought a {n}
    i really love {v}
    my {n} was {a}
    i saw a {a} {n}
    {f} lost a {n}
    {f} really likes {v}
    i work with {w}
    yesterday i met {w}"""
)

WORDS: dict[str, tuple[str, ...]] = {
    "n": words(
        "telephone computer laptop battery violin championship election rocket satellite camera piano microwave fridge "
        "novel painting bridge castle museum virus molecule atom guitar phone website password printer helicopter "
        "submarine telescope vaccine hospital lawyer doctor movie film series song band player coach ticket passport "
        "suitcase hotel airport subway tractor garage lawn sofa jacket sweater wallet necklace diamond wizard vampire "
        "zombie ghost unicorn dinosaur shark tiger panda lizard beetle parrot cactus mushroom sandwich pizza burger "
        "cake steak sausage beer cocktail spoon knife hammer drill lamp mirror carpet calculator keyboard monitor "
        "speaker microphone drone tablet server router cable charger switch toaster teacher student nurse farmer "
        "soldier judge actor singer dancer painter writer poet plumber waiter driver pilot sailor captain mayor "
        "minister senator manager boss neighbor cousin uncle aunt grandmother baby child boy girl crowd team club "
        "company factory office shop store market bank church temple school college library theater cinema stadium "
        "park garden farm field forest mountain hill valley river island beach desert cave road street highway tunnel "
        "station harbor bus truck van taxi tram boat canoe raft sled skateboard motorcycle engine motor wheel tire "
        "brake pedal seat door roof floor ceiling stair kitchen bathroom bedroom toilet shower sink oven stove freezer "
        "blender kettle pot pan plate bowl cup glass bottle jar can bag box basket bucket barrel chair table desk "
        "shelf drawer closet pillow blanket towel curtain candle match lighter broom vacuum sponge soap shampoo brush "
        "comb razor scissor needle button shirt skirt dress coat glove sock shoe boot hat scarf belt tie ring watch "
        "bracelet earring crown sword shield gun bomb tank cannon arrow spear flag statue coin bill stamp envelope "
        "letter postcard package newspaper poster map book page chapter sentence pen eraser ruler notebook stapler "
        "folder machine tool screw nail wrench saw shovel rake hose rope chain lock key bell whistle drum flute harp "
        "tuba camel donkey zebra giraffe hippo rhino gorilla monkey squirrel hamster hedgehog beaver otter seal "
        "dolphin octopus crab lobster shrimp snail worm moth fly mosquito wasp cricket eagle hawk falcon pigeon "
        "sparrow peacock ostrich stork pelican crocodile turtle melon grape peach pear mango kiwi pineapple coconut "
        "potato onion pepper bean pea cabbage noodle dumpling pancake waffle cookie donut pie muffin omelet"
    ),
    "w": phrases(
        "Shakespeare / Einstein / Napoleon / Hamlet / Mozart / Picasso / Elvis / Batman / Cleopatra / Newton / Harry "
        "Potter / Marie Curie / Beethoven / Madonna / Darwin / Gandhi / Obama / Columbus / Aristotle / the Titanic / "
        "the Roman Empire / the Olympics / the internet / Google / Amazon / Microsoft / my uncle / Robin Hood / "
        "Sherlock Holmes / Star Wars / my neighbor / Julia / Thomas / Anna / Peter / New York / Chicago / Barcelona / "
        "Milan / Munich / Dubai / Shanghai / Mumbai / Lagos / Alaska / Leonardo / Galileo / Tesla / Edison / Plato / "
        "Messi / Ronaldo / Dracula / Frankenstein / Superman / Wikipedia / Facebook / Bach / Chopin / Vivaldi / Wagner "
        "/ Michelangelo / Raphael / Monet / Dali / Hemingway / Dickens / Goethe / Schiller / Kafka / Orwell / Austen / "
        "Homer / Virgil / Dante / Cervantes / Chekhov / Pushkin / Gogol / Balzac / Hugo / Voltaire / Kant / Hegel / "
        "Marx / Lenin / Stalin / Churchill / Lincoln / Kennedy / Nixon / Reagan / Clinton / Merkel / Macron / Thatcher "
        "/ Mandela / Nehru / Buddha / Moses / Muhammad / Jesus / Noah / Adam and Eve / Magellan / Armstrong / Gagarin "
        "/ Hawking / Turing / Pasteur / Nobel / Ford / Disney / Chaplin / Hitchcock / Spielberg / Tarantino / Hanks / "
        "Pitt / Rihanna / Beyonce / Adele / Shakira / Drake / Eminem / Prince / Queen / Pele / Maradona / Federer / "
        "Nadal / Jordan / Hamilton / Schumacher / Bolt / Phelps / Apple / Samsung / Sony / Toyota / Boeing / Airbus / "
        "Netflix / YouTube / Twitter / TikTok / Nintendo / Minecraft / Pokemon / Barbie / Mickey Mouse / Donald Duck / "
        "Garfield / Snoopy / Tarzan / Zorro / Pinocchio / Cinderella / Snow White / Peter Pan / Gandalf / Frodo / Yoda "
        "/ James Bond / Rocky / Rambo / King Kong / Godzilla / Hollywood / Broadway / London Bridge / Big Ben / the "
        "Eiffel Tower / the Great Wall / the White House / the Vatican / the Pentagon / the Louvre / the Amazon / the "
        "Nile / the Alps / the Sahara / Mount Everest / the North Pole / the Pacific / Los Angeles / San Francisco / "
        "Miami / Seattle / Houston / Dallas / Detroit / Toronto / Vancouver / Sydney / Melbourne / Istanbul / Hamburg "
        "/ Frankfurt / Cologne / Zurich / Geneva / Venice / Naples / Florence / Lyon / Marseille / Liverpool / "
        "Manchester / Glasgow / Krakow / Kolkata / Osaka / Kyoto / Karachi / Casablanca / Johannesburg / Rio / the "
        "French Revolution / the Middle Ages / the Cold War / Christmas / Easter / Halloween / Ramadan / Thanksgiving "
        "/ my brother / my sister / my mother / my father / my boss / my friend / my teacher / my wife / my husband / "
        "Maria / John / Linda / Paul / Susan / Mister Brown / Doctor Smith / the Bible / the Koran / the Odyssey / the "
        "Beatles album / Macbeth / Faust / Moby Dick / Don Quixote / Avatar / Titanic / Inception / Gladiator"
    ),
    "v": words(
        "football basketball tennis politics religion philosophy jazz poetry history physics chemistry biology gravity "
        "electricity democracy friendship money happiness evolution photosynthesis climate energy software programming "
        "python javascript algebra geometry quantum economics inflation taxes insurance yoga meditation running "
        "swimming fishing gardening dancing singing traveling shopping fashion art cinema television science space "
        "death life magic luck medicine law war peace freedom justice mathematics geology geography psychology "
        "sociology anthropology archaeology linguistics literature drama comedy fiction journalism advertising "
        "business trade finance accounting investing bitcoin gambling poker golf cricket baseball rugby volleyball "
        "boxing wrestling judo karate fencing skiing skating sailing rowing climbing hiking camping hunting cycling "
        "driving flying painting drawing sculpture photography architecture design engineering electronics mechanics "
        "optics acoustics magnetism radiation radioactivity plastic steel copper iron gold silver aluminum oxygen "
        "hydrogen carbon nitrogen helium uranium petrol diesel gas oil wine beer sugar pepper cinnamon vanilla garlic "
        "cheese butter yogurt meat seafood sushi pasta curry ketchup mustard vinegar hunger fear anger sadness joy "
        "hope pride envy courage honesty wisdom beauty truth logic ethics morality culture society education marriage "
        "divorce parenting childhood youth retirement poverty wealth crime punishment police army navy government "
        "parliament elections monarchy communism capitalism socialism feminism globalization immigration tourism "
        "traffic pollution recycling farming agriculture forestry mining construction plumbing carpentry sewing "
        "cooking baking cleaning laundry homework exams grammar spelling handwriting typing gaming streaming hacking "
        "blogging networking leadership teamwork motivation stress burnout therapy surgery dentistry nursing nutrition "
        "dieting fitness bodybuilding asthma diabetes cancer fever pneumonia allergies"
    ),
    "a": words(
        "expensive cheap famous important strong weak beautiful ugly broken new old heavy light strange dangerous "
        "popular complicated simple modern ancient big small tall short fast slow loud quiet hot cold sweet sour hard "
        "soft clean dirty dry wet bright dark deep shallow wide narrow thick thin long round flat sharp smooth rough "
        "empty full open closed rich poor good bad funny sad happy angry lazy clever stupid brave shy polite loyal "
        "honest cruel kind calm wise proud jealous nervous tired sick healthy young busy free safe useful useless "
        "perfect terrible wonderful awful amazing great nice lovely tasty bitter salty spicy fresh rotten frozen "
        "electric digital wooden golden plastic invisible magic real fake legal secret private public common special"
    ),
    "d": words(
        "repair build sell buy draw write send open close install find bring order book drive fly throw catch "
        "hide measure carry lift push pull wash burn break describe improve test cancel call turn clean "
        "cut fold hang move lock unlock start stop update delete download upload print scan copy replace remove mount "
        "assemble charge connect reset program design invent destroy crush melt freeze boil fry grill roast slice peel "
        "feed train ride climb jump kick hit shoot kill save rescue protect guard follow chase visit meet invite marry "
        "teach hire fire pay lend return exchange ship deliver pack wrap wear iron sew knit choose compare count "
        "check watch play record sing share post"
    ),
    "f": phrases(
        "my brother / my sister / my mother / my father / my friend / my best friend / my wife / my husband / my son / "
        "my daughter / my neighbor / my boss / my teacher / my doctor / my uncle / my aunt / my grandmother / my "
        "grandfather / my cat / my dog / my girlfriend / my boyfriend / my colleague / my roommate / my mom / my dad / "
        "our teacher / our neighbor / his mother / her father"
    ),
    "t": phrases(
        "a princess / the princess / a knight / a witch / two brothers / a wolf / the wolf and the sheep / a rabbit / "
        "the rabbit and the turtle / a tiger / a ghost / a ghost ship / a dog / a lost dog / a cat / a cat and a dog / "
        "three little pigs / a farmer / a queen / a giant / a fairy / a ship / a horse / a monster / a spider / a "
        "snake / a fish / a star / a doctor / a teacher / a soldier / a school / a bird / a chicken / a cow / a "
        "butterfly / the forest / the sea / a treasure / a thief / a castle / a football player / a computer / a "
        "spaceship / an alien / love / two friends / my family / a boy and his dog / a girl / a flower / winter / "
        "Christmas / a car / a little boy / the little mermaid / Cinderella / Snow White / Hansel and Gretel / Aladdin "
        "/ Robin Hood / a poor man / a rich man / an old woman / a cave / a volcano / an island / a mountain / the sun "
        "and the rain / a squirrel / a duck / a goose"
    ),
}
WORDS_HELD_OUT: dict[str, tuple[str, ...]] = {
    "n": words(
        "airplane bakery compass dentist emperor festival glacier iceberg journal ladder magazine orchestra parade "
        "quarry radio scooter trumpet uniform violinist walnut yacht zipper accordion balloon ambulance backpack "
        "cathedral detective escalator fountain goldfish hurricane jewel koala lantern motel nightingale oyster "
        "parachute raccoon sandal tornado umbrella veterinarian windmill"
    ),
    "w": phrases(
        "Caesar / Tolstoy / Rembrandt / Spiderman / Confucius / Zeus / Hercules / Oprah / Boston / Kevin / my cousin / "
        "the Beatles / the Matrix / Marco Polo / Socrates / Instagram / Handel / Byron / Nokia / Philadelphia / "
        "Gulliver / the Colosseum / the Mona Lisa / Mount Fuji / Brahms / Nietzsche / my dentist / Siemens"
    ),
    "v": words(
        "hockey opera astronomy theology ballet surfing pottery banking marketing robotics knitting botany "
        "snowboarding electromagnetism bureaucracy nostalgia karaoke origami vegetarianism"
    ),
    "a": words("boring fragile crazy gentle rude shiny rare wild curious elegant noisy slippery gigantic"),
    "d": words("polish steal borrow rent decorate paint weigh sharpen photograph translate bury hug"),
    "f": phrases("my cousin / my nephew / my niece / my partner / my grandma / my classmate / her brother"),
    "t": phrases(
        "a pig / a crocodile / a prince / a dinosaur / a vampire / a sheep / a donkey / a baker / a bridge / a sailor "
        "/ Rapunzel / a parrot / two sisters / the ocean / a cowboy / a grandmother"
    ),
}
