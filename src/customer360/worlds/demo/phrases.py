"""What customers say and advisers note: phrases by manner, reason and mood.

`service` puts them together. Nothing here names a person.

Three manners of writing: the note of an adviser after a call (third person, clipped),
the short message (SMS, WhatsApp, chat), and the letter (mail). Words between braces are
filled in: `{product}`, `{number}` (of an order), `{delay}`, `{day}` (past), `{soon}`
(to come), `{occasion}`.

Phrase number i of a pool belongs to wording i modulo `WORDINGS`, and a conversation
takes all its phrases from one wording. Whoever keeps a wording out of training can test
on phrases never seen.
"""

from __future__ import annotations

__all__ = [
    "AGAIN",
    "CLAIMS",
    "CLOSINGS",
    "COMMENTS",
    "DAYS",
    "DELAYS",
    "DETAILS",
    "FACTS",
    "FEELINGS",
    "GREETINGS",
    "IRONIES",
    "MANNERS",
    "OCCASIONS",
    "OPINIONS",
    "SHORT_FORMS",
    "SOON",
    "WORDINGS",
]

WORDINGS = 4
MANNERS = ("note", "short", "letter")


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


# --- what fills the braces ---

DAYS = (
    "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "hier", "avant-hier",
    "lundi dernier", "vendredi dernier", "le 3", "le 12", "le 18", "le 24", "jeudi matin",
    "samedi midi", "mardi soir", "en début de semaine", "la semaine dernière", "ce week-end",
)  # fmt: skip
SOON = (
    "demain", "samedi", "lundi", "mardi prochain", "jeudi", "vendredi", "samedi matin",
    "après-demain", "lundi prochain", "vendredi soir", "ce samedi", "dimanche", "le 14", "le 28",
    "la semaine prochaine", "le week-end prochain",
)  # fmt: skip
DELAYS = (
    "trois jours", "4 jours", "cinq jours", "6 jours", "une semaine", "8 jours", "dix jours",
    "12 jours", "15 jours", "deux semaines", "trois semaines", "3 semaines", "presque un mois",
    "un mois", "plus d'une semaine", "plus de dix jours",
)  # fmt: skip
OCCASIONS = (
    "un anniversaire", "un mariage", "des vacances", "un cadeau", "une naissance",
    "un déménagement", "une crémaillère", "mes parents", "ma fille", "mon fils", "le bureau",
    "une fête de famille", "un départ en retraite", "des invités samedi", "la fin du mois",
    "une amie", "les enfants",
)  # fmt: skip

# --- how it begins ---

GREETINGS: dict[str, tuple[str, ...]] = {
    "note": _lines("""
        Appel entrant.
        Appel client.
        Contact tél.
        Cl. au téléphone.
        Tél :
        Appel ce jour.
        Entrant :
        Prise d'appel.
        """),
    "short": _lines("""
        Bonjour,
        bonjour
        slt
        Bonsoir
        bonsoir,
        coucou
        Hello
        Bonjour !
        bjr
        Re bonjour,
        Salut
        Bonjour à vous
        """),
    "letter": _lines("""
        Bonjour,
        Bonjour Madame, Monsieur,
        Madame, Monsieur,
        Bonsoir,
        Chère équipe,
        Bonjour à toute l'équipe,
        À l'attention du service client,
        Mesdames, Messieurs,
        Bonjour le service client,
        Service clientèle bonjour,
        Bonjour à tous,
        Re-bonjour,
        """),
}

# --- why: by manner and reason ---

