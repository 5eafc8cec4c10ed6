"""Whether a word is an English one: the stems of everyday words, and how words are made of them."""

from functools import lru_cache

from turnlog.extraction.vocabulary.listed import words
from turnlog.extraction.vocabulary.words import COMMON

STEMS = words(
    """
abandon ability abroad absence absent absolute absorb abstract absurd abuse accept access accident accompany accomplish
account accurate accuse ache achieve acid acquire act action active activity actor actual adapt additional address
adequate adjust admin admire admit adopt adult advance advantage adventure advert advertise advice advise affair affect
afford afloat age agency agenda agent aggressive agree aid aim air aircraft airline airport aisle alarm album alcohol
alert alien alike alley allow ally aloud alphabet alter alternative amateur ambition ambulance amount amuse analyse
analysis analyze ancient anger angle animal anime ankle anniversary announce annoy annual anonymous anticipate antique
anxiety apartment apology app appeal appear appetite apple appliance application apply appoint appointment appreciate
approach appropriate approval approve apron arch architecture area arena argue argument arise arisen arm army arrange
arrest arrival arrive arrow art article artist ashamed asleep aspect assemble assess assign assignment assist assume
assure ate atmosphere attach attack attempt attend attic attitude attorney attract attractive auction audience audio
audit author authority auto automatic available average avocado avoid await awake award awkward axe aye baby bachelor
background backpack backup backyard bacon badge badminton bag bagel baggage bake baker balance balcony bald ball ballet
balloon ban banana band bang banjo bank bar barbecue bare bargain bark barn barrel barrier base baseball basement basic
basis basket basketball bass bat batch bath bathroom battery battle bay beach bead beam bean bear beard beast beat beaten
beautiful beauty became bed bedroom bee beef beer beet beg begun behave behavior behaviour belief bell belly belong belt
bench bend benefit bent berry bet betray beverage beware bicycle bid bike bill billion bin bind bird birth birthday
biryani biscuit bit bite bitten bitter blame bland blank blanket blast bleed blend bless blew blink block blog blond
blood bloody bloom blow blown blue blunt blur board boast boat body boil boiler bold bolt bomb bond bone bonkers bonus
boost boot booth border bore boring borne borrow bother bottle bottom bounce bound bowl box boxing boy bracelet brain
brake branch brave breach breakdown breakup breath breathe breed breeze brew brick bride bridge brie brief bright
brilliant broad broadband broadcast broccoli broken bronze broom broth brown browse browser bruise brunch brush bubble
bucket budget builder building built bulb bulk bull bump bun bunch bundle burden burger burn burnt burrito burst bury
bush business butcher butter butterfly button buyer buzz cab cabbage cabin cabinet cable cage cake calculate calculator
calendar calf calm camera camp campaign campsite campus canal cancer candidate candle candy canvas cap capable capacity
cape capital captain caption capture caramel carbon card cardboard career careful careless carnival carpet carriage
carrot carry cart cartoon carve cash cashew casino cast castle casual catalogue catch category caught cauliflower cause
cave ceiling celebrate celebration celery cell cellar cello cement center central centre century cereal ceremony chain
chair chairman challenge chamber champion championship channel chaos chapter character charge charger charity charm chart
chase chat cheap cheat cheddar cheek cheer cheerful cheerio cheesy chef chemical chemistry cherry chess chest chew
chicken child childhood chill chilly chimney chin chip chips chocolate choice choir choke choose chop chord chore chorus
chose chosen chronic chuffed chunk church chutney cigarette cinema cinnamon circle circuit circumstance citizen city
civil claim clap clarify clash classic classical classroom clay cleaner clear clerk clever click client cliff climate
climb climbing clinic clip cloak clock closet cloth clothes cloud cloudy clown club clue clueless clumsy clung cluster
clutter coach coal coast coat cocktail cocoa coconut coin coincidence cold collapse collar colleague collect collection
college color colour column comb combination combine comedy comfort comfortable comic command comment commerce commercial
commit committee common communicate community commute commuter company comparison compete competition compile complain
complaint complex complicated compliment component compose compound compromise computer con concentrate concept concern
concert conclude conclusion concrete condition conduct conference confess confidence confident confirmation conflict
confuse confusing connect connection conscious consent consequence conserve constant construct consume contain container
contemporary content contest context continent continue contract contrast contribute control controversial convenient
convention conversation convince cook cooker cookie cooking coop cope core coriander corn corner corporate corridor cost
costume cottage cotton couch cough council counter country countryside county coupon courage course court courtyard
couscous cousin cow crab crack craft cramp cranberry crane cranky crap crash crate crawl cream creased creative creature
credit creep creepy crept crew crib cricket crikey crime criminal crisis crisp criteria critic critical criticism crochet
croissant crop cross crowd crown crucial crude cruel cruise crumb crunch crush crushed crust cry cube cucumber cuddle
cultural culture cup cupboard curb cure curl curling curly currency curry curse curtain curve cushion custom cut cycle
cycling cyclist dairy damage dammit damn damp dance dancer danger dangerous dare dark darling darts dash data database
date dawn daylight deadline deal dealer dealt dearest death debate debt decade decaf decent decide decision declare
decline decor decorate decrease dedicate deep deer default defeat defend define definite definition degree delay delicate
delicious delight demand demo demonstrate dense dental dentist deny depart departure dependent deploy deposit depress
depressed depressing depression depth derive desc description desert deserve design desire desk desktop desperate despite
dessert destination destroy detail detect detective determine devastated develop developer development device devil
diabetes diagram dialogue diamond diary dice dictionary diet differ difference difficult difficulty dig digest digital
dim dinosaur dip direct direction dirt dirty disability disagree disappear disappoint disappointed disaster disc discount
discover discovery discuss discussion disease disgust disgusting dish dishwasher dislike disorder display dispute
distance distant distinct distract district disturb dive diverse diversity divide division dizzy dock document
documentary documentation dodgy doll dollar domain domestic dominate donate donkey donut doom door dose dot doubt dough
dozen drag dragon drain drained drama dramatic drank drastic draw drawer drawing drawn dread dreadful dream dress drew
drift drill drink drip drive driven driver drought drove drown drug drum drums dry dryer duck due dug duh duke dull dumb
dump dumpling dunno duration dust dusty duty duvet dwell dye dynamic eager eagle ear earn earring earth earthquake ease
easily east eastern eat eaten echo ecology economic economy edge edit edition editor educate education effect effective
efficient effort egg eggs eight elbow elder elect election electric electrician electricity electronic elegant element
elephant elevator eleven eligible eliminate elite embarrass embarrassed embassy embroidery emergency emoji emotion
emotional emphasis employ employee employer employment empty enable encounter encourage enemy energy enforce engage
engine enhance enjoy enjoyable enormous ensure enter entertain entertainment enthusiasm entire entirely entrance entry
envelope environment envy equal equip equipment escape espresso essay essential establish estate estimate ethnic evaluate
event eventually evidence evil ew eww exact exam examine example excellent exception exchange excitement exciting exclude
executive exercise exhaust exhausting exhibit exhibition exist existence exit exotic expand expect expectation expense
expensive experience experiment expert expire explanation explode explore export expose express expression extend
extension extent external extraordinary extreme extremely eye eyebrow fabric fabulous face facility fact factor factory
fade fail failure faint fairly fairy faith faithful fake falafel fallen false fame familiar famished famous fan fancy
fantastic fantasy fare farm farmer fascinate fashion fasten fat fatal fate fault favor favorite favour favourite fear
feast feather feature fed fee feed feedback feet fell fellow female fence fencing ferry festival feta fetch fever
feverish fiction field fifteen fifth fifty fig figure fill film filthy final financial finger firefighter firm firmware
fishing fist fit fitness five fixed flabbergasted flag flame flap flash flashlight flat flavor flavour flaw flea fled
flesh flew flexible flip float flood floor flop flour flow flower flown flu fluent fluffy fluid flung flush flute fly
foam fog fold folder folk fond fondue foolish foot footage football forbid force forecast forehead foreign forest forever
forgave forge forgot forgotten fork form format formula fortnight fortunate fortune forty forum fought foul foundation
fountain four fourth fox fraction fragile frame framework fraud frazzled freak freedom freeze freezer freezing frequency
frequent fresh fridge fried friend friendly friendship fries frighten frog front frost froze frozen fruit frustrate
frustrated frustrating fry fuel function fund fundamental funeral fur furious furniture further fuse fuss fussy future
gadget gain gallery gang gap garage garbage garden gardener garlic gas gasp gate gather gear gee gelato gender gene
generation generous genius genre gentle gentleman genuine geography germ gesture ghost giant gift giggle gimme ginger
giraffe girl glance glass glasses glitch global gloom glory glove glow glue gnocchi goal goat gobsmacked god gold golden
golf golly gonna goodness goods goose gorgeous gosh gossip gotta government grab grade gradual graduate graduation grain
gram grammar grandchild grandparent granola grape graph graphic grass gravel gravity gravy gray greedy green greet grey
grief grill grin grind grip grocery gross ground group grow grown growth grr grumble grumpy guacamole guarantee guard
guest guidance guide guilt guilty guitar gum gun gust gut gutted gymnast gymnastics habit hah hair haircut hall halloumi
ham hamburger hammer hand handbag handle handsome handwriting handy happen happiness harbor harbour hardly hardware harm
harvest hat hatch haul haunt hay hazard hazelnut headache headers headline headphones heal health healthy heap heart
heartbroken heat heater heating heaven heavy heck hectic hedge heel hehe height held helicopter hell helmet helpful hen
herb hero hesitate hid hidden hide high highlight highway hike hiker hiking hilarious hill hint hip hire historic hit
hobby hockey hole holiday holy honey honeymoon honor honour hook hooray hope hopeful hopeless horn horrible horrid horror
horse hose hospital host hostel hour household hover hug huge huh hum human humble humid hummus humor humour hunch hung
hunger hunt hurrah hurt hut hygiene hyped ice icon ideal identical identify identity idiot idle ignore illegal illness
image imagination imitate immediate immediately immense immigrant impact impatient imply import importance impossible
impress impressive improve improvement impulse inbox inch incident include income increase incredible index indicate
indifferent individual indoor indoors industry infant infection influence inform informal information ingredient
inhabitant inherit initial injection injure injury ink inn inner innit innocent input insect insert insist insomnia
inspect inspire install instance instant instinct institute institution instruct instruction instructor instrument insult
insurance insure intelligence intelligent intend intense intention interaction interest internal international internet
interpret interrupt intersection interval interview intimate introduce introduction invade invent invention invest
investigate investment invisible invite involve iron irony irrelevant irritate irritating island isolate itch item jacket
jail jalapeno jam jar jaw jazz jealous jeans jeez jelly jet jetlagged jewel jewellery jingle jogging join joint joke
jolly journal journalist journey joy judo juice juicy jump jungle junk justice justify kale karaoke karate kayak kayaking
kebab keen kept ketchup kettle key keyboard kick kidney kill kilo kimchi kinda king kingdom kiss kitchen kite kitten
knackered knee kneel knelt knew knife knit knitting knob knock knot knowledge known kombucha lab label labor labour lace
lack ladder lady laid lake lamb lamp land landlord landmark lane language lap laptop large lasagna lasagne laser latte
laugh laughter launch laundry lava law lawn lawsuit lawyer lay layer layout lazy leader leadership leaf leaflet leak lean
leap learn lease leather lecture led ledge leek leftover leg legacy legend legendary lemme lemon lend length lens lent
lentil lesson level lever liability liar liberty library licence license lick lid lie life lifestyle lift light lighting
lightning likely limb lime limit limited limp linen linger link lip liquid lit liter literature litre litter liver livid
lmao load loaf loan lobby lobster local locate location lock locker lodge loft logic logical login logo loop loose lorry
lottery loud loudly lounge low lower loyal luck lucky luggage lump lung luxury lyrics macaroni machine mad magazine magic
magical magnet magnificent maid main mainly maintain maintenance majority makeup male mall manage mandatory mango mankind
manner manual manufacture map marathon marble margin marine mark market marmalade marriage marry marzipan mask mass
massage massive master mat matcha material math mathematics maths matter mattress mature maximum mayo mayonnaise mayor
meal meaning meaningful meant measure meat mechanic mechanism medal media medical medication medicine meditation medium
melody melt member memory mental mentor menu mercy mere merge meringue merit mess messy metal method mhm microphone
microwave middle midnight mighty mild mile milestone military mill million mince mindful mineral minimal minimum minister
ministry minority mint minus minute miracle mirror miserable misery mislead misled mist mistake mistook misunderstand mix
mixture mobile mocha mode model moderate modern modest modify module moist moisture mole molecule moment monitor monkey
monster mood moody moon moral mortgage mortified mosquito moss motion motivate motivation motive motor motorbike motorway
mount mountain mouse mouth movement movie mow mozzarella mud muddy muesli muffin mug multiple multiply muscle museum
mushroom musical musician mustard mutual mystery myth naan nah nail naked nap narrative narrow nasty nation national
native natural nature naughty nausea navy neat necessary neck necklace needle negative neglect negotiate neighborhood
neighbourhood nerd nerve nest net network neutral newsletter newspaper nicely nightmare nine ninety noble nod noise noisy
nonsense noodle noodles noon north northern nose nosy notebook notify notion nougat novel nuclear nuisance numb numerous
nurse nursery nut nutella oak oat oats object objection objective observe obsess obstacle obtain obvious occasion
occasional occupy occur ocean octopus offence offense offensive office official offline oil ointment omelette ongoing
onion online oof ooh opera opinion opponent opportunity oppose opposite optimistic oral orange orchard orchestra ordeal
ordinary oregano organ organic organisation organise organization organize orient origami origin original outcome outdoor
outdoors outfit outlet outline outlook output outrageous outstanding outta oven overall overcome overheard overlap
overnight overseas overtime overwhelm overwhelmed overworked owe owl owner oxygen oyster pace pack package packet pad
paddle paella pain painful paint painter painting pair pajamas palace pale palm pan pancake paneer panel panic pants
paper paperwork paprika parade paragraph parallel parcel parched parent park parking parmesan parrot parsley participant
participate particular party passage passenger passion passionate passive passport pasta paste pastry patch path pathetic
patience patient pattern pause pavement payment pea peace peaceful peach peak peanut pear peasant peckish peculiar pedal
pedestrian peel peer pen penalty pencil pension pepper per percent percentage perform performance perfume period
permanent permission permit persist personality perspective persuade pest pesto pet petrified petrol petty pfft pharmacy
phase phew philosophy photo photograph photographer photography phrase physical physics piano pickle pickles picky picnic
pie piece pig pigeon pilates pile pill pillow pilot pin pinch pine pineapple pink pint pipe pirate pissed pistachio pit
pitch pity pizza plain plane planet plant plantain plaster plastic plate platform player playful playground playlist
plead pleasant plot plug plum plumber plural pocket podcast poem poet poetry poison poker pole polenta police policy
polish polite political politician politics poll pollution pond pool poor poorly pop popcorn popular population porch
pork porridge port portion position positive possess possession possibility postcard poster postpone pot potato potential
pottery pound pour poverty powder power powerful practical practice practise praise prawn pray prayer precious precise
predict preference pregnancy prejudice preparation prepare presence present presentation preserve president press
pressure pretend pretzel prevent previous price prick pride priest primary prime prince princess principal principle
printer prior priority prison prisoner privacy private privilege prize procedure proceed process produce product
production productive productivity profession professional profile profit program programme progress prohibit promise
promote promotion prompt pronounce pronunciation proof proper properly property proportion proposal propose prosecco
prospect protect protection protein protest prototype prove provide psst pub public publish publisher pudding pull pulse
pump punch punctual punish punishment pupil puppet puppy purchase pure purple purpose purse pursue push puzzle pyjamas
quality quantity quarrel quarter queen quest queue quiche quiet quietly quilt quinoa quit quiz quota rabbit race racism
rack radiator radical radio radish rage rail railway rain rainbow raincoat rainy raisin ramen ramp ran rang range rank
rapid rare rarely rash raspberry rat rate rating ratio rational ravioli raw razor reach react reaction reader readiness
realise reality realize rear reasonable rebel recall receipt receive recent reckon recognise recognition recognize
recommend recommendation record recording recover recovery recruit recycle red reduce reduction reef refer referee
reference reflect refresh refrigerator refund refusal refuse regard reggae region register registration regret regular
regulation rehearse reject relate relation relationship relative relax relaxing release relevant reliable relief relieve
religion religious reluctant rely remain remark remarkable remedy remote rent repair repeat replace replacement represent
reputation request require requirement rescue research resemble reservation reserve reset residence resident resign
resist resolution resolve resort resource respect respond response responsibility responsible responsive restaurant
restless restore restrict result resume retail retain retire retirement retreat return reveal revenge revenue reverse
review revise revolution reward rhythm rib ribbon rich rid ridden riddle ride ridiculous rigid ring rinse riot rip ripe
rise risen risk risky risotto ritual rival river road roast rob robot robust rock rocket rode rofl role roll romance
romantic roof room root rope rose rosemary rotten rough roughly round route routine row rowing royal rub rubber rubbish
rude rug rugby ruin rule ruler rumor rumour rung runner running rural rush rust rusty sack sacrifice saddle safe safety
sail sailing sailor sake salad salami salary sale salmon salsa salt salty sample sanction sand sandal sandwich sang sank
sashimi sat satellite satisfaction satisfied satisfy sauce sauerkraut sausage savage savings scale scam scan scandal scar
scarf scary scatter scenario scene scenery scent sceptical scheme scholar scholarship school science scientific scientist
scissors scold scone scope score scramble scrap scratchy scream screen screenshot screw script scroll sculpture sea
seafood seal seam season seat seaweed secondary secret secretary section sector secure seed seek segment seize select
selection self selfish sensation sense sensible sensitive sentence separate sequence series serious serve server service
sesame session settings settle settlement setup seven seventeen seventy severe sew sewing shade shadow shake shaken shaky
shallow shame shampoo shape share shark sharp shave shed sheep sheet shelf shell shelter shh shield shine shiny shock
shoe shoes shone shook shoot shop shopping shore shortage shortcut shorts shot shoulder shout shovel shower shown shrank
shrimp shrink shrub shrug shuffle shy sibling sigh sight sightseeing signal signature significant silence silent silk
silly silver similar singer singing sink sip sit site situation sixteen sixty skate skateboarding skating skeleton
skeptical sketch skiing skill skin skinny skirt skull sky slam slang slap slavery sled sleepy sleeve slept slice slid
slide slight slightly slim slip slipper slogan slope slot slowly sly smart smash smell smile smoke smoking smooth snack
snail snake snap sneak sneeze sniff snore snow snowboarding snowy soak soaked soap soccer social society sock socks sofa
soft software soil solar soldier sole solid solo solution solve someday song sorbet sore sorta sought soul sound soup
sour source south southern souvenir soy space spaghetti spam spare spark speaker special specialist species specific
spectacular speech speechless speed spell spend spent sphere spice spicy spider spill spin spinach spirit spiritual spit
splash splendid spoil spoken sponge sponsor spoon sport sports spouse sprang spray spread spreadsheet spun spy squad
square squash squeeze squid squirrel stable stack stadium staff stage staging stain stainless stair stairs stale stamp
standard standup staple stare starving statement station statue status steady steak steal steam steel steep steer stem
stereo stew stick sticky stiff stimulate sting stir stock stoked stole stolen stomach stone stood stool storage store
storm stormy stove stranger strap strategic strategy straw strawberry stream street strength stress stressed stressful
strict strike string strip stroke stroll strong struck structure struggle stubborn studio study stuffed stumble stung
stunning stupid style submit subscribe subscription substance subtle suburb subway succeed success successful suck sudden
sudoku suffer sufficient sugar suggestion suicide suit suitable suitcase sum summit sunburn sunburnt sung sunglasses sunk
sunlight sunny sunrise sunset sunshine super superb superior supermarket supper supplement supply supportive supreme
surface surfing surgeon surgery surprise surprised surprising surrender surround survey survive sushi suspect suspicion
suspicious swallow swam swamp swamped swear sweat sweater sweep sweet swell swept swim swimming swing swore sworn swum
swung symbol sympathy symptom sync system ta table tablet tackle taco tacos tada tahini tail tailor talent tank tap tapas
tape target task taste tasty tattoo taught tax taxi teach teammate tear tease technical technique techno technology teen
teenage teenager telephone television temper temperature template temple temporary tempt tempura tenant tend tendency
tender tennis tense tension tent term terminal terrible terribly terrific terrified terrify territory terror thankful
theater theatre theft theme theorem theory therapist therapy thesis thick thief thigh thin thirteen thirty thorough
thread threat threaten threw thrill thrilled throat throne throughout throw thrown thumb thunder thunderstorm thx thyme
ticket ticklish tide tie tiger tile timber timeline timer timetable timid tin tiny tiramisu tire tiring tissue title
toast tobacco toddler toe tofu toilet token tolerate tomato tone tongue tool tooth toothache toothbrush toothpaste torch
tore torn tortilla torture toss touch touched tough tour tourist tournament towards towel tower toxic toy trace track
trade tradition traditional traffic tragedy trail trailer trainer training tram transaction transfer transform transition
translation transparent transport trap trash traveler traveller tray treasure treat treatment treaty tree tremendous
trend trial triangle tribe trick tricky trigger trim trivial troop tropical trousers truck truffle trumpet trunk truth
tsk tube tuna tune tunnel turkey turmeric turtle tutor tv twelve twenty twin twist typo tyre ugly uh-huh uh-oh ukulele
ultimate umbrella umm unable unbearable uncomfortable underground understand understanding uneasy unexpected unfair
unhappy uniform union unique unit unite universal universe university unknown unlikely unlock unlucky unsure unusual
upcoming upper uproar upside upstairs urban urge urgent urgently usage useless utter vacant vacation vaccine vacuum vague
vain valid validation valley valuable value van vanilla vanish variable variety various vary vase vast vegetable
vegetables vehicle veil venue verb verdict verify versus vessel veteran vibe vibrant vice victim victory video villa
village vinegar vintage violate violence violent violin virtual virtue virus visa visible vision visit visitor visual
vital vitamin vivid vocabulary voice voicemail volcano volleyball volume volunteer vote voucher vulnerable waffle wage
waist waiter wake wall wallet wallpaper wander war ward wardrobe warehouse warn warning warranty wasabi wash washing wasp
waste wasted water waterfall waterproof wave wax weak weakness wealth wealthy weapon web website wedding weed weekend
weigh weight wellness welp wet whale wheat wheel whew whilst whiskey whisky whisper whistle whoa whoops wicked wide
widespread widow width wild wilderness willing win wind window windy wine wing winner wipe wire wireless wisdom wise
witch witness woke woken wolf woman women wonderful wood wooden woohoo wool wore workflow workload workout workplace
workshop worm worn worry worship worthwhile worthy wound woven wrap wreck wrecked wrinkle wrist writer writing written
wtf wut ya yard yarn yawn yea yeap yeh yell yellow yield yoga yoghurt yogurt youth yuck yum zebra zip zone zoo zoom
zucchini
"""
)
"""Everyday words in lower case that are not in `words.COMMON`."""

