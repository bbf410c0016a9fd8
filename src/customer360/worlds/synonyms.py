"""What people call our columns and codes, in French and in English.

Order matters: the first name of a column is the surest. Names are compared once folded by
`fold_title`, so accents, case, punctuation, articles and plurals do not count.
"""

from __future__ import annotations

import re

from customer360.contracts import CONTRACTS, RAW_TABLES
from customer360.worlds.parsing import fold

__all__ = ["CODES", "SKIPPED_STATUSES", "SYNONYMS", "TABLE_HINTS", "fold_title"]

_STOP = {
    "de",
    "du",
    "des",
    "d",
    "la",
    "le",
    "les",
    "l",
    "of",
    "the",
    "en",
    "a",
    "au",
    "aux",
    "par",
    "pour",
    "un",
    "une",
    "et",
    "and",
}
_SHORT = {
    "numero": "n",
    "num": "n",
    "no": "n",
    "nr": "n",
    "nbr": "nombre",
    "nb": "nombre",
    "identifiant": "id",
    "identifier": "id",
    "reference": "ref",
    "number": "n",
    "cde": "commande",
    "cmd": "commande",
    "cli": "client",
    "clt": "client",
    "tel": "telephone",
    "dt": "date",
    "mt": "montant",
    "mnt": "montant",
    "mtt": "montant",
    "px": "prix",
    "adr": "adresse",
    "lib": "libelle",
    "qty": "quantite",
    "qte": "quantite",
    "qtte": "quantite",
    "quantity": "quantite",
    "mail": "email",
    "courriel": "email",
    "art": "article",
    "prod": "produit",
    "eur": "",
    "euro": "",
    "usd": "",
    "gbp": "",
}


def fold_title(title: str) -> str:
    """A title of a column in the form in which titles compare.

    >>> fold_title("N° client"), fold_title("CustomerID"), fold_title("Date de commande")
    ('n client', 'customer id', 'date commande')
    """
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", title)
    text = re.sub(r"(?i)\bn\s*[°º]|№|#", " n ", text)
    text = re.sub(r"(?i)e-mails?", "email", text)
    text = re.sub(r"\((?:e|s|es)\)", "", text)
    words = re.split(r"[^a-z0-9]+", fold(text))
    kept = []
    for word in words:
        if word in _STOP or not word:
            continue
        if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
            word = word[:-1]
        word = _SHORT.get(word, word)
        if word:
            kept.append(word)
    return " ".join(kept)


def _ids(*things: str) -> list[str]:
    marks = ("n", "id", "code", "ref")
    return [f"{m} {t}" for t in things for m in marks] + [f"{t} {m}" for t in things for m in marks]


_CUSTOMER = [
    *_ids("client", "customer", "adherent", "membre", "member", "acheteur", "buyer", "user"),
    *_ids("compte", "account", "contact", "carte fidelite", "carte", "loyalty card", "household"),
    "client",
    "customer",
    "acheteur",
]
_PRODUCT = [
    *_ids("produit", "product", "article", "item"),
    "sku",
    "ean",
    "gencod",
    "code barre",
    "stock code",
    "ref",
    "produit",
    "product",
    "article",
    "item",
]
_CATEGORY = [
    "categorie produit",
    "categorie",
    "category",
    "famille",
    "famille produit",
    "rayon",
    "gamme",
    "univers",
    "department",
    "product category",
    "family",
]
_COST = [
    "prix achat",
    "prix revient",
    "cout unitaire",
    "cout",
    "unit cost",
    "cost",
    "pa ht",
    "prix achat ht",
    "cost price",
]
_AT = "date|date heure|horodatage|timestamp|at|datetime|jour|date evenement|event date|event time"