FACTS: dict[str, dict[str, tuple[str, ...]]] = {
    "note": {
        "retard": _lines("""
            Colis non reçu, {product}.
            Commande {number} toujours pas livrée, prévue {day}.
            Retard de livraison de {delay}.
            Suivi transporteur bloqué depuis {delay} ({product}).
            Livraison annoncée {day}, rien reçu.
            Livreur passé sans sonner, colis reparti au dépôt.
            Colis noté livré mais absent, {product}.
            Demande où est le colis {number}, hors délai.
            Livraison repoussée deux fois, article {product}.
            Attend depuis {delay} sa commande ({product}).
            Point relais fermé, colis introuvable.
            Avis de passage non laissé, colis {number} en retour expéditeur.
            Colis perdu par le transporteur selon le suivi, {product}.
            Date de livraison non tenue ({day}), était chez soi toute la journée.
            Expédition partielle, manque encore {product}.
            Commande {number} partie avec {delay} de retard.
            """),
        "casse": _lines("""
            Article reçu cassé, {product}.
            Produit défectueux à l'ouverture ({product}), cde {number}.
            Carton enfoncé, contenu abîmé.
            Pièce manquante dans le colis, {product}.
            Ne fonctionne pas après un jour, {product}.
            Reçu rayé, {product}, photos à venir.
            Erreur de préparation : mauvaise couleur, {product}.
            Mauvais article dans le colis {number}.
            Colis ouvert à la réception, {product} inutilisable.
            Signale une fissure sur l'article {product}.
            Panne après {delay} d'usage, {product}.
            Emballage trempé, produit à remplacer.
            Demande échange pour casse transport, {product}.
            Notice et visserie absentes, {product}.
            Reçu d'occasion visiblement, {product}, traces d'usage.
            Second exemplaire également abîmé, {product}.
            """),
        "rupture": _lines("""
            Commande {number} annulée faute de stock.
            Retrait magasin impossible, {product} non disponible.
            Réservation non préparée, {product}.
            Site affichait disponible, rupture en magasin ({product}).
            Annulation reçue {day} sans explication, {product}.
            Déplacement pour rien, article {product} absent du rayon.
            Attend le réassort depuis {delay}, {product}.
            Article épuisé après paiement, {product}.
            Click and collect validé puis annulé, {product}.
            Substitution proposée refusée, voulait {product}.
            Rupture sur {product}, demande date de retour.
            Promo publicitaire mais plus de stock ({product}).
            Commande {number} coupée : un article en rupture.
            Stock affiché faux en ligne, {product}.
            """),
        "suivi": _lines("""
            Demande où en est la commande {number}.
            Souhaite date de livraison, {product}.
            Changement d'adresse de livraison demandé.
            Veut une livraison plutôt {soon}.
            N'a pas reçu le mail d'expédition, {product}.
            Question sur le créneau de livraison.
            Demande numéro de suivi, cde {number}.
            Veut passer de domicile à relais, {product}.
            Demande si la commande {number} est bien validée.
            Vérification de l'avancement, {product}.
            Demande l'heure de passage du livreur {soon}.
            Veut ajouter un article à la commande {number}.
            Souhaite être appelé avant livraison, {product}.
            """),
        "facture": _lines("""
            Demande duplicata de facture, cde {number}.
            Double prélèvement signalé, {product}.
            Facture à mettre au nom de la société.
            Montant débité différent du ticket ({product}).
            Code promo non déduit, cde {number}.
            Question sur paiement en trois fois.
            Frais de port contestés, {product}.
            TVA à faire apparaître, facture {number}.
            Remboursement non visible sur le compte, {product}.
            Ticket de caisse perdu, achat {day}.
            Carte refusée mais débit vu, {product}.
            Demande relevé des achats de l'année.
            """),
        "retour": _lines("""
            Souhaite retourner {product}.
            Demande étiquette de retour, cde {number}.
            Retour déposé {day}, attend remboursement.
            Échange de taille demandé, {product}.
            Délai de rétractation, {product}.
            Veut rendre en magasin un achat web ({product}).
            Retour sans ticket, {product}.
            Demande avoir plutôt que remboursement.
            Ne convient pas, {product}, jamais ouvert.
            Cadeau en double, {product}, veut échanger.
            Procédure de retour expliquée, cde {number}.
            Point de dépôt du retour à indiquer, {product}.
            """),
        "conseil": _lines("""
            Conseil avant achat, {product}.
            Hésite entre deux modèles ({product}).
            Demande dimensions de l'article {product}.
            Disponibilité en magasin demandée, {product}.
            Question garantie, {product}.
            Cherche idée cadeau pour {occasion}.
            Compatibilité à vérifier, {product}.
            Demande couleurs existantes, {product}.
            Horaires du magasin demandés.
            Entretien du produit expliqué, {product}.
            Cherche équivalent moins cher, {product}.
            Devis pour plusieurs pièces, {product}.
            Demande si {product} convient en extérieur.
            """),
        "fidelite": _lines("""
            Points non crédités, achat {day}.
            Solde de points demandé.
            Bon de fidélité refusé en caisse, {product}.
            Carte perdue, renvoi demandé.
            Question sur la date de validité des points.
            Demande fusion de deux cartes.
            Veut utiliser son bon en ligne, {product}.
            Changement d'adresse e-mail sur le compte fidélité.
            Avantage d'anniversaire non reçu.
            Explication du palier suivant.
            Points de la cde {number} manquants.
            Demande désinscription du programme.
            """),
        "remerciement": _lines("""
            Appelle pour remercier le magasin.
            Livraison plus tôt que prévu, {product}.
            Très bon conseil en rayon, {product}.
            Retour positif sur l'article {product}.
            Souhaite féliciter le vendeur.
            Dossier {number} résolu, appelle pour le dire.
            Content du geste fait {day}.
            Recommande l'article {product}.
            Remercie pour l'échange rapide, {product}.
            Avis favorable sur la livraison.
            Produit conforme, {product}, tient à le dire.
            Salue l'accueil en caisse {day}.
            """),
    },
    "short": {
        "retard": _lines("""
            j'ai toujours pas reçu ma commande ({product})
            mon colis devait arriver {day} et rien
            toujours rien reçu depuis {delay}
            le suivi bouge plus depuis {delay}
            c'est noté livré mais j'ai rien eu
            le livreur a même pas sonné
            ma commande {number} est encore repoussée
            où est mon colis svp, prévu {day}
            ça fait {delay} que j'attends {product}
            le point relais a pas mon colis
            votre transporteur dit absent alors que j'étais là
            tjs pas de {product}, vous en êtes où
            commande {number} bloquée au dépôt depuis {delay}
            on m'a dit {day}, on est pas livré
            mon paquet fait le tour de France je crois ({product})
            j'attends encore l'article {product}
            """),
        "casse": _lines("""
            reçu cassé ({product})
            l'article {product} marche pas
            le carton était défoncé et le produit aussi
            il manque une pièce ({product})
            vous m'avez envoyé la mauvaise couleur
            c'est pas ce que j'ai commandé, je voulais {product}
            tout est rayé, {product}
            en panne au bout de {delay}
            déjà cassé, reçu {day}
            la boîte était ouverte ({product})
            je vous envoie une photo, {product} fendu
            il s'allume plus, {product}
            colis mouillé, {product} à jeter
            y a un trou dedans ({product})
            commande {number} arrivée en morceaux
            les vis sont pas dans le carton
            """),
        "rupture": _lines("""
            ma commande {number} vient d'être annulée
            plus de stock alors que j'ai payé ({product})
            je suis au magasin et y a rien pour moi
            le site dit dispo mais y en a pas ({product})
            réservé en ligne, pas mis de côté
            annulé sans prévenir, {product}
            j'ai fait 30 km pour rien
            ça revient quand, {product}, depuis {delay} en rupture
            vous vendez des trucs que vous avez pas ({product})
            retrait magasin refusé, {product}
            article épuisé après ma commande
            on m'avait dit dispo {day}
            en pub mais introuvable, {product}
            la moitié de la commande {number} est en rupture
            """),
        "suivi": _lines("""
            elle en est où ma commande ({product})
            c'est pour savoir quand je serai livré
            je peux changer l'adresse de livraison
            possible de livrer plutôt {soon}
            j'ai pas eu de numéro de suivi ({product})
            vous livrez à quelle heure {soon}
            ma commande {number} est bien passée
            tu peux regarder où est mon colis stp
            je serai pas là {soon}, on fait comment
            je peux passer en point relais
            une idée de la date pour {product}
            besoin du suivi de la commande {number}
            on peut ajouter un truc à la commande
            """),
        "facture": _lines("""
            il me faut la facture svp ({product})
            j'ai été prélevé deux fois
            le code promo est pas passé, commande {number}
            la facture au nom de la boîte c'est possible
            le montant est pas le bon ({product})
            je retrouve plus mon ticket de {day}
            on peut payer en 3 fois pour {product}
            vous m'avez compté les frais de port
            remboursement pas encore sur mon compte
            carte refusée mais débitée quand même
            facture {number} introuvable dans mon espace
            y a une erreur de prix sur {product}
            """),
        "retour": _lines("""
            je voudrais renvoyer {product}
            comment on fait un retour
            j'ai renvoyé mon colis {day}, remboursé quand
            l'étiquette de retour s'imprime pas
            on peut rendre en magasin un truc acheté en ligne
            pas la bonne taille, je peux échanger ({product})
            j'ai eu {product} en double
            le retour est gratuit ou pas
            je change d'avis pour {product}
            j'ai plus le carton, ça passe quand même
            retour de la commande {number}
            je préfère un avoir, c'est possible
            """),
        "conseil": _lines("""
            vous avez encore {product}
            c'est garanti combien de temps ({product})
            vous êtes ouverts {soon}
            ça existe dans une autre couleur ({product})
            vous me conseillez quoi pour {occasion}
            il fait quelle taille, {product}
            ça passe au lave-vaisselle ou pas
            je cherche {product} pas trop cher
            quelle différence entre les deux modèles ({product})
            t'as une idée cadeau pour {occasion}
            il y en aura encore {soon} en magasin
            c'est facile à monter, {product}
            on peut l'utiliser dehors ({product})
            """),
        "fidelite": _lines("""
            j'ai pas eu mes points
            j'ai combien de points sur ma carte
            mon bon marche pas sur le site ({product})
            j'ai perdu ma carte de fidélité
            les points sont valables jusqu'à quand
            j'ai deux cartes, on peut les regrouper
            je peux utiliser mon bon pour {product}
            j'ai changé de mail, comment on fait
            pas reçu mon cadeau d'anniversaire
            points de la commande {number} pas crédités
            c'est quoi le prochain palier
            la caisse a pas pris ma carte {day}
            """),
        "remerciement": _lines("""
            bien reçu {product}
            livré avec deux jours d'avance
            le vendeur m'a super bien aidé {day}
            juste un mot pour l'équipe
            c'était exactement ce que je cherchais ({product})
            ça y est c'est remboursé
            nickel pour {product}
            reçu ce matin, rien à redire
            le remplacement est arrivé ({product})
            très belle qualité, {product}
            votre collègue a tout réglé {day}
            échange fait en cinq minutes
            """),
    },
    "letter": {
        "retard": _lines("""
            ma commande ({product}) devait arriver {day} et je n'ai toujours rien reçu.
            je n'ai pas de nouvelles de mon colis, le suivi ne bouge plus depuis {delay}.
            la livraison de ma commande {number} est encore repoussée.
            le livreur est passé sans sonner et mon colis ({product}) est reparti au dépôt.
            cela fait {delay} que j'attends l'article {product}.
            le transporteur annonce ma commande ({product}) livrée alors que je n'ai rien.
            je vous écris au sujet de la commande {number}, dont le délai est dépassé.
            j'ai pris une journée pour attendre l'article {product}, personne n'est venu.
            votre site annonçait une livraison {day} ; nous avons dépassé cette date.
            mon point relais n'a jamais vu arriver le colis ({product}).
            à ce jour, l'article {product} ne m'est pas parvenu.
            voilà {delay} que le statut reste sur « en préparation ».
            le paquet {number} serait perdu, si j'en crois le transporteur.
            une partie seulement de mes achats est arrivée, il manque l'article {product}.
            j'avais payé la livraison rapide pour l'article {product}, sans aucun effet.
            le colis a été déposé je ne sais où, en tout cas pas chez moi.
            """),
        "casse": _lines("""
            l'article {product} est arrivé cassé, le carton était enfoncé.
            il manque une pièce dans le colis ({product}).
            l'article {product} reçu {day} ne fonctionne pas du tout.
            j'ai ouvert le colis ({product}) et tout est rayé.
            ce n'est pas ce que j'ai commandé ({product}), la couleur ne correspond pas.
            mon achat ({product}) est tombé en panne après {delay} d'utilisation.
            à la réception de la commande {number}, j'ai constaté des dégâts.
            l'emballage était manifestement insuffisant pour l'article {product}.
            je vous signale un défaut sur l'article {product} acheté {day}.
            le produit livré porte des traces d'usage ({product}).
            vous trouverez en pièce jointe les photos de l'article {product} abîmé.
            la notice et les vis n'étaient pas dans la boîte ({product}).
            une odeur de brûlé se dégage de l'article {product}.
            la commande {number} contenait un tout autre article que le mien.
            le remplacement que vous m'avez adressé ({product}) est lui aussi endommagé.
            un des côtés est fendu ({product}), il ne tient pas debout.
            """),
        "rupture": _lines("""
            je suis venu en magasin chercher ma commande ({product}) et il n'y en avait plus.
            ma commande {number} a été annulée faute de stock.
            le site affichait l'article {product} disponible, on me dit qu'il est épuisé.
            j'avais fait une réservation ({product}) et personne ne l'avait mise de côté.
            un message m'informe {day} que l'article {product} n'est plus disponible.
            j'ai payé l'article {product} il y a {delay}, il n'est plus en stock.
            votre prospectus présente l'article {product}, introuvable dans vos rayons.
            mon retrait en magasin a été refusé alors que la commande {number} était validée.
            on me propose un autre modèle à la place de l'article {product}.
            l'article {product} est en rupture depuis {delay}.
            vous avez supprimé un article de ma commande sans me consulter ({product}).
            le vendeur n'a pas retrouvé ma réservation ({product}).
            après deux déplacements, toujours pas d'article {product} en rayon.
            la quantité annoncée en ligne pour l'article {product} ne correspond pas à la réalité.
            """),
        "suivi": _lines("""
            pouvez-vous me dire où en est ma commande ({product}) ?
            je voudrais savoir quand ma commande {number} sera livrée.
            est-il possible de changer l'adresse de livraison de ma commande ({product}) ?
            je souhaiterais être livré plutôt {soon} ({product}).
            je n'ai pas trouvé le numéro de suivi de l'article {product}.
            à quelle heure le livreur doit-il passer {soon} ?
            je vous remercie de me confirmer que la commande {number} est enregistrée.
            pourriez-vous livrer en point relais plutôt qu'à domicile ?
            je serai absent {soon}, comment faire pour le colis ?
            puis-je encore ajouter un article à ma commande ({product}) ?
            le statut de la commande {number} est-il normal ?
            je souhaiterais qu'on m'appelle avant de livrer l'article {product}.
            j'aimerais connaître la date prévue pour l'article {product}.
            """),
        "facture": _lines("""
            j'aurais besoin de la facture de mon achat ({product}).
            je crois avoir été prélevé deux fois pour l'article {product}.
            pouvez-vous mettre la facture {number} au nom de ma société ?
            le montant débité ne correspond pas à celui de ma commande ({product}).
            le code de réduction n'a pas été pris en compte sur la commande {number}.
            je ne vois pas encore mon remboursement ({product}) sur mon compte.
            les frais de port m'ont été comptés alors que la livraison était offerte.
            puis-je payer l'article {product} en trois fois ?
            ma comptabilité demande une facture avec la TVA pour l'article {product}.
            j'ai égaré mon ticket de caisse de {day}.
            ma carte a été refusée mais le débit apparaît bien ({product}).
            le prix en caisse n'était pas celui de l'étiquette ({product}).
            """),
        "retour": _lines("""
            je voudrais rendre l'article {product} acheté {day}.
            comment renvoyer un achat ({product}) qui ne convient pas ?
            j'ai renvoyé l'article {product}, quand serai-je remboursé ?
            je souhaite échanger l'article {product} contre une autre taille.
            pouvez-vous m'adresser une étiquette de retour pour la commande {number} ?
            on m'a offert l'article {product} en double, puis-je l'échanger ?
            est-il possible de rapporter en magasin un achat fait en ligne ({product}) ?
            je n'ai plus l'emballage d'origine, le retour est-il accepté ?
            je fais valoir mon droit de rétractation sur la commande {number}.
            le retour de l'article {product} est-il gratuit ?
            je préférerais un avoir à un remboursement pour l'article {product}.
            où dois-je déposer le colis de retour ({product}) ?
            """),
        "conseil": _lines("""
            je cherche un modèle ({product}) pour un petit appartement, que me conseillez-vous ?
            cet article ({product}) existe-t-il dans une autre taille ?
            avez-vous encore le modèle ({product}) vu dans votre vitrine {day} ?
            je cherche une idée pour {occasion}, avec un emballage cadeau.
            cet article ({product}) est-il garanti deux ans ?
            quelles sont les dimensions exactes de l'article {product} ?
            j'hésite entre deux modèles ({product}), lequel est le plus solide ?
            l'article {product} convient-il à un usage en extérieur ?
            comment entretenir au mieux l'article {product} ?
            faites-vous un prix pour plusieurs exemplaires ({product}) ?
            votre magasin sera-t-il ouvert {soon} ?
            l'article {product} est-il fabriqué en France ?
            avez-vous un équivalent moins cher à l'article {product} ?
            """),
        "fidelite": _lines("""
            mes points n'apparaissent pas après mon dernier achat ({product}).
            puis-je utiliser mon bon de fidélité sur un article comme celui-ci : {product} ?
            j'ai perdu ma carte de fidélité, comment en obtenir une nouvelle ?
            pourriez-vous me donner le solde de mes points ?
            mon bon d'achat a été refusé en caisse {day}.
            jusqu'à quand mes points sont-ils valables ?
            j'ai deux cartes à la même adresse, peut-on les réunir ?
            les points de la commande {number} n'ont pas été crédités.
            je n'ai pas reçu l'avantage d'anniversaire de mon compte fidélité.
            mon adresse e-mail a changé, comment la mettre à jour sur ma carte ?
            combien me manque-t-il pour atteindre le palier suivant ?
            le bon de dix euros ne s'applique pas à l'article {product}.
            """),
        "remerciement": _lines("""
            je voulais remercier le vendeur qui m'a aidé à choisir ({product}).
            ma commande ({product}) est arrivée plus tôt que prévu.
            cet article ({product}) est exactement ce que je cherchais.
            je tenais à saluer le travail de votre équipe {day}.
            l'échange de l'article {product} s'est fait sans la moindre difficulté.
            votre conseillère a trouvé une solution pour la commande {number}.
            l'article {product} est de très belle qualité.
            un mot pour vous dire que tout est arrivé en parfait état.
            le remboursement est bien arrivé, en moins de {delay}.
            nous avons été très bien reçus dans votre magasin {day}.
            le livreur a pris le temps de monter l'article {product}.
            l'article {product} a fait plaisir, c'était pour {occasion}.
            """),
    },
}

