"""The encoding of bytes that do not say it: names in a zip, and tables, of the time before UTF-8.

Detectors of the trade need a page of text; names are a few letters. Here each code page that can decode all of them is
judged by what comes out: letters of one writing system side by side, and the letters that people write often, count
for it; symbols, frames, and capitals in the middle of a word count against it.
"""

import codecs
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

# Those of Windows, and those of DOS, which Windows writes into zips; the first of equally likely ones wins.
WINDOWS = (
    "cp1252", "cp932", "gb18030", "big5", "cp949", "cp1251", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp874",
)  # fmt: skip
DOS = ("cp850", "cp437", "cp932", "gb18030", "big5", "cp949", "cp866", "cp852", "cp737", "cp857", "cp862", "cp720")
NAMES_OF_ZIPS = (*DOS, *WINDOWS)
# Bytes that are judged; more only take time.
ENOUGH = 20_000

# Letters that are written most in each language, which tell code pages apart that decode to something plausible.
LATIN = frozenset("äöüßéèêàâçñáíóúøåæôîœûùãõÄÖÜÉÅØÇÀÈÊÂÁÍÓÚÑÃÕ")
CENTRAL = frozenset("ąćęłńśźżčďěňřšťůýžőűăğışì")
CYRILLIC = frozenset("оеаинтсрвлкмдпубяыгзь")
GREEK = frozenset("αοιετσνηυρπκμλςόάίέή")
SIMPLIFIED = frozenset(
    "的一是不了在人有我他这中大来上个国和地到说时要就出会可也你对生能子那得于着下自之年过发后作里用道行所然家种事成方多"
    "经么去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日军者意无力它与长把机十民第公此已工使情"
    "明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化"
    "老给世位次度门任常先海通教儿东神系拿风片图照鞋帽衣服裤裙包红蓝绿黄白黑灰色品商店张王李花车路水山猫狗男女童夏冬春秋件号"
)
TRADITIONAL = frozenset(
    "的一是不了在人有我他這中大來上個國和地到說時要就出會可也你對生能子那得於著下自之年過發後作裡用道行所然家種事成方多"
    "經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情"
    "明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己製身果加西斯月話合回特代內信表化"
    "老給世位次度門任常先海通教兒東神系拿風片圖照鞋帽衣服褲裙包紅藍綠黃白黑灰色品商店張王李花車路水山貓狗男女童夏冬春秋件號"
)
JAPANESE = frozenset(
    "日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定今回新場金員九入選立開"
    "手米力学問高代明実円関決子動京全目表戦経通外最言氏現理調体化田当八六約主題下首意法不来作性的要用制治度務強気小七成期公野"
    "協取都和統以機平総加山思家話世受区領多県続進正安設保改数記院女初北午指権心界支第産結百派点教報済書府活原先共得解名交資"
    "靴帽服写真商品鞋赤青白黒緑黄色花車海空猫犬男画像図"
)
KOREAN = frozenset(
    "이다는을의에가고하한지로기사은도를자어리대서해시나인정과보아그수스라부게일주장제여들전상우원구있조면만적었오자동성"
    "아유미모비신경소선안생무공치바거트진연학세회관내발계마용국말중물화문방영간당실업없년것니더음또저라드레크파터카바타하"
    "지김박최품사진빨강파랑노란검은흰색옷발자신모양말남여아꽃차산바다고양개"
)
# Written beside letters of any language, also by programs that correct what people type.
TYPOGRAPHIC = frozenset("“”‘’„–—…°№€·«»®©™")
COMMON = {"cp932": JAPANESE, "gb18030": SIMPLIFIED, "big5": TRADITIONAL, "cp949": KOREAN}
# Lead bytes of the characters that a national standard counts as common.
COMMON_LEADS = {
    "cp932": range(0x88, 0x98), "gb18030": range(0xB0, 0xD8), "big5": range(0xA4, 0xC7), "cp949": range(0xB0, 0xC9),
}  # fmt: skip
NEVER = float("-inf")


def is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8 throughout."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def likeliest(texts: Iterable[bytes], candidates: Sequence[str]) -> str:
    """The code page that texts were most likely written in, all in the same; the first candidate if none decodes them.

    Args:
        texts: any that are not UTF-8.
        candidates: names of Python's codecs; of equally likely ones the first is taken.
    """
    data = _foreign(texts)
    scores = {name: _score(data, name) for name in dict.fromkeys(candidates)}
    return max(scores, key=lambda name: scores[name])


