"""Names, towns, streets and products that the demo world draws from.

Written by hand, drawn by index: the world never builds a person from anywhere else.
Towns and postcodes are real; people, telephone numbers and e-mails are made up.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "AFFINITIES",
    "CATEGORIES",
    "FEMALE_NAMES",
    "LAST_NAMES",
    "LIEUX_DITS",
    "MAIL_PROVIDERS",
    "MALE_NAMES",
    "NICKNAMES",
    "PERSONAS",
    "SEARCHES",
    "STREET_NAMES",
    "STREET_TYPES",
    "TOWNS",
    "Category",
]


def _words(text: str) -> list[str]:
    """Words of a pool written over several lines, separated by bars or line ends."""
    return [word.strip() for word in text.replace("\n", "|").split("|") if word.strip()]


# First names by the decade they were given most in: a name dates a person.
FEMALE_NAMES: dict[int, list[str]] = {
    1945: _words("""Marie|Jeannine|Monique|Jacqueline|Denise|Yvette|Ginette|Huguette|Odette|Paulette
        |Simone|Colette|Micheline|Thérèse|Bernadette"""),
    1957: _words("""Françoise|Catherine|Martine|Nicole|Chantal|Christiane|Annie|Brigitte|Danielle
        |Évelyne|Josiane|Mireille|Sylviane|Marie-Claude|Marie-Thérèse|Anne-Marie|Dominique
        |Éliane|Joëlle|Michèle"""),
    1967: _words("""Sylvie|Isabelle|Nathalie|Véronique|Corinne|Valérie|Patricia|Laurence|Pascale
        |Florence|Marie-Christine|Agnès|Béatrice|Carole|Muriel|Hélène|Cécile|Marie-Laure
        |Maryse|Fabienne"""),
    1977: _words("""Sandrine|Stéphanie|Céline|Karine|Delphine|Virginie|Séverine|Sophie|Anne|Claire
        |Aurélie|Émilie|Laetitia|Magali|Caroline|Élodie|Gaëlle|Fatima|Nadia|Karima
        |Anne-Sophie|Marie-Pierre"""),
    1988: _words("""Julie|Marion|Camille|Laura|Pauline|Mélanie|Audrey|Charlotte|Anaïs|Mathilde
        |Justine|Élise|Marine|Alice|Amandine|Noémie|Samira|Inès|Yasmine|Aïcha|Lucie|Fanny
        |Maëlle|Solène"""),
    2001: _words("""Léa|Manon|Chloé|Emma|Sarah|Clara|Océane|Jade|Lola|Zoé|Louise|Eva|Juliette|Lina
        |Romane|Ambre|Maëlys|Lou-Anne|Fatoumata|Agathe"""),
}
MALE_NAMES: dict[int, list[str]] = {
    1945: _words("""Jean|André|Pierre|René|Roger|Marcel|Robert|Georges|Claude|Raymond|Maurice|Lucien
        |Henri|Fernand|Gilbert"""),
    1957: _words("""Michel|Bernard|Gérard|Jean-Pierre|Jean-Claude|Daniel|Alain|Jacques|Christian|Guy
        |Serge|Jean-Luc|Joël|Jean-Marie|Yves|Dominique|Jean-Paul|Francis|Hervé
        |Jean-François"""),
    1967: _words("""Philippe|Patrick|Pascal|Thierry|Éric|Laurent|Frédéric|Bruno|Didier|Marc|Olivier
        |Gilles|Jean-Marc|Franck|Denis|Xavier|Benoît|Jean-Michel|François|Étienne"""),
    1977: _words("""Christophe|Stéphane|David|Sébastien|Nicolas|Jérôme|Cédric|Ludovic|Arnaud|Vincent
        |Guillaume|Emmanuel|Fabrice|Grégory|Yann|Rachid|Karim|Mohamed|Loïc|Gaël|Raphaël
        |Pierre-Yves"""),
    1988: _words("""Julien|Thomas|Alexandre|Maxime|Romain|Kévin|Jérémy|Anthony|Florian|Mathieu
        |Benjamin|Clément|Quentin|Antoine|Adrien|Aurélien|Mickaël|Mehdi|Youssef|Simon
        |Rémi|Charles-Henri|Baptiste|Ibrahim"""),
    2001: _words("""Lucas|Enzo|Théo|Hugo|Louis|Nathan|Léo|Mathis|Arthur|Gabriel|Noah|Jules|Ethan
        |Paul|Tom|Sacha|Adam|Rayan|Évan|Mamadou|Titouan"""),
}

NICKNAMES: dict[str, str] = {
    "Alexandre": "Alex", "Anne-Marie": "Annie", "Anne-Sophie": "Anso", "Anthony": "Tony",
    "Antoine": "Toine", "Aurélie": "Lili", "Baptiste": "Bat", "Benjamin": "Ben",
    "Bernadette": "Dédette", "Camille": "Cam", "Caroline": "Caro", "Catherine": "Cathy",
    "Christian": "Chris", "Christiane": "Cricri", "Christophe": "Chris", "Danielle": "Dany",
    "Daniel": "Dany", "Dominique": "Domi", "Élisabeth": "Babeth", "Emmanuel": "Manu",
    "Fatoumata": "Fatou", "Florence": "Flo", "Florian": "Flo", "Françoise": "Fanfan",
    "François": "Fanfan", "Frédéric": "Fred", "Gabriel": "Gaby", "Gérard": "Gégé",
    "Grégory": "Greg", "Guillaume": "Guigui", "Isabelle": "Isa", "Jacqueline": "Jackie",
    "Jean-Claude": "JC", "Jean-François": "Jeff", "Jean-Luc": "Jean Luc", "Jean-Marc": "JM",
    "Jean-Michel": "Jean-Mi", "Jean-Paul": "JP", "Jean-Pierre": "JP", "Jérémy": "Jérem",
    "Josiane": "Josie", "Julien": "Ju", "Juliette": "Ju", "Laetitia": "Laeti",
    "Laurence": "Lolo", "Laurent": "Lolo", "Ludovic": "Ludo", "Marie-Christine": "Marie-Chris",
    "Marie-Claude": "Marie", "Marie-Laure": "Malo", "Marie-Thérèse": "Maïté",
    "Mathieu": "Mat", "Mathilde": "Math", "Maxime": "Max", "Mélanie": "Mél", "Michel": "Mimi",
    "Michèle": "Mimi", "Mickaël": "Mika", "Mohamed": "Momo", "Nathalie": "Nath",
    "Nicolas": "Nico", "Olivier": "Oliv", "Patricia": "Pat", "Patrick": "Pat",
    "Pauline": "Popo", "Philippe": "Phil", "Quentin": "Quent", "Raphaël": "Raph",
    "Robert": "Bob", "Sandrine": "Sandy", "Sébastien": "Seb", "Séverine": "Sév",
    "Stéphane": "Steph", "Stéphanie": "Steph", "Sylvie": "Syl", "Thérèse": "Maïté",
    "Valérie": "Val", "Véronique": "Véro", "Vincent": "Vince", "Virginie": "Vivi",
    "Xavier": "Xav",
}  # fmt: skip

# Most frequent first.
LAST_NAMES: list[str] = _words("""
Martin|Bernard|Thomas|Petit|Robert|Richard|Durand|Dubois|Moreau|Laurent|Simon|Michel|Lefebvre
Leroy|Roux|David|Bertrand|Morel|Fournier|Girard|Bonnet|Dupont|Lambert|Fontaine|Rousseau|Vincent
Muller|Lefèvre|Faure|André|Mercier|Blanc|Guérin|Boyer|Garnier|Chevalier|François|Legrand
Gauthier|Garcia|Perrin|Robin|Clément|Morin|Nicolas|Henry|Roussel|Mathieu|Gautier|Masson
Marchand|Duval|Denis|Dumont|Marie|Lemaire|Noël|Meyer|Dufour|Meunier|Brun|Blanchard|Giraud
Joly|Rivière|Lucas|Brunet|Gaillard|Barbier|Arnaud|Martinez|Gérard|Roche|Renard|Schmitt|Roy
Leroux|Colin|Vidal|Caron|Picard|Roger|Fabre|Aubert|Lemoine|Renaud|Dumas|Lacroix|Olivier
Philippe|Bourgeois|Pierre|Benoît|Rey|Leclerc|Payet|Rolland|Leclercq|Guillaume|Lecomte|Lopez
Jean|Dupuy|Guillot|Hubert|Berger|Carpentier|Sanchez|Dupuis|Moulin|Louis|Deschamps|Huet|Vasseur
Perez|Boucher|Fleury|Royer|Klein|Jacquet|Adam|Paris|Poirier|Marty|Aubry|Guyot|Carré|Charles
Renault|Charpentier|Ménard|Maillard|Baron|Bertin|Bailly|Hervé|Schneider|Fernandez|Le Gall
Collet|Léger|Bouvier|Julien|Prévost|Millet|Perrot|Daniel|Le Roux|Cousin|Germain|Breton|Besson
Langlois|Rémy|Le Goff|Pelletier|Lévêque|Perrier|Leblanc|Barré|Lebrun|Marchal|Weber|Mallet
Hamon|Boulanger|Jacob|Monnier|Michaud|Rodriguez|Guichard|Gillet|Étienne|Grondin|Poulain|Tessier
Chevallier|Collin|Chauvin|Da Silva|Bouchet|Gay|Lemaître|Bénard|Maréchal|Humbert|Reynaud|Antoine
Hoarau|Perret|Barthélemy|Cordier|Pichon|Lejeune|Gilbert|Lamy|Delaunay|Pasquier|Carlier|Laporte
El Idrissi|Benali|Diallo|Traoré|Nguyen|Tran|Bouazza|Haddad|Cissé|Mansouri|Ben Salah|Belkacem
de La Fontaine|de Villiers|du Bois|d'Ornano|de Castelnau|Le Floch|Le Bris|Le Bihan|Le Corre
L'Hostis|Kerguelen|Guéguen|Tanguy|Quéré|Abgrall|Riou|Cadiou|Kermarrec|de Saint-Martin
Saint-Jean|d'Aboville|de La Tour|Le Meur|Etcheverry|Ibarra|Goñi|Elissalde|Casanova|Santoni
Mattei|Luciani|Colonna|Wagner|Zimmermann|Keller|Fischer|Hoffmann|Schaeffer|Kuntz|Ziegler
Vandenberghe|Vandamme|Deconinck|Delattre|Delcourt|Lefebvre-Dumoulin|Dewailly|Verhaeghe
Rossi|Ferrari|Bianchi|Esposito|Ricci|Marino|Costa|Ferreira|Pereira|Rodrigues|Gonçalves|Lopes
Dos Santos|Oliveira|Teixeira|Gomez|Ruiz|Moreno|Navarro|Torres|Ortega|Serrano|Castillo|Molina
Kowalski|Nowak|Wisniewski|Lewandowski|Petrov|Ivanov|Yilmaz|Kaya|Demir|Hassan|Ali|Ahmed|Saïdi
Cohen|Lévy|Benhamou|Attal|Bensoussan|Boutin|Briand|Bourdon|Bousquet|Cazenave|Chartier|Coste
Couturier|Delmas|Descamps|Didier|Drouet|Ferrand|Gaudin|Georges|Gosselin|Grégoire|Hardy|Hebert
Imbert|Jacquot|Labbé|Lagarde|Laroche|Lebon|Leduc|Lelièvre|Marion|Maury|Navarre|Pascal|Pons
Pottier|Raynaud|Rossignol|Ruelle|Seguin|Tournier|Valentin|Vallée|Verdier|Vigneron|Voisin
""")

# Town, postcode, inhabitants in thousands, urbanity.
_TOWNS = """
Paris 75004 28 urban|Paris 75010 85 urban|Paris 75011 142 urban|Paris 75012 139 urban
Paris 75013 178 urban|Paris 75014 135 urban|Paris 75015 229 urban|Paris 75016 160 urban
Paris 75017 163 urban|Paris 75018 189 urban|Paris 75019 182 urban|Paris 75020 190 urban
Marseille 13001 39 urban|Marseille 13005 46 urban|Marseille 13008 81 urban
Marseille 13012 61 urban|Lyon 69002 31 urban|Lyon 69003 103 urban|Lyon 69006 52 urban
Lyon 69007 84 urban|Toulouse 31000 120 urban|Toulouse 31400 110 urban|Nice 06000 150 urban
Nice 06200 80 urban|Nantes 44000 190 urban|Montpellier 34000 180 urban|Strasbourg 67000 200 urban
Bordeaux 33000 160 urban|Lille 59000 180 urban|Rennes 35000 160 urban|Reims 51100 170 urban
Toulon 83000 120 urban|Saint-Étienne 42000 120 urban|Le_Havre 76600 110 urban
Grenoble 38000 120 urban|Dijon 21000 158 urban|Angers 49000 120 urban
Villeurbanne 69100 154 suburban|Nîmes 30000 110 urban|Aix-en-Provence 13100 100 urban
Clermont-Ferrand 63000 110 urban|Le_Mans 72000 120 urban|Brest 29200 139 urban
Tours 37000 90 urban|Amiens 80000 100 urban|Annecy 74000 70 urban|Limoges 87000 90 urban
Metz 57000 90 urban|Boulogne-Billancourt 92100 121 suburban|Perpignan 66000 90 urban
Besançon 25000 117 urban|Orléans 45000 90 urban|Rouen 76000 90 urban|Montreuil 93100 111 suburban
Caen 14000 105 urban|Argenteuil 95100 110 suburban|Saint-Denis 93200 90 suburban
Mulhouse 68100 80 urban|Nancy 54000 104 urban|Tourcoing 59200 98 suburban
Roubaix 59100 98 suburban|Nanterre 92000 96 suburban|Vitry-sur-Seine 94400 95 suburban
Créteil 94000 93 suburban|Avignon 84000 70 urban|Poitiers 86000 89 urban
Aubervilliers 93300 88 suburban|Dunkerque 59140 60 urban|Aulnay-sous-Bois 93600 86 suburban
Colombes 92700 86 suburban|Asnières-sur-Seine 92600 86 suburban|Versailles 78000 84 suburban
Saint-Quentin 02100 53 urban|Courbevoie 92400 82 suburban|Cherbourg-en-Cotentin 50100 50 urban
Béziers 34500 78 urban|La_Rochelle 17000 77 urban|Pau 64000 77 urban|Calais 62100 67 urban
Cannes 06400 60 urban|Antibes 06600 60 urban|Mérignac 33700 72 suburban
Saint-Nazaire 44600 72 urban|Colmar 68000 68 urban|Ajaccio 20000 60 urban|Bastia 20200 48 urban
Bourges 18000 64 urban|Quimper 29000 63 urban|Valence 26000 64 urban|Troyes 10000 62 urban
Lorient 56100 57 urban|Chambéry 73000 59 urban|Niort 79000 59 urban|Vannes 56000 54 urban
Laval 53000 49 urban|Bayonne 64100 52 urban|Évreux 27000 47 urban|Belfort 90000 46 urban
Charleville-Mézières 08000 46 urban|Blois 41000 46 urban|Brive-la-Gaillarde 19100 46 urban
Saint-Malo 35400 46 urban|Albi 81000 49 urban|Carcassonne 11000 46 urban
Angoulême 16000 41 urban|Chartres 28000 38 urban|Tarbes 65000 43 urban|Arras 62000 42 urban
Montauban 82000 61 urban|Agen 47000 33 urban|Périgueux 24000 30 urban|Gap 05000 40 urban
Digne-les-Bains 04000 17 rural|Aurillac 15000 26 rural|Le_Puy-en-Velay 43000 19 rural
Rodez 12000 24 rural|Mende 48000 12 rural|Guéret 23000 13 rural|Cahors 46000 20 rural
Auch 32000 22 rural|Lons-le-Saunier 39000 17 rural|Vesoul 70000 15 rural|Épinal 88000 32 urban
Bar-le-Duc 55000 15 rural|Chaumont 52000 22 rural|Mâcon 71000 34 urban|Moulins 03000 20 rural
Nevers 58000 33 urban|Alençon 61000 26 rural|Saint-Lô 50000 19 rural|Saint-Brieuc 22000 44 urban
La_Roche-sur-Yon 85000 55 urban|Châteauroux 36000 43 urban|Auxerre 89000 34 urban
Foix 09000 10 rural|Privas 07000 9 rural|Bourg-en-Bresse 01000 42 urban
Mont-de-Marsan 40000 30 urban|Beauvais 60000 56 urban|Laon 02000 24 rural|Melun 77000 41 suburban
Évry-Courcouronnes 91000 67 suburban|Bobigny 93000 54 suburban|Cergy 95000 66 suburban
Riquewihr 68340 2 rural|Locronan 29180 2 rural|Gordes 84220 4 rural|Rocamadour 46500 3 rural
Barfleur 50760 2 rural|Hautvillers 51160 3 rural|Eguisheim 68420 3 rural
Saint-Cirq-Lapopie 46330 2 rural|Vézelay 89450 2 rural|Collioure 66190 3 rural
Cordes-sur-Ciel 81170 3 rural|Conques-en-Rouergue 12320 2 rural|Moustiers-Sainte-Marie 04360 2 rural
Salers 15140 2 rural|Yvoire 74140 5 rural|Sarlat-la-Canéda 24200 9 rural|Honfleur 14600 7 rural
Le_Croisic 44490 4 rural|Pornic 44210 16 rural|Arcachon 33120 11 rural
Soorts-Hossegor 40150 4 rural
Saint-Denis 97400 100 urban|Saint-Pierre 97410 55 urban|Le_Tampon 97430 60 suburban
Basse-Terre 97100 10 urban|Pointe-à-Pitre 97110 15 urban|Les_Abymes 97139 50 suburban
Fort-de-France 97200 75 urban|Le_Lamentin 97232 40 suburban|Cayenne 97300 60 urban
Kourou 97310 25 suburban|Mamoudzou 97600 70 urban
"""
TOWNS: list[tuple[str, str, int, str]] = [
    (name.replace("_", " "), postcode, int(thousands), urbanity)
    for name, postcode, thousands, urbanity in (town.split() for town in _words(_TOWNS))
]

# Street type, usual abbreviation, weight.
STREET_TYPES: list[tuple[str, str, float]] = [
    ("rue", "r", 0.52), ("avenue", "av", 0.14), ("boulevard", "bd", 0.06), ("chemin", "ch", 0.06),
    ("impasse", "imp", 0.05), ("place", "pl", 0.04), ("allée", "all", 0.05), ("route", "rte", 0.04),
    ("quai", "quai", 0.01), ("cours", "crs", 0.01), ("square", "sq", 0.01),
    ("passage", "pas", 0.01),
]  # fmt: skip
STREET_NAMES: list[str] = _words("""
de la République|Victor Hugo|Jean Jaurès|du Général de Gaulle|de la Gare|Pasteur|de la Mairie
de l'Église|Jules Ferry|Gambetta|du Maréchal Foch|Émile Zola|de Verdun|du 8 Mai 1945
du 11 Novembre|Voltaire|Jean Moulin|des Écoles|de la Liberté|de Paris|Pierre et Marie Curie
Anatole France|des Lilas|des Acacias|du Moulin|du Château|de la Fontaine|des Tilleuls
Saint-Martin|Saint-Michel|Carnot|Aristide Briand|Léon Blum|Georges Clemenceau|Jules Verne
du Stade|de la Paix|des Roses|du Lavoir|de la Poste|des Vignes|du Port|de la Plage|des Pins
des Jardins|Molière|Lamartine|Balzac|Albert Camus|Antoine de Saint-Exupéry|George Sand
Marcel Pagnol|Paul Cézanne|Claude Monet|Édouard Vaillant|Salvador Allende|Nelson Mandela
Simone Veil|Louise Michel|Joséphine Baker|du Docteur Roux|du Professeur Calmette|de Bretagne
d'Alsace|de Lorraine|de Provence|de Strasbourg|de Lyon|de Bordeaux|de Nantes|du Faubourg
des Capucins|des Cordeliers|de la Cathédrale|du Marché|des Halles|de la Monnaie|de l'Abbaye
des Remparts|de la Porte Neuve|du Puits|de la Croix|du Calvaire|des Cerisiers|des Noyers
des Peupliers|des Mésanges|des Hirondelles|des Alouettes|du Bois Joli|de la Forêt|du Ruisseau
des Prés|de Beauregard|de Bellevue|du Belvédère|de la Corniche|du Soleil|de l'Avenir
""")
LIEUX_DITS: list[str] = _words("""
Le Bourg|La Grange Neuve|Les Quatre Chemins|Kervao|Le Mas Blanc|La Croix des Vents|Les Granges
Le Moulin Vieux|La Bergerie|Les Hauts de Sainte-Anne|Ravine Blanche|Morne Vert|Petit Bourg
""")

# Provider, share of addresses.
MAIL_PROVIDERS: list[tuple[str, float]] = [
    ("gmail.com", 0.42), ("orange.fr", 0.12), ("hotmail.fr", 0.09), ("free.fr", 0.08),
    ("yahoo.fr", 0.07), ("wanadoo.fr", 0.05), ("sfr.fr", 0.05), ("laposte.net", 0.05),
    ("outlook.fr", 0.04), ("icloud.com", 0.03),
]  # fmt: skip


@dataclass(frozen=True)
class Category:
    """A product category and how it sells.

    `season` gives the weight of each month (1 is an average month); `price` is the
    median price in euros, `margin` the share of the price left by the cost of goods.
    """

    name: str
    price: float
    margin: float
    popularity: float
    season: tuple[float, ...]
    products: tuple[str, ...]


def _category(
    name: str, price: float, margin: float, popularity: float, season: str, products: str
) -> Category:
    months = tuple(float(weight) for weight in season.split())
    names = tuple(_words(products))
    return Category(name, price, margin, popularity, months, names)


CATEGORIES: tuple[Category, ...] = (
    _category("Jardin", 21, 0.42, 1.2, ".4 .6 1.6 2.2 2.0 1.3 .8 .6 .9 .8 .4 .3", """