# --- what may be added, whatever the mood ---

DETAILS: dict[str, tuple[str, ...]] = {
    "note": _lines("""
        Cde {number}.
        Réf {number}.
        Commandé {day}.
        C'est pour {occasion}.
        Paiement CB.
        Vu sur le site.
        N° {number}.
        Acheté {day} en magasin.
        Mail joint au dossier.
        Délai annoncé : {delay}.
        Dossier {number}.
        Rappeler après 18 h.
        """),
    "short": _lines("""
        commande {number}
        n° {number}
        commandé {day}
        c'est pour {occasion}
        acheté {day}
        j'ai le ticket
        réf {number}
        payé par carte
        je peux envoyer une photo
        num {number}
        j'en ai besoin pour {occasion}
        vu sur votre site
        """),
    "letter": _lines("""
        Ma commande porte le numéro {number}.
        J'ai passé commande {day}, sur votre site.
        La référence est {number}.
        C'était prévu pour {occasion}.
        Je joins une copie du bon de commande.
        Vous pouvez me joindre en journée.
        L'achat date de {delay} environ.
        Je vous transmets le numéro du dossier : {number}.
        Je me permets de vous écrire directement.
        N° de commande : {number}.
        Il s'agit d'un achat pour {occasion}.
        J'ai déjà consulté la rubrique d'aide du site.
        """),
}

