"""What is known of French first names: short forms, and names spelt in an e-mail."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

__all__ = ["NICKNAMES", "names_in_email", "sound_sql"]

_SHORT_FORMS = """
alex: alexandre alexandra alexis | annie: anne anne marie | anso: anne sophie
tony: antoine anthony | tom: thomas | toto: thomas | bat: baptiste | ben: benjamin benoit
babeth: elisabeth | babette: elisabeth | lisa: elisabeth elise | lili: elisabeth aurelie amelie
bea: beatrice | bernie: bernard | bob: robert | brice: fabrice | cam: camille | caro: caroline | cathy: catherine
cath: catherine | cri cri: christine christiane christian | cricri: christine christiane christian
chris: christophe christian christine christelle | clem: clement clementine | clo: clotilde
dan: daniel | dany: daniel danielle | dede: andre | dedette: bernadette odette | dom: dominique | domi: dominique
did: didier | didi: didier | doudou: edouard | ed: edouard | eli: elisabeth elie
fab: fabien fabrice | fanny: stephanie francoise | fanfan: francois francoise
fatou: fatoumata fatima | flo: florence florian florent | fran: francoise francois
fred: frederic frederique | gaby: gabriel gabrielle | ge ge: gerard | gege: gerard gerald
geo: georges | gigi: ginette gisele | gil: gilbert gilles | greg: gregory gregoire
gui: guillaume guy | guigui: guillaume | gus: gustave auguste
henri: henry | isa: isabelle | izzy: isabelle | jackie: jacqueline jacques | jacky: jacques
jacquot: jacques | jc: jean claude jean christophe jean charles | jb: jean baptiste
jd: jean denis | jef: jean francois | jeff: jean francois joffrey | jf: jean francois
jean mi: jean michel | jerem: jeremy jeremie | jg: jean guy | jl: jean luc jean louis | jm: jean marc jean michel jean marie
jo: joseph joelle josiane joel | joe: joel joseph | jojo: georges josette joseph
josie: josiane josette | jp: jean pierre jean paul jean philippe | jr: jean rene
js: jean sebastien | ju: julie julien juliette julia | juju: julien julie juliette
jy: jean yves | kat: catherine karine | kiki: christian christine | laeti: laetitia
laet: laetitia | lau: laura laurent laurence | lolo: laurent laurence | laulau: laurent laurence
leo: leopold leonard leonie | lou: louise louis | loulou: louis louise | lu: lucie lucien
ludo: ludovic | mag: magalie magali marguerite | magali: magalie
maite: marie therese therese | malo: marie laure
man: manon manuel | manu: emmanuel emmanuelle manuel manuela | marco: marc | mado: madeleine
margot: marguerite | marie chris: marie christine | marie jo: marie josephe marie josee
marie lou: marie louise | marylou: marie louise | mat: mathieu matthieu mathis mathilde
math: mathieu matthieu mathilde mathis | matt: matthieu mathieu | max: maxime maximilien
mel: melanie melissa | meme: aimee | mich: michel michelle michele | mimi: michel michele mireille
michou: michel michelle michele | mick: mickael michel | mika: mickael | mike: michael mickael | momo: maurice mohamed
mumu: muriel | nad: nadine nadege nadia | nana: anna nathalie | nanou: anne
nath: nathalie nathan | nat: nathalie nathan | nico: nicolas nicole | nini: virginie nicole
oli: olivier olivia | oliv: olivier | olive: olivier | pat: patrick patrice patricia | patou: patrick patricia
paulo: paul | perrine: pierrette | phil: philippe | philou: philippe | pierrot: pierre
pym: pierre yves marie | popo: pauline | py: pierre yves | quent: quentin | raph: raphael raphaelle | ray: raymond | ri ri: henri
riri: henri | rob: robert robin | rom: romain roman | roro: robert romain | sab: sabine sabrina
sam: samuel samantha | sandy: sandrine sandra | sandra: alexandra | seb: sebastien
sev: severine | simo: simone | so: sophie solene | soso: sophie solange | stef: stephane stephanie
steph: stephane stephanie | suzy: suzanne suzette | syl: sylvie sylvain | sylv: sylvie sylvain
theo: theophile theodore | tim: timothee | tib: thibault thibaut
titi: thierry thibault thibaut | tof: christophe | toine: antoine | toinou: antoine
totof: christophe | val: valerie valentin valentine | vero: veronique | vic: victor victoria
vince: vincent | vir: virginie | vivi: viviane virginie | xav: xavier | yo: yohan yoann johan
yoyo: yohan yoann lionel | yv: yves yvonne | zab: isabelle | zaza: isabelle elisabeth
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
    >>> sound_sql("first_name").count("regexp_replace")
    26
    """
    text = f"replace({name}, ' ', '')"
    for written, heard in _SOUNDS:
        text = f"regexp_replace({text}, '{written}', '{heard}', 'g')"
    return f"nullif({text}, '')"


def _read(text: str) -> dict[str, tuple[str, ...]]:
    """Short form to the full names it may stand for; compound names are kept whole."""
    compound = {"jean", "marie", "anne", "pierre"}
    short_forms: dict[str, tuple[str, ...]] = {}
    for entry in re.split(r"[|\n]", text.strip()):
        short, _, fulls = entry.partition(":")
        names: list[str] = []
        for word in fulls.split():
            if names and names[-1] in compound:
                names[-1] = f"{names[-1]} {word}"
            else:
                names.append(word)
        short_forms[short.strip()] = tuple(names)
    return short_forms


NICKNAMES = _read(_SHORT_FORMS)


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
    for separated, places in ((True, cuts), (False, range(len(whole) - 2, 0, -1))):
        for cut in places:
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
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