sécateur|terreau 40 L|jardinière|tuyau d'arrosage|salon de jardin|parasol|graines de tomate
engrais bio|tondeuse|gants de jardin|arrosoir|bac à compost|rosier|barbecue|hamac|brouette
lanterne solaire|nichoir|sac de paillage|serre de balcon"""),
    _category("Décoration", 18, 0.55, 1.1, ".9 .9 1 1 1 .9 .9 .9 1.1 1.1 1.2 1.3", """
vase|bougie parfumée|cadre photo|miroir rond|coussin|tapis berbère|lampe à poser|guirlande
horloge murale|plante artificielle|panier tressé|affiche encadrée|rideau occultant|plaid
photophore|statuette|étagère murale|patère|pouf|paravent"""),
    _category("Cuisine", 22, 0.45, 1.1, ".9 .9 .9 1 1.1 .9 .9 .8 1 1 1.2 1.5", """
poêle 28 cm|casserole inox|couteau de chef|planche à découper|moule à gâteau|saladier
service d'assiettes|lot de verres|cafetière à piston|théière|balance de cuisine|faitout
wok|bocal en verre|essoreuse à salade|râpe|rouleau à pâtisserie|plat à four|carafe|tablier"""),
    _category("Linge de maison", 28, 0.50, 0.9, "1.6 .9 .9 .9 .9 .9 .9 .9 1.1 1 1 1", """
