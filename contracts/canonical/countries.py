"""Countries: the codes of ISO 3166-1, and the names by which people mean them."""

from collections.abc import Iterator, Sequence

from contracts.canonical.folding import words_of

# Each country: its codes of two and three letters, its English name in ISO 3166-1, and other usual names.
_TABLE = """
AD AND Andorra; Principality of Andorra
AE ARE United Arab Emirates; UAE; Emirates; الإمارات
AF AFG Afghanistan; Islamic Republic of Afghanistan
AG ATG Antigua and Barbuda
AI AIA Anguilla
AL ALB Albania; Republic of Albania
AM ARM Armenia; Republic of Armenia; Հայաստան
AO AGO Angola; Republic of Angola
AQ ATA Antarctica
AR ARG Argentina; Argentine Republic
AS ASM American Samoa
AT AUT Austria; Republic of Austria; Österreich; Oesterreich; Autriche
AU AUS Australia; Commonwealth of Australia; Australien
AW ABW Aruba
AX ALA Åland Islands; Aland
AZ AZE Azerbaijan; Republic of Azerbaijan
BA BIH Bosnia and Herzegovina; Republic of Bosnia and Herzegovina; Bosnia; Bosnien; Bosnia-Herzegovina;
    Bosna i Hercegovina
BB BRB Barbados
BD BGD Bangladesh; People's Republic of Bangladesh
BE BEL Belgium; Kingdom of Belgium; België; Belgique; Belgien; Belgie
BF BFA Burkina Faso
BG BGR Bulgaria; Republic of Bulgaria; България; Bulgarien; Balgariya
BH BHR Bahrain; Kingdom of Bahrain
BI BDI Burundi; Republic of Burundi
BJ BEN Benin; Republic of Benin
BL BLM Saint Barthélemy; St Barthelemy; St. Barts
BM BMU Bermuda
BN BRN Brunei Darussalam; Brunei
BO BOL Bolivia, Plurinational State of; Bolivia; Plurinational State of Bolivia
BQ BES Bonaire, Sint Eustatius and Saba; Caribbean Netherlands
BR BRA Brazil; Federative Republic of Brazil; Brasil; Brasilien
BS BHS Bahamas; Commonwealth of the Bahamas; The Bahamas
BT BTN Bhutan; Kingdom of Bhutan
BV BVT Bouvet Island
BW BWA Botswana; Republic of Botswana
BY BLR Belarus; Republic of Belarus; Беларусь
BZ BLZ Belize
CA CAN Canada; Kanada
CC CCK Cocos (Keeling) Islands; Cocos Islands; Keeling Islands
CD COD Congo, The Democratic Republic of the; DR Congo; DRC; D.R. Congo; Congo-Kinshasa; Congo Kinshasa;
    Zaire; Democratic Republic of Congo
CF CAF Central African Republic
CG COG Congo; Republic of the Congo; Congo-Brazzaville; Republic of Congo
CH CHE Switzerland; Swiss Confederation; Schweiz; Suisse; Svizzera; Svizra; Helvetia;
    Confoederatio Helvetica
CI CIV Côte d'Ivoire; Republic of Côte d'Ivoire; Ivory Coast; Cote d Ivoire
CK COK Cook Islands
CL CHL Chile; Republic of Chile
CM CMR Cameroon; Republic of Cameroon
CN CHN China; People's Republic of China; PRC; P.R. China; PR China; Mainland China; 中国; 中华人民共和国;
    Kina
CO COL Colombia; Republic of Colombia
CR CRI Costa Rica; Republic of Costa Rica
CU CUB Cuba; Republic of Cuba
CV CPV Cabo Verde; Republic of Cabo Verde; Cape Verde
CW CUW Curaçao; Curacao
CX CXR Christmas Island
CY CYP Cyprus; Republic of Cyprus; Κύπρος; Kypros; Zypern
CZ CZE Czechia; Czech Republic; Česko; Česká republika; Tschechien; Tschechische Republik
DE DEU Germany; Federal Republic of Germany; Deutschland; BRD; Bundesrepublik Deutschland; Allemagne;
    Alemania; Germania; Duitsland; Tyskland; Niemcy
DJ DJI Djibouti; Republic of Djibouti
DK DNK Denmark; Kingdom of Denmark; Danmark; Dänemark; Danemark
DM DMA Dominica; Commonwealth of Dominica
DO DOM Dominican Republic; República Dominicana
DZ DZA Algeria; People's Democratic Republic of Algeria; Algérie; Algerien
EC ECU Ecuador; Republic of Ecuador
EE EST Estonia; Republic of Estonia; Eesti; Estland
EG EGY Egypt; Arab Republic of Egypt; Ägypten; مصر
EH ESH Western Sahara
ER ERI Eritrea; the State of Eritrea
ES ESP Spain; Kingdom of Spain; España; Espana; Spanien; Espagne; Spagna; Spanje
ET ETH Ethiopia; Federal Democratic Republic of Ethiopia
FI FIN Finland; Republic of Finland; Suomi; Finnland; Finlande
FJ FJI Fiji; Republic of Fiji
FK FLK Falkland Islands (Malvinas); Falklands; Falkland Islands; Malvinas
FM FSM Micronesia, Federated States of; Federated States of Micronesia; Micronesia
FO FRO Faroe Islands; Faroes; Faeroe Islands; Føroyar
FR FRA France; French Republic; Frankreich; Francia; Frankrijk; Frankrike
GA GAB Gabon; Gabonese Republic
GB GBR United Kingdom; United Kingdom of Great Britain and Northern Ireland; UK; Great Britain; Britain;
    England; Scotland; Wales; Northern Ireland; Vereinigtes Königreich; Großbritannien; Grossbritannien;
    Royaume-Uni; Reino Unido; Regno Unito; Storbritannien; United Kingdom of Great Britain;
    Great Britain and Northern Ireland
GD GRD Grenada
GE GEO Georgia; საქართველო
GF GUF French Guiana
GG GGY Guernsey
GH GHA Ghana; Republic of Ghana
GI GIB Gibraltar
GL GRL Greenland
GM GMB Gambia; Republic of the Gambia; The Gambia
GN GIN Guinea; Republic of Guinea
GP GLP Guadeloupe
GQ GNQ Equatorial Guinea; Republic of Equatorial Guinea
GR GRC Greece; Hellenic Republic; EL; Hellas; Ελλάδα; Griechenland; Ellada
GS SGS South Georgia and the South Sandwich Islands
GT GTM Guatemala; Republic of Guatemala
GU GUM Guam
GW GNB Guinea-Bissau; Republic of Guinea-Bissau
GY GUY Guyana; Republic of Guyana
HK HKG Hong Kong; Hong Kong Special Administrative Region of China; Hong Kong SAR; Hong Kong S.A.R.;
    Hongkong; HKSAR; Hong Kong, China; 香港
HM HMD Heard Island and McDonald Islands
HN HND Honduras; Republic of Honduras
HR HRV Croatia; Republic of Croatia; Hrvatska; Kroatien
HT HTI Haiti; Republic of Haiti
HU HUN Hungary; Magyarország; Ungarn
ID IDN Indonesia; Republic of Indonesia; Indonesien
IE IRL Ireland; Éire; Eire; Republic of Ireland; Irish Republic; Irland; Southern Ireland
IL ISR Israel; State of Israel; ישראל
IM IMN Isle of Man
IN IND India; Republic of India; Bharat; Indien; भारत
IO IOT British Indian Ocean Territory
IQ IRQ Iraq; Republic of Iraq
IR IRN Iran, Islamic Republic of; Iran; Islamic Republic of Iran
IS ISL Iceland; Republic of Iceland; Ísland
IT ITA Italy; Italian Republic; Italia; Italien; Italie
JE JEY Jersey
JM JAM Jamaica
JO JOR Jordan; Hashemite Kingdom of Jordan
JP JPN Japan; Nippon; Nihon; 日本; 日本国; Japon; Japón
KE KEN Kenya; Republic of Kenya
KG KGZ Kyrgyzstan; Kyrgyz Republic; Kirghizia
KH KHM Cambodia; Kingdom of Cambodia
KI KIR Kiribati; Republic of Kiribati
KM COM Comoros; Union of the Comoros
KN KNA Saint Kitts and Nevis; St Kitts and Nevis; St. Kitts & Nevis; Saint Christopher and Nevis
KP PRK Korea, Democratic People's Republic of; North Korea; Democratic People's Republic of Korea; N. Korea;
    DPRK; Nordkorea
KR KOR Korea, Republic of; South Korea; S. Korea; Korea South; Republic of Korea; Korea Rep; ROK; 대한민국;
    한국; Südkorea; Corée du Sud
KW KWT Kuwait; State of Kuwait
KY CYM Cayman Islands
KZ KAZ Kazakhstan; Republic of Kazakhstan; Казахстан; Қазақстан
LA LAO Lao People's Democratic Republic; Laos
LB LBN Lebanon; Lebanese Republic
LC LCA Saint Lucia; St Lucia
LI LIE Liechtenstein; Principality of Liechtenstein; Fürstentum Liechtenstein
LK LKA Sri Lanka; Democratic Socialist Republic of Sri Lanka
LR LBR Liberia; Republic of Liberia
LS LSO Lesotho; Kingdom of Lesotho
LT LTU Lithuania; Republic of Lithuania; Lietuva; Litauen
LU LUX Luxembourg; Grand Duchy of Luxembourg; Lëtzebuerg; Luxemburg
LV LVA Latvia; Republic of Latvia; Latvija; Lettland
LY LBY Libya; Libyan Arab Jamahiriya
MA MAR Morocco; Kingdom of Morocco; Maroc; Marokko
MC MCO Monaco; Principality of Monaco
MD MDA Moldova, Republic of; Moldova; Republic of Moldova
ME MNE Montenegro; Crna Gora
MF MAF Saint Martin (French part); St Martin; Saint Martin
MG MDG Madagascar; Republic of Madagascar
MH MHL Marshall Islands; Republic of the Marshall Islands
MK MKD North Macedonia; Republic of North Macedonia; Macedonia; FYROM;
    Former Yugoslav Republic of Macedonia; Северна Македонија
ML MLI Mali; Republic of Mali
MM MMR Myanmar; Republic of Myanmar; Burma
MN MNG Mongolia
MO MAC Macao; Macao Special Administrative Region of China; Macau; Macao SAR; Macau SAR; 澳門
MP MNP Northern Mariana Islands; Commonwealth of the Northern Mariana Islands
MQ MTQ Martinique
MR MRT Mauritania; Islamic Republic of Mauritania
MS MSR Montserrat
MT MLT Malta; Republic of Malta
MU MUS Mauritius; Republic of Mauritius
MV MDV Maldives; Republic of Maldives
MW MWI Malawi; Republic of Malawi
MX MEX Mexico; United Mexican States; México; Mejico; Mexiko; Estados Unidos Mexicanos
MY MYS Malaysia; Malaysien
MZ MOZ Mozambique; Republic of Mozambique
NA NAM Namibia; Republic of Namibia
NC NCL New Caledonia
NE NER Niger; Republic of the Niger
NF NFK Norfolk Island
NG NGA Nigeria; Federal Republic of Nigeria
NI NIC Nicaragua; Republic of Nicaragua
NL NLD Netherlands; Kingdom of the Netherlands; Holland; Nederland; The Netherlands; Niederlande; Pays-Bas;
    Países Bajos; Paesi Bassi
NO NOR Norway; Kingdom of Norway; Norge; Noreg; Norwegen; Norvège
NP NPL Nepal; Federal Democratic Republic of Nepal
NR NRU Nauru; Republic of Nauru
NU NIU Niue
NZ NZL New Zealand; Aotearoa; Neuseeland; N.Z.
OM OMN Oman; Sultanate of Oman
PA PAN Panama; Republic of Panama
PE PER Peru; Republic of Peru; Perú
PF PYF French Polynesia
PG PNG Papua New Guinea; Independent State of Papua New Guinea
PH PHL Philippines; Republic of the Philippines; Philippinen; Pilipinas; The Philippines; Phillipines
PK PAK Pakistan; Islamic Republic of Pakistan
PL POL Poland; Republic of Poland; Polska; Polen; Pologne
PM SPM Saint Pierre and Miquelon; St Pierre and Miquelon
PN PCN Pitcairn; Pitcairn Islands
PR PRI Puerto Rico
PS PSE Palestine, State of; the State of Palestine; Palestine; Palestinian Territories;
    Palestinian Territory
PT PRT Portugal; Portuguese Republic; República Portuguesa
PW PLW Palau; Republic of Palau
PY PRY Paraguay; Republic of Paraguay
QA QAT Qatar; State of Qatar
RE REU Réunion; Reunion Island
RO ROU Romania; România; Rumänien; Roumania; Rumania
RS SRB Serbia; Republic of Serbia; Srbija; Serbien; Србија
RU RUS Russian Federation; Russia; Россия; Российская Федерация; Russland; Russian Fed
RW RWA Rwanda; Rwandese Republic
SA SAU Saudi Arabia; Kingdom of Saudi Arabia; KSA; Saudi
SB SLB Solomon Islands
SC SYC Seychelles; Republic of Seychelles; Seychelles Islands
SD SDN Sudan; Republic of the Sudan
SE SWE Sweden; Kingdom of Sweden; Sverige; Schweden; Suède
SG SGP Singapore; Republic of Singapore; 新加坡
SH SHN Saint Helena, Ascension and Tristan da Cunha; St Helena; Saint Helena
SI SVN Slovenia; Republic of Slovenia; Slovenija; Slowenien
SJ SJM Svalbard and Jan Mayen; Svalbard
SK SVK Slovakia; Slovak Republic; Slovensko; Slowakei
SL SLE Sierra Leone; Republic of Sierra Leone
SM SMR San Marino; Republic of San Marino
SN SEN Senegal; Republic of Senegal; Sénégal
SO SOM Somalia; Federal Republic of Somalia
SR SUR Suriname; Republic of Suriname
SS SSD South Sudan; Republic of South Sudan
ST STP Sao Tome and Principe; Democratic Republic of Sao Tome and Principe; São Tomé; Sao Tome
SV SLV El Salvador; Republic of El Salvador
SX SXM Sint Maarten (Dutch part); Sint Maarten
SY SYR Syrian Arab Republic; Syria
SZ SWZ Eswatini; Kingdom of Eswatini; Swaziland
TC TCA Turks and Caicos Islands; Turks & Caicos
TD TCD Chad; Republic of Chad
TF ATF French Southern Territories; French Southern Lands
TG TGO Togo; Togolese Republic
TH THA Thailand; Kingdom of Thailand; ประเทศไทย
TJ TJK Tajikistan; Republic of Tajikistan
TK TKL Tokelau
TL TLS Timor-Leste; Democratic Republic of Timor-Leste; East Timor
TM TKM Turkmenistan
TN TUN Tunisia; Republic of Tunisia
TO TON Tonga; Kingdom of Tonga
TR TUR Türkiye; Republic of Türkiye; Turkey; Türkei; Turquie; Turkiye
TT TTO Trinidad and Tobago; Republic of Trinidad and Tobago; Trinidad & Tobago; Trinidad
TV TUV Tuvalu
TW TWN Taiwan, Province of China; Taiwan; Taiwan R.O.C.; Taiwan, Republic of China; Chinese Taipei; 台灣;
    臺灣; 台湾
TZ TZA Tanzania, United Republic of; Tanzania; United Republic of Tanzania
UA UKR Ukraine; Україна; Ukraina; The Ukraine
UG UGA Uganda; Republic of Uganda
UM UMI United States Minor Outlying Islands; US Minor Outlying Islands
US USA United States; United States of America; U.S.; U.S. of A.; America; The States; Vereinigte Staaten;
    Vereinigte Staaten von Amerika; Estados Unidos; États-Unis; Stati Uniti; EE.UU.; EEUU; Verenigde Staten;
    Etats-Unis d Amerique
UY URY Uruguay; Eastern Republic of Uruguay
UZ UZB Uzbekistan; Republic of Uzbekistan
VA VAT Holy See (Vatican City State); Vatican; Vatican City; Holy See
VC VCT Saint Vincent and the Grenadines; St Vincent and the Grenadines; St. Vincent
VE VEN Venezuela, Bolivarian Republic of; Venezuela; Bolivarian Republic of Venezuela
VG VGB Virgin Islands, British; British Virgin Islands; BVI
VI VIR Virgin Islands, U.S.; Virgin Islands of the United States; US Virgin Islands;
    United States Virgin Islands; USVI
VN VNM Viet Nam; Vietnam; Socialist Republic of Viet Nam; Việt Nam
VU VUT Vanuatu; Republic of Vanuatu
WF WLF Wallis and Futuna
WS WSM Samoa; Independent State of Samoa
YE YEM Yemen; Republic of Yemen
YT MYT Mayotte
ZA ZAF South Africa; Republic of South Africa; Südafrika; RSA; Suid-Afrika
ZM ZMB Zambia; Republic of Zambia
ZW ZWE Zimbabwe; Republic of Zimbabwe
"""
_SAYS_NOTHING = frozenset({"the", "of", "and"})


