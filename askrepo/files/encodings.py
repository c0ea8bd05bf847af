"""Which encoding a file is in that is not UTF-8: what it declares, else what its letters make likely.

No encoding is chosen that does not keep ASCII, and no codec that is more than an encoding (`rot13`, `unicode_escape`).
"""

from __future__ import annotations

import codecs
import re
import unicodedata

from askrepo.files.single_bytes import SAMPLE_BYTES, best_single_byte

# Detection reads at most this much of the lines that are not ASCII; more adds no evidence.
DETECTION_BYTES = 16 * 1024
HEAD_BYTES = 1024
"""Where declarations stand, at the top and, for Vim, at the end."""
# Western text has accented letters one at a time; scripts of two bytes per character, and Cyrillic words, have runs.
MAX_WESTERN_RUN = 1.5

# What no text in the encoding gets.
NO_SCORE = -2.0
# What a text of several bytes a letter scores, and hardly any other.
SURE_SCORE = 1.5
# Bits that a letter takes which has the best score, and for each point that it has less; for a letter of ASCII that
# would be the second half of one in the middle of a word.
BEST_LETTER, BITS_PER_POINT, SWALLOWED = 8.5, 1.7, 6.0
# More bits a letter are noise.
MOST_BITS = 9.0

_DECLARED = (
    re.compile(rb"\A(?:[^\n]{0,400}\n)?[ \t\f]{0,40}#[^\n]{0,200}?coding[:=][ \t]{0,8}([-\w.]{1,40})"),  # PEP 263
    re.compile(rb"\A(?:[^\n]{0,400}\n)?[^\n]{0,200}?-\*-[^\n]{0,200}?\bcoding:[ \t]{0,8}([-\w.]{1,40})", re.IGNORECASE),
    re.compile(rb"\A\s{0,40}<\?xml\s[^>]{0,200}?\bencoding\s{0,8}=\s{0,8}[\"']([-\w.:]{1,40})"),
    re.compile(rb"\A@charset [\"']([-\w.]{1,40})[\"'];"),
    re.compile(rb"<meta\s[^>]{0,200}?\bcharset\s{0,8}=\s{0,8}[\"']?([-\w.:]{1,40})", re.IGNORECASE),
)
_VIM = re.compile(rb"(?:^|\s)(?:vim?|ex):[^\n]{0,200}?\b(?:fileencoding|fenc)=([-\w.]{1,40})")
_END_OF_NAME = re.compile(r"-(?:unix|dos|mac)$")
# What is declared, and the codec that also reads what people write under that name.
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "big5": "cp950",
    "iso8859-1": "cp1252", "latin-1": "cp1252", "x-sjis": "cp932", "windows-31j": "cp932", "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949", "euc_jp": "euc_jp"}  # fmt: skip
_SINGLE_BYTE = frozenset(
    [f"iso8859-{part}" for part in range(2, 17) if part != 12]
    + [f"cp125{digit}" for digit in range(9)]
    + ["koi8-r", "koi8-u", "cp437", "cp850", "cp852", "cp855", "cp858", "cp866", "cp874", "mac-roman", "mac-cyrillic",
       "mac-latin2", "mac-greek", "tis-620"]
)  # fmt: skip
WIDE = frozenset({"gb18030", "cp950", "big5hkscs", "cp932", "euc_jp", "euc_jis_2004", "shift_jis_2004", "cp949"})
"""Encodings with several bytes a letter."""

_SWALLOWED = re.compile(rb"[A-Za-z][\x80-\xff]{1,2}(?=[a-z](?![\x80-\xff]))")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")

# The letters that make up half of what people write; they tell encodings apart that share their bytes.
_SIMPLIFIED = """
的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去
法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点
正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原
东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资
命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万
取拉格望觉术领共确传师观清今切院让识候带导争运笔转测试文件参数函数返回值类型错误注释默认初始配置读写输入输出字符串列表循环调请线程
码编译器接口对象方法变量缓存存储键删除添加修改查询检验用户密码登录页显示列宽若则否每均未含
"""
_TRADITIONAL = """
的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去
法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點
正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒原
東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資
命山金指克許統區保至隊形社便空決治展馬科司五基眼書非則聽白卻界達光放強即像難且權思王象完設式色路記南品住告類求據程北邊死張該交規萬
取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運筆轉測試檔案參數函式返回值類型錯誤註釋預設初始配置讀寫輸入輸出字串列表迴圈呼叫請執緒
碼編譯器介面物件方法變量快取儲存鍵刪除新增修改查詢檢驗使用者密碼登錄頁顯示列寬若則否每均未含
"""
_KANJI = """
日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定今回新場金員九入選立開手米力学問高代
明実円関決子動京全目表戦経通外最言氏現理調体化田当八六約主題下首意法不来作性的要用制治度務強気小七成期公野協取都和統以機平総加山思
家話世受区領多県続進正安設保改数記院女初北午指権心界支第産結百派点教報済書府活原先共得解名交資予川向際査勝面委告軍文反元重近千考判
認画海参売利組知案道信策集在件団別物側任引使求所次水半品昨論計死官増係感特情投示変打男基私各始島直両朝革価式確村提運終挙果西勢減台広
容必応演電歳住争談能無再位置企真流格有疑口過局少放税検藤町常校料沢裁状工建語球営空職証土与急止送援供可役構木割聞身費付施切由説転食比
読込書字列型値返処理関数変数引数設定初期化削除追加更新検索入力出力実行失敗成功戻注釈試験試
"""
_SYLLABLES = """
이다는의에을가고하를지은한로도사기나자서어리시들대정해그일인스수아부주상있것전보으만니과제구조성여장원동생면경마안라방와교유공계국게관
개요화치비용학거물선무내발신현문더진미소행민모중연까없명때세당양속적오된음실산단반간식업회체입우서작결남평않며통두된했습같그데분등말위
될된합값열형환추삭출력함변설초파테코드처류오류확호반객배키값읽쓰받호출목록없음또른맞
"""
_COMMON = {
    "gb18030": frozenset(_SIMPLIFIED),
    "cp950": frozenset(_TRADITIONAL),
    "cp932": frozenset(_KANJI),
    "euc_jp": frozenset(_KANJI),
    "cp949": frozenset(_SYLLABLES),
}
"""The encodings that letters are weighed for."""
# What each may be written with: the scripts by the first word of the letters' names.
_SCRIPTS = {
    "gb18030": {"CJK": 0.2},
    "cp950": {"CJK": 0.2},
    "cp932": {"HIRAGANA": 3.0, "KATAKANA": 2.5, "KATAKANA-HIRAGANA": 2.5, "CJK": 0.2},
    "euc_jp": {"HIRAGANA": 3.0, "KATAKANA": 2.5, "KATAKANA-HIRAGANA": 2.5, "CJK": 0.2},
    "cp949": {"HANGUL": 0.3},
}
# Encodings in which only rare letters end in a byte of ASCII: what would swallow one is likelier another encoding.
_RARE_ASCII_TRAILS = frozenset({"gb18030", "cp949"})
_MARKS = frozenset("、。，．・：；？！「」『』（）《》【】“”‘’…—～ー　")  # noqa: RUF001


