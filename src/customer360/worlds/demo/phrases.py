"""What customers say: sentences by reason and by mood, put together by `service`.

`{p}` stands for a product. Mood runs from 0 (pleased) to 3 (furious).
"""

from __future__ import annotations

__all__ = ["CLOSINGS", "COMMENTS", "FEELINGS", "GREETINGS", "MOODS", "REASONS"]

MOODS = ("pleased", "neutral", "annoyed", "furious")

GREETINGS: tuple[str, ...] = (
    "Bonjour, ", "Bonjour, ", "Bonjour madame, monsieur, ", "Bonsoir, ", "", "Bonjour. ",
    "Madame, Monsieur, ", "Re-bonjour, ", "bonjour ",
)  # fmt: skip

# Reason, sentences about it, each with exactly one {p}.
REASONS: dict[str, tuple[str, ...]] = {
    "retard": (
        "ma commande ({p}) devait arriver la semaine dernière et je n'ai toujours rien reçu.",
        "je n'ai pas de nouvelles de mon colis ({p}), le suivi ne bouge plus depuis six jours.",
        "la livraison de ma commande ({p}) est encore repoussée.",
        "le livreur est passé sans sonner, mon colis avec l'article {p} est reparti au dépôt.",
        "cela fait trois semaines que j'attends l'article {p}.",
        "le transporteur annonce ma commande ({p}) livrée alors que je n'ai rien.",
    ),
    "casse": (
        "l'article {p} est arrivé cassé, le carton était enfoncé.",
        "il manque une pièce dans le colis ({p}).",
        "l'article {p} reçu hier ne fonctionne pas du tout.",
        "j'ai ouvert le colis ({p}) et tout est rayé.",
        "ce n'est pas ce que j'ai commandé ({p}), la couleur ne correspond pas.",
    ),
    "rupture": (
        "je suis venu en magasin chercher ma commande ({p}) et il n'y en avait plus.",
        "ma commande ({p}) a été annulée faute de stock.",
        "le site affichait l'article {p} disponible, on me dit maintenant qu'il est épuisé.",
        "j'avais fait une réservation ({p}) et personne ne l'avait mise de côté.",
    ),
    "suivi": (
        "pouvez-vous me dire où en est ma commande ({p}) ?",
        "je voudrais savoir quand ma commande ({p}) sera livrée.",
        "est-il possible de changer l'adresse de livraison de ma commande ({p}) ?",
        "je souhaite décaler la livraison ({p}) à samedi.",
    ),
    "facture": (
        "j'aurais besoin de la facture de mon achat ({p}).",
        "je crois avoir été prélevé deux fois pour l'article {p}.",
        "pouvez-vous mettre la facture ({p}) au nom de ma société ?",
    ),
    "retour": (
        "je voudrais rendre l'article {p} acheté la semaine dernière.",
        "comment renvoyer un achat ({p}) qui ne convient pas ?",
        "j'ai renvoyé l'article {p}, quand serai-je remboursé ?",
    ),
    "conseil": (
        "je cherche un modèle ({p}) pour un petit appartement, que me conseillez-vous ?",
        "cet article ({p}) existe-t-il dans une autre taille ?",
        "avez-vous encore le modèle ({p}) vu dans votre vitrine ?",
        "je cherche une idée pour offrir ({p} ou autre), avec un emballage cadeau.",
        "cet article ({p}) est-il garanti deux ans ?",
    ),
    "fidelite": (
        "mes points n'apparaissent pas après mon dernier achat ({p}).",
        "puis-je utiliser mon bon de fidélité sur un article comme celui-ci : {p} ?",
    ),
    "remerciement": (
        "je voulais remercier le vendeur qui m'a aidé à choisir ({p}).",
        "ma commande ({p}) est arrivée plus tôt que prévu.",
        "cet article ({p}) est exactement ce que je cherchais.",
    ),
}

# What follows, by mood. Politeness may hide anger, and irony may look like praise.
FEELINGS: dict[str, tuple[str, ...]] = {
    "pleased": (
        " C'est parfait.", " Je suis ravie.", " Service au top, comme toujours.",
        " Bravo pour votre sérieux.", " Je reviendrai avec plaisir.", " Très bon accueil.",
        " Je vous recommande autour de moi.", "",
    ),
    "neutral": (
        "", "", " Merci de me tenir au courant.", " Je reste à votre disposition.",
        " Pouvez-vous vérifier ?", " Je n'ai pas trouvé la réponse sur le site.",
        " C'est pour la fin du mois.",
    ),
    "annoyed": (
        " Ce n'est pas la première fois.", " Je suis un peu déçu.",
        " J'avais pourtant appelé il y a deux jours.", " On m'avait promis une réponse rapide.",
        " C'est vraiment dommage.", " Je comptais dessus pour un anniversaire.",
        " J'ai attendu vingt minutes au téléphone.", " Je commence à perdre patience.",
        " Merci quand même pour ce beau service...",
    ),
    "furious": (
        " C'est inadmissible !", " Je n'ai jamais vu ça.", " Vous vous moquez du monde !!",
        " Je veux être remboursé immédiatement.", " Dernière fois que je commande chez vous.",
        " C'est honteux, personne ne répond.", " Je vais écrire à une association.",
        " Félicitations, vous venez de perdre un client.",
        " Je vous saurais gré de bien vouloir clore mon compte.",
        " Je ne vous ferai plus jamais confiance.",
    ),
}  # fmt: skip

CLOSINGS: dict[str, tuple[str, ...]] = {
    "pleased": (" Merci beaucoup !", " Bonne journée à toute l'équipe.", " Merci encore", ""),
    "neutral": (" Merci.", " Cordialement.", " Bonne journée.", " Merci d'avance", ""),
    "annoyed": (
        " J'attends votre réponse.", " Cordialement.", " Merci de faire le nécessaire.",
        " Que proposez-vous ?", "",
    ),
    "furious": (
        " J'exige une réponse aujourd'hui.", " Cordialement.", " Sans réponse je porte plainte.",
        " Bien à vous.", "", " Inutile de me rappeler.",
    ),
}  # fmt: skip

# Comments left with a score, by mood.
COMMENTS: dict[str, tuple[str, ...]] = {
    "pleased": ("Réponse rapide et claire", "Parfait, merci", "Conseillère très à l'écoute",
                "Rien à redire"),
    "neutral": ("Correct", "Problème réglé", "RAS", "Un peu long mais efficace"),
    "annoyed": ("Trop d'attente", "J'ai dû rappeler deux fois", "Réponse peu claire",
                "Toujours pas résolu"),
    "furious": ("Nul, aucune solution", "Service client à revoir entièrement",
                "Je ne reviendrai pas", "On se renvoie la balle"),
}  # fmt: skip
