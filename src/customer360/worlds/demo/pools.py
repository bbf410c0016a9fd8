"""Names, towns, streets and number blocks that the demo world draws from.

Drawn by index: the world never builds a person from anywhere else. The first 400 last
names stand in the order of Faker's `fr_FR` list (MIT licence); other names, towns,
postcodes and rounded populations are real ones written from memory, not checked against
a register. People, telephone numbers and e-mails are made up.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "COUNTRY_CODES",
    "FEMALE_NAMES",
    "LAST_NAMES",
    "LIEUX_DITS",
    "MAIL_PROVIDERS",
    "MALE_NAMES",
    "NICKNAMES",
    "NUMBER_BLOCKS",
    "ORIGINS",
    "RESIDENCES",
    "SHORT_STREET_NAMES",
    "STREET_NAMES",
    "STREET_TYPES",
    "TOWNS",
    "ZONES",
    "Origin",
    "words",
]


def words(text: str) -> list[str]:
    """Words of a pool written over several lines, separated by bars or line ends."""
    return [word.strip() for word in text.replace("\n", "|").split("|") if word.strip()]


# First names by the decade they were given most in, most frequent first: a name dates a person.
FEMALE_NAMES: dict[int, list[str]] = {
    1945: words("""Marie|Monique|Jacqueline|Jeannine|Denise|Yvette|Ginette|Paulette|Simone|Colette
        |Odette|Huguette|Thérèse|Micheline|Bernadette|Jeanne|Suzanne|Madeleine|Andrée|Lucienne
        |Gisèle|Arlette|Josette|Raymonde|Claudine|Renée|Yvonne|Georgette|Hélène|Solange|Liliane
        |Pierrette|Marguerite|Germaine|Louisette|Marie-Louise|Rolande|Mauricette|Henriette
        |Geneviève|Élisabeth|Édith"""),
    1957: words("""Françoise|Martine|Catherine|Nicole|Chantal|Christiane|Annie|Brigitte|Danielle
        |Évelyne|Dominique|Christine|Josiane|Michèle|Anne-Marie|Mireille|Éliane|Joëlle|Sylviane
        |Marie-Claude|Marie-Thérèse|Jocelyne|Maryvonne|Viviane|Claudette|Ghislaine|Francine
        |Régine|Roselyne|Marie-France|Marie-José|Marie-Hélène|Odile|Annick|Nadine|Élisabeth
        |Bernadette|Lydie|Marie-Paule|Armelle|Yolande|Danièle|Jacqueline|Colette"""),
    1967: words("""Sylvie|Nathalie|Isabelle|Véronique|Corinne|Valérie|Patricia|Christine|Laurence
        |Pascale|Florence|Béatrice|Agnès|Carole|Muriel|Hélène|Cécile|Fabienne|Maryse
        |Marie-Christine|Marie-Laure|Anne|Claire|Sophie|Brigitte|Élisabeth|Nadine|Marylène
        |Estelle|Sabine|Myriam|Marie-Noëlle|Frédérique|Édith|Odile|Catherine|Rachel
        |Clotilde|Régine|Dominique"""),
    1977: words("""Sandrine|Stéphanie|Céline|Karine|Sophie|Delphine|Virginie|Séverine|Anne|Claire
        |Aurélie|Laetitia|Émilie|Caroline|Magali|Élodie|Gaëlle|Christelle|Nathalie|Sabrina
        |Emmanuelle|Vanessa|Angélique|Alexandra|Ludivine|Anne-Sophie|Marie-Pierre|Peggy
        |Sonia|Barbara|Cindy|Nadège|Marie-Laure|Rachel|Anne-Laure|Élise|Hélène|Cécile
        |Anne-Claire|Estelle|Marie-Ève|Ingrid|Linda"""),
    1988: words("""Julie|Laura|Marion|Pauline|Camille|Mélanie|Audrey|Marine|Charlotte|Anaïs|Amandine
        |Justine|Mathilde|Lucie|Fanny|Élodie|Alice|Élise|Noémie|Morgane|Jessica|Jennifer|Émilie
        |Coralie|Claire|Cynthia|Alexia|Maëlle|Solène|Margaux|Mélissa|Amélie|Ophélie|Laurie
        |Cassandra|Cécilia|Marie|Anne-Lise|Léa|Adeline|Aurore|Perrine|Tiphaine|Gwenaëlle
        |Manon|Sarah|Juliette|Valentine|Aline|Bérénice"""),
    2001: words("""Léa|Manon|Chloé|Emma|Camille|Océane|Marie|Sarah|Clara|Inès|Lucie|Jade|Mathilde
        |Louise|Zoé|Eva|Juliette|Lola|Lina|Romane|Ambre|Maëlys|Agathe|Lou-Anne|Anaïs|Pauline
        |Alice|Élisa|Jeanne|Maëva|Lisa|Julie|Charlotte|Margot|Célia|Elsa|Noémie|Lou|Rose
        |Capucine|Clémence|Salomé|Ninon|Éloïse|Victoire|Apolline|Joséphine|Lilou"""),
}
# The same for men.
MALE_NAMES: dict[int, list[str]] = {
    1945: words("""Jean|André|Pierre|René|Roger|Claude|Marcel|Robert|Georges|Raymond|Maurice|Lucien
        |Henri|Fernand|Gilbert|Louis|Jacques|Paul|Guy|Albert|Émile|Charles|Yves|Roland|Edmond
        |Joseph|Gaston|Léon|Marius|Eugène|Gabriel|Camille|Norbert|Armand|Auguste|Rémy|Ernest
        |Jean-Louis|François|Félix|Gérard|Marc"""),
    1957: words("""Michel|Bernard|Gérard|Daniel|Alain|Jacques|Christian|Jean-Pierre|Jean-Claude|Guy
        |Serge|Dominique|Jean-Luc|Jean-Paul|Joël|Yves|Jean-Marie|Francis|Jean-François|Hervé
        |Jean-Michel|Jean-Louis|Roland|Jean-Jacques|Noël|Jean-Yves|Gilles|Rémy|Marc|Antoine
        |Jean|Pierre|Claude|Hubert|Jean-Bernard|Lionel|Régis|Robert|Gilbert|Philippe
        |Jean-Noël"""),
    1967: words("""Philippe|Patrick|Pascal|Thierry|Éric|Laurent|Frédéric|Bruno|Didier|Marc|Olivier
        |Gilles|Christophe|Jean-Marc|Franck|Denis|Xavier|Benoît|Jean-Michel|François|Étienne
        |Stéphane|Dominique|Hervé|Alain|Jean-Christophe|Jean-Philippe|Yannick|Rémi|Bertrand
        |Luc|Sylvain|Régis|Lionel|Vincent|Thomas|Jean-Charles|Fabien|Pierre|Emmanuel|Arnaud
        |Loïc|Gérald"""),
    1977: words("""Christophe|Stéphane|Sébastien|David|Nicolas|Jérôme|Cédric|Ludovic|Arnaud|Vincent
        |Guillaume|Emmanuel|Fabrice|Grégory|Olivier|Frédéric|Yann|Loïc|Gaël|Raphaël|Pierre-Yves
        |Mathieu|Julien|Jean-Baptiste|Johann|Samuel|Fabien|Sylvain|Xavier|Benoît|Bertrand
        |Mickaël|Damien|Cyril|Cyrille|Jean-Sébastien|Anthony|Rodolphe|Alexandre|Tanguy|Ronan
        |Gwenaël|Joachim"""),
    1988: words("""Julien|Thomas|Nicolas|Alexandre|Maxime|Romain|Kévin|Jérémy|Anthony|Florian
        |Mathieu|Benjamin|Clément|Quentin|Antoine|Guillaume|Adrien|Aurélien|Pierre|Mickaël
        |Simon|Rémi|Charles-Henri|Baptiste|Jonathan|Vincent|Valentin|Alexis|Arnaud|Damien
        |Fabien|Steven|Dylan|Jordan|Geoffrey|Matthieu|Pierre-Louis|Paul|Étienne|Corentin
        |Dimitri|Jean-Baptiste|François-Xavier|Édouard|Bastien|Loïc|Gaëtan|Yoann|Martin"""),
    2001: words("""Lucas|Théo|Hugo|Thomas|Maxime|Enzo|Louis|Nathan|Léo|Alexandre|Antoine|Mathis
        |Arthur|Gabriel|Clément|Jules|Noah|Ethan|Paul|Tom|Sacha|Adam|Évan|Titouan|Quentin
        |Romain|Baptiste|Valentin|Raphaël|Victor|Axel|Pierre|Martin|Simon|Robin|Maël|Timéo
        |Malo|Gaspard|Augustin|Marius|Oscar|Côme|Théodore|Eliott|Loris|Esteban|Lenny"""),
}


@dataclass(frozen=True)
class Origin:
    """Names that came with those who came; most frequent first.

    `share` of the households bear such last names.
    """

    share: float
    last: list[str]
    female: list[str]
    male: list[str]


# Share of households, last names, first names of women, of men: from North Africa, Africa south
# of the Sahara, East Asia, Turkey, Portugal, Eastern Europe.
ORIGINS: list[Origin] = [
    Origin(
        0.060,
        words("""Benali|Ben Salah|Haddad|Mansouri|Belkacem|El Idrissi|Bouazza|Saïdi|Cherif|Brahimi
        |Hamdi|Khelifi|Ben Ali|Amrani|El Amrani|Alaoui|Benamar|Bouchareb|Ziani|Meziane|Slimani
        |Toumi|Rahmani|Belhadj|Bouzid|Trabelsi|Jaziri|Ben Youssef|Gharbi|Ayari|El Khattabi
        |El Fassi|Bennani|Tazi|Cherkaoui|Lahlou|Ouali|Aït Ahmed|Aït Saïd|Hamidi|Kaddour|Larbi
        |Mokhtari|Djebbar|Bensaïd|Hassani|Zerrouki|Yahiaoui|Guerfi|Boudiaf|Nasri|Mebarki
        |Daoudi|Chaoui|El Mansour|Ferhat|Abdallah|Moussaoui|Khaldi"""),
        words("""Fatima|Nadia|Karima|Samira|Yasmine|Aïcha|Leïla|Malika|Farida|Khadija|Sabrina|Naïma
        |Soraya|Zohra|Rachida|Houria|Amina|Fatiha|Hanane|Latifa|Inès|Lina|Sarah|Myriam|Nour
        |Djamila|Souad|Fatma|Assia|Salma|Sofia|Nawel"""),
        words("""Mohamed|Karim|Rachid|Mehdi|Youssef|Ahmed|Ali|Saïd|Nabil|Samir|Mustapha|Farid|Omar
        |Hassan|Abdelkader|Khaled|Mourad|Kamel|Djamel|Rayan|Bilal|Yanis|Sofiane|Hamza|Ismaël
        |Brahim|Amine|Nassim|Hakim|Malik|Abdelkrim|Lotfi"""),
    ),
    Origin(
        0.022,
        words("""Diallo|Traoré|Cissé|Diop|Ndiaye|Camara|Coulibaly|Konaté|Sow|Ba|Diarra|Keïta|Touré
        |Sylla|Fofana|Bah|Barry|Dembélé|Sissoko|Kanté|Koné|Ouattara|Kouassi|Kouadio|Mendy|Gomis
        |Fall|Gueye|Sarr|Faye|Sané|Doumbia|Bamba|Mbaye|Mbemba|Ngoma|Okemba|Ilunga|Kabongo
        |Nkounkou|Essomba|Mballa"""),
        words("""Fatoumata|Aminata|Mariam|Awa|Aïssatou|Kadiatou|Fanta|Oumou|Hawa|Rokia|Binta|Ramata
        |Djeneba|Maïmouna|Grâce|Prisca|Divine|Esther|Bintou|Nafissatou|Marie-Noëlle"""),
        words("""Mamadou|Ibrahim|Moussa|Ousmane|Abdoulaye|Amadou|Boubacar|Souleymane|Cheikh|Seydou
        |Lassana|Bakary|Aboubacar|Issa|Modibo|Mouhamadou|Christ|Junior|Dieudonné|Serge|Patrice"""),
    ),
    Origin(
        0.010,
        words("""Nguyen|Tran|Pham|Huynh|Phan|Vo|Dang|Bui|Do|Hoang|Ngo|Duong|Ly|Chen
        |Wang|Li|Zhang|Liu|Wu|Zhou|Lin|Huang|Kim|Sok|Chea|Heng|Vang|Yang|Xiong|Souvanna"""),
        words("""Thi|Linh|Mai|Lan|Huong|Kim|Mei|Anh|Hoa|Phuong|Ngoc|Hélène|Caroline|Julie|Sophie
        |Li|Jade|Chan|Sokha"""),
        words("""Minh|Van|Duc|Thanh|Quang|Huy|Wei|Jun|Hoang|Tuan|Vincent|David|Kevin|Daniel|Ming
        |Chanthou|Bao|Philippe"""),
    ),
    Origin(
        0.008,
        words("""Yilmaz|Kaya|Demir|Şahin|Çelik|Yildiz|Aydin|Öztürk|Arslan|Doğan|Kiliç|Aslan|Koç
        |Özdemir|Polat|Erdogan|Güneş|Bozkurt|Avci|Tekin|Karaca|Simsek"""),
        words("Fatma|Ayşe|Emine|Hatice|Zeynep|Elif|Meryem|Melek|Sevgi|Hülya|Esra|Selin|Yasemin"),
        words("Mehmet|Mustafa|Ahmet|Ali|Hasan|Hüseyin|Ibrahim|Murat|Emre|Yusuf|Kemal|Serkan|Can"),
    ),
    Origin(
        0.025,
        words("""Da Costa|Dos Santos|Pereira|Ferreira|Rodrigues|Gonçalves|Fernandes|Lopes|Martins
        |Ribeiro|Gomes|Marques|Alves|De Oliveira|De Sousa|Pinto|Teixeira|Oliveira|Dias|Pires
        |Carvalho|Da Cruz|Moreira|Nunes|Soares|Vieira|Monteiro|Cardoso|Mendes|Da Fonseca|Tavares
        |De Jesus|Da Rocha|Das Neves|Machado|Coelho"""),
        words("""Maria|Ana|Isabel|Fernanda|Rosa|Helena|Paula|Sandra|Cristina|Teresa|Lurdes|Conceição
        |Inês|Beatriz|Sofia|Carla"""),
        words("""José|Manuel|Antonio|Carlos|João|Paulo|Luis|Fernando|Joaquim|Jorge|Rui|Pedro
        |Miguel|Nuno|Tiago|Filipe"""),
    ),
    Origin(
        0.010,
        words("""Kowalski|Nowak|Wisniewski|Lewandowski|Wojcik|Kaminski|Zielinski|Szymanski|Kozlowski
        |Jankowski|Mazur|Krawczyk|Petrov|Ivanov|Popov|Popescu|Ionescu|Jovanovic|Petrovic|Markovic
        |Wozniak|Dudek|Pawlak|Novak|Kovacs|Stankovic"""),
        words("""Anna|Ewa|Katarzyna|Agnieszka|Barbara|Hélène|Sophie|Élena|Olga|Natacha|Irina|Ioana
        |Jelena|Magdalena"""),
        words("""Stanislas|Casimir|Piotr|Tomasz|Marek|André|Bernard|Daniel|Ivan|Dragan|Ion|Mihai
        |Nicolas|Édouard"""),
    ),
]

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
    "Stéphane": "Steph", "Sylvie": "Syl", "Thérèse": "Maïté",
    "Valérie": "Val", "Véronique": "Véro", "Vincent": "Vince", "Virginie": "Vivi",
    "Xavier": "Xav", "Élodie": "Élo", "Amandine": "Mandine", "Stéphanie": "Steph",
    "Charlotte": "Cha", "Mélissa": "Mel", "Alexandra": "Alex", "Angélique": "Angie",
    "Éric": "Rico", "Jean-Baptiste": "JB", "Jean-Christophe": "JC", "Jean-Philippe": "Jean-Phi",
    "Jean-Yves": "Jean-Yv", "Marie-Hélène": "Marilène", "Marie-José": "Marijo",
    "Bernard": "Nanard", "Bertrand": "Bébert", "Édouard": "Doudou", "Matthieu": "Mat",
    "Théodore": "Théo", "Valentine": "Val", "Valentin": "Val", "Joséphine": "Jo",
    "Abdelkader": "Kader", "Abdelkrim": "Krim", "Mustapha": "Mus", "Aboubacar": "Abou",
    "Mouhamadou": "Mamadou", "Souleymane": "Souley",
}  # fmt: skip

# Most frequent first, as far as the first 400 go; the order of the others means nothing.
LAST_NAMES: list[str] = words("""
Martin|Bernard|Thomas|Robert|Petit|Dubois|Richard|Garcia|Durand|Moreau|Lefebvre|Simon|Laurent
Michel|Leroy|Martinez|David|Fontaine|Da Silva|Morel|Fournier|Dupont|Bertrand|Lambert|Rousseau
Girard|Roux|Vincent|Lefèvre|Boyer|Lopez|Bonnet|André|François|Mercier|Muller|Guérin|Legrand
Sanchez|Garnier|Chevalier|Faure|Perez|Clément|Fernandez|Blanc|Robin|Morin|Gauthier|Pereira|Perrin
Roussel|Henry|Duval|Gautier|Nicolas|Masson|Marie|Noël|Ferreira|Lemaire|Mathieu|Rivière|Denis
Marchand|Rodriguez|Dumont|Payet|Lucas|Dufour|Dos Santos|Joly|Blanchard|Meunier|Rodrigues|Caron
Gérard|Fernandes|Brunet|Meyer|Barbier|Leroux|Renard|Gonçalves|Gaillard|Brun|Roy|Picard|Giraud
Roger|Schmitt|Colin|Arnaud|Vidal|Gonzalez|Lemoine|Roche|Aubert|Olivier|Leclercq|Pierre|Philippe
Bourgeois|Renaud|Martins|Leclerc|Guillaume|Lacroix|Lecomte|Benoît|Fabre|Carpentier|Vasseur|Louis
Hubert|Jean|Dumas|Rolland|Grondin|Rey|Huet|Gomez|Dupuis|Guillot|Berger|Moulin|Hoarau|Ménard
Deschamps|Fleury|Adam|Boucher|Poirier|Bertin|Charles|Aubry|Da Costa|Royer|Dupuy|Maillard|Paris
Baron|Lopes|Guyot|Carré|Jacquet|Renault|Hervé|Charpentier|Klein|Cousin|Collet|Léger|Ribeiro
Hernandez|Bailly|Schneider|Le Gall|Ruiz|Langlois|Bouvier|Gomes|Prévost|Julien|Lebrun|Breton
Germain|Millet|Boulanger|Rémy|Le Roux|Daniel|Marques|Maillot|Leblanc|Le Goff|Barré|Perrot|Lévêque
Marty|Bénard|Monnier|Hamon|Pelletier|Alves|Étienne|Marchal|Poulain|Tessier|Lemaître|Guichard
Besson|Mallet|Hoareau|Gillet|Weber|Jacob|Collin|Chevallier|Perrier|Michaud|Carlier|Delaunay
Chauvin|Alexandre|Maréchal|Antoine|Lebon|Cordier|Lejeune|Bouchet|Pasquier|Legros|Delattre|Humbert
De Oliveira|Briand|Lamy|Launay|Gilbert|Perret|Lesage|Gay|Navarro|Besnard|Pichon|Hébert|Cohen|Pons
Lebreton|Sauvage|De Sousa|Pineau|Albert|Jacques|Pinto|Barthélemy|Turpin|Bigot|Lelièvre|Georges
Reynaud|Ollivier|Martel|Voisin|Leduc|Guillet|Vallée|Coulon|Camus|Marin|Teixeira|Costa|Mahé|Didier
Charrier|Gaudin|Bodin|Guillou|Grégoire|Gros|Blanchet|Buisson|Blondel|Paul|Dijoux|Barbe|Hardy|Lainé
Évrard|Laporte|Rossi|Joubert|Régnier|Tanguy|Gimenez|Allard|Devaux|Morvan|Lévy|Dias|Courtois|Lenoir
Berthelot|Pascal|Vaillant|Guilbert|Thibault|Moreno|Duhamel|Colas|Massé|Baudry|Bruneau|Verdier
Delorme|Blin|Guillon|Mary|Coste|Pruvost|Maury|Allain|Valentin|Godard|Joseph|Brunel|Marion|Texier
Seguin|Raynaud|Bourdon|Raymond|Bonneau|Chauvet|Maurice|Legendre|Loiseau|Ferrand|Toussaint|Techer
Lombard|Lefort|Couturier|Bousquet|Diaz|Riou|Clerc|Weiss|Imbert|Jourdan|Delahaye|Gilles|Guibert
Bègue|Descamps|Delmas|Peltier|Dupré|Chartier|Martineau|Laroche|Leconte|Maillet|Parent|Labbé|Potier
Bazin|Normand|Pottier|Torres|Lagarde|Blot|Jacquot|Lemonnier|Grenier|Rocher|Bonnin|Boutin|Fischer
Muñoz|Neveu|Lacombe|Mendes|Delannoy|Auger|Wagner|Fouquet|Macé|Ramos|Pagès|Petitjean|Chauveau
Foucher|Péron|Guyon|Gallet|Rousset|Bernier|Vallet|Letellier|Bouvet|Hamel|Chrétien|Faivre|Boulay
Thierry|Samson|Ledoux|Salmon|Gosselin|Lecoq|Pires|Leleu|Becker|Merle|Valette|de La Fontaine
de Villiers|du Bois|d'Ornano|Valet|Fargues|Ledru|Durant|Chambon|Galy|Bruno|Pujol|Girardeau|Grangé
Catherine|Ibarra|Haas|Olive|Magnier|Quesnay|Delestre|Jaouen|Santini|Romain|Bourcier|Jolivet
du Plessis|Verhaeghe|Giacobbi|Viguier|Montagne|Delmotte|Dutheil|Dewitte|Freitas|Soulier|Crouzet
Le Guennec|Delacroix|Aubin|Etchegaray|Rivera|Piquet|Leroyer|Gauthier-Lacaze|Ramassamy|Kerguelen
Vigier|Hémery|Lemercier|Marquis|Combes|Jacquemin|Gallo|Régnault|Bessière|Hamelin|Fanon|Colonna
Lutz|Raoul|Marchais|Toutain|Desprez|Prigent|Barbosa|Roussin|Cartier|Lafarge|d'Alès|Ortega|Cazaux
Flores|Papin|Obry|Féron|Vanhoutte|Rocha|Tissot|Devos|Lebret|Dufossé|Buffet|Calvet|Suarez|Poulet
Guilbaud|Godefroy|Marie-Sainte|Saint-Jean|Walter|Masclet|Lesueur|Niel|Decroix|Blondeau|Moretti
Rigal|Bontemps|Husson|de Vigny|Vandenberghe|Agostini|Solé|Milan|Capron|Dufresne|Cuvelier|Da Cruz
Savary|Constant|Le Borgne|O'Brien|Drouet|Larrieu|Morales|Perrault|Bouteiller|Fraisse|Nativel
Le Floch|Varin|Gaultier|Legay|Leval|Chapuis|Teyssier|Colombo|Quentin|Bardin|Grimaud|Célestin
Elissalde|Hirsch|Pastor|Maignan|Roussel-Leroy|Denoyer|Kerjean|Testa|Rose|Bouvard|Jouan|du Halgouët
Bianchi|Orsini|Blasco|Moret|Gérardin|Esnault|Duquesne|Magalhães|Tavernier|Dalmasso|Le Maître
Delalande|Bossard|Iriart|Rubio|Poisson|Papillon|Gendron|Césaire|Quéré|Villeneuve|Jaubert|Lepage
Mauger|Corre|Monnet|Greco|Renou|Blaise|Hénault|de Montalembert|Keller|Metzger|Ribeyre|Mariani
Vauquelin|Drouin|Rannou|Cardoso|Sabatier|Chevreau|Laforge|des Roches|Castillo|Labat|Jimenez|Patin
Petitpas|Flament|Watteau|Tavares|Trichet|Donnadieu|Lechat|Dupin|Caillaud|Escande|Vazquez|Prieur
Rabaud|Goujon|Bellance|de La Tour|Bauer|Molinier|Loisel|Pasquet|Delage|Gaudron|Rinaldi|Robillard
Boudet|Janvier|de Kerdrel|Deconinck|Andreani|Trémoulet|Mineau|Crépin|Duprat|Declercq|Esteves
Serres|Coulomb|Le Dû|Saint-Paul|Ruelle|Soubiran|Pascual|Philippon|Fouchard|Gallois|Sautron
Le Bihan|Verger|Giordano|Legrain|Lhuillier|Charron|Bonnard|De Luca|Raimbault|Bellamy|Guignard
Ludovic|Santoni|Kessler|Pinel|Manceau|Tellier|Deshayes|Le Moal|Vitale|Rougier|Burel|Joyeux
d'Harcourt|Ricci|Poggi|Cortes|Neveux|Hennebelle|Faucher|Leroux-Dubois|Moreira|Thiébaut|Davin
Le Saux|Delavigne|Brault|Haristoy|Santos|Popelin|Tessereau|Gervais|Jean-Baptiste|Cadiou|Viard
Malet|Leprêtre|Michelet|Croze|Perrenoud|Lombardi|Ricard|Boisson|Herbert|de La Bruyère|Schaeffer
Sutter|Sabourin|Maurin|Yvon|Dubreuil|Bacquet|Coelho|Salles|Claudel|Lallemand|L'Haridon|Attal
Laffargue|Medina|Pauly|Thorel|Forget|Boyer-Vidal|Vieira|Vacher|Eymard|Lecourt|Dupond|Castel
Fabregue|Barbieri|Provost|Brochard|Granger|Alexis|Etcheverry|Ehrhart|Nadal|Louvet|Quesnel|Delcroix
Jégou|Russo|Rochette|Boulard|Jeanne|de Rohan|Dewailly|Filippi|Vialatte|Monod|Decaux|Dutertre
Desmet|Fonseca|Sorel|Couture|Le Gac|Sainte-Marie|Vigneron|Bidart|Reyes|Pierron|Guittet|Gaubert
Vitry|L'Hostis|Viaud|Guigue|Lemarchand|Malherbe|Cochet|Gonin|Fontana|Rebours|Bertho|Guilloux
Cornélie|Luciani|Lang|Ponsard|Marcel|Tirard|Desprès|Pennec|Antunes|Rousselle|Carnot|Lachaud
d'Aubigné|Oliveira|Bordes|Dominguez|Noblet|Macron|Favre|Pottiez|Pinheiro|Thuillier|Derrien|Leblond
Duchemin|Bouquet|Cabrol|Soto|Potel|Chabot|Girardin|Joseph-Angélique|de Saint-Martin|Wolff
Marchetti|Leriche|Mouchel|Debray|Vuillermoz|Martini|Rigaud|Bonnet-Morel|Huguet|de Tocqueville
Ziegler|Wendling|Sirven|Mignot|Cailleux|Duclos|Boulet|Cunha|Saunier|Comte|Lavigne|O'Neill|Cazenave
Lalanne|Montoya|Péricard|Bordier|Foucault|Lebon-Técher|de Castelnau|Vannier|Fayolle|Lefranc|Durel
Champion|Rouquette|Caruso|Puech|Barreau|Gravier|Augustin|Goñi|Hartmann|Orsoni|Mahieu|Renouf
Delpech|Kerdoncuff|Serra|Roques|Bourget|Josse|du Chatelet|Ferrari|Leca|Alvarez|Morand|Flahaut
Duvivier|Dhaene|Machado|Tardy|Curie|Le Lay|Delafosse|Boivin|Harispe|Romero|Poirot|Lochard|Gautron
Virapoullé|Guéguen|Villard|Houdin|Lenoble|Maréchaux|Cornu|Jeannin|Galli|Rémond|Billard|Hardouin
de La Rochefoucauld|Zimmermann|Mayer|Reboul|Margot|Vasselin|Doucet|Quéméner|Batista|Rouxel|Chabert
Lafont|des Isnards|Serrano|Dupouy|Gutierrez|Pareau|Parmentier|Ferry|Verbeke|Soares|Touzé|Diot
Lecat|Dumoulin|Cadet|Cros|Vargas|Prat|Moinard|Gonnet|Saint-Aimé|d'Aboville|Zimmer|Mestre|Levasseur
Osmont|Defrance|Bouhier|Pellegrini|Ripoche|Bouchard|Jamet|de Bonneval|Vandamme|Albertini|Tisserand
Millot|Caudron|Dujardin|Debruyne|De Almeida|Serre|Cordonnier|Le Guen|McDonald|Rossignol|Lassalle
Ortiz|Peyre|Chesneau|Froment|Robert-Payet|Le Bris|Vautier|Gilardi|Léglise|Lhomme|Charbonnier
Vayssière|Conti|Rabier|Bellanger|Grosjean|Baptiste|Casanova|Huber|Peyrard|Mallard|Rouault|Desbois
Le Berre|Valente|Roubaud|Brossier|Jourdain|d'Arc|Esposito|Paoli|Campos|Mouton|Gossart|Estève
Lefever|Monteiro|Terrier|Daumas|Le Pape|Delarue|Bourgoin|Goyeneche|Sala|Poncet|Rabouin|Genet|Zobel
Abgrall|Vial|Lescure|Lepetit|Mauduit|Courtin|Nicod|Grimaldi|Ribot|Blondin|Héraud|de Broglie
Hoffmann|Roth|Rieu|Marquet|Vimard|Dubos|Stéphan|Carvalho|Salaün|Chopin|Lagrange|L'Helgouach|Molina
Lafitte|Marquez|Paillard|Poiret|Forestier|Payet-Hoarau|Vaz|Trouvé|Dumoulin-Petit|Leclère|Duplessis
Carrière|Estrade|Vega|Proust|Ferchaud|Gourdon|Jean-Marie|Le Meur|Braun|Montel|Loubet|Patry
Delaporte|Guillemot|Romano|Roblin|Bouillon|Jarry|de Maupeou|Delcourt|Battesti|Vergne|Mongin|Darras
Durieux|Delhaye|Faria|Sicard|Courbet|Le Fur|Saint-Laurent|Tournier|Arrieta|Ramirez|Picot|Gasnier
Garreau|Técher|Le Corre|Vernet|Gouin|Lelong|Loiseleur|Châtelain|Chapelle|De Santis|Ravel|Berthier
Guillemin|Marie-Luce|Mattei|Koch|Plantier|Marais|Thiéry|Desmarais|Nédélec|Almeida|Rousselet
Cailliau|Jullien|d'Estaing|Marino|Rocca|Delgado|Nivet|Lamarre|Favier|Locquet|Nunes|Thomé|Delon
Le Tallec|Dubuisson|Brossard|Abadie|Soler|Portier|Touchard|Gibert|Jean-Louis|Kermarrec|Vivier
Manuel|Lequeux|Morice|Dauphin|Vuillemin|Mancini|Richet|Bonnefoy|Héry|de Lesseps|Kuntz|Vogel
Sentenac|Mazet|Duponchel|Duchêne|Bailleul|Correia|Sarrazin|Claude|Laval|Le Van|Bensoussan|Laborde
Mendez|Pellerin|Wallon|Fortin|Fontaine-Roy
""")

# The long tail: stems and endings that French last names are made of.
_STEMS = words("""
Bal|Barr|Baud|Berg|Bert|Blanch|Bois|Bouch|Bourd|Bourr|Brun|Caill|Carr|Chab|Chap|Charr|Clav|Col
Cott|Coul|Court|Dav|Dess|Doub|Fab|Far|Fav|Flor|Fouch|Fourn|Gaill|Gal|Garr|Gaud|Gir|Goud|Grand|Griv
Guich|Guill|Jal|Jar|Lamb|Laur|Mall|March|Marg|Mart|Maur|Mich|Moll|Mor|Mour|Nav|Pell|Perr|Pich|Poir
Port|Rab|Ram|Raym|Riv|Rob|Roll|Rouss|Sal|Sauv|Tard|Tess|Thib|Touch|Vach|Val|Vern|Vig|Vill|Vois
""")
_ENDINGS = words("""
ier|et|eau|in|ot|ard|on|el|aud|elle|and|ault|oux|ineau|illon|onnet|iot|enet|eron|elin|assier
eteau|onnier|ichet|at|osse
""")
_COMMON = set(LAST_NAMES)
LAST_NAMES += [
    stem + ending for ending in _ENDINGS for stem in _STEMS if stem + ending not in _COMMON
]

# Towns by urbanity: name, postcode, inhabitants in thousands; one town a postcode.
_TOWNS = {
    "urban": """