housse de couette|drap-housse|taie d'oreiller|oreiller|couette légère|serviette de bain
peignoir|nappe|torchon|jeté de lit|protège-matelas|tapis de bain|set de table|gant de toilette
couverture polaire|drap de plage|voilage|traversin|chemin de table|parure de lit"""),
    _category("Bricolage", 19, 0.35, 0.8, ".8 .9 1.2 1.3 1.2 1.1 1.1 1 1 .9 .8 .7", """
perceuse|visseuse|boîte à outils|marteau|jeu de tournevis|peinture blanche 10 L|rouleau
mètre ruban|niveau à bulle|colle de montage|cheville universelle|scie sauteuse|ponceuse
escabeau|enduit de rebouchage|lampe frontale|multiprise|ampoule LED|serrure|étau"""),
    _category("Livres", 14, 0.30, 1.3, ".9 .9 .9 .9 1 1.1 1.1 .9 1.1 1 1.1 2.0", """
roman de la rentrée|polar nordique|bande dessinée|manga tome 1|livre de cuisine|guide de voyage
album jeunesse|beau livre|essai d'histoire|recueil de poésie|dictionnaire|livre de jardinage
biographie|roman feel-good|science-fiction|cahier de vacances|atlas|livre audio|conte illustré
carnet de coloriage"""),
    _category("Papeterie", 7, 0.48, 0.9, ".7 .6 .6 .6 .6 .8 1.2 3.6 2.4 .7 .6 .7", """