AGAIN: dict[str, tuple[str, ...]] = {
    "note": _lines("""
        2e appel sur ce sujet.
        Rappelle, promesse de rappel non tenue.
        Relance, dossier ouvert depuis {delay}.
        A déjà appelé {day}.
        """),
    "short": _lines("""
        j'ai déjà appelé {day}
        2e fois que je vous écris
        on devait me rappeler
        toujours pas de réponse depuis {delay}
        """),
    "letter": _lines("""
        C'est la deuxième fois que je vous contacte à ce sujet.
        On devait me rappeler {day}, je n'ai eu aucun appel.
        Je reviens vers vous faute de réponse depuis {delay}.
        Mon premier message est resté sans suite.
        """),
}

# --- how it feels: by manner and mood ---

FEELINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "note": {
        "pleased": _lines("""
            Client très satisfait.
            Cliente ravie.
            Échange cordial.
            Ton chaleureux.
            Satisfait du service.
            Compliments pour l'équipe.
            Cliente agréable et patiente.
            Nous remercie vivement.
            Content de la solution.
            Dit être fidèle depuis des années.
            Apprécie la rapidité.
            Va nous recommander.
            """),
        "neutral": _lines("""
            Renseignement donné.
            Client calme.
            Demande simple.
            RAS.
            Pas de difficulté.
            Attend notre retour.
            Cliente courtoise.
            A pris note.
            Accepte le délai.
            Information comprise.
            Souhaite une confirmation par mail.
            D'accord pour attendre.
            """),
        "annoyed": _lines("""
            Client mécontent.
            Cliente déçue.
            Ton agacé.
            Trouve le délai trop long.
            Se plaint de l'attente au téléphone.
            Insatisfait de la réponse.
            S'impatiente.
            Dit que ce n'est pas la première fois.
            Regrette le manque d'information.
            Attendait mieux de nous.
            Cliente contrariée.
            Conteste la réponse du site.
            """),
        "furious": _lines("""
            Client furieux.
            Cliente très en colère.
            Menace d'aller à la concurrence.
            A raccroché.
            Exige un remboursement immédiat.
            Hausse le ton.
            Demande à parler au responsable.
            Veut fermer son compte.
            Parle de saisir un médiateur.
            Propos vifs, appel difficile.
            Ne veut plus rien acheter chez nous.
            Excédé, refuse toute solution.
            """),
    },
    "short": {
        "pleased": _lines("""
            merci vous êtes au top
            super rapide
            trop contente
            nickel
            parfait comme d'hab
            bravo à l'équipe
            je suis ravie
            très bien reçu en magasin
            génial
            vous gérez
            j'adore
            rien à dire, top service
            je reviendrai
            ça fait plaisir
            """),
        "neutral": _lines("""
            merci de me dire
            c'est possible de vérifier
            dites-moi
            c'est pour m'organiser
            pas urgent
            j'ai pas trouvé sur le site
            je suis dispo ce soir
            ok pour un rappel
            j'attends votre retour
            tenez-moi au courant
            si vous pouvez regarder
            quand vous avez un moment
            """),
        "annoyed": _lines("""
            c'est un peu long là
            pas top
            franchement déçu
            c'est pas sérieux
            j'en ai un peu marre
            c'est pas la première fois
            ça commence à faire beaucoup
            20 min au téléphone pour rien
            personne ne répond
            je pensais que c'était plus sérieux chez vous
            bof bof
            on m'avait dit 48 h
            ça m'embête vraiment
            dommage
            """),
        "furious": _lines("""
            c'est inadmissible
            vous vous foutez de moi
            c'est du vol
            plus jamais chez vous
            je veux mon argent
            honteux
            n'importe quoi ce service
            c'est la dernière fois
            je vais porter plainte
            vous êtes nuls
            une honte
            je vais le dire partout
            remboursez-moi maintenant
            ras le bol
            """),
    },
    "letter": {
        "pleased": _lines("""
            C'est parfait.
            Je suis ravie.
            Service au top, comme toujours.
            Bravo pour votre sérieux.
            Je reviendrai avec plaisir.
            Très bon accueil.
            Je vous recommande autour de moi.
            Votre équipe est d'une grande gentillesse.
            Je suis pleinement satisfait de mes achats chez vous.
            Cela change des autres enseignes.
            Quelle efficacité !
            J'apprécie beaucoup votre disponibilité.
            Tout s'est passé au mieux.
            C'est toujours un plaisir d'acheter chez vous.
            """),
        "neutral": _lines("""
            Merci de me tenir au courant.
            Je reste à votre disposition.
            Pouvez-vous vérifier ?
            Je n'ai pas trouvé la réponse sur le site.
            C'est pour la fin du mois.
            Il n'y a pas d'urgence.
            Je vous remercie de votre réponse.
            J'aimerais simplement une confirmation.
            Vous pouvez répondre à cette adresse.
            Je m'organiserai selon votre réponse.
            Dites-moi ce qui vous arrange.
            Un retour de votre part suffira.
            """),
        "annoyed": _lines("""
            Ce n'est pas la première fois.
            Je suis un peu déçu.
            J'avais pourtant appelé il y a deux jours.
            On m'avait promis une réponse rapide.
            C'est vraiment dommage.
            Je comptais dessus et me voilà sans rien.
            J'ai attendu vingt minutes au téléphone.
            Je commence à perdre patience.
            Vous comprendrez mon agacement.
            Je m'attendais à mieux de votre part.
            Cela me pose un vrai problème.
            Les réponses que l'on me donne se contredisent.
            Ce manque de suivi est regrettable.
            J'ai le sentiment de ne pas être écouté.
            """),
        "furious": _lines("""
            C'est inadmissible !
            Je n'ai jamais vu ça.
            Vous vous moquez du monde !
            Je veux être remboursé immédiatement.
            Dernière fois que je commande chez vous.
            C'est honteux, personne ne répond.
            Je vais écrire à une association de consommateurs.
            Je vous demande de clore mon compte.
            Je ne vous ferai plus jamais confiance.
            Votre service client est lamentable.
            Je suis scandalisée par votre attitude.
            Vous venez de perdre un client de dix ans.
            Mon assurance juridique prendra la suite.
            Un tel mépris des clients me révolte.
            """),
    },
}

