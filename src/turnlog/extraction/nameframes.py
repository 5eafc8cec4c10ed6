"""The frames in which a name is given: who calls, in what manner, and then the name; made of kinds of words.

What comes after a frame is judged in `names`: here only the place is told at which a name may stand.
"""

import re

from turnlog.extraction.namecues import CAPITAL, NAMED
from turnlog.extraction.phrases import phrase, phrases
from turnlog.extraction.vocabulary.listed import alternatives, words

_THEN = r" (?=[^\W\d_])"
_ADVERBS = (
    "(?:"
    + alternatives(
        """
        just | simply | mostly | usually | always | all | only | mainly | also | still | generally | now | please | kindly
        really | happily | maybe | actually | better | sometimes | normally | typically | tend to | prefer to | do | have
        already | mainly | ended up | often
        """
    )
    + " ){0,3}"
)
_KIN = (
    "friends|mates|colleagues|coworkers|co-workers|classmates|teammates|clients|students|pupils|neighbou?rs|parents|family|"
    "pals|buddies|kids|team|office|crew|regulars|workmates|housemates|flatmates|customers|patients|grandkids|lot"
)
_PEOPLE = (
    rf"(?:people|everyone|everybody|folks|they|most|all|friends|others|(?:all |most |some )?(?:of )?(?:my|the|our) (?:\w+ )?"
    rf"(?:{_KIN}))(?: else| here| at \w+| in \w+| round here| around here| there)?"
)
_WRITES = (
    r"(?:use|put(?: down| in)?|write(?: down| in)?|say|make (?:it|that)|go with|stick (?:to|with)|note(?: down)?|enter|"
    r"sign (?:it|off)(?: as)?|refer to me as|address (?:me|it)(?: as| to)?|file (?:it|me|this) under|"
    r"book (?:it|me|this) (?:in )?(?:as|under)|list (?:me|it) as|switch to|save (?:it|me) as)"
)
WITH_PEOPLE = phrases(
    rf"""
    \b{_PEOPLE} {_ADVERBS}(?:says?|uses?|goe?s? with|went with|stick (?:to|with)|write|got used to|settled on|
        know (?:me|it) as|
        (?:shorten|abbreviate) (?:it|that|this|my name|me)(?: down)? to){_THEN}
    \b(?:you|u|ya|we)(?: can| could| may| might|'ll| should| must|'d better)? {_ADVERBS}{_WRITES}{_THEN}
    \b(?:change|correct|fix|update|amend|switch|set|edit) (?:it|that|this|my name|the name|me|mine)(?: back)?(?: to| into|
        as| with)?{_THEN}
    \b(?:it|that|this|the name|my name) (?:should|ought to|needs to|must|has to|was meant to|is supposed to|is meant to|
        was supposed to) (?:be|read|say|have been){_THEN}
    \byou(?:'ve| have)? (?:got|reached|have){_THEN}
    \b(?:i'm|im|i am) (?:now |still |once |really |actually )*(?:officially|legally|formally|technically|simply|plain|
        forever|once more)(?: now)?{_THEN}
    \b(?:i've|i have|ive) (?:always |now |only |ever |just )*(?:been|become|gone by|answered to){_THEN}
    """
)
"""Where a word that is a given name, or any name where names are spoken of, is the user's."""
OF_MYSELF = phrases(
    rf"""
    \b(?:i|but|and|also) {_ADVERBS}(?:respond|react|listen|sign (?:off )?(?:as|with)|use|write|tell people|
        introduce myself as|prefer|chose|took|kept|switched to|went back to){_THEN}
    """
)
"""Where a name is the user's if names are spoken of: other things are preferred and used, too."""
_SPHERE = alternatives(
    rf"""
    (?:to|for|with|among) (?:you|everyone|everybody|friends|most people|most|my \w+|the \w+|strangers|all of you)
    at (?:work|home|school|the office|uni|the gym|church) | in (?:real life|private|person|\w+ it's)
    irl | around here | here | these days | nowadays | otherwise | socially | online | for short | since the wedding
    (?:{_KIN})
    """
)
SPHERE = re.compile(rf"\b(?:{_SPHERE}|but|and|so),? $", re.IGNORECASE)
"""To whom, or where, the user is called so: "but to you I'm Mo"."""
CAPITALISED = re.compile(CAPITAL)
MENDS = re.compile(
    r"(?:^|\b(?:it's|its|it is|that's|thats|i'm|im|i am|actually|sorry|no|rather|as in|correct is|is actually|"
    r"is really|it as|nope)"
    r"[,:.!]? (?:actually |really |just |spelled |written )?|\bnot \w+[,:.!]? |[,;—–-] ?|[!?.…] )$",
    re.IGNORECASE,
)
"""Where a name may stand that mends another one like it: "you wrote Jon, it's John"."""
_GREETS = (
    r"(?:(?:[Hh]i|[Hh]ello|[Hh]ey|[Hh]iya|[Hh]owdy|[Yy]o|[Hh]eya|[Mm]oin|[Hh]ola|[Gg]reetings|(?:[Gg]ood )?[Mm]orning|"
    r"(?:[Gg]ood )?[Ee]vening|(?:[Gg]ood )?[Aa]fternoon)(?: there| all| again| team| everyone| folks)*)"
)
FROM_SOMEWHERE = phrase(
    rf"^\W*{_GREETS}[,.!–—-]+ ?{NAMED},? (?:from|of|at|over at|in|with|on) "
    rf"|^\W*(?:{_GREETS}\W+)?{NAMED},? (?:from|of|at|over at|in|with|on) (?:[\w'-]+ ){{0,4}}[\w'-]+,? (?:here|again|"
    rf"speaking|"
    rf"calling|writing)\b",
    0,
)
"""Somebody opens with a name and where they are of: "Hi, Yusuf from the night desk"."""
YOURS = phrase(
    rf"(?:\b(?:[Ii]t's|[Ii]ts|[Tt]his is|[Hh]ere's|[Mm]e,|from|[Ii]'m|[Ii]t is)|[!?.]+|^|\n) ?(?:[Yy]our|[Yy]e [Oo]lde?|"
    rf"[Yy]ours truly,) (?:(?!of |so |is |to |for )[\w'-]+ ){{1,3}}?{NAMED}(?=\W*$|[.!?,\n] ?(?:[A-Z]|\n|i\b)|"
    rf",? (?:here|again|speaking)\b)",
    0,
)
"""A name behind what one is to the other: "your favourite customer Ravindra"."""
INTRODUCED = phrase(r"\bintroduc\w+ (?:myself|me|us)\b[^:–—\n]{0,50}[:–—-] ?(?=[^\W\d_])")
AT_END = re.compile(
    r"(?:^|\n|[.!?…)] ?|\s)(?:[Cc]heers|[Rr]egards|[Ll]ove|[Bb]est(?: wishes| regards)?|"
    r"[Yy]ours(?: truly| sincerely| faithfully)?|"
    r"[Ss]incerely|[Tt]ake care|[Hh]ugs|[Kk]ind regards|[Ww]armly|[Xx]x?o?x?o?|[Ll]ots of love|(?<=\n)[Tt]hanks|"
    r"(?<=\n)[Tt]hx|"
    rf"(?<=\n)[Tt]hank you|(?<=\n)[Tt]hanks (?:again|so much|a lot|in advance))[,.!]* (?:from |- ?|– ?|— ?)?{NAMED}[^\w\n]*$"
)
"""A closing and a name on the last line: "Cheers, Oisín"."""
NAMING = words(
    """
    name names named nickname call called calls calling spell spelled spelt spelling surname autocorrect autocorrected
    misspelled misspelt pronounced typo shorten shortened abbreviate
    """
)
"""Words one of which is in a message that speaks of names."""
MENDING = words("it's its that's thats actually sorry nope not rather correct autocorrect typo spelled")
"""Words one of which is in a message that mends a name."""
GOES_ON = re.compile(r",? (?:is|was|will|would|has|had|works|who|which|like|on|in|at|to)\b", re.IGNORECASE)
"""What follows the name of one of whom something is told."""
OWN_NAMING = re.compile(
    r"\b(?:my (?:\w+ )?name|mine (?:is|has)|spel(?:l|t|led|ling)|misspel\w+|nickname|go(?:es|ing)? by|call(?:ed|ing|"
    r"s) me|full name|"
    r"pronounced?|autocorrect\w*|typo|answer to)\b",
    re.IGNORECASE,
)
"""Words of one who speaks of their own name."""
NOT_BEFORE = re.compile(
    r"\b(?:with|from|to|of|by|for|at|in|on|and|or|as|than|like|tell|told|ask|asked|says?|said|his|her|their|our|your|"
    r"my \w+|the|"
    r"not|no|thanks|thank you|hi|hello|hey|dear|sorry|called|named|about|is|was|met|meet|see|via|cc) $|[,/&@] ?$",
    re.IGNORECASE,
)
"""What stands before the name of another."""