_ENDINGS = {
    "'s": ("",),
    **dict.fromkeys(("ies", "ied", "ier", "iest", "ily"), ("y",)),
    **dict.fromkeys(("es", "ed", "ing", "er", "est", "able", "ion", "y", "ity"), ("", "e")),
    **dict.fromkeys(("s", "ness", "ful", "less", "ment", "al", "ish"), ("",)),
    "ly": ("", "le"),
}
"""The endings of words, and what stands in their place in the stem."""
LENGTH_MAX = 40
"""Letters of an everyday word, at most."""
_BEGINNINGS = ("un", "re", "in", "dis", "over", "mis", "out", "pre", "non")


def is_english(lower: str) -> bool:
    """Whether `lower`, a word in lower case, is an everyday English word or is made of one."""
    # decision 047: a word of any length must not recurse as deep as it is long, nor stay in a cache
    return len(lower) <= LENGTH_MAX and _is_english(lower)


@lru_cache(maxsize=8192)
def _is_english(lower: str) -> bool:
    if lower in COMMON or lower in STEMS or any(_has_stem(lower, ending) for ending in _ENDINGS):
        return True
    return any(
        lower.startswith(part) and _is_english(lower[len(part) :]) for part in _BEGINNINGS if len(lower) > len(part) + 3
    )


def _has_stem(word: str, ending: str) -> bool:
    stem = word[: -len(ending)]
    if not word.endswith(ending) or len(stem) < 2:
        return False
    doubled = len(stem) > 3 and stem[-1] == stem[-2] and (stem[:-1] in STEMS or stem[:-1] in COMMON)
    return doubled or any(stem + end in STEMS or stem + end in COMMON for end in _ENDINGS[ending])
