"""What people do for a living, and other things that one is by saying "I'm a"."""

from turnlog.extraction.vocabulary.listed import words

OCCUPATIONS = words(
    """
accountant actor actress actuary administrator agent analyst apprentice architect archaeologist artist artisan assistant
astronomer athlete attorney auditor author baker banker barber barista barman bartender beekeeper biologist blacksmith
blogger bookkeeper bookseller botanist brewer bricklayer broker builder businessman businesswoman butcher buyer caregiver
carer carpenter cashier ceramicist chaplain chauffeur chef chemist chiropractor choreographer cleaner clerk coach cobbler
comedian composer conductor consultant contractor controller cook copywriter coroner counsellor counselor courier
curator dancer dentist designer detective developer dietician dietitian diplomat director dispatcher dj doctor
dressmaker driver economist editor educator electrician electronics engineer entrepreneur estimator executive farmer
filmmaker firefighter fisherman florist forester founder freelancer gardener geographer geologist glazier goldsmith
grocer guard guide hairdresser handyman herbalist historian illustrator inspector instructor interpreter intern investor
janitor jeweller jeweler joiner journalist judge knitter labourer laborer landlord lawyer lecturer librarian lifeguard
linguist locksmith lumberjack machinist magician manager marketer mason masseur mathematician mechanic medic
merchandiser merchant meteorologist midwife miner minister model musician nanny nurse nutritionist officer operator
optician optometrist orthodontist painter paralegal paramedic pastor pathologist pediatrician paediatrician
pharmacist philosopher photographer physician physicist physiotherapist pianist pilot playwright plasterer plumber poet
policeman policewoman politician porter postman potter priest printer producer professor programmer psychiatrist
psychologist publicist rabbi radiographer radiologist ranger realtor receptionist recruiter referee reporter
researcher roofer sailor salesman salesperson saleswoman scientist sculptor seamstress secretary seller shepherd
shopkeeper singer soldier solicitor specialist statistician steward stewardess stonemason student stylist superintendent
supervisor surgeon surveyor tailor teacher technician tester therapist tiler toolmaker trader trainer trainee translator
treasurer trucker tutor typist undertaker upholsterer veterinarian vet videographer violinist waiter waitress warden
watchmaker weaver welder winemaker woodworker writer youtuber zookeeper zoologist
"""
)
"""The last words of what somebody is by trade, in lower case."""