def declared_encoding(content: bytes) -> str | None:
    """The encoding that a file names in its first lines, or in Vim's modeline; None when it is none to use."""
    head, tail = content[:HEAD_BYTES], content[-HEAD_BYTES:]
    found = next((match[1] for pattern in _DECLARED if (match := pattern.search(head))), None)
    if found is None:
        match = _VIM.search(head) or _VIM.search(tail)
        found = match[1] if match else None
    return None if found is None else _usable(found.decode("ascii", "replace"))


def likely_encoding(content: bytes) -> str | None:
    """The encoding that explains the bytes that are not ASCII best; None when none does."""
    sample = _high_lines(content)
    scores = {name: _score(sample, name) for name in _COMMON}
    wide = max(scores, key=lambda name: scores[name])
    if scores[wide] >= SURE_SCORE and not _is_western(sample):
        return wide
    single = best_single_byte(sample)
    if single is None:
        return wide if scores[wide] > NO_SCORE else None
    encoding, bits = single
    if scores[wide] > 0 and _wide_bits(sample[:SAMPLE_BYTES], wide) < bits:
        return wide
    return encoding if bits < MOST_BITS * _high_bytes(sample[:SAMPLE_BYTES]) else None


def _usable(name: str) -> str | None:
    name = _END_OF_NAME.sub("", name.lower())
    if name in _WIDER:
        return _WIDER[name]
    try:
        name = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    name = _WIDER.get(name, name)
    return name if name in WIDE or name in _SINGLE_BYTE or name == "utf-8" else None


def _high_lines(content: bytes) -> bytes:
    """The lines that are not ASCII, up to a limit: they hold all the evidence."""
    lines: list[bytes] = []
    size = 0
    for found in content.split(b"\n"):
        if not found.isascii():
            lines.append(found[: DETECTION_BYTES - size])
            size += len(lines[-1]) + 1
        if size >= DETECTION_BYTES:
            break
    return b"\n".join(lines)


def _is_western(sample: bytes) -> bool:
    """Whether accented letters stand alone, which statistics over few letters often get wrong."""
    runs = _HIGH_RUN.findall(sample)
    return _decodes(sample, "cp1252") and sum(map(len, runs)) < MAX_WESTERN_RUN * len(runs)


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _score(sample: bytes, encoding: str) -> float:
    """How well an encoding explains the letters that are not ASCII, per letter and the more the better."""
    text = sample.decode(encoding, "replace")
    letters = [letter for letter in text if letter > "\x7f"]
    bad = text.count("\ufffd") - text.endswith("\ufffd")
    if not letters or bad > len(letters) // 100:
        return NO_SCORE
    return sum(_weight(letter, encoding) for letter in letters) / len(letters)


def _wide_bits(sample: bytes, encoding: str) -> float:
    """Bits that a text takes in an encoding with several bytes a letter."""
    letters = sum(letter > "\x7f" for letter in sample.decode(encoding, "replace"))
    each = BEST_LETTER + BITS_PER_POINT * (3 - _score(sample, encoding))
    return letters * each + SWALLOWED * len(_SWALLOWED.findall(sample))


def _high_bytes(sample: bytes) -> int:
    return sum(byte > 0x7F for byte in sample)


def _weight(letter: str, encoding: str) -> float:
    if letter in _COMMON[encoding]:
        return 3.0
    if letter in _MARKS:
        return 1.0
    if encoding in _RARE_ASCII_TRAILS and letter.encode(encoding, "replace")[-1] < 0x80:
        return -2.0
    script = unicodedata.name(letter, "").split(" ")[0]
    return _SCRIPTS[encoding].get(script, -2.0)
