"""Given names of many languages."""

from turnlog.extraction.vocabulary.listed import words

GIVEN = words(
    """
aaliyah aarav aaron abby abdel abdelkader abdou abdul abdulaziz abdullah abdulrahman abeba abebe abel abena abhishek
abigail abimbola abiodun abla abraham achieng achille achim ada adaeze adaku adam adama adan adebayo adedayo adela adele
adeline adeola adiba adil adina aditi aditya adnan adolfo adrian adriana adriano adrien afia afonso afua agata agatha
agathe agnes agnese agneta agnieszka agustin ahmad ahmed ahmet aidan aidana aigul aiko aileen aimee aina aine aino
ainsley aisha aisling aisulu aitor ajay ajit akash akbar akeem akiko akin akira akosua akua alain alan alana alastair
alba albert alberto albin alda aldo alec alejandra alejandro aleksandr aleksandra alem alena alenka alessandra alessandro
alessia alex alexa alexander alexandra alexandre alexandros alexandru alexei alexia alexis alfie alfons alfonso alfred
alfreda algirdas ali alice alicia alida alim alina aline alisa alisha alison alistair allan allegra allison alma alois
alok alva alvaro alvin alyona alyssa amadou amal amalia amalie amanda amandine amani amara amarachi amare amaury amaya
ambrose ameen ameer ameera amelia amelie amena amerigo amina aminata amir amira amit amita ammar amna amrit amy ana
anahit anais anan anand ananya anastasia anat anatoly anders andile andre andrea andreas andrei andres andrew andrey
andrii andrzej andy aneta anette angela angelica angelina angelique angelo angharad angus ania anika anil anirudh anisa
anish anita anja anjali anke ann anna annabel anne anneke anneliese annemarie annette annick annie annika anouk ansel
ansgar antanas anthony antje antoine anton antonella antonia antonina antonio antonis anuj anusha anya aoife apinya
apolline apolonia araceli aram arash archie arda ari ariadne ariana ariel arina arjan arjun arkady arlene arlo armando
armin arnaud arnav arne arno arnold arsen artem artemis arthur artur arturas arturo arun arvid arvind arwa arwen arya
asha asher ashleigh ashley ashok ashwin asif asim asli asma asmaa assia astrid ataru athena atsuko auden audra audrey
augusta auguste augustin augusto aurelia aurelie aurelio aurora ava avery avigail avraham axel axelle ayaan ayaka ayako
ayana ayanda ayano ayat aydan ayden ayelet ayesha aygul ayla aylin ayman ayodele ayomide ayse aysel aysha aytan ayumi
ayumu azadeh azamat aziz aziza azra bahar baptiste barak baraka barbara barnabas barnaby barney barry bartek bartholomew
bartolomeo bartosz basak bashir basma bastian bastien batu batya beata beatrice beatriz becca becky bela belinda ben
bence benedetta benedict bengt benita benjamim benjamin benoit berit bernadett bernadette bernard bernardo bernd bert
bertil bertrand beryl bess beth bethany bettina betty beyza bhavna bianca bibi birgit birgitta birte bjarne bjork bjorn
blaise blanca blanka boaz bob bobby bodil bogdan bohdan bojan boluwatife bonnie boris borislav bosede boubacar brandon
branko brannon brant breanna brenda brendan brendon brenna brett brian bridget brigitte bronagh bronwyn bruce bruna
brunhilde bruno bryan bryce bryony bukola burak burcu buse busisiwe byron caelan caitlin caleb callie calliope callum
calvin camila camilla camille camilo candace candice cansu caoimhe carina carl carla carlito carlo carlos carlotta carly
carmel carmela carmen caro carole carolin carolina caroline carolyn carsten carys casey casper cassandra cassie catalina
caterina cath catherine cathy catriona cayetano cecile cecilia cecilie cedric celeste celestine celia celine celso ceren
ceri cerys cesar chad chaim chana chandler chandra changmin chantal chantelle charis charleen charlene charles charlie
charlotte chau chaya chelsey chen cheng cherie cherise chester chiamaka chiara chidi chiemeka chika chimamanda chinedu
chinwe chiyo chloe chloé chloë chris christa christel christiaan christiane christien christina christine christoph
christophe christopher christos chuka chukwuemeka cian ciara ciaran cigdem cillian cindy cinzia claes claire clara
clarissa clarisse claude claudia claudine claudio claudius clemence clemens clement clementine cleo clifford clifton
clint clive clodagh clotilde clyde colette colin colleen colm concetta concha connor conor conrad constance constanza
consuelo cora cordelia cordula coretta corey corinne cormac cornelia cornelius corrado cosima cosimo cosmin costa
courtney craig cristian cristiano cristina cristobal curtis cynan cynthia cyril cyrus daan dafydd dagmar dagny dahlia
daiki daisuke dalia dalila damian damiano damien damilola damir damla damon dan dana danail danica daniel daniela daniele
danielle daniil danika danilo danna danny danuta daphne darcy daria darina darius dariusz darko darlene darnell darren
daryl daryna datuk dave david davide davina davor dawid dawit dayana dayo debbie debora deborah declan deepak deepika
deirdre deividas dejan delia delilah della delphine delroy demba demet demetrius demi demir denis denisa denise deniz
dennis denys denzel deon derek dermot derya deshawn desiree desislava desmond despina detlef detlev devendra devi devika
devin dewi dexter dhruv diallo diana diane dianne didier diego dieter dieudonne dilan dilara dilip dilnoza dilys dimas
dimitri dimitris dinah dinara dineo dinesh dino diogo dion divya diyar djamila dmitri dmitry dmytro dobrin dolly dolores
domenico dominic dominik dominika dominique donal donald donatella dong donna donnie donovan dora doreen dorian dorien
dorin doris dorota dorothy dorthe dory doug dougal douglas draco dragan dragana drazen drishti dulce dumisani duncan
dunja dusan dustin dwayne dylan dzmitry eamon eamonn ebba ebele ebony ebru edda eddie edgar edie edina edita edith edmund
edna edson eduard eduardo edvard edward edwin edwina edyta eero efosa efrat efua egil egon eiji eike eila eileen eilidh
einar einat eira eirik eitan ekaterina ekene ekrem elad elaina elaine elchin eldar elden eldon eleanor eleanora
eleftheria elena eleni elettra elham eli elia elian eliane elias elie eliel eliezer elif elijah elin elina elinor elio
eliora eliott elis elisa elisabeth elisabetta elise elissa eliza elizabeth elke ella ellen ellie elliot elliott ellis
elma elmar elna elnur elodie eloi eloise elon elora elsa elsbeth elsie elspeth elton eluned elvin elvira elvis elwin elya
elzbieta ember emeka emeric emery emil emilia emiliano emilie emilio emily emin emina emine emir emma emmanuel emmanuelle
emmeline emmet emmett emre ender enes engin enid enis ennio enoch enrico enrique enzo eoin ephraim eran ercan erdem eren
erez eric erica erich erick erik erika erin erkan erlend ernest ernestine ernesto erol errol ervin erwan erwin esme
esmeralda esra esteban estefania estelle esteve esther estrella eszter ethan ethel etienne etta ettore euan eugene
eugenia eugenie eunice eva evan evander evangeline evangelos evelina eveline evelyn everett evgenia evgeny evie evita ewa
ewald ewan ewelina eyal eylem ezekiel ezgi ezinne ezra fabian fabiana fabienne fabio fabiola fabrice fabrizio fadi fadila
fahad faisal faiza fallon fanny farah farai farhad farhan farid faruk fatemeh fathima fatima fatma fatou fatoumata
faustine fausto fawzia faye faysal fazil federica federico fedor felicia felicitas felicity feliks felina felipe felix
femi fenna feodor ferdinand ferdinando ferenc fergus feride fernanda fernande fernando ferran fien filip filipa filippo
filomena finbar finlay finnian finola fiona fionn firas firat flavia fleur flor flora florentina florian florin flynn
folake folasade forrest fotini frances francesca francesco francine francis francisco francois franek franka frankie
franklin franz franziska fraser fred freddie freddy frederic frederick frederik fredrik freya frida frieda friedhelm
friedrich fritz fulvia fumiko fusun gabby gabi gabor gabriel gabriela gabriele gabriella gael gaetan gaetano gaia galina
ganesh gareth garrett gary gaspar gaston gaurav gauthier gavin gavriel gaynor gean geert gemma genaro genevieve gennady
genoveva geoff geoffrey georg george georges georgi georgia georgie georgina georgios geraint gerald geraldine gerard
gerardo gerda gergely gerhard gerlinde gerrit gert gertrude gervase ghada giacomo giada gian gianluca gianna gianni
gideon gilbert gilberto gilda giles gilles gillian gina ginevra gino gintaras giorgio giorgos giovana giovanna giovanni
gisela giselle gita gitte giulia giuliana giuliano giuseppe gizem gladys glenda glenn glenys gloria gloriana gochi
godfrey gokhan golda goncalo gonzalo goran gordana gordon gosia gottfried govind gracie graciela graham grainne gratian
grazia graziella grazyna greg gregor gregory greta gretchen gretel griet griffin grigory grzegorz guadalupe guanyu gudrun
guido guilherme guillaume guillem guillermo guiomar gulnara gulsen gulshan gunilla gunnar gunnhild gunther gurpreet gus
gustavo gwen gwendolyn gwyneth gwynne gyorgy habib habiba hadas hadi hadiya hadiza hafsa haider hailey hajar hajime hakan
hakeem hakim hakon haldis haleh halima halvard hamad hamid hamish hamza hana hanako hande hania hanif hank hanke hanna
hannah hanneke hanno hans harald hari haritha harlan harleen harley harmeet harold haroon harper harpreet harriet harry
harsha hartmut haruki haruto harvey hasan hasna hasnaa hassan hassana hatice hattie hauke havva hayato hayden hayley
haytham heba hector hedda hedvig hedwig hege heidi heidrun heike heikki heiko hein heiner heinrich helen helena helga
helge hella helle helmut heloise hemant hendrik henk henna henning henny henri henrietta henriette henrik henrike
henrique henry herbert herman hermann hermine hermione hernan herta hideki hideo hien hikari hikaru hila hilary hilda
hilde hildegard hillary hilmar hina hinata hind hiro hiromi hironobu hiroshi hitomi hoang holger hong hooman horace
horacio horst hortense hossein houda howard hristo hsiao hubert huda hugh hugo huma humberto humphrey huong huseyin
husniye hussein hyun iain ian ianthe ibrahim ibtissam ida idris ieva ifeoma iftikhar ignacio ignacy ignas ignatius ignaz
igor iida ikechukwu iker ikram ilana ilaria ildiko ileana ilia iliana ilias ilija ilir ilka ilona ilse iluka ilya imad
imani imelda imogen imran imre inas inaya inbal indira indra indre ines inga inge ingebjorg ingeborg inger ingrid ingvar
inigo inka inmaculada inna ioan ioana ioannis iolanda iona ionut iqbal ira iram irena irene ireneusz iria irina irma
iryna isaac isabeau isabel isabelita isabella isabelle isak iseult isha ishaan ishmael isidora isidore isidro isla ismael
ismail ismet isolde issa istvan itai italo itzel ivan ivana ivanka ivar ivelin iven iver ivo ivor iwan iwona iyad izabela
izumi izzy jaakko jaan jaap jabari jacek jacinda jacinta jacinto jackie jackson jacob jacqueline jacquelyn jacques jada
jadwiga jafar jagoda jahangir jaime jakob jakub jalal jalil jamal jameela james jameson jamie jamila jana jane janek
janelle janet janette janice janika janina janine janis janna janne jannick jannik janos janusz jared jarek jari jarmila
jarno jaroslav jarrett jarvis jasmeet jasmin jasna jason jasper jaswinder javier javiera jay jaya jayanti jayden jayne
jazmin jeanne jeannette jeannie jeff jeffrey jelena jelle jemima jen jena jenifer jenna jennie jennifer jennings jenny
jens jeong jeremy jerome jerry jerzy jesper jesse jessica jessie jethro jette jill jim jimena jimmy jing jiri jiro jiwoo
jiya joachim joan joana joanie joann joanna joanne joao joaquin joaquina jocasta jocelyn jochem jochen jodie jody joe
joel joelle joey johan johana johann johanna johannes john johnnie johnny jolanta jolene jolie jolien jomo jon jonah
jonas jonathan jonathon joni jonna joong joost jordana jordi jorg jorge jorgen joris jorn jorunn joscha jose josef
josefina joselito joseph josephine josette josh joshua josiah josie josip josune jovan jovana joyce jozef jozsef juan
juana juanita jubilee judd jude judita judith judy juhani juho jukka julek julia julian juliana juliann julie julien
juliet julieta juliette julio julius juliusz jumoke jun junaid junko junpei juraj jurate jurek jurga jurgen juri jussi
justin justinas justine justus justyna jutta jyoti jyrki kaan kabir kacper kadri kaede kagiso kahlil kai kaisa kaito
kalina kalle kaloyan kalpana kamal kamala kamau kameron kamil kamila kamran kana kanako kanika kaori karan kareem kareena
karel karen kari karim karima karin karina karine karl karla karola karolina karoline karoly karsten kart karthik karyn
kasem kasia kaspar kasper kassandra katarina katarzyna kate katerina kateryna kath kathe katherine kathi kathleen kathrin
kathryn kathy katie katina katinka katja kato katrin katsuo katy katya kaur kaveh kavita kaya kayden kayla kaylee kayode
kazimierz kazuhiro kazuki kazuo kazuya keanu keegan keeley keelin kehinde keiichi keiko keira keisha keita keith kelechi
keli kellie kelly kelsey kelvin kemal kemi ken kendall kendra kendrick kenichi kenji kenna kenneth kenny kenta kerem keri
kermit kerri kerry kerstin keshia ketut kevin keziah khadija khaled khalid khalil khanh khawla kholwa khushi kiara kieran
kieron kilian killian kimberly kimiko kinga kingsley kinley kioko kira kiran kiri kirill kirk kirsi kirsten kirstie
kirsty kiyoshi kizzy kjell kjersti klaas klara klaudia klaus klemen knut kobe kobina kofi kohei koji kojo kolade konrad
konstantin konstantinos konstanze kornelia kosta kostas kostya kotaro krasimir kris krishna krishnan kristaps kristen
kristian kristin kristina kristjan kristof kristoffer kriszta krisztina krystyna krzys krzysztof ksenia kshitij kuba
kubra kumiko kunal kuniko kunle kurt kwabena kwadwo kwaku kwame kwasi kwesi kyle kylie kyoko kyra kyriakos lachlan laia
laila laith lajos lakshmi lale lalita lamar lamia lamin lana landon lanre larisa larissa larry lars lasse laszlo latif
latifa latisha latoya laura lauren laurence laurent lauri lauriane laurids laurie lauryn lautaro lavanya laverne lavinia
lawrence layan layla lazar lazarus leah leander leandra leandro leanne leda leela leia leif leigh leighton leila leilani
leira leith leland lelia lemuel lena lene leni lenka lennart lenny leo leocadia leokadia leon leona leonard leonardo
leonhard leonid leonidas leonie leonor leonora leontine leopold leopoldo lerato leroy lesedi lesia leslie leszek leticia
letitia letizia lev levan levente levi lewis leyla li liam liane liang libby lidia liesbeth liesel lieselotte lieve ligia
liisa lila lilac lilian liliana liliane lilit lilith lilja lilli lillian lillie lilo lina lincoln linda lindani lindiwe
lindsay lindsey lindy ling linh linn linnea linnéa linus lionel lior lirio lisa lisbeth lise lisette liss lissa lital liv
livia livio liz liza lizbeth lizzie ljiljana ljubica llewellyn lloyd lluis llyr lodewijk logan loic loick lois lola
lorena lorenz lorenza lorenzo loretta lorette loriana lorie lorna lorraine lotta lotte lotten lottie lou louella louie
louis louisa louise lowri loyiso luana luay lubna luca lucas lucca lucia lucian luciana luciano lucie lucila lucille
lucinda lucio lucius lucretia lucrezia lucy luda ludger ludivine ludmila ludo ludovic ludwig ludwika luigi luigia luis
luisa luise luiza luka lukas lukasz luke lukman lulu lumi luna lunga lupe lupita lutfi luuk lyall lydia lykke lyle lynda
lynette lynn lynne lynsey lyra lyubov maaike maan maarten mabel macarena macey maciej mackenzie maddalena maddie
madeleine madhav madhu madhuri madina madison madita mads mael maelle maeve mafalda magali magda magdalena magdalene
maggie magnhild magnolia magnus mahalia maheen mahesh mahima mahir mahira mahmoud mahmut mahnaz mahsa maia maik maike
mairead mairi maisie maite maiya maja majid majken maki makoto malachi malaika malak malcolm malena malgorzata malgosia
malia malik malika malin malina malka mallory malte malwina mamadou mamta manal mandla mandy manfred manish manisha manju
manno manoj manolis manolo mansi mansur manu manuel manuela manus mara maral marc marcel marcela marcelina marceline
marcelle marcello marcellus marcelo marcey marcia marcin marco marcos marcus mareike marek maren margaret margareta
margarete margarita margaux marge margherita margit margot margret margriet marguerite mari maria mariah mariam mariana
mariann marianne mariano maribel marica maricela maricruz marie marieke mariel mariela mariella marielle marietta marija
marijke marika marilena marilyn marin marina marinela mario mariola marion maris marisa marisol marit marita maritza
marius mariusz mariya marjan marjolein marjorie marjut marko markus marla marlena marlene marley marlies marlo marlon
marlow marna marnie maro marquita marsha marta marten martha marthe martijn martim martin martina martine martino martins
martyn marvin marwa marwan mary marya maryam maryna maryse masaki masako masato masha massima massimo matas matei matej
mateja mateo mateusz mathew mathias mathieu mathijs mathilde mathis matias matija matilda matiss matt mattea matteo
matteus matthew matthias matthieu matti mattie matvei matyas maud maura maureen maurice mauricio maurits mauritz mauro
mavis maxence maxi maxim maxime maximilian maximus maxine maxwell maya mayank mayu mayuko mayumi mbali mckenna mechthild
meera megan meghan mehdi mehmet mehreen mehwish mei meike meilin meinhard meir meital melania melanie melek melike melina
melinda melis melisa melissa melker melodie melvin mena menno meredith merete meri merle merlin mert merve mervyn meryem
methuselah mette mia micah michael michaela michaelis michail michal michalina micheal michel michela michele michelle
michiel michiko mick mickael mickey midori mieke miguel miguelina miguelito mihaela mihai mihail mihaly miika mika mikael
mikaela mikaere mike mikhail miki mikkel mikko miklos mikolaj mila milada milagros milan milda mildred milena milica
milly milo milos miloslav milou milton mimi mimoun minako mindaugas mingus minh minna minnie minori miodrag mira mirabel
mirabelle miranda mirco mireia mireille mirek mirela miri miriam mirjam mirka mirko miro miroslav mirza misaki mischa
misha missy mitchell mitra mitsuki mitsuko mitzi miyako miyuki mizuki modesta modou mohamed mohammad mohammed mohan mohit
mohsin moira moise moisés mojca mokoena molly momo momoko mona monia monica monika monique monty mora morag mordecai
moreno morgan moriah moritz morris morten morteza mortimer moshe mostafa motoki motoko moussa muamer mudiwa muhammad
mukesh mukhtar mumtaz muna munir murad murat muriel murray mustafa muthoni muzaffer mwangi mykola mylene myles myra
myriam myrna myrthe myrtle mzamo naama nabil nabila nadav nadeem nadezhda nadia nadine nadir nadiya nadja naeem nafisa
nagore nahla nahuel naija naim naima naja najib najwa naledi nalini namrata nana nancy nandi nandini naoko naomi naoto
narcis narciso nare nareh naresh narges narine nasir nasra nasreen nasrin nassim nastasia natalia natalie natalio natan
natanael natasa natasha nate nathalie nathan nathaniel nathália natsuki natsuko nava naveed naveen navid nawal nayara
nayeli nazanin nazim nazli neal neala neda nedim neela neema neeraj nefeli neha neil nela nele nelly nelson nenad nepomuk
nermin nerys nesrin nessa nestor netta nevena neville newton neza ngoc ngozi nguyen nial niall niamh nicandro nichola
nicholas nichole nick nicki nickolas nicky niclas nico nicodemus nicola nicolas nicole nicoletta nicolette nida nidhi
niels nieves nigel nihal nihat niilo nika nikesh nikhil nikhita nikita nikki niklas niko nikola nikolai nikolaj nikolaos
nikolas nikolaus nikos nilay nilda nilesh nilou nils nilsa nilufer nima nimrod nina ninette niraj nirmala nisa nisha
nishant nisrine nita nitin nitya nives nizar njoki nkechi nkosana nnamdi noa noah noam noel noelia noelle noemi noemie
noga nokuthula nola nolan nolwenn nomsa nomvula nona nonna noor noora noortje nora norah norbert norberto noreen noriko
norio noriyuki norma norman nour noura novak noya nthabiseng nuno nura nuray nurgul nuri nuria nurlan nwabueze nyah
nyasha nyokabi nyree obafemi obiageli obinna octave octavia octavio odalys oded odette odile odin ofelia ofer ofira
ogechi oguz ohad oisin okechukwu oksana oktay olaf olamide olav oleander oleg olek oleksandr oleksiy olena olesya oleta
olga oliana olimpia oliver olivera olivia olivier oliwia olle olli ollie olof olu oluchi oludare olufemi olumide olusegun
oluwaseun olwen olya omar omari omer omkar omolara ondine ondrej ondřej onno onur onyeka oona ophelia ophir oprah oren
orest oretha oriana oriol orla orlando orly orsolya orson ortal ortrud orville osagie osagiede osama osamu oscar oskar
osman osnat ossian oswald oswaldo otavio otilia otilie otis ottavia ottilie otto oumar oumou ousmane owain owen oyelaran
oyin oyinkansola ozan ozge ozgur ozlem paavo pablo pacho paddy padma padraic padraig paige paloma pamela panagiotis
pankaj paola paolina paolo parisa parker parminder parth parvati parveen parviz pascal pascale pascoal pasquale patricia
patricio patrick patrik patrizia patrycja pats patti patty paul paula paulette pauliina paulina pauline paulino paulius
paulo pavel pavla pavlina pavlo pavlos pawel paxton payal payam payton pedram pedro peggy pekka pelin pelle penda
penelope pepijn pepita percy perla pernille perpetua perry persephone perttu petar pete peter peteris petr petra
petronella petros petter petteri petya peyton phil philip philipp philippa philippe phillip phoebe phuong phyllis pia
pierre pieta pieter pietro piia pilar pina piotr piotrek pipaluk pippa pirjo piroska placido plamen polina polly poonam
porfirio portia poul prabhu pradeep pragya prakash pramod pranav prasad prasanna prashant pratibha praveen preeti preston
primrose prisca priscila priscilla priya priyam priyanka priyanshu prudence przemek przemyslaw purity qasim qing quentin
quincy quinn quinten quique quynh rabia rachael rachel rachelle rachid radek radha radhika radka radomir radoslav radovan
radu raegan rafael rafaela rafal rafat raffaele rafi rafif raghav ragna ragnar ragnhild rahel rahim rahma rahmat rahul
raimo raimonda raimund raina rainer raisa raissa raivis raj raja rajan rajani rajat rajendra rajesh rajiv rajni rakel
rakesh ralf ralph rama raman rambert rameen ramesh ramin ramiro ramiza ramla ramon ramona ramsay ramsey ramunas rana
randa randall randolph randy rani rania ranjan ranjit ranveer raoul raphael raquel rasa rasha rashad rasheed rashid
rashida rashmi rasmus ratna rauf raul ravi ravindra raya rayan rayhan raymond rayna razan raziya rebeca rebecca rebeka
reda reece reem reena rees reggie regina reginald regine regula rehan rehana reidar reiko reilly rein reina reinaldo
reiner reinhard reinhold rekha remco remi remigio remus remy rena renan renars renata renate renato renaud rene renee
renske reshma reuben reyansh reyhan reyna reza rhea rhian rhianna rhiannon rhoda rhodri rhona rhonda rhys riad riana
rianne ricarda ricardo riccardo richa richard richelle richie rick ricky rieke rifat riichi rikard rikke riku rina rinat
ringo rini rinku riona risa rishabh rishi risto rita ritchie ritika ritu ritva riva rivka riya riyad riyadh roan roar
robbert robbie robby robert roberta roberto robina robyn rocco rochelle rocio rodica rodney rodrigo rodrigue roelof
rogelio roger rohan rohini rohit roksana roland rolando rolf roma romain roman romana romeo romero romesh romina romola
romuald romy rona ronald ronan roni ronit ronja ronnie roop roos roosevelt rory rosa rosalia rosalie rosalind rosalinda
rosalyn rosamund rosana rosanna rosanne rosaria rosario roseanne roselyn rosetta roshan roshni rosie rosina rosita roslyn
ross rossana rostislav roswitha rotem roua rouba rowan rowena roxana roxane roxanne roy roya royce rozalia ruaridh ruba
rube ruben rubi rubina rudiger rudolf rudolph rudy rufaro rufus ruhi rukhsana rukmini rumi rumiko runa rune rupa rupal
rupert ruslan russ russell rusudan ruta ruth ruthie ruxandra ruya ruzanna ryan rym ryoko ryosuke ryota saad saara saba
sabah sabiha sabina sabine sabir sabri sabrin sabrina sachi sachiko sachin sadaf sadako sadia sadie sadiq saeed saeko
safa safia safira safiya sagar sahar sahil saida saif saige saima saira sajid sakari saki sakshi sakura sala salah salama
saleem saleh salem salim salimata salka salla salli sallie salma salman saloni salvador salvatore salwa sam samaira saman
samantha samar samara sameer sameh sami samia samina samir samira samiya samson samu samuel samuele samuli sanaa sancha
sancho sandeep sander sandile sandra sandrine sandro sanela sani sania sanja sanjana sanjay sanjeev sanna sanne santeri
santi santiago santino santo saoirse saori saqib sara sarah sarai saranya saravanan sarika sarina sarit sarita sarmad
sarolta sasa sascha sasha sashka saskia sassa satish sato satoshi satu saturnino saul saulius saurabh savas saverio
savina savio savita savitri sawsan saya sayaka sayed sayuri scarlet scarlett scott seamus sean sebastian sebastiano
sebastien sebastião seda sedat seema sefa segun seiji sejal selcuk selena seleste selim selin selina selja selma selwyn
semih semra senait senan sener senga sepp septimus serafim serafina serap seraphina serdar serena serenella serge sergei
sergey sergio serhiy serik serkan servet seth sevda sevgi sevil sevim sevinj seyma seymour sezen shabana shabnam shada
shadi shae shaheen shahid shahin shahla shai shaima shakira shalini shalom shamika shamim shamima shamsa shanaya shane
shanelle shani shania shanice shanika shankar shanna shannon shanta shanti shao shaquille sharad shari sharifa sharlene
sharon shashank shatha shaun shauna shauntelle shay shayan shaylee shayna shea sheena sheikh sheila shekhar shel shelby
sheldon shelley shelly shen shereen sherene sheri sherif sherine sherman sherri sherry sherwin sheryl sheryll shigeo
shigeru shikha shilpa shingo shinji shiori shira shiraz shiri shirin shirlene shirley shiro shiv shivam shivani shizuka
shlomo shobha shobhit shoko shona shosh shoshana shota shouko shraddha shreya shrikant shruti shubham shui shun shunsuke
shweta siamak sian siavash sibel sibongile sibusiso siddharth sidi sidney sidonia sidonie sidra siebren siegfrid
siegfried sieglinde siena sifiso sigal sigita sigitas sigmund signe sigrid sigrun sigurd siiri siko silas sileni silje
silke silvana silvano silvester silvia silvija silvio sima simao simbarashe simeon simin simiso simon simona simone
simran sina sinan sinazo sindre sindy sinead sini sinikka siobhan sipho siri sirje sirpa siru sisi sissel sita sitara
sithembile sixtine siya siyabonga sizwe skyla skylar skyler slavica slavko sloane slobodan smita smriti snezana sobia
socorro sofia sofiane sofie sofija sohail sohee soheil sohrab soila sokol solange soledad solene solenne solfrid solomon
solvei solveig soma somaya somchai sona sonal sonali sondra sondre sonia sonja sonny sonya soojin sook sophea sophia
sophie sophocles soraya soren sorin sota sotiris souad soufiane souleymane soumaya soumya sparsh spencer spiros spyros
sravya srdan srdjan sreenivas sridhar srinivas sruthi stacey stacie stacy staffan stan stana stanimir stanislav stanko
stanley stasia stavros stef stefan stefania stefanie stefano steffen steffi stelian stelios stella stellan sten stephan
stephane stephania stephanie stephany stephen stevan steve steven stevie stewart stian stien stig stijn stine stipe
stjepan stoyan strahinja stuart subash subhash sudha sudhir sufyan sugandha suha suhail suhana sujata sujin sukhdeep
sukhvinder suki suleiman suleyman sultan suman sumaya sumeet sumi sumiko sumit sunanda sune suneeta sunil sunita sunniva
suraj surekha suresh suri surinder surya susan susana susanna susanne sushil sushmita susi susie susumu sutapa suvi suzan
suzana suzanne suzette suzie suzy svante svea svein sven svenja sverre svetla svetlana svetozar swaran swati swetha sybil
sybille syed sylvain sylvan sylvester sylvia sylvie sylwia symone synnove szabolcs szilvia szymon taavi tabea tabita
tabitha tadas tadashi tadej tadeusz taha taher tahir tahira tahlia tahmina taichi taika taina taisiya taiwo takaaki
takahiro takako takao takashi takeo takeshi takumi takuya tala talal talha talia talib talitha taliyah tallulah talya
tamako tamar tamara tamas tamer tami tamika tamiko tamir tammy tamryn tamsin tamsyn tandi tane tania tanisha tanja tanner
tanveer tanvi tanya tapani tapio tara taraji taran tarek tareq tarik tariq tariro tarja tarquin taru tarun taryn tasha
tashi tasnim tasos tassilo tate tatevik tatiana tatjana tatsuo tatsuya tatum tatyana tawanda tayla tayyab tayyib teagan
ted teddie teddy tegan teija teimuraz tekla telma temitope tendai tengku tenley tenzin teodor teodora teoman tere terence
teresa tereza teri terje terrance terrell terrence teruko tesfaye tess tessa tessie tetiana tetsuo tetsuya tevin thabiso
thabo thais thaleia thalia thandeka thandi thandiwe thando thanh thanos thato thea thelma themba theo theodora theodore
theodoros theodosia theres theresa therese theresia thiago thibault thiemo thierry thijs thilo thoko thom thomas thora
thorben thore thorsten thorvald thulani thuy tiago tian tiana tibor tiddy tidiane tiernan tierney tigran tihana tiina
tijana tijl tilak tilda tilia tillie tilly tilman tim timea timo timofei timothee timothy timur tina tinatin tindra
tineke ting tinka tino tiphaine tirtha tirza tita titania titas tito titus tjitske tobi tobiah tobias tobin tobit toby
todd todor toke toko tolga tolu toluwani tom toma tomas tomasa tomasso tomasz tomaž tomi tomiko tomislav tomke tommaso
tommie tommy tomo tomoko tomoya tomoyo toni tonia tonino tonje tonka tonke tony tonya topaz topi torben torbjorn tord
toril torild torsten toru toshi toshiko toshio tova tove toyin tracey tracy travis trent tresa trevor trina trine trinh
trinity trisha tristan tristram trixie troels tron trond troy truc trudy truls trung truong trygve tsering tshepo tsubasa
tsuyoshi tuan tulay tulio tuma tumelo tunc tunde tung tuomas turid tuukka tuva twan twyla tyler tyra tyrell tyrone tyson
tzvi ubaldo uche ugne ugo ugur uinta ujjwal uliana ulises uljana ulla ulrica ulrich ulrike umair umar umay umberto umit
umut unni uriah uriel urmila uros ursula urszula urte urvashi usama usha usman ustun uwe uyen uzma uzoma vaclav vadim
vadym vafa vaibhav valdemar valdis vale valentijn valentin valentina valentino valera valeria valerian valerie valerio
valeriy valery valeska valtteri vandana vanessa vangelis vania vanja vanya varun varvara vasco vasile vasiliki vasilis
vasily vassil vasyl vaughan vaughn vedad veera veikko vela velia velma vendela venetia venkat venla venus vera verena
verity vernon veronica veronika veronique veselin vesna vespera vibeke vicente vicki vicky victoria victorine vida vidar
vidhi vidit vidor vidya vieri viggo vignesh viivi vijay vijaya vikas viking vikki vikram vikrant viktor viktoria
viktorija vilde vilem vilgot vilhelm vilhelmina viliam villads ville vilma viltė vimal vinay vinayak vincent vincenza
vincenzo vineet vinh vinnie vinod violeta violetta viorel viorica vira viral virgil virgilio viridiana virpi virve visar
vishal vishnu vita vitale vitali vitalii vitalija vitaly vito vitor vitoria vittoria viv vivek viveka vivian viviana
viviane vivienne vlad vladan vladimir vladimira vladislav vlasta vojislav vojtech vojtěch volha volker volodymyr voula
vusi vuyo vytautas waheed wahid wahida walburga waldemar waleed waleria walid walker wallace wally walter waltraud wambui
wanda wangari wanjiru waqar warren wassim watanabe wayan waylon wayne wei wenche wendel wendell wendy wenzel werner
weronika wesley wessel whitney wiebke wieland wiesia wiktor wiktoria wilbert wilbur wilder wiley wilfred wilfrid wilfried
wilhelm wilhelmina wilhelmine willa willem willemijn willi william willie willis willy wilma wilmer winfried winifred
winnie winona winston wioleta wioletta witold wlodzimierz wojciech wojtek wolfgang wout wouter wynne xander xandra xanthe
xavi xavier xaviera xena xenia xenophon xiang xiao xiaoli xiaoming ximena xin xinyi xiomara xochitl xolani xuan yaakov
yacine yadira yael yafa yagmur yahir yahya yair yakov yakup yalda yamila yamini yan yana yanina yanis yanko yann yanni
yannic yannick yannis yaqub yara yarden yaren yaron yasemin yash yasha yashar yashika yasir yasmeen yasmin yasmina
yasmine yasser yassin yassine yasuko yasuo yavuz yaya yazmin yechiel yehuda yekaterina yelena yemi yeon yeong yeshi yesim
yeva yevgenia yevgeny yevhen yiannis yiannos yigit yiling yilmaz yimer ying yitzhak ylva ynes yohan yohanna yohannes yoko
yolanda yolande yolandi yoon yoona yoram yordan yorick yosef yoshi yoshiko yoshimi yoshio youcef youmna younes youngjae
youri yousra youssef youssouf ysabel yuan yudit yuichi yuito yujin yukari yuki yukihiro yukiko yukio yuko yulia yulian
yuliana yuliia yuliya yuma yumi yumiko yuna yunus yura yuri yurii yuriko yusra yusuf yusuke yuta yutaka yuto yuval yuvraj
yuya yvaine yveline yves yvette yvonne zach zachariah zacharias zachary zack zada zadie zafar zahid zahir zahra zahraa
zaid zaida zaina zainab zakaria zaki zakia zalika zana zander zane zanele zara zareen zarina zarrin zaya zayd zayn zaynab
zbigniew zdenek zdenka zdravko zebulon zeeshan zeev zehra zeina zeinab zeke zeki zelda zelie zelma zena zenaida zenia
zeno zenobia zenon zeynab zeynep zhan zhana zhang zhanna zhen zheng zhivko zhou ziad zibuyile ziggy zilla zina zinaida
zineb zineddine zinhle zion zipporah ziva zlata zlatan zlatko zodwa zoe zofia zofka zohar zohra zola zoltan zoltana zora
zoran zorana zorica zosia zouhair zoya zsofia zsolt zubair zuberi zubin zula zuleika zulema zuleyha zulfiqar zulma zuri
zuriel zusanne zuzana zvezdana zvonimir zwelakhe zygmunt
"""
)
"""Names in lower case that are no everyday English words."""