# Praise that is not meant: told from the real one by what it follows, if at all.
IRONIES: dict[str, tuple[str, ...]] = {
    "note": _lines("""
        Client ironique.
        Nous félicite, sur un ton sec.
        Remercie sans conviction.
        Dit que tout est parfait, comme d'habitude.
        """),
    "short": _lines("""
        bravo les champions
        merci pour ce beau service
        super organisation
        top vraiment
        5 étoiles
        génial merci
        quelle rapidité
        on se régale
        """),
    "letter": _lines("""
        Merci pour ce beau service.
        Félicitations pour votre organisation.
        Quelle rapidité, vraiment !
        Encore bravo à toute la chaîne.
        J'admire votre sens du client.
        Un grand moment de commerce.
        Je vous remercie de tant d'attention.
        C'est toujours un bonheur de vous écrire.
        """),
}

# --- how it ends: by manner and mood ---

CLOSINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "note": {
        "pleased": _lines("""
            Remercié.
            Dossier clos.
            Transmis au magasin.
            Avis à publier.
            """),
        "neutral": _lines("""
            Info donnée.
            Lien envoyé.
            Mail de confirmation envoyé.
            Dossier clos.
            À suivre.
            Transmis au magasin.
            Vu avec la logistique.
            Fin d'appel.
            """),
        "annoyed": _lines("""
            Rappel prévu sous 48 h.
            Excuses présentées.
            Relance transporteur faite.
            Bon de 10 euros proposé.
            Transmis au SAV.
            Enquête ouverte.
            À rappeler.
            Réclamation notée.
            """),
        "furious": _lines("""
            Transmis au responsable.
            Geste commercial refusé.
            Escalade niveau 2.
            Remboursement demandé au siège.
            Excuses refusées.
            À traiter en urgence.
            Réclamation ouverte.
            Risque de départ.
            """),
    },
    "short": {
        "pleased": _lines("""
            merci encore
            bonne journée à tous
            merci beaucoup
            à bientôt
            bisous à l'équipe
            bonne continuation
            un grand merci
            belle journée
            """),
        "neutral": _lines("""
            merci
            merci d'avance
            cdt
            bonne journée
            svp
            merci bcp
            bonne soirée
            cordialement
            """),
        "annoyed": _lines("""
            vous proposez quoi
            j'attends une réponse
            merci de faire le nécessaire
            répondez svp
            on fait quoi
            ça serait bien de répondre
            faites quelque chose
            un retour svp
            """),
        "furious": _lines("""
            réponse aujourd'hui
            inutile de rappeler
            j'attends
            je veux un responsable
            répondez
            dernier message
            à bon entendeur
            on va pas en rester là
            """),
    },
    "letter": {
        "pleased": _lines("""
            Merci beaucoup !
            Bonne journée à toute l'équipe.
            Merci encore, bien à vous.
            Avec toute ma sympathie.
            Très belle journée à vous.
            Bien cordialement et à bientôt.
            Continuez ainsi.
            Un grand merci.
            """),
        "neutral": _lines("""
            Cordialement.
            Bonne journée.
            Merci d'avance.
            Bien cordialement.
            Bien à vous.
            Je vous prie d'agréer, Madame, Monsieur, mes salutations distinguées.
            Avec mes remerciements.
            Sincères salutations.
            """),
        "annoyed": _lines("""
            J'attends votre réponse.
            Merci de faire le nécessaire.
            Que proposez-vous ?
            J'espère une réponse cette fois.
            Je vous remercie de régler cela sans tarder.
            Dans l'attente d'une solution.
            Une explication serait la bienvenue.
            Je compte sur un geste de votre part.
            """),
        "furious": _lines("""
            J'exige une réponse aujourd'hui.
            Sans réponse je porte plainte.
            Inutile de me rappeler.
            J'attends votre remboursement sous huit jours.
            Considérez ceci comme une mise en demeure.
            Je garde copie de nos échanges.
            Adieu.
            Je ne vous salue pas.
            """),
    },
}

