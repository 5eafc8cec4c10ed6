"""Everyday words, by the part that they play in telling names from other words."""

from turnlog.extraction.vocabulary.listed import words

COMMON = words(
    """
a abend aber able about above accent accordingly accounting across actually add afraid after afternoon again against ago
agreed ah ahead alive all allergic almost alone along already also although always am amazing among an and angry another
answer answered anxious any anybody anyone anything anyway anyways apart apologies apologise apologize apparently are
around arrived arriving as asap aside ask asked assistant at attached attention aunt autistic autumn aware away awesome
awful back bad based basically bcc be because become been before began begin behind being believe below besides best
better between beyond big bipolar blind boa bom bonjour bonsoir book booked bored born boss both bought brand bread break
breakfast breaking bring broke brother brought btw buddy buenas buenos bug build buonasera buongiorno busy but buy by bye
call called came can can't cancel cannot cant care case cat cc certain change check cheers cheese chief children ciao
class clearly close code coffee colorblind colourblind come coming compare complete completely confirm confused
congrats congratulations conservative consider contact convert cool copy correct could couldn't count couple cover crazy
create curious current currently customer cute dad daddy daily dang danke darn das day days dead deaf dear debug december
deck definitely delete deliver delivery democrat department depends der describe dia diabetic dias did didn't didnt die
different dinner director divorced diy do doctor does doesn't doesnt dog doing don't done dont double down draft driving
drop drunk during dyslexic días each earlier early easy eg ein eine either else email enclosed end engineer engineering
english enough error es especially estoy eta etc even evening ever every everybody everyone everything evidently exactly
except excited excuse exhausted explain extra extrovert fair fall family faq far fast father february feel felt few file
filter finally finance find fine finish first fish fix flight flights flying focus folks follow following food for forget
formal former forward found free freelance fri friday fridays from full fun funny fwd fyi game games gave gay gen general
generally generate gentlemen get getting girls give given glad go goes going gone good goodbye goodnight got gracias
grandma grandpa granny grateful grazie great greetings grew growing guess guten guys ha had hadn't haha half half-term
hallo hang happened happy hard has hasn't hate have haven't having he he'd he'll he's head heads hear heard hei hej hello
help hence her here here's hers hes hey hi him his history hiya hm hmm hola hold home homeless honest honestly hopefully
hotel hotels house how how's howdy however hungry hurry husband i i'd i'll i'm i've ich id idea idk ie if ill im imagine
imho imo important in incidentally indeed independent inside instead interested interesting into introvert invoice is
isn't isnt issue ist it it'd it'll it's its itself ive january je job july junior just keep kid kids kind kindly know
konnichiwa ladies landed landscape last lastly late lately later latest lead least leave leaving left left-handed legal
les less let let's lets letter liberal like likewise line list listen listened literally little live lived living lol
lonely long look looking looks lose lost lot lots love lovely luckily lunch made mail mais make man manager many march
marketing married match mate maybe me mean means meanwhile meet meeting mein meine men mention merci merhaba message met
mi might milk mind mine minor miss missing mom mommy mon monday mondays money month monthly months more moreover morgen
morning most mostly mother move moved moving much mum mummy music must my myself namaste name namely names nana naturally
nb near nearly need neither nephew nervous neurodivergent never nevertheless new news next nice niece night no nobody
nobody's noches nonbinary none nope nor normal normally not note noted nothing notice november now nowhere null number
obrigada obrigado obviously october odd of off offer officer often oh oi ok okay old olá on once one ones only onto oops
open operations option options or order ordered other others otherwise ouch our ours out outside over own page paid
pardon parents part partner pass password past pay people perfect perhaps pero person personally pescatarian phone pick
picture place plan play please pleasure plenty pls plus plz point portrait possible possibly post prefer pregnant pretty
previously print probably problem procurement professor project pronounced proud ps put que queer question questions
quick quickly quite quote raised random rather read ready real really reason received recently reception recipe regards
remember remind reminder remove rename replied reply report republican required respectfully rest retired returned
rewrite rice right right-handed rsvp run sad sadly said sales salut same saturday saturdays save saw say says scared
schedule scratch search second security see seems seen sell send senior sent september seriously set several shall she
she'd she'll she's shes shift ship shipped shirt short should shouldn't show shut sick side sign signed similarly simple
simply since sincerely single sir sis sister six size skip sleep slow small so sober sold some somebody somehow someone
something sometimes somewhere soon sorry sort sounds speaking specifically spelled spelt spoke spot spring stand start
started stay staying step steps still stop story straight strange stretch strictly stuck student stuff subject such
suddenly suggest summarise summarize summary summer sun sunday sundays sup support suppose supposedly sure surely swap
switch tag take taken talk talked tall tarde tardes tbh tea teacher team tell ten test text than thank thankfully thanks
that that'd that'll that's thats the their them then there there's therefore these they they'd they'll they're they've
theyre thing things think third thirsty this those though thought three through thu thur thurs thursday thursdays thus
tidy tight till time times tip tired to today today's todo together told tomorrow tonight too took top topic total
totally touchdown town tracking train trains trans translate travel tried trip trouble true truly trust try trying tue
tues tuesday tuesdays turn turns twice two type typical ugh uh um unbelievable uncle und undefined under understood une
unemployed unfortunately unless unlike until up update upgrade upgraded upon upset us use used useful user using usual
usually vegan vegetarian version very via view visited visiting vs wait waiting walk wanna want wants warm was wasn't
wasnt watch watched way we we'd we'll we're we've wear weather wed wednesday wednesdays weds week weekly weeks weird
welcome well went were weren't what what's whatever whats when when's whenever where where's wherever whether which while
white who who's whoever whole whose why wife will winter wish with within without woah won won't wonder wont word words
work working works world worried worse worst worth would wouldn't wow write wrong wrote yay yeah year years yep yes
yesterday yet yikes yo you you'd you'll you're you've youd young your youre yours yourself yup zero
"""
)
"""Words that begin sentences with a capital letter and name nobody."""

