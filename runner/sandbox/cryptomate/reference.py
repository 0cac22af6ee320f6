"""Countries with their subdivisions, and kinds of identification. (docs: IC/get-countries, IC/get-identifications)

A subdivision is written `ARG-B` in one of the provider's examples and `CA` in another, so nobody can build the code:
here the United States have the short form and all others the long one. The codes are those of ISO 3166-2.
"""

from __future__ import annotations

from dataclasses import dataclass

SHORT_CODES = frozenset({"USA"})

# alpha-3 | name | postal code, # is a digit and @ a letter | subdivisions
_TABLE = """
ARE|United Arab Emirates||AJ=Ajman;AZ=Abu Dhabi;DU=Dubai;FU=Fujairah;RK=Ras Al Khaimah;SH=Sharjah;UQ=Umm Al Quwain
ARG|Argentina|####|A=Salta;B=Buenos Aires;C=Ciudad Autonoma de Buenos Aires;D=San Luis;E=Entre Rios;F=La Rioja
+G=Santiago del Estero;H=Chaco;J=San Juan;K=Catamarca;L=La Pampa;M=Mendoza;N=Misiones;P=Formosa;Q=Neuquen
+R=Rio Negro;S=Santa Fe;T=Tucuman;U=Chubut;V=Tierra del Fuego;W=Corrientes;X=Cordoba;Y=Jujuy;Z=Santa Cruz
BHR|Bahrain|####|13=Capital;14=Southern;15=Muharraq;17=Northern
BOL|Bolivia||B=El Beni;C=Cochabamba;H=Chuquisaca;L=La Paz;N=Pando;O=Oruro;P=Potosi;S=Santa Cruz;T=Tarija
BRA|Brazil|#####-###|AC=Acre;AL=Alagoas;AM=Amazonas;AP=Amapa;BA=Bahia;CE=Ceara;DF=Distrito Federal;ES=Espirito Santo
+GO=Goias;MA=Maranhao;MG=Minas Gerais;MS=Mato Grosso do Sul;MT=Mato Grosso;PA=Para;PB=Paraiba;PE=Pernambuco;PI=Piaui
+PR=Parana;RJ=Rio de Janeiro;RN=Rio Grande do Norte;RO=Rondonia;RR=Roraima;RS=Rio Grande do Sul;SC=Santa Catarina
+SE=Sergipe;SP=Sao Paulo;TO=Tocantins
CAN|Canada|@#@ #@#|AB=Alberta;BC=British Columbia;MB=Manitoba;NB=New Brunswick;NL=Newfoundland and Labrador
+NS=Nova Scotia;NT=Northwest Territories;NU=Nunavut;ON=Ontario;PE=Prince Edward Island;QC=Quebec;SK=Saskatchewan
+YT=Yukon
CHL|Chile|#######|AI=Aisen;AN=Antofagasta;AP=Arica y Parinacota;AR=La Araucania;AT=Atacama;BI=Biobio;CO=Coquimbo
+LI=O'Higgins;LL=Los Lagos;LR=Los Rios;MA=Magallanes;ML=Maule;NB=Nuble;RM=Santiago;TA=Tarapaca;VS=Valparaiso
COL|Colombia|######|AMA=Amazonas;ANT=Antioquia;ARA=Arauca;ATL=Atlantico;BOL=Bolivar;BOY=Boyaca;CAL=Caldas;CAQ=Caqueta
+CAS=Casanare;CAU=Cauca;CES=Cesar;CHO=Choco;COR=Cordoba;CUN=Cundinamarca;DC=Bogota;GUA=Guainia;GUV=Guaviare;HUI=Huila
+LAG=La Guajira;MAG=Magdalena;MET=Meta;NAR=Narino;NSA=Norte de Santander;PUT=Putumayo;QUI=Quindio;RIS=Risaralda
+SAN=Santander;SAP=San Andres y Providencia;SUC=Sucre;TOL=Tolima;VAC=Valle del Cauca;VAU=Vaupes;VID=Vichada
DEU|Germany|#####|BB=Brandenburg;BE=Berlin;BW=Baden-Wurttemberg;BY=Bavaria;HB=Bremen;HE=Hesse;HH=Hamburg
+MV=Mecklenburg-Western Pomerania;NI=Lower Saxony;NW=North Rhine-Westphalia;RP=Rhineland-Palatinate
+SH=Schleswig-Holstein;SL=Saarland;SN=Saxony;ST=Saxony-Anhalt;TH=Thuringia
ESP|Spain|#####|AN=Andalusia;AR=Aragon;AS=Asturias;CB=Cantabria;CE=Ceuta;CL=Castile and Leon;CM=Castilla-La Mancha
+CN=Canary Islands;CT=Catalonia;EX=Extremadura;GA=Galicia;IB=Balearic Islands;MC=Murcia;MD=Madrid;ML=Melilla;NC=Navarre
+PV=Basque Country;RI=La Rioja;VC=Valencia
GBR|United Kingdom|@@# #@@|ENG=England;NIR=Northern Ireland;SCT=Scotland;WLS=Wales
ITA|Italy|#####|21=Piedmont;23=Aosta Valley;25=Lombardy;32=Trentino-South Tyrol;34=Veneto;36=Friuli-Venezia Giulia
+42=Liguria;45=Emilia-Romagna;52=Tuscany;55=Umbria;57=Marche;62=Lazio;65=Abruzzo;67=Molise;72=Campania;75=Apulia
+77=Basilicata;78=Calabria;82=Sicily;88=Sardinia
MEX|Mexico|#####|AGU=Aguascalientes;BCN=Baja California;BCS=Baja California Sur;CAM=Campeche;CHH=Chihuahua;CHP=Chiapas
+CMX=Ciudad de Mexico;COA=Coahuila;COL=Colima;DUR=Durango;GRO=Guerrero;GUA=Guanajuato;HID=Hidalgo;JAL=Jalisco;MEX=Mexico
+MIC=Michoacan;MOR=Morelos;NAY=Nayarit;NLE=Nuevo Leon;OAX=Oaxaca;PUE=Puebla;QUE=Queretaro;ROO=Quintana Roo;SIN=Sinaloa
+SLP=San Luis Potosi;SON=Sonora;TAB=Tabasco;TAM=Tamaulipas;TLA=Tlaxcala;VER=Veracruz;YUC=Yucatan;ZAC=Zacatecas
PER|Peru|#####|AMA=Amazonas;ANC=Ancash;APU=Apurimac;ARE=Arequipa;AYA=Ayacucho;CAJ=Cajamarca;CAL=Callao;CUS=Cusco
+HUC=Huanuco;HUV=Huancavelica;ICA=Ica;JUN=Junin;LAL=La Libertad;LAM=Lambayeque;LIM=Lima;LMA=Municipalidad de Lima
+LOR=Loreto;MDD=Madre de Dios;MOQ=Moquegua;PAS=Pasco;PIU=Piura;PUN=Puno;SAM=San Martin;TAC=Tacna;TUM=Tumbes;UCA=Ucayali
PRT|Portugal|####-###|01=Aveiro;02=Beja;03=Braga;04=Braganca;05=Castelo Branco;06=Coimbra;07=Evora;08=Faro;09=Guarda
+10=Leiria;11=Lisboa;12=Portalegre;13=Porto;14=Santarem;15=Setubal;16=Viana do Castelo;17=Vila Real;18=Viseu
+20=Azores;30=Madeira
PRY|Paraguay|####|1=Concepcion;2=San Pedro;3=Cordillera;4=Guaira;5=Caaguazu;6=Caazapa;7=Itapua;8=Misiones;9=Paraguari
+10=Alto Parana;11=Central;12=Neembucu;13=Amambay;14=Canindeyu;15=Presidente Hayes;16=Alto Paraguay;19=Boqueron
+ASU=Asuncion
URY|Uruguay|#####|AR=Artigas;CA=Canelones;CL=Cerro Largo;CO=Colonia;DU=Durazno;FD=Florida;FS=Flores;LA=Lavalleja
+MA=Maldonado;MO=Montevideo;PA=Paysandu;RN=Rio Negro;RO=Rocha;RV=Rivera;SA=Salto;SJ=San Jose;SO=Soriano;TA=Tacuarembo
+TT=Treinta y Tres
USA|United States|#####|AK=Alaska;AL=Alabama;AR=Arkansas;AZ=Arizona;CA=California;CO=Colorado;CT=Connecticut
+DC=District of Columbia;DE=Delaware;FL=Florida;GA=Georgia;HI=Hawaii;IA=Iowa;ID=Idaho;IL=Illinois;IN=Indiana;KS=Kansas
+KY=Kentucky;LA=Louisiana;MA=Massachusetts;MD=Maryland;ME=Maine;MI=Michigan;MN=Minnesota;MO=Missouri;MS=Mississippi
+MT=Montana;NC=North Carolina;ND=North Dakota;NE=Nebraska;NH=New Hampshire;NJ=New Jersey;NM=New Mexico;NV=Nevada
+NY=New York;OH=Ohio;OK=Oklahoma;OR=Oregon;PA=Pennsylvania;RI=Rhode Island;SC=South Carolina;SD=South Dakota
+TN=Tennessee;TX=Texas;UT=Utah;VA=Virginia;VT=Vermont;WA=Washington;WI=Wisconsin;WV=West Virginia;WY=Wyoming
"""