_NAMES: dict[str, dict[str, list[str] | str]] = {
    "orders": {
        "source_id": _CUSTOMER,
        "order_id": [
            *_ids("commande", "order", "ticket", "facture", "invoice", "transaction", "vente"),
            *_ids("panier", "basket", "receipt", "piece", "sale"),
            "commande",
            "ticket",
            "facture",
            "transaction",
            "invoice",
            "order",
        ],
        "line_no": "n ligne|ligne|line n|ligne n|line|n ligne commande|row id",
        "ordered_at": "date commande|date achat|date vente|date facture|date ticket|order date"
        "|purchase date|date transaction|transaction date|invoice date|date heure|date"
        "|date paiement|ordered at|created at|horodatage|timestamp|date piece|jour|day|sale date"
        "|transaction timestamp|date operation|achete le|commande le",
        # A file without product codes: the label names the article.
        "product_id": [
            *_PRODUCT,
            "designation",
            "libelle",
            "description",
            "intitule",
            "nom produit",
        ],
        "category": _CATEGORY,
        "quantity": "quantite|quantite vendue|quantite commandee|nombre article|unit|units"
        "|nombre|quantite livree",
        "amount": "montant ttc|total ttc|prix total ttc|montant total ttc|ca ttc|montant net"
        "|montant total|net payer|montant|total|prix total|ca|chiffre affaire|total ligne"
        "|line total|line amount|amount|total price|sale|sales value|total amount|net amount"
        "|revenue|valeur|montant ligne|montant commande|total commande|order total|montant ht"
        "|total ht|ca ht|payment value|montant vente|montant paye",
        "unit_price": "prix unitaire ttc|prix unitaire|pu ttc|pu|unit price|prix vente|prix ttc"
        "|prix|price|tarif|pu ht|prix unitaire ht",
        "discount": "remise|montant remise|reduction|discount|rabais|promotion|promo"
        "|discount amount",
        "coupon_id": "coupon|code promo|code coupon|bon reduction|coupon code|promo code|voucher",
        "unit_cost": _COST,
        "channel": "canal|canal vente|channel|sales channel|magasin ou web|origine|canal achat",
        "payment": "paiement|mode paiement|moyen paiement|mode reglement|reglement|payment"
        "|payment method|payment type|moyen reglement|type paiement",
        "delivery": "livraison|mode livraison|delivery|shipping|delivery mode|transporteur"
        "|shipping method|type livraison",
        "status": "statut|statut commande|etat|etat commande|status|order status|state|situation",
        "source": "source|systeme|origine donnee",
    },
    "people": {
        "source_id": [*_CUSTOMER[:-3], "id", "n", "code", "ref", "identifiant", "client"],
        "title": "civilite|title|titre|genre|sexe|gender|salutation",
        "first_name": "prenom|first name|prenom client|given name|firstname|prenom contact",
        "last_name": "nom|nom famille|last name|nom client|surname|family name|lastname"
        "|nom usage|nom contact|name",
        "birth_date": "date naissance|ne le|nee le|birth date|birthday|date birth|dob|naissance"
        "|anniversaire|birthdate",
        "email": "email|adresse email|email client|email address|adresse electronique|email 1",
        "phone": "telephone portable|portable|mobile|gsm|telephone|telephone mobile|phone"
        "|phone n|telephone 1|n telephone|mobile phone|telephone fixe|telephone client",
        "street": "adresse|rue|adresse 1|voie|street|address|adresse postale|address 1"
        "|ligne adresse|adresse ligne 1|street address|adresse client",
        "postcode": "cp|code postal|postcode|zip|zip code|postal code|code postal client",
        "city": "ville|commune|city|town|localite|ville client",
        "country": "pay|pays|country|code pay|country code",
        "company": "societe|raison sociale|entreprise|company|company name|organisation",
        "consent_email": "optin email|opt in email|email optin|newsletter|accepte email"
        "|consentement email|consent email|optin|opt in|inscrit newsletter|accept marketing",
        "consent_sms": "optin sms|opt in sms|sms optin|accepte sms|consentement sms|consent sm"
        "|optin sm|opt in sm|accepte sm|consentement sm",
        "consent_phone": "optin telephone|opt in telephone|accepte telephone"
        "|consentement telephone|consent phone",
        "consent_post": "optin courrier|opt in courrier|optin postal|accepte courrier"
        "|consentement courrier|consent post|optin adresse",
        "consent_third_party": "optin partenaire|opt in partenaire|consentement partenaire"
        "|consent third party|partenaire",
        "preferred_channel": "canal prefere|preferred channel|canal preference|contact prefere",
        "created_at": "date creation|date inscription|cree le|created at|inscrit le|date entree"
        "|signup date|creation|client depui|date ouverture",
        "updated_at": "date modification|date maj|derniere modification|modifie le|updated at"
        "|mise jour|date mise jour|last update|derniere mise jour",
        "source": "source|systeme|fichier origine",
    },
    "products": {
        "product_id": [*_PRODUCT, "id", "code"],
        "name": "designation|libelle|nom|nom produit|libelle article|libelle produit|name"
        "|product name|description|intitule|nom article",
        "category": _CATEGORY,
        "price": "prix vente|prix vente ttc|prix ttc|prix public|prix|price|tarif|pvp|pv ttc"
        "|prix catalogue|list price|prix unitaire|pu",
        "unit_cost": _COST,
    },
    "campaigns": {
        "campaign_id": [*_ids("campagne", "campaign", "operation"), "campagne", "campaign"],
        "variant": "variante|variant|version|cellule",
        "goal": "objectif|goal|but",
        "theme": "theme|nom|nom campagne|campaign name|sujet|objet",
        "channel": "canal|channel|media",
        "cost_per_contact": "cout contact|cout unitaire|cost per contact|cout",
        "started_at": "date debut|debut|start date|date envoi|started at",
        "ended_at": "date fin|fin|end date|ended at",
    },
    "contacts": {
        "contact_id": [*_ids("envoi", "message", "contact"), "message"],
        "campaign_id": [*_ids("campagne", "campaign", "operation"), "campagne", "campaign"],
        "variant": "variante|variant|version|cellule",
        "source_id": _CUSTOMER,
        "channel": "canal|channel|media",
        "at": "date envoi|" + _AT,
        "event": "evenement|event|statut|resultat|action|type evenement",
        "reason": "motif|raison|reason",
    },
    "offers": {
        "offer_id": [*_ids("offre", "offer"), "offre", "offer"],
        "category": _CATEGORY,
        "kind": "type offre|type|kind|nature",
        "depth": "taux remise|taux|profondeur|depth|remise|discount",
        "valid_from": "valable du|date debut|debut validite|valid from|start date",
        "valid_to": "valable jusqu|date fin|fin validite|valid to|end date",
    },
    "web_events": {
        "visitor_id": [*_ids("visiteur", "visitor", "cookie", "session"), "visiteur", "cookie"],
        "source_id": _CUSTOMER,
        "at": _AT,
        "kind": "type evenement|type|event|event type|action|evenement",
        "page": "page|url|page vue|page path",
        "category": _CATEGORY,
        "query": "recherche|requete|mot cle|query|search",
        "referrer": "provenance|referrer|referer|source trafic",
        "device": "appareil|device|terminal",
    },
    "conversations": {
        "source_id": _CUSTOMER,
        "at": "date appel|date contact|date ouverture|" + _AT,
        "channel": "canal|channel|media",
        "direction": "sens|direction",
        "reason": "motif|raison|reason|sujet|objet|motif appel|motif contact",
        "text": "texte|message|commentaire|verbatim|contenu|text|transcription",
        "handling_seconds": "duree|duree seconde|temps traitement|duration|handling second",
        "cost": "cout|cost",
    },
    "surveys": {
        "source_id": _CUSTOMER,
        "at": "date reponse|date enquete|" + _AT,
        "kind": "type enquete|type|kind|enquete",
        "score": "note|score|nps|csat|satisfaction",
        "comment": "commentaire|verbatim|comment|remarque",
    },
    "social": {
        "network": "reseau|reseau social|network",
        "handle": "pseudo|handle|compte|nom compte",
        "source_id": _CUSTOMER,
        "at": _AT,
        "kind": "type|action|interaction|kind",
    },
    "loyalty": {
        "source_id": _CUSTOMER,
        "at": "date mouvement|" + _AT,
        "kind": "type mouvement|type|mouvement|kind",
        "points": "point|nombre point|solde point",
    },
    "life_events": {
        "source_id": _CUSTOMER,
        "at": _AT,
        "kind": "evenement vie|evenement|life event|type",
    },
    "enrichment": {
        "postcode": "cp|code postal|postcode|zip code|postal code",
        "population": "population|nombre habitant|habitant",
        "median_income": "revenu median|median income|revenu",
        "urbanity": "urbanite|type commune|urbanity|zone",
    },
    "sales_visits": {
        "rep_id": [*_ids("commercial", "vendeur", "representant", "rep"), "commercial", "rep"],
        "source_id": _CUSTOMER,
        "at": "date visite|" + _AT,
        "outcome": "resultat|outcome|issue",
        "fields_completed": "champ remplis|champ completes|field completed",
    },
}


