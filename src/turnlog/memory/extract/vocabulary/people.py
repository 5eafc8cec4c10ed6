"""Given names of many languages."""

from turnlog.memory.extract.vocabulary.listed import words

GIVEN = words(
    """
aaron abdul abdullah abel abigail abraham ada adaeze adam adan adela adele adrian adriana agata agnes agnieszka ahmad
ahmed aidan aiko aileen aisha akash akiko alain alan alana alastair albert alberto alejandra alejandro aleksandr
aleksandra alessandra alessandro alessia alex alexa alexander alexandra alexandre alexei alexis alfie alfonso alfred ali
alice alicia alina alisha alison allison alma alyssa amalia amanda amani amara amelia amelie amina amir amira amit amy
ana anand anastasia anders andre andrea andreas andrei andres andrew andrey andrzej andy aneta angela angelica angus anil
anita anja anjali ann anna annabel anne anneke annie anouk ansel anthony antoine anton antonia antonio anya aoife arash
archie ari ariana arjun armando arnaud arthur artur arturo arun asha asher ashley ashok astrid aurelie aurelio aurora ava
avery axel ayaan ayesha ayla aylin ayumi azadeh bahar barbara barnaby barry bartosz bashir bastian beatrice beatriz becca
becky belinda ben benedict benjamin bernadette bernard bernd beth bethany bettina bianca bjorn blanca bob bogdan boris
brandon brenda brendan brian bridget brigitte bronwyn bruce bruno bryan byron caitlin caleb callum camila camilla camille
carina carl carla carlo carlos carmen carolina caroline carolyn casper cassandra caterina catherine cathy cecilia cedric
celeste celia celine cesar chad chandra chantal charles charlie charlotte chiara chidi chika chinedu chloe chris christa
christina christine christoph christophe christopher ciara cillian cindy claire clara claude claudia claudio clemens
colin colleen connor conor conrad consuelo cora cordelia corinne cormac courtney craig cristina curtis cynthia cyril
dafydd daisuke damian damien dan dana daniel daniela daniele danielle danny daphne daria darius darko darren daryl dave
david dawit deborah declan deepak deepika delphine demetrius denis denise dennis derek despina devika dhruv diana diane
diego dieter dilip dimitri dimitris divya dmitri dmitry dolores dominic dominik dominika dominique donald donna dora
doreen doris dorota dorothy douglas duncan dylan eamon eddie edgar edith edmund eduardo edward edwin eileen einar
ekaterina elaine eleanor elena eleni eli elias elif elijah elin elisa elisabeth elise eliza elizabeth ella ellen ellie
elliot elliott eloise elsa elsie eluned emeka emil emilia emilie emily emma emmanuel enrico enrique eric erica erik erika
erin ernest ernesto esme esmeralda esteban estelle esther ethan etienne eugene eugenia eva evan evelyn ewa ewan eyal ezra
fabian fabio fabrice farah farhad farid fatima fatma fatou federica federico felicia felicity felipe felix femi ferdinand
fergus fernanda fernando filip filippo finlay fiona flavia flora florian frances francesca francesco francis francisco
francois franz freddie frederic frederick frederik freya frida friedrich fumiko gabriel gabriela gabriele gareth gary
gavin gemma genevieve geoff geoffrey georg george georgia georgina gerald gerard gerhard gian gianluca gideon gillian
gina giorgio giovanna giovanni gisela giulia giuseppe gloria goran gordon graham greg gregor gregory greta guadalupe
guido guillaume guillermo gulsen gunnar gunther gus gustavo gwen gwendolyn hadiza hakan hakim halima halvard hamid hamza
hana hank hanna hannah hans harald hari harold harriet harry haruki haruto hasan hassan hector heidi heike heinrich helen
helena helga helmut hendrik henk henri henrik henry herbert hilary hilda hiro hiroshi holger hugh hugo humphrey hussein
ian ibrahim ida idris ifeoma ignacio igor ilaria ilona ilse imani imogen imran ines inga inge ingrid ioana ioannis ira
irena irene irina irma isaac isabel isabella isabelle isha ishaan isla ismael ismail istvan ivan ivana ivo iwona jackie
jackson jacob jacqueline jacques jaime jakob jakub jamal james jamie jana jane janet janice janina janine jared jasmin
jason jasper javier jay jayden jeff jeffrey jelena jen jenna jennifer jenny jens jeremy jerome jerry jesper jesse jessica
jill jim jimmy jing jiri joan joana joanna joanne joao joaquin jochen jodie joe joel johan johann johanna johannes john
johnny jolanta jon jonah jonas jonathan jorge jose josef josefina joseph josephine josh joshua josie joyce juan juana
juanita judith judy jukka julia julian juliana julie julien juliet juliette julio julius jun junko jurgen justin justine
justyna kacper kai kamal kamil kamila karan kareem karel karen karim karin karina karl karla karolina karsten kasia
kaspar katarina katarzyna kate katerina kath katherine kathleen kathryn kathy katie katja katrin katya kavita kayla
kaylee kazuki keiko keira keith kelly ken kendra kenji kenneth kenny kerry kevin khadija khaled khalid kieran kimberly
kiran kirsten kirsty klaus kofi krishna kristen kristian kristin kristina krystyna krzysztof kumiko kurt kwame kyle kylie
lachlan laila lakshmi lamar lana larissa larry lars laszlo latoya laura lauren laurent laurie lavinia leah leandro leanne
leif leila lena lennart leo leon leona leonard leonardo leonid leonie leonora leroy leslie leticia lev lewis li liam
lidia lila lilian liliana lillian lina linda lindsay linnea linus lionel lisa liv liz lloyd lois lola lorena lorenzo
lorna lorraine lotte lou louis louisa louise luca lucas lucia lucian luciana lucie lucille lucinda lucy ludmila ludovic
luigi luis luisa luka lukas lukasz luke luna lydia lyle lynn maarten mabel maciej maddie madeleine madison mads magda
magdalena magnus mahmoud maja malcolm malgorzata malik mallory mamadou manfred manoj manuel manuela marc marcel marcela
marcello marcia marcin marco marcos marcus marek margaret margarita margot maria mariah mariam mariana marianne marie
mariella marina mario marion marisa marisol marius marjorie markus marlene marlon marta martha martin martina martyn
marvin mary maryam masha massimo mateo mateusz mathias mathieu mathilde matilda matt matteo matthew matthias matthieu
maud maureen maurice mauro maxim maxime maximilian maya mckenna meera megan mehdi mehmet mei melanie melissa meredith
mervyn mia micah michael michal michel michela michele michelle miguel miguelina mikael mike mikhail mila milan milena
milo minh mira miranda miriam miroslav mitchell mohamed mohammad mohammed moira molly mona monica monika monique morag
moritz morten muhammad muriel murray mustafa myra myriam nadia nadine nadja nana nancy naomi narges natalia natalie
natasha nathalie nathan nathaniel nazanin neha neil nelson nepomuk nesrin ngozi niall niamh nicholas nick nicky nico
nicola nicolas nicole niels nigel nikhil nikita nikki niklas nikola nikolai nikos nils nina nisha njoki noa noah noam
noel noemi nora norbert noreen norman nuno nuria obinna octavia odette okechukwu oksana olaf olamide oleg oleksandr olena
olga oliver olivia olivier olu olumide omar orla orlando oscar oskar osman otto owen pablo paddy padraig paloma pamela
paola paolo parisa parvati pascal patricia patrick patrik patrizia patrycja paul paula paulina pauline paulo pavel pawel
pedro peggy penelope percy pete peter petr petra phil philip philipp philippa philippe phillip phoebe pia pierre pieter
pilar piotr polly prakash pranav prasad preeti priscilla priya priyanka przemek rachel rachid radek rafael rafal raffaele
raghav rahul raj rajesh rajiv ralf ralph ramesh ramon ramona randall randy rania raphael raquel rashid raul ravi ravindra
raymond rebecca reece regina reiko reinhard remy rena renata renato rene renee reuben reza rhiannon rhys ricardo riccardo
richard rick ricky rita rob robert roberta roberto rocio rodney rodrigo roger rohan rohit roland rolf romain roman romy
ronald ronan ronja ronnie rory rosa rosalie rosalind rosario rosemary rosie ross rowan roxana roxanne roy ruben rudolf
rudy rufus rukhsana rupert russell ruth ryan rym sabina sabine sabrina sachiko sadia sadie saeed safiya sakura salim
salma salman salvador salvatore sam samantha sami samir samira samson samuel samuele sandeep sander sandra sandro sanjay
santiago sara sarah sasha saskia satoshi saul scott seamus sean sebastian sebastien selena selim selma serena serge
sergei sergey sergio seth shaheen shane shanice shannon shaun shauna sheila shelley shelly sheryl shirin shirley shiv
shivani shreya sian sibel siddharth sidney siegfried sigrid silke silvia silvio simon simona simone sina sinead siobhan
sofia sofie solange solomon solveig sonia sonja sophia sophie soren spencer stacey stacy stan stanislav stanley stefan
stefania stefanie stefano stelios stella stephan stephanie stephen steve steven stewart stuart subash sudha suki sunil
suresh susan susana susanna susanne susie suzanne sven svetlana sybille sylvia sylvie szymon tabitha tadeusz takashi
takeshi talia tamar tamara tamika tamsin tanja tanya tara tariq tarun tasha tatiana ted teddy terence teresa tess tessa
thabo thandi thea theo theodora theodore theresa therese thiago thibault thomas thorsten tiago tilda tim timo timothy
tina tobias toby todd tom tomas tomasz tommaso tommy toni tony tore torsten tracey tracy travis trevor trisha tristan
trudy tuan tunde tyler tyrone uche ugo ulla ulrich ulrike umberto ursula usha uwe vadim valentin valentina valeria
valerie vanessa vasilis vera verena vernon veronica veronika veronique vicky victoria vidya vijay vikram viktor viktoria
vilhelm vincent vincenzo violeta vishal vitor vittoria viv vivek vivian vivienne vlad vladimir vladislav volker waleed
walter wanda wanjiru warren wayne wei wendy werner wesley wilfred wilhelm willem william wilma winston wioletta wojciech
wolfgang xavier xiao xin yael yan yann yannick yara yasemin yasmin yasmine yevgenia yevgeny yiannis ying yoko yolanda
yosef youssef yuki yuko yulia yuri yusuf yuto yves yvette yvonne zachary zahra zainab zara zdenek zeynep zhang zoe zofia
zoltan zora zsofia zuzana
"""
)
"""Names in lower case that are no everyday English words."""

GIVEN_AND_WORDS = words(
    """
ace amber angel april art august autumn basil bill brook brooklyn carol cash chance chase chelsea chip christian clay
cliff colt daisy dakota dale dawn dean dirk don dot drew earl eve faith fern finn florence frank gene ginger glen grace
grant guy harmony hazel heath heather holly hope hunter iris ivy jack jade jan jasmine jean jersey jesus jin jordan joy
june jung kim lance laurel lee lily london major mark mason max may mel melody mercedes miles min mina misty moses norm
ole olive opal page paris park pat patience pearl peg penny pierce piper poppy precious prince ray reed rex rich robin
rod rose royal ruby rusty sage said saint sal sally salome sana sandy savannah scout serenity shin sienna skip sky sol
star sterling stone storm sue summer sunny sydney terry tiffany uma ute val van victor viola violet virginia wade ward
wes will willow wren young
"""
)
"""Names in lower case that are also words, places or months: they need a capital letter or a cue."""
