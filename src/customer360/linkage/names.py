"""What is known of French first names: short forms, and names spelt in an e-mail."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

__all__ = ["NICKNAMES", "names_in_email", "sound_sql"]

# Made as French makes them: a piece of the name, its first syllable twice, or the initials of a
# compound name (docs/nicknames.md names who describes these habits).
_REGULAR = """
alex: alexandre, alexandra, alexis | bea: beatrice | ben: benjamin, benoit | brice: fabrice
cam: camille | caro: caroline | cath: catherine
chris: christophe, christian, christine, christelle | clem: clement, clementine | clo: clotilde
dan: daniel | did: didier | didi: didier | dom: dominique | domi: dominique | ed: edouard
eli: elisabeth, elie | fab: fabien, fabrice | fatou: fatoumata | flo: florence, florian, florent
fran: francoise, francois | fred: frederic, frederique | gege: gerard, gerald | geo: georges
gigi: ginette, gisele | gil: gilbert, gilles | greg: gregory, gregoire | gui: guillaume
guigui: guillaume | gus: gustave, auguste | isa: isabelle | jb: jean baptiste
jc: jean claude, jean christophe, jean charles | jd: jean denis | jean mi: jean michel
jerem: jeremy, jeremie | jf: jean francois | jg: jean guy | jl: jean luc, jean louis
jm: jean marc, jean michel, jean marie | jo: joseph, joelle, josiane, joel | joe: joel
jojo: josette, joseph | jp: jean pierre, jean paul, jean philippe | jr: jean rene
js: jean sebastien | ju: julie, julien, juliette, julia | juju: julien, julie, juliette
jy: jean yves | laet: laetitia | laeti: laetitia | lau: laura, laurent, laurence
laulau: laurent, laurence | leo: leopold, leonard, leonie | lou: louise, louis | loulou: louis
lu: lucie, lucien | ludo: ludovic | mag: magalie, magali | magali: magalie | man: manon, manuel
manu: emmanuel, emmanuelle, manuel, manuela | marie chris: marie christine
marie jo: marie josephe, marie josee | marie lou: marie louise
mat: mathieu, matthieu, mathis, mathilde | math: mathieu, mathilde, mathis
max: maxime, maximilien | mel: melanie, melissa | mich: michel, michelle, michele | mick: mickael
mimi: michel, michele, mireille | momo: mohamed | mumu: muriel | nad: nadine, nadege, nadia
nana: nathalie | nat: nathalie, nathan | nath: nathalie, nathan | nico: nicolas, nicole
nini: nicole | oli: olivier, olivia | oliv: olivier | pat: patrick, patrice, patricia
phil: philippe | py: pierre yves | quent: quentin | raph: raphael, raphaelle | ray: raymond
rob: robert, robin | rom: romain, roman | roro: robert, romain | sab: sabine, sabrina
sam: samuel, samantha | seb: sebastien | sev: severine | simo: simone | so: sophie, solene
soso: solange | steph: stephane, stephanie | syl: sylvie, sylvain | sylv: sylvie, sylvain
theo: theophile, theodore | tim: timothee | toine: antoine | val: valerie, valentin, valentine
vero: veronique | vic: victor, victoria | vince: vincent | vir: virginie | vivi: viviane, virginie
xav: xavier | yo: yohan, yoann | yoyo: yohan, yoann | yv: yves, yvonne
"""
# Made otherwise, and each listed by somebody who collects them (docs/nicknames.md).
_LISTED = """
babeth: elisabeth | babette: elisabeth | bernie: bernard | bob: robert | cathy: catherine
dany: daniel | dede: andre | fanny: francoise | gaby: gabriel, gabrielle | jackie: jacqueline
jacquot: jacques | joe: joseph | lili: elisabeth | lisa: elisabeth | loulou: louise
maite: marie therese | margot: marguerite | matt: mathieu, matthieu
michou: michel, michele, michelle | mika: mickael | mike: michael, mickael | mimi: michelle
nanou: anne | pierrot: pierre | riri: henri | sandra: alexandra | sandy: sandra, sandrine
soso: sophie | stef: stephane, stephanie | tom: thomas | tony: anthony, antoine | toto: thomas
"""


# How a French name sounds, rule after rule: what is heard down a telephone is spelt anyhow.
_SOUNDS = (
    ("ph", "f"), ("[sc]?ch", "9"), ("h", ""), ("eaux?|aux?", "o"), ("ai|ei|ay|ey|oe", "e"),
    ("qu|ck", "k"), ("c([eiy])", "s\\1"), ("c", "k"), ("g([eiy])", "j\\1"), ("gu", "g"), ("y", "i"),
    ("z", "s"), ("w", "v"), ("bb", "b"), ("dd", "d"), ("ff", "f"), ("gg", "g"), ("kk", "k"),
    ("ll", "l"), ("mm", "m"), ("nn", "n"), ("pp", "p"), ("rr", "r"), ("ss", "s"), ("tt", "t"),
    ("[edstx]+$", ""),
)  # fmt: skip


def sound_sql(name: str) -> str:
    """SQL of how a folded name sounds.

    Examples
    --------
    >>> sound_sql("first_name").count("replace")
    27
    """
    text = f"replace({name}, ' ', '')"
    for written, heard in _SOUNDS:
        if written.isalpha():
            # Letters as they stand: far faster than a pattern.
            text = f"replace({text}, '{written}', '{heard}')"
        else:
            text = f"regexp_replace({text}, '{written}', '{heard}', 'g')"
    return f"nullif({text}, '')"


def _read(*texts: str) -> dict[str, tuple[str, ...]]:
    """Short form to the full names it may stand for."""
    short_forms: dict[str, tuple[str, ...]] = {}
    for entry in re.split(r"[|\n]", "\n".join(text.strip() for text in texts)):
        short, _, names = entry.partition(":")
        fulls = tuple(name.strip() for name in names.split(","))
        short_forms[short.strip()] = short_forms.get(short.strip(), ()) + fulls
    return short_forms


NICKNAMES = _read(_REGULAR, _LISTED)


def names_in_email(
    email_name: str,
    *,
    first: str | None,
    last: str | None,
    firsts: Mapping[str, str],
    lasts: Mapping[str, str],
) -> tuple[str, str] | None:
    """First and family name that an e-mail spells, completing those that are known.

    Parameters
    ----------
    email_name : str
        What stands before the @.
    first, last : str or None
        Folded names of the record.
    firsts, lasts : mapping
        Names that several records bear, in one word, to how they are written.

    Returns
    -------
    tuple of str or None
        First name (or its initial) and family name; None when the e-mail spells none.

    Examples
    --------
    >>> names = {"marie": "marie", "jeanpierre": "jean pierre"}, {"durand": "durand"}
    >>> names_in_email("jean-pierre.durand12", first=None, last=None,
    ...                firsts=names[0], lasts=names[1])
    ('jean pierre', 'durand')
    """
    words = [w for w in re.split(r"[^a-z]+", _plain(email_name)) if w]
    whole = "".join(words)
    if len(whole) < 5:
        return None
    # Where the separators cut, then anywhere: marie.durand, then mariedurand.
    cuts = [len("".join(words[:i])) for i in range(1, len(words))]
    known_first = (first or "").replace(" ", "")
    known_last = (last or "").replace(" ", "")
    # Where a name that is known would have to end or begin; an initial may stand for it.
    lengths = {len(known_last)} if known_last else {len(known_first), 1}
    ends = lengths | {len(whole) - length for length in lengths}
    for separated, places in ((True, cuts), (False, range(len(whole) - 2, 0, -1))):
        for cut in places:
            if (known_first or known_last) and cut not in ends:
                continue
            for one, two in ((whole[:cut], whole[cut:]), (whole[cut:], whole[:cut])):
                if known_last and two != known_last:
                    continue
                if known_first and one not in (known_first, known_first[:1]):
                    continue
                named = one in firsts or bool(known_first)
                # An initial proves little: the rest must be a family name for sure.
                initial = len(one) == 1
                family = two in lasts or bool(known_last)
                if separated and named and len(two) > 2:
                    family = True
                if family and (named or (initial and (separated or bool(known_last)))):
                    return first or firsts.get(one, one), last or lasts.get(two, two)
    return None


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
