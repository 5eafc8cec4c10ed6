"""Where what is liked begins and ends, how the past and lists are told, and what answers a question for tastes."""

import re

from turnlog.extraction.phrases import phrase
from turnlog.extraction.vocabulary.listed import alternatives, words


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


NOT_SUBJECT = _pattern(
    alternatives(
        """
        nope | yes | yeah | yep | thanks | please | ok | okay | sorry
        big | huge | great
        it | this | that | he | she | they | which | what | who | you | i | we | there | these | those | the | my | your
        his | her | their | our
        everything | nothing | something | someone | people | one | if | when | would | does | do | is | are | not | no
        how | why | all | and | but
        because | as | was | to | always | every | forever | been | so | never | or | of | at | in | on | for | with |
             did
        has | have | had | am | any | now | even | then | just | only | still | here | let's | i'm | it's | that's
        """
    )
    + r"\b"
)
PAST = phrase(
    r"(?:(?<![\w'])i |^|[.!?\n] )(?:used to (?:really |absolutely )?(?:like|love|enjoy|adore|prefer|be into|"
    r"be a fan of|swear by)"
    r"|(?P<hate>used to (?:hate|dislike|detest|avoid|can't stand))|no longer (?:like|love|enjoy|prefer|care for)) "
)
ENDS = _pattern(
    r"[.,;:!?()\n…—–\"\u2600-\u27bf\U0001f300-\U0001faff]|\s-\s|\s"
    + alternatives(
        r"""
        but | because | cause | cuz | cos | since | so | although | though | tho | while | when | whenever | if | unless
        until | over | rather
        instead | more than | than | tbh | honestly | lol | haha | btw | anyway | too | as well
        and an? \w+ for | and (?:i|i'm|my|it|dont|don't|he|she|they|always|now)
        which | it's | its | these days | nowadays | right now | at the moment | for now | especially | most | any day
        every | always
        all the time | so much | a lot | very much | thanks | please | pls | after | before | during | any ?more
        to be honest | more | myself
        in (?:this|our) \w+ | in my (?:house|family|life|book|world|
        home) | at my \w+ | lately | recently | hands down | either | again
        next time | in future | in the future | by the way | and im | but im | any day | with a passion | n i |
             at all | as long as | from now on | all day | forever | with all my heart
        """
    )
    + r"(?![\w'])"
)
ENDS_CHOICE = _pattern(r"\s(?:for|on|at|in) ")
DAYTIME = _pattern(
    r"(?:the )?(?:mornings?|afternoons?|evenings?|nights?|weekends?|winter|summer|bed|writing|person|private)\b"
)
VERSUS = _pattern(r"\s+to\s+(?!\w+ing\b)")
LEADING = _pattern(
    r"(?:a bit of |a little |a good |a nice |a proper |a lot of |it when |when |me some |the |a |an |some |any |my |"
    r"all |having |getting |to |anything with |anything |those |these |most |people who |when people |eating |"
    r"drinking )+"
)
NO_OBJECT = _pattern(
    r"\W*"
    + alternatives(
        r"""
        it(?! when) | that | this | them | him | you | your | yours | how | what | where | why | not | one | these |
             those
        there | i | we | he | she
        they | me(?! some) | myself | both | either | neither | us | so | up | still | here | straight | very | much
        more | things? (?:that|like) | if
        the (?:idea|way|look|sound|thought|fact|feeling|first|second|other|one|last)\b
        to (?:say|ask|bother|admit|be|break|interrupt|nag|complain|think|tell|see you|hear|do that|know|sound|leave|
            go|get|buy|give|have|make|try|keep it)\b
        see | watch paint | die | eat (?:glass|my) | stick needles | say | talk | answer | discuss | go home | well |
             with
        for | of | in | on | at
        a question | a refund
        """
    )
    + r"(?![\w'])"
)
HYPOTHETIC = _pattern(
    r"\b(?:if|do|did|would|should|could|can|does|may|might|says?|thinks?|suppose|wish|pretend|imagine|assume|"
    r"guessing|whether|why|must|shall|like|not that|what)(?: that)? $"
)
LIST_HEAD = phrase(
    r"(?:^|\n)[^\n]{0,60}\b(?:(?P<hate>things (?:i|that) (?:hate|can't stand|annoy me|dislike|drive me)|"
    r"(?:my )?(?:dislikes|pet hates|pet peeves)|i (?:hate|dislike|can't stand))"
    r"|things (?:i|that) (?:like|love|enjoy|improve|make|cheer|help|calm|keep)|(?:my )?(?:likes|favou?rites)|"
    r"i (?:like|love|enjoy|prefer))[^\n]{0,40}:[ \t]*\n"
)
ITEM = re.compile(r"[ \t]{0,20}(?:[-*•+]|\d{1,2}[.)])[ \t]{1,8}([^\n]{1,120})(?:\n|$)")
FIELD = phrase(
    r"(?:^|\n)[ \t]{0,8}(?:[-*•][ \t]{0,3})?(?:(?P<hate>dislikes?|hates?|pet peeves?|avoid)|likes?|loves?|enjoys?|"
    r"interests?|"
    r"hobbies|hobby|"
    r"prefers?|preferences?|into|fav(?:ou?rite)?s?(?: [\w-]+)?)[ \t]*[:=][ \t]*([^\n]{2,80})"
)
"""A line of a form: "likes: rooftop bars"."""
PLEASE_NOT = phrase(
    r"(?:^|(?<=[.!?;\n]) ?)([\w' -]{3,40}?),? (?:please|pls|plz),? (?:and |but )?(?:not|no) ([\w' -]{2,40})(?=[.!,;\n]|"
    r"$)"
)
ONLY = phrase(
    r"(?:^|(?<=[.!?;:,\n]) ?)((?:[^\W\d_][\w'-]* ){0,2}[^\W\d_][\w'-]*) only(?:,? (?:please|pls|plz|"
    r"for me))(?=[.!,;\n]|$)"
)
JUST = phrase(
    r"(?:^|(?<=[.!?;:,\n]) ?|\b(?:and|but|so) )((?:just|only) (?:the )?[\w'-]+(?: [\w'-]+){0,2}?),? (?:please|pls|plz)\b"
)
DISLIKED_NOW = _pattern(r"\b(?:can't|cannot|cant|hate|off|sick|not|never|worst|ugh|yuck|over it|done|no longer|bores?)\b")
LIKED_NOW = _pattern(
    r"\b(?:love|adore|like|enjoy|can't get enough|hooked|addicted|obsessed|fan|converted|favou?rite|delicious|"
    r"every day|eat|drink|"
    r"crave|by the \w+|grown on me|fond|into|pretty good|great)\b"
)
TASTES_ASKED = _pattern(
    r"\b(?:(?:any|what|which|anything|things|foods?)\b[^.!?\n]{0,40}\b(?:dislikes?|avoid|hate|can't stand|don't (?:like|eat|"
    r"enjoy)|do not (?:like|eat)|off the table|off limits|likes?|enjoy|love|interests|hobbies|preferences|tastes|"
    r"favou?rites?|into|prefer|rather not))\b[^.!?\n]{0,40}\?"
)
"""A question for what the user likes or dislikes."""
SO_MANY = _pattern(r"^(?:so|as|that|too) (?:many|much) ")
NOT_TASTES = _pattern(r"\b(?:names?|how|would you)\b")
DISTASTES_ASKED = _pattern(
    r"\b(?:dislikes?|avoid|hate|can't stand|don't (?:like|eat|enjoy)|do not (?:like|eat|enjoy)|off the table|"
    r"off limits|leave out|"
    r"rather not)\b[^.!?\n]{0,40}\?"
)
TOLD = _pattern(
    r"\W*(?:(?:yes|yeah|yep|sure|definitely|absolutely|thanks|oh|hm+|um|well|just|only|mainly|mostly|probably|"
    r"definitely|maybe|anything with|the|a|an|some|"
    r"my favou?rite is|i'd say)[,:]? )*([^\W_][\w'-]*(?: [\w'-]+){0,2}?"
    r"(?:(?:, (?:and )?| and | & )[^\W_][\w'-]*(?: [\w'-]+){0,2}?){0,4})"
    r"(?=\s*(?:[.!;:(–—\n]|$)| (?:please|mostly|mainly|and that|thanks|i guess|basically)\b)"
)
"""Things in a row, and no sentence."""
LIKED = _pattern(
    r"(?:do you|are you|you) (?:really |still |actually )?(?:like|enjoy|love|into|fond of|keen on|a fan of|fan of|mind) "
    r"(?:the |a |an |some |any |your |our |my )?([^.!?\n,]{2,50})\?"
)
LOVES_IT = _pattern(
    r"\W*(?:(?:yes|yeah|yep|oh|god|absolutely|of course|very much|honestly|i|do|really|totally),? ){0,4}(?:love|adore|"
    r"enjoy)s? "
    r"(?:it|them|that|those)\b"
)
HATES_IT = _pattern(
    r"\W*(?:(?:no|nope|nah|oh|god|absolutely|honestly|i|really|actually|ugh),? ){0,4}(?:hate|loathe|detest|despise|"
    r"can't stand|"
    r"cannot stand|can't bear|don't like|not a fan of|dislike) (?:it|them|that|those)\b"
)
FAVOURITE = _pattern(
    r"\b(?:your (?:\w+ )?fav(?:ou?rite)?|do you (?:prefer|like (?:best|most|better))|would you (?:prefer|"
    r"rather))\b[^.!?\n]*\?"
)
CLAUSE_END = re.compile(r"[.!?\n:]")
FIRST = _pattern(
    r"\W*(?:(?:the|a|an|oh|um|well|definitely|probably|maybe|i think|i'd say|go with|let's go with|let's do|"
    r"let's say|always|yes|yeah|please|i'll take|i'll have|make it|just) ){0,4}"
    r"([^\W_][\w'-]*(?: [\w'-]+){0,3}?)"
    r"(?=\s*(?:[,.!;:—–\n]|$| (?:please|pls|always|every|for|if|thanks|i|because|is|are|all|works|sounds|any|"
    r"obviously|of course|definitely|by far|over)\b| - ))"
)
REFUSES = phrase(r"(?:^|[.!\n,] ?)(?:no|without|never|not) ((?:[\w'-]+ ){0,2}[\w'-]+)(?=[,.!;\n]|$)")
OFFER = _pattern(r"\b(?:would|do|should|shall|want|need|any|like|prefer|include|add)\b[^.!?\n]{0,120}\?")
LOVELY = phrase(
    r"(?:^|(?<=[.!?;,\n]) ?|\b(?:and|but) )((?:[\w'-]+ ){0,3}[\w'-]+) (?:would|'d) be (?:so |really |absolutely )?"
    r"(?:lovely|nice|great|ideal|perfect|amazing|wonderful|good|best|a plus|fantastic)\b"
)
PLEASE = phrase(
    r"(?:^|(?<=[.!?\n]) ?)((?:[\w'-]+ ){0,2}[\w'-]+?)(?: (?:everywhere|only|always|throughout))?,? (?:please|"
    r"pls)\b(?=[.!,\n]|$)"
)
STYLE = words(
    """
    mode theme landscape portrait dark light metric imperial celsius fahrenheit bullets bullet points table tables prose
    short brief concise formal informal casual font decimals 24h plain markdown emoji emojis vegetarian vegan spelling
    units english seat seats row size
    """
)
"""Words of a wish in two words and a please, such as "dark mode, please"."""
ARTICLES = words("the a an one with in of for")
NO_ANSWER = words("would you not which or do should shall like prefer")
PLEASED = words("please pls plz")
