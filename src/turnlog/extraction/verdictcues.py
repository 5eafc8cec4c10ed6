"""The phrases by which people judge a thing that they name first: "pools give me a rash", "lofi is my jam"."""

import re

from turnlog.extraction.phrases import phrase, phrases
from turnlog.extraction.preferencecues import Cue, Polarity


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def _verdicts(*rows: tuple[str, Polarity]) -> tuple[Cue, ...]:
    return tuple(Cue(phrases(text), polarity) for text, polarity in rows)


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
        (?<!n't)(?<!not)\s(?:just |really |totally |always |absolutely |still |honestly )?(?:do(?:es)? it for me|
        speaks? to me|makes? my (?:day|
            week|morning|weekend)|never (?:disappoints?|fails? me|lets? me down)|brings? me joy|floats? my boat|
            win me over)\b
        {_BE}what (?:keeps? me \w+|i (?:love|like|enjoy|live for|look forward to)|gets? me \w+|makes? me happy)\b
        ,? i could (?:\w+ ){{1,3}}(?:all day|all night|forever|for hours|every day|nonstop|non-stop)\b
        , (?:that )?i (?:really |just |absolutely )?(?:love|adore|like a lot|enjoy)(?=[.!,\n]|$)
        \s(?:have|has) (?:my heart|my whole heart|a special place in my heart)\b
        """,
        "like",
    ),
    (
        r"""
        ,? (?:all the way|every (?:single )?time|or death|any day|any time|all day(?:,? every day)?|or nothing|or bust|
            hands down)\b(?! [a-z])
        \sover [\w' -]{2,30}?,? (?:any day|every time|always|fight me|all day|anytime|for me|please|hands down|
            no contest|no question|any time|every day)\b
        , (?:always|forever)\b(?! [a-z])
        \s(?:beats?|trumps?) [\w' -]{2,30}(?=[.!,;\n]|$)
        \s>+ [\w' -]{2,30}(?=[.!,;\n]|$)
        \s(?:rather than|instead of|not) [\w' -]{2,30}?,? (?:any day|every time|always|fight me|anytime|for me|please|
        hands down|
            no contest|no question|any time|that's me|thanks)\b
        \s(?:wins(?: hands down| every time| out)?(?= for me|[.!,\n]|$| every)|gets? my vote|takes? the cake)
        (?:'s|'re| is| are)(?: so| just)?(?: much| far| way| a lot| a bit)? (?:better|easier|best|nicer|simpler|
        clearer|handier|more \w+) (?:for|to) (?:me|us|my \w+)\b
        \sfirst, (?:then )?[\w' ]{2,30} (?:after|later|second|last|afterwards)\b
        \s(?:works? (?:best|better|well) for me|suits? me(?: best| better| fine)?)\b
        """,
        "prefer",
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
        \smakes? my (?:lips|eyes|throat|skin|head|nose|face|tongue|stomach|ears|joints|knees|back|teeth|toes|hair|
        flesh|brain) \w+
        \s(?:is|are|'s|'re) (?:just |really |slowly |honestly )?(?:killing|driving|boring|stressing|annoying|
        exhausting|wearing|draining|
            irritating|bugging|ruining) (?:me|us|my)\b
        \s(?:is|are) (?:wasted|lost) on me\b
        , (?:that )?i (?:really |just |absolutely )?(?:hate|can't stand|loathe|can't bear|detest)(?=[.!,\n]|$)
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
        {_AFTER}(?:no thanks?|no thank you|hard pass|never again|count me out|not for me|yuck|eww|gross|no way|nope|
            (?:i )?(?:just |really |absolutely )?(?:hate|loathe|detest|despise|can't stand|cant stand|
                can't bear) (?:it|them|those|that)|i'll pass|hard no)\b
        """,
        "dislike",
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
        phrase(
            r"\b(?:not|never|never been|hardly|isn't|wasn't) (?:really |much of |exactly |such |ever |been |a )*an? "
            r"((?:[\w'-]+ )?[\w'-]+) (?:person|fan|lover|girl|guy|enthusiast|drinker|eater)\b"
        ),
        "dislike",
    ),
    Cue(
        phrase(
            r"(?<![\w'])(?:i'm|i am|im|we're) (?:very much |more of |strictly |totally |definitely )?an? (?:(?:huge|"
            r"big|massive|real|total|lifelong|"
            r"die-?hard|proper) )*"
            r"((?:[\w'-]+ )?[\w'-]+) (?:person|fan|lover|girl|guy|addict|enthusiast|fanatic|drinker|eater|nut|junkie)\b"
        ),
        "like",
    ),
    Cue(
        phrase(r"(?:^|\bi'm |\bim |[.!,\n] ?)team ([\w-]+)(?=,? (?:all the way|here|over|forever)|[.!,\n]|$)"),
        "prefer",
    ),
    Cue(
        phrase(
            r"\bi find ((?:[\w'-]+ ){0,3}[\w'-]+) (?:so |really |a bit |very |quite |rather )?(?:boring|tedious|"
            r"annoying|tiring|irritating|ugly|depressing|gross|disgusting|overrated|stressful|exhausting)\b"
        ),
        "dislike",
    ),
    Cue(
        phrase(
            r"\bi find ((?:[\w'-]+ ){0,3}[\w'-]+) (?:so |really |a bit |very |quite |rather )?(?:soothing|relaxing|"
            r"delicious|fascinating|charming|comforting|delightful|fun|calming)\b"
        ),
        "like",
    ),
    Cue(
        phrase(r"\b(?:ugh|ughh{1,9}|eww?|yuck|bleh|meh|blegh|gross),? ((?:[\w'-]+ ){0,2}[\w'-]+)(?=[.!,\n]|$)"),
        "dislike",
    ),
    Cue(phrase(r"\b(?:mm|mmm{1,9}|yum|yay),? ((?:[\w'-]+ ){0,2}[\w'-]+)(?=[.!,\n]|$)"), "like"),
    Cue(phrase(r"\bnot ((?:[\w'-]+ )?[\w'-]+) again\b(?=[.!,\n]|$)"), "dislike"),
)
