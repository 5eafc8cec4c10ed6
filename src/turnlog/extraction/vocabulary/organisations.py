"""Companies, agencies and institutions that people write about."""

from turnlog.extraction.vocabulary.listed import phrases

ORGANISATIONS = phrases(
    """
accenture, adidas, adobe, aeroflot, air canada, air france, airbnb, airbus, aldi, alibaba, allianz, amazon, amd,
american airlines, american express, amnesty international, amtrak, anthropic, argos, arsenal, asda, astrazeneca, at&t,
audi, aviva, axa, bank of america, barclays, bayer, bbc, bmw, bnp paribas, boeing, booking.com, boots, bosch, bp,
british airways, bt, bupa, capgemini, caritas, carrefour, caterpillar, chase, chevron, cisco, citibank, cnn, coca-cola,
comcast, commerzbank, costco, cvs, daimler, decathlon, dell, deloitte, delta airlines, deutsche bahn, deutsche bank,
deutsche post, dhl, disney, doctors without borders, dpd, easyjet, ebay, edeka, edf, emirates, epson, ericsson, etsy, eu,
european commission, european union, eurostar, exxon, fbi, fedex, fiat, flixbus, ford, foxconn, general electric,
general motors, glovo, goldman sachs, google, greenpeace, h&m, harvard, hermes, hertz, hitachi, hmrc, hmv, honda, hp,
hsbc, huawei, hyundai, ibm, ikea, imf, infosys, ing, intel, interpol, irs, jpmorgan, kellogg, kia, klm, kpmg, kraft,
l'oreal, lego, lenovo, lidl, lockheed, lufthansa, lyft, maersk, marriott, mastercard, mcdonald's, mcdonalds, mckinsey,
mercadona, mercedes, meta, michelin, microsoft, migros, mit, monzo, morgan stanley, médecins sans frontières, n26, nasa,
nato, nestle, nestlé, netflix, new york times, nhs, nike, nintendo, nissan, nokia, novartis, novo nordisk, nvidia, ocado,
oebb, openai, oracle, oxfam, panasonic, paypal, pepsi, pepsico, pfizer, philips, porsche, procter & gamble, pwc, qantas,
qualcomm, red cross, renault, renfe, revolut, rewe, roche, rolls-royce, royal mail, ryanair, safeway, sainsbury's,
sainsburys, salesforce, samsung, sap, shell, siemens, sky, snapchat, sncf, sony, spacex, stanford, starbucks, stripe,
subaru, suzuki, swisscom, tesco, tesla, tf1, thames water, thyssenkrupp, toshiba, toyota, trenitalia, turkish airlines,
ubs, unesco, unicef, unilever, uniqlo, united airlines, united nations, ups, usps, verizon, vodafone, volkswagen, volvo,
waitrose, walgreens, walmart, wells fargo, who, wizz air, world bank, yale, zalando, zara, öbb
"""
)
"""In lower case; some have several words."""