# Asked for by alpha-2 code; only SSN is named in the documents, the others are well-known numbers of their countries.
IDENTIFICATIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "AE": (("EMIRATES_ID", "Emirates ID"),),
    "AR": (("DNI", "Documento Nacional de Identidad"), ("CUIT", "Clave Unica de Identificacion Tributaria")),
    "BH": (("CPR", "Central Population Registration number"),),
    "BO": (("CI", "Cedula de Identidad"),),
    "BR": (("CPF", "Cadastro de Pessoas Fisicas"), ("RG", "Registro Geral")),
    "CA": (("SIN", "Social Insurance Number"),),
    "CL": (("RUT", "Rol Unico Tributario"),),
    "CO": (("CC", "Cedula de Ciudadania"), ("NIT", "Numero de Identificacion Tributaria")),
    "DE": (("STEUER_ID", "Steuerliche Identifikationsnummer"),),
    "ES": (("DNI", "Documento Nacional de Identidad"), ("NIE", "Numero de Identidad de Extranjero")),
    "GB": (("NINO", "National Insurance Number"),),
    "IT": (("CF", "Codice Fiscale"),),
    "MX": (("CURP", "Clave Unica de Registro de Poblacion"), ("RFC", "Registro Federal de Contribuyentes")),
    "PE": (("DNI", "Documento Nacional de Identidad"), ("RUC", "Registro Unico de Contribuyentes")),
    "PT": (("NIF", "Numero de Identificacao Fiscal"),),
    "PY": (("CI", "Cedula de Identidad"),),
    "US": (("SSN", "Social Security Number"), ("ITIN", "Individual Taxpayer Identification Number")),
    "UY": (("CI", "Cedula de Identidad"),),
}


@dataclass(frozen=True, slots=True)
class Country:
    """A supported country; `codes` are the values that `address.state` takes, with their names."""

    alpha3: str
    name: str
    postal_code_format: str | None
    codes: dict[str, str]

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "alpha3": self.alpha3,
            "postal_code_format": self.postal_code_format,
            "subdivisions": [{"name": name, "code": code} for code, name in self.codes.items()],
        }


def _country(line: str) -> Country:
    alpha3, name, postal, listed = line.split("|")
    prefix = "" if alpha3 in SHORT_CODES else f"{alpha3}-"
    pairs = [pair.split("=") for pair in listed.split(";")]
    return Country(alpha3, name, postal or None, {f"{prefix}{code}": subdivision for code, subdivision in pairs})


COUNTRIES: dict[str, Country] = {
    country.alpha3: country for country in map(_country, _TABLE.replace("\n+", ";").strip().splitlines())
}
