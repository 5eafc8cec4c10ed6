"""How people ask for the style of what they are told: a way of asking, a verb of telling, and a manner.

What is asked for once ("write a table of the costs") is a task; of style it is with a manner that fits any answer.
"""

from turnlog.extraction.phrases import Phrases, phrases
from turnlog.extraction.preferencecues import Cue
from turnlog.extraction.vocabulary.listed import alternatives

_ASK = (
    r"(?:^|[.!?;:,\n(–—-] ?|\b(?:and|but|so|or|just|also|then|you to|only|you|you'd|you would|please|pls|always|maybe|"
    r"now on|"
    r"future|next time|forward)[ ,]+)"
)
_ENDS = (
    r"(?=[.!?,;:\n)]|$| (?:please|pls|from now on|next time|in future|only|always|when|if|because|so|and|but|"
    r"thanks|with me|not)\b)"
)
_LANGUAGES = (
    "english|french|spanish|german|italian|portuguese|dutch|polish|turkish|russian|japanese|chinese|arabic|hindi|swedish|"
    "danish|norwegian|finnish|greek|irish|welsh|czech|korean|ukrainian|romanian|hungarian|catalan"
)
_MANNER = alternatives(
    rf"""
    (?:(?:plain|simple|clear|proper|everyday|layman's|lay|basic|easy|short|full) )?(?:{_LANGUAGES}|text|terms|words|language|
        prose|sentences|paragraphs|lists?|steps|chunks)
    bullets?(?: points?| lists?)? | bulletpoints | numbered \w+ | tables? | headings? | examples | emojis? | markdown | code
    (?:metric|imperial|si|celsius|fahrenheit|kilomet(?:er|re)s|km|miles|kilos?|grams|euros|dollars|pounds)(?: units)?
    (?:the )?(?:24|12|twenty-four|twelve)[ -]?(?:hour|h)(?: \w+)? | (?:british|american|uk|us|australian|canadian) \w+
    (?:an? )?(?:more |less |slightly )?(?:formal|informal|casual|friendly|neutral|serious|professional|warm|
        polite) (?:tone|register|way|style|voice|language|manner) | first person | lower ?case
    (?:all )?caps | iso (?:dates?|format)
    (?:one|two|three|a few|a couple of|\d+) (?:lines?|sentences?|words|bullets|
        paragraphs?) | one-liners | short \w+ | sources
    like i(?:'m| am| was| were) [\w ]{{2,24}}? | as if i(?:'m| am| was| were) [\w ]{{2,24}}? | like a \w+ | step by step
    """
)
_TELLS = (
    r"(?:answer|reply|respond|write|talk|speak|explain|format|type|communicat|phras|describ|put|word|present|structur|"
    r"set out|"
    r"lay out|teach|show|tell|respond|chat)(?:e?s|ed|ing|e)?"
)
_ADJECTIVES = (
    "blunt|brief|honest|direct|concise|frank|gentle|specific|formal|informal|casual|polite|precise|patient|critical|kind|"
    "straight|brutal|brutally honest|succinct|quick|positive|encouraging|professional|friendly|less \\w+|more \\w+"
)
_SIZES = (
    r"(?:sentences?|lines?|words|paragraphs?|bullets?|bullet points?|summary|overview|gist|headlines?|outline|"
    r"short version|tl;?dr)"
)
_PREFERS: Phrases = phrases(
    rf"""
    {_ASK}({_TELLS}(?: to me| me| things| everything| stuff| it| that| your \w+| all \w+)?,? (?:(?:in|with|using|by|as|
        via) )?{_MANNER}){_ENDS}
    {_ASK}(?:use|used|using|stick to|stuck to|keep to|kept to|switch to|stay with) ((?:[\w'-]+ ){{0,2}}?{_MANNER}){_ENDS}
    (?:^|[.!?;:,\n] ?)(?:please |and |also )?always (?:give|quote|show|list|include|add|state|cite|put|write|send|
        mention|round|
        convert|tell me|ask|start with|end with|use|provide|attach|spell)(?: me| us)? ([\w'-]+(?: [\w'-]+){{0,6}})
    {_ASK}(be (?:as |a bit |a little |really |very |completely |totally |super |extra )?(?:{_ADJECTIVES})){_ENDS}
    {_ASK}((?:keep|make|kept|keeping) (?:it|things|them|this|everything|that|your \w+|answers|replies|responses|
        explanations|messages|
        the \w+) (?:\w+ )?(?:short|brief|concise|simple|casual|formal|snappy|plain|friendly|light|professional|polite|
        informal|sweet|
        tight|minimal|high-level|practical|neutral|clean|shorter|simpler|briefer|to (?:the point|one|two|three|a)|
        under)\b[\w ]{{0,20}}?){_ENDS}
    \b((?:[\w'-]+ ){{0,3}}{_SIZES}) (?:will|would|'ll) (?:do|be (?:enough|plenty|fine))\b
    \b((?:[\w'-]+ ){{0,3}}{_SIZES}) (?:is|are) (?:enough|plenty|all i need|perfectly fine|fine)\b
    \b((?:[\w'-]+ ){{0,3}}{_SIZES}) (?:max|tops|at most|maximum)\b
    {_ASK}((?:shorter|simpler|briefer|slower|plainer|clearer|bigger|smaller|longer|
        quicker)(?: [\w-]+){{0,2}}?),? (?:please|pls|next time|
        from now on)\b
    """
)
_DISLIKES: Phrases = phrases(
    r"""
    \b(?:don't|do not|dont|never|stop|quit|no need to|try not to|not to|avoid|please not) ((?=(?:sugar-?coat|waffl|rambl|
        lectur|
        apologi[sz]|hedg|patroni[sz]|repeat|over-?explain|nag|shout|mansplain|flatter|babbl|beat around|dumb|preach|
        morali[sz]|second-guess|overdo|start every|end every|
        ask me (?:if|how|whether|so)))[\w-]+(?: [\w'-]+){0,4}?)(?=[.!?,;:\n)]|$|
         (?:please|pls|and|but|with me|at me|just|because|when|so)\b)
    \b(?:can|could|would|will|if) you (?:please |maybe |just |kindly |possibly )?(?:not|stop|avoid|refrain from|quit|
        ease off|go easy on|
        cut down on|tone down|lay off|cut out|leave out)(?: (?:use|using|sending|send|include|including|add|adding|
        with|do|doing|give me|
        giving me|put|putting|write|writing|say|saying))?(?: all)?(?: (?:the|those|these|any))? ([\w'-]+(?: [\w'-]+){0,4})
    \b(?:spare me|no need for|omit|tone down|dial down|dial back|cool it with|stop it with|stop with|quit with|easy on|
        enough with|
        enough of|lay off|cut out|leave off|skip)(?: all)?(?: (?:the|those|these|your|any|
        of the))? ([\w'-]+(?: [\w'-]+){0,4})
    """
)
STYLES: tuple[Cue, ...] = (Cue(_PREFERS, "prefer"), Cue(_DISLIKES, "dislike"))
"""Each captures the manner, or what is to be left out."""