def _key(text: str) -> str:
    """The same for ``Korea, Republic of`` and ``republic of Korea``: its words in one order."""
    words = words_of(text)
    return " ".join(sorted(word for word in words if word not in _SAYS_NOTHING) or words)


def rows() -> Iterator[tuple[str, str, Sequence[str]]]:
    """Each country: its two codes and its names."""
    for line in _TABLE.replace("\n    ", " ").strip().splitlines():
        alpha2, alpha3, names = line.split(" ", 2)
        yield alpha2, alpha3, names.split("; ")


NAMES: dict[str, str] = {alpha2: names[0] for alpha2, _, names in rows()}
"""The English name of each country in ISO 3166-1, by its code."""

_CODES: dict[str, str] = {
    _key(text): alpha2 for alpha2, alpha3, names in rows() for text in (*names, alpha3, alpha2)
}


def is_code(text: str) -> bool:
    """Whether a text is a code of ISO 3166-1 alpha-2, written as such."""
    return text in NAMES


def code_of(text: str) -> str:
    """The ISO 3166-1 alpha-2 code that a text means; empty where it surely means none."""
    key = _key(text)
    if "/" in text or (key == "na" and text.strip() != "NA"):
        return ""  # n/a and N.A. say that it is not available, and not Namibia
    return _CODES.get(key, "")


def code_or_text(text: str) -> str:
    """The code where there is one, else what was written: never another country."""
    return code_of(text) or text.strip()
