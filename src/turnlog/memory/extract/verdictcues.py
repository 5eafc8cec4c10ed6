"""The phrases by which people judge a thing that they name first: "pools give me a rash", "lofi is my jam"."""

import re

from turnlog.memory.extract.preferencecues import Cue, Polarity
from turnlog.memory.extract.vocabulary.listed import alternatives, words


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def _verdicts(*rows: tuple[str, Polarity, str]) -> tuple[Cue, ...]:
    return tuple(Cue(_pattern(alternatives(text)), polarity, words(needed)) for text, polarity, needed in rows)


_VERY = (
    "(?:(?:so|really|just|absolutely|honestly|such|simply|truly|pretty|still|always|definitely|by far|probably|totally|"
    "literally|always been|quite|utterly|genuinely|very|too|way|kinda|seriously|basically) )*"
)
_BE = rf"(?:'s|'re| is| are| has always been| have always been| will always be|s) {_VERY}"
_BE_NOT = rf"(?: is| are|'s|'re|s) {_VERY}not {_VERY}|(?: isn't| aren't| ain't| isnt| arent) {_VERY}"
_AFTER = r"(?: ?[?!.,:;—–-]+ ?)"
_FEELS = "an?|the|awful|terrible|bad|such|major|serious|real"
_HARM = (
    "migraines?|headaches?|rash|hives|anxiety|creeps|ick|nightmares|heartburn|panic|shivers|nausea|stress|chills|"
    "indigestion|"
    "hay fever|a rash|allergies|heebie-jeebies|willies|hiccups|vertigo|hangovers?|cramps|flashbacks"
)
_SICK = (
    r"sick|queasy|anxious|nauseous|itch|gag|skim|ill|cringe|nervous|dizzy|sneeze|sad|angry|uncomfortable|sleepy|"
    r"want to \w+|"
    r"wanna \w+|tired|miserable|furious|crazy|mad|claustrophobic|gassy|bloated|jittery|shudder|scream|cry|wheeze|heave|"
    r"sweat|"
    r"fall asleep|feel \w+|go blind|skin crawl"
)
_CUP = r"(?:for me|my thing|my cup of tea|my style|my jam|my scene|my vibe|my bag|my idea of fun)"
_FAVOURITE = (
    "favou?rites?|fave|fav|thing|jam|go-to|weakness|pleasure|comfort|passion|love|religion|kryptonite|happy place|vibe|"
    "love language|obsession|drug of choice|cup of tea|comfort food|lifeline|bread and butter|poison|fuel"
)
_AWFUL = (
    "horrible|awful|terrible|disgusting|gross|the worst|overrated|vile|unbearable|evil|hell|a nightmare|nightmares|"
    "pointless|"
    "torture|annoying|ugly|the devil|a crime|a scam|a waste|a pain|a plague|a menace|a sin|an abomination|tedious|"
    "revolting|"
    "horrid|ghastly|dreadful|rubbish|trash|garbage|cursed|creepy|boring|soulless|tacky|insufferable|nasty|rank|foul|"
    "icky|yucky|"
    "exhausting|a joke|poison|the pits|pure evil|criminal|depressing|atrocious|abysmal|hateful|hellish|the bane"
)
_GREAT = (
    "underrated|the best|life|bliss|heaven|where it's at|unbeatable|elite|goated|everything|superior|sacred|"
    "the way to go|"
    "perfection|pure joy|magic|magical|unmatched|top tier|heavenly|divine|delicious|gorgeous|irresistible|"
    "my kind of \\w+|a must|"
    "always a good idea|always welcome|always a win|never a bad idea|glorious|pure bliss|the dream|the goat|a joy|"
    "a delight|addictive|sublime"
)
VERDICTS: tuple[Cue, ...] = _verdicts(
    (
        rf"""
        {_BE}my (?:absolute |all-time |guilty |happy |true |one |new |only |favou?rite |personal |little |
            secret )*(?:{_FAVOURITE})\b
        {_BE}the only (?:[\w']+ ){{1,5}}?i (?:\w+ )?(?:enjoy|like|love|drink|eat|trust|use)\b
        \smakes? (?:me (?:so )?(?:happy|smile|calm|relax)|my (?:day|week|heart \w+))\b
        \s(?:cheers? me up|calms? me(?: down)?|relax(?:es)? me|soothes? me|keeps? me (?:sane|going|alive|grounded)|
            gets? me every time)\b
        \shelps? me (?:relax|sleep|focus|unwind|think|calm down|concentrate|breathe|wind down)\b
        \s(?:never gets? old|hits? (?:different|the spot)|does wonders|do wonders|warms? my heart|slaps?|rocks?|rules?|
            ftw)\b
        \s(?:for the win|goe?s? (?:in|on|with) everything)\b
        {_BE}(?:{_GREAT})\b
        {_AFTER}(?:yes please|yes,? always|count me in|sign me up|(?:i )?(?:just |absolutely )?(?:love|adore) (?:it|
            them|those|that)|always a yes|hell yes|yes pls)\b
        \sand (?:i|me) (?:get along|get on|go way back|are (?:best )?friends|are inseparable|are in love|are one)\b
        {_AFTER}(?:i'm|im|i am|i) {_VERY}(?:crazy about|obsessed with|into|a sucker for|addicted to|all about|live for|
            love|adore|
            could eat|swear by) (?:it|them|those|that|these)\b
        \s(?:have|has) (?:my heart|my whole heart|a special place in my heart)\b
        """,
        "like",
        """
        favorite favourite favorites favourites fave fav thing jam go-to weakness pleasure comfort passion religion
        kryptonite only
        happy smile calm day week cheers cheer calms relax relaxes sane going rocks rock rules rule ftw win everything
        place vibe
        underrated best life bliss heaven where love help helps old different spot wonders warms warm slap slaps
        unbeatable elite
        goated superior sacred way perfection joy magic magical unmatched tier heavenly divine delicious gorgeous
        irresistible kind
        idea welcome must glorious dream goat delight addictive sublime yes count sign adore heart language obsession
        drug cup food
        lifeline
        bread friends inseparable get go crazy obsessed into sucker addicted swear eat poison fuel soothe soothes
        alive grounded every
        """,
    ),
    (
        r"""
        ,? (?:all the way|every (?:single )?time|or death|any day|any time|all day(?:,? every day)?|or nothing|or bust|
            hands down)\b(?! [a-z])
        \sover [\w' -]{2,30}?,? (?:any day|every time|always|fight me|all day|anytime|for me|please|hands down|
            no contest|no question|any time|every day)\b
        , (?:always|forever)\b(?! [a-z])
        \s(?:beats?|trumps?|>+) [\w' -]{2,30}(?=[.!,;\n]|$)
        \sfirst, (?:then )?[\w' ]{2,30} (?:after|later|second|last|afterwards)\b
        \s(?:works? (?:best|better|well) for me|suits? me(?: best| better| fine)?)\b
        """,
        "prefer",
        "death way every any all always forever nothing bust over beats beat trumps trump first best better well suits "
        "suit hands",
    ),
    (
        rf"""
        \sgives? me (?:(?:{_FEELS}) ){{0,2}}(?:{_HARM})\b
        \smakes? (?:me|my) (?:feel )?(?:so |a bit |really |physically |properly )?(?:{_SICK}|eyes \w+|head \w+|
            blood boil|stomach \w+|teeth \w+)\b
        \s(?:annoy|bore|irritate|exhaust|stresse?|scare|terrifie?|terrify|depresse?|disgust|infuriate|bug|creep|freak|
            gross|wind|drain|tire|overwhelm|kill|haunt|trigger|weird|frustrate|confuse)s? me\b
        \s(?:puts? me (?:right )?off|drives? (?:me|us) (?:\w+ )?(?:crazy|nuts|mad|insane|up the wall|bonkers|bananas|
            round the bend|to drink|batty)|turns? (?:my stomach|me off))\b
        \s(?:does my head in|do my head in|gets? (?:on my nerves|under my skin|on my (?:wick|tits)|to me)|
            rubs? me (?:up )?the wrong way|grinds? my gears|ruins? (?:it|everything|my \w+))\b
        \s(?:does|do)(?:n't| not|nt) (?:agree with me|work for me|do it for me|appeal to me|do anything for me|
            sit well with me|suit me)\b
        (?:{_BE_NOT}){_CUP}\b
        ,? not {_CUP}\b
        \sand (?:i|me) (?:(?:don't|do not|dont) (?:mix|get along|get on)|(?:are not|aren't|are no longer) (?:friends|
            on speaking)|
            are (?:enemies|sworn enemies))\b
        {_AFTER}(?:i'm|im|i am) {_VERY}(?:sick of|over|tired of|done with|fed up with|not into|scared of|terrified of|
            not a fan of) (?:it|them|those|that|these)\b
        \s(?:leaves? me cold|does nothing for me|do nothing for me)\b
        \sand i(?:'m|m| am) (?:out|gone|off|leaving|asleep)\b
        {_BE}(?:{_AWFUL})\b
        {_BE}(?:an? )?(?:hard (?:no|pass)|no-go|dealbreaker|deal-breaker|deal breaker|no from me|big no|firm no|
            turn-?off)\b
        {_BE}my (?:least favou?rite|pet peeve|worst \w+|idea of (?:hell|torture)|personal hell|nemesis|enemy|
            biggest (?:fear|enemy|pet peeve))\b
        (?:{_BE})too \w+ for (?:me|my (?:taste|liking))\b
        \s(?:can|should|must|need to|needs to) (?:go to hell|get in the bin|go in the bin|burn|be (?:banned|illegal|
            outlawed|abolished)|get lost|die|do one|jog on)\b
        \s(?:feels?|tastes?|smells?|looks?|sounds?) {_VERY}(?:like (?:being|getting) \w+ed|like (?:soap|cardboard|
            chalk|feet|dirt|plastic|punishment|torture|homework|poison)|childish|cheap|awful|wrong|gross|tacky|
                horrible|fake|terrible|disgusting|unprofessional|silly)\b
        {_AFTER}(?:no thanks?|no thank you|hard pass|never again|count me out|not for me|yuck|ew+|gross|no way|nope|
            (?:i )?(?:just |really |absolutely )?(?:hate|loathe|detest|despise|can't stand|cant stand|
                can't bear) (?:it|them|those|that)|i'll pass|hard no)\b
        """,
        "dislike",
        """
        give gives make makes annoy annoys bore bores irritate irritates exhaust exhausts stress stresses scare scares
        terrify
        terrifies depress depresses disgust disgusts infuriate infuriates bug bugs creep creeps freak freaks gross
        wind winds drain
        drains tire tires overwhelm overwhelms kill kills haunt haunts trigger triggers weird frustrate frustrates
        confuse confuses
        put puts drive drives turn turns head nerves skin wrong gears ruin ruins agree work appeal anything suit well
        thing cup style
        jam scene vibe bag idea mix along on horrible awful terrible disgusting worst overrated vile unbearable evil
        hell nightmare
        nightmares pointless torture annoying ugly devil crime scam waste pain plague menace sin abomination tedious
        revolting horrid
        ghastly dreadful rubbish trash garbage cursed creepy boring soulless tacky insufferable nasty rank foul icky
        yucky exhausting
        joke poison pits criminal depressing atrocious abysmal hateful hellish bane pass no-go dealbreaker
        deal-breaker deal no firm
        turnoff turn-off least peeve nemesis enemy fear taste liking too bin burn banned illegal outlawed abolished
        lost die jog out
        gone off leaving asleep like childish cheap fake unprofessional silly thanks thank again count not yuck ew eww
        way nope hate
        loathe detest despise stand bear i'll for friends enemies sick tired done fed into scared terrified cold nothing
        """,
    ),
)
"""What follows the thing."""
SUBJECT = _pattern(
    r"(?:^|[.!?;:,\n(—–\"] ?|\b(?:and|but|because|so|cause|cos|though|that|think|honestly|since|cuz|bc|tbh|personally|"
    r"also|well|ugh|"
    r"hmm|ok|sorry|although|find|says|said|me|imo) )"
    r"(?:(?:and|but|because|so|cause|cos|though|that|ooh|oh|ah|hmm|well|also|honestly|now|yeah|yes|ugh),? )*"
    r"((?:[^\W_][\w'&/-]* ){0,4}[^\W_][\w'&/-]*)"
    r"(?:, (?:on the other hand|however|though|frankly|honestly|meanwhile|to me|for me|imo|personally|to be fair),)?$"
)
"""The thing, before the place where the judgement begins."""
CAPTURES: tuple[Cue, ...] = (
    Cue(
        _pattern(
            r"\b(?:not|never|never been|hardly|isn't|wasn't) (?:really |much of |exactly |such |ever |been |a )*an? "
            r"((?:[\w'-]+ )?[\w'-]+) (?:person|fan|lover|girl|guy|enthusiast|drinker|eater)\b"
        ),
        "dislike",
        words("person fan lover girl guy enthusiast drinker eater"),
    ),
    Cue(
        _pattern(
            r"(?<![\w'])(?:i'm|i am|im|we're) (?:very much |more of |strictly |totally |definitely )?an? (?:(?:huge|"
            r"big|massive|real|total|lifelong|"
            r"die-?hard|proper) )*"
            r"((?:[\w'-]+ )?[\w'-]+) (?:person|fan|lover|girl|guy|addict|enthusiast|fanatic|drinker|eater|nut|junkie)\b"
        ),
        "like",
        words("person fan lover girl guy addict enthusiast fanatic drinker eater nut junkie"),
    ),
    Cue(
        _pattern(r"(?:^|\bi'm |\bim |[.!,\n] ?)team ([\w-]+)(?=,? (?:all the way|here|over|forever)|[.!,\n]|$)"),
        "prefer",
        words("team"),
    ),
    Cue(
        _pattern(
            r"\bi find ((?:[\w'-]+ ){0,3}[\w'-]+) (?:so |really |a bit |very |quite |rather )?(?:boring|tedious|"
            r"annoying|tiring|irritating|ugly|depressing|gross|disgusting|overrated|stressful|exhausting)\b"
        ),
        "dislike",
        words("find"),
    ),
    Cue(
        _pattern(
            r"\bi find ((?:[\w'-]+ ){0,3}[\w'-]+) (?:so |really |a bit |very |quite |rather )?(?:soothing|relaxing|"
            r"delicious|fascinating|charming|comforting|delightful|fun|calming)\b"
        ),
        "like",
        words("find"),
    ),
    Cue(
        _pattern(r"\b(?:ugh+|eww*|yuck|bleh|meh|blegh|gross),? ((?:[\w'-]+ ){0,2}[\w'-]+)(?=[.!,\n]|$)"),
        "dislike",
        words("ugh ughh ew eww yuck bleh meh blegh gross"),
    ),
    Cue(_pattern(r"\b(?:mm+|yum|yay),? ((?:[\w'-]+ ){0,2}[\w'-]+)(?=[.!,\n]|$)"), "like", words("mm mmm mmmm yum yay")),
    Cue(_pattern(r"\bnot ((?:[\w'-]+ )?[\w'-]+) again\b(?=[.!,\n]|$)"), "dislike", words("again")),
)
