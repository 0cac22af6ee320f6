"""Countries and their subdivisions. (docs: catalogue/list-countries, catalogue/list-subdivisions)

Codes are those of ISO 3166-1 alpha-3 and ISO 3166-2. The provider lists 248 countries, this is a selection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# alpha-3 | alpha-2 | currency | dialling code | postal codes, # is a digit and @ a letter | name
_COUNTRIES = """
AFG|AF|AFN|93|####|Afghanistan
ALB|AL|ALL|355|####|Albania
ARE|AE|AED|971||United Arab Emirates
ARG|AR|ARS|54|####/@####@@@|Argentina
ARM|AM|AMD|374|####|Armenia
AUS|AU|AUD|61|####|Australia
AUT|AT|EUR|43|####|Austria
AZE|AZ|AZN|994|@@####|Azerbaijan
BEL|BE|EUR|32|####|Belgium
BEN|BJ|XOF|229||Benin
BFA|BF|XOF|226||Burkina Faso
BGD|BD|BDT|880|####|Bangladesh
BGR|BG|BGN|359|####|Bulgaria
BHR|BH|BHD|973|###/####|Bahrain
BIH|BA|BAM|387|#####|Bosnia and Herzegovina
BOL|BO|BOB|591||Bolivia
BRA|BR|BRL|55|#####-###/########|Brazil
BRB|BB|BBD|1246||Barbados
BWA|BW|BWP|267||Botswana
CAN|CA|CAD|1|@#@ #@#/@#@#@#|Canada
CHE|CH|CHF|41|####|Switzerland
CHL|CL|CLP|56|#######/###-####|Chile
CHN|CN|CNY|86|######|China
CIV|CI|XOF|225||Ivory Coast
CMR|CM|XAF|237||Cameroon
COD|CD|CDF|243||Congo, Democratic Republic of the
COL|CO|COP|57|######|Colombia
CRI|CR|CRC|506|#####|Costa Rica
CYP|CY|EUR|357|####|Cyprus
CZE|CZ|CZK|420|### ##/#####|Czech Republic
DEU|DE|EUR|49|#####|Germany
DNK|DK|DKK|45|####|Denmark
DOM|DO|DOP|1809|#####|Dominican Republic
DZA|DZ|DZD|213|#####|Algeria
ECU|EC|USD|593|######|Ecuador
EGY|EG|EGP|20|#####|Egypt
ESP|ES|EUR|34|#####|Spain
EST|EE|EUR|372|#####|Estonia
ETH|ET|ETB|251|####|Ethiopia
FIN|FI|EUR|358|#####|Finland
FRA|FR|EUR|33|#####|France
GBR|GB|GBP|44|@# #@@/@## #@@/@@# #@@/@@## #@@/@#@ #@@/@@#@ #@@/@##@@/@###@@/@@##@@/@@###@@/@#@#@@/@@#@#@@|United Kingdom
GEO|GE|GEL|995|####|Georgia
GHA|GH|GHS|233||Ghana
GRC|GR|EUR|30|### ##/#####|Greece
GTM|GT|GTQ|502|#####|Guatemala
HKG|HK|HKD|852||Hong Kong
HND|HN|HNL|504|#####|Honduras
HRV|HR|EUR|385|#####|Croatia
HUN|HU|HUF|36|####|Hungary
IDN|ID|IDR|62|#####|Indonesia
IND|IN|INR|91|######/### ###|India
IRL|IE|EUR|353||Ireland
IRQ|IQ|IQD|964|#####|Iraq
ISL|IS|ISK|354|###|Iceland
ISR|IL|ILS|972|#######/#####|Israel
ITA|IT|EUR|39|#####|Italy
JAM|JM|JMD|1876||Jamaica
JOR|JO|JOD|962|#####|Jordan
JPN|JP|JPY|81|###-####/#######|Japan
KAZ|KZ|KZT|7|######|Kazakhstan
KEN|KE|KES|254|#####|Kenya
KHM|KH|KHR|855|#####|Cambodia
KOR|KR|KRW|82|#####|South Korea
KWT|KW|KWD|965|#####|Kuwait
LBN|LB|LBP|961||Lebanon
LKA|LK|LKR|94|#####|Sri Lanka
LTU|LT|EUR|370|#####|Lithuania
LUX|LU|EUR|352|####|Luxembourg
LVA|LV|EUR|371|LV-####/####|Latvia
MAR|MA|MAD|212|#####|Morocco
MDA|MD|MDL|373|####|Moldova
MEX|MX|MXN|52|#####|Mexico
MKD|MK|MKD|389|####|North Macedonia
MLT|MT|EUR|356|@@@ ####/@@@####|Malta
MNE|ME|EUR|382|#####|Montenegro
MUS|MU|MUR|230|#####|Mauritius
MYS|MY|MYR|60|#####|Malaysia
NGA|NG|NGN|234|######|Nigeria
NIC|NI|NIO|505|#####|Nicaragua
NLD|NL|EUR|31|#### @@/####@@|Netherlands
NOR|NO|NOK|47|####|Norway
NPL|NP|NPR|977|#####|Nepal
NZL|NZ|NZD|64|####|New Zealand
OMN|OM|OMR|968|###|Oman
PAK|PK|PKR|92|#####|Pakistan
PAN|PA|PAB|507||Panama
PER|PE|PEN|51|#####|Peru
PHL|PH|PHP|63|####|Philippines
POL|PL|PLN|48|##-###|Poland
PRT|PT|EUR|351|####-###|Portugal
PRY|PY|PYG|595|####|Paraguay
QAT|QA|QAR|974||Qatar
ROU|RO|RON|40|######|Romania
RWA|RW|RWF|250||Rwanda
SAU|SA|SAR|966|#####|Saudi Arabia
SEN|SN|XOF|221|#####|Senegal
SGP|SG|SGD|65|######|Singapore
SLV|SV|USD|503|####|El Salvador
SRB|RS|RSD|381|#####|Serbia
SVK|SK|EUR|421|### ##/#####|Slovakia
SVN|SI|EUR|386|####|Slovenia
SWE|SE|SEK|46|### ##/#####|Sweden
THA|TH|THB|66|#####|Thailand
TTO|TT|TTD|1868||Trinidad and Tobago
TUN|TN|TND|216|####|Tunisia
TUR|TR|TRY|90|#####|Turkey
TWN|TW|TWD|886|###/#####|Taiwan
TZA|TZ|TZS|255|#####|Tanzania
UGA|UG|UGX|256||Uganda
UKR|UA|UAH|380|#####|Ukraine
URY|UY|UYU|598|#####|Uruguay
USA|US|USD|1|#####/#####-####|United States
UZB|UZ|UZS|998|######|Uzbekistan
VEN|VE|VES|58|####|Venezuela
VNM|VN|VND|84|#####|Vietnam
ZAF|ZA|ZAR|27|####|South Africa
ZMB|ZM|ZMW|260|#####|Zambia
"""

# Of all other countries this sandbox knows the form of a subdivision's code, and none by name.
_SUBDIVISIONS = """
ARE|AJ=Ajman;AZ=Abu Dhabi;DU=Dubai;FU=Fujairah;RK=Ras Al Khaimah;SH=Sharjah;UQ=Umm Al Quwain
ARG|A=Salta;B=Buenos Aires;C=Ciudad Autonoma de Buenos Aires;D=San Luis;E=Entre Rios;F=La Rioja
+G=Santiago del Estero;H=Chaco;J=San Juan;K=Catamarca;L=La Pampa;M=Mendoza;N=Misiones;P=Formosa;Q=Neuquen
+R=Rio Negro;S=Santa Fe;T=Tucuman;U=Chubut;V=Tierra del Fuego;W=Corrientes;X=Cordoba;Y=Jujuy;Z=Santa Cruz
AUS|ACT=Australian Capital Territory;NSW=New South Wales;NT=Northern Territory;QLD=Queensland;SA=South Australia
+TAS=Tasmania;VIC=Victoria;WA=Western Australia
BGD|A=Barishal;B=Chattogram;C=Dhaka;D=Khulna;E=Rajshahi;F=Rangpur;G=Sylhet;H=Mymensingh;01=Bandarban;02=Barguna
+03=Bogura;04=Brahmanbaria;05=Bagerhat;06=Barishal District;07=Bhola;08=Cumilla;09=Chandpur
+10=Chattogram District;11=Cox's Bazar;12=Chuadanga;13=Dhaka District;14=Dinajpur;15=Faridpur;16=Feni
+17=Gopalganj;18=Gazipur;19=Gaibandha;20=Habiganj;21=Jamalpur;22=Jashore;23=Jhenaidah;24=Joypurhat;25=Jhalakathi
+26=Kishoreganj;27=Khulna District;28=Kurigram;29=Khagrachhari;30=Kushtia;31=Lakshmipur;32=Lalmonirhat
+33=Manikganj;34=Mymensingh District;35=Munshiganj;36=Madaripur;37=Magura;38=Moulvibazar;39=Meherpur
+40=Narayanganj;41=Netrakona;42=Narsingdi;43=Narail;44=Natore;45=Chapai Nawabganj;46=Nilphamari;47=Noakhali
+48=Naogaon;49=Pabna;50=Pirojpur;51=Patuakhali;52=Panchagarh;53=Rajbari;54=Rajshahi District;55=Rangpur District
+56=Rangamati;57=Sherpur;58=Satkhira;59=Sirajganj;60=Sylhet District;61=Sunamganj;62=Shariatpur;63=Tangail
+64=Thakurgaon
BHR|13=Capital;14=Southern;15=Muharraq;17=Northern
BRA|AC=Acre;AL=Alagoas;AM=Amazonas;AP=Amapa;BA=Bahia;CE=Ceara;DF=Distrito Federal;ES=Espirito Santo;GO=Goias
+MA=Maranhao;MG=Minas Gerais;MS=Mato Grosso do Sul;MT=Mato Grosso;PA=Para;PB=Paraiba;PE=Pernambuco;PI=Piaui
+PR=Parana;RJ=Rio de Janeiro;RN=Rio Grande do Norte;RO=Rondonia;RR=Roraima;RS=Rio Grande do Sul
+SC=Santa Catarina;SE=Sergipe;SP=Sao Paulo;TO=Tocantins
CAN|AB=Alberta;BC=British Columbia;MB=Manitoba;NB=New Brunswick;NL=Newfoundland and Labrador;NS=Nova Scotia
+NT=Northwest Territories;NU=Nunavut;ON=Ontario;PE=Prince Edward Island;QC=Quebec;SK=Saskatchewan;YT=Yukon
COL|AMA=Amazonas;ANT=Antioquia;ARA=Arauca;ATL=Atlantico;BOL=Bolivar;BOY=Boyaca;CAL=Caldas;CAQ=Caqueta
+CAS=Casanare;CAU=Cauca;CES=Cesar;CHO=Choco;COR=Cordoba;CUN=Cundinamarca;DC=Bogota;GUA=Guainia;GUV=Guaviare
+HUI=Huila;LAG=La Guajira;MAG=Magdalena;MET=Meta;NAR=Narino;NSA=Norte de Santander;PUT=Putumayo;QUI=Quindio
+RIS=Risaralda;SAN=Santander;SAP=San Andres y Providencia;SUC=Sucre;TOL=Tolima;VAC=Valle del Cauca;VAU=Vaupes
+VID=Vichada
DEU|BB=Brandenburg;BE=Berlin;BW=Baden-Wurttemberg;BY=Bavaria;HB=Bremen;HE=Hesse;HH=Hamburg
+MV=Mecklenburg-Western Pomerania;NI=Lower Saxony;NW=North Rhine-Westphalia;RP=Rhineland-Palatinate
+SH=Schleswig-Holstein;SL=Saarland;SN=Saxony;ST=Saxony-Anhalt;TH=Thuringia
ESP|AN=Andalusia;AR=Aragon;AS=Asturias;CB=Cantabria;CE=Ceuta;CL=Castile and Leon;CM=Castilla-La Mancha
+CN=Canary Islands;CT=Catalonia;EX=Extremadura;GA=Galicia;IB=Balearic Islands;MC=Murcia;MD=Madrid;ML=Melilla
+NC=Navarre;PV=Basque Country;RI=La Rioja;VC=Valencia
FRA|ARA=Auvergne-Rhone-Alpes;BFC=Bourgogne-Franche-Comte;BRE=Bretagne;CVL=Centre-Val de Loire;20R=Corse
+GES=Grand Est;HDF=Hauts-de-France;IDF=Ile-de-France;NOR=Normandie;NAQ=Nouvelle-Aquitaine;OCC=Occitanie
+PDL=Pays de la Loire;PAC=Provence-Alpes-Cote d'Azur;75C=Paris;69M=Metropole de Lyon;13=Bouches-du-Rhone
+31=Haute-Garonne;33=Gironde;59=Nord
GBR|ENG=England;NIR=Northern Ireland;SCT=Scotland;WLS=Wales;BIR=Birmingham;BST=Bristol;EDH=Edinburgh;GLG=Glasgow
+KEN=Kent;LDS=Leeds;LIV=Liverpool;LND=London, City of;MAN=Manchester;OXF=Oxfordshire;SRY=Surrey;WSM=Westminster
IND|AN=Andaman and Nicobar Islands;AP=Andhra Pradesh;AR=Arunachal Pradesh;AS=Assam;BR=Bihar;CG=Chhattisgarh
+CH=Chandigarh;DH=Dadra and Nagar Haveli and Daman and Diu;DL=Delhi;GA=Goa;GJ=Gujarat;HP=Himachal Pradesh
+HR=Haryana;JH=Jharkhand;JK=Jammu and Kashmir;KA=Karnataka;KL=Kerala;LA=Ladakh;LD=Lakshadweep;MH=Maharashtra
+ML=Meghalaya;MN=Manipur;MP=Madhya Pradesh;MZ=Mizoram;NL=Nagaland;OD=Odisha;PB=Punjab;PY=Puducherry;RJ=Rajasthan
+SK=Sikkim;TN=Tamil Nadu;TR=Tripura;TS=Telangana;UK=Uttarakhand;UP=Uttar Pradesh;WB=West Bengal
ITA|21=Piedmont;23=Aosta Valley;25=Lombardy;32=Trentino-South Tyrol;34=Veneto;36=Friuli-Venezia Giulia
+42=Liguria;45=Emilia-Romagna;52=Tuscany;55=Umbria;57=Marche;62=Lazio;65=Abruzzo;67=Molise;72=Campania;75=Apulia
+77=Basilicata;78=Calabria;82=Sicily;88=Sardinia
MEX|AGU=Aguascalientes;BCN=Baja California;BCS=Baja California Sur;CAM=Campeche;CHH=Chihuahua;CHP=Chiapas
+CMX=Ciudad de Mexico;COA=Coahuila;COL=Colima;DUR=Durango;GRO=Guerrero;GUA=Guanajuato;HID=Hidalgo;JAL=Jalisco
+MEX=Mexico;MIC=Michoacan;MOR=Morelos;NAY=Nayarit;NLE=Nuevo Leon;OAX=Oaxaca;PUE=Puebla;QUE=Queretaro
+ROO=Quintana Roo;SIN=Sinaloa;SLP=San Luis Potosi;SON=Sonora;TAB=Tabasco;TAM=Tamaulipas;TLA=Tlaxcala
+VER=Veracruz;YUC=Yucatan;ZAC=Zacatecas
PRT|01=Aveiro;02=Beja;03=Braga;04=Braganca;05=Castelo Branco;06=Coimbra;07=Evora;08=Faro;09=Guarda;10=Leiria
+11=Lisboa;12=Portalegre;13=Porto;14=Santarem;15=Setubal;16=Viana do Castelo;17=Vila Real;18=Viseu;20=Azores
+30=Madeira
USA|AK=Alaska;AL=Alabama;AR=Arkansas;AZ=Arizona;CA=California;CO=Colorado;CT=Connecticut;DC=District of Columbia
+DE=Delaware;FL=Florida;GA=Georgia;HI=Hawaii;IA=Iowa;ID=Idaho;IL=Illinois;IN=Indiana;KS=Kansas;KY=Kentucky
+LA=Louisiana;MA=Massachusetts;MD=Maryland;ME=Maine;MI=Michigan;MN=Minnesota;MO=Missouri;MS=Mississippi
+MT=Montana;NC=North Carolina;ND=North Dakota;NE=Nebraska;NH=New Hampshire;NJ=New Jersey;NM=New Mexico;NV=Nevada
+NY=New York;OH=Ohio;OK=Oklahoma;OR=Oregon;PA=Pennsylvania;RI=Rhode Island;SC=South Carolina;SD=South Dakota
+TN=Tennessee;TX=Texas;UT=Utah;VA=Virginia;VT=Vermont;WA=Washington;WI=Wisconsin;WV=West Virginia;WY=Wyoming
"""
_RUN = re.compile(r"#+|@+")


@dataclass(frozen=True, slots=True)
class Country:
    """One country of the catalogue."""

    code: str
    alpha2: str
    name: str
    currency: str
    phone: str
    postal: str | None
    """A pattern with the provider's anchors, or None where there are no postal codes."""
    subdivisions: Mapping[str, str]

    def has(self, subdivision: str) -> bool:
        if self.subdivisions:
            return subdivision in self.subdivisions
        return re.fullmatch(rf"{self.alpha2}-[A-Z0-9]{{1,3}}", subdivision) is not None

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "name": self.name,
            "currency_code": self.currency,
            "phone_code": f"+{self.phone}",
            "flag_url": f"https://flagcdn.com/{self.alpha2.lower()}.svg",
            "postal_code": {"required": self.postal is not None, "regex": self.postal},
        }


def _pattern(shapes: str) -> str | None:
    if not shapes:
        return None
    written = "|".join(_RUN.sub(lambda run: _written(run[0]), shape) for shape in shapes.split("/"))
    return rf"\A(?:{written})\Z"


def _written(run: str) -> str:
    letters = r"\d" if run[0] == "#" else "[A-Z]"
    return letters if len(run) == 1 else f"{letters}{{{len(run)}}}"


def _lines(table: str) -> list[list[str]]:
    return [line.split("|") for line in table.replace("\n+", ";").strip().splitlines()]


_NAMED = {alpha3: dict(pair.split("=") for pair in listed.split(";")) for alpha3, listed in _lines(_SUBDIVISIONS)}
COUNTRIES: dict[str, Country] = {
    alpha3: Country(
        alpha3,
        alpha2,
        name,
        currency,
        phone,
        _pattern(postal),
        {f"{alpha2}-{code}": subdivision for code, subdivision in _NAMED.get(alpha3, {}).items()},
    )
    for alpha3, alpha2, currency, phone, postal, name in _lines(_COUNTRIES)
}
