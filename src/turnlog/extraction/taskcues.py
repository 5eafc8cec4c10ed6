"""The phrases by which people ask for things and take them back, and by which assistants promise, deliver and fail."""

import re

from turnlog.extraction.phrases import Phrases, clause_starts, phrase, phrases
from turnlog.extraction.vocabulary.listed import alternatives


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_ACT_WORDS = """
    add | adjust | analy[sz]e | append | apply | archive | arrange | assign | attach | back up | build | buy | calculate
    cancel | cc | chase
    clean | clear | close | collect | combine | come up with | compare | compile | compose | compute | confirm with
    contact | convert | create
    deactivate | delete | deliver | dig (?:out|up) | disable | double-?check | download | draft | draw(?: up)? |
         duplicate
    edit | enable | enter
    export | extend | feed | fetch | fill | filter | find | finish | fix | follow up | forward | generate | get
    give (?:me|us|.{1,30} a) | grab
    import | include | increase | insert | install | invite | jot | keep an eye on | launch | let .{1,30} know
    look (?:up|into|for|at|through|over)
    lower | make | merge | move | mute | note down | notify | nudge | organi[sz]e | pass on | paste | pay | pencil
    pick (?:up|out) | postpone | prepare
    proofread | publish | pull up | purchase | put | raise | rearrange | recalculate | redo | reduce | refund | register
    remember to | remind | remove
    rename | renew | reorder | rephrase | replace | reply to | reschedule | resend | reserve | reset | resize | restart
    restore | restructure
    rewrite | save | send | set up | share | shorten | show .{1,20} how | simplify | sketch
    sort (?:out|the|my|these|this|it|them) | start | submit
    subscribe | summari[sz]e | swap | switch | take | tell (?!me|us) | tidy | track | transcribe | transfer | translate
    trim | turn | unsubscribe
    update | upgrade | upload | verify | wake | warn | write
    annotate | appeal | archive | audit | bake | brew | capitali[sz]e | categori[sz]e | check in | classify | collate |
         complain
    compress | condense | configure | cook | critique | debug | decode | decrypt | deploy | dictate | dispute |
         drop off | encode
    encrypt | enrol | enroll | evaluate | exchange | feed | highlight | hoover | illustrate | inform | list | migrate |
         mow | mute
    negotiate | paraphrase | plot | polish | prioriti[sz]e | quiz | rebook | recommend me | refactor | refill |
         reformat | renew
    repair | resubmit | retry | return | revise | reword | rework | schedule | scrape | ship | sign me up | sum up |
         tabulate | tighten
    top up | undo | unlock | unpack | vacuum | visuali[sz]e | walk the | wash | water the | wrap
"""
_NOUN_WORDS = """
    alert | ask | block | book | brainstorm | change | check | copy | crop | cut | design | drop | email | e-mail
    estimate | file | flag | format
    group | hire | hold | label | list | load | lock | log | mail | map | mark | message | name | open | order | outline
    pack | phone | pick | ping
    plan | play | post | print | push | queue | quote | rank | record | rent | report | request | research | return
    review | ring | rotate | round
    run | scan | schedule | search | set | sign | split | stop | sync | tag | test | text | water | zip
"""
_ACTS, _NOUNS_TOO = alternatives(_ACT_WORDS), alternatives(_NOUN_WORDS)
_DETERMINED = (
    r"(?= (?:(?:the|a|an|my|me|us|him|her|them|it|this|that|these|those|our|your|some|all|up|out|down|for|to|every|"
    r"any|both|another|each|one|two|three"
    r"|four|five|everyone|his|their|in|at)\b(?! (?:was|is|were|are)\b)|\d|(?-i:[A-Z])|[\"'“]))"
)
ACT = rf"(?:{_ACTS}\b|{_NOUNS_TOO}\b{_DETERMINED})"
IDIOM = _pattern(
    alternatives(
        r"""
        mark my words | take care | take (?:your|my) time | take it easy
        get (?:this|that|it)\b(?! (?:to|done|fixed|sorted|printed|sent)) | get well | get lost
        make sense | make no mistake | make my day | keep in mind | turns? out | start over | look at (?:that|this)\b
        check (?:this|that|it) out | put it this way
        (?:send|give) my (?:love|regards) | find (?:it|that) | call me | text me like | forget | drop dead | hold on
        hold up | pick on | run away
        """
    )
)
INFORMATION = _pattern(
    alternatives(
        r"""
        (?:please )?(?:tell (?:me|us)|explain|say|clarify|describe|define|remember (?!to)|see|hear|believe|imagine|
            repeat|elaborate|guess|know|speak|understand)
        like | mind | prefer | think | help me understand | walk me through | be\b | recommend | suggest | even | still
        show me (?:how|what|why) | check out
        rather
        give me (?=[^.!?\n]{2,60} (?:any day|any time|anytime|every time|over)\b) | give me (?:an? )?(?:idea|example|
            hint|reason|break|sec|minute|second) | take a (?:guess|look at (?:this|that))
        no\b | not\b | don't | never
        do\b(?! (?:the|a|my|it|this|that)) | and\b | also$ | note\b | excuse | forgive | have mercy | i\b | help$
        help[!.]
        """
    )
)
_POLITE = (
    "(?:"
    + alternatives(
        """
        please | pls | plz | kindly | maybe | also | perhaps | quickly | just | possibly | then | quick | first | now
        like(?=,) | go ahead and
        be a (?:dear|star|pal) and | be able to | at least | again | instead | ever | by any chance | help me(?: to)?
        try (?:to|and)
        """
    )
    + "[ ,]+){0,4}"
)
_LEADS = (
    "and | but | so | then | now | also | ok | okay | hey | hi | right | next | first | please | pls | plz | anyway |"
    " well | alright"
)
_SERVICE = (
    "(?:book|order|reserve|schedule|reschedule|cancel|return|exchange|change|update|report|renew|arrange|set up|"
    "register|sign up|"
    "request|place an order|file an?|make an? (?:reservation|appointment|booking|complaint|return|change|payment))\\b"
)
ASKED = phrases(
    rf"""
        \b(?:can|could|would|will|cld|wld|wud|can't|couldn't) (?:you|u|ya|we|someone|somebody)\b ?,? ?{_POLITE}
        \b(?:i(?:'d| would)? (?:need|want|like|love)|need|want|looking for) (?:you|u|someone|somebody|help) to {_POLITE}
        \b(?:would|'d) be (?:so |really |super |just |very )?(?:great|nice|lovely|good|awesome|amazing|helpful|cool|
            ideal|perfect|
            brilliant|fantastic|wonderful|fab|kind) if (?:you|u|someone|somebody) (?:could |can |would |
                might )?{_POLITE}(?=[a-z])
        \b(?:was|am|i'm|im|were) (?:kind of |kinda |just |really )?(?:hoping|wondering) (?:if |whether |that )?(?:you|
            u|someone)(?:'d| could| can| would| might) {_POLITE}
        \bi wonder(?:ed)? if (?:you|u|someone) (?:could|can|would|might) {_POLITE}
        \byou (?:could|can|might) (?:start|begin) by (?=\w+ing)
        \bi(?:'d| would) (?:like|love) to (?={_SERVICE}) | \bi (?:want|wanna) (?:to )?(?={_SERVICE})
        \b(?:can|could|may) (?:i|we) (?:please )?(?=get (?:a|an|the|my|some|another|two|three)\b)
        \b(?:to-?do|task|reminder|note to self|action item)s?: (?=[a-z])
        \bi (?:trust|expect|hope) you(?:'ll| will) (?=[a-z])
        \bmake sure (?:you |to |that you )(?={ACT}) | \b(?:don't|dont|do not) forget to (?=[a-z])
        \bi(?:'d| would) (?:appreciate|be grateful|love) (?:it )?if you(?:'d| would| could)? {_POLITE}
        \b(?:weren't|aren't|were|wasn't|are) (?:you|u) (?:going|supposed|meant|gonna) (?:to )?
        \byou (?:were (?:going|supposed|meant) to|still have to|still need to|promised to|said you(?:'d| would)|
            still owe me) (?=[a-z])
        \bis it possible to (?={ACT}) | \bany chance (?:you (?:can|could)|of getting) (?=[a-z])
        \b(?:would )?you mind (?=\w+ing\b)
        """
)
PLEASE = phrase(r"\b(?:please|pls|plz|kindly) (?:(?:also|just|can you|could you) )?(?=[a-z])")
IMPERATIVE = Phrases(
    clause_starts(_LEADS, rf"{_POLITE}(?={ACT}(?! ?(?:of|is|was|are|were|has|had|it's|'s|:|,|wise)\b|[:=(]))"), re.IGNORECASE
)
_OPENERS = (
    "ok|okay|hey|hi|hello|so|now|also|well|right|please|then|yeah|yes|yep|sure|great|thanks|thank you|cool|perfect|hmm|"
    "oh|ah|ooh|"
    "actually|wait|no|nope|alright|anyway|good|nice|lovely|awesome|fine|and|but|next|first|second|finally|just|um|uh|"
    "sorry|btw"
)
GOES_ON = _pattern(
    rf"(?:(?:{_OPENERS})[,!.]* ?){{0,4}}{_POLITE}(?:{ACT}|can you|could you|"
    rf"would you|will you|i need you to)\b"
)
CONDITION = _pattern(r"\b(?:if|when|once|after) ")
REMIND = phrase(
    r"(?<!to )(?<!you )(?<!for )(?<!that )(?<!who )(?<!which )(?<!always )(?<!it )(?<!didn't )(?<!don't )(?<!never )\b"
    r"(?=(?:remind|remnd|reminde|rmeind|nudge|ping|poke|alert|notify|warn|wake) (?:me|us|him|her|them) )"
)
NEEDS = phrase(
    r"(?:^|(?<=[.!?;\n,]) ?|\b(?:and|but|so|hi|hey|hello),? )(?:i |we |i'm |im |we're |i am )?(?:(?:still|also|just|"
    r"really|urgently) ){0,2}"
    r"(?:need|want|looking for|after|would like|'d like|require)(?= (?:a|an|some|two|three|four|five|six|ten|\d+|"
    r"help with|new|another|the|more) )"
)
NEEDS_LESS = _pattern(
    r" (?:an? |the )?(?:some )?(?:more )?"
    + alternatives(
        """
        break | nap | drink | hug | minute | moment | second | sec | holiday | coffee | hint | hand | time | sleep | rest
        vacation | job | doctor | life | practice | money | exercise | space | distraction | company | motivation |
             support | silence
        quiet | energy | wifi | internet | truth | practise | extra | fresh | little | long | real | proper | good |
             serious | better
        new life | beer | day off | advice | car | toilet | loo | bathroom | answer | bit | lot | change | while
        """
    )
    + r"\b"
)
WANTS_DONE = phrase(
    r"\b(?:i|we|she|he|they|boss|manager|client|wife|husband|mum|mom|dad)(?:'d)? (?:needs?|wants?|would like|"
    r"'d like|like) ((?:[\w'-]+ ){1,6}?)"
    r"(cancell?ed|moved|booked|changed|sent|updated|removed|fixed|translated|rewritten|rescheduled|printed|deleted|"
    r"postponed|shortened|checked|sorted"
    r"|ordered|added|renamed|converted|proofread|delivered|refunded)\b"
)
_FIXED = (
    r"cancell?ed|moved|booked|changed|sent|updated|removed|fixed|translated|rewritten|rescheduled|printed|deleted|"
    r"postponed|"
    r"shortened|checked|sorted|ordered|added|renamed|converted|proofread|delivered|refunded|cleaned|repaired|replaced|"
    r"renewed|"
    r"signed|reviewed|edited|paid|collected|fixing|translating|printing|cleaning|repairing|replacing|renewing|checking|"
    r"updating|"
    r"proofreading|sorting|editing|reviewing|rewriting"
)
NEEDS_DONE = phrase(
    r"(?:^|[.!?;\n,] ?|\b(?:and|but|so|because) )((?:the|my|our|this|these|those|"
    r"that) (?:[\w'-]+ ){0,3}?[\w'-]+) needs? (?:to be )?"
    rf"({_FIXED})\b((?: (?:by|before|on|into|to|for|until) [^.!?,;\n]{{2,40}})?)"
)
FORGET = phrase(r"\b(?:don't|dont|do not) let me forget (?:(about|to) )?")
OFFERS = _pattern(
    r"\b(?:shall i|should i|want me to|would you like me to|do you want me to|like me to|i can|i could|happy to|may i|"
    r"can i|"
    r"i'd be happy to|i could also) (?!help|assist|do that|see|tell|ask|answer|imagine|be )((?:[^.?!\n]|"
    r"\.(?=\w)){4,120})"
)
ACCEPTS = _pattern(
    r"\W*(?:(?:oh|ooh|hmm|ok|okay|well|great|perfect|ah|wow|sure|yes|yeah|yep|thanks|thank you|cool|lovely|"
    r"nice)[,.! ]+){0,3}"
    r"(?:yes,? (?:please|do|go|that|pls|plz)|yes[.!]*$|yeah[.!]*$|yep[.!]*$|yup|sure[.!]*$|please do|please[.!]*$|"
    r"go ahead|go for it|"
    r"do (?:it|that|so)\b|(?:that )?(?:would|'d) be (?:great|good|lovely|nice|perfect|helpful|awesome|amazing|"
    r"brilliant|super)|"
    r"that'd be|sounds (?:good|great|perfect)|absolutely|definitely|of course|why not|by all means|make it so|"
    r"yes please|if you could|"
    r"i'd (?:like|love|appreciate) that|let's do (?:it|that))"
)
INFINITIVES = {
    "paid": "pay",
    **{f"{verb[:-1]}ing": verb for verb in ("replace", "update", "rewrite", "translate")},
    **{
        f"{verb}ing": verb
        for verb in ("fix", "print", "repair", "renew", "check", "proofread", "edit", "review", "clean", "sort")
    },
    **{f"{verb}ed": verb for verb in ("repair", "renew", "sign", "review", "edit", "collect", "clean")},
    "replaced": "replace",
    "cancelled": "cancel",
    "canceled": "cancel",
    "sent": "send",
    "rewritten": "rewrite",
    "proofread": "proofread",
    **{
        f"{verb}d": verb
        for verb in ("move", "change", "update", "remove", "translate", "reschedule", "delete", "postpone", "rename")
    },
    **{
        f"{verb}ed": verb
        for verb in ("book", "fix", "print", "shorten", "check", "sort", "order", "add", "convert", "deliver", "refund")
    },
}
LIST_HEAD = _pattern(
    r"(?:^|\n)[^\n]{0,50}\b"
    + alternatives(
        r"to-?dos? | tasks? | action items? | things to do | jobs? | (?:can|could) (?:you|u) | please | pls |"
        r" need (?:you|u) to | your list | for (?:you|u) | to do"
    )
    + r"\b[^\n]{0,40}:[ \t]*\n"
)
ITEM = re.compile(r"[ \t]{0,20}(?:[-*•+]|\d{1,2}[.)]|\[ \])[ \t]{1,8}(?:\[ \] )?([^\n]{2,160})(?:\n|$)")
ENDS = _pattern(
    r"[?!\n…]|\.(?=\s|$)|;|\s[-–—]\s|"
    + alternatives(
        r"""
        ,? (?:please|pls|plz|thanks|thx|ta|cheers|thank you|if you (?:can|could|don't mind)|if possible|lol|haha|tbh|
            or something)\b
        ,? when you (?:get|have) a (?:minute|moment|sec|second|chance)\b
        , (?:i|i'm|it|it's|they|she|he|we|everything|which|that's|thanks|the|my|not|don't|because|you|let me|is|any|
            what|how|he's|she's|nothing|would)\b
        \s(?:because|cause|cuz|so (?:i|that|we)|since (?:i|we|it|he|she)|but (?:i|don't|it)|as (?:i|we|it)(?:'m|'re|
            's)?|and (?:tell me|let me know|explain))\b
        """
    )
)
POINTS = _pattern(
    r"[\w-]+(?: (?:up|out|off|down))? (?:it|that|this|them|those|these)(?: (?:up|out|off|for me|again|too|now|asap|"
    r"today|tomorrow))?$"
)
CANCELS = phrases(
    r"""
        \bnever ?mind\b | \bnvm\b | \bscrap (?:that|it|this|the)\b
        (?<!don't )(?<!dont )(?<!not )(?<!never )(?<!to )(?<!i )(?<!always )(?<!you )\bforget (?:it|that|this|
            i (?:said|asked)|about (?:it|that|the|this)|what i|the)\b
        (?<!to )(?<!you )(?<!i )\b(?:cancel|drop|skip|ignore|leave|disregard) (?:that|it|this|my last|the request|
            my request)(?=[.,!;\n]|$| (?:then|actually|please|for now|now|i|we)\b)
        \bno need\b(?! for (?:an? )?\w+ing)
        \b(?:don't|dont|do not) (?:bother|worry about (?:it|that|the)|do (?:it|that)\b)
        \b(?:don't|dont|do not) \w+ (?:anything|it|that|them) (?:yet|any ?more|after all|now)\b
        \bchange of plans?\b | \bon second thoughts?\b | \bchanged my mind\b | \bnot needed\b
        \b(?:you|we) can (?:skip|leave|forget|drop) (?:it|that|the)\b
        \bno longer need(?:ed)?\b | \bdon't need (?:it|that|this|you to)\b | \bi take that back\b | \bcall it off\b
        \bhold off\b
        """
)
DONE = phrases(
    r"""
        \balready (?:\w+ed|did|done|sent|got|found|wrote|
            bought|made|paid|took|put)\b
        \b(?:i|we) (?:did|fixed|sorted|handled|managed|found|figured) (?:it|that|them)\b
        \balready (?:done|sorted|fixed|sent|booked|paid|handled)\b
        \b(?:it|that|this)(?:'s| is| has been) (?:all )?(?:done|sorted|fixed|handled|taken care of|resolved)\b
        \ball (?:done|sorted|good now)\b
        \bi'll (?:just )?do (?:it|that) (?:myself|by hand)\b | \btook care of (?:it|that)\b
        \bgot it (?:working|done|sorted)\b | \bproblem solved\b
        """
)
FAILS = _pattern(
    r"\b"
    + alternatives(
        """
        sorry | unfortunately | apologies | afraid | couldn't | could not | unable | can't | cannot
        don't have (?:access|permission|the) | failed | error
        not able | not possible | no access
        """
    )
    + r"\b"
)
PROMISES = _pattern(
    r"\b"
    + alternatives(
        """
        i'll | i will | i'm going to | let me | on it | will do | working on | coming (?:right )?up | one moment |
             one sec
        just a (?:moment|sec|minute)
        hang on | bear with me | get back to you | happy to | glad to | gladly | i can (?:do|help) | i'd be
        would be happy | give me a | once you
        as soon as | looking into | checking | noted | no problem | sure thing | certainly
        """
    )
    + r"\b"
)
DELIVERS = _pattern(
    r"\b"
    + alternatives(
        r"""
        here(?:'s| is| are| you go| it is| they are)\b | done\b | sorted\b | finished\b | completed\b | all set\b
        reminder set\b | it's (?:done|booked|sent|in your)
        i(?:'ve| have) (?:\w+ed|sent|set|put|made|written|done|found|taken|got|just)\b | that's (?:done|booked|sent)
        (?:added|booked|sent|scheduled|renamed|moved|deleted|updated|saved|created|cancell?ed|ordered|reserved|
            forwarded|fixed|removed|translated|converted|set)\b(?= |[.:!])
        """
    )
)