GIVEN_AND_WORDS = words(
    """
ace amber angel aoi april art august autumn avi awa aya ayo basil bill blessing brook brooklyn cai carol cash cem chance
chase chelsea chip christian clay cliff colt daisy dakota dale dawn dean destiny dirk don dot drew dua earl ece eda edo
efe ela emi esi eun eve fai faith fay fern finn florence frank gene gift ginger glen grace grant guy hae hal harmony
hazel heath heather hoa holly hope hui hunter hye ina innocent iris isa iva ivy jack jad jade jae jai jan jasmine jean
jem jersey jesus jia jie jin jo johnson jordan joy june jung kaj kay kim kip lan lance laurel lea lee les lia lily lim
lin london luc luz mai major mao mark mason max may mel melody mercedes mercy miles min mina misty moa moses nam neo nga
nia nii nil nis norm obi oke ola ole olive opal ora page paris park pat patience pearl peg penny pierce pim piper poppy
precious prince princess pua rae raf ray reed rex ria rich rin rio rob robin rod rok ron rose rosemary royal roz ruby rui
rusty ryu sage said saint sal sally salome sana sandy sang savannah scout sei sem serenity shi shin shu sia sid sienna
siv skip sky sol star sterling stone storm sua sue summer sung sunny sydney taco tae taj tal tam tao temple teo terry thi
thu tia tiffany tore tuna udo ula uma umi una uno uri urs uta ute uvo val van victor vin viola violet virginia vu vuk
wade wai ward wes will willow wilson wim wolf woo wren xi xia xu xue yaa yaw yen yi young yu yua yue yui yuu zac zeb zhi
zia ziv zvi
"""
)
"""Names in lower case that are also words, places or months: they need a capital letter or a cue."""