cahier 96 pages|stylo plume|trousse|agenda scolaire|cartable|classeur|feutres|crayons de couleur
compas|calculatrice|bloc-notes|surligneur|ramette de papier|colle en bâton|sac à dos|règle
gomme|chemise cartonnée|étiquettes|peinture gouache"""),
    _category("Jouets", 23, 0.40, 1.0, ".5 .5 .6 .6 .7 .7 .7 .7 .7 1.1 2.4 3.4", """
puzzle 500 pièces|jeu de société|poupée|voiture télécommandée|peluche|jeu de construction
trottinette|train en bois|dînette|déguisement|pâte à modeler|jeu de cartes|ballon|cerf-volant
figurine|cube d'éveil|draisienne|maison de poupée|circuit de billes|microscope junior"""),
    _category("Puériculture", 34, 0.33, 0.5, "1 1 1 1 1 1 1 1 1 1 1 1", """
poussette|siège auto|lit parapluie|biberon|chauffe-biberon|tapis d'éveil|transat|table à langer
gigoteuse|mobile musical|babyphone|porte-bébé|chaise haute|bavoir|veilleuse|baignoire bébé
doudou|coussin d'allaitement|barrière de sécurité|sac à langer"""),
    _category("Petit électroménager", 62, 0.22, 0.6,
              "1.3 .8 .8 .8 1 .9 .9 .8 .9 .9 1.6 1.6", """
machine à café|bouilloire|grille-pain|robot pâtissier|mixeur|aspirateur balai|fer à repasser
ventilateur|gaufrier|yaourtière|friteuse sans huile|blender|centrale vapeur|radiateur d'appoint
machine à pain|hachoir|sèche-cheveux|humidificateur|plancha|purificateur d'air"""),
)  # fmt: skip

