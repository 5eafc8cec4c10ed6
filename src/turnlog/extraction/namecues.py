"""The phrases by which people give, correct and refuse names. What comes after a cue is judged in `names`."""

import re

from turnlog.extraction.phrases import Phrases, phrase, phrases
from turnlog.extraction.vocabulary.listed import alternatives, words
from turnlog.extraction.vocabulary.words import KIN

CAPITAL = r"(?<!\w)[^\W\d_a-zà-öø-ÿ][\w'-]{0,40}"
"""A word with a capital letter, roughly: `spans.capitalised` decides."""
NAMED = rf"((?:[a-z]')?{CAPITAL}(?: {CAPITAL}){{0,3}})"


def _cue(text: str) -> re.Pattern[str]:
    return re.compile(alternatives(text), re.IGNORECASE)


_MY_NAME = (
    r"(?:full |first |real |given |actual |own |nick|proper |preferred |legal |chosen )?(?:name|nmae|naem|nam|namee|nme)"
)
WISH = phrases(
    rf"""
    \bmy {_MY_NAME}(?:'s| is|s|:| =)(?: actually| really| just| now| spelled| spelt| still)?\s
    \bthe name(?:'s| is)\s | (?:^|(?<=[.,;!\n]) ?)name(?:'s| is|:|s) (?=[^\W\d_])
    \bcall(?:s|ed|in)? me (?:just |by |simply |plain |maybe )?
    \b(?:i|and|but|usually|just|mostly|who) (?:usually |mostly |just |now |also |only |always |do |
        generally )?goe?s? by (?:the name (?:of )?|just )?
    \b(?:i|also|but|and) (?:only |usually |mostly |also )?answer to\s
    \b(?:know|knows|knew|address|addresses|refers?|refers? to|introduce|register|saved?|put|list|sign|greet|have|has|
        got|enter|
        label|file|record|add|write|log|book|treat|think of) (?:to )?me (?:down |up |in |here |from now on )?as (?=[^\W\d_])
    \bi(?:'m| am|m| was) (?:called|named|known as|usually called|better known as|mostly called)\s
    \b(?:parents|mother|mum|mom|dad|father|family) (?:named|christened) me\s
    \b(?:like|rather|prefer|want|love|happy|wish|fine|okay) (?:with |for )?(?:you |people |everyone )?(?:to )?(?:be|
        being|go by|
        going by)(?: called| addressed as| known as| referred to as| just| plain)? (?=[^\W\d_])
    \bmy name(?:,| \() ?[\w' ]{{2,30}}(?:,|\)) is (?=[^\W\d_])
    \b(?:the|my) name (?:that )?(?:i|you(?:'re| are)?|to|on (?:my \w+|the (?:account|booking|ticket|form|reservation|
        order|card|
        invoice|badge)))(?: [\w']+){{0,4}}? (?:is|should be|would be) (?=[^\W\d_])
    \b(?:change|set|update|changed) my (?:display |last |first )?name (?:to|as)\s
    \b(?:nick|sur|last |first |given |family |christian |real |full |proper |
        birth )name(?:'s| is| was) (?:actually |really |just )?
    \b(?:it's|its|it is|i'm|i am|im) (?:officially|legally|formally|now|now officially) (?:now )?(?=[^\W\d_])
    \bput me down (?:as|under)\s
    \b(?:can|could) you (?:please |just )?use (?=[^\W\d_])
    ^mine(?:'s| is)\s
    (?:^|(?<=\n))[ \t]*(?:from|sender|contact) ?:\s
    \bmy nick(?:'s| is)\s | \bmy name, (?=[^\W\d_]) | \bbeing named\s
    \b(?:parents|mother|mum|mom|dad|father|family) (?:went with|chose|picked|settled on)\s
    \bsign (?:\w+ ){{0,3}}as (?=[^\W\d_])
    \b(?:remember me|guess who|who else)\?+ ?(?:it's |its )?(?=[^\W\d_])
    \b(?:she/her|he/him|they/them)[,.:;)]+ (?=[^\W\d_])
    \b(?:i'm|im|i am|i've been|i've started|i have been|i started|i'll be|been) (?:now )?going by (?:the name (?:of )?|
        just )?
    \b(?:introduce|introducing|present) myself[:,.!–—-]* ?(?:i'm |i am |my name is )?(?=[^\W\d_])
    \b(?:middle|maiden|stage|pen|first|second) name,? (?:which is |is |so )?(?=[^\W\d_])
    \b(?:spelled|spelt|written|spell it) (?:as |like )?(?=[^\W\d_]{2})
    \b(?:add|list|enter|write|sign|log) me (?:up |in |down )?(?:as|under) (?=[^\W\d_])
    \bmy name\?\s | (?:^|(?<=\n))[ \t]*(?:my |full )?name ?[:=-]\s
    \b(?:full|real|first|legal|preferred|given|display) name ?[:=-]? (?=[^\W\d_])
    \bname on my [\w ]{{3,20}} (?:is|should be|says|reads) (?=[^\W\d_])
    \b(?:i'd|i would) rather (?:be|use) (?=[^\W\d_]) | \bnicknamed\s | \baka (?=[^\W\d_]) | \ba\.k\.a\. (?=[^\W\d_])
    \bthe (?:booking|reservation|ticket|table|order)(?:'s| is) (?:in the name of|under) (?=[^\W\d_])
    \b(?:ticket|booking|badge|form|label|reservation|invoice|certificate)\b[^.!?\n]{{0,20}} put (?=[^\W\d_])
    \bunder the name (?:of )?(?=[^\W\d_])
    \byou(?:'re| are) (?:talking|speaking|chatting) (?:to|with) (?=[^\W\d_])
    """
)
MEND = phrases(
    r"""
    \b(?:kidding|jk|joking|i kid|correction|scratch that)\b[,.!:…\s]*(?:it's |its |it is |i'm |i am |that's )?(?=[^\W\d_])
    \b(?:i mean|i meant|from now on|going forward|these days|nowadays)\b[,.!:…\s]*(?:it's |its |it is |i'm |
        i am )(?=[^\W\d_])
    """
)
ABROAD = phrases(
    r"""
        ich hei(?:ß|ss)e | mein name ist | ich bin(?: der| die)? | nenn(?:t|en sie)? mich | du kannst mich
        je m'appelle | je suis | moi,? c'est | mon nom est | appell?e[sz]?-moi | on m'appelle |
             tout le monde m'appelle | je me nomme
        me llam(?:o|an) | me dicen | mi nombre es | soy | ll[aá]mame | puedes llamarme | d[ií]me
        mi chiamo | mi chiamano | il mio nome è | (?:io )?sono | chiamami
        (?:eu )?me chamo | (?:o )?meu nome é | (?:eu )?sou (?:o|a) | (?:pode )?me chama(?:r)?(?: de)? | chama-me
        jag heter | mitt namn är | kalla mig | jeg hed?d?er | jeg heter | eg heiter | jina langu ni | mit navn er |
             kall meg | kald mig
        ik heet | mijn naam is | ik ben | noem me(?: maar)? | mam na imię | nazywam się | jestem | mów mi
        меня зовут | мене звати | зови(?:те)? меня | jmenuji se | volám sa | ben(?:im)? adım | adım
        nimeni on | mă numesc | numele meu este | zovem se | με λένε | a nevem | hívj | nama saya | tên tôi là
        """,
    before=r"\b(?:",
    after=r")\s",
)
EASTERN = phrase(
    r"(?:我叫|我的名字是|叫我|名前は|私は|اسمي |मेरा नाम |我是|제 이름은 ?|はじめまして[、。!！ ]*)([^\W\d_、。]{1,12}?)"
    r"(?:です|と申します| है|[。.]|といいます|と言います|と呼んで|입니다|이에요|예요|[、。，,.!！]|$)",
    0,
)
ALSO_OTHERWISE = re.compile(r"\b(?:ich bin|je suis|soy|sono|sou|jestem|ik ben)\b", re.IGNORECASE)
"""Cues of `ABROAD` after which a trade or a people may stand as well as a name."""
AM = phrases(
    r"""
    \b(?:i'm|i am|im|this is|it's me(?: again)?,?|it is me,?|its me(?: again)?,?) (?:actually |just |still |also |
        the one and only |plain |really |simply |only |now |me,? )?
    \bsigned,?\s
    \bi (?:was|were) (?:christened|born|baptised|baptized)\s
    """
)
GREETED = re.compile(
    r"(?:(?:hi|hello|hey|hiya|yo|howdy|good|morning|evening|afternoon|day|ok|okay|so|and|well|there|all|again|team|"
    r"everyone|folks|"
    r"sorry|thanks|yes|no)[ ,.!]*){1,4}"
)
KIN_WORDS = alternatives("\n".join(sorted(map(re.escape, (word for word in KIN if len(word) > 2)), key=len, reverse=True)))
ROLE = Phrases(
    (
        rf"\b(?:i'm|i am|im) (?:my|his|her|their|our|your|the|a|an|[\w-]+'s) (?:[\w-]+ ){{0,2}}?(?:{KIN_WORDS}|"
        rf"colleague|helper|"
        r"organi[sz]er|owner|admin)(?: here)?,? (?=[^\W\d_])",
        rf"\bthis is (?:my|his|her|their|our|your|the|[\w-]+'s) (?:[\w-]+ )?(?:{KIN_WORDS}|"
        rf"colleague)(?: here)?,? (?=[^\W\d_])",
        r"\b(?:it's|its|it is|this is|here's) (?:ya|your|yr|yer|the|ur) (?:[\w'-]+ )?(?:boy|boi|girl|man|gal|guy|pal|mate|"
        r"friend|neighbou?r|lad)\b,? (?=[^\W\d_])",
    ),
    re.IGNORECASE,
)
NUMBERED = phrase(
    rf"^\W*{NAMED},? (?:order|room|flat|apartment|unit|customer|account|booking|table|invoice|ref|reference|ticket|"
    rf"case|member|seat|"
    r"class|policy|born|dob)\b(?: |:|#)",
    0,
)
FROM = phrase(
    rf"\b(?:[Gg]reetings|[Hh]ello|[Hh]i|[Rr]egards|[Ll]ove|[Yy]ours(?: truly| sincerely| faithfully)?|[Ss]incerely|"
    rf"[Cc]heers)"
    rf"(?:,| from) {NAMED}[.!]?$",
    0,
)
SHOULD_BE = phrase(rf"\bshould (?:be|read|say) {NAMED}", 0)
ITS_NAME = phrase(
    rf"\b[Nn]ames?\b[^.!?\n]{{1,40}}(?:[,:;—-]|\band|\bbut) ?(?:it's|its|it is|that's|[Mm]ine is|[Mm]ine's) "
    rf"(?:now |really |actually )?{NAMED}",
    0,
)
SHORT_FOR = phrase(rf"{NAMED},? (?:which is |it's |is |that's )?short for (?=[A-Z])", 0)
RATHER = phrase(rf"\b[Ii](?:'d| would)? (?:much )?prefer {NAMED}(?= to [A-Z]|[.!,]|$| please)", 0)
ITS_SMALL = phrase(
    r"^(?:(?:hi|hey|hello|hiya|yo|heya|morning|evening)\b[,! ]*(?:there|all|again)?[,! ]*)?(?:it's|its|"
    r"it is) ([^\W\d_]{3,})"
    r"(?=[.,!?]|$| (?:again|from))",
    re.IGNORECASE,
)
HERE = phrase(
    r"(?:^|[.!?\n] ?|\b(?:hi|hello|hey|yo|morning|evening|afternoon)\b[,!. ]*(?:there|all|team|everyone|again)?[,!. ]*)"
    r"(?=(?:(?:mr|mrs|ms|dr|prof|miss)\.? )?[^\W\d_][\w'-]*(?: [A-Z][\w'-]*){0,2},? (?:here|speaking|signing off|"
    r"checking in|on the (?:line|phone)|typing|dialling in|dialing in|reporting|at the keyboard|again(?=[.,!]|$)|"
    r"out(?=[.!]|$))\b(?! (?:is|are|"
    r"was|to|and|we|at the|in the)\b))",
    re.IGNORECASE,
)
AGAIN = phrase(rf"\b(?:[Ii]t's|[Ii]ts|[Ii]t is) {NAMED} (?:again|here|from|speaking|calling)\b", 0)
OPENING = phrase(
    rf"^\W*{NAMED}(?:, | here, | - )(?:first time|long time|new (?:here|to|user|customer)|calling|writing|"
    rf"just joined|at your|reporting|back again)\b",
    0,
)
PRONOUNS = phrase(rf"{NAMED} ?\((?:she|he|they|ze|any)/\w+(?:/\w+)?\)", 0)
THATS_ME = phrase(rf"{NAMED},? ?[(,;—–-]* ?(?:that's|thats|that is|that would be|which is|aka) (?:also |actually )?me\b", 0)
IS_MINE = phrase(
    r"\b((?:[a-z]')?[^\W\d_][\w'-]*(?: [A-Z][\w'-]*){0,2}),? (?:is|was)(?: actually| really)? (?:my (?:first |real |"
    r"full |given |nick|actual |legal )?name"
    r"|what i (?:go by|answer to|use|prefer|go with)|what (?:people|everyone|everybody|they|friends|my \w+|most people|"
    r"most) (?:calls?|uses?)(?: me)?|how i go|"
    r"the name)\b",
    0,
)
MINE = words("name nickname what how")
"""Words one of which is in every message that `IS_MINE` fits."""
TO_YOU = phrase(
    rf"(?:^|(?<=[.!?,;:\n)]) |\b(?:so|but|just|and|or) ){NAMED} (?:to you|for short|to my friends)\b", re.MULTILINE
)
BY_THE_WAY = phrase(
    r"\b(?:it's|its|it is|this is|i'm|im|i am) ([^\W\d_][\w'-]+(?: [A-Z][\w'-]+)?),? (?:by the way|btw|"
    r"for the record|fyi)\b",
    re.IGNORECASE,
)
ITS = phrase(
    rf"^(?:[^.!?\n]{{0,24}}[.!?\n,] ?)?(?:[Ii]t's|[Ii]ts|[Ii]t is|[Tt]hat's|[Tt]his is) {NAMED}"
    r"(?=\. [Tt]he one|, (?:the one|from|your|we (?:spoke|met)|remember)|[.!]? *$| (?:from|with the|who)\b)",
    0,
)
MEETING = phrase(
    rf"(?:^|[.!?\n] ?|\b(?:[Hh]i|[Hh]ello|[Hh]ey)[,! ]+){NAMED}[,.!–—-]+ ?(?:nice|pleased|lovely|good|great|happy|"
    rf"at your service|"
    r"since you ask|if you must know|reporting|pleasure)\b",
    0,
)
JUST = phrase(rf"\b[Jj]ust {NAMED}(?=[.!]|,? (?:please|pls|thanks|is fine|will do|works)|$)", 0)
LETTERS = phrase(
    rf"(?:^|[.!?\n,] ?|\b(?:it's|its|i'm|im|is) ){NAMED},? with(?:out)? (?:an?|one|two|no|double|three|the) (?:silent |"
    rf"double )?"
    r"['\"]?[A-Za-z]['\"]?(?:s|'s)?(?![\w'])",
    0,
)
SETTLES = re.compile(
    r",? (?:please|pls|is fine|will do|works|is better|for short|is enough|suits me|if (?:you|that|it|we)|is ok)\b",
    re.IGNORECASE,
)
NOT_YET = re.compile(r"(?: (?:now|actually|please|really|today|though|again))*[ ,;—–-]*$")
SUFFICES = phrase(
    rf"(?:^|(?<=[.!?,;:\n)]) |\b(?:so|but|just|and) ){NAMED},? (?:it is|please|pls|will do|is (?:just |perfectly |"
    rf"totally )?(?:fine|enough|better|ok|okay|good|plenty)|works(?: better| fine)?|suits me)\b",
    re.MULTILINE,
)
SUFFICING = words("it please pls do fine enough better ok okay good plenty works suits")
"""Words one of which is in every message that `SUFFICES` fits."""
NAMING = words(
    """
    name names named nickname called call calls formal spell spelled spelling used uses use short mother surname mr
    mrs ms
    miss me full autocorrect autocorrected typo misspelled misspelt pronounced
    """
)
"""Words of a message that speaks of what somebody is called."""
NEIGHBOUR = phrase(
    rf"\b(?:[Ii]'m|[Ii] am|[Ii]m|[Ii]t's|[Tt]his is) (?:the|your|"
    rf"[\w-]+'s) (?:[\w'-]+ ){{1,5}}?[\w'-]+, {NAMED}(?=[.!,]|$)",
    0,
)
SURNAME = phrase(r"\b[Ii](?:'ve| have) been an? (?=[^\W\d_a-z][a-z])", 0)
HELLOS = ITS | MEETING | NEIGHBOUR | NUMBERED | FROM
"""Where a given name presents the speaker."""
OPENINGS = AGAIN | OPENING | PRONOUNS
"""Where any name presents the speaker."""
NAMES = THATS_ME | TO_YOU | BY_THE_WAY | LETTERS
"""Where any word may be the name that is no everyday one."""
GIVEN_NAMES = JUST | SHORT_FOR | RATHER | SHOULD_BE | ITS_NAME
"""Where only a given name is taken for one."""
IT_IS = re.compile(
    r"(?:^|[,.;!?\n—–-] ?|\b(?:close|no|nope|actually|but|sorry|and) ?,? )(?:it's|its|it is|that's|i'm|im|just|use|"
    r"try) (?:actually |just |really )?|[,;—–-] ",
    re.IGNORECASE,
)
NOT_MINE = phrases(
    rf"""
        \bmy {_MY_NAME}(?:'s| is| was) (?:not|never)(?: actually| really)?\s
        \bmy {_MY_NAME} (?:isn't|ain't|isnt|wasn't)\s
        \bi(?:'m| am|m) not (?:actually |really |called |named |a )?
        \b(?:don't|do not|dont|stop|quit|never|not to|no longer|
            please don't) (?:you )?(?:dare )?(?:ever )?(?:call(?:ing)? me|say(?:ing)? (?=[^\W\d_]))\s?
        \b(?:nobody|no one|only my \w+) (?:ever )?calls me\s
        \b(?:i|and|but) (?:don't|do not|dont|no longer|never|stopped|hate|won't|
        refuse to) (?:really |actually |ever )?(?:go(?:ing)? by|
            answer(?:ing)? to|us(?:e|ing)|listen to|respond to)\s
        \b(?:hate|dislike|loathe|don't like|can't stand) (?:being called|it when (?:people|you|they) call me|
            to be called)\s
        \b(?:not|isn't|ain't|who's|who is) (?=[^\W\d_])
        """
)
ALONE = re.compile(rf"(?:[.!?\n] ?){NAMED}(?= ?(?:[.!\n]|$))")
NOT_BUT = re.compile(r",? (?:and |but |definitely )?not (?:an? )?(?=[^\W\d_])")
CLOSING = re.compile(
    r"^[ \t]*(?:(?:many|with|my|kind|warm|best|warmest|kindest|very|all|much) ?){0,4}"
    + alternatives(
        r"""
        regards | rgds | cheers | thanks | thank you | thx | best | sincerely | love | yours | wishes | cordially
        respectfully
        greetings | ta | gratefully | grüße | gruß | saludos | cordialement | merci | gracias | saluti | take care | xoxo
        cordialmente
        """
    )
    + r"(?: (?:again|truly|sincerely|faithfully|so much|a lot|in advance|a million|a bunch|you|all|the best|"
    r"and regards|ever|always)){0,3}[,.!:)]* *$",
    re.IGNORECASE,
)
DASHED = re.compile(r"^[ \t]*(?:--?|–|—|~|xx?o?x?o?,?) ?(?=[^\W\d_])")
DASHED_IN_LINE = re.compile(
    r"(?:[.!?)]|\b(?:[Tt]hanks|[Cc]heers|[Rr]egards|[Tt]hx|[Tt]a|[Bb]est)[,!.]*) ?(?:--?|–|—|~) ?(?=[^\W\d_a-z])"
)
ASKING = (
    "name",
    "call",
    "address",
    "greet",
    "refer",
    "who",
    "know",
    "go by",
    "speaking",
    "talking",
    "chatting",
    "introduce",
    "sign",
    "met",
    "you are?",
    "you'd be",
    "use instead",
    "say hi",
)
"""One of these is in every question for a name."""
ASKS = _cue(
    r"""
    \byour (?:first |full |preferred |last |given |actual |real )?name\b | \bname\? | \band you are\? | \byou are\?
    \b(?:which|what) name\b | \bunder (?:what|which) name\b | \bwho(?:'s| is) calling\b | \bwho might you be\b |
         \byou'd be\?
    \bwho (?:should|shall|do) i (?:say|make|address|put)\b | \bwho is it for\b | \byour nickname\b | \bsay hi to\?
    \bwhat do (?:people|your friends|they|others) call you\b
    \bhow (?:should|do|may|can|would|shall) (?:i|we|you) (?:address|call|greet|like to be (?:called|addressed))\b
    \bwe(?:'ve| have)? (?:not |never )?met\b | \bknow who you are\b
    \bwho am i (?:speaking|talking|chatting) | \bremember (?:me|your name|you)\b | \bwho(?:'s| is) it\b
    \b(?:call|address|greet) you\b | \brefer to you\b | \bknow you as\b | \byou go by\b
    \b(?:speaking|talking|chatting) (?:to|with)\b[^.?!]{0,20}\?
    \bwho(?:'s| is) (?:this|there|asking|speaking)\b | \bwho are you\b | \bwho do i have\b | \bwhose name\b
    \b(?:should|can|shall|do) i use instead\b | \bmay i ask who\b | \bintroduce yourself\b
    \bname (?:please|should|shall|to put|do i|is this|is it|goes|would you|for the (?:booking|reservation|order|
        record|form|ticket|table))\b
    \bwhat (?:should|shall|do|can) i (?:call|put down|write as)
    \bsign (?:it|this|the \w+)(?: off)? (?:as|from|with)\b
    """
)
NOT_ASKS = _cue(
    r"""
    \byour (?!first|full|preferred|last|given|actual|real)\w+(?:'s)? name\b | \bname of (?:the|your)\b
    \b(?:your|the) (?:file|user|domain|branch|project|company|pet|dog|cat)'?s? ?name\b
    """
)
OFFERS = re.compile(
    r"\b"
    + alternatives(
        r"""
        call(?:ing)? you | address(?:ing)? you as | speaking (?:with|to) | talking (?:with|to) | chatting with
        your name(?: is|'s)? | name is
        are you | you're | is this | you go by | refer(?:ring)? to you as | use | know you as | stick with | go with
        sign (?:it|this) as
        """
    )
    + r" (?:still |really |actually |just )?(?=[A-Z])"
)
YES = _cue(
    r"""
    ^\W*(?:yes|yep|yeah|yup|ya|aye|correct|right|sure|exactly|that's (?:right|me|correct|fine)|that is|please do|
        of course|indeed|si|sí|oui|ja)\b
    ^\W*(?:absolutely|definitely|you got it|perfect|spot on|affirmative|fine by me|mhm|uh-huh|speaking|the very same|
        guilty)\b
    """
)
FILLERS = re.compile(
    r"^\W*(?:(?:of course|certainly|absolutely|please put|put|write|under|as|by|to|hm+|mm+|ah|ooh|right|fine|yep|yup|"
    r"alright|gladly|"
    r"happy to|(?:you|u) (?:can|could|may) (?:put(?: down)?|write(?: down)?|go with|make it|just|call me|"
    r"note(?: down)?|have)|people say|"
    r"everyone says|they say|usually|mostly|simply|maybe|probably|i guess|i suppose|i go by|i prefer|sure thing|"
    r"no problem|good question|"
    r"depends|mine's|mine is|name's|names|make that|say|let's say|let's go with|how about|i'd say|i'd like|"
    r"my name is|my name's|it would be|it'd be|that's|oh|"
    r"um|uh|er|well|sure|hi|hello|hey|just|it's|its|it is|that's|that'd be|that would be|yes|yeah|ok|"
    r"okay|sorry|no worries|haha|lol"
    r"|you can (?:use|say)|use|make it|try|go with|i'm|im|i am|this is|the name's|call me|please|so|no|nope|"
    r"actually|close)\b[,.!:… ]*){0,6}",
    re.IGNORECASE,
)
NOT_CALLED = words(
    """
    later back crazy maybe tomorrow tonight old-fashioned oldfashioned old paranoid cynical naive lazy picky biased
    skeptical sceptical stupid weird dumb silly ignorant boring pedantic sentimental greedy impatient cheap selfish
    stubborn superstitious spoiled spoilt insane mad nuts anytime whenever sometime asap soon again names out up over by
    collect direct directly immediately first today now ma'am mam sir boss dude bro buddy babe honey sweetie dear idiot
    fool liar unreasonable optimistic pessimistic nostalgic jaded obsessed curious impressed surprised confused cautious
    anything whatever what something when if at on in during about around before after a an the my your every as to for
    from once twice and or but because with undefined null none empty missing required invalid unknown secret anonymous
    batman superman spiderman spider-man groot yoda gandalf santa hulk zorro dracula frankenstein ironman shrek
    aries taurus gemini libra scorpio sagittarius capricorn aquarius pisces virgo
    anyone nobody blank wrong right optional taken darling sweetheart sweetie honey love dearie sweetpea pumpkin
    mummy mommy daddy
    mama papa grandma grandpa granny nana dad mom mum sister brother auntie uncle everyone
    """
)
"""What may follow "call me", or a name's "is", and is no name."""
AFTER_AM = words(
    """
    frank rich sunny misty rusty max ace major grant young art may will hope sandy chance sage royal pat page clay paris
    london chelsea brooklyn sydney dakota jay cash park lee golden guy man min jan mike gene dean ray sol star stone
    storm
    summer willow ward van dot don chip joy grace faith patience mercy prince king duke earl skip dale glen cliff dawn
    eve
    august april june said sue sal rod
    """
)
"""Names that after a small "im" are the word, not the name."""