ACRONYMS = words(
    """
bsc msc phd bpm dj tv fm pms ux usd gbp eur kwh gps hiv hq ppt
adhd ai am api app asap atm bbq bic bst btw cbt ceo cet cfo cli cpu css csv cto cv dhcp diy dna dns dr dvd eod er est eta
etf eu faq fyi gb gdpr gif gmt gp gpa gps gpu hd hdmi hr html http https iban ibs icu id ide imho imo ip iq ira it jpeg
jpg json kb kg km kpi lcd led lgbt llm lol mb mba md mfa ml mp3 mr mri mrs ms nb nda ngo ocd ok okr omg os otp pa pc pcr
pdf pe phd pin pm png pr ps pst pto ptsd q1 q2 q3 q4 qa qr ram rest rfc rfq rip roi rsvp sa sat sdk seo sim sla sms sos
sql ssd ssh ssl sso suv svg tb tbd tbh tl tldr todo tsv tv ui url usb utc utf ux vat vip vm vpn vs wc wfh wifi xml yaml
zip
"""
)
"""Abbreviations of things, not names."""

DEMONYMS = words(
    """
englisch deutsch französisch spanisch italienisch français anglais allemand espagnol español inglés alemán italiano inglese
tedesco francese português inglês korea-born scouse cockney geordie mancunian texan
afghan african albanian algerian american arab arabic argentinian armenian ascension asian atheist australian austrian
azerbaijani baroque bash basque belgian bengali bolivian brazilian british buddhist bulgarian burmese cambodian canadian
cantonese carnival catalan catholic chanukah chilean chinese christian christmas cobol colombian croatian css cuban
cypriot czech danish diwali dutch easter egyptian eid english epiphany estonian ethiopian european filipino finnish
flemish fortran french gaelic galician georgian german ghanaian golang gothic gras greek gujarati halloween hanukkah
haskell hebrew hindi hindu hispanic holi html hungarian icelandic indian indonesian iranian iraqi irish israeli italian
jamaican japanese java javascript jew jewish kazakh kenyan khmer korean kurdish kwanzaa latin latina latino latvian
lebanese lent lithuanian malay maltese mandarin maori mardi mexican mormon moroccan muslim nepali newyear nigerian
norwegian nowruz orthodox pakistani palestinian passover pentecost perl persian peruvian php polish portuguese protestant
punjabi purim python quaker ramadan renaissance romanian ruby russian rust scala scandinavian scots scottish serbian sikh
singaporean slovak slovenian somali spanish sql sudanese swahili swedish swift swiss syrian tagalog taiwanese tamil
telugu thai thanksgiving tibetan tunisian turkish ukrainian urdu vesak victorian vietnamese welsh xmas yiddish yule
"""
)
"""Nationalities, languages, faiths and holidays: capitalised, and nobody's name."""

KIN = words(
    """
assistant aunt auntie baby babysitter barber boss boyfriend bro brother brother-in-law buddy cat client coach colleague
cousin coworker customer dad daughter dentist doctor dog ex father father-in-law fiance fiancee fiancé fiancée flatmate
friend girlfriend gran granddad granddaughter grandfather grandma grandmother grandpa grandson husband instructor intern
kid kitten landlady landlord lawyer manager mate mentor mom mother mother-in-law mum nan nanny neighbor neighbour nephew
niece nurse pal partner physio plumber professor puppy replacement roommate secretary sis sister sister-in-law sitter son
spouse stepdad stepmom student supervisor teacher teammate therapist trainer tutor twin uncle vet wife
"""
)
"""Those that a person has: what follows is often their name."""

TITLES = words(
    """
countess baron baroness duchess madam colonel lieutenant corporal senator mayor pastor rabbi imam bishop
mr mrs ms miss mme mlle monsieur madame dr doctor prof professor herr frau señor señora senor senora sr sra sir lady
lord dame capt captain sgt rev father sister mx don doña signor signora
"""
)
"""Words before a person's name that are no part of it."""

LOWER_IS_A_WORD = words(
    """
alexa alexandria alps apple arsenal austin bari bash bath bled blender boots bp bt buffalo camden canvas caterpillar chad
charlotte chase china claude columbus confluence congo cork cvs dell delta derby devon discord docker drive edf emirates
essen eu evernote faro flask florence ford gabon galaxy galicia georgia ghent git guernsey hermes hertz hp hull imf ing
intel irs jenkins jersey jordan kent keynote latex latin liege lincoln mac madeira mali meet meta mit mobile nice niger
notion obsidian oracle orlando outlook pages pandas parma patagonia phoenix pixel premiere queens react reading rhodes
safari sal salvador santiago sap shell siri sky slack sofia split strava stripe surface swift switch target teams
telegram terraform turkey unity ups us usa victoria vim virginia visa vue washington waterloo wellington who windows york
zoom
"""
)
"""Places, organisations and products whose names in lower case are words or people: they need a capital letter or a cue."""