def _listed(table: str) -> dict[str, list[str]]:
    """Folded names of every column, our own name first."""
    named = _NAMES[table]
    columns = [column.name for column in CONTRACTS[f"raw.{table}"].columns]
    columns += [extra for extra in named if extra not in columns]
    listed = {}
    for column in columns:
        names = named.get(column, [])
        names = names.split("|") if isinstance(names, str) else names
        own = [] if column in ("source", "kind", "name", "at") else [column]
        folded = [fold_title(name.replace("_", " ")) for name in (*own, *names)]
        listed[column] = [name for name in dict.fromkeys(folded) if name]
    return listed


SYNONYMS: dict[str, dict[str, list[str]]] = {table: _listed(table) for table in RAW_TABLES}

# Words in the name of a file or sheet.
TABLE_HINTS: dict[str, tuple[str, ...]] = {
    "orders": ("vente", "commande", "order", "sale", "achat", "ticket", "transaction", "facture"),
    "people": ("client", "customer", "contact", "people", "adherent", "crm", "fichier client"),
    "products": ("produit", "product", "article", "catalogue"),
    "campaigns": ("campagne", "campaign"),
    "contacts": ("envoi", "mailing", "emailing"),
    "conversations": ("appel", "conversation", "sav"),
    "surveys": ("enquete", "survey", "nps", "satisfaction"),
    "loyalty": ("fidelite", "loyalty", "point"),
    "web_events": ("web", "navigation", "visite"),
}