# Habits of the thumb, applied to some short messages.
SHORT_FORMS: tuple[tuple[str, str], ...] = (
    (r"\b[Bb]onjour\b", "bjr"),
    (r"\btoujours\b", "tjrs"),
    (r"\bbeaucoup\b", "bcp"),
    (r"\bc'est\b", "c"),
    (r"\bj'ai\b", "g"),
    (r"\bcommande\b", "cmd"),
    (r"\bquand\b", "qd"),
    (r"\bpour\b", "pr"),
    (r"\bvous\b", "vs"),
    (r"\bque\b", "q"),
)

# --- surveys: comments by mood ---

COMMENTS: dict[str, tuple[str, ...]] = {
    "pleased": _lines("""
        Réponse rapide et claire
        Parfait, merci
        Conseillère très à l'écoute
        Rien à redire
        Problème réglé en cinq minutes
        Très aimable
        Accueil chaleureux, bonne explication
        Enfin quelqu'un de compétent, bravo
        Super service
        On s'occupe vraiment de vous
        Efficace et souriant, même au téléphone
        Remboursée tout de suite
        Top
        Merci pour votre patience
        """),
    "neutral": _lines("""
        Correct
        Problème réglé
        RAS
        Un peu long mais efficace
        Réponse obtenue
        Ça va
        Rien de particulier
        Conforme à ce que j'attendais
        Assez bien dans l'ensemble
        Attente raisonnable
        Conseiller poli
        Normal
        """),
    "annoyed": _lines("""
        Trop d'attente
        J'ai dû rappeler deux fois
        Réponse peu claire
        Toujours pas résolu
        On m'a baladé d'un service à l'autre
        Réponse toute faite
        Peu de considération
        Déçu de la solution proposée
        Personne ne sait répondre
        Délais trop longs
        Je dois encore patienter
        Pas très concret
        Attente interminable au téléphone
        Le conseiller n'avait pas mon dossier
        """),
    "furious": _lines("""
        Nul, aucune solution
        Service client à revoir entièrement
        Je ne reviendrai pas
        On se renvoie la balle
        Une honte
        Zéro pointé
        Aucun respect du client
        On m'a raccroché au nez
        Lamentable du début à la fin
        Toujours rien, c'est inadmissible
        À fuir
        Incompétence totale
        Je passe à la concurrence
        Perte de temps et d'argent
        """),
}

