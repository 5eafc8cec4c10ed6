"""The phrases by which people say what they like and dislike. What comes after or before them is judged in `preferences`."""

import re
from typing import Literal, NamedTuple

from turnlog.extraction.phrases import Phrases, clause_starts
from turnlog.extraction.vocabulary.listed import alternatives, words

Polarity = Literal["like", "dislike", "prefer"]


class Cue(NamedTuple):
    """Phrases, and what they tell."""

    phrases: Phrases
    polarity: Polarity


def _cues(*rows: tuple[str, Polarity]) -> tuple[Cue, ...]:
    by_polarity: dict[Polarity, list[str]] = {}
    for pattern, polarity in rows:
        by_polarity.setdefault(polarity, []).extend(_sources(pattern))
    return tuple(Cue(Phrases(sources, re.IGNORECASE), polarity) for polarity, sources in by_polarity.items())


def _sources(pattern: str) -> list[str]:
    return clause_starts(_STARTS, f"(?:{pattern[1:]}) ") if pattern.startswith("@") else [f"(?:{pattern}) "]


_ADVERBS = (
    "(?:"
    + alternatives(
        """
        really | absolute?ly | truly | still | also | always | just | honestly | quite | rather | kinda | kind of
        sort of | do | definitely
        actually | totally | especially | particularly | mostly | usually | generally | much | strongly | now | so
        simply | genuinely | personally
        very much | tend to | only | secretly | deeply | too | even | normally | seriously | fucking | bloody | frankly
        typically | often | almost
        sincerely | certainly | then | instead | again | n | both | have always | always have | rly | realy | absolutley
        definately | lowkey | highkey | legit | straight up | simply | just can't help but | happen to | must say i |
             grew to | came to
        have come to | learned to | learnt to | have grown to | will always | have to say i
        """
    )
    + r" ){0,3}"
)
_I = r"(?<![\w'])(?:i|we)(?:'ve| have)? " + _ADVERBS
_IM = r"(?<![\w'])(?:i'm|i am|im|we're) " + _ADVERBS
_START = "@"
"""Where a clause begins, in a table of cues."""
_STARTS = "but | and | or | cause | because | cos | me | personally | honestly | tbh | also | so | now | plus"
_ID = r"(?<![\w'])i(?:'d| would) (?:much |far |always |really |still )*"
_BARE = r"(?:much )?" + _ADVERBS
_CANT = r"can(?:'t|not|t)"
_LIKES = alternatives(
    rf"""
    like | love | luv | lurve | adore | adroe | enjoy | enoy | enjo | appreciate | treasure | worship | dig | crave
    cherish | relish
    swear by | live for | live on | am all for | melt for | rave about
    {_CANT} (?:get enough of|resist|live without|do without|function without|go without|say no to|start (?:the|
        my) day without)
    have (?:a |such a |always had a )?(?:huge |real |bit of a )?(?:soft spot|weakness|thing|passion|love|preference) for
    savou?r | thrive on | revel in | delight in | vibe with | stan | rate | go (?:mad|crazy|nuts|wild|weak) for | jump at
    (?:have |'ve got |got |have got )(?:always had )?(?:an?|such an?|this) (?:\w+ )?(?:sweet tooth|appetite|craving|
        taste|fondness|penchant|
        obsession|hankering|liking|affinity|addiction|crush) (?:for|of|with|to|on)
    wouldn't say no to | won't say no to | can always go for | would kill for | could murder | never (?:get|grow|
        am) tired of
    fell in love with | have fallen in love with | got (?:really )?(?:hooked on|into) | can't stop (?:eating|drinking|
        watching|playing|
        listening to|reading) | never say no to | can never say no to | run on | live and breathe | would die for
    am always up for | am always in the mood for | look forward to | get excited about | geek out over | have been loving
    could (?:eat|drink|listen to|live on|watch|talk about|spend all day)
    """
)
_PREFERS = alternatives(
    r"""
    prefer | perfer | prefr | preffer | favou?r | (?:go|opt|plump|aim) for | stick (?:to|with) | leans? towards?
    gravitate to(?:wards?)? | default to | reach for | side with | vote for | swing towards? | lean to | go with
    (?:take|drink|have|eat|want|order) my (?=[\w'-]+ (?!is|are|was|to|for|at|on|
        and)[\w'-]+)
    (?:work|learn|sleep|think|focus|study|write) (?:best|better) (?:with|in|on|from|by)
    (?:always|only|usually|exclusively|ever|only ever|nearly always) (?:fly|travel with|buy|order|use|take|choose|pick|
        book|drink|eat|wear|read|get|
        ask for|sit|play|drive|write in|work in|cook with|travel with|stay (?:at|in))
    """
)
_BEINGS = alternatives(
    r"""
    into | fond of | partial to | all for | hyped about | stoked about | in favou?r of | happi(?:est|
        er)(?= (?:outdoors|outside|alone|at home|near|by|
        indoors|inside)) | feel(?:ing)? (?:most )?at home (?:in|on|at) | (?:very |really |super )?keen on |
             obsessed with | crazy about | mad about | nuts about
    addicted to | hooked on
    a sucker for | all about | in love with | happi(?:est|er) (?:with|in|on|when) | more comfortable (?:with|in) | big on
    weak for | devoted to
    an? (?:(?:huge|big|massive|real|total|lifelong|die-?hard|great) )*(?:fan|lover|devotee|admirer) of
    """
)
_DONT = (
    r"(?:do not|don't|dont|didn't|never|do n't) (?:(?:really|particularly|much|actually|even|exactly|ever|usually|"
    r"generally) )*"
)
_HATES = alternatives(
    rf"""
    hate | dislike | dislke | detest | detst | loathe | lothe | loath | despise | abhor | avoid | resent | refuse
    {_CANT} be doing with | am allergic to (?:small|bad|lazy|loud|slow|stupid|rude|fake|early)
    {_CANT} (?:stand|bear|abide|tolerate|deal with|be bothered with|cope with|do with|get into|get on with|stomach|
        handle)
    could never get into | (?:could|can) (?:really )?do without
    have (?:zero |no |little )(?:time|patience|love|interest|use) (?:for|in)
    {_DONT}(?:like|enjoy|love|care (?:much )?for|fancy|appreciate|do|trust|eat|drink|touch|wear|fly|dig|get on with|
        get along with|want any|need any)
    {_DONT}(?:liked|enjoyed|cared for|understood the appeal of|got into|use|watch|listen to|order|play)
    (?:have )?(?:gone|went|gone right) off | (?:have )?had (?:it|enough) (?:with|of)
    (?:steer|stay) (?:clear|away) (?:of|from)
    dread | distrust | mistrust | shun | boycott | cringe at | shudder at | draw the line at | keep away from
    can(?:'t|not|t) (?:face|hack|get behind|warm to|be doing|hear|watch|
        smell) | struggle with | have lost (?:interest in|my taste for|
        patience with)
    (?:have |'ve got |got )(?:an?|such an?|a real|a deep) (?:\w+ )?(?:aversion to|horror of|dread of|phobia of|
        hatred (?:of|for)|dislike of|
        distaste for|problem with|grudge against|fear of|thing against)
    {_DONT}(?:rate|see what people see in|want to see|bother with|get why people like|understand why people like)
    never (?:warmed to|took to|cared for|got on with|bother with|
        finish) | fell out of love with | (?:have )?outgrown | gave up on
    have an aversion to | could live without | could happily live without | don't see the (?:point|appeal) (?:of|in)
    never (?:understood|got|saw|understand|get) (?:the (?:point|appeal|hype|fuss) (?:of|around|about|with|in)) |
         never got the hang of
    stopped (?:liking|enjoying) | (?:swore|sworn) off
    (?:won't|will not|wouldn't|would never|will never|would not) (?:ever )?(?:touch|eat|drink|wear|set foot in|
        be caught dead (?:in|with)|go near|fly|stay in)
    """
)
_NOT_BEING = alternatives(
    r"""
    (?:not|no|never been|never|hardly|not exactly|not really) (?:(?:really|much|particularly|exactly|a|an|at all|too|
        very|that|so|the|big|huge|great|biggest|massive|such) )*(?:fan of|into|keen on|fond of|big on|crazy about|
        mad about|lover of|one for|partial to)
    (?:so |totally |completely |just )?over(?! (?:here|there|it\b|the moon|\d|at|in|on|by)) | (?:so )?(?:sick|
        tired) of | fed up (?:with|of) | done with | over it with | bored (?:of|with) | terrified of
    scared of | sick to death of | averse to
    """
)
OF_ME: tuple[Cue, ...] = _cues(
    *(
        (_I + _LIKES, "like"),
        (_I + _PREFERS, "prefer"),
        (_IM + _BEINGS, "like"),
        (_I + r"(?:have )?(?:been |always been )" + _BEINGS, "like"),
        (_I + _HATES, "dislike"),
        (_IM + _NOT_BEING, "dislike"),
        (
            _ID + r"(?:rather|sooner)(?: (?:have|use|take|go with|get|go for|eat|drink|be|see|read|stay in|do))?",
            "prefer",
        ),
        (
            _ID + r"(?:choose|pick|happily take|gladly take|go for any day|prefer)",
            "prefer",
        ),
        (
            _ID + r"(?:take|have|go with|go for|vote for)(?= [^.!?\n]{2,60}? (?:over|any day|instead of|rather than|"
            r"every time|"
            r"any time|anytime|in a heartbeat)\b)",
            "prefer",
        ),
    )
)
"""Cues with "I", before what is liked."""
VERBS: tuple[Cue, ...] = _cues(
    *(
        (
            _START + _BARE + rf"(?:love|adore|luv|{_CANT} get enough of|(?:a )?(?:big|huge|massive) fan of)",
            "like",
        ),
        (_START + r"(?:now |these days )?" + _BARE + r"(?:prefer|perfer)", "prefer"),
        (
            _START
            + _BARE
            + rf"(?:hate|loathe|detest|dislike|{_CANT} (?:stand|bear|abide)|don'?t (?:really )?(?:like|enjoy|care for)|"
            rf"never liked)",
            "dislike",
        ),
        (_START + r"(?:currently |totally |completely )?" + _BARE + _BEINGS, "like"),
        (_START + _BARE + r"(?:loving|enjoying|digging)", "like"),
        (
            _START + r"(?:dont|don't|do not|never|pls don't|please don't|please do not) (?:ever )?(?:put|add|send|use|give|"
            r"include|"
            r"suggest|recommend|show|write|serve|mention)(?: me| us)?(?: so many| so much| any)?(?! (?:anything|it|that|"
            r"them|me|yet)\b)",
            "dislike",
        ),
        (
            _START + r"(?:please |pls )?(?:use|always use|always give|give)(?= [\w' -]{3,40}?,? (?:please|pls|plz|instead|"
            r"from now on|not|"
            r"everywhere|throughout)\b)",
            "prefer",
        ),
        (r"\bfrom now on,? no(?: more)?", "dislike"),
        (r"\bi h8", "dislike"),
        (r"\bi (?:want|need|prefer|'d like|would like) (?:fewer|less)", "dislike"),
        (
            r"\b(?:my idea of (?:heaven|a good time|a perfect \w+|bliss|fun)|the best (?:thing|part) (?:ever )?)(?:'s|"
            r" is| are)",
            "like",
        ),
        (
            r"\bif i (?:have to|must|had to|really have to) (?:pick|choose),? (?:i'd (?:say|go for|go with|pick) |"
            r"it's |then )?",
            "prefer",
        ),
        (_START + _BARE + _NOT_BEING, "dislike"),
        (r"\b(?:don't|dont|do not) (?:even )?get me started on", "dislike"),
        (
            r"\b(?:nothing(?:'s| is)? worse than|(?:few|not many) things (?:are )?worse than|"
            r"the worst thing(?: ever| in the world)? is|"
            r"(?:^|(?<=[.!?\n]) ?)who(?: even| actually) (?:likes|enjoys|wants))",
            "dislike",
        ),
        (
            r"\b(?:never happier than (?:when |with |in |on )?|few things (?:beat|are better than)|who doesn't (?:love|"
            r"like))",
            "like",
        ),
        (
            r"\band an? (?:\w+ )?(?:sweet tooth|soft spot|weakness|passion|penchant|fondness|hankering|love) for",
            "like",
        ),
        (
            r"\b(?:rather than|instead of) [\w' -]{2,30}?,? i(?:'d| would) (?:rather |much rather |sooner )?(?:have|"
            r"take|get)?",
            "prefer",
        ),
        (r"\byou(?:'ll| will) never (?:catch|see|find) me", "dislike"),
        (
            r"\b(?:anything (?:but|except)|as long as it(?:'s| is) not|as long as it isn't|(?:hard |big |firm )no to)",
            "dislike",
        ),
        (
            r"\b(?:nothing (?:beats|like|better than|compares to|tops|makes me happier than)|long live|hooray for|"
            r"you can't beat|can't beat)",
            "like",
        ),
        (
            r"\b(?:yes to|happiness is|(?:no such thing as|can never have|never have) too (?:much|many))",
            "like",
        ),
        (r"\bgive me(?= [^.!?\n]{2,40}? (?:any day|any time|over|every time))", "prefer"),
        (
            r"\bmy (?:absolute |all-time |all time |personal |current )?(?:favou?rite|fave|fav|go-to|"
            r"preferred)(?: [\w-]+){0,3}?(?: of all time)?"
            r" (?:is|are|has to be|would be|has always been|will always be|:)",
            "like",
        ),
        (
            r"\b(?:spare me|leave out|hold|go easy on|enough (?:with|of)|lay off|ditch|lose|drop|cut|skip)(?: all)? the",
            "dislike",
        ),
        (
            r"\b(?:stop|quit) (?:using|sending|giving|adding|with|suggesting|recommending|showing|putting|writing|"
            r"offering|"
            r"including|saying|asking for|mentioning|pushing|throwing in|bringing up)(?: me| us)?",
            "dislike",
        ),
        (
            r"(?:^|[.!?;:,\n(] ?|\b(?:and|but|so|please|pls|maybe|also|just|with|use|need|want|prefer) )"
            r"(?:fewer|less|not so many|not so much|not as many)",
            "dislike",
        ),
        (
            r"\bno(?: more)?(?= (?:[\w'-]+ ){0,2}[\w'-]+,? (?:next time|from now on|in (?:the )?future|any ?more|"
            r"this time|"
            r"i (?:can't|cant|hate|don't)|can't (?:stand|bear)|i'm (?:shy|allergic|scared|terrified)|they|makes? me|"
            r"gives? me|"
            r"for me|please|pls|plz|thx|thanks|thank you)\b)(?! (?:worries|problem|need|idea|rush|thanks))",
            "dislike",
        ),
        (
            r"\b(?:i'm |im |i am )\w+,? (?:so |and )?no(?: more)?(?= (?:[\w'-]+ ){0,2}[\w'-]+(?:[.!,;\n]|$))",
            "dislike",
        ),
        (
            r"(?:^|[.!?;:,\n(] ?)never again(?:,? (?:will|shall|am) i(?: ever)? [\w']+)?",
            "dislike",
        ),
        (r"\bwhoever (?:invented|came up with|thought of|designed|made up)", "dislike"),
        (r"\bnothing (?:but|except)", "prefer"),
        (r"\b(?:preferably|ideally|preferrably),?", "prefer"),
        (
            r"\b(?:what|(?:the|one|the one|the only|another) thing|something) (?:that )?i (?:[\w']+ ){0,2}?"
            r"(?:love|like|enjoy|adore|appreciate|treasure)(?: most| best| the most)? (?:is|are)",
            "like",
        ),
        (
            r"\b(?:what|(?:the|one|the one|the only|another) thing|something) (?:that )?(?:i (?:[\w']+ ){0,2}?(?:hate|"
            r"dislike|detest|"
            r"loathe|can't stand|cannot stand|can't bear|don't like)|drives me \w+|annoys me|bugs me)(?: most|"
            r" the most)? (?:is|are)",
            "dislike",
        ),
        (r"\blife(?:'s| is) too short (?:for|to \w+)", "dislike"),
        (
            r"\bmy (?:(?:absolute|all-time|personal|current|one|biggest|only|real|true|great) )*(?:weakness|"
            r"happy place|guilty pleasure|"
            r"comfort food|vice|kryptonite|obsession|passion|jam|love language|drink of choice|poison)(?:'s| is| are|:|"
            r",? is)",
            "like",
        ),
        (r"(?:^|[.!?;:,\n(] ?)(?:big |huge |massive )?no (?:fan|friend|lover) of", "dislike"),
        (
            r"\b(?:my|a) (?:biggest |worst |absolute )?(?:pet peeve|pet hate|nemesis|bugbear)(?:'s| is|:| has to be)",
            "dislike",
        ),
        (r"\bmy least favou?rite (?:[\w-]+ ){0,3}?(?:is|are|has to be|would be|thing(?: ever)? is)", "dislike"),
        (
            r"\bnever (?:use|send|give me|include)|\b(?:please |pls )(?:don't|do not|dont|avoid) (?:use|using|send|"
            r"sending|include|including|add|adding)",
            "dislike",
        ),
        (
            r"\b(?:always|only|from now on,?|in (?:the )?future,?|going forward,?) (?:please )?"
            r"(?:use|answer in|reply in|write in|give me|respond (?:in|with)|send|show me|speak|format in|stick to)",
            "prefer",
        ),
        (
            r"(?:(?:can|could|would|will) you|please|pls|let's|let us) (?:please |just |kindly |maybe )?(?:stick (?:to|"
            r"with)|keep to|"
            r"answer in|reply in|respond in|write (?:to me )?in|talk to me in|always use|switch to|only use)",
            "prefer",
        ),
        (
            r"(?:^|(?<=[.!?\n,]) ?)(?:please |pls )?(?:keep|make) (?:it|your \w+|answers|replies|them)(?= (?:short|"
            r"brief|concise|simple|casual|formal|to the point|snappy|plain|friendly)\b)",
            "prefer",
        ),
    )
)
"""Cues without it."""
FIRST_PERSON = words("i i've i'm im i'd we we've we're")
SPOKEN = OF_ME + VERBS