Bourg-en-Bresse 01000 42|Saint-Quentin 02100 53|Soissons 02200 28|Montluçon 03100 33
Vichy 03200 25|Gap 05000 40|Nice 06000 120|Nice 06100 85|Grasse 06130 50|Nice 06200 80
Nice 06300 55|Cannes 06400 60|Menton 06500 30|Antibes 06600 60|Charleville-Mézières 08000 46
Troyes 10000 62|Carcassonne 11000 46|Narbonne 11100 55|Marseille 13001 39|Marseille 13002 25
Marseille 13003 50|Marseille 13004 49|Marseille 13005 46|Marseille 13006 42|Marseille 13007 34
Marseille 13008 81|Marseille 13009 77|Marseille 13010 58|Marseille 13011 58|Marseille 13012 61
Marseille 13013 93|Marseille 13014 63|Marseille 13015 77|Marseille 13016 16
Aix-en-Provence 13090 55|Aix-en-Provence 13100 90|Arles 13200 52|Salon-de-Provence 13300 45
Aubagne 13400 47|Martigues 13500 48|Istres 13800 43|Caen 14000 105|Angoulême 16000 41
La_Rochelle 17000 77|Saintes 17100 25|Rochefort 17300 24|Bourges 18000 64|Vierzon 18100 25
Brive-la-Gaillarde 19100 46|Ajaccio 20000 60|Bastia 20200 48|Dijon 21000 158|Saint-Brieuc 22000 44
Périgueux 24000 30|Bergerac 24100 27|Besançon 25000 117|Montbéliard 25200 25|Valence 26000 64
Romans-sur-Isère 26100 33|Montélimar 26200 39|Évreux 27000 47|Chartres 28000 38|Dreux 28100 31
Quimper 29000 63|Brest 29200 139|Nîmes 30000 105|Alès 30100 44|Nîmes 30900 42|Toulouse 31000 110
Toulouse 31100 85|Toulouse 31200 80|Toulouse 31300 70|Toulouse 31400 95|Toulouse 31500 65
Bordeaux 33000 120|Bordeaux 33100 30|Bordeaux 33200 50|Bordeaux 33300 30|Libourne 33500 24
Bordeaux 33800 35|Montpellier 34000 110|Montpellier 34070 65|Montpellier 34080 60
Montpellier 34090 65|Sète 34200 44|Béziers 34500 78|Rennes 35000 110|Rennes 35200 65
Saint-Malo 35400 46|Rennes 35700 50|Châteauroux 36000 43|Tours 37000 70|Tours 37100 45
Tours 37200 25|Grenoble 38000 100|Grenoble 38100 58|Dole 39100 23|Mont-de-Marsan 40000 30
Dax 40100 21|Blois 41000 46|Saint-Étienne 42000 110|Saint-Étienne 42100 63|Roanne 42300 34
Nantes 44000 115|Nantes 44100 75|Nantes 44200 40|Nantes 44300 90|Saint-Nazaire 44600 72
Orléans 45000 70|Orléans 45100 46|Agen 47000 33|Angers 49000 110|Angers 49100 45|Cholet 49300 54
Saumur 49400 26|Cherbourg-en-Cotentin 50100 50|Châlons-en-Champagne 51000 44|Reims 51100 170
Saint-Dizier 52100 23|Laval 53000 49|Nancy 54000 80|Nancy 54100 25|Vannes 56000 54
Lorient 56100 57|Metz 57000 50|Metz 57050 35|Metz 57070 35|Thionville 57100 41
Sarreguemines 57200 20|Forbach 57600 21|Nevers 58000 33|Lille 59000 130|Dunkerque 59140 60
Valenciennes 59300 43|Cambrai 59400 32|Douai 59500 39|Maubeuge 59600 29|Lille 59800 75
Beauvais 60000 56|Compiègne 60200 40|Arras 62000 42|Calais 62100 67|Boulogne-sur-Mer 62200 40
Lens 62300 32|Béthune 62400 25|Liévin 62800 30|Clermont-Ferrand 63000 95|Clermont-Ferrand 63100 50
Pau 64000 77|Bayonne 64100 52|Biarritz 64200 25|Tarbes 65000 43|Perpignan 66000 80
Perpignan 66100 40|Strasbourg 67000 140|Strasbourg 67100 90|Strasbourg 67200 60|Haguenau 67500 35
Colmar 68000 68|Mulhouse 68100 65|Mulhouse 68200 43|Lyon 69001 29|Lyon 69002 31|Lyon 69003 103
Lyon 69004 35|Lyon 69005 49|Lyon 69006 52|Lyon 69007 84|Lyon 69008 86|Lyon 69009 52
Villefranche-sur-Saône 69400 36|Mâcon 71000 34|Chalon-sur-Saône 71100 45|Le_Mans 72000 95
Le_Mans 72100 50|Chambéry 73000 59|Aix-les-Bains 73100 30|Annecy 74000 70|Annemasse 74100 36
Thonon-les-Bains 74200 35|Paris 75001 16|Paris 75002 21|Paris 75003 33|Paris 75004 28
Paris 75005 57|Paris 75006 40|Paris 75007 48|Paris 75008 35|Paris 75009 59|Paris 75010 85
Paris 75011 142|Paris 75012 139|Paris 75013 178|Paris 75014 135|Paris 75015 229|Paris 75016 160
Paris 75017 163|Paris 75018 189|Paris 75019 182|Paris 75020 190|Rouen 76000 75|Rouen 76100 38
Dieppe 76200 28|Le_Havre 76600 90|Le_Havre 76610 40|Le_Havre 76620 35|Niort 79000 59
Amiens 80000 80|Amiens 80080 30|Amiens 80090 25|Albi 81000 49|Castres 81100 42|Montauban 82000 61
Toulon 83000 95|Toulon 83100 45|Toulon 83200 40|Draguignan 83300 40|Hyères 83400 56
Fréjus 83600 54|Saint-Raphaël 83700 36|Avignon 84000 90|Orange 84100 29|Carpentras 84200 30
Cavaillon 84300 26|La_Roche-sur-Yon 85000 55|Les_Sables-d'Olonne 85100 45|Poitiers 86000 89
Châtellerault 86100 31|Limoges 87000 80|Limoges 87100 30|Limoges 87280 20|Épinal 88000 32
Auxerre 89000 34|Belfort 90000 46|Basse-Terre 97100 10|Pointe-à-Pitre 97110 15
Fort-de-France 97200 75|Cayenne 97300 60|Saint-Denis 97400 100|Saint-Pierre 97410 55
Mamoudzou 97600 70
""",
    "suburban": """