def title(encoding: str) -> str:
    """A code page as people know it, such as `cp932 (Japanese)`."""
    languages = {
        "cp932": "Japanese", "gb18030": "simplified Chinese", "big5": "traditional Chinese", "cp949": "Korean",
        "cp1252": "Western European", "cp850": "Western European", "cp437": "Western European", "cp1251": "Cyrillic",
        "cp866": "Cyrillic", "cp1250": "Central European", "cp852": "Central European", "cp1253": "Greek",
        "cp737": "Greek", "cp1254": "Turkish", "cp857": "Turkish", "cp1255": "Hebrew", "cp862": "Hebrew",
        "cp1256": "Arabic", "cp720": "Arabic", "cp874": "Thai",
    }  # fmt: skip
    return f"{encoding} ({languages[encoding]})" if encoding in languages else encoding


def _foreign(texts: Iterable[bytes]) -> bytes:
    """The texts that are not ASCII, each once, in a line each, as far as is needed."""
    lines, size = dict[bytes, None](), 0
    for text in texts:
        if not text.isascii() and text not in lines:
            lines[text] = None
            size += len(text)
        if size > ENOUGH:
            break
    return b"\n".join(lines)


def _score(data: bytes, encoding: str) -> float:
    """How much a code page makes of bytes; minus infinity if it cannot decode them."""
    try:
        text = codecs.decode(data, encoding)
    except (UnicodeDecodeError, LookupError):
        return NEVER
    around = zip(f"\n{text}", text, f"{text[1:]}\n", strict=False)
    return sum(_plausibility(before, letter, after, encoding) for before, letter, after in around if letter > "\x7f")


def _plausibility(before: str, letter: str, after: str, encoding: str) -> float:
    """How plausible a character is between its neighbours."""
    category = unicodedata.category(letter)
    if category in ("Cc", "Cn", "Co", "Cs"):
        return NEVER
    if category[0] not in "LM":
        return _of_symbol(letter)
    script = _script(letter)
    neighbours = {_script(other) for other in (before, after) if other.isalpha()}
    if script in ("CJK", "HANGUL", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"):
        return 2 * _of_ideograph(letter, script, encoding) - 3 * ("LATIN" in neighbours)
    if script == "HALFWIDTH":
        return 0.4 if neighbours == {script} else -0.2
    score = -1.0 if letter.isupper() and before.islower() else 0.0
    if script == "LATIN":
        is_crowded = any(other > "\x7f" and other.isalpha() for other in (before, after))
        return score + _of_latin(letter) - 0.4 * is_crowded - (0.1 if neighbours == {script} else 0.2)
    if script == "CYRILLIC":
        score += 1.0 if letter.lower() in CYRILLIC else 0.7 if "а" <= letter.lower() <= "я" else 0.2
    elif script == "GREEK":
        score += 1.0 if letter.lower() in GREEK else 0.5
    else:
        score += 0.8 if script == "THAI" else 0.93
    return score + (0.3 if neighbours == {script} else -1.0 if neighbours - {script} else -0.3)


def _of_latin(letter: str) -> float:
    if letter in LATIN:
        return 0.8
    return 0.6 if letter.lower() in CENTRAL else 0.2 if "LATIN" in unicodedata.name(letter) and letter != "ƒ" else -0.5


def _of_symbol(letter: str) -> float:
    if letter in TYPOGRAPHIC or "\u3000" <= letter <= "\u303f" or "\uff01" <= letter <= "\uff60":
        return 0.1
    return -2.0 if "\u2500" <= letter <= "\u259f" else -1.0


def _of_ideograph(letter: str, script: str, encoding: str) -> float:
    """How plausible a character of East Asia is for each of its bytes, by how common it is in that language."""
    if encoding not in COMMON:
        return 0.0
    if script not in ("CJK", "HANGUL"):
        return 1.4 if encoding == "cp932" else 0.0  # kana
    if letter in COMMON[encoding]:
        return 1.6
    lead, trail = code if len(code := letter.encode(encoding)) == 2 else (0, 0)
    is_native = (script == "HANGUL") == (encoding == "cp949")
    is_standard = trail >= 0xA1 or encoding in ("cp932", "big5")
    return 1.1 if is_native and is_standard and lead in COMMON_LEADS[encoding] else -0.5


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """The writing system of a letter, by the first word of its name."""
    return unicodedata.name(letter, "NONE").partition(" ")[0]
