"""How French customers sound when they are cross, and when they are pleased: stems to count.

A model that learns from a few thousand surveys knows only the phrases it has seen. These
stems, of the everyday language of complaint and thanks, let it understand a phrase that it
has not. They were written from general knowledge of French, for no dataset in particular:
lower case, without accents; a space marks the border of a word.
"""

from __future__ import annotations

__all__ = ["CROSS", "DENIALS", "PLEASED"]

CROSS = tuple(
    """inadmissib|scandal|hont|deplorab|lamentab|inaccept|intolerab|insupport|catastroph|desastr
decu|decept|decev|mecontent|insatisf|furieu|furax|colere|enerv|agac|exasper|exced|ecoeur|ulcer
outre|revolt|indign|marre|ras le bol|plaint|reclam|litige|avocat|tribunal|justice|arnaq|voleur
escro|mensong|mentir|menti|moqu|fout|mepris|incompet|nul |nulle|pire|plus jamais|jamais|mauvais
pietre|aucun|toujours pas|toujours rien|rien|personne ne|attend|patien|bout|perdu|abus|dommage
regret|degout|gach|fache|irrit|contrari|impatien|menac|agressi|hausse|crie|insist|remonte
ton monte|grave|pas serieux|pas normal|anormal|trop long|trop tard|encore une fois|relanc|concurren
ailleurs|resili|quitt|derniere fois|n importe quoi|ridicul|absurd|aberr|incomprehensib
comprends pas|comprend pas|inquiet|lass|fatigu|pas content|mal |souci|probleme|exig|immediat
sur le champ|urgen|plus vite|enrag|rage|hors de""".replace("\n", "|").split("|")
)
PLEASED = tuple(
    """merci|ravi|parfait|content|satisf|excellen|super|genial|top |bravo|felicit|agreab|impeccab
nickel|formidab|adore|plaisir|heureu|efficac|rapid|aimab|gentil|sympa|serviab|recommand|chaleureu
souri|remerci|apprec|confian|fidel|enchant|merveill|magnifiq|beau|belle|bien |beaucoup|au top
chapeau|bonne surprise|qualite|reactif|reactiv|detendu|cordial|courtois|calme|pas de souci
pas de probleme|pas grave|pas urgent|quand vous pouvez|tranquil|bonne journee
""".strip()
    .replace("\n", "|")
    .split("|")
)
DENIALS = ("ne", "n", "pas", "plus", "jamais", "aucun", "aucune", "rien", "ni", "sans")
