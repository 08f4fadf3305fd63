"""Legal forms: words that say what kind of company a firm is, and not which one."""

from contracts.canonical.folding import words_of

# As `folding.words_of` has them: S.p.A. is spa, A/S is as, Sp. z o.o. is sp zoo.
_WORDS = """
incorporated inc corporation corp company co limited ltd llc llp lllp lp plc pllc pc dac cic pbc
pvt pty pte proprietary sdn bhd berhad publ wll fze fzco fzc jsc ojsc pjsc cjsc ltee limitee cie
group holding holdings gruppe groupe gruppo grupo
gmbh ggmbh mbh gesmbh ag kg kgaa ohg ug gbr ek ev eg se aktiengesellschaft kommanditgesellschaft
sarl sas sasu sa eurl snc sca sci scop selarl spa srl srls sapa sl slu slne sau sll lda ltda limitada eireli
bv nv vof bvba cvba sprl scrl cv ab abp aktiebolag aktiebolaget hb asa as ans amba aps is ks ivs
aktieselskab anpartsselskab aksjeselskap oy oyj oyab ky osakeyhtio spzoo sro kft zrt nyrt bt
doo dd jdoo ad ead eood ood ou sia uab aktsiaselts osauhing kk gk yk kabushikigaisha pt tbk ooo oao zao pao
ооо оао зао пао ао нао ип тов тзов тдв пат прат оод еоод еад ад доо
αε οε επε ικε בעמ شمم شم ذمم
"""
_PHRASES = """
public limited company; private limited; fz llc; gesellschaft mbh; gesellschaft mit beschrankter haftung
ug haftungsbeschrankt; societe anonyme; societe par actions simplifiee; societe a responsabilite limitee
societa per azioni; societa a responsabilita limitata; sociedad anonima; sociedad limitada
unipessoal lda; sociedad de responsabilidad limitada; sociedade anonima; sa de cv; s de rl de cv
s de rl; sapi de cv; sab de cv; sas de cv; besloten vennootschap; naamloze vennootschap
julkinen osakeyhtio; sp zoo; sp zoo sp k; sp k; sp j; spolka zoo; spolka akcyjna
spolka z ograniczona odpowiedzialnoscia; spol sro; akciova spolocnost; akciova spolecnost
akcine bendrove; as sti; ltd sti; anonim sirketi; limited sirketi; kabushiki kaisha; godo kaisha
yugen kaisha; perseroan terbatas; общество с ограниченной ответственностью; акционерное общество
публичное акционерное общество; закрытое акционерное общество; ανωνυμη εταιρεια; בע מ
"""
# Forms that stand before the name, too.
_FIRST = "ab aktiebolaget as oy pt cv ooo oao zao pao ооо оао зао пао ао нао ип тов ад еад kk"
# Forms that mean nothing else, so that they are one in the middle of a name, too: Siemens AG Österreich.
_ANYWHERE = "gmbh ag inc ltd llc plc corp ltda sarl aktiengesellschaft aktiebolag"
# Written without a blank to the name; in brackets (株), ㈱ or (주) is a word of its own.
_JOINED = (
    "股份有限公司 有限責任公司 有限责任公司 有限公司 股份公司"
    " 株式会社 株式會社 有限会社 合同会社 合資会社 合名会社 주식회사 유한회사 유한책임회사"
)
_BRACKETED = "株 有 주 유"

_ONE = {(word,) for word in (*_WORDS.split(), *_BRACKETED.split())}
_MANY = {tuple(words_of(part)) for line in _PHRASES.strip().splitlines() for part in line.split(";")}
LAST = frozenset(_ONE | _MANY)
FIRST = frozenset((word,) for word in (*_FIRST.split(), *_BRACKETED.split())) | _MANY
ANYWHERE = frozenset(_ANYWHERE.split())
JOINED = tuple(_JOINED.split())
LONGEST = max(map(len, LAST))


def without_forms(words: list[str]) -> list[str]:
    """The words that are left of a name; none where it is nothing but a legal form."""
    left = [part for word in words if (part := _without_joined(word))]
    while (fewer := _fewer(left)) != left:
        left = fewer
    return left


def _without_joined(word: str) -> str:
    for form in JOINED:
        word = word.removeprefix(form).removesuffix(form)
    return word


def _fewer(words: list[str]) -> list[str]:
    for size in range(min(LONGEST, len(words)), 0, -1):
        if tuple(words[-size:]) in LAST:
            return words[:-size]
        if tuple(words[:size]) in FIRST:
            return words[size:]
    return [word for at, word in enumerate(words) if word not in ANYWHERE or at == 0 or _parts(words, at)]


def _parts(words: list[str], at: int) -> bool:
    """Whether the word separates two letters that would be another word without it: A GmbH B is not AB."""
    return at + 1 < len(words) and len(words[at - 1]) == len(words[at + 1]) == 1