SKIPPED_STATUSES = frozenset(
    [
        "annule",
        "annulee",
        "annulees",
        "cancelled",
        "canceled",
        "cancelle",
        "abandonne",
        "abandonnee",
        "refuse",
        "refusee",
        "brouillon",
        "draft",
        "devis",
        "quote",
        "test",
        "void",
        "voided",
        "supprimee",
        "supprime",
    ]
)

_STATUS = {
    "paid": "paye|payee|paid|reglee|regle|livree|livre|delivered|expediee|expedie|shipped"
    "|terminee|termine|completed|complete|facturee|facture|validee|valide|soldee|encaissee|ok"
    "|cloturee|vente|sale|confirmee|confirmed|approved",
    "returned": "remboursee|rembourse|refunded|retour|retournee|retourne|returned|return|avoir"
    "|refund|remboursement|retour client|partially refunded",
    "unpaid": "impaye|impayee|unpaid|en attente de paiement|rejete|contentieux|chargeback"
    "|a payer|non paye|non payee|overdue",
}
_PAYMENT = {
    "card": "cb|carte|carte bancaire|carte bleue|card|credit card|debit card|visa|mastercard|amex"
    "|credit_card|debit_card",
    "cash": "espece|especes|cash|liquide|esp",
    "cheque": "cheque|chq|check|cheques",
    "transfer": "virement|transfer|bank transfer|vir",
    "direct_debit": "prelevement|direct debit|sepa",
    "paypal": "paypal",
    "gift_card": "carte cadeau|cheque cadeau|gift card|bon cadeau|e-carte",
}
_CHANNEL = {
    "store": "magasin|boutique|store|shop|caisse|point de vente|pos|in store|retail",
    "web": "web|internet|site|site web|en ligne|e-commerce|ecommerce|online|website",
    "phone": "telephone|tel|phone|appel",
    "email": "email|e-mail|mail|mel|courriel",
    "sms": "sms",
    "post": "courrier|poste|post|correspondance|vpc",
    "social": "reseaux sociaux|social|facebook|instagram",
}
_DELIVERY = {
    "home": "domicile|a domicile|home|livraison a domicile|home delivery",
    "store": "magasin|retrait magasin|retrait|click and collect|click & collect|store|pickup",
    "relay": "point relais|relais|relay|mondial relay|pickup point",
}


def _reverse(codes: dict[str, str]) -> dict[str, str]:
    return {fold(word): code for code, words in codes.items() for word in words.split("|")}


# Folded word to our code, for the columns whose values we know how to read.
CODES: dict[str, dict[str, str]] = {
    "status": _reverse(_STATUS),
    "payment": _reverse(_PAYMENT),
    "channel": _reverse(_CHANNEL),
    "preferred_channel": _reverse(_CHANNEL),
    "delivery": _reverse(_DELIVERY),
}
