"""The phrases by which people tell of themselves, each with what it states in the third person."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from turnlog.extraction.dates import dates
from turnlog.extraction.phrases import Phrases
from turnlog.extraction.vocabulary.listed import alternatives, words
from turnlog.extraction.vocabulary.occupations import OCCUPATIONS
from turnlog.extraction.vocabulary.people import GIVEN, GIVEN_AND_WORDS
from turnlog.extraction.vocabulary.words import COMMON, DEMONYMS


class Rule(NamedTuple):
    """A pattern and what it states: `text`, with the pattern's groups by their names and "{value}" in their places.

    What has no group "value" takes what follows, to the end of the clause. `slots` names the slot by the group "kind".
    `only` tells whether a value fits.
    """

    pattern: re.Pattern[str]
    text: str
    slot: str
    only: Callable[[str], bool]
    slots: Mapping[str, str]
    confidence: float
    ended: bool
    denied: bool


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


FIRST_PERSON = words("i i'm im i've ive i'd i'll my our we we're we've me am")
SENTENCE = re.compile(r"[^.!?;\n]+(?:\.(?=\S)[^.!?;\n]*)*[.!?;]*")
SUPPOSED = _pattern(
    r"\b"
    + alternatives(
        """
        if (?:i|we|my) | imagine | pretend | suppose | wish | as if | as though | i (?:would|could|might|
            should)(?!n't like)
        i'd (?!been) | should i | do i | am i | what if | let's say | hypothetically | dreamt | dreamed | role-?play
        in (?:the|my|a|this) (?:story|novel|book|film|movie|game|dream) | my character | when i grow up | not sure
        """
    )
    + r"\b"
)
SINCE = _pattern(r"\bsince (?:\w+ )?((?:19|20)\d\d)\b")
_NUMBER = "(?:\\d+|a|an|one|two|three|four|five|six|seven|eight|nine|ten|many|some)"
ENDS = _pattern(
    r"[.,;:!?()\n…—–\"]|\s-\s|\s"
    + alternatives(
        rf"""
        and (?:i|i'm|my|we|it|he|she|they|the|have|am|was|work|live|need|want|would|looking|trying|love|like|hate|that)
        but | because | cause | cuz | cos | since | so | although | though | while | when | who | which | where
        that | if
        for (?:over |about |almost |nearly |the (?:last|past) )?{_NUMBER}
        these days | now | nowadays | right now | at the moment | currently | btw | anyway | too | as well | atm
        with | thanks | please | lol | haha | already | again | last | this | next | until | till | in (?:19|20)\d\d
        any ?more | any longer | as
        """
    )
    + r"(?![\w'])"
)
ENDS_PLAN = _pattern(r"[.;!?\n…—–]|,? (?:but|so|because|and (?:i|my|we)|which|can you|could you|what)\b")
NO_VALUE = words("it that this there here them him her you what where how not no just so very much to be me us")
"""Words with which no value begins."""
_ADVERBS = (
    r"(?:(?:currently|now|also|still|actually|just|really|mostly|mainly|usually|recently|originally|basically|only|"
    r"already|both|have|has|been|always|officially|finally|temporarily) )*"
)
_I = r"(?<![\w'])(?:i|we)(?:'ve| have)? " + _ADVERBS
_IM = r"(?<![\w'])(?:i'm|im|i am|we're|we are) " + _ADVERBS
_NO_MORE = r"(?:no longer|don't|do not|dont|stopped|quit)"
_KIN = (
    r"(?P<kind>wife|husband|spouse|partner|girlfriend|boyfriend|fianc[eé]e?|son|daughter|baby|kid|child|brother|sister|"
    r"twin|"
    r"mother|mom|mum|father|dad|grandmother|grandfather|grandma|grandpa|nan|aunt|uncle|cousin|nephew|niece|"
    r"mother-in-law|father-in-law|mother in law|father in law|best friend|friend|boss|manager|flatmate|roommate|"
    r"neighbou?r|"
    r"colleague|doctor|dentist|landlord|landlady|therapist|physio)"
)
_PET = (
    r"(?P<kind>dog|cat|puppy|kitten|rabbit|hamster|parrot|budgie|horse|pony|tortoise|turtle|goldfish|guinea pig|ferret|"
    r"snake|lizard|gecko|chicken|hen|goat|donkey|retriever|labrador|beagle|poodle|terrier|dachshund|husky)"
)
_CALLED = r"(?:,|'s name is|(?:'s| is| was) (?:called|named)|(?:'s| is)| called| named)?"
_NAME = r"(?P<value>(?-i:[A-Z][\w'-]+(?: [A-Z][\w'-]+)?))(?!\w)"
ONE_OF_A_KIND = {
    **dict.fromkeys(("wife", "husband", "spouse", "partner", "girlfriend", "boyfriend", "fiance", "fiancee"), "partner"),
    **dict.fromkeys(("fiancé", "fiancée"), "partner"),
    **dict.fromkeys(("mother", "mom", "mum"), "mother"),
    **dict.fromkeys(("father", "dad"), "father"),
    **{kind: kind for kind in ("boss", "manager", "landlord", "landlady", "therapist", "dentist", "best friend")},
}
"""The slots of the people that one has one of."""
_VEHICLES = words(
    """
    car van bike bicycle motorbike motorcycle scooter boat truck suv tesla toyota honda bmw audi volvo skoda vw
    volkswagen
    ford fiat renault peugeot kia hyundai mazda nissan subaru porsche mercedes vespa yamaha ebike e-bike camper caravan
    """
)


def _is_place(value: str) -> bool:
    return value[0].isupper() or (value.islower() and value.split(maxsplit=1)[0] not in COMMON)


def _is_trade(value: str) -> bool:
    return (
        value.rsplit(maxsplit=1)[-1].lower() in OCCUPATIONS
        or value.split(" at ", maxsplit=1)[0].rsplit(maxsplit=1)[-1].lower() in OCCUPATIONS
    )


def _is_employer(value: str) -> bool:
    first = value.split(maxsplit=1)[0].lower()
    return (
        first not in ("home", "night", "nights", "weekends", "myself", "it", "least", "all", "the moment")
        and not first[0].isdigit()
    )


def _is_people(value: str) -> bool:
    return value.split(maxsplit=1)[0].lower() in DEMONYMS or value.rsplit(maxsplit=1)[-1].lower() in DEMONYMS


def _is_name(value: str) -> bool:
    first = value.split(maxsplit=1)[0].lower()
    return first in GIVEN or first in GIVEN_AND_WORDS or first not in COMMON


def _is_vehicle(value: str) -> bool:
    return not _VEHICLES.isdisjoint(value.lower().split())


def _is_day(value: str) -> bool:
    return any(c.isdigit() for c in value) or bool(dates(value))


def _is_capital(value: str) -> bool:
    return value[0].isupper()


def _is_a_people(value: str) -> bool:
    return value.lower() in DEMONYMS


def _is_age(value: str) -> bool:
    return 5 < int(value) < 111


def _any(value: str) -> bool:
    return bool(value)


def _row(
    pattern: str,
    text: str,
    slot: str = "",
    only: Callable[[str], bool] = _any,
    slots: Mapping[str, str] | None = None,
    confidence: float = 0.8,
    ended: bool = False,
    denied: bool = False,
) -> Rule:
    return Rule(_pattern(pattern), text, slot, only, slots or {}, confidence, ended, denied)


_ONE = r"(?<![\w'])i "
_WE = r"(?<![\w'])(?:i|we)(?:'ve| have)? (?:just |recently |finally )?"
PLACES: tuple[Rule, ...] = (
    _row(_I + r"(?:live|living|reside) (?:in|near|at|on) ", "lives in {value}", "home", _is_place),
    _row(
        _IM + r"(?:living|based|residing|settled) in |\bbased in ",
        "lives in {value}",
        "home",
        _is_place,
    ),
    _row(
        _I + r"(?:moved|relocated) (?:back |house |over |out |up |down )?to ",
        "lives in {value}",
        "home",
        _is_place,
    ),
    _row(
        _ONE + r"(?:used to live|lived|was living|was based) in ",
        "lives in {value}",
        "home",
        _is_place,
        ended=True,
    ),
    _row(
        _ONE + r"(?:no longer live|don't live|do not live|dont live|moved (?:away|out)) (?:in|from|of) ",
        "lives in {value}",
        "home",
        _is_place,
        denied=True,
    ),
    _row(
        _IM + r"(?:originally )?from |" + _I + r"(?:come|hail) (?:originally )?from ",
        "is from {value}",
        "origin",
        _is_place,
    ),
    _row(_ONE + r"grew up in ", "grew up in {value}", "childhood home", _is_place),
    _row(_ONE + r"was born (?:and raised )?in (?=[A-Z])", "was born in {value}", "birthplace", _is_place),
)
WORK: tuple[Rule, ...] = (
    _row(
        _I + r"(?:work|working) as (?:an? |the )?|" + _IM + r"working as (?:an? |the )?",
        "works as {value}",
        "job",
    ),
    _row(_IM + r"(?:an? |the )", "is a {value}", "job", _is_trade),
    _row(
        _IM + r"(?P<value>retired|unemployed|self-employed|self employed|freelancing|between jobs)\b",
        "is {value}",
        "job",
    ),
    _row(_I + r"(?:work|working) (?:at|for) ", "works at {value}", "employer", _is_employer),
    _row(
        _IM + r"(?:working|employed|interning) (?:at|for|by) ",
        "works at {value}",
        "employer",
        _is_employer,
    ),
    _row(
        _WE
        + r"(?:got|landed|started|found|accepted) a (?:new )?(?:job|position|role) (?:at|with) |"
        + _WE
        + r"(?:joined|started at|started working (?:at|for)) ",
        "works at {value}",
        "employer",
        _is_capital,
    ),
    _row(
        _ONE + r"(?:used to work|worked) (?:at|for) ",
        "works at {value}",
        "employer",
        _is_employer,
        ended=True,
    ),
    _row(
        rf"{_ONE}{_NO_MORE} (?:work|working) (?:at|for) |" + _WE + r"(?:quit|left) (?:my job at |my position at )",
        "works at {value}",
        "employer",
        _is_employer,
        denied=True,
    ),
    _row(_I + r"(?:run|own|manage) (?:an? |my own )", "runs a {value}", confidence=0.7),
    _row(
        _I
        + r"(?:study|major in) (?=\w)|"
        + _IM
        + r"(?:studying|majoring in|doing an? (?:phd|master's|masters|msc|ma|degree|"
        r"postdoc|apprenticeship)(?: degree)? in) ",
        "studies {value}",
        "studies",
    ),
)
_CONDITIONS = (
    r"asthma|diabetes|adhd|autism|epilepsy|migraines?|arthritis|dyslexia|insomnia|tinnitus|anxiety|depression|hay fever|"
    r"c(?:o)?eliac disease|ibs|eczema|bad (?:knees?|back|hip|shoulder)|high blood pressure"
)
_TRAITS = (
    r"colou?r-?blind|left-handed|right-handed|deaf|blind|dyslexic|autistic|a twin|nonbinary|non-binary|an only child|"
    r"vegan|"
    r"vegetarian|pescatarian|coeliac|celiac|diabetic|lactose intolerant|gluten-free|gluten free|teetotal|kosher|halal"
)
PERSON: tuple[Rule, ...] = (
    _row(
        r"\b(?:my|our) (?:birthday|bday)(?:'s| is| falls)(?: on)?(?: the)? ",
        "has the birthday {value}",
        "birthday",
        _is_day,
    ),
    _row(_ONE + r"was born (?:on|in) (?=(?:the )?\d)", "was born {value}", "birth"),
    _row(
        _IM + r"(?P<value>\d\d)\b(?= (?:years|yrs|y/o|yo)\b|[.,!;]|$| and\b)",
        "is {value} years old",
        "age",
        _is_age,
    ),
    _row(_WE + r"turned (?P<value>\d\d)\b", "is {value} years old", "age", _is_age),
    _row(
        _IM + r"(?P<value>married|divorced|engaged|widowed|single|pregnant)\b",
        "is {value}",
        "marital status",
    ),
    _row(_ONE + r"speak (?:fluent |some |a little |a bit of )?(?=[A-Z])", "speaks {value}", "", _is_people),
    _row(r"\bmy (?:native|first|mother) (?:language|tongue) is ", "speaks {value} natively", "language"),
    _row(_IM + r"learning (?=[A-Z])", "is learning {value}", "", _is_people),
    _row(_IM + r"(?:half )?(?=(?-i:[A-Z]))", "is {value}", "nationality", _is_a_people),
    _row(
        _IM + r"(?:very |severely |badly |quite |deathly |slightly )?(?:allergic|intolerant) to ",
        "is allergic to {value}",
        confidence=0.9,
    ),
    _row(
        _ONE + r"have an? (?:severe |bad |mild )?(?P<value>[\w-]+) (?:allergy|intolerance)\b",
        "is allergic to {value}",
        confidence=0.9,
    ),
    _row(
        _IM + rf"(?:an? )?(?:strict |lifelong )?(?P<value>{_TRAITS})\b",
        "is {value}",
        confidence=0.9,
    ),
    _row(_I + r"(?:don't|do not|dont|never|can't|cannot|cant) (?P<kind>eat|drink) ", "does not {kind} {value}"),
    _row(
        _ONE + rf"(?:have|suffer from|was diagnosed with) (?:an? )?(?P<value>(?:type \d )?(?:{_CONDITIONS}))\b",
        "has {value}",
        confidence=0.9,
    ),
)
_MANY = r"kids?|children|sons?|daughters?|dogs?|cats?|brothers?|sisters?|siblings?|boys|girls|twins|horses?|rabbits?"
_AGED = "(?:new |old |late |little |older |younger |elder |big |eldest |youngest |rescue )*"
COMPANY: tuple[Rule, ...] = (
    _row(
        rf"\b(?:my|our) {_AGED}{_KIN}{_CALLED} {_NAME}",
        "has a {kind} named {value}",
        "",
        _is_name,
        ONE_OF_A_KIND,
    ),
    _row(rf"\b(?:my|our) {_AGED}{_PET}{_CALLED} {_NAME}", "has a {kind} named {value}", "", _is_name),
    _row(
        rf"{_WE}(?:also )?(?:have |got |adopted )?an? (?:\w+ )?(?:{_PET}|{_KIN.replace('kind', 'kin')})(?: \w+)? "
        rf"(?:called|named) {_NAME}",
        "has a {kind} named {value}",
        "",
        _is_name,
    ),
    _row(
        rf"(?<![\w'])(?:i|we) have (?P<kind>an?|one|two|three|four|five|six|twin|\d) "
        rf"(?P<value>(?:little |small |young |teenage |grown )?(?:{_MANY}))\b",
        "has {kind} {value}",
    ),
    _row(_ONE + r"(?:drive|ride|own) (?:an? |the )", "owns a {value}", "", _is_vehicle),
    _row(_WE + r"bought (?:an? |ourselves a |myself a )", "bought a {value}", confidence=0.7),
)
RULES = PLACES + WORK + PERSON + COMPANY
"""What holds of the user, each from the clause that says it."""
RULES_BY_WORDS = Phrases([rule.pattern.pattern for rule in RULES], re.IGNORECASE)
_GOING = "flying|going|travell?ing|moving|getting married|starting|leaving|having|running|taking|visiting|driving"
DATED: tuple[Rule, ...] = (
    _row(
        rf"{_IM}(?P<kind>{_GOING})\b",
        "is {kind} {value}",
        confidence=0.7,
    ),
    _row(r"(?<![\w'])(?:i|we) (?:have|'ve got|got) (?:an? |my |our )", "has a {value}", confidence=0.7),
    _row(
        r"\b(?:my|our) (?P<kind>(?:[\w'-]+ ){1,3}?)(?:is|starts|begins) (?:on |in |from )?(?=\S)",
        "has a {kind}on {value}",
        confidence=0.7,
    ),
    _row(
        r"(?<![\w'])(?:i|we) (?P<kind>fly|leave|arrive|start|move|travel|land) ",
        "is to {kind} {value}",
        confidence=0.7,
    ),
)
"""What is to be, where a day is named."""
DATED_BY_WORDS = Phrases([rule.pattern.pattern for rule in DATED], re.IGNORECASE)
