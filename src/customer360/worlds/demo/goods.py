"""Goods that the demo world sells: categories, what goes together, what is searched for."""

from __future__ import annotations

from dataclasses import dataclass

from customer360.worlds.demo.pools import words

__all__ = [
    "AFFINITIES",
    "CATEGORIES",
    "CATEGORY_NAMES",
    "EVENT_SEARCHES",
    "PERSONAS",
    "SEARCHES",
    "Category",
]


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
    names = tuple(words(products))
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

CATEGORY_NAMES: tuple[str, ...] = tuple(category.name for category in CATEGORIES)

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

# What is typed in the site's own search, by category in the order above.
SEARCHES: dict[str, tuple[str, ...]] = {
    "Jardin": ("terreau", "salon de jardin pas cher", "tondeuse", "graines bio", "barbecue"),
    "Décoration": ("miroir rond", "idée déco salon", "bougie", "tapis", "guirlande lumineuse"),
    "Cuisine": ("poêle induction", "moule silicone", "couteau japonais", "service assiettes"),
    "Linge de maison": ("housse de couette 240x220", "serviette coton bio", "plaid", "rideaux"),
    "Bricolage": ("perceuse sans fil", "peinture mur", "escabeau", "ampoule led e27"),
    "Livres": ("prix goncourt", "manga", "livre recette", "bd astérix", "roman poche"),
    "Papeterie": ("cartable", "agenda 2025", "fournitures cp", "stylo plume", "calculatrice"),
    "Jouets": ("idée cadeau 6 ans", "lego", "jeu de société famille", "puzzle", "cadeau noël"),
    "Puériculture": ("poussette", "siège auto", "gigoteuse", "lit bébé", "biberon"),
    "Petit électroménager": ("machine à café grain", "aspirateur sans fil", "air fryer", "blender"),
}

# What an event of life makes people type, in the order of `contracts.LIFE_EVENTS`.
EVENT_SEARCHES: dict[str, tuple[str, ...]] = {
    "birth": ("liste de naissance", "valise maternité", "chambre bébé", "faire-part naissance"),
    "move": ("carton déménagement", "papier bulle", "changement d'adresse", "meuble studio"),
    "wedding": ("liste de mariage", "décoration mariage", "cadeau invités", "vaisselle mariage"),
    "retirement": ("idée cadeau départ retraite", "potager débutant", "livre retraite"),
    "home_purchase": ("boîte aux lettres", "peinture maison", "cuisine équipée", "portail"),
}