Gex 01170 13|Cagnes-sur-Mer 06800 52|Vitrolles 13127 33|La_Ciotat 13600 36|Marignane 13700 33
Hérouville-Saint-Clair 14200 23|Vernon 27200 24|Tournefeuille 31170 27|Muret 31600 25
Blagnac 31700 25|Colomiers 31770 39|Villenave-d'Ornon 33140 41|La_Teste-de-Buch 33260 26
Talence 33400 44|Pessac 33600 66|Mérignac 33700 72|Joué-lès-Tours 37300 38|Échirolles 38130 37
Vienne 38200 29|Bourgoin-Jallieu 38300 28|Saint-Martin-d'Hères 38400 38|Voiron 38500 20
Rezé 44400 43|Orvault 44700 27|Saint-Herblain 44800 48|Olivet 45160 22|Lanester 56600 23
Roubaix 59100 98|Wattrelos 59150 41|Lomme 59160 28|Tourcoing 59200 98|Armentières 59280 25
Villeneuve-d'Ascq 59650 62|Creil 60100 36|Senlis 60300 15|Anglet 64600 39|Schiltigheim 67300 33
Illkirch-Graffenstaden 67400 27|Villeurbanne 69100 154|Vaulx-en-Velin 69120 51|Vénissieux 69200 66
Caluire-et-Cuire 69300 43|Bron 69500 42|Saint-Priest 69800 47|Elbeuf 76500 16|Melun 77000 41
Meaux 77100 56|Fontainebleau 77300 15|Pontault-Combault 77340 39|Chelles 77500 54
Versailles 78000 84|Saint-Germain-en-Laye 78100 45|Montigny-le-Bretonneux 78180 32
Mantes-la-Jolie 78200 44|Poissy 78300 38|Sartrouville 78500 53|Conflans-Sainte-Honorine 78700 36
Six-Fours-les-Plages 83140 35|La_Seyne-sur-Mer 83500 63|Évry-Courcouronnes 91000 67
Corbeil-Essonnes 91100 52|Palaiseau 91120 35|Massy 91300 50|Savigny-sur-Orge 91600 37
Sainte-Geneviève-des-Bois 91700 36|Nanterre 92000 96|Boulogne-Billancourt 92100 121
Clichy 92110 63|Montrouge 92120 48|Issy-les-Moulineaux 92130 68|Clamart 92140 53|Suresnes 92150 48
Antony 92160 63|Meudon 92190 46|Neuilly-sur-Seine 92200 60|Bagneux 92220 41
Levallois-Perret 92300 66|Châtillon 92320 37|Courbevoie 92400 82|Rueil-Malmaison 92500 80
Asnières-sur-Seine 92600 86|Colombes 92700 86|Puteaux 92800 45|Bobigny 93000 54
Montreuil 93100 111|Bondy 93140 54|Le_Blanc-Mesnil 93150 58|Noisy-le-Grand 93160 68
Livry-Gargan 93190 46|Saint-Denis 93200 90|Sevran 93270 51|Aubervilliers 93300 88|Pantin 93500 60
Aulnay-sous-Bois 93600 86|Drancy 93700 72|Épinay-sur-Seine 93800 53|Créteil 94000 93
Saint-Maur-des-Fossés 94100 75|Fontenay-sous-Bois 94120 52|Alfortville 94140 44
Ivry-sur-Seine 94200 62|Vincennes 94300 49|Vitry-sur-Seine 94400 95|Champigny-sur-Marne 94500 77
Choisy-le-Roi 94600 45|Maisons-Alfort 94700 56|Villejuif 94800 57|Cergy 95000 66
Argenteuil 95100 110|Franconville 95130 37|Sarcelles 95200 58|Pontoise 95300 31
Baie-Mahault 97122 31|Les_Abymes 97139 50|Le_Moule 97160 22|Petit-Bourg 97170 24
Sainte-Anne 97180 24|Le_Gosier 97190 26|Sainte-Marie 97230 15|Le_Robert 97231 22
Le_Lamentin 97232 40|Schœlcher 97233 20|Le_François 97240 16|Kourou 97310 25
Saint-Laurent-du-Maroni 97320 47|Matoury 97351 33|Rémire-Montjoly 97354 26|La_Possession 97419 33
Le_Port 97420 34|Le_Tampon 97430 60|Saint-André 97440 56|Saint-Louis 97450 53|Saint-Paul 97460 60
Saint-Benoît 97470 37|Saint-Joseph 97480 38|Dzaoudzi 97615 18|Koungou 97690 35
""",
    "rural": """