# Categories bought together: the second is added to a basket that holds the first.
AFFINITIES: dict[str, dict[str, float]] = {
    "Jardin": {"Bricolage": 0.5, "Décoration": 0.2, "Livres": 0.1},
    "Décoration": {"Linge de maison": 0.5, "Cuisine": 0.2},
    "Cuisine": {"Petit électroménager": 0.35, "Linge de maison": 0.2, "Livres": 0.15},
    "Linge de maison": {"Décoration": 0.5, "Puériculture": 0.1},
    "Bricolage": {"Jardin": 0.4, "Décoration": 0.2},
    "Livres": {"Papeterie": 0.4, "Jouets": 0.2},
    "Papeterie": {"Livres": 0.4, "Jouets": 0.2},
    "Jouets": {"Puériculture": 0.25, "Livres": 0.35},
    "Puériculture": {"Jouets": 0.5, "Linge de maison": 0.25},
    "Petit électroménager": {"Cuisine": 0.6, "Décoration": 0.1},
}

# Kinds of taste, in weights by category in the order above.
PERSONAS: dict[str, tuple[float, ...]] = {
    "jardinier": (8, 1, 1, 1, 4, 1.5, 0.3, 0.5, 0.2, 0.7),
    "jeune famille": (1, 1, 1, 1, 0.8, 2, 2, 5, 6, 1),
    "décorateur": (1, 7, 2, 5, 1, 1, 0.4, 0.4, 0.3, 0.6),
    "cuisinier": (1, 1, 7, 1, 0.5, 2, 0.3, 0.4, 0.2, 4),
    "lecteur": (0.6, 0.8, 0.8, 0.5, 0.3, 9, 2.5, 1, 0.3, 0.3),
    "bricoleur": (2.5, 1, 0.7, 0.4, 8, 0.8, 0.4, 0.6, 0.2, 1.2),
    "éclectique": (2, 2, 2, 2, 2, 2, 2, 2, 1, 2),
}

SEARCHES: dict[str, tuple[str, ...]] = {
    "Jardin": ("terreau", "salon de jardin pas cher", "tondeuse", "graines bio", "barbecue"),
    "Décoration": ("miroir rond", "idée déco salon", "bougie", "tapis", "guirlande lumineuse"),
    "Cuisine": ("poêle induction", "moule silicone", "couteau japonais", "service assiettes"),
    "Linge de maison": ("housse de couette 240x220", "serviette coton bio", "plaid", "rideaux"),
    "Bricolage": ("perceuse sans fil", "peinture mur", "escabeau", "ampoule led e27"),
    "Livres": ("prix goncourt", "manga", "livre recette", "bd astérix", "roman poche"),
    "Papeterie": ("cartable", "agenda 2025", "fournitures cp", "stylo plume", "calculatrice"),
    "Jouets": ("idée cadeau 6 ans", "lego", "jeu de société famille", "puzzle", "cadeau noël"),
    "Puériculture": ("poussette", "siège auto", "liste de naissance", "lit bébé", "biberon"),
    "Petit électroménager": ("machine à café grain", "aspirateur sans fil", "air fryer", "blender"),
}
