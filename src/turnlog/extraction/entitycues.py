"""The words around and inside names that tell what is named."""

import re

from turnlog.extraction.vocabulary.listed import alternatives
from turnlog.extraction.vocabulary.listed import words as listed

ORG_WORDS = listed(
    """
academy ag agency airlines airways association authority bakery bank bank's bistro books brewery bureau cafe café charity
church clinic club clínica co college commission committee company consulting corp corporation council credit dental
department energy fc federation foundation gallery gmbh group gym hospital hostel hotel hôpital inc industries institute
insurance kindergarten klinik labs library llc logistics ltd media ministry motors museum nursery orchestra partners
pharmacy plc practice press records restaurant salon school schule society solutions studio studios surgery systems
technologies theater theatre trust union united universidad university universität université
"""
)
PLACE_WORDS = listed(
    """
abbey airport ave avenue bay beach blvd boulevard bridge canyon cape castle cathedral coast county desert district drive
east el falls forest fort gare harbor harbour hill hills island isle lago lake lane las los lower monte mount mountain
mountains mt north park peninsula piazza platz playa plaza plaça port province puerto river road rue saint san santa
santo
south square st station strasse straße street terminal upper valley via village west
"""
)
PLACE_FIRST = listed(
    """
cape east el fort gare isle lago lake las los lower monte mount mt north piazza playa plaza plaça port puerto rue saint
san santa santo south upper via west
"""
)
OF = listed(
    """
bank bay board cape church city college council department gulf house institute isle kingdom lake ministry museum port
republic school state strait tower university
"""
)
JOINS = listed("& al bin da de del della den der di du et ibn la le sur und van von y")
NUMBERED = listed(
    """
act apartment bay block building bus chapter class code column day episode exit figure flat floor form gate grade item
junction level line lot model no number option order page part phase plan platform q question room round route row scene
season seat section slide stage step table terminal tier track tram type unit version week year zone
"""
)
IN = listed("across around from in leaving near outside reach through to toward towards via visit visiting")
DESCRIBES = listed("it's its i'm im is are was were so very too really just be being feeling feel")
"""Words after which an everyday word with a capital letter is an adjective."""
OFFICES = listed("board chief dean department director head lead manager minister president vp")
OWNED = (
    listed(
        "arms avenue bar bay books cave college cross day deli diner gate hall head house inn kitchen landing lane "
        "park place pub "
        "rest square steps supermarket wharf wood"
    )
    | ORG_WORDS
    | PLACE_WORDS
)
"""What belongs to somebody in the name of a place or a firm: "King's Cross"."""
WORKS = re.compile(
    r"\b"
    + alternatives(
        "work(?:s|ed|ing)? | job | intern(?:ed|ing)? | employed | career | interview | bank(?:s|ed|ing)? |"
        " stud(?:y|ies|ied|ying) | shifts?"
    )
    + r" (?:\w+ )?(?:at|for|with)(?: the)? $|\barbeite\w* bei (?:der |dem )?$",
    re.IGNORECASE,
)
BEFORE_WORK = listed("at for with the bei der dem")
"""The words with which `WORKS` ends."""
MOVES = re.compile(
    r"\b"
    + alternatives(
        """
        live[sd]? | living | mov(?:e|ed|ing) | fly(?:ing)? | flew | flights? | trip | travel(?:l?ed|l?ing)?
        driv(?:e|ing) | drove | train | going | go
        went | headed | heading | based | born | stuck | stranded | land(?:s|ed|ing)? | arriv(?:e|es|ed|ing)
        stay(?:s|ed|ing)? | bus | ferry | back
        hotels? | weekend | raised | grew up
        """
    )
    + r" (?:\w+ )?(?:in|to|at|from|near|for|around|through)(?: the)? $",
    re.IGNORECASE,
)
BEFORE_MOVE = listed("in to at from near for around through the")
"""The words with which `MOVES` ends."""
ACTS = listed(
    """
    adores agreed agrees always and arrived asked asks ate became believes booked bought bring brings broke brought
    called calls
    came can can't cancelled cares claims comes could couldn't cried cries did didn't does doesn't drinks drives drove
    eats emailed
    ended enjoys feels fell finally finished flew flies forgot found gave gets gives goes got had has hasn't hates
    heard helped
    helps hopes insists is isn't just keeps knew knows laughed learned leaves left lent let lets likes lived lives
    looked looks
    lost loved loves made makes means meets mentioned met might moved needed needs never offered paid picked plays
    prefers promised
    put quit ran reads recommended replied runs said sang saw says seemed seems sent sells should shouted showed sings
    sleeps sold
    speaks started starts stopped studies suggested swears takes talks taught teaches tells texted thinks thought told
    took tried
    tries turned used wanted wants was wasn't went will won't works worked worries would wrote
    """
)