Oyonnax 01100 22|Nantua 01130 3|Belley 01300 9|Laon 02000 24|Vervins 02140 2
Château-Thierry 02400 15|Moulins 03000 20|Digne-les-Bains 04000 17|Manosque 04100 22
Sisteron 04200 7|Moustiers-Sainte-Marie 04360 2|Briançon 05100 12|Embrun 05200 6|Privas 07000 9
Annonay 07100 16|Aubenas 07200 12|Sedan 08200 16|Rethel 08300 8|Foix 09000 10|Pamiers 09100 16
Saint-Girons 09200 6|Lavelanet 09300 6|Limoux 11300 10|Castelnaudary 11400 12|Rodez 12000 24
Millau 12100 22|Villefranche-de-Rouergue 12200 12|Decazeville 12300 5|Conques-en-Rouergue 12320 2
Lisieux 14100 20|Bayeux 14400 13|Vire-Normandie 14500 17|Honfleur 14600 7|Falaise 14700 8
Aurillac 15000 26|Saint-Flour 15100 7|Salers 15140 2|Cognac 16100 18|Confolens 16500 3
Ruffec 16700 4|Royan 17200 18|Saint-Jean-d'Angély 17400 7|Jonzac 17500 3
Saint-Amand-Montrond 18200 10|Tulle 19000 14|Ussel 19200 9|Porto-Vecchio 20137 12|Corte 20250 7
Beaune 21200 20|Dinan 22100 14|Guingamp 22200 7|Lannion 22300 20|Paimpol 22500 7|Loudéac 22600 10
Guéret 23000 13|Sarlat-la-Canéda 24200 9|Pontarlier 25300 17|Nyons 26110 7|Die 26150 5
Bernay 27300 10|Les_Andelys 27700 8|Nogent-le-Rotrou 28400 9|Douarnenez 29100 14
Châteaulin 29150 5|Locronan 29180 2|Carhaix-Plouguer 29270 7|Morlaix 29600 15|Concarneau 29900 20
Le_Vigan 30120 4|Uzès 30700 8|Auch 32000 22|Condom 32100 7|Mirande 32300 4|Arcachon 33120 11
Lesparre-Médoc 33340 6|Blaye 33390 5|Fougères 35300 20|Vitré 35500 18|Redon 35600 9
Issoudun 36100 11|Le_Blanc 36300 6|La_Châtre 36400 4|Amboise 37400 13|Chinon 37500 8
Loches 37600 6|La_Mure 38350 5|Lons-le-Saunier 39000 17|Saint-Claude 39200 9
Soorts-Hossegor 40150 4|Mimizan 40200 7|Aire-sur-l'Adour 40800 6|Vendôme 41100 15
Romorantin-Lanthenay 41200 18|Le_Puy-en-Velay 43000 19|Brioude 43100 7|Yssingeaux 43200 7
Pornic 44210 16|Le_Croisic 44490 4|Montargis 45200 15|Pithiviers 45300 9|Gien 45500 14
Cahors 46000 20|Figeac 46100 10|Saint-Cirq-Lapopie 46330 2|Rocamadour 46500 3|Marmande 47200 18
Villeneuve-sur-Lot 47300 22|Nérac 47600 7|Mende 48000 12|Marvejols 48100 5|Langogne 48300 3
Florac-Trois-Rivières 48400 2|Saint-Lô 50000 19|Coutances 50200 9|Avranches 50300 10
Granville 50400 12|Valognes 50700 7|Barfleur 50760 2|Hautvillers 51160 3|Épernay 51200 22
Chaumont 52000 22|Langres 52200 8|Mayenne 53100 13|Château-Gontier 53200 17|Toul 54200 15
Lunéville 54300 18|Bar-le-Duc 55000 15|Verdun 55100 17|Commercy 55200 5|Pontivy 56300 15
Auray 56400 14|Ploërmel 56800 10|Cosne-Cours-sur-Loire 58200 10|Decize 58300 5|Clamecy 58500 4
Alençon 61000 26|Argentan 61200 13|L'Aigle 61300 8|Mortagne-au-Perche 61400 4|Montreuil 62170 2
Saint-Omer 62500 15|Riom 63200 19|Thiers 63300 11|Issoire 63500 15|Ambert 63600 7|Orthez 64300 10
Oloron-Sainte-Marie 64400 11|Saint-Jean-de-Luz 64500 14|Lourdes 65100 13
Bagnères-de-Bigorre 65200 7|Collioure 66190 3|Céret 66400 8|Prades 66500 6|Wissembourg 67160 8
Sélestat 67600 19|Saverne 67700 11|Riquewihr 68340 2|Eguisheim 68420 3|Guebwiller 68500 11
Vesoul 70000 15|Gray 70100 6|Lure 70200 8|Luxeuil-les-Bains 70300 7|Cluny 71250 5|Autun 71400 13
La_Flèche 72200 15|Sablé-sur-Sarthe 72300 12|Albertville 73200 19|Bourg-Saint-Maurice 73700 7
Yvoire 74140 5|Cluses 74300 17|Chamonix-Mont-Blanc 74400 9|Neufchâtel-en-Bray 76270 5
Fécamp 76400 18|Provins 77160 12|Thouars 79100 14|Parthenay 79200 10|Bressuire 79300 20
Abbeville 80100 22|Péronne 80200 7|Cordes-sur-Ciel 81170 3|Vaison-la-Romaine 84110 6
Gordes 84220 4|Apt 84400 11|Fontenay-le-Comte 85200 14|Challans 85300 21|Bellac 87300 4
Saint-Dié-des-Vosges 88100 19|Remiremont 88200 8|Neufchâteau 88300 6|Gérardmer 88400 8
Avallon 89200 7|Joigny 89300 10|Vézelay 89450 2
""",
}
# Name, postcode, inhabitants in thousands, urbanity.
TOWNS: list[tuple[str, str, int, str]] = [
    (name.replace("_", " "), postcode, int(thousands), urbanity)
    for urbanity, towns in _TOWNS.items()
    for name, postcode, thousands in (town.split() for town in words(towns))
]

# Street type, usual abbreviation, weight.
STREET_TYPES: list[tuple[str, str, float]] = [
    ("rue", "r", 0.50), ("avenue", "av", 0.13), ("boulevard", "bd", 0.06), ("chemin", "ch", 0.06),
    ("impasse", "imp", 0.05), ("place", "pl", 0.04), ("allée", "all", 0.05), ("route", "rte", 0.04),
    ("quai", "quai", 0.01), ("cours", "crs", 0.01), ("square", "sq", 0.01),
    ("passage", "pass", 0.01), ("lotissement", "lot", 0.01), ("résidence", "res", 0.01),
    ("faubourg", "fg", 0.005), ("esplanade", "espl", 0.005),
]  # fmt: skip
STREET_NAMES: list[str] = words("""
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
du Général Leclerc|du Maréchal Leclerc|du Maréchal Joffre|du Président Wilson|du Docteur Schweitzer
du Commandant Charcot|du Général Giraud|du Docteur Calmette|du Président Kennedy|Saint-Pierre
Saint-Jean|Sainte-Catherine|Saint-Nicolas|Saint-Antoine|Sainte-Anne|Saint-Jacques|Notre-Dame
du 14 Juillet|du 4 Septembre|du 19 Mars 1962|de la Résistance|de la Libération|des Martyrs
de la Victoire|des Fusillés|de l'Europe|de l'Hôtel de Ville|de la Préfecture|du Palais
de la Piscine|du Cimetière|de l'Hôpital|du Collège|du Lycée|de l'Université|du Théâtre|du Canal
de la Rivière|des Saules|des Platanes|des Marronniers|des Chênes|des Érables|des Bouleaux
des Mimosas|des Glycines|des Violettes|des Coquelicots|des Bleuets|des Genêts|des Bruyères
des Rossignols|des Fauvettes|des Pinsons|des Cigales|du Lac|des Sources|de la Vallée|du Coteau
de la Colline|du Vieux Pont|du Pont Neuf|de la Tour|du Four|de la Forge|du Pressoir|des Tanneurs
des Bouchers|des Tisserands|des Potiers|de l'Industrie|de l'Artisanat|du Commerce|Denis Papin
Ampère|Descartes|Diderot|Montaigne|Rabelais|Ronsard|Arthur Rimbaud|Paul Verlaine|Jacques Prévert
Paul Éluard|Louis Aragon|Romain Rolland|Henri Barbusse|Alphonse Daudet|Frédéric Mistral
Guy de Maupassant|Gustave Flaubert|Stendhal|Auguste Renoir|Paul Gauguin|Vincent Van Gogh
Henri Matisse|Hector Berlioz|Claude Debussy|Maurice Ravel|Édith Piaf|Jacques Brel
Georges Brassens|Gérard Philipe|Jean Mermoz|Roland Garros|Hélène Boucher|Jeanne d'Arc|Lafayette
Vauban|Surcouf|Jean Bart|Colbert|Turgot|Danton|Robespierre|Marat|Kléber|Marceau|Hoche
Jean Macé|Marcel Cachin|Maurice Thorez|Pierre Mendès France|François Mitterrand|Rosa Parks
Martin Luther King|de Normandie|de Champagne|de Bourgogne|d'Anjou|de Touraine|d'Aquitaine
de Gascogne|des Pyrénées|des Alpes|du Jura|de Belfort|de Metz|de Lille|de Toulouse|de Marseille
""")
# Ranks and saints as the postal norm NF Z10-011 shortens them.
_SHORT = {
    "Général": "Gal", "Maréchal": "Mal", "Docteur": "Dr", "Président": "Pdt",
    "Commandant": "Cdt", "Professeur": "Pr", "Sainte-": "Ste ", "Saint-": "St ",
}  # fmt: skip


def _shortened(name: str) -> str:
    for long, short in _SHORT.items():
        name = name.replace(long, short)
    return name


SHORT_STREET_NAMES: list[str] = [_shortened(name) for name in STREET_NAMES]
LIEUX_DITS: list[str] = words("""
Le Bourg|La Grange Neuve|Les Quatre Chemins|Kervao|Le Mas Blanc|La Croix des Vents|Les Granges
Le Moulin Vieux|La Bergerie|Les Hauts de Sainte-Anne|Ravine Blanche|Morne Vert|Petit Bourg
Le Grand Pré|La Chapelle|Le Clos|La Borde|Les Landes|Le Plessis|La Métairie|Les Essarts
La Ville Haute|Le Puy|La Combe|Les Combes|Le Bois Rond|La Haie|Les Bruyères|La Tuilerie|Le Breuil
La Verrerie|Les Rivières|Kerguen|Kerdavid|Ty Nevez|Le Cosquer|Penhoat|Mas de la Tour|Le Cabanon
Les Baumes|La Bastide|Le Pigeonnier|La Borie Basse|Lasserre|Larribau|Etxeberri|Le Hameau|Le Chalet
Les Grands Champs|La Fruitière|Sur la Roche|Le Haut Village|Les Brosses|La Maladière|L'Hermitage
""")
RESIDENCES: list[str] = words("""
Les Tilleuls|Le Parc|Les Jardins|Beau Soleil|Bellevue|Les Terrasses|Le Clos Fleuri|Les Cèdres
Les Acacias|Le Belvédère|Les Oliviers|La Roseraie|Les Érables|Le Val Fleuri|Les Hauts du Lac
Saint-Exupéry|Les Amandiers|Le Grand Large|Les Lavandes|Victor Hugo|Le Panoramique|Les Mimosas
Les Platanes|La Fontaine|Les Bleuets
""")

# Provider, share of addresses.
MAIL_PROVIDERS: list[tuple[str, float]] = [
    ("gmail.com", 0.41), ("orange.fr", 0.11), ("hotmail.fr", 0.06), ("hotmail.com", 0.05),
    ("free.fr", 0.07), ("yahoo.fr", 0.07), ("wanadoo.fr", 0.05), ("sfr.fr", 0.05),
    ("laposte.net", 0.05), ("outlook.fr", 0.03), ("icloud.com", 0.03), ("live.fr", 0.02),
]  # fmt: skip

# First digit of a geographic number after its zero, and the departments of that zone.
ZONES = {
    1: "75 77 78 91 92 93 94 95",
    2: "14 18 22 27 28 29 35 36 37 41 44 45 49 50 53 56 61 72 76 85",
    3: "02 08 10 21 25 39 51 52 54 55 57 58 59 60 62 67 68 70 71 80 88 89 90",
    4: "01 03 04 05 06 07 11 13 15 20 26 30 34 38 42 43 48 63 66 69 73 74 83 84",
    5: "09 12 16 17 19 23 24 31 32 33 40 46 47 64 65 79 81 82 86 87",
}
# Blocks of the French numbering plan, first digits of the nine national ones. Those left
# out would be read as another kind of number, or as one of another department.
NUMBER_BLOCKS: dict[str, str] = {
    "01": "13 14 15 16 17 18 19",
    "02": "21 22 23 24 25 27 28 29",
    "03": "32 33 34 35 36 37 38 39",
    "04": "41 42 43 44 45 46 47 48 49",
    "05": "53 54 55 56 57 58",
    "06": "60 61 62 64 65 66 67 68",
    "07": "73 74 75 76 77 78 79",
    "09": "95 98",
    "971 fixed": "59080 59081 59082 59083 59084 59085 59086 59088 59089 59090 59091 59092",
    "972 fixed": "5960 5963 5965 5966 5967",
    "973 fixed": "5942 5943 5944 5949",
    "974 fixed": "2622",
    "976 fixed": "26960 26961 26962 26963 26964",
    "971 mobile": "690",
    "972 mobile": "696 697",
    "973 mobile": "6940 6942 6944 6949",
    "974 mobile": "692",
    "976 mobile": "6392 6396 6397",
}
# Country code of each department overseas; 33 elsewhere.
COUNTRY_CODES = {"971": 590, "972": 596, "973": 594, "974": 262, "976": 262}