OPINIONS: dict[str, tuple[str, ...]] = {
    "pleased": _lines("""
        Belle sélection de produits
        Je recommande les yeux fermés
        Magasin agréable, vendeurs compétents
        Livraisons toujours à l'heure
        Cliente depuis longtemps et toujours contente
        Bons prix et bon accueil
        J'y trouve toujours mon bonheur
        Enseigne sérieuse
        """),
    "neutral": _lines("""
        Choix correct, prix dans la moyenne
        Comme ailleurs
        Bien pour dépanner
        Quelques bons produits
        Site pratique, magasin un peu loin
        Rien à signaler
        Des promotions intéressantes parfois
        Pas mal
        """),
    "annoyed": _lines("""
        Livraisons peu fiables
        La qualité baisse
        Trop de ruptures
        Trop de publicités
        Service client difficile à joindre
        Prix en hausse
        C'était mieux avant
        Des promesses non tenues
        """),
    "furious": _lines("""
        Je déconseille à tout le monde
        Jamais plus
        Commandes perdues et aucun suivi
        Service client inexistant
        Que des problèmes
        Une enseigne qui se moque de ses clients
        Allez voir ailleurs
        Honteux
        """),
}

CLAIMS: dict[str, tuple[str, ...]] = {
    "annoyed": _lines("""
        Je demande un geste commercial
        Merci de traiter ma réclamation
        Je souhaite un remplacement rapide
        Remboursement des frais de port demandé
        Réclamation restée sans suite
        J'attends une date ferme
        Je demande un avoir
        Dossier à rouvrir
        """),
    "furious": _lines("""
        Remboursement intégral exigé
        Je saisis le médiateur
        Mise en demeure
        Je demande réparation du préjudice
        Dernier recours avant plainte
        Clôture de mon compte demandée
        Je veux un responsable
        Remboursez-moi sans délai
        """),
}
